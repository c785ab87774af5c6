/*
 * A log file in bad times: nobody reads, the disk is full, SIGHUP, forks.
 */
#include "web_suite.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SOON (5.0 * suite_slow())

static char folder[64], path[128], old_path[128];

static void
make_folder(void)
{
        snprintf(folder, sizeof folder, "/tmp/green-log-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
        snprintf(path, sizeof path, "%s/log", folder);
        snprintf(old_path, sizeof old_path, "%s/log.1", folder);
}

static void
drop_folder(void)
{
        (void)unlink(path);
        (void)unlink(old_path);
        CHECK_INT(rmdir(folder), 0);
}

static const char *
text_of(const char *name)
{
        static char text[1 << 20];
        FILE *f = fopen(name, "rb");
        size_t n = f == NULL ? 0 : fread(text, 1, sizeof text - 1, f);

        CHECK(f != NULL);
        if (f != NULL)
                fclose(f);
        text[n] = '\0';
        return text;
}

static void
put_line(green_access_log *log, const char *line)
{
        green_access_log_write(log, line, strlen(line));
}

static struct green_access_log_stats
stats_of(green_access_log *log)
{
        struct green_access_log_stats s = {0};

        CHECK_INT(green_access_log_get_stats(log, &s), 0);
        return s;
}

/* Lines of 100 bytes, numbered from `from` on. */
static void
put_lines(green_access_log *log, int from, int count)
{
        char line[102];

        for (int i = from; i < from + count; i++) {
                snprintf(line, sizeof line, "%099d\n", i);
                put_line(log, line);
        }
}

/* How many such lines a text has, all of them whole, in their order; -1: something else is in it. */
static int
whole_lines(const char *text)
{
        int n = 0, before = -1;

        for (; *text != '\0'; n++) {
                int number = atoi(text), len = (int)strspn(text, "0123456789");

                if (len != 99 || text[99] != '\n' || number <= before)
                        return -1;
                before = number;
                text += 100;
        }
        return n;
}

/* ---- nobody reads */

static void
where_nobody_reads_lines_are_dropped_and_nobody_waits(void)
{
        const struct green_access_log_opts opts = {.size = sizeof opts, .buffer = 65536};
        static char text[1 << 20];
        struct green_access_log_stats s;
        green_access_log *log;
        size_t len = 0;
        int fd, given = 0;

        make_folder();
        CHECK_INT(mkfifo(path, 0600), 0);
        fd = open(path, O_RDWR | O_NONBLOCK);
        log = green_access_log_open(path, &opts);
        CHECK_OR_RETURN(fd >= 0 && log != NULL, );
        /* More than pipe and buffer hold. Who logged by write() would never return from it. */
        do {
                put_lines(log, given, 1000);
                given += 1000;
        } while (given < 100000 && green_access_log_flush(log, 0.05) == 0);
        put_lines(log, given, 1000);
        given += 1000;
        CHECK_INT(green_access_log_flush(log, 0.01), -ETIMEDOUT);
        s = stats_of(log);
        CHECK(s.dropped > 0 && s.waiting > 0 && s.waiting <= 65536);
        /* Somebody reads: what was kept comes, and what comes after it. */
        while (s.waiting > 0 || len == 0) {
                ssize_t n = read(fd, text + len, sizeof text - 1 - len);

                len += n > 0 ? (size_t)n : 0;
                (void)green_sleep(0.001);
                s = stats_of(log);
        }
        /* What came last may fill the pipe. */
        for (ssize_t n; (n = read(fd, text + len, sizeof text - 1 - len)) > 0;)
                len += (size_t)n;
        put_lines(log, given, 1);
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        for (ssize_t n; (n = read(fd, text + len, sizeof text - 1 - len)) > 0;)
                len += (size_t)n;
        text[len] = '\0';
        s = stats_of(log);
        CHECK_INT(whole_lines(text), s.lines);
        CHECK_INT(s.lines + s.dropped, given + 1);
        CHECK(len > 100 && atoi(text + len - 100) == given);
        CHECK(logged("lines come") || logged("dropped so far"));
        CHECK_INT(green_access_log_free(log), 0);
        close(fd);
        drop_folder();
}

/* The log goes while its writer is stuck: that ends by itself when it can. */
static void
a_writer_that_is_stuck_keeps_nobody(void)
{
        struct pollfd end = {.events = POLLIN};
        green_access_log *log;
        char *text = calloc(1, 1 << 20);
        int fd;

        make_folder();
        CHECK_INT(mkfifo(path, 0600), 0);
        fd = open(path, O_RDWR | O_NONBLOCK);
        log = green_access_log_open(path, NULL);
        CHECK_OR_RETURN(fd >= 0 && log != NULL && text != NULL, );
        put_lines(log, 0, 2000);
        /* It has begun, and the pipe is full: nothing more goes. */
        for (int same = 0, before = -1; same < 5; same = stats_of(log).lines == (uint64_t)before ? same + 1 : 0) {
                before = (int)stats_of(log).lines;
                (void)green_sleep(0.01);
        }
        CHECK_INT(green_access_log_free(log), 0);
        /* It writes what it has when somebody reads. */
        for (size_t len = 0; len < 200000;) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                ssize_t n = poll(&p, 1, 10000) == 1 ? read(fd, text + len, (1 << 20) - 1 - len) : -1;

                if (!CHECK(n > 0))
                        break;
                len += (size_t)n;
        }
        CHECK_INT(whole_lines(text), 2000);
        /* And closes it. */
        end.fd = open(path, O_RDONLY | O_NONBLOCK);
        close(fd);
        CHECK_INT(poll(&end, 1, 10000), 1);
        CHECK_INT(read(end.fd, text, 1), 0);
        close(end.fd);
        free(text);
        drop_folder();
}

/* ---- the disk is full */

static void
limit_files(rlim_t bytes)
{
        struct rlimit limit;

        CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
where_the_disk_is_full_it_goes_on_when_there_is_room(void)
{
        const struct green_access_log_opts opts = {.size = sizeof opts, .buffer = 32768};
        struct green_access_log_stats s;
        green_access_log *log;

        make_folder();
        log = green_access_log_open(path, &opts);
        CHECK_OR_RETURN(log != NULL, );
        /* In the middle of a line. */
        limit_files(5050);
        put_lines(log, 0, 100);
        CHECK_INT(green_access_log_flush(log, 0.05), -ETIMEDOUT);
        while (stats_of(log).errors == 0)
                (void)green_sleep(0.001);
        put_lines(log, 100, 1000);
        s = stats_of(log);
        CHECK_INT(s.bytes, 5050);
        CHECK_INT(s.lines, 50);
        CHECK(s.dropped > 0);
        /* Said once, whatever is tried again. */
        while (stats_of(log).errors < 3)
                (void)green_sleep(0.01);
        CHECK_INT(times_logged("cannot be written"), 1);
        limit_files(RLIM_INFINITY);
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        put_lines(log, 2000, 1);
        CHECK_INT(green_access_log_free(log), 0);
        CHECK_INT(whole_lines(text_of(path)), 1101 - (int)s.dropped);
        CHECK(strstr(text_of(path), "2000\n") != NULL);
        drop_folder();
}

/* Rotated in the middle of a line: that stands in the new file, whole. */
static void
a_line_that_was_cut_is_whole_in_the_new_file(void)
{
        green_access_log *log;
        const char *text;

        make_folder();
        log = green_access_log_open(path, NULL);
        CHECK_OR_RETURN(log != NULL, );
        limit_files(5050);
        put_lines(log, 0, 80);
        while (stats_of(log).errors == 0)
                (void)green_sleep(0.001);
        CHECK_INT(rename(path, old_path), 0);
        CHECK_INT(green_access_log_reopen(log), 0);
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        limit_files(RLIM_INFINITY);
        CHECK_INT(green_access_log_free(log), 0);
        text = text_of(path);
        CHECK_INT(whole_lines(text), 30);
        CHECK_INT(atoi(text), 50);
        CHECK_INT(strlen(text_of(old_path)), 5050);
        drop_folder();
}

/* At its end nobody waits for room. */
static void
what_cannot_be_written_at_the_end_is_dropped(void)
{
        green_access_log *log;

        make_folder();
        log = green_access_log_open("/dev/full", NULL);
        if (log == NULL) {
                suite_skip("there is no /dev/full");
                drop_folder();
                return;
        }
        put_lines(log, 0, 10);
        CHECK_INT(green_access_log_free(log), 0);
        CHECK(logged("/dev/full: cannot be written: No space left on device"));
        drop_folder();
}

/* ---- SIGHUP */

static void
hangup_opens_it_anew(void)
{
        const struct green_access_log_opts opts = {.size = sizeof opts, .reopen_on_hangup = true};
        green_access_log *log;

        make_folder();
        log = green_access_log_open(path, &opts);
        CHECK_OR_RETURN(log != NULL, );
        put_line(log, "one\n");
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_INT(rename(path, old_path), 0);
        CHECK_INT(kill(getpid(), SIGHUP), 0);
        while (stats_of(log).reopened == 0)
                (void)green_sleep(0.001);
        put_line(log, "two\n");
        CHECK_INT(green_access_log_free(log), 0);
        CHECK_STR(text_of(old_path), "one\n");
        CHECK_STR(text_of(path), "two\n");
        drop_folder();
}

/* ---- forks */

static void
wait_for_child(pid_t pid)
{
        int status = -1;

        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
parent_and_child_write_into_one_file(void)
{
        const struct green_access_log_opts opts = {.size = sizeof opts, .reopen_on_hangup = true};
        green_access_log *log;
        const char *text;
        int lines = 0;
        pid_t pid;

        if (suite_skip_without_child_threads())
                return;
        make_folder();
        log = green_access_log_open(path, &opts);
        CHECK_OR_RETURN(log != NULL, );
        put_line(log, "<parent's, from before>\n");
        pid = fork();
        if (pid == 0) {
                for (int i = 0; i < 1000; i++)
                        put_line(log, "<of the child>\n");
                if (green_access_log_flush(log, SOON) != 0 || kill(getpid(), SIGHUP) != 0)
                        _exit(1);
                /* The first time was for the first line. */
                while (stats_of(log).reopened < 2)
                        (void)green_sleep(0.001);
                put_line(log, "<of the child>\n");
                _exit(green_access_log_free(log) == 0 ? 0 : 2);
        }
        for (int i = 0; i < 1000; i++)
                put_line(log, "<of the parent>\n");
        wait_for_child(pid);
        CHECK_INT(green_access_log_free(log), 0);
        text = text_of(path);
        CHECK_INT(count(text, "<parent's, from before>\n"), 1);
        CHECK_INT(count(text, "<of the child>\n"), 1001);
        CHECK_INT(count(text, "<of the parent>\n"), 1000);
        for (; *text != '\0'; text = strchr(text, '\n') + 1)
                lines += *text == '<';
        CHECK_INT(lines, 2002);
        drop_folder();
}

/* A fork in the middle of a request, whose child goes on for a while. */
static struct {
        struct server s;
        green_socket *other; /* a client whose connection is at rest */
        pid_t pid;
        int status;
} forking;

static int
fork_there(green_wsgi_request *req, void *arg)
{
        const char *path_info = green_wsgi_raw_path(req);
        int before;

        (void)arg;
        before = ++forking.s.requests;
        if (strcmp(path_info, "/fork") == 0) {
                /* It is there, and the parent looks at it when the child has ended. */
                say(forking.other, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
                forking.pid = fork();
                if (forking.pid == 0) {
                        (void)green_sleep(0.05);
                        CHECK_INT(forking.s.requests, before);
                        _exit(suite_failures() != 0);
                }
                while (waitpid(forking.pid, &forking.status, 0) < 0 && errno == EINTR)
                        ;
        }
        return green_wsgi_respond(req, 200, "text/plain", path_info, strlen(path_info));
}

/* It answers nobody, and writes no line that the parent writes. */
static void
the_child_of_a_request_is_no_second_server(void)
{
        const char *text;
        green_socket *c;
        green_access_log *log;

        if (SUITE_TSAN) {
                suite_skip("in the child of a fork ThreadSanitizer does not see what orders green threads");
                return;
        }
        memset(&forking, 0, sizeof forking);
        forking.status = -1;
        make_folder();
        log = green_access_log_open(path, NULL);
        CHECK_OR_RETURN(log != NULL, );
        forking.s.opts.log = green_access_log_write;
        forking.s.opts.log_arg = log;
        serve(&forking.s, fork_there);
        forking.other = client_of(&forking.s);
        say(forking.other, "GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)until(forking.other, "/first");
        c = client_of(&forking.s);
        say(c, "GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /fork HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        text = all_of(c);
        CHECK_INT(count(text, "\r\n\r\n/one"), 1);
        CHECK_INT(count(text, "\r\n\r\n/fork"), 1);
        CHECK_INT(green_socket_free(c), 0);
        (void)until(forking.other, "/other");
        CHECK_INT(forking.status, 0);
        CHECK_INT(green_socket_free(forking.other), 0);
        stop(&forking.s);
        CHECK_INT(green_access_log_free(log), 0);
        CHECK_INT(count(text_of(path), "\"GET /one "), 1);
        CHECK_INT(count(text_of(path), "\"GET /fork "), 1);
        CHECK_INT(count(text_of(path), "\"GET /other "), 1);
        drop_folder();
}

/* ---- ends */

static void *
free_elsewhere(void *arg)
{
        CHECK_INT(green_access_log_free(arg), -EPERM);
        return NULL;
}

static void
one_that_waits_for_hangup_is_freed_where_it_was_opened(void)
{
        const struct green_access_log_opts opts = {.size = sizeof opts, .reopen_on_hangup = true};
        green_access_log *log;
        pthread_t thread;

        make_folder();
        log = green_access_log_open(path, &opts);
        CHECK_OR_RETURN(log != NULL, );
        CHECK_INT(pthread_create(&thread, NULL, free_elsewhere, log), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_access_log_free(log), 0);
        drop_folder();
}

static void *
outlive_the_hub(void *arg)
{
        const struct green_access_log_opts opts = {.size = sizeof opts, .reopen_on_hangup = true};
        green_access_log *log = green_access_log_open(path, &opts);
        green_thread *self;

        (void)arg;
        CHECK_OR_RETURN(log != NULL, NULL);
        CHECK_INT(green_hub_destroy(1), 0);
        put_line(log, "after\n");
        CHECK_INT(green_access_log_free(log), 0);
        /* It has not been given another one for that. */
        CHECK_INT(green_park_check_mt(0, &self), 1);
        return NULL;
}

static void
one_that_waits_for_hangup_outlives_its_hub(void)
{
        pthread_t thread;

        make_folder();
        CHECK_INT(pthread_create(&thread, NULL, outlive_the_hub, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_STR(text_of(path), "after\n");
        drop_folder();
}

static void *
wait_for_room(void *arg)
{
        return green_fail(green_access_log_flush(arg, GREEN_FOREVER));
}

static void
a_wait_for_the_writer_can_be_ended(void)
{
        green_access_log *log;
        green_thread *gt;

        make_folder();
        log = green_access_log_open(path, NULL);
        CHECK_OR_RETURN(log != NULL, );
        limit_files(50);
        put_lines(log, 0, 1);
        gt = green_spawn(wait_for_room, log);
        (void)green_sleep(0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        limit_files(RLIM_INFINITY);
        CHECK_INT(green_access_log_free(log), 0);
        drop_folder();
}

GREEN_SUITE(web_access_log_life) {
        GREEN_TEST(where_nobody_reads_lines_are_dropped_and_nobody_waits),
        GREEN_TEST(a_writer_that_is_stuck_keeps_nobody),
        GREEN_TEST(where_the_disk_is_full_it_goes_on_when_there_is_room),
        GREEN_TEST(a_line_that_was_cut_is_whole_in_the_new_file),
        GREEN_TEST(what_cannot_be_written_at_the_end_is_dropped),
        GREEN_TEST(hangup_opens_it_anew),
        GREEN_TEST(parent_and_child_write_into_one_file),
        GREEN_TEST(the_child_of_a_request_is_no_second_server),
        GREEN_TEST(one_that_waits_for_hangup_is_freed_where_it_was_opened),
        GREEN_TEST(one_that_waits_for_hangup_outlives_its_hub),
        GREEN_TEST(a_wait_for_the_writer_can_be_ended),
        GREEN_SUITE_END
};
