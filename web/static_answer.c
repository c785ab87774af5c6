/*
 * The answer with a file: conditions and ranges (RFC 9110 13 and 14), and its bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_range_priv.h"
#include "random_priv.h"
#include "static_priv.h"
#include "wsgi_priv.h"

enum {
        ETAG_SIZE = 64,
        PART_SIZE = 160, /* the header of a part, but for the type: 73, and 68 of a range */
        BOUNDARY = 32,   /* its characters */
};

/* What is known of the file, as the header says it. */
struct facts {
        char etag[ETAG_SIZE];
        char date[GREEN_WSGI_DATE_SIZE];
        int64_t mtime; /* not later than now */
};

static struct facts
facts_of(const struct green__static_file *file, const struct green__static_as *as)
{
        uint64_t time = (uint64_t)file->mtime * 1000000000u + file->mtime_ns;
        struct facts facts;

        /* Two codings of a file are never the same, though they may be as old and as large as each other. */
        (void)snprintf(facts.etag, sizeof(facts.etag), "\"%" PRIx64 "-%" PRIx64 "%s%s\"", time, file->size,
                       as->coding == NULL ? "" : "-", as->coding == NULL ? "" : as->coding);
        facts.mtime = file->mtime < (int64_t)green__wsgi_wall() ? file->mtime : (int64_t)green__wsgi_wall();
        (void)green_wsgi_format_date_time(facts.mtime, facts.date);
        return facts;
}

/* ---- conditions */

static bool
is_weak(struct green_http_part tag)
{
        return tag.len > 2 && tag.data[0] == 'W' && tag.data[1] == '/';
}

/* Is the tag among those of the fields of that name? */
static bool
has_tag(green_wsgi_request *req, const char *field, const char *etag, bool weak)
{
        const char *name, *value;
        size_t len = strlen(etag);

        for (size_t i = 0; green_wsgi_header_at(req, i, &name, &value); i++) {
                struct green_http_part rest, tag;

                if (strcasecmp(name, field) != 0)
                        continue;
                rest = (struct green_http_part){value, strlen(value)};
                while (green_http_next_item(&rest, &tag)) {
                        if (tag.len == 1 && *tag.data == '*')
                                return true;
                        if (weak && is_weak(tag))
                                tag = (struct green_http_part){tag.data + 2, tag.len - 2};
                        if (tag.len == len && memcmp(tag.data, etag, len) == 0)
                                return true;
                }
        }
        return false;
}

/* Is there a date in that field? What is none is passed over. */
static bool
has_date(green_wsgi_request *req, const char *field, int64_t *ret_date)
{
        const char *text = green_wsgi_header(req, field);

        return text != NULL && green_http_parse_date(text, ret_date) == 0;
}

/* 200, 304 or 412, in the order of RFC 9110 13.2.2. */
static int
condition(green_wsgi_request *req, const struct facts *facts)
{
        int64_t date;

        if (green_wsgi_header(req, "If-Match") != NULL) {
                if (!has_tag(req, "If-Match", facts->etag, false))
                        return 412;
        } else if (has_date(req, "If-Unmodified-Since", &date) && facts->mtime > date) {
                return 412;
        }
        if (green_wsgi_header(req, "If-None-Match") != NULL)
                return has_tag(req, "If-None-Match", facts->etag, true) ? 304 : 200;
        return has_date(req, "If-Modified-Since", &date) && facts->mtime <= date ? 304 : 200;
}

/* Are ranges of this file what the client wants? A date is good for that only if nothing was changed within its second.
 */
static bool
range_holds(green_wsgi_request *req, const struct facts *facts)
{
        const char *text = green_wsgi_header(req, "If-Range");
        int64_t date;

        if (text == NULL)
                return true;
        if (*text == '"' || (text[0] == 'W' && text[1] == '/'))
                return strcmp(text, facts->etag) == 0;
        return green_http_parse_date(text, &date) == 0 && date == facts->mtime &&
               facts->mtime + 1 < (int64_t)green__wsgi_wall();
}

/* ---- the header */

static int
put_field(green_wsgi_request *req, const char *name, const char *value)
{
        return value == NULL ? 0 : green__header_put(req, name, strlen(name), value, strlen(value));
}

/* type: NULL where nothing is sent of the file. */
static int
put_fields(green_wsgi_request *req, const struct green_static *files, const struct facts *facts,
           const struct green__static_as *as, const char *type)
{
        int rc = put_field(req, "Content-Type", type);

        if (rc == 0 && type != NULL)
                rc = put_field(req, "Content-Encoding", as->coding);
        if (rc == 0)
                rc = put_field(req, "Last-Modified", facts->date);
        if (rc == 0)
                rc = put_field(req, "ETag", facts->etag);
        if (rc == 0 && type != NULL)
                rc = put_field(req, "Accept-Ranges", "bytes");
        if (rc == 0)
                rc = put_field(req, "Cache-Control", files->cache);
        return rc == 0 && as->varies ? put_field(req, "Vary", "Accept-Encoding") : rc;
}

/* ---- several ranges */

struct part {
        char *head;
        size_t len;
};

static int
put_part(green_wsgi_request *req, struct part *part, const char *boundary, const char *type, const char *range)
{
        size_t room = PART_SIZE + strlen(type);

        part->head = green_wsgi_alloc(req, room);
        if (part->head == NULL)
                return -ENOMEM;
        part->len = (size_t)snprintf(part->head, room, "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n",
                                     boundary, type, range);
        return 0;
}

static void
range_text(char text[80], const struct green__http_range *range, uint64_t size)
{
        (void)snprintf(text, 80, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first, range->first + range->len - 1,
                       size);
}

static int
new_boundary(char text[BOUNDARY + 1])
{
        uint64_t random[2];
        int rc = green__random(random, sizeof(random));

        if (rc == 0)
                (void)snprintf(text, BOUNDARY + 1, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
        return rc;
}

struct answer {
        green_wsgi_request *req;
        const struct green_static *files;
        const struct green__static_file *file;
        const struct green__static_as *as;
        struct facts facts;
};

static int
send_ranges(const struct answer *a, const struct green__http_range *ranges, size_t n)
{
        char boundary[BOUNDARY + 1], type[BOUNDARY + 40], range[80], tail[BOUNDARY + 9];
        struct part parts[GREEN__RANGES_MAX];
        uint64_t len;
        int tail_len, rc = new_boundary(boundary);

        if (rc != 0)
                return rc;
        tail_len = snprintf(tail, sizeof(tail), "\r\n--%s--\r\n", boundary);
        len = (uint64_t)tail_len;
        for (size_t i = 0; rc == 0 && i < n; i++) {
                range_text(range, &ranges[i], a->file->size);
                rc = put_part(a->req, &parts[i], boundary, a->as->type, range);
                len += parts[i].len + ranges[i].len;
        }
        (void)snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
        if (rc == 0)
                rc = put_fields(a->req, a->files, &a->facts, a->as, type);
        if (rc == 0)
                rc = green_wsgi_start_response(a->req, 206, (int64_t)len);
        for (size_t i = 0; rc == 0 && i < n; i++) {
                rc = green_wsgi_collect(a->req, parts[i].head, parts[i].len);
                if (rc == 0)
                        rc = green__response_file(a->req, a->file->fd, (int64_t)ranges[i].first, ranges[i].len);
        }
        return rc != 0 ? rc : green_wsgi_collect(a->req, tail, (size_t)tail_len);
}

/* ---- the whole */

static int
send_part(const struct answer *a, int status, const struct green__http_range *range)
{
        int rc = put_fields(a->req, a->files, &a->facts, a->as, a->as->type);

        if (rc == 0)
                rc = green_wsgi_start_response(a->req, status, (int64_t)range->len);
        return rc != 0 ? rc : green__response_file(a->req, a->file->fd, (int64_t)range->first, range->len);
}

static int
send_one_range(const struct answer *a, const struct green__http_range *range)
{
        char text[80];
        int rc;

        range_text(text, range, a->file->size);
        rc = put_field(a->req, "Content-Range", text);
        return rc != 0 ? rc : send_part(a, 206, range);
}

static int
send_no_range(const struct answer *a)
{
        char text[40];
        int rc;

        (void)snprintf(text, sizeof(text), "bytes */%" PRIu64, a->file->size);
        rc = put_field(a->req, "Content-Range", text);
        return rc != 0 ? rc : green_wsgi_respond(a->req, 416, NULL, "", 0);
}

int
green__static_answer(green_wsgi_request *req, const struct green_static *files, const struct green__static_file *file,
                     const struct green__static_as *as)
{
        const struct answer a = {req, files, file, as, facts_of(file, as)};
        const struct green__http_range all = {0, file->size};
        struct green__http_range ranges[GREEN__RANGES_MAX];
        int status = condition(req, &a.facts), n = 0, rc;
        const char *range = NULL;

        if (status != 200) {
                rc = status == 304 ? put_fields(req, files, &a.facts, as, NULL) : 0;
                return rc != 0 ? rc : green_wsgi_respond(req, status, NULL, "", 0);
        }
        /* A range is GET's. */
        if (req->head.method == GREEN__HTTP1_GET)
                range = green_wsgi_header(req, "Range");
        if (range != NULL && range_holds(req, &a.facts))
                n = green__http_ranges(range, file->size, ranges);
        if (n < 0)
                return send_no_range(&a);
        /* A coding is one of all that is sent, and of parts it cannot be. */
        if (n > 1 && as->coding != NULL)
                n = 0;
        if (n == 0)
                return send_part(&a, 200, &all);
        return n == 1 ? send_one_range(&a, &ranges[0]) : send_ranges(&a, ranges, (size_t)n);
}
