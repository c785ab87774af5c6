/*
 * Who the client is, behind proxies: what X-Forwarded-For and X-Forwarded-Proto say counts only where it comes from a
 * proxy that is trusted.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <green/tls.h>

#include "wsgi_priv.h"

/* An address in 16 bytes, IPv4 as ::ffff:a.b.c.d. */
struct address {
        unsigned char bytes[16];
};

struct network {
        struct address address;
        unsigned bits;
};

struct green__proxies {
        size_t count;
        bool unix_too; /* peers of Unix sockets */
        struct network networks[];
};

/* ---- addresses */

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* A numeric address, in brackets or with a port too, as proxies write them. */
static bool
parse_address(const char *text, size_t len, struct address *ret)
{
        char copy[INET6_ADDRSTRLEN + 1];
        const char *end;

        if (len > 1 && text[0] == '[') {
                end = memchr(text, ']', len);
                if (end == NULL)
                        return false;
                text++;
                len = (size_t)(end - text);
        } else if ((end = memchr(text, ':', len)) != NULL && memchr(end + 1, ':', len - (size_t)(end + 1 - text)) == NULL) {
                len = (size_t)(end - text);
        }
        if (len == 0 || len >= sizeof copy)
                return false;
        memcpy(copy, text, len);
        copy[len] = '\0';
        if (inet_pton(AF_INET6, copy, ret->bytes) == 1)
                return true;
        memcpy(ret->bytes, mapped, sizeof mapped);
        return inet_pton(AF_INET, copy, ret->bytes + 12) == 1;
}

static bool
of_peer(const struct green_addr *peer, struct address *ret)
{
        if (peer->data.ss_family == AF_INET6) {
                memcpy(ret->bytes, &((const struct sockaddr_in6 *)&peer->data)->sin6_addr, 16);
                return true;
        }
        if (peer->data.ss_family != AF_INET)
                return false;
        memcpy(ret->bytes, mapped, sizeof mapped);
        memcpy(ret->bytes + 12, &((const struct sockaddr_in *)&peer->data)->sin_addr, 4);
        return true;
}

static bool
is_inside(const struct network *n, const struct address *a)
{
        size_t whole = n->bits / 8;
        unsigned rest = n->bits % 8;

        if (memcmp(n->address.bytes, a->bytes, whole) != 0)
                return false;
        return rest == 0 || ((n->address.bytes[whole] ^ a->bytes[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

static bool
is_trusted(const struct green__proxies *p, const struct address *a)
{
        for (size_t i = 0; i < p->count; i++)
                if (is_inside(&p->networks[i], a))
                        return true;
        return false;
}

static bool
trusts_peer(green_wsgi_request *req)
{
        const struct green__proxies *p = req->session->server->proxies;
        struct green_addr peer;
        struct address a;

        if (p == NULL || green_wsgi_peer(req, &peer) != 0)
                return false;
        return of_peer(&peer, &a) ? is_trusted(p, &a) : p->unix_too;
}

/* ---- the option */

static bool
parse_network(const char *text, struct network *ret)
{
        const char *slash = strchr(text, '/');
        size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
        bool v4 = memchr(text, ':', len) == NULL;
        unsigned bits = 0, most = v4 ? 32 : 128;

        if (!parse_address(text, len, &ret->address))
                return false;
        if (slash != NULL) {
                const char *at = slash + 1;

                if (*at == '\0')
                        return false;
                for (; *at != '\0'; at++) {
                        if (*at < '0' || *at > '9')
                                return false;
                        bits = bits * 10 + (unsigned)(*at - '0');
                        if (bits > most)
                                return false;
                }
                most = bits;
        }
        ret->bits = v4 ? most + 96 : most;
        return true;
}

int
green__proxies_take(struct green__server *server)
{
        const char *const *texts = server->opts.trusted_proxies;
        struct green__proxies *p;
        size_t count = 0;

        if (texts == NULL)
                return 0;
        while (texts[count] != NULL)
                count++;
        p = green_calloc(1, sizeof(*p) + count * sizeof(p->networks[0]));
        if (p == NULL)
                return -ENOMEM;
        server->proxies = p;
        for (; *texts != NULL; texts++) {
                if (strcmp(*texts, "unix") == 0)
                        p->unix_too = true;
                else if (parse_network(*texts, &p->networks[p->count]))
                        p->count++;
                else
                        return green_set_error(-EINVAL, "trusted_proxies: \"%.60s\" is no address or network", *texts);
        }
        return 0;
}

void
green__proxies_release(struct green__server *server)
{
        green_free(server->proxies);
}

/* ---- what is asked */

static const char *
address_text(green_wsgi_request *req, const struct address *a)
{
        char text[INET6_ADDRSTRLEN];
        bool v4 = memcmp(a->bytes, mapped, sizeof mapped) == 0;
        const char *copy;

        (void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->bytes + 12 : a->bytes, text, sizeof text);
        copy = green__arena_copy(&req->session->arena, text, strlen(text));
        return copy == NULL ? "" : copy;
}

static const char *
peer_text(green_wsgi_request *req)
{
        struct green_addr peer;
        struct address a;

        if (green_wsgi_peer(req, &peer) != 0)
                return "";
        return of_peer(&peer, &a) ? address_text(req, &a) : "unix";
}

/* The values of all fields of a name, joined by commas; NULL: there is none, or no memory. name is in lower case. */
static const char *
forwarded(green_wsgi_request *req, const char *name)
{
        const struct green__http1_lines *lines = &req->head.lines;
        size_t len = 0;
        char *text, *at;
        int i;

        if (req->head.result != GREEN__HTTP1_DONE)
                return NULL;
        for (i = -1; (i = green__http1_find(lines, req->base, name, (unsigned)(i + 1))) >= 0;)
                len += req->fields[i].value_len + 1u;
        if (len == 0)
                return NULL;
        text = at = green__arena_alloc(&req->session->arena, len);
        if (text == NULL)
                return NULL;
        for (i = -1; (i = green__http1_find(lines, req->base, name, (unsigned)(i + 1))) >= 0;) {
                memcpy(at, req->base + req->fields[i].value, req->fields[i].value_len);
                at += req->fields[i].value_len;
                *at++ = ',';
        }
        at[-1] = '\0';
        return text;
}

static bool
is_space(char c)
{
        return c == ' ' || c == '\t';
}

/* Take the address that stands last in a list off its end. False: there is none, or it is no address. */
static bool
take_last(const char *list, size_t *len, struct address *ret)
{
        size_t end = *len, begin;

        while (end > 0 && is_space(list[end - 1]))
                end--;
        begin = end;
        while (begin > 0 && list[begin - 1] != ',')
                begin--;
        *len = begin > 0 ? begin - 1 : 0;
        while (begin < end && is_space(list[begin]))
                begin++;
        return parse_address(list + begin, end - begin, ret);
}

static const char *
find_client(green_wsgi_request *req)
{
        const char *list = trusts_peer(req) ? forwarded(req, "x-forwarded-for") : NULL;
        size_t len = list == NULL ? 0 : strlen(list);
        bool found = false;
        struct address a, good;

        /* From the nearest proxy outwards: who is not trusted is the client, whatever it says of others. */
        while (len > 0 && take_last(list, &len, &a)) {
                good = a;
                found = true;
                if (!is_trusted(req->session->server->proxies, &a))
                        break;
        }
        return found ? address_text(req, &good) : peer_text(req);
}

const char *
green_wsgi_client(green_wsgi_request *req)
{
        if (req->client == NULL)
                req->client = find_client(req);
        return req->client;
}

const char *
green_wsgi_scheme(green_wsgi_request *req)
{
        const char *proto;

        if (green_socket_is_tls(req->session->conn->socket))
                return "https";
        proto = trusts_peer(req) ? forwarded(req, "x-forwarded-proto") : NULL;
        return proto != NULL && strcasecmp(proto, "https") == 0 ? "https" : "http";
}

const char *
green__proxy_logged(green_wsgi_request *req)
{
        const struct green_wsgi_server_opts *opts = &req->session->server->opts;
        const char *peer = peer_text(req), *list = NULL;
        char *text, *at;

        if (!opts->no_log_x_forwarded_for && (opts->trusted_proxies == NULL || trusts_peer(req)))
                list = forwarded(req, "x-forwarded-for");
        if (list == NULL)
                return peer;
        text = at = green__arena_alloc(&req->session->arena, strlen(list) + strlen(peer) + 2);
        if (text == NULL)
                return peer;
        for (; *list != '\0'; list++)
                if (!is_space(*list))
                        *at++ = *list;
        *at++ = ',';
        memcpy(at, peer, strlen(peer) + 1);
        return text;
}
