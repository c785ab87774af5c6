#include_next <sys/time.h>

#ifndef GREEN_TESTS_WIN32_TIME_H
#define GREEN_TESTS_WIN32_TIME_H

#include "win32.h"

enum { ITIMER_REAL };

struct win32_itimerval {
        struct timeval it_value, it_interval;
};

#define itimerval win32_itimerval

/* There are none. */
int getitimer(int which, struct itimerval *ret_timer);
int setitimer(int which, const struct itimerval *timer, struct itimerval *ret_old);

#endif
