/**
 * @file
 * @brief Everything of the sync layer.
 */
#ifndef GREEN_SYNC_H
#define GREEN_SYNC_H

#include <green/core.h>
#include <green/event.h>

#endif
