/* See seen.h. A few thousand pages are not worth more than a sorted array. */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

/* Where it is, or where it should go. */
static size_t
find(const struct seen *s, const char *text, size_t len, bool *ret_there)
{
        size_t low = 0, high = s->n;

        *ret_there = false;
        while (low < high && !*ret_there) {
                size_t mid = low + (high - low) / 2;
                int order = strncmp(s->texts[mid], text, len);

                if (order == 0 && s->texts[mid][len] != '\0')
                        order = 1;
                if (order == 0)
                        *ret_there = true;
                if (order < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

const char *
seen_add(struct seen *s, const char *text, size_t len)
{
        bool there;
        size_t at = find(s, text, len, &there);
        char *copy;

        if (there)
                return NULL;
        if (s->n == s->room) {
                size_t room = s->room > 0 ? s->room * 2 : 64;
                char **texts = realloc(s->texts, room * sizeof *texts);

                if (texts == NULL)
                        return NULL;
                s->texts = texts;
                s->room = room;
        }
        copy = malloc(len + 1);
        if (copy == NULL)
                return NULL;
        memcpy(copy, text, len);
        copy[len] = '\0';
        memmove(&s->texts[at + 1], &s->texts[at], (s->n - at) * sizeof *s->texts);
        s->texts[at] = copy;
        s->n++;
        return copy;
}

void
seen_free(struct seen *s)
{
        for (size_t i = 0; i < s->n; i++)
                free(s->texts[i]);
        free(s->texts);
}
