/*
 * Green threads inside a GLib main loop, as GTK programs have: embed_glib
 *
 * The first part is the embedding: copy it. It makes the hub of this OS thread a GSource, that is something which the
 * main loop asks before it waits (prepare), asks again after it (check), and calls if it has something to do
 * (dispatch). The second part shows that it works: see embed_demo.h.
 */
#include "embed_demo.h"

#include <glib.h>
#include <green/core.h>
#include <stdio.h>

/* ---- the embedding */

struct green_source {
        GSource source;
        GMainContext *context; /* borrowed: the source lives in it */
        GPollFD fd;            /* the hub's descriptor. With g_source_add_unix_fd() check() could not say no */
        gboolean told;         /* something was made ready outside a step */
        gboolean others_first; /* the last step has left something to do: let the loop turn once before the next */
        void (*stopped)(int code, void *arg);
        void *arg;
};

/* Milliseconds until the next step, rounded up: a timer that wakes the loop too early would make it spin. -1: none. */
static gint
milliseconds(double seconds)
{
        if (seconds > 1e6)
                return seconds >= GREEN_FOREVER ? -1 : 1000000000;
        return (gint)(seconds * 1000) + (seconds > 0);
}

static gboolean
green_source_prepare(GSource *source, gint *timeout)
{
        struct green_source *s = (struct green_source *)source;

        *timeout = s->told ? 0 : milliseconds(green_hub_timeout());
        return *timeout == 0 && !s->others_first;
}

static gboolean
green_source_check(GSource *source)
{
        struct green_source *s = (struct green_source *)source;

        /* A source that is always ready keeps all of lower priority from being called, redrawing and idle ones too. */
        if (s->others_first) {
                s->others_first = FALSE;
                return FALSE;
        }
        return s->told || s->fd.revents != 0 || green_hub_timeout() == 0;
}

/* One step takes no longer than a poll interval, some hundred microseconds, unless a green thread computes. */
static gboolean
green_source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
        struct green_source *s = (struct green_source *)source;
        int rc;

        (void)callback, (void)data;
        s->told = FALSE;
        rc = green_hub_step();
        s->others_first = rc == 1;
        if (rc < 0)
                s->stopped(rc, s->arg);
        return G_SOURCE_CONTINUE;
}

/* A callback of the loop's has spawned, woken or set a timer: prepare() may have been called before. */
static void
green_source_tell(void *arg)
{
        struct green_source *s = arg;

        s->told = TRUE;
        g_main_context_wakeup(s->context);
}

static void
green_source_finalize(GSource *source)
{
        (void)source;
        (void)green_hub_set_notify(NULL, NULL);
}

static GSourceFuncs green_source_funcs = {
        .prepare = green_source_prepare,
        .check = green_source_check,
        .dispatch = green_source_dispatch,
        .finalize = green_source_finalize,
};

/*
 * Puts the hub of this OS thread into the context, before anything else of green-net is used in it; NULL is the default
 * context. stopped is called with the code of green_hub_stop(), or of a hub that has failed. End it by
 * g_source_destroy(), then g_source_unref(), then green_hub_destroy(). NULL: green_last_error() says why.
 */
static GSource *
green_source_new(GMainContext *context, void (*stopped)(int code, void *arg), void *arg)
{
        struct green_source *s;
        green_fd fd;

        if (green_hub_embed() != 0)
                return NULL;
        fd = green_hub_fd();
        if (fd == GREEN_INVALID_FD)
                return NULL;
        s = (struct green_source *)g_source_new(&green_source_funcs, sizeof *s);
        s->context = context != NULL ? context : g_main_context_default();
        s->fd.fd = fd;
        s->fd.events = G_IO_IN;
        g_source_add_poll(&s->source, &s->fd);
        s->stopped = stopped;
        s->arg = arg;
        (void)green_hub_set_notify(green_source_tell, s);
        g_source_attach(&s->source, context);
        return &s->source;
}

/* ---- a program with a main loop */

static int stop_code;

static void
quit(void *loop)
{
        g_main_loop_quit(loop);
}

static void
hub_stopped(int code, void *loop)
{
        stop_code = code;
        g_main_loop_quit(loop);
}

static gboolean
tick(gpointer arg)
{
        (void)arg;
        return embed_demo_tick() ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
idle(gpointer arg)
{
        (void)arg;
        return embed_demo_idle() ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

int
main(void)
{
        GMainLoop *loop = g_main_loop_new(NULL, FALSE);
        GSource *green = green_source_new(NULL, hub_stopped, loop);

        if (green == NULL || embed_demo_begin(quit, loop) != 0)
                return fprintf(stderr, "embed_glib: %s\n", green_last_error()->message), 1;
        g_timeout_add(1, tick, NULL);
        g_idle_add(idle, NULL);
        g_main_loop_run(loop);

        g_source_destroy(green);
        g_source_unref(green);
        g_main_loop_unref(loop);
        return embed_demo_end(stop_code);
}
