/*
 * Commands of the application: one list for all consoles of the process, in alphabetical order.
 */
#include "backdoor_priv.h"

#include <pthread.h>
#include <stdio.h>

struct entry {
        struct entry *next;
        struct green__backdoor_registered command;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;

/* Where one of that name stands, or would stand. */
static struct entry **
place(const char *name)
{
        struct entry **at = &entries;

        while (*at != NULL && strcmp((*at)->command.name, name) < 0)
                at = &(*at)->next;
        return at;
}

static bool
is_at(struct entry *const *at, const char *name)
{
        return *at != NULL && strcmp((*at)->command.name, name) == 0;
}

int
green_backdoor_register(const char *name, green_backdoor_fn fn, void *arg, const char *help)
{
        struct entry **at, *e;
        bool there;

        if (!green__backdoor_is_word(name) || fn == NULL || help == NULL)
                return green_set_error(-EINVAL, "backdoor: a command needs a name of one word, a function and help");
        if (green__backdoor_builtin(name) != NULL)
                return green_set_error(-EEXIST, "backdoor: %s is one of green-net's own commands", name);
        e = green_malloc(sizeof *e);
        if (e == NULL)
                return green_set_error(-ENOMEM, NULL);
        e->command.fn = fn;
        e->command.arg = arg;
        snprintf(e->command.name, sizeof e->command.name, "%s", name);
        snprintf(e->command.help, sizeof e->command.help, "%s", help);
        pthread_mutex_lock(&lock);
        at = place(name);
        there = is_at(at, name);
        if (!there) {
                e->next = *at;
                *at = e;
        }
        pthread_mutex_unlock(&lock);
        if (!there)
                return 0;
        green_free(e);
        return green_set_error(-EEXIST, "backdoor: there is a command %s already", name);
}

int
green_backdoor_unregister(const char *name)
{
        struct entry **at, *e = NULL;

        if (name == NULL)
                return -ENOENT;
        pthread_mutex_lock(&lock);
        at = place(name);
        if (is_at(at, name)) {
                e = *at;
                *at = e->next;
        }
        pthread_mutex_unlock(&lock);
        if (e == NULL)
                return green_set_error(-ENOENT, "backdoor: there is no command %.64s", name);
        green_free(e);
        return 0;
}

bool
green__backdoor_registered(const char *name, bool next, struct green__backdoor_registered *ret_command)
{
        const struct entry *e;
        struct entry **at;

        pthread_mutex_lock(&lock);
        at = place(name);
        e = is_at(at, name) ? next ? (*at)->next : *at : next ? *at : NULL;
        if (e != NULL)
                *ret_command = e->command;
        pthread_mutex_unlock(&lock);
        return e != NULL;
}
