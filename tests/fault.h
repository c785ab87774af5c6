/**
 * @file
 * @brief Fault injection: every n-th allocation and system call of a scenario fails, one after the other.
 *
 * A scenario is a function that uses some of the library and cleans up, whatever failed. It is run in a child for each
 * kind of call, each errno that this call may plausibly give, and each n, until there is no n-th such call. The code that
 * the library reports must be the one that was injected (or one the scenario names), and nothing may be left behind:
 * memory, descriptors, mappings, green threads. Then, in the same child, the scenario must work without any fault.
 *
 * The calls are those that the libraries make: the definitions in fault.c come before the C library's. What the scenario
 * itself asks the system for stands between fault_pause() and fault_resume(), or uses the functions below that do so.
 *
 * Environment: GREEN_TEST_FAULTS=all takes every n also where things are slow (suite_slow() of 5 and more), where
 * otherwise every few will do, and lets signals come ten times as long.
 */
#ifndef GREEN_TESTS_FAULT_H
#define GREEN_TESTS_FAULT_H

#include <errno.h>

#include <green/core.h>

#include "suite.h"

/** What can fail: X(name). The first is the allocator hook, the others are functions of libc. */
#define FAULT_KINDS(X)                                                                                                 \
        X(alloc)                                                                                                       \
        X(accept4)                                                                                                     \
        X(bind)                                                                                                        \
        X(clone)                                                                                                       \
        X(close)                                                                                                       \
        X(close_range)                                                                                                 \
        X(connect)                                                                                                     \
        X(dlopen)                                                                                                      \
        X(dup2)                                                                                                        \
        X(epoll_create1)                                                                                               \
        X(epoll_ctl)                                                                                                   \
        X(epoll_pwait2)                                                                                                \
        X(epoll_wait)                                                                                                  \
        X(eventfd)                                                                                                     \
        X(execve)                                                                                                      \
        X(fcntl)                                                                                                       \
        X(fdopendir)                                                                                                   \
        X(fstatat)                                                                                                     \
        X(fsync)                                                                                                       \
        X(ftruncate)                                                                                                   \
        X(getpeername)                                                                                                 \
        X(getsockname)                                                                                                 \
        X(getsockopt)                                                                                                  \
        X(listen)                                                                                                      \
        X(lseek)                                                                                                       \
        X(madvise)                                                                                                     \
        X(mmap)                                                                                                        \
        X(mprotect)                                                                                                    \
        X(open)                                                                                                        \
        X(opendir)                                                                                                     \
        X(pidfd_open)                                                                                                  \
        X(pidfd_send_signal)                                                                                           \
        X(pipe2)                                                                                                       \
        X(poll)                                                                                                        \
        X(ppoll)                                                                                                       \
        X(pread)                                                                                                       \
        X(process_madvise)                                                                                             \
        X(pthread_kill)                                                                                                \
        X(pwrite)                                                                                                      \
        X(read)                                                                                                        \
        X(readdir)                                                                                                     \
        X(recv)                                                                                                        \
        X(recvfrom)                                                                                                    \
        X(recvmmsg)                                                                                                    \
        X(recvmsg)                                                                                                     \
        X(rename)                                                                                                      \
        X(select)                                                                                                      \
        X(send)                                                                                                        \
        X(sendfile)                                                                                                    \
        X(sendmmsg)                                                                                                    \
        X(sendmsg)                                                                                                     \
        X(sendto)                                                                                                      \
        X(setsockopt)                                                                                                  \
        X(shutdown)                                                                                                    \
        X(sigaction)                                                                                                   \
        X(sigaltstack)                                                                                                 \
        X(socket)                                                                                                      \
        X(socketpair)                                                                                                  \
        X(waitid)                                                                                                      \
        X(waitpid)                                                                                                     \
        X(write)                                                                                                       \
        X(writev)

enum fault_kind {
#define FAULT_ENUM_(name) FAULT_##name,
        FAULT_KINDS(FAULT_ENUM_)
#undef FAULT_ENUM_
                FAULT_KIND_COUNT
};

/** A bit for struct fault_scenario::absorbs. */
#define FAULT_BIT(name) (1ull << FAULT_##name)

struct fault_scenario {
        void (*run)(void);
        unsigned long long absorbs;     /**< kinds whose failure may go unreported here: the library does without, or in
                                             another way */
        unsigned long long absorbs_one; /**< likewise of one failure, but not where all that follow fail too */
        bool threads;                   /**< it starts OS threads: skipped where a child may not */
};

/**
 * @name A program's scenarios: a list X(function, absorbs, absorbs_one), and what is made of a row.
 * @{
 */
#define FAULT_DEFINE(scenarios) scenarios(FAULT_DEFINE_ROW)
#define FAULT_DEFINE_WITH_THREADS(scenarios) scenarios(FAULT_DEFINE_THREADS_ROW)
#define FAULT_DEFINE_ROW(name, any, one) FAULT_DEFINE_(name, any, one, false)
#define FAULT_DEFINE_THREADS_ROW(name, any, one) FAULT_DEFINE_(name, any, one, true)
#define FAULT_DEFINE_(name, any, one, with_threads)                                                                    \
        static const struct fault_scenario scenario_##name = {                                                         \
                .run = (name), .absorbs = (any), .absorbs_one = (one), .threads = (with_threads)};                     \
                                                                                                                       \
        static void name##_under_faults(void)                                                                         \
        {                                                                                                              \
                fault_each(&scenario_##name);                                                                          \
        }
#define FAULT_TEST_ROW(name, any, one) GREEN_TEST(name##_under_faults, .limit = 600),
#define FAULT_STORM_ROW(name, any, one) fault_storm(&scenario_##name, 0.1);
/** @} */

/** Runs a scenario for all kinds, codes and n. Rows of the suite are functions that call this. */
void fault_each(const struct fault_scenario *scenario);

/** Runs a scenario again and again while a signal without SA_RESTART comes every millisecond. */
void fault_storm(const struct fault_scenario *scenario, double seconds);

/** Runs a scenario with room for 0, 1, 2, ... more descriptors, until it has enough. */
void fault_few_descriptors(const struct fault_scenario *scenario);

/** Runs a scenario in a child that is stopped and continued all the while. */
void fault_stopped(const struct fault_scenario *scenario, double seconds);

/** Allow one more code from here to the end of the run: what a failure elsewhere may lead to. */
void fault_may_give(int code);

/** Did the fault of this run happen? */
bool fault_happened(void);

/** Do all calls of the kind fail that follow it? What would only be late never comes then. */
bool fault_lasts(void);

/** It shows by something else than a code: the end of a stream, an answer that says so. Checks that it happened. */
void fault_shows(void);

/** Does the library do its own work from here on, or does the scenario call the system? Nests. */
void fault_pause(void);
void fault_resume(void);

/** socketpair(AF_UNIX, SOCK_STREAM), non-blocking; close(); write() of one byte; read() of one byte: no faults in them. */
void fault_pair(int fds[2]);
void fault_close(int fd);
void fault_put(int fd);
int fault_get(int fd);

/**
 * @name Checks of results. True: it worked. False: it failed, and with a code that it may have now.
 * @{
 */
#define OK(call) fault_ok((call), __FILE__, __LINE__, #call)
#define MADE(handle) fault_made((handle), __FILE__, __LINE__, #handle)
bool fault_ok(long long rc, const char *file, int line, const char *text);
bool fault_made(const void *handle, const char *file, int line, const char *text);
/** A text that may be missing for want of memory alone; errno was 0 before. */
#define TEXT_IS(text, want) fault_text_is((text), (want), __FILE__, __LINE__, #text)
static inline void
fault_text_is(const char *got, const char *want, const char *file, int line, const char *text)
{
        if (got != NULL)
                (void)suite_check_str(got, want, file, line, text);
        else
                (void)fault_ok(-errno, file, line, text);
}
/** @} */

/** Waits for a green thread and gives its handle back; NULL is fine. The code it ended with. */
int fault_join(green_thread *gt);

#endif
