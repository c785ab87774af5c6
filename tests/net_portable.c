/*
 * What net/ does on every system alike, by its own calls alone: what differs by system stands under them.
 */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <green/core.h>
#include <green/net.h>


#define SOON (10.0 * suite_slow())

/* What a hub opens, and keeps, is there before the first test counts what is open. */
static void
have_hub(void)
{
        CHECK(green_get_hub() != NULL);
}

static void __attribute__((constructor))
begin(void)
{
        suite_setup = have_hub;
}

/* ---- pairs of sockets */

struct pair {
        green_socket *a, *b;
};

/* Connected by TCP over the loopback interface. */
static struct pair
tcp_pair(void)
{
        green_socket *listener = green_listen("127.0.0.1:0", NULL);
        char text[GREEN_ADDR_TEXT_SIZE];
        struct pair p = {NULL, NULL};
        struct green_addr here, peer, own;

        CHECK_OR_RETURN(listener != NULL, p);
        CHECK_INT(green_socket_getsockname(listener, &here), 0);
        green_addr_format(&here, text, sizeof text);
        p.a = green_connect(text, NULL);
        CHECK(p.a != NULL);
        p.b = green_socket_accept(listener, &peer);
        CHECK(p.b != NULL);
        if (p.a != NULL && p.b != NULL) {
                CHECK_INT(green_socket_getsockname(p.a, &own), 0);
                CHECK(green_addr_equal(&own, &peer));
                CHECK_INT(green_socket_getpeername(p.a, &peer), 0);
                CHECK(green_addr_equal(&here, &peer));
        }
        CHECK_INT(green_socket_free(listener), 0);
        return p;
}

static void
free_pair(struct pair p)
{
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(green_socket_free(p.b), 0);
}

static void *
send_much(void *arg)
{
        struct pair *p = arg;
        size_t len = 3000000;
        char *data = malloc(len);

        CHECK_OR_RETURN(data != NULL, NULL);
        for (size_t i = 0; i < len; i++)
                data[i] = (char)(i % 251);
        CHECK_INT(green_socket_sendall(p->a, data, len, 0, NULL), 0);
        CHECK_INT(green_socket_shutdown(p->a, SHUT_WR), 0);
        free(data);
        return NULL;
}

static void
bytes_go_both_ways_and_end(void)
{
        struct pair p = tcp_pair();
        green_thread *sender;
        char buf[40000];
        size_t got = 0, wrong = 0;
        ssize_t n;

        CHECK_OR_RETURN(p.a != NULL && p.b != NULL);
        CHECK_INT(green_socket_recv(p.b, buf, 1, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_send(p.b, "hello", 5, 0), 5);
        CHECK_INT(green_socket_recv(p.a, buf, 3, MSG_PEEK), 3);
        CHECK_INT(green_socket_recv(p.a, buf, sizeof buf, 0), 5);
        CHECK(memcmp(buf, "hello", 5) == 0);
        sender = green_spawn(send_much, &p);
        while ((n = green_socket_recv(p.b, buf, sizeof buf, 0)) > 0)
                for (ssize_t i = 0; i < n; i++, got++)
                        wrong += (unsigned char)buf[i] != got % 251;
        CHECK_INT(n, 0);
        CHECK_INT(got, 3000000);
        CHECK_INT(wrong, 0);
        CHECK_INT(green_thread_wait(sender, NULL), 0);
        green_thread_unref(sender);
        free_pair(p);
}

static void
pieces_of_memory_are_sent_and_received(void)
{
        struct pair p = tcp_pair();
        char one[4] = "", two[8] = "";
        const struct green_iovec out[3] = {{(void *)(uintptr_t)"abc", 3}, {NULL, 0}, {(void *)(uintptr_t)"defgh", 5}};
        const struct green_iovec in[2] = {{one, 3}, {two, 5}};

        CHECK_OR_RETURN(p.a != NULL && p.b != NULL);
        CHECK_INT(green_socket_sendallv(p.a, out, 3, 0, NULL), 0);
        CHECK_INT(green_socket_recvv(p.b, in, 2, 0), 8);
        CHECK_STR(one, "abc");
        CHECK_STR(two, "defgh");
        free_pair(p);
}

static void *
receive_one(void *arg)
{
        char byte;

        return (void *)(intptr_t)green_socket_recv(arg, &byte, 1, 0);
}

static void
a_receive_ends_by_time_by_kill_and_by_close(void)
{
        struct pair p = tcp_pair();
        green_thread *gt;
        void *result;
        char byte;

        CHECK_OR_RETURN(p.a != NULL && p.b != NULL);
        CHECK_INT(green_socket_set_timeout(p.a, 0.05), 0);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(p.a, GREEN_FOREVER), 0);
        gt = green_spawn(receive_one, p.a);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        /* Nothing of it is left: the next byte is the next receive's. */
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        gt = green_spawn(receive_one, p.a);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_socket_close(p.a), 0);
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_INT((intptr_t)result, -ECANCELED);
        green_thread_unref(gt);
        CHECK_INT(green_socket_recv(p.b, &byte, 1, 0), 0);
        free_pair(p);
}

static void
nobody_listens_is_refused(void)
{
        green_socket *listener = green_listen("127.0.0.1:0", NULL);
        char text[GREEN_ADDR_TEXT_SIZE];
        struct green_addr here;

        CHECK_OR_RETURN(listener != NULL);
        CHECK_INT(green_socket_getsockname(listener, &here), 0);
        CHECK(green_listen((green_addr_format(&here, text, sizeof text), text), NULL) == NULL);
        CHECK_INT(green_last_error()->code, -EADDRINUSE);
        CHECK_INT(green_socket_free(listener), 0);
        CHECK(green_connect(text, NULL) == NULL);
        CHECK_INT(green_last_error()->code, -ECONNREFUSED);
}

static void
pairs_are_made_of_both_kinds(void)
{
        green_socket *ends[2];
        char buf[16];

        CHECK_OR_RETURN(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        CHECK_INT(green_socket_send(ends[0], "ping", 4, 0), 4);
        CHECK_INT(green_socket_recv(ends[1], buf, sizeof buf, 0), 4);
        CHECK_INT(green_socket_free(ends[0]), 0);
        CHECK_INT(green_socket_recv(ends[1], buf, sizeof buf, 0), 0);
        CHECK_INT(green_socket_free(ends[1]), 0);
        CHECK_OR_RETURN(green_socket_pair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
        CHECK_INT(green_socket_send(ends[1], "one", 3, 0), 3);
        CHECK_INT(green_socket_send(ends[1], "second", 6, 0), 6);
        CHECK_INT(green_socket_recv(ends[0], buf, sizeof buf, 0), 3);
        /* What does not fit is lost. */
        CHECK_INT(green_socket_recv(ends[0], buf, 2, 0), 2);
        CHECK_INT(green_socket_recv(ends[0], buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_free(ends[0]), 0);
        CHECK_INT(green_socket_free(ends[1]), 0);
}

static void
datagrams_tell_where_they_come_from(void)
{
        green_socket *a = green_socket_new(AF_INET, SOCK_DGRAM, 0), *b = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        struct green_addr any, at_a, at_b, from;
        char buf[16];

        CHECK_OR_RETURN(a != NULL && b != NULL && green_addr_parse("127.0.0.1:0", &any) == 0);
        CHECK_INT(green_socket_bind(a, &any), 0);
        CHECK_INT(green_socket_bind(b, &any), 0);
        CHECK_INT(green_socket_getsockname(a, &at_a), 0);
        CHECK_INT(green_socket_getsockname(b, &at_b), 0);
        CHECK_INT(green_socket_sendto(a, "hi", 2, 0, &at_b), 2);
        CHECK_INT(green_socket_recvfrom(b, buf, sizeof buf, 0, &from), 2);
        CHECK(green_addr_equal(&from, &at_a));
        CHECK_INT(green_socket_free(a), 0);
        CHECK_INT(green_socket_free(b), 0);
}

/* ---- poll, streams, pipes */

static void
poll_tells_what_is_ready(void)
{
        struct pair p = tcp_pair();
        struct pollfd row[2];

        CHECK_OR_RETURN(p.a != NULL && p.b != NULL);
        row[0] = (struct pollfd){.fd = green_socket_fd(p.a), .events = POLLIN};
        row[1] = (struct pollfd){.fd = green_socket_fd(p.b), .events = POLLIN | POLLOUT};
        CHECK_INT(green_poll(row, 2, 0), 1);
        CHECK_INT(row[0].revents, 0);
        CHECK((row[1].revents & POLLOUT) != 0);
        CHECK_INT(green_poll(row, 1, 0.05), 0);
        CHECK_INT(green_socket_send(p.b, "x", 1, 0), 1);
        CHECK_INT(green_poll(row, 1, SOON), 1);
        CHECK((row[0].revents & POLLIN) != 0);
        free_pair(p);
}

static void *
write_lines(void *arg)
{
        for (int i = 0; i < 1000; i++)
                CHECK(green_stream_printf(arg, "line %d\n", i) > 0);
        CHECK_INT(green_stream_free(arg), 0);
        return NULL;
}

static void
a_pipe_brings_lines_and_its_end(void)
{
        green_stream *reader, *writer;
        green_thread *gt;
        const char *line;
        char want[16];
        int n = 0;

        CHECK_OR_RETURN(green_pipe_new(&reader, &writer, NULL) == 0);
        gt = green_spawn(write_lines, writer);
        while (green_stream_readline(reader, 100, &line) > 0 && n <= 1000) {
                snprintf(want, sizeof want, "line %d\n", n++);
                CHECK(strncmp(line, want, strlen(want)) == 0);
        }
        CHECK_INT(n, 1000);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_stream_free(reader), 0);
}

static int
shout(green_socket *client, const struct green_addr *peer, void *arg)
{
        green_stream *st = green_socket_makefile(client, NULL);
        const char *line;
        ssize_t n = green_stream_readline(st, 100, &line);

        (void)peer;
        (void)arg;
        if (n > 0)
                CHECK(green_stream_printf(st, "%.*s!", (int)n - 1, line) > 0);
        CHECK_INT(green_stream_free(st), 0);
        return GREEN_ESTOPSERVE;
}

static void *
serve(void *arg)
{
        return (void *)(intptr_t)green_serve(arg, shout, NULL, NULL);
}

static void
a_server_serves_a_name(void)
{
        green_socket *listener = green_listen("127.0.0.1:0", NULL), *s;
        struct green_addr here;
        char address[64], *all;
        green_thread *gt;
        green_stream *st;
        size_t len;

        CHECK_OR_RETURN(listener != NULL);
        CHECK_INT(green_socket_getsockname(listener, &here), 0);
        gt = green_spawn(serve, listener);
        snprintf(address, sizeof address, "localhost:%d", green_addr_port(&here));
        s = green_connect(address, NULL);
        CHECK_OR_RETURN(s != NULL);
        st = green_socket_makefile(s, NULL);
        CHECK(green_stream_printf(st, "hey\n") > 0);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK_INT(green_stream_read_all(st, 100, &all, &len), 0);
        CHECK_STR(all, "hey!");
        green_free(all);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(green_socket_free(listener), 0);
}

/* ---- files */

static void
a_file_is_written_and_read_at_offsets(void)
{
        char *path = NULL, buf[16] = "", *all;
        green_file *f = green_file_temporary_named(NULL, &path);
        struct stat st;
        int64_t at;
        size_t len;

        CHECK_OR_RETURN(f != NULL);
        CHECK_INT(green_file_write(f, "hello, file", 11), 11);
        CHECK_INT(green_file_pwrite(f, "H", 1, 0), 1);
        CHECK_INT(green_file_pread(f, buf, 5, 0), 5);
        CHECK_STR(buf, "Hello");
        CHECK_INT(green_file_seek(f, -4, SEEK_END, &at), 0);
        CHECK_INT(at, 7);
        CHECK_INT(green_file_read(f, buf, sizeof buf), 4);
        CHECK_INT(green_file_read(f, buf, sizeof buf), 0);
        CHECK_INT(green_file_truncate(f, 5), 0);
        CHECK_INT(green_file_sync(f, false), 0);
        CHECK_INT(green_file_stat(f, &st), 0);
        CHECK_INT(st.st_size, 5);
        CHECK(S_ISREG(st.st_mode));
        CHECK_INT(green_file_free(f), 0);
        f = green_file_open(path, O_WRONLY | O_APPEND, 0);
        CHECK_OR_RETURN(f != NULL);
        CHECK_INT(green_file_write(f, " again", 6), 6);
        CHECK_INT(green_file_free(f), 0);
        CHECK_INT(green_file_read_all(path, 100, &all, &len), 0);
        CHECK_STR(all, "Hello again");
        green_free(all);
        CHECK_INT(remove(path), 0);
        CHECK(green_file_open(path, O_RDONLY, 0) == NULL);
        CHECK_INT(green_last_error()->code, -ENOENT);
        green_free(path);
}

static void
a_file_is_sent_to_a_peer(void)
{
        struct pair p = tcp_pair();
        green_file *f = green_file_temporary(NULL);
        char buf[16] = "";
        uint64_t done = 0;

        CHECK_OR_RETURN(p.a != NULL && p.b != NULL && f != NULL);
        CHECK_INT(green_file_write(f, "0123456789", 10), 10);
        CHECK_INT(green_socket_sendfile(p.a, green_file_fd(f), 2, 5, &done), 0);
        CHECK_INT(done, 5);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 5);
        CHECK_STR(buf, "23456");
        CHECK_INT(green_file_free(f), 0);
        free_pair(p);
}

/* Whoever else uses the descriptor goes on from where it was. */
static void
a_file_that_is_sent_keeps_its_position(void)
{
        struct pair p = tcp_pair();
        char *path = NULL, buf[16] = "", *all;
        green_file *f = green_file_temporary_named(NULL, &path);
        green_stream *st;
        uint64_t done = 0;
        size_t len;

        CHECK_OR_RETURN(p.a != NULL && p.b != NULL && f != NULL);
        CHECK_INT(green_file_write(f, "0123456789", 10), 10);
        CHECK_INT(green_file_free(f), 0);
        /* This one writes where the system's position is. */
        st = green_pipe_open(path, "r+", NULL);
        CHECK_OR_RETURN(st != NULL);
        CHECK_INT(green_socket_sendfile(p.a, green_stream_fd(st), 5, 4, &done), 0);
        CHECK_INT(done, 4);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 4);
        CHECK(memcmp(buf, "5678", 4) == 0);
        CHECK_INT(green_stream_write(st, "ab", 2), 2);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(green_file_read_all(path, 100, &all, &len), 0);
        CHECK_STR(all, "ab23456789");
        green_free(all);
        CHECK_INT(remove(path), 0);
        green_free(path);
        free_pair(p);
}

GREEN_SUITE(net_portable) {
        GREEN_TEST(bytes_go_both_ways_and_end),
        GREEN_TEST(pieces_of_memory_are_sent_and_received),
        GREEN_TEST(a_receive_ends_by_time_by_kill_and_by_close),
        GREEN_TEST(nobody_listens_is_refused),
        GREEN_TEST(pairs_are_made_of_both_kinds),
        GREEN_TEST(datagrams_tell_where_they_come_from),
        GREEN_TEST(poll_tells_what_is_ready),
        GREEN_TEST(a_pipe_brings_lines_and_its_end),
        GREEN_TEST(a_server_serves_a_name),
        GREEN_TEST(a_file_is_written_and_read_at_offsets),
        GREEN_TEST(a_file_is_sent_to_a_peer),
        GREEN_TEST(a_file_that_is_sent_keeps_its_position),
        GREEN_SUITE_END
};
