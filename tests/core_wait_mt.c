/* Waits that other OS threads end: a list with a lock, as a primitive would have it. */
#include "core_help.h"

GREEN_SUITE_INIT(help_init)

struct entry {
        struct green_wait_mt wait;
        struct list *list;
        bool listed;
        int word; /* what is handed over */
};

struct list {
        pthread_mutex_t lock;
        struct entry *entry; /* there is one at most */
        int forgotten;
};

static struct list list = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
forget(struct green_wait_mt *wait)
{
        struct entry *e = (struct entry *)(void *)((char *)wait - offsetof(struct entry, wait));

        pthread_mutex_lock(&e->list->lock);
        if (e->listed)
                e->list->entry = NULL;
        e->list->forgotten++;
        pthread_mutex_unlock(&e->list->lock);
}

static int
wait_in_list(double timeout)
{
        struct entry e = {.list = &list, .listed = true};
        bool listed;
        int rc;

        green_wait_mt_begin(&e.wait, forget);
        pthread_mutex_lock(&list.lock);
        list.entry = &e;
        pthread_mutex_unlock(&list.lock);
        rc = green_park_mt(&e.wait, timeout);
        if (rc != 0) {
                pthread_mutex_lock(&list.lock);
                listed = e.listed;
                if (listed)
                        list.entry = NULL;
                pthread_mutex_unlock(&list.lock);
                if (!listed)
                        rc = green_settle_mt(&e.wait);
        }
        green_wait_mt_end(&e.wait);
        return rc == 0 ? e.word : rc;
}

static void *
waiter(void *arg)
{
        int *ret_rc = arg;

        *ret_rc = wait_in_list(GREEN_FOREVER);
        (void)green_recover();
        return NULL;
}

/* Takes the one that waits off the list. */
static struct entry *
claim(int word, green_hub **ret_hub)
{
        struct entry *e;

        pthread_mutex_lock(&list.lock);
        e = list.entry;
        if (e != NULL) {
                list.entry = NULL;
                e->listed = false;
                e->word = word;
                *ret_hub = green_claim_mt(&e->wait, NULL);
        }
        pthread_mutex_unlock(&list.lock);
        return e;
}

static void *
hand_over(void *arg)
{
        green_hub *hub = NULL;
        struct entry *e;

        while ((e = claim(INT(arg), &hub)) == NULL)
                burn(0.0001);
        CHECK_INT(green_hand_mt(hub, &e->wait), 0);
        green_hub_unref(hub);
        return NULL;
}

static void
another_os_thread_hands_over_to_one_that_waits(void)
{
        GREEN_COVERS("HUB-13");
        for (int i = 1; i <= 200; i++) {
                pthread_t thread;

                CHECK_INT(pthread_create(&thread, NULL, hand_over, PTR(i)), 0);
                if (i % 3 == 0)
                        burn(0.00005);
                CHECK_INT(wait_in_list(GREEN_FOREVER), i);
                CHECK_INT(pthread_join(thread, NULL), 0);
        }
}

static void
a_green_thread_of_the_same_os_thread_may_hand_over_too(void)
{
        green_hub *hub = NULL;
        struct entry *e;
        int rc = 1000;
        green_thread *gt = green_spawn(waiter, &rc);

        turns(1);
        e = claim(4, &hub);
        CHECK_OR_RETURN(e != NULL);
        /* A reference that one has already is used again. */
        CHECK_PTR(green_claim_mt(&e->wait, hub), hub);
        CHECK_INT(green_hand_mt(hub, &e->wait), 0);
        green_hub_unref(hub);
        CHECK_INT(join(gt), 0);
        CHECK_INT(rc, 4);
}

static void
one_that_gives_up_in_time_is_on_the_list_still(void)
{
        struct green_timeout t = {{0}};

        CHECK_INT(wait_in_list(0), -ETIMEDOUT);
        CHECK_INT(wait_in_list(0.001), -ETIMEDOUT);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(wait_in_list(GREEN_FOREVER), GREEN_ETIMEOUT);
        CHECK_INT(wait_in_list(GREEN_FOREVER), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_PTR(list.entry, NULL);
}

static void
one_that_gives_up_when_it_is_claimed_has_what_was_handed_over(void)
{
        struct green_timeout t = {{0}};
        green_hub *hub = NULL;
        struct entry *e;
        int rc = 1000;
        green_thread *gt = green_spawn(waiter, &rc);

        GREEN_COVERS("TMO-11");
        turns(1);
        e = claim(5, &hub);
        CHECK_OR_RETURN(e != NULL);
        CHECK_INT(green_kill(gt, 0), 0);
        turns(3);
        CHECK_INT(rc, 1000);
        CHECK_INT(green_hand_mt(hub, &e->wait), 0);
        green_hub_unref(hub);
        CHECK_INT(join(gt), 0);
        CHECK_INT(rc, 5);
        CHECK_INT(green_timeout_start(&t, GREEN_FOREVER), 0);
        CHECK_INT(green_timeout_cancel(&t), 0);
}

static void *
leave(void *arg)
{
        int rc = 1000;
        green_thread *gt = green_spawn(waiter, &rc);

        turns(1);
        if (INT(arg) == 1)
                CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
        CHECK_INT(green_hub_destroy(0), INT(arg) == 1 ? 0 : -ETIMEDOUT);
        return NULL;
}

static void
one_whose_hub_ends_is_taken_off_the_list(void)
{
        static const int forgotten[] = {1, 0};

        for (int i = 0; i < 2; i++) {
                pthread_t thread;

                list.forgotten = 0;
                green_set_log(log_keep, &(struct log_lines){0});
                CHECK_INT(pthread_create(&thread, NULL, leave, PTR(i)), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
                log_release();
                CHECK_INT(list.forgotten, forgotten[i]);
                CHECK_PTR(list.entry, NULL);
        }
}

static green_hub *claimed;
static struct entry *claimed_entry;

static void *
be_claimed_and_leave(void *arg)
{
        int rc = 1000;
        green_thread *gt = green_spawn(waiter, &rc);

        turns(1);
        claimed_entry = claim(6, &claimed);
        green_thread_unref(gt);
        CHECK_INT(green_hub_destroy(0), -ETIMEDOUT);
        return arg;
}

static void
a_hand_over_to_a_hub_that_has_ended_says_so(void)
{
        struct log_lines lines;
        pthread_t thread;

        log_catch(&lines);
        CHECK_INT(pthread_create(&thread, NULL, be_claimed_and_leave, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        log_release();
        CHECK_INT(green_hand_mt(claimed, &claimed_entry->wait), GREEN_ECLOSED);
        green_hub_unref(claimed);
}

static void *
check_without_hub(void *arg)
{
        green_thread *self = PTR(1);

        CHECK_INT(green_park_check_mt(0, &self), 1);
        CHECK_PTR(self, NULL);
        CHECK_INT(green_park_check_mt(-1, &self), -EINVAL);
        CHECK_INT(green_park_check_mt(NAN, &self), -EINVAL);
        CHECK_INT(green_failed(green_fail(-EIO)), -EIO);
        CHECK_INT(green_park_check_mt(GREEN_FOREVER, &self), 1); /* none was made */
        return arg;
}

static void
the_check_tells_an_os_thread_without_a_hub(void)
{
        green_thread *self = NULL;
        pthread_t thread;

        CHECK_INT(green_park_check_mt(1, &self), 0);
        CHECK_PTR(self, green_getcurrent());
        CHECK_INT(green_kill(self, 0), 0);
        CHECK_INT(green_park_check_mt(1, &self), GREEN_EKILLED);
        CHECK_INT(green_park_check_mt(0, &self), 0);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(pthread_create(&thread, NULL, check_without_hub, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_RANGE(green_processors(), 1, 100000);
}

GREEN_SUITE(core_wait_mt) {
        GREEN_TEST(another_os_thread_hands_over_to_one_that_waits),
        GREEN_TEST(a_green_thread_of_the_same_os_thread_may_hand_over_too),
        GREEN_TEST(one_that_gives_up_in_time_is_on_the_list_still),
        GREEN_TEST(one_that_gives_up_when_it_is_claimed_has_what_was_handed_over),
        GREEN_TEST(one_whose_hub_ends_is_taken_off_the_list),
        GREEN_TEST(a_hand_over_to_a_hub_that_has_ended_says_so),
        GREEN_TEST(the_check_tells_an_os_thread_without_a_hub),
        GREEN_SUITE_END
};
