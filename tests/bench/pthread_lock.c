/*
 * The peer of green_lock.c where nobody else wants the lock: a POSIX mutex of the default kind. pthread_lock TIMES [alone]
 *
 * There is a second OS thread, which waits: without one there would be no use for the mutex, and some C libraries then leave
 * out what makes it one. With `alone` there is none, and what is measured is that.
 */
#include "bench.h"

#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double
uncontended(long times)
{
        double begin = bench_now();

        for (long i = 0; i < times; i++)
                bench_check(pthread_mutex_lock(&lock) == 0 && pthread_mutex_unlock(&lock) == 0, "lock");
        return (bench_now() - begin) * 1e9 / (double)times;
}

static void *
wait_for_good(void *arg)
{
        for (;;)
                pause();
        return arg;
}

int
main(int argc, char **argv)
{
        long times = bench_count(argc, argv, 1, 5000000);

        if (argc < 3 || strcmp(argv[2], "alone") != 0) {
                pthread_t thread;

                bench_check(pthread_create(&thread, NULL, wait_for_good, NULL) == 0, "pthread_create");
        }
        (void)uncontended(times / 10 + 1);
        bench_print("lock_uncontended", "ns", uncontended(times));
        return 0;
}
