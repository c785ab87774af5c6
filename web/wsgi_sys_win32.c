/*
 * What the server asks of the system: Windows. See wsgi_sys.h.
 */
#include "wsgi_sys.h"

uint64_t
green__sys_descriptors(void)
{
        return UINT64_MAX;
}

bool
green__sys_localtime(time_t when, struct tm *ret_tm)
{
        return localtime_s(ret_tm, &when) == 0;
}
