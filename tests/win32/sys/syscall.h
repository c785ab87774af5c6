#ifndef GREEN_TESTS_WIN32_SYSCALL_H
#define GREEN_TESTS_WIN32_SYSCALL_H

enum { SYS_gettid };

/* That one alone. */
long syscall(long number);

#endif
