/* Each allocation and system call of backdoors fails in its turn. See fault.h. */
#include <config.h>

#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <green/net.h>

/* A peer that has failed is gone; where it only goes on without us, it is waited for no longer than this. */
#define SOON (2.0 * suite_slow())
#define BRIEF (0.1 * suite_slow())

#define FEWER FAULT_BIT(alloc) /* many stacks at a time, and the text of an error, are done without once */
#define ALTSTACK FAULT_BIT(mmap)

/* What walks stacks and looks for names does without. */
#define LOOKS                                                                                                          \
        (FAULT_BIT(open) | FAULT_BIT(read) | FAULT_BIT(pipe2) | FAULT_BIT(mmap) | FAULT_BIT(write) | FAULT_BIT(fcntl) | \
         FAULT_BIT(close) | FAULT_BIT(mprotect))

/* And keeps a pipe and some memory from its first walk on. */
static void
walk_once(void)
{
        (void)green_debug_hub_listener_stacks(true);
        (void)green_debug_hub_listener_stacks(false);
}

GREEN_SUITE_INIT(walk_once)

static int number = 1;

static const struct green_backdoor_variable variables[] = {{"number", GREEN_BACKDOOR_INT, &number, false, NULL},
                                                           {.name = NULL}};

static const struct green_backdoor_opts opts = {
        .size = sizeof opts, .variables = variables, .token = "open", .idle_timeout = 10};

/* What one end sees where the other has failed. */
static void
peer_may_be_gone(void)
{
        fault_may_give(-ECONNRESET);
        fault_may_give(-EPIPE);
        fault_may_give(-ENOTCONN);
        fault_may_give(-ECONNREFUSED);
        fault_may_give(-ETIMEDOUT);
        fault_may_give(-ECANCELED);
        fault_may_give(GREEN_EKILLED);
}

/* ---- by hand */

struct tape {
        const char *in;
        char out[16384];
        size_t len;
};

static ssize_t
tape_read(void *source, void *buf, size_t len)
{
        struct tape *t = source;
        size_t n = strlen(t->in) < len ? strlen(t->in) : len;

        memcpy(buf, t->in, n);
        t->in += n;
        return (ssize_t)n;
}

static ssize_t
tape_write(void *source, const struct green_iovec *iov, size_t n)
{
        struct tape *t = source;

        (void)n;
        if (iov->len >= sizeof t->out - t->len)
                return -ENOSPC;
        memcpy(t->out + t->len, iov->base, iov->len);
        t->len += iov->len;
        t->out[t->len] = '\0';
        return (ssize_t)iov->len;
}

static int
answer(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)argc;
        (void)argv;
        (void)arg;
        (void)OK(green_backdoor_printf(console, "%s", "this and "));
        (void)OK(green_backdoor_print("that %0100d\n", 1));
        green_backdoor_console_switch_out(console);
        green_backdoor_console_switch(console);
        return 0;
}

/* Run lines; what is shown as an error is a fault, too. */
static void
play(const char *lines)
{
        static const struct green_stream_ops ops = {.size = sizeof ops, .read = tape_read, .writev = tape_write};
        struct tape t = {.in = lines};
        green_backdoor_console *c;
        green_stream *st;

        errno = 0;
        if (!MADE(st = green_stream_new(&ops, &t, NULL)))
                return;
        errno = 0;
        if (!MADE(c = green_backdoor_console_new(st, &opts))) {
                (void)OK(green_stream_free(st));
                return;
        }
        if (OK(green_backdoor_console_run(c)) && strstr(t.out, "error: ") != NULL)
                fault_shows();
        CHECK_INT(green_backdoor_console_finalize(c), 0);
}

static void
by_hand(void)
{
        if (!MADE(green_get_hub()) || !OK(green_backdoor_register("answer", answer, NULL, "answers")))
                return;
        play("open\nhelp\nps\nbt all\nlisteners\ntimers\nthreads\nhub\nmetrics\nvars\nset number 2\nanswer\nquit\n");
        CHECK_INT(green_backdoor_unregister("answer"), 0);
}

static void
with_lua(void)
{
        if (MADE(green_get_hub()) && HAVE_LUA)
                play("open\nlua\nvars.number + 1\nexit\n");
}

/* ---- served */

/* Say a line and take what comes, up to a text. False where something has failed. */
static bool
ask(green_socket *s, const char *line, const char *want)
{
        char buf[4096];
        size_t len = 0;
        ssize_t n = 1;

        if (!OK(green_socket_sendall(s, line, strlen(line), 0, NULL)))
                return false;
        for (int turns = 0; len < sizeof buf - 1 && turns < 100;) {
                n = green_socket_recv(s, buf + len, sizeof buf - 1 - len, 0);
                if (n == -ETIMEDOUT && !fault_happened()) {
                        turns++;
                        continue;
                }
                if (n <= 0)
                        break;
                len += (size_t)n;
                buf[len] = '\0';
                if (strstr(buf, want) != NULL)
                        return true;
        }
        if (n < 0)
                return OK(n);
        fault_shows();
        return false;
}

static void
talk(green_socket *s)
{
        CHECK_INT(green_socket_set_timeout(s, BRIEF), 0);
        if (ask(s, "", "token: ") && ask(s, "open\n", "> ") && ask(s, "get number\n", "number = "))
                (void)ask(s, "ps\n", "main");
        (void)OK(green_socket_free(s));
}

struct service {
        green_socket *listener;
        int rc;
};

static void *
serve(void *arg)
{
        struct service *service = arg;

        service->rc = green_backdoor_server(service->listener, &opts);
        if (service->rc != GREEN_EKILLED)
                (void)OK(service->rc);
        return NULL;
}

static void
serving(void)
{
        const struct green_connect_opts patience = {.size = sizeof patience, .timeout = SOON};
        struct service service = {NULL, 1};
        char address[GREEN_ADDR_TEXT_SIZE];
        green_thread *gt = NULL;
        struct green_addr addr;
        green_socket *s;
        int rc;

        peer_may_be_gone();
        if (!MADE(green_get_hub()) || !MADE(service.listener = green_listen("127.0.0.1:0", NULL)))
                return;
        if (OK(green_socket_getsockname(service.listener, &addr)) && MADE(gt = green_spawn(serve, &service))) {
                green_addr_format(&addr, address, sizeof address);
                errno = 0;
                if (MADE(s = green_connect(address, &patience)))
                        talk(s);
                CHECK_INT(green_kill(gt, 0), 0);
        }
        rc = fault_join(gt);
        if (rc != GREEN_EKILLED)
                (void)OK(rc);
        (void)OK(green_socket_close(service.listener));
        (void)OK(green_socket_free(service.listener));
}

static void
one_console(void)
{
        green_socket *pair[2];

        peer_may_be_gone();
        if (!MADE(green_get_hub()) || !OK(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair)))
                return;
        if (OK(green_backdoor(pair[1], &opts))) {
                talk(pair[0]);
        } else {
                (void)OK(green_socket_free(pair[0]));
                (void)OK(green_socket_free(pair[1]));
        }
        /* It ends when it sees that its client has gone. */
        for (int i = 0; i < 5; i++)
                (void)OK(green_sleep(0.001));
}

static void
on_signal(void)
{
        if (!MADE(green_get_hub()) || !OK(green_backdoor_on_signal(SIGUSR2, "127.0.0.1:0", &opts)))
                return;
        for (int i = 0; i < 2; i++) {
                fault_pause();
                CHECK_INT(raise(SIGUSR2), 0);
                fault_resume();
                (void)OK(green_sleep(0.001));
        }
        CHECK_INT(green_backdoor_on_signal(SIGUSR2, NULL, NULL), 0);
}

/* ---- the rows */

#define LOGGED                                                                                                         \
        (ALTSTACK | FAULT_BIT(alloc) | FAULT_BIT(socket) | FAULT_BIT(bind) | FAULT_BIT(listen) |                       \
         FAULT_BIT(setsockopt) | FAULT_BIT(accept4) | FAULT_BIT(getsockname) | FAULT_BIT(epoll_ctl) |                  \
         FAULT_BIT(fcntl) | FAULT_BIT(close) | FAULT_BIT(sigaction))
#define SERVES                                                                                                         \
        (ALTSTACK | LOOKS | FAULT_BIT(accept4) | FAULT_BIT(alloc) | FAULT_BIT(epoll_ctl) | FAULT_BIT(setsockopt) |     \
         FAULT_BIT(getpeername) | FAULT_BIT(pread) | FAULT_BIT(recv) | FAULT_BIT(send))
#define SCENARIOS(X)                                                                                                   \
        X(by_hand, ALTSTACK | LOOKS, FEWER)                                                                            \
        X(with_lua, ALTSTACK, FEWER)                                                                                   \
        X(serving, SERVES, FEWER)                                                                                      \
        X(one_console, SERVES, FEWER)                                                                                  \
        X(on_signal, LOGGED, FEWER)

FAULT_DEFINE(SCENARIOS)

static void signals_without_end_disturb_nothing(void){SCENARIOS(FAULT_STORM_ROW)}

GREEN_SUITE(fault_backdoor){SCENARIOS(FAULT_TEST_ROW) GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
                            GREEN_SUITE_END};
