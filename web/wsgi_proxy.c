/*
 * Who the client is, behind proxies: what X-Forwarded-For and X-Forwarded-Proto say counts only where it comes from a
 * proxy that is trusted.
 */
#include <string.h>
#include <strings.h>

#include <green/tls.h>

#include "inet.h"
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

static bool
is_v4(const unsigned char ip[16])
{
        return memcmp(ip, mapped, sizeof mapped) == 0;
}

/* A numeric address, and nothing else. */
static bool
parse_address(const char *text, size_t len, struct address *ret)
{
        char copy[INET6_ADDRSTRLEN + 1];

        if (len >= sizeof copy)
                return false;
        memcpy(copy, text, len);
        copy[len] = '\0';
        if (inet_pton(AF_INET6, copy, ret->bytes) == 1)
                return true;
        memcpy(ret->bytes, mapped, sizeof mapped);
        return inet_pton(AF_INET, copy, ret->bytes + 12) == 1;
}

/* ":80", or nothing */
static bool
is_port(const char *text, size_t len)
{
        if (len > 0 && (text[0] != ':' || len == 1 || len > 6))
                return false;
        for (size_t i = 1; i < len; i++)
                if (text[i] < '0' || text[i] > '9')
                        return false;
        return true;
}

/* An address as proxies write it: in brackets or with a port too. */
static bool
parse_hop(const char *text, size_t len, struct address *ret)
{
        const char *colon = memchr(text, ':', len), *end = text + len;

        if (len > 0 && text[0] == '[') {
                const char *stop = memchr(text, ']', len);

                return stop != NULL && colon != NULL && colon < stop && is_port(stop + 1, (size_t)(end - (stop + 1))) &&
                       parse_address(text + 1, (size_t)(stop - (text + 1)), ret);
        }
        /* More than one: an IPv6 address. */
        if (colon == NULL || memchr(colon + 1, ':', (size_t)(end - (colon + 1))) != NULL)
                colon = end;
        return is_port(colon, (size_t)(end - colon)) && parse_address(text, (size_t)(colon - text), ret);
}

struct green__peer
green__peer_of(const struct green_addr *addr)
{
        struct green__peer peer = {.family = 0};
        struct sockaddr_in6 v6;
        struct sockaddr_in v4;

        switch (addr->size == 0 ? AF_UNSPEC : addr->data.ss_family) {
        case AF_INET6:
                memcpy(&v6, &addr->data, sizeof v6);
                memcpy(peer.ip, &v6.sin6_addr, 16);
                peer.port = ntohs(v6.sin6_port);
                peer.family = AF_INET6;
                break;
        case AF_INET:
                memcpy(&v4, &addr->data, sizeof v4);
                memcpy(peer.ip, mapped, sizeof mapped);
                memcpy(peer.ip + 12, &v4.sin_addr, 4);
                peer.port = ntohs(v4.sin_port);
                peer.family = AF_INET;
                break;
        case AF_UNIX: peer.family = AF_UNIX; break;
        default: break;
        }
        return peer;
}

static bool
is_inside(const struct network *n, const struct address *a)
{
        size_t whole = n->bits / 8;
        unsigned rest = n->bits % 8;

        /* IPv4 is in no network of IPv6, though its addresses are written as such here: "::/0" is not everybody. */
        if (n->bits < 96 && is_v4(a->bytes))
                return false;
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

struct green_addr
green__peer_addr(const struct green__peer *peer)
{
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(peer->port)};
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
        struct green_addr addr = {.size = 0};

        memcpy(&v6.sin6_addr, peer->ip, 16);
        memcpy(&v4.sin_addr, peer->ip + 12, 4);
        if (peer->family == AF_INET)
                (void)green_addr_from_sockaddr((const struct sockaddr *)&v4, sizeof v4, &addr);
        else if (peer->family == AF_INET6)
                (void)green_addr_from_sockaddr((const struct sockaddr *)&v6, sizeof v6, &addr);
        else if (peer->family != 0)
                addr = (struct green_addr){.size = sizeof addr.data.ss_family, .data.ss_family = peer->family};
        return addr;
}

bool
green__proxies_trust(const struct green__server *server, const struct green__peer *peer)
{
        const struct green__proxies *p = server->proxies;
        struct address a;

        if (p == NULL)
                return false;
        if (!green__has_port(peer))
                return peer->family == AF_UNIX && p->unix_too;
        memcpy(a.bytes, peer->ip, sizeof a.bytes);
        return is_trusted(p, &a);
}

static bool
trusts_peer(const green_wsgi_request *req)
{
        return green__proxies_trust(req->session->server, &req->session->conn->peer);
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

/* Of four numbers, in less time than inet_ntop() needs: the access log asks at each request. */
static void
put_v4(char *at, const unsigned char *ip)
{
        for (int i = 0; i < 4; i++) {
                unsigned n = ip[i];

                if (n >= 100)
                        *at++ = (char)('0' + n / 100);
                if (n >= 10)
                        *at++ = (char)('0' + n / 10 % 10);
                *at++ = (char)('0' + n % 10);
                *at++ = i < 3 ? '.' : '\0';
        }
}

static void
put_address(const unsigned char ip[16], char text[GREEN__IP_SIZE])
{
        if (is_v4(ip))
                put_v4(text, ip + 12);
        else
                (void)inet_ntop(AF_INET6, ip, text, GREEN__IP_SIZE);
}

const char *
green__peer_text(const struct green__peer *peer, char text[GREEN__IP_SIZE])
{
        text[0] = '\0';
        if (green__has_port(peer))
                put_address(peer->ip, text);
        else if (peer->family == AF_UNIX)
                memcpy(text, "unix", sizeof "unix");
        return text;
}

/* A copy in the request's memory; "" where there is none. */
static const char *
keep(green_wsgi_request *req, const char *text)
{
        const char *copy = green__arena_copy(&req->session->arena, text, strlen(text));

        return copy == NULL ? "" : copy;
}

/*
 * What fields of a name say, joined by commas: a variable of the environ, whatever the application has set it to. NULL
 * where there is none. 0, or -ENOMEM.
 */
static int
forwarded(green_wsgi_request *req, const char *variable, const char **ret_list)
{
        bool made;

        *ret_list = req->head.result == GREEN__HTTP1_DONE ? green__variable(req, variable, &made) : NULL;
        return *ret_list == NULL && req->head.result == GREEN__HTTP1_DONE && errno == ENOMEM ? -ENOMEM : 0;
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
        return parse_hop(list + begin, end - begin, ret);
}

static const char *
find_client(green_wsgi_request *req)
{
        char text[GREEN__IP_SIZE];
        const char *list = NULL;
        struct address a;
        size_t len;

        green__peer_text(&req->session->conn->peer, text);
        /* Without memory nobody is the client: it is not to be taken for the proxy. */
        if (trusts_peer(req) && forwarded(req, "HTTP_X_FORWARDED_FOR", &list) != 0)
                return "";
        len = list == NULL ? 0 : strlen(list);
        /* From the nearest proxy outwards: who is not trusted is the client, whatever it says of others. */
        while (len > 0 && take_last(list, &len, &a)) {
                put_address(a.bytes, text);
                if (!is_trusted(req->session->server->proxies, &a))
                        break;
        }
        return keep(req, text);
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
        const char *proto = NULL;

        if (green_socket_is_tls(req->session->conn->socket) || req->session->conn->proxied_tls)
                return "https";
        if (trusts_peer(req))
                (void)forwarded(req, "HTTP_X_FORWARDED_PROTO", &proto);
        return proto != NULL && strcasecmp(proto, "https") == 0 ? "https" : "http";
}

const char *
green__proxy_logged(green_wsgi_request *req)
{
        const struct green_wsgi_server_opts *opts = &req->session->server->opts;
        const char *list = NULL;
        char peer[GREEN__IP_SIZE], *text, *at;

        green__peer_text(&req->session->conn->peer, peer);
        if (!opts->no_log_x_forwarded_for && (opts->trusted_proxies == NULL || trusts_peer(req)))
                (void)forwarded(req, "HTTP_X_FORWARDED_FOR", &list);
        if (list == NULL)
                return keep(req, peer);
        text = at = green__arena_alloc(&req->session->arena, strlen(list) + strlen(peer) + 2);
        if (text == NULL)
                return keep(req, peer);
        for (; *list != '\0'; list++)
                if (!is_space(*list))
                        *at++ = *list;
        *at++ = ',';
        memcpy(at, peer, strlen(peer) + 1);
        return text;
}
