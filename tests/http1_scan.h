/* The scanning functions of the HTTP parser as a table, so that two kinds of them fit into one program. */
#ifndef GREEN_TESTS_HTTP1_SCAN_H
#define GREEN_TESTS_HTTP1_SCAN_H

#include "../web/http1_scan_priv.h"

struct scanners {
        const char *name;
        const uint8_t *(*scan_name)(const uint8_t *base, const uint8_t *s, const uint8_t *end);
        const uint8_t *(*scan_host)(const uint8_t *base, const uint8_t *s, const uint8_t *end);
        const uint8_t *(*scan_value)(const uint8_t *base, const uint8_t *s, const uint8_t *end);
        const uint8_t *(*scan_target)(const uint8_t *base, const uint8_t *s, const uint8_t *end);
        bool (*is_name)(const uint8_t *base, const uint8_t *s, const uint8_t *name_end, const uint8_t *end);
        struct green__http1_seen (*look)(const uint8_t *s);
        struct green__http1_seen (*look_short)(const uint8_t *base, const uint8_t *s, const uint8_t *end);
};

/* Those that the including file was compiled with. */
#define SCANNERS(text)                                                                                                 \
        {                                                                                                              \
                .name = text, .scan_name = green__http1_scan_name, .scan_host = green__http1_scan_host,                \
                .scan_value = green__http1_scan_value, .scan_target = green__http1_scan_target,                        \
                .is_name = green__http1_is_name, .look = green__http1_look, .look_short = green__http1_look_short      \
        }

extern const struct scanners portable_scanners;

#endif
