/* What the tests of backdoors share: a server, and clients that talk to it. */
#ifndef GREEN_TESTS_NET_BACKDOOR_H
#define GREEN_TESTS_NET_BACKDOOR_H

#include "net_suite.h"

#include <inttypes.h>

#define SOON (10 * suite_slow())
#define PROMPT "%> "
#define OPTS .size = sizeof(struct green_backdoor_opts), .prompt = PROMPT

/* What walks stacks keeps a pipe from its first walk on. */
__attribute__((constructor)) static void
walk_once(void)
{
        (void)green_debug_hub_listener_stacks(true);
        (void)green_debug_hub_listener_stacks(false);
}

/* ---- a server */

struct served {
        const struct green_backdoor_opts *opts;
        green_socket *listener;
        green_thread *thread;
        char address[GREEN_ADDR_TEXT_SIZE];
        int rc;
        bool over;
};

MAYBE void *
run_server(void *arg)
{
        struct served *sv = arg;

        sv->rc = green_backdoor_server(sv->listener, sv->opts);
        sv->over = true;
        return NULL;
}

MAYBE bool
serve(struct served *sv, const char *address, const struct green_backdoor_opts *opts)
{
        struct green_addr addr;

        *sv = (struct served){.opts = opts, .listener = green_listen(address, NULL)};
        if (!CHECK(sv->listener != NULL) || !CHECK_INT(green_socket_getsockname(sv->listener, &addr), 0))
                return false;
        green_addr_format(&addr, sv->address, sizeof sv->address);
        sv->thread = green_spawn(run_server, sv);
        green_sleep(0);
        return CHECK(sv->thread != NULL) && CHECK(!sv->over);
}

MAYBE void
stop(struct served *sv)
{
        CHECK(!sv->over);
        CHECK_INT(green_kill(sv->thread, 0), 0);
        CHECK_INT(green_thread_wait(sv->thread, NULL), GREEN_EKILLED);
        CHECK_INT(sv->rc, GREEN_EKILLED);
        green_thread_unref(sv->thread);
        CHECK_INT(green_socket_fd(sv->listener), GREEN_INVALID_FD);
        CHECK_INT(green_socket_free(sv->listener), 0);
}

/* ---- a client */

struct client {
        green_socket *s;
        size_t len;       /* of what came and was not taken */
        char text[32768]; /* what until() took */
        char rest[32768];
};

MAYBE bool
dial(struct client *c, const char *address)
{
        *c = (struct client){.s = green_connect(address, NULL)};
        return CHECK(c->s != NULL) && CHECK_INT(green_socket_set_timeout(c->s, SOON), 0);
}

MAYBE void
adopt(struct client *c, green_socket *s)
{
        *c = (struct client){.s = s};
        CHECK_INT(green_socket_set_timeout(c->s, SOON), 0);
}

MAYBE void
hang_up(struct client *c)
{
        CHECK_INT(green_socket_free(c->s), 0);
        c->s = NULL;
}

MAYBE void
say_bytes(struct client *c, const char *bytes, size_t len)
{
        CHECK_INT(green_socket_sendall(c->s, bytes, len, 0, NULL), 0);
}

MAYBE void
say(struct client *c, const char *text)
{
        say_bytes(c, text, strlen(text));
}

/* Receive up to a text, and put all until there, without it, into c->text. */
MAYBE bool
until(struct client *c, const char *end)
{
        char *found;
        ssize_t n;

        while ((found = memmem(c->rest, c->len, end, strlen(end))) == NULL) {
                n = c->len == sizeof c->rest ? 0
                                             : green_socket_recv(c->s, c->rest + c->len, sizeof c->rest - c->len, 0);
                if (n <= 0)
                        return FAIL("no \"%s\" but \"%.*s\", then %s", end, (int)c->len, c->rest,
                                    green_strerror((int)n));
                c->len += (size_t)n;
        }
        memcpy(c->text, c->rest, (size_t)(found - c->rest));
        c->text[found - c->rest] = '\0';
        c->len -= (size_t)(found - c->rest) + strlen(end);
        memmove(c->rest, found + strlen(end), c->len);
        return true;
}

/* Receive up to the end; all of it is in c->text. */
MAYBE bool
until_end(struct client *c)
{
        ssize_t n = 1;

        while (n > 0) {
                n = green_socket_recv(c->s, c->rest + c->len, sizeof c->rest - c->len, 0);
                c->len += n > 0 ? (size_t)n : 0;
        }
        memcpy(c->text, c->rest, c->len);
        c->text[c->len] = '\0';
        c->len = 0;
        return CHECK(n == 0 || n == -ECONNRESET);
}

/* The answer to a line. */
MAYBE const char *
ask(struct client *c, const char *line)
{
        say(c, line);
        say(c, "\n");
        return until(c, PROMPT) ? c->text : "";
}

MAYBE bool
has(const char *text, const char *part)
{
        return strstr(text, part) != NULL || FAIL("no \"%s\" in \"%s\"", part, text);
}

/* Open a console, up to its first prompt. */
MAYBE bool
open_console(struct client *c, const char *address)
{
        return dial(c, address) && until(c, PROMPT);
}

/* A console on a pair of sockets. */
MAYBE bool
open_pair(struct client *c, const struct green_backdoor_opts *opts)
{
        struct pair p = unix_pair(SOCK_STREAM);

        adopt(c, p.a);
        if (!CHECK_INT(green_backdoor(p.b, opts), 0)) {
                CHECK_INT(green_socket_free(p.b), 0);
                return false;
        }
        return until(c, PROMPT);
}

#endif
