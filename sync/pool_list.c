/*
 * The list of all pools of the process. It changes when one is made or freed, so one lock will do.
 */
#include "at_fork.h"
#include "pool_list.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include <green/error.h>
#include <green/hubs.h>
#include <green/pool.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct green__listed *first;

static void
before_fork(void)
{
        pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
        pthread_mutex_unlock(&lock);
}

static void
install(void)
{
        green__sync_at_fork(before_fork, after_fork, after_fork);
}

void
green__pool_list_add(struct green__listed *l, uint64_t hub,
                     void (*describe)(const struct green__listed *l, char *line, size_t len))
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, install);
        l->hub = hub;
        l->describe = describe;
        pthread_mutex_lock(&lock);
        l->next = first;
        l->at = &first;
        if (first != NULL)
                first->at = &l->next;
        first = l;
        pthread_mutex_unlock(&lock);
}

void
green__pool_list_remove(struct green__listed *l)
{
        pthread_mutex_lock(&lock);
        *l->at = l->next;
        if (l->next != NULL)
                l->next->at = l->at;
        pthread_mutex_unlock(&lock);
}

int
green_debug_format_pools(char *text, size_t size)
{
        uint64_t hub = green_hub_ident();
        size_t len = 0;

        if (hub == 0)
                return GREEN_EHUB;
        if (text == NULL)
                size = 0;
        len += (size_t)snprintf(text, size, "POOLS:\n");
        pthread_mutex_lock(&lock);
        for (const struct green__listed *l = first; l != NULL; l = l->next) {
                char line[160];

                if (l->hub != hub)
                        continue;
                l->describe(l, line, sizeof line);
                len += (size_t)snprintf(len < size ? text + len : NULL, len < size ? size - len : 0, "%s\n", line);
        }
        pthread_mutex_unlock(&lock);
        return (int)len;
}
