/**
 * @file
 * @brief Everything of the web layer.
 */
#ifndef GREEN_WEB_H
#define GREEN_WEB_H

#include <green/http.h>
#include <green/multipart.h>
#include <green/net.h>
#include <green/router.h>
#include <green/static.h>
#include <green/websocket.h>
#include <green/wsgi.h>
#include <green/wsgi_metrics.h>

#endif
