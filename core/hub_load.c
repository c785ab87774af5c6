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
#include <stdio.h>
#include <string.h>

#include "text.h"

enum {
        WHY_MAX = 400,     /* why one element of a list cannot be used */
        MESSAGE_MAX = 900, /* of a whole error */
        CACHE_MAX = 16,    /* modules that are remembered */
        CACHE_SPEC = 256,  /* with names and paths shorter than this */
};

#define GREEN_DECLARE_HUB(hub) extern const struct green_hub_ops green__hub_##hub;
GREEN_BUILTIN_HUBS(GREEN_DECLARE_HUB)
#undef GREEN_DECLARE_HUB

const struct green_module_builtin green__hub_builtins[] = {
#define GREEN_HUB_ROW(hub) {#hub, &green__hub_##hub},
        GREEN_BUILTIN_HUBS(GREEN_HUB_ROW)
#undef GREEN_HUB_ROW
                {NULL, NULL},
};

/* Hubs of green-net, which a build may lack; and eventlet's names for what is called something else here. */
static const struct green_module_hint hints[] = {
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
        {NULL, NULL},
};

/* Modules that were loaded, by name or path. They stay loaded: a hub on any OS thread may be using them. */
static struct {
        char spec[CACHE_SPEC];
        const struct green_hub_ops *ops;
} cache[CACHE_MAX];
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

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
                {"fini", ops->fini != NULL},
                {"release", ops->release != NULL || !(ops->features & GREEN_HUB_CAN_MULTISHOT)},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                if (!rows[i].there)
                        return rows[i].name;
        }
        return NULL;
}

/* Does its table have all that its features ask for? */
static bool
is_whole(const void *table, const char *name, char *why, size_t len)
{
        const char *missing = missing_function(table);

        (void)name;
        if (missing != NULL)
                snprintf(why, len, "its table has no %s()", missing);
        return missing == NULL;
}

_Static_assert(offsetof(struct green_hub_ops, abi) == offsetof(struct green_module_head, abi) &&
                       offsetof(struct green_hub_ops, size) == offsetof(struct green_module_head, size) &&
                       offsetof(struct green_hub_ops, name) == offsetof(struct green_module_head, name),
               "a hub's table begins as those of all modules");

const struct green_module_kind green__hub_kind = {
        .size = sizeof green__hub_kind,
        .what = "hub",
        .prefix = "hub_",
        .symbol = "green_hub_module",
        .abi = GREEN_HUB_ABI,
        .table_size = sizeof(struct green_hub_ops),
        .code = GREEN_EHUB,
        .builtins = green__hub_builtins,
        .hints = hints,
        .check = is_whole,
};

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

/* A module that finds no place in the cache is loaded again, which the system counts and does not repeat. */
const struct green_hub_ops *
green__hub_open(const char *spec, char *why, size_t len)
{
        struct green_module module = {green__module_builtin(&green__hub_kind, spec), NULL};
        size_t i = 0;

        if (module.table != NULL)
                return module.table;
        pthread_mutex_lock(&cache_lock);
        while (i < CACHE_MAX && cache[i].ops != NULL && strcmp(cache[i].spec, spec) != 0)
                i++;
        if (i < CACHE_MAX && cache[i].ops != NULL) {
                module.table = cache[i].ops;
        } else if (green__module_find(&green__hub_kind, spec, &module, why, len) && i < CACHE_MAX &&
                   strlen(spec) < CACHE_SPEC) {
                memcpy(cache[i].spec, spec, strlen(spec) + 1);
                cache[i].ops = module.table;
        }
        pthread_mutex_unlock(&cache_lock);
        return module.table;
}

/* One element of a list, which find_list() has found to be well-formed. */
static const struct green_hub_ops *
find_one(const char *element, size_t element_len, char *why, size_t len)
{
        const struct green_hub_ops *ops;
        char spec[PATH_MAX];

        memcpy(spec, element, element_len);
        spec[element_len] = '\0';
        ops = green__hub_open(spec, why, len);
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
first(const struct green_module_builtin *linked, const char *const *modules, struct green__text *reasons)
{
        char why[WHY_MAX];

        for (; linked->name != NULL; linked++) {
                int err;

                if (!is_default(linked->name))
                        continue;
                err = green__hub_probe(linked->table, why, sizeof why);
                if (err == 0)
                        return linked->table;
                green__text_add(reasons, "; %s: %s", linked->name, why);
                /* What passes is no reason to settle for another hub for good. */
                if (is_shortage(err))
                        return NULL;
        }
        for (size_t i = 0; modules[i] != NULL; i++) {
                const struct green_hub_ops *ops =
                        is_default(modules[i]) ? green__hub_open(modules[i], why, sizeof why) : NULL;

                if (ops != NULL && green__hub_probe(ops, why, sizeof why) == 0)
                        return ops;
                if (is_default(modules[i]))
                        green__text_add(reasons, "; %s: %s", modules[i], why);
        }
        return NULL;
}

const struct green_hub_ops *
green__hub_first(const struct green_module_builtin *linked, const char *const *modules)
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

        (void)green_module_list(&green__hub_kind, list, sizeof list);
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
        return green__module_spec_fault(element, len, secure);
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
        return green__hub_find_secure(spec, green__sys_is_secure());
}
