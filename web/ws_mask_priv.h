/*
 * The mask of WebSocket frames (RFC 6455 5.3). It is kept as its four bytes lie in memory.
 */
#ifndef GREEN_WS_MASK_PRIV_H
#define GREEN_WS_MASK_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* Mask, or unmask, from one place to another or in place: no other overlap. Returns the mask for the byte behind. */
uint32_t green__ws_mask(void *to, const void *from, size_t len, uint32_t mask);

#endif
