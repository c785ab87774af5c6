/*
 * What hub_late tells a test: dlsym(dlopen(path, RTLD_NOW | RTLD_NOLOAD), "green_test_late_stats").
 */
#ifndef GREEN_TESTS_HUB_LATE_H
#define GREEN_TESTS_HUB_LATE_H

#include <green/base.h>

#include <stdatomic.h>

/* Counts, of all OS threads together. */
struct hub_late_stats {
        atomic_ulong adds, modifies, removes, waits, wakes;
        atomic_ulong submits;               /* operations that were taken */
        atomic_ulong kinds[8];              /* of them, by enum green_op_kind */
        atomic_ulong reports;               /* of them, by wait() */
        atomic_ulong pieces;                /* reports of multishot operations */
        atomic_ulong no_buffers;            /* of them, those that say that there was none */
        atomic_ulong buffers;               /* that were handed to core */
        atomic_ulong releases;              /* that came back */
        atomic_ulong most_out;              /* buffers that core had */
        atomic_ulong cancels;               /* calls of cancel() */
        atomic_ulong done_though_cancelled; /* cancelled operations that were reported with what they did */
        atomic_ulong most_in_flight;
};

/* Does hub_late know edges? Without them it is told anew for each wait. */
#if defined(_WIN32)
#define HUB_LATE_HAS_EDGES 0
#else
#define HUB_LATE_HAS_EDGES 1
#endif

extern GREEN_API struct hub_late_stats green_test_late_stats;

#endif
