/* Sockets that receive ahead: what has come before it was asked for is handed out as if the system had it. */
#include "core_suite.h"

#include "net_suite.h"

#include <green/watch.h>

static struct hub_late_stats *stats;

static bool
late_hub(const char *settings)
{
        stats = core_late_hub("hub_late", settings);
        return stats != NULL;
}

/* Back to the usual hub; every buffer has come back. */
static void
usual_hub(void)
{
        (void)core_fresh_hub(NULL);
        CHECK_INT(stats->buffers, stats->releases);
}

/* A connection of which b receives ahead. */
static struct pair
ahead_pair(void)
{
        struct pair p = tcp_pair();
        struct call c = {.s = p.b};

        for (int i = 0; i < 3; i++) {
                start(&c, call_recv);
                CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
                CHECK_INT(finish(&c), 1);
        }
        return p;
}

static void
until_pending(const green_socket *s, size_t n)
{
        double end = core_now() + CORE_SOON;

        while (green_socket_pending(s) < n && core_now() < end)
                CHECK_INT(green_sleep(0.0005), 0);
        CHECK_INT(green_socket_pending(s), n);
}

static void *
echo(void *arg)
{
        green_socket *s = arg;
        char buf[64];
        ssize_t n;

        while ((n = green_socket_recv(s, buf, sizeof buf, 0)) > 0)
                if (green_socket_sendall(s, buf, (size_t)n, 0, NULL) != 0)
                        break;
        return NULL;
}

static void
many_messages_are_one_operation(void)
{
        enum { MESSAGES = 50 };
        green_thread *gt;
        struct pair p;
        char byte;

        if (!late_hub("end=0,late=1"))
                return;
        p = tcp_pair();
        gt = green_spawn(echo, p.b);
        for (int i = 0; i < MESSAGES; i++) {
                CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
                CHECK_INT(green_socket_recv(p.a, &byte, 1, 0), 1);
        }
        /* Two of them for each end: the first wait is for one alone. */
        CHECK_INT(stats->kinds[GREEN_OP_RECV], 4);
        CHECK_INT(stats->adds, 0);
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(core_join(gt), 0);
        free_pair(p);
        usual_hub();
}

static void
every_way_to_receive_sees_what_has_come(void)
{
        struct green_addr from = {.size = 1};
        struct pair p;
        char buf[64];

        if (!late_hub("buffers=8,end=0,late=0"))
                return;
        p = ahead_pair();
        CHECK_INT(green_socket_send(p.a, "0123456789abcdefghijklmnopqrst", 30, 0), 30);
        until_pending(p.b, 30);
        CHECK(!green_socket_drained(p.b));
        CHECK_INT(green_socket_recv(p.b, buf, 0, 0), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_PEEK), 30);
        CHECK_INT(green_socket_recv(p.b, buf, 4, MSG_PEEK | MSG_DONTWAIT), 4);
        CHECK_INT(memcmp(buf, "0123", 4), 0);
        CHECK_INT(green_socket_recv(p.b, buf, 4, MSG_DONTWAIT), 4);
        CHECK_INT(memcmp(buf, "0123", 4), 0);
        CHECK_INT(green_socket_recvfrom(p.b, buf, 4, 0, &from), 4);
        CHECK_INT(memcmp(buf, "4567", 4), 0);
        CHECK_INT(from.size, 0);
        CHECK_INT(green_socket_recv(p.b, buf, 1, MSG_TRUNC), -EBUSY);
        CHECK_INT(green_socket_pending(p.b), 22);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_WAITALL), 22);
        CHECK_INT(memcmp(buf, "89abcdefghijklmnopqrst", 22), 0);
        /* What must not wait is told the truth, too. */
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
        CHECK_INT(green_socket_send(p.a, "xy", 2, 0), 2);
        CHECK_INT(green_socket_recv(p.b, buf, 1, MSG_DONTWAIT), 1);
        CHECK_INT(buf[0], 'x');
        CHECK_INT(green_socket_set_timeout(p.b, 0), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        CHECK_INT(buf[0], 'y');
        CHECK_INT(green_socket_recv(p.b, buf, 0, 0), -EAGAIN);
        CHECK_INT(green_socket_set_timeout(p.b, 0.002), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), -ETIMEDOUT);
        CHECK_INT(green_socket_recv(p.b, buf, 0, 0), -ETIMEDOUT);
        CHECK(green_socket_drained(p.b));
        /* The operation runs, and has not told what it has. */
        CHECK_INT(green_socket_send(p.a, "z", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), 1);
        CHECK_INT(buf[0], 'z');
        CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
        CHECK_INT(green_socket_set_timeout(p.b, CORE_SOON), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_PEEK), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 0);
        CHECK_INT(stats->kinds[GREEN_OP_POLL], 0);
        free_pair(p);
        usual_hub();
}

static void
urgent_data_passes_by_what_is_held(void)
{
        struct pair p;
        char buf[8];

        if (!late_hub("late=0"))
                return;
        p = ahead_pair();
        CHECK_INT(green_socket_send(p.a, "a", 1, 0), 1);
        until_pending(p.b, 1);
        CHECK_INT(green_socket_recv(p.b, buf, 1, MSG_OOB), -EINVAL);
        CHECK_INT(green_socket_send(p.a, "!", 1, MSG_OOB), 1);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(green_socket_recv(p.b, buf, 1, MSG_OOB), 1);
        CHECK_INT(buf[0], '!');
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 1);
        CHECK_INT(buf[0], 'a');
        free_pair(p);
        usual_hub();
}

static void
the_descriptor_is_handed_out_once_all_is_read(void)
{
        static const char *const settings[] = {"cancel=success,late=3", "cancel=canceled,late=1", "cancel=now,late=0"};

        for (int i = 0; i < 3; i++) {
                struct pair p;
                char buf[8];
                int fd;

                if (!late_hub(settings[i]))
                        return;
                p = ahead_pair();
                CHECK_INT(green_socket_send(p.a, "ab", 2, 0), 2);
                until_pending(p.b, 2);
                CHECK_INT(green_socket_fd(p.b), GREEN_INVALID_FD);
                CHECK_INT(green_last_error()->code, -EBUSY);
                CHECK(green_socket_io(p.b) == NULL);
                CHECK_INT(errno, EBUSY);
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 2);
                fd = green_socket_fd(p.b);
                if (fd != GREEN_INVALID_FD) {
                        unsigned long pieces = stats->pieces;

                        /* From now on others may read, so nothing is received ahead. */
                        CHECK_INT(green_socket_send(p.a, "c", 1, 0), 1);
                        CHECK_INT(green_trampoline(fd, GREEN_READ, CORE_SOON), 0);
                        CHECK_INT(recv(fd, buf, sizeof buf, MSG_DONTWAIT), 1);
                        for (int j = 0; j < 4; j++) {
                                struct call c = {.s = p.b};

                                start(&c, call_recv);
                                CHECK_INT(green_socket_send(p.a, "d", 1, 0), 1);
                                CHECK_INT(finish(&c), 1);
                        }
                        CHECK_INT(stats->pieces, pieces);
                } else {
                        FAIL("nothing is left, and the descriptor is not handed out");
                }
                free_pair(p);
                usual_hub();
        }
}

static void
who_waits_is_ended_at_once_and_nothing_is_lost(void)
{
        struct call c = {0};
        struct green_timeout t = {{0}};
        struct pair p;
        char buf[8];

        if (!late_hub("late=3,cancel=success"))
                return;
        p = ahead_pair();
        c.s = p.b;
        start(&c, call_recv);
        CHECK_INT(green_kill(c.thread, 0), 0);
        /* It is a wait: the kill has ended it, and the socket is free. */
        CHECK_INT(finish_killed(&c), GREEN_EKILLED);
        CHECK_INT(green_socket_send(p.a, "a", 1, 0), 1);
        CHECK_INT(green_timeout_start(&t, 0.0005), 0);
        (void)green_sleep(CORE_SOON);
        CHECK_INT(green_timeout_cancel(&t), 1);
        start(&c, call_recv);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), c.over ? 1 : -EBUSY);
        CHECK_INT(finish(&c), 1);
        CHECK_INT(c.buf[0], 'a');
        start(&c, call_recv);
        CHECK_INT(green_socket_close(p.b), 0);
        CHECK_INT(green_socket_free(p.b), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        CHECK_INT(green_socket_free(p.a), 0);
        usual_hub();
}

static void
a_reset_is_told_behind_the_bytes(void)
{
        struct linger at_once = {.l_onoff = 1};
        struct pair p;
        char buf[8];

        if (!late_hub("late=0"))
                return;
        p = ahead_pair();
        CHECK_INT(green_socket_send(p.a, "abc", 3, 0), 3);
        until_pending(p.b, 3);
        CHECK_INT(green_socket_setsockopt(p.a, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 3);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), -ECONNRESET);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 0);
        CHECK_INT(green_socket_free(p.b), 0);
        usual_hub();
}

/* ---- streams of all kinds */

struct stream {
        green_socket *s;
        unsigned seed;
        size_t len, done;
        bool ok;
};

static unsigned
next_random(unsigned *seed)
{
        *seed = *seed * 1103515245u + 12345u;
        return *seed >> 16;
}

static char
byte_at(size_t at)
{
        return (char)(at * 7 + at / 251);
}

static void *
write_stream(void *arg)
{
        struct stream *w = arg;
        char buf[700];

        while (w->done < w->len) {
                size_t n = 1 + next_random(&w->seed) % sizeof buf;

                if (n > w->len - w->done)
                        n = w->len - w->done;
                for (size_t i = 0; i < n; i++)
                        buf[i] = byte_at(w->done + i);
                if (!CHECK_INT(green_socket_sendall(w->s, buf, n, 0, NULL), 0))
                        break;
                w->done += n;
                if (next_random(&w->seed) % 4 == 0)
                        (void)green_sleep(0.0001 * (next_random(&w->seed) % 20));
        }
        CHECK_INT(green_socket_shutdown(w->s, SHUT_WR), 0);
        return NULL;
}

static void *
read_stream(void *arg)
{
        static const int flags[] = {0, 0, 0, MSG_DONTWAIT, MSG_PEEK, MSG_PEEK | MSG_DONTWAIT};
        struct stream *r = arg;
        char buf[900];

        for (;;) {
                int flag = flags[next_random(&r->seed) % 6];
                size_t len = next_random(&r->seed) % (next_random(&r->seed) % 2 ? 20 : sizeof buf);
                ssize_t n;

                CHECK_INT(green_socket_set_timeout(r->s, next_random(&r->seed) % 8 == 0 ? 0.0005 : CORE_SOON), 0);
                n = green_socket_recv(r->s, buf, len, flag);
                if (n == -EAGAIN || n == -ETIMEDOUT || (n == 0 && len == 0)) {
                        (void)green_sleep(0);
                        continue;
                }
                if (n == 0 && (flag & MSG_PEEK) != 0)
                        continue;
                if (n <= 0) {
                        CHECK_INT(n, 0);
                        break;
                }
                for (ssize_t i = 0; i < n; i++)
                        r->ok = r->ok && buf[i] == byte_at(r->done + (size_t)i);
                if ((flag & MSG_PEEK) == 0)
                        r->done += (size_t)n;
                if (next_random(&r->seed) % 16 == 0)
                        (void)green_sleep(0.003);
        }
        return NULL;
}

static void
streams_arrive_whole_whatever_the_hub_does(void)
{
        static const char *const settings[] = {"late=0,buffers=4,end=0", "late=2,buffers=2,cancel=success",
                                               "late=1,buffers=64,end=3,spurious=3", "late=1,buffers=1,refuse=3",
                                               "late=3,buffers=16,cancel=now,order=oldest"};
        enum { PAIRS = 6, LEN = 6000 };

        for (size_t k = 0; k < sizeof settings / sizeof settings[0]; k++) {
                struct stream r[PAIRS], w[PAIRS];
                green_thread *gt[2 * PAIRS];
                struct pair p[PAIRS];

                if (!late_hub(settings[k]))
                        return;
                for (int i = 0; i < PAIRS; i++) {
                        p[i] = tcp_pair();
                        w[i] = (struct stream){.s = p[i].a, .seed = (unsigned)(i * 31 + 7), .len = LEN};
                        r[i] = (struct stream){.s = p[i].b, .seed = (unsigned)(i * 17 + 1), .ok = true};
                        gt[2 * i] = green_spawn(write_stream, &w[i]);
                        gt[2 * i + 1] = green_spawn(read_stream, &r[i]);
                }
                for (int i = 0; i < 2 * PAIRS; i++)
                        CHECK_INT(core_join(gt[i]), 0);
                for (int i = 0; i < PAIRS; i++) {
                        CHECK_INT(r[i].done, LEN);
                        CHECK(r[i].ok);
                        free_pair(p[i]);
                }
                usual_hub();
        }
}

/* Its end is nothing to ask for then, and it may begin anew before the hub is looked at again. */
static void
an_end_may_be_reported_together_with_all_before_it(void)
{
        struct pair p;
        char sent[200], buf[200];

        memset(sent, 'x', sizeof sent);
        if (!late_hub("late=0,buffers=64,end=0,pieces=30"))
                return;
        for (int i = 0; i < 3; i++) {
                p = ahead_pair();
                CHECK_INT(green_socket_set_timeout(p.b, CORE_SOON), 0);
                CHECK_INT(green_socket_send(p.a, sent, sizeof sent, 0), sizeof sent);
                CHECK_INT(green_socket_shutdown(p.a, SHUT_WR), 0);
                if (i < 2)
                        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_WAITALL), sizeof buf);
                if (i < 1)
                        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 0);
                free_pair(p);
        }
        usual_hub();
}

/* ---- at rest */

static void
woken(struct green_watch *w, int result, void *arg)
{
        int *seen = arg;

        (void)w;
        *seen = result;
}

/* Its receive ends then; it is told, looks, and is watched by other means. */
static void
a_socket_that_is_shown_while_it_is_watched_is_not_forgotten(void)
{
        static const char *const settings[] = {"late=1", "late=1,cancel=now"};

        for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
                struct green_watch watch;
                struct pair p;
                char buf[8];
                int seen = 0;

                if (!late_hub(settings[i]))
                        return;
                p = tcp_pair();
                green_watch_init(&watch, woken, &seen);
                CHECK_INT(green_socket_watch(p.b, &watch, GREEN_FOREVER), 0);
                CHECK(green_socket_fd(p.b) >= 0);
                green_sleep(0.01);
                if (seen != 0) {
                        CHECK_INT(seen, GREEN_READ);
                        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), -EAGAIN);
                        seen = 0;
                        CHECK_INT(green_socket_watch(p.b, &watch, GREEN_FOREVER), 0);
                }
                CHECK_INT(green_socket_sendall(p.a, "now", 3, 0, NULL), 0);
                for (int turn = 0; turn < 1000 && seen == 0; turn++)
                        green_sleep(0.001);
                CHECK_INT(seen, GREEN_READ);
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), 3);
                free_pair(p);
                usual_hub();
        }
}

static void
a_socket_at_rest_is_watched_by_its_receive(void)
{
        struct green_watch watch;
        int seen = 0;
        struct pair p;
        char buf[8];

        if (!late_hub("late=1"))
                return;
        p = tcp_pair();
        green_watch_init(&watch, woken, &seen);
        CHECK_INT(green_socket_watch(NULL, &watch, 1), -EINVAL);
        for (int i = 0; i < 3; i++) {
                seen = 0;
                CHECK_INT(green_socket_watch(p.b, &watch, GREEN_FOREVER), 0);
                CHECK_INT(green_socket_watch(p.b, &watch, GREEN_FOREVER), -EBUSY);
                CHECK_INT(green_socket_send(p.a, "x", 1, 0), 1);
                while (seen == 0)
                        CHECK_INT(green_sleep(0.001), 0);
                CHECK_INT(seen, GREEN_READ);
                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, MSG_DONTWAIT), 1);
        }
        CHECK_INT(stats->adds, 0);
        CHECK_INT(stats->kinds[GREEN_OP_POLL], 0);
        seen = 0;
        CHECK_INT(green_socket_watch(p.b, &watch, GREEN_FOREVER), 0);
        CHECK_INT(green_socket_close(p.b), 0);
        while (seen == 0)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(seen, -ECANCELED);
        free_pair(p);
        usual_hub();
}

/* ---- serving */

struct service {
        green_socket *listener;
        char address[GREEN_ADDR_TEXT_SIZE];
        green_thread *gt;
        int called;
        bool port;
};

static int
answer(green_socket *client, const struct green_addr *peer, void *arg)
{
        struct service *sv = arg;

        sv->called++;
        sv->port = sv->port || peer->size > 0;
        CHECK_INT(green_socket_sendall(client, "x", 1, 0, NULL), 0);
        return 0;
}

static void *
serve(void *arg)
{
        struct service *sv = arg;

        CHECK_INT(green_serve(sv->listener, answer, sv, NULL), GREEN_EKILLED);
        return NULL;
}

static void
a_server_accepts_by_operations(void)
{
        struct service sv = {0};
        green_socket *client;
        char byte;

        if (!late_hub("cancel=success"))
                return;
        sv.listener = listen_here(sv.address);
        sv.gt = green_spawn(serve, &sv);
        for (int i = 0; i < 5; i++) {
                client = green_connect(sv.address, NULL);
                CHECK_INT(green_socket_recv(client, &byte, 1, 0), 1);
                CHECK_INT(green_socket_free(client), 0);
        }
        CHECK_INT(sv.called, 5);
        CHECK(sv.port);
        CHECK(stats->kinds[GREEN_OP_ACCEPT] >= 5);
        CHECK_INT(stats->adds, 0);
        /* One that comes at the end is accepted by whoever accepts next. */
        CHECK_INT(green_kill(sv.gt, 0), 0);
        client = green_connect(sv.address, NULL);
        CHECK_INT(core_join(sv.gt), GREEN_EKILLED);
        CHECK_INT(sv.called, 5);
        CHECK_INT(green_socket_set_timeout(sv.listener, CORE_SOON), 0);
        CHECK_INT(green_socket_free(green_socket_accept(sv.listener, NULL)), 0);
        CHECK_INT(green_socket_recv(client, &byte, 1, 0), 0);
        CHECK_INT(green_socket_free(client), 0);
        /* After the end nobody accepts. */
        sv.gt = green_spawn(serve, &sv);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(green_kill(sv.gt, 0), 0);
        CHECK_INT(core_join(sv.gt), GREEN_EKILLED);
        client = green_connect(sv.address, NULL);
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(green_socket_pending(sv.listener), 0);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_free(sv.listener), 0);
        usual_hub();
}

enum { CLIENTS = 30 };

struct acceptor {
        green_socket *listener;
        int accepted, known;
};

static void *
accept_all(void *arg)
{
        struct acceptor *a = arg;
        struct green_addr peer;

        while (a->accepted < CLIENTS) {
                green_socket *client = green_socket_accept(a->listener, &peer);

                if (!CHECK(client != NULL))
                        break;
                a->accepted++;
                a->known += peer.size > 0;
                CHECK_INT(green_socket_send(client, "x", 1, 0), 1);
                CHECK_INT(green_socket_free(client), 0);
        }
        return NULL;
}

static void
who_accepts_again_and_again_needs_one_operation(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        struct acceptor a = {.listener = NULL};
        struct service sv = {0};
        green_socket *clients[3];
        green_thread *gt;
        char byte;

        if (!late_hub("end=0,late=1"))
                return;
        a.listener = sv.listener = listen_here(address);
        gt = green_spawn(accept_all, &a);
        for (int i = 0; i < CLIENTS; i++) {
                clients[0] = green_connect(address, NULL);
                CHECK_INT(green_socket_recv(clients[0], &byte, 1, 0), 1);
                CHECK_INT(green_socket_free(clients[0]), 0);
        }
        CHECK_INT(core_join(gt), 0);
        CHECK_INT(a.accepted, CLIENTS);
        CHECK_INT(a.known, CLIENTS);
        /* The first wait is for one alone. */
        CHECK_INT(stats->kinds[GREEN_OP_ACCEPT], 2);
        CHECK_INT(stats->adds, 0);
        /* Those that were accepted and that nobody took go to a server first, which has others accepted no more; */
        clients[0] = green_connect(address, NULL);
        while (green_socket_pending(a.listener) == 0)
                CHECK_INT(green_sleep(0.001), 0);
        sv.gt = green_spawn(serve, &sv);
        CHECK_INT(green_socket_recv(clients[0], &byte, 1, 0), 1);
        CHECK_INT(green_kill(sv.gt, 0), 0);
        CHECK_INT(core_join(sv.gt), GREEN_EKILLED);
        CHECK_INT(green_socket_free(clients[0]), 0);
        /* and those that are left are closed with the listener. */
        a.accepted = CLIENTS - 1;
        gt = green_spawn(accept_all, &a);
        for (int i = 0; i < 3; i++)
                clients[i] = green_connect(address, NULL);
        CHECK_INT(core_join(gt), 0);
        CHECK_INT(green_socket_free(a.listener), 0);
        for (int i = 0; i < 3; i++) {
                ssize_t n = green_socket_recv(clients[i], &byte, 1, 0);

                CHECK(n == 1 || n == 0 || n == -ECONNRESET);
                CHECK_INT(green_socket_free(clients[i]), 0);
        }
        usual_hub();
}

/* ---- without memory, in other processes */

static void
without_memory_for_what_came_the_stream_is_lost_and_says_so(void)
{
        double end = core_now() + CORE_SOON;
        struct pair p;
        char buf[64];

        if (!late_hub("buffers=64,late=0,end=0,cancel=success"))
                return;
        p = ahead_pair();
        memory_left = 0;
        for (int i = 0; i < 40; i++)
                CHECK(green_socket_send(p.a, "0123456789abcdef", 16, 0) == 16);
        /* The ninth is what it has done when its end was asked for. */
        while (stats->pieces < 9 && core_now() < end)
                (void)green_sleep(0.0005);
        (void)green_sleep(0);
        memory_left = -1;
        /* The first eight pieces are those that need none. */
        for (int i = 0; i < 8; i++)
                CHECK_INT(green_socket_recv(p.b, buf, 16, 0), 16);
        CHECK_INT(green_socket_recv(p.b, buf, 16, 0), -ENOMEM);
        CHECK_INT(green_socket_recv(p.b, buf, 16, MSG_DONTWAIT), -ENOMEM);
        free_pair(p);
        usual_hub();
}

static void
a_child_of_a_fork_reads_its_copy(void)
{
        struct pair p;
        char buf[64];
        pid_t pid;

        GREEN_COVERS("FORK-02");
        if (!late_hub("late=0,buffers=8"))
                return;
        p = ahead_pair();
        CHECK_INT(green_socket_send(p.a, "0123456789abcdefghij", 20, 0), 20);
        until_pending(p.b, 20);
        pid = core_fork();
        if (pid == 0) {
                struct call c = {.s = p.b};

                CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 20);
                CHECK_INT(memcmp(buf, "0123456789abcdefghij", 20), 0);
                for (int i = 0; i < 3; i++) {
                        start(&c, call_recv);
                        CHECK_INT(green_socket_send(p.a, "k", 1, 0), 1);
                        CHECK_INT(finish(&c), 1);
                }
                free_pair(p);
                CHECK_INT(green_hub_destroy(CORE_SOON), 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        CHECK_INT(green_socket_recv(p.b, buf, sizeof buf, 0), 20);
        CHECK_INT(memcmp(buf, "0123456789abcdefghij", 20), 0);
        free_pair(p);
        usual_hub();
}

/* One of two processes that accept does something else: whoever comes is the other's, and does not wait for it. */
static void
who_is_busy_holds_up_nobody_that_a_sibling_can_accept(void)
{
        char address[GREEN_ADDR_TEXT_SIZE], byte;
        struct call c = {.s = listen_here(address)};
        green_socket *client;
        int waits[2];
        pid_t pid;

        CHECK_OR_RETURN(pipe(waits) == 0);
        start(&c, call_accept);
        client = green_connect(address, NULL);
        CHECK_INT(finish(&c), 0);
        CHECK_INT(green_socket_free(client), 0);
        pid = core_fork();
        start(&c, call_accept);
        CHECK_INT(green_sleep(0.001), 0);
        if (pid == 0) {
                CHECK_INT(write(waits[1], "w", 1), 1);
                CHECK_INT(finish(&c), 0);
                core_child_exit();
        }
        CHECK_INT(read(waits[0], &byte, 1), 1);
        client = connect_now(address);
        CHECK_INT(core_child_end(pid), 0);
        CHECK_INT(green_socket_free(client), 0);
        CHECK_INT(green_socket_close(c.s), 0);
        CHECK_INT(finish(&c), -ECANCELED);
        CHECK_INT(green_socket_free(c.s), 0);
        close(waits[0]);
        close(waits[1]);
}

GREEN_SUITE(net_ahead){GREEN_TEST(many_messages_are_one_operation),
                       GREEN_TEST(every_way_to_receive_sees_what_has_come),
                       GREEN_TEST(urgent_data_passes_by_what_is_held),
                       GREEN_TEST(the_descriptor_is_handed_out_once_all_is_read),
                       GREEN_TEST(who_waits_is_ended_at_once_and_nothing_is_lost),
                       GREEN_TEST(a_reset_is_told_behind_the_bytes),
                       GREEN_TEST(streams_arrive_whole_whatever_the_hub_does),
                       GREEN_TEST(an_end_may_be_reported_together_with_all_before_it),
                       GREEN_TEST(a_socket_at_rest_is_watched_by_its_receive),
        GREEN_TEST(a_socket_that_is_shown_while_it_is_watched_is_not_forgotten),
                       GREEN_TEST(a_server_accepts_by_operations),
                       GREEN_TEST(who_accepts_again_and_again_needs_one_operation),
                       GREEN_TEST(without_memory_for_what_came_the_stream_is_lost_and_says_so),
                       GREEN_TEST(a_child_of_a_fork_reads_its_copy),
                       GREEN_TEST(who_is_busy_holds_up_nobody_that_a_sibling_can_accept),
                       GREEN_SUITE_END};
