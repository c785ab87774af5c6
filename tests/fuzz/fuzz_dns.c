/*
 * Fuzzing of the parser of name servers' answers. The first byte of an input picks the question, the rest is the
 * message, which is parsed in memory of its own that ends where it ends; what is made of it must hold together.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined, this and net/; -dict=dns.dict. See fuzz_main.h.
 */
#include "../../net/dns_priv.h"

#include <stdlib.h>

#include "fuzz_main.h"

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_dns.c:%d: does not hold: %s\n", __LINE__, #expr);                        \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

static const int types[8] = {GREEN_DNS_A,  GREEN_DNS_NS,  GREEN_DNS_CNAME, GREEN_DNS_PTR,
                             GREEN_DNS_MX, GREEN_DNS_TXT, GREEN_DNS_AAAA,  GREEN_DNS_SRV};

/* Lies it inside the block, and has a NUL there? */
static void
check_text(const struct green__dns_reply *reply, const void *text, size_t len)
{
        const char *begin = (const char *)reply, *end = begin + reply->size, *t = text;

        MUST(t >= (const char *)(reply + 1) && t < end && len < (size_t)(end - t));
}

static void
check_name(const struct green__dns_reply *reply, const char *name)
{
        MUST(name != NULL);
        check_text(reply, name, 0);
        MUST(memchr(name, '\0', (size_t)((const char *)reply + reply->size - name)) != NULL);
        MUST(strlen(name) < GREEN__WIRE_NAME_SIZE);
        for (; *name != '\0'; name++)
                MUST(*name > ' ' && *name < 0x7f && !(*name >= 'A' && *name <= 'Z'));
}

static void
check_reply(const struct green__dns_reply *reply, const char *question, int type)
{
        MUST(reply->answer.n > 0 && reply->nchain > 0);
        MUST(strcmp(reply->chain[0], question) == 0);
        for (size_t i = 0; i < reply->nchain; i++)
                check_name(reply, reply->chain[i]);
        for (size_t i = 0; i < reply->answer.n; i++) {
                const struct green_dns_record *r = &reply->answer.records[i];

                MUST((int)r->type == type && r->ttl <= INT32_MAX);
                MUST((r->addr.size != 0) == (type == GREEN_DNS_A || type == GREEN_DNS_AAAA));
                MUST((r->text != NULL) == (type == GREEN_DNS_TXT));
                if (r->text != NULL)
                        check_text(reply, r->text, r->text_len);
                else if (r->addr.size == 0)
                        check_name(reply, r->name);
                if (i > 0 && (type == GREEN_DNS_MX || type == GREEN_DNS_SRV))
                        MUST(r[-1].priority <= r->priority);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct green__dns_reply *reply = NULL, *copy;
        char name[GREEN__WIRE_NAME_SIZE];
        int type, code, refused;
        uint32_t ttl;
        uint8_t *message;

        if (size < 1 || size > FUZZ_MAX)
                return 0;
        type = types[data[0] % 8];
        message = malloc(size - 1 > 0 ? size - 1 : 1);
        MUST(message != NULL);
        memcpy(message, data + 1, size - 1);
        code = green__dns_parse(message, size - 1, "a.b", type, &reply, &ttl);
        MUST(code == 0 || code == GREEN_EAI_NODATA || code == GREEN_EAI_NONAME || code == GREEN_EAI_FAIL);
        MUST((code == 0) == (reply != NULL));
        if (green__dns_parse_refusal(message, size - 1, name, &refused))
                MUST(strlen(name) < sizeof name && refused >= 0);
        free(message);
        if (reply == NULL)
                return 0;
        check_reply(reply, "a.b", type);
        copy = green__dns_reply_copy(reply);
        MUST(copy != NULL && copy->size == reply->size && copy->answer.n == reply->answer.n);
        green_free(reply);
        check_reply(copy, "a.b", type);
        green_free(copy);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

#define HEAD(type, answers)                                                                                            \
        type "\x12\x34\x81\x80\0\x01\0" answers "\0\0\0\0\x01"                                                         \
             "a\x01"                                                                                                   \
             "b\0\0\x01\0\x01"
#define RR(type, len) "\xc0\x0c\0" type "\0\x01\0\0\0\x3c\0" len

static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES(HEAD("\x00", "\x02") RR("\x01", "\x04") "\x7f\0\0\x01" RR("\x01", "\x04") "\x7f\0\0\x02"),
        FUZZ_BYTES(HEAD("\x00", "\x02") RR("\x05", "\x03") "\x01"
                                                           "c\0"
                                                           "\x01"
                                                           "c\0\0\x01\0\x01\0\0\0\x05\0\x04"
                                                           "\x7f\0\0\x02"),
        FUZZ_BYTES(HEAD("\x06", "\x01") RR("\x1c", "\x10") "0123456789abcdef"),
        FUZZ_BYTES(HEAD("\x04", "\x02") RR("\x0f", "\x06") "\0\x0a\x02"
                                                           "mx"
                                                           "\0" RR("\x0f", "\x04") "\0\x05\xc0\x0c"),
        FUZZ_BYTES(HEAD("\x05", "\x01") RR("\x10", "\x07") "\x02"
                                                           "ab"
                                                           "\x03"
                                                           "cde"),
        FUZZ_BYTES(HEAD("\x07", "\x01") RR("\x21", "\x08") "\0\x01\0\x02\0\x50\xc0\x0c"),
        FUZZ_BYTES(HEAD("\x01", "\x01") RR("\x02", "\x05") "\x02"
                                                           "ns"
                                                           "\xc0\x0e"),
        FUZZ_BYTES("\0\x12\x34\x81\x83\0\x01\0\0\0\x01\0\0\x01"
                   "a\x01"
                   "b\0\0\x01\0\x01" RR("\x06", "\x16") "\0\0"
                                                        "\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x1e"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("\xc0\x0c"),
        FUZZ_BYTES("\xc0\x1e"),
        FUZZ_BYTES("\xc0\xff"),
        FUZZ_BYTES("\0"),
        FUZZ_BYTES("\x3f"),
        FUZZ_BYTES("\x01"
                   "a\x01"
                   "b\0"),
        FUZZ_BYTES(RR("\x05", "\x02") "\xc0\x0c"),
        FUZZ_BYTES(RR("\x01", "\x04") "1234"),
        FUZZ_BYTES("\xff\xff"),
        FUZZ_BYTES("\\."),
};

/* The seeds are what they are meant to be: all but the last have an answer. */
static void
check_seeds(void)
{
        size_t n = sizeof seeds / sizeof seeds[0];

        for (size_t i = 0; i < n; i++) {
                const uint8_t *data = seeds[i].bytes;
                struct green__dns_reply *reply = NULL;
                uint32_t ttl;
                int code = green__dns_parse(data + 1, seeds[i].size - 1, "a.b", types[data[0]], &reply, &ttl);

                MUST(code == (i < n - 1 ? 0 : GREEN_EAI_NONAME));
                MUST(ttl == (i == 1 ? 5 : i == n - 1 ? 30 : 60));
                green_free(reply);
        }
}

int
main(int argc, char **argv)
{
        check_seeds();
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
