/*
 * The monotonic clock on Windows.
 */
#include "hub_priv.h"

#include <windows.h>

int64_t
green__clock_monotonic(void)
{
        static _Atomic(int64_t) rate; /* counts a second; the same for as long as the system runs */
        int64_t per_second = atomic_load_explicit(&rate, memory_order_relaxed);
        LARGE_INTEGER count;

        if (per_second == 0) {
                LARGE_INTEGER found;

                QueryPerformanceFrequency(&found);
                per_second = found.QuadPart;
                atomic_store_explicit(&rate, per_second, memory_order_relaxed);
        }
        QueryPerformanceCounter(&count);
        /* In two steps: counts times nanoseconds leave 64 bits after half an hour. */
        return count.QuadPart / per_second * 1000000000 + count.QuadPart % per_second * 1000000000 / per_second;
}

/* The system does not say what it counts, and where it can it reads the cycle counter without a system call anyway. */
bool
green__cycles_trusted(void)
{
        return false;
}
