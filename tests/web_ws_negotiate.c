/*
 * What the two ends of a WebSocket agree on: extensions; where a client's URL leads; the answer to its handshake.
 */
#include "suite.h"

#include <stdlib.h>

#include "../web/ws_client_priv.h"

/* Text in memory of its own: what reads past its end is seen. */
static char *
copy_of(const void *data, size_t len)
{
        char *copy = malloc(len > 0 ? len : 1);

        if (copy == NULL)
                abort();
        if (len > 0)
                memcpy(copy, data, len);
        return copy;
}

/* ---- extensions */

static struct green_websocket_opts
settled(bool takeover, int server_bits, int client_bits)
{
        struct green_websocket_opts o = {.size = sizeof o, .context_takeover = takeover};

        o.server_max_window_bits = server_bits;
        o.client_max_window_bits = client_bits;
        return o;
}

struct offer {
        const char *offers;
        const char *answer; /* NULL: declined */
};

static void
check_offers(const struct offer *rows, size_t n, struct green_websocket_opts opts)
{
        for (size_t i = 0; i < n; i++) {
                char text[GREEN__WS_EXTENSION_MAX] = "";
                struct green__ws_params p = {false, false, 0, 0};
                bool taken = green__ws_extension_accept(rows[i].offers, &opts, &p, text);

                if (taken != (rows[i].answer != NULL))
                        FAIL("'%s' is %s", rows[i].offers, taken ? "accepted" : "declined");
                if (!taken || rows[i].answer == NULL)
                        continue;
                CHECK_STR(text, rows[i].answer);
                CHECK_INT(p.server_no_takeover, strstr(text, "server_no") != NULL);
                CHECK_INT(p.client_no_takeover, strstr(text, "client_no") != NULL);
                CHECK_RANGE(p.server_bits, 8, opts.server_max_window_bits);
                CHECK_RANGE(p.client_bits, 8, 15);
                CHECK(p.server_bits == 15 || strstr(text, "server_max_window_bits=") != NULL);
                CHECK(p.client_bits == 15 || strstr(text, "client_max_window_bits=") != NULL);
        }
}
#define CHECK_OFFERS(rows, opts) check_offers(rows, sizeof(rows) / sizeof(rows)[0], opts)

#define DEFLATE "permessage-deflate"
#define SERVER_NO "; server_no_context_takeover"
#define CLIENT_NO "; client_no_context_takeover"
#define SERVER_BITS "; server_max_window_bits"
#define CLIENT_BITS "; client_max_window_bits"

static void
a_server_answers_what_is_offered(void)
{
        static const struct offer rows[] = {
                {DEFLATE, DEFLATE},
                {"Permessage-DEFLATE", DEFLATE},
                {" \t" DEFLATE " \t", DEFLATE},
                {DEFLATE SERVER_NO, DEFLATE SERVER_NO},
                {DEFLATE CLIENT_NO, DEFLATE CLIENT_NO},
                {DEFLATE CLIENT_NO SERVER_NO, DEFLATE SERVER_NO CLIENT_NO},
                {DEFLATE ";Server_No_Context_Takeover\t ;\tCLIENT_no_context_takeover", DEFLATE SERVER_NO CLIENT_NO},
                {DEFLATE SERVER_BITS "=15", DEFLATE SERVER_BITS "=15"},
                {DEFLATE SERVER_BITS "=8", DEFLATE SERVER_BITS "=8"},
                {DEFLATE SERVER_BITS "=9", DEFLATE SERVER_BITS "=9"},
                {DEFLATE SERVER_BITS "=10", DEFLATE SERVER_BITS "=10"},
                {DEFLATE SERVER_BITS "=\"12\"", DEFLATE SERVER_BITS "=12"},
                {DEFLATE SERVER_BITS, DEFLATE SERVER_BITS "=15"},
                {DEFLATE CLIENT_BITS, DEFLATE CLIENT_BITS "=15"},
                {DEFLATE CLIENT_BITS "=8", DEFLATE CLIENT_BITS "=8"},
                {DEFLATE CLIENT_BITS " = 11 ", DEFLATE CLIENT_BITS "=11"},
                {DEFLATE CLIENT_BITS "=\"15\"" SERVER_BITS "=14" SERVER_NO CLIENT_NO,
                 DEFLATE SERVER_NO CLIENT_NO SERVER_BITS "=14" CLIENT_BITS "=15"},
        };

        GREEN_COVERS("WS-35", "WS-36");
        CHECK_OFFERS(rows, settled(true, 15, 15));
}

static void
a_server_declines_what_it_does_not_know(void)
{
        static const struct offer rows[] = {
                {"", NULL},
                {",", NULL},
                {"permessage-bzip2", NULL},
                {"permessage-deflat", NULL},
                {"permessage-deflate2", NULL},
                {"x-webkit-deflate-frame", NULL},
                {"\"permessage-deflate\"", NULL},
                {DEFLATE "; unknown", NULL},
                {DEFLATE "; server_no_context_takeove", NULL},
                {DEFLATE "; unknown=1", NULL},
                {DEFLATE SERVER_NO SERVER_NO, NULL},
                {DEFLATE CLIENT_NO CLIENT_NO, NULL},
                {DEFLATE SERVER_BITS "=10" SERVER_BITS "=10", NULL},
                {DEFLATE SERVER_BITS SERVER_BITS, NULL},
                {DEFLATE CLIENT_BITS CLIENT_BITS "=10", NULL},
                {DEFLATE SERVER_NO "=1", NULL},
                {DEFLATE CLIENT_NO "=\"1\"", NULL},
                {DEFLATE SERVER_BITS "=7", NULL},
                {DEFLATE SERVER_BITS "=16", NULL},
                {DEFLATE SERVER_BITS "=08", NULL},
                {DEFLATE SERVER_BITS "=015", NULL},
                {DEFLATE SERVER_BITS "=1", NULL},
                {DEFLATE SERVER_BITS "=0", NULL},
                {DEFLATE SERVER_BITS "=-9", NULL},
                {DEFLATE SERVER_BITS "=+9", NULL},
                {DEFLATE SERVER_BITS "=nine", NULL},
                {DEFLATE SERVER_BITS "=9x", NULL},
                {DEFLATE SERVER_BITS "=", NULL},
                {DEFLATE SERVER_BITS "=\"\"", NULL},
                {DEFLATE SERVER_BITS "=\"9", NULL},
                {DEFLATE SERVER_BITS "=9\"", NULL},
                {DEFLATE SERVER_BITS "=\" 9\"", NULL},
                {DEFLATE SERVER_BITS "=\"\\9\"", NULL},
                {DEFLATE CLIENT_BITS "=7", NULL},
                {DEFLATE CLIENT_BITS "=16", NULL},
                {DEFLATE CLIENT_BITS "=08", NULL},
                {DEFLATE CLIENT_BITS "=1e1", NULL},
                {DEFLATE ";", NULL},
                {DEFLATE "; ;" SERVER_NO, NULL},
                {DEFLATE SERVER_NO ";", NULL},
                {DEFLATE " server_no_context_takeover", NULL},
                {DEFLATE "=1", NULL},
                {DEFLATE SERVER_NO "\x01", NULL},
                {DEFLATE "; =9", NULL},
        };

        GREEN_COVERS("WS-36", "WS-37");
        CHECK_OFFERS(rows, settled(true, 15, 15));
}

static void
a_server_takes_the_first_offer_that_it_can(void)
{
        static const struct offer rows[] = {
                {"permessage-bzip2, " DEFLATE, DEFLATE},
                {DEFLATE SERVER_BITS "=16, " DEFLATE SERVER_NO, DEFLATE SERVER_NO},
                {DEFLATE "; unknown," DEFLATE SERVER_BITS "=ten,," DEFLATE SERVER_BITS "=10," DEFLATE,
                 DEFLATE SERVER_BITS "=10"},
                {DEFLATE CLIENT_NO ", " DEFLATE SERVER_NO, DEFLATE CLIENT_NO},
                {"foo; bar=\"a, " DEFLATE "; b\", " DEFLATE SERVER_NO, DEFLATE SERVER_NO},
                {DEFLATE "; unknown, other", NULL},
        };
        struct green_websocket_opts none = settled(true, 15, 15);
        struct green__ws_params p;
        char text[GREEN__WS_EXTENSION_MAX];

        GREEN_COVERS("WS-35");
        CHECK_OFFERS(rows, settled(true, 15, 15));
        none.no_deflate = true;
        CHECK(!green__ws_extension_accept(DEFLATE, &none, &p, text));
}

static void
a_server_says_what_it_does_itself(void)
{
        static const struct offer no_takeover[] = {
                {DEFLATE, DEFLATE SERVER_NO CLIENT_NO},
                {DEFLATE SERVER_NO, DEFLATE SERVER_NO CLIENT_NO},
                {DEFLATE CLIENT_BITS, DEFLATE SERVER_NO CLIENT_NO CLIENT_BITS "=15"},
        };
        static const struct offer small[] = {
                {DEFLATE, DEFLATE SERVER_BITS "=11"},
                {DEFLATE SERVER_BITS "=12", DEFLATE SERVER_BITS "=11"},
                {DEFLATE SERVER_BITS "=9", DEFLATE SERVER_BITS "=9"},
                {DEFLATE CLIENT_BITS, DEFLATE SERVER_BITS "=11" CLIENT_BITS "=10"},
                {DEFLATE CLIENT_BITS "=15", DEFLATE SERVER_BITS "=11" CLIENT_BITS "=10"},
                {DEFLATE CLIENT_BITS "=8", DEFLATE SERVER_BITS "=11" CLIENT_BITS "=8"},
        };

        CHECK_OFFERS(no_takeover, settled(false, 15, 15));
        CHECK_OFFERS(small, settled(true, 11, 10));
}

static void
a_client_offers_what_it_was_told(void)
{
        static const struct {
                bool takeover;
                int server_bits, client_bits;
                const char *offer;
        } rows[] = {
                {true, 15, 15, DEFLATE CLIENT_BITS},
                {false, 15, 15, DEFLATE SERVER_NO CLIENT_NO CLIENT_BITS},
                {true, 10, 15, DEFLATE SERVER_BITS "=10" CLIENT_BITS},
                {true, 15, 8, DEFLATE CLIENT_BITS "=8"},
                {false, 8, 9, DEFLATE SERVER_NO CLIENT_NO SERVER_BITS "=8" CLIENT_BITS "=9"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct green_websocket_opts o = settled(rows[i].takeover, rows[i].server_bits, rows[i].client_bits);
                char text[GREEN__WS_EXTENSION_MAX], answer[GREEN__WS_EXTENSION_MAX];
                struct green__ws_params server, client;

                green__ws_extension_offer(&o, text);
                CHECK_STR(text, rows[i].offer);
                /* Both ends of this library agree, and on the same. */
                for (int k = 0; k < 8; k++) {
                        struct green_websocket_opts s = settled(k & 1, k & 2 ? 9 : 15, k & 4 ? 9 : 15);

                        CHECK(green__ws_extension_accept(text, &s, &server, answer));
                        CHECK(green__ws_extension_agree(answer, &o, &client));
                        CHECK_INT(client.server_bits, server.server_bits);
                        CHECK(client.client_bits <= server.client_bits);
                        CHECK_INT(client.server_no_takeover, server.server_no_takeover);
                        CHECK(client.client_no_takeover || !server.client_no_takeover);
                }
        }
}

struct agreed {
        const char *answer;
        bool good;
        uint8_t server_bits, client_bits;
        bool server_no, client_no;
};

static void
check_agreed(const struct agreed *rows, size_t n, struct green_websocket_opts opts)
{
        for (size_t i = 0; i < n; i++) {
                struct green__ws_params p = {false, false, 0, 0};
                bool good = green__ws_extension_agree(rows[i].answer, &opts, &p);

                if (good != rows[i].good)
                        FAIL("'%s' is %s", rows[i].answer, good ? "taken" : "refused");
                if (!good || !rows[i].good)
                        continue;
                CHECK_INT(p.server_bits, rows[i].server_bits);
                CHECK_INT(p.client_bits, rows[i].client_bits);
                CHECK_INT(p.server_no_takeover, rows[i].server_no);
                CHECK_INT(p.client_no_takeover, rows[i].client_no);
        }
}
#define CHECK_AGREED(rows, opts) check_agreed(rows, sizeof(rows) / sizeof(rows)[0], opts)

static void
a_client_refuses_what_it_has_not_offered(void)
{
        static const struct agreed usual[] = {
                {DEFLATE, true, 15, 15, false, false},
                {DEFLATE SERVER_NO CLIENT_NO, true, 15, 15, true, true},
                {DEFLATE SERVER_BITS "=9" CLIENT_BITS "=\"10\"", true, 9, 10, false, false},
                {"", .good = false},
                {",", .good = false},
                {"permessage-bzip2", .good = false},
                {DEFLATE ", " DEFLATE, .good = false},
                {DEFLATE ", other", .good = false},
                {DEFLATE "; unknown", .good = false},
                {DEFLATE SERVER_NO SERVER_NO, .good = false},
                {DEFLATE SERVER_BITS, .good = false},
                {DEFLATE CLIENT_BITS, .good = false},
                {DEFLATE SERVER_BITS "=7", .good = false},
                {DEFLATE CLIENT_BITS "=16", .good = false},
                {DEFLATE SERVER_NO "=1", .good = false},
                {DEFLATE ";", .good = false},
        };
        static const struct agreed no_takeover[] = {
                {DEFLATE, .good = false},
                {DEFLATE CLIENT_NO, .good = false},
                {DEFLATE SERVER_NO, true, 15, 15, true, true},
        };
        static const struct agreed small[] = {
                {DEFLATE, .good = false},
                {DEFLATE SERVER_BITS "=12", .good = false},
                {DEFLATE SERVER_BITS "=11", true, 11, 10, false, false},
                {DEFLATE SERVER_BITS "=9" CLIENT_BITS "=10", true, 9, 10, false, false},
                {DEFLATE SERVER_BITS "=9" CLIENT_BITS "=8", true, 9, 8, false, false},
                {DEFLATE SERVER_BITS "=9" CLIENT_BITS "=11", .good = false},
        };
        struct green_websocket_opts none = settled(true, 15, 15);
        struct green__ws_params p;

        CHECK_AGREED(usual, settled(true, 15, 15));
        CHECK_AGREED(no_takeover, settled(false, 15, 15));
        CHECK_AGREED(small, settled(true, 11, 10));
        none.no_deflate = true;
        CHECK(!green__ws_extension_agree(DEFLATE, &none, &p));
}

/* ---- URLs */

static void
urls_are_taken_apart(void)
{
        static const struct {
                const char *url;
                bool tls;
                const char *host, *name, *address, *target;
        } rows[] = {
                {"ws://h", false, "h", "h", "h:80", "/"},
                {"wss://h", true, "h", "h", "h:443", "/"},
                {"WS://Host.example/", false, "host.example", "host.example", "host.example:80", "/"},
                {"wSS://h:/a/b?c=d&e=/?", true, "h", "h", "h:443", "/a/b?c=d&e=/?"},
                {"ws://h:80/", false, "h", "h", "h:80", "/"},
                {"wss://h:80/", true, "h:80", "h", "h:80", "/"},
                {"ws://h:443/x", false, "h:443", "h", "h:443", "/x"},
                {"wss://h:0443?q", true, "h", "h", "h:443", "/?q"},
                {"ws://127.0.0.1:8080?", false, "127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080", "/?"},
                {"ws://[::1]/%20", false, "[::1]", "::1", "[::1]:80", "/%20"},
                {"wss://[fe80::1:2]:65535", true, "[fe80::1:2]:65535", "fe80::1:2", "[fe80::1:2]:65535", "/"},
                {"ws://h/a@b:c", false, "h", "h", "h:80", "/a@b:c"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                char *url = copy_of(rows[i].url, strlen(rows[i].url) + 1);
                struct green__url u = {0};

                CHECK_INT(green__ws_url_parse(url, &u), 0);
                CHECK_INT(u.tls, rows[i].tls);
                CHECK_STR(u.host, rows[i].host);
                CHECK_STR(u.name, rows[i].name);
                CHECK_STR(u.address, rows[i].address);
                CHECK_STR(u.target, rows[i].target);
                green_free(u.text);
                free(url);
        }
}

static void
urls_that_are_none_are_refused(void)
{
        static const char *const bad[] = {"",
                                          "ws",
                                          "ws:",
                                          "ws:/h",
                                          "ws//h",
                                          "http://h/",
                                          "wsss://h/",
                                          " ws://h/",
                                          "ws://",
                                          "ws:///",
                                          "ws://?q",
                                          "ws://:80/",
                                          "ws://u@h/",
                                          "ws://u:p@h/",
                                          "ws://h:65536/",
                                          "ws://h:-1/",
                                          "ws://h:8o/",
                                          "ws://h:80:80/",
                                          "ws://h:99999999999999999999/",
                                          "ws://h/#",
                                          "ws://h#f",
                                          "ws://h/?q#f",
                                          "ws://h /",
                                          "ws://h/a b",
                                          "ws://h/a\r\nX: y",
                                          "ws://h\r\n/",
                                          "ws://h/\x7f",
                                          "ws://h/\xc3\xa4",
                                          "ws://\xc3\xa4/",
                                          "ws://h/<",
                                          "ws://h/\"",
                                          "ws://h/a\\b",
                                          "ws://[::1/",
                                          "ws://[]/",
                                          "ws://[::1]a/",
                                          "ws://[1:2]/",
                                          "ws://::1/"};

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct green__url u = {0};

                if (green__ws_url_parse(bad[i], &u) != -EINVAL || u.text != NULL)
                        FAIL("%s", bad[i]);
                CHECK_INT(green_last_error()->code, -EINVAL);
        }
        struct green__url u = {0};
        CHECK_INT(green__ws_url_parse(NULL, &u), -EINVAL);
}

/* ---- the answer to a client */

#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define FIRST "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPTED "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define SHAKEN FIRST UPGRADE CONNECTION ACCEPTED
#define PROTOCOL "Sec-WebSocket-Protocol: "
#define EXTENSIONS "Sec-WebSocket-Extensions: "

static green_websocket_site *
client_site(bool deflate)
{
        static const char *const protocols[] = {"chat", "superchat", NULL};
        struct green_websocket_opts o = {.size = sizeof o, .protocols = protocols, .context_takeover = true};
        green_websocket_site *site = NULL;

        CHECK_INT(green__ws_site_new(NULL, NULL, &o, &site), 0);
        /* A build without zlib has none: what is said of it is looked at all the same. */
        if (site != NULL)
                site->opts.no_deflate = !deflate;
        return site;
}

static ssize_t
take(const char *text, size_t len, bool deflate, struct green__ws_agreed *ret)
{
        green_websocket_site *site = client_site(deflate);
        char *copy = copy_of(text, len);
        ssize_t rc;

        if (site == NULL) {
                free(copy);
                return -ENOMEM;
        }
        rc = green__ws_answer_take(copy, len, ACCEPT, site, ret);
        free(copy);
        /* It is a text of the site's. */
        if (rc > 0 && ret->protocol != NULL)
                ret->protocol = strcmp(ret->protocol, "chat") == 0 ? "chat" : "superchat";
        green_websocket_site_unref(site);
        return rc;
}

static void
a_good_answer_is_taken_when_all_of_it_is_there(void)
{
        static const struct {
                const char *text, *protocol;
                bool deflate;
        } rows[] = {
                {SHAKEN "\r\n", NULL, false},
                {"HTTP/1.1 101 \r\n" ACCEPTED CONNECTION UPGRADE "\r\n", NULL, false},
                {"HTTP/1.1 101\r\n" ACCEPTED CONNECTION UPGRADE "\r\n", NULL, false},
                {"HTTP/1.1 101 Yes\r\nserver: x\r\nUPGRADE:  WebSocket \r\nconnection: keep-alive,  UPGRADE\r\n"
                 "sec-websocket-accept:" ACCEPT "\r\n\r\n",
                 NULL, false},
                {FIRST UPGRADE "Connection: keep-alive\r\n" CONNECTION ACCEPTED "\r\n", NULL, false},
                {SHAKEN PROTOCOL "superchat\r\n\r\n", "superchat", false},
                {SHAKEN EXTENSIONS DEFLATE "\r\n\r\n", NULL, true},
                {SHAKEN EXTENSIONS DEFLATE SERVER_NO "\r\n" PROTOCOL "chat\r\n\r\n", "chat", true},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                size_t len = strlen(rows[i].text);
                struct green__ws_agreed agreed;

                for (size_t cut = 0; cut < len; cut++)
                        if (take(rows[i].text, cut, true, &agreed) != 0)
                                FAIL("answer %zu, cut at %zu", i, cut);
                CHECK_INT(take(rows[i].text, len, true, &agreed), len);
                CHECK_STR(agreed.protocol, rows[i].protocol);
                CHECK_INT(agreed.deflate, rows[i].deflate);
        }
}

static void
what_follows_an_answer_is_left(void)
{
        static const char text[] = SHAKEN "\r\n\x81\x01" "a";
        struct green__ws_agreed agreed;

        CHECK_INT(take(text, sizeof text - 1, true, &agreed), sizeof text - 1 - 3);
}

static void
an_answer_with_anything_wrong_is_refused(void)
{
        static const char *const bad[] = {
                "HTTP/1.0 101 Switching Protocols\r\n" UPGRADE CONNECTION ACCEPTED "\r\n",
                "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION ACCEPTED "\r\n",
                "HTTP/1.1 1010\r\n" UPGRADE CONNECTION ACCEPTED "\r\n",
                "HTTP/1.1 101Yes\r\n" UPGRADE CONNECTION ACCEPTED "\r\n",
                "HTTP/2 101 Yes\r\n" UPGRADE CONNECTION ACCEPTED "\r\n",
                "HTTP/1.1 101 Yes\n" UPGRADE CONNECTION ACCEPTED "\r\n",
                "\r\n" SHAKEN "\r\n",
                "x\r\n",
                "\n",
                FIRST CONNECTION ACCEPTED "\r\n",
                FIRST "Upgrade: websockets\r\n" CONNECTION ACCEPTED "\r\n",
                FIRST "Upgrade: h2c, websocket\r\n" CONNECTION ACCEPTED "\r\n",
                FIRST UPGRADE UPGRADE CONNECTION ACCEPTED "\r\n",
                FIRST UPGRADE ACCEPTED "\r\n",
                FIRST UPGRADE "Connection: close\r\n" ACCEPTED "\r\n",
                FIRST UPGRADE "Connection: upgraded\r\n" ACCEPTED "\r\n",
                FIRST UPGRADE CONNECTION "\r\n",
                FIRST UPGRADE CONNECTION "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                FIRST UPGRADE CONNECTION "Sec-WebSocket-Accept: " ACCEPT "=\r\n\r\n",
                FIRST UPGRADE CONNECTION "Sec-WebSocket-Accept:\r\n\r\n",
                FIRST UPGRADE CONNECTION ACCEPTED ACCEPTED "\r\n",
                SHAKEN PROTOCOL "other\r\n\r\n",
                SHAKEN PROTOCOL "Chat\r\n\r\n",
                SHAKEN PROTOCOL "chat, superchat\r\n\r\n",
                SHAKEN PROTOCOL "\r\n\r\n",
                SHAKEN PROTOCOL "chat\r\n" PROTOCOL "chat\r\n\r\n",
                SHAKEN EXTENSIONS "other\r\n\r\n",
                SHAKEN EXTENSIONS "\r\n\r\n",
                SHAKEN EXTENSIONS DEFLATE ", " DEFLATE "\r\n\r\n",
                SHAKEN EXTENSIONS DEFLATE "\r\n" EXTENSIONS DEFLATE "\r\n\r\n",
                SHAKEN "no colon\r\n\r\n",
                SHAKEN "a b: c\r\n\r\n",
                SHAKEN "a: \x01\r\n\r\n",
                SHAKEN "a: b\r\n folded\r\n\r\n",
                SHAKEN ": c\r\n\r\n",
        };
        struct green__ws_agreed agreed;

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                if (take(bad[i], strlen(bad[i]), true, &agreed) != -EPROTO)
                        FAIL("answer %zu: %s", i, bad[i]);
                CHECK_INT(green_last_error()->code, -EPROTO);
        }
        CHECK_INT(take(SHAKEN EXTENSIONS DEFLATE "\r\n\r\n", sizeof(SHAKEN EXTENSIONS DEFLATE "\r\n\r\n") - 1, false, &agreed),
                  -EPROTO);
}

/* Its message has the status, and not all of what an enemy may put there. */
static void
a_refusal_is_told_with_its_status(void)
{
        char text[2048] = "HTTP/1.1 403 ";
        struct green__ws_agreed agreed;

        CHECK_INT(take("HTTP/1.1 403 Forbidden\r\n", 24, true, &agreed), -EPROTO);
        CHECK(strstr(green_last_error()->message, "403 Forbidden") != NULL);
        memset(text + 13, 'x', sizeof text - 13);
        CHECK_INT(take(text, 1000, true, &agreed), 0);
        CHECK_INT(take(text, 1025, true, &agreed), -EPROTO);
        memcpy(text + 1000, "\r\n", 2);
        CHECK_INT(take(text, 1002, true, &agreed), -EPROTO);
        CHECK(strstr(green_last_error()->message, "403 xxx") != NULL);
}

static void
a_long_answer_is_refused(void)
{
        static char text[65536] = SHAKEN;
        size_t len = strlen(text);
        struct green__ws_agreed agreed;

        for (int i = 0; i < 70; i++) {
                memcpy(text + len, "x: y\r\n", 6);
                len += 6;
        }
        memcpy(text + len, "\r\n", 2);
        CHECK_INT(take(text, len + 2, true, &agreed), -EPROTO);
        len = strlen(SHAKEN "x: ");
        memcpy(text + strlen(SHAKEN), "x: ", 3);
        memset(text + len, 'y', sizeof text - len);
        CHECK_INT(take(text, sizeof text, true, &agreed), -EPROTO);
}

GREEN_SUITE(web_ws_negotiate) {
        GREEN_TEST(a_server_answers_what_is_offered),
        GREEN_TEST(a_server_declines_what_it_does_not_know),
        GREEN_TEST(a_server_takes_the_first_offer_that_it_can),
        GREEN_TEST(a_server_says_what_it_does_itself),
        GREEN_TEST(a_client_offers_what_it_was_told),
        GREEN_TEST(a_client_refuses_what_it_has_not_offered),
        GREEN_TEST(urls_are_taken_apart),
        GREEN_TEST(urls_that_are_none_are_refused),
        GREEN_TEST(a_good_answer_is_taken_when_all_of_it_is_there),
        GREEN_TEST(what_follows_an_answer_is_left),
        GREEN_TEST(an_answer_with_anything_wrong_is_refused),
        GREEN_TEST(a_refusal_is_told_with_its_status),
        GREEN_TEST(a_long_answer_is_refused),
        GREEN_SUITE_END
};
