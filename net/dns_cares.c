/*
 * Asking name servers, by c-ares: see "Names" in doc/design.md.
 *
 * c-ares is used for what it does well: writing questions, sending them again, changing servers, TCP, matching answers.
 * It reads no files here, has no cache and no search list. Its sockets are made here, so that they are closed on exec
 * and known to the hub. Each has a watch; another is for the time. Nothing calls into c-ares from one of its callbacks:
 * what they change is put into effect by settle(), when its last function has returned.
 */
#include "dns_priv.h"

#include <ares.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/time.h>

#include <green/hubs.h>
#include <green/watch.h>

#include "check.h"
#include "inet.h"
#include "sock_sys.h"

/* Bytes of an answer by UDP that get through everywhere. */
enum { UDP_SIZE = 1232 };

/* c-ares counts milliseconds: a timer that is early by less has come in vain. */
#define LATER 0.001

struct sock {
        struct green_watch watch;
        struct sock *next;
        struct green__wire *wire;
        green_fd fd;
        unsigned want, armed; /* GREEN_READ, GREEN_WRITE: what c-ares waits for, what is watched */
        bool udp;
};

struct green__wire {
        ares_channel channel;
        struct green__dns *dns;
        struct sock *socks;
        struct green_watch timer;
        int64_t timer_at; /* nanoseconds, where it is started */
        size_t running;   /* queries */
        unsigned depth;   /* functions of c-ares on the stack */
        unsigned forks;   /* green__sys_forks when it was made: in the child of a fork the sockets are the parent's */
        int sock_error;   /* why no socket could be made; 0: the last could */
        int broken;       /* why what is wanted cannot be waited for: everything that runs ends with it */
        bool hub_gone;    /* there are no watches any more */
};

static char version[48];

static void
init_library(void)
{
        if (ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS)
                snprintf(version, sizeof version, "c-ares %.32s", ares_version(NULL));
}

const char *
green__wire_version(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, init_library);
        return version[0] != '\0' ? version : NULL;
}

/* ---- going in and out */

static void
enter(struct green__wire *w)
{
        w->depth++;
        w->dns->pins++;
}

static void
arm_timer(struct green__wire *w, double seconds)
{
        int rc;

        (void)green_watch_stop(&w->timer);
        w->timer_at = green__sys_now() + (int64_t)(seconds * 1e9);
        rc = green_watch_start(&w->timer, GREEN_INVALID_FD, 0, seconds + LATER);
        if (rc != 0)
                w->broken = rc;
}

/* Watch what c-ares wants to be watched. */
static void
watch(struct green__wire *w)
{
        for (struct sock *s = w->socks; s != NULL; s = s->next) {
                int rc = 0;

                if (green_watch_active(&s->watch)) {
                        if (s->armed == s->want)
                                continue;
                        (void)green_watch_stop(&s->watch);
                }
                s->armed = s->want;
                if (s->want != 0)
                        rc = green_watch_start(&s->watch, s->fd, s->want, GREEN_FOREVER);
                if (rc != 0)
                        w->broken = rc;
        }
}

static void
settle(struct green__wire *w)
{
        watch(w);
        if (w->broken != 0 && w->running > 0)
                ares_cancel(w->channel); /* it closes the sockets, too */
        w->broken = 0;
        if (w->running == 0)
                (void)green_watch_stop(&w->timer);
}

/* Afterwards the resolver may be gone. */
static void
leave(struct green__wire *w)
{
        if (w->depth == 1)
                settle(w);
        w->depth--;
        green__dns_leave(w->dns);
}

/* ---- watches */

static void
on_ready(struct green_watch *watch, int result, void *arg)
{
        struct sock *s = arg;
        struct green__wire *w = s->wire;
        bool all = result < 0; /* it was closed by somebody else: let c-ares find out */
        ares_socket_t fd = s->fd;

        (void)watch;
        if (w->forks != green__sys_forks)
                return;
        enter(w);
        ares_process_fd(w->channel, all || (result & GREEN_READ) ? fd : ARES_SOCKET_BAD,
                        all || (result & GREEN_WRITE) ? fd : ARES_SOCKET_BAD);
        leave(w);
}

static void
on_time(struct green_watch *watch, int result, void *arg)
{
        struct green__wire *w = arg;
        struct timeval tv;

        (void)watch;
        (void)result;
        if (w->forks != green__sys_forks)
                return;
        enter(w);
        ares_process_fd(w->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        if (ares_timeout(w->channel, NULL, &tv) != NULL)
                arm_timer(w, (double)tv.tv_sec + (double)tv.tv_usec / 1e6);
        leave(w);
}

/* ---- sockets, as c-ares calls for them: -1 with an error where it looks for one */

static struct sock *
find_sock(const struct green__wire *w, green_fd fd)
{
        struct sock *s = w->socks;

        while (s != NULL && s->fd != fd)
                s = s->next;
        return s;
}

static int
fail(int rc)
{
        green__dns_socket_error(rc);
        return -1;
}

static ares_socket_t
sock_open(int family, int type, int protocol, void *arg)
{
        struct green__wire *w = arg;
        struct sock *s = green_calloc(1, sizeof *s);
        int rc = s == NULL ? -ENOMEM : green__sys_socket(family, type, protocol, &s->fd);

        w->sock_error = rc;
        if (s == NULL)
                return fail(rc);
        if (rc != 0) {
                green_free(s);
                return fail(rc);
        }
        green_notify_opened(s->fd);
        if (type == SOCK_STREAM)
                (void)green__sys_no_delay(s->fd);
        green_watch_init(&s->watch, on_ready, s);
        s->wire = w;
        s->udp = type == SOCK_DGRAM;
        s->next = w->socks;
        w->socks = s;
        return s->fd;
}

static int
sock_close(ares_socket_t fd, void *arg)
{
        struct green__wire *w = arg;
        struct sock **at = &w->socks, *s;

        while (*at != NULL && (*at)->fd != fd)
                at = &(*at)->next;
        s = *at;
        if (s == NULL)
                return fail(-EBADF);
        *at = s->next;
        if (!w->hub_gone) {
                (void)green_watch_stop(&s->watch);
                green_notify_close(fd);
        }
        (void)green__sys_close(fd);
        green_free(s);
        return 0;
}

/* c-ares knows no scopes: a server with one gets it back here. */
static void
add_scope(const struct green__wire *w, struct green_addr *addr)
{
        const struct green__dns_conf *conf = &w->dns->conf;
        struct sockaddr_in6 sin6, server;

        if (green_addr_family(addr) != AF_INET6)
                return;
        memcpy(&sin6, &addr->data, sizeof sin6);
        for (size_t i = 0; i < conf->nservers; i++) {
                memcpy(&server, &conf->servers[i].data, sizeof server);
                if (server.sin6_family == AF_INET6 && server.sin6_port == sin6.sin6_port &&
                    memcmp(&server.sin6_addr, &sin6.sin6_addr, sizeof sin6.sin6_addr) == 0)
                        *addr = conf->servers[i];
        }
}

static int
sock_connect(ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t size, void *arg)
{
        struct green_addr addr;
        int rc = green_addr_from_sockaddr(sa, size, &addr);

        if (rc == 0) {
                add_scope(arg, &addr);
                rc = green__sys_connect(fd, &addr);
        }
        return rc == 0 ? 0 : fail(rc);
}

/* c-ares ends with "connection refused" where servers have refused the question: note that it was not the network. */
static void
note_refusal(const struct green__wire *w, const void *message, size_t len)
{
        char name[GREEN__WIRE_NAME_SIZE];
        struct green__dns_entry *entry;
        int type;

        if (!green__dns_parse_refusal(message, len, name, &type))
                return;
        entry = green__dns_running(w->dns, name, type);
        if (entry != NULL)
                entry->refused = true;
}

static ares_ssize_t
sock_recvfrom(ares_socket_t fd, void *buf, size_t len, int flags, struct sockaddr *from, ares_socklen_t *from_size,
              void *arg)
{
        struct green__wire *w = arg;
        const struct sock *s = find_sock(w, fd);
        struct green_addr addr;
        ssize_t n;

        if (s == NULL)
                return fail(-EBADF);
        do
                n = green__sys_recvfrom(fd, buf, len, flags, &addr);
        while (n == 0 && s->udp); /* an empty datagram is nothing, and no end either */
        if (n < 0)
                return fail((int)n);
        if (from != NULL && from_size != NULL && *from_size >= addr.size) {
                memcpy(from, &addr.data, addr.size);
                *from_size = addr.size;
        }
        note_refusal(w, buf, (size_t)n);
        return n;
}

static ares_ssize_t
sock_sendv(ares_socket_t fd, const struct iovec *iov, int n, void *arg)
{
        const struct green_iovec *own = (const struct green_iovec *)(const void *)iov;
        const struct sock *s = find_sock(arg, fd);
        ssize_t sent = green__sys_sendv(fd, own, (size_t)n, 0);

        /*
         * That nobody is there is told at the next call, which may be this one, for a datagram sent before: who sent
         * that would wait in vain. Sent again, this one gets its own answer, and ends them all.
         */
        if (sent == -ECONNREFUSED && s != NULL && s->udp)
                sent = green__sys_sendv(fd, own, (size_t)n, 0);
        return sent < 0 ? fail((int)sent) : sent;
}

static void
sock_state(void *arg, ares_socket_t fd, int readable, int writable)
{
        struct sock *s = find_sock(arg, fd);

        if (s != NULL)
                s->want = (readable ? GREEN_READ : 0u) | (writable ? GREEN_WRITE : 0u);
}

static const struct ares_socket_functions socket_functions = {
        .asocket = sock_open,
        .aclose = sock_close,
        .aconnect = sock_connect,
        .arecvfrom = sock_recvfrom,
        .asendv = sock_sendv,
};

/* ---- the channel */

static int
code_of(int status)
{
        switch (status) {
        case ARES_SUCCESS:
                return 0;
        case ARES_ENOMEM:
                return -ENOMEM;
        case ARES_ETIMEOUT:
        case ARES_ECONNREFUSED:
        case ARES_ECANCELLED:
        case ARES_EDESTRUCTION:
                return GREEN_EAI_AGAIN;
        case ARES_ENODATA:
                return GREEN_EAI_NODATA;
        case ARES_ENOTFOUND:
        case ARES_EBADNAME:
                return GREEN_EAI_NONAME;
        default:
                return GREEN_EAI_FAIL;
        }
}

/* With its ports, which the options of c-ares have no place for. */
static int
set_servers(ares_channel channel, const struct green__dns_conf *conf)
{
        struct ares_addr_port_node nodes[GREEN__DNS_SERVERS];

        memset(nodes, 0, sizeof nodes);
        for (size_t i = 0; i < conf->nservers; i++) {
                const struct green_addr *server = &conf->servers[i];
                int port = green_addr_port(server);

                nodes[i].next = i + 1 < conf->nservers ? &nodes[i + 1] : NULL;
                nodes[i].family = green_addr_family(server);
                nodes[i].udp_port = nodes[i].tcp_port = port;
                if (nodes[i].family == AF_INET) {
                        struct sockaddr_in sin;

                        memcpy(&sin, &server->data, sizeof sin);
                        memcpy(&nodes[i].addr, &sin.sin_addr, sizeof sin.sin_addr);
                } else {
                        struct sockaddr_in6 sin6;

                        memcpy(&sin6, &server->data, sizeof sin6);
                        memcpy(&nodes[i].addr, &sin6.sin6_addr, sizeof sin6.sin6_addr);
                }
        }
        return ares_set_servers_ports(channel, nodes);
}

/* Everything is said, so that no file is read: it would be read at a time and in a way of c-ares's own. */
static int
open_channel(struct green__wire *w, const struct green__dns_conf *conf)
{
        static char lookups[] = "b", nowhere[] = "/dev/null";
        struct in_addr some = {0};
        struct ares_options o;
        int status;

        memset(&o, 0, sizeof o);
        o.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | (conf->tcp ? ARES_FLAG_USEVC : 0);
        o.timeout = conf->timeout < 0.001 ? 1 : (int)(conf->timeout * 1000);
        o.tries = conf->attempts;
        o.ndots = conf->ndots;
        o.servers = &some;
        o.nservers = 1;
        o.lookups = lookups;
        o.sock_state_cb = sock_state;
        o.sock_state_cb_data = w;
        o.ednspsz = UDP_SIZE;
        o.resolvconf_path = nowhere;
        status = ares_init_options(&w->channel, &o,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                                           ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST |
                                           ARES_OPT_SOCK_STATE_CB | ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF |
                                           (conf->rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE));
        if (status != ARES_SUCCESS)
                return code_of(status);
        ares_set_socket_functions(w->channel, &socket_functions, w);
        status = set_servers(w->channel, conf);
        if (status != ARES_SUCCESS)
                ares_destroy(w->channel);
        return code_of(status);
}

static int
make_wire(struct green__dns *dns)
{
        struct green__wire *w = green_calloc(1, sizeof *w);
        int rc;

        if (w == NULL)
                return -ENOMEM;
        w->dns = dns;
        w->forks = green__sys_forks;
        green_watch_init(&w->timer, on_time, w);
        rc = open_channel(w, &dns->conf);
        if (rc != 0)
                green_free(w);
        else
                dns->wire = w;
        return rc;
}

void
green__wire_free(struct green__wire *wire, bool hub_lives)
{
        if (wire == NULL)
                return;
        wire->hub_gone = !hub_lives;
        if (hub_lives)
                (void)green_watch_stop(&wire->timer);
        ares_destroy(wire->channel);
        green_free(wire);
}

/* ---- questions */

static void
on_answer(void *arg, int status, int timeouts, unsigned char *message, int len)
{
        struct green__dns_entry *entry = arg;
        struct green__wire *w = entry->dns->wire;
        struct green__dns_reply *reply = NULL;
        uint32_t ttl = 0;
        int code;

        (void)timeouts;
        w->running--;
        if (message != NULL && len > 0)
                code = green__dns_parse(message, (size_t)len, entry->name, entry->type, &reply, &ttl);
        else if (status == ARES_ECANCELLED && w->broken != 0)
                code = w->broken;
        else if (status == ARES_ECONNREFUSED && entry->refused)
                code = GREEN_EAI_FAIL;
        else if (status == ARES_ECONNREFUSED && w->sock_error != 0)
                code = w->sock_error;
        else
                code = code_of(status == ARES_SUCCESS ? ARES_EBADRESP : status);
        green__dns_answered(entry, code, reply, ttl);
}

void
green__wire_ask(struct green__dns *dns, struct green__dns_entry *entry)
{
        int rc = dns->wire != NULL ? 0 : make_wire(dns);
        double timeout = dns->conf.timeout;
        struct green__wire *w = dns->wire;

        if (rc != 0) {
                green__dns_answered(entry, rc, NULL, 0);
                return;
        }
        enter(w);
        w->running++;
        ares_query(w->channel, entry->name, 1, entry->type, on_answer, entry);
        if (w->running > 0 &&
            (!green_watch_active(&w->timer) || w->timer_at > green__sys_now() + (int64_t)(timeout * 1e9)))
                arm_timer(w, timeout);
        leave(w);
}
