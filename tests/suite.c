/* The frame of every test program; suite.h says how it is used. */
#include "config.h"

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"
#include "suite_here.h"
#include "suite_system.h"

/* Condition variables of macOS go by the wall clock. */
#if defined(__APPLE__)
#define WATCH_CLOCK CLOCK_REALTIME
#else
#define WATCH_CLOCK CLOCK_MONOTONIC
#endif

#if defined(__SANITIZE_THREAD__)
#define SLOW_BUILD 10.0
#elif defined(__SANITIZE_ADDRESS__)
#define SLOW_BUILD 4.0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLOW_BUILD 10.0
#elif __has_feature(address_sanitizer)
#define SLOW_BUILD 4.0
#endif
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 1.0
#endif

enum {
        STATUS_PASSED = 0,
        STATUS_FAILED = 1,
        STATUS_SKIPPED = 77,
        STATUS_NOTHING_RAN = 99,
        MAX_COVERED = 64,
        MAX_FDS = 65536,
        MESSAGE_MAX = 1024,
};

void (*suite_setup)(void);
void (*suite_check)(void);
void (*suite_on_hang)(void);

/* The test that runs. CHECK may be called from any OS thread, so what it touches is under the mutex. */
static struct {
        pthread_mutex_t mutex;
        const struct suite_test *test; /* NULL between tests */
        unsigned failures;
        const char *skip_reason; /* NULL: not skipped */
        const char *covered[MAX_COVERED];
        size_t covered_count;
} now = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct {
        unsigned passed, failed, skipped;
        unsigned stray; /* checks that failed outside a test */
} total;

/* The tests that were picked, in order; CUnit calls run_next() once for each. */
static const struct suite_test **picked;
static size_t picked_count, next_picked;

static struct {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        pthread_t victim;
        pthread_t dog;
        bool over;             /* the watchdog is to end */
        bool begun;            /* it has begun to watch */
        const char *test;      /* NULL: nothing to watch */
        struct timespec limit; /* when it has hung */
        double seconds;
} watch = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int results_fd = -1;
static pid_t suite_pid;
static bool verbose;
static double slow = SLOW_BUILD;
static double usual_limit = 30;

/* ---- results */

/* One line into the results file, in one write, so that a crash right after it loses nothing. */
static void
result(const char *word, const char *name, const char *detail)
{
        char line[MESSAGE_MAX];
        int len = snprintf(line, sizeof line, "%s %s%s%s\n", word, name, detail[0] != '\0' ? " " : "", detail);

        if (results_fd < 0 || len < 0)
                return;
        if ((size_t)len >= sizeof line) {
                len = sizeof line - 1;
                line[len - 1] = '\n';
        }
        if (write(results_fd, line, (size_t)len) != len)
                fprintf(stderr, "%s: cannot write the results: %s\n", suite_name, strerror(errno));
}

static bool
record(bool held, const char *file, int line, const char *message)
{
        bool stray;

        pthread_mutex_lock(&now.mutex);
        stray = now.test == NULL;
        if (!stray)
                CU_assertImplementation(held ? CU_TRUE : CU_FALSE, (unsigned)line, message, file, "", CU_FALSE);
        if (!held && stray)
                total.stray++;
        else if (!held)
                now.failures++;
        pthread_mutex_unlock(&now.mutex);
        if (!held)
                fprintf(stderr, "%s:%d: %sfailed: %s\n", file, line, stray ? "(outside a test) " : "", message);
        return held;
}

bool
suite_check_true(bool held, const char *file, int line, const char *text)
{
        return record(held, file, line, text);
}

bool
suite_check_int(long long got, long long want, const char *file, int line, const char *text)
{
        char message[MESSAGE_MAX];

        if (got == want)
                return record(true, file, line, text);
        snprintf(message, sizeof message, "%s: got %lld, not %lld", text, got, want);
        return record(false, file, line, message);
}

bool
suite_check_str(const char *got, const char *want, const char *file, int line, const char *text)
{
        char message[MESSAGE_MAX];

        if (got == want || (got != NULL && want != NULL && strcmp(got, want) == 0))
                return record(true, file, line, text);
        snprintf(message, sizeof message, "%s: got \"%s\", not \"%s\"", text, got != NULL ? got : "(NULL)",
                 want != NULL ? want : "(NULL)");
        return record(false, file, line, message);
}

bool
suite_check_ptr(const void *got, const void *want, const char *file, int line, const char *text)
{
        char message[MESSAGE_MAX];

        if (got == want)
                return record(true, file, line, text);
        snprintf(message, sizeof message, "%s: got %p, not %p", text, got, want);
        return record(false, file, line, message);
}

bool
suite_check_range(double x, double low, double high, const char *file, int line, const char *text)
{
        char message[MESSAGE_MAX];

        if (low <= x && x <= high)
                return record(true, file, line, text);
        snprintf(message, sizeof message, "%s: got %.9g, not in %.9g to %.9g", text, x, low, high);
        return record(false, file, line, message);
}

bool
suite_fail(const char *file, int line, const char *format, ...)
{
        char message[MESSAGE_MAX];
        va_list values;

        va_start(values, format);
        vsnprintf(message, sizeof message, format, values);
        va_end(values);
        return record(false, file, line, message);
}

/*
 * Another OS thread may be in the middle of a check when this one forks: without these the child would wait for its
 * mutex for ever. In place before those of core, so this lock is taken after theirs: a log hook, which runs under one
 * of them, checks too.
 */
static void
before_fork(void)
{
        pthread_mutex_lock(&now.mutex);
}

static void
after_fork(void)
{
        pthread_mutex_unlock(&now.mutex);
}

unsigned
suite_failures(void)
{
        unsigned failures;

        pthread_mutex_lock(&now.mutex);
        failures = now.failures;
        pthread_mutex_unlock(&now.mutex);
        return failures;
}

void
suite_covers(const char *const *ids)
{
        pthread_mutex_lock(&now.mutex);
        for (; *ids != NULL; ids++) {
                if (now.covered_count < MAX_COVERED)
                        now.covered[now.covered_count++] = *ids;
                else
                        fprintf(stderr, "%s: more than %d ids in one test, %s is lost\n", suite_name, MAX_COVERED, *ids);
        }
        pthread_mutex_unlock(&now.mutex);
}

void
suite_skip(const char *reason)
{
        pthread_mutex_lock(&now.mutex);
        now.skip_reason = reason;
        pthread_mutex_unlock(&now.mutex);
}

double
suite_slow(void)
{
        return slow;
}

static bool
is_emulated(void)
{
        const char *emulator = getenv("GREEN_TEST_EMULATOR");

        return emulator != NULL && emulator[0] != '\0';
}

bool
suite_child_threads(void)
{
        return !SUITE_TSAN && !is_emulated();
}

bool
suite_skip_without_child_threads(void)
{
        if (SUITE_TSAN)
                suite_skip("ThreadSanitizer starts no OS threads in the child of a fork");
        else if (is_emulated())
                suite_skip("qemu-user aborts where the child of a fork starts an OS thread");
        return !suite_child_threads();
}

const char *
suite_plugin(const char *name)
{
        static char path[MESSAGE_MAX];
        const char *dir = getenv("GREEN_TEST_PLUGIN_DIR");

        snprintf(path, sizeof path, "%s/%s" GREEN__MODULE_SUFFIX, dir != NULL ? dir : "tests/.libs", name);
        return access(path, R_OK) == 0 ? path : NULL;
}

/* ---- descriptors */

static bool
contains(const int *fds, int count, int fd)
{
        for (int i = 0; i < count; i++) {
                if (fds[i] == fd)
                        return true;
        }
        return false;
}

static void
check_fds(const int *before, int before_count)
{
        static int after[MAX_FDS];
        int after_count = suite__fds(after, MAX_FDS);

        if (before_count < 0 || after_count == before_count)
                return;
        suite_fail(now.test->name, 0, "%d descriptors were open before the test, %d are open after it", before_count,
                   after_count);
        for (int i = 0, shown = 0; i < after_count && shown < 10; i++) {
                char target[256];

                if (contains(before, before_count, after[i]))
                        continue;
                suite__fd_text(after[i], target, sizeof target);
                fprintf(stderr, "  left open: %d -> %s\n", after[i], target);
                shown++;
        }
}

/* ---- the time limit */

static void *
watchdog(void *unused)
{
        pthread_mutex_lock(&watch.mutex);
        watch.begun = true;
        pthread_cond_broadcast(&watch.changed);
        while (!watch.over) {
                int err = 0;

                if (watch.test == NULL)
                        err = pthread_cond_wait(&watch.changed, &watch.mutex);
                else
                        err = pthread_cond_timedwait(&watch.changed, &watch.mutex, &watch.limit);
                if (err == ETIMEDOUT && watch.test != NULL) {
                        struct timespec t;

                        clock_gettime(WATCH_CLOCK, &t);
                        if (t.tv_sec > watch.limit.tv_sec ||
                            (t.tv_sec == watch.limit.tv_sec && t.tv_nsec >= watch.limit.tv_nsec)) {
                                fprintf(stderr, "\n%s: %s HANGS: not done after %g seconds\n", suite_name, watch.test,
                                        watch.seconds);
                                result("hang", watch.test, "");
                                suite__end_hung(watch.victim);
                        }
                }
        }
        pthread_mutex_unlock(&watch.mutex);
        return unused;
}

/* test == NULL: nothing to watch any more. */
static void
watch_test(const char *test, double seconds)
{
        pthread_mutex_lock(&watch.mutex);
        watch.test = test;
        watch.seconds = seconds;
        clock_gettime(WATCH_CLOCK, &watch.limit);
        watch.limit.tv_sec += (time_t)seconds + 1;
        pthread_cond_signal(&watch.changed);
        pthread_mutex_unlock(&watch.mutex);
}

static int
start_watchdog(void)
{
        pthread_condattr_t monotonic;
        int err;

        watch.victim = pthread_self();
        pthread_condattr_init(&monotonic);
#if !defined(__APPLE__)
        pthread_condattr_setclock(&monotonic, WATCH_CLOCK);
#endif
        pthread_cond_init(&watch.changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
        err = suite__thread(&watch.dog, watchdog);
        if (err != 0)
                return err;
        /* A test may fork at once: AddressSanitizer's locks, which a thread takes while it starts, must be free by then. */
        pthread_mutex_lock(&watch.mutex);
        while (!watch.begun)
                pthread_cond_wait(&watch.changed, &watch.mutex);
        pthread_mutex_unlock(&watch.mutex);
        return 0;
}

static void
stop_watchdog(void)
{
        pthread_mutex_lock(&watch.mutex);
        watch.over = true;
        pthread_cond_signal(&watch.changed);
        pthread_mutex_unlock(&watch.mutex);
        pthread_join(watch.dog, NULL);
}

/* ---- running */

static double
seconds_since(const struct timespec *start)
{
        struct timespec end;

        clock_gettime(CLOCK_MONOTONIC, &end);
        return (double)(end.tv_sec - start->tv_sec) + (double)(end.tv_nsec - start->tv_nsec) / 1e9;
}

static void
begin_test(const struct suite_test *test)
{
        pthread_mutex_lock(&now.mutex);
        now.test = test;
        now.failures = 0;
        now.skip_reason = NULL;
        now.covered_count = 0;
        pthread_mutex_unlock(&now.mutex);
        result("run", test->name, "");
        if (verbose) {
                printf("run  %s\n", test->name);
                fflush(stdout);
        }
}

static void
finish_test(const struct suite_test *test, double seconds)
{
        pthread_mutex_lock(&now.mutex);
        now.test = NULL;
        pthread_mutex_unlock(&now.mutex);

        if (now.failures > 0) {
                total.failed++;
                result("fail", test->name, "");
                printf("FAIL %s (%.3f s)\n", test->name, seconds);
        } else if (now.skip_reason != NULL) {
                total.skipped++;
                result("skip", test->name, now.skip_reason);
                printf("skip %s: %s\n", test->name, now.skip_reason);
        } else {
                total.passed++;
                for (size_t i = 0; i < now.covered_count; i++)
                        result("covers", now.covered[i], test->name);
                result("pass", test->name, "");
                printf("ok   %s (%.3f s)\n", test->name, seconds);
        }
        fflush(stdout);
}

/* What CUnit calls for every test. */
static void
run_next(void)
{
        static int before[MAX_FDS];
        const struct suite_test *test = picked[next_picked++];
        struct timespec start;
        int before_count;

        begin_test(test);
        if (suite_here_refuses(test->name) != NULL) {
                suite_skip(suite_here_refuses(test->name));
                finish_test(test, 0);
                return;
        }
        watch_test(test->name, (test->limit > 0 ? test->limit : usual_limit) * slow);
        clock_gettime(CLOCK_MONOTONIC, &start);
        if (suite_setup != NULL)
                suite_setup();
        before_count = suite__fds(before, MAX_FDS);

        test->run();

        if (getpid() != suite_pid) {
                fprintf(stderr, "%s: %s came back in a forked child; it should end with _exit\n", suite_name, test->name);
                _exit(STATUS_FAILED);
        }
        if (suite_setup != NULL)
                suite_setup();
        if (!test->keeps_fds)
                check_fds(before, before_count);
        if (suite_check != NULL)
                suite_check();
        watch_test(NULL, 0);
        finish_test(test, seconds_since(&start));
}

static bool
picks(const char *name, char *const *words)
{
        if (*words == NULL)
                return true;
        for (; *words != NULL; words++) {
                if (strstr(name, *words) != NULL)
                        return true;
        }
        return false;
}

/* Hands the picked tests to CUnit. */
static int
enlist(char *const *words)
{
        const struct suite_test *test;
        CU_pSuite suite;
        size_t count = 0;

        for (test = suite_tests; test->name != NULL; test++)
                count++;
        picked = calloc(count + 1, sizeof *picked);
        if (picked == NULL || CU_initialize_registry() != CUE_SUCCESS)
                return -1;
        suite = CU_add_suite(suite_name, NULL, NULL);
        if (suite == NULL)
                return -1;
        for (test = suite_tests; test->name != NULL; test++) {
                if (!picks(test->name, words))
                        continue;
                if (CU_add_test(suite, test->name, run_next) == NULL || CU_get_error() != CUE_SUCCESS) {
                        fprintf(stderr, "%s: %s: %s\n", suite_name, test->name, CU_get_error_msg());
                        return -1;
                }
                picked[picked_count++] = test;
        }
        return 0;
}

static double
number_from(const char *name, double otherwise)
{
        const char *text = getenv(name);
        double number = text != NULL ? strtod(text, NULL) : 0;

        return number > 0 ? number : otherwise;
}

static void
read_environment(void)
{
        const char *path = getenv("GREEN_TEST_RESULTS");
        double asked = number_from("GREEN_TEST_SLOW", 1);

        usual_limit = number_from("GREEN_TEST_LIMIT", usual_limit);
        if (asked > slow)
                slow = asked;
        if (path != NULL && path[0] != '\0') {
                results_fd = suite__append_to(path);
                if (results_fd < 0)
                        fprintf(stderr, "%s: %s: %s\n", suite_name, path, strerror(errno));
        }
}

static int
status(void)
{
        if (total.stray > 0) {
                total.failed++;
                result("fail", suite_name, "checks failed outside a test");
        }
        if (total.failed > 0 || CU_get_number_of_tests_failed() > 0)
                return STATUS_FAILED;
        if (total.passed > 0)
                return STATUS_PASSED;
        return total.skipped > 0 ? STATUS_SKIPPED : STATUS_NOTHING_RAN;
}

int
main(int argc, char **argv)
{
        int word, code;

        for (word = 1; word < argc && argv[word][0] == '-'; word++) {
                if (strcmp(argv[word], "-l") == 0) {
                        for (const struct suite_test *test = suite_tests; test->name != NULL; test++)
                                puts(test->name);
                        return STATUS_PASSED;
                }
                if (strcmp(argv[word], "-v") != 0) {
                        fprintf(stderr, "usage: %s [-l] [-v] [PART-OF-A-NAME...]\n", argv[0]);
                        return STATUS_NOTHING_RAN;
                }
                verbose = true;
        }
        suite_pid = getpid();
        read_environment();
        suite__load_hub();
        if (suite_here_begin() != 0 || enlist(argv + word) != 0 ||
            suite__around_forks(before_fork, after_fork) != 0 || start_watchdog() != 0) {
                fprintf(stderr, "%s: cannot start\n", suite_name);
                return STATUS_NOTHING_RAN;
        }
        CU_run_all_tests();
        stop_watchdog();
        code = status();
        CU_cleanup_registry();
        free(picked);
        printf("%s: %u passed, %u failed, %u skipped\n", suite_name, total.passed, total.failed, total.skipped);
        fflush(stdout);
        result("end", suite_name, "");
        return code;
}
