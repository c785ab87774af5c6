#include_next <sys/stat.h>

#include "../win32.h"

#ifndef S_ISLNK
#define S_ISLNK(mode) (((mode) & 0170000) == 0120000)
#endif

#undef fstat
#define fstat(fd, st) win32_fstat(fd, st)
