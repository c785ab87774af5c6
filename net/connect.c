/*
 * Connect: to an address, to the first that answers of several, to a name. See <green/convenience.h>.
 *
 * The race is RFC 8305's: an attempt is begun, the next one a quarter of a second later or as soon as one has failed,
 * and the first that is connected wins. It is one green thread that waits for all of them.
 */
#include "socket_priv.h"

#include <stdio.h>
#include <string.h>

#include <green/alloc.h>
#include <green/convenience.h>
#include <green/dns.h>
#include <green/timeout.h>

#include "addr_priv.h"

/* Attempts that run at the same time; their wait nodes are on the stack. */
#define ATTEMPTS 16
#define STAGGER 0.25

struct attempt {
        green_fd fd;
        size_t which; /* address */
};

struct race {
        const struct green_connect_opts *opts;
        const struct green_addr *addrs;
        size_t n;
        size_t next[2];   /* where to look for the next address of the first one's family, and of the others */
        unsigned turn;    /* whose turn it is */
        int64_t deadline; /* nanoseconds; INT64_MAX: none */
        int64_t next_at;  /* when the next attempt is due */
        struct attempt live[ATTEMPTS];
        size_t n_live;
        green_fd winner;
        int code; /* of the first that failed */
        size_t failed;
        char why[400]; /* all of them, with their reasons */
        size_t why_len;
};

/* Nanoseconds of a time limit; INT64_MAX for those that never come. */
static int64_t
after(int64_t now, double seconds)
{
        return seconds < 1e9 ? now + (int64_t)(seconds * 1e9) : INT64_MAX;
}

static void
note_failure(struct race *r, size_t which, int code)
{
        char text[GREEN_ADDR_TEXT_SIZE];
        int n;

        if (r->failed++ == 0)
                r->code = code;
        green_addr_format(&r->addrs[which], text, sizeof text);
        n = snprintf(r->why + r->why_len, sizeof r->why - r->why_len, "%s%s: %s", r->why_len > 0 ? "; " : "", text,
                     green_strerror(code));
        if (n > 0)
                r->why_len += (size_t)n < sizeof r->why - r->why_len ? (size_t)n : sizeof r->why - r->why_len - 1;
}

/* ---- which address comes next */

/* The next address of a kind: 0 the first one's family, 1 the others. n: there is none. */
static size_t
find_next(const struct race *r, unsigned kind)
{
        int family = green_addr_family(&r->addrs[0]);
        size_t i = r->next[kind];

        while (i < r->n && (green_addr_family(&r->addrs[i]) != family) != (kind == 1))
                i++;
        return i;
}

static bool
has_next(const struct race *r)
{
        return find_next(r, 0) < r->n || find_next(r, 1) < r->n;
}

/* Families take turns, as RFC 8305 has it: a way that is broken costs one attempt, not all of its addresses. */
static bool
take_next(struct race *r, size_t *ret_which)
{
        unsigned kind = r->turn;

        if (!has_next(r))
                return false;
        if (find_next(r, kind) == r->n)
                kind = !kind;
        r->turn = !kind;
        *ret_which = find_next(r, kind);
        r->next[kind] = *ret_which + 1;
        return true;
}

/* ---- one attempt */

static void
drop(green_fd fd)
{
        green_notify_close(fd);
        green__sys_close(fd);
}

static int
bind_to(green_fd fd, const char *text, int family)
{
        struct green_addr local;
        int rc = green_addr_parse(text, &local);

        if (rc != 0)
                return rc;
        if (green_addr_family(&local) != family)
                return green_set_error(-EAFNOSUPPORT, "\"%.200s\" is of another address family than the peer", text);
        rc = green__sys_bind(fd, &local);
        return rc == 0 ? 0 : green_set_error(rc, "bind %.200s: %s", text, green_strerror(rc));
}

/* May it be connected to? 0, or a code. */
static int
check_address(const struct green_connect_opts *opts, const struct green_addr *addr)
{
        int rc;

        if (opts->family != AF_UNSPEC && green_addr_family(addr) != opts->family)
                return green_set_error(-EAFNOSUPPORT, "the address is not of the family asked for");
        rc = opts->filter != NULL ? opts->filter(addr, opts->filter_arg) : 0;
        return rc == 0 ? 0 : green_set_error(rc < 0 ? rc : -EACCES, "the filter refused the address");
}

/* A descriptor that only needs to be connected. Where it fails, green_last_error() says why. */
static int
prepare(const struct green_connect_opts *opts, const struct green_addr *addr, green_fd *ret_fd)
{
        int family = green_addr_family(addr), rc = check_address(opts, addr);

        if (rc != 0)
                return rc;
        rc = green__sys_socket(family, SOCK_STREAM, 0, ret_fd);
        if (rc != 0)
                return green_set_error(rc, "socket: %s", green_strerror(rc));
        green_notify_opened(*ret_fd);
        if (family != AF_UNIX && !opts->nagle)
                (void)green__sys_no_delay(*ret_fd);
        rc = opts->bind != NULL ? bind_to(*ret_fd, opts->bind, family) : 0;
        if (rc != 0)
                green__sys_close(*ret_fd);
        return rc;
}

/* Begin an attempt: 0 it is under way or has won, or the code it failed with at once. */
static int
begin(struct race *r, size_t which)
{
        green_fd fd = GREEN_INVALID_FD;
        int rc = prepare(r->opts, &r->addrs[which], &fd);

        if (rc != 0)
                return rc;
        rc = green__sys_connect(fd, &r->addrs[which]);
        if (rc == 0) {
                r->winner = fd;
                return 0;
        }
        if (rc != -EINPROGRESS) {
                green__sys_close(fd);
                return rc;
        }
        r->live[r->n_live++] = (struct attempt){.fd = fd, .which = which};
        return 0;
}

static void
begin_next(struct race *r)
{
        size_t which;

        while (r->winner == GREEN_INVALID_FD && take_next(r, &which)) {
                int rc = begin(r, which);

                if (rc == 0)
                        break;
                note_failure(r, which, rc);
        }
        r->next_at = after(green__sys_now(), r->opts->stagger > 0 ? r->opts->stagger : STAGGER);
}

/* An attempt may have ended: has it won, or failed? Then the next one begins. */
static void
look_at(struct race *r, size_t i)
{
        struct attempt a = r->live[i];
        int rc = green__sys_error(a.fd);

        if (rc == 0 || rc == -EISCONN)
                rc = green__sys_connected(a.fd);
        if (rc == 0)
                return;
        r->live[i] = r->live[--r->n_live];
        if (rc > 0) {
                r->winner = a.fd;
                return;
        }
        drop(a.fd);
        note_failure(r, a.which, rc);
        begin_next(r);
}

/* ---- all of them */

static double
seconds_until(int64_t when)
{
        int64_t left;

        if (when == INT64_MAX)
                return GREEN_FOREVER;
        left = when - green__sys_now();
        /* 0 would be a poll. */
        return left > 0 ? (double)left / 1e9 : 1e-9;
}

/* Wait until one may have ended, the next is due, or the time is over. */
static int
wait_for_one(struct race *r)
{
        struct green_wait waits[ATTEMPTS];
        bool more = r->n_live < ATTEMPTS && has_next(r);
        int64_t until = more && r->next_at < r->deadline ? r->next_at : r->deadline;
        size_t which = 0;
        int rc;

        for (size_t i = 0; i < r->n_live; i++) {
                waits[i] = (struct green_wait){0};
                rc = green_wait_fd(&waits[i], r->live[i].fd, GREEN_WRITE);
                if (rc < 0) {
                        int ended = green_park_any(waits, i, 0, NULL); /* what was begun */

                        (void)ended;
                        return rc;
                }
        }
        rc = green_park_any(waits, r->n_live, seconds_until(until), &which);
        if (rc == 0) {
                look_at(r, which);
                return 0;
        }
        if (rc != -ETIMEDOUT)
                return rc;
        if (r->deadline != INT64_MAX && green__sys_now() >= r->deadline)
                return -ETIMEDOUT;
        if (more && green__sys_now() >= r->next_at)
                begin_next(r);
        return 0;
}

static int
run(struct race *r)
{
        int rc = 0;

        begin_next(r);
        while (rc == 0 && r->winner == GREEN_INVALID_FD) {
                if (r->n_live == 0 && !has_next(r))
                        return r->code;
                rc = wait_for_one(r);
        }
        return r->winner != GREEN_INVALID_FD ? 0 : rc;
}

static green_socket *
make_socket(green_fd fd, const struct green_addr *addr)
{
        green_socket *s = green__socket_wrap(fd, 0);

        if (s == NULL) {
                int error = errno;

                drop(fd);
                errno = error;
                return NULL;
        }
        s->tcp = s->whole = green_addr_family(addr) != AF_UNIX;
        return s;
}

static green_socket *
race(const struct green_addr *addrs, size_t n, const struct green_connect_opts *opts, int64_t deadline,
     const char *name)
{
        struct race r = {.opts = opts,
                         .addrs = addrs,
                         .n = n,
                         .deadline = deadline,
                         .winner = GREEN_INVALID_FD,
                         .code = -EINVAL};
        int rc = green_checkpoint();

        if (rc == 0)
                rc = run(&r);
        for (size_t i = 0; i < r.n_live; i++)
                drop(r.live[i].fd);
        if (rc == 0)
                return make_socket(r.winner, &addrs[0]);
        if (rc == r.code && r.failed > 0)
                green_set_error(rc, "connect to %.200s: %s", name, r.why);
        else
                green_set_error(rc, "connect to %.200s: %s%s%s", name, green_strerror(rc), r.failed > 0 ? "; " : "",
                                r.why);
        return NULL;
}

static bool
take_opts(struct green_connect_opts *o, const struct green_connect_opts *opts)
{
        if (green_opts_take(o, sizeof *o, opts) == 0 && o->timeout >= 0 && o->stagger >= 0)
                return true;
        green_set_error(-EINVAL, "connect: bad options");
        return false;
}

static int64_t
deadline_of(const struct green_connect_opts *o)
{
        return o->timeout > 0 ? after(green__sys_now(), o->timeout) : INT64_MAX;
}

green_socket *
green_connect_any(const struct green_addr *addrs, size_t n, const struct green_connect_opts *opts)
{
        struct green_connect_opts o;
        char name[GREEN_ADDR_TEXT_SIZE + 32];
        char text[GREEN_ADDR_TEXT_SIZE];

        if (!take_opts(&o, opts))
                return NULL;
        if (addrs == NULL || n == 0) {
                green_set_error(-EINVAL, "connect: no address was given");
                return NULL;
        }
        green_addr_format(&addrs[0], text, sizeof text);
        snprintf(name, sizeof name, n > 1 ? "%s and others" : "%s", text);
        return race(addrs, n, &o, deadline_of(&o), name);
}

/* Look a name up, within the time there is for all of it. */
static int
look_up(const char *host, int port, const struct green_connect_opts *o, int64_t deadline, struct green_addr **ret_addrs,
        size_t *ret_n)
{
        struct green_timeout t = {{0}};
        int rc = deadline == INT64_MAX ? 0 : green_timeout_start(&t, seconds_until(deadline));

        if (rc != 0)
                return rc;
        rc = green_dns_resolve(host, port, o->family, ret_addrs, ret_n);
        /* What was found is not lost for a limit that fell at the same time: the race sees that it is over. */
        if (deadline != INT64_MAX && green_timeout_cancel(&t) == 1 && rc != 0)
                rc = -ETIMEDOUT;
        return rc;
}

static green_socket *
connect_to_name(const char *address, const char *host, int port, const struct green_connect_opts *o)
{
        int64_t deadline = deadline_of(o);
        struct green_addr *addrs = NULL;
        green_socket *s;
        size_t n = 0;
        int rc = look_up(host, port, o, deadline, &addrs, &n);

        if (rc != 0) {
                green_set_error(rc, "connect to %.200s: %s", address, green_strerror(rc));
                return NULL;
        }
        s = race(addrs, n, o, deadline, address);
        green_free(addrs);
        return s;
}

/* One address: as green_socket_connect(), which knows how to wait for a full Unix listener. */
static green_socket *
connect_to_address(const char *address, const struct green_addr *addr, const struct green_connect_opts *o)
{
        green_fd fd = GREEN_INVALID_FD;
        int rc = prepare(o, addr, &fd);
        green_socket *s = rc == 0 ? make_socket(fd, addr) : NULL;

        if (s == NULL)
                return NULL;
        if (o->timeout > 0)
                s->timeout = o->timeout;
        rc = green_socket_connect(s, addr);
        if (rc != 0) {
                green_set_error(rc, "connect to %.200s: %s", address, green_strerror(rc));
                green_socket_free(s);
                errno = -rc;
                return NULL;
        }
        s->timeout = GREEN_FOREVER;
        return s;
}

green_socket *
green_connect(const char *address, const struct green_connect_opts *opts)
{
        struct green_connect_opts o;
        struct green_addr addr;
        char host[GREEN__HOST_SIZE];
        int port;

        if (!take_opts(&o, opts))
                return NULL;
        if (green__addr_is_name(address, host, &port))
                return connect_to_name(address, host, port, &o);
        if (green_addr_parse(address, &addr) != 0)
                return NULL;
        return connect_to_address(address, &addr, &o);
}
