/*
 * The HTTP/1.1 parser (RFC 9112, RFC 9110), of requests and of responses: no I/O, no allocation, nothing of green-net underneath.
 *
 * A request head is parsed where it lies. Everything found is told as offsets from the first byte of the request, so
 * the caller may move or grow the buffer between two calls; bytes already seen are never looked at again, so a peer
 * that sends one byte at a time costs the same as one that sends a whole head. The answer depends on the bytes alone,
 * never on how they were cut into pieces.
 *
 * What is refused, and with which status, is decided here once and for all: GREEN__HTTP1_ERRORS is the table.
 *
 *      http1_parse.c    request line, and the state of a whole head
 *      http1_response.c status line, and what a response's head decides
 *      http1_target.c   the four forms of a request target
 *      http1_host.c     host and port
 *      http1_fields.c   header and trailer field lines
 *      http1_known.c    the fields that decide framing and connection
 *      http1_chunked.c  chunked bodies
 *      http1_char.c     character classes
 *      http1_scan_*.h   vectors where there are some, one file a machine
 */
#ifndef GREEN_HTTP1_PARSE_PRIV_H
#define GREEN_HTTP1_PARSE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every way in which a request can be wrong: name, status to answer with, text for the log. */
#define GREEN__HTTP1_ERRORS(X)                                                                                         \
        X(EBLANK, 400, "too many empty lines before the request line")                                                 \
        X(EMETHOD, 400, "bad character in the method")                                                                 \
        X(ETARGET, 400, "bad request target")                                                                          \
        X(EVERSION, 400, "bad HTTP version")                                                                           \
        X(EMAJOR, 505, "HTTP version not supported")                                                                   \
        X(ELINE, 414, "request line too long")                                                                         \
        X(EEOL, 400, "line does not end in CR LF")                                                                     \
        X(ENAME, 400, "bad character in a field name")                                                                 \
        X(EVALUE, 400, "bad character in a field value")                                                               \
        X(EFOLD, 400, "folded field line")                                                                             \
        X(EFIELDLINE, 431, "field line too long")                                                                      \
        X(EFIELDS, 431, "fields too large")                                                                            \
        X(ECOUNT, 431, "too many fields")                                                                              \
        X(ENOHOST, 400, "no Host in an HTTP/1.1 request")                                                              \
        X(EHOSTS, 400, "more than one Host")                                                                           \
        X(EHOST, 400, "bad Host")                                                                                      \
        X(ELENGTH, 400, "bad Content-Length")                                                                          \
        X(ELENGTHS, 400, "differing Content-Length fields")                                                            \
        X(ECODING, 400, "Transfer-Encoding does not end in a single chunked")                                          \
        X(EUNKNOWN, 501, "unknown transfer coding")                                                                    \
        X(ECONFLICT, 400, "both Content-Length and Transfer-Encoding")                                                 \
        X(EOLDCODING, 400, "Transfer-Encoding in an HTTP/1.0 request")                                                 \
        X(ECONNECTION, 400, "bad Connection field")                                                                    \
        X(ECHUNKSIZE, 400, "bad chunk size")                                                                           \
        X(ECHUNKEXT, 400, "bad chunk extension")                                                                       \
        X(ECHUNKEXTS, 400, "chunk extensions too long")                                                                \
        X(ECHUNKEND, 400, "chunk data does not end in CR LF")                                                          \
        X(EBODY, 413, "body too large")                                                                                \
        X(ESTATUS, 400, "bad status line")                                                                             \
        X(EHEAD, 431, "header too large")

enum green__http1_index {
#define GREEN__HTTP1_X(name, status, text) GREEN__HTTP1_INDEX_##name,
        GREEN__HTTP1_ERRORS(GREEN__HTTP1_X)
#undef GREEN__HTTP1_X
                GREEN__HTTP1_INDEX_END
};

enum green__http1_result {
        GREEN__HTTP1_DONE = 0, /* the head, or the body, is complete */
        GREEN__HTTP1_MORE = 1, /* call again with more bytes behind the same ones */
        GREEN__HTTP1_DATA = 2, /* chunked only: a piece of the body */
#define GREEN__HTTP1_X(name, status, text) GREEN__HTTP1_##name = -1 - (int)GREEN__HTTP1_INDEX_##name,
        GREEN__HTTP1_ERRORS(GREEN__HTTP1_X)
#undef GREEN__HTTP1_X
};

/* The status to answer with, and the reason for the log, of a negative result. */
int green__http1_status(int result);
const char *green__http1_reason(int result);

/* A part of the head: offset from its first byte, and length. */
struct green__http1_span {
        uint32_t off, len;
};

/* Fields that the parser itself understands; all others are GREEN__HTTP1_OTHER. */
enum green__http1_id {
        GREEN__HTTP1_OTHER,
        GREEN__HTTP1_HOST,
        GREEN__HTTP1_CONNECTION,
        GREEN__HTTP1_CONTENT_LENGTH,
        GREEN__HTTP1_TRANSFER_ENCODING,
        GREEN__HTTP1_EXPECT,
        GREEN__HTTP1_UPGRADE
};

/* Bits of green__http1_field.flags. */
#define GREEN__HTTP1_UNDERSCORE 1u /* the name has a '_': CGI could not tell it from '-', leave it out of HTTP_* */
#define GREEN__HTTP1_REPEATED 2u   /* Content-Length once more with the same value: leave it out of HTTP_* */

/* One field line. Name as it was sent; value without the white space around it, may be empty, may hold tabs. */
struct green__http1_field {
        uint32_t name, value; /* offsets */
        uint32_t value_len;
        uint16_t name_len;
        uint8_t id;    /* enum green__http1_id */
        uint8_t flags; /* GREEN__HTTP1_UNDERSCORE, ... */
};

/* All sizes are bytes and count CR LF. A line that is longer by one byte is refused. */
struct green__http1_limits {
        uint32_t request_line; /* longest request line: 414 */
        uint32_t field_line;   /* longest field line: 431 */
        uint32_t fields;       /* all field lines and the empty one: 431; trailers likewise. Of a response all of its head */
        uint32_t chunk_ext;    /* all chunk extensions of one body: 400 */
        bool strict_target;    /* nothing but RFC 3986: see green__http1_init */
};

/* eventlet's figures (a line that reaches 8192 bytes is refused), and 16 KiB of chunk extensions. */
#define GREEN__HTTP1_LIMITS_INIT                                                                                       \
        {                                                                                                              \
                .request_line = 8191, .field_line = 8191, .fields = 65536, .chunk_ext = 16384                          \
        }

/* Field lines up to and with the empty line: the second part of a head, and the trailers of a chunked body. */
struct green__http1_lines {
        const struct green__http1_limits *limits;
        struct green__http1_field *fields; /* the caller's, NULL to check and forget */
        uint32_t pos;                      /* next byte to look at */
        uint32_t line_stop;                /* the line must have ended before this offset */
        uint32_t stop;                     /* and all of them before this one */
        uint16_t count, max;               /* fields found, fields that fit */
        uint8_t state;
        struct green__http1_field scratch; /* the one being read, with fields NULL */
};

enum green__http1_method {
        GREEN__HTTP1_METHOD_OTHER, /* any other token: see green__http1.method_name */
        GREEN__HTTP1_GET,
        GREEN__HTTP1_HEAD,
        GREEN__HTTP1_POST,
        GREEN__HTTP1_PUT,
        GREEN__HTTP1_DELETE,
        GREEN__HTTP1_CONNECT,
        GREEN__HTTP1_OPTIONS,
        GREEN__HTTP1_TRACE,
        GREEN__HTTP1_PATCH
};

enum green__http1_form {
        GREEN__HTTP1_ORIGIN,    /* /path?query */
        GREEN__HTTP1_ABSOLUTE,  /* http://host:port/path?query; Host is checked, then ignored */
        GREEN__HTTP1_AUTHORITY, /* host:port, with CONNECT and only there; no path */
        GREEN__HTTP1_ASTERISK   /* "*", with OPTIONS and only there; no path */
};

/* Bits of green__http1.flags, complete when the head is done. */
#define GREEN__HTTP1_KEEP_ALIVE 1u        /* the connection may carry another request */
#define GREEN__HTTP1_HAS_LENGTH 2u        /* content_length is set (0 without it: no body) */
#define GREEN__HTTP1_CHUNKED 4u           /* the body is chunked */
#define GREEN__HTTP1_EXPECT_100 8u        /* an HTTP/1.1 client waits for 100 Continue */
#define GREEN__HTTP1_EXPECT_OTHER 16u     /* an expectation that is not known here: 417 is allowed, not required */
#define GREEN__HTTP1_WANTS_UPGRADE 32u    /* Upgrade, named in Connection, in HTTP/1.1 */
#define GREEN__HTTP1_HAS_QUERY 64u        /* there was a '?', maybe with nothing behind it */
#define GREEN__HTTP1_HTTPS 128u           /* absolute form with https: */
#define GREEN__HTTP1_SAID_CLOSE 256u      /* Connection has "close" */
#define GREEN__HTTP1_SAID_KEEP_ALIVE 512u /* Connection has "keep-alive" */
#define GREEN__HTTP1_SAID_UPGRADE 1024u   /* Connection has "upgrade" */

struct green__http1 {
        struct green__http1_lines lines; /* how far it got; lines.fields and lines.count are the header */
        int result;                      /* last answer; an error stays */
        uint8_t state, blanks;
        uint8_t codings;   /* private: what Transfer-Encoding said so far */
        bool host_seen;    /* private: there was a Host */
        bool percent;      /* private: the target has a '%' */
        bool response;     /* it is the head of one: green__http1_init_response() */
        uint16_t code;     /* the status of a response */
        uint32_t start;    /* first byte of the request line, after empty lines */
        uint32_t head_len; /* bytes of the whole head once it is done: the body begins there */

        uint8_t method;     /* enum green__http1_method */
        uint8_t form;       /* enum green__http1_form */
        uint8_t minor;      /* 0 or 1; a higher one is spoken to as 1 (RFC 9110 6.2) */
        uint8_t sent_minor; /* the digit as sent */
        uint32_t flags;
        struct green__http1_span method_name, target; /* as sent */
        struct green__http1_span path;  /* still percent-encoded; empty in "http://host": take it as "/" */
        struct green__http1_span query; /* without the '?' */
        struct green__http1_span host;  /* who is asked for: from the target if it says, else Host; no port; [v6] */
        int32_t port;                   /* -1: none given */
        uint16_t upgrade;               /* index of the first Upgrade field, with GREEN__HTTP1_WANTS_UPGRADE */
        uint64_t content_length;
};

/*
 * Begin a request. limits and fields stay the caller's and must outlive it; max is the most fields there may be. More
 * are answered by 431.
 *
 * Targets may hold what browsers send although RFC 3986 does not have it: [ ] | ^ in the path, these and { } ` \ and a
 * '%' that encodes nothing in the query. limits->strict_target refuses those too. Bytes above 0x7e, control characters,
 * spaces, quotes, < > and # are always refused, and so are a broken percent-encoding and %00 in a path.
 */
void green__http1_init(struct green__http1 *r, const struct green__http1_limits *limits,
                       struct green__http1_field *fields, uint16_t max);

/*
 * Parse on. buf is where the request begins (not where the new bytes do), len all that is there of it: bytes of the
 * body and of further requests may follow, they are not looked at. Returns GREEN__HTTP1_DONE with r->head_len set,
 * GREEN__HTTP1_MORE, or an error, which ends the connection; r->lines.pos is then where it was found.
 *
 * At most two empty lines before the request line are skipped and count as part of the head.
 */
int green__http1_parse(struct green__http1 *r, const char *buf, size_t len);

/*
 * The same for a response: fields are read and framing is decided as strictly, with a status line in place of the
 * request's. r->code is the status, the flags KEEP_ALIVE, HAS_LENGTH and CHUNKED say what the header does; whether there
 * is a body at all depends on the request too, and is the caller's affair. No empty lines before it are skipped. Status
 * line and fields have one limit together, limits->fields.
 */
void green__http1_init_response(struct green__http1 *r, const struct green__http1_limits *limits,
                                struct green__http1_field *fields, uint16_t max);
int green__http1_parse_response(struct green__http1 *r, const char *buf, size_t len);

/* True once anything but empty lines has come: from then on the connection is not idle. */
static inline bool
green__http1_begun(const struct green__http1 *r, size_t len)
{
        return len > r->lines.pos || r->lines.pos > r->start;
}

/*
 * The index of the first field of that name at or after index from, -1 if there is none. name is in lower case.
 * Linear: an environ is asked for a handful of names, and a list cannot be flooded as a hash can.
 */
int green__http1_find(const struct green__http1_lines *lines, const char *buf, const char *name, unsigned from);

/* What a step of the body decoder found. */
struct green__http1_piece {
        size_t used; /* bytes of the input that are done with; an error is there */
        size_t off;  /* where the data begins in the input */
        size_t len;  /* bytes of data there */
};

/* A chunked body that is being read. */
struct green__http1_chunked {
        struct green__http1_lines trailers; /* trailers.fields and .count when done; offsets from the first trailer */
        int result;                         /* last answer; an error stays */
        uint8_t state, digits;
        uint32_t ext;   /* bytes of extensions so far */
        uint64_t left;  /* bytes to come of the chunk */
        uint64_t total; /* bytes of the body that chunk sizes announced so far */
        uint64_t limit; /* most there may be */
};

/* Begin a chunked body of at most limit bytes (413). Trailer fields go to fields, or nowhere if it is NULL. */
void green__http1_chunked_init(struct green__http1_chunked *c, const struct green__http1_limits *limits, uint64_t limit,
                               struct green__http1_field *fields, uint16_t max);

/*
 * Read what stands between pieces of the body. buf begins behind the bytes used so far.
 *
 * GREEN__HTTP1_DATA: a piece begins at *ret_used; take any of it, and say how much by green__http1_chunked_skip().
 * GREEN__HTTP1_MORE: all that came is used, but in the trailers, where bytes after *ret_used must be shown again from
 * there with more behind them (the buffer must hold limits->fields). GREEN__HTTP1_DONE: the body is over and *ret_used
 * is behind its last byte; the trailers are the last trailers.pos bytes of it. An error is at *ret_used.
 */
int green__http1_chunked_frame(struct green__http1_chunked *c, const char *buf, size_t len, size_t *ret_used);

/* How many bytes of data come next, all of them data whatever they are: 0 where a size line or the like is due. */
uint64_t green__http1_chunked_left(const struct green__http1_chunked *c);

/* Note that n bytes, at most green__http1_chunked_left(), were taken, from the buffer or past it. */
void green__http1_chunked_skip(struct green__http1_chunked *c, uint64_t n);

/*
 * The same in one step: with GREEN__HTTP1_DATA, ret->off and ret->len are all of the piece that is there, in place, and
 * it counts as taken. There may be more, so call again behind ret->used.
 */
int green__http1_chunked_next(struct green__http1_chunked *c, const char *buf, size_t len,
                              struct green__http1_piece *ret);

/*
 * Decode all there is, moving the data to the front of buf: ret->len bytes are the body's, what was not used begins at
 * ret->used. GREEN__HTTP1_MORE, GREEN__HTTP1_DONE or an error, in which the data before it is there as well.
 */
int green__http1_chunked_decode(struct green__http1_chunked *c, char *buf, size_t len, struct green__http1_piece *ret);

#endif
