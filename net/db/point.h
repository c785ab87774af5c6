/*
 * Numbers of databases have a point, whatever the program's locale has. What differs by system stands in point_posix.c
 * and point_win32.c.
 */
#ifndef GREEN_DB_POINT_H
#define GREEN_DB_POINT_H

#include <locale.h>
#include <stdbool.h>

struct green__point {
        void *own, *old; /* point_posix.c's, or point_win32.c's */
};

/* Put the locale of this OS thread aside, where it has another: true, and green__point_end() is due. */
bool green__point_begin(struct green__point *p);
void green__point_end(struct green__point *p);

#endif
