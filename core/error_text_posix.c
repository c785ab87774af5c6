/*
 * What the C library says of an errno value, on POSIX systems.
 */
#include <stdio.h>
#include <string.h>

#include "text.h"

/* strerror_r() is two functions: what it returns is the text, or whether it was written to buf. */
static inline const char *
text_of_text(const char *text, int number, char *buf, size_t size)
{
        (void)number;
        (void)buf;
        (void)size;
        return text;
}

static inline const char *
text_of_int(int rc, int number, char *buf, size_t size)
{
        if (rc != 0)
                snprintf(buf, size, "unknown code %d", -number);
        return buf;
}

const char *
green__sys_error_text(int number, char *buf, size_t size)
{
        return _Generic(strerror_r(number, buf, size), char *: text_of_text, default: text_of_int)(
                strerror_r(number, buf, size), number, buf, size);
}
