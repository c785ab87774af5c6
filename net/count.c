/*
 * The counters of the OS thread: see count.h.
 */
#include <config.h>

#include "count.h"

_Thread_local struct green_metrics_counters *green__counters_here;

struct green_metrics_counters *
green__counters_find(void)
{
        green__counters_here = green_metrics_counters();
        return green__counters_here;
}
