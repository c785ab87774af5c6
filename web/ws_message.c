/*
 * Memory for messages, and what the WebSockets of an OS thread have in common.
 */
#include <pthread.h>

#include "ws_priv.h"
#include "at_fork.h"

_Thread_local struct green__ws_local *green__ws_here;

enum {
        SPARE_ROOM = 1024 - sizeof(struct green__ws_message) - 16, /* of those that are kept */
        SPARES_MAX = 64,
        BUFFER = 64 * 1024, /* of the one that is lent */
        LARGE = 64 * 1024,  /* from here on memory costs a page fault for each page, each time it is got */
        LARGE_MAX = 4 << 20, /* bytes of large ones that are kept */
};

/* The OS thread that has forked is the only one there. */
static void
in_child(void)
{
        if (green__ws_here != NULL)
                green__ws_here->masks_left = 0;
}

static void
watch_forks(void)
{
        green__web_at_fork(NULL, NULL, in_child);
}

int
green__ws_local_enter(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct green__ws_local *l = green__ws_here;

        (void)pthread_once(&once, watch_forks);

        if (l == NULL) {
                l = green_malloc(sizeof(*l));
                if (l == NULL)
                        return -ENOMEM;
                l->users = 0;
                l->spares = NULL;
                l->spares_count = 0;
                l->large = NULL;
                l->large_bytes = 0;
                l->buffer = NULL;
                l->masks_left = 0;
                green__ws_streams_init(&l->streams);
                green__ws_here = l;
        }
        l->users++;
        return 0;
}

static void
free_all(struct green__ws_message *m)
{
        while (m != NULL) {
                struct green__ws_message *next = m->next;

                green_free(m);
                m = next;
        }
}

void
green__ws_local_leave(void)
{
        struct green__ws_local *l = green__ws_here;

        if (--l->users > 0)
                return;
        green__ws_here = NULL;
        free_all(l->spares);
        free_all(l->large);
        green__ws_streams_end(&l->streams);
        green_free(l->buffer);
        green_free(l);
}

/* One of the large ones that were kept, not much larger than it has to be. */
static struct green__ws_message *
take_large(struct green__ws_local *l, size_t room)
{
        struct green__ws_message **place = &l->large, *m;

        while ((m = *place) != NULL && (m->room < room || m->room / 4 > room))
                place = &m->next;
        if (m == NULL)
                return NULL;
        *place = m->next;
        l->large_bytes -= m->room;
        m->len = 0;
        return m;
}

/* Small ones all have the same room, so that they can be kept. */
struct green__ws_message *
green__ws_message_new(size_t room)
{
        struct green__ws_local *l = green__ws_here;
        struct green__ws_message *m;

        if (room <= SPARE_ROOM) {
                room = SPARE_ROOM;
                if (l != NULL && l->spares != NULL) {
                        m = l->spares;
                        l->spares = m->next;
                        l->spares_count--;
                        m->len = 0;
                        return m;
                }
        }
        if (room >= LARGE && l != NULL && l->large != NULL) {
                m = take_large(l, room);
                if (m != NULL)
                        return m;
        }
        if (room > SIZE_MAX - sizeof(*m) - 1)
                return NULL;
        m = green_malloc(sizeof(*m) + room + 1);
        if (m == NULL)
                return NULL;
        m->len = 0;
        m->room = room;
        return m;
}

void
green__ws_message_free(struct green__ws_message *m)
{
        struct green__ws_local *l = green__ws_here;

        if (m == NULL)
                return;
        if (m->room == SPARE_ROOM && l != NULL && l->spares_count < SPARES_MAX) {
                m->next = l->spares;
                l->spares = m;
                l->spares_count++;
                return;
        }
        if (m->room >= LARGE && l != NULL && m->room <= LARGE_MAX - l->large_bytes) {
                m->next = l->large;
                l->large = m;
                l->large_bytes += m->room;
                return;
        }
        green_free(m);
}

bool
green__ws_message_grow(struct green__ws_message **m, size_t room)
{
        struct green__ws_message *grown;

        if (room <= (*m)->room)
                return true;
        if (room > SIZE_MAX - sizeof(*grown) - 1)
                return false;
        grown = green_realloc(*m, sizeof(*grown) + room + 1);
        if (grown == NULL)
                return false;
        grown->room = room;
        *m = grown;
        return true;
}

int
green__ws_buffer_begin(struct green__ws_buffer *b, size_t size)
{
        struct green__ws_local *l = green__ws_here;

        b->len = 0;
        b->size = size < BUFFER ? BUFFER : size;
        if (b->size == BUFFER && l->buffer != NULL) {
                b->room = l->buffer;
                l->buffer = NULL;
                return 0;
        }
        b->room = green_malloc(GREEN__WS_HEAD_MAX + b->size);
        return b->room == NULL ? -ENOMEM : 0;
}

int
green__ws_buffer_grow(struct green__ws_buffer *b)
{
        uint8_t *room = green_realloc(b->room, GREEN__WS_HEAD_MAX + b->size * 2);

        if (room == NULL)
                return -ENOMEM;
        b->room = room;
        b->size *= 2;
        return 0;
}

void
green__ws_buffer_end(struct green__ws_buffer *b)
{
        struct green__ws_local *l = green__ws_here;

        if (b->size == BUFFER && l->buffer == NULL)
                l->buffer = b->room;
        else
                green_free(b->room);
        b->room = NULL;
}
