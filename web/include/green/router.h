/**
 * @file
 * @brief Which application answers a request: by method and path.
 *
 *     green_router *r = green_router_new();
 *
 *     green_router_add(r, "GET", "/users/{id}", show_user, db);
 *     green_router_add(r, "POST", "/users", add_user, db);
 *     green_router_mount(r, "/static", green_static_app, files);
 *     green_wsgi_server(listener, green_router_app, r, NULL);
 *
 * A pattern is a path whose segments are text, or `{name}`, which takes one segment that is not empty; the last may be
 * `{name...}`, which takes all that is left, also nothing. It is held against the path as sent, segment by segment, each
 * percent-decoded: "%2F" is no '/' that divides. Of several that fit, the one whose text goes further wins, whatever the
 * order in which they were added: "/users/new" goes before "/users/{id}", which goes before "/{rest...}". A route fits only
 * if its method does too; HEAD goes where GET does. Where none fits, the longest mount above the path is asked.
 *
 * A path that is there for other methods only, and in no mount, is answered with 405 and Allow; OPTIONS, unless it was
 * added, with 204 and Allow. Otherwise it is 404.
 */
#ifndef GREEN_ROUTER_H
#define GREEN_ROUTER_H

#include <green/wsgi.h>

GREEN_BEGIN_DECLS

/** A table of routes. Opaque. It may serve several servers, and must not be changed while one runs. */
typedef struct green_router green_router;

/**
 * @brief Make an empty one. Never yields.
 * @return for green_router_free(); NULL with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API green_router *green_router_new(void);

/**
 * @brief End it. Never yields.
 * @param router one that no server uses, or NULL.
 * @since 0.1
 */
GREEN_API void green_router_free(green_router *router);

/**
 * @brief Add a route. Never yields.
 *
 * @param router  where.
 * @param method  a token, "GET"; case matters. NULL: any that has no route of its own.
 * @param pattern begins with '/'; copied. See above.
 * @param app     called with a request that fits.
 * @param arg     its second argument.
 * @retval 0       added.
 * @retval -EINVAL an argument is missing, or the pattern is malformed: green_last_error() says where.
 * @retval -EEXIST that method has one already that fits the same paths.
 * @retval -ENOMEM memory ran out.
 * @since 0.1
 */
GREEN_API int green_router_add(green_router *router, const char *method, const char *pattern, green_wsgi_app app,
                               void *arg);

/**
 * @brief Give everything under a path to an application, another router too. Never yields.
 *
 * @param router where.
 * @param prefix "/static", text without a slash at its end: it gets "/static" and "/static/...", not "/statics". "/" is
 *               everything. Copied.
 * @param app    called with any method.
 * @param arg    its second argument.
 * @return as green_router_add().
 * @since 0.1
 */
GREEN_API int green_router_mount(green_router *router, const char *prefix, green_wsgi_app app, void *arg);

/**
 * @brief The application that a router is: for green_wsgi_server() and green_router_mount(). May yield, as those do that
 *        it calls.
 * @param req    a request.
 * @param router a #green_router.
 * @return what the application has returned that it called.
 * @since 0.1
 */
GREEN_API int green_router_app(green_wsgi_request *req, void *router);

/**
 * @brief What stands in the path for `{name}` of the pattern. Never yields.
 * @param req  a request that came through a router.
 * @param name of the innermost router's pattern, else of those around it.
 * @return percent-decoded, living as long as the request; NULL if there is none, or with `errno` ENOMEM.
 * @since 0.1
 */
GREEN_API const char *green_router_param(green_wsgi_request *req, const char *name);

/**
 * @brief The path below what the application is mounted at, as sent. Never yields.
 *
 * In the environ, what stands before it is SCRIPT_NAME, and it is PATH_INFO, both decoded; of "/static" itself that is "".
 *
 * @param req any request.
 * @return begins with '/', living as long as the request; without a mount green_wsgi_raw_path(), which may be "*" or "".
 * @since 0.1
 */
GREEN_API const char *green_router_rest(green_wsgi_request *req);

GREEN_END_DECLS

#endif
