/* Stacks: their birth, their size, what they cost, what is given back, and what happens at their end. */
#include "core_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define WITH_BACKTRACE
#endif
#endif

GREEN_SUITE_INIT(help_init)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* Memory that this process has in use, in bytes; 0 where that cannot be told. */
static size_t
resident(void)
{
        unsigned long pages = 0;
        FILE *f = fopen("/proc/self/statm", "r");

        if (f == NULL)
                return 0;
        if (fscanf(f, "%*u %lu", &pages) != 1)
                pages = 0;
        fclose(f);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool
memory_is_exact(void)
{
        return !SANITIZED && suite_slow() <= 1 && resident() != 0;
}

/* Use so many bytes of stack. Frames of 1 KiB, each written to. */
static __attribute__((noinline)) int
dig(size_t len)
{
        volatile char bytes[1024];

        memset((char *)bytes, (int)(len & 63), sizeof(bytes));
        return (len <= sizeof(bytes) ? 0 : dig(len - sizeof(bytes))) + bytes[len % sizeof(bytes)];
}

static void *
do_nothing(void *arg)
{
        return arg;
}

static void *
sleep_for_good(void *arg)
{
        (void)arg;
        return green_fail(green_sleep(GREEN_FOREVER));
}

static void *
dig_and_wait(void *arg)
{
        (void)dig((size_t)INT(arg));
        return sleep_for_good(NULL);
}

/* Spawn count green threads, let them run until they wait, and call fn; then kill them. */
static void
with_many(int count, green_thread_fn body, void *arg, void (*fn)(int count))
{
        green_thread **all = calloc((size_t)count, sizeof(green_thread *));

        CHECK_OR_RETURN(all != NULL);
        for (int i = 0; i < count; i++)
                if (!CHECK((all[i] = green_spawn(body, arg)) != NULL))
                        count = i;
        turns(1);
        fn(count);
        for (int i = 0; i < count; i++) {
                (void)green_kill(all[i], 0);
                if (join(all[i]) != GREEN_EKILLED)
                        FAIL("green thread %d was not killed", i);
        }
        free(all);
}

/* ---- many ---- */

static void
all_have_a_stack(int count)
{
        struct green_hub_info info = hub_info();

        CHECK_INT(info.threads, count + 1);
        CHECK(info.stacks >= (size_t)count);
        CHECK_STR(info.guard, "madvise");
}

static void
many_have_a_stack(int count)
{
        CHECK(hub_info().stacks >= (size_t)count);
}

/* In 32 bits there is not room for as many. */
static void
twenty_thousand_are_alive_at_once(void)
{
        int count = suite_slow() > 1 || SANITIZED ? 2000 : sizeof(void *) > 4 ? 20000 : 5000;

        with_many(count, sleep_for_good, NULL,
                  strcmp(hub_info().guard, "madvise") == 0 ? all_have_a_stack : many_have_a_stack);
        CHECK(hub_info().stacks <= 1);
        CHECK(hub_info().stacks_pooled >= (size_t)count);
}

static size_t resident_before;

static void
cost_is_a_page(int count)
{
        double cost = (double)(resident() - resident_before) / count;

        CHECK_RANGE(cost, 0, (double)sysconf(_SC_PAGESIZE) + 600);
}

static void
an_idle_one_costs_little_more_than_a_page(void)
{
        pid_t pid;
        int status = -1;

        if (!memory_is_exact() || strcmp(hub_info().context, "ucontext") == 0) {
                suite_skip("memory is not measured in this build");
                return;
        }
        pid = fork();
        if (pid == 0) { /* with a hub of its own, in which no stack was used */
                CHECK_INT(green_hub_destroy(0), 0);
                (void)hub_info();
                resident_before = resident();
                with_many(10000, sleep_for_good, NULL, cost_is_a_page);
                _exit(suite_failures() != 0);
        }
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
}

static void
a_finished_one_leaves_its_stack_to_the_next(void)
{
        size_t pooled;

        CHECK_INT(join(green_spawn(do_nothing, NULL)), 0);
        pooled = hub_info().stacks_pooled;
        CHECK(pooled >= 1);
        for (int i = 0; i < 1000; i++)
                CHECK_INT(join(green_spawn(do_nothing, NULL)), 0);
        CHECK_INT(hub_info().stacks_pooled, pooled);
}

/* ---- what a switch keeps ---- */

static void *
hold_values(void *arg)
{
        long seed = INT(arg), whole[12];
        double half[8];
        _Alignas(64) char block[64];
        char before[128], after[128];

        CHECK_INT((uintptr_t)block % 64, 0);
        for (int i = 0; i < 12; i++)
                whole[i] = seed * (i + 1);
        for (int i = 0; i < 8; i++)
                half[i] = (double)seed + i * 0.5;
        snprintf(before, sizeof(before), "%ld %f %Lf", seed, half[3], (long double)seed / 3);
        for (int turn = 0; turn < 20; turn++) {
                turns(1);
                for (int i = 0; i < 12; i++)
                        if (whole[i]++ != seed * (i + 1) + turn)
                                FAIL("integer %d of %ld is wrong in turn %d", i, seed, turn);
                for (int i = 0; i < 8; i++)
                        if (half[i] != (double)seed + i * 0.5)
                                FAIL("number %d of %ld is wrong in turn %d", i, seed, turn);
        }
        snprintf(after, sizeof(after), "%ld %f %Lf", seed, half[3], (long double)seed / 3);
        CHECK_STR(after, before);
        return NULL;
}

static void
values_and_alignment_survive_switches(void)
{
        green_thread *all[100];

        for (int i = 0; i < 100; i++)
                all[i] = green_spawn(hold_values, PTR(i + 1));
        for (int i = 0; i < 100; i++)
                CHECK_INT(join(all[i]), 0);
}

#ifdef WITH_BACKTRACE
static void *
count_frames(void *arg)
{
        void *frames[64];

        *(int *)arg = backtrace(frames, 64);
        return NULL;
}
#endif

static void
unwinders_find_the_end_of_a_stack(void)
{
#ifdef WITH_BACKTRACE
        for (int i = 0; i < 3; i++) {
                int n = 0;

                CHECK_INT(join(green_spawn(count_frames, &n)), 0);
                CHECK_RANGE(n, 1, 12);
        }
#else
        suite_skip("no backtrace() here");
#endif
}

/* ---- births ---- */

static pthread_barrier_t start_line;

/* A hub of its own, whose stacks are born while others are; signals are as they were afterwards. */
static void *
bear_stacks(void *arg)
{
        sigset_t before, after;
        stack_t alt;
        struct green_hub_info info = {.size = sizeof(info)};

        (void)arg;
        memset(&before, 0, sizeof(before));
        memset(&after, 0, sizeof(after));
        pthread_sigmask(SIG_SETMASK, NULL, &before);
        pthread_barrier_wait(&start_line);
        for (int i = 0; i < 30; i++)
                CHECK_INT(green_spawn_n(hold_values, PTR(i + 1)), 0);
        turns(30);
        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK_INT(info.threads, 1);
        CHECK_INT(green_hub_destroy(GREEN_FOREVER), 0);
        pthread_sigmask(SIG_SETMASK, NULL, &after);
        CHECK(memcmp(&before, &after, sizeof(before)) == 0);
        CHECK_INT(sigaltstack(NULL, &alt), 0);
        if (!SANITIZED)
                CHECK(alt.ss_flags & SS_DISABLE);
        return NULL;
}

static void
four_os_threads_bear_stacks_at_once(void)
{
        pthread_t threads[4];

        CHECK_INT(pthread_barrier_init(&start_line, NULL, 4), 0);
        for (int i = 0; i < 4; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, bear_stacks, NULL), 0);
        for (int i = 0; i < 4; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        pthread_barrier_destroy(&start_line);
        for (int sig = SIGRTMIN; sig < SIGRTMAX; sig++) {
                struct sigaction act;

                if (sigaction(sig, NULL, &act) == 0)
                        CHECK(act.sa_handler == SIG_DFL);
        }
}

/* ---- sizes ---- */

static green_thread *
spawn_sized(green_thread_fn fn, int depth, size_t size)
{
        struct green_spawn_opts opts = {.size = sizeof(opts), .stack_size = size};

        return green_spawn_with(fn, PTR(depth), &opts);
}

static void *
dig_once(void *arg)
{
        return PTR(dig((size_t)INT(arg)) & 0);
}

static void
a_stack_has_the_size_that_was_asked_for(void)
{
        int scale = SANITIZED ? 4 : 1; /* frames are larger then */

        CHECK_INT(join(spawn_sized(dig_once, (900 << 10) / scale, 1 << 20)), 0);
        CHECK_INT(join(spawn_sized(dig_once, (7 << 20) / scale, 8 << 20)), 0);
        CHECK_INT(join(spawn_sized(dig_once, (48 << 10) / scale, 64 << 10)), 0);
        if (!SANITIZED)
                CHECK_INT(join(spawn_sized(dig_once, 8 << 10, 1)), 0); /* 16 KiB at least */
}

static void
sizes_are_mixed_and_used_again(void)
{
        for (int round = 0; round < 3; round++) {
                green_thread *all[60];

                for (int i = 0; i < 60; i++)
                        all[i] = spawn_sized(hold_values, i + 1, (size_t)(i % 6 + 1) << 17);
                for (int i = 0; i < 60; i++)
                        CHECK_INT(join(all[i]), 0);
        }
        CHECK(hub_info().stacks <= 1);
}

static void
a_stack_that_cannot_be_had_is_an_error(void)
{
        errno = 0;
        CHECK(spawn_sized(dig_once, 0, SIZE_MAX / 2) == NULL);
        CHECK_INT(errno, ENOMEM);
        CHECK_INT(join(green_spawn(do_nothing, NULL)), 0);
}

static void
what_was_used_of_a_stack_is_known(void)
{
        green_thread *deep = spawn_sized(dig_and_wait, 100 << 10, 832 << 10);
        green_thread *flat = spawn_sized(sleep_for_good, 0, 704 << 10);

        CHECK_INT(green_thread_stack_used(deep), 0);
        turns(1);
        CHECK_RANGE(green_thread_stack_used(deep), 100 << 10, 600 << 10);
        CHECK_RANGE(green_thread_stack_used(flat), 1, 64 << 10);
        (void)green_kill(deep, 0);
        (void)green_kill(flat, 0);
        CHECK_INT(green_thread_stack_used(deep), 0);
        CHECK_INT(join(deep), GREEN_EKILLED);
        CHECK_INT(join(flat), GREEN_EKILLED);
}

/* ---- giving back ---- */

static size_t resident_at_peak;

static void
note_peak(int count)
{
        (void)count;
        resident_at_peak = resident();
}

static void
deep_pages_of_unused_stacks_are_given_back(void)
{
        const int count = 300, depth = 160 << 10;
        double end = clock_now() + 20;

        if (!memory_is_exact()) {
                suite_skip("memory is not measured in this build");
                return;
        }
        with_many(count, dig_and_wait, PTR(depth), note_peak);
        /* 32 stacks keep what they have */
        while (resident() + (size_t)(count - 60) * depth > resident_at_peak && clock_now() < end)
                CHECK_INT(green_sleep(0.05), 0);
        CHECK_RANGE(resident(), 0, resident_at_peak - (size_t)(count - 60) * depth);
        with_many(count, dig_and_wait, PTR(depth), many_have_a_stack);
}

/* Waits are cut short for it a hundred times a second at most. */
static void
giving_back_does_not_keep_the_hub_busy(void)
{
        uint64_t before;

        with_many(300, dig_and_wait, PTR(1 << 10), many_have_a_stack);
        before = hub_info().polls;
        for (int i = 0; i < 22; i++)
                CHECK_INT(green_sleep(0.1), 0);
        CHECK_RANGE(hub_info().polls - before, 0, 300);
}

/* ---- overflow ---- */

static char overflow_where[64];

static void *
overflow(void *arg)
{
        (void)arg;
        return PTR(dig(SIZE_MAX));
}

static void *
touch_nothing(void *arg)
{
        return PTR(*(volatile int *)arg);
}

static void
on_fault(int sig, siginfo_t *info, void *context)
{
        (void)sig, (void)info, (void)context;
        _exit(7);
}

enum { PLAIN = 0, APPLICATION = 1, OFF = 2, WILD = 4 };

/* In a child process: run into the guard, or into address 16. */
static void
die(int how)
{
        struct green_spawn_opts opts = {.size = sizeof(opts), .name = "digger", .stack_size = 320 << 10};
        struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

        if (how & APPLICATION) {
                CHECK(green_debug_overflow_handler(false));
                sigaction(SIGSEGV, &act, NULL);
                CHECK(!green_debug_overflow_handler(true));
        }
        if (how & OFF)
                CHECK(green_debug_overflow_handler(false));
        if (suite_failures() != 0)
                _exit(99);
        snprintf(overflow_where, sizeof(overflow_where), "core_stack.c:%d", __LINE__ + 1);
        (void)join(green_spawn_with(how & WILD ? touch_nothing : overflow, PTR(16), &opts));
        _exit(98);
}

/* What a child that dies says on stderr; its status. */
static int
last_words(int how, char *text, size_t len)
{
        int ends[2], status = -1;
        size_t have = 0;
        ssize_t n;
        pid_t pid;

        CHECK_INT(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
                dup2(ends[1], STDERR_FILENO);
                close(ends[0]);
                close(ends[1]);
                die(how);
        }
        close(ends[1]);
        while (have + 1 < len && (n = read(ends[0], text + have, len - have - 1)) > 0)
                have += (size_t)n;
        text[have] = '\0';
        close(ends[0]);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        return status;
}

static void
an_overflow_names_the_green_thread(void)
{
        char text[8192];
        int status = last_words(PLAIN, text, sizeof(text));

        if (strcmp(hub_info().guard, "none") == 0) {
                suite_skip("stacks have no guards here");
                return;
        }
        CHECK(status != 0);
        if (!SANITIZED && suite_slow() <= 1)
                CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        CHECK(strstr(text, "stack overflow in green thread") != NULL);
        CHECK(strstr(text, "\"digger\"") != NULL);
        CHECK(strstr(text, "core_stack.c:") != NULL);
        /* 320 KiB without the guard, which is a page at least */
        CHECK(strstr(text, sysconf(_SC_PAGESIZE) < 65536 ? "has 3" : "has 2") != NULL);
}

static void
an_overflow_goes_to_the_applications_handler_as_well(void)
{
        char text[8192];
        int status = last_words(APPLICATION, text, sizeof(text));

        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        CHECK(strstr(text, "\"digger\"") != NULL);
}

static void
other_faults_are_not_called_overflows(void)
{
        char text[8192];
        int status;

        if (suite_slow() > 1) {
                suite_skip("a checker of memory has its own word to say");
                return;
        }
        status = last_words(WILD | APPLICATION, text, sizeof(text));
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        CHECK_STR(text, "");
        CHECK(last_words(WILD, text, sizeof(text)) != 0);
        CHECK(strstr(text, "green thread") == NULL);
}

static void
the_overflow_handler_can_be_switched_off(void)
{
        char text[8192];

        CHECK(last_words(OFF, text, sizeof(text)) != 0);
        CHECK(strstr(text, "stack overflow in green thread") == NULL);
        CHECK(green_debug_overflow_handler(true));
}

GREEN_SUITE(core_stack) {
        GREEN_TEST(an_idle_one_costs_little_more_than_a_page),
        GREEN_TEST(a_finished_one_leaves_its_stack_to_the_next),
        GREEN_TEST(twenty_thousand_are_alive_at_once),
        GREEN_TEST(values_and_alignment_survive_switches),
        GREEN_TEST(unwinders_find_the_end_of_a_stack),
        GREEN_TEST(four_os_threads_bear_stacks_at_once),
        GREEN_TEST(a_stack_has_the_size_that_was_asked_for),
        GREEN_TEST(sizes_are_mixed_and_used_again),
        GREEN_TEST(a_stack_that_cannot_be_had_is_an_error),
        GREEN_TEST(what_was_used_of_a_stack_is_known),
        GREEN_TEST(deep_pages_of_unused_stacks_are_given_back, .limit = 60),
        GREEN_TEST(giving_back_does_not_keep_the_hub_busy),
        GREEN_TEST(an_overflow_names_the_green_thread),
        GREEN_TEST(an_overflow_goes_to_the_applications_handler_as_well),
        GREEN_TEST(other_faults_are_not_called_overflows),
        GREEN_TEST(the_overflow_handler_can_be_switched_off),
        GREEN_SUITE_END
};
