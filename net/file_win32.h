/*
 * What the files of Windows' files have in common.
 */
#ifndef GREEN_FILE_WIN32_H
#define GREEN_FILE_WIN32_H

#include <winsock2.h>

#include "file_sys.h"

/* A symbolic link, for which the C library has no kind; the number is the usual one. */
#define GREEN__FILE_LINK 0120000

/* st_mode of FILE_ATTRIBUTE_... */
unsigned short green__file_mode(unsigned long attributes, bool link);

/* Of creation, access, write. */
void green__file_times(const FILETIME times[3], struct stat *ret_stat);

/* -EOVERFLOW: struct stat cannot tell it. */
int green__file_size(uint64_t size, struct stat *ret_stat);

#endif
