/**
 * @file
 * @brief What the HTTP server counts, and an application that shows all counters.
 */
#ifndef GREEN_WSGI_METRICS_H
#define GREEN_WSGI_METRICS_H

#include <green/base.h>
#include <green/metrics.h>
#include <green/wsgi.h>

GREEN_BEGIN_DECLS

/** What the HTTP servers of this process have done. Counters only grow. */
struct green_wsgi_metrics {
        size_t size;                          /**< sizeof(struct green_wsgi_metrics), set by the caller */
        uint64_t connections;                 /**< connections that are open */
        uint64_t idle;                        /**< of these, without a request */
        uint64_t requests;                    /**< answered */
        uint64_t status[6];                   /**< [1] to [5]: answered with 1xx to 5xx; [0]: with none, as the client was gone */
        struct green_metrics_histogram times; /**< from the first byte of the request's head to the last of the answer given
                                                   to the system */
};

/**
 * @brief What the HTTP servers of this process have done. Never yields. thread-safe.
 * @param[in,out] m set m->size before.
 * @return 0; -EINVAL: unknown size, or NULL.
 * @since 0.1
 */
GREEN_API int green_wsgi_get_metrics(struct green_wsgi_metrics *m);

/**
 * @brief An application that answers GET and HEAD with all counters: green_metrics_format(). Serve it at `/metrics`, to those who
 *        may see it.
 * @param req the request.
 * @param arg not used.
 * @return as any application.
 * @since 0.1
 */
GREEN_API int green_metrics_app(green_wsgi_request *req, void *arg);

GREEN_END_DECLS

#endif
