/*
 * The load of the WebSocket benchmarks: starts a server, connects, measures, and looks at what comes back.
 * ws_load MODE COUNT SERVER-CORE LOAD-CORE SERVER [ARGUMENT...]; a core of -1 pins nothing. MODE is
 *
 *   64         on each of 64 connections a text of 64 bytes is under way, and echoed, for COUNT milliseconds. Each has a
 *              text and a mask of its own
 *   1m         on each of 4 connections a binary message of 1 MiB, which may come back in fragments. Of one in SAMPLE the
 *              bytes are compared; those of others are counted, and dropped in the kernel
 *   broadcast  COUNT connections; on the first one a text of 64 bytes is sent, and has to reach all of them, the first one
 *              too, before the next one is. It looks for what has come every PAUSE microseconds: so no server pays for
 *              waking it at each delivery
 *   idle, resting
 *              COUNT connections, on each of which a text was echoed, and which are held then: what the server's resident
 *              memory has grown by, a connection
 *
 * It prints the rate of messages (of broadcast: of deliveries), the server's CPU time for each, and how busy both were
 * while it measured: 1 is a whole core. Of idle and resting: bytes.
 */
#include "bench_load.h"
#include "bench_ws.h"

#include <stdbool.h>

#define WINDOW 100 /* handshakes at a time */
#define TALKERS 64
#define LARGE_TALKERS 4
#define SAMPLE 8
#define BROADCASTS 40
#define PAUSE 250
#define BATCH 1024

#define OUT (6 + BENCH_WS_SMALL)  /* a small message with its head, as a client sends it */
#define BACK (2 + BENCH_WS_SMALL) /* as a server does */

static int ep, port;
static pid_t server;
static clockid_t server_clock;
static long answered;

/* ---- connections */

static void
open_some(int *fds, long n)
{
        for (long i = 0; i < n; i++)
                fds[i] = bench_ws_connect(port);
        for (long i = 0; i < n; i++)
                bench_ws_upgraded(fds[i]);
}

static int *
open_all(long n)
{
        int *fds = calloc((size_t)n, sizeof *fds);

        bench_check(fds != NULL, "calloc");
        for (long at = 0; at < n; at += WINDOW)
                open_some(fds + at, n - at < WINDOW ? n - at : WINDOW);
        return fds;
}

static void
watch(int fd, uint32_t events, size_t at)
{
        struct epoll_event ev = {.events = events | EPOLLET, .data = {.u64 = at}};

        bench_check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
}

/* ---- small messages */

struct small {
        int fd;
        unsigned got; /* bytes of the answer so far */
        unsigned char out[OUT], back[BACK];
};

/* The text of a number, masked by another. */
static void
compose(struct small *s, long number)
{
        uint32_t state = (uint32_t)number + 1, random = bench_random(&state) ^ bench_random(&state) << 12;
        char text[BENCH_WS_SMALL + 1];
        unsigned char mask[4];

        snprintf(text, sizeof text, "%-64ld", number);
        memcpy(mask, &random, 4);
        bench_check(bench_ws_head(s->out, BENCH_WS_TEXT, BENCH_WS_SMALL, mask) == OUT - BENCH_WS_SMALL, "a head");
        memcpy(s->out + OUT - BENCH_WS_SMALL, text, BENCH_WS_SMALL);
        bench_ws_mask(s->out + OUT - BENCH_WS_SMALL, BENCH_WS_SMALL, mask, 0);
        bench_ws_head(s->back, BENCH_WS_TEXT, BENCH_WS_SMALL, NULL);
        memcpy(s->back + BACK - BENCH_WS_SMALL, text, BENCH_WS_SMALL);
}

static void
say(const struct small *s)
{
        bench_check(send(s->fd, s->out, OUT, MSG_NOSIGNAL) == OUT, "send");
}

/* Whether the answer is whole: one frame, and the bytes that were sent. */
static bool
hear(int fd, unsigned *got, const unsigned char *back)
{
        unsigned char buf[BACK];
        ssize_t n = recv(fd, buf, BACK - *got, 0);

        if (n < 0 && errno == EAGAIN)
                return false;
        bench_check(n > 0 && memcmp(buf, back + *got, (size_t)n) == 0, "the echo");
        *got += (unsigned)n;
        if (*got < BACK)
                return false;
        *got = 0;
        return true;
}

static struct small *smalls;

static void
step_small(size_t at, uint32_t events)
{
        struct small *s = &smalls[at];

        (void)events;
        if (hear(s->fd, &s->got, s->back)) {
                answered++;
                say(s);
        }
}

/* ---- large messages */

struct large {
        int fd;
        size_t unsent; /* of the message that is being sent; 0: it is on its way */
        unsigned char head[BENCH_WS_HEAD];
        size_t n_head;   /* of the frame that comes, until it is whole */
        size_t in_frame; /* bytes of payload that are still to come of it */
        size_t got;      /* bytes of the message */
        bool begun, final;
        long n; /* messages */
};

static unsigned char *large_out, *large_payload, *scratch;
static size_t large_len;
static struct large *larges;

static void
push(struct large *l)
{
        while (l->unsent > 0) {
                ssize_t n = send(l->fd, large_out + large_len - l->unsent, l->unsent, MSG_NOSIGNAL);

                if (n < 0 && errno == EAGAIN)
                        return;
                bench_check(n > 0, "send");
                l->unsent -= (size_t)n;
        }
}

/* Its head is whole. */
static void
begin_frame(struct large *l, const struct bench_ws_frame *frame)
{
        bench_check(!frame->masked && frame->opcode == (l->begun ? BENCH_WS_CONTINUATION : BENCH_WS_BINARY) &&
                            frame->len <= BENCH_WS_LARGE - l->got,
                    "the echo's frame");
        l->begun = true;
        l->final = frame->final;
        l->in_frame = frame->len;
        l->n_head = 0;
}

static void
end_frame(struct large *l)
{
        if (!l->final)
                return;
        bench_check(l->got == BENCH_WS_LARGE, "the echo's length");
        answered++;
        l->n++;
        l->got = 0;
        l->begun = false;
        l->final = false;
        l->unsent = large_len;
        push(l);
}

/* The next bytes: of a head, one receive for what every head has and one for the rest; of a payload, what there is. */
static bool
take(struct large *l)
{
        struct bench_ws_frame frame;
        ssize_t n;

        if (l->in_frame == 0) {
                size_t want = l->n_head < 2 ? 2 : l->head[1] == 127 ? 10 : 4;

                n = recv(l->fd, l->head + l->n_head, want - l->n_head, 0);
                if (n > 0) {
                        l->n_head += (size_t)n;
                        if (bench_ws_parse(l->head, l->n_head, &frame)) {
                                begin_frame(l, &frame);
                                if (frame.len == 0)
                                        end_frame(l);
                        }
                }
        } else {
                bool compared = l->n % SAMPLE == 0;

                n = recv(l->fd, compared ? scratch : NULL, l->in_frame, compared ? 0 : MSG_TRUNC);
                if (n > 0) {
                        bench_check(!compared || memcmp(scratch, large_payload + l->got, (size_t)n) == 0, "the echo");
                        l->got += (size_t)n;
                        l->in_frame -= (size_t)n;
                        if (l->in_frame == 0)
                                end_frame(l);
                }
        }
        bench_check(n > 0 || (n < 0 && errno == EAGAIN), "the echo");
        return n > 0;
}

static void
step_large(size_t at, uint32_t events)
{
        struct large *l = &larges[at];

        if (events & EPOLLOUT)
                push(l);
        while (take(l))
                continue;
}

static void
compose_large(void)
{
        const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
        uint32_t state = 1;
        size_t head;

        large_out = malloc(BENCH_WS_HEAD + BENCH_WS_LARGE);
        large_payload = malloc(BENCH_WS_LARGE);
        scratch = malloc(BENCH_WS_LARGE);
        bench_check(large_out != NULL && large_payload != NULL && scratch != NULL, "malloc");
        for (size_t i = 0; i < BENCH_WS_LARGE; i++)
                large_payload[i] = (unsigned char)bench_random(&state);
        head = bench_ws_head(large_out, BENCH_WS_BINARY, BENCH_WS_LARGE, mask);
        memcpy(large_out + head, large_payload, BENCH_WS_LARGE);
        bench_ws_mask(large_out + head, BENCH_WS_LARGE, mask, 0);
        large_len = head + BENCH_WS_LARGE;
}

/* ---- echo */

static void
talk(double until, void (*step)(size_t at, uint32_t events))
{
        struct epoll_event evs[BATCH];

        while (bench_now() < until) {
                int n = epoll_wait(ep, evs, BATCH, 1000);

                bench_check(n > 0 || (n < 0 && errno == EINTR), "an answer within a second");
                for (int i = 0; i < n; i++)
                        step((size_t)evs[i].data.u64, evs[i].events);
        }
}

static void
measure(const char *what, double seconds, void (*step)(size_t at, uint32_t events))
{
        double wall, cpu, load;

        talk(bench_now() + seconds / 4, step);
        answered = 0;
        wall = bench_now();
        cpu = bench_clock(server_clock);
        load = bench_cpu();
        talk(wall + seconds, step);
        wall = bench_now() - wall;
        cpu = bench_clock(server_clock) - cpu;
        bench_check(answered > 0, "an answer");
        bench_report_load(what, answered, wall, cpu, bench_cpu() - load);
}

static void
run_small(long ms)
{
        int *fds = open_all(TALKERS);

        smalls = calloc(TALKERS, sizeof *smalls);
        bench_check(smalls != NULL, "calloc");
        for (size_t i = 0; i < TALKERS; i++) {
                smalls[i].fd = fds[i];
                compose(&smalls[i], (long)i);
                watch(fds[i], EPOLLIN, i);
                say(&smalls[i]);
        }
        measure("64", (double)ms / 1e3, step_small);
}

static void
run_large(long ms)
{
        int *fds = open_all(LARGE_TALKERS);

        larges = calloc(LARGE_TALKERS, sizeof *larges);
        bench_check(larges != NULL, "calloc");
        compose_large();
        for (size_t i = 0; i < LARGE_TALKERS; i++) {
                larges[i].fd = fds[i];
                larges[i].unsent = large_len;
                watch(fds[i], EPOLLIN | EPOLLOUT, i);
                push(&larges[i]);
        }
        measure("1m", (double)ms / 1e3, step_large);
}

/* ---- broadcast */

/* Has one of them, and waits until everybody has. */
static void
broadcast_one(struct small *first, const int *fds, unsigned *got, long n)
{
        struct epoll_event evs[BATCH];
        double until = bench_now() + 10;
        long reached = 0;

        say(first);
        while (reached < n) {
                int now = epoll_wait(ep, evs, BATCH, 0);

                bench_check(bench_now() < until, "a broadcast within ten seconds");
                for (int i = 0; i < now; i++) {
                        size_t at = (size_t)evs[i].data.u64;

                        reached += hear(fds[at], &got[at], first->back);
                }
                if (now < BATCH && reached < n)
                        usleep(PAUSE);
        }
}

static void
run_broadcast(long n)
{
        unsigned *got = calloc((size_t)n, sizeof *got);
        double wall = 0, cpu = 0, load = 0;
        int *fds = open_all(n);
        struct small first;

        bench_check(got != NULL, "calloc");
        for (long i = 0; i < n; i++)
                watch(fds[i], EPOLLIN, (size_t)i);
        first.fd = fds[0];
        for (long i = -BROADCASTS / 8; i < BROADCASTS; i++) {
                compose(&first, i);
                /* Those before are to warm up. */
                if (i == 0) {
                        wall = bench_now();
                        cpu = bench_clock(server_clock);
                        load = bench_cpu();
                }
                broadcast_one(&first, fds, got, n);
        }
        wall = bench_now() - wall;
        cpu = bench_clock(server_clock) - cpu;
        bench_report_load("broadcast", n * BROADCASTS, wall, cpu, bench_cpu() - load);
}

/* ---- idle */

static void
ask(const int *fds, long n)
{
        struct small s;

        for (long i = 0; i < n; i++) {
                compose(&s, i);
                s.fd = fds[i];
                say(&s);
        }
        for (long i = 0; i < n; i++) {
                compose(&s, i);
                s.got = 0;
                while (!hear(fds[i], &s.got, s.back))
                        continue;
        }
}

static void
run_idle(const char *what, long n)
{
        int *fds = calloc((size_t)n, sizeof *fds), first[WINDOW];
        long before, after;

        bench_check(fds != NULL, "calloc");
        /* What is there for those that are answered just now, is there before. */
        open_some(first, WINDOW);
        ask(first, WINDOW);
        usleep(200000);
        before = bench_resident(server);
        for (long at = 0; at < n; at += WINDOW) {
                long some = n - at < WINDOW ? n - at : WINDOW;

                open_some(fds + at, some);
                ask(fds + at, some);
        }
        usleep(500000);
        after = bench_resident(server);
        bench_print(what, "bytes", after > before ? (double)(after - before) / (double)n : 0);
        /* They are all alive. */
        for (long at = 0; at < n; at += WINDOW)
                ask(fds + at, n - at < WINDOW ? n - at : WINDOW);
}

int
main(int argc, char **argv)
{
        long count = bench_count(argc, argv, 2, 1000);
        const char *mode = argv[1];

        if (argc < 6)
                return fprintf(stderr, "usage: %s MODE COUNT SERVER-CORE LOAD-CORE SERVER...\n", argv[0]), 2;
        ep = epoll_create1(EPOLL_CLOEXEC);
        bench_check(ep >= 0, "epoll_create1");
        bench_raise_descriptor_limit();
        server = bench_start_server(atoi(argv[3]), argv + 5, &port, &server_clock);
        bench_pin(atoi(argv[4]));
        if (strcmp(mode, "64") == 0)
                run_small(count);
        else if (strcmp(mode, "1m") == 0)
                run_large(count);
        else if (strcmp(mode, "broadcast") == 0)
                run_broadcast(count);
        else if (strcmp(mode, "idle") == 0 || strcmp(mode, "resting") == 0)
                run_idle(mode, count);
        else
                return fprintf(stderr, "%s: there is no mode %s\n", argv[0], mode), 2;
        bench_stop_server(server);
        return 0;
}
