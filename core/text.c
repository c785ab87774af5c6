/*
 * Text that is put together in a buffer. See text.h.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

void
green__text_add(struct green__text *text, const char *format, ...)
{
        size_t room = text->len < text->size ? text->size - text->len : 0;
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(room > 0 ? text->bytes + text->len : NULL, room, format, args);
        va_end(args);
        if (n > 0)
                text->len += (size_t)n;
}
