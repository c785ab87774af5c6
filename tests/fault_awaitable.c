/*
 * Each allocation and system call fails in its turn where operations of other libraries are awaited; see fault_core.c.
 */
#include "fault.h"

#include <errno.h>

#include <green/sync.h>

#define SOON 5.0

/* As in fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

/* A pause, as a library with callbacks has it. */
struct pause {
        struct green_watch watch;
        struct green_awaitable aw;
        green_completion *done;
        double seconds;
        int code;
        int live; /* begun and not ended */
};

static void
pause_over(struct green_watch *w, int result, void *arg)
{
        struct pause *p = arg;

        (void)w;
        CHECK_INT(result, -ETIMEDOUT);
        p->live--;
        if (p->code == 0)
                CHECK_INT(green_complete(p->done, p), 0);
        else
                CHECK_INT(green_complete_error(p->done, p->code), 0);
}

static int
pause_start(void *arg, green_completion *done)
{
        struct pause *p = arg;
        int rc;

        p->done = done;
        green_watch_init(&p->watch, pause_over, p);
        rc = green_watch_start(&p->watch, GREEN_INVALID_FD, 0, p->seconds);
        p->live += rc == 0;
        return rc;
}

static void
pause_cancel(void *arg, green_completion *done)
{
        struct pause *p = arg;

        CHECK(green_watch_stop(&p->watch));
        p->live--;
        CHECK_INT(green_complete_error(done, -ECANCELED), 0);
}

static void
pause_init(struct pause *p, double seconds)
{
        *p = (struct pause){.seconds = seconds};
        p->aw = (struct green_awaitable){.size = sizeof p->aw, .start = pause_start, .cancel = pause_cancel, .arg = p};
}

static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

/* As it is meant to, or with what was injected. */
static bool
fails_with(int want, int rc)
{
        return CHECK(rc != 0) && OK(rc == want ? 0 : rc);
}

static void
awaiting(void)
{
        struct pause p;
        struct green_timeout t = {{0}};
        void *result = NULL;

        if (!have_hub())
                return;
        pause_init(&p, 0.001);
        if (OK(green_await(&p.aw, &result)))
                CHECK_PTR(result, &p);
        p.code = -EXDEV;
        (void)fails_with(-EXDEV, green_await(&p.aw, &result));
        pause_init(&p, SOON);
        if (OK(green_timeout_start(&t, 0.001))) {
                (void)fails_with(GREEN_ETIMEOUT, green_await(&p.aw, NULL));
                (void)green_timeout_cancel(&t);
        }
        CHECK_INT(p.live, 0);
}

static void
spawning(void)
{
        struct pause p[2];
        green_thread *gt;

        if (!have_hub())
                return;
        pause_init(&p[0], 0.001);
        pause_init(&p[1], SOON);
        if (MADE(gt = green_spawn_for_awaitable(&p[0].aw)))
                (void)OK(fault_join(gt));
        if (MADE(gt = green_spawn_for_awaitable(&p[1].aw))) {
                (void)OK(green_sleep(0.001));
                CHECK_INT(green_kill(gt, 0), 0);
                (void)fails_with(GREEN_EKILLED, fault_join(gt));
        }
        CHECK_INT(p[0].live + p[1].live, 0);
}

static void *
sleep_some(void *arg)
{
        int rc = green_sleep(0.001);

        return rc == 0 ? arg : green_fail(rc);
}

static void
green_threads(void)
{
        struct green_awaitable aw;
        green_thread *gt;
        void *result = NULL;

        if (!have_hub() || !MADE(gt = green_spawn(sleep_some, &aw)))
                return;
        CHECK_INT(green_awaitable_thread(&aw, gt), 0);
        if (OK(green_await(&aw, &result)))
                CHECK_PTR(result, &aw);
        (void)OK(fault_join(gt));
}

/* ---- the scenarios, in alphabetical order */

#define SCENARIOS(X)                                                                                                   \
        X(awaiting, ALTSTACK, FEWER)                                                                                   \
        X(green_threads, ALTSTACK, FEWER)                                                                              \
        X(spawning, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

GREEN_SUITE(fault_awaitable) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
        GREEN_SUITE_END
};
