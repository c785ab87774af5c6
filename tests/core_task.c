/* Green threads whose maker is told of their end: spawned, and run here and now. */
#include "core_help.h"

#include <sys/wait.h>
#include <unistd.h>

static int memory_left = -1;

static void *
counted_realloc(void *arg, void *old, size_t len)
{
        (void)arg;
        if (memory_left == 0) {
                errno = ENOMEM;
                return NULL;
        }
        if (memory_left > 0)
                memory_left--;
        return realloc(old, len);
}

static void
counted_free(void *arg, void *old)
{
        (void)arg;
        free(old);
}

static void
init(void)
{
        static const struct green_allocator allocator = {
                .size = sizeof(allocator), .realloc = counted_realloc, .free = counted_free};

        green_set_allocator(&allocator);
        help_init();
}

GREEN_SUITE_INIT(init)

/* What a task was told. */
struct note {
        struct green_task task;
        int told, code;
        void *result;
        bool learnt; /* what end answers */
        char letter;
};

static bool
told(struct green_task *task, int code, void *result)
{
        struct note *n = (struct note *)task;

        if (n->letter != 0)
                trace(n->letter);
        n->told++;
        n->code = code;
        n->result = result;
        return n->learnt;
}

static void *
give_back(void *arg)
{
        return arg;
}

static void *
fail_with_ebusy(void *arg)
{
        (void)arg;
        return green_fail(-EBUSY);
}

static void *
wait_and_give_back(void *arg)
{
        (void)green_sleep(GREEN_FOREVER);
        return arg;
}

static void *
leave(void *arg)
{
        green_exit(arg);
}

/* ---- spawned */

static void
a_task_is_told_how_its_green_thread_ended(void)
{
        struct note a = {.task = {.end = told}}, b = a, c = a, d = a, e = a;
        green_thread *gt[5];
        void *result = NULL;

        CHECK_INT(green_spawn_task(&a.task, give_back, PTR(5), "here:1", &gt[0]), 0);
        CHECK_INT(green_spawn_task(&b.task, fail_with_ebusy, NULL, "here:2", &gt[1]), 0);
        CHECK_INT(green_spawn_task(&c.task, wait_and_give_back, PTR(6), "here:3", &gt[2]), 0);
        CHECK_INT(green_spawn_task(&d.task, give_back, NULL, "here:4", &gt[3]), 0);
        CHECK_INT(green_spawn_task(&e.task, leave, PTR(7), "here:5", &gt[4]), 0);
        CHECK_PTR(green_thread_task(gt[0]), &a.task);
        CHECK_PTR(a.task.thread, gt[0]);
        CHECK_STR(green_thread_where(gt[1]), "here:2");
        CHECK_PTR(green_thread_task(green_getcurrent()), NULL);
        CHECK_PTR(green_thread_task(NULL), NULL);
        /* Before its start. */
        CHECK_INT(green_kill(gt[3], -EIO), 0);
        CHECK_INT(d.told, 1);
        CHECK_INT(d.code, -EIO);
        CHECK_PTR(d.result, NULL);
        turns(1);
        CHECK_INT(c.told, 0);
        CHECK_INT(green_kill(gt[2], 0), 0);
        CHECK_INT(c.told, 1);
        CHECK_INT(c.code, GREEN_EKILLED);
        CHECK_PTR(c.result, PTR(6)); /* a kill makes it void, and somebody must free it */
        CHECK_INT(a.told, 1);
        CHECK_INT(a.code, 0);
        CHECK_PTR(a.result, PTR(5));
        CHECK_PTR(green_thread_task(gt[0]), NULL);
        CHECK_INT(green_thread_wait(gt[0], &result), 0);
        CHECK_PTR(result, PTR(5));
        CHECK_INT(b.told, 1);
        CHECK_INT(b.code, -EBUSY);
        CHECK_PTR(b.result, NULL);
        CHECK_PTR(e.result, PTR(7));
        for (int i = 0; i < 5; i++)
                CHECK_INT(join(gt[i]), i == 1 ? -EBUSY : i == 2 ? GREEN_EKILLED : i == 3 ? -EIO : 0);
}

static void
trace_link(green_thread *gt, void *arg)
{
        (void)gt;
        trace((char)INT(arg));
}

static void *
wait_for(void *arg)
{
        CHECK_INT(green_thread_wait(arg, NULL), 0);
        trace('w');
        return NULL;
}

static void
trace_defer(void *arg)
{
        trace((char)INT(arg));
}

static void *
with_clean_up(void *arg)
{
        CHECK_INT(green_defer(trace_defer, PTR('d')), 0);
        return arg;
}

static void
it_is_told_after_clean_up_and_before_links(void)
{
        struct note n = {.task = {.end = told}, .letter = 't'};
        green_thread *gt, *waiter;

        CHECK_INT(green_spawn_task(&n.task, with_clean_up, NULL, GREEN_HERE, &gt), 0);
        CHECK_INT(green_thread_link(gt, trace_link, PTR('l')), 0);
        waiter = green_spawn(wait_for, gt);
        turns(3);
        CHECK_TRACE("dtlw");
        CHECK_INT(join(waiter), 0);
        CHECK_INT(join(gt), 0);
}

static void
an_error_that_the_task_has_taken_is_not_logged(void)
{
        for (int learnt = 0; learnt < 2; learnt++) {
                struct note n = {.task = {.end = told}, .learnt = learnt}, m = n;
                struct log_lines lines;
                green_thread *gt;

                log_catch(&lines);
                CHECK_INT(green_spawn_task(&n.task, fail_with_ebusy, NULL, "at:9", NULL), 0);
                CHECK_INT(green_spawn_task(&m.task, fail_with_ebusy, NULL, "at:9", &gt), 0);
                turns(1);
                green_thread_unref(gt);
                log_release();
                CHECK_INT(n.told + m.told, 2);
                CHECK_INT(lines.count, learnt ? 0 : 2);
        }
}

/* ---- run here */

static void *
say_who(void *arg)
{
        CHECK_PTR(green_getcurrent(), arg);
        CHECK_INT(green_sleep(0), 0);
        return PTR(8);
}

static void
a_function_that_is_run_here_gives_the_handle_of_one_that_has_ended(void)
{
        struct note n = {.task = {.end = told}};
        struct green_hub_info before = hub_info();
        green_thread *gt = NULL;
        void *result = NULL;

        CHECK_INT(green_run_task(&n.task, say_who, green_getcurrent(), "inline:3", &gt), 0);
        CHECK_INT(n.told, 1);
        CHECK_INT(n.code, 0);
        CHECK_PTR(n.result, PTR(8));
        CHECK_PTR(n.task.thread, NULL);
        CHECK(green_thread_dead(gt) && !green_thread_alive(gt));
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_cancel(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, &result), 0);
        CHECK_PTR(result, PTR(8));
        CHECK_STR(green_thread_where(gt), "inline:3");
        CHECK(green_thread_ident(gt) != 0 && green_thread_ident(gt) != green_get_ident());
        CHECK_INT(green_thread_link(gt, trace_link, PTR('l')), 0);
        CHECK_TRACE("l");
        green_thread_unref(gt);
        CHECK_INT(hub_info().threads, before.threads);
        CHECK_INT(green_run_task(NULL, give_back, NULL, "inline:4", NULL), 0);
}

static void *
fail_with_words(void *arg)
{
        const struct green_error error = {-EIO, "no paper", arg, NULL};

        return green_fail_error(&error);
}

static void
its_failure_is_in_the_handle_with_its_words(void)
{
        struct log_lines lines;
        green_thread *gt = NULL;
        struct note n = {.task = {.end = told}, .learnt = true};

        log_catch(&lines);
        CHECK_INT(green_run_task(NULL, fail_with_words, &lines, GREEN_HERE, &gt), 0);
        CHECK_INT(green_thread_wait(gt, NULL), -EIO);
        CHECK_OR_RETURN(green_thread_error(gt) != NULL);
        CHECK_STR(green_thread_error(gt)->message, "no paper");
        CHECK_PTR(green_thread_error(gt)->value, &lines);
        green_thread_unref(gt);
        CHECK_INT(lines.count, 0);
        CHECK_INT(green_run_task(NULL, fail_with_words, NULL, "inline:7", NULL), 0);
        CHECK_INT(lines.count, 1);
        CHECK(strstr(lines.text, "inline:7") != NULL && strstr(lines.text, "no paper") != NULL);
        CHECK_INT(green_run_task(&n.task, fail_with_words, NULL, "inline:7", NULL), 0);
        CHECK_INT(n.code, -EIO);
        CHECK_INT(lines.count, 1);
        log_release();
}

static struct note inner, outer;

static void *
leave_inside(void *arg)
{
        CHECK_INT(green_run_task(&inner.task, arg == NULL ? leave : wait_and_give_back, NULL, GREEN_HERE, NULL), 0);
        return NULL;
}

static void *
nest(void *arg)
{
        CHECK_INT(green_run_task(&outer.task, leave_inside, arg, GREEN_HERE, NULL), 0);
        trace('n');
        return NULL;
}

static void
who_ends_inside_has_killed_what_ran_there(void)
{
        green_thread *gt;

        inner = (struct note){.task = {.end = told}, .letter = 'i'};
        outer = (struct note){.task = {.end = told}, .letter = 'o'};
        gt = green_spawn(nest, NULL);
        CHECK_INT(join(gt), 0);
        CHECK_TRACE("io");
        CHECK_INT(inner.code, GREEN_EKILLED);
        CHECK_INT(outer.code, GREEN_EKILLED);
        /* A kill is the caller's: what runs inside goes on as the function says. */
        gt = green_spawn(nest, PTR(1));
        turns(1);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_TRACE("ion");
        CHECK_INT(inner.code, 0);
}

static void
in_callback(void *arg)
{
        struct note *n = arg;

        CHECK_INT(green_run_task(&n->task, give_back, PTR(3), GREEN_HERE, NULL), 0);
        CHECK_INT(n->told, 1);
        CHECK_INT(green_spawn_task(&n->task, give_back, PTR(4), GREEN_HERE, NULL), 0);
}

static void
both_work_in_a_hub_callback(void)
{
        struct note n = {.task = {.end = told}};

        CHECK_INT(green_schedule_call_global(0, in_callback, &n), 0);
        for (int i = 0; i < 1000 && n.told < 2; i++)
                CHECK_INT(green_sleep(0), 0);
        CHECK_INT(n.told, 2);
        CHECK_PTR(n.result, PTR(4));
}

static void *
run_nothing_without_memory(void *arg)
{
        struct note n = {.task = {.end = told}};
        green_thread *gt = PTR(1), *many[200];
        int made = 0;

        memory_left = 0;
        CHECK_INT(green_run_task(&n.task, give_back, NULL, GREEN_HERE, &gt), -ENOMEM);
        memory_left = -1;
        CHECK_INT(green_run_task(NULL, give_back, NULL, GREEN_HERE, NULL), 0);
        /* Until no control block is left. */
        memory_left = 0;
        while (made < 200 && green_run_task(NULL, give_back, NULL, GREEN_HERE, &many[made]) == 0)
                made++;
        CHECK_RANGE(made, 1, 199);
        CHECK_INT(green_spawn_task(&n.task, give_back, NULL, GREEN_HERE, &gt), -ENOMEM);
        CHECK_INT(green_last_error()->code, -ENOMEM);
        CHECK_INT(green_run_task(&n.task, give_back, NULL, GREEN_HERE, &gt), -ENOMEM);
        memory_left = -1;
        CHECK_PTR(gt, PTR(1));
        CHECK_INT(n.told, 0);
        while (made > 0)
                CHECK_INT(join(many[--made]), 0);
        return arg;
}

static void
without_memory_nothing_is_run(void)
{
        CHECK_INT(join(green_spawn(run_nothing_without_memory, NULL)), 0);
}

static void
misuse_is_refused(void)
{
        struct note n = {.task = {.end = NULL}};

        CHECK_INT(green_spawn_task(NULL, give_back, NULL, GREEN_HERE, NULL), -EINVAL);
        CHECK_INT(green_spawn_task(&n.task, give_back, NULL, GREEN_HERE, NULL), -EINVAL);
        CHECK_INT(green_run_task(&n.task, give_back, NULL, GREEN_HERE, NULL), -EINVAL);
        n.task.end = told;
        CHECK_INT(green_spawn_task(&n.task, NULL, NULL, GREEN_HERE, NULL), -EINVAL);
        CHECK_INT(green_run_task(&n.task, NULL, NULL, GREEN_HERE, NULL), -EINVAL);
        CHECK_INT(n.told, 0);
}

/* ---- forgotten */

static void *
run_inside(void *arg)
{
        CHECK_INT(green_run_task(arg, wait_and_give_back, NULL, GREEN_HERE, NULL), 0);
        return NULL;
}

static void
in_the_child_of_a_fork_the_tasks_of_the_forgotten_are_told(void)
{
        struct note n = {.task = {.end = told}}, in = n, unborn = n;
        green_thread *gt[3];
        int status = -1;
        pid_t pid;

        CHECK_INT(green_spawn_task(&n.task, wait_and_give_back, NULL, GREEN_HERE, &gt[0]), 0);
        gt[1] = green_spawn(run_inside, &in);
        turns(1);
        CHECK_INT(green_spawn_task(&unborn.task, wait_and_give_back, NULL, GREEN_HERE, &gt[2]), 0);
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
                alarm((unsigned)(20 * suite_slow()));
                CHECK_INT(n.told + in.told + unborn.told, 3);
                CHECK(n.code == GREEN_EKILLED && in.code == GREEN_EKILLED && unborn.code == GREEN_EKILLED);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK_INT(n.told + in.told + unborn.told, 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_kill(gt[i], 0), 0);
                CHECK_INT(join(gt[i]), GREEN_EKILLED);
        }
        CHECK_INT(n.told + in.told + unborn.told, 3);
}

static void *
end_os_thread(void *arg)
{
        pthread_exit(arg);
}

static void *
end_with_tasks(void *arg)
{
        struct note *n = arg;

        CHECK_INT(green_spawn_task(&n[0].task, wait_and_give_back, NULL, GREEN_HERE, NULL), 0);
        green_spawn_n(run_inside, &n[1]);
        turns(1);
        CHECK_INT(n[0].told + n[1].told, 0);
        CHECK_INT(green_run_task(&n[2].task, end_os_thread, NULL, GREEN_HERE, NULL), 0);
        return NULL;
}

static void
when_a_hub_ends_the_tasks_of_those_that_are_left_are_told(void)
{
        struct note n[3] = {{.task = {.end = told}}, {.task = {.end = told}}, {.task = {.end = told}}};
        struct log_lines lines;
        pthread_t thread;

        log_catch(&lines);
        CHECK_INT(pthread_create(&thread, NULL, end_with_tasks, n), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        log_release();
        for (int i = 0; i < 3; i++) {
                CHECK_INT(n[i].told, 1);
                CHECK_INT(n[i].code, GREEN_EKILLED);
        }
}

GREEN_SUITE(core_task) {
        GREEN_TEST(a_task_is_told_how_its_green_thread_ended),
        GREEN_TEST(it_is_told_after_clean_up_and_before_links),
        GREEN_TEST(an_error_that_the_task_has_taken_is_not_logged),
        GREEN_TEST(a_function_that_is_run_here_gives_the_handle_of_one_that_has_ended),
        GREEN_TEST(its_failure_is_in_the_handle_with_its_words),
        GREEN_TEST(who_ends_inside_has_killed_what_ran_there),
        GREEN_TEST(both_work_in_a_hub_callback),
        GREEN_TEST(without_memory_nothing_is_run),
        GREEN_TEST(misuse_is_refused),
        GREEN_TEST(in_the_child_of_a_fork_the_tasks_of_the_forgotten_are_told),
        GREEN_TEST(when_a_hub_ends_the_tasks_of_those_that_are_left_are_told),
        GREEN_SUITE_END
};
