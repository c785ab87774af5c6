/**
 * @file
 * @brief Everything of green-net.
 */
#ifndef GREEN_GREEN_H
#define GREEN_GREEN_H

#include <green/core.h>
#include <green/net.h>
#include <green/sync.h>
#include <green/web.h>

#endif
