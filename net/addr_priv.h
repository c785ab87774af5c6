/*
 * What net/ asks of an address's text beside its public functions.
 */
#ifndef GREEN_ADDR_PRIV_H
#define GREEN_ADDR_PRIV_H

#include <stdbool.h>

/* Bytes that hold any host name that may be, its NUL included. */
#define GREEN__HOST_SIZE 256

/* Is it "name:port"? Then host is the name. What is neither that nor an address is for green_addr_parse() to complain of. */
bool green__addr_is_name(const char *text, char host[GREEN__HOST_SIZE], int *ret_port);

#endif
