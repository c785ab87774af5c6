/**
 * @file
 * @brief Everything of the core layer: green threads, timeouts, timers, hubs.
 */
#ifndef GREEN_CORE_H
#define GREEN_CORE_H

#include <green/alloc.h>
#include <green/base.h>
#include <green/debug.h>
#include <green/error.h>
#include <green/hub.h>
#include <green/hubs.h>
#include <green/io.h>
#include <green/local.h>
#include <green/log.h>
#include <green/metrics.h>
#include <green/module.h>
#include <green/opts.h>
#include <green/park.h>
#include <green/task.h>
#include <green/thread.h>
#include <green/timeout.h>
#include <green/timer.h>
#include <green/version.h>
#include <green/watch.h>

#endif
