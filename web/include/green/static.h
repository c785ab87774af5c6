/**
 * @file
 * @brief Files of a folder, as an application.
 *
 *     green_static *files = green_static_new("/srv/www", NULL);
 *
 *     green_wsgi_server(listener, green_static_app, files, NULL);
 *
 * GET and HEAD; ranges (RFC 9110 14), one or several; ETag and Last-Modified with If-None-Match, If-Modified-Since,
 * If-Match, If-Unmodified-Since and If-Range; files of text that lie there compressed too (`app.js.gz`, `.br`, `.zst`)
 * for clients that take them: switch that off where strangers put files. Bytes go from the file to the socket by the system,
 * where it can (not over TLS).
 *
 * Nothing outside the folder can be reached: the path is decoded once, refused if it holds "..", NUL, or a backslash, and
 * opened step by step from the folder's own descriptor, without following symbolic links unless
 * green_static_opts::symlinks allows it, and then only to what lies in the folder, whatever is changed meanwhile. Only
 * regular files and folders are served. Names that begin with '.' are not there, but for "/.well-known/". On Windows names
 * are found in any case of their letters, and not by their short forms ("GIT~1"); other streams of a file ("a.txt::$DATA") and
 * devices are not there. A file that somebody has open and lets nobody read is 503.
 */
#ifndef GREEN_STATIC_H
#define GREEN_STATIC_H

#include <green/wsgi.h>

GREEN_BEGIN_DECLS

/** A folder that is served. Opaque; immutable, so that servers of several OS threads may share it. */
typedef struct green_static green_static;

/** What green_static_new() can change. Set it to zero, then @ref size, then what you need. */
struct green_static_opts {
        size_t size;       /**< sizeof(struct green_static_opts) */
        const char *index; /**< the file that stands for its folder. NULL: "index.html"; "": none */
        bool list;         /**< a folder without index is listed; otherwise it is 403 */
        bool symlinks;     /**< follow symbolic links, relative or absolute, to what lies in the folder; those that lead
                                out of it are not there. What lies elsewhere can be mounted: <green/router.h>. A hard link
                                is a file like others */
        bool hidden;       /**< serve names that begin with '.' */
        bool not_precompressed; /**< look for no compressed files */
        double max_age;    /**< seconds for Cache-Control; 0: no such field */
        const struct green_wsgi_pair *types; /**< more types: "wasm", "application/wasm"; they go before those that are
                                                  built in; ended by a name of NULL; copied */
        const char *default_type; /**< of what is not known. NULL: "application/octet-stream" */
        green_wsgi_app not_found; /**< answers what is not there, in place of 404; NULL: nobody. It may send a file of the
                                       folder, as pages that look at their path themselves want; what it asks for and is
                                       not there is 404 */
        void *not_found_arg;      /**< its second argument */
};

/**
 * @brief Serve a folder. Never yields, but the OS thread waits for the file system.
 * @param root the folder; it is opened now and stays open, whatever it is named later.
 * @param opts NULL for defaults.
 * @return for green_static_free(); NULL with `errno`: ENOENT, ENOTDIR, EACCES, ... of the system; EINVAL: an argument;
 *         ENOMEM. green_last_error() says what.
 * @since 0.1
 */
GREEN_API green_static *green_static_new(const char *root, const struct green_static_opts *opts);

/**
 * @brief End it. Never yields.
 * @param files one that no server uses, or NULL.
 * @since 0.1
 */
GREEN_API void green_static_free(green_static *files);

/**
 * @brief The application: for green_wsgi_server() and green_router_mount(). May yield.
 * @param req   a request; below a mount, the path is green_router_rest().
 * @param files a #green_static.
 * @return 0, or a negative code where the response failed.
 * @since 0.1
 */
GREEN_API int green_static_app(green_wsgi_request *req, void *files);

/**
 * @brief Answer with one file of a folder, whatever the request's path is. May yield.
 * @param req   a request, GET or HEAD.
 * @param files the folder.
 * @param path  below it, not encoded: "reports/2026.pdf". The same rules hold as for a request's.
 * @retval 0       answered, if by 404 or 304.
 * @retval -EINVAL an argument is missing.
 * @return otherwise as green_wsgi_write().
 * @since 0.1
 */
GREEN_API int green_static_send(green_wsgi_request *req, green_static *files, const char *path);

/**
 * @brief The media type of a file by its name. Never yields. thread-safe.
 * @param name "index.html".
 * @return "text/html; charset=utf-8"; "application/octet-stream" for what is not known.
 * @since 0.1
 */
GREEN_API const char *green_http_type_of(const char *name);

GREEN_END_DECLS

#endif
