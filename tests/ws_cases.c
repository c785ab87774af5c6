/* Runs a case of ws_cases.h: sends, and looks at what comes. */
#include "ws_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

/* Seconds in which nothing may come; and, as a part of the peer's patience, for the other end to see what is wrong. */
#define MOMENT 0.02
#define SOON 0.1

struct run {
        struct ws_peer *p;
        const struct ws_case *c;
        size_t got; /* of what is expected */
        size_t all;
        bool late;   /* ended later than it should */
        bool closed; /* a close has come */
        bool first;  /* before any was sent */
        bool over;   /* and the connection has ended: */
        enum ws_came end;
        int code;
};

void
ws_each(const struct ws_case *cases, size_t n, ws_case_fn fn, void *arg)
{
        for (size_t i = 0; i < n; i++)
                fn(&cases[i], arg);
}

static bool
is_step(const struct ws_event *e, const struct ws_step *s)
{
        if (e->op != s->op || e->len != s->len)
                return false;
        for (size_t at = 0; at < e->len; at += s->unit)
                if (memcmp(e->data + at, s->data, s->unit < e->len - at ? s->unit : e->len - at) != 0)
                        return false;
        return true;
}

static bool
take(struct run *r, const struct ws_event *e)
{
        if (e->op == WS_CLOSE) {
                r->closed = true;
                r->first = !r->p->close_sent;
                r->code = e->code;
                if (r->first)
                        ws_peer_close(r->p, e->code != 0 ? e->code : -1);
                /* A server is who ends the connection. */
                if (!r->p->client)
                        green_socket_shutdown(r->p->socket, SHUT_WR);
                return true;
        }
        for (; r->got < r->all; r->got++) {
                if (is_step(e, &r->c->expect[r->got])) {
                        r->got++;
                        return true;
                }
                if (r->c->ending != WS_ANYHOW)
                        break;
        }
        return ws_peer_wrong(r->p, "opcode %u, %zu bytes, comes after %zu of %zu", e->op & 15, e->len, r->got, r->all);
}

/* The next event. True where there was one, or the end. */
static bool
look(struct run *r, double seconds)
{
        struct ws_event e;
        enum ws_came came = ws_peer_next(r->p, &e, seconds);

        if (came == WS_EVENT)
                return take(r, &e);
        if (came == WS_NOTHING)
                return ws_peer_wrong(r->p, "nothing comes after %zu of %zu%s", r->got, r->all,
                                     r->closed ? " and a close" : "");
        if (came == WS_WRONG)
                return false;
        r->over = true;
        r->end = came;
        return true;
}

/* ---- steps */

static void
send_bytes(struct run *r, const struct ws_step *s)
{
        char *data = malloc(s->len + 1);

        if (data == NULL)
                abort();
        for (size_t at = 0; at < s->len; at += s->unit)
                memcpy(data + at, s->data, s->unit < s->len - at ? s->unit : s->len - at);
        if ((s->op & WS_BEGIN) != 0)
                ws_peer_begin(r->p, s->op & ~(unsigned)WS_BEGIN, s->of);
        if (s->op == WS_PART || (s->op & WS_BEGIN) != 0)
                ws_peer_part(r->p, data, s->len);
        else
                ws_peer_frame(r->p, s->op, data, s->len);
        free(data);
        if (s->op == WS_CLOSE)
                r->p->close_sent = true;
}

/* False: something is wrong. */
static bool
step(struct run *r, const struct ws_step *s)
{
        struct ws_event e;
        enum ws_came came;
        size_t chop = r->c->chop > 0 ? (size_t)r->c->chop : 0;

        if (s->op != WS_AWAIT && s->op != WS_STILL && s->op != WS_FAILED) {
                send_bytes(r, s);
                if (r->c->chop != 0)
                        ws_peer_flush(r->p, chop);
                return true;
        }
        ws_peer_flush(r->p, chop);
        if (s->op == WS_AWAIT) {
                while (r->got < s->of && !r->over && !r->closed)
                        if (!look(r, r->p->patience))
                                return false;
                return true;
        }
        came = ws_peer_next(r->p, &e, s->op == WS_STILL ? MOMENT : SOON * r->p->patience);
        if (s->op == WS_STILL)
                return came == WS_NOTHING ? true : ws_peer_wrong(r->p, "something comes too early");
        if (came == WS_NOTHING) {
                r->late = true;
                return true;
        }
        if (came == WS_EVENT)
                return take(r, &e);
        r->over = came != WS_WRONG;
        r->end = came;
        return r->over;
}

static bool
steps(struct run *r)
{
        for (const struct ws_step *s = r->c->send; s < r->c->send + WS_STEPS && s->op != 0; s++)
                if (!r->over && !r->closed && !step(r, s))
                        return false;
        ws_peer_flush(r->p, r->c->chop > 0 ? (size_t)r->c->chop : 0);
        return true;
}

/* ---- series */

static bool
echo(struct run *r, size_t at, unsigned char *message)
{
        const struct ws_series *s = r->c->series;
        const unsigned char *data = message;
        size_t len = s->size, fragment;
        unsigned op = s->op;
        struct ws_event e;

        for (size_t i = 0; i < len; i++)
                message[i] = s->data[(at + i) % s->data_len];
        /* Nothing needs no compression. */
        if (r->p->deflate.on && len > 0) {
                const struct ws_bytes *packed = ws_peer_squeeze(r->p, message, len);

                data = packed->data;
                len = packed->len;
                op |= WS_RSV1;
        }
        fragment = s->fragment == 0 || s->fragment > len ? len : s->fragment;
        do {
                if (fragment > len)
                        fragment = len;
                ws_peer_frame(r->p, op | (fragment < len ? WS_MORE : 0u), data, fragment);
                data += fragment;
                len -= fragment;
                op = WS_CONT;
        } while (len > 0);
        ws_peer_flush(r->p, r->c->chop > 0 ? (size_t)r->c->chop : 0);
        switch (ws_peer_next(r->p, &e, r->p->patience)) {
        case WS_EVENT:
                if (e.op == s->op && e.len == s->size && (e.len == 0 || memcmp(e.data, message, e.len) == 0))
                        return true;
                if (e.op == WS_CLOSE)
                        return ws_peer_wrong(r->p, "a close with %d: %.*s", e.code, (int)e.len, (const char *)e.data);
                return ws_peer_wrong(r->p, "opcode %u, %zu bytes, comes for %zu bytes", e.op & 15, e.len, s->size);
        case WS_WRONG:
                return false;
        default:
                return ws_peer_wrong(r->p, "no echo comes for %zu bytes", s->size);
        }
}

static bool
series(struct run *r)
{
        const struct ws_series *s = r->c->series;
        unsigned char *message = malloc(s->size + 1);
        char why[sizeof r->p->why];
        bool good = true;
        int i;

        if (message == NULL)
                abort();
        for (i = 0; i < s->count && good; i++)
                good = echo(r, (size_t)i * s->size % s->data_len, message);
        free(message);
        if (good)
                return true;
        memcpy(why, r->p->why, sizeof why);
        return ws_peer_wrong(r->p, "message %d: %.160s", i, why);
}

/* ---- verdicts */

static bool
is_right_code(const struct run *r)
{
        const int *codes = r->c->codes;
        int code = r->code != 0 ? r->code : -1;

        if (codes[0] != 0)
                return code == codes[0] || code == codes[1];
        return code == (r->c->ending == WS_REFUSED || r->c->ending == WS_SAID_WRONG ? 1002 : 1000);
}

static enum ws_result
judge(struct run *r)
{
        const struct ws_case *c = r->c;
        bool clean = (c->ending == WS_CLOSED_HERE || c->ending == WS_SAID_CLOSE) && !c->goes_on;
        bool good;

        if (c->ending == WS_ANYHOW)
                return r->got == r->all ? WS_GOOD : WS_NOT_STRICT;
        if (!r->closed)
                good = ws_peer_wrong(r->p, "the connection ends without a close");
        else if (r->first != (c->ending == WS_REFUSED))
                good = ws_peer_wrong(r->p, "the wrong end has closed, with %d", r->code);
        else if (!is_right_code(r))
                good = ws_peer_wrong(r->p, "a close has code %d", r->code);
        else if (clean && r->end != WS_END)
                good = ws_peer_wrong(r->p, "the connection is cut off after the closes");
        else if (r->got < r->all && !(c->may_lack && r->got == 0))
                good = ws_peer_wrong(r->p, "only %zu of %zu come", r->got, r->all);
        else
                good = true;
        if (!good)
                return WS_BAD;
        return r->late || r->got < r->all ? WS_NOT_STRICT : WS_GOOD;
}

enum ws_result
ws_run(struct ws_peer *p, const struct ws_case *c)
{
        struct run r = {.p = p, .c = c};

        if (c->offers != NULL && !p->deflate.on) {
                ws_peer_wrong(p, "compression was not agreed on");
                return WS_BAD;
        }
        while (r.all < WS_STEPS && c->expect[r.all].op != 0)
                r.all++;
        if (c->series != NULL ? !series(&r) : !steps(&r))
                return WS_BAD;
        while (!r.over) {
                if (c->ending == WS_CLOSED_HERE && r.got == r.all && !p->close_sent && !r.closed)
                        ws_peer_close(p, 1000);
                if (!look(&r, p->patience))
                        return WS_BAD;
        }
        return judge(&r);
}
