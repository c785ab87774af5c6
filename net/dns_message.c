/*
 * Reading an answer of a name server. See dns_priv.h. Nothing in it is believed: it may come from anybody.
 */
#include "dns_priv.h"
#include "inet.h"


enum {
        HEADER = 12,
        MAX_CHAIN = 16,  /* CNAMEs that are followed */
        MAX_LABELS = 128 /* of a name, pointers included */
};

/* Nobody keeps an answer longer: RFC 8767. */
#define MAX_TTL 604800u
/* Nor that there is none: RFC 2308. */
#define MAX_NEGATIVE_TTL 10800u

enum { TYPE_SOA = 6, CLASS_IN = 1 };
enum { RCODE_NOERROR = 0, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4, RCODE_REFUSED = 5 };

struct message {
        const unsigned char *bytes;
        size_t len;
        size_t answers, authority; /* where those sections begin */
        unsigned nanswers, nauthority;
        int rcode;
};

struct record {
        char owner[GREEN__WIRE_NAME_SIZE];
        int type, class;
        uint32_t ttl;
        size_t data, len; /* where its data is */
};

static unsigned
get16(const unsigned char *p)
{
        return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
get32(const unsigned char *p)
{
        return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* A byte of a label; what is no plain character of a name is written as \DDD, so that no name looks like another. */
static size_t
put_byte(char *out, unsigned char c)
{
        if (c > ' ' && c < 0x7f && c != '.' && c != '\\') {
                out[0] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
                return 1;
        }
        out[0] = '\\';
        out[1] = (char)('0' + c / 100);
        out[2] = (char)('0' + c / 10 % 10);
        out[3] = (char)('0' + c % 10);
        return 4;
}

/* Read a name, in lower case and without a dot at its end. *at goes behind it. False: it is none. */
static bool
read_name(const struct message *m, size_t *at, char out[GREEN__WIRE_NAME_SIZE])
{
        size_t pos = *at, used = 0, wire = 1;
        bool jumped = false;

        for (int labels = 0; labels < MAX_LABELS && pos < m->len; labels++) {
                unsigned n = m->bytes[pos];

                if ((n & 0xc0) == 0xc0) {
                        if (pos + 2 > m->len)
                                return false;
                        if (!jumped)
                                *at = pos + 2;
                        jumped = true;
                        pos = get16(m->bytes + pos) & 0x3fff;
                        continue;
                }
                if (n > 63 || pos + 1 + n > m->len || (wire += n + 1) > 256)
                        return false;
                pos += n + 1;
                if (n == 0) {
                        if (!jumped)
                                *at = pos;
                        out[used] = '\0';
                        return true;
                }
                if (used > 0)
                        out[used++] = '.';
                for (size_t i = pos - n; i < pos; i++)
                        used += put_byte(out + used, m->bytes[i]);
        }
        return false;
}

static bool
skip_questions(struct message *m, size_t *at)
{
        char name[GREEN__WIRE_NAME_SIZE];

        for (unsigned i = get16(m->bytes + 4); i > 0; i--) {
                if (!read_name(m, at, name) || *at + 4 > m->len)
                        return false;
                *at += 4;
        }
        return true;
}

static bool
next_record(const struct message *m, size_t *at, struct record *r)
{
        const unsigned char *p;

        if (!read_name(m, at, r->owner) || *at + 10 > m->len)
                return false;
        p = m->bytes + *at;
        r->type = (int)get16(p);
        r->class = (int)get16(p + 2);
        r->ttl = get32(p + 4);
        if (r->ttl > INT32_MAX)
                r->ttl = 0; /* RFC 2181 */
        r->len = get16(p + 8);
        r->data = *at + 10;
        if (r->len > m->len - r->data)
                return false;
        *at = r->data + r->len;
        return true;
}

static bool
open_message(const void *bytes, size_t len, struct message *m)
{
        struct record r;
        size_t at = HEADER;

        *m = (struct message){.bytes = bytes, .len = len};
        if (len < HEADER || !(m->bytes[2] & 0x80))
                return false;
        m->rcode = m->bytes[3] & 0x0f;
        m->nanswers = get16(m->bytes + 6);
        m->nauthority = get16(m->bytes + 8);
        if (!skip_questions(m, &at))
                return false;
        m->answers = at;
        for (unsigned i = 0; i < m->nanswers; i++)
                if (!next_record(m, &at, &r))
                        return false;
        m->authority = at;
        return true;
}

/* ---- where the block comes from: once counted, once written */

struct writer {
        char *block; /* NULL: counting */
        size_t used; /* bytes of texts, behind the arrays */
        struct green_dns_record *records;
        size_t nrecords;
        const char **chain;
        size_t nchain;
};

static const void *
put(struct writer *w, const void *bytes, size_t len)
{
        char *place = NULL;

        if (w->block != NULL) {
                place = w->block + w->used;
                memcpy(place, bytes, len);
        }
        w->used += len;
        return place;
}

static const char *
put_text(struct writer *w, const char *text)
{
        return put(w, text, strlen(text) + 1);
}

static void
put_link(struct writer *w, const char *name)
{
        const char *text = put_text(w, name);

        if (w->block != NULL)
                w->chain[w->nchain] = text;
        w->nchain++;
}

static bool
take_name(const struct message *m, const struct record *r, size_t skip, struct writer *w, struct green_dns_record *out)
{
        char name[GREEN__WIRE_NAME_SIZE];
        size_t at = r->data + skip;

        if (r->len <= skip || !read_name(m, &at, name) || at != r->data + r->len)
                return false;
        out->name = put_text(w, name);
        return true;
}

/* The strings of a TXT record, one after the other. */
static bool
take_text(const struct message *m, const struct record *r, struct writer *w, struct green_dns_record *out)
{
        const unsigned char *p = m->bytes + r->data, *end = p + r->len;

        out->text = w->block != NULL ? w->block + w->used : NULL;
        for (; p < end; p += 1 + p[0]) {
                if (p + 1 + p[0] > end)
                        return false;
                (void)put(w, p + 1, p[0]);
                out->text_len += p[0];
        }
        (void)put(w, "", 1);
        return r->len > 0;
}

static bool
take_record(const struct message *m, const struct record *r, struct writer *w)
{
        const unsigned char *p = m->bytes + r->data;
        struct green_dns_record out = {.type = (enum green_dns_type)r->type, .ttl = r->ttl};
        bool ok = false;

        switch (r->type) {
        case GREEN_DNS_A:
        case GREEN_DNS_AAAA:
                ok = r->len == (r->type == GREEN_DNS_A ? 4 : 16);
                if (ok)
                        green__dns_addr(r->type == GREEN_DNS_A ? AF_INET : AF_INET6, p, &out.addr);
                break;
        case GREEN_DNS_NS:
        case GREEN_DNS_CNAME:
        case GREEN_DNS_PTR:
                ok = take_name(m, r, 0, w, &out);
                break;
        case GREEN_DNS_MX:
                ok = r->len > 2 && take_name(m, r, 2, w, &out);
                out.priority = ok ? (uint16_t)get16(p) : 0;
                break;
        case GREEN_DNS_SRV:
                ok = r->len > 6 && take_name(m, r, 6, w, &out);
                if (ok) {
                        out.priority = (uint16_t)get16(p);
                        out.weight = (uint16_t)get16(p + 2);
                        out.port = (uint16_t)get16(p + 4);
                }
                break;
        case GREEN_DNS_TXT:
                ok = take_text(m, r, w, &out);
                break;
        default:
                break;
        }
        if (ok && w->block != NULL)
                w->records[w->nrecords] = out;
        w->nrecords += ok;
        return ok;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
        return a < b ? a : b;
}

/* Where the CNAMEs of a message lead from a name; name is changed. False: one of them makes no sense. */
static bool
follow(const struct message *m, char name[GREEN__WIRE_NAME_SIZE], uint32_t *ttl, struct writer *w)
{
        struct record r;

        put_link(w, name);
        for (int links = 0; links < MAX_CHAIN; links++) {
                size_t at = m->answers, target;
                unsigned i;

                for (i = 0; i < m->nanswers; i++) {
                        (void)next_record(m, &at, &r);
                        if (r.type == GREEN_DNS_CNAME && r.class == CLASS_IN && strcmp(r.owner, name) == 0)
                                break;
                }
                if (i == m->nanswers)
                        return true;
                target = r.data;
                if (!read_name(m, &target, name) || target != r.data + r.len)
                        return false;
                *ttl = least(*ttl, r.ttl);
                put_link(w, name);
        }
        return false; /* a circle */
}

/* One pass over the answers. False: it makes no sense. */
static bool
collect(const struct message *m, const char *question, int type, uint32_t *ttl, struct writer *w)
{
        char name[GREEN__WIRE_NAME_SIZE];
        size_t at = m->answers;
        struct record r;

        memcpy(name, question, strlen(question) + 1);
        *ttl = MAX_TTL;
        if (type == GREEN_DNS_CNAME)
                put_link(w, name);
        else if (!follow(m, name, ttl, w))
                return false;
        for (unsigned i = 0; i < m->nanswers; i++) {
                (void)next_record(m, &at, &r);
                if (r.type != type || r.class != CLASS_IN || strcmp(r.owner, name) != 0)
                        continue;
                if (!take_record(m, &r, w))
                        return false;
                *ttl = least(*ttl, r.ttl);
        }
        return true;
}

/* For how long it may be believed that there is nothing: RFC 2308. 0: not at all. */
static uint32_t
negative_ttl(const struct message *m)
{
        char name[GREEN__WIRE_NAME_SIZE];
        size_t at = m->authority, data;
        struct record r;

        for (unsigned i = 0; i < m->nauthority && next_record(m, &at, &r); i++) {
                data = r.data;
                if (r.type != TYPE_SOA || !read_name(m, &data, name) || !read_name(m, &data, name) || data + 20 != at)
                        continue;
                return least(least(r.ttl, get32(m->bytes + data + 16)), MAX_NEGATIVE_TTL);
        }
        return 0;
}

/* MX and SRV by priority; those of the same one as they came. There are few. */
static void
sort_by_priority(struct green_dns_record *records, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                struct green_dns_record r = records[i];
                size_t j = i;

                for (; j > 0 && records[j - 1].priority > r.priority; j--)
                        records[j] = records[j - 1];
                records[j] = r;
        }
}

static struct green__dns_reply *
write_reply(const struct message *m, const char *name, int type, const struct writer *counted)
{
        size_t arrays = sizeof(struct green__dns_reply) + counted->nrecords * sizeof(struct green_dns_record) +
                        counted->nchain * sizeof(char *);
        struct green__dns_reply *reply = green_malloc(arrays + counted->used);
        struct writer w = {.used = arrays};
        uint32_t ttl;

        if (reply == NULL)
                return NULL;
        w.block = (char *)reply;
        w.records = (struct green_dns_record *)(void *)(reply + 1);
        w.chain = (const char **)(void *)(w.records + counted->nrecords);
        (void)collect(m, name, type, &ttl, &w);
        if (type == GREEN_DNS_MX || type == GREEN_DNS_SRV)
                sort_by_priority(w.records, w.nrecords);
        *reply = (struct green__dns_reply){.answer = {w.records, w.nrecords},
                                           .size = arrays + counted->used,
                                           .chain = w.chain,
                                           .nchain = w.nchain};
        return reply;
}

int
green__dns_parse(const void *message, size_t len, const char *name, int type, struct green__dns_reply **ret_reply,
                 uint32_t *ret_ttl)
{
        struct writer counted = {.block = NULL};
        struct message m;

        *ret_ttl = 0;
        if (!open_message(message, len, &m))
                return GREEN_EAI_FAIL;
        if (m.rcode == RCODE_NXDOMAIN) {
                *ret_ttl = negative_ttl(&m);
                return GREEN_EAI_NONAME;
        }
        if (m.rcode != RCODE_NOERROR || !collect(&m, name, type, ret_ttl, &counted)) {
                *ret_ttl = 0;
                return GREEN_EAI_FAIL;
        }
        if (counted.nrecords == 0) {
                *ret_ttl = negative_ttl(&m);
                return GREEN_EAI_NODATA;
        }
        *ret_reply = write_reply(&m, name, type, &counted);
        return *ret_reply != NULL ? 0 : -ENOMEM;
}

/* The same place in a copy. */
static const void *
moved(const void *p, const struct green__dns_reply *from, const struct green__dns_reply *to)
{
        return p != NULL ? (const char *)to + ((const char *)p - (const char *)from) : NULL;
}

struct green__dns_reply *
green__dns_reply_copy(const struct green__dns_reply *reply)
{
        struct green__dns_reply *copy = green_malloc(reply->size);
        struct green_dns_record *records;
        const char **chain;

        if (copy == NULL)
                return NULL;
        memcpy(copy, reply, reply->size);
        records = (struct green_dns_record *)(void *)(copy + 1);
        chain = (const char **)(void *)(records + reply->answer.n);
        for (size_t i = 0; i < reply->answer.n; i++) {
                records[i].name = moved(records[i].name, reply, copy);
                records[i].text = moved(records[i].text, reply, copy);
        }
        for (size_t i = 0; i < reply->nchain; i++)
                chain[i] = moved(chain[i], reply, copy);
        copy->answer.records = records;
        copy->chain = chain;
        return copy;
}

bool
green__dns_parse_refusal(const void *message, size_t len, char name[GREEN__WIRE_NAME_SIZE], int *ret_type)
{
        struct message m = {.bytes = message, .len = len};
        size_t at = HEADER;
        int rcode;

        if (len < HEADER || !(m.bytes[2] & 0x80) || get16(m.bytes + 4) != 1)
                return false;
        rcode = m.bytes[3] & 0x0f;
        if (rcode != RCODE_SERVFAIL && rcode != RCODE_NOTIMP && rcode != RCODE_REFUSED)
                return false;
        if (!read_name(&m, &at, name) || at + 4 > len)
                return false;
        *ret_type = (int)get16(m.bytes + at);
        return true;
}
