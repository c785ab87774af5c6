/**
 * @file
 * @brief Modules: parts of green-net, or of a library on top of it, that are found by name and loaded at run time.
 *
 * Modules of one *kind* stand in one folder as files `PREFIXNAME.so` (hubs: `hub_NAME.so`). Each exports one symbol, a
 * table that begins with a struct green_module_head. Some of a kind may be linked in. One is asked for by its name, or by
 * a path, which has a slash:
 *
 *     static const struct green_module_kind drivers = {.size = sizeof drivers,
 *                                                      .what = "database driver",
 *                                                      .prefix = "db_",
 *                                                      .symbol = "green_db_module",
 *                                                      .abi = DRIVER_ABI,
 *                                                      .table_size = sizeof(struct driver),
 *                                                      .code = GREEN_EDRIVER};
 *     struct green_module module;
 *     int rc = green_module_open(&drivers, "sqlite", &module);
 *
 *     if (rc != 0)
 *             return rc;
 *     driver = module.table;
 *
 * Where it fails green_last_error() says what failed, why, and what there is. A module is code of the process: what loads one trusts it. So a set-id program (Linux: one with AT_SECURE) takes names
 * only, of what is linked in or stands in the folder, and a value with a slash is an error. Nothing is ever put in the
 * place of what cannot be used.
 */
#ifndef GREEN_MODULE_H
#define GREEN_MODULE_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** Bytes of a module's name, without its end. It has lower-case letters, digits and underscores only. */
#define GREEN_MODULE_NAME_MAX 32

/** What the table of every module begins with. Of a table of another interface nothing but the first is looked at. */
struct green_module_head {
        uint32_t abi;     /**< number of the interface that it was built for */
        uint32_t size;    /**< bytes of the whole table */
        const char *name; /**< what it calls itself, by the rules of #GREEN_MODULE_NAME_MAX */
};

/** One that is linked in: it goes before a module of that name. */
struct green_module_builtin {
        const char *name;  /**< NULL ends a list of these */
        const void *table; /**< as a module's */
};

/** What to say, instead of "there is none of that name", of a name that people will try. */
struct green_module_hint {
        const char *name; /**< NULL ends a list of these */
        const char *text; /**< "it is not part of this build" */
};

/** What modules have in common. All of it is borrowed, and is the same at each call. */
struct green_module_kind {
        size_t size;         /**< sizeof(struct green_module_kind) */
        const char *what;    /**< what one is, for messages: "hub" */
        const char *prefix;  /**< what their files begin with: "hub_" */
        const char *symbol;  /**< what they export: "green_hub_module" */
        uint32_t abi;        /**< the one number of interface that is taken */
        uint32_t table_size; /**< the bytes that a table needs to have; a longer one is of a later version, which only adds */
        int code;            /**< what green_module_open() gives for one that cannot be used, negative: #GREEN_EHUB */
        const struct green_module_builtin *builtins; /**< NULL: nothing of this kind is ever linked in */
        const struct green_module_hint *hints;       /**< NULL: none */
        /**
         * Is it good, apart from its head? Called each time that one is opened, by any OS thread; it does not yield. name
         * is what was asked for, NULL for a path. False: with the reason in @p why, "its table has no init()". NULL: it is.
         */
        bool (*check)(const void *table, const char *name, char *why, size_t len);
};

/** One that is open. A plain value: a copy is as good. */
struct green_module {
        const void *table; /**< good until green_module_close(), or for good if it is linked in */
        void *handle;      /**< the system's; NULL: it is linked in */
};

/**
 * @brief Find a module, load it, and look whether it can be used. Never yields, but reads files. thread-safe.
 *
 * In this order: what is linked in; a file in the folder; for a spec with a slash, that file and nothing else. A file
 * that is cut short, as one that was copied in half, is refused before the system's loader maps it, which would end the
 * process. One that is loaded already is counted, not loaded again.
 *
 * @param      kind       what is looked for.
 * @param      spec       a name or a path.
 * @param[out] ret_module the module, for green_module_close(). It may stay open for good.
 * @retval 0       it is open.
 * @retval -EINVAL an argument is NULL, or the kind is not whole.
 * @return else green_module_kind::code: there is none of that name, it cannot be loaded, it is no module of this kind, it
 *         was built for another interface, check() refused it, or a set-id program asked for a path. green_last_error()
 *         says which, and what there is: `hub "nosuch": there is no hub of that name; there is: epoll (built in)`.
 * @since 0.1 (HUB-05, HUB-06, HUB-11)
 */
GREEN_API GREEN_MUST_USE int green_module_open(const struct green_module_kind *kind, const char *spec,
                                               struct green_module *ret_module);

/**
 * @brief Give a module back. Never yields. thread-safe. At the last one its code leaves the process.
 *
 * @param module of green_module_open(), zeroed by this; NULL, one that is zeroed or one that is linked in: does nothing.
 *               Nobody may be in its functions, or call one or look at its table later: where that is hard to know, as
 *               with other OS threads about, leave it open.
 * @since 0.1
 */
GREEN_API void green_module_close(struct green_module *module);

/**
 * @brief The folder that is searched. Never yields. thread-safe.
 *
 * The package's own beside the library, so that an installed tree can be moved. Where there is none, where the library
 * was linked in, and in set-id programs: the one that configure was told (`$(pkglibdir)`).
 *
 * @return a constant, without a slash at its end. It need not exist.
 * @since 0.1 (HUB-11)
 */
GREEN_API const char *green_module_folder(void);

/**
 * @brief The file of a module in the folder, whether it exists or not. Never yields. thread-safe.
 *
 * @param      kind its kind.
 * @param      name its name.
 * @param[out] path where it is written, as snprintf() does; NULL is fine if len is 0.
 * @param      len  bytes there.
 * @return bytes of the path without its end, whatever len was; -EINVAL: the kind is not whole, or name is none.
 * @since 0.1
 */
GREEN_API int green_module_path(const struct green_module_kind *kind, const char *name, char *path, size_t len);

/**
 * @brief Go through the modules of a kind that stand in the folder, by name. Never yields. thread-safe.
 *
 * They are not loaded, so not all need be good. What is linked in is not among them.
 *
 * @param kind the kind.
 * @param fn   called for each, with a name that is good until it returns. It may open modules.
 * @param arg  passed to it.
 * @return how many there were, 0 if the folder cannot be read; -EINVAL: fn is NULL, or the kind is not whole.
 * @since 0.1
 */
GREEN_API int green_module_each(const struct green_module_kind *kind, void (*fn)(const char *name, void *arg), void *arg);

/**
 * @brief Write what there is of a kind, for messages. Never yields. thread-safe.
 *
 *     epoll, poll (built in); io_uring, libevent (in /usr/lib/green-net)
 *
 * @param      kind the kind.
 * @param[out] text where it is written, as snprintf() does; NULL is fine if len is 0.
 * @param      len  bytes there.
 * @return bytes of the text without its end, whatever len was; -EINVAL: the kind is not whole.
 * @since 0.1 (HUB-06)
 */
GREEN_API int green_module_list(const struct green_module_kind *kind, char *text, size_t len);

GREEN_END_DECLS

#endif
