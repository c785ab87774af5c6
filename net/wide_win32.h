/*
 * Names of files for Windows: UTF-8 in, what the system takes out.
 */
#ifndef GREEN_WIDE_WIN32_H
#define GREEN_WIDE_WIN32_H

#include <wchar.h>

/* Longest name; longer ones are -ENAMETOOLONG. */
#define GREEN__WIDE_SIZE 1024

/* 0, -EILSEQ: it is no UTF-8, or -ENAMETOOLONG. */
int green__wide_name(const char *name, wchar_t wide[GREEN__WIDE_SIZE]);

#endif
