/* What check_gdb.sh looks into: green threads that wait, and one that runs. */
#include <green/core.h>

#include <stdio.h>
#include <unistd.h>

#define AGAIN() __asm__ volatile("" ::: "memory")

static struct green_waitq queue;
static int fds[2];

int target_inner(int depth);
void *target_reads(void *arg);
void *target_parks(void *arg);
void *target_runs(void *arg);
void target_stop(void);

__attribute__((noinline)) int
target_inner(int depth)
{
        int rc = depth > 0 ? target_inner(depth - 1) : green_trampoline(fds[0], GREEN_READ, 100);

        AGAIN();
        return rc;
}

void *
target_reads(void *arg)
{
        int rc = target_inner(2);

        AGAIN();
        return rc == 0 ? arg : green_fail(rc);
}

void *
target_parks(void *arg)
{
        struct green_wait w;
        int rc = green_park(&queue, &w, GREEN_FOREVER);

        AGAIN();
        return rc == 0 ? arg : green_fail(rc);
}

__attribute__((noinline)) void
target_stop(void)
{
        AGAIN();
}

void *
target_runs(void *arg)
{
        target_stop();
        AGAIN();
        return arg;
}

int
main(void)
{
        green_thread *gt;

        if (pipe(fds) != 0 || green_spawn_n(target_reads, NULL) != 0)
                return 1;
        gt = green_spawn(target_parks, NULL);
        if (green_thread_set_name(gt, "parker") != 0 || green_sleep(0) != 0)
                return 1;
        gt = green_spawn(target_runs, NULL);
        if (green_thread_wait(gt, NULL) != 0)
                return 1;
        puts("went on");
        return 0;
}
