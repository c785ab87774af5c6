/*
 * A response's head: the status line here, the field lines and what they decide as those of a request.
 */
#include <assert.h>

#include "http1_fields_priv.h"

enum { IN_STATUS = 100, IN_FIELDS };

void
green__http1_init_response(struct green__http1 *r, const struct green__http1_limits *limits,
                           struct green__http1_field *fields, uint16_t max)
{
        green__http1_init(r, limits, fields, max);
        r->response = true;
        r->state = IN_STATUS;
}

static bool
is_digit(uint8_t c)
{
        return green__http1_is(c, GREEN__CHAR_DIGIT);
}

/* What cannot become a status line any more is told before its end has come. */
static int
check_begin(const uint8_t *s, size_t n)
{
        static const char version[] = "HTTP/1.";

        for (size_t i = 0; i < n && i < sizeof(version) - 1; i++)
                if (s[i] != (uint8_t)version[i])
                        return i == 5 && is_digit(s[i]) ? GREEN__HTTP1_EMAJOR : GREEN__HTTP1_ESTATUS;
        return 0;
}

/* "HTTP/1.1 200 OK": the phrase may be empty; then the space before it, which RFC 9112 4 wants, may be missing. */
static int
take_status(struct green__http1 *r, const uint8_t *s, size_t n)
{
        if (n < 12 || !is_digit(s[7]) || s[8] != ' ')
                return GREEN__HTTP1_ESTATUS;
        if (s[9] < '1' || s[9] > '5' || !is_digit(s[10]) || !is_digit(s[11]) || (n > 12 && s[12] != ' '))
                return GREEN__HTTP1_ESTATUS;
        for (size_t i = 12; i < n; i++)
                if (!green__http1_is(s[i], GREEN__CHAR_VALUE))
                        return GREEN__HTTP1_ESTATUS;
        r->sent_minor = s[7] - '0';
        r->minor = r->sent_minor != 0;
        r->code = (uint16_t)((s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0'));
        return 0;
}

static int
read_status(struct green__http1 *r, const char *buf, size_t len)
{
        const uint8_t *s = (const uint8_t *)buf;
        const size_t limit = r->lines.limits->fields;
        const size_t room = len < limit ? len : limit;
        const uint8_t *lf = room == 0 ? NULL : memchr(s, '\n', room);
        int err = check_begin(s, room);

        if (err != 0)
                return err;
        if (lf == NULL)
                return len >= limit ? GREEN__HTTP1_EHEAD : GREEN__HTTP1_MORE;
        if (lf[-1] != '\r')
                return GREEN__HTTP1_EEOL;
        err = take_status(r, s, (size_t)(lf - 1 - s));
        if (err != 0)
                return err;
        r->state = IN_FIELDS;
        green__http1_fields_begin(&r->lines, (uint32_t)(lf + 1 - s));
        /* One limit is that of all. */
        r->lines.stop = r->lines.line_stop = r->lines.limits->fields;
        return 0;
}

int
green__http1_parse_response(struct green__http1 *r, const char *buf, size_t len)
{
        int end = 0;

        if (r->result != GREEN__HTTP1_MORE)
                return r->result;
        assert(r->response && len >= r->lines.pos);
        if (r->state == IN_STATUS)
                end = read_status(r, buf, len);
        if (end == 0)
                end = green__http1_fields(&r->lines, r, buf, len);
        if (end == GREEN__HTTP1_EFIELDS)
                end = GREEN__HTTP1_EHEAD;
        if (end == GREEN__HTTP1_DONE)
                end = green__http1_decide(r);
        if (end == GREEN__HTTP1_DONE)
                r->head_len = r->lines.pos;
        r->result = end;
        return end;
}
