/*
 * URLs: see url_priv.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <green/alloc.h>
#include <green/error.h>

#include "http1_fields_priv.h"
#include "url_priv.h"

/* ---- taking one apart */

static int
bad(const char *why)
{
        return green_set_error(-EINVAL, "a URL: %s", why);
}

/* What may stand in a request line: nothing that ends it, or that is no ASCII. */
static bool
is_target(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f ||
                    strchr("\"<>\\^`{|}", text[i]) != NULL)
                        return false;
        return true;
}

static char *
put(char *at, const char *text, size_t len)
{
        memcpy(at, text, len);
        at[len] = '\0';
        return at + len;
}

static char *
put_host(char *at, const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                at[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
        at[len] = '\0';
        return at + len;
}

static char *
put_port(char *at, int32_t port)
{
        char digits[6];
        size_t n = 0;

        *at++ = ':';
        do
                digits[n++] = (char)('0' + port % 10);
        while ((port /= 10) > 0);
        while (n > 0)
                *at++ = digits[--n];
        *at = '\0';
        return at;
}

struct parts {
        const char *user, *host, *target;
        size_t user_len, host_len, target_len;
        int32_t port; /* -1: none */
};

/* The texts, one behind the other. */
static void
put_all(struct green__url *u, const struct parts *p)
{
        const int32_t usual = u->tls ? 443 : 80;
        const bool bracket = p->host[0] == '[';
        char *at = u->text;

        u->port = p->port < 0 ? usual : p->port;
        u->host = at;
        at = put_host(at, p->host, p->host_len);
        if (u->port != usual)
                at = put_port(at, u->port);
        u->name = ++at;
        at = put_host(at, p->host + (bracket ? 1 : 0), p->host_len - (bracket ? 2 : 0)) + 1;
        u->address = at;
        at = put_port(put_host(at, p->host, p->host_len), u->port) + 1;
        u->target = at;
        if (p->target_len == 0 || p->target[0] != '/')
                *at++ = '/';
        at = put(at, p->target, p->target_len) + 1;
        u->user = p->user == NULL ? NULL : at;
        if (p->user != NULL)
                (void)put(at, p->user, p->user_len);
}

/* The scheme's length with "://", 0: it is another one. */
static size_t
scheme_of(const char *url, const char *scheme, bool *ret_tls)
{
        size_t len = strlen(scheme);

        if (strncasecmp(url, scheme, len) != 0)
                return 0;
        *ret_tls = (url[len] | 0x20) == 's';
        len += *ret_tls ? 1 : 0;
        return strncmp(url + len, "://", 3) == 0 ? len + 3 : 0;
}

static int
split(const char *url, const char *scheme, struct green__url *ret, struct parts *p)
{
        size_t begin = scheme_of(url, scheme, &ret->tls), len;
        const char *at;

        if (begin == 0)
                return green_set_error(-EINVAL, "a URL that begins with neither %s:// nor %ss://", scheme, scheme);
        p->host = url + begin;
        len = strcspn(p->host, "/?#");
        p->target = p->host + len;
        p->target_len = strcspn(p->target, "#");
        if (!is_target(p->target, p->target_len))
                return bad("a character that is not allowed in the path or query");
        at = memchr(p->host, '@', len);
        if (at != NULL) {
                p->user = p->host;
                p->user_len = (size_t)(at - p->host);
                if (!is_target(p->user, p->user_len))
                        return bad("a character that is not allowed in user and password");
                p->host = at + 1;
                len -= p->user_len + 1;
                /* An empty one says nothing. */
                if (p->user_len == 0)
                        p->user = NULL;
        }
        if (!green__http1_authority((const uint8_t *)url, (const uint8_t *)p->host, len, &p->host_len, &p->port))
                return bad("no host and port");
        return 0;
}

int
green__url_parse(const char *url, const char *scheme, struct green__url *ret)
{
        struct parts p = {.port = -1};
        int rc = url == NULL ? green_set_error(-EINVAL, "no URL") : split(url, scheme, ret, &p);

        if (rc != 0)
                return rc;
        ret->text = green_malloc(3 * p.host_len + p.target_len + p.user_len + 32);
        if (ret->text == NULL)
                return -ENOMEM;
        put_all(ret, &p);
        return 0;
}

/* ---- references (RFC 3986 5.2) */

struct piece {
        const char *s;
        size_t len;
};

/* A reference by its parts; s is NULL where there is none. */
struct reference {
        struct piece scheme, authority, path, query, fragment;
};

static struct piece
take(const char **at, size_t len)
{
        struct piece p = {*at, len};

        *at += len;
        return p;
}

static size_t
scheme_len(const char *text)
{
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

        return n > 0 && text[n] == ':' && (text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z' ? n : 0;
}

/* By the expression of RFC 3986 B. */
static struct reference
parts_of(const char *at)
{
        struct reference r = {.scheme = {NULL, 0}};
        size_t n = scheme_len(at);

        if (n > 0) {
                r.scheme = take(&at, n);
                at++;
        }
        if (at[0] == '/' && at[1] == '/') {
                at += 2;
                r.authority = take(&at, strcspn(at, "/?#"));
        }
        r.path = take(&at, strcspn(at, "?#"));
        if (*at == '?') {
                at++;
                r.query = take(&at, strcspn(at, "#"));
        }
        if (*at == '#') {
                at++;
                r.fragment = take(&at, strlen(at));
        }
        return r;
}

static char *
append(char *at, const char *before, struct piece p, const char *behind)
{
        if (p.s == NULL)
                return at;
        at = put(at, before, strlen(before));
        at = put(at, p.s, p.len);
        return put(at, behind, strlen(behind));
}

/* RFC 3986 5.2.4, in place, on a path that ends with a NUL; its new end. */
static char *
remove_dots(char *path)
{
        const char *in = path;
        char *out = path;

        while (*in != '\0') {
                size_t n = (*in == '/' ? 1 : 0), end;

                n += strcspn(in + n, "/");
                end = n - (*in == '/' ? 1 : 0);
                if (end == 1 && in[n - 1] == '.') {
                        in += n;
                        if (*in == '\0')
                                *out++ = '/';
                } else if (end == 2 && in[n - 1] == '.' && in[n - 2] == '.') {
                        while (out > path && *--out != '/')
                                ;
                        in += n;
                        if (*in == '\0')
                                *out++ = '/';
                } else {
                        memmove(out, in, n);
                        out += n;
                        in += n;
                }
        }
        *out = '\0';
        return out;
}

static char *
append_path(char *at, const struct reference *base, const struct reference *r)
{
        char *path = at;

        if (r->path.len > 0 && r->path.s[0] != '/') {
                size_t keep = base->path.len;

                while (keep > 0 && base->path.s[keep - 1] != '/')
                        keep--;
                if (keep == 0)
                        *at++ = '/';
                at = put(at, base->path.s, keep);
        }
        (void)put(at, r->path.s, r->path.len);
        return remove_dots(path);
}

int
green__url_resolve(const char *base, const char *reference, char **ret_url)
{
        struct reference b = parts_of(base), r = parts_of(reference);
        char *text = green_malloc(strlen(base) + strlen(reference) + 8), *at = text;

        if (text == NULL)
                return -ENOMEM;
        at = append(at, "", r.scheme.s != NULL ? r.scheme : b.scheme, ":");
        if (r.scheme.s != NULL || r.authority.s != NULL) {
                char *path;

                at = path = append(at, "//", r.authority, "");
                (void)put(path, r.path.s, r.path.len);
                /* "g:h": a path that is no tree stays as it is. */
                at = r.authority.s != NULL || r.path.s[0] == '/' ? remove_dots(path) : path + r.path.len;
        } else {
                at = append(at, "//", b.authority, "");
                if (r.path.len == 0) {
                        at = put(at, b.path.s, b.path.len);
                        if (r.query.s == NULL)
                                r.query = b.query;
                } else {
                        at = append_path(at, &b, &r);
                }
        }
        at = append(at, "?", r.query, "");
        (void)append(at, "#", r.fragment, "");
        *ret_url = text;
        return 0;
}
