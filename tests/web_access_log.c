/*
 * A log file that never holds up a hub, and the layouts of the access log that other programs read.
 */
#include "web_suite.h"

#include <pthread.h>

#define SOON (5.0 * suite_slow())

/* ---- a file */

static char folder[64];

static const char *
in_folder(const char *name)
{
        static char paths[4][128];
        static int next;
        char *path = paths[next++ % 4];

        if (folder[0] == '\0') {
                snprintf(folder, sizeof folder, "green-log-XXXXXX");
                CHECK(mkdtemp(folder) != NULL);
        }
        snprintf(path, sizeof paths[0], "%s/%s", folder, name);
        return path;
}

static void
drop_folder(void)
{
        CHECK_INT(rmdir(folder), 0);
        folder[0] = '\0';
}

/* All that is in it. */
static const char *
text_of(const char *path)
{
        static char text[1 << 20];
        FILE *f = fopen(path, "rb");
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

/* ---- lines */

static void
lines_come_into_the_file(void)
{
        const char *path = in_folder("a");
        green_access_log *log = green_access_log_open(path, NULL);
        struct green_access_log_stats s;

        CHECK_OR_RETURN(log != NULL, );
        errno = 77;
        put_line(log, "one\n");
        put_line(log, "two\nthree\n");
        put_line(log, "");
        CHECK_INT(errno, 77);
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_STR(text_of(path), "one\ntwo\nthree\n");
        s = stats_of(log);
        CHECK_INT(s.lines, 3);
        CHECK_INT(s.bytes, 14);
        CHECK_INT(s.dropped + s.errors + s.reopened + s.waiting, 0);
        /* What is there stays, also that of the time before. */
        put_line(log, "four\n");
        CHECK_INT(green_access_log_free(log), 0);
        log = green_access_log_open(path, NULL);
        CHECK_OR_RETURN(log != NULL, );
        put_line(log, "five\n");
        CHECK_INT(green_access_log_free(log), 0);
        CHECK_STR(text_of(path), "one\ntwo\nthree\nfour\nfive\n");
        CHECK_INT(unlink(path), 0);
        drop_folder();
}

static void
a_renamed_file_is_opened_anew_when_asked(void)
{
        const char *path = in_folder("a"), *old = in_folder("a.1");
        green_access_log *log = green_access_log_open(path, NULL);

        CHECK_OR_RETURN(log != NULL, );
        put_line(log, "one\n");
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_INT(rename(path, old), 0);
        put_line(log, "two\n");
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_INT(green_access_log_reopen(log), 0);
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        put_line(log, "three\n");
        CHECK_INT(stats_of(log).reopened, 1);
        CHECK_INT(green_access_log_free(log), 0);
        CHECK_STR(text_of(old), "one\ntwo\n");
        CHECK_STR(text_of(path), "three\n");
        CHECK_INT(unlink(path), 0);
        CHECK_INT(unlink(old), 0);
        drop_folder();
}

static void
where_it_cannot_be_opened_anew_the_old_one_is_kept(void)
{
        const char *moved = in_folder("moved"), *old = in_folder("moved/a");
        char sub[128], path[160];
        green_access_log *log;

        snprintf(sub, sizeof sub, "%s/sub-XXXXXX", folder);
        CHECK(mkdtemp(sub) != NULL);
        snprintf(path, sizeof path, "%s/a", sub);
        log = green_access_log_open(path, NULL);
        CHECK_OR_RETURN(log != NULL, );
        put_line(log, "one\n");
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_INT(rename(sub, moved), 0);
        CHECK_INT(green_access_log_reopen(log), 0);
        put_line(log, "two\n");
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK(logged("cannot be opened anew"));
        CHECK_INT(stats_of(log).reopened, 0);
        CHECK_INT(stats_of(log).errors, 1);
        CHECK_INT(green_access_log_free(log), 0);
        CHECK_STR(text_of(old), "one\ntwo\n");
        CHECK_INT(unlink(old), 0);
        CHECK_INT(rmdir(moved), 0);
        drop_folder();
}

/* The old one is compressed before long: it is not written until the next rotation. */
static void
where_it_cannot_be_opened_anew_it_is_tried_again(void)
{
        const char *moved = in_folder("moved"), *old = in_folder("moved/a");
        char sub[128], path[160];
        green_access_log *log;

        snprintf(sub, sizeof sub, "%s/sub", folder);
        CHECK_INT(mkdir(sub, 0700), 0);
        snprintf(path, sizeof path, "%s/a", sub);
        log = green_access_log_open(path, NULL);
        CHECK_OR_RETURN(log != NULL, );
        put_line(log, "one\n");
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_INT(rename(sub, moved), 0);
        CHECK_INT(green_access_log_reopen(log), 0);
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_INT(stats_of(log).errors, 1);
        CHECK_INT(mkdir(sub, 0700), 0);
        for (int i = 0; i < 500 && stats_of(log).reopened == 0; i++) {
                put_line(log, "two\n");
                CHECK_INT(green_access_log_flush(log, SOON), 0);
                (void)green_sleep(0.01 * suite_slow());
        }
        CHECK_INT(stats_of(log).reopened, 1);
        CHECK_INT(times_logged("cannot be opened anew"), 1);
        put_line(log, "three\n");
        CHECK_INT(green_access_log_free(log), 0);
        CHECK(begins(text_of(old), "one\ntwo\n"));
        CHECK(strstr(text_of(path), "three\n") != NULL);
        CHECK_INT(unlink(old), 0);
        CHECK_INT(unlink(path), 0);
        CHECK_INT(rmdir(moved), 0);
        CHECK_INT(rmdir(sub), 0);
        drop_folder();
}

/* ---- several that write at once */

enum { WRITERS = 4, LINES = 500 };

static void *
write_many(void *arg)
{
        green_access_log *log = arg;
        char line[64];

        for (int i = 0; i < LINES; i++) {
                snprintf(line, sizeof line, "<%0*d>\n", 1 + i % 50, i);
                put_line(log, line);
        }
        return NULL;
}

static void
os_threads_write_at_the_same_time(void)
{
        const char *path = in_folder("a"), *text;
        green_access_log *log = green_access_log_open(path, NULL);
        pthread_t threads[WRITERS];
        int lines = 0;

        CHECK_OR_RETURN(log != NULL, );
        for (int i = 0; i < WRITERS; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, write_many, log), 0);
        for (int i = 0; i < WRITERS; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_INT(green_access_log_flush(log, SOON), 0);
        CHECK_INT(stats_of(log).lines, WRITERS * LINES);
        CHECK_INT(green_access_log_free(log), 0);
        for (text = text_of(path); *text != '\0'; lines++) {
                const char *end = strchr(text, '\n');

                if (!CHECK(end != NULL && text[0] == '<' && end[-1] == '>' && memchr(text + 1, '<', (size_t)(end - text - 1)) == NULL))
                        break;
                text = end + 1;
        }
        CHECK_INT(lines, WRITERS * LINES);
        CHECK_INT(unlink(path), 0);
        drop_folder();
}

static void
what_is_asked_wrongly_is_refused(void)
{
        const struct green_access_log_opts strange = {.size = 3};
        green_access_log *log;

        CHECK(green_access_log_open(NULL, NULL) == NULL && errno == EINVAL);
        CHECK(green_access_log_open("", NULL) == NULL && errno == EINVAL);
        CHECK(green_access_log_open(in_folder("a"), &strange) == NULL && errno == EINVAL);
        CHECK(green_access_log_open(in_folder("none/a"), NULL) == NULL && errno == ENOENT);
        CHECK(strstr(green_last_error()->message, "none/a: ") != NULL);
        CHECK_INT(green_access_log_flush(NULL, 0), -EINVAL);
        CHECK_INT(green_access_log_reopen(NULL), -EINVAL);
        CHECK_INT(green_access_log_get_stats(NULL, NULL), -EINVAL);
        CHECK_INT(green_access_log_free(NULL), 0);
        green_access_log_write(NULL, "x\n", 2);
        log = green_access_log_open(in_folder("a"), NULL);
        CHECK_OR_RETURN(log != NULL, );
        CHECK_INT(green_access_log_flush(log, -1), -EINVAL);
        CHECK_INT(green_access_log_get_stats(log, NULL), -EINVAL);
        CHECK_INT(green_access_log_free(log), 0);
        CHECK_INT(unlink(in_folder("a")), 0);
        drop_folder();
}

/* ---- layouts */

static int
hello(green_wsgi_request *req, void *arg)
{
        (void)arg;
        return green_wsgi_respond(req, 200, "text/plain", "Hello", 5);
}

/* What one request leaves in a log of this layout. */
static const char *
line_of(const char *format, const char *request)
{
        const char *path = in_folder("a");
        struct server s = {0};
        const char *text, *end;
        static char line[20000];
        green_access_log *log = green_access_log_open(path, NULL);

        line[0] = '\0';
        CHECK_OR_RETURN(log != NULL, line);
        s.opts.log = green_access_log_write;
        s.opts.log_arg = log;
        s.opts.log_format = format;
        serve(&s, hello);
        (void)ask(&s, request);
        stop(&s);
        CHECK_INT(stats_of(log).dropped, 0);
        CHECK_INT(green_access_log_free(log), 0);
        /* Between those of the server's beginning and end, which are no JSON. */
        text = text_of(path);
        if (strstr(format, ")j") == NULL) {
                text = strstr(text, "starting up on ");
                text = text == NULL ? "" : strchr(text, '\n') + 1;
        }
        CHECK_INT(strstr(format, ")j") != NULL, logged("starting up on "));
        end = strchr(text, '\n');
        if (CHECK(end != NULL))
                snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
        CHECK_INT(unlink(path), 0);
        drop_folder();
        return line;
}

#define REQUEST                                                                                                        \
        "GET /a?b HTTP/1.1\r\nHost: h:1\r\nReferer: http://r/\r\nUser-Agent: a\tb\"c\\d\xff\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"

static void
the_common_format_is_that_of_apache(void)
{
        char date[40], month[4];
        int status, len, end = 0, d, y, h, m, s, zone;
        const char *line = line_of(GREEN_WSGI_LOG_COMMON, REQUEST);

        GREEN_COVERS("WSGI-94");
        CHECK_INT(sscanf(line, "127.0.0.1 - - [%39[^]]] \"GET /a?b HTTP/1.1\" %d %d%n", date, &status, &len, &end), 3);
        CHECK_INT(end, strlen(line));
        CHECK_INT(status, 200);
        CHECK_INT(len, 5);
        CHECK_INT(strlen(date), strlen("27/Nov/2026:10:45:18 +0000"));
        CHECK_INT(sscanf(date, "%2d/%3[A-Za-z]/%4d:%2d:%2d:%2d %5d", &d, month, &y, &h, &m, &s, &zone), 7);
        CHECK(date[21] == '+' || date[21] == '-');
        CHECK(y >= 2020 && d >= 1 && d <= 31 && h < 24 && m < 60 && s <= 60 && zone >= -1200 && zone <= 1400);
}

static void
the_combined_format_has_referer_and_browser(void)
{
        const char *line = line_of(GREEN_WSGI_LOG_COMBINED, REQUEST), *quoted = strstr(line, " 200 5 ");

        CHECK(quoted != NULL);
        CHECK_STR(quoted, " 200 5 \"http://r/\" \"a\\x09b\\x22c\\x5Cd\\xFF\"");
        line = line_of(GREEN_WSGI_LOG_COMBINED, GET);
        CHECK_STR(strstr(line, " 200 5 "), " 200 5 \"-\" \"-\"");
}

static void
the_format_of_json_is_json(void)
{
        const char *line = line_of(GREEN_WSGI_LOG_JSON, REQUEST), *rest = strstr(line, "\",\"client\":");
        char want[400], date[40];
        int y, mo, d, h, m, s, seconds = 0;

        CHECK_INT(sscanf(line, "{\"time\":\"%39[^\"]\",", date), 1);
        CHECK_INT(strlen(date), strlen("2026-11-27T10:45:18+00:00"));
        CHECK_INT(sscanf(date, "%4d-%2d-%2dT%2d:%2d:%2d", &y, &mo, &d, &h, &m, &s), 6);
        CHECK(mo >= 1 && mo <= 12 && d >= 1 && d <= 31);
        CHECK_OR_RETURN(rest != NULL, );
        CHECK_INT(sscanf(rest, "\",\"client\":\"127.0.0.1\",\"request\":\"GET /a?b HTTP/1.1\",\"status\":200,\"bytes\":5,\"seconds\":%*d.%*6[0-9]%n",
                         &seconds), 0);
        CHECK(seconds > 0);
        snprintf(want, sizeof want, ",\"scheme\":\"http\",\"host\":\"h:1\",\"referer\":\"http://r/\","
                                    "\"user_agent\":\"a\\u0009b\\\"c\\\\d\\u00FF\",\"tls\":null,\"pid\":%d}", (int)getpid());
        CHECK_STR(rest + seconds, want);
}

static void
a_field_may_be_a_value_of_json(void)
{
        CHECK_STR(line_of("%(status_code)j %(body_length)j %(client_ip)j %(referer)j %(user_agent)j %(method)j %(path)j %(protocol)j", GET),
                  "200 5 \"127.0.0.1\" null null \"GET\" \"/\" \"HTTP/1.1\"");
        CHECK_STR(line_of("%(method)j %(path)j %(protocol)j %(request_line)j %(status_code)j", "nonsense\r\n\r\n"),
                  "null null null \"nonsense\" 400");
}

/* What is cut is a string still. */
static void
what_is_long_ends_inside_its_quotes(void)
{
        static char request[9000];
        const char *line;
        size_t len;
        int n = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: a\r\nReferer: ");

        for (int i = 0; i < 7000; i++)
                request[n++] = i % 2 == 0 ? '"' : '\xff';
        snprintf(request + n, sizeof request - (size_t)n, "\r\n\r\n");
        line = line_of("%(referer)j|%(user_agent)j|%(status_code)j", request);
        len = strlen(line);
        CHECK(len > 3000 && len < 8192);
        CHECK(begins(line, "\"\\\"\\u00FF\\\"\\u00FF"));
        CHECK(len > 20 && strcmp(line + len - 13, "...\"|null|200") == 0);
        CHECK(line[len - 14] == 'F' || line[len - 14] == '"');
        for (const char *at = line + 1; at < line + len - 13;) {
                size_t step = strncmp(at, "\\\"", 2) == 0 ? 2 : strncmp(at, "\\u00FF", 6) == 0 ? 6 : 0;

                if (!CHECK(step > 0))
                        break;
                at += step;
        }
}

GREEN_SUITE(web_access_log) {
        GREEN_TEST(lines_come_into_the_file),
        GREEN_TEST(a_renamed_file_is_opened_anew_when_asked),
        GREEN_TEST(where_it_cannot_be_opened_anew_the_old_one_is_kept),
        GREEN_TEST(where_it_cannot_be_opened_anew_it_is_tried_again),
        GREEN_TEST(os_threads_write_at_the_same_time),
        GREEN_TEST(what_is_asked_wrongly_is_refused),
        GREEN_TEST(the_common_format_is_that_of_apache),
        GREEN_TEST(the_combined_format_has_referer_and_browser),
        GREEN_TEST(the_format_of_json_is_json),
        GREEN_TEST(a_field_may_be_a_value_of_json),
        GREEN_TEST(what_is_long_ends_inside_its_quotes),
        GREEN_SUITE_END
};
