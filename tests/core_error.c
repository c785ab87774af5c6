/* Error codes and the last error, the allocator and log hooks, and what happens when memory runs out. */
#include "core_help.h"

#include <stdatomic.h>
#include <unistd.h>

/* ---- an allocator that counts, and fails when told ---- */

static atomic_long live;    /* blocks that were not given back */
static atomic_long fail_at; /* so many allocations from now on one fails; 0: none does */
static atomic_bool fail_all_after;
static atomic_bool failed;
static int hook_arg, hook_rc;

static void *
count_realloc(void *arg, void *old, size_t len)
{
        long left = atomic_load(&fail_at);
        void *block;

        if (arg != &hook_arg || len == 0)
                abort();
        if (left > 0)
                atomic_store(&fail_at, left - 1);
        if (left == 1 || (atomic_load(&failed) && atomic_load(&fail_all_after))) {
                atomic_store(&failed, true);
                return NULL;
        }
        block = realloc(old, len);
        if (block != NULL && old == NULL)
                atomic_fetch_add(&live, 1);
        return block;
}

static void
count_free(void *arg, void *old)
{
        if (arg != &hook_arg || old == NULL)
                abort();
        atomic_fetch_sub(&live, 1);
        errno = EXDEV; /* green_free() keeps it */
        free(old);
}

static const struct green_allocator counting = {sizeof(counting), &hook_arg, count_realloc, count_free};

static void
init(void)
{
        help_init();
        hook_rc = green_set_allocator(&counting);
}
GREEN_SUITE_INIT(init)

/* ---- codes ---- */

static void
each_code_has_a_number_a_name_and_a_text_of_its_own(void)
{
        static const struct {
                int code;
                const char *name, *text;
        } rows[] = {
#define ROW(name, value, text) {value, #name, text},
                GREEN_ERRORS(ROW)
#undef ROW
        };
        size_t n = sizeof(rows) / sizeof(rows[0]);

        CHECK(n >= 10);
        for (size_t i = 0; i < n; i++) {
                CHECK_INT(rows[i].code < -1000, 1);
                CHECK_STR(green_errname(rows[i].code), rows[i].name);
                CHECK_STR(green_strerror(rows[i].code), rows[i].text);
                for (size_t j = 0; j < i; j++)
                        CHECK(rows[i].code != rows[j].code && strcmp(rows[i].text, rows[j].text) != 0);
        }
}

static void
codes_of_the_system_and_unknown_ones_have_texts_too(void)
{
        static const int unknown[] = {-999, -1000, -1500, -99999, 5, INT32_MAX, INT32_MIN};
        char text[128];

        CHECK_STR(green_errname(-ECONNREFUSED), "ECONNREFUSED");
        CHECK_STR(green_errname(-EAGAIN), "EAGAIN");
        CHECK_STR(green_errname(-ETIMEDOUT), "ETIMEDOUT");
        CHECK_STR(green_strerror(0), "success");
        snprintf(text, sizeof(text), "%s", green_strerror(-EPIPE));
        CHECK_STR(text, strerror(EPIPE));
        for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
                CHECK_STR(green_errname(unknown[i]), "unknown");
                CHECK(green_strerror(unknown[i]) != NULL && green_strerror(unknown[i])[0] != '\0');
        }
}

static void *
last_error_of_a_new_one(void *arg)
{
        (void)arg;
        CHECK_INT(green_last_error()->code, 0);
        CHECK_STR(green_last_error()->message, "success");
        CHECK_INT(green_set_error(-EPERM, "%s of %d", "one", 2), -EPERM);
        CHECK_INT(errno, EPERM);
        CHECK_INT(green_last_error()->code, -EPERM);
        CHECK_STR(green_last_error()->message, "one of 2");
        CHECK_PTR(green_last_error()->cause, NULL);
        CHECK_INT(green_set_error(GREEN_EFULL, NULL), GREEN_EFULL);
        CHECK_INT(errno, 1004);
        CHECK_STR(green_last_error()->message, "full");
        CHECK_INT(green_sleep(0), 0); /* a success does not clear it */
        CHECK_INT(green_last_error()->code, GREEN_EFULL);
        return NULL;
}

static void
the_last_error_keeps_code_and_message(void)
{
        char lengthy[2000];

        CHECK_INT(join(green_spawn(last_error_of_a_new_one, NULL)), 0);
        memset(lengthy, 'm', sizeof(lengthy) - 1);
        lengthy[sizeof(lengthy) - 1] = '\0';
        CHECK_INT(green_set_error(-EIO, "%s", lengthy), -EIO);
        CHECK_RANGE(strlen(green_last_error()->message), 100, sizeof(lengthy) - 2);
        CHECK_INT(strspn(green_last_error()->message, "m"), strlen(green_last_error()->message));
}

static void *
without_a_hub(void *arg)
{
        (void)arg;
        CHECK_INT(green_last_error()->code, 0);
        CHECK_INT(green_set_error(-ENOENT, "no hub here"), -ENOENT);
        CHECK_STR(green_last_error()->message, "no hub here");
        return NULL;
}

static void
an_os_thread_without_a_hub_has_a_last_error_too(void)
{
        pthread_t thread;

        CHECK_INT(green_set_error(-EDOM, "main's"), -EDOM);
        CHECK_INT(pthread_create(&thread, NULL, without_a_hub, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_STR(green_last_error()->message, "main's");
}

/* ---- copies ---- */

static void
a_copy_of_an_error_has_its_own_message_and_causes(void)
{
        char low[] = "the cable", high[] = "the network";
        struct green_error cable = {-ENODEV, low, &live, NULL};
        struct green_error silent = {-EIO, NULL, NULL, &cable};
        struct green_error network = {-ENETDOWN, high, &failed, &silent};
        long before = atomic_load(&live);
        struct green_error *copy = green_error_copy(&network);

        CHECK_OR_RETURN(copy != NULL);
        memset(low, 'x', sizeof(low) - 1);
        memset(high, 'x', sizeof(high) - 1);
        cable.code = silent.code = network.code = -1;
        CHECK_INT(copy->code, -ENETDOWN);
        CHECK_STR(copy->message, "the network");
        CHECK_PTR(copy->value, &failed);
        CHECK_INT(copy->cause->code, -EIO);
        CHECK_STR(copy->cause->message, "");
        CHECK_INT(copy->cause->cause->code, -ENODEV);
        CHECK_STR(copy->cause->cause->message, "the cable");
        CHECK_PTR(copy->cause->cause->value, &live);
        CHECK_PTR(copy->cause->cause->cause, NULL);
        green_error_free(copy);
        green_error_free(NULL);
        CHECK_PTR(green_error_copy(NULL), NULL);
        CHECK_INT(atomic_load(&live), before);
}

static void
a_copy_that_fails_half_way_leaves_nothing(void)
{
        const struct green_error inner = {-ENODEV, "a", NULL, NULL};
        const struct green_error middle = {-EIO, "b", NULL, &inner};
        const struct green_error outer = {-ENETDOWN, "c", NULL, &middle};
        long before = atomic_load(&live);

        for (int n = 1; n <= 3; n++) {
                atomic_store(&failed, false);
                atomic_store(&fail_at, n);
                errno = 0;
                CHECK_PTR(green_error_copy(&outer), NULL);
                CHECK_INT(errno, ENOMEM);
                CHECK_INT(atomic_load(&live), before);
        }
        atomic_store(&failed, false);
        atomic_store(&fail_at, 0);
}

static void
a_copy_may_be_longer_than_any_stack_is_deep(void)
{
        enum { LENGTH = 100000 };
        static struct green_error chain[LENGTH];
        const struct green_error *e;
        struct green_error *copy;
        int n = 0;

        for (int i = 0; i < LENGTH; i++)
                chain[i] = (struct green_error){-EIO, "m", NULL, i == 0 ? NULL : &chain[i - 1]};
        copy = green_error_copy(&chain[LENGTH - 1]);
        for (e = copy; e != NULL; e = e->cause)
                n++;
        CHECK_INT(n, LENGTH);
        green_error_free(copy);
}

/* ---- errors that are shared ---- */

static int let_go;

static void
count_let_go(void *arg)
{
        CHECK_PTR(arg, &let_go);
        let_go++;
}

static const struct green_error first_cause = {-ENODEV, "the cable", NULL, NULL};
static const struct green_error shared = {GREEN_EPROPAGATE, "the network", &let_go, &first_cause};

static void *
end_with_a_shared_error(void *arg)
{
        CHECK_INT(green_set_error_shared(&shared, count_let_go, &let_go), GREEN_EPROPAGATE);
        CHECK_INT(let_go, INT(arg));
        return NULL;
}

static void
a_shared_last_error_is_let_go_of_when_it_is_one_no_more(void)
{
        green_thread *gt;

        let_go = 0;
        CHECK_INT(green_set_error_shared(&shared, count_let_go, &let_go), GREEN_EPROPAGATE);
        CHECK_INT(errno, -GREEN_EPROPAGATE);
        CHECK_STR(green_last_error()->message, "the network");
        CHECK_PTR(green_last_error()->value, &let_go);
        CHECK_PTR(green_last_error()->cause, &first_cause);
        CHECK_INT(green_set_error_shared(&shared, count_let_go, &let_go), GREEN_EPROPAGATE);
        CHECK_INT(let_go, 1);
        /* Its message may be part of the next. */
        CHECK_INT(green_set_error(-EIO, "no more %s", green_last_error()->message), -EIO);
        CHECK_INT(let_go, 2);
        CHECK_STR(green_last_error()->message, "no more the network");
        CHECK_PTR(green_last_error()->cause, NULL);
        gt = green_spawn(end_with_a_shared_error, PTR(2));
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK_INT(let_go, 2);
        green_thread_unref(gt);
        CHECK_INT(let_go, 3);
        CHECK_INT(green_set_error_shared(&shared, NULL, NULL), GREEN_EPROPAGATE);
        CHECK_INT(green_set_error(-EIO, NULL), -EIO);
}

static void *
share_until_the_hub_ends(void *arg)
{
        CHECK(green_get_hub() != NULL);
        (void)end_with_a_shared_error(PTR(3));
        CHECK_INT(green_hub_destroy(0), 0);
        CHECK_INT(let_go, 4);
        return arg;
}

static void *
share_without_memory(void *arg)
{
        (void)arg;
        atomic_store(&fail_at, 1);
        CHECK_INT(green_set_error_shared(&shared, count_let_go, &let_go), GREEN_EPROPAGATE);
        atomic_store(&fail_at, 0);
        atomic_store(&failed, false);
        CHECK_STR(green_last_error()->message, "the network");
        return NULL;
}

static void
a_shared_last_error_ends_with_its_hub_and_is_not_kept_without_memory(void)
{
        pthread_t thread;

        let_go = 3;
        CHECK_INT(pthread_create(&thread, NULL, share_until_the_hub_ends, NULL), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(let_go, 4);
        CHECK_INT(pthread_create(&thread, NULL, share_without_memory, NULL), 0); /* and without a hub */
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(let_go, 5);
        CHECK_INT(join(green_spawn(share_without_memory, NULL)), 0);
        CHECK_RANGE(let_go, 6, 6);
}

/* ---- allocator and log ---- */

static void
the_allocator_hook_is_checked_and_used(void)
{
        struct green_allocator bad = counting;
        long before = atomic_load(&live);
        char *block;

        CHECK_INT(hook_rc, 0); /* it was set before anything else */
        bad.size = 1;
        CHECK_INT(green_set_allocator(&bad), -EINVAL);
        bad = counting;
        bad.realloc = NULL;
        CHECK_INT(green_set_allocator(&bad), -EINVAL);
        bad = counting;
        bad.free = NULL;
        CHECK_INT(green_set_allocator(&bad), -EINVAL);
        CHECK_INT(green_set_allocator(&counting), -EBUSY); /* the hub's memory is in use */
        CHECK_INT(green_set_allocator(NULL), -EBUSY);
        block = green_calloc(3, 5);
        CHECK_OR_RETURN(block != NULL);
        for (int i = 0; i < 15; i++)
                CHECK_INT(block[i], 0);
        CHECK_INT(atomic_load(&live), before + 1);
        block[14] = 'z';
        block = green_realloc(block, 100000);
        CHECK_OR_RETURN(block != NULL);
        CHECK_INT(block[14], 'z');
        errno = EDOM;
        green_free(block);
        green_free(NULL);
        CHECK_INT(errno, EDOM);
        CHECK_INT(atomic_load(&live), before);
        errno = 0;
        CHECK_PTR(green_calloc(SIZE_MAX / 2, 3), NULL);
        CHECK_INT(errno, ENOMEM);
}

static void
the_log_hook_gets_level_and_line_cut_at_a_thousand_bytes(void)
{
        struct log_lines log;
        char lengthy[3000];

        log_catch(&log);
        errno = EDOM;
        green_log(GREEN_LOG_INFO, "%d and %s", 5, "six");
        CHECK_INT(errno, EDOM);
        CHECK_STR(log.text, "5 and six");
        CHECK_INT(log.level, GREEN_LOG_INFO);
        memset(lengthy, 'l', sizeof(lengthy) - 1);
        lengthy[sizeof(lengthy) - 1] = '\0';
        green_log(GREEN_LOG_DEBUG, "%s", lengthy);
        CHECK_INT(strlen(log.text), 1000);
        CHECK_INT(log.count, 2);
        log_release();
}

static void
a_name_stands_before_each_report(void)
{
        struct log_lines log;
        char lengthy[3000];

        memset(lengthy, 'l', sizeof(lengthy) - 1);
        lengthy[sizeof(lengthy) - 1] = '\0';
        log_catch(&log);
        green_set_log_name("worker 7");
        green_log(GREEN_LOG_INFO, "%d and %s", 5, "six");
        CHECK_STR(log.text, "worker 7: 5 and six");
        /* It takes nothing away from the report, and is not long itself. */
        green_log(GREEN_LOG_INFO, "%s", lengthy);
        CHECK_INT(strlen(log.text), strlen("worker 7: ") + 1000);
        green_set_log_name(lengthy);
        green_log(GREEN_LOG_INFO, "x");
        CHECK_INT(strlen(log.text), 60 + strlen(": x"));
        green_set_log_name("");
        green_log(GREEN_LOG_INFO, "y");
        CHECK_STR(log.text, "y");
        green_set_log_name("a");
        green_set_log_name(NULL);
        green_log(GREEN_LOG_INFO, "z");
        CHECK_STR(log.text, "z");
        log_release();
}

static void
the_default_log_writes_warnings_and_errors_to_stderr(void)
{
        int saved = dup(STDERR_FILENO);
        FILE *file = tmpfile();
        char text[200] = "";
        size_t n;

        CHECK_OR_RETURN(file != NULL);
        CHECK(dup2(fileno(file), STDERR_FILENO) == STDERR_FILENO);
        green_log(GREEN_LOG_DEBUG, "a");
        green_log(GREEN_LOG_INFO, "b");
        green_log(GREEN_LOG_WARNING, "c");
        green_log(GREEN_LOG_ERROR, "d");
        CHECK(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
        close(saved);
        rewind(file);
        n = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
        CHECK_INT(n, 4);
        CHECK_STR(text, "c\nd\n");
}

static void
whether_a_report_would_be_seen_is_known_before_it_is_made(void)
{
        struct log_lines log;

        log_catch(&log);
        CHECK(green_log_enabled(GREEN_LOG_ERROR));
        CHECK(green_log_enabled(GREEN_LOG_INFO));
        CHECK(green_log_enabled(GREEN_LOG_DEBUG));
        log_release();
        CHECK(green_log_enabled(GREEN_LOG_ERROR));
        CHECK(green_log_enabled(GREEN_LOG_WARNING));
        CHECK(!green_log_enabled(GREEN_LOG_INFO));
        CHECK(!green_log_enabled(GREEN_LOG_DEBUG));
}

/* ---- memory runs out ---- */

/* A call that makes a handle gave this: a handle, or NULL with all that belongs to it. */
static bool
made(const void *handle)
{
        if (handle != NULL)
                return true;
        CHECK_INT(errno, ENOMEM);
        CHECK_INT(green_last_error()->code, -ENOMEM);
        return false;
}

/* The same for a call that returns a code. */
static bool
worked(int rc)
{
        return rc == 0 || !CHECK_INT(rc, -ENOMEM);
}

static int ran;

static void *
run(void *arg)
{
        ran++;
        return arg;
}

enum { MANY = 70 }; /* more than one chunk of control blocks */

static void
spawn_many(void)
{
        green_thread *gt[MANY];
        int spawned = 0;

        ran = 0;
        for (int i = 0; i < MANY; i++) {
                errno = 0;
                gt[i] = i % 2 == 0 ? green_spawn(run, NULL) : green_spawn_copy(run, "abc", 4);
                spawned += made(gt[i]);
        }
        spawned += worked(green_spawn_n(run, NULL));
        for (int i = 0; i < MANY; i++)
                if (gt[i] != NULL)
                        CHECK_INT(join(gt[i]), 0);
        if (spawned > 0)
                CHECK_INT(green_sleep(0), 0);
        CHECK_INT(ran, spawned);
}

static void
spawn_in_other_ways(void)
{
        const struct green_spawn_opts opts = {
                .size = sizeof(opts), .name = "one with a name", .stack_size = 50000, .inherit_locals = true};
        green_thread *gt[3];
        int spawned = 0;

        ran = 0;
        errno = 0;
        gt[0] = green_spawn_after(0, run, NULL);
        spawned += made(gt[0]);
        errno = 0;
        gt[1] = green_spawn_after_local(0, run, NULL);
        spawned += made(gt[1]);
        errno = 0;
        gt[2] = green_spawn_with(run, NULL, &opts);
        spawned += made(gt[2]);
        for (int i = 0; i < 3; i++)
                if (gt[i] != NULL)
                        CHECK_INT(join(gt[i]), 0);
        CHECK_INT(ran, spawned);
}

static void
time_out_many(void)
{
        struct green_timeout t[MANY];
        int rc[MANY];

        for (int i = 0; i < MANY; i++) {
                rc[i] = green_timeout_start(&t[i], 1000);
                (void)worked(rc[i]);
        }
        for (int i = 0; i < MANY; i++)
                if (rc[i] == 0)
                        CHECK_INT(green_timeout_cancel(&t[i]), 0);
}

static int made_values, ended_values;

static void *
make_value(void *arg)
{
        made_values++;
        return arg;
}

static void
end_value(void *value)
{
        (void)value;
        ended_values++;
}

static green_local *local_of_run;

static void *
use_local(void *arg)
{
        void *value;

        errno = 0;
        value = green_local_get(local_of_run);
        (void)made(value);
        (void)worked(green_local_set(arg, PTR(1)));
        return NULL;
}

static void
use_locals(void)
{
        const struct green_local_opts opts = {
                .size = sizeof(opts), .construct = make_value, .arg = &live, .destruct = end_value, .inherit = true};
        const struct green_spawn_opts all = {.size = sizeof(all), .inherit_locals = true};
        green_local *other;
        green_thread *gt;

        errno = 0;
        local_of_run = green_local_new(&opts);
        if (!made(local_of_run))
                return;
        errno = 0;
        other = green_local_new(NULL);
        made_values = ended_values = 0;
        if (made(other)) {
                errno = 0;
                gt = green_spawn(use_local, other);
                if (made(gt))
                        CHECK_INT(join(gt), 0);
                CHECK_INT(ended_values, made_values);
                (void)worked(green_local_set(other, PTR(2)));
                errno = 0;
                gt = green_spawn_with(run, NULL, &all);
                if (made(gt))
                        CHECK_INT(join(gt), 0);
        }
        green_local_free(other);
        green_local_free(local_of_run);
}

static void
linked(green_thread *gt, void *arg)
{
        (void)gt;
        ++*(int *)arg;
}

static void
cleaned(void *arg)
{
        ++*(int *)arg;
}

static int cleanups;

static void *
fail_with_a_story(void *arg)
{
        const struct green_error cause = {-EIO, "a cause", NULL, NULL};
        const struct green_error error = {-EPIPE, "a story", NULL, &cause};
        bool registered = worked(green_defer(cleaned, &cleanups));

        cleanups -= registered;
        *(bool *)arg = true;
        return green_fail_error(&error);
}

static void
use_handles(void)
{
        int links = 0, links_made = 0;
        bool began = false;
        green_thread *gt;

        cleanups = 0;
        errno = 0;
        gt = green_spawn(fail_with_a_story, &began);
        if (!made(gt))
                return;
        links_made += worked(green_thread_link(gt, linked, &links));
        (void)worked(green_thread_set_name(gt, "somebody"));
        links_made += worked(green_thread_link(gt, linked, &links));
        CHECK_INT(green_thread_wait(gt, NULL), -EPIPE);
        (void)green_thread_error(gt);
        CHECK_INT(links, links_made);
        CHECK_INT(cleanups, 0);
        CHECK(began);
        green_thread_unref(gt);
}

static void
use_wakers_and_posts(void)
{
        green_hub *hub = green_get_hub();
        green_waker *waker;
        int calls = 0, posted = 0;

        if (!made(hub))
                return;
        errno = 0;
        waker = green_waker_new();
        if (made(waker)) {
                CHECK_INT(green_wake_mt(waker), 0);
                CHECK_INT(green_waker_wait(waker, 5), 0);
                CHECK_INT(green_waker_free(waker), 0);
        }
        for (int i = 0; i < 3; i++)
                posted += worked(green_hub_post(hub, cleaned, &calls));
        posted += worked(green_schedule_call_global(0, cleaned, &calls));
        posted += worked(green_schedule_call_local(0, cleaned, &calls));
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(calls, posted);
}

static void *
in_a_hub_of_its_own(void *arg)
{
        void (**scenario)(void) = arg;

        (*scenario)();
        CHECK_INT(green_hub_destroy(5), 0);
        return NULL;
}

/* Run it in a new OS thread, and so with a new hub. False once it was through before the n-th allocation. */
static bool
run_failing(void (*scenario)(void), long n, bool all_after)
{
        long before = atomic_load(&live);
        pthread_t thread;

        atomic_store(&failed, false);
        atomic_store(&fail_all_after, all_after);
        atomic_store(&fail_at, n);
        CHECK_INT(pthread_create(&thread, NULL, in_a_hub_of_its_own, (void *)&scenario), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        atomic_store(&fail_at, 0);
        atomic_store(&fail_all_after, false);
        return CHECK_INT(atomic_load(&live), before) && atomic_load(&failed);
}

/* Every allocation of a scenario fails once, alone and with all that follow: errors, and nothing is lost. */
static void
fail_each_allocation(void (*scenario)(void))
{
        long n;

        (void)run_failing(scenario, 0, false);
        for (int all_after = 0; all_after < 2; all_after++) {
                for (n = 1; n < 2000; n++)
                        if (!run_failing(scenario, n, all_after == 1) || suite_failures() > 0)
                                break;
                CHECK_RANGE(n, 3, 1000);
        }
}

static void
spawn_reports_that_memory_ran_out(void)
{
        fail_each_allocation(spawn_many);
}

static void
the_spawn_family_reports_that_memory_ran_out(void)
{
        fail_each_allocation(spawn_in_other_ways);
}

static void
timeouts_report_that_memory_ran_out(void)
{
        fail_each_allocation(time_out_many);
}

static void
locals_report_that_memory_ran_out(void)
{
        fail_each_allocation(use_locals);
}

static void
links_names_clean_up_and_errors_report_that_memory_ran_out(void)
{
        fail_each_allocation(use_handles);
}

static void
wakers_and_posts_report_that_memory_ran_out(void)
{
        fail_each_allocation(use_wakers_and_posts);
}

GREEN_SUITE(core_error) {
        GREEN_TEST(each_code_has_a_number_a_name_and_a_text_of_its_own),
        GREEN_TEST(codes_of_the_system_and_unknown_ones_have_texts_too),
        GREEN_TEST(the_last_error_keeps_code_and_message),
        GREEN_TEST(an_os_thread_without_a_hub_has_a_last_error_too),
        GREEN_TEST(a_copy_of_an_error_has_its_own_message_and_causes),
        GREEN_TEST(a_copy_that_fails_half_way_leaves_nothing),
        GREEN_TEST(a_copy_may_be_longer_than_any_stack_is_deep),
        GREEN_TEST(a_shared_last_error_is_let_go_of_when_it_is_one_no_more),
        GREEN_TEST(a_shared_last_error_ends_with_its_hub_and_is_not_kept_without_memory),
        GREEN_TEST(the_allocator_hook_is_checked_and_used),
        GREEN_TEST(the_log_hook_gets_level_and_line_cut_at_a_thousand_bytes),
        GREEN_TEST(a_name_stands_before_each_report),
        GREEN_TEST(the_default_log_writes_warnings_and_errors_to_stderr),
        GREEN_TEST(whether_a_report_would_be_seen_is_known_before_it_is_made),
        GREEN_TEST(spawn_reports_that_memory_ran_out),
        GREEN_TEST(the_spawn_family_reports_that_memory_ran_out),
        GREEN_TEST(timeouts_report_that_memory_ran_out),
        GREEN_TEST(locals_report_that_memory_ran_out),
        GREEN_TEST(links_names_clean_up_and_errors_report_that_memory_ran_out),
        GREEN_TEST(wakers_and_posts_report_that_memory_ran_out),
        GREEN_SUITE_END
};
