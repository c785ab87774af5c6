/* See dns_server.h. */
#include "dns_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_MORE /* of Linux: what follows goes out with it */
#define MSG_MORE 0
#endif

enum { MAX_SEEN = 4096, MAX_LATER = 512, MAX_TCP = 32, MAX_MESSAGE = 65535 };

struct seen {
        char name[256];
        int type;
        bool tcp;
};

/* An answer that goes out later. */
struct later {
        int64_t at;
        int tcp; /* -1: by UDP, to peer */
        struct sockaddr_storage peer;
        socklen_t peer_size;
        size_t len;
        unsigned char *bytes;
};

struct dns_server {
        const struct dns_rule *rules;
        pthread_t thread;
        pthread_mutex_t lock;
        int udp, listener, other, stop[2];
        int tcp[MAX_TCP];
        struct seen seen[MAX_SEEN];
        unsigned nseen, most;
        unsigned dropped[512], failed[512];
        struct later later[MAX_LATER];
        size_t nlater;
        unsigned char in[MAX_MESSAGE], out[MAX_MESSAGE];
};

struct question {
        char name[256];
        int type;
        size_t end; /* where it ends in the message */
        bool edns, tcp;
        int fd;
        struct sockaddr_storage peer;
        socklen_t peer_size;
};

static int64_t
now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- writing messages */

struct out {
        unsigned char *bytes;
        size_t len;
        unsigned answers;
};

static void
put16(struct out *o, unsigned v)
{
        o->bytes[o->len++] = (unsigned char)(v >> 8);
        o->bytes[o->len++] = (unsigned char)v;
}

static void
put_name(struct out *o, const char *name)
{
        while (*name != '\0') {
                size_t n = strcspn(name, ".");

                o->bytes[o->len++] = (unsigned char)n;
                memcpy(o->bytes + o->len, name, n);
                o->len += n;
                name += n;
                name += *name == '.';
        }
        o->bytes[o->len++] = 0;
}

/* A record up to its data; returns where the length goes. */
static size_t
begin_record(struct out *o, const char *owner, int type, unsigned ttl)
{
        put_name(o, owner);
        put16(o, (unsigned)type);
        put16(o, 1);
        put16(o, ttl >> 16);
        put16(o, ttl & 0xffff);
        o->len += 2;
        o->answers++;
        return o->len;
}

static void
end_record(struct out *o, size_t begin)
{
        size_t len = o->len - begin;

        o->bytes[begin - 2] = (unsigned char)(len >> 8);
        o->bytes[begin - 1] = (unsigned char)len;
}

static void
put_strings(struct out *o, const char *word)
{
        while (*word == '\'') {
                size_t n = strcspn(word + 1, "'");

                o->bytes[o->len++] = (unsigned char)n;
                for (size_t i = 0; i < n; i++)
                        o->bytes[o->len++] = (unsigned char)(word[1 + i] == '_' ? ' ' : word[1 + i]);
                word += n + 2;
                word += *word == '+';
        }
}

static void
put_addresses(struct out *o, const char *owner, const struct dns_rule *rule, struct in_addr first)
{
        unsigned n = rule->repeat != 0 ? rule->repeat : 1;

        for (unsigned i = 0; i < n; i++) {
                struct in_addr in = {.s_addr = htonl(ntohl(first.s_addr) + i)};
                size_t begin = begin_record(o, owner, 1, rule->ttl);

                memcpy(o->bytes + o->len, &in, 4);
                o->len += 4;
                end_record(o, begin);
        }
}

/* One record of a rule; a CNAME changes the owner of those that follow. */
static void
put_record(struct out *o, const char *word, char owner[256], int type, const struct dns_rule *rule)
{
        unsigned a, b, c;
        unsigned char addr6[16];
        struct in_addr in;
        char target[256];
        size_t begin;

        if (word[0] == '@') {
                snprintf(owner, 256, "%s", word + 1);
        } else if (word[0] == '=') {
                begin = begin_record(o, owner, 5, rule->ttl);
                put_name(o, word + 1);
                end_record(o, begin);
                snprintf(owner, 256, "%s", word + 1);
        } else if (inet_pton(AF_INET, word, &in) == 1) {
                if (type == 1)
                        put_addresses(o, owner, rule, in);
        } else if (inet_pton(AF_INET6, word, addr6) == 1) {
                if (type != 28)
                        return;
                begin = begin_record(o, owner, 28, rule->ttl);
                memcpy(o->bytes + o->len, addr6, 16);
                o->len += 16;
                end_record(o, begin);
        } else if (word[0] == '\'' || word[0] == '!') {
                if (word[0] == '\'' ? type != 16 : type != 12 && type != 2)
                        return;
                begin = begin_record(o, owner, type, rule->ttl);
                if (word[0] == '!')
                        put_name(o, word + 1);
                else
                        put_strings(o, word);
                end_record(o, begin);
        } else if (sscanf(word, "%u/%u/%u=%255s", &a, &b, &c, target) == 4) {
                if (type != 33)
                        return;
                begin = begin_record(o, owner, 33, rule->ttl);
                put16(o, a);
                put16(o, b);
                put16(o, c);
                put_name(o, target);
                end_record(o, begin);
        } else if (sscanf(word, "%u=%255s", &a, target) == 2) {
                if (type != 15)
                        return;
                begin = begin_record(o, owner, 15, rule->ttl);
                put16(o, a);
                put_name(o, target);
                end_record(o, begin);
        }
}

static void
put_soa(struct out *o, const char *owner, unsigned minimum)
{
        size_t begin = begin_record(o, owner, 6, 3600);

        put_name(o, "ns.test");
        put_name(o, "admin.test");
        for (int i = 0; i < 4; i++) {
                put16(o, 0);
                put16(o, 1000);
        }
        put16(o, minimum >> 16);
        put16(o, minimum & 0xffff);
        end_record(o, begin);
        o->answers--;
}

/* The head of an answer, with the question; the counts come later. */
static void
begin_answer(struct out *o, const unsigned char *in, const struct question *q, int rcode, bool truncated)
{
        memset(o->bytes, 0, 12);
        memcpy(o->bytes, in, 2);
        o->bytes[2] = (unsigned char)(0x81 | (truncated ? 2 : 0));
        o->bytes[3] = (unsigned char)(0x80 | rcode);
        o->bytes[5] = 1;
        memcpy(o->bytes + 12, in + 12, q->end - 12);
        o->len = q->end;
        o->answers = 0;
}

static void
end_answer(struct out *o, bool soa)
{
        o->bytes[6] = (unsigned char)(o->answers >> 8);
        o->bytes[7] = (unsigned char)o->answers;
        o->bytes[9] = soa;
}

static void
write_answer(struct out *o, const unsigned char *in, const struct question *q, const struct dns_rule *rule)
{
        char owner[256], words[4096], *word, *rest = words;
        bool truncated = rule->truncate && !q->tcp;

        begin_answer(o, in, q, rule->rcode, truncated);
        snprintf(owner, sizeof owner, "%s", q->name);
        snprintf(words, sizeof words, "%s", rule->records != NULL && !truncated ? rule->records : "");
        while ((word = strtok_r(rest, " ", &rest)) != NULL)
                put_record(o, word, owner, q->type, rule);
        if (rule->circle) {
                snprintf(words, sizeof words, "=%s", q->name);
                put_record(o, "=round.test", owner, q->type, rule);
                put_record(o, words, owner, q->type, rule);
        }
        if (rule->soa != 0)
                put_soa(o, "test", rule->soa);
        end_answer(o, rule->soa != 0);
        if (rule->broken)
                o->len -= 3;
}

/* ---- sending */

static void
send_now(struct dns_server *s, const struct later *l)
{
        unsigned char prefix[2] = {(unsigned char)(l->len >> 8), (unsigned char)l->len};

        if (l->tcp < 0) {
                (void)!sendto(s->udp, l->bytes, l->len, MSG_NOSIGNAL, (const struct sockaddr *)&l->peer, l->peer_size);
                return;
        }
        (void)!send(l->tcp, prefix, 2, MSG_NOSIGNAL | MSG_MORE);
        for (size_t sent = 0; sent < l->len;) {
                ssize_t n = send(l->tcp, l->bytes + sent, l->len - sent, MSG_NOSIGNAL);

                if (n <= 0)
                        return;
                sent += (size_t)n;
        }
}

static void
send_after(struct dns_server *s, const struct question *q, const struct out *o, unsigned delay_ms)
{
        struct later l = {.at = now() + (int64_t)delay_ms * 1000000, .tcp = q->tcp ? q->fd : -1, .len = o->len};

        l.peer = q->peer;
        l.peer_size = q->peer_size;
        l.bytes = o->bytes;
        if (delay_ms == 0 || s->nlater == MAX_LATER) {
                send_now(s, &l);
                return;
        }
        l.bytes = malloc(o->len);
        if (l.bytes == NULL)
                return;
        memcpy(l.bytes, o->bytes, o->len);
        s->later[s->nlater++] = l;
        if (s->nlater > s->most)
                s->most = (unsigned)s->nlater;
}

/* What a liar would send before the real answer comes. */
static void
send_lies(struct dns_server *s, const unsigned char *in, const struct question *q, const struct dns_rule *rule)
{
        const struct sockaddr *peer = (const struct sockaddr *)&q->peer;
        struct dns_rule lie = {.name = q->name, .records = "6.6.6.6 6::6", .ttl = 1000};
        struct out o = {.bytes = s->out};

        if (q->tcp)
                return;
        write_answer(&o, in, q, &lie);
        if (rule->wrong_port)
                (void)!sendto(s->other, o.bytes, o.len, 0, peer, q->peer_size);
        if (rule->wrong_id) {
                o.bytes[0] ^= 0x55;
                (void)!sendto(s->udp, o.bytes, o.len, 0, peer, q->peer_size);
                o.bytes[0] ^= 0x55;
        }
        if (rule->wrong_name) {
                o.bytes[13] ^= 1;
                (void)!sendto(s->udp, o.bytes, o.len, 0, peer, q->peer_size);
        }
        if (rule->garbage) {
                (void)!sendto(s->udp, "", 0, 0, peer, q->peer_size);
                (void)!sendto(s->udp, "no message", 10, 0, peer, q->peer_size);
                (void)!sendto(s->udp, in, 7, 0, peer, q->peer_size);
        }
}

/* ---- questions */

static bool
read_question(const unsigned char *in, size_t len, struct question *q)
{
        size_t at = 12, used = 0;

        while (at < len && in[at] != 0) {
                size_t n = in[at];

                if (n > 63 || at + 1 + n >= len || used + n + 2 > sizeof q->name)
                        return false;
                if (used > 0)
                        q->name[used++] = '.';
                for (size_t i = 0; i < n; i++)
                        q->name[used++] = (char)(in[at + 1 + i] >= 'A' && in[at + 1 + i] <= 'Z' ? in[at + 1 + i] + 32
                                                                                                : in[at + 1 + i]);
                at += n + 1;
        }
        if (at + 5 > len)
                return false;
        q->name[used] = '\0';
        q->type = in[at + 1] << 8 | in[at + 2];
        q->end = at + 5;
        q->edns = in[11] != 0;
        return true;
}

static const struct dns_rule *
find_rule(const struct dns_server *s, const struct question *q)
{
        const struct dns_rule *rule = s->rules;

        while (rule->name != NULL && (strcmp(rule->name, q->name) != 0 || (rule->type != 0 && rule->type != q->type)))
                rule++;
        return rule->name != NULL ? rule : NULL;
}

/* True: the connection is to be closed. */
static bool
serve(struct dns_server *s, const unsigned char *in, size_t len, struct question *q)
{
        static const struct dns_rule nothing = {.name = "", .rcode = 3}, failure = {.name = "", .rcode = 2},
                                     no_format = {.name = "", .rcode = 1};
        const struct dns_rule *rule;
        struct out o = {.bytes = s->out};
        bool closes = false;

        if (len < 17 || !read_question(in, len, q))
                return true;
        pthread_mutex_lock(&s->lock);
        if (s->nseen < MAX_SEEN) {
                struct seen *seen = &s->seen[s->nseen++];

                snprintf(seen->name, sizeof seen->name, "%s", q->name);
                seen->type = q->type;
                seen->tcp = q->tcp;
        }
        rule = find_rule(s, q);
        if (rule == NULL) {
                write_answer(&o, in, q, &nothing);
                send_after(s, q, &o, 0);
        } else if (s->dropped[rule - s->rules] < rule->drop) {
                s->dropped[rule - s->rules]++;
        } else if (q->tcp && rule->close_tcp) {
                closes = true;
        } else {
                if (s->failed[rule - s->rules] < rule->fail) {
                        s->failed[rule - s->rules]++;
                        rule = &failure;
                } else if (rule->no_edns && q->edns) {
                        rule = &no_format;
                }
                send_lies(s, in, q, rule);
                write_answer(&o, in, q, rule);
                send_after(s, q, &o, rule->delay_ms);
        }
        pthread_mutex_unlock(&s->lock);
        return closes;
}

static void
take_udp(struct dns_server *s)
{
        struct question q = {.tcp = false};
        ssize_t n;

        q.peer_size = sizeof q.peer;
        n = recvfrom(s->udp, s->in, sizeof s->in, MSG_DONTWAIT, (struct sockaddr *)&q.peer, &q.peer_size);
        if (n > 0)
                (void)serve(s, s->in, (size_t)n, &q);
}

/* All that is sent is small, and comes in one piece. */
static void
take_tcp(struct dns_server *s, int *fd)
{
        struct question q = {.tcp = true, .fd = *fd};
        unsigned char head[2];
        ssize_t n = recv(*fd, head, 2, MSG_WAITALL);
        size_t len = n == 2 ? (size_t)(head[0] << 8 | head[1]) : 0;

        if (len != 0 && recv(*fd, s->in, len, MSG_WAITALL) == (ssize_t)len && !serve(s, s->in, len, &q))
                return;
        for (size_t i = 0; i < s->nlater; i++) {
                if (s->later[i].tcp == *fd) {
                        free(s->later[i].bytes);
                        s->later[i--] = s->later[--s->nlater];
                }
        }
        close(*fd);
        *fd = -1;
}

static void
take_connection(struct dns_server *s)
{
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

        for (size_t i = 0; fd >= 0 && i < MAX_TCP; i++) {
                if (s->tcp[i] < 0) {
                        s->tcp[i] = fd;
                        return;
                }
        }
        if (fd >= 0)
                close(fd);
}

/* Send what is due; returns milliseconds to the next. */
static int
send_due(struct dns_server *s)
{
        int64_t t = now(), next = INT64_MAX;

        pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < s->nlater;) {
                if (s->later[i].at <= t) {
                        send_now(s, &s->later[i]);
                        free(s->later[i].bytes);
                        memmove(&s->later[i], &s->later[i + 1], (--s->nlater - i) * sizeof s->later[0]);
                } else {
                        next = s->later[i].at < next ? s->later[i].at : next;
                        i++;
                }
        }
        pthread_mutex_unlock(&s->lock);
        return next == INT64_MAX ? -1 : (int)((next - t) / 1000000) + 1;
}

static void *
run(void *arg)
{
        struct dns_server *s = arg;

        for (;;) {
                struct pollfd p[3 + MAX_TCP];
                int timeout = send_due(s);

                p[0] = (struct pollfd){.fd = s->stop[0], .events = POLLIN};
                p[1] = (struct pollfd){.fd = s->udp, .events = POLLIN};
                p[2] = (struct pollfd){.fd = s->listener, .events = POLLIN};
                for (size_t i = 0; i < MAX_TCP; i++)
                        p[3 + i] = (struct pollfd){.fd = s->tcp[i], .events = POLLIN};
                if (poll(p, 3 + MAX_TCP, timeout) < 0)
                        continue;
                if (p[0].revents != 0)
                        return NULL;
                if (p[1].revents != 0)
                        take_udp(s);
                if (p[2].revents != 0)
                        take_connection(s);
                for (size_t i = 0; i < MAX_TCP; i++)
                        if (s->tcp[i] >= 0 && p[3 + i].revents != 0)
                                take_tcp(s, &s->tcp[i]);
        }
}

/* ---- life */

static int
bound(int family, int type, unsigned short port)
{
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        int fd = socket(family, type | SOCK_CLOEXEC, 0);
        int rc;

        if (fd < 0)
                return -1;
        if (family == AF_INET)
                rc = bind(fd, (struct sockaddr *)&sin, sizeof sin);
        else
                rc = bind(fd, (struct sockaddr *)&sin6, sizeof sin6);
        if (rc == 0)
                return fd;
        close(fd);
        return -1;
}

static unsigned short
port_of(int fd)
{
        struct sockaddr_storage sa;
        struct sockaddr_in sin;
        socklen_t size = sizeof sa;

        if (getsockname(fd, (struct sockaddr *)&sa, &size) != 0)
                return 0;
        memcpy(&sin, &sa, sizeof sin); /* the port is at the same place in both */
        return sin.sin_port;
}

struct dns_server *
dns_server_new(int family, const struct dns_rule *rules, char address[64])
{
        struct dns_server *s = calloc(1, sizeof *s);

        if (s == NULL)
                return NULL;
        s->rules = rules;
        s->listener = s->udp = -1;
        memset(s->tcp, 0xff, sizeof s->tcp);
        /* The port of the one may be in use for the other. */
        for (int tries = 0; tries < 50 && s->udp < 0; tries++) {
                if (s->listener >= 0)
                        close(s->listener);
                s->listener = bound(family, SOCK_STREAM, 0);
                if (s->listener < 0)
                        break;
                s->udp = bound(family, SOCK_DGRAM, port_of(s->listener));
        }
        s->other = bound(family, SOCK_DGRAM, 0);
        if (s->udp < 0 || listen(s->listener, 16) != 0 || pipe2(s->stop, O_CLOEXEC) != 0 ||
            pthread_mutex_init(&s->lock, NULL) != 0 || pthread_create(&s->thread, NULL, run, s) != 0) {
                free(s);
                return NULL;
        }
        snprintf(address, 64, family == AF_INET ? "127.0.0.1:%d" : "[::1]:%d", ntohs(port_of(s->udp)));
        return s;
}

void
dns_server_free(struct dns_server *s)
{
        if (s == NULL)
                return;
        (void)!write(s->stop[1], "", 1);
        pthread_join(s->thread, NULL);
        for (size_t i = 0; i < MAX_TCP; i++)
                if (s->tcp[i] >= 0)
                        close(s->tcp[i]);
        for (size_t i = 0; i < s->nlater; i++)
                free(s->later[i].bytes);
        close(s->udp);
        close(s->other);
        close(s->listener);
        close(s->stop[0]);
        close(s->stop[1]);
        pthread_mutex_destroy(&s->lock);
        free(s);
}

unsigned
dns_server_count(struct dns_server *s, const char *name, int type)
{
        unsigned n = 0;

        pthread_mutex_lock(&s->lock);
        for (unsigned i = 0; i < s->nseen; i++)
                n += (name == NULL || strcmp(s->seen[i].name, name) == 0) && (type == 0 || s->seen[i].type == type);
        pthread_mutex_unlock(&s->lock);
        return n;
}

unsigned
dns_server_count_tcp(struct dns_server *s)
{
        unsigned n = 0;

        pthread_mutex_lock(&s->lock);
        for (unsigned i = 0; i < s->nseen; i++)
                n += s->seen[i].tcp;
        pthread_mutex_unlock(&s->lock);
        return n;
}

unsigned
dns_server_most(struct dns_server *s)
{
        unsigned n;

        pthread_mutex_lock(&s->lock);
        n = s->most;
        pthread_mutex_unlock(&s->lock);
        return n;
}

void
dns_server_reset(struct dns_server *s)
{
        pthread_mutex_lock(&s->lock);
        s->nseen = s->most = 0;
        pthread_mutex_unlock(&s->lock);
}
