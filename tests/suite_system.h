/*
 * What the frame of test programs wants of the system: suite_posix.c, suite_win32.c.
 */
#ifndef GREEN_TESTS_SUITE_SYSTEM_H
#define GREEN_TESTS_SUITE_SYSTEM_H

#include <pthread.h>
#include <stddef.h>

/* The open descriptors, in no order; their number, or -1 where the system has no list of them. */
int suite__fds(int *fds, int room);

/* What one of them is, for a reader. */
void suite__fd_text(int fd, char *text, size_t size);

/* A test hangs in that thread: ends the program. */
void suite__end_hung(pthread_t victim) __attribute__((noreturn));

/* A thread that gets no signals. 0, or an errno value. */
int suite__thread(pthread_t *ret_thread, void *(*fn)(void *unused));

/* Calls before and after each fork, after in parent and child. 0, or an errno value. */
int suite__around_forks(void (*before)(void), void (*after)(void));

/* Opens a file to append to; -1 with errno. */
int suite__append_to(const char *path);

/* What a module opens once and for all when it is loaded is open before anybody counts. */
void suite__load_hub(void);

#endif
