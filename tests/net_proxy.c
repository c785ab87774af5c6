/*
 * The PROXY protocol: headers as bytes, and their receiving.
 */
#include "net_suite.h"

#include <sys/socket.h>

#include <green/proxy.h>

/* ---- headers as bytes */

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(text) text, sizeof(text) - 1

static const char *
text_of(const struct green_addr *addr)
{
        static char texts[4][GREEN_ADDR_TEXT_SIZE];
        static int next;
        char *text = texts[next++ % 4];

        CHECK(green_addr_format(addr, text, sizeof texts[0]) > 0);
        return text;
}

/* Right, of so many bytes; every shorter beginning is one, and no byte behind it counts. */
static struct green_proxy_info
right(const char *data, size_t len)
{
        struct green_proxy_info info = {.version = 0}, other;
        char more[600];

        for (size_t i = 0; i < len; i++)
                if (!CHECK_INT(green_proxy_parse(data, i, &other), -EAGAIN))
                        break;
        CHECK_INT(green_proxy_parse(data, len, &info), len);
        CHECK(len < sizeof more - 8);
        memcpy(more, data, len);
        memcpy(more + len, "GET / HT", 8);
        CHECK_INT(green_proxy_parse(more, len + 8, &other), len);
        return info;
}

static void
is_wrong(const char *data, size_t len)
{
        struct green_proxy_info info = {.version = 77};

        if (!CHECK_INT(green_proxy_parse(data, len, &info), -EPROTO))
                FAIL("%.*s", (int)len, data);
        CHECK_INT(info.version, 77);
        CHECK(strncmp(green_last_error()->message, "PROXY protocol: ", 16) == 0);
}

static void
a_line_says_who_the_client_is(void)
{
        struct green_proxy_info info = right(BYTES("PROXY TCP4 192.0.2.1 198.51.100.255 56324 443\r\n"));

        CHECK_INT(info.version, 1);
        CHECK(!info.local && !info.tls);
        CHECK_INT(info.type, SOCK_STREAM);
        CHECK_STR(text_of(&info.source), "192.0.2.1:56324");
        CHECK_STR(text_of(&info.destination), "198.51.100.255:443");
        info = right(BYTES("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"));
        CHECK_STR(text_of(&info.source), "[2001:db8::1]:0");
        CHECK_STR(text_of(&info.destination), "[::1]:65535");
        info = right(BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"));
        CHECK_STR(text_of(&info.source), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
        CHECK(!info.local);
}

static void
a_line_may_say_that_the_client_is_not_known(void)
{
        struct green_proxy_info info = right(BYTES("PROXY UNKNOWN\r\n"));

        CHECK(info.local && info.version == 1 && info.source.size == 0 && info.destination.size == 0);
        info = right(BYTES("PROXY UNKNOWN ffff::1 what ever 65535 65535\r\n"));
        CHECK(info.local);
        /* 107 bytes, which is the most. */
        info = right(BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"));
        CHECK(info.local);
        is_wrong(BYTES("PROXY UNKNOWN  ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"));
}

static void
lines_that_are_wrong_are_refused(void)
{
        is_wrong(BYTES("GET / HTTP/1.1\r\n"));
        is_wrong(BYTES("X"));
        is_wrong(BYTES("\x16\x03\x01"));
        is_wrong(BYTES("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("proxy"));
        is_wrong(BYTES("PROXY UNKNOWNS\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1. 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 ::1 ::1 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP6 fe80::1%lo ::1 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP6 1::2::3 ::1 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP6 ::1\0 ::1 1 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 99999999999999999999\r\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r"
                       "x"));
        is_wrong(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx\r\n"));
        is_wrong(BYTES("PROXY \r\n"));
}

static void
a_block_says_who_the_client_is(void)
{
        struct green_proxy_info info = right(BYTES(SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01\xbb"));

        CHECK_INT(info.version, 2);
        CHECK(!info.local && !info.tls);
        CHECK_INT(info.type, SOCK_STREAM);
        CHECK_STR(text_of(&info.source), "192.0.2.1:56324");
        CHECK_STR(text_of(&info.destination), "198.51.100.255:443");
        info = right(BYTES(SIGNATURE "\x21\x12\0\x0c\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01\xbb"));
        CHECK_INT(info.type, SOCK_DGRAM);
        info = right(BYTES(SIGNATURE "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50\xff\xff"));
        CHECK_STR(text_of(&info.source), "[2001:db8::1]:80");
        CHECK_STR(text_of(&info.destination), "[::1]:65535");
}

static void
a_block_may_speak_of_unix_sockets(void)
{
        char data[16 + 216] = SIGNATURE "\x21\x31\0\xd8";
        struct green_proxy_info info;

        snprintf(data + 16, 108, "/run/a.sock");
        info = right(data, sizeof data);
        CHECK_STR(text_of(&info.source), "unix:/run/a.sock");
        CHECK_STR(text_of(&info.destination), "unix:");
        memset(data + 16, 'a', 216);
        info = right(data, sizeof data);
        CHECK_INT(green_addr_family(&info.source), AF_UNIX);
        memcpy(data + 16, "\0abstract", 9);
        memset(data + 25, 0, 99);
        info = right(data, sizeof data);
        CHECK_STR(text_of(&info.source), "unix:@abstract");
}

static void
a_block_may_speak_for_the_proxy_itself(void)
{
        struct green_proxy_info info = right(BYTES(SIGNATURE "\x20\0\0\0"));

        CHECK(info.local && info.version == 2 && info.source.size == 0);
        /* Nothing counts of it. */
        info = right(BYTES(SIGNATURE "\x20\xff\0\x03"
                                     "abc"));
        CHECK(info.local);
        /* Of a family that is not known. */
        info = right(BYTES(SIGNATURE "\x21\0\0\0"));
        CHECK(info.local);
        info = right(BYTES(SIGNATURE "\x21\x10\0\x0c\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01\xbb"));
        CHECK(info.local && info.source.size == 0);
}

#define V4 "\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01\xbb"

static void
extensions_are_passed_over(void)
{
        struct green_proxy_info info = right(BYTES(SIGNATURE "\x21\x11\0\x19" V4 "\x02\0\x04name\x04\0\0\xe0\0\0"));

        CHECK(!info.local && !info.tls);
        /* The client has spoken TLS, and has not. */
        info = right(BYTES(SIGNATURE "\x21\x11\0\x14" V4 "\x20\0\x05\x01\0\0\0\0"));
        CHECK(info.tls);
        info = right(BYTES(SIGNATURE "\x21\x11\0\x14" V4 "\x20\0\x05\x06\0\0\0\0"));
        CHECK(!info.tls);
        is_wrong(BYTES(SIGNATURE "\x21\x11\0\x13" V4 "\x20\0\x04\x01\0\0\0"));
        is_wrong(BYTES(SIGNATURE "\x21\x11\0\x0d" V4 "\x02"));
        is_wrong(BYTES(SIGNATURE "\x21\x11\0\x0e" V4 "\x02\0"));
        is_wrong(BYTES(SIGNATURE "\x21\x11\0\x10" V4 "\x02\0\x02n"));
        is_wrong(BYTES(SIGNATURE "\x21\x11\0\x10" V4 "\x02\xff\xff\n"));
}

static void
a_checksum_is_checked(void)
{
        /* Worked out by a program that gives 0xe3069283 for "123456789", as RFC 3720's CRC-32C is to. */
        char data[] = SIGNATURE "\x21\x11\0\x13" V4 "\x03\0\x04\xdc\xab\x0e\x29";
        struct green_proxy_info info = right(BYTES(SIGNATURE "\x21\x11\0\x13" V4 "\x03\0\x04\xdc\xab\x0e\x29"));

        CHECK_STR(text_of(&info.source), "192.0.2.1:56324");
        for (size_t i = 16; i < sizeof data - 1; i++) {
                if (i >= 28 && i < 31)
                        continue;
                data[i] ^= 0x10;
                is_wrong(data, sizeof data - 1);
                data[i] ^= 0x10;
        }
        is_wrong(BYTES(SIGNATURE "\x21\x11\0\x12" V4 "\x03\0\x03\xdc\xab\x0e"));
}

static void
blocks_that_are_wrong_are_refused(void)
{
        is_wrong(BYTES("\r\n\r\n\0\r\nQUIT\r"));
        is_wrong(BYTES("\r\n\r\n\x01"));
        is_wrong(BYTES(SIGNATURE "\x11"));
        is_wrong(BYTES(SIGNATURE "\x31"));
        is_wrong(BYTES(SIGNATURE "\x22"));
        is_wrong(BYTES(SIGNATURE "\x2f"));
        is_wrong(BYTES(SIGNATURE "\x21\x41\0\0"));
        is_wrong(BYTES(SIGNATURE "\x21\x13\0\x0c" V4));
        is_wrong(BYTES(SIGNATURE "\x21\x11\0\x0b\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01"));
        is_wrong(BYTES(SIGNATURE "\x21\x21\0\x0c" V4));
        is_wrong(BYTES(SIGNATURE "\x21\x11\x0f\xf1"));
        is_wrong(BYTES(SIGNATURE "\x20\0\xff\xff"));
}

static void
what_is_asked_wrongly_is_refused(void)
{
        struct green_proxy_info info = {.version = 3};
        char data[256];

        CHECK_INT(green_proxy_parse(NULL, 1, &info), -EINVAL);
        CHECK_INT(green_proxy_parse("x", 1, NULL), -EINVAL);
        CHECK_INT(green_proxy_parse(NULL, 0, &info), -EAGAIN);
        CHECK_INT(green_proxy_format(NULL, data, sizeof data), -EINVAL);
        CHECK_INT(green_proxy_format(&info, data, sizeof data), -EINVAL);
        info.version = 2;
        CHECK_INT(green_addr_parse("127.0.0.1:1", &info.source), 0);
        CHECK_INT(green_proxy_format(&info, data, sizeof data), -EINVAL);
        CHECK_INT(green_addr_parse("127.0.0.1:2", &info.destination), 0);
        CHECK_INT(green_proxy_format(&info, NULL, 0), -EINVAL);
        CHECK_INT(green_proxy_format(&info, data, 27), -ENOBUFS);
        CHECK_INT(green_proxy_format(&info, data, 28), 28);
        CHECK_INT(green_socket_read_proxy(NULL, &info), -EINVAL);
}

static void
what_is_made_can_be_read(void)
{
        static const char *const pairs[][2] = {
                {"192.0.2.1:56324", "198.51.100.255:443"}, {"[2001:db8::1]:80", "[::1]:65535"}, {"unix:/run/a", "unix:/run/b"}};

        for (int version = 1; version <= 2; version++) {
                for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
                        struct green_proxy_info info = {.version = version, .type = SOCK_STREAM}, got;
                        char data[256];
                        ssize_t n;

                        CHECK_INT(green_addr_parse(pairs[i][0], &info.source), 0);
                        CHECK_INT(green_addr_parse(pairs[i][1], &info.destination), 0);
                        n = green_proxy_format(&info, data, sizeof data);
                        CHECK(n > 0);
                        got = right(data, (size_t)n);
                        CHECK_INT(got.version, version);
                        CHECK_INT(got.local, version == 1 && i == 2);
                        if (!got.local) {
                                CHECK_STR(text_of(&got.source), pairs[i][0]);
                                CHECK_STR(text_of(&got.destination), pairs[i][1]);
                                CHECK_INT(got.type, SOCK_STREAM);
                        }
                        info.local = true;
                        n = green_proxy_format(&info, data, sizeof data);
                        CHECK_INT(n, version == 1 ? 15 : 16);
                        got = right(data, (size_t)n);
                        CHECK(got.local);
                }
        }
}

/* ---- receiving */

struct reader {
        green_socket *s;
        struct green_proxy_info info;
        int rc;
};

static void *
read_it(void *arg)
{
        struct reader *r = arg;

        r->rc = green_socket_read_proxy(r->s, &r->info);
        return NULL;
}

static void
no_byte_behind_it_is_taken(void)
{
        static const struct {
                const char *data;
                size_t len;
        } headers[] = {{BYTES("PROXY TCP4 192.0.2.1 198.51.100.255 56324 443\r\n")}, {BYTES(SIGNATURE "\x21\x11\0\x0c" V4)}};

        for (size_t i = 0; i < 2; i++) {
                green_socket *pair[2];
                struct reader r;
                char rest[16];

                CHECK_INT(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
                r.s = pair[0];
                /* All at once. */
                CHECK_INT(green_socket_sendall(pair[1], headers[i].data, headers[i].len, 0, NULL), 0);
                CHECK_INT(green_socket_sendall(pair[1], "GET", 3, 0, NULL), 0);
                (void)read_it(&r);
                CHECK_INT(r.rc, 0);
                CHECK_STR(text_of(&r.info.source), "192.0.2.1:56324");
                CHECK_INT(green_socket_recv(pair[0], rest, sizeof rest, 0), 3);
                CHECK(memcmp(rest, "GET", 3) == 0);
                /* Byte by byte. */
                {
                        green_thread *gt = green_spawn(read_it, &r);

                        for (size_t at = 0; at < headers[i].len; at++) {
                                CHECK_INT(green_socket_sendall(pair[1], headers[i].data + at, 1, 0, NULL), 0);
                                green_sleep(0);
                                CHECK(!green_thread_dead(gt) || at == headers[i].len - 1);
                        }
                        CHECK_INT(green_socket_sendall(pair[1], "GET", 3, 0, NULL), 0);
                        CHECK_INT(green_thread_wait(gt, NULL), 0);
                        green_thread_unref(gt);
                }
                CHECK_INT(r.rc, 0);
                CHECK_INT(green_socket_recv(pair[0], rest, sizeof rest, 0), 3);
                CHECK_INT(green_socket_free(pair[0]), 0);
                CHECK_INT(green_socket_free(pair[1]), 0);
        }
}

static void
what_is_none_is_an_error(void)
{
        struct green_proxy_info info;
        green_socket *pair[2];

        CHECK_INT(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        CHECK_INT(green_socket_set_timeout(pair[0], 0.02), 0);
        CHECK_INT(green_socket_read_proxy(pair[0], &info), -ETIMEDOUT);
        CHECK_INT(green_socket_sendall(pair[1], "PROXY ", 6, 0, NULL), 0);
        CHECK_INT(green_socket_read_proxy(pair[0], &info), -ETIMEDOUT);
        CHECK_INT(green_socket_sendall(pair[1], "GET /", 5, 0, NULL), 0);
        CHECK_INT(green_socket_read_proxy(pair[0], &info), -EPROTO);
        CHECK(strstr(green_last_error()->message, "there is no header") != NULL);
        CHECK_INT(green_socket_free(pair[0]), 0);
        CHECK_INT(green_socket_free(pair[1]), 0);
        /* Cut in the middle. */
        CHECK_INT(green_socket_pair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        CHECK_INT(green_socket_sendall(pair[1], "PROXY TCP4 1", 12, 0, NULL), 0);
        CHECK_INT(green_socket_shutdown(pair[1], SHUT_WR), 0);
        CHECK_INT(green_socket_read_proxy(pair[0], &info), GREEN_EEOF);
        CHECK_INT(green_socket_free(pair[0]), 0);
        CHECK_INT(green_socket_free(pair[1]), 0);
}

GREEN_SUITE(net_proxy) {
        GREEN_TEST(a_line_says_who_the_client_is),
        GREEN_TEST(a_line_may_say_that_the_client_is_not_known),
        GREEN_TEST(lines_that_are_wrong_are_refused),
        GREEN_TEST(a_block_says_who_the_client_is),
        GREEN_TEST(a_block_may_speak_of_unix_sockets),
        GREEN_TEST(a_block_may_speak_for_the_proxy_itself),
        GREEN_TEST(extensions_are_passed_over),
        GREEN_TEST(a_checksum_is_checked),
        GREEN_TEST(blocks_that_are_wrong_are_refused),
        GREEN_TEST(what_is_asked_wrongly_is_refused),
        GREEN_TEST(what_is_made_can_be_read),
        GREEN_TEST(no_byte_behind_it_is_taken),
        GREEN_TEST(what_is_none_is_an_error),
        GREEN_SUITE_END
};
