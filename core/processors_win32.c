/*
 * How many processors there are for this process, on Windows. See <green/hubs.h>.
 */
#include <stdatomic.h>

#include <windows.h>

#include <green/hubs.h>

static int
count(void)
{
        DWORD_PTR own, all;
        SYSTEM_INFO info;

        /* Both are 0 where the process runs in several groups of processors: then all of them count. */
        if (GetProcessAffinityMask(GetCurrentProcess(), &own, &all) && own != 0)
                return __builtin_popcountll(own);
        int n = (int)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
        if (n > 0)
                return n;
        GetSystemInfo(&info);
        return (int)info.dwNumberOfProcessors;
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
