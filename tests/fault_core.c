/*
 * Each allocation and system call of core/ fails in its turn: errors, and nothing is lost. Here are memory, hubs and
 * green threads; fault_wait.c has what waits. Every public function stands in a scenario: check_faults.sh says which
 * does not.
 */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON 5.0

/*
 * What may fail unseen: the stack of the handler that explains overflows; once, the memory for many stacks at a time,
 * which is then asked for in smaller pieces.
 */
#define ALTSTACK FAULT_BIT(mmap)
#define FEWER FAULT_BIT(alloc)

/* Everything needs a hub. False where there is none. */
static bool
have_hub(void)
{
        return MADE(green_get_hub());
}

static int calls;

static void
call(void *arg)
{
        (void)arg;
        calls++;
}

static void *
run(void *arg)
{
        return arg;
}

/* ---- memory, errors, log */

static void
memory(void)
{
        static const struct green_allocator bad = {.size = 1};
        char *a = green_malloc(10), *b = green_calloc(3, 7), *c = green_realloc(NULL, 20), *d;

        CHECK_INT(green_set_allocator(&bad), -EINVAL);
        if (a == NULL || b == NULL || c == NULL) {
                CHECK(fault_happened());
                CHECK_INT(errno, ENOMEM);
                (void)OK(-ENOMEM);
        } else {
                memset(c, 'c', 20);
                d = green_realloc(c, 100000);
                if (d == NULL)
                        (void)OK(-ENOMEM);
                else
                        c = d;
                CHECK_INT(c[19], 'c');
                CHECK_INT(green_set_allocator(NULL), -EBUSY);
        }
        green_free(a);
        green_free(b);
        green_free(c);
}

static void
errors(void)
{
        const struct green_error inner = {-ENODEV, "the cable", NULL, NULL};
        const struct green_error outer = {-EIO, "the network", &calls, &inner};
        struct green_error *copy;

        CHECK_STR(green_errname(GREEN_EFULL), "GREEN_EFULL");
        CHECK_STR(green_strerror(GREEN_EFULL), "full");
        errno = 0;
        copy = green_error_copy(&outer);
        if (copy == NULL) {
                CHECK_INT(errno, ENOMEM);
                (void)OK(-errno);
        } else {
                CHECK_STR(copy->cause->message, "the cable");
        }
        green_error_free(copy);
}

static void
drop_line(void *arg, enum green_log_level level, const char *message)
{
        (void)arg;
        (void)level;
        (void)message;
}

/* The last error is kept, if need be without its message. */
static void
last_error(void)
{
        struct {
                size_t size;
                int value;
        } given = {sizeof given, 5}, taken;

        CHECK_INT(green_set_error(-EDOM, "%d of %d", 1, 2), -EDOM);
        CHECK_INT(errno, EDOM);
        CHECK_INT(green_last_error()->code, -EDOM);
        CHECK(green_last_error()->message != NULL);
        green_log(GREEN_LOG_ERROR, "%s", "to nobody");
        green_set_log(drop_line, NULL);
        green_set_log_name("one of several");
        green_log(GREEN_LOG_DEBUG, "%s", "to nobody again");
        green_set_log_name(NULL);
        CHECK_INT(green_opts_take(&taken, sizeof taken, &given), 0);
        CHECK_INT(taken.value, 5);
        CHECK(green_version() != NULL && green_version_info() != NULL);
}

/* ---- hubs */

static int64_t
clock_of_test(void)
{
        static int64_t t;

        return t += 1000;
}

static void
hub_facts(void)
{
        struct green_hub_info info = {.size = sizeof info};
        const char *name = green_get_default_hub();
        green_hub *hub;

        if (!MADE(name) || !OK(green_use_hub(NULL)))
                return;
        CHECK_STR(green_hub_name(NULL), name);
        hub = green_hub_ref(green_get_hub());
        CHECK_STR(green_hub_name(hub), name);
        if (OK(green_hub_get_info(&info)))
                CHECK_INT(info.threads, 1);
        CHECK_INT(green_hub_check(green_hub_ident(), "a thing"), 0);
        CHECK_INT(green_hub_check(green_hub_ident() + 1, "a thing"), -EPERM);
        CHECK_INT(green_hub_set_clock(clock_of_test), 0);
        CHECK_INT(green_hub_set_clock(NULL), 0);
        if (green_hub_loop() == NULL)
                CHECK_INT(green_last_error()->code, GREEN_EHUB);
        CHECK(green_debug_format_asyncio_info(NULL, 0) > 0);
        (void)OK(green_use_hub_loop(NULL, NULL)); /* anew: the old one stays where it cannot be made */
        (void)OK(green_sleep(0));
        green_hub_unref(hub);
}

/* A hub that is a module. */
static void
hub_module(void)
{
        const char *path = suite_plugin("hub_late");
        char byte = 0;
        struct green_iovec iov = {&byte, 1};
        struct green_op op = {.kind = GREEN_OP_READ, .iov = &iov, .iov_count = 1, .offset = -1};
        green_io *io;
        int fds[2];

        fault_may_give(GREEN_EHUB);
        if (path == NULL || !OK(green_use_hub(path)))
                return;
        fault_pair(fds);
        errno = 0;
        io = green_io_open(fds[0], GREEN_IO_KEEP_FD);
        if (MADE(io) && green_io_can_submit(io)) {
                fault_put(fds[1]);
                CHECK(OK(green_io_submit(io, &op, SOON)) ? byte == 'x' : fault_happened());
        }
        CHECK_INT(green_io_cancel(io), 0);
        CHECK_INT(green_io_free(io), 0);
        fault_close(fds[0]);
        fault_close(fds[1]);
}

/* Operations that run ahead, on a hub that is a module. */
static void
run_ahead(void)
{
        const char *path = suite_plugin("hub_late");
        green_io *io;
        int fds[2];
        char byte = 0;

        fault_may_give(GREEN_EHUB);
        if (path == NULL || !OK(green_use_hub(path)))
                return;
        fault_pair(fds);
        errno = 0;
        io = green_io_open(fds[0], GREEN_IO_KEEP_FD);
        if (MADE(io)) {
                CHECK_INT(green_io_take_fd(io, NULL, NULL), -ENODATA);
                if (OK(green_io_run_ahead(io, GREEN_OP_RECV, 0))) {
                        int64_t n = -ENODATA;

                        fault_put(fds[1]);
                        if (OK(green_io_wait(io, GREEN_READ, SOON)))
                                n = green_io_take(io, &byte, 1, false);
                        CHECK(n == 1 ? byte == 'x' : fault_happened());
                        if (n < 0 && n != -ENODATA)
                                (void)OK((int)n);
                        CHECK_INT(green_io_held(io), 0);
                        /* What the operation failed with is held as well. */
                        if (green_io_stop_ahead(io) != 0) {
                                (void)OK((int)green_io_take(io, &byte, 1, false));
                                CHECK_INT(green_io_stop_ahead(io), 0);
                        }
                }
        }
        CHECK_INT(green_io_free(io), 0);
        fault_close(fds[0]);
        fault_close(fds[1]);
}

struct choices {
        int told, usual, usable;
};

/* One that cannot be asked now is in the list all the same, with the reason. */
static void
look_at_choice(const struct green_hub_choice *choice, void *arg)
{
        struct choices *choices = arg;

        choices->told++;
        choices->usual += choice->is_default && strcmp(choice->name, "epoll") == 0;
        choices->usable += choice->code != GREEN_EHUB;
        CHECK((choice->code == 0) == (choice->reason == NULL));
        /* Others may be unusable here at any time. */
        if (strcmp(choice->name, "epoll") == 0)
                (void)OK(choice->code);
}

static void
hub_choices(void)
{
        struct choices choices = {0, 0, 0};
        int n;

        if (!have_hub())
                return;
        fault_may_give(GREEN_EHUB);
        n = green_hub_each(look_at_choice, &choices);
        CHECK_INT(choices.told, n);
        /* The one that would be the default was asked before, and another took its place; or a module was not loaded.
         */
        if (fault_happened() && (choices.usual == 0 || choices.usable < n))
                fault_shows();
}

static void *
stop_hub(void *arg)
{
        (void)arg;
        CHECK_INT(green_hub_stop(0), 0);
        return NULL;
}

static void *
sleep_long(void *arg)
{
        *(int *)arg = green_sleep(1000);
        return NULL;
}

static void
note_end(void *arg)
{
        ++*(int *)arg;
}

/* The end: main is told, what sleeps is killed. */
static void
hub_end(void)
{
        static int rc = 1; /* of one that outlives this */
        struct green_hub_end ends[2] = {0};
        int told = 0;

        if (!have_hub())
                return;
        CHECK_INT(green_hub_at_end(&ends[0], note_end, &told), 0);
        CHECK_INT(green_hub_at_end(&ends[1], note_end, &told), 0);
        green_hub_end_drop(&ends[0]);
        if (!OK(green_spawn_n(stop_hub, NULL))) {
                green_hub_end_drop(&ends[1]);
                return;
        }
        if (OK(green_spawn_n(sleep_long, &rc))) {
                CHECK_INT(green_sleep(1000), GREEN_ESTOPPED);
                CHECK_INT(green_recover(), GREEN_ESTOPPED);
        } else {
                CHECK_INT(green_sleep(1000), GREEN_ESTOPPED);
                CHECK_INT(green_recover(), GREEN_ESTOPPED);
                green_hub_end_drop(&ends[1]);
                return;
        }
        CHECK_INT(green_hub_destroy(SOON), 0);
        CHECK_INT(rc, GREEN_EKILLED);
        CHECK_INT(told, 1);
}

static void *
embedded_thread(void *arg)
{
        ++*(int *)arg;
        if (OK(green_sleep(0.001)))
                ++*(int *)arg;
        return NULL;
}

/* Until a step has something to do. A hub without a descriptor has nothing but timers here, and poll() passes over it.
 */
static void
wait_for_step(void)
{
        double limit = green_hub_timeout();
        struct pollfd hub = {.fd = green_hub_fd(), .events = POLLIN};

        fault_pause();
        (void)poll(&hub, 1, limit < 1 ? (int)(limit * 1000) + 1 : 1000);
        fault_resume();
}

/* A hub inside the test's own loop. */
static void
embedded(void)
{
        int ran = 0, told = 0, rc = 1;

        /* One that runs an event loop itself can live in none. */
        if (!have_hub() || green_hub_loop() != NULL || !OK(green_hub_embed()))
                return;
        CHECK_INT(green_hub_set_notify(call, &told), 0);
        CHECK(green_hub_fd() != GREEN_INVALID_FD || strcmp(green_hub_name(NULL), "epoll") != 0);
        if (OK(green_spawn_n(embedded_thread, &ran))) {
                for (int i = 0; i < 100000 && rc >= 0 && ran < 2; i++) {
                        rc = green_hub_step();
                        if (rc == 0 && ran < 2)
                                wait_for_step();
                }
                (void)OK(rc);
                CHECK_INT(ran, 2);
        }
        CHECK(green_hub_timeout() >= 0);
}

/* ---- spawning */

/* More than one slab of control blocks and one mapping of stacks. */
enum { MANY = 70 };

static void
spawn_many(void)
{
        green_thread *gt[MANY] = {NULL};
        void *result = NULL;

        if (!have_hub())
                return;
        for (int i = 0; i < MANY; i++) {
                gt[i] = green_spawn(run, &calls);
                if (!MADE(gt[i]))
                        break;
        }
        for (int i = 0; i < MANY && gt[i] != NULL; i++) {
                if (OK(green_thread_wait(gt[i], &result)))
                        CHECK_PTR(result, &calls);
                green_thread_unref(gt[i]);
        }
}

static bool
task_ended(struct green_task *task, int code, void *result)
{
        CHECK(task->end == task_ended && result != NULL);
        CHECK_INT(code, 0);
        return true;
}

static void
tasks(void)
{
        struct green_task task[2] = {{.end = task_ended}, {.end = task_ended}};
        green_thread *gt[2] = {NULL};

        if (!have_hub())
                return;
        if (OK(green_spawn_task(&task[0], run, &task, GREEN_HERE, &gt[0])))
                CHECK_PTR(green_thread_task(gt[0]), &task[0]);
        (void)OK(green_run_task(&task[1], run, &task, GREEN_HERE, &gt[1]));
        for (int i = 0; i < 2; i++)
                (void)OK(fault_join(gt[i]));
}

static void
spawn_ways(void)
{
        const struct green_spawn_opts opts = {
                .size = sizeof opts, .name = "with a name", .stack_size = 300000, .inherit_locals = true};
        green_thread *gt[5] = {NULL};

        if (!have_hub())
                return;
        (void)OK(green_spawn_n(run, NULL));
        (void)MADE(gt[0] = green_spawn_copy(run, "abc", 4));
        (void)MADE(gt[1] = green_spawn_with(run, NULL, &opts));
        (void)MADE(gt[2] = green_spawn_after(0, run, NULL));
        (void)MADE(gt[3] = green_spawn_after_local(0, run, NULL));
        (void)MADE(gt[4] = green_spawn_after(1000, run, NULL));
        if (gt[1] != NULL)
                CHECK_STR(green_thread_name(gt[1]), "with a name");
        if (gt[4] != NULL)
                CHECK_INT(green_thread_cancel(gt[4], 0), 1);
        for (int i = 0; i < 4; i++)
                (void)OK(fault_join(gt[i]));
        CHECK_INT(gt[4] == NULL ? GREEN_EKILLED : fault_join(gt[4]), GREEN_EKILLED);
}

static void
on_end(green_thread *gt, void *arg)
{
        (void)gt;
        ++*(int *)arg;
}

static void *
wait_killed(void *arg)
{
        *(int *)arg = green_sleep(GREEN_FOREVER);
        return NULL;
}

static void
handles(void)
{
        int ended = 0, links = 0, rc = 0, switches = 0;
        const struct green_error *error;
        green_thread *gt;

        if (!have_hub() || !MADE(gt = green_spawn(wait_killed, &rc)))
                return;
        CHECK_PTR(green_thread_ref(gt), gt);
        green_thread_unref(gt);
        links += OK(green_thread_link(gt, on_end, &ended));
        if (OK(green_thread_link(gt, on_end, &switches)))
                CHECK(green_thread_unlink(gt, on_end, &switches));
        (void)OK(green_thread_set_name(gt, "somebody"));
        (void)OK(green_thread_set_switch_hooks(gt, on_end, on_end, &switches));
        CHECK(!green_thread_dead(gt) && !green_thread_alive(gt));
        CHECK(strstr(green_thread_where(gt), "fault_core.c") != NULL);
        CHECK(green_thread_ident(gt) != green_get_ident() && green_thread_ident(gt) != 0);
        green_thread_unref(green_thread_find(green_thread_ident(gt)));
        CHECK_INT(green_sleep(0), 0);
        CHECK(green_thread_alive(gt));
        (void)green_thread_stack_used(gt);
        CHECK_INT(green_thread_cancel(gt, 0), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(green_thread_kill(gt, 0), 0);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        errno = 0;
        error = green_thread_error(gt);
        (void)OK(error == NULL ? -errno : 0);
        CHECK(error == NULL ? errno == ENOMEM : error->code == GREEN_EKILLED);
        CHECK_INT(rc, GREEN_EKILLED);
        CHECK_INT(ended, links);
        green_thread_unref(gt);
}

static void *
exit_soon(void *arg)
{
        if (OK(green_defer(call, arg)))
                calls--;
        green_exit(arg);
}

static void *
fail_with_a_story(void *arg)
{
        const struct green_error cause = {-EIO, "a cause", NULL, NULL};
        const struct green_error error = {-EPIPE, "a story", arg, &cause};
        void *result = green_fail_error(&error);

        CHECK_INT(green_failed(result), -EPIPE);
        return result;
}

static void *
killed_and_goes_on(void *arg)
{
        (void)arg;
        CHECK_INT(green_kill(green_getcurrent(), 0), 0);
        green_shield_begin();
        CHECK_INT(green_checkpoint(), 0);
        green_shield_end();
        CHECK_INT(green_checkpoint(), GREEN_EKILLED);
        CHECK_INT(green_recover(), GREEN_EKILLED);
        return green_fail(-EXDEV);
}

static void
ends(void)
{
        green_thread *gt[3];

        calls = 0;
        if (!have_hub())
                return;
        (void)MADE(gt[0] = green_spawn(exit_soon, NULL));
        (void)OK(fault_join(gt[0]));
        CHECK_INT(calls, 0);
        (void)MADE(gt[1] = green_spawn(fail_with_a_story, NULL));
        CHECK_INT(gt[1] == NULL ? -EPIPE : fault_join(gt[1]), -EPIPE);
        (void)MADE(gt[2] = green_spawn(killed_and_goes_on, NULL));
        CHECK_INT(gt[2] == NULL ? -EXDEV : fault_join(gt[2]), -EXDEV);
        CHECK(green_checkpoint() == 0 && green_sleep(0) == 0 && green_getcurrent() != NULL);
}

/* ---- locals */

static int values;

static void *
make_value(void *arg)
{
        values++;
        return arg;
}

static void
end_value(void *value)
{
        (void)value;
        values--;
}

static void *
use_value(void *arg)
{
        errno = 0;
        (void)MADE(green_local_get(arg));
        return NULL;
}

static void
locals(void)
{
        const struct green_local_opts opts = {
                .size = sizeof opts, .construct = make_value, .arg = &values, .destruct = end_value, .inherit = true};
        green_local *made, *plain;
        green_thread *gt = NULL;

        values = 0;
        if (!have_hub() || !MADE(made = green_local_new(&opts)))
                return;
        if (MADE(plain = green_local_new(NULL))) {
                if (OK(green_local_set(plain, &values)))
                        CHECK_PTR(green_local_get(plain), &values);
                (void)MADE(gt = green_spawn(use_value, made));
                (void)OK(fault_join(gt));
        }
        CHECK_INT(values, 0);
        CHECK(green_get_ident() != 0);
        green_local_free(plain);
        green_local_free(made);
}

/* ---- debugging, fork */

static void
debugging(void)
{
        bool was[3];

        if (!have_hub())
                return;
        was[0] = green_debug_hub_exceptions(false);
        was[1] = green_debug_hub_prevent_multiple_readers(false);
        was[2] = green_debug_overflow_handler(false);
        CHECK(!green_debug_hub_exceptions(was[0]));
        CHECK(!green_debug_hub_prevent_multiple_readers(was[1]));
        CHECK(!green_debug_overflow_handler(was[2]));
}

/* Of the child of a fork, only the one that forked is left; it works. */
static void
forking(void)
{
        static int rc; /* of one that outlives this */
        int status = -1;
        pid_t pid;

        if (!have_hub() || !OK(green_spawn_n(sleep_long, &rc)) || !OK(green_sleep(0)))
                return;
        fault_pause();
        pid = fork();
        fault_resume();
        if (pid == 0) {
                bool good = true;
                unsigned before = suite_failures();

                (void)(OK(green_spawn_n(run, NULL)) && OK(green_sleep(0.001)) && OK(green_use_hub(NULL)));
                good = suite_failures() == before;
                _exit(good ? 0 : 1);
        }
        fault_pause();
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        CHECK(pid > 0 && status == 0);
        fault_resume();
}

static int released;

static void
count_release(void *arg)
{
        CHECK(arg == &released);
        released++;
}

static void
sharing(void)
{
        static const struct green_error cause = {-EDOM, "a cause", NULL, NULL};
        static const struct green_error error = {-EIO, "an error", NULL, &cause};

        if (!have_hub())
                return;
        released = 0;
        CHECK_INT(green_set_error_shared(&error, count_release, &released), -EIO);
        CHECK_STR(green_last_error()->message, "an error");
        CHECK(released == (green_last_error()->cause == NULL));
        (void)green_set_error(-EDOM, NULL);
        CHECK_INT(released, 1);
}

static void
count_name(const char *name, void *arg)
{
        ++*(int *)arg;
        CHECK(name[0] != '\0');
}

/* A file that cannot be looked at is none that can be used; a folder that cannot be read is empty. */
static void
modules(void)
{
        static const struct green_module_kind kind = {.size = sizeof kind,
                                                      .what = "trial",
                                                      .prefix = "trial_",
                                                      .symbol = "green_hub_module",
                                                      .abi = GREEN_HUB_ABI,
                                                      .table_size = sizeof(struct green_hub_ops),
                                                      .code = GREEN_EHUB};
        const char *path = suite_plugin("hub_late");
        struct green_module module = {NULL, NULL};
        char text[4200];
        int n = 0;

        fault_may_give(GREEN_EHUB);
        CHECK_INT(green_module_each(&kind, count_name, &n), n);
        CHECK(green_module_path(&kind, "one", text, sizeof text) > (int)strlen(green_module_folder()));
        CHECK(green_module_list(&kind, text, sizeof text) > 0);
        if (path == NULL)
                return;
        if (!OK(green_module_open(&kind, path, &module)))
                CHECK_PTR(module.handle, NULL);
        green_module_close(&module);
}

/* ---- the scenarios, in alphabetical order */

/* Where a module's file cannot be looked at first, it is for dlopen() to say; a folder is listed as far as it can be. */
#define LOOKS (FAULT_BIT(pread) | FAULT_BIT(readdir))
#define SCENARIOS(X)                                                                                                   \
        X(debugging, ALTSTACK, FEWER)                                                                                  \
        X(embedded, ALTSTACK, FEWER)                                                                                   \
        X(ends, ALTSTACK | FAULT_BIT(alloc), 0)                                                                        \
        X(errors, 0, 0)                                                                                                \
        X(forking, ALTSTACK, FEWER)                                                                                    \
        X(handles, ALTSTACK, FEWER)                                                                                    \
        X(hub_choices, ALTSTACK | LOOKS, FEWER)                                                                        \
        X(hub_end, ALTSTACK, FEWER)                                                                                    \
        X(hub_facts, ALTSTACK | FAULT_BIT(alloc), 0)                                                                   \
        X(last_error, FAULT_BIT(alloc), 0)                                                                             \
        X(locals, ALTSTACK, FEWER)                                                                                     \
        X(memory, 0, 0)                                                                                                \
        X(modules, LOOKS | FAULT_BIT(opendir), 0)                                                                      \
        X(sharing, ALTSTACK | FAULT_BIT(alloc), FEWER)                                                                 \
        X(spawn_many, 0, FAULT_BIT(mmap) | FEWER)                                                                      \
        X(spawn_ways, ALTSTACK, FEWER)                                                                                 \
        X(tasks, ALTSTACK, FEWER)

FAULT_DEFINE(SCENARIOS)

static void
hub_module_under_faults(void)
{
        static const struct fault_scenario scenario = {
                .run = hub_module, .absorbs = ALTSTACK | LOOKS, .absorbs_one = FEWER};

        if (suite_plugin("hub_late") == NULL)
                suite_skip("this build has no modules");
        else
                fault_each(&scenario);
}

static void
run_ahead_under_faults(void)
{
        static const struct fault_scenario scenario = {
                .run = run_ahead, .absorbs = ALTSTACK | LOOKS, .absorbs_one = FEWER};

        if (suite_plugin("hub_late") == NULL)
                suite_skip("this build has no modules");
        else
                fault_each(&scenario);
}

static void
signals_without_end_disturb_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_hub_facts);
        fault_few_descriptors(&scenario_spawn_ways);
}

GREEN_SUITE(fault_core){SCENARIOS(FAULT_TEST_ROW) GREEN_TEST(hub_module_under_faults, .limit = 600),
                        GREEN_TEST(run_ahead_under_faults, .limit = 600),
                        GREEN_TEST(signals_without_end_disturb_nothing, .limit = 120),
                        GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60), GREEN_SUITE_END};
