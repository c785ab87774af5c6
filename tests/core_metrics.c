/*
 * Metrics of core: what hubs count, those of other OS threads and of such as have ended, histograms, sources, and the text.
 */
#include "core_suite.h"

#include "metrics_text.h"

#include <locale.h>

static struct green_metrics
here(void)
{
        struct green_metrics m = {.size = sizeof m};

        CHECK_INT(green_metrics_get(&m, true), 0);
        return m;
}

static struct green_metrics
all(void)
{
        struct green_metrics m = {.size = sizeof m};

        CHECK_INT(green_metrics_get(&m, false), 0);
        return m;
}

/* ---- what a hub counts */

enum { THREADS = 70, YIELDS = 100 };

static void *
yield_often(void *arg)
{
        for (int i = 0; i < YIELDS; i++)
                CHECK_INT(green_sleep(0), 0);
        return arg;
}

static void
spawns_and_switches_are_counted(void)
{
        struct green_metrics before = here(), m;
        green_thread *gt[THREADS];
        uint64_t switches;

        CHECK_INT(before.hubs, 1);
        CHECK_INT(before.threads, 1);
        for (int i = 0; i < THREADS; i++)
                gt[i] = green_spawn(yield_often, NULL);
        m = here();
        CHECK_INT(m.spawns - before.spawns, THREADS);
        CHECK_INT(m.threads, 1 + THREADS);
        CHECK_INT(m.ready, THREADS);
        CHECK_INT(m.switches, before.switches);
        for (int i = 0; i < THREADS; i++)
                CHECK_INT(core_join(gt[i]), 0);
        m = here();
        switches = m.switches - before.switches;
        /* Each yields and ends; main waits for some of them. */
        CHECK_RANGE(switches, THREADS * (YIELDS + 1), THREADS * (YIELDS + 2));
        CHECK_INT(m.spawns - before.spawns, THREADS);
        CHECK_INT(m.threads, 1);
        CHECK_INT(m.ready, 0);
        CHECK(m.stacks_pooled > 0);
        /* Fewer than one poll for so many. */
        CHECK(m.polls - before.polls < switches);
}

static struct green_waitq queue;

static void *
park_here(void *arg)
{
        struct green_wait w;

        CHECK_INT(green_park(&queue, &w, GREEN_FOREVER), 0);
        return arg;
}

static void
each_wait_that_is_ended_is_a_wakeup(void)
{
        green_thread *gt[THREADS];
        struct green_metrics before, m;

        for (int i = 0; i < THREADS; i++)
                gt[i] = green_spawn(park_here, NULL);
        CHECK_INT(green_sleep(0), 0);
        before = here();
        CHECK_INT(before.stacks >= THREADS, 1);
        CHECK(green_wake_one(&queue, NULL));
        CHECK_INT(green_wake_all(&queue, 0), THREADS - 1);
        m = here();
        CHECK_INT(m.wakeups - before.wakeups, THREADS);
        CHECK_INT(m.spawns, before.spawns);
        for (int i = 0; i < THREADS; i++)
                CHECK_INT(core_join(gt[i]), 0);
        before = here();
        CHECK_INT(green_sleep(0.001), 0);
        m = here();
        CHECK_INT(m.wakeups - before.wakeups, 1);
        CHECK_INT(m.timers_fired - before.timers_fired, 1);
        CHECK_INT(m.lag.count - before.lag.count, 1);
        CHECK(m.sleeps > before.sleeps);
        CHECK(m.polls - before.polls >= m.sleeps - before.sleeps);
}

static int64_t test_time = 1000000000;

static int64_t
test_clock(void)
{
        return test_time;
}

static void
the_lag_is_how_late_the_first_deadline_of_a_poll_was(void)
{
        struct green_metrics before, m;
        bool called[3] = {false, false, false};

        CHECK_INT(green_hub_set_clock(test_clock), 0);
        before = here();
        CHECK_INT(green_schedule_call_global(1.0, core_set_flag, &called[0]), 0);
        CHECK_INT(green_schedule_call_global(1.2, core_set_flag, &called[1]), 0);
        CHECK_INT(green_schedule_call_global(9.0, core_set_flag, &called[2]), 0);
        test_time += 1500000000;
        while (!called[0] || !called[1])
                CHECK_INT(green_sleep(0), 0);
        m = here();
        CHECK_INT(m.timers_fired - before.timers_fired, 2);
        CHECK_INT(m.lag.count - before.lag.count, 1);
        /* 1.5 s instead of 1 s: below 2^19 us, 0.524288 s. */
        CHECK_INT(m.lag.sum_ns - before.lag.sum_ns, 500000000);
        CHECK_INT(m.lag.buckets[19] - before.lag.buckets[19], 1);
        CHECK(m.lag.most_ns >= 500000000);
        test_time += 7500000000;
        while (!called[2])
                CHECK_INT(green_sleep(0), 0);
        CHECK_INT(here().lag.sum_ns - m.lag.sum_ns, 0);
        CHECK_INT(here().lag.buckets[0] - m.lag.buckets[0], 1);
        CHECK_INT(green_hub_set_clock(NULL), 0);
}

enum { POSTS = 50 };
static int posted;

static void
count_post(void *arg)
{
        (void)arg;
        posted++;
}

static void *
post_often(void *arg)
{
        for (int i = 0; i < POSTS; i++)
                CHECK_INT(green_hub_post(arg, count_post, NULL), 0);
        return NULL;
}

static void
calls_from_other_os_threads_are_counted(void)
{
        struct green_metrics before = here();
        pthread_t thread;

        posted = 0;
        CHECK_INT(pthread_create(&thread, NULL, post_often, green_get_hub()), 0);
        while (posted < POSTS)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(here().posts - before.posts, POSTS);
}

/* ---- other OS threads */

/* An OS thread with a hub, which sleeps until it is told to end. */
struct other {
        pthread_t thread;
        _Atomic(green_hub *) hub;
        struct green_waitq end;
};

static void
end_other(void *arg)
{
        struct other *o = arg;

        CHECK(green_wake_one(&o->end, NULL));
}

static void *
other_main(void *arg)
{
        struct other *o = arg;
        struct green_metrics m = here();
        struct green_wait w;

        /* Nothing of a hub that there is not. */
        CHECK_INT(m.hubs, 0);
        CHECK_INT(m.threads, 0);
        green_metrics_counters()->bytes_read += 7;
        atomic_store(&o->hub, green_hub_ref(green_get_hub()));
        green_metrics_counters()->bytes_written += 11;
        for (int i = 0; i < THREADS; i++)
                CHECK_INT(core_join(green_spawn(yield_often, NULL)), 0);
        CHECK_INT(here().bytes_read, 7);
        CHECK_INT(green_park(&o->end, &w, GREEN_FOREVER), 0);
        return NULL;
}

/* What is told of all once it sleeps. */
static struct green_metrics
start_other(struct other *o, const struct green_metrics *before)
{
        double until = core_now() + CORE_SOON;
        struct green_metrics m;

        CHECK_INT(pthread_create(&o->thread, NULL, other_main, o), 0);
        do
                m = all();
        while ((m.spawns - before->spawns < THREADS || m.threads != before->threads + 1 ||
                m.bytes_written - before->bytes_written < 11) &&
               core_now() < until);
        return m;
}

static void
a_hub_that_sleeps_is_in_the_sum_and_one_that_has_ended_is_kept(void)
{
        struct green_metrics before = all(), m, mine = here();
        struct other o = {.hub = NULL};

        m = start_other(&o, &before);
        CHECK_INT(m.hubs, before.hubs + 1);
        CHECK_INT(m.threads, before.threads + 1);
        CHECK_INT(m.spawns - before.spawns, THREADS);
        CHECK(m.switches - before.switches >= THREADS * YIELDS);
        CHECK_INT(m.bytes_read - before.bytes_read, 7);
        CHECK_INT(here().spawns, mine.spawns);
        CHECK_INT(green_hub_post(atomic_load(&o.hub), end_other, &o), 0);
        CHECK_INT(pthread_join(o.thread, NULL), 0);
        green_hub_unref(atomic_load(&o.hub));
        m = all();
        CHECK_INT(m.hubs, before.hubs);
        CHECK_INT(m.threads, before.threads);
        CHECK_INT(m.spawns - before.spawns, THREADS);
        CHECK_INT(m.posts - before.posts, 1);
        CHECK_INT(m.bytes_read - before.bytes_read, 7);
        CHECK_INT(m.bytes_written - before.bytes_written, 11);
        CHECK(m.switches - before.switches >= THREADS * YIELDS);
        CHECK_INT(here().bytes_read, mine.bytes_read);
}

static void *
count_alone(void *arg)
{
        struct green_metrics_counters *c = green_metrics_counters();

        c->bytes_read += 5;
        c->accepts++;
        CHECK_PTR(green_metrics_counters(), c);
        CHECK_INT(here().bytes_read, 0);
        return arg;
}

static void
what_an_os_thread_without_a_hub_counts_is_kept(void)
{
        struct green_metrics before = all(), m;
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, count_alone, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        m = all();
        CHECK_INT(m.bytes_read - before.bytes_read, 5);
        CHECK_INT(m.accepts - before.accepts, 1);
        CHECK_INT(m.hubs, before.hubs);
}

static void
a_hub_made_anew_counts_anew_and_the_sum_goes_on(void)
{
        struct green_metrics before, m;

        green_metrics_counters()->accept_errors += 3;
        before = all();
        CHECK(core_fresh_hub(NULL));
        (void)green_hub_ident();
        m = all();
        CHECK_INT(m.accept_errors, before.accept_errors);
        CHECK(m.switches >= before.switches && m.spawns == before.spawns);
        CHECK(m.polls >= before.polls && m.lag.count >= before.lag.count);
        CHECK_INT(here().accept_errors, 0);
        CHECK_INT(here().spawns, 0);
        CHECK_INT(m.hubs, before.hubs);
}

static void
the_child_of_a_fork_keeps_what_was_counted(void)
{
        struct other o = {.hub = NULL};
        struct green_metrics before = all(), m = start_other(&o, &before);
        pid_t pid;

        pid = core_fork();
        if (pid == 0) {
                struct green_metrics child = all();

                CHECK_INT(child.hubs, 1);
                CHECK_INT(child.threads, 1);
                CHECK_INT(child.spawns, m.spawns);
                CHECK_INT(child.bytes_written, m.bytes_written);
                CHECK(metrics_now()->count > 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        CHECK_INT(green_hub_post(atomic_load(&o.hub), end_other, &o), 0);
        CHECK_INT(pthread_join(o.thread, NULL), 0);
        green_hub_unref(atomic_load(&o.hub));
}

static void
a_size_that_is_unknown_is_refused_and_a_smaller_one_is_kept_to(void)
{
        struct green_metrics m;

        memset(&m, 0xff, sizeof m);
        m.size = offsetof(struct green_metrics, threads);
        CHECK_INT(green_metrics_get(&m, true), 0);
        CHECK_INT(m.hubs, 1);
        CHECK(m.threads == UINT64_MAX);
        CHECK_INT(m.size, offsetof(struct green_metrics, threads));
        m.size = sizeof m + 1;
        CHECK_INT(green_metrics_get(&m, true), -EINVAL);
        m.size = 0;
        CHECK_INT(green_metrics_get(&m, false), -EINVAL);
        CHECK_INT(green_metrics_get(NULL, false), -EINVAL);
}

/* ---- histograms */

static void
times_are_counted_by_powers_of_two(void)
{
        static const struct {
                int64_t ns;
                int bucket;
        } rows[] = {
                {0, 0}, {-5, 0}, {INT64_MIN, 0}, {999, 0}, {1000, 1}, {1999, 1}, {2000, 2}, {3999, 2}, {4000, 3},
                {1000000, 10}, {67108863999, 26}, {67108864000, 27}, {INT64_MAX, 27},
        };
        struct green_metrics_histogram h = {0};
        uint64_t sum = 0;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                uint64_t before = h.buckets[rows[i].bucket];

                green_metrics_observe(&h, rows[i].ns);
                CHECK_INT(h.buckets[rows[i].bucket], before + 1);
                sum += rows[i].ns > 0 ? (uint64_t)rows[i].ns : 0;
        }
        CHECK_INT(h.count, sizeof rows / sizeof rows[0]);
        CHECK(h.sum_ns == sum);
        CHECK(h.most_ns == INT64_MAX);
        green_metrics_observe(NULL, 1);
}

/* As a double: some processors return more digits than one has. */
static double
quantile(const struct green_metrics_histogram *h, double part)
{
        volatile double value = green_metrics_quantile(h, part);

        return value;
}

static void
a_quantile_is_the_end_of_its_bucket_or_the_longest(void)
{
        struct green_metrics_histogram h = {0};

        CHECK(quantile(&h, 0.5) == 0);
        for (int i = 0; i < 98; i++)
                green_metrics_observe(&h, 1500);
        green_metrics_observe(&h, 3000000);
        green_metrics_observe(&h, 90000000000);
        CHECK(quantile(&h, 0) == 2e-6);
        CHECK(quantile(&h, 0.5) == 2e-6);
        CHECK(quantile(&h, 0.98) == 2e-6);
        CHECK(quantile(&h, 0.99) == 4096e-6);
        CHECK(quantile(&h, 1) == 90.0);
        CHECK(quantile(&h, -0.1) == 0);
        CHECK(quantile(&h, 1.1) == 0);
        CHECK(quantile(&h, NAN) == 0);
        CHECK(quantile(NULL, 0.5) == 0);
        h = (struct green_metrics_histogram){0};
        green_metrics_observe(&h, 2100000);
        CHECK(quantile(&h, 0.5) == 2.1e-3);
}

/* ---- sources and the text */

static void
core_tells_each_of_its_metrics(void)
{
        static const char *const names[] = {
                "green_hubs", "green_threads", "green_threads_ready", "green_stacks", "green_stacks_pooled",
                "green_switches_total", "green_spawns_total", "green_wakeups_total", "green_polls_total",
                "green_sleeps_total", "green_timers_fired_total", "green_posts_total", "green_bytes_read_total",
                "green_bytes_written_total", "green_accepts_total", "green_accept_errors_total",
                "green_loop_lag_seconds_sum", "green_loop_lag_seconds_count",
        };
        const struct metrics_text *m = metrics_now();
        struct green_metrics got = all();

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                CHECK(metrics_has(m, names[i]));
        CHECK_INT(metrics_value(m, "green_threads"), 1);
        CHECK_INT(metrics_value(m, "green_spawns_total"), got.spawns);
        CHECK_INT(metrics_value(m, "green_loop_lag_seconds_count"), got.lag.count);
        CHECK_INT(metrics_value(m, "green_loop_lag_seconds_bucket{le=\"+Inf\"}"), got.lag.count);
        CHECK(metrics_has(m, "green_loop_lag_seconds_bucket{le=\"0.000001\"}"));
        CHECK(metrics_has(m, "green_loop_lag_seconds_bucket{le=\"67.108864\"}"));
        CHECK(metrics_has_line(m, "# TYPE green_loop_lag_seconds histogram"));
        CHECK(metrics_has_line(m, "# TYPE green_threads gauge"));
        CHECK(metrics_has_line(m, "# TYPE green_spawns_total counter"));
        CHECK_INT(green_metrics_format(NULL, NULL), -EINVAL);
}

static int asked;

static void
tell_odd(struct green_metrics_to *to, void *arg)
{
        static struct green_metrics_histogram h;
        static char longest[201], too_long[202];

        CHECK_PTR(arg, &asked);
        asked++;
        memset(longest, 'n', 200);
        memset(too_long, 'n', 201);
        green_metrics_gauge(to, "odd", "A \\ and\na line.", "a=\"x\",b=\"y\"", 0.25);
        green_metrics_gauge(to, "odd", "Another text.", "a=\"back\\slash\"", -1e300);
        green_metrics_gauge(to, "odd", NULL, "a=\"new\nline\"", 1.0 / 3);
        green_metrics_gauge(to, "odd", NULL, "a=\"quo\"te\"", NAN);
        green_metrics_gauge(to, "odd", NULL, "a=\"is \\\\ \\\" \\n escaped\"", INFINITY);
        green_metrics_gauge(to, "odd", NULL, "a=\"com,ma\",b=\"=\"", -INFINITY);
        green_metrics_gauge(to, "odd", NULL, "", 1e15);
        green_metrics_counter(to, "odd_no_help_total", NULL, NULL, 123456789012);
        green_metrics_gauge(to, longest, "As long as can be.", NULL, 1);
        /* None of these can be told. */
        green_metrics_gauge(to, "1odd", "x", NULL, 1);
        green_metrics_gauge(to, "", "x", NULL, 1);
        green_metrics_gauge(to, NULL, "x", NULL, 1);
        green_metrics_gauge(to, "odd-name", "x", NULL, 1);
        green_metrics_gauge(to, too_long, "x", NULL, 1);
        green_metrics_gauge(to, "odd_labels", "x", "a", 1);
        green_metrics_gauge(to, "odd_labels", "x", "a=\"b", 1);
        green_metrics_gauge(to, "odd_labels", "x", "a=\"b\",", 1);
        green_metrics_gauge(to, "odd_labels", "x", "=\"b\"", 1);
        green_metrics_gauge(to, "odd_labels", "x", "a=\"\\\"", 1);
        green_metrics_seconds(to, "odd_none", "x", NULL, NULL);
        green_metrics_gauge(NULL, "odd_nowhere", "x", NULL, 1);
        h = (struct green_metrics_histogram){0};
        green_metrics_observe(&h, 1500000000);
        green_metrics_observe(&h, 100);
        green_metrics_seconds(to, "odd_seconds", "Times.", "q=\"1\"", &h);
        green_metrics_seconds(to, "odd_seconds", "Times.", "q=\"2\"", &h);
}

static void
check_odd(void)
{
        struct metrics_text *m;

        asked = 0;
        m = metrics_now();
        CHECK_INT(asked, 1);
        CHECK(metrics_has_line(m, "# HELP odd A \\\\ and\\na line."));
        CHECK(metrics_has_line(m, "odd{a=\"x\",b=\"y\"} 0.25"));
        CHECK(metrics_has_line(m, "odd{a=\"back\\\\slash\"} -1e+300"));
        CHECK(fabs(metrics_value(m, "odd{a=\"new\\nline\"}") - 1.0 / 3) < 1e-15);
        CHECK(metrics_has_line(m, "odd{a=\"quo\\\"te\"} NaN"));
        CHECK(metrics_has_line(m, "odd{a=\"is \\\\ \\\" \\n escaped\"} +Inf"));
        CHECK(metrics_has_line(m, "odd{a=\"com,ma\",b=\"=\"} -Inf"));
        CHECK(metrics_has_line(m, "odd 1e+15"));
        CHECK(metrics_has_line(m, "# HELP odd_no_help_total "));
        CHECK(metrics_has_line(m, "odd_no_help_total 123456789012"));
        CHECK(metrics_has_line(m, "odd_seconds_bucket{q=\"1\",le=\"1.048576\"} 1"));
        CHECK(metrics_has_line(m, "odd_seconds_bucket{q=\"1\",le=\"2.097152\"} 2"));
        CHECK(metrics_has_line(m, "odd_seconds_sum{q=\"2\"} 1.5000001"));
        CHECK(metrics_has_line(m, "odd_seconds_count{q=\"2\"} 2"));
        CHECK(strstr(m->text, "Another text") == NULL);
        CHECK(strstr(m->text, "odd_labels") == NULL && strstr(m->text, "odd-name") == NULL);
        CHECK(strstr(m->text, "odd_none") == NULL && strstr(m->text, "1odd") == NULL);
}

static void
odd_names_labels_and_numbers_do_not_break_the_text(void)
{
        struct green_metrics_source source = {{NULL}};

        CHECK_INT(green_metrics_add(&source, tell_odd, &asked), 0);
        check_odd();
        /* Where there is such a locale: its decimal point is a comma. */
        if (setlocale(LC_NUMERIC, "de_DE.UTF-8") != NULL)
                check_odd();
        (void)setlocale(LC_NUMERIC, "C");
        green_metrics_remove(&source);
        CHECK(!metrics_has(metrics_now(), "odd"));
}

static void
tell_name(struct green_metrics_to *to, void *arg)
{
        green_metrics_gauge(to, arg, "Told.", NULL, 1);
}

static void
sources_come_in_their_order_and_are_added_once(void)
{
        struct green_metrics_source a = {{NULL}}, b = {{NULL}}, c = {{NULL}};
        const struct metrics_text *m;
        char name_a[] = "test_a", name_b[] = "test_b", name_c[] = "test_c";

        CHECK_INT(green_metrics_add(&a, tell_name, name_a), 0);
        CHECK_INT(green_metrics_add(&b, tell_name, name_b), 0);
        CHECK_INT(green_metrics_add(&c, tell_name, name_c), 0);
        CHECK_INT(green_metrics_add(&b, tell_name, name_b), -EBUSY);
        CHECK_INT(green_metrics_add(NULL, tell_name, NULL), -EINVAL);
        CHECK_INT(green_metrics_add(&b, NULL, NULL), -EINVAL);
        m = metrics_now();
        CHECK(strstr(m->text, "\ntest_a 1\n") < strstr(m->text, "\ntest_b 1\n"));
        CHECK(strstr(m->text, "\ntest_b 1\n") < strstr(m->text, "\ntest_c 1\n"));
        green_metrics_remove(&b);
        green_metrics_remove(&b);
        green_metrics_remove(NULL);
        m = metrics_now();
        CHECK(metrics_has(m, "test_a") && !metrics_has(m, "test_b") && metrics_has(m, "test_c"));
        green_metrics_remove(&c);
        CHECK_INT(green_metrics_add(&b, tell_name, name_b), 0);
        m = metrics_now();
        CHECK(metrics_has(m, "test_a") && metrics_has(m, "test_b") && !metrics_has(m, "test_c"));
        green_metrics_remove(&a);
        green_metrics_remove(&b);
}

/* ---- from several OS threads */

struct slow {
        struct green_metrics_source source;
        atomic_int asking, removing, removed;
        atomic_bool go;
};

static void
tell_slowly(struct green_metrics_to *to, void *arg)
{
        struct slow *s = arg;

        atomic_fetch_add(&s->asking, 1);
        while (!atomic_load(&s->go))
                sched_yield();
        CHECK_INT(atomic_load(&s->removed), 0);
        green_metrics_gauge(to, "slow", "Told slowly.", NULL, 1);
}

static void
forget_text(void *arg, const char *text, size_t len)
{
        (void)arg;
        (void)text;
        (void)len;
}

static void *
ask_all(void *arg)
{
        CHECK_INT(green_metrics_format(forget_text, NULL), 0);
        return arg;
}

static void *
remove_it(void *arg)
{
        struct slow *s = arg;

        atomic_store(&s->removing, 1);
        green_metrics_remove(&s->source);
        atomic_store(&s->removed, 1);
        return NULL;
}

static void
who_removes_a_source_waits_for_those_who_ask_it(void)
{
        struct slow s = {.source = {{NULL}}};
        pthread_t asker, remover;

        CHECK_INT(green_metrics_add(&s.source, tell_slowly, &s), 0);
        CHECK_INT(pthread_create(&asker, NULL, ask_all, NULL), 0);
        while (atomic_load(&s.asking) == 0)
                sched_yield();
        CHECK_INT(pthread_create(&remover, NULL, remove_it, &s), 0);
        while (atomic_load(&s.removing) == 0)
                sched_yield();
        usleep(5000);
        CHECK_INT(atomic_load(&s.removed), 0);
        /* Others are not held up, and ask it no more once it is to go; they may still have until then. */
        CHECK_INT(green_metrics_add(&s.source, tell_slowly, &s), -EBUSY);
        atomic_store(&s.go, true);
        CHECK_INT(pthread_join(asker, NULL), 0);
        CHECK_INT(pthread_join(remover, NULL), 0);
        CHECK_INT(atomic_load(&s.removed), 1);
        CHECK(!metrics_has(metrics_now(), "slow"));
        CHECK_INT(atomic_load(&s.asking), 1);
}

static atomic_bool stop_asking;

static void *
ask_on_and_on(void *arg)
{
        while (!atomic_load(&stop_asking)) {
                CHECK_INT(green_metrics_format(forget_text, NULL), 0);
                CHECK(all().hubs >= 1);
        }
        return arg;
}

static void *
live_for_a_while(void *arg)
{
        for (int i = 0; i < 20; i++) {
                CHECK_INT(core_join(green_spawn(yield_often, NULL)), 0);
                CHECK_INT(green_sleep(0.0001), 0);
        }
        return arg;
}

static void
hubs_and_sources_come_and_go_while_others_ask(void)
{
        struct green_metrics_source source = {{NULL}};
        struct green_metrics before = all();
        pthread_t askers[2], hubs[3];
        char name[] = "test_comes";

        atomic_store(&stop_asking, false);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_create(&askers[i], NULL, ask_on_and_on, NULL), 0);
        for (int round = 0; round < 5; round++) {
                for (int i = 0; i < 3; i++)
                        CHECK_INT(pthread_create(&hubs[i], NULL, live_for_a_while, NULL), 0);
                for (int i = 0; i < 100; i++) {
                        CHECK_INT(green_metrics_add(&source, tell_name, name), 0);
                        CHECK_INT(green_sleep(0), 0);
                        green_metrics_remove(&source);
                }
                for (int i = 0; i < 3; i++)
                        CHECK_INT(pthread_join(hubs[i], NULL), 0);
        }
        atomic_store(&stop_asking, true);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_join(askers[i], NULL), 0);
        CHECK_INT(all().spawns - before.spawns, 5 * 3 * 20);
        CHECK_INT(all().hubs, before.hubs);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_metrics) {
        GREEN_TEST(spawns_and_switches_are_counted),
        GREEN_TEST(each_wait_that_is_ended_is_a_wakeup),
        GREEN_TEST(the_lag_is_how_late_the_first_deadline_of_a_poll_was),
        GREEN_TEST(calls_from_other_os_threads_are_counted),
        GREEN_TEST(a_hub_that_sleeps_is_in_the_sum_and_one_that_has_ended_is_kept),
        GREEN_TEST(what_an_os_thread_without_a_hub_counts_is_kept),
        GREEN_TEST(a_hub_made_anew_counts_anew_and_the_sum_goes_on),
        GREEN_TEST(the_child_of_a_fork_keeps_what_was_counted),
        GREEN_TEST(a_size_that_is_unknown_is_refused_and_a_smaller_one_is_kept_to),
        GREEN_TEST(times_are_counted_by_powers_of_two),
        GREEN_TEST(a_quantile_is_the_end_of_its_bucket_or_the_longest),
        GREEN_TEST(core_tells_each_of_its_metrics),
        GREEN_TEST(odd_names_labels_and_numbers_do_not_break_the_text),
        GREEN_TEST(sources_come_in_their_order_and_are_added_once),
        GREEN_TEST(who_removes_a_source_waits_for_those_who_ask_it),
        GREEN_TEST(hubs_and_sources_come_and_go_while_others_ask, .limit = 120),
        GREEN_SUITE_END
};
