/*
 * What the tests of the libevent hub share: a hub in a base of the test's, and what libevent has to say.
 */
#ifndef GREEN_TESTS_HUB_LIBEVENT_H
#define GREEN_TESTS_HUB_LIBEVENT_H

#include "core_suite.h"

#include <event2/event.h>

/* Lines that libevent would have printed. */
static int lev_lines;

static inline void
lev_line(int severity, const char *text)
{
        lev_lines++;
        fprintf(stderr, "libevent says (%d): %s\n", severity, text);
}

static inline void
lev_check(void)
{
        core_check_idle();
        CHECK_INT(lev_lines, 0);
        lev_lines = 0;
}

/* The base state: the usual hub, whatever the test before has used. */
static inline void
lev_setup(void)
{
        if (strcmp(green_hub_name(NULL), "libevent") == 0)
                CHECK(core_fresh_hub(NULL));
        core_setup();
}

static inline void
lev_init(void)
{
        core_init();
        suite_setup = lev_setup;
        suite_check = lev_check;
        event_set_log_callback(lev_line);
}

/* What to call the hub: by its path, where programs that hold private parts and others find it. */
static inline const char *
lev_name(void)
{
        const char *hub = getenv("GREEN_HUB");

        return hub != NULL && strstr(hub, "libevent") != NULL ? hub : "libevent";
}

/* Begins with a hub in this base; NULL: in one of its own. The base, or NULL where the test has failed. */
static inline struct event_base *
lev_begin(struct event_base *base)
{
        int rc;

        if (!CHECK_INT(green_hub_destroy(CORE_SOON), 0))
                return NULL;
        rc = green_use_hub_loop(lev_name(), base);
        if (rc != 0) {
                FAIL("no hub libevent: %s", green_last_error()->message);
                return NULL;
        }
        CHECK(base == NULL || green_hub_loop() == base);
        return green_hub_loop();
}

/* Ends it; with it the base, if it is the test's. */
static inline void
lev_end(struct event_base *base)
{
        CHECK(core_fresh_hub(NULL));
        if (base != NULL)
                event_base_free(base);
}

/* Waits until *flag is set, as a green thread that has nothing else to do. */
static inline bool
lev_until(const bool *flag)
{
        double end = core_now() + CORE_SOON;

        while (!*flag && core_now() < end)
                CHECK_INT(green_sleep(0.001), 0);
        return CHECK(*flag);
}

#endif
