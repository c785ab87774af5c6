/**
 * @file
 * @brief Everything of the net layer, and of those under it.
 */
#ifndef GREEN_NET_H
#define GREEN_NET_H

#include <green/addr.h>
#include <green/backdoor.h>
#include <green/convenience.h>
#include <green/core.h>
#include <green/db.h>
#include <green/dns.h>
#include <green/file.h>
#include <green/message.h>
#include <green/patch.h>
#include <green/pipe.h>
#include <green/poll.h>
#include <green/process.h>
#include <green/proxy.h>
#include <green/quiet.h>
#include <green/signal.h>
#include <green/socket.h>
#include <green/stream.h>
#include <green/sync.h>
#include <green/tls.h>
#include <green/workers.h>

#endif
