/* Wake-ups from other OS threads and from signal handlers. */
#include "core_help.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

GREEN_SUITE_INIT(help_init)

static green_waker *waker;

static void *
wake_it(void *arg)
{
        for (int i = 0; i < INT(arg); i++)
                CHECK_INT(green_wake_mt(waker), 0);
        return NULL;
}

static void *
wait_for_it(void *arg)
{
        int rc = green_waker_wait(waker, GREEN_FOREVER);

        trace((char)INT(arg));
        return rc == 0 ? NULL : green_fail(rc);
}

static green_thread *
waiting(char letter)
{
        green_thread *gt = green_spawn(wait_for_it, PTR(letter));

        turns(1);
        return gt;
}

static void
a_wake_up_given_before_is_used_up_by_the_next_that_waits(void)
{
        GREEN_COVERS("HUB-13");
        waker = green_waker_new();
        CHECK_OR_RETURN(waker != NULL);
        CHECK_INT(green_waker_wait(waker, 0), -ETIMEDOUT);
        CHECK_INT(green_wake_mt(waker), 0);
        CHECK_INT(green_waker_wait(waker, 0), 0);
        CHECK_INT(green_waker_wait(waker, 0), -ETIMEDOUT);
        CHECK_INT(green_wake_mt(waker), 0);
        CHECK_INT(green_wake_mt(waker), 0); /* counts as one */
        CHECK_INT(green_sleep(0.001), 0);   /* the hub has looked, and nobody waits */
        CHECK_INT(green_waker_wait(waker, GREEN_FOREVER), 0);
        CHECK_INT(green_waker_wait(waker, 0.001), -ETIMEDOUT);
        CHECK_INT(green_waker_free(waker), 0);
        CHECK_INT(green_waker_free(NULL), 0);
}

static void
another_os_thread_wakes_one_that_waits(void)
{
        GREEN_COVERS("HUB-13");
        pthread_t thread;
        green_thread *gt;

        waker = green_waker_new();
        gt = waiting('w');
        CHECK_INT(pthread_create(&thread, NULL, wake_it, PTR(1)), 0);
        CHECK_INT(join(gt), 0);
        CHECK_TRACE("w");
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_waker_free(waker), 0);
}

static void
several_waiters_are_woken_one_by_one_in_order(void)
{
        green_thread *gt[3];

        waker = green_waker_new();
        for (int i = 0; i < 3; i++)
                gt[i] = waiting((char)('a' + i));
        CHECK_INT(green_waker_free(waker), -EBUSY);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_wake_mt(waker), 0);
                CHECK_INT(join(gt[i]), 0);
        }
        CHECK_TRACE("abc");
        CHECK_INT(green_waker_free(waker), 0);
}

static void
a_killed_waiter_does_not_swallow_a_wake_up(void)
{
        green_thread *a, *b;

        waker = green_waker_new();
        a = waiting('a');
        b = waiting('b');
        CHECK_INT(green_wake_mt(waker), 0);
        CHECK_INT(green_kill(a, 0), 0);
        CHECK_INT(join(a), GREEN_EKILLED);
        CHECK_INT(join(b), 0);
        CHECK_TRACE("ab");
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        CHECK_INT(green_wake_mt(waker), 0);
        CHECK_INT(green_waker_wait(waker, 1), GREEN_EKILLED);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_waker_wait(waker, 1), 0); /* still there */
        CHECK_INT(green_waker_free(waker), 0);
}

enum { ROUNDS = 2000 };

struct ping {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        int asked, answered;
};

static void *
answer(void *arg)
{
        struct ping *p = arg;

        for (int i = 1; i <= ROUNDS; i++) {
                pthread_mutex_lock(&p->lock);
                while (p->asked < i)
                        pthread_cond_wait(&p->changed, &p->lock);
                p->answered = i;
                pthread_mutex_unlock(&p->lock);
                CHECK_INT(green_wake_mt(waker), 0);
        }
        return NULL;
}

static void
no_wake_up_is_lost_in_many_rounds(void)
{
        GREEN_COVERS("HUB-13");
        struct ping p = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
        pthread_t thread;

        waker = green_waker_new();
        CHECK_INT(pthread_create(&thread, NULL, answer, &p), 0);
        for (int i = 1; i <= ROUNDS; i++) {
                pthread_mutex_lock(&p.lock);
                p.asked = i;
                pthread_cond_signal(&p.changed);
                pthread_mutex_unlock(&p.lock);
                if (!CHECK_INT(green_waker_wait(waker, GREEN_FOREVER), 0))
                        break;
                if (i % 3 == 0)
                        turns(1);
                pthread_mutex_lock(&p.lock);
                CHECK_INT(p.answered, i);
                pthread_mutex_unlock(&p.lock);
        }
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_waker_wait(waker, 0), -ETIMEDOUT);
        CHECK_INT(green_waker_free(waker), 0);
}

static void
wake_from_handler(int sig)
{
        (void)sig;
        (void)green_wake_mt(waker);
}

static void
a_signal_handler_wakes_one_that_waits(void)
{
        GREEN_COVERS("HUB-13", "HUB-17");
        struct sigaction sa = {.sa_handler = wake_from_handler};
        struct itimerval in_a_moment = {.it_value = {.tv_usec = 2000}};
        struct sigaction before;
        green_thread *gt;

        waker = green_waker_new();
        CHECK_INT(sigaction(SIGALRM, &sa, &before), 0);
        gt = waiting('s');
        CHECK_INT(raise(SIGALRM), 0);
        CHECK_INT(join(gt), 0);
        /* And while the hub sleeps in the kernel, which the signal interrupts. */
        for (int i = 0; i < 3; i++) {
                CHECK_INT(setitimer(ITIMER_REAL, &in_a_moment, NULL), 0);
                CHECK_INT(green_waker_wait(waker, GREEN_FOREVER), 0);
        }
        CHECK_INT(sigaction(SIGALRM, &before, NULL), 0);
        CHECK_TRACE("s");
        CHECK_INT(green_waker_free(waker), 0);
}

static void
a_waker_can_be_freed_with_a_wake_up_under_way(void)
{
        for (int i = 0; i < 3; i++) {
                waker = green_waker_new();
                CHECK_INT(green_wake_mt(waker), 0);
                CHECK_INT(green_waker_free(waker), 0);
        }
        CHECK_INT(green_sleep(0.001), 0);
}

static void *
misuse(void *arg)
{
        (void)arg;
        CHECK_INT(green_waker_wait(waker, 0), -EPERM);
        CHECK_INT(green_waker_free(waker), -EPERM);
        CHECK(green_get_hub() != NULL);
        CHECK_INT(green_waker_wait(waker, 0), -EPERM);
        CHECK_INT(green_waker_free(waker), -EPERM);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
only_its_own_os_thread_waits_for_a_waker_or_frees_it(void)
{
        pthread_t thread;

        waker = green_waker_new();
        CHECK_INT(pthread_create(&thread, NULL, misuse, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_waker_free(waker), 0);
        CHECK_INT(green_wake_mt(NULL), -EINVAL);
        CHECK_INT(green_waker_wait(NULL, 1), -EINVAL);
}

static void *
make_and_leave(void *arg)
{
        waker = green_waker_new();
        if (INT(arg) == 1)
                CHECK_INT(green_wake_mt(waker), 0); /* under way when the hub ends */
        if (INT(arg) != 2)
                CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
a_waker_outlives_its_hub_and_says_closed(void)
{
        for (int i = 0; i < 3; i++) {
                pthread_t thread;

                CHECK_INT(pthread_create(&thread, NULL, make_and_leave, PTR(i)), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
                CHECK_INT(green_wake_mt(waker), GREEN_ECLOSED);
                CHECK_INT(green_waker_free(waker), 0);
        }
}

static void
trace_in_hub_context(void *arg)
{
        CHECK_PTR(green_getcurrent(), NULL);
        trace((char)INT(arg));
}

static void *
post_three(void *arg)
{
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_hub_post(arg, trace_in_hub_context, PTR('1' + i)), 0);
        CHECK_INT(green_wake_mt(waker), 0);
        return NULL;
}

static void
posts_of_another_os_thread_come_in_order(void)
{
        GREEN_COVERS("HUB-13");
        pthread_t thread;

        waker = green_waker_new();
        CHECK_INT(pthread_create(&thread, NULL, post_three, green_get_hub()), 0);
        CHECK_INT(pthread_join(thread, NULL), 0); /* all of it is on its way */
        CHECK_INT(join(green_spawn(wait_for_it, PTR('w'))), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(strlen(help_trace), 4);
        for (int i = 0, n = 1; help_trace[i] != '\0'; i++)
                if (help_trace[i] != 'w')
                        CHECK_INT(help_trace[i], '0' + n++);
        CHECK_INT(green_hub_post(NULL, trace_in_hub_context, NULL), -EINVAL);
        CHECK_INT(green_hub_post(green_get_hub(), NULL, NULL), -EINVAL);
        CHECK_INT(green_waker_free(waker), 0);
}

static struct green_post_node nodes[3];

static void
trace_and_post_again(void *arg)
{
        trace_in_hub_context(arg);
        if (INT(arg) < 'c')
                CHECK_INT(green_hub_post_node(green_get_hub(), &nodes[0], trace_and_post_again, PTR(INT(arg) + 1)), 0);
}

static void *
post_nodes(void *arg)
{
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_hub_post_node(arg, &nodes[i], i == 0 ? trace_and_post_again : trace_in_hub_context,
                                              PTR(i == 0 ? 'a' : '0' + i)),
                          0);
        return NULL;
}

static void
posts_in_storage_of_ones_own_come_in_order_and_may_be_used_again(void)
{
        GREEN_COVERS("HUB-13");
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, post_nodes, green_get_hub()), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        for (double end = clock_now() + 10; strlen(help_trace) < 5 && clock_now() < end;)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_TRACE("a12bc");
        CHECK_INT(green_hub_post_node(NULL, &nodes[0], trace_in_hub_context, NULL), -EINVAL);
        CHECK_INT(green_hub_post_node(green_get_hub(), NULL, trace_in_hub_context, NULL), -EINVAL);
        CHECK_INT(green_hub_post_node(green_get_hub(), &nodes[0], NULL, NULL), -EINVAL);
}

static void *
leave_a_hub(void *arg)
{
        green_hub **ret = arg;

        *ret = green_hub_ref(green_get_hub());
        CHECK_INT(green_hub_post_node(*ret, &nodes[1], trace_in_hub_context, PTR('x')), 0);
        CHECK_INT(green_hub_destroy(0), 0);
        return NULL;
}

static void
a_post_in_storage_of_ones_own_is_forgotten_with_its_hub(void)
{
        green_hub *gone = NULL;
        pthread_t thread;

        GREEN_COVERS("HUB-13");
        CHECK_INT(pthread_create(&thread, NULL, leave_a_hub, &gone), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_hub_post_node(gone, &nodes[1], trace_in_hub_context, PTR('y')), GREEN_ECLOSED);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_TRACE("");
        green_hub_unref(gone);
}

GREEN_SUITE(core_waker) {
        GREEN_TEST(a_wake_up_given_before_is_used_up_by_the_next_that_waits),
        GREEN_TEST(another_os_thread_wakes_one_that_waits),
        GREEN_TEST(several_waiters_are_woken_one_by_one_in_order),
        GREEN_TEST(a_killed_waiter_does_not_swallow_a_wake_up),
        GREEN_TEST(no_wake_up_is_lost_in_many_rounds),
        GREEN_TEST(a_signal_handler_wakes_one_that_waits),
        GREEN_TEST(a_waker_can_be_freed_with_a_wake_up_under_way),
        GREEN_TEST(only_its_own_os_thread_waits_for_a_waker_or_frees_it),
        GREEN_TEST(a_waker_outlives_its_hub_and_says_closed),
        GREEN_TEST(posts_of_another_os_thread_come_in_order),
        GREEN_TEST(posts_in_storage_of_ones_own_come_in_order_and_may_be_used_again),
        GREEN_TEST(a_post_in_storage_of_ones_own_is_forgotten_with_its_hub),
        GREEN_SUITE_END
};
