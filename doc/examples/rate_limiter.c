/*
 * No more than so many calls a second, and no more than so many at once: rate_limiter [CALLS]
 *
 * A bucket of tokens is a capped semaphore: each call takes a token and never gives it back; a green thread drips new ones
 * in, and waits where the bucket is full. A second, plain semaphore bounds the calls that are under way.
 */
#include <green/sync.h>
#include <stdio.h>
#include <stdlib.h>

enum { A_SECOND = 200, BURST = 10, AT_ONCE = 4 };

static green_semaphore *tokens, *places;
static int running, most_running, done;

static void *
drip(void *arg)
{
        int rc;

        (void)arg;
        while ((rc = green_sleep(1.0 / A_SECOND)) == 0)
                if ((rc = green_semaphore_release(tokens)) != 0)
                        break;
        return green_fail(rc);
}

static void *
call(void *arg)
{
        int rc = green_semaphore_acquire(tokens, GREEN_FOREVER);

        (void)arg;
        if (rc != 0)
                return green_fail(rc);
        /* Given back at the end of the block, also where the call fails, or is killed. */
        GREEN_SEMAPHORE_SCOPE(place, places);
        if (place.rc != 0)
                return green_fail(place.rc);
        if (++running > most_running)
                most_running = running;
        rc = green_sleep(0.002); /* the call */
        running--;
        done += rc == 0;
        return rc == 0 ? NULL : green_fail(rc);
}

int
main(int argc, char **argv)
{
        const struct green_semaphore_opts bucket = {.size = sizeof bucket, .kind = GREEN_SEMAPHORE_CAPPED, .limit = BURST};
        int calls = argc > 1 ? atoi(argv[1]) : 40;
        green_thread *dripper, **callers = calloc((size_t)calls, sizeof *callers);
        int rc = 0;

        tokens = green_semaphore_new(BURST, &bucket);
        places = green_semaphore_new(AT_ONCE, NULL);
        if (tokens == NULL || places == NULL || callers == NULL)
                return fprintf(stderr, "rate_limiter: out of memory\n"), 1;
        dripper = green_spawn(drip, NULL);
        for (int i = 0; i < calls; i++)
                callers[i] = green_spawn(call, NULL);
        for (int i = 0; i < calls && rc == 0; i++)
                rc = green_thread_wait(callers[i], NULL);
        if (rc != 0)
                return fprintf(stderr, "rate_limiter: %s\n", green_strerror(rc)), 1;
        green_kill(dripper, 0);
        for (int i = 0; i < calls; i++)
                green_thread_unref(callers[i]);
        green_thread_unref(dripper);
        free(callers);
        green_semaphore_free(tokens);
        green_semaphore_free(places);
        printf("%d calls, never more than %d at once\n", done, most_running);
        return 0;
}
