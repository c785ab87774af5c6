/*
 * Character classes of the HTTP parser, in a table: one load answers for every class.
 */
#include "http1_char_priv.h"

/* The kinds of characters that there are, by the classes they are in. */
#define o 0
#define v GREEN__CHAR_VALUE
#define T (v | GREEN__CHAR_TOKEN) /* # % */
#define C (v | GREEN__CHAR_QUERY) /* \ { } */
#define G (C | GREEN__CHAR_TOKEN) /* ` */
#define B (C | GREEN__CHAR_PATH)  /* [ ] */
#define K (B | GREEN__CHAR_TOKEN) /* ^ | */
#define Q (C | GREEN__CHAR_URI)   /* ? */
#define P (B | GREEN__CHAR_URI)   /* / : @ */
#define S (P | GREEN__CHAR_HOST)  /* ( ) , ; = */
#define W (S | GREEN__CHAR_TOKEN) /* letters and the rest of a token */
#define H (W | GREEN__CHAR_HEX)   /* a to f */
#define D (H | GREEN__CHAR_DIGIT) /* 0 to 9 */

/* clang-format off */
const uint8_t green__http1_char[256] = {
        o, o, o, o, o, o, o, o, o, v, o, o, o, o, o, o, /* controls; 9 is HTAB */
        o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, /* controls */
        v, W, v, T, W, T, W, W, S, S, W, W, S, W, W, P, /* space to / */
        D, D, D, D, D, D, D, D, D, D, P, S, v, S, v, Q, /* 0 to ? */
        P, H, H, H, H, H, H, W, W, W, W, W, W, W, W, W, /* @ to O */
        W, W, W, W, W, W, W, W, W, W, W, B, C, B, K, W, /* P to _ */
        G, H, H, H, H, H, H, W, W, W, W, W, W, W, W, W, /* ` to o */
        W, W, W, W, W, W, W, W, W, W, W, C, K, C, W, o, /* p to DEL */
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, /* obs-text, to the end */
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v,
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v,
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v,
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v,
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v,
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v,
        v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v,
};
/* clang-format on */
