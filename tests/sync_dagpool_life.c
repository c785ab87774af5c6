/*
 * DAG pools: tasks that are killed, waits that end early, misuse, fork and the end of a hub, memory that runs out.
 */
#include "sync_dagpool.h"

GREEN_SUITE_INIT(sync_init)

/* ---- kills */

static void
one_that_has_not_started_is_forgotten_and_those_who_need_it_are_told(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job victim = {.depends = "q"}, user = {.depends = "v"}, again = {.depends = "", .result = PTR(6)};
        struct one_key o = {p, "v", NULL};
        struct waiter w = {0};

        GREEN_COVERS("DAG-21", "DAG-23");
        for (int way = 0; way < 2; way++) {
                waiter_start(&w, get_item, &o, GREEN_FOREVER);
                user = (struct job){.depends = "v"};
                CHECK_INT(spawn_job(p, "u", &user), 0);
                turns(1);
                CHECK_INT(spawn_job(p, "v", &victim), 0);
                CHECK_INT(green_dagpool_waiting(p), 2);
                CHECK_INT(green_dagpool_kill(p, K("v")), 0);
                CHECK_RUNNING(p, "u");
                CHECK_INT(green_dagpool_waiting(p), 0);
                CHECK_LACKS(p, "u", "");
                CHECK_INT(green_dagpool_waiting_for(p, K("v"), NULL, 0), -ENOENT);
                CHECK_INT(green_dagpool_kill(p, K("v")), -ENOENT);
                CHECK(strstr(green_last_error()->message, "no task with the key v") != NULL);
                /* Who asks later waits for what comes next. */
                CHECK_INT(green_dagpool_getitem(p, K("v"), NULL, 0), -ETIMEDOUT);
                turns(2);
                CHECK_INT(victim.begun, 0);
                CHECK_INT(waiter_end(&w), GREEN_EPROPAGATE);
                CHECK_INT(user.rc, GREEN_EPROPAGATE);
                check_failure(p, "u", "PropagateError(u): GREEN_EPROPAGATE: PropagateError(v): GREEN_EKILLED: killed");
                if (way == 0)
                        CHECK_INT(spawn_job(p, "v", &again), 0);
                else
                        CHECK_INT(green_dagpool_post(p, K("v"), PTR(6), false), 0);
                turns(1);
                check_value(p, "v", PTR(6));
                CHECK_INT(green_dagpool_free(p), 0);
                p = o.p = green_dagpool_new(NULL, 0);
        }
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
a_key_that_was_given_away_stays_and_one_that_was_not_goes(void)
{
        static const char lengthy[] = "a key that is too long to be part of its entry";
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job job = {.depends = "q"};
        struct green_key key = K("-");
        struct one_key o = {p, lengthy, NULL};
        struct waiter w = {0};
        long before;

        GREEN_COVERS("DAG-20", "DAG-21");
        CHECK_INT(spawn_job(p, "z", &job), 0);
        CHECK_INT(green_dagpool_waiting_for(p, K("z"), &key, 1), 1);
        CHECK_INT(green_dagpool_kill(p, K("z")), 0);
        for (const char *at = "abcdefgh"; *at != '\0'; at++)
                CHECK_INT(green_dagpool_post(p, (struct green_key){at, 1}, NULL, false), 0);
        check_letters(&key, 1, "q");
        /* The last who needed it is told, and it goes. */
        before = atomic_load(&memory_blocks);
        waiter_start(&w, get_item, &o, GREEN_FOREVER);
        CHECK_INT(spawn_fn(p, lengthy, collect, "", &job), 0);
        CHECK_INT(green_dagpool_kill(p, K(lengthy)), 0);
        CHECK_INT(waiter_end(&w), GREEN_EPROPAGATE);
        CHECK_INT(atomic_load(&memory_blocks), before);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
a_kill_of_one_that_has_started_succeeds_and_posts_the_failure(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job victim = {.depends = "q"}, user = {.depends = "v"};

        GREEN_COVERS("DAG-22", "DAG-23", "DAG-21");
        CHECK_INT(spawn_job(p, "v", &victim), 0);
        CHECK_INT(spawn_job(p, "u", &user), 0);
        turns(1);
        CHECK_INT(green_dagpool_kill(p, K("v")), 0);
        CHECK_INT(victim.rc, GREEN_EKILLED);
        check_failure(p, "v", "PropagateError(v): GREEN_EKILLED: killed");
        CHECK_INT(green_dagpool_kill(p, K("v")), -ENOENT);
        CHECK_INT(spawn_job(p, "v", &victim), GREEN_ECOLLISION);
        turns(1);
        check_failure(p, "u", "PropagateError(u): GREEN_EPROPAGATE: PropagateError(v): GREEN_EKILLED: killed");
        CHECK_INT(green_dagpool_kill(p, K("nobody")), -ENOENT);
        CHECK_INT(green_dagpool_free(p), 0);
}

struct told {
        green_dagpool *p;
        green_thread *thread;
        int then; /* what it does besides */
};

enum { RECOVER = 1, POST, EXIT, SELF, EXIT_FAILED };

static void *
tell_thread(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct told *t = arg;
        struct green_dag_item item;
        int rc;

        t->thread = green_thread_ref(green_getcurrent());
        if (t->then == EXIT)
                green_exit(PTR(9));
        if (t->then == EXIT_FAILED)
                green_exit(green_fail(-EDOM));
        if (t->then == POST)
                CHECK_INT(green_dagpool_post(t->p, *key, PTR(8), false), 0);
        if (t->then == SELF)
                CHECK_INT(green_dagpool_kill(t->p, *key), 0);
        rc = green_dag_next(results, &item, GREEN_FOREVER);
        if (t->then == RECOVER)
                CHECK_INT(green_recover(), rc);
        return PTR(7);
}

/* The words for it are those of the C library. */
static void
check_failed_with(green_dagpool *p, const char *key, int error, const char *name)
{
        char text[128];

        snprintf(text, sizeof text, "PropagateError(%s): %s: %s", key, name, strerror(error));
        check_failure(p, key, text);
}

/* A value that is returned all the same counts only where the kill was taken back. */
static void
it_is_the_same_however_its_green_thread_ends(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct told t[6] = {{p, NULL, 0},    {p, NULL, RECOVER}, {p, NULL, POST},
                            {p, NULL, EXIT}, {p, NULL, SELF},    {p, NULL, EXIT_FAILED}};

        GREEN_COVERS("DAG-23", "DAG-10", "DAG-05");
        for (int i = 0; i < 6; i++)
                CHECK_INT(spawn_fn(p, (const char[]){(char)('a' + i), '\0'}, tell_thread, "q", &t[i]), 0);
        turns(2);
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_kill(t[i].thread, -EIO), 0);
        turns(2);
        check_failed_with(p, "a", EIO, "EIO");
        check_value(p, "b", PTR(7));
        check_value(p, "c", PTR(8));
        check_value(p, "d", PTR(9));
        check_failure(p, "e", "PropagateError(e): GREEN_EKILLED: killed");
        check_failed_with(p, "f", EDOM, "EDOM");
        CHECK_INT(green_dagpool_running(p), 0);
        for (int i = 0; i < 6; i++)
                green_thread_unref(t[i].thread);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
a_shielded_task_has_its_values_before_the_kill_is_seen(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job job = {.depends = "ab", .shielded = true};

        CHECK_INT(spawn_job(p, "z", &job), 0);
        turns(1);
        CHECK_INT(green_dagpool_kill(p, K("z")), 0);
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        turns(1);
        CHECK_INT(green_dagpool_running(p), 1);
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, false), 0);
        turns(1);
        CHECK_STR(job.got, "ba");
        check_failure(p, "z", "PropagateError(z): GREEN_EKILLED: killed");
        CHECK_INT(green_dagpool_free(p), 0);
}

/* ---- waits that end early */

static void
nothing_is_lost_with_one_that_is_killed_or_out_of_time(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        green_dag_results *each = green_dagpool_wait_each(p, letters("abcd").keys, 4);
        struct one_key o = {p, "q", NULL};
        struct green_timeout t = {{0}};
        struct waiter w[3] = {{0}};

        GREEN_COVERS("DAG-04", "DAG-14");
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], next_of, each, GREEN_FOREVER);
        CHECK_INT(green_kill(w[0].thread, 0), 0);
        CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
        CHECK_INT(green_dagpool_post(p, K("a"), NULL, false), 0);
        /* Between wake-up and run: it has it, and the next call is told. */
        w[2].again = true;
        waiter_start(&w[2], next_of, each, GREEN_FOREVER);
        CHECK_INT(waiter_end(&w[1]), 1);
        CHECK_INT(green_dagpool_post(p, K("b"), NULL, false), 0);
        CHECK_INT(green_kill(w[2].thread, 0), 0);
        CHECK_INT(waiter_end(&w[2]), 1);
        CHECK_INT(w[2].rc_again, GREEN_EKILLED);
        CHECK_INT(next_of(each, 0.001), -ETIMEDOUT);
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        CHECK_INT(next_of(each, GREEN_FOREVER), GREEN_ETIMEOUT);
        CHECK_INT(next_of(each, 0), -ETIMEDOUT);
        CHECK_INT(green_timeout_cancel(&t), 1);
        CHECK_INT(green_dagpool_post(p, K("c"), NULL, false), 0);
        CHECK_INT(next_of(each, 0), 1);
        CHECK_TRACE("abc");
        CHECK_INT(green_dag_results_free(each), 0);
        CHECK_INT(green_dagpool_getitem(p, K("q"), NULL, 0.001), -ETIMEDOUT);
        waiter_start(&w[0], get_item, &o, GREEN_FOREVER);
        CHECK_INT(green_kill(w[0].thread, 0), 0);
        CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
        CHECK_INT(green_dagpool_post(p, K("q"), NULL, false), 0);
        CHECK_INT(green_dagpool_free(p), 0);
}

/* Its time is over, and it has not run yet: what comes then is none of its business, and the pool waits for it. */
static void
a_wait_whose_time_is_over_lets_go_when_it_runs(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct one_key o[2] = {{p, "q", NULL}, {p, "q", NULL}};
        struct waiter w[2] = {{0}};

        clock_shift_begin();
        for (int i = 0; i < 2; i++)
                waiter_start(&w[i], get_item, &o[i], 1);
        clock_jump(2);
        turns(300);
        CHECK_INT(waiter_end(&w[0]), -ETIMEDOUT);
        CHECK_INT(waiter_end(&w[1]), -ETIMEDOUT);
        waiter_start(&w[0], get_item, &o[0], GREEN_FOREVER);
        waiter_start(&w[1], get_item, &o[1], GREEN_FOREVER);
        CHECK_INT(green_kill(w[0].thread, 0), 0);
        CHECK_INT(green_dagpool_post(p, K("q"), PTR(1), false), 0);
        CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_PTR(o[0].value, NULL);
        CHECK_PTR(o[1].value, PTR(1));
        CHECK_INT(green_dagpool_free(p), 0);
        clock_shift_end();
}

static void *
end_while_another_waits(const struct green_key *key, green_dag_results *results, void *arg)
{
        (void)key;
        *(green_dag_results **)arg = results;
        turns(3);
        return NULL;
}

static void
one_that_waits_in_a_tasks_cursor_is_told_of_its_end(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        green_dag_results *results = NULL;
        struct waiter w = {0};

        CHECK_INT(spawn_fn(p, "z", end_while_another_waits, "q", &results), 0);
        turns(1);
        waiter_start(&w, next_of, results, GREEN_FOREVER);
        CHECK_INT(green_dag_results_free(results), -EINVAL);
        CHECK(reported("the cursor is a task's"));
        turns(5);
        CHECK_INT(waiter_end(&w), -ECANCELED);
        CHECK_INT(green_dagpool_free(p), 0);
}

/* ---- misuse */

static void
what_is_not_meant_is_refused(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_key bad = {NULL, 3};
        const struct green_error none = {0, "", NULL, NULL}, error = {-EIO, "", NULL, NULL};
        struct green_dag_task task = {K("a"), NULL, 0, NULL, NULL};
        struct green_dag_item item;
        struct job job = {.depends = ""};
        green_dag_results *each;
        void *value;

        CHECK_INT(green_dagpool_spawn(NULL, &task), -EINVAL);
        CHECK_INT(green_dagpool_spawn(p, NULL), -EINVAL);
        CHECK_INT(green_dagpool_spawn(p, &task), -EINVAL);
        task = (struct green_dag_task){K("a"), NULL, 1, collect, &job};
        CHECK_INT(green_dagpool_spawn(p, &task), -EINVAL);
        task.depends = &bad;
        CHECK_INT(green_dagpool_spawn(p, &task), -EINVAL);
        task = (struct green_dag_task){bad, NULL, 0, collect, &job};
        CHECK_INT(green_dagpool_spawn_many(p, &task, 1), -EINVAL);
        CHECK_INT(green_dagpool_post(p, green_key(NULL), NULL, false), -EINVAL);
        CHECK(strstr(green_last_error()->message, "no data") != NULL);
        CHECK_INT(green_dagpool_post(NULL, K("a"), NULL, false), -EINVAL);
        CHECK_INT(green_dagpool_post_error(p, K("a"), NULL, false), -EINVAL);
        CHECK_INT(green_dagpool_post_error(p, K("a"), &none, false), -EINVAL);
        CHECK_INT(green_dagpool_post_error(NULL, K("a"), &error, false), -EINVAL);
        CHECK_INT(green_dagpool_wait(p, NULL, 1, NULL, 0), -EINVAL);
        CHECK_INT(green_dagpool_wait(p, NULL, 0, NULL, 0), 0);
        CHECK_INT(green_dagpool_wait(p, &bad, 1, NULL, 0), -EINVAL);
        CHECK_INT(green_dagpool_wait(NULL, NULL, 0, NULL, 0), -EINVAL);
        CHECK_INT(green_dagpool_waitall(p, -1), -EINVAL);
        CHECK_INT(green_dagpool_waitall(NULL, 0), -EINVAL);
        CHECK_INT(green_dagpool_getitem(p, K("a"), NULL, NAN), -EINVAL);
        CHECK_INT(green_dagpool_get(p, K("a"), NULL, NULL), -EINVAL);
        CHECK_INT(green_dagpool_get(p, bad, NULL, &value), -EINVAL);
        CHECK_PTR(green_dagpool_wait_each(NULL, NULL, 0), NULL);
        CHECK_PTR(green_dagpool_wait_each(p, &bad, 1), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_dagpool_keys(p, NULL, 1), -EINVAL);
        CHECK_INT(green_dagpool_items(NULL, NULL, 0), -EINVAL);
        CHECK_INT(green_dagpool_running_keys(p, NULL, 1), -EINVAL);
        CHECK_INT(green_dagpool_waiting_for(p, bad, NULL, 0), -EINVAL);
        CHECK_INT(green_dagpool_kill(p, bad), -EINVAL);
        CHECK_INT(green_dagpool_kill(NULL, K("a")), -EINVAL);
        (void)green_set_error(-EIO, NULL);
        CHECK_INT(green_dagpool_running(NULL) + green_dagpool_waiting(NULL), 0);
        CHECK_INT(green_last_error()->code, -EINVAL);
        each = green_dagpool_wait_each(p, NULL, 0);
        CHECK_INT(green_dag_next(NULL, &item, 0), -EINVAL);
        CHECK_INT(green_dag_next(each, NULL, 0), -EINVAL);
        CHECK_INT(green_dag_next(each, &item, -1), -EINVAL);
        CHECK_INT(green_dag_results_free(each) | green_dag_results_free(NULL) | green_dagpool_free(NULL), 0);
        CHECK(reported("misuse by green thread"));
        CHECK_THERE(p, "");
        CHECK_INT(spawn_job(p, "a", &job), 0);
        CHECK_INT(green_dagpool_free(p), -EBUSY);
        turns(1);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void
use_elsewhere(void *arg)
{
        struct one_key *o = arg;
        green_dag_results *each = o->value;
        struct job job = {.depends = ""};
        struct green_dag_item item;
        void *value;

        CHECK_INT(spawn_job(o->p, "x", &job), -EPERM);
        CHECK_INT(green_dagpool_post(o->p, K("x"), NULL, true), -EPERM);
        CHECK_INT(green_dagpool_getitem(o->p, K("x"), &value, GREEN_FOREVER), -EPERM);
        CHECK_INT(green_dagpool_get(o->p, K("x"), NULL, &value), -EPERM);
        CHECK_INT(green_dag_next(each, &item, 0), -EPERM);
        CHECK_INT(green_dag_results_free(each), -EPERM);
        CHECK_INT(green_dagpool_keys(o->p, NULL, 0), -EPERM);
        CHECK_INT(green_dagpool_running(o->p), 0);
        CHECK_INT(green_dagpool_kill(o->p, K("z")), -EPERM);
        CHECK_INT(green_dagpool_free(o->p), -EPERM);
}

static void
use_in_callback(void *arg)
{
        struct one_key *o = arg;
        struct job *job = o->value;
        struct green_dag_item item;
        green_dag_results *each = green_dagpool_wait_each(o->p, letters("ab").keys, 2);

        CHECK_INT(green_dagpool_post(o->p, K("a"), PTR(1), false), 0);
        CHECK_INT(spawn_job(o->p, "y", job), 0);
        CHECK_INT(green_dag_next(each, &item, GREEN_FOREVER), 1);
        CHECK_INT(green_dag_next(each, &item, 0), -ETIMEDOUT);
        CHECK_INT(green_dag_next(each, &item, GREEN_FOREVER), -EDEADLK);
        CHECK_INT(green_dagpool_getitem(o->p, K("a"), NULL, GREEN_FOREVER), 0);
        CHECK_INT(green_dagpool_getitem(o->p, K("b"), NULL, 1), -EDEADLK);
        CHECK_INT(green_dagpool_getitem(o->p, K("b"), NULL, 0), -ETIMEDOUT);
        CHECK_INT(green_dagpool_waitall(o->p, GREEN_FOREVER), -EDEADLK);
        CHECK_INT(green_dag_results_free(each), 0);
        CHECK(reported("misuse by a hub callback"));
}

static void
hub_callbacks_may_do_what_does_not_wait_and_other_os_threads_nothing(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job jobs[2] = {{.depends = "a"}, {.depends = "a"}};
        struct one_key o = {p, "a", &jobs[1]};

        CHECK_INT(spawn_job(p, "z", &jobs[0]), 0);
        turns(1);
        in_callback(use_in_callback, &o);
        turns(2);
        CHECK_STR(jobs[0].got, "a");
        CHECK_STR(jobs[1].got, "a");
        o.value = green_dagpool_wait_each(p, NULL, 0);
        in_thread(use_elsewhere, &o);
        CHECK(reported("belongs to hub"));
        CHECK_INT(green_dag_results_free(o.value), 0);
        CHECK_INT(green_dagpool_free(p), 0);
}

/* ---- fork, and the end of a hub */

static void
in_a_child_tasks_that_are_forgotten_have_failed(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job jobs[2] = {{.depends = "q"}, {.depends = ""}};
        struct one_key o = {p, "q", NULL};
        green_dag_results *each;
        struct green_dag_item item;
        struct waiter w = {0};
        pid_t pid;

        GREEN_COVERS("DAG-23");
        CHECK_INT(spawn_job(p, "v", &jobs[0]), 0);
        waiter_start(&w, get_item, &o, GREEN_FOREVER);
        CHECK_INT(spawn_job(p, "w", &jobs[1]), 0); /* has not started */
        each = green_dagpool_wait_each(p, NULL, 0);
        pid = child_begin();
        if (pid == 0) {
                CHECK_INT(green_dagpool_running(p) + green_dagpool_waiting(p), 0);
                CHECK_INT(green_dag_next(each, &item, GREEN_FOREVER), GREEN_EPROPAGATE);
                CHECK_STR(green_last_error()->message, "PropagateError(v): GREEN_EKILLED: killed");
                CHECK_INT(green_dag_next(each, &item, GREEN_FOREVER), GREEN_EPROPAGATE);
                CHECK_STR(green_last_error()->message, "PropagateError(w): GREEN_EKILLED: killed");
                CHECK_INT(green_dag_results_free(each), 0);
                CHECK_INT(green_dagpool_post(p, K("q"), NULL, false), 0);
                CHECK_INT(green_dagpool_post(p, K("w"), NULL, false), 0);
                CHECK_INT(green_dagpool_free(p), 0);
                child_exit();
        }
        child_end(pid);
        CHECK_INT(green_dag_results_free(each), 0);
        CHECK_INT(green_dagpool_post(p, K("q"), NULL, false), 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_dagpool_waitall(p, GREEN_FOREVER), 0);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void *
never_ends(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;

        (void)key;
        green_shield_begin();
        CHECK_INT(green_dag_next(results, &item, GREEN_FOREVER), 0);
        return arg;
}

static void
use_until_the_hub_ends(void *arg)
{
        green_dagpool **pools = arg;
        static struct job job = {.depends = "q"};
        struct one_key o = {NULL, "q", NULL};
        struct waiter w = {.shielded = true};

        for (int i = 0; i < 2; i++) {
                pools[i] = green_dagpool_new(NULL, 0);
                CHECK_INT(spawn_job(pools[i], "v", &job), 0);
                CHECK_INT(spawn_fn(pools[i], "w", never_ends, "q", NULL), 0);
        }
        o.p = pools[0];
        waiter_start(&w, get_item, &o, GREEN_FOREVER);
        green_thread_unref(w.thread);
        CHECK_INT(spawn_job(pools[0], "x", &job), 0);
        CHECK(green_dagpool_wait_each(pools[0], NULL, 0) != NULL);
        CHECK_INT(green_hub_destroy(0.01), -ETIMEDOUT);
        CHECK_INT(green_dagpool_free(pools[1]), 0);
        (void)green_hub_destroy(0);
}

static void
a_pool_whose_hub_has_ended_is_freed_with_all_that_is_left_in_it(void)
{
        green_dagpool *pools[2] = {NULL, NULL};
        long before;

        (void)green_set_error(-EIO, NULL);
        before = atomic_load(&memory_blocks);
        in_thread(use_until_the_hub_ends, pools);
        CHECK(reported("freed unrun"));
        CHECK_INT(green_dagpool_free(pools[0]), 0);
        CHECK_RANGE(atomic_load(&memory_blocks), before, before + 1); /* a green thread on its own stack had one */
}

/* ---- memory */

static void
what_needs_memory_says_so_and_leaves_all_as_it_was(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        const struct green_error error = {-EIO, "broken", NULL, NULL};
        struct letters l = letters("qrst");
        struct green_dag_item preload = {K("a"), NULL, NULL};
        struct job job = {.depends = "qrs"};
        int steps[4] = {0}, rc;

        CHECK_NEEDS_MEMORY(green_dagpool *, green_dagpool_new(&preload, 1), green_dagpool_free);
        for (int what = 0; what < 4; what++) {
                do {
                        memory_left = steps[what]++;
                        rc = what == 0   ? spawn_job(p, "z", &job)
                             : what == 1 ? green_dagpool_post(p, K("a"), NULL, false)
                             : what == 2 ? green_dagpool_post_error(p, K("b"), &error, false)
                                         : green_dagpool_wait(p, l.keys, l.n, NULL, 0.001);
                        memory_left = -1;
                        CHECK(rc == -ENOMEM || rc == (what == 3 ? -ETIMEDOUT : 0));
                        if (rc == -ENOMEM)
                                CHECK_INT(green_last_error()->code, -ENOMEM);
                        CHECK_INT(green_dagpool_running(p), what > 0 || rc == 0);
                } while (rc == -ENOMEM && steps[what] < 30);
        }
        CHECK_RANGE(steps[0], 4, 20);
        CHECK_RANGE(steps[2], 3, 6);
        CHECK_RANGE(steps[3], 2, 10);
        CHECK_INT(green_dagpool_kill(p, K("z")), 0);
        CHECK_THERE(p, "abz");
        CHECK_NEEDS_MEMORY(green_dag_results *, green_dagpool_wait_each(p, l.keys, 1), green_dag_results_free);
        CHECK_INT(green_dagpool_free(p), 0);
}

static void *
fail_without_memory(const struct green_key *key, green_dag_results *results, void *arg)
{
        struct green_dag_item item;
        int rc;

        (void)key;
        rc = green_dag_next(results, &item, GREEN_FOREVER);
        memory_left = 0;
        return green_fail(rc < 0 ? rc : INT(arg));
}

static void
a_task_fails_without_memory_too(void)
{
        green_dagpool *p = green_dagpool_new(NULL, 0);
        struct job user = {.depends = "x"};
        void *value;

        GREEN_COVERS("DAG-06", "DAG-23");
        CHECK_INT(spawn_fn(p, "a", fail_without_memory, "", PTR(-EDOM)), 0);
        CHECK_INT(spawn_fn(p, "b", fail_without_memory, "a", NULL), 0);
        turns(2);
        memory_left = -1;
        CHECK_INT(green_dagpool_get(p, K("b"), NULL, &value), GREEN_EPROPAGATE);
        CHECK(strstr(green_last_error()->message, "no memory") != NULL);
        check_link(green_last_error(), "b");
        check_link(green_last_error()->cause, "a");
        CHECK_INT(green_last_error()->cause->cause->code, -EDOM);
        CHECK_STR(green_last_error()->cause->cause->message, "EDOM");
        /* One that never began. */
        CHECK_INT(spawn_job(p, "y", &user), 0);
        turns(1);
        CHECK_INT(spawn_job(p, "x", &user), 0);
        memory_left = 0;
        CHECK_INT(green_dagpool_kill(p, K("x")), 0);
        memory_left = -1;
        turns(1);
        CHECK_INT(green_dagpool_get(p, K("y"), NULL, &value), GREEN_EPROPAGATE);
        check_link(green_last_error()->cause, "x");
        CHECK_INT(green_last_error()->cause->cause->code, GREEN_EKILLED);
        CHECK_INT(green_dagpool_free(p), 0);
        CHECK_INT(green_set_error(-EIO, NULL), -EIO);
}

GREEN_SUITE(sync_dagpool_life) {
        GREEN_TEST(one_that_has_not_started_is_forgotten_and_those_who_need_it_are_told),
        GREEN_TEST(a_key_that_was_given_away_stays_and_one_that_was_not_goes),
        GREEN_TEST(a_kill_of_one_that_has_started_succeeds_and_posts_the_failure),
        GREEN_TEST(it_is_the_same_however_its_green_thread_ends),
        GREEN_TEST(a_shielded_task_has_its_values_before_the_kill_is_seen),
        GREEN_TEST(nothing_is_lost_with_one_that_is_killed_or_out_of_time),
        GREEN_TEST(a_wait_whose_time_is_over_lets_go_when_it_runs),
        GREEN_TEST(one_that_waits_in_a_tasks_cursor_is_told_of_its_end),
        GREEN_TEST(what_is_not_meant_is_refused),
        GREEN_TEST(hub_callbacks_may_do_what_does_not_wait_and_other_os_threads_nothing),
        GREEN_TEST(in_a_child_tasks_that_are_forgotten_have_failed),
        GREEN_TEST(a_pool_whose_hub_has_ended_is_freed_with_all_that_is_left_in_it),
        GREEN_TEST(what_needs_memory_says_so_and_leaves_all_as_it_was),
        GREEN_TEST(a_task_fails_without_memory_too),
        GREEN_SUITE_END
};
