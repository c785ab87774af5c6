/* Requests for the HTTP parser, in tables; http1_rows.h says how they are parsed. */
#include "http1_rows.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>

enum {
        TEXT = 8192 /* bytes of an outcome */
};

const struct green__http1_limits usual = GREEN__HTTP1_LIMITS_INIT;
const struct green__http1_limits strict = {8191, 8191, 65536, 16384, true};

int
show(struct run *run, const char *request, size_t len)
{
        char *copy = malloc(len + 1);

        if (copy == NULL)
                abort();
        memcpy(copy + 1, request, len);
        run->result = green__http1_parse(&run->r, copy + 1, len);
        free(copy);
        return run->result;
}

void
begin_run(struct run *run, const struct green__http1_limits *limits, uint16_t max)
{
        memset(run, 0, sizeof *run);
        green__http1_init(&run->r, limits, run->fields, max);
        run->result = GREEN__HTTP1_MORE;
}

static bool
same_span(struct green__http1_span a, struct green__http1_span b)
{
        return a.off == b.off && a.len == b.len;
}

static bool
same_field(const struct green__http1_field *a, const struct green__http1_field *b)
{
        return a->name == b->name && a->value == b->value && a->value_len == b->value_len &&
               a->name_len == b->name_len && a->id == b->id && a->flags == b->flags;
}

static bool
same_run(const struct run *a, const struct run *b)
{
        const struct green__http1 *r = &a->r, *q = &b->r;

        if (a->result != b->result || r->lines.pos != q->lines.pos || r->lines.count != q->lines.count)
                return false;
        if (r->start != q->start || r->head_len != q->head_len || r->flags != q->flags || r->port != q->port)
                return false;
        if (r->method != q->method || r->form != q->form || r->minor != q->minor || r->sent_minor != q->sent_minor)
                return false;
        if (!same_span(r->method_name, q->method_name) || !same_span(r->target, q->target) ||
            !same_span(r->path, q->path) || !same_span(r->query, q->query) || !same_span(r->host, q->host))
                return false;
        if (r->upgrade != q->upgrade || r->content_length != q->content_length)
                return false;
        for (unsigned i = 0; i < r->lines.count; i++) {
                if (!same_field(&a->fields[i], &b->fields[i]))
                        return false;
        }
        return true;
}

void
parse_all_ways(struct run *run, const char *request, size_t len, const struct green__http1_limits *limits, uint16_t max)
{
        struct run other;
        size_t i;

        begin_run(run, limits, max);
        show(run, request, len);
        begin_run(&other, limits, max);
        for (i = 0; i <= len && other.result == GREEN__HTTP1_MORE; i++)
                show(&other, request, i);
        if (!same_run(run, &other))
                FAIL("byte by byte gives %d at %u, whole %d at %u: %.60s", other.result, (unsigned)other.r.lines.pos,
                     run->result, (unsigned)run->r.lines.pos, request);
        for (i = 0; i < len; i++) {
                begin_run(&other, limits, max);
                if (show(&other, request, i) == GREEN__HTTP1_MORE)
                        show(&other, request, len);
                if (!same_run(run, &other)) {
                        FAIL("cut at %u gives %d, whole %d: %.60s", (unsigned)i, other.result, run->result, request);
                        return;
                }
        }
}

/* ---- the outcome as text */

struct text {
        char s[TEXT];
        size_t len;
};

static void
put(struct text *t, const char *s, size_t n)
{
        if (n > sizeof t->s - 1 - t->len)
                n = sizeof t->s - 1 - t->len;
        memcpy(t->s + t->len, s, n);
        t->len += n;
        t->s[t->len] = '\0';
}

static void
put_span(struct text *t, const char *label, const char *buf, struct green__http1_span span)
{
        put(t, label, strlen(label));
        put(t, buf + span.off, span.len);
}

static void
put_flags(struct text *t, const struct green__http1 *r)
{
        static const struct {
                uint32_t flag;
                const char *name;
        } names[] = {
                {GREEN__HTTP1_KEEP_ALIVE, " keep"},           {GREEN__HTTP1_CHUNKED, " chunked"},
                {GREEN__HTTP1_EXPECT_100, " expect"},         {GREEN__HTTP1_EXPECT_OTHER, " expect-other"},
                {GREEN__HTTP1_WANTS_UPGRADE, " upgrade"},     {GREEN__HTTP1_HTTPS, " https"},
                {GREEN__HTTP1_SAID_CLOSE, " said-close"},     {GREEN__HTTP1_SAID_KEEP_ALIVE, " said-keep"},
                {GREEN__HTTP1_SAID_UPGRADE, " said-upgrade"},
        };

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                if (r->flags & names[i].flag)
                        put(t, names[i].name, strlen(names[i].name));
        }
}

/* "GET 1.1 origin path=/ query= host=h port=80 length=3 keep ... | Name=value | ..." */
static void
outcome(struct text *t, const struct run *run, const char *buf)
{
        static const char *const forms[] = {"origin", "absolute", "authority", "asterisk"};
        const struct green__http1 *r = &run->r;
        char number[64];

        t->len = 0;
        put_span(t, "", buf, r->method_name);
        snprintf(number, sizeof number, " 1.%u %s", r->sent_minor, forms[r->form]);
        put(t, number, strlen(number));
        put_span(t, " path=", buf, r->path);
        if (r->flags & GREEN__HTTP1_HAS_QUERY)
                put_span(t, " query=", buf, r->query);
        put_span(t, " host=", buf, r->host);
        if (r->port >= 0) {
                snprintf(number, sizeof number, " port=%d", (int)r->port);
                put(t, number, strlen(number));
        }
        if (r->flags & GREEN__HTTP1_HAS_LENGTH) {
                snprintf(number, sizeof number, " length=%llu", (unsigned long long)r->content_length);
                put(t, number, strlen(number));
        }
        put_flags(t, r);
        for (unsigned i = 0; i < r->lines.count; i++) {
                const struct green__http1_field *f = &run->fields[i];
                put_span(t, " | ", buf, (struct green__http1_span){f->name, f->name_len});
                put_span(t, "=", buf, (struct green__http1_span){f->value, f->value_len});
                put(t, " _", f->flags & GREEN__HTTP1_UNDERSCORE ? 2 : 0);
                put(t, " again", f->flags & GREEN__HTTP1_REPEATED ? 6 : 0);
        }
}

void
check_rows(const struct row *row, const struct green__http1_limits *limits)
{
        static struct run run;
        static struct text text;

        for (; row->request != NULL; row++) {
                parse_all_ways(&run, row->request, row->len, limits, MAX_FIELDS);
                if (run.result != row->result)
                        FAIL("%s: got %d (%s), not %d (%s)", row->request, run.result,
                             run.result < 0 ? green__http1_reason(run.result) : "", row->result,
                             row->result < 0 ? green__http1_reason(row->result) : "");
                if (run.result == GREEN__HTTP1_DONE)
                        CHECK_INT(run.r.head_len, row->len);
                if (row->outcome == NULL || run.result != GREEN__HTTP1_DONE)
                        continue;
                outcome(&text, &run, row->request);
                CHECK_STR(text.s, row->outcome);
        }
}

size_t
put_line(char *out, const char *before, const char *after, size_t n)
{
        size_t fill = n - strlen(before) - strlen(after);

        memcpy(out, before, strlen(before));
        memset(out + strlen(before), 'x', fill);
        memcpy(out + strlen(before) + fill, after, strlen(after));
        return n;
}
