/*
 * Metrics of net and sync: each byte and each accept is counted once, however it goes, and the thread pool's jobs are.
 */
#include "net_suite.h"

#include "metrics_text.h"

#include <poll.h>

static struct green_metrics before;

static void
begin(void)
{
        before = (struct green_metrics){.size = sizeof before};
        CHECK_INT(green_metrics_get(&before, true), 0);
}

/* What was counted since begin(). */
static void
counted(uint64_t read, uint64_t written)
{
        struct green_metrics m = {.size = sizeof m};

        CHECK_INT(green_metrics_get(&m, true), 0);
        CHECK_INT(m.bytes_read - before.bytes_read, read);
        CHECK_INT(m.bytes_written - before.bytes_written, written);
}

static uint64_t
accepts(void)
{
        struct green_metrics m = {.size = sizeof m};

        CHECK_INT(green_metrics_get(&m, true), 0);
        return m.accepts - before.accepts;
}

static uint64_t
accept_errors(void)
{
        struct green_metrics m = {.size = sizeof m};

        CHECK_INT(green_metrics_get(&m, true), 0);
        return m.accept_errors - before.accept_errors;
}

/* ---- sockets */

static void
bytes_through_sockets_are_counted(void)
{
        struct green_iovec iov[2] = {{(void *)(uintptr_t) "abcd", 4}, {(void *)(uintptr_t) "efg", 3}};
        char buf[64], more[64];
        struct green_iovec into[2] = {{buf, 3}, {more, sizeof more}};
        struct pair p = tcp_pair();

        begin();
        CHECK_INT(green_socket_send(p.a, "hello", 5, 0), 5);
        CHECK_INT(green_socket_recv(p.b, buf, 2, MSG_PEEK), 2);
        counted(0, 5);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 5);
        counted(5, 5);
        CHECK_INT(green_socket_sendv(p.a, iov, 2, 0), 7);
        CHECK_INT(green_socket_recvv(p.b, into, 2, 0), 7);
        counted(12, 12);
        CHECK_INT(green_socket_sendall(p.b, "12345678", 8, 0, NULL), 0);
        CHECK_INT(green_socket_sendallv(p.b, iov, 2, 0, NULL), 0);
        for (int n = 0; n < 15;)
                n += (int)green_socket_recv(p.a, buf, sizeof buf, 0);
        counted(27, 27);
        CHECK_INT(green_socket_recv(p.a, buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_shutdown(p.b, SHUT_WR), 0);
        CHECK_INT(green_socket_recv(p.a, buf, sizeof buf, 0), 0);
        counted(27, 27);
        free_pair(p);
}

enum { LARGE = 3 << 20 };

static void *
send_much(void *arg)
{
        static char block[65536];

        for (int i = 0; i < LARGE / (int)sizeof block; i++)
                CHECK_INT(green_socket_sendall(arg, block, sizeof block, 0, NULL), 0);
        return NULL;
}

/* Both sides wait again and again: on a hub that runs operations it is they that move the bytes. */
static void
bytes_of_calls_that_wait_are_counted_once(void)
{
        static char block[100000];
        struct pair p = tcp_pair();
        green_thread *gt;
        uint64_t n = 0;

        begin();
        gt = green_spawn(send_much, p.a);
        while (n < LARGE) {
                ssize_t got = green_socket_recv(p.b, block, n % 3 == 0 ? 1000 : sizeof block, 0);

                if (!CHECK(got > 0))
                        break;
                n += (uint64_t)got;
        }
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        counted(LARGE, LARGE);
        for (int i = 0; i < 10; i++) {
                struct call c = {.s = p.b};

                start(&c, call_recv);
                CHECK_INT(green_socket_send(p.a, "abc", 3, 0), 3);
                CHECK_INT(green_thread_wait(c.thread, NULL), 0);
                green_thread_unref(c.thread);
                CHECK_INT(c.rc, 3);
        }
        counted(LARGE + 30, LARGE + 30);
        free_pair(p);
}

static void
datagrams_and_messages_are_counted(void)
{
        green_socket *a = green_socket_new(AF_INET, SOCK_DGRAM, 0), *b = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        char buf[2][64];
        struct green_iovec iov[2] = {{buf[0], sizeof buf[0]}, {buf[1], sizeof buf[1]}};
        struct green_iovec out[2] = {{(void *)(uintptr_t) "one", 3}, {(void *)(uintptr_t) "three", 5}};
        struct green_message m[2] = {{.iov = &iov[0], .iov_count = 1}, {.iov = &iov[1], .iov_count = 1}};
        struct green_message o[2] = {{.iov = &out[0], .iov_count = 1}, {.iov = &out[1], .iov_count = 1}};
        struct green_addr addr, from;
        int got = 0;

        CHECK_INT(green_addr_parse("127.0.0.1:0", &addr), 0);
        CHECK_INT(green_socket_bind(b, &addr), 0);
        CHECK_INT(green_socket_getsockname(b, &addr), 0);
        begin();
        CHECK_INT(green_socket_sendto(a, "datagram", 8, 0, &addr), 8);
        CHECK_INT(green_socket_recvfrom(b, buf[0], sizeof buf[0], 0, &from), 8);
        counted(8, 8);
        CHECK_INT(green_socket_connect(a, &addr), 0);
        CHECK_INT(green_socket_sendmsg(a, &o[1], 0), 5);
        CHECK_INT(green_socket_recvmsg(b, &m[0], MSG_PEEK), 5);
        CHECK_INT(green_socket_recvmsg(b, &m[0], 0), 5);
        counted(13, 13);
        CHECK_INT(green_socket_sendmmsg(a, o, 2, 0), 2);
        while (got < 2)
                got += green_socket_recvmmsg(b, m, 2, 0);
        counted(21, 21);
        CHECK_INT(green_socket_free(a), 0);
        CHECK_INT(green_socket_free(b), 0);
}

static void
files_that_are_sent_are_counted(void)
{
        char name[] = "/tmp/green-metrics-XXXXXX";
        int file = mkstemp(name);
        struct pair p = tcp_pair();
        char buf[64];
        uint64_t done;

        CHECK_INT(unlink(name), 0);
        CHECK_INT(write(file, "0123456789", 10), 10);
        begin();
        CHECK_INT(green_socket_sendfile(p.a, file, 1, 9, &done), 0);
        CHECK_INT(done, 9);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 9);
        counted(9, 9);
        free_pair(p);
        close(file);
}

/* ---- accepts */

static void
accepts_and_their_errors_are_counted(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address), *none, *s[6], *c[6];

        begin();
        for (int i = 0; i < 6; i++) {
                struct call wait = {.s = listener};

                /* Every other one waits first. */
                if (i % 2 == 0)
                        start(&wait, call_accept);
                s[i] = green_connect(address, NULL);
                CHECK(s[i] != NULL);
                if (i % 2 == 0) {
                        CHECK_INT(green_thread_wait(wait.thread, NULL), 0);
                        green_thread_unref(wait.thread);
                        CHECK_INT(wait.rc, 0);
                        c[i] = NULL;
                } else {
                        c[i] = green_socket_accept(listener, NULL);
                        CHECK(c[i] != NULL);
                }
                CHECK_INT(accepts(), i + 1);
        }
        /* For want of a connection, and by what does not listen. */
        CHECK_INT(green_socket_set_timeout(listener, 0), 0);
        CHECK_PTR(green_socket_accept(listener, NULL), NULL);
        CHECK_INT(accept_errors(), 0);
        none = green_socket_new(AF_INET, SOCK_STREAM, 0);
        CHECK_PTR(green_socket_accept(none, NULL), NULL);
        CHECK_INT(accept_errors(), 1);
        CHECK_INT(accepts(), 6);
        CHECK_INT(green_socket_free(none), 0);
        for (int i = 0; i < 6; i++) {
                CHECK_INT(green_socket_free(s[i]), 0);
                CHECK_INT(green_socket_free(c[i]), 0);
        }
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- streams */

static void
bytes_through_pipes_and_streams_are_counted_as_they_go_through_the_system(void)
{
        green_stream *reader, *writer, *st;
        char path[] = "/tmp/green-metrics-XXXXXX", buf[64];
        int fd = mkstemp(path);
        struct pair p = tcp_pair();
        green_file *file;

        begin();
        CHECK_INT(green_pipe_new(&reader, &writer, NULL), 0);
        CHECK_INT(green_stream_write(writer, "through a pipe", 14), 14);
        CHECK_INT(green_stream_flush(writer), 0);
        counted(0, 14);
        /* All there is is read, to be given out in pieces. */
        CHECK_INT(green_stream_read(reader, buf, 4), 4);
        CHECK_INT(green_stream_read(reader, buf, 4), 4);
        counted(14, 14);
        CHECK_INT(green_stream_free(reader), 0);
        CHECK_INT(green_stream_free(writer), 0);

        st = green_socket_makefile(p.a, NULL);
        CHECK(st != NULL);
        CHECK_INT(green_stream_write(st, "by a stream", 11), 11);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 11);
        CHECK_INT(green_socket_send(p.b, "back", 4, 0), 4);
        CHECK_INT(green_stream_read(st, buf, 4), 4);
        counted(29, 29);
        CHECK_INT(green_stream_free(st), 0);
        free_pair(p);

        file = green_file_open(path, O_WRONLY, 0);
        st = green_file_stream(file, NULL);
        CHECK(st != NULL);
        CHECK_INT(green_stream_write(st, "file", 4), 4);
        CHECK_INT(green_stream_free(st), 0);
        counted(29, 33);
        close(fd);
        unlink(path);
}

/* ---- the thread pool */

static void *
job(void *arg)
{
        return arg;
}

static void
jobs_of_the_thread_pool_are_told(void)
{
        const struct metrics_text *m;
        double jobs;

        CHECK_INT(green_tpool_execute(job, NULL, NULL, NULL), 0);
        m = metrics_now();
        jobs = metrics_value(m, "green_tpool_jobs_total");
        CHECK(metrics_value(m, "green_tpool_threads") >= 1);
        CHECK_INT(metrics_value(m, "green_tpool_queued"), 0);
        CHECK(metrics_has(m, "green_tpool_running"));
        for (int i = 0; i < 25; i++)
                CHECK_INT(green_tpool_execute(job, NULL, NULL, NULL), 0);
        CHECK_INT(metrics_value(metrics_now(), "green_tpool_jobs_total"), jobs + 25);
        CHECK_INT(green_tpool_killall(10), 0);
        m = metrics_now();
        CHECK_INT(metrics_value(m, "green_tpool_jobs_total"), jobs + 25);
        CHECK_INT(metrics_value(m, "green_tpool_threads"), 0);
}

GREEN_SUITE(net_metrics) {
        GREEN_TEST(bytes_through_sockets_are_counted),
        GREEN_TEST(bytes_of_calls_that_wait_are_counted_once),
        GREEN_TEST(datagrams_and_messages_are_counted),
        GREEN_TEST(files_that_are_sent_are_counted),
        GREEN_TEST(accepts_and_their_errors_are_counted),
        GREEN_TEST(bytes_through_pipes_and_streams_are_counted_as_they_go_through_the_system),
        GREEN_TEST(jobs_of_the_thread_pool_are_told),
        GREEN_SUITE_END
};
