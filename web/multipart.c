/*
 * Forms with files, piece by piece: where parts begin and end. See <green/multipart.h>.
 *
 * What is read lies in one buffer. Of what may be the beginning of a boundary nothing is given away until it is known.
 */
#include <string.h>

#include "multipart_priv.h"
#include "wsgi_priv.h"

static int
fail(green_multipart *m, int code, const char *why)
{
        m->failed = code;
        /* What the client has done wrong is not the application's failure: the server answers it. */
        if (m->req != NULL && m->req->body_error == 0)
                m->req->body_error = code;
        return why == NULL ? code : green_set_error(code, "multipart/form-data: %s", why);
}

/* Read more. 0: it has; the end of the body is an error. */
static int
fill(green_multipart *m)
{
        ssize_t n;

        if (m->begin > 0) {
                memmove(m->buf, m->buf + m->begin, m->end - m->begin);
                m->end -= m->begin;
                m->begin = 0;
        }
        n = m->read(m->arg, m->buf + m->end, sizeof(m->buf) - m->end);
        if (n < 0)
                return fail(m, (int)n, NULL);
        if (n == 0)
                return fail(m, -EPROTO, "it ends before its last boundary");
        m->end += (size_t)n;
        return 0;
}

/* Bytes, of the first so many, before what is a boundary, or may be the beginning of one: then *ret_whole is false. */
static size_t
before_border(const green_multipart *m, size_t most, bool *ret_whole)
{
        const char *at = m->buf + m->begin, *end = m->buf + m->end, *stop = (size_t)(end - at) > most ? at + most : end;

        *ret_whole = false;
        while (at < stop && (at = memchr(at, '\r', (size_t)(stop - at))) != NULL) {
                size_t left = (size_t)(end - at), len = left < m->border_len ? left : m->border_len;

                if (memcmp(at, m->border, len) == 0) {
                        *ret_whole = len == m->border_len;
                        break;
                }
                at++;
        }
        return (size_t)((at == NULL ? stop : at) - (m->buf + m->begin));
}

/*
 * Have data of the part at begin: how many bytes, so many at most. 0: it has ended, and what is at begin is behind its boundary. The
 * preamble is read so too.
 */
static ssize_t
have_data(green_multipart *m, size_t most)
{
        bool whole;
        size_t n;
        int rc;

        if (m->state == GREEN__MULTIPART_BORDER)
                return 0;
        while ((n = before_border(m, most, &whole)) == 0 && !whole) {
                rc = fill(m);
                if (rc != 0)
                        return rc;
        }
        if (n == 0) {
                m->begin += m->border_len;
                m->state = GREEN__MULTIPART_BORDER;
        }
        return (ssize_t)n;
}

/* So many bytes of a part's data are used. */
static int
use(green_multipart *m, size_t n)
{
        m->begin += n;
        m->part_read += n;
        return m->part_read > m->max_part ? fail(m, -EMSGSIZE, "a part is larger than allowed") : 0;
}

static int
pass_over(green_multipart *m)
{
        uint64_t limit = m->state == GREEN__MULTIPART_BEGIN ? m->max_header : UINT64_MAX, passed = 0;
        ssize_t n;
        int rc;

        while ((n = have_data(m, SIZE_MAX)) > 0) {
                if (m->state == GREEN__MULTIPART_BEGIN)
                        m->begin += (size_t)n;
                rc = m->state == GREEN__MULTIPART_BEGIN ? 0 : use(m, (size_t)n);
                if (rc != 0)
                        return rc;
                passed += (uint64_t)n;
                if (passed > limit)
                        return fail(m, -EPROTO, "it does not begin with a boundary");
        }
        return (int)n;
}

/* Have so many bytes at begin. */
static int
need(green_multipart *m, size_t n)
{
        int rc = 0;

        while (rc == 0 && m->end - m->begin < n)
                rc = fill(m);
        return rc;
}

/* What is left of a boundary's line. 1: a part follows; 0: it was the last. */
static int
end_of_line(green_multipart *m)
{
        int rc = need(m, 2);

        if (rc != 0)
                return rc;
        if (memcmp(m->buf + m->begin, "--", 2) == 0)
                return 0;
        while (m->buf[m->begin] == ' ' || m->buf[m->begin] == '\t') {
                m->begin++;
                rc = need(m, 2);
                if (rc != 0)
                        return rc;
        }
        if (memcmp(m->buf + m->begin, "\r\n", 2) != 0)
                return fail(m, -EPROTO, "something stands behind a boundary");
        m->begin += 2;
        return 1;
}

/* Nothing that follows the last boundary's line counts, but it is read. */
static int
finish(green_multipart *m)
{
        bool line = true;
        ssize_t n;

        m->begin += 2;
        do {
                while (line && m->begin < m->end && (m->buf[m->begin] == ' ' || m->buf[m->begin] == '\t'))
                        m->begin++;
                if (line && m->begin < m->end) {
                        if (m->buf[m->begin] != '\r')
                                return fail(m, -EPROTO, "something stands behind the last boundary");
                        line = false;
                }
                n = m->read(m->arg, m->buf, sizeof(m->buf));
                m->begin = 0;
                m->end = n > 0 ? (size_t)n : 0;
        } while (n > 0);
        if (n < 0)
                return fail(m, (int)n, NULL);
        m->state = GREEN__MULTIPART_END;
        return 0;
}

/* Where the empty line begins that ends the header, in so many bytes; SIZE_MAX: not yet known. It was looked for
 * before. */
static size_t
end_of_head(const char *text, size_t len, size_t before)
{
        if (len >= 2 && memcmp(text, "\r\n", 2) == 0)
                return 0;
        for (size_t i = before < 3 ? 0 : before - 3; i + 4 <= len; i++)
                if (memcmp(text + i, "\r\n\r\n", 4) == 0)
                        return i + 2;
        return SIZE_MAX;
}

/* The header of a part, into its own memory: the buffer goes on. */
static int
read_head(green_multipart *m)
{
        size_t len = 0, end = SIZE_MAX, before;
        int rc;

        while (end == SIZE_MAX) {
                size_t here, room = m->max_header + 2 - len;

                if (room == 0)
                        return fail(m, -EMSGSIZE, "the header of a part is larger than allowed");
                rc = need(m, 1);
                if (rc != 0)
                        return rc;
                here = m->end - m->begin < room ? m->end - m->begin : room;
                memcpy(m->head + len, m->buf + m->begin, here);
                before = len;
                m->begin += here;
                len += here;
                end = end_of_head(m->head, len, before);
        }
        /* What was too much has come just now. */
        m->begin -= len - (end + 2);
        rc = green__multipart_head(m, m->head, end);
        return rc == 0 ? 0
                       : fail(m, rc,
                              rc == -EPROTO ? "the header of a part is malformed" : "a part has too many fields");
}

/* A part may have no data, and then its boundary's line break is that of the empty line. */
static int
begin_data(green_multipart *m)
{
        size_t len = m->border_len - 2;
        int rc = need(m, len);

        if (rc != 0)
                return rc;
        m->state = GREEN__MULTIPART_DATA;
        if (memcmp(m->buf + m->begin, m->border + 2, len) == 0) {
                m->begin += len;
                m->state = GREEN__MULTIPART_BORDER;
        }
        return 0;
}

int
green_multipart_next(green_multipart *m, const struct green_multipart_part **ret_part)
{
        int rc;

        if (m == NULL || ret_part == NULL)
                return -EINVAL;
        if (m->failed != 0 || m->state == GREEN__MULTIPART_END)
                return m->failed;
        rc = pass_over(m);
        if (rc == 0)
                rc = end_of_line(m);
        if (rc == 0)
                return finish(m);
        if (rc < 0)
                return rc;
        if (++m->parts > m->max_parts)
                return fail(m, -EMSGSIZE, "more parts than allowed");
        rc = read_head(m);
        if (rc != 0)
                return rc;
        m->part_read = 0;
        rc = begin_data(m);
        if (rc != 0)
                return rc;
        *ret_part = &m->part;
        return 1;
}

ssize_t
green_multipart_read(green_multipart *m, void *buf, size_t len)
{
        ssize_t n;
        int rc;

        if (m == NULL || (buf == NULL && len > 0))
                return -EINVAL;
        if (m->failed != 0)
                return m->failed;
        /* Before the first part there is nothing either. */
        if (m->state != GREEN__MULTIPART_DATA || len == 0)
                return 0;
        n = have_data(m, len);
        if (n <= 0)
                return n;
        memcpy(buf, m->buf + m->begin, (size_t)n);
        rc = use(m, (size_t)n);
        return rc != 0 ? rc : n;
}

/* ---- the beginning */

static size_t
header_limit(const struct green_multipart_opts *opts)
{
        return opts->max_header == 0 ? 8192 : opts->max_header;
}

size_t
green__multipart_size(const struct green_multipart_opts *opts)
{
        return sizeof(green_multipart) + 2 * (header_limit(opts) + 2);
}

void
green__multipart_init(green_multipart *m, const struct green_multipart_opts *opts, const char *boundary)
{
        size_t len = strlen(boundary);

        m->state = GREEN__MULTIPART_BEGIN;
        m->failed = 0;
        m->parts = 0;
        m->max_parts = opts->max_parts == 0 ? 1000 : opts->max_parts;
        m->max_header = header_limit(opts);
        m->part_read = 0;
        m->max_part = opts->max_part == 0 ? UINT64_MAX : opts->max_part;
        m->head = (char *)(m + 1);
        m->disposition = m->head + m->max_header + 2;
        memcpy(m->border, "\r\n--", 4);
        memcpy(m->border + 4, boundary, len + 1);
        m->border_len = 4 + len;
        /* The first boundary stands at the beginning of a line, as the others do. */
        memcpy(m->buf, "\r\n", 2);
        m->begin = 0;
        m->end = 2;
}

static ssize_t
read_body(void *req, void *buf, size_t len)
{
        return green_wsgi_read(req, buf, len);
}

green_multipart *
green_multipart_new(green_wsgi_request *req, const struct green_multipart_opts *opts)
{
        const char *type = req == NULL ? NULL : green_wsgi_header(req, "Content-Type");
        char boundary[GREEN__BOUNDARY_MAX + 1];
        struct green_multipart_opts o;
        green_multipart *m;

        errno = EINVAL;
        if (green_opts_take(&o, sizeof(o), opts) != 0 || o.max_header > SIZE_MAX / 4) {
                (void)green_set_error(-EINVAL, "green_multipart_opts: a size that this version does not know");
                return NULL;
        }
        if (type == NULL || !green__multipart_boundary(type, boundary)) {
                (void)green_set_error(-EINVAL, "no multipart/form-data, or one without a proper boundary");
                errno = EINVAL;
                return NULL;
        }
        m = green_wsgi_alloc(req, green__multipart_size(&o));
        if (m == NULL) {
                (void)green_set_error(-ENOMEM, NULL);
                errno = ENOMEM;
                return NULL;
        }
        green__multipart_init(m, &o, boundary);
        m->req = req;
        m->read = read_body;
        m->arg = req;
        return m;
}
