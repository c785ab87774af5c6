/*
 * Fuzzing of green_proxy_parse(): any bytes, in memory that ends where they do.
 *
 * What is a header stays the same one whatever stands behind it, and each shorter beginning of it wants more; what is
 * malformed stays so with more behind it; and what it says can be made into a header again that says the same.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined, and the library. With -DGREEN_FUZZ_MAIN it is a program,
 * see fuzz_main.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <green/proxy.h>

#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_proxy.c:%d: does not hold: %s\n", __LINE__, #expr);                      \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

static ssize_t
parse(const uint8_t *data, size_t size, struct green_proxy_info *info)
{
        uint8_t *copy = malloc(size > 0 ? size : 1);
        ssize_t n;

        MUST(copy != NULL);
        if (size > 0)
                memcpy(copy, data, size);
        n = green_proxy_parse(copy, size, info);
        free(copy);
        MUST(n == -EAGAIN || n == -EPROTO || (n > 0 && (size_t)n <= size && n <= GREEN_PROXY_HEADER_MAX));
        return n;
}

static void
look_at(const struct green_proxy_info *info)
{
        MUST(info->version == 1 || info->version == 2);
        MUST(info->local == (info->source.size == 0) && info->local == (info->destination.size == 0));
        MUST(info->local == (info->type == 0));
        MUST(!info->tls || info->version == 2);
        MUST(green_addr_family(&info->source) == green_addr_family(&info->destination));
}

static void
make_again(const struct green_proxy_info *info)
{
        struct green_proxy_info again;
        uint8_t header[256];
        ssize_t n = green_proxy_format(info, header, sizeof header);

        MUST(n > 0);
        MUST(green_proxy_parse(header, (size_t)n, &again) == n);
        MUST(again.version == info->version && again.local == info->local && again.type == info->type);
        MUST(green_addr_equal(&again.source, &info->source) || info->local);
        MUST(green_addr_equal(&again.destination, &info->destination) || info->local);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct green_proxy_info info, other;
        ssize_t n = parse(data, size, &info);

        if (n > 0) {
                look_at(&info);
                make_again(&info);
                MUST(parse(data, (size_t)n, &other) == n);
                MUST(parse(data, (size_t)n - 1, &other) == -EAGAIN);
        }
        for (size_t i = 0; i < size && i < 300; i += 1 + i / 8) {
                ssize_t before = parse(data, i, &other);

                /* More bytes never make wrong what was whole, nor right what was wrong. */
                MUST(before == -EAGAIN || before == n);
        }
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES("PROXY TCP4 192.0.2.1 198.51.100.255 56324 443\r\nGET / HTTP/1.1\r\n"),
        FUZZ_BYTES("PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 0 65535\r\n"),
        FUZZ_BYTES("PROXY UNKNOWN\r\n"),
        FUZZ_BYTES("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"),
        FUZZ_BYTES(SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01\xbb"),
        FUZZ_BYTES(SIGNATURE "\x21\x12\0\x14\xc0\0\x02\x01\xc6\x33\x64\xff\xdc\x04\x01\xbb\x20\0\x05\x01\0\0\0\0"),
        FUZZ_BYTES(SIGNATURE "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50\xff\xff"),
        FUZZ_BYTES(SIGNATURE "\x20\0\0\x03"
                             "abc"),
        FUZZ_BYTES(SIGNATURE "\x21\x31\0\xd8/run/a\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("PROXY "), FUZZ_BYTES("TCP4 "), FUZZ_BYTES("TCP6 "), FUZZ_BYTES("UNKNOWN"), FUZZ_BYTES("\r\n"),
        FUZZ_BYTES(" "),      FUZZ_BYTES("::"),    FUZZ_BYTES("65535"), FUZZ_BYTES("255."),    FUZZ_BYTES("0"),
        FUZZ_BYTES("\x03\0\x04"), FUZZ_BYTES("\x20\0\x05\x01"), FUZZ_BYTES("\x21\x11\0"), FUZZ_BYTES(SIGNATURE),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
