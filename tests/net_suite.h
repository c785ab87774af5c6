/*
 * What the tests of net/ share: a clean state around each test, connected sockets, the log as text, memory that runs out.
 * Each test program includes it once, in place of suite.h and <green/net.h>.
 */
#ifndef GREEN_TESTS_NET_SUITE_H
#define GREEN_TESTS_NET_SUITE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <green/core.h>
#include <green/net.h>

#include "suite.h"

#define MAYBE __attribute__((unused)) static

/* ---- the log, as text */

static char log_text[8192];
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER; /* other OS threads report too */

static void
log_line(void *arg, enum green_log_level level, const char *message)
{
        size_t len;

        (void)arg;
        (void)level;
        pthread_mutex_lock(&log_lock);
        len = strlen(log_text);
        snprintf(log_text + len, sizeof log_text - len, "%s\n", message);
        pthread_mutex_unlock(&log_lock);
}

MAYBE bool
logged(const char *part)
{
        return strstr(log_text, part) != NULL;
}

MAYBE int
times_logged(const char *part)
{
        int n = 0;

        for (const char *p = log_text; (p = strstr(p, part)) != NULL; p += strlen(part))
                n++;
        return n;
}

/* ---- memory */

/* Allocations that still succeed; below 0: all do. */
static int memory_left = -1;

static void *
test_realloc(void *arg, void *old, size_t len)
{
        (void)arg;
        if (memory_left == 0) {
                errno = ENOMEM;
                return NULL;
        }
        if (memory_left > 0)
                memory_left--;
        return realloc(old, len);
}

static void
test_free(void *arg, void *old)
{
        (void)arg;
        free(old);
}

/* ---- the hub */

/* Does it run operations to completion? Then who waits has handed its call over, and an end by force is a request. */
MAYBE bool
hub_completes(void)
{
        int fds[2];
        green_io *io;
        bool completes;

        CHECK_INT(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        io = green_io_open(fds[0], 0);
        completes = green_io_can_submit(io);
        CHECK_INT(green_io_free(io), 0);
        close(fds[1]);
        return completes;
}

/* Does the system tell whether a descriptor blocks? Windows does not. */
MAYBE bool
is_blocking_known(void)
{
#if defined(_WIN32)
        return false;
#else
        return true;
#endif
}

/* Where it is not known it is taken for granted. */
MAYBE bool
is_non_blocking(int fd)
{
        return !is_blocking_known() || (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* ---- around each test */

static void
base_state(void)
{
        struct green_hub_info info = {.size = sizeof info};

        if (green_get_hub() == NULL)
                FAIL("there is no hub: %s", green_last_error()->message);
        /* Those who were woken last, or whose peer has just gone, end here. */
        for (int i = 0; i < 1000 && green_hub_get_info(&info) == 0 && info.threads > 1; i++)
                green_sleep(0.001);
        memory_left = -1;
        log_text[0] = '\0';
}

static void
nothing_left(void)
{
        struct green_hub_info info = {.size = sizeof info};

        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK_INT(info.threads, 1);
        CHECK_INT(info.readers, 0);
        CHECK_INT(info.writers, 0);
        CHECK_INT(info.timers, 0);
}

static void
dump(void)
{
        green_debug_dump(2);
        fputs(log_text, stderr);
}

static void
init(void)
{
        static const struct green_allocator allocator = {
                .size = sizeof allocator, .realloc = test_realloc, .free = test_free};

        green_set_allocator(&allocator);
        green_set_log(log_line, NULL);
        suite_setup = base_state;
        suite_check = nothing_left;
        suite_on_hang = dump;
}

GREEN_SUITE_INIT(init)

/* ---- sockets */

/* A listener on a port of the system's choice; its address as text. */
MAYBE green_socket *
listen_here(char *address)
{
        green_socket *listener = green_listen("127.0.0.1:0", NULL);
        struct green_addr addr;

        if (!CHECK(listener != NULL) || !CHECK_INT(green_socket_getsockname(listener, &addr), 0))
                return NULL;
        green_addr_format(&addr, address, GREEN_ADDR_TEXT_SIZE);
        return listener;
}

/* Somebody who connects while nothing else runs here: the system knows, and no hub has heard of it. */
MAYBE green_socket *
connect_now(const char *address)
{
        green_socket *client = green_socket_new(AF_INET, SOCK_STREAM, 0);
        struct green_addr addr;

        CHECK_INT(green_addr_parse(address, &addr), 0);
        CHECK_INT(green_socket_set_timeout(client, 0), 0);
        CHECK_INT(green_socket_connect(client, &addr), -EINPROGRESS);
        return client;
}

/* A listener whose backlog is full, so that a further connect hangs; others holds what fills it. */
MAYBE green_socket *
full_listener(const char *at, char *address, green_socket **others, int n)
{
        struct green_listen_opts opts = {.size = sizeof opts, .backlog = 1};
        green_socket *listener = green_listen(at, &opts);
        struct green_addr addr;

        memset(others, 0, (size_t)n * sizeof *others);
        if (!CHECK(listener != NULL))
                return NULL;
        CHECK_INT(green_socket_listen(listener, 0), 0);
        CHECK_INT(green_socket_getsockname(listener, &addr), 0);
        green_addr_format(&addr, address, GREEN_ADDR_TEXT_SIZE);
        for (int i = 0; i < n; i++) {
                others[i] = green_socket_new(green_addr_family(&addr), SOCK_STREAM, 0);
                CHECK_INT(green_socket_connect(others[i], &addr), 0);
        }
        return listener;
}

/* Two ends of a TCP connection. */
struct pair {
        green_socket *a, *b;
};

MAYBE struct pair
tcp_pair(void)
{
        char address[GREEN_ADDR_TEXT_SIZE];
        green_socket *listener = listen_here(address);
        struct pair p;

        p.a = green_connect(address, NULL);
        CHECK(p.a != NULL);
        p.b = green_socket_accept(listener, NULL);
        CHECK(p.b != NULL);
        CHECK_INT(green_socket_free(listener), 0);
        return p;
}

/* Two ends of a Unix connection of a type. */
MAYBE struct pair
unix_pair(int type)
{
        int fds[2] = {-1, -1};
        struct pair p;

        CHECK_INT(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
        p.a = green_socket_from_fd(fds[0]);
        CHECK(p.a != NULL);
        p.b = green_socket_from_fd(fds[1]);
        CHECK(p.b != NULL);
        return p;
}

MAYBE void
free_pair(struct pair p)
{
        CHECK_INT(green_socket_free(p.a), 0);
        CHECK_INT(green_socket_free(p.b), 0);
}

/*
 * How many rounds, of a millisecond, in which a socket takes nothing make it full? While there are segments that the peer's
 * system has not acknowledged there will be room for more: none do. Only Linux tells that, and nothing of the kind holds for
 * sockets other than TCP's there; where it is not told, as by qemu-user, which passes on the first four bytes of it, it takes
 * many: Windows asks the peer for room again after 200 ms.
 */
MAYBE int
rounds_to_be_full(green_socket *s)
{
#if defined(__linux__)
        struct tcp_info info = {0};
        socklen_t len = sizeof info;

        if (getsockopt(green_socket_fd(s), IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
                return 1;
        if (len >= offsetof(struct tcp_info, tcpi_unacked) + sizeof info.tcpi_unacked)
                return info.tcpi_unacked > 0 ? INT_MAX : 1;
#endif
        (void)s;
        return 300;
}

/* Fill a socket until it takes no more, now and later; returns the bytes. */
MAYBE size_t
fill(green_socket *s)
{
        static const char block[65536];
        size_t before, total = 0;
        int quiet = 0, enough = 1;
        ssize_t n;

        for (int tries = 0; quiet < enough && tries < 1000; tries++) {
                enough = rounds_to_be_full(s);
                before = total;
                while ((n = green_socket_send(s, block, sizeof block, MSG_DONTWAIT)) > 0)
                        total += (size_t)n;
                CHECK_INT(n, -EAGAIN);
                quiet = enough == INT_MAX || total > before ? 0 : quiet + 1;
                if (quiet < enough)
                        usleep(1000);
        }
        return total;
}

/* Receive and forget, until there is nothing more at once; returns the bytes. */
MAYBE size_t
drain(green_socket *s)
{
        static char block[65536];
        size_t total = 0;
        ssize_t n;

        while ((n = green_socket_recv(s, block, sizeof block, MSG_DONTWAIT)) > 0)
                total += (size_t)n;
        return total;
}

/* ---- one call in a green thread of its own, and what it returned */

struct call {
        green_socket *s;
        const void *out; /* to send */
        size_t len;
        char buf[256]; /* received */
        size_t done;
        ssize_t rc;
        bool over;
        green_thread *thread;
};

MAYBE void *
call_recv(void *arg)
{
        struct call *c = arg;

        c->rc = green_socket_recv(c->s, c->buf, c->len != 0 ? c->len : sizeof c->buf, 0);
        c->over = true;
        return NULL;
}

MAYBE void *
call_recv_nothing(void *arg)
{
        struct call *c = arg;

        c->rc = green_socket_recv(c->s, c->buf, 0, 0);
        c->over = true;
        return NULL;
}

MAYBE void *
call_sendall(void *arg)
{
        struct call *c = arg;

        c->rc = green_socket_sendall(c->s, c->out, c->len, 0, &c->done);
        c->over = true;
        return NULL;
}

MAYBE void *
call_accept(void *arg)
{
        struct call *c = arg;
        green_socket *client = green_socket_accept(c->s, NULL);

        c->rc = client == NULL ? green_last_error()->code : 0;
        green_socket_free(client);
        c->over = true;
        return NULL;
}

/* Start a call and let it get to where it waits. */
MAYBE void
start(struct call *c, green_thread_fn fn)
{
        c->rc = 1;
        c->over = false;
        c->thread = green_spawn(fn, c);
        CHECK(c->thread != NULL);
        green_sleep(0);
}

/* Wait for its end. */
MAYBE ssize_t
finish(struct call *c)
{
        CHECK_INT(green_thread_wait(c->thread, NULL), 0);
        green_thread_unref(c->thread);
        c->thread = NULL;
        return c->rc;
}

/* The same for one that was killed. */
MAYBE ssize_t
finish_killed(struct call *c)
{
        CHECK_INT(green_thread_wait(c->thread, NULL), GREEN_EKILLED);
        green_thread_unref(c->thread);
        c->thread = NULL;
        return c->rc;
}

/* A green thread that counts how often it gets to run. */
MAYBE void *
count_turns(void *arg)
{
        int *turns = arg;

        while (green_sleep(0) == 0)
                ++*turns;
        return NULL;
}

#endif
