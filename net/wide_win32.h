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

/* Why a name could not be used, as -errno: ENOTDIR where a part of it that should be a folder is none, EISDIR where it is one
 * itself and access was denied. The name is not changed in the end. */
int green__wide_code(wchar_t *name, unsigned long error);

#endif
