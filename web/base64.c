/*
 * Base64. See digest_priv.h.
 */
#include <string.h>

#include "digest_priv.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
green__base64_encode(const void *data, size_t len, char *text)
{
        const uint8_t *p = data;

        for (size_t i = 0; i < len; i += 3) {
                uint32_t three = (uint32_t)p[i] << 16;

                if (i + 1 < len)
                        three |= (uint32_t)p[i + 1] << 8;
                if (i + 2 < len)
                        three |= p[i + 2];
                *text++ = letters[three >> 18];
                *text++ = letters[three >> 12 & 63];
                *text++ = i + 1 < len ? letters[three >> 6 & 63] : '=';
                *text++ = i + 2 < len ? letters[three & 63] : '=';
        }
}

bool
green__base64_is(const char *text, size_t bytes)
{
        size_t len = (bytes * 8 + 5) / 6, whole = GREEN__BASE64_LEN(bytes);
        const char *last;

        if (strlen(text) != whole)
                return false;
        for (size_t i = 0; i < whole; i++)
                if (i < len ? strchr(letters, text[i]) == NULL : text[i] != '=')
                        return false;
        /* Bits of the last letter that belong to no byte are 0. */
        last = strchr(letters, text[len - 1]);
        return ((unsigned)(last - letters) & ((1u << (len * 6 - bytes * 8)) - 1)) == 0;
}
