/* hub_conformance: multishot operations. */
#include "config.h"

#include "hub_conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A multishot operation and what it has reported. */
struct shots {
        struct green_op op;
        int reports;
        bool ended;   /* a report without GREEN_HUB_MORE has come */
        int64_t last; /* its result */
        int fds[64];  /* accepted */
        int n_fds;
        char bytes[4096]; /* received */
        size_t n_bytes;
};

static void *
multi_open(void)
{
        return conf_can(GREEN_HUB_CAN_MULTISHOT, "this hub has no multishot operations") ? conf_open() : NULL;
}

static void
prepare(struct shots *shots, enum green_op_kind kind, int fd)
{
        memset(shots, 0, sizeof *shots);
        shots->op.kind = kind;
        shots->op.fd = fd;
        shots->op.offset = -1;
        shots->op.options = GREEN_OP_MULTISHOT;
        shots->op.flags = kind == GREEN_OP_ACCEPT ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0;
        shots->op.result = INT64_MIN;
}

/* false, and the test is skipped, if this system has no such thing. */
static bool
submit(void *hub, struct shots *shots)
{
        int err = conf_ops->submit(hub, &shots->op);

        if (err == -ENOTSUP)
                suite_skip("this system has no such multishot operation");
        return err != -ENOTSUP && CHECK_INT(err, 0);
}

static void
take_shot(void *hub, struct shots *shots, const struct green_hub_event *event, bool keep)
{
        int64_t result = (int64_t)event->token;

        shots->reports++;
        CHECK(!shots->ended);
        CHECK_INT(event->events & ~(uint32_t)GREEN_HUB_MORE, 0);
        if (!(event->events & GREEN_HUB_MORE)) {
                shots->ended = true;
                shots->last = result;
                CHECK_INT(shots->op.result, result);
        }
        if (shots->op.kind == GREEN_OP_ACCEPT) {
                if (result >= 0 && CHECK(shots->n_fds < 64))
                        shots->fds[shots->n_fds++] = (int)result;
                return;
        }
        if (result <= 0) {
                CHECK_PTR(event->buffer, NULL);
                return;
        }
        if (!CHECK(event->buffer != NULL))
                return;
        for (int64_t i = 0; i < result; i++) {
                if (shots->n_bytes < sizeof shots->bytes)
                        shots->bytes[shots->n_bytes] = ((const char *)event->buffer)[i];
                shots->n_bytes++;
        }
        if (!keep)
                conf_ops->release(hub, event->buffer);
}

/* Waits for one report, of whichever operation, and books it; false if there is none in time. */
static bool
next_shot(void *hub, double seconds)
{
        struct green_hub_event event;

        if (conf_wait(hub, &event, 1, seconds) != 1 || !CHECK(event.op != NULL))
                return false;
        take_shot(hub, (struct shots *)(void *)event.op, &event, false);
        return true;
}

/* One that has ended for want of buffers, which are all given back by now, goes on. */
static bool
next_or_again(void *hub, struct shots *shots)
{
        if (shots->ended && CHECK_INT(shots->last, -ENOBUFS)) {
                shots->ended = false;
                memset(shots->op.space, 0, sizeof shots->op.space);
                if (!submit(hub, shots))
                        return false;
        }
        return next_shot(hub, CONF_SOON);
}

static bool
bytes_are(const struct shots *shots, const char *bytes)
{
        return CHECK_INT(shots->n_bytes, strlen(bytes)) && CHECK(memcmp(shots->bytes, bytes, shots->n_bytes) == 0);
}

/* Cancels one that has begun, and takes its reports to the last. */
static void
end_shots(void *hub, struct shots *shots)
{
        CHECK_INT(conf_ops->cancel(hub, &shots->op), -EINPROGRESS);
        while (!shots->ended && next_shot(hub, CONF_SOON))
                continue;
        CHECK(shots->ended);
        CHECK_INT(shots->last, -ECANCELED);
}

static int
listener(struct sockaddr_in *addr)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t len = sizeof *addr;

        *addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        CHECK_INT(bind(fd, (void *)addr, len), 0);
        CHECK_INT(listen(fd, 64), 0);
        CHECK_INT(getsockname(fd, (void *)addr, &len), 0);
        return fd;
}

static int
client(const struct sockaddr_in *addr)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_INT(connect(fd, (const void *)addr, sizeof *addr), 0);
        return fd;
}

void
multishot_is_for_accept_and_receive_only(void)
{
        void *hub = multi_open();
        struct shots shots;
        int fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        for (int kind = GREEN_OP_READ; kind <= GREEN_OP_POLL; kind++) {
                if (kind == GREEN_OP_ACCEPT || kind == GREEN_OP_RECV)
                        continue;
                prepare(&shots, (enum green_op_kind)kind, fds[0]);
                CHECK_INT(conf_ops->submit(hub, &shots.op), -ENOTSUP);
        }
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        shots.op.options = GREEN_OP_MULTISHOT | 0x80000000u;
        CHECK_INT(conf_ops->submit(hub, &shots.op), -ENOTSUP);
        conf_quiet(hub);
        conf_close(hub);
        conf_close_pair(fds);
}

void
a_multishot_accept_reports_each_connection(void)
{
        void *hub = multi_open();
        struct sockaddr_in addr;
        struct shots shots;
        int fd, clients[10];

        if (hub == NULL)
                return;
        fd = listener(&addr);
        prepare(&shots, GREEN_OP_ACCEPT, fd);
        if (submit(hub, &shots)) {
                conf_quiet(hub);
                for (int i = 0; i < 10; i++) {
                        clients[i] = client(&addr);
                        /* Some are taken one by one, some lie there together. */
                        if (i < 5 && CHECK(next_shot(hub, CONF_SOON)))
                                CHECK_INT(shots.n_fds, i + 1);
                }
                while (shots.n_fds < 10 && next_shot(hub, CONF_SOON))
                        continue;
                CHECK_INT(shots.n_fds, 10);
                CHECK(!shots.ended);
                conf_quiet(hub);
                end_shots(hub, &shots);
                conf_quiet(hub);
                for (int i = 0; i < shots.n_fds; i++) {
                        CHECK_INT(fcntl(shots.fds[i], F_GETFD), FD_CLOEXEC);
                        CHECK(fcntl(shots.fds[i], F_GETFL) & O_NONBLOCK);
                        close(shots.fds[i]);
                }
                for (int i = 0; i < 10; i++)
                        close(clients[i]);
        }
        conf_close(hub);
        close(fd);
}

void
a_multishot_receive_reports_all_bytes_in_order(void)
{
        void *hub = multi_open();
        struct shots shots;
        char all[3001] = "";
        int fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        if (submit(hub, &shots)) {
                conf_quiet(hub);
                for (int i = 0; i < 600; i++) {
                        char piece[6];

                        snprintf(piece, sizeof piece, "%05d", i);
                        memcpy(all + (size_t)5 * (unsigned)i, piece, 6);
                        CHECK_INT(write(fds[1], piece, 5), 5);
                        if (i % 7 == 0)
                                next_or_again(hub, &shots);
                        /* None of the reports that lie there is lost for those that find no buffer any more. */
                        for (int more = 0;
                             i % 150 == 149 && more < 150 && shots.n_bytes < (size_t)5 * (unsigned)(i + 1);)
                                more += next_or_again(hub, &shots) ? 1 : 150;
                }
                bytes_are(&shots, all);
                CHECK(shots.reports >= 86);
                if (!shots.ended)
                        end_shots(hub, &shots);
        }
        conf_close(hub);
        conf_close_pair(fds);
}

void
multishot_receives_do_not_mix(void)
{
        static struct shots shots[20];
        void *hub = multi_open();
        int fds[20][2], n = 0;

        if (hub == NULL)
                return;
        for (; n < 20 && conf_pair(fds[n]); n++) {
                prepare(&shots[n], GREEN_OP_RECV, fds[n][0]);
                if (!submit(hub, &shots[n])) {
                        conf_close_pair(fds[n]);
                        break;
                }
        }
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < n; i++) {
                        char byte = (char)('A' + i);

                        CHECK_INT(write(fds[i][1], &byte, 1), 1);
                }
                for (int i = 0; i < n; i++)
                        CHECK(next_shot(hub, CONF_SOON));
        }
        for (int i = 0; i < n; i++) {
                char expected[] = {(char)('A' + i), (char)('A' + i), (char)('A' + i), '\0'};

                bytes_are(&shots[i], expected);
                CHECK(!shots[i].ended);
        }
        conf_close(hub);
        for (int i = 0; i < n; i++)
                conf_close_pair(fds[i]);
}

void
a_multishot_ends_with_the_stream(void)
{
        void *hub = multi_open();
        struct shots shots;
        int fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        if (submit(hub, &shots)) {
                CHECK_INT(write(fds[1], "last", 4), 4);
                shutdown(fds[1], SHUT_WR);
                while (!shots.ended && next_shot(hub, CONF_SOON))
                        continue;
                bytes_are(&shots, "last");
                CHECK_INT(shots.last, 0);
                conf_quiet(hub);
        }
        conf_close(hub);
        conf_close_pair(fds);
}

void
a_cancelled_multishot_reports_what_came_before(void)
{
        void *hub = multi_open();
        int fds[2];

        for (int round = 0; hub != NULL && round < 20 && conf_pair(fds); round++) {
                struct shots shots;
                char bytes[16];

                prepare(&shots, GREEN_OP_RECV, fds[0]);
                if (!submit(hub, &shots)) {
                        conf_close_pair(fds);
                        break;
                }
                conf_put(fds[1]);
                CHECK(next_shot(hub, CONF_SOON));
                if (round % 2 == 0)
                        CHECK_INT(write(fds[1], "bytes", 5), 5);
                end_shots(hub, &shots);
                /* What it did not report is still there. */
                if (shots.n_bytes == 1 && round % 2 == 0)
                        CHECK_INT(read(fds[0], bytes, 16), 5);
                else
                        bytes_are(&shots, round % 2 == 0 ? "xbytes" : "x");
                conf_quiet(hub);
                conf_close_pair(fds);
        }
        conf_close(hub);
}

/* It never had a descriptor in the kernel's hands: that may be closed, and the number used again, at once. */
void
a_multishot_that_had_not_begun_can_be_cancelled(void)
{
        void *hub = multi_open();
        struct shots shots;
        int fds[2], others[2];

        if (hub == NULL || !conf_pair(fds) || !conf_pair(others))
                return;
        conf_put(fds[1]);
        conf_put(others[1]);
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        if (submit(hub, &shots)) {
                int err = conf_ops->cancel(hub, &shots.op);
                char byte;

                CHECK_INT(dup2(others[0], fds[0]), fds[0]);
                if (err == 0) {
                        CHECK_INT(shots.op.result, -ECANCELED);
                } else {
                        CHECK_INT(err, -EINPROGRESS);
                        while (!shots.ended && next_shot(hub, CONF_SOON))
                                continue;
                }
                conf_quiet(hub);
                CHECK_INT(read(others[0], &byte, 1), 1);
        }
        conf_close(hub);
        conf_close_pair(fds);
        conf_close_pair(others);
}

enum {
        ENOUGH = 20000, /* more buffers than any hub has */
};

/* Takes reports and keeps their buffers; how many it has then. */
static int
take_all_buffers(void *hub, struct shots *shots, int fd, void **buffers)
{
        struct green_hub_event event;
        int n = 0;

        while (!shots->ended && n < ENOUGH) {
                char byte = (char)n;

                CHECK_INT(write(fd, &byte, 1), 1);
                if (!CHECK_INT(conf_wait(hub, &event, 1, CONF_SOON), 1))
                        break;
                take_shot(hub, shots, &event, true);
                if (event.buffer != NULL)
                        buffers[n++] = event.buffer;
        }
        return n;
}

void
receives_end_when_all_buffers_are_out(void)
{
        void **buffers = calloc(ENOUGH, sizeof *buffers);
        void *hub = multi_open();
        struct shots shots;
        int fds[2], n;

        if (hub == NULL || buffers == NULL || !conf_pair(fds)) {
                free(buffers);
                return;
        }
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        if (submit(hub, &shots)) {
                n = take_all_buffers(hub, &shots, fds[1], buffers);
                CHECK_RANGE(n, 1, ENOUGH - 1);
                CHECK_INT(shots.last, -ENOBUFS);
                /* Each is another, and holds what came then. */
                for (int i = 0; i < n; i++)
                        CHECK_INT(*(char *)buffers[i], (char)i);
                /* There is none still, and then there is one: what lies in the socket comes now. */
                prepare(&shots, GREEN_OP_RECV, fds[0]);
                CHECK(submit(hub, &shots) && next_shot(hub, CONF_SOON) && shots.ended);
                CHECK_INT(shots.last, -ENOBUFS);
                conf_ops->release(hub, buffers[0]);
                prepare(&shots, GREEN_OP_RECV, fds[0]);
                CHECK(submit(hub, &shots) && next_shot(hub, CONF_SOON));
                CHECK_INT(shots.n_bytes, 1);
                CHECK_INT(shots.bytes[0], (char)n);
                for (int i = 1; i < n; i++)
                        conf_ops->release(hub, buffers[i]);
                if (!shots.ended) {
                        conf_put(fds[1]);
                        CHECK(next_shot(hub, CONF_SOON));
                        end_shots(hub, &shots);
                }
        }
        conf_close(hub);
        conf_close_pair(fds);
        free(buffers);
}

/* Nobody will ever see them; the suite counts the descriptors. */
void
fini_closes_what_a_multishot_accepted(void)
{
        void *hub = multi_open();
        struct green_hub_event event;
        struct sockaddr_in addr;
        struct shots shots;
        int fd, clients[5];

        if (hub == NULL)
                return;
        fd = listener(&addr);
        prepare(&shots, GREEN_OP_ACCEPT, fd);
        if (submit(hub, &shots)) {
                CHECK_INT(conf_ops->wait(hub, &event, 1, 0), 0);
                for (int i = 0; i < 5; i++)
                        clients[i] = client(&addr);
                CHECK(next_shot(hub, CONF_SOON));
                conf_close(hub);
                hub = NULL;
                for (int i = 0; i < shots.n_fds; i++)
                        close(shots.fds[i]);
                for (int i = 0; i < 5; i++)
                        close(clients[i]);
        }
        conf_close(hub);
        close(fd);
}

void
fini_ends_multishot_receives(void)
{
        void *hub = multi_open();
        struct shots shots;
        int fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        if (submit(hub, &shots)) {
                conf_put(fds[1]);
                CHECK(next_shot(hub, CONF_SOON));
                conf_put(fds[1]);
        }
        conf_close(hub);
        /* The operation is ours again, and the socket's other end hears nothing more of the hub. */
        memset(&shots, '#', sizeof shots);
        conf_put(fds[1]);
        usleep(10000);
        CHECK_INT(((char *)&shots)[0], '#');
        conf_close_pair(fds);
}

void
a_multishot_without_memory_fails_in_order(void)
{
        void *hub = multi_open();
        struct shots shots;
        unsigned nth = 0;
        int fds[2], err = -ENOMEM;

        if (hub == NULL || !conf_pair(fds))
                return;
        while (err == -ENOMEM && nth < 100) {
                prepare(&shots, GREEN_OP_RECV, fds[0]);
                conf_fail_alloc = ++nth;
                err = conf_ops->submit(hub, &shots.op);
                conf_fail_alloc = 0;
        }
        if (err == -ENOTSUP) {
                suite_skip("this system has no such multishot operation");
        } else if (CHECK_INT(err, 0)) {
                conf_put(fds[1]);
                CHECK(next_shot(hub, CONF_SOON));
                bytes_are(&shots, "x");
        }
        conf_close(hub);
        conf_close_pair(fds);
}

/* What core holds at the fork it can read until it says so; the child's hub begins with all of them. */
static void
read_in_child(void *hub, int fds[2], const void *buffer)
{
        struct shots shots;

        CHECK_INT(*(const char *)buffer, 'x');
        CHECK_INT(conf_ops->after_fork(hub), 0);
        conf_quiet(hub);
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        if (submit(hub, &shots)) {
                for (int i = 0; i < 1000; i++) {
                        CHECK_INT(write(fds[1], "y", 1), 1);
                        if (!CHECK(next_shot(hub, CONF_SOON)))
                                break;
                }
                CHECK_INT(shots.n_bytes, 1000);
                CHECK(!shots.ended);
        }
        conf_close(hub);
}

void
the_child_of_a_fork_has_all_buffers(void)
{
        void *hub = multi_open();
        struct green_hub_event event;
        struct shots shots;
        int fds[2], others[2], status = -1;
        pid_t child;

        if (hub == NULL || !conf_pair(fds) || !conf_pair(others))
                return;
        prepare(&shots, GREEN_OP_RECV, fds[0]);
        if (submit(hub, &shots)) {
                conf_put(fds[1]);
                CHECK_INT(conf_wait(hub, &event, 1, CONF_SOON), 1);
                take_shot(hub, &shots, &event, true);
                fflush(stdout);
                child = fork();
                if (child == 0) {
                        read_in_child(hub, others, event.buffer);
                        _exit(suite_failures() != 0);
                }
                CHECK(waitpid(child, &status, 0) == child);
                CHECK_INT(status, 0);
                CHECK_INT(*(char *)event.buffer, 'x');
                conf_ops->release(hub, event.buffer);
                for (int i = 0; i < 600; i++) {
                        conf_put(fds[1]);
                        if (!CHECK(next_shot(hub, CONF_SOON)))
                                break;
                }
                CHECK_INT(shots.n_bytes, 601);
                end_shots(hub, &shots);
        }
        conf_close(hub);
        conf_close_pair(fds);
        conf_close_pair(others);
}
