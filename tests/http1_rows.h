/*
 * Requests for the HTTP parser, in tables. Each is parsed whole, byte by byte, and cut in two at every place, every
 * time in memory of exactly its size that moves from call to call, and has to come out the same.
 */
#ifndef GREEN_TESTS_HTTP1_ROWS_H
#define GREEN_TESTS_HTTP1_ROWS_H

#include "../web/http1_parse_priv.h"

enum { MAX_FIELDS = 99 };

/* eventlet's limits; the same with targets by RFC 3986 only. */
extern const struct green__http1_limits usual, strict;

/* A request and what it is to come to: a text as check_rows() makes it, or an error. */
struct row {
        const char *request;
        size_t len;
        int result;
        const char *outcome; /* NULL: not looked at */
};

#define GOOD(request, outcome)                                                                                         \
        {                                                                                                              \
                request, sizeof(request) - 1, GREEN__HTTP1_DONE, outcome                                               \
        }
#define BAD(result, request)                                                                                           \
        {                                                                                                              \
                request, sizeof(request) - 1, GREEN__HTTP1_##result, NULL                                              \
        }
#define MORE(request) BAD(MORE, request)
#define ROWS_END                                                                                                       \
        {                                                                                                              \
                NULL, 0, 0, NULL                                                                                       \
        }

/* A head around the part that matters. */
#define HOST "Host: h\r\n"
#define FIELDS(fields) "POST / HTTP/1.1\r\n" HOST fields "\r\n"
#define FIELDS10(fields) "POST / HTTP/1.0\r\n" fields "\r\n"
#define TARGET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"
/* What FIELDS() comes to without its fields. */
#define SHOWN "POST 1.1 origin path=/ host=h"

/* One request in the parser. */
struct run {
        struct green__http1 r;
        struct green__http1_field fields[MAX_FIELDS];
        int result;
};

void begin_run(struct run *run, const struct green__http1_limits *limits, uint16_t max);

/* Shows the parser the first len bytes of a request, in memory of their own that begins and ends with them. */
int show(struct run *run, const char *request, size_t len);

/* Parses in every way, and complains if two do not agree. The run of the first is left in run. */
void parse_all_ways(struct run *run, const char *request, size_t len, const struct green__http1_limits *limits,
                    uint16_t max);

/*
 * Parses all rows up to ROWS_END and compares what comes out, which is put like this:
 * "GET 1.1 origin path=/ query= host=h port=80 length=3 keep ... | Name=value | ..."
 */
void check_rows(const struct row *row, const struct green__http1_limits *limits);

/* Puts n bytes of a line at out: before, as many x as it takes, after. Returns n. */
size_t put_line(char *out, const char *before, const char *after, size_t n);

#endif
