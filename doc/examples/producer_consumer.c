/*
 * A bounded queue between producers and consumers: producer_consumer [JOBS]
 *
 * Two producers make jobs, three consumers work them off, and the queue holds four at most: a producer that is faster than
 * the consumers waits. When all jobs are done the queue is shut down, which ends the consumers.
 */
#include <green/sync.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRODUCERS = 2, CONSUMERS = 3, ROOM = 4 };

struct job {
        int number, made_by;
};

static green_queue *jobs;
static int total, next_number, most_waiting;

static void *
produce(void *arg)
{
        while (next_number < total) {
                struct job *job = malloc(sizeof *job);
                int rc;

                if (job == NULL)
                        return green_fail(-ENOMEM);
                *job = (struct job){.number = ++next_number, .made_by = (int)(intptr_t)arg};
                rc = green_queue_put(jobs, job, GREEN_FOREVER);
                if (rc != 0) {
                        /* Not taken: still ours. */
                        free(job);
                        return green_fail(rc);
                }
                if ((int)green_queue_qsize(jobs) > most_waiting)
                        most_waiting = (int)green_queue_qsize(jobs);
        }
        return NULL;
}

static void *
consume(void *arg)
{
        void *item;
        int rc, done = 0;

        while ((rc = green_queue_get(jobs, &item, GREEN_FOREVER)) == 0) {
                struct job *job = item;

                (void)!green_sleep(0.001 * (job->number % 3)); /* the work */
                free(job);
                green_queue_task_done(jobs);
                done++;
        }
        printf("consumer %d: %d jobs\n", (int)(intptr_t)arg, done);
        return rc == GREEN_ECLOSED ? NULL : green_fail(rc);
}

int
main(int argc, char **argv)
{
        const struct green_queue_opts opts = {.size = sizeof opts, .kind = GREEN_QUEUE_JOINABLE, .free_item = free};
        green_thread *producers[PRODUCERS], *consumers[CONSUMERS];
        int rc = 0;

        total = argc > 1 ? atoi(argv[1]) : 100;
        jobs = green_queue_new(ROOM, &opts);
        if (jobs == NULL)
                return fprintf(stderr, "producer_consumer: %s\n", green_last_error()->message), 1;
        for (intptr_t i = 0; i < CONSUMERS; i++)
                consumers[i] = green_spawn(consume, (void *)i);
        for (intptr_t i = 0; i < PRODUCERS; i++)
                producers[i] = green_spawn(produce, (void *)i);
        for (int i = 0; i < PRODUCERS && rc == 0; i++)
                rc = green_thread_wait(producers[i], NULL);
        /* All are in the queue, or further. A consumer that fails would be waited for in vain: not for ever. */
        if (rc == 0)
                rc = green_queue_join(jobs, 60);
        green_queue_shutdown(jobs);
        for (int i = 0; i < CONSUMERS && rc == 0; i++)
                rc = green_thread_wait(consumers[i], NULL);
        if (rc != 0)
                return fprintf(stderr, "producer_consumer: %s\n", green_strerror(rc)), 1;
        for (int i = 0; i < PRODUCERS; i++)
                green_thread_unref(producers[i]);
        for (int i = 0; i < CONSUMERS; i++)
                green_thread_unref(consumers[i]);
        green_queue_free(jobs);
        printf("%d jobs, never more than %d waiting\n", next_number, most_waiting);
        return 0;
}
