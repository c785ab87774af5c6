/*
 * What is asked of a response, and its end.
 */
#include <strings.h>

#include "client_priv.h"

/* ---- its life */

green_http_response *
green__response_new(green_http_client *c)
{
        green_http_response *res = c->kept;

        if (res != NULL) {
                c->kept = res->next;
                c->kept_count--;
        } else {
                res = green_calloc(1, sizeof(*res));
                if (res == NULL)
                        return NULL;
        }
        res->client = c;
        c->refs++;
        green__response_reset(res);
        return res;
}

void
green__response_destroy(green_http_response *res)
{
        green__client_inflate_end(res);
        green__arena_end(&res->arena);
        green_free(res->in);
        green_free(res->out);
        green_free(res->all);
        green_free(res);
}

void
green__response_reset(green_http_response *res)
{
        res->framing = GREEN__BODY_NONE;
        res->left = 0;
        res->trailer = NULL;
        res->trailer_count = 0;
        res->ended = false;
        res->error = 0;
        res->inflating = 0;
        res->grown = 0;
        res->inflated = res->inflate_full = false;
        res->head.head_len = 0;
}

void
green__response_drop_link(green_http_response *res)
{
        struct green__link *l = res->link;
        bool rests;

        if (l == NULL)
                return;
        res->link = NULL;
        rests = res->error == 0 && !res->close && (res->head.flags & GREEN__HTTP1_KEEP_ALIVE) != 0;
        if (rests && green__client_finish(res) && res->start == res->end)
                green__link_rest(l);
        else
                green__link_close(l);
}

/* A large buffer is not kept. */
static void
shrink(char **buffer, size_t *room)
{
        if (*room <= GREEN__CLIENT_KEEP_MAX)
                return;
        green_free(*buffer);
        *buffer = NULL;
        *room = 0;
}

void
green_http_response_free(green_http_response *res)
{
        green_http_client *c;

        if (res == NULL)
                return;
        c = res->client;
        green__response_drop_link(res);
        green_free(res->where.text);
        res->where.text = NULL;
        res->url = NULL;
        green__arena_reset(&res->arena);
        shrink(&res->in, &res->in_room);
        shrink(&res->out, &res->out_room);
        shrink(&res->all, &res->all_room);
        if (c->closed || c->kept_count == GREEN__CLIENT_KEPT) {
                green__response_destroy(res);
        } else {
                res->next = c->kept;
                c->kept = res;
                c->kept_count++;
        }
        green__client_unref(c);
}

/* ---- questions */

int
green_http_response_status(const green_http_response *res)
{
        return res == NULL ? 0 : res->head.code;
}

/* Each has a colon behind its name and a CR, or white space, behind its value: nobody needs them any more. */
void
green__response_field(const green_http_response *res, unsigned index, struct green_wsgi_pair *ret)
{
        const struct green__http1_field *f = &res->fields[index];

        res->in[f->name + f->name_len] = '\0';
        res->in[f->value + f->value_len] = '\0';
        ret->name = res->in + f->name;
        ret->value = res->in + f->value;
}

bool
green_http_response_header_at(const green_http_response *res, size_t index, struct green_wsgi_pair *ret_pair)
{
        if (res == NULL || ret_pair == NULL)
                return false;
        if (index < res->head.lines.count) {
                green__response_field(res, (unsigned)index, ret_pair);
                return true;
        }
        index -= res->head.lines.count;
        if (index >= res->trailer_count)
                return false;
        *ret_pair = res->trailer[index];
        return true;
}

const char *
green_http_response_header(const green_http_response *res, const char *name)
{
        size_t len;

        if (res == NULL || name == NULL)
                return NULL;
        len = strlen(name);
        for (unsigned i = 0; i < res->head.lines.count; i++) {
                const struct green__http1_field *f = &res->fields[i];
                struct green_wsgi_pair pair;

                if (f->name_len != len || strncasecmp(res->in + f->name, name, len) != 0)
                        continue;
                green__response_field(res, i, &pair);
                return pair.value;
        }
        return NULL;
}

const char *
green_http_response_url(const green_http_response *res)
{
        return res == NULL ? "" : res->url;
}

int64_t
green_http_response_length(const green_http_response *res)
{
        if (res == NULL || res->framing == GREEN__BODY_NONE)
                return 0;
        return res->framing == GREEN__BODY_LENGTH && res->inflating == 0 ? (int64_t)res->head.content_length : -1;
}

/* ---- the body */

static ssize_t
read_some(green_http_response *res, void *buf, size_t len)
{
        return res->inflating != 0 ? green__client_inflate(res, buf, len) : green__client_read_raw(res, buf, len);
}

/* In the child of a fork what comes is the parent's. */
static int
may_read(const green_http_response *res)
{
        int rc = green_park_check(res->client->ident, "an HTTP response", GREEN_FOREVER, NULL);

        return rc == 0 && res->client->forks != green__client_forks ? green__client_fail(-EPERM, "a response from before a fork")
                                                                    : rc;
}

ssize_t
green_http_read(green_http_response *res, void *buf, size_t len)
{
        struct green__phase phase;
        ssize_t n;
        int rc;

        if (res == NULL || (buf == NULL && len > 0))
                return -EINVAL;
        if (res->error != 0)
                return res->error;
        /* What has come stays where it is. */
        rc = may_read(res);
        if (rc != 0 || len == 0)
                return rc;
        rc = green__phase_begin(res, &phase, GREEN_FOREVER);
        if (rc != 0) {
                res->error = rc;
                return rc;
        }
        n = read_some(res, buf, len);
        rc = green__phase_end(&phase, n < 0 ? (int)n : 0, "the body");
        if (rc == 0)
                return n;
        res->error = rc;
        return rc;
}

/* Room for so many and a NUL. */
static int
reserve(green_http_response *res, size_t len)
{
        char *all;

        if (len < res->all_room)
                return 0;
        if (len >= SIZE_MAX / 2)
                return -ENOMEM;
        all = green_realloc(res->all, len + 1);
        if (all == NULL)
                return -ENOMEM;
        res->all = all;
        res->all_room = len + 1;
        return 0;
}

static int
too_long(green_http_response *res)
{
        res->error = green__client_fail(-EMSGSIZE, "a body that is too long");
        return res->error;
}

/* What was read is gone: whoever goes on would take the rest for the whole. */
static int
lose(green_http_response *res, size_t len, int rc)
{
        if (len > 0 && res->error == 0)
                res->error = rc;
        return rc;
}

static int
read_on(green_http_response *res, size_t limit, size_t *ret_len)
{
        size_t len = 0, room = res->inflating == 0 && res->framing == GREEN__BODY_LENGTH ? (size_t)res->left : 4096;
        ssize_t n;

        for (;;) {
                int rc = reserve(res, len < room ? room : room * 2);

                if (rc != 0)
                        return lose(res, len, rc);
                room = len < room ? room : room * 2;
                n = green_http_read(res, res->all + len, room - len);
                if (n <= 0)
                        break;
                len += (size_t)n;
                if (len > limit)
                        return too_long(res);
                if (len == room && res->ended && res->inflating == 0)
                        break;
        }
        if (n < 0)
                return lose(res, len, (int)n);
        res->all[len] = '\0';
        *ret_len = len;
        return 0;
}

/* The whole of it is in the buffer, and nothing else: it can stay there. */
static bool
lies_there(const green_http_response *res)
{
        return res->framing == GREEN__BODY_LENGTH && res->inflating == 0 && res->error == 0 &&
               res->left == res->end - res->start;
}

int
green_http_read_all(green_http_response *res, size_t limit, char **ret_data, size_t *ret_len)
{
        static char nothing[1];
        size_t len = 0;
        char *data;
        int rc;

        if (res == NULL || ret_data == NULL)
                return -EINVAL;
        if (res->error != 0)
                return res->error;
        rc = may_read(res);
        if (rc != 0)
                return rc;
        if (res->framing == GREEN__BODY_LENGTH && res->inflating == 0 && res->left > limit)
                return too_long(res);
        if (res->ended && res->error == 0 && res->all != NULL) {
                /* What was given before lies there. */
                data = nothing;
        } else if (lies_there(res)) {
                len = (size_t)res->left;
                data = res->in + res->start;
                data[len] = '\0';
                green__client_take(res, len);
        } else {
                rc = read_on(res, limit, &len);
                data = res->all;
        }
        if (rc != 0)
                return rc;
        *ret_data = data;
        if (ret_len != NULL)
                *ret_len = len;
        return 0;
}
