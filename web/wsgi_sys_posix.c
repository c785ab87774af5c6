/*
 * What the server asks of the system: POSIX. See wsgi_sys.h.
 */
#include <stddef.h>
#include <sys/resource.h>

#include "wsgi_sys.h"

uint64_t
green__sys_descriptors(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
                return UINT64_MAX;
        return (uint64_t)limit.rlim_cur;
}

bool
green__sys_localtime(time_t when, struct tm *ret_tm)
{
        return localtime_r(&when, ret_tm) != NULL;
}
