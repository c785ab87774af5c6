/*
 * Green threads inside a libuv loop: embed_libuv
 *
 * The first part is the embedding: copy it. Before the loop waits (uv_prepare) the hub says how long it may; after it
 * (uv_check) the hub makes a step, if its descriptor was readable, or its time has come. The second part shows that it
 * works: see embed_demo.h.
 */
#include "embed_demo.h"

#include <green/core.h>
#include <stdio.h>
#include <uv.h>

/* ---- the embedding */

struct green_uv {
        uv_poll_t poll;       /* the hub's descriptor */
        uv_timer_t timer;     /* its next time limit */
        uv_prepare_t prepare; /* before the loop waits */
        uv_check_t check;     /* after it */
        uv_idle_t idle;       /* while it runs, the loop looks around and does not wait */
        bool ready;           /* the descriptor was readable, or something was made ready outside a step */
        void (*stopped)(int code, void *arg);
        void *arg;
};

static void
green_uv_nothing(uv_idle_t *idle)
{
        (void)idle;
}

/* The timer only ends the wait: the step is made after it. */
static void
green_uv_time(uv_timer_t *timer)
{
        (void)timer;
}

static void
green_uv_readable(uv_poll_t *poll, int status, int events)
{
        struct green_uv *g = poll->data;

        (void)status, (void)events;
        g->ready = true;
}

/* A callback of the loop's has spawned, woken or set a timer: the prepare callback may have been called before. */
static void
green_uv_tell(void *arg)
{
        struct green_uv *g = arg;

        g->ready = true;
        uv_idle_start(&g->idle, green_uv_nothing);
}

/*
 * Each turn of the loop begins anew with how long it may wait. Where a step has left something to do it does not wait,
 * but calls whatever else is ready before the next step.
 */
static void
green_uv_before(uv_prepare_t *prepare)
{
        struct green_uv *g = prepare->data;
        double seconds = g->ready ? 0 : green_hub_timeout();

        if (seconds == 0) {
                uv_idle_start(&g->idle, green_uv_nothing);
                return;
        }
        uv_idle_stop(&g->idle);
        if (seconds >= GREEN_FOREVER) {
                uv_timer_stop(&g->timer);
                return;
        }
        uv_update_time(prepare->loop); /* the timer counts from the loop's idea of now */
        /* Rounded up: a timer that ends the wait too early would make the loop spin. */
        uv_timer_start(&g->timer, green_uv_time, seconds > 1e9 ? 1000000000000 : (uint64_t)(seconds * 1000) + 1, 0);
}

/* One step takes no longer than a poll interval, some hundred microseconds, unless a green thread computes. */
static void
green_uv_after(uv_check_t *check)
{
        struct green_uv *g = check->data;
        int rc;

        if (!g->ready && green_hub_timeout() > 0)
                return;
        g->ready = false;
        rc = green_hub_step();
        if (rc < 0)
                g->stopped(rc, g->arg);
}

/*
 * Puts the hub of this OS thread into the loop, before anything else of green-net is used in it. stopped is called with
 * the code of green_hub_stop(), or of a hub that has failed. 0, or a code: green_last_error() says why. g stays in use
 * until the loop has closed what green_uv_end() ended.
 */
static int
green_uv_begin(struct green_uv *g, uv_loop_t *loop, void (*stopped)(int code, void *arg), void *arg)
{
        int rc = green_hub_embed();
        green_fd fd;

        if (rc != 0)
                return rc;
        fd = green_hub_fd();
        if (fd == GREEN_INVALID_FD)
                return green_last_error()->code;
        /* Codes of libuv are those of the system here. */
        rc = uv_poll_init(loop, &g->poll, fd);
        if (rc != 0)
                return green_set_error(rc, "libuv cannot poll: %s", uv_strerror(rc));
        uv_timer_init(loop, &g->timer);
        uv_prepare_init(loop, &g->prepare);
        uv_check_init(loop, &g->check);
        uv_idle_init(loop, &g->idle);
        g->poll.data = g->prepare.data = g->check.data = g;
        g->ready = false;
        g->stopped = stopped;
        g->arg = arg;
        uv_poll_start(&g->poll, UV_READABLE, green_uv_readable);
        uv_prepare_start(&g->prepare, green_uv_before);
        uv_check_start(&g->check, green_uv_after);
        return green_hub_set_notify(green_uv_tell, g);
}

/* Before green_hub_destroy(), which closes the descriptor. The loop runs once more to let go of the handles. */
static void
green_uv_end(struct green_uv *g)
{
        (void)green_hub_set_notify(NULL, NULL);
        uv_close((uv_handle_t *)&g->poll, NULL);
        uv_close((uv_handle_t *)&g->timer, NULL);
        uv_close((uv_handle_t *)&g->prepare, NULL);
        uv_close((uv_handle_t *)&g->check, NULL);
        uv_close((uv_handle_t *)&g->idle, NULL);
}

/* ---- a program with a loop */

static int stop_code;

static void
quit(void *loop)
{
        uv_stop(loop);
}

static void
hub_stopped(int code, void *loop)
{
        stop_code = code;
        uv_stop(loop);
}

static void
tick(uv_timer_t *timer)
{
        if (!embed_demo_tick())
                uv_timer_stop(timer);
}

static void
idle(uv_idle_t *handle)
{
        if (!embed_demo_idle())
                uv_idle_stop(handle);
}

int
main(void)
{
        struct green_uv green;
        uv_loop_t loop;
        uv_timer_t ticks;
        uv_idle_t idles;

        if (uv_loop_init(&loop) != 0)
                return fprintf(stderr, "embed_libuv: no loop\n"), 1;
        if (green_uv_begin(&green, &loop, hub_stopped, &loop) != 0 || embed_demo_begin(quit, &loop) != 0)
                return fprintf(stderr, "embed_libuv: %s\n", green_last_error()->message), 1;
        uv_timer_init(&loop, &ticks);
        uv_timer_start(&ticks, tick, 1, 1);
        uv_idle_init(&loop, &idles);
        uv_idle_start(&idles, idle);
        uv_run(&loop, UV_RUN_DEFAULT);

        uv_close((uv_handle_t *)&ticks, NULL);
        uv_close((uv_handle_t *)&idles, NULL);
        green_uv_end(&green);
        uv_run(&loop, UV_RUN_DEFAULT);
        if (uv_loop_close(&loop) != 0)
                return fprintf(stderr, "embed_libuv: something is left in the loop\n"), 1;
        return embed_demo_end(stop_code);
}
