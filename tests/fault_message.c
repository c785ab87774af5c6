/* Each allocation and system call of what net/message.c, net/sendfile.c and net/socket_move.c do fails in its turn. */
#include "fault.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/net.h>

#define SOON (2.0 * suite_slow())

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

struct ends {
        green_socket *pair[2];
};

static bool
make_pair(struct ends *p)
{
        p->pair[0] = p->pair[1] = NULL;
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        if (!MADE(green_get_hub()) || !OK(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, p->pair)))
                return false;
        CHECK_INT(green_socket_set_timeout(p->pair[0], SOON), 0);
        CHECK_INT(green_socket_set_timeout(p->pair[1], SOON), 0);
        return true;
}

static void
free_pair(struct ends *p)
{
        (void)OK(green_socket_free(p->pair[0]));
        (void)OK(green_socket_free(p->pair[1]));
}

static void *
send_message(void *arg)
{
        struct ends *p = arg;
        struct green_iovec iov = {(void *)"abc", 3};
        struct green_message m = {.iov = &iov, .iov_count = 1};

        if (!OK(green_socket_sendmsg(p->pair[0], &m, 0)))
                CHECK_INT(green_socket_close(p->pair[0]), 0);
        return NULL;
}

/* The receiver waits first. */
static void
messages(void)
{
        char buf[8];
        struct green_iovec iov[2] = {{buf, 1}, {buf + 1, 7}};
        struct green_message m = {.iov = iov, .iov_count = 2};
        green_thread *gt;
        struct ends p;

        if (!make_pair(&p))
                return;
        fault_may_give(-ECANCELED);
        if (MADE(gt = green_spawn(send_message, &p))) {
                ssize_t n = green_socket_recvmsg(p.pair[1], &m, 0);

                if (OK(n) && n != 3)
                        fault_shows();
                (void)OK(fault_join(gt));
        }
        if (OK(green_socket_send(p.pair[1], "xy", 2, 0)))
                (void)OK(green_socket_recvv(p.pair[0], iov, 2, 0));
        free_pair(&p);
}

static void
many_messages(void)
{
        struct green_iovec iov[3] = {{(void *)"a", 1}, {(void *)"b", 1}, {(void *)"c", 1}};
        struct green_message out[3], in[3];
        char bytes[3];
        struct green_iovec room[3] = {{bytes, 1}, {bytes + 1, 1}, {bytes + 2, 1}};
        green_socket *pair[2];
        int sent;

        if (!MADE(green_get_hub()) || !OK(green_socket_pair(AF_UNIX, SOCK_DGRAM, 0, pair)))
                return;
        for (int i = 0; i < 3; i++) {
                out[i] = (struct green_message){.iov = &iov[i], .iov_count = 1};
                in[i] = (struct green_message){.iov = &room[i], .iov_count = 1};
        }
        sent = green_socket_sendmmsg(pair[0], out, 3, 0);
        if (OK(sent)) {
                int got = green_socket_recvmmsg(pair[1], in, 3, 0);

                CHECK(!OK(got) || got == sent);
        }
        (void)OK(green_socket_free(pair[0]));
        (void)OK(green_socket_free(pair[1]));
}

static void
descriptors(void)
{
        green_fd fds[2] = {0, 1}, got[2];
        struct ends p;
        size_t n = 2;
        char byte;

        if (!make_pair(&p))
                return;
        if (OK(green_socket_send_fds(p.pair[0], "x", 1, fds, 2)) &&
            OK(green_socket_recv_fds(p.pair[1], &byte, 1, got, &n))) {
                CHECK_INT(n, 2);
                for (size_t i = 0; i < n; i++)
                        fault_close(got[i]);
        }
        free_pair(&p);
}

static void
copies(void)
{
        green_socket *copy;
        green_fd fd = GREEN_INVALID_FD;
        struct ends p;
        char byte;

        if (!make_pair(&p))
                return;
        if (MADE(copy = green_socket_dup(p.pair[0]))) {
                if (OK(green_socket_send(copy, "x", 1, 0)))
                        (void)OK(green_socket_recv(p.pair[1], &byte, 1, 0));
                (void)OK(green_socket_free(copy));
        }
        if (OK(green_socket_detach(p.pair[0])) && !OK(green_socket_attach(p.pair[0])))
                CHECK_INT(green_socket_send(p.pair[0], "x", 1, 0), -EPERM);
        if (OK(green_socket_take_fd(p.pair[1], &fd)))
                fault_close(fd);
        free_pair(&p);
}

static int
a_file(void)
{
        static char block[50000];
        char name[] = "/tmp/green-XXXXXX";
        int fd;

        fault_pause();
        fd = mkstemp(name);
        CHECK(fd >= 0 && unlink(name) == 0 && write(fd, block, sizeof block) == (ssize_t)sizeof block);
        fault_resume();
        return fd;
}

static void
files(void)
{
        int file = a_file();
        uint64_t done = 0;
        struct ends p;

        if (make_pair(&p)) {
                if (OK(green_socket_sendfile(p.pair[0], file, 0, 50000, &done)))
                        CHECK_INT(done, 50000);
                CHECK(done <= 50000);
                free_pair(&p);
        }
        fault_close(file);
}

static void
groups(void)
{
        struct green_addr any, group;
        green_socket *s;

        CHECK_INT(green_addr_parse("127.0.0.1:0", &any), 0);
        CHECK_INT(green_addr_parse("239.255.42.99:9", &group), 0);
        if (!MADE(green_get_hub()) || !MADE(s = green_socket_new(AF_INET, SOCK_DGRAM, 0)))
                return;
        if (OK(green_socket_bind(s, &any)) && OK(green_socket_set_multicast(s, "lo", 1, true)) &&
            OK(green_socket_join_group(s, &group, "lo")))
                (void)OK(green_socket_leave_group(s, &group, "lo"));
        (void)OK(green_socket_free(s));
}

#define SCENARIOS(X)                                                                                                   \
        X(copies, ALTSTACK, FEWER)                                                                                     \
        X(descriptors, ALTSTACK, FEWER)                                                                                \
        X(files, ALTSTACK | FAULT_BIT(sendfile), FEWER)                                                                \
        X(groups, ALTSTACK, FEWER)                                                                                     \
        X(many_messages, ALTSTACK | FAULT_BIT(sendmmsg), FEWER)                                                        \
        X(messages, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_copies);
        fault_few_descriptors(&scenario_messages);
}

GREEN_SUITE(fault_message){SCENARIOS(FAULT_TEST_ROW) GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
                           GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60), GREEN_SUITE_END};
