/*
 * Memory that is given back all at once. See arena_priv.h.
 */
#include <config.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <green/alloc.h>

#include "arena_priv.h"

enum { FIRST = 2048 - 64, ALIGN = alignof(max_align_t) };

struct green__arena_block {
        struct green__arena_block *next;
        size_t size;
        alignas(max_align_t) char data[];
};

static bool
grow(struct green__arena *a, size_t size)
{
        size_t room = a->blocks == NULL ? FIRST : a->blocks->size * 2;
        struct green__arena_block *b;

        if (room < size)
                room = size;
        if (room > SIZE_MAX / 2)
                return false;
        b = green_malloc(sizeof(*b) + room);
        if (b == NULL)
                return false;
        b->size = room;
        b->next = a->blocks;
        a->blocks = b;
        a->at = b->data;
        a->end = b->data + room;
        return true;
}

void *
green__arena_alloc(struct green__arena *a, size_t size)
{
        size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
        char *p;

        if (need < size)
                return NULL;
        if ((size_t)(a->end - a->at) < need && !grow(a, need))
                return NULL;
        p = a->at;
        a->at += need;
        return p;
}

char *
green__arena_copy(struct green__arena *a, const void *text, size_t len)
{
        char *p = len == SIZE_MAX ? NULL : green__arena_alloc(a, len + 1);

        if (p == NULL)
                return NULL;
        if (len > 0)
                memcpy(p, text, len);
        p[len] = '\0';
        return p;
}

void
green__arena_reset(struct green__arena *a)
{
        struct green__arena_block *b = a->blocks;

        if (b == NULL)
                return;
        while (b->next != NULL) {
                struct green__arena_block *next = b->next;

                green_free(b);
                b = next;
        }
        /* The first, which is small unless somebody asked for much at once. */
        if (b->size > FIRST) {
                green_free(b);
                *a = (struct green__arena){NULL, NULL, NULL};
                return;
        }
        a->blocks = b;
        a->at = b->data;
        a->end = b->data + b->size;
}

void
green__arena_end(struct green__arena *a)
{
        while (a->blocks != NULL) {
                struct green__arena_block *next = a->blocks->next;

                green_free(a->blocks);
                a->blocks = next;
        }
        a->at = a->end = NULL;
}
