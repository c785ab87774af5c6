/*
 * Field lines: the header of a request and the trailers of a chunked body.
 *
 * A line goes through four stages, each of which takes all the bytes it can get. Where they run out the stage is noted,
 * and the next call goes on in it at the same byte. A stage never looks at or behind the byte where a limit strikes
 * (the end of the cursor), so the same limit strikes however the bytes came.
 */
#include <assert.h>

#include "http1_fields_priv.h"
#include "http1_scan_priv.h"

enum { AT_LINE, IN_NAME, IN_SPACE, IN_VALUE, AT_LF, AT_LAST_LF, AT_END };

/* Stages return 0 to go on or what ends this call; the empty line ends it too. */
#define GO_ON 0
#define EMPTY_LINE 3

struct cursor {
        const uint8_t *base, *s;
        const uint8_t *end;               /* of what may be looked at: of the data, or where a limit strikes */
        const uint8_t *data_end;          /* of the data */
        struct green__http1_field *field; /* the one being read */
};

void
green__http1_fields_begin(struct green__http1_lines *l, uint32_t pos)
{
        l->pos = pos;
        l->stop = l->limits->fields < UINT32_MAX - pos ? pos + l->limits->fields : UINT32_MAX;
        l->line_stop = l->stop;
        l->count = 0;
        l->state = AT_LINE;
}

/* No byte is left. Either more will come, or the line has reached its limit. */
static int
run_out(const struct green__http1_lines *l, const struct cursor *c)
{
        size_t pos = (size_t)(c->s - c->base);

        if (pos < l->line_stop)
                return GREEN__HTTP1_MORE;
        return l->line_stop == l->stop ? GREEN__HTTP1_EFIELDS : GREEN__HTTP1_EFIELDLINE;
}

static void
set_field(struct green__http1_lines *l, struct cursor *c)
{
        c->field = l->fields != NULL ? &l->fields[l->count] : &l->scratch;
}

static void
set_end(const struct green__http1_lines *l, struct cursor *c, size_t len)
{
        c->end = c->base + (len < l->line_stop ? len : l->line_stop);
}

static int
begin_line(struct green__http1_lines *l, struct cursor *c, size_t len)
{
        uint32_t pos = (uint32_t)(c->s - c->base);

        l->line_stop = l->stop - pos > l->limits->field_line ? pos + l->limits->field_line : l->stop;
        set_end(l, c, len);
        if (c->s == c->end)
                return run_out(l, c);
        if (*c->s == '\r') {
                c->s++;
                return EMPTY_LINE;
        }
        if (*c->s == ' ' || *c->s == '\t')
                return GREEN__HTTP1_EFOLD;
        if (l->count == l->max)
                return GREEN__HTTP1_ECOUNT;
        set_field(l, c);
        c->field->name = pos;
        c->field->flags = 0;
        return GO_ON;
}

static int
read_name(struct green__http1_lines *l, struct cursor *c)
{
        for (;;) {
                c->s = green__http1_scan_name(c->base, c->s, c->end);
                if (c->s == c->end)
                        return run_out(l, c);
                if (*c->s == ':')
                        break;
                if (!green__http1_is(*c->s, GREEN__CHAR_TOKEN))
                        return *c->s == '\n' ? GREEN__HTTP1_EEOL : GREEN__HTTP1_ENAME;
                if (*c->s == '_')
                        c->field->flags |= GREEN__HTTP1_UNDERSCORE;
                c->s++;
        }
        size_t n = (size_t)(c->s - c->base) - c->field->name;
        if (n == 0)
                return GREEN__HTTP1_ENAME;
        if (n > UINT16_MAX)
                return GREEN__HTTP1_EFIELDLINE;
        c->field->name_len = (uint16_t)n;
        c->s++;
        return GO_ON;
}

static int
skip_space(struct green__http1_lines *l, struct cursor *c)
{
        while (c->s != c->end && (*c->s == ' ' || *c->s == '\t'))
                c->s++;
        if (c->s == c->end)
                return run_out(l, c);
        c->field->value = (uint32_t)(c->s - c->base);
        return GO_ON;
}

static int
read_value(struct green__http1_lines *l, struct cursor *c)
{
        for (;;) {
                c->s = green__http1_scan_value(c->base, c->s, c->end);
                if (c->s == c->end)
                        return run_out(l, c);
                if (*c->s != '\t')
                        break;
                c->s++;
        }
        if (*c->s != '\r')
                return *c->s == '\n' ? GREEN__HTTP1_EEOL : GREEN__HTTP1_EVALUE;
        const uint8_t *begin = c->base + c->field->value, *end = c->s;
        while (end != begin && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
        c->field->value_len = (uint32_t)(end - begin);
        c->s++;
        return GO_ON;
}

static int
end_line(const struct green__http1_lines *l, struct cursor *c)
{
        if (c->s == c->end)
                return run_out(l, c);
        if (*c->s != '\n')
                return GREEN__HTTP1_EEOL;
        c->s++;
        return GO_ON;
}

/* The line is whole: keep it. */
static int
keep_field(struct green__http1_lines *l, struct green__http1 *r, const struct cursor *c)
{
        struct green__http1_field *f = c->field;
        int err = 0;

        f->id = (uint8_t)green__http1_name_id(c->base + f->name, f->name_len);
        if (f->id != GREEN__HTTP1_OTHER && r != NULL)
                err = green__http1_known(r, f, c->base);
        l->count++;
        return err;
}

static inline struct green__http1_seen
look(const uint8_t *base, const uint8_t *s, const uint8_t *end)
{
        return end - s >= 64 ? green__http1_look(s) : green__http1_look_short(base, s, end);
}

/*
 * Most lines are whole when they are begun and hold nothing special. They are found in one go, 64 bytes at a time:
 * where colon and CR are is known without the wait for one to look for the other. At any doubt this stops before the
 * line and leaves it to the stages, which see the same bytes and say what it is.
 */
static int
read_whole_lines(struct green__http1_lines *l, struct green__http1 *r, struct cursor *c)
{
        const uint8_t *const base = c->base;
        const uint8_t *const end = (size_t)(c->data_end - base) < l->stop ? c->data_end : base + l->stop;
        const uint8_t *name = c->s, *at = name; /* at: what is seen is from here */
        struct green__http1_seen seen = {0, 0}; /* bits before the line are gone */

        for (; l->count < l->max && end - name >= 4 && *name != '\r'; l->count++) {
                const uint8_t *colon, *value, *stop;

                if (seen.colon == 0)
                        seen = look(base, at = name, end);
                if (seen.colon == 0)
                        break;
                colon = at + __builtin_ctzll(seen.colon);
                while (seen.control == 0)
                        seen = look(base, at += 64, end);
                stop = at + __builtin_ctzll(seen.control);
                if (stop <= colon || end - stop < 2 || stop[0] != '\r' || stop[1] != '\n' ||
                    (size_t)(stop + 2 - name) > l->limits->field_line)
                        break;
                value = colon + 1 + (colon[1] == ' ');
                if (*value == ' ' || stop[-1] == ' ' || colon == name || !green__http1_is_name(base, name, colon, end))
                        break;
                struct green__http1_field *f = &l->fields[l->count];
                f->name = (uint32_t)(name - base);
                f->value = (uint32_t)(value - base);
                f->value_len = (uint32_t)(stop - value);
                f->name_len = (uint16_t)(colon - name);
                f->id = (uint8_t)green__http1_name_id(name, f->name_len);
                f->flags = 0;
                name = stop + 2;
                if (f->id != GREEN__HTTP1_OTHER) {
                        int err = green__http1_known(r, f, base);
                        if (err != 0) {
                                c->s = name;
                                l->count++;
                                return err;
                        }
                }
                seen.colon &= ~(seen.control ^ (seen.control - 1));
                seen.control &= seen.control - 1;
                seen.control &= seen.control - 1;
                if (stop - at == 63)
                        seen.colon = seen.control = 0;
        }
        c->s = name;
        return 0;
}

/* From the stage in which the last call ended to the begin of the next line. */
static int
read_line(struct green__http1_lines *l, struct green__http1 *r, struct cursor *c)
{
        int end;

        if (l->state == IN_NAME) {
                if ((end = read_name(l, c)) != GO_ON)
                        return end;
                l->state = IN_SPACE;
        }
        if (l->state == IN_SPACE) {
                if ((end = skip_space(l, c)) != GO_ON)
                        return end;
                l->state = IN_VALUE;
        }
        if (l->state == IN_VALUE) {
                if ((end = read_value(l, c)) != GO_ON)
                        return end;
                l->state = AT_LF;
        }
        assert(l->state == AT_LF);
        if ((end = end_line(l, c)) != GO_ON)
                return end;
        l->state = AT_LINE;
        return keep_field(l, r, c);
}

static int
run(struct green__http1_lines *l, struct green__http1 *r, struct cursor *c, size_t len)
{
        int end;

        if (l->state == AT_LAST_LF)
                return EMPTY_LINE;
        for (;;) {
                if (l->state == AT_LINE) {
                        /* Trailers are rare and take the long way. */
                        if (r != NULL && (end = read_whole_lines(l, r, c)) != GO_ON)
                                return end;
                        if ((end = begin_line(l, c, len)) != GO_ON)
                                return end;
                        l->state = IN_NAME;
                }
                if ((end = read_line(l, r, c)) != GO_ON)
                        return end;
        }
}

int
green__http1_fields(struct green__http1_lines *l, struct green__http1 *r, const char *buf, size_t len)
{
        const uint8_t *base = (const uint8_t *)buf;
        struct cursor c = {.base = base, .s = base + l->pos, .data_end = base + len};
        int end;

        assert(l->pos <= len && l->state != AT_END);
        set_end(l, &c, len);
        set_field(l, &c);
        end = run(l, r, &c, len);
        if (end == EMPTY_LINE) {
                l->state = AT_LAST_LF;
                if ((end = end_line(l, &c)) == GO_ON) {
                        l->state = AT_END;
                        end = GREEN__HTTP1_DONE;
                }
        }
        l->pos = (uint32_t)(c.s - base);
        return end;
}

int
green__http1_find(const struct green__http1_lines *l, const char *buf, const char *name, unsigned from)
{
        const uint8_t *base = (const uint8_t *)buf;
        size_t n = strlen(name);

        for (unsigned i = from; i < l->count; i++) {
                const struct green__http1_field *f = &l->fields[i];
                if (f->name_len == n && green__http1_same(base + f->name, name, n))
                        return (int)i;
        }
        return -1;
}
