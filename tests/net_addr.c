/*
 * Addresses: text, and what the system makes of it.
 */
#include "net_suite.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/un.h>

/* Parse and format again. */
static void
becomes(const char *text, const char *want)
{
        struct green_addr addr;
        char got[GREEN_ADDR_TEXT_SIZE];
        int rc = green_addr_parse(text, &addr);

        if (!CHECK_INT(rc, 0)) {
                FAIL("\"%s\": %s", text, green_last_error()->message);
                return;
        }
        CHECK_INT(green_addr_format(&addr, got, sizeof got), strlen(want));
        CHECK_STR(got, want);
}

static void
fails(const char *text, int code, const char *message)
{
        struct green_addr addr = {.size = 77};

        if (!CHECK_INT(green_addr_parse(text, &addr), code))
                FAIL("that was \"%s\"", text);
        CHECK_INT(addr.size, 77);
        CHECK_INT(green_last_error()->code, code);
        if (strstr(green_last_error()->message, message) == NULL)
                FAIL("\"%s\": the message is \"%s\", and does not say \"%s\"", text, green_last_error()->message, message);
}

static void
text_becomes_an_address_and_text_again(void)
{
        char lo[IF_NAMESIZE], scoped[IF_NAMESIZE + 20];

        becomes("127.0.0.1:80", "127.0.0.1:80");
        becomes("0.0.0.0:0", "0.0.0.0:0");
        becomes("255.255.255.255:65535", "255.255.255.255:65535");
        becomes(":8080", "0.0.0.0:8080");
        becomes("[::1]:80", "[::1]:80");
        becomes("[2001:DB8::0:1]:443", "[2001:db8::1]:443");
        becomes("[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]:1");
        snprintf(scoped, sizeof scoped, "[fe80::1%%%s]:80", if_indextoname(1, lo) != NULL ? lo : "1");
        becomes("[fe80::1%1]:80", scoped);
        becomes(scoped, scoped);
        becomes("[fe80::1%999999]:80", "[fe80::1%999999]:80");
        becomes("unix:/run/x.sock", "unix:/run/x.sock");
        becomes("unix:relative", "unix:relative");
        becomes("unix:@abstract", "unix:@abstract");
        becomes("127.0.0.1:0080", "127.0.0.1:80");
}

static void
what_is_no_address_is_refused_with_a_reason(void)
{
        GREEN_COVERS("CONV-02");
        fails(NULL, -EINVAL, "no address");
        fails("", -EINVAL, "no port");
        fails("127.0.0.1", -EINVAL, "no port");
        fails("8080", -EINVAL, "no port");
        fails("127.0.0.1:", -EINVAL, "0 to 65535");
        fails("127.0.0.1:65536", -EINVAL, "0 to 65535");
        fails("127.0.0.1:99999999999999999999", -EINVAL, "0 to 65535");
        fails("127.0.0.1:-1", -EINVAL, "0 to 65535");
        fails("127.0.0.1:+1", -EINVAL, "0 to 65535");
        fails("127.0.0.1: 80", -EINVAL, "0 to 65535");
        fails("127.0.0.1:80 ", -EINVAL, "0 to 65535");
        fails("127.0.0.1:http", -EINVAL, "0 to 65535");
        fails("127.0.0:80", -EINVAL, "no numeric address");
        fails("127.0.0.1.1.1.1.1.1.1:80", -EINVAL, "no numeric address");
        fails("0x7f000001:80", -EINVAL, "no numeric address");
        fails("localhost:80", -EINVAL, "looks names up");
        fails("::1:80", -EINVAL, "in brackets");
        fails("[::1]", -EINVAL, "no port");
        fails("[::1]80", -EINVAL, "no port");
        fails("[::1]:", -EINVAL, "0 to 65535");
        fails("[::1:80", -EINVAL, "] is missing");
        fails("[]:80", -EINVAL, "no IPv6");
        fails("[::g]:80", -EINVAL, "no IPv6");
        fails("[1.2.3.4]:80", -EINVAL, "no IPv6");
        fails("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80", -EINVAL, "no IPv6");
        fails("[fe80::1%]:80", -ENODEV, "no interface");
        fails("[fe80::1%nosuch0]:80", -ENODEV, "no interface");
        fails("[fe80::1%99999999999]:80", -ENODEV, "no interface");
        fails("unix:", -EINVAL, "path is missing");
}

static void
a_unix_path_may_fill_its_place_and_no_more(void)
{
        struct sockaddr_un sun;
        char text[sizeof sun.sun_path + 16];
        struct green_addr addr;
        socklen_t size;

        memset(text, 0, sizeof text);
        memset(text, 'x', strlen("unix:") + sizeof sun.sun_path - 1);
        memcpy(text, "unix:/", 6);
        becomes(text, text);
        text[strlen(text)] = 'x';
        fails(text, -ENAMETOOLONG, "at most");

        /* An abstract name has no NUL, so it is one byte longer. */
        text[5] = '@';
        becomes(text, text);
        CHECK_INT(green_addr_parse("unix:@ab", &addr), 0);
        green_addr_sockaddr(&addr, &size);
        CHECK_INT(size, offsetof(struct sockaddr_un, sun_path) + 3);
        memcpy(&sun, green_addr_sockaddr(&addr, NULL), size);
        CHECK_INT(sun.sun_path[0], 0);
        CHECK_INT(sun.sun_path[1], 'a');
}

static void
an_address_tells_what_it_is(void)
{
        struct green_addr addr, none = {0};
        struct sockaddr_in sin;
        socklen_t size;
        char text[GREEN_ADDR_TEXT_SIZE];

        CHECK_INT(green_addr_parse("127.0.0.1:81", &addr), 0);
        CHECK_INT(green_addr_family(&addr), AF_INET);
        CHECK_INT(green_addr_port(&addr), 81);
        memcpy(&sin, green_addr_sockaddr(&addr, &size), sizeof sin);
        CHECK_INT(size, sizeof sin);
        CHECK_INT(ntohl(sin.sin_addr.s_addr), 0x7f000001);
        CHECK_INT(green_addr_parse("[::1]:82", &addr), 0);
        CHECK_INT(green_addr_family(&addr), AF_INET6);
        CHECK_INT(green_addr_port(&addr), 82);
        CHECK_INT(green_addr_parse("unix:/x", &addr), 0);
        CHECK_INT(green_addr_family(&addr), AF_UNIX);
        CHECK_INT(green_addr_port(&addr), -EAFNOSUPPORT);

        CHECK_INT(green_addr_family(&none), AF_UNSPEC);
        CHECK_INT(green_addr_port(&none), -EAFNOSUPPORT);
        CHECK_INT(green_addr_format(&none, text, sizeof text), 4);
        CHECK_STR(text, "none");
        CHECK_INT(green_addr_format(NULL, text, sizeof text), 4);
}

static void
text_is_cut_where_there_is_no_room(void)
{
        struct green_addr addr;
        char text[6] = "";

        CHECK_INT(green_addr_parse("127.0.0.1:80", &addr), 0);
        CHECK_INT(green_addr_format(&addr, NULL, 0), 12);
        CHECK_INT(green_addr_format(&addr, text, sizeof text), 12);
        CHECK_STR(text, "127.0");
}

static void
the_system_s_addresses_are_taken(void)
{
        struct sockaddr_storage storage;
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(7)};
        struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "\0a\0b"};
        struct green_addr addr;
        char text[GREEN_ADDR_TEXT_SIZE];

        sin.sin_addr.s_addr = htonl(0x0a000001);
        CHECK_INT(green_addr_from_sockaddr((struct sockaddr *)&sin, sizeof sin, &addr), 0);
        green_addr_format(&addr, text, sizeof text);
        CHECK_STR(text, "10.0.0.1:7");
        CHECK_INT(green_addr_from_sockaddr((struct sockaddr *)&sun, offsetof(struct sockaddr_un, sun_path), &addr), 0);
        green_addr_format(&addr, text, sizeof text);
        CHECK_STR(text, "unix:");
        CHECK_INT(green_addr_from_sockaddr((struct sockaddr *)&sun, offsetof(struct sockaddr_un, sun_path) + 4, &addr), 0);
        green_addr_format(&addr, text, sizeof text);
        CHECK_STR(text, "unix:@a@b");
        memset(&storage, 0, sizeof storage);
        storage.ss_family = 99;
        CHECK_INT(green_addr_from_sockaddr((struct sockaddr *)&storage, sizeof storage, &addr), 0);
        green_addr_format(&addr, text, sizeof text);
        CHECK_STR(text, "family 99");
        CHECK_INT(green_addr_from_sockaddr((struct sockaddr *)&sin, 1, &addr), -EINVAL);
        CHECK_INT(green_addr_from_sockaddr((struct sockaddr *)&sin, 1000, &addr), -EINVAL);
        CHECK_INT(green_addr_from_sockaddr(NULL, sizeof sin, &addr), -EINVAL);
}

static bool
same(const char *x, const char *y)
{
        struct green_addr a, b;

        return CHECK_INT(green_addr_parse(x, &a), 0) && CHECK_INT(green_addr_parse(y, &b), 0) && green_addr_equal(&a, &b);
}

static void
equal_is_what_means_the_same(void)
{
        struct green_addr a, b;
        struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "/x"};

        CHECK(same(":80", "0.0.0.0:80"));
        CHECK(!same("1.2.3.4:80", "1.2.3.4:81"));
        CHECK(!same("1.2.3.4:80", "1.2.3.5:80"));
        CHECK(same("[::1]:80", "[0:0::1]:80"));
        CHECK(!same("[::1]:80", "[::2]:80"));
        CHECK(!same("[::1]:80", "[::1]:81"));
        CHECK(!same("[fe80::1%1]:80", "[fe80::1%2]:80"));
        CHECK(!same("0.0.0.0:80", "[::]:80"));
        CHECK(same("unix:/x", "unix:/x"));
        CHECK(!same("unix:/x", "unix:/y"));
        CHECK(!same("unix:@x", "unix:x"));
        CHECK(same("unix:@x", "unix:@x"));
        CHECK(!same("unix:@x", "unix:@xx"));
        /* The system may leave the NUL of a path out. */
        CHECK_INT(green_addr_parse("unix:/x", &a), 0);
        CHECK_INT(green_addr_from_sockaddr((struct sockaddr *)&sun, offsetof(struct sockaddr_un, sun_path) + 2, &b), 0);
        CHECK(green_addr_equal(&a, &b));
        a = b = (struct green_addr){0};
        CHECK(green_addr_equal(&a, &b));
}

GREEN_SUITE(net_addr) {
        GREEN_TEST(text_becomes_an_address_and_text_again),
        GREEN_TEST(what_is_no_address_is_refused_with_a_reason),
        GREEN_TEST(a_unix_path_may_fill_its_place_and_no_more),
        GREEN_TEST(an_address_tells_what_it_is),
        GREEN_TEST(text_is_cut_where_there_is_no_room),
        GREEN_TEST(the_system_s_addresses_are_taken),
        GREEN_TEST(equal_is_what_means_the_same),
        GREEN_SUITE_END
};
