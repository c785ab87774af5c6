/*
 * Workers in processes of their own: their life and death, restart, sockets that were inherited. See <green/workers.h>.
 */
#include "net_suite.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "workers_program.h"

/* ---- the program, and what it says */

struct service {
        pid_t pid;         /* its supervisor, a child of this process */
        green_stream *out; /* what it says; the end when no process of it is left */
        int port;
        char line[512];
};

/* What the child does before it becomes the program. */
struct before {
        const char *pid_file, *notify;
        int listener, second; /* 0: none; they become LISTEN_FDS */
        bool for_another;     /* who is said to be another process */
};

static void
hand_over(const struct before *before)
{
        int first = fcntl(before->listener, F_DUPFD, 10);
        int second = before->second != 0 ? fcntl(before->second, F_DUPFD, 10) : -1;
        char pid[32];

        dup2(first, 3);
        close(first);
        if (second >= 0) {
                dup2(second, 4);
                close(second);
        }
        snprintf(pid, sizeof pid, "%ld", before->for_another ? 1 : (long)getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", second >= 0 ? "2" : "1", 1);
        setenv("LISTEN_FDNAMES", second >= 0 ? "front:back" : "front", 1);
}

static void
become(const char *words, int out, const struct before *before)
{
        setenv("GREEN_TEST_WORKERS", words, 1);
        if (before != NULL && before->pid_file != NULL)
                setenv("GREEN_TEST_PID_FILE", before->pid_file, 1);
        if (before != NULL && before->notify != NULL)
                setenv("NOTIFY_SOCKET", before->notify, 1);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        if (before != NULL && before->listener != 0)
                hand_over(before);
        suite_exec_self(NULL);
        _exit(126);
}

static void
begin(struct service *s, const char *words, const struct before *before)
{
        int fds[2];

        memset(s, 0, sizeof *s);
        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        s->pid = fork();
        if (s->pid == 0)
                become(words, fds[1], before);
        close(fds[1]);
        s->out = green_pipe_fdopen(fds[0], "r", NULL);
        CHECK(s->out != NULL);
}

/* Its next line that has this in it. */
static const char *
until(struct service *s, const char *part)
{
        const char *line;
        ssize_t n;

        while ((n = green_stream_readline(s->out, sizeof s->line - 1, &line)) > 0) {
                memcpy(s->line, line, (size_t)n);
                s->line[n] = '\0';
                if (strstr(s->line, part) != NULL)
                        return s->line;
        }
        FAIL("it has not said \"%s\"", part);
        return "";
}

/* The next one that is ready: who, in which process, of which generation. */
static void
ready(struct service *s, size_t *ret_index, long *ret_pid, unsigned *ret_generation)
{
        CHECK_INT(sscanf(until(s, "ready "), "ready %zu %ld %u %d", ret_index, ret_pid, ret_generation, &s->port), 4);
}

static void
all_ready(struct service *s, long pids[2], unsigned generation)
{
        size_t index = 0;
        unsigned its;
        long pid;

        for (int i = 0; i < 2; i++) {
                ready(s, &index, &pid, &its);
                CHECK_INT(its, generation);
                if (CHECK(index < 2))
                        pids[index] = pid;
        }
}

static int
wait_for(struct service *s)
{
        int status = -1;

        CHECK_INT(green_os_waitpid(s->pid, &status, 0), s->pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* No process of it is left. */
static void
gone(struct service *s)
{
        const char *line;

        while (green_stream_readline(s->out, 500, &line) > 0) {
        }
        CHECK_INT(green_stream_free(s->out), 0);
}

static void
stop(struct service *s)
{
        CHECK_INT(kill(s->pid, SIGTERM), 0);
        CHECK_INT(wait_for(s), 0);
        gone(s);
}

/* ---- a client of it */

static green_stream *
client(const struct service *s)
{
        char address[64];
        green_socket *c;
        green_stream *st;

        snprintf(address, sizeof address, "127.0.0.1:%d", s->port);
        c = green_connect(address, NULL);
        if (!CHECK(c != NULL))
                return NULL;
        st = green_socket_makefile(c, NULL);
        CHECK_INT(green_socket_free(c), 0);
        return st;
}

/* Its answer to a line; "" where the connection has ended. */
static const char *
ask(green_stream *st, const char *what, char *answer)
{
        const char *line;
        ssize_t n;

        answer[0] = '\0';
        if (green_stream_printf(st, "%s\n", what) < 0 || green_stream_flush(st) != 0)
                return answer;
        n = green_stream_readline(st, 500, &line);
        if (n > 0) {
                memcpy(answer, line, (size_t)n);
                answer[n] = '\0';
        }
        return answer;
}

static unsigned
generation_of(green_stream *st)
{
        char answer[512];
        unsigned generation = 0;

        CHECK_INT(sscanf(ask(st, "who", answer), "%*u %*d %u", &generation), 1);
        return generation;
}

/* ---- life */

static void
workers_serve_until_the_signal(void)
{
        struct service s;
        char answer[512];
        long pids[2] = {0};
        green_stream *c;
        long supervisor;
        int served[2];

        begin(&s, "plain", NULL);
        all_ready(&s, pids, 1);
        CHECK(pids[0] != pids[1]);
        c = client(&s);
        CHECK_INT(generation_of(c), 1);
        /* Who says that it is ready is so a moment later. */
        while (strstr(ask(c, "status", answer), ":1:") != NULL)
                green_sleep(0.001);
        CHECK_INT(sscanf(answer, "0:2:%ld:0:%d 1:2:%ld:0:%d %ld", &pids[0], &served[0], &pids[1], &served[1], &supervisor),
                  5);
        CHECK_INT(supervisor, s.pid);
        CHECK_INT(served[0] + served[1], 1);
        CHECK_INT(kill(s.pid, SIGTERM), 0);
        /* What is under way goes on; the listener does not. */
        while (strstr(ask(c, "status", answer), ":3:") == NULL && answer[0] != '\0')
                green_sleep(0.001);
        CHECK(answer[0] != '\0');
        CHECK_INT(green_stream_free(c), 0);
        CHECK_INT(wait_for(&s), 0);
        gone(&s);
        CHECK_INT(kill((pid_t)pids[0], 0), -1);
        CHECK_INT(kill((pid_t)pids[1], 0), -1);
}

/* While they finish what they have begun: who comes goes elsewhere, and does not wait for nobody. */
static void
at_the_end_who_comes_is_refused(void)
{
        struct service s;
        char address[64];
        bool refused = false;
        green_stream *c;
        long pids[2];

        begin(&s, "plain", NULL);
        all_ready(&s, pids, 1);
        c = client(&s);
        CHECK_INT(generation_of(c), 1);
        CHECK_INT(kill(s.pid, SIGTERM), 0);
        snprintf(address, sizeof address, "127.0.0.1:%d", s.port);
        for (int i = 0; i < 2000 && !refused; i++) {
                green_socket *late = green_connect(address, NULL);

                refused = late == NULL && green_last_error()->code == -ECONNREFUSED;
                CHECK_INT(green_socket_free(late), 0);
                green_sleep(0.001);
        }
        CHECK(refused);
        CHECK_INT(generation_of(c), 1);
        CHECK_INT(green_stream_free(c), 0);
        CHECK_INT(wait_for(&s), 0);
        gone(&s);
}

static void
one_that_dies_is_replaced(void)
{
        struct service s;
        char answer[512];
        long pids[2] = {0}, pid = 0;
        size_t victim = 2, index = 2;
        unsigned generation = 0;
        green_stream *c;

        begin(&s, "plain", NULL);
        all_ready(&s, pids, 1);
        c = client(&s);
        CHECK_INT(sscanf(ask(c, "who", answer), "%zu", &victim), 1);
        CHECK_STR(ask(c, "die", answer), "");
        (void)green_stream_free(c);
        CHECK(strstr(until(&s, "died by signal"), "another one begins") != NULL);
        ready(&s, &index, &pid, &generation);
        CHECK_INT(index, victim);
        CHECK(pid != pids[victim]);
        CHECK_INT(generation, 1);
        /* And by force. */
        CHECK_INT(kill((pid_t)pid, SIGKILL), 0);
        ready(&s, &index, &pid, &generation);
        CHECK_INT(index, victim);
        c = client(&s);
        CHECK(strstr(ask(c, "status", answer), ":2:") != NULL);
        CHECK_INT(green_stream_free(c), 0);
        stop(&s);
}

static void
one_that_dies_at_once_comes_again_after_pauses(void)
{
        struct service s;

        begin(&s, "dies", NULL);
        (void)until(&s, "ready 0");
        (void)until(&s, "worker 0 (process");
        CHECK(strstr(s.line, strerror(EIO)) != NULL);
        CHECK(strstr(until(&s, "another one begins in 0.1"), "status 1") != NULL);
        (void)until(&s, "another one begins in 0.2");
        (void)until(&s, "another one begins in 0.4");
        CHECK_INT(kill(s.pid, SIGTERM), 0);
        CHECK_INT(wait_for(&s), 0);
        gone(&s);
}

static void
what_cannot_start_is_an_error(void)
{
        struct service s;

        begin(&s, "cannot", NULL);
        (void)until(&s, "cannot start: Permission denied");
        CHECK_INT(wait_for(&s), 3);
        gone(&s);
}

static void
one_that_is_never_ready_is_killed(void)
{
        struct service s;

        begin(&s, "stuck", NULL);
        (void)until(&s, "is not ready in time: killed");
        (void)until(&s, "died by signal 9");
        CHECK_INT(kill(s.pid, SIGTERM), 0);
        /* They wait for nothing that would end them. */
        CHECK_INT(kill(s.pid, SIGTERM), 0);
        CHECK_INT(kill(s.pid, SIGINT), 0);
        CHECK_INT(wait_for(&s), 0);
        gone(&s);
}

static void
without_their_supervisor_they_end(void)
{
        struct service s;
        long pids[2];

        /* They find nobody to tell that they are ready, or have told it. */
        for (int told = 0; told < 2; told++) {
                begin(&s, told ? "plain" : "slow", NULL);
                all_ready(&s, pids, 1);
                CHECK_INT(kill(s.pid, SIGKILL), 0);
                CHECK_INT(wait_for(&s), -SIGKILL);
                (void)until(&s, "the supervisor is gone");
                if (!told) {
                        (void)until(&s, "ended ");
                        (void)until(&s, "ended ");
                }
                gone(&s);
        }
}

static void
a_hangup_is_passed_on(void)
{
        struct service s;
        long pids[2];

        begin(&s, "plain", NULL);
        all_ready(&s, pids, 1);
        CHECK_INT(kill(s.pid, SIGHUP), 0);
        (void)until(&s, "hangup ");
        (void)until(&s, "hangup ");
        stop(&s);
}

static void
reports_say_which_worker(void)
{
        struct service s;
        long pid[2] = {0};
        size_t index[2] = {2, 2};

        begin(&s, "warns", NULL);
        for (int i = 0; i < 2; i++)
                CHECK_INT(sscanf(until(&s, ": a warning"), "worker %zu (process %ld): a warning", &index[i], &pid[i]), 2);
        CHECK_INT(index[0] + index[1], 1);
        CHECK(pid[0] != pid[1] && pid[0] != s.pid && pid[1] != s.pid);
        stop(&s);
}

/* ---- restart */

static pid_t
read_pid(const char *path)
{
        FILE *f = fopen(path, "re");
        long pid = 0;

        if (f == NULL)
                return 0;
        CHECK_INT(fscanf(f, "%ld", &pid), 1);
        fclose(f);
        return (pid_t)pid;
}

static void
a_restart_hands_over(void)
{
        char folder[] = "/tmp/green-workers-XXXXXX", path[64];
        struct before before = {.pid_file = path};
        struct service s;
        green_stream *old, *next;
        char answer[512];
        pid_t last;
        long pids[2];

        CHECK(mkdtemp(folder) != NULL);
        snprintf(path, sizeof path, "%s/pid", folder);
        setenv("LISTEN_ADDRESS", "the program's own", 1);
        begin(&s, "plain", &before);
        unsetenv("LISTEN_ADDRESS");
        all_ready(&s, pids, 1);
        old = client(&s);
        CHECK_INT(generation_of(old), 1);
        while (read_pid(path) != s.pid)
                green_sleep(0.001);
        last = s.pid;
        for (unsigned generation = 2; generation <= 4; generation++) {
                int port = s.port;

                CHECK_INT(kill(last, SIGUSR2), 0);
                all_ready(&s, pids, generation);
                CHECK_INT(s.port, port);
                while (read_pid(path) == last)
                        green_sleep(0.001);
                last = read_pid(path);
                /* Who is there already is served to the end, by whom it began with. */
                CHECK_INT(generation_of(old), 1);
                do {
                        next = client(&s);
                        CHECK(next != NULL);
                        port = (int)generation_of(next);
                        CHECK(strstr(ask(next, "e", answer), "the program's own") != NULL);
                        CHECK_INT(green_stream_free(next), 0);
                } while (port != (int)generation && suite_failures() == 0);
        }
        CHECK_INT(green_stream_free(old), 0);
        CHECK_INT(wait_for(&s), 0);
        CHECK_INT(kill(last, SIGTERM), 0);
        gone(&s);
        CHECK_INT(access(path, F_OK), -1);
        CHECK_INT(rmdir(folder), 0);
}

static void
a_restart_that_fails_changes_nothing(void)
{
        struct service s;
        green_stream *c;
        long pids[2];

        begin(&s, "once", NULL);
        all_ready(&s, pids, 1);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(kill(s.pid, SIGUSR2), 0);
                (void)until(&s, "cannot start");
                (void)until(&s, "going on as before");
                c = client(&s);
                CHECK_INT(generation_of(c), 1);
                CHECK_INT(green_stream_free(c), 0);
        }
        stop(&s);
}

/* The program that was to follow does not take over then. */
static void
the_end_during_a_restart_ends_both(void)
{
        struct service s;
        green_stream *c;
        long pids[2];

        begin(&s, "hangs", NULL);
        all_ready(&s, pids, 1);
        c = client(&s);
        CHECK_INT(generation_of(c), 1);
        CHECK_INT(kill(s.pid, SIGUSR2), 0);
        all_ready(&s, pids, 2);
        CHECK_INT(kill(s.pid, SIGTERM), 0);
        /* At once, while who is there is still served. */
        (void)until(&s, "the supervisor is gone");
        CHECK_INT(generation_of(c), 1);
        CHECK_INT(green_stream_free(c), 0);
        CHECK_INT(wait_for(&s), 0);
        gone(&s);
}

/* Its workers, which nobody ends any more, end by themselves. */
static void
a_restart_that_is_never_ready_is_killed(void)
{
        struct service s;
        green_stream *c;
        long pids[2];

        begin(&s, "late", NULL);
        all_ready(&s, pids, 1);
        CHECK_INT(kill(s.pid, SIGUSR2), 0);
        (void)until(&s, "going on as before");
        c = client(&s);
        CHECK_INT(generation_of(c), 1);
        CHECK_INT(green_stream_free(c), 0);
        stop(&s);
}

/* ---- what was inherited */

static void
sockets_of_systemd_are_taken(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct before before = {0};
        struct green_addr here;
        struct service s;
        green_stream *c;
        green_fd fd;
        long pids[2];

        CHECK_INT(green_socket_getsockname(listener, &here), 0);
        CHECK_INT(green_socket_take_fd(listener, &fd), 0);
        CHECK_INT(green_socket_free(listener), 0);
        for (int own = 0; own < 2; own++) {
                /* With an address of its own too: port 0 fits. */
                before.listener = fd;
                begin(&s, own ? "plain" : "inherit", &before);
                all_ready(&s, pids, 1);
                CHECK_INT(s.port, green_addr_port(&here));
                c = client(&s);
                CHECK_INT(generation_of(c), 1);
                CHECK_INT(green_stream_free(c), 0);
                stop(&s);
        }
        close(fd);
}

/* A listener as systemd has one, its port, and another socket where none is. */
static green_fd
bare_listener(int *ret_port)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct green_addr here;
        green_fd fd = -1;

        CHECK_INT(green_socket_getsockname(listener, &here), 0);
        *ret_port = green_addr_port(&here);
        CHECK_INT(green_socket_take_fd(listener, &fd), 0);
        CHECK_INT(green_socket_free(listener), 0);
        return fd;
}

static void
sockets_for_another_process_are_left_alone(void)
{
        struct before before = {.for_another = true};
        char answer[512], names[4][32];
        struct service s;
        green_stream *c;
        long pids[2];
        int port;

        before.listener = bare_listener(&port);
        begin(&s, "inherit", &before);
        CHECK_INT(wait_for(&s), 1);
        gone(&s);
        begin(&s, "plain", &before);
        all_ready(&s, pids, 1);
        CHECK(s.port != port);
        c = client(&s);
        /* It may be a child of this one. */
        CHECK_INT(sscanf(ask(c, "facts", answer), "%31s %31s %31s %31s", names[0], names[1], names[2], names[3]), 4);
        CHECK_STR(names[0], "1");
        CHECK_STR(names[1], "1");
        CHECK_STR(names[2], "front");
        CHECK_STR(names[3], "-");
        CHECK_INT(green_stream_free(c), 0);
        stop(&s);
        close(before.listener);
}

/* ---- systemd: what it is told */

struct notify {
        char folder[32], path[64];
        green_socket *s;
};

static void
begin_notify(struct notify *n)
{
        struct green_addr addr;
        char text[96];

        snprintf(n->folder, sizeof n->folder, "/tmp/green-workers-XXXXXX");
        CHECK(mkdtemp(n->folder) != NULL);
        snprintf(n->path, sizeof n->path, "%s/notify", n->folder);
        snprintf(text, sizeof text, "unix:%s", n->path);
        CHECK_INT(green_addr_parse(text, &addr), 0);
        n->s = green_socket_new(AF_UNIX, SOCK_DGRAM, 0);
        CHECK_INT(green_socket_bind(n->s, &addr), 0);
}

static void
end_notify(struct notify *n)
{
        CHECK_INT(green_socket_free(n->s), 0);
        CHECK_INT(unlink(n->path), 0);
        CHECK_INT(rmdir(n->folder), 0);
}

/* The next message is that it is ready: which process is. */
static pid_t
told_ready(struct notify *n)
{
        char text[256];
        ssize_t len = green_socket_recv(n->s, text, sizeof text - 1, 0);
        long pid = 0;

        if (!CHECK(len > 0))
                return 0;
        text[len] = '\0';
        if (!CHECK_INT(sscanf(text, "READY=1\nMAINPID=%ld\n", &pid), 1))
                FAIL("it was told: %s", text);
        return (pid_t)pid;
}

static void
told_stopping(struct notify *n)
{
        char text[256];
        ssize_t len = green_socket_recv(n->s, text, sizeof text, 0);

        CHECK(len == 10 && memcmp(text, "STOPPING=1", 10) == 0);
}

static void
systemd_is_told(void)
{
        struct before before = {.pid_file = NULL};
        struct notify notify;
        struct service s;

        begin_notify(&notify);
        before.notify = notify.path;
        begin(&s, "plain", &before);
        CHECK_INT(told_ready(&notify), s.pid);
        CHECK_INT(kill(s.pid, SIGTERM), 0);
        told_stopping(&notify);
        CHECK_INT(wait_for(&s), 0);
        gone(&s);
        end_notify(&notify);
}

/* ---- what was inherited, over restarts, under systemd */

/* Two sockets in their order, no variable, and no more descriptors, nor for programs, than those of the one before. */
static void
check_facts(green_stream *c, const int ports[2], int *open_before, int *kept_before)
{
        char answer[512];
        int open_now = 0, kept = 0, got[2] = {0};

        if (!CHECK_INT(sscanf(ask(c, "facts", answer), "- - - - %d %d 2 %d %d", &open_now, &kept, &got[0], &got[1]), 4))
                FAIL("facts: %s", answer);
        CHECK_INT(got[0], ports[0]);
        CHECK_INT(got[1], ports[1]);
        CHECK_RANGE(open_now, 1, *open_before);
        CHECK_RANGE(kept, 0, *kept_before);
        *open_before = open_now;
        *kept_before = kept;
}

static long
supervisor_of(green_stream *c)
{
        char answer[512];
        const char *last = strrchr(ask(c, "status", answer), ' ');

        return CHECK(last != NULL) ? strtol(last, NULL, 10) : 0;
}

/* One that is served by a generation: others of the one before may still be ahead of it. */
static green_stream *
client_of_generation(const struct service *s, unsigned generation)
{
        while (suite_failures() == 0) {
                green_stream *c = client(s);

                if (generation_of(c) == generation)
                        return c;
                CHECK_INT(green_stream_free(c), 0);
        }
        return NULL;
}

static void
sockets_of_systemd_outlive_restarts(void)
{
        int ports[2], open_fds = 256, kept_fds = 256;
        struct before before = {.pid_file = NULL};
        struct notify notify;
        green_stream *first, *next;
        struct service s;
        long pids[2];
        pid_t last;

        begin_notify(&notify);
        before.notify = notify.path;
        before.listener = bare_listener(&ports[0]);
        before.second = bare_listener(&ports[1]);
        begin(&s, "inherit", &before);
        all_ready(&s, pids, 1);
        last = told_ready(&notify);
        CHECK_INT(last, s.pid);
        first = client(&s);
        check_facts(first, ports, &open_fds, &kept_fds);
        for (unsigned generation = 2; generation <= 4; generation++) {
                pid_t before_it = last;

                CHECK_INT(kill(last, SIGUSR2), 0);
                all_ready(&s, pids, generation);
                CHECK_INT(s.port, ports[0]);
                /* That the one before it ends is no end of the service: the next message is the next ready one's. */
                last = told_ready(&notify);
                CHECK(last != before_it);
                next = client_of_generation(&s, generation);
                if (next == NULL)
                        break;
                CHECK_INT(supervisor_of(next), last);
                check_facts(next, ports, &open_fds, &kept_fds);
                CHECK_INT(green_stream_free(next), 0);
                /* Who was there first is still served. */
                CHECK_INT(generation_of(first), 1);
                CHECK_INT(supervisor_of(first), s.pid);
        }
        CHECK_INT(green_stream_free(first), 0);
        CHECK_INT(wait_for(&s), 0);
        CHECK_INT(kill(last, SIGTERM), 0);
        told_stopping(&notify);
        gone(&s);
        /* systemd's own listen on. */
        first = client(&s);
        CHECK(first != NULL);
        CHECK_INT(green_stream_free(first), 0);
        close(before.listener);
        close(before.second);
        end_notify(&notify);
}

GREEN_SUITE(net_workers) {
        GREEN_TEST(workers_serve_until_the_signal),
        GREEN_TEST(at_the_end_who_comes_is_refused),
        GREEN_TEST(one_that_dies_is_replaced),
        GREEN_TEST(one_that_dies_at_once_comes_again_after_pauses),
        GREEN_TEST(what_cannot_start_is_an_error),
        GREEN_TEST(one_that_is_never_ready_is_killed),
        GREEN_TEST(without_their_supervisor_they_end),
        GREEN_TEST(a_hangup_is_passed_on),
        GREEN_TEST(reports_say_which_worker),
        GREEN_TEST(a_restart_hands_over),
        GREEN_TEST(a_restart_that_fails_changes_nothing),
        GREEN_TEST(a_restart_that_is_never_ready_is_killed),
        GREEN_TEST(the_end_during_a_restart_ends_both),
        GREEN_TEST(sockets_of_systemd_are_taken),
        GREEN_TEST(sockets_for_another_process_are_left_alone),
        GREEN_TEST(systemd_is_told),
        GREEN_TEST(sockets_of_systemd_outlive_restarts),
        GREEN_SUITE_END
};
