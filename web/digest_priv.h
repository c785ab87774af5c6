/*
 * What the handshakes of WebSockets are made of, and nothing that should protect anything: SHA-1 (RFC 3174), for the
 * legacy ones MD5 (RFC 1321), and base64 (RFC 4648). Texts of some dozen bytes: they are short rather than fast.
 */
#ifndef GREEN_DIGEST_PRIV_H
#define GREEN_DIGEST_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        GREEN__SHA1_SIZE = 20,
        GREEN__MD5_SIZE = 16,
        GREEN__DIGEST_MAX = 119, /* longest text: two blocks */
};

void green__sha1(const void *text, size_t len, uint8_t digest[GREEN__SHA1_SIZE]);
void green__md5(const void *text, size_t len, uint8_t digest[GREEN__MD5_SIZE]);

/* Bytes of the text, without a NUL. */
#define GREEN__BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* With padding; no NUL is put behind. */
void green__base64_encode(const void *data, size_t len, char *text);

/* Is it the whole encoding of so many bytes, padding and all, in the one way there is to write it? */
bool green__base64_is(const char *text, size_t bytes);

#endif
