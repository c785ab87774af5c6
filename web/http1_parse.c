/*
 * A request head: the request line here, the field lines in http1_fields.c, the decision at the end in http1_known.c.
 *
 * As with field lines, each stage takes all the bytes it can get up to the limit, and the next call goes on in it at
 * the same byte. The version is the exception: ten bytes are looked at together, from their begin.
 */
#include <assert.h>

#include "http1_fields_priv.h"
#include "http1_scan_priv.h"

enum { AT_START, AT_START_LF, IN_METHOD, IN_TARGET, AT_VERSION, IN_FIELDS };

#define MAX_EMPTY_LINES 2

/* Stages return 0 to go on or what ends this call. */
#define GO_ON 0

struct cursor {
        const uint8_t *base, *s, *end;
};

int
green__http1_status(int result)
{
        static const uint16_t status[] = {
#define GREEN__HTTP1_X(name, status, text) status,
                GREEN__HTTP1_ERRORS(GREEN__HTTP1_X)
#undef GREEN__HTTP1_X
        };

        assert(result < 0 && result >= -GREEN__HTTP1_INDEX_END);
        return status[-1 - result];
}

const char *
green__http1_reason(int result)
{
        static const char *const text[] = {
#define GREEN__HTTP1_X(name, status, text) text,
                GREEN__HTTP1_ERRORS(GREEN__HTTP1_X)
#undef GREEN__HTTP1_X
        };

        assert(result < 0 && result >= -GREEN__HTTP1_INDEX_END);
        return text[-1 - result];
}

void
green__http1_init(struct green__http1 *r, const struct green__http1_limits *limits, struct green__http1_field *fields,
                  uint16_t max)
{
        assert(fields != NULL || max == 0);
        /* Member by member: compilers clear a structure of this size by a slow string instruction. */
        r->lines.limits = limits;
        r->lines.fields = fields;
        r->lines.pos = 0;
        r->lines.line_stop = UINT32_MAX;
        r->lines.count = 0;
        r->lines.max = max;
        r->result = GREEN__HTTP1_MORE;
        r->state = AT_START;
        r->blanks = r->codings = 0;
        r->host_seen = r->percent = r->response = false;
        r->code = 0;
        r->start = r->head_len = 0;
        r->method = GREEN__HTTP1_METHOD_OTHER;
        r->form = GREEN__HTTP1_ORIGIN;
        r->minor = r->sent_minor = 0;
        r->flags = 0;
        r->method_name = r->target = r->path = r->query = r->host = (struct green__http1_span){0, 0};
        r->port = -1;
        r->upgrade = UINT16_MAX;
        r->content_length = 0;
}

static int
run_out(const struct green__http1 *r, const struct cursor *c)
{
        return (size_t)(c->end - c->base) == r->lines.line_stop ? GREEN__HTTP1_ELINE : GREEN__HTTP1_MORE;
}

/* Skip empty lines; at anything else the request begins. */
static int
skip_empty(struct green__http1 *r, struct cursor *c)
{
        uint32_t limit = r->lines.limits->request_line;

        for (;;) {
                if (c->s == c->end)
                        return GREEN__HTTP1_MORE;
                if (r->state == AT_START_LF) {
                        if (*c->s != '\n')
                                return GREEN__HTTP1_EEOL;
                        r->state = AT_START;
                } else if (*c->s != '\r') {
                        break;
                } else if (r->blanks++ == MAX_EMPTY_LINES) {
                        return GREEN__HTTP1_EBLANK;
                } else {
                        r->state = AT_START_LF;
                }
                c->s++;
                r->start++;
        }
        r->lines.line_stop = limit < UINT32_MAX - r->start ? r->start + limit : UINT32_MAX;
        if ((size_t)(c->end - c->base) > r->lines.line_stop)
                c->end = c->base + r->lines.line_stop;
        return GO_ON;
}

static enum green__http1_method
method_of(const uint8_t *s, size_t n)
{
        static const char names[][8] = {"",       "GET",     "HEAD",    "POST",  "PUT",
                                        "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

        for (int i = GREEN__HTTP1_GET; n < sizeof names[0] && i <= GREEN__HTTP1_PATCH; i++) {
                if (strlen(names[i]) == n && memcmp(s, names[i], n) == 0)
                        return (enum green__http1_method)i;
        }
        return GREEN__HTTP1_METHOD_OTHER;
}

static int
read_method(struct green__http1 *r, struct cursor *c)
{
        const uint8_t *begin = c->base + r->start;

        if (c->s == begin && c->end - c->s >= 4 && memcmp(c->s, "GET ", 4) == 0) {
                r->method = GREEN__HTTP1_GET;
                c->s += 3;
        } else {
                while (c->s != c->end && green__http1_is(*c->s, GREEN__CHAR_TOKEN))
                        c->s++;
                if (c->s == c->end)
                        return run_out(r, c);
                if (*c->s != ' ' || c->s == begin)
                        return GREEN__HTTP1_EMETHOD;
                r->method = (uint8_t)method_of(begin, (size_t)(c->s - begin));
        }
        r->method_name = (struct green__http1_span){r->start, (uint32_t)(c->s - begin)};
        c->s++;
        r->target.off = (uint32_t)(c->s - c->base);
        return GO_ON;
}

/* A byte at which the fast scan stopped inside a target. */
static int
odd_byte(struct green__http1 *r, const struct cursor *c)
{
        const bool strict = r->lines.limits->strict_target && c->base[r->target.off] == '/';
        const bool in_query = (r->flags & GREEN__HTTP1_HAS_QUERY) != 0;

        if (*c->s == '?' && !in_query) {
                r->flags |= GREEN__HTTP1_HAS_QUERY;
                r->query.off = (uint32_t)(c->s - c->base) + 1;
                return GO_ON;
        }
        if (*c->s == '%') {
                r->percent = true;
                return GO_ON;
        }
        if (green__http1_is(*c->s, strict ? GREEN__CHAR_URI : in_query ? GREEN__CHAR_QUERY : GREEN__CHAR_PATH))
                return GO_ON;
        /* A line end here is HTTP/0.9, which nobody speaks any more. */
        return *c->s == '\r' || *c->s == '\n' ? GREEN__HTTP1_EVERSION : GREEN__HTTP1_ETARGET;
}

/* Go to the space behind the target. */
static int
find_target_end(struct green__http1 *r, struct cursor *c)
{
        for (;;) {
                c->s = green__http1_scan_target(c->base, c->s, c->end);
                if (c->s == c->end)
                        return run_out(r, c);
                if (*c->s == ' ')
                        return GO_ON;
                int err = odd_byte(r, c);
                if (err != GO_ON)
                        return err;
                c->s++;
        }
}

static int
read_target(struct green__http1 *r, struct cursor *c)
{
        /* The page that is asked for most is not worth a vector. */
        if (c->end - c->s >= 2 && memcmp(c->s, "/ ", 2) == 0) {
                c->s++;
        } else {
                int err = find_target_end(r, c);
                if (err != GO_ON)
                        return err;
        }
        r->target.len = (uint32_t)(c->s - c->base) - r->target.off;
        if (r->target.len == 0)
                return GREEN__HTTP1_ETARGET;
        c->s++;
        if (c->base[r->target.off] != '/' || r->percent || r->method == GREEN__HTTP1_CONNECT)
                return green__http1_target(r, c->base);
        /* The rest have been checked already. */
        r->form = GREEN__HTTP1_ORIGIN;
        green__http1_split(r, r->target.off);
        return GO_ON;
}

/* The version byte by byte: when it is not all there, or not the usual one. */
static int
read_other_version(struct green__http1 *r, struct cursor *c)
{
        static const char model[] = "HTTP/0.0\r\n"; /* 0 is any digit */
        const uint8_t *s = c->s;

        for (int i = 0; i < 10; i++) {
                if (s + i == c->end)
                        return run_out(r, c);
                if (model[i] == '0' ? green__http1_is(s[i], GREEN__CHAR_DIGIT) : s[i] == (uint8_t)model[i])
                        continue;
                c->s += i;
                return i < 8 ? GREEN__HTTP1_EVERSION : GREEN__HTTP1_EEOL;
        }
        if (s[5] != '1')
                return GREEN__HTTP1_EMAJOR;
        r->sent_minor = s[7] - '0';
        r->minor = r->sent_minor != 0;
        c->s += 10;
        return GO_ON;
}

static int
read_version(struct green__http1 *r, struct cursor *c)
{
        if (c->end - c->s < 10 || memcmp(c->s, "HTTP/1.1\r\n", 10) != 0)
                return read_other_version(r, c);
        r->minor = r->sent_minor = 1;
        c->s += 10;
        return GO_ON;
}

static int
run(struct green__http1 *r, struct cursor *c)
{
        int end;

        if (r->state <= AT_START_LF) {
                if ((end = skip_empty(r, c)) != GO_ON)
                        return end;
                r->state = IN_METHOD;
        }
        if (r->state == IN_METHOD) {
                if ((end = read_method(r, c)) != GO_ON)
                        return end;
                r->state = IN_TARGET;
        }
        if (r->state == IN_TARGET) {
                if ((end = read_target(r, c)) != GO_ON)
                        return end;
                r->state = AT_VERSION;
        }
        assert(r->state == AT_VERSION);
        if ((end = read_version(r, c)) != GO_ON)
                return end;
        r->state = IN_FIELDS;
        return GO_ON;
}

static int
read_line(struct green__http1 *r, const char *buf, size_t len)
{
        const uint8_t *base = (const uint8_t *)buf;
        struct cursor c = {base, base + r->lines.pos, base + (len < r->lines.line_stop ? len : r->lines.line_stop)};
        int end = run(r, &c);

        r->lines.pos = (uint32_t)(c.s - base);
        if (end == GO_ON)
                green__http1_fields_begin(&r->lines, r->lines.pos);
        return end;
}

int
green__http1_parse(struct green__http1 *r, const char *buf, size_t len)
{
        int end = GO_ON;

        if (r->result != GREEN__HTTP1_MORE)
                return r->result;
        assert(len >= r->lines.pos);
        if (r->state != IN_FIELDS)
                end = read_line(r, buf, len);
        if (end == GO_ON)
                end = green__http1_fields(&r->lines, r, buf, len);
        if (end == GREEN__HTTP1_DONE)
                end = green__http1_decide(r);
        if (end == GREEN__HTTP1_DONE)
                r->head_len = r->lines.pos;
        r->result = end;
        return end;
}
