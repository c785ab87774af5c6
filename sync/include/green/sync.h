/**
 * @file
 * @brief Everything of the sync layer.
 */
#ifndef GREEN_SYNC_H
#define GREEN_SYNC_H

#include <green/core.h>
#include <green/awaitable.h>
#include <green/barrier.h>
#include <green/chan.h>
#include <green/cond.h>
#include <green/dagpool.h>
#include <green/event.h>
#include <green/greenpool.h>
#include <green/lock.h>
#include <green/metaphore.h>
#include <green/pool.h>
#include <green/queue.h>
#include <green/rwlock.h>
#include <green/select.h>
#include <green/semaphore.h>
#include <green/tpool.h>

#endif
