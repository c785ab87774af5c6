/*
 * The system's headers of addresses and byte order.
 */
#ifndef GREEN_WEB_INET_H
#define GREEN_WEB_INET_H

#if defined(_WIN32)
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#endif

#endif
