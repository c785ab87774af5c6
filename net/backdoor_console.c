/*
 * A console: its life, what is printed to it, and the loop that asks, reads and runs. See <green/backdoor.h>.
 */
#include "backdoor_priv.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include <green/hubs.h>
#include <green/timeout.h>
#include <green/version.h>

/* Seconds that one who has a token has to say it, and those that one who has a wrong one waits. */
#define TOKEN_SECONDS 30.0
#define WRONG_SECONDS 0.5

/* The console whose green thread runs. */
static _Thread_local green_backdoor_console *here;

/* ---- life */

int
green__backdoor_take(struct green_backdoor_opts *own, const struct green_backdoor_opts *given)
{
        int rc = green_opts_take(own, sizeof *own, given);

        if (rc != 0 || isnan(own->idle_timeout) || own->idle_timeout < 0)
                return green_set_error(-EINVAL, "backdoor: bad options");
        for (const struct green_backdoor_variable *v = own->variables; v != NULL && v->name != NULL; v++)
                if (!green__backdoor_variable_ok(v))
                        return green_set_error(-EINVAL, "backdoor: the variable \"%.64s\" is not whole", v->name);
        own->size = sizeof *own;
        if (own->prompt == NULL)
                own->prompt = "> ";
        if (own->max_consoles == 0)
                own->max_consoles = 8;
        return 0;
}

static char *
copy(const char *text)
{
        size_t size = strlen(text) + 1;
        char *own = green_malloc(size);

        if (own != NULL)
                memcpy(own, text, size);
        return own;
}

static void
release(green_backdoor_console *c)
{
        green_free(c->token);
        green_free(c->prompt);
        green_free(c);
}

green_backdoor_console *
green_backdoor_console_new(green_stream *stream, const struct green_backdoor_opts *opts)
{
        struct green_backdoor_opts o;
        green_backdoor_console *c;

        if (stream == NULL) {
                green_set_error(-EINVAL, "backdoor: there is no stream");
                return NULL;
        }
        if (green__backdoor_take(&o, opts) != 0)
                return NULL;
        c = green_calloc(1, sizeof *c);
        if (c != NULL) {
                c->variables = o.variables;
                c->idle_timeout = o.idle_timeout;
                c->read_only = o.read_only;
                c->prompt = copy(o.prompt);
                c->token = o.token == NULL ? NULL : copy(o.token);
        }
        if (c == NULL || c->prompt == NULL || (o.token != NULL && c->token == NULL)) {
                if (c != NULL)
                        release(c);
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        c->stream = stream;
        return c;
}

int
green_backdoor_console_finalize(green_backdoor_console *c)
{
        if (c == NULL)
                return 0;
        if (c->running)
                return green_set_error(-EBUSY, "backdoor: the console runs");
        green_backdoor_console_switch_out(c);
        (void)green_stream_close(c->stream);
        (void)green_stream_free(c->stream);
        release(c);
        return 0;
}

/* ---- printing */

void
green_backdoor_console_switch(green_backdoor_console *c)
{
        here = c;
}

void
green_backdoor_console_switch_out(green_backdoor_console *c)
{
        if (here == c)
                here = NULL;
}

static void
on_out(green_thread *gt, void *arg)
{
        (void)gt;
        green_backdoor_console_switch_out(arg);
}

static void
on_in(green_thread *gt, void *arg)
{
        (void)gt;
        green_backdoor_console_switch(arg);
}

int
green__backdoor_hook(green_thread *gt, green_backdoor_console *c)
{
        return c == NULL ? green_thread_set_switch_hooks(gt, NULL, NULL, NULL)
                         : green_thread_set_switch_hooks(gt, on_out, on_in, c);
}

bool
green__backdoor_is_gone(green_backdoor_console *c, ssize_t rc)
{
        if (rc == -EPIPE || rc == -ECONNRESET || rc == -ENOTCONN)
                c->gone = true;
        return c->gone;
}

int
green__backdoor_write(green_backdoor_console *c, const char *text, size_t len)
{
        size_t done = 0;

        while (done < len && !c->gone) {
                ssize_t n = green_stream_write(c->stream, text + done, len - done);

                if (n < 0 && !green__backdoor_is_gone(c, n))
                        return (int)n;
                done += n > 0 ? (size_t)n : 0;
        }
        return 0;
}

static __attribute__((format(printf, 2, 0))) int
print(green_backdoor_console *c, const char *format, va_list args)
{
        va_list again;
        int n;

        va_copy(again, args);
        n = c->gone ? vsnprintf(NULL, 0, format, args) : green_stream_vprintf(c->stream, format, args);
        /* It counts as printed. */
        if (n < 0 && green__backdoor_is_gone(c, n))
                n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        return n;
}

int
green_backdoor_printf(green_backdoor_console *c, const char *format, ...)
{
        va_list args;
        int n;

        if (c == NULL || format == NULL)
                return -EINVAL;
        va_start(args, format);
        n = print(c, format, args);
        va_end(args);
        return n;
}

int
green_backdoor_print(const char *format, ...)
{
        va_list args;
        int n;

        if (format == NULL)
                return -EINVAL;
        if (here == NULL)
                return 0;
        va_start(args, format);
        n = print(here, format, args);
        va_end(args);
        return n;
}

/* ---- the loop */

int
green__backdoor_ask(green_backdoor_console *c, const char *prompt, double timeout)
{
        struct green_timeout t = {{0}};
        int rc = timeout > 0 ? green_timeout_start(&t, timeout) : 0;

        if (rc != 0)
                return rc;
        rc = green__backdoor_write(c, prompt, strlen(prompt));
        if (rc == 0) {
                rc = green_stream_flush(c->stream);
                if (rc != 0 && green__backdoor_is_gone(c, rc))
                        rc = 0;
        }
        if (rc == 0)
                rc = green__backdoor_read_line(c);
        if (timeout > 0 && green_timeout_cancel(&t) == 1) {
                (void)green_backdoor_printf(c, "\nclosed: nothing came for %g seconds\n", timeout);
                return -ETIMEDOUT;
        }
        return rc;
}

/* The time it takes does not tell how much of it is right. */
static bool
is_token(const char *said, const char *token)
{
        size_t len = strlen(said), want = strlen(token);
        volatile unsigned char wrong = len != want;

        for (size_t i = 0; i < want; i++)
                wrong = (unsigned char)(wrong | (said[i < len ? i : len] ^ token[i]));
        return wrong == 0;
}

/* A page in a browser of this machine can have it send a request to a loopback port, with lines in its body: they are
 * not run. */
static bool
is_http(const char *line)
{
        size_t len = strlen(line);

        return (len > 9 && memcmp(line + len - 9, " HTTP/1.", 8) == 0) || strncmp(line, "Host:", 5) == 0;
}

/* 1: let it in. 0: it went. A code. */
static int
admit(green_backdoor_console *c)
{
        double limit = c->idle_timeout > 0 && c->idle_timeout < TOKEN_SECONDS ? c->idle_timeout : TOKEN_SECONDS;
        int rc;

        if (c->token == NULL)
                return 1;
        rc = green__backdoor_ask(c, "token: ", limit);
        if (rc == 1 && is_token(c->line, c->token))
                return 1;
        if (rc != 1 && rc != -EMSGSIZE)
                return rc == -EINTR ? 0 : rc;
        rc = green_sleep(WRONG_SECONDS);
        if (rc == 0)
                rc = green__backdoor_complain(c, "wrong token");
        return rc == 0 ? green_set_error(-EACCES, "backdoor: wrong token") : rc;
}

/* 1, or a code. */
static int
greet(green_backdoor_console *c)
{
        int n = green_backdoor_printf(
                c, "green-net %s, hub %s, process %ld. \"help\" lists commands, \"quit\" ends.\n%s", green_version(),
                green_hub_name(green_get_hub()), (long)getpid(), c->read_only ? "This console can only look.\n" : "");

        return n < 0 ? n : 1;
}

/* One line: 1 to go on, 0 at the end, or a code. */
static int
turn(green_backdoor_console *c)
{
        int rc = green__backdoor_ask(c, c->prompt, c->idle_timeout);

        switch (rc) {
        case 1:
                if (is_http(c->line))
                        return green_set_error(-EPROTO, "backdoor: an HTTP request");
                rc = green__backdoor_run_line(c, c->line);
                break;
        case -EMSGSIZE:
                rc = green__backdoor_complain(c, "the line is too long: %d bytes at most", GREEN__BACKDOOR_LINE);
                break;
        case -EINTR:
                rc = green__backdoor_write(c, "\n", 1);
                break;
        default:
                return rc;
        }
        return rc != 0 ? rc : !c->quit && !c->gone;
}

/* What was printed last goes out, and control comes and goes without the console. */
static int
leave(green_backdoor_console *c, green_thread *self, int rc)
{
        int flushed = c->gone || rc != 0 ? 0 : green_stream_flush(c->stream);

        (void)green__backdoor_hook(self, c->outer);
        here = c->outer;
        c->outer = NULL;
        c->running = false;
        return flushed != 0 && !green__backdoor_is_gone(c, flushed) ? flushed : rc;
}

int
green_backdoor_console_run(green_backdoor_console *c)
{
        green_thread *self = green_getcurrent();
        int rc;

        if (c == NULL)
                return -EINVAL;
        if (c->running)
                return green_set_error(-EBUSY, "backdoor: the console runs");
        if (self == NULL)
                return green_set_error(-EDEADLK, "backdoor: a console cannot run here");
        rc = green__backdoor_hook(self, c);
        if (rc != 0)
                return rc;
        c->outer = here;
        c->running = true;
        c->quit = false;
        here = c;
        rc = admit(c);
        if (rc > 0)
                rc = greet(c);
        while (rc > 0)
                rc = turn(c);
        return leave(c, self, rc);
}
