/*
 * How many processors there are for this process. See <green/hubs.h>.
 */
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include <green/hubs.h>

static int
count(void)
{
#if defined(__linux__)
        cpu_set_t set;

        if (sched_getaffinity(0, sizeof(set), &set) == 0)
                return CPU_COUNT(&set);
#endif
        return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int
green_processors(void)
{
        static atomic_int known;
        int n = atomic_load_explicit(&known, memory_order_relaxed);

        if (n == 0) {
                n = count();
                n = n < 1 ? 1 : n;
                atomic_store_explicit(&known, n, memory_order_relaxed);
        }
        return n;
}
