/*
 * Hubs with operations under load, as core uses them by <green/io.h>: many connections, time limits, kills and closes
 * at any moment, wakes from another OS thread. Skipped on a hub that has none.
 */
#include "core_suite.h"

#include <netinet/in.h>

enum {
        CLIENTS = 200,
        ECHOES = 100, /* of each */
        LONGEST = 600,
};

static bool
has_operations(void)
{
        int fds[2];
        green_io *io;
        bool has;

        if (!core_fresh_hub(NULL) || !core_pair(fds))
                return false;
        io = green_io_open(fds[0], GREEN_IO_KEEP_FD);
        has = CHECK(io != NULL) && green_io_can_submit(io);
        CHECK_INT(green_io_free(io), 0);
        core_close_pair(fds);
        if (!has)
                suite_skip("this hub has no operations");
        return has;
}

/* One operation with one buffer. */
static int64_t
run(green_io *io, enum green_op_kind kind, void *bytes, size_t len, double timeout)
{
        struct green_iovec iov = {bytes, len};
        struct green_op op = {.kind = kind, .iov = &iov, .iov_count = 1, .offset = -1};

        return green_io_submit(io, &op, timeout);
}

/* As many as it takes; the bytes that were moved before the end of the stream, or a code. */
static int64_t
run_whole(green_io *io, enum green_op_kind kind, char *bytes, size_t len)
{
        size_t done = 0;

        while (done < len) {
                int64_t n = run(io, kind, bytes + done, len - done, GREEN_FOREVER);

                if (n <= 0)
                        return n < 0 ? n : (int64_t)done;
                done += (size_t)n;
        }
        return (int64_t)done;
}

/* ---- echoes */

struct server {
        green_io *listener;
        struct sockaddr_in addr;
        int echoes; /* that came back as they were sent */
        int served; /* connections */
};

/* An end of a connection. */
struct peer {
        struct server *server;
        green_thread *gt;
        green_io *io;
        unsigned seed;
};

static void *
echo(void *arg)
{
        struct peer *peer = arg;
        char bytes[LONGEST];
        int64_t n;

        while ((n = run(peer->io, GREEN_OP_RECV, bytes, sizeof bytes, GREEN_FOREVER)) > 0) {
                if (!CHECK_INT(run_whole(peer->io, GREEN_OP_SEND, bytes, (size_t)n), n))
                        break;
        }
        CHECK_INT(n, 0);
        CHECK_INT(green_io_free(peer->io), 0);
        return NULL;
}

static void *
serve(void *arg)
{
        struct server *server = arg;
        static struct peer peers[CLIENTS];

        for (int i = 0; i < CLIENTS; i++) {
                struct sockaddr_in name = {.sin_family = 0};
                struct green_op op = {.kind = GREEN_OP_ACCEPT,
                                      .flags = SOCK_NONBLOCK | SOCK_CLOEXEC,
                                      .name = &name,
                                      .name_size = sizeof name,
                                      .offset = -1};
                int64_t fd = green_io_submit(server->listener, &op, GREEN_FOREVER);

                if (!CHECK(fd >= 0))
                        break;
                CHECK_INT(name.sin_family, AF_INET);
                CHECK_INT(ntohl(name.sin_addr.s_addr), INADDR_LOOPBACK);
                peers[i] = (struct peer){.server = server, .io = green_io_open((green_fd)fd, 0)};
                peers[i].gt = green_spawn(echo, &peers[i]);
                server->served++;
        }
        for (int i = 0; i < server->served; i++)
                CHECK_INT(core_join(peers[i].gt), 0);
        return NULL;
}

static unsigned
next_random(unsigned *seed)
{
        *seed = *seed * 1103515245u + 12345u;
        return *seed >> 16;
}

static bool
one_echo(struct peer *peer)
{
        size_t len = 1 + next_random(&peer->seed) % LONGEST;
        char sent[LONGEST], got[LONGEST];

        for (size_t i = 0; i < len; i++)
                sent[i] = (char)next_random(&peer->seed);
        return CHECK_INT(run_whole(peer->io, GREEN_OP_SEND, sent, len), len) &&
               CHECK_INT(run_whole(peer->io, GREEN_OP_RECV, got, len), len) && CHECK(memcmp(sent, got, len) == 0);
}

static void *
ask(void *arg)
{
        struct peer *peer = arg;
        struct sockaddr_in addr = peer->server->addr;
        struct green_op op = {.kind = GREEN_OP_CONNECT, .name = &addr, .name_size = sizeof addr, .offset = -1};

        peer->io = green_io_open(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 0);
        if (CHECK(peer->io != NULL) && CHECK_INT(green_io_submit(peer->io, &op, GREEN_FOREVER), 0)) {
                for (int i = 0; i < ECHOES && one_echo(peer); i++)
                        peer->server->echoes++;
        }
        CHECK_INT(green_io_free(peer->io), 0);
        return NULL;
}

static bool
listen_here(struct server *server)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        socklen_t len = sizeof server->addr;

        server->addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        server->listener = green_io_open(fd, 0);
        return CHECK(server->listener != NULL) && CHECK_INT(bind(fd, (void *)&server->addr, len), 0) &&
               CHECK_INT(getsockname(fd, (void *)&server->addr, &len), 0) && CHECK_INT(listen(fd, CLIENTS), 0);
}

/* The number behind a word of the hub's description. */
static long
counted(const char *word)
{
        struct green_hub_info info = core_info();
        const char *at = strstr(info.description, word);

        return at != NULL ? atol(at + strlen(word)) : -1;
}

static void
two_hundred_clients_get_their_own_bytes_back(void)
{
        static struct peer clients[CLIENTS];
        struct server server = {.echoes = 0};
        green_thread *gt;

        if (!has_operations() || !listen_here(&server))
                return;
        gt = green_spawn(serve, &server);
        for (int i = 0; i < CLIENTS; i++) {
                clients[i] = (struct peer){.server = &server, .seed = (unsigned)i};
                clients[i].gt = green_spawn(ask, &clients[i]);
        }
        for (int i = 0; i < CLIENTS; i++)
                CHECK_INT(core_join(clients[i].gt), 0);
        CHECK_INT(core_join(gt), 0);
        CHECK_INT(server.echoes, CLIENTS * ECHOES);
        CHECK_INT(server.served, CLIENTS);
        /* And it was operations that did it. */
        CHECK_INT(counted(" accept "), CLIENTS);
        CHECK_INT(counted(" connect "), CLIENTS);
        CHECK(counted(" send ") >= 2 * CLIENTS * ECHOES);
        CHECK(counted(" recv ") >= 2 * CLIENTS * ECHOES);
        CHECK_INT(green_io_free(server.listener), 0);
}

/* ---- time limits, kills, closes */

static void
a_limit_of_fifty_milliseconds_ends_a_receive(void)
{
        double begin;
        char byte;
        int fds[2];
        green_io *io;

        if (!has_operations() || !core_pair(fds))
                return;
        io = green_io_open(fds[0], 0);
        for (int i = 0; i < 3; i++) {
                begin = core_now();
                CHECK_INT(run(io, GREEN_OP_RECV, &byte, 1, 0.05), -ETIMEDOUT);
                CHECK_RANGE(core_now() - begin, 0.05, CORE_SOON);
                /* What comes after it is not lost. */
                core_put(fds[1]);
                CHECK_INT(run(io, GREEN_OP_RECV, &byte, 1, CORE_SOON), 1);
        }
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
}

/* Receives until it is ended. */
struct reader {
        green_thread *gt;
        green_io *io;
        int fds[2];
        double timeout;
        int64_t last;  /* what its last receive said */
        bool stopping; /* that was the last one */
        unsigned got;  /* bytes, which count upwards from 0 */
        unsigned sent;
};

static void *
read_on(void *arg)
{
        struct reader *r = arg;
        unsigned char bytes[8];

        while (!r->stopping && (r->last = run(r->io, GREEN_OP_RECV, bytes, sizeof bytes, r->timeout)) > 0) {
                for (int64_t i = 0; i < r->last; i++)
                        CHECK_INT(bytes[i], (unsigned char)r->got++);
        }
        return NULL;
}

static bool
reader_begin(struct reader *r, unsigned *seed)
{
        static const double limits[] = {GREEN_FOREVER, GREEN_FOREVER, 0.001, 0.02};

        *r = (struct reader){.timeout = limits[next_random(seed) % 4]};
        if (!core_pair(r->fds))
                return false;
        r->io = green_io_open(r->fds[0], 0);
        r->gt = green_spawn(read_on, r);
        return CHECK(r->io != NULL && r->gt != NULL);
}

static void
reader_put(struct reader *r)
{
        unsigned char bytes[3] = {(unsigned char)r->sent, (unsigned char)(r->sent + 1), (unsigned char)(r->sent + 2)};

        CHECK_INT(write(r->fds[1], bytes, 3), 3);
        r->sent += 3;
}

/* The rest of what was sent, where the descriptor is still open. */
static void
reader_end(struct reader *r, bool closed)
{
        int rc = core_join(r->gt);

        CHECK(rc == 0 || rc == GREEN_EKILLED);
        if (closed) {
                CHECK_RANGE(r->got, 0, r->sent);
        } else {
                CHECK_INT(r->got + (unsigned)core_drain(r->fds[0]), r->sent);
        }
        CHECK_INT(green_io_free(r->io), 0);
        close(r->fds[1]);
}

/* One of several things, at a moment that is not chosen. */
static void
reader_stop(struct reader *r, unsigned *seed)
{
        unsigned how = next_random(seed) % 4;

        if (next_random(seed) % 2)
                CHECK_INT(green_sleep(0), 0);
        if (next_random(seed) % 2)
                reader_put(r);
        r->stopping = true;
        if (how == 0)
                CHECK_INT(green_io_close(r->io), 0);
        else if (how == 1)
                CHECK_INT(green_io_cancel(r->io), 0);
        else
                (void)green_kill(r->gt, 0);
        /* It may still come before the operation has ended. */
        if (next_random(seed) % 2 && how > 0)
                reader_put(r);
        reader_end(r, how == 0);
        if (r->last < 0 && how <= 1)
                CHECK(r->last == -ECANCELED || r->last == -ETIMEDOUT);
}

enum {
        READERS = 16,
        ROUNDS = 40,
};

static void
kills_and_closes_at_any_moment_lose_nothing(void)
{
        static struct reader readers[READERS];
        unsigned seed = 1;

        if (!has_operations())
                return;
        for (int round = 0; round < ROUNDS; round++) {
                int n = 0;

                while (n < READERS && reader_begin(&readers[n], &seed))
                        n++;
                for (int i = 0; i < n; i++) {
                        if (next_random(&seed) % 2)
                                reader_put(&readers[i]);
                        if (next_random(&seed) % 8 == 0)
                                CHECK_INT(green_sleep(0.002), 0);
                }
                while (n > 0)
                        reader_stop(&readers[--n], &seed);
        }
}

/* ---- another OS thread */

enum {
        WAKES = 200,
};

struct waking {
        green_waker *waker;
        atomic_int asked, seen;
};

static void *
wake_often(void *arg)
{
        struct waking *w = arg;

        for (int i = 1; i <= WAKES; i++) {
                w->asked = i;
                CHECK_INT(green_wake_mt(w->waker), 0);
                while (w->seen < i)
                        sched_yield();
        }
        return NULL;
}

static void
another_thread_wakes_while_operations_run(void)
{
        struct waking w = {.waker = NULL};
        struct reader r;
        pthread_t thread;
        unsigned seed = 7;

        if (!has_operations() || !reader_begin(&r, &seed))
                return;
        w.waker = green_waker_new();
        r.timeout = GREEN_FOREVER;
        CHECK_INT(pthread_create(&thread, NULL, wake_often, &w), 0);
        for (int i = 1; i <= WAKES; i++) {
                CHECK_INT(green_waker_wait(w.waker, CORE_SOON), 0);
                CHECK_INT(w.asked, i);
                if (i % 10 == 0)
                        reader_put(&r);
                w.seen = i;
        }
        pthread_join(thread, NULL);
        close(r.fds[1]);
        CHECK_INT(core_join(r.gt), 0);
        CHECK_INT(r.last, 0);
        CHECK_INT(r.got, r.sent);
        CHECK_INT(green_io_free(r.io), 0);
        CHECK_INT(green_waker_free(w.waker), 0);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(hub_load){
        GREEN_TEST(two_hundred_clients_get_their_own_bytes_back, .limit = 120),
        GREEN_TEST(a_limit_of_fifty_milliseconds_ends_a_receive),
        GREEN_TEST(kills_and_closes_at_any_moment_lose_nothing, .limit = 60),
        GREEN_TEST(another_thread_wakes_while_operations_run, .limit = 60),
        GREEN_SUITE_END,
};
