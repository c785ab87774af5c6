/*
 * Fuzzing of the parser of the hosts file. What it finds is compared with what a parser finds that goes through the
 * text anew for each name, where that is ASCII.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined, this and net/; -dict=hosts.dict. See fuzz_main.h.
 */
#include "../../net/dns_priv.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "fuzz_main.h"

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_hosts.c:%d: does not hold: %s\n", __LINE__, #expr);                      \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

/* The words of line i, cut out of a copy; false: there is no such line. */
static bool
words_of(const char *text, size_t wanted, char *copy, size_t *ret_n, char *words[64])
{
        size_t len;
        char *word, *rest;

        for (size_t i = 0; i < wanted; i++) {
                text += strcspn(text, "\r\n");
                if (*text == '\0')
                        return false;
                text++;
        }
        len = strcspn(text, "\r\n#");
        memcpy(copy, text, len);
        copy[len] = '\0';
        *ret_n = 0;
        for (word = strtok_r(copy, " \t\v\f", &rest); word != NULL && *ret_n < 64;
             word = strtok_r(NULL, " \t\v\f", &rest)) {
                size_t n = strlen(word);

                for (size_t i = 0; i < n; i++)
                        if (word[i] >= 'A' && word[i] <= 'Z')
                                word[i] = (char)(word[i] + 32);
                if (*ret_n > 0 && n > 1 && word[n - 1] == '.')
                        word[n - 1] = '\0';
                words[(*ret_n)++] = word;
        }
        return true;
}

static bool
address(const char *word, int *family, unsigned char bytes[16])
{
        *family = AF_INET;
        if (strncmp(word, "fe80", 4) == 0)
                return false;
        if (inet_pton(AF_INET, word, bytes) == 1)
                return true;
        *family = AF_INET6;
        return inet_pton(AF_INET6, word, bytes) == 1;
}

/* Each line with the name, one after the other, as the text has them. */
static void
check_name(const struct green__hosts *hosts, const char *text, const char *name)
{
        static char copy[FUZZ_MAX + 1];
        const struct green__hosts_line *line = NULL;
        unsigned char bytes[16];
        char *words[64];
        size_t n;
        int family;

        for (size_t i = 0; words_of(text, i, copy, &n, words); i++) {
                bool has = false;

                if (n == 64)
                        return;
                if (n < 2 || !address(words[0], &family, bytes))
                        continue;
                for (size_t k = 1; k < n; k++)
                        has |= strcmp(words[k], name) == 0;
                if (!has)
                        continue;
                line = green__hosts_find(hosts, name, line);
                MUST(line != NULL && line->family == family && line->n == n - 1);
                MUST(memcmp(line->addr, bytes, family == AF_INET ? 4 : 16) == 0);
                for (size_t k = 1; k < n; k++)
                        MUST(strcmp(green__hosts_name(hosts, line, k - 1), words[k]) == 0);
                MUST(green__hosts_name(hosts, line, n - 1) == NULL);
                MUST(green__hosts_reverse(hosts, family, bytes) != NULL);
        }
        MUST(green__hosts_find(hosts, name, line) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char text[FUZZ_MAX + 1], copy[FUZZ_MAX + 1];
        struct green__hosts *hosts;
        bool ascii = true;
        char *words[64], *own;
        size_t n;

        if (size > FUZZ_MAX)
                return 0;
        own = green_malloc(size + 1);
        MUST(own != NULL);
        for (size_t i = 0; i < size; i++)
                ascii &= data[i] != 0 && data[i] < 0x80;
        memcpy(own, data, size);
        memcpy(text, data, size);
        own[size] = text[size] = '\0';
        hosts = green__hosts_parse(own, size);
        MUST(hosts != NULL);
        for (size_t i = 0; ascii && i < 40 && words_of(text, i, copy, &n, words); i++) {
                char names[64][64];

                for (size_t k = 0; k < n && k < 64; k++)
                        snprintf(names[k], sizeof names[k], "%s", words[k]);
                for (size_t k = 0; k < n && k < 64; k++)
                        check_name(hosts, text, names[k]);
        }
        MUST(green__hosts_find(hosts, "", NULL) == NULL);
        green__hosts_free(hosts);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES("127.0.0.1 localhost\n::1 localhost ip6-localhost # six\n\n10.0.0.1\thost.test host\r\n"),
        FUZZ_BYTES("# nothing\n   192.168.1.1  a  b  c.  \r127.0.0.1 a\nfe80::1 x\n::ffff:1.2.3.4 y A"),
        FUZZ_BYTES("1.2.3.4 b\xc3\xbc"
                   "cher caf\xe9\n1.2.3.400 no\n1.2.3.4#no\n"),
        FUZZ_BYTES("1.1.1.1 x x x.\n2.2.2.2 x\n3.3.3.3 X\n"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("\n"), FUZZ_BYTES("\r\n"),     FUZZ_BYTES(" "),          FUZZ_BYTES("\t"),   FUZZ_BYTES("#"),
        FUZZ_BYTES("."),  FUZZ_BYTES("::1 "),     FUZZ_BYTES("127.0.0.1 "), FUZZ_BYTES("fe80"), FUZZ_BYTES("a"),
        FUZZ_BYTES("\0"), FUZZ_BYTES("\xc3\xbc"), FUZZ_BYTES("\xff"),       FUZZ_BYTES("\v"),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
