/*
 * Fuzzing of what an HTTP client is told: heads of responses, URLs, references to them, cookies.
 *
 * The low two bits of the first byte pick one of them; the rest is the text, in memory that ends where the text does.
 * Heads are parsed whole and cut in two; what is accepted is held to rules that are checked here without the parser's
 * tables.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined and the library; -dict=http1.dict. With -DGREEN_FUZZ_MAIN
 * it is a program, see fuzz_main.h.
 */
#include "../../web/client_priv.h"
#include "../../web/cookie_priv.h"

#include <stdio.h>

#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 4096, MAX_FIELDS = 20, MAX_HEAD = 200 };

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_client.c:%d: does not hold: %s\n", __LINE__, #expr);                     \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

/* ---- heads of responses */

struct head {
        struct green__http1 r;
        struct green__http1_field fields[MAX_FIELDS];
        int result;
};

/* In two pieces; cut 0: at once. Each in memory of its own, that ends where the bytes end. */
static void
parse(struct head *h, const char *text, size_t len, size_t cut)
{
        static const struct green__http1_limits limits = {
                .field_line = MAX_HEAD, .fields = MAX_HEAD, .chunk_ext = 16384};

        memset(h, 0, sizeof *h);
        green__http1_init_response(&h->r, &limits, h->fields, MAX_FIELDS);
        for (size_t shown = cut > 0 ? cut : len;; shown = len) {
                char *copy = malloc(shown > 0 ? shown : 1);

                MUST(copy != NULL);
                memcpy(copy, text, shown);
                h->result = green__http1_parse_response(&h->r, copy, shown);
                free(copy);
                if (shown == len || h->result != GREEN__HTTP1_MORE)
                        return;
        }
}

static bool
is_named(const struct green__http1_field *f, const char *text, const char *name)
{
        for (size_t i = 0; i < f->name_len && i < strlen(name); i++)
                if ((text[f->name + i] | 0x20) != name[i] && text[f->name + i] != name[i])
                        return false;
        return f->name_len == strlen(name);
}

/* One way to find its end, and no other. */
static void
check_framing(const struct head *h, const char *text)
{
        int lengths = 0, codings = 0;

        for (unsigned i = 0; i < h->r.lines.count; i++) {
                const struct green__http1_field *f = &h->fields[i];

                codings += is_named(f, text, "transfer-encoding");
                if (!is_named(f, text, "content-length"))
                        continue;
                lengths++;
                MUST(f->value_len > 0);
                for (uint32_t k = 0; k < f->value_len; k++)
                        MUST(text[f->value + k] >= '0' && text[f->value + k] <= '9');
        }
        MUST(lengths == 0 || codings == 0);
        MUST(codings <= 1 && (codings == 1) == ((h->r.flags & GREEN__HTTP1_CHUNKED) != 0));
        MUST((lengths > 0) == ((h->r.flags & GREEN__HTTP1_HAS_LENGTH) != 0));
        MUST(codings == 0 || h->r.minor == 1);
}

static void
check_head(const struct head *h, const char *text, size_t len)
{
        MUST(h->r.head_len <= MAX_HEAD);
        MUST(h->r.head_len <= len && h->r.head_len >= 16 && memcmp(text, "HTTP/1.", 7) == 0);
        MUST(memcmp(text + h->r.head_len - 4, "\r\n\r\n", 4) == 0);
        MUST(h->r.code >= 100 && h->r.code <= 599);
        MUST((text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0') == h->r.code);
        for (uint32_t i = 0; i < h->r.head_len; i++) {
                MUST(text[i] != '\0');
                if (text[i] == '\n')
                        MUST(text[i - 1] == '\r');
                if (text[i] == '\r')
                        MUST(text[i + 1] == '\n');
        }
        check_framing(h, text);
}

static void
test_head(const char *text, size_t len)
{
        static struct head whole, other;

        parse(&whole, text, len, 0);
        if (whole.result == GREEN__HTTP1_DONE)
                check_head(&whole, text, len);
        for (size_t cut = 1; cut<len; cut += len> 200 ? 37 : 1) {
                parse(&other, text, len, cut);
                MUST(other.result == whole.result && other.r.head_len == whole.r.head_len);
                MUST(other.r.code == whole.r.code && other.r.flags == whole.r.flags);
                MUST(other.r.lines.count == whole.r.lines.count && other.r.content_length == whole.r.content_length);
        }
}

/* ---- URLs */

static bool
is_clean(const char *text)
{
        for (; *text != '\0'; text++)
                if (*text <= ' ' || *text >= 0x7f)
                        return false;
        return true;
}

static void
test_url(const char *text)
{
        struct green__url u = {0}, again = {0};
        char *whole;
        size_t len;

        if (green__url_parse(text, "http", &u) != 0) {
                MUST(u.text == NULL);
                return;
        }
        MUST(is_clean(u.host) && is_clean(u.name) && is_clean(u.address) && is_clean(u.target));
        MUST(*u.name != '\0' && u.target[0] == '/' && strchr(u.target, '#') == NULL);
        MUST(strpbrk(u.host, "@/?#") == NULL && strchr(u.address, ':') != NULL);
        MUST(u.user == NULL || (is_clean(u.user) && strpbrk(u.user, "@/?#") == NULL));
        len = strlen(u.address) + strlen(u.target) + 9;
        whole = malloc(len);
        MUST(whole != NULL);
        snprintf(whole, len, "%s://%s%s", u.tls ? "https" : "http", u.address, u.target);
        MUST(green__url_parse(whole, "http", &again) == 0 && again.user == NULL && again.tls == u.tls);
        MUST(strcmp(again.host, u.host) == 0 && strcmp(again.target, u.target) == 0 && again.port == u.port);
        free(whole);
        if (u.user != NULL) {
                char *auth = NULL;

                if (green__client_basic(u.user, &auth) == 0)
                        MUST(strncmp(auth, "Basic ", 6) == 0 && is_clean(auth + 6));
                green_free(auth);
        }
        green_free(u.text);
        green_free(again.text);
}

/* A base, a newline, a reference. */
static void
test_reference(char *text)
{
        char *reference = strchr(text, '\n'), *url = NULL, *twice = NULL;

        if (reference == NULL)
                return;
        *reference++ = '\0';
        if (strncmp(text, "http://", 7) != 0 || text[7] == '\0')
                return;
        MUST(green__url_resolve(text, reference, &url) == 0);
        MUST(strlen(url) <= strlen(text) + strlen(reference) + 2);
        /* The path of a base is kept as it is by a reference that has none. */
        if (strncmp(url, "http://", 7) == 0 && strstr(text + 7, "/.") == NULL) {
                /* What is whole means the same everywhere. */
                MUST(green__url_resolve("http://other/", url, &twice) == 0 && strcmp(url, twice) == 0);
                MUST(strstr(url + 7, "/../") == NULL || strpbrk(url, "?#") != NULL);
        }
        green_free(url);
        green_free(twice);
}

/* ---- cookies */

static void
test_cookie(const char *text)
{
        static const char *const urls[] = {"http://www.example.com/a/b", "https://example.com/", "http://10.0.0.1/"};
        struct green__jar *jar = green__jar_new();
        struct green__arena arena = {NULL, NULL, NULL};

        MUST(jar != NULL);
        for (size_t i = 0; i < 3; i++) {
                struct green__url u = {0}, far = {0};
                int rc;
                char *said;

                MUST(green__url_parse(urls[i], "http", &u) == 0 &&
                     green__url_parse("https://evil.test/a/b", "http", &far) == 0);
                green__jar_set(jar, &u, text, 1700000000);
                said = green__jar_get(jar, &u, 1700000000, &arena, &rc);
                MUST(rc == 0 && (said == NULL || strpbrk(said, "\r\n") == NULL));
                MUST(green__jar_get(jar, &far, 1700000000, &arena, &rc) == NULL && rc == 0);
                green_free(u.text);
                green_free(far.text);
        }
        green__arena_end(&arena);
        green__jar_free(jar);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        size_t len = size - 1;
        char *text;

        if (size < 1 || size > MAX_INPUT)
                return 0;
        text = malloc(len + 1);
        MUST(text != NULL);
        memcpy(text, data + 1, len);
        text[len] = '\0';
        switch (data[0] & 3) {
        case 0:
                test_head(text, len);
                break;
        case 1:
                test_url(text);
                break;
        case 2:
                test_reference(text);
                break;
        default:
                test_cookie(text);
                break;
        }
        free(text);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES("@HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nHello"),
        FUZZ_BYTES("@HTTP/1.0 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        FUZZ_BYTES("@HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\nConnection: close\r\n\r\n"),
        FUZZ_BYTES("@HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b\r\n\r\n"),
        FUZZ_BYTES("Ahttp://user:p%20w@Example.com:8080/a/b?c=d#e"),
        FUZZ_BYTES("Ahttps://[::1]?x"),
        FUZZ_BYTES("Ahttp://127.0.0.1"),
        FUZZ_BYTES("Bhttp://a/b/c/d;p?q\n../../../g;x=1/./y?z#w"),
        FUZZ_BYTES("Bhttp://a\n//b:80/.."),
        FUZZ_BYTES("Bhttp://a/b/\n?y"),
        FUZZ_BYTES("Ca=b; Domain=.example.com; Path=/a; Secure; HttpOnly; Max-Age=100"),
        FUZZ_BYTES("C__Host-a=\"b c\"; secure; path=/; expires=Wed, 09-Jun-2027 10:18:14 GMT"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("HTTP/1.1 "),
        FUZZ_BYTES("200"),
        FUZZ_BYTES("\r\n"),
        FUZZ_BYTES("\n"),
        FUZZ_BYTES("\r"),
        FUZZ_BYTES("Content-Length: 5\r\n"),
        FUZZ_BYTES("Transfer-Encoding: chunked\r\n"),
        FUZZ_BYTES(", chunked"),
        FUZZ_BYTES(" "),
        FUZZ_BYTES("\t"),
        FUZZ_BYTES(":"),
        FUZZ_BYTES("\0"),
        FUZZ_BYTES("http://"),
        FUZZ_BYTES("https://"),
        FUZZ_BYTES("@"),
        FUZZ_BYTES("/"),
        FUZZ_BYTES("/.."),
        FUZZ_BYTES("/."),
        FUZZ_BYTES("?"),
        FUZZ_BYTES("#"),
        FUZZ_BYTES("%41"),
        FUZZ_BYTES("[::1]"),
        FUZZ_BYTES(":80"),
        FUZZ_BYTES("; "),
        FUZZ_BYTES("Domain="),
        FUZZ_BYTES("example.com"),
        FUZZ_BYTES("Path=/"),
        FUZZ_BYTES("Secure"),
        FUZZ_BYTES("Max-Age=-1"),
        FUZZ_BYTES("Expires=Thu, 01 Jan 2070 00:00:00 GMT"),
        FUZZ_BYTES("="),
        FUZZ_BYTES("com"),
        FUZZ_BYTES("."),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
