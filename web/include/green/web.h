/**
 * @file
 * @brief Everything of the web layer.
 */
#ifndef GREEN_WEB_H
#define GREEN_WEB_H

#include <green/access_log.h>
#include <green/http.h>
#include <green/http_client.h>
#include <green/multipart.h>
#include <green/net.h>
#include <green/router.h>
#include <green/static.h>
#include <green/websocket.h>
#include <green/workers_app.h>
#include <green/wsgi.h>
#include <green/wsgi_metrics.h>

#endif
