/* The peer of green_lock.c where nobody else wants the lock: a POSIX mutex of the default kind. */
#include "bench.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double
uncontended(long times)
{
        double begin = bench_now();

        for (long i = 0; i < times; i++)
                bench_check(pthread_mutex_lock(&lock) == 0 && pthread_mutex_unlock(&lock) == 0, "lock");
        return (bench_now() - begin) * 1e9 / (double)times;
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 5000000);

        (void)uncontended(times / 10 + 1);
        bench_print("lock_uncontended", "ns", uncontended(times));
        return 0;
}
