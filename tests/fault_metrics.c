/* Each allocation and system call of metrics fails in its turn. See fault.h. */
#include "fault.h"

#include <stdlib.h>

/* See fault_core.c. */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

static void
tell_metrics(struct green_metrics_to *to, void *arg)
{
        green_metrics_counter(to, "fault_total", "Told.", NULL, 1);
        green_metrics_gauge(to, "fault", "Told.", "a=\"b\"", 0.5);
        green_metrics_seconds(to, "fault_seconds", "Told.", NULL, arg);
}

static void
take_metrics(void *arg, const char *text, size_t len)
{
        CHECK(memchr(text, '\0', len) == NULL);
        *(size_t *)arg += len;
}

static void
metrics(void)
{
        struct green_metrics_histogram h = {0};
        struct green_metrics m = {.size = sizeof m};
        struct green_metrics_source source = {{NULL}};
        size_t len = 0;

        if (!MADE(green_get_hub()))
                return;
        green_metrics_observe(&h, 5000);
        CHECK(green_metrics_quantile(&h, 1) > 0);
        green_metrics_counters()->accepts++;
        CHECK_INT(green_metrics_add(&source, tell_metrics, &h), 0);
        CHECK_INT(green_metrics_get(&m, true), 0);
        CHECK_INT(m.hubs, 1);
        CHECK_INT(green_metrics_format(take_metrics, &len), 0);
        CHECK(len > 1000);
        green_metrics_remove(&source);
}

#define SCENARIOS(X) X(metrics, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

GREEN_SUITE(fault_metrics){SCENARIOS(FAULT_TEST_ROW) GREEN_SUITE_END};
