/*
 * Messages with all that belongs to them, many at a time; descriptors sent to another; groups; files.
 */
#include "net_suite.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>

/* A UDP socket on a port of the system's choice, and its address. */
static green_socket *
udp_here(int family, struct green_addr *ret_addr)
{
        green_socket *s = green_socket_new(family, SOCK_DGRAM, 0);
        struct green_addr any;

        CHECK(s != NULL);
        CHECK_INT(green_addr_parse(family == AF_INET ? "127.0.0.1:0" : "[::1]:0", &any), 0);
        CHECK_INT(green_socket_bind(s, &any), 0);
        CHECK_INT(green_socket_getsockname(s, ret_addr), 0);
        return s;
}

static bool
cloexec(int fd)
{
        return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static int
lowest_free_fd(void)
{
        int fd = dup(0);

        close(fd);
        return fd;
}

/* ---- one message */

static void *
call_recvmsg(void *arg)
{
        struct call *c = arg;
        struct green_iovec iov[2] = {{c->buf, 3}, {c->buf + 8, 8}};
        struct green_message m = {.iov = iov, .iov_count = 2};

        c->rc = green_socket_recvmsg(c->s, &m, 0);
        c->over = true;
        return NULL;
}

static void
a_message_comes_in_pieces_with_its_sender(void)
{
        struct green_addr a_addr, b_addr;
        green_socket *a = udp_here(AF_INET, &a_addr), *b = udp_here(AF_INET, &b_addr);
        struct green_iovec out[2] = {{(void *)"hel", 3}, {(void *)"lo", 2}};
        struct green_message m = {.addr = b_addr, .iov = out, .iov_count = 2};
        struct call c = {.s = b};
        char buf[4];
        struct green_iovec in = {buf, sizeof buf};
        struct green_message got = {.iov = &in, .iov_count = 1};

        GREEN_COVERS("SOCK-34");
        start(&c, call_recvmsg);
        CHECK(!c.over);
        CHECK_INT(green_socket_sendmsg(a, &m, 0), 5);
        CHECK_INT(finish(&c), 5);
        CHECK(memcmp(c.buf, "hel", 3) == 0 && memcmp(c.buf + 8, "lo", 2) == 0);
        /* One that does not fit says so, and who sent it. */
        CHECK_INT(green_socket_sendmsg(a, &m, 0), 5);
        CHECK_INT(green_socket_recvmsg(b, &got, 0), 4);
        CHECK((got.flags & MSG_TRUNC) != 0);
        CHECK(green_addr_equal(&got.addr, &a_addr));
        CHECK_INT(got.control_size, 0);
        CHECK_INT(green_socket_recvmsg(b, &got, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_free(a), 0);
        CHECK_INT(green_socket_free(b), 0);
}

static void
a_wait_for_a_message_ends_as_any_other(void)
{
        struct green_addr addr;
        green_socket *s = udp_here(AF_INET, &addr);
        struct call c = {.s = s};

        CHECK_INT(green_socket_set_timeout(s, 0.01), 0);
        start(&c, call_recvmsg);
        CHECK_INT(finish(&c), -ETIMEDOUT);
        CHECK_INT(green_socket_set_timeout(s, GREEN_FOREVER), 0);
        start(&c, call_recvmsg);
        CHECK_INT(green_kill(c.thread, 0), 0);
        CHECK_INT(finish_killed(&c), GREEN_EKILLED);
        start(&c, call_recvmsg);
        CHECK_INT(green_socket_close(s), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        start(&c, call_recvmsg);
        CHECK_INT(finish(&c), -EBADF);
        CHECK_INT(green_socket_free(s), 0);
        CHECK_INT(green_socket_recvmsg(NULL, NULL, 0), -EINVAL);
}

/* ---- many */

static void
many_messages_move_at_a_time(void)
{
        struct green_addr a_addr, b_addr;
        green_socket *a = udp_here(AF_INET6, &a_addr), *b = udp_here(AF_INET6, &b_addr);
        struct green_message out[5], in[8];
        struct green_iovec out_iov[5], in_iov[8];
        char texts[5] = "abcde", bytes[8][4];

        GREEN_COVERS("SOCK-34");
        for (int i = 0; i < 5; i++) {
                out_iov[i] = (struct green_iovec){&texts[i], 1};
                out[i] = (struct green_message){.addr = b_addr, .iov = &out_iov[i], .iov_count = 1};
        }
        for (int i = 0; i < 8; i++) {
                in_iov[i] = (struct green_iovec){bytes[i], sizeof bytes[i]};
                in[i] = (struct green_message){.iov = &in_iov[i], .iov_count = 1};
        }
        CHECK_INT(green_socket_recvmmsg(b, in, 8, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_sendmmsg(a, out, 5, 0), 5);
        CHECK_INT(out[4].len, 1);
        CHECK_INT(green_socket_recvmmsg(b, in, 3, 0), 3);
        CHECK_INT(green_socket_recvmmsg(b, in + 3, 5, 0), 2);
        for (int i = 0; i < 5; i++) {
                CHECK_INT(in[i].len, 1);
                CHECK_INT(bytes[i][0], texts[i]);
                CHECK(green_addr_equal(&in[i].addr, &a_addr));
        }
        CHECK_INT(green_socket_recvmmsg(b, in, 0, 0), 0);
        CHECK_INT(green_socket_sendmmsg(b, NULL, 1, 0), -EINVAL);
        CHECK_INT(green_socket_free(a), 0);
        CHECK_INT(green_socket_free(b), 0);
}

static void
of_many_messages_the_first_failure_counts(void)
{
        struct green_addr addr;
        green_socket *s = udp_here(AF_INET, &addr);
        static char big[70000];
        struct green_iovec iov[2] = {{big, 1}, {big, sizeof big}};
        struct green_message m[2] = {{.addr = addr, .iov = &iov[0], .iov_count = 1},
                                     {.addr = addr, .iov = &iov[1], .iov_count = 1}};

        CHECK_INT(green_socket_sendmmsg(s, m, 2, 0), 1);
        CHECK_INT(green_socket_sendmmsg(s, m + 1, 1, 0), -EMSGSIZE);
        CHECK_INT(green_socket_free(s), 0);
}

/* ---- descriptors */

static void
descriptors_travel_with_bytes(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        int fds[2], pipes[2];
        green_fd got[4];
        size_t n = 4;
        char buf[8];

        CHECK_INT(pipe(pipes), 0);
        fds[0] = pipes[0];
        fds[1] = pipes[1];
        CHECK_INT(green_socket_send_fds(p.a, "xy", 2, fds, 2), 2);
        CHECK_INT(green_socket_recv_fds(p.b, buf, sizeof buf, got, &n), 2);
        CHECK_INT(n, 2);
        CHECK(cloexec(got[0]) && cloexec(got[1]));
        CHECK_INT(write(got[1], "z", 1), 1);
        CHECK_INT(read(pipes[0], buf, 1), 1);
        CHECK_INT(buf[0], 'z');
        /* Bytes without descriptors, and the end. */
        CHECK_INT(green_socket_send_fds(p.a, "w", 1, NULL, 0), 1);
        n = 4;
        CHECK_INT(green_socket_recv_fds(p.b, buf, sizeof buf, got + 2, &n), 1);
        CHECK_INT(n, 0);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(green_socket_recv_fds(p.b, buf, sizeof buf, got + 2, &n), 0);
        for (int i = 0; i < 2; i++) {
                close(pipes[i]);
                close(got[i]);
        }
        free_pair(p);
}

static void
descriptors_that_do_not_fit_are_closed_and_not_leaked(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        int fds[3] = {0, 0, 0}, before;
        green_fd got[2] = {-7, -7};
        size_t n = 2;
        char buf[8];

        CHECK_INT(green_socket_send_fds(p.a, "x", 1, fds, 3), 1);
        before = lowest_free_fd();
        CHECK_INT(green_socket_recv_fds(p.b, buf, sizeof buf, got, &n), -EMSGSIZE);
        CHECK_INT(n, 2);
        CHECK_INT(got[0], -7);
        CHECK_INT(lowest_free_fd(), before);
        CHECK_INT(green_socket_send_fds(p.a, "x", 0, fds, 1), -EINVAL);
        fds[0] = 9999;
        CHECK_INT(green_socket_send_fds(p.a, "x", 1, fds, 1), -EBADF);
        CHECK_INT(green_socket_send_fds(p.a, "x", 1, fds, GREEN_FDS_MAX + 1), -EINVAL);
        free_pair(p);
}

static void
as_many_descriptors_as_allowed_travel_at_once(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        static green_fd fds[GREEN_FDS_MAX], got[GREEN_FDS_MAX];
        size_t n = GREEN_FDS_MAX;
        char byte;

        CHECK_INT(green_socket_send_fds(p.a, "x", 1, fds, GREEN_FDS_MAX), 1);
        CHECK_INT(green_socket_recv_fds(p.b, &byte, 1, got, &n), 1);
        CHECK_INT(n, GREEN_FDS_MAX);
        for (size_t i = 0; i < n; i++)
                CHECK_INT(close(got[i]), 0);
        free_pair(p);
}

/* ---- pieces */

static void *
call_recvv(void *arg)
{
        struct call *c = arg;
        struct green_iovec iov[3] = {{NULL, 0}, {c->buf, 2}, {c->buf + 4, 8}};

        c->rc = green_socket_recvv(c->s, iov, 3, 0);
        c->over = true;
        return NULL;
}

static void
a_receive_fills_several_pieces(void)
{
        struct pair p = tcp_pair();
        struct call c = {.s = p.b};

        start(&c, call_recvv);
        CHECK(!c.over);
        CHECK_INT(green_socket_send(p.a, "hello", 5, 0), 5);
        CHECK_INT(finish(&c), 5);
        CHECK(memcmp(c.buf, "he", 2) == 0 && memcmp(c.buf + 4, "llo", 3) == 0);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        start(&c, call_recvv);
        CHECK_INT(finish(&c), 0);
        free_pair(p);
}

/* ---- files */

enum { FILE_SIZE = 3 << 20 };

static int
numbered_file(void)
{
        static uint32_t words[FILE_SIZE / 4];
        char name[] = "/tmp/green-message-XXXXXX";
        int fd = mkstemp(name);

        if (!CHECK(fd >= 0))
                return -1;
        CHECK_INT(unlink(name), 0);
        for (uint32_t i = 0; i < FILE_SIZE / 4; i++)
                words[i] = i;
        CHECK_INT(write(fd, words, sizeof words), sizeof words);
        return fd;
}

struct sending {
        green_socket *s;
        int file;
        int64_t offset;
        uint64_t count, done;
        int rc;
};

static void *
call_sendfile(void *arg)
{
        struct sending *c = arg;

        c->rc = green_socket_sendfile(c->s, c->file, c->offset, c->count, &c->done);
        green_socket_shutdown(c->s, SHUT_WR);
        return NULL;
}

/* Every word that comes is the next one. */
static uint64_t
count_words(green_socket *s, uint32_t next)
{
        static char block[65536];
        uint64_t total = 0;
        size_t have = 0;
        ssize_t n;

        while ((n = green_socket_recv(s, block + have, sizeof block - have, 0)) > 0) {
                total += (uint64_t)n;
                have += (size_t)n;
                for (size_t at = 0; at + 4 <= have; at += 4) {
                        uint32_t word;

                        memcpy(&word, block + at, 4);
                        if (word != next++)
                                return 0;
                }
                memmove(block, block + have / 4 * 4, have % 4);
                have %= 4;
        }
        CHECK_INT(n, 0);
        return total;
}

static void
a_part_of_a_file_is_sent(void)
{
        struct pair p = tcp_pair();
        struct sending c = {.s = p.a, .file = numbered_file(), .offset = 4000, .count = UINT64_MAX};
        green_thread *gt = green_spawn(call_sendfile, &c);

        GREEN_COVERS("SOCK-34");
        CHECK_INT(count_words(p.b, 1000), FILE_SIZE - 4000);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(c.rc, 0);
        CHECK_INT(c.done, FILE_SIZE - 4000);
        CHECK_INT(lseek(c.file, 0, SEEK_CUR), FILE_SIZE);
        close(c.file);
        free_pair(p);
}

static void
a_file_goes_out_by_copying_where_the_descriptor_may_block(void)
{
        struct pair p = tcp_pair();
        int saved = dup(0);
        green_socket *input;
        struct sending c = {.file = numbered_file(), .count = 400000};
        green_thread *gt;

        CHECK(dup2(green_socket_fd(p.a), 0) == 0);
        CHECK_INT(fcntl(0, F_SETFL, fcntl(0, F_GETFL) & ~O_NONBLOCK), 0);
        input = green_socket_from_fd(0);
        CHECK(input != NULL);
        c.s = input;
        gt = green_spawn(call_sendfile, &c);
        CHECK_INT(count_words(p.b, 0), 400000);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        CHECK_INT(c.rc, 0);
        CHECK_INT(c.done, 400000);
        CHECK_INT(green_socket_free(input), 0);
        CHECK_INT(dup2(saved, 0), 0);
        close(saved);
        close(c.file);
        free_pair(p);
}

static void
a_file_that_cannot_go_is_an_error_and_no_signal(void)
{
        struct pair p = tcp_pair();
        int file = numbered_file(), pipes[2];
        uint64_t done = 99;

        CHECK_INT(pipe(pipes), 0);
        CHECK_INT(green_socket_sendfile(p.a, pipes[0], 0, 10, &done), -EINVAL);
        CHECK_INT(done, 0);
        CHECK_INT(green_socket_sendfile(p.a, file, -1, 10, NULL), -EINVAL);
        CHECK_INT(green_socket_sendfile(p.a, 9999, 0, 10, NULL), -EBADF);
        CHECK_INT(green_socket_sendfile(p.a, file, FILE_SIZE + 5, 10, &done), 0);
        CHECK_INT(done, 0);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(green_socket_sendfile(p.a, file, 0, 10, &done), -EPIPE);
        close(pipes[0]);
        close(pipes[1]);
        close(file);
        free_pair(p);
}

static void
a_kill_ends_the_sending_of_a_file_and_says_how_far_it_came(void)
{
        struct pair p = unix_pair(SOCK_STREAM);
        struct sending c = {.s = p.a, .file = numbered_file(), .count = FILE_SIZE};
        green_thread *gt = green_spawn(call_sendfile, &c);

        green_sleep(0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
        CHECK_INT(c.rc, GREEN_EKILLED);
        CHECK(c.done > 0 && c.done < FILE_SIZE);
        CHECK_INT(drain(p.b), c.done);
        close(c.file);
        free_pair(p);
}

/* ---- groups */

static const char *
loopback(void)
{
        static char name[IF_NAMESIZE];

        return if_indextoname(1, name) != NULL ? name : "lo";
}

static void
a_group_gets_what_is_sent_to_it(void)
{
        struct green_addr own, group, any;
        green_socket *member = green_socket_new(AF_INET, SOCK_DGRAM, 0);
        green_socket *sender = udp_here(AF_INET, &own);
        char text[64], buf[8];

        CHECK_INT(green_addr_parse("0.0.0.0:0", &any), 0);
        CHECK_INT(green_socket_bind(member, &any), 0);
        CHECK_INT(green_socket_getsockname(member, &any), 0);
        snprintf(text, sizeof text, "239.255.42.99:%d", green_addr_port(&any));
        CHECK_INT(green_addr_parse(text, &group), 0);
        CHECK_INT(green_socket_set_multicast(sender, loopback(), 1, true), 0);
        CHECK_INT(green_socket_join_group(member, &group, loopback()), 0);
        CHECK_INT(green_socket_join_group(member, &group, loopback()), -EADDRINUSE);
        CHECK_INT(green_socket_sendto(sender, "hi", 2, 0, &group), 2);
        CHECK_INT(green_socket_set_timeout(member, 5), 0);
        CHECK_INT(green_socket_recv(member, buf, sizeof buf, 0), 2);
        CHECK_INT(green_socket_leave_group(member, &group, loopback()), 0);
        CHECK_INT(green_socket_leave_group(member, &group, loopback()), -EADDRNOTAVAIL);
        CHECK_INT(green_socket_free(member), 0);
        CHECK_INT(green_socket_free(sender), 0);
}

static void
what_is_no_group_is_refused(void)
{
        struct green_addr own, group;
        green_socket *s = udp_here(AF_INET6, &own);
        struct pair p = unix_pair(SOCK_DGRAM);
        int value = 0;
        socklen_t size = sizeof value;

        CHECK_INT(green_socket_join_group(s, &own, NULL), -EINVAL);
        CHECK_INT(green_socket_join_group(s, NULL, NULL), -EINVAL);
        CHECK_INT(green_addr_parse("[ff02::1234]:1", &group), 0);
        CHECK_INT(green_socket_join_group(s, &group, "no-such-if"), -ENODEV);
        CHECK_INT(green_socket_set_multicast(s, NULL, 256, true), -EINVAL);
        CHECK_INT(green_socket_set_multicast(s, "no-such-if", 1, true), -ENODEV);
        CHECK_INT(green_socket_set_multicast(s, loopback(), 7, false), 0);
        CHECK_INT(green_socket_getsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &value, &size), 0);
        CHECK_INT(value, 7);
        /* Pairs are of AF_INET where there is no other kind. */
        CHECK_INT(green_socket_getsockname(p.a, &own), 0);
        CHECK_INT(green_socket_set_multicast(p.a, NULL, 1, true), green_addr_family(&own) == AF_INET ? 0 : -EINVAL);
        CHECK_INT(green_socket_free(s), 0);
        free_pair(p);
}

GREEN_SUITE(net_message){GREEN_TEST(a_message_comes_in_pieces_with_its_sender),
                         GREEN_TEST(a_wait_for_a_message_ends_as_any_other),
                         GREEN_TEST(many_messages_move_at_a_time),
                         GREEN_TEST(of_many_messages_the_first_failure_counts),
                         GREEN_TEST(descriptors_travel_with_bytes),
                         GREEN_TEST(descriptors_that_do_not_fit_are_closed_and_not_leaked),
                         GREEN_TEST(as_many_descriptors_as_allowed_travel_at_once),
                         GREEN_TEST(a_receive_fills_several_pieces),
                         GREEN_TEST(a_part_of_a_file_is_sent),
                         GREEN_TEST(a_file_goes_out_by_copying_where_the_descriptor_may_block),
                         GREEN_TEST(a_file_that_cannot_go_is_an_error_and_no_signal),
                         GREEN_TEST(a_kill_ends_the_sending_of_a_file_and_says_how_far_it_came),
                         GREEN_TEST(a_group_gets_what_is_sent_to_it),
                         GREEN_TEST(what_is_no_group_is_refused),
                         GREEN_SUITE_END};
