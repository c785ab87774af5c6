/* A back end that cannot start, and one that cannot wait: the codes, the reports, and who goes on. */
#include "core_suite.h"

#include <sys/resource.h>

/* Chooses a test module; its path. NULL, and the test is skipped, where there are none. */
static const char *
module_path(const char *name)
{
        static char path[1024];
        const char *found = suite_plugin(name);

        if (found == NULL) {
                suite_skip("this build has no modules");
                return NULL;
        }
        snprintf(path, sizeof path, "%s", found);
        return path;
}

/* The hub becomes one whose wait() always fails. */
static bool
hub_that_cannot_wait(struct core_log *log)
{
        const char *path = module_path("hub_badrun");

        if (path == NULL || !core_fresh_hub(path))
                return false;
        core_log_begin(log, "cannot wait");
        return true;
}

static void
usual_hub(void)
{
        core_log_end();
        (void)core_fresh_hub(NULL);
}

static void
a_hub_that_cannot_start_is_an_error_with_its_code(void)
{
        const char *path = module_path("hub_badinit");
        const char *before = green_hub_name(NULL);
        char want[128];

        GREEN_COVERS("HUB-06");
        if (path == NULL)
                return;
        /* In the place of one that runs, which stays. */
        CHECK_INT(green_use_hub(path), -ENOTSUP);
        CHECK_STR(green_hub_name(NULL), before);
        CHECK_INT(green_sleep(0), 0);
        /* As the first. */
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK_INT(green_use_hub(path), -ENOTSUP);
        CHECK_INT(green_last_error()->code, -ENOTSUP);
        CHECK_INT(errno, ENOTSUP);
        snprintf(want, sizeof want, "hub bad cannot start: %s", green_strerror(-ENOTSUP));
        CHECK_STR(green_last_error()->message, want);
        CHECK_INT(green_use_hub(NULL), 0);
}

static void
a_hub_that_cannot_wait_ends_the_waiting_of_main_with_its_code(void)
{
        struct core_log log;
        char want[128];

        GREEN_COVERS("HUB-21", "HUB-22");
        if (!hub_that_cannot_wait(&log))
                return;
        CHECK_INT(green_sleep(1000), -ENOTSUP);
        CHECK_INT(log.count, 1);
        snprintf(want, sizeof want, "green-net: hub bad cannot wait: %s", green_strerror(-ENOTSUP));
        CHECK_STR(log.last, want);
        /* Until it recovers, and again after that; reported once. */
        CHECK_INT(green_sleep(1000), -ENOTSUP);
        CHECK_INT(green_recover(), -ENOTSUP);
        CHECK_INT(green_sleep(1000), -ENOTSUP);
        CHECK_INT(green_recover(), -ENOTSUP);
        CHECK_INT(log.count, 1);
        usual_hub();
}

static void *
sleep_a_little(void *arg)
{
        CHECK_INT(green_sleep(0.05), 0);
        core_set_flag(arg);
        return NULL;
}

static void *
post_flag(void *arg)
{
        void **hub_and_flag = arg;

        CHECK_INT(green_hub_post(hub_and_flag[0], core_set_flag, hub_and_flag[1]), 0);
        return NULL;
}

static double
processor_time(void)
{
        struct rusage used;

        getrusage(RUSAGE_SELF, &used);
        return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Main is shielded, and waits on: timers and posts still come, and the processor is not kept busy. */
static void
who_goes_on_without_a_hub_that_waits_has_timers_and_posts(void)
{
        bool slept = false, posted = false;
        void *hub_and_flag[2];
        struct core_log log;
        pthread_t thread;
        uint64_t polls;
        double begin;

        if (!hub_that_cannot_wait(&log))
                return;
        hub_and_flag[0] = green_get_hub();
        hub_and_flag[1] = &posted;
        green_shield_begin();
        polls = core_info().polls;
        begin = processor_time();
        CHECK_INT(core_join(green_spawn(sleep_a_little, &slept)), 0);
        CHECK(slept);
        CHECK_INT(pthread_create(&thread, NULL, post_flag, hub_and_flag), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(green_sleep(0.05), 0);
        CHECK(posted);
        /* Ten milliseconds each, and some for the ends. */
        CHECK_RANGE(core_info().polls - polls, 5, 40);
        CHECK_RANGE(processor_time() - begin, 0, 0.05 * suite_slow());
        green_shield_end();
        CHECK_INT(log.count, 1);
        CHECK_INT(green_recover(), -ENOTSUP);
        usual_hub();
}

static void *
yield_and_count(void *arg)
{
        for (int i = 0; i < 1000; i++) {
                CHECK_INT(green_sleep(0), 0);
                ++*(int *)arg;
        }
        return NULL;
}

static void
others_are_not_told(void)
{
        struct core_log log;
        green_thread *gt;
        int count = 0;

        if (!hub_that_cannot_wait(&log))
                return;
        gt = green_spawn(yield_and_count, &count);
        CHECK_INT(green_sleep(1000), -ENOTSUP);
        CHECK_INT(green_recover(), -ENOTSUP);
        /* It is ready all the time: nobody has to wait for anything. */
        CHECK_INT(core_join(gt), 0);
        CHECK_INT(count, 1000);
        usual_hub();
}

static void
an_embedder_is_told_by_its_step(void)
{
        struct core_log log;

        GREEN_COVERS("AIO-06");
        if (!hub_that_cannot_wait(&log))
                return;
        CHECK_INT(green_hub_embed(), 0);
        CHECK_INT(green_hub_step(), -ENOTSUP);
        CHECK_INT(green_hub_step(), -ENOTSUP);
        CHECK_INT(log.count, 1);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        usual_hub();
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_hub_fail){GREEN_TEST(a_hub_that_cannot_start_is_an_error_with_its_code),
                           GREEN_TEST(a_hub_that_cannot_wait_ends_the_waiting_of_main_with_its_code),
                           GREEN_TEST(who_goes_on_without_a_hub_that_waits_has_timers_and_posts),
                           GREEN_TEST(others_are_not_told),
                           GREEN_TEST(an_embedder_is_told_by_its_step),
                           GREEN_SUITE_END};
