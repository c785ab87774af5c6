/* Tracers: each step of green threads, and functions of instrumented objects. This file is one. */
#include "core_debug.h"

#define UNSEEN __attribute__((no_instrument_function))

/* ---- what a tracer was told */

struct told {
        enum green_trace_kind kind;
        uint64_t ident;
        const void *address;
        green_fd fd;
        unsigned events;
        int code;
        char name[16], where[64];
};

static struct told told[512];
static int told_count;
static double told_time;
static const void *seen_address;

static UNSEEN void
note_step(const struct green_trace *step, void *arg)
{
        struct told *t = &told[told_count];

        if (arg != &told_count || step->size != sizeof *step || step->time < told_time)
                FAIL("a step that is wrong");
        told_time = step->time;
        if (told_count == 512)
                return;
        *t = (struct told){.kind = step->kind,
                           .ident = step->ident,
                           .address = step->address,
                           .fd = step->fd,
                           .events = step->events,
                           .code = step->code};
        snprintf(t->name, sizeof t->name, "%s", step->name);
        snprintf(t->where, sizeof t->where, "%s", step->where);
        told_count++;
}

static UNSEEN void
trace_begin(void)
{
        told_count = 0;
        told_time = 0;
        CHECK_INT(green_debug_set_tracer(note_step, &told_count), 0);
}

static UNSEEN void
trace_end(void)
{
        CHECK_INT(green_debug_set_tracer(NULL, NULL), 0);
}

/* The next step of a kind about one, from a place on, which is moved behind it. */
static UNSEEN const struct told *
next_step(int *at, enum green_trace_kind kind, uint64_t ident)
{
        static const struct told none = {.code = 1};

        for (int i = *at; i < told_count; i++)
                if (told[i].kind == kind && told[i].ident == ident) {
                        *at = i + 1;
                        return &told[i];
                }
        FAIL("no step of kind %d of green thread %llu from step %d on", (int)kind, (unsigned long long)ident, *at);
        return &none;
}

static UNSEEN int
count_steps(enum green_trace_kind kind, uint64_t ident)
{
        int n = 0;

        for (int i = 0; i < told_count; i++)
                n += told[i].kind == kind && (ident == UINT64_MAX || told[i].ident == ident);
        return n;
}

/* ---- steps */

static struct green_waitq queue;

static UNSEEN void *
parks(void *arg)
{
        struct green_wait w;
        int rc = green_park(&queue, &w, GREEN_FOREVER);

        (void)arg;
        return green_fail(rc == 0 ? -EDOM : rc);
}

static UNSEEN void
each_step_is_told(void)
{
        uint64_t ident, self = green_get_ident();
        const struct told *step;
        green_thread *gt;
        int at = 0;

        GREEN_COVERS("DEBUG-09");
        trace_begin();
        gt = green_spawn(parks, NULL);
        ident = green_thread_ident(gt);
        CHECK_INT(green_thread_set_name(gt, "parker"), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK(green_wake_one(&queue, NULL));
        CHECK_INT(core_join(gt), -EDOM);
        trace_end();
        step = next_step(&at, GREEN_TRACE_SPAWN, ident);
        CHECK(strstr(step->where, "core_debug_trace.c:") != NULL);
        CHECK_INT(step->fd, GREEN_INVALID_FD);
        CHECK_STR(next_step(&at, GREEN_TRACE_SWITCH, ident)->name, "parker");
        step = next_step(&at, GREEN_TRACE_PARK, ident);
        CHECK(step->address != NULL);
        next_step(&at, GREEN_TRACE_SWITCH, self);
        CHECK_INT(next_step(&at, GREEN_TRACE_WAKE, ident)->code, 0);
        next_step(&at, GREEN_TRACE_PARK, self);
        next_step(&at, GREEN_TRACE_SWITCH, ident);
        CHECK_INT(next_step(&at, GREEN_TRACE_WAKE, self)->code, 0);
        CHECK_INT(next_step(&at, GREEN_TRACE_END, ident)->code, -EDOM);
        CHECK_STR(next_step(&at, GREEN_TRACE_SWITCH, self)->name, "main");
        CHECK_INT(at, told_count);
        CHECK_INT(count_steps(GREEN_TRACE_SPAWN, UINT64_MAX), 1);
        CHECK_INT(count_steps(GREEN_TRACE_WAKE, ident), 1);
}

static UNSEEN void
waits_for_descriptors_are_told(void)
{
        struct core_waiter reader, writer;
        const struct told *step;
        uint64_t idents[2];
        int pair[2], other[2], at = 0;

        GREEN_COVERS("DEBUG-09");
        if (!core_pair(pair) || !core_pair(other))
                return;
        core_fill(other[0]);
        trace_begin();
        core_wait_fd(&reader, pair[0], GREEN_READ);
        core_wait_fd(&writer, other[0], GREEN_WRITE);
        idents[0] = green_thread_ident(reader.gt);
        idents[1] = green_thread_ident(writer.gt);
        CHECK_INT(green_sleep(0), 0);
        core_put(pair[1]);
        CHECK_INT(core_join(reader.gt), 0);
        core_kill(writer.gt);
        trace_end();
        next_step(&at, GREEN_TRACE_PARK, idents[0]);
        step = next_step(&at, GREEN_TRACE_IO, idents[0]);
        CHECK_INT(step->fd, pair[0]);
        CHECK_INT(step->events, GREEN_READ);
        next_step(&at, GREEN_TRACE_PARK, idents[1]);
        step = next_step(&at, GREEN_TRACE_IO, idents[1]);
        CHECK_INT(step->fd, other[0]);
        CHECK_INT(step->events, GREEN_WRITE);
        CHECK_INT(next_step(&at, GREEN_TRACE_WAKE, idents[0])->code, 0);
        CHECK_INT(next_step(&at, GREEN_TRACE_WAKE, idents[1])->code, GREEN_EKILLED);
        core_close_pair(pair);
        core_close_pair(other);
}

static UNSEEN void *
yields(void *arg)
{
        for (int i = 0; i < 40; i++)
                if (green_sleep(0) != 0)
                        break;
        return arg;
}

static UNSEEN void
every_switch_is_told_and_none_without_a_tracer(void)
{
        green_thread *gts[3];
        uint64_t idents[3], before;

        GREEN_COVERS("DEBUG-09");
        for (int i = 0; i < 3; i++) {
                gts[i] = green_spawn(yields, NULL);
                idents[i] = green_thread_ident(gts[i]);
        }
        CHECK_INT(green_sleep(0), 0);
        trace_begin();
        before = core_info().switches;
        for (int i = 0; i < 20; i++)
                CHECK_INT(green_sleep(0), 0);
        for (int i = 0; i < 3; i++)
                CHECK_INT(count_steps(GREEN_TRACE_SWITCH, idents[i]), 20);
        CHECK_INT(count_steps(GREEN_TRACE_SWITCH, green_get_ident()), 20);
        CHECK_RANGE(core_info().switches - before, 79, 96);
        trace_end();
        told_count = 0;
        for (int i = 0; i < 3; i++)
                CHECK_INT(core_join(gts[i]), 0);
        CHECK_INT(told_count, 0);
}

static UNSEEN void
one_that_starts_later_is_told_of_twice(void)
{
        green_thread *gt, *never;
        uint64_t ident, unborn;
        int at = 0;

        GREEN_COVERS("DEBUG-09");
        trace_begin();
        gt = green_spawn_after(0.001, note_arg, NULL);
        never = green_spawn_after(100, note_arg, NULL);
        ident = green_thread_ident(gt);
        unborn = green_thread_ident(never);
        CHECK_INT(core_join(gt), 0);
        core_kill(never);
        trace_end();
        core_order_count = 0;
        next_step(&at, GREEN_TRACE_SPAWN, ident);
        next_step(&at, GREEN_TRACE_WAKE, ident);
        next_step(&at, GREEN_TRACE_SWITCH, ident);
        next_step(&at, GREEN_TRACE_END, ident);
        CHECK_INT(count_steps(GREEN_TRACE_SPAWN, ident), 1);
        CHECK_INT(next_step(&at, GREEN_TRACE_END, unborn)->code, GREEN_EKILLED);
}

static UNSEEN void
hub_context_is_number_0(void)
{
        bool called = false;

        GREEN_COVERS("DEBUG-09");
        trace_begin();
        CHECK_INT(green_schedule_call_global(0, core_set_flag, &called), 0);
        CHECK_INT(green_sleep(0.001), 0);
        trace_end();
        CHECK(called);
        CHECK_RANGE(count_steps(GREEN_TRACE_SWITCH, 0), 1, 3);
}

static UNSEEN void
count_hook(green_thread *gt, void *arg)
{
        (void)gt;
        ++*(int *)arg;
}

/* Hooks of a green thread work while there is a tracer, and after it. */
static UNSEEN void
switch_hooks_go_on(void)
{
        green_thread *self = green_getcurrent(), *gt;
        int n = 0;

        trace_begin();
        CHECK_INT(green_thread_set_switch_hooks(self, count_hook, count_hook, &n), 0);
        gt = green_spawn(yields, NULL);
        for (int i = 0; i < 5; i++)
                CHECK_INT(green_sleep(0), 0);
        CHECK_INT(n, 10);
        trace_end();
        for (int i = 0; i < 5; i++)
                CHECK_INT(green_sleep(0), 0);
        CHECK_INT(n, 20);
        CHECK_INT(green_thread_set_switch_hooks(self, NULL, NULL, NULL), 0);
        CHECK_INT(core_join(gt), 0);
        (void)core_fresh_hub(getenv("GREEN_HUB"));
}

/* ---- lines */

static UNSEEN void
a_line_for_each_step(void)
{
        struct green_trace step = {.size = sizeof step,
                                   .kind = GREEN_TRACE_IO,
                                   .ident = 77,
                                   .name = "reader",
                                   .where = "there.c:5",
                                   .fd = 9,
                                   .events = GREEN_READ,
                                   .time = 12.5};
        static struct written w;
        struct core_log log;

        GREEN_COVERS("DEBUG-09");
        if (!written_begin(&w, false))
                return;
        green_debug_trace_line(&step, (void *)(intptr_t)fileno(w.file));
        step.kind = GREEN_TRACE_END;
        step.code = GREEN_EKILLED;
        green_debug_trace_line(&step, (void *)(intptr_t)fileno(w.file));
        CHECK_STR(written_end(&w), "12.500000 io     green thread 77 reader (there.c:5) reads descriptor 9\n"
                                   "12.500000 end    green thread 77 reader (there.c:5) GREEN_EKILLED\n");
        core_log_begin(&log, "there.c:5");
        green_debug_trace_line(&step, (void *)(intptr_t)-1);
        core_log_end();
        CHECK_INT(log.count, 1);
        HAS(log.last, "green-net: 12.500000 end    green thread 77 reader");
}

static UNSEEN void
the_line_tracer_writes_all_steps(void)
{
        static struct written w;
        green_thread *gt;

        GREEN_COVERS("DEBUG-09");
        if (!written_begin(&w, false))
                return;
        CHECK_INT(green_debug_set_tracer(green_debug_trace_line, (void *)(intptr_t)fileno(w.file)), 0);
        gt = green_spawn(parks, NULL);
        CHECK_INT(green_sleep(0), 0);
        CHECK(green_wake_one(&queue, NULL));
        CHECK_INT(core_join(gt), -EDOM);
        trace_end();
        HAS(written_end(&w), " spawn  green thread ", "core_debug_trace.c:", " switch green thread ", " park   green thread ",
            " at 0x", " wake   green thread ", " end    green thread ", " EDOM\n");
}

/* ---- functions */

int debug_seen(int n);
int debug_seen_too(int n);

APART int
debug_seen_too(int n)
{
        return n + 1;
}

APART int
debug_seen(int n)
{
        int m = debug_seen_too(n);

        NOT_THE_LAST_CALL();
        return m * 2;
}

void __cyg_profile_func_enter(void *function, void *from);

/* With -flto the linker has the C library's functions in place of ours. */
static UNSEEN bool
others_are_called(void)
{
        Dl_info info;

        if (dladdr((void *)(uintptr_t)__cyg_profile_func_enter, &info) == 0 || strstr(info.dli_fname, "libc.so") == NULL)
                return false;
        suite_skip("the C library's __cyg_profile_func_enter() is called");
        return true;
}

static UNSEEN void
functions_of_objects_are_told(void)
{
        static const char *const mine[] = {"no-such", "core_debug", NULL}, *const foreign[] = {"libc.so", NULL},
                                        *const nobody[] = {NULL};
        const struct told *step;
        int at = 0;

        GREEN_COVERS("DEBUG-09");
        if (others_are_called())
                return;
        trace_begin();
        CHECK_INT(green_debug_spew(mine, true), 0);
        CHECK_INT(debug_seen(3), 8);
        CHECK_INT(count_steps(GREEN_TRACE_CALL, green_get_ident()), 2);
        step = next_step(&at, GREEN_TRACE_CALL, green_get_ident());
        seen_address = (const void *)(uintptr_t)debug_seen;
        CHECK_PTR(step->address, seen_address);
        CHECK_PTR(next_step(&at, GREEN_TRACE_CALL, green_get_ident())->address, (const void *)(uintptr_t)debug_seen_too);
        CHECK_PTR(next_step(&at, GREEN_TRACE_RETURN, green_get_ident())->address, (const void *)(uintptr_t)debug_seen_too);
        CHECK_PTR(next_step(&at, GREEN_TRACE_RETURN, green_get_ident())->address, seen_address);
        CHECK_INT(green_debug_spew(foreign, true), 0);
        CHECK_INT(debug_seen(3), 8);
        CHECK_INT(green_debug_spew(nobody, true), 0);
        CHECK_INT(debug_seen(3), 8);
        CHECK_INT(count_steps(GREEN_TRACE_CALL, UINT64_MAX), 2);
        CHECK_INT(green_debug_spew(NULL, true), 0);
        CHECK_INT(debug_seen(3), 8);
        CHECK_INT(count_steps(GREEN_TRACE_CALL, UINT64_MAX), 4);
        green_debug_unspew();
        CHECK_INT(debug_seen(3), 8);
        CHECK_INT(count_steps(GREEN_TRACE_CALL, UINT64_MAX), 4);
        /* The application's tracer stays. */
        CHECK_INT(green_sleep(0), 0);
        trace_end();
        green_debug_unspew();
}

static UNSEEN void
spew_goes_to_the_log(void)
{
        struct core_log log;
        green_thread *gt;

        GREEN_COVERS("DEBUG-09");
        if (others_are_called())
                return;
        core_log_begin(&log, "green-net: ");
        CHECK_INT(green_debug_spew(NULL, false), 0);
        gt = green_spawn(yields, NULL);
        CHECK_INT(core_join(gt), 0);
        CHECK_INT(log.count, 2); /* core_join() is in this object too */
        CHECK_INT(debug_seen(1), 4);
        green_debug_unspew();
        CHECK_INT(log.count, 6);
        HAS(log.last, "return green thread ", "main (main): 0x");
        if (names_are_known())
                HAS(log.last, "debug_seen+0x0 (");
        log.word = "green thread ";
        log.count = 0;
        CHECK_INT(green_debug_spew((const char *const[]){NULL}, true), 0);
        gt = green_spawn(yields, NULL);
        CHECK_INT(core_join(gt), 0);
        green_debug_unspew();
        CHECK(log.count > 0);
        log.count = 0;
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(log.count, 0);
        core_log_end();
}

static UNSEEN void
trace_init(void)
{
        debug_init();
}
GREEN_SUITE_INIT(trace_init)

GREEN_SUITE(core_debug_trace) {
        GREEN_TEST(each_step_is_told),
        GREEN_TEST(waits_for_descriptors_are_told),
        GREEN_TEST(every_switch_is_told_and_none_without_a_tracer),
        GREEN_TEST(one_that_starts_later_is_told_of_twice),
        GREEN_TEST(hub_context_is_number_0),
        GREEN_TEST(switch_hooks_go_on),
        GREEN_TEST(a_line_for_each_step),
        GREEN_TEST(the_line_tracer_writes_all_steps),
        GREEN_TEST(functions_of_objects_are_told),
        GREEN_TEST(spew_goes_to_the_log),
        GREEN_SUITE_END
};
