/*
 * Dining philosophers with timeouts: philosophers [MEALS]
 *
 * Each needs the fork on both sides to eat. All begin with the left one, so all could sit there with one fork for ever. But a
 * philosopher who does not get the second fork in time puts the first one back, thinks for a while, and tries again.
 */
#include <green/sync.h>
#include <stdio.h>
#include <stdlib.h>

enum { PHILOSOPHERS = 5 };

static green_lock *forks[PHILOSOPHERS];
static int meals[PHILOSOPHERS], enough, given_up;

/* 0: eaten; -ETIMEDOUT: the second fork did not come. */
static int
try_to_eat(int who)
{
        green_lock *left = forks[who], *right = forks[(who + 1) % PHILOSOPHERS];
        int rc;

        GREEN_LOCK_SCOPE(first, left); /* put back at the end of the block, however that is left */
        if (first.rc != 0)
                return first.rc;
        rc = green_sleep(0.001); /* reach over */
        if (rc == 0)
                rc = green_lock_acquire(right, 0.002);
        if (rc != 0)
                return rc;
        rc = green_sleep(0.001); /* eat */
        green_lock_release(right);
        return rc;
}

static void *
dine(void *arg)
{
        int who = (int)(intptr_t)arg;

        while (meals[who] < enough) {
                int rc = try_to_eat(who);

                if (rc == 0)
                        meals[who]++;
                else if (rc == -ETIMEDOUT)
                        given_up++;
                else
                        return green_fail(rc);
                rc = green_sleep(0.001 * (1 + rand() % 5)); /* think */
                if (rc != 0)
                        return green_fail(rc);
        }
        return NULL;
}

int
main(int argc, char **argv)
{
        green_thread *guests[PHILOSOPHERS];
        int rc = 0;

        enough = argc > 1 ? atoi(argv[1]) : 10;
        for (int i = 0; i < PHILOSOPHERS; i++)
                if ((forks[i] = green_lock_new()) == NULL)
                        return fprintf(stderr, "philosophers: out of memory\n"), 1;
        for (intptr_t i = 0; i < PHILOSOPHERS; i++)
                guests[i] = green_spawn(dine, (void *)i);
        for (int i = 0; i < PHILOSOPHERS && rc == 0; i++)
                rc = green_thread_wait(guests[i], NULL);
        if (rc != 0)
                return fprintf(stderr, "philosophers: %s\n", green_strerror(rc)), 1;
        for (int i = 0; i < PHILOSOPHERS; i++) {
                green_thread_unref(guests[i]);
                green_lock_free(forks[i]);
        }
        printf("%d philosophers ate %d times each; %d times one put the first fork back\n", PHILOSOPHERS, enough, given_up);
        return 0;
}
