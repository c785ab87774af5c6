/*
 * Fuzzing of the reader of forms. The first byte of an input says how many bytes come at a time, the second how many are
 * read; the rest is the body. However it comes, what is read and how it ends must be the same.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined, and the library. With -DGREEN_FUZZ_MAIN it is a program,
 * see fuzz_main.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../web/multipart_priv.h"

#ifdef GREEN_FUZZ_MAIN
#include "fuzz_main.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(expr)                                                                                                     \
        do {                                                                                                           \
                if (!(expr)) {                                                                                         \
                        fprintf(stderr, "fuzz_multipart.c:%d: does not hold: %s\n", __LINE__, #expr);                  \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

enum { MAX_INPUT = 20000, MAX_HEADER = 100, MAX_PARTS = 5, MAX_PART = 10000 };

struct source {
        const uint8_t *data;
        size_t len, at_once;
};

static ssize_t
read_source(void *arg, void *buf, size_t len)
{
        struct source *s = arg;
        size_t n = s->len < s->at_once ? s->len : s->at_once;

        MUST(len > 0);
        n = n < len ? n : len;
        if (n > 0)
                memcpy(buf, s->data, n);
        s->data += n;
        s->len -= n;
        return (ssize_t)n;
}

/* What was found, as text; and how it has ended. */
struct found {
        char text[MAX_INPUT * 2];
        size_t len;
        int rc;
};

static void
note(struct found *f, const char *data, size_t len)
{
        MUST(f->len + len < sizeof f->text);
        memcpy(f->text + f->len, data, len);
        f->len += len;
}

static void
check_part(const struct green_multipart_part *part)
{
        size_t n = 0;

        MUST(part->name != NULL && part->content_type != NULL);
        MUST(part->filename == NULL || strpbrk(part->filename, "/\\") == NULL);
        MUST(part->filename == NULL || (strcmp(part->filename, ".") != 0 && strcmp(part->filename, "..") != 0));
        for (; part->fields[n].name != NULL; n++)
                MUST(part->fields[n].name[0] != '\0' && strchr(part->fields[n].value, '\n') == NULL);
        MUST(n > 0 && n <= GREEN__MULTIPART_FIELDS);
}

static void
run(struct found *f, const uint8_t *data, size_t size, size_t at_once, size_t piece)
{
        const struct green_multipart_opts opts = {sizeof opts, MAX_PARTS, MAX_HEADER, MAX_PART};
        struct source source = {data, size, at_once};
        green_multipart *m = malloc(green__multipart_size(&opts));
        const struct green_multipart_part *part;
        char buf[300];
        ssize_t n = 0;

        MUST(m != NULL);
        green__multipart_init(m, &opts, "X-Y");
        m->req = NULL;
        m->read = read_source;
        m->arg = &source;
        f->len = 0;
        while ((f->rc = green_multipart_next(m, &part)) > 0) {
                check_part(part);
                note(f, part->name, strlen(part->name) + 1);
                while ((n = green_multipart_read(m, buf, piece)) > 0)
                        note(f, buf, (size_t)n);
                MUST(green_multipart_read(m, buf, 1) == n);
        }
        MUST(f->rc == 0 || f->rc == -EPROTO || f->rc == -EMSGSIZE);
        MUST(green_multipart_next(m, &part) == f->rc);
        MUST(f->rc != 0 || source.len == 0);
        free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct found one, other;
        char boundary[GREEN__BOUNDARY_MAX + 1];
        char *type;

        if (size < 2 || size > MAX_INPUT)
                return 0;
        run(&one, data + 2, size - 2, MAX_INPUT, 300);
        run(&other, data + 2, size - 2, 1u + data[0], 1u + data[1]);
        /* Where it fails, more or less of the part that fails may have been read before. */
        MUST(one.rc == other.rc);
        if (one.rc == 0)
                MUST(one.len == other.len && memcmp(one.text, other.text, one.len) == 0);
        type = calloc(1, size + 32);
        MUST(type != NULL);
        memcpy(type, "multipart/form-data", 19);
        memcpy(type + 19, data + 2, size - 2);
        if (green__multipart_boundary(type, boundary))
                MUST(strlen(boundary) > 0 && strlen(boundary) <= GREEN__BOUNDARY_MAX);
        free(type);
        return 0;
}

#ifdef GREEN_FUZZ_MAIN

static const struct fuzz_bytes seeds[] = {
        FUZZ_BYTES("\0\0--X-Y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--X-Y--\r\n"),
        FUZZ_BYTES("\1\2--X-Y\r\nContent-Disposition: form-data; name=\"a\"; filename=\"../b\\\"c\"\r\nContent-Type: "
                   "x\r\n\r\n\r\n--X-\r\n--X-Y \r\nContent-Disposition: form-data; name=b\r\n\r\n--X-Y--\r\nend"),
        FUZZ_BYTES("\7\7before\r\n--X-Y\r\nContent-Disposition:form-data;name=a;filename*=UTF-8''x;\r\n\r\n\r\n\r\n--X-Y--"),
        FUZZ_BYTES("\3\3; boundary=\"a b\"; x=y"),
        FUZZ_BYTES("\3\3;boundary=ab"),
};

static const struct fuzz_bytes words[] = {
        FUZZ_BYTES("\r\n"),     FUZZ_BYTES("--X-Y"), FUZZ_BYTES("\r\n--X-Y"), FUZZ_BYTES("--"),   FUZZ_BYTES("; name="),
        FUZZ_BYTES("filename"), FUZZ_BYTES("\""),    FUZZ_BYTES("\\"),        FUZZ_BYTES("\r"),   FUZZ_BYTES("\n"),
        FUZZ_BYTES("; "),       FUZZ_BYTES(" "),     FUZZ_BYTES("\0"),        FUZZ_BYTES("\r\n\r\n"),
        FUZZ_BYTES("Content-Disposition: form-data"),
};

int
main(int argc, char **argv)
{
        return fuzz_main(argc, argv, seeds, sizeof seeds / sizeof seeds[0], words, sizeof words / sizeof words[0]);
}

#endif
