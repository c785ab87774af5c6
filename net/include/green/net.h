/**
 * @file
 * @brief Everything of the net layer, and of those under it.
 */
#ifndef GREEN_NET_H
#define GREEN_NET_H

#include <green/addr.h>
#include <green/convenience.h>
#include <green/core.h>
#include <green/socket.h>
#include <green/sync.h>

#endif
