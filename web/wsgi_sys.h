/*
 * What the server asks of the system. What differs by system stands in wsgi_sys_posix.c and wsgi_sys_win32.c.
 */
#ifndef GREEN_WSGI_SYS_H
#define GREEN_WSGI_SYS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Descriptors that the process may have; UINT64_MAX: as many as there is memory for. */
uint64_t green__sys_descriptors(void);

/* As localtime_r(). */
bool green__sys_localtime(time_t when, struct tm *ret_tm);

#endif
