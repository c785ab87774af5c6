/*
 * Text that is put together in a buffer: it is cut, not overrun, and it knows how long it would have been.
 */
#ifndef GREEN_TEXT_H
#define GREEN_TEXT_H

#include <green/base.h>

struct green__text {
        char *bytes;
        size_t size; /* of bytes; 0: only its length is wanted */
        size_t len;  /* so far, whether it had room or not */
};

void green__text_add(struct green__text *text, const char *format, ...) GREEN_PRINTF(2, 3);

/* What the system says of an errno value, maybe in buf. error_text_posix.c, error_text_win32.c */
const char *green__sys_error_text(int number, char *buf, size_t size);

#endif
