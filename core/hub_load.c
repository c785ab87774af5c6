/*
 * Finding a hub by name.
 *
 * A name that cannot be used is an error that says why and what there is; nothing is ever put in its place. Only a
 * list, in which the user says what may be put in its place, goes on to the next.
 */
#include "config.h"

#include "hub_load.h"

#include <errno.h>

#include <green/error.h>
#include <green/log.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
        WHY_MAX = 400,     /* why one element of a list cannot be used */
        MESSAGE_MAX = 900, /* of a whole error */
        CACHE_MAX = 16,    /* modules that are remembered */
        CACHE_PATH = 256,  /* with paths shorter than this */
};

#define GREEN_DECLARE_HUB(hub) extern const struct green_hub_ops green__hub_##hub;
GREEN_BUILTIN_HUBS(GREEN_DECLARE_HUB)
#undef GREEN_DECLARE_HUB

const struct green_hub_ops *const green__hub_builtins[] = {
#define GREEN_HUB_ROW(hub) &green__hub_##hub,
        GREEN_BUILTIN_HUBS(GREEN_HUB_ROW)
#undef GREEN_HUB_ROW
                NULL,
};

/* Hubs of green-net, which a build may lack; and eventlet's names for what is called something else here. */
static const struct {
        const char *name;
        const char *advice;
} known_names[] = {
        {"epoll", "it is not part of this build"},
        {"kqueue", "it is for BSD and macOS, and not part of this build"},
        {"poll", "it is not part of this build"},
        {"select", "it is not part of this build"},
        {"libevent", "it is not part of this build"},
        {"io_uring", "it is not part of this build"},
        {"iocp", "it is not part of this build"},
        {"epolls", "that is eventlet's name: use \"epoll\""},
        {"selects", "that is eventlet's name: use \"select\""},
        {"pyevent", "eventlet removed it: use \"libevent\""},
        {"asyncio", "that is Python's: use \"libevent\", or green_hub_embed() inside a loop of your own"},
};

/* Modules that were loaded, by path. They stay loaded: a hub on any OS thread may be using them. */
static struct {
        char path[CACHE_PATH];
        const struct green_hub_ops *ops;
} cache[CACHE_MAX];
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

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

bool
green__hub_name_ok(const char *name, size_t len)
{
        if (len == 0 || len > GREEN__HUB_NAME_MAX)
                return false;
        for (size_t i = 0; i < len; i++) {
                char c = name[i];

                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
                        return false;
        }
        return true;
}

/* The first function that a table lacks, or NULL. */
static const char *
missing_function(const struct green_hub_ops *ops)
{
        const struct {
                const char *name;
                bool there;
        } rows[] = {
                {"probe", ops->probe != NULL},
                {"init", ops->init != NULL},
                {"add", ops->add != NULL},
                {"modify", ops->modify != NULL},
                {"remove", ops->remove != NULL},
                {"wait", ops->wait != NULL},
                {"wake", ops->wake != NULL},
                {"after_fork", ops->after_fork != NULL},
                {"describe", ops->describe != NULL},
                {"pollfd", ops->pollfd != NULL},
                {"submit", ops->submit != NULL || !(ops->features & GREEN_HUB_CAN_SUBMIT)},
                {"cancel", ops->cancel != NULL || !(ops->features & GREEN_HUB_CAN_SUBMIT)},
                {"release", !(ops->features & GREEN_HUB_CAN_MULTISHOT) || ops->release != NULL},
                {"fini", ops->fini != NULL},
                {"release", ops->release != NULL || !(ops->features & GREEN_HUB_CAN_MULTISHOT)},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                if (!rows[i].there)
                        return rows[i].name;
        }
        return NULL;
}

bool
green__hub_check(const struct green_hub_ops *ops, char *why, size_t len)
{
        const char *missing;

        /* The number first: nothing else of a table of another interface may be looked at. */
        if (ops->abi != GREEN_HUB_ABI) {
                snprintf(why, len, "it was built for hub interface %u, this is %u", (unsigned)ops->abi, GREEN_HUB_ABI);
                return false;
        }
        if (ops->size < sizeof *ops) {
                snprintf(why, len, "its table has %u bytes, %zu are needed", (unsigned)ops->size, sizeof *ops);
                return false;
        }
        if (ops->name == NULL || !green__hub_name_ok(ops->name, strnlen(ops->name, GREEN__HUB_NAME_MAX + 1))) {
                snprintf(why, len, "its table has no proper name");
                return false;
        }
        missing = missing_function(ops);
        if (missing != NULL) {
                snprintf(why, len, "its table has no %s()", missing);
                return false;
        }
        return true;
}

/* What it means that a probe failed with this code; "" where the code says it all. */
static const char *
probe_advice(int err)
{
        switch (err) {
        case -ENOSYS:
                return "; this system does not have it, or a sandbox hides it";
        case -EPERM:
        case -EACCES:
                return "; this system's settings or a sandbox forbid it";
        case -ENOTSUP:
                return "; this system is too old for it";
        default:
                return "";
        }
}

int
green__hub_probe(const struct green_hub_ops *ops, char *why, size_t len)
{
        int err = ops->probe();

        if (err != 0)
                snprintf(why, len, "it does not work here: %s%s", green_strerror(err), probe_advice(err));
        return err;
}

static const struct green_hub_ops *
load_module(const char *path, char *why, size_t len)
{
        const struct green_hub_ops *ops;
        void *handle;

        ops = green__hub_module_open(path, &handle, why, len);
        if (ops != NULL && !green__hub_check(ops, why, len)) {
                green__hub_module_close(handle);
                ops = NULL;
        }
        return ops;
}

/* A module that finds no place in the cache is loaded again, which the system counts and does not repeat. */
const struct green_hub_ops *
green__hub_find_module(const char *path, char *why, size_t len)
{
        const struct green_hub_ops *ops;
        size_t i = 0;

        pthread_mutex_lock(&cache_lock);
        while (i < CACHE_MAX && cache[i].ops != NULL && strcmp(cache[i].path, path) != 0)
                i++;
        if (i < CACHE_MAX && cache[i].ops != NULL) {
                ops = cache[i].ops;
        } else {
                ops = load_module(path, why, len);
                if (ops != NULL && i < CACHE_MAX && strlen(path) < CACHE_PATH) {
                        memcpy(cache[i].path, path, strlen(path) + 1);
                        cache[i].ops = ops;
                }
        }
        pthread_mutex_unlock(&cache_lock);
        return ops;
}

static const struct green_hub_ops *
find_name(const char *name, char *why, size_t len)
{
        char path[PATH_MAX];

        for (size_t i = 0; green__hub_builtins[i] != NULL; i++) {
                if (strcmp(green__hub_builtins[i]->name, name) == 0)
                        return green__hub_builtins[i];
        }
        if (green__hub_module_path(path, sizeof path, name) < (int)sizeof path && green__hub_module_exists(path))
                return green__hub_find_module(path, why, len);
        snprintf(why, len, "there is no hub of that name");
        for (size_t i = 0; i < sizeof known_names / sizeof known_names[0]; i++) {
                if (strcmp(known_names[i].name, name) == 0)
                        snprintf(why, len, "%s", known_names[i].advice);
        }
        return NULL;
}

/* One element of a list, which find_list() has found to be well-formed. */
static const struct green_hub_ops *
find_one(const char *element, size_t element_len, char *why, size_t len)
{
        const struct green_hub_ops *ops;
        char name[PATH_MAX];

        memcpy(name, element, element_len);
        name[element_len] = '\0';
        if (memchr(element, '/', element_len) != NULL)
                ops = green__hub_find_module(name, why, len);
        else
                ops = find_name(name, why, len);
        return ops != NULL && green__hub_probe(ops, why, len) == 0 ? ops : NULL;
}

/* Hubs that may be taken unasked: the others (io_uring, foreign loops) are only ever used by those who name them. */
static bool
is_default(const char *name)
{
        static const char *const names[] = {"epoll", "kqueue", "poll", "select", "iocp"};

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return false;
}

static bool
is_shortage(int err)
{
        return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

/* The first hub that works: of those linked in, then of those that configure made modules. NULL, and why. */
static const struct green_hub_ops *
first(const struct green_hub_ops *const *linked, const char *const *modules, struct green__text *reasons)
{
        char why[WHY_MAX];

        for (size_t i = 0; linked[i] != NULL; i++) {
                int err;

                if (!is_default(linked[i]->name))
                        continue;
                err = green__hub_probe(linked[i], why, sizeof why);
                if (err == 0)
                        return linked[i];
                green__text_add(reasons, "; %s: %s", linked[i]->name, why);
                /* What passes is no reason to settle for another hub for good. */
                if (is_shortage(err))
                        return NULL;
        }
        for (size_t i = 0; modules[i] != NULL; i++) {
                const struct green_hub_ops *ops = is_default(modules[i]) ? find_name(modules[i], why, sizeof why) : NULL;

                if (ops != NULL && green__hub_probe(ops, why, sizeof why) == 0)
                        return ops;
                if (is_default(modules[i]))
                        green__text_add(reasons, "; %s: %s", modules[i], why);
        }
        return NULL;
}

const struct green_hub_ops *
green__hub_first(const struct green_hub_ops *const *linked, const char *const *modules)
{
        char buf[MESSAGE_MAX] = "";
        struct green__text reasons = {buf, sizeof buf, 0};
        const struct green_hub_ops *ops = first(linked, modules, &reasons);

        if (ops == NULL)
                green_set_error(GREEN_EHUB, "no hub works here%s", buf);
        return ops;
}

#define NAME(name) #name,
static const char *const shared_hubs[] = {GREEN_SHARED_HUBS(NAME) NULL};
#undef NAME

const struct green_hub_ops *
green__hub_default(void)
{
        struct green__text none = {NULL, 0, 0};

        return first(green__hub_builtins, shared_hubs, &none);
}

/* Ends a search in vain. The message says what there is, too. */
static const struct green_hub_ops *
fail(const char *what)
{
        char list[MESSAGE_MAX];

        green__hub_list(list, sizeof list);
        green_set_error(GREEN_EHUB, "%s; there is: %s", what, list);
        return NULL;
}

static size_t
element_len(const char *element)
{
        return strcspn(element, ",");
}

/* Bytes of an element to show in a message. */
static int
element_shown(const char *element)
{
        size_t len = element_len(element);

        return len < 100 ? (int)len : 100;
}

/* The element after this one, or NULL. */
static const char *
element_next(const char *element)
{
        element += element_len(element);
        return element[0] == ',' ? element + 1 : NULL;
}

/* Why this cannot be an element, or NULL. */
static const char *
bad_syntax(const char *element, bool secure)
{
        size_t len = element_len(element);

        if (len == 0)
                return "need to specify a hub, not a blank";
        if (memchr(element, '/', len) == NULL) {
                if (green__hub_name_ok(element, len))
                        return NULL;
                return "a name has at most 32 lower-case letters, digits and _; a path has a slash";
        }
        if (secure)
                return "a set-id program takes names only, no paths";
        return len < PATH_MAX ? NULL : "the path is too long";
}

const struct green_hub_ops *
green__hub_find_secure(const char *spec, bool secure)
{
        char what[MESSAGE_MAX] = "";
        struct green__text text = {what, sizeof what, 0};
        char why[WHY_MAX];

        if (spec == NULL || spec[0] == '\0')
                return green__hub_first(green__hub_builtins, shared_hubs);
        /* All are looked at before one is tried: a list must not be wrong on some machines only. */
        for (const char *at = spec; at != NULL; at = element_next(at)) {
                const char *bad = bad_syntax(at, secure);

                if (bad != NULL) {
                        green__text_add(&text, "hub \"%.*s\": %s", element_shown(at), at, bad);
                        return fail(what);
                }
        }
        for (const char *at = spec; at != NULL; at = element_next(at)) {
                const struct green_hub_ops *ops = find_one(at, element_len(at), why, sizeof why);

                if (ops != NULL)
                        return ops;
                green__text_add(&text, "%shub \"%.*s\": %s", at == spec ? "" : "; ", element_shown(at), at, why);
                if (element_next(at) != NULL)
                        green_log(GREEN_LOG_INFO, "hub \"%.*s\": %s; trying the next", element_shown(at), at, why);
        }
        return fail(what);
}

const struct green_hub_ops *
green__hub_find(const char *spec)
{
        return green__hub_find_secure(spec, green__process_is_secure());
}
