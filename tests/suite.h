/**
 * @file
 * @brief The frame of every test program: CUnit underneath, one table of tests in each file.
 *
 *     static void
 *     three_spawns_run_in_order(void)
 *     {
 *             GREEN_COVERS("SCHED-03");
 *             ...
 *             CHECK_INT(order[0], 1);
 *     }
 *
 *     GREEN_SUITE(core_sched) {
 *             GREEN_TEST(three_spawns_run_in_order),
 *             GREEN_TEST(another, .limit = 60),
 *             GREEN_SUITE_END
 *     };
 *
 * The name of a test is a sentence. Each test runs under a time limit, and must leave as many descriptors open as it
 * found. A failed check is recorded and the test goes on: nothing here jumps, so every check may stand in a green
 * thread, in hub context, or in another OS thread. (CUnit's own _FATAL macros longjmp to the main stack: never use
 * them.) In the child of a fork, end with `_exit(suite_failures() != 0)`.
 *
 * Options: -l lists the tests, -v says when each one starts, other words pick the tests whose names contain one of
 * them. Environment: GREEN_TEST_LIMIT (seconds a test may take, 30), GREEN_TEST_SLOW (how many times slower than usual
 * the machine is, 1), GREEN_TEST_RESULTS (a file to append the results to, see each-hub.sh), GREEN_TEST_SKIPS (a file
 * with what cannot run here, a test a line: its program, its name or `*` for all of them, and the reason),
 * GREEN_TEST_EMULATOR (the command that runs programs for this processor, where the kernel cannot).
 * Exit status: 0 passed, 1 failed, 77 all skipped, 99 none ran; killed by SIGABRT when a test hangs.
 */
#ifndef GREEN_TESTS_SUITE_H
#define GREEN_TESTS_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <green/base.h>

#if defined(__APPLE__)
#include "darwin.h"
#endif

/** One row of the table. */
struct suite_test {
        const char *name;  /**< a sentence, as a C name */
        void (*run)(void); /**< called on the main stack */
        double limit;      /**< seconds it may take; 0: the usual limit */
        bool keeps_fds;    /**< may leave descriptors open, or close some */
};

/** Is this a build with ThreadSanitizer? */
#if defined(__SANITIZE_THREAD__)
#define SUITE_TSAN true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SUITE_TSAN true
#endif
#endif
#ifndef SUITE_TSAN
#define SUITE_TSAN false
#endif

extern const char suite_name[];
extern const struct suite_test suite_tests[];

/** Starts the table of a test program; the name is that of its file. */
#define GREEN_SUITE(name)                                                                                              \
        const char suite_name[] = #name;                                                                               \
        const struct suite_test suite_tests[] =
/** A row: a function, then fields of struct suite_test that differ from 0. */
#define GREEN_TEST(fn, ...)                                                                                            \
        {                                                                                                              \
                .name = #fn, .run = (fn), __VA_ARGS__                                                                  \
        }
/** Ends the table. */
#define GREEN_SUITE_END                                                                                                \
        {                                                                                                              \
                .name = NULL                                                                                           \
        }

/** @name Hooks: NULL, or set by a function that GREEN_SUITE_INIT names, before any test. @{ */
/**
 * Brings the process to its base state. Called before each test, before its descriptors are counted, and again after
 * it, before they are counted once more. What opens descriptors on first use (the hub) belongs here.
 */
extern void (*suite_setup)(void);
/** Called after each test, and after suite_setup: more checks, such as that no green thread is left. */
extern void (*suite_check)(void);
/**
 * Called when a test hangs, in the thread that hangs, from a signal handler: dumps what it can. The program is
 * aborted after it, and also when it does not come back.
 */
extern void (*suite_on_hang)(void);
/** @} */

/** Runs fn, a void function without arguments, before main(). */
#define GREEN_SUITE_INIT(fn)                                                                                           \
        __attribute__((constructor)) static void suite_init_(void)                                                     \
        {                                                                                                              \
                fn();                                                                                                  \
        }

/** Records that this test checks these behaviours: GREEN_COVERS("QUEUE-07", "QUEUE-08"). */
#define GREEN_COVERS(...) suite_covers((const char *const[]){__VA_ARGS__, NULL})
void suite_covers(const char *const *ids);

/** Says that this test cannot run here, and why. The test then returns; what it checked until then does not count. */
void suite_skip(const char *reason);

/** Number of checks of this test that failed so far. */
unsigned suite_failures(void);

/** How many times slower than usual things may be (valgrind, sanitizers): at least 1. For upper bounds on times. */
double suite_slow(void);

/**
 * May a child of a fork start OS threads? ThreadSanitizer ends one that does, as the suite has a thread besides; so does
 * qemu-user. */
bool suite_child_threads(void);

/** Skips this test, saying why, where it may not. True: it is skipped. */
bool suite_skip_without_child_threads(void);

/**
 * Starts this program anew in place of the process, with one argument or NULL for none, through GREEN_TEST_EMULATOR
 * where that is set. Comes back only where that fails.
 */
void suite_exec_self(const char *argument);

/** Runs this program as a child, with one argument or NULL for none, and gives its exit status; -1: that failed. */
int suite_run_self(const char *argument);

/** Path of a hub plug-in built by tests.am ("hub_late"); NULL where this build has none. Valid until the next call. */
const char *suite_plugin(const char *name);

/** @name Checks. Each is an expression that is true when the check held: `if (!CHECK(p != NULL)) return;` @{ */
#define CHECK(expr) suite_check_true((expr) ? true : false, __FILE__, __LINE__, #expr)
/** Two integers are equal; prints both. */
#define CHECK_INT(got, want)                                                                                           \
        suite_check_int((long long)(got), (long long)(want), __FILE__, __LINE__, #got " == " #want)
/** Two strings are equal, or both NULL; prints both. */
#define CHECK_STR(got, want) suite_check_str((got), (want), __FILE__, __LINE__, #got " == " #want)
/** Two pointers are equal; prints both. */
#define CHECK_PTR(got, want) suite_check_ptr((got), (want), __FILE__, __LINE__, #got " == " #want)
/** low <= x && x <= high, as double; prints all three. */
#define CHECK_RANGE(x, low, high)                                                                                      \
        suite_check_range((double)(x), (double)(low), (double)(high), __FILE__, __LINE__, #low " <= " #x " <= " #high)
/** Fails; takes a format and values. */
#define FAIL(...) suite_fail(__FILE__, __LINE__, __VA_ARGS__)
/** As CHECK, and leaves the function, with the value that follows, when it did not hold. */
#define CHECK_OR_RETURN(expr, ...)                                                                                     \
        do {                                                                                                           \
                if (!CHECK(expr))                                                                                      \
                        return __VA_ARGS__;                                                                            \
        } while (0)
/** @} */

bool suite_check_true(bool held, const char *file, int line, const char *text);
bool suite_check_int(long long got, long long want, const char *file, int line, const char *text);
bool suite_check_str(const char *got, const char *want, const char *file, int line, const char *text);
bool suite_check_ptr(const void *got, const void *want, const char *file, int line, const char *text);
bool suite_check_range(double x, double low, double high, const char *file, int line, const char *text);
bool suite_fail(const char *file, int line, const char *format, ...) GREEN_PRINTF(3, 4);

#endif
