/*
 * The word before a process dies of a stack overflow, made without stdio: see overflow.h.
 */
#include <config.h>

#include "overflow.h"

static void
put(struct green__overflow_text *text, const char *word)
{
        while (*word != '\0' && text->len < sizeof text->bytes)
                text->bytes[text->len++] = *word++;
}

static void
put_number(struct green__overflow_text *text, uint64_t n)
{
        char digits[24];
        size_t at = sizeof digits - 1;

        digits[at] = '\0';
        do {
                digits[--at] = (char)('0' + n % 10);
                n /= 10;
        } while (n != 0);
        put(text, digits + at);
}

void
green__overflow_write(struct green__overflow_text *text, const struct green__stack *stack,
                      const struct green__overflow_who *who)
{
        text->len = 0;
        put(text, "green-net: stack overflow in green thread ");
        put_number(text, who->id);
        if (who->name != NULL) {
                put(text, " \"");
                put(text, who->name);
                put(text, "\"");
        }
        if (who->where != NULL) {
                put(text, ", spawned at ");
                put(text, who->where);
        }
        put(text, ": its stack has ");
        put_number(text, green__stack_size(stack));
        put(text, " bytes; see stack_size of green_spawn_opts\n");
}
