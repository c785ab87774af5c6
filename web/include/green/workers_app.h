/**
 * @file
 * @brief What workers are doing, as a page: <green/workers.h> for web servers.
 */
#ifndef GREEN_WORKERS_APP_H
#define GREEN_WORKERS_APP_H

#include <green/workers.h>
#include <green/wsgi.h>

GREEN_BEGIN_DECLS

/**
 * @brief An application that shows green_workers_status() as JSON: each worker, and sums. May yield.
 *
 * Their figures are there where green_workers_opts::shared_size is sizeof(struct green_wsgi_stats), and each worker gives
 * green_worker::shared to its server as green_wsgi_server_opts::stats. Whichever worker is asked knows all.
 *
 * @param req the request; any but GET and HEAD is answered with 405.
 * @param arg #GREEN_WORKERS_STATS if the figures are there; NULL: only the processes are shown.
 * @return as #green_wsgi_app: 503 is answered where no workers run.
 * @since 0.1
 */
GREEN_API int green_workers_app(green_wsgi_request *req, void *arg);

/** green_workers_app(): what the workers share is a struct green_wsgi_stats. */
#define GREEN_WORKERS_STATS ((void *)1)

GREEN_END_DECLS

#endif
