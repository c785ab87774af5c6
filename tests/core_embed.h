/* What the tests of embedding share: a hub that is embedded, and the embedder's loop. */
#ifndef GREEN_TESTS_CORE_EMBED_H
#define GREEN_TESTS_CORE_EMBED_H

#include "core_suite.h"

#include <poll.h>

/* The calling OS thread's hub becomes embedded; where that cannot be, the test is skipped. */
static inline bool
embed(void)
{
        int rc;

        if (!CHECK_INT(green_hub_destroy(CORE_SOON), 0))
                return false;
        rc = green_hub_embed();
        if (rc != GREEN_EHUB)
                return CHECK_INT(rc, 0);
        CHECK(strstr(green_last_error()->message, "runs an event loop itself") != NULL);
        suite_skip("this hub runs an event loop itself, and can live in none");
        return false;
}

/* The same, where the hub has a descriptor to wait for; else the test is skipped. */
static inline bool
embed_with_fd(void)
{
        if (!embed())
                return false;
        if (green_hub_fd() != GREEN_INVALID_FD)
                return true;
        suite_skip("this hub has no descriptor to wait for");
        return CHECK_INT(green_hub_destroy(CORE_SOON), 0) && false;
}

/* And an ordinary one again. */
static inline void
unembed(void)
{
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK(green_getcurrent() != NULL || green_hub_ident() != 0);
}

/* The embedder's loop: until *done, or the time is over. How often it slept. A step takes what is due, so it does not spin. */
static inline int
loop_until(const bool *done)
{
        struct pollfd p = {.fd = green_hub_fd(), .events = POLLIN};
        double end = core_now() + CORE_SOON;
        bool over = false;
        int slept = 0;

        while (!*done && core_now() < end) {
                bool was_over = over;
                double limit;

                over = false;
                if (green_hub_step() != 0)
                        continue;
                limit = green_hub_timeout();
                over = limit == 0;
                CHECK(!over || !was_over);
                if (*done || over)
                        continue;
                if (limit > CORE_SOON)
                        limit = CORE_SOON;
                slept++;
                CHECK(poll(&p, 1, (int)(limit * 1000) + 1) >= 0);
        }
        CHECK(*done);
        return slept;
}

static inline void *
set_flag(void *arg)
{
        CHECK(green_getcurrent() != NULL);
        core_set_flag(arg);
        return NULL;
}

static inline void
count_call(void *arg)
{
        ++*(int *)arg;
}

#endif
