/*
 * The decoder of chunked bodies. As with request heads, every body is decoded whole, byte by byte, and cut in two at
 * every place, in memory that moves, by both functions, and has to come out the same.
 */
#include "../web/http1_parse_priv.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_TRAILERS = 3, MAX_BODY = 4096 };

static const struct green__http1_limits limits = {.field_line = 20, .fields = 50, .chunk_ext = 20};

struct row {
        const char *coded;
        size_t len;
        int result;
        const char *body; /* in an error, what was there before it */
};

/* One body in the decoder. */
struct run {
        struct green__http1_chunked c;
        struct green__http1_field trailers[MAX_TRAILERS];
        char body[MAX_BODY];
        size_t body_len;
        size_t used;
        int result;
};

static void
begin_run(struct run *run, uint64_t limit)
{
        memset(run, 0, sizeof *run);
        green__http1_chunked_init(&run->c, &limits, limit, run->trailers, MAX_TRAILERS);
        run->result = GREEN__HTTP1_MORE;
}

static void
keep(struct run *run, const char *data, size_t n)
{
        if (n > sizeof run->body - run->body_len)
                abort();
        memcpy(run->body + run->body_len, data, n);
        run->body_len += n;
}

/* Shows what is not used of the first len bytes, in memory of its own; the bytes are decoded into each other or not. */
static void
show(struct run *run, const char *coded, size_t len, bool in_place)
{
        size_t n = len - run->used;
        char *copy = malloc(n + 1);
        struct green__http1_piece piece;

        if (copy == NULL)
                abort();
        memcpy(copy + 1, coded + run->used, n);
        if (in_place) {
                run->result = green__http1_chunked_decode(&run->c, copy + 1, n, &piece);
                keep(run, copy + 1, piece.len);
                run->used += piece.used;
        } else {
                size_t used = 0;
                do {
                        run->result = green__http1_chunked_next(&run->c, copy + 1 + used, n - used, &piece);
                        keep(run, copy + 1 + used + piece.off, piece.len);
                        used += piece.used;
                } while (run->result == GREEN__HTTP1_DATA);
                run->used += used;
        }
        free(copy);
}

static bool
same_run(const struct run *a, const struct run *b)
{
        if (a->result != b->result || a->used != b->used || a->body_len != b->body_len ||
            memcmp(a->body, b->body, a->body_len) != 0)
                return false;
        if (a->c.total != b->c.total || a->c.ext != b->c.ext || a->c.trailers.count != b->c.trailers.count)
                return false;
        for (unsigned i = 0; i < a->c.trailers.count; i++) {
                const struct green__http1_field *f = &a->trailers[i], *g = &b->trailers[i];
                if (f->name != g->name || f->name_len != g->name_len || f->value != g->value ||
                    f->value_len != g->value_len || f->id != g->id || f->flags != g->flags)
                        return false;
        }
        return true;
}

static void
decode_all_ways(struct run *run, const char *coded, size_t len, uint64_t limit)
{
        struct run other;

        begin_run(run, limit);
        show(run, coded, len, false);
        for (int in_place = 0; in_place < 2; in_place++) {
                begin_run(&other, limit);
                for (size_t i = 0; i <= len && other.result == GREEN__HTTP1_MORE; i++)
                        show(&other, coded, i, in_place != 0);
                if (!same_run(run, &other))
                        FAIL("byte by byte gives %d at %u, whole %d at %u: %.60s", other.result, (unsigned)other.used,
                             run->result, (unsigned)run->used, coded);
                for (size_t i = 0; i <= len; i++) {
                        begin_run(&other, limit);
                        show(&other, coded, i, in_place != 0);
                        if (other.result == GREEN__HTTP1_MORE)
                                show(&other, coded, len, in_place != 0);
                        if (same_run(run, &other))
                                continue;
                        FAIL("cut at %u gives %d, whole %d: %.60s", (unsigned)i, other.result, run->result, coded);
                        break;
                }
        }
}

static void
check_rows(const struct row *row, uint64_t limit)
{
        static struct run run;

        for (; row->coded != NULL; row++) {
                decode_all_ways(&run, row->coded, row->len, limit);
                if (run.result != row->result)
                        FAIL("%s: got %d (%s), not %d (%s)", row->coded, run.result,
                             run.result < 0 ? green__http1_reason(run.result) : "", row->result,
                             row->result < 0 ? green__http1_reason(row->result) : "");
                if (row->body == NULL)
                        continue;
                run.body[run.body_len] = '\0';
                CHECK_STR(run.body, row->body);
                if (run.result == GREEN__HTTP1_DONE)
                        CHECK_INT(run.used, row->len);
        }
}

#define GOOD(coded, body)                                                                                              \
        {                                                                                                              \
                coded, sizeof(coded) - 1, GREEN__HTTP1_DONE, body                                                      \
        }
#define BAD(result, coded, body)                                                                                       \
        {                                                                                                              \
                coded, sizeof(coded) - 1, GREEN__HTTP1_##result, body                                                  \
        }
#define ROWS_END                                                                                                       \
        {                                                                                                              \
                NULL, 0, 0, NULL                                                                                       \
        }
#define LAST "0\r\n\r\n"

/* ---- the tests */

static void
chunks_are_put_together(void)
{
        GREEN_COVERS("WSGI-49");
        static const struct row rows[] = {
                GOOD(LAST, ""),
                GOOD("000\r\n\r\n", ""),
                GOOD("3\r\nabc\r\n" LAST, "abc"),
                GOOD("1\r\na\r\n2\r\nbc\r\n00003\r\ndef\r\n" LAST, "abcdef"),
                GOOD("a\r\n0123456789\r\nA\r\n0123456789\r\n" LAST, "01234567890123456789"),
                GOOD("10\r\n0123456789abcdef\r\n" LAST, "0123456789abcdef"),
                GOOD("0000000000000002\r\nab\r\n" LAST, "ab"),
                GOOD("4\r\n\r\n\r\n\r\n" LAST, "\r\n\r\n"),
                GOOD("5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello"),
                ROWS_END,
        };

        check_rows(rows, 1000);
}

static void
sizes_are_hexadecimal_digits_and_nothing_else(void)
{
        GREEN_COVERS("WSGI-50");
        static const struct row rows[] = {
                BAD(ECHUNKSIZE, "\r\n", ""),
                BAD(ECHUNKSIZE, "g\r\n", ""),
                BAD(ECHUNKSIZE, " 3\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "3 \r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "3\t\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "3 ;x\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "0x3\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "+3\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "-3\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "3_0\r\n", ""),
                BAD(ECHUNKSIZE, "3h\r\n", ""),
                BAD(ECHUNKSIZE, ";x\r\n", ""),
                BAD(ECHUNKSIZE, "3\nabc\n0\n\n", ""),
                BAD(ECHUNKSIZE, "3\r\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "3\rabc\r\n", ""),
                BAD(ECHUNKSIZE, "\0003\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "3,3\r\nabc\r\n", ""),
                BAD(ECHUNKSIZE, "00000000000000002\r\nab\r\n", ""),
                BAD(ECHUNKSIZE, "8000000000000000\r\n", ""),
                BAD(ECHUNKSIZE, "ffffffffffffffff\r\n", ""),
                BAD(ECHUNKSIZE, "10000000000000000\r\n", ""),
                BAD(ECHUNKSIZE, "1\r\na\r\n\r\n0\r\n\r\n", "a"),
                BAD(EBODY, "7fffffffffffffff\r\n", ""),
                ROWS_END,
        };

        check_rows(rows, 1000);
}

static void
data_ends_where_the_size_says(void)
{
        GREEN_COVERS("WSGI-50");
        static const struct row rows[] = {
                BAD(ECHUNKEND, "3\r\nabcd\r\n" LAST, "abc"),
                BAD(ECHUNKEND, "3\r\nabc\n" LAST, "abc"),
                BAD(ECHUNKEND, "3\r\nabc" LAST, "abc"),
                BAD(ECHUNKEND, "3\r\nabc\rx\n" LAST, "abc"),
                BAD(ECHUNKEND, "3\r\nabc \r\n" LAST, "abc"),
                BAD(MORE, "3\r\nab", "ab"),
                BAD(MORE, "3\r\nabc", "abc"),
                BAD(MORE, "3\r\nabc\r", "abc"),
                BAD(MORE, "3\r\nabc\r\n", "abc"),
                BAD(MORE, "3\r\nabc\r\n0", "abc"),
                BAD(MORE, "3\r\nabc\r\n0\r\n", "abc"),
                BAD(MORE, "3\r\nabc\r\n0\r\n\r", "abc"),
                ROWS_END,
        };

        check_rows(rows, 1000);
}

static void
extensions_are_checked_and_forgotten(void)
{
        static const struct row rows[] = {
                GOOD("1;a=b\r\nx\r\n" LAST, "x"),
                GOOD("1;a=\"b\"\r\nx\r\n" LAST, "x"),
                GOOD("1;a=\"b ;\t\\\"\\\\\";c\r\nx\r\n" LAST, "x"),
                GOOD("1;a=\"\";c=\"\"\r\nx\r\n" LAST, "x"),
                GOOD("1;a=\"\xff\"\r\nx\r\n" LAST, "x"),
                BAD(ECHUNKEXT, "1;\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1; a\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a \r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a =b\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a= b\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a=\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;=b\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a=b=c\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a;;b\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a\rx\r\n", ""),
                BAD(ECHUNKEXT, "1;a=\"b\nc\"\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a=\"b\r\n", ""),
                BAD(ECHUNKEXT, "1;a=\"\\\r\"\r\n", ""),
                BAD(ECHUNKEXT, "1;a=\"\x7f\"\r\n", ""),
                BAD(ECHUNKEXT, "1;a=\"b\"c\r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a=\"b\" \r\nx\r\n", ""),
                BAD(ECHUNKEXT, "1;a=b\"c\"\r\nx\r\n", ""),
                BAD(ECHUNKEXTS, "1;01234567890123456789\r\nx\r\n", ""),
                BAD(ECHUNKEXTS, "1;012345678\r\nx\r\n1;0123456789\r\ny\r\n", "x"),
                GOOD("1;012345678\r\nx\r\n1;012345678\r\ny\r\n" LAST, "xy"),
                ROWS_END,
        };

        check_rows(rows, 1000);
}

static void
trailers_are_fields(void)
{
        static const struct row rows[] = {
                GOOD("1\r\nx\r\n0\r\nA: b\r\nHost: c d\r\n\r\n", "x"),
                GOOD("0\r\nContent-Length:x\r\n\r\n", ""),
                GOOD("0;a\r\nA:\r\nB:\r\nC:\r\n\r\n", ""),
                BAD(EFOLD, "0\r\n A: b\r\n\r\n", ""),
                BAD(ENAME, "0\r\nA : b\r\n\r\n", ""),
                BAD(ENAME, "0\r\nA\r\n\r\n", ""),
                BAD(EEOL, "0\r\nA: b\n\r\n", ""),
                BAD(EEOL, "0\r\n\n", ""),
                BAD(EEOL, "0\r\n\rX", ""),
                BAD(EVALUE, "0\r\nA: \001\r\n\r\n", ""),
                BAD(ECOUNT, "0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", ""),
                GOOD("0\r\nA: 890123456789018\r\n\r\n", ""),
                BAD(EFIELDLINE, "0\r\nA: 8901234567890189\r\n\r\n", ""),
                GOOD("0\r\nA: 890123456789018\r\nB: 890123456789018\r\nC: 90\r\n\r\n", ""),
                GOOD("0\r\nA: 890123456789018\r\nB: 890123456789018\r\nC: 901\r\n\r\n", ""),
                BAD(EFIELDS, "0\r\nA: 890123456789018\r\nB: 890123456789018\r\nC: 9012\r\n\r\n", ""),
                ROWS_END,
        };
        static const char coded[] = "1\r\nx\r\n0\r\nA_b: c \r\nhost:\r\n\r\n";
        static struct run run;

        check_rows(rows, 1000);
        decode_all_ways(&run, coded, sizeof coded - 1, 1);
        CHECK_INT(run.result, GREEN__HTTP1_DONE);
        CHECK_INT(run.c.trailers.count, 2);
        CHECK_INT(run.trailers[0].name, 0);
        CHECK_INT(run.trailers[0].value, 5);
        CHECK_INT(run.trailers[0].value_len, 1);
        CHECK_INT(run.trailers[0].flags, GREEN__HTTP1_UNDERSCORE);
        CHECK_INT(run.trailers[1].id, GREEN__HTTP1_HOST);
        CHECK_INT(run.c.trailers.pos, 18);
        CHECK_INT(green__http1_find(&run.c.trailers, coded + run.used - run.c.trailers.pos, "host", 0), 1);
}

static void
a_body_has_a_limit(void)
{
        static const struct row rows[] = {
                GOOD("5\r\nabcde\r\n" LAST, "abcde"),
                GOOD("2\r\nab\r\n3\r\ncde\r\n" LAST, "abcde"),
                BAD(EBODY, "6\r\nabcdef\r\n" LAST, ""),
                BAD(EBODY, "2\r\nab\r\n4\r\ncdef\r\n" LAST, "ab"),
                BAD(EBODY, "5\r\nabcde\r\n1\r\nf\r\n" LAST, "abcde"),
                BAD(EBODY, "5\r\nabcde\r\n7fffffffffffffff\r\n", "abcde"),
                ROWS_END,
        };
        struct green__http1_chunked c;
        struct green__http1_piece piece;

        check_rows(rows, 5);
        green__http1_chunked_init(&c, &limits, UINT64_MAX, NULL, 0);
        CHECK_INT(green__http1_chunked_next(&c, "7fffffffffffffff\r\nab", 20, &piece), GREEN__HTTP1_DATA);
        CHECK_INT(piece.len, 2);
        CHECK_INT(c.left, INT64_MAX - 2);
        green__http1_chunked_skip(&c, c.left);
        CHECK_INT(green__http1_chunked_next(&c, "\r\n1\r\n", 5, &piece), GREEN__HTTP1_EBODY);
        CHECK_INT(green__http1_status(GREEN__HTTP1_EBODY), 413);
}

static void
an_error_stays_and_so_does_the_end(void)
{
        static struct run run;
        struct green__http1_piece piece;

        begin_run(&run, 100);
        CHECK_INT(green__http1_chunked_next(&run.c, "x", 1, &piece), GREEN__HTTP1_ECHUNKSIZE);
        CHECK_INT(piece.used, 0);
        CHECK_INT(green__http1_chunked_next(&run.c, "0\r\n\r\n", 5, &piece), GREEN__HTTP1_ECHUNKSIZE);
        begin_run(&run, 100);
        CHECK_INT(green__http1_chunked_next(&run.c, "0\r\n\r\n0\r\n\r\n", 10, &piece), GREEN__HTTP1_DONE);
        CHECK_INT(piece.used, 5);
        CHECK_INT(green__http1_chunked_next(&run.c, "0\r\n\r\n", 5, &piece), GREEN__HTTP1_DONE);
        CHECK_INT(piece.used, 0);
}

static void
data_may_be_taken_in_parts_and_past_the_decoder(void)
{
        struct green__http1_chunked c;
        size_t used;

        green__http1_chunked_init(&c, &limits, 100, NULL, 2);
        CHECK_INT(green__http1_chunked_frame(&c, "1", 1, &used), GREEN__HTTP1_MORE);
        CHECK_INT(green__http1_chunked_left(&c), 0);
        CHECK_INT(green__http1_chunked_frame(&c, "0\r\n", 3, &used), GREEN__HTTP1_MORE);
        CHECK_INT(green__http1_chunked_left(&c), 16);
        green__http1_chunked_skip(&c, 4);
        CHECK_INT(green__http1_chunked_frame(&c, "abcdefghijkl\r\n", 14, &used), GREEN__HTTP1_DATA);
        CHECK_INT(used, 0);
        green__http1_chunked_skip(&c, 5);
        CHECK_INT(green__http1_chunked_frame(&c, "fghijkl\r\n", 9, &used), GREEN__HTTP1_DATA);
        CHECK_INT(used, 0);
        CHECK_INT(green__http1_chunked_left(&c), 7);
        green__http1_chunked_skip(&c, 7);
        CHECK_INT(green__http1_chunked_left(&c), 0);
        CHECK_INT(green__http1_chunked_frame(&c, "\r\n2\r\nx", 6, &used), GREEN__HTTP1_DATA);
        CHECK_INT(used, 5);
        green__http1_chunked_skip(&c, 2);
        CHECK_INT(green__http1_chunked_frame(&c, "\r\n0\r\nA: b\r\n\r\n", 13, &used), GREEN__HTTP1_DONE);
        CHECK_INT(used, 13);
        CHECK_INT(c.trailers.count, 1);
}

GREEN_SUITE(web_http1_chunked){
        GREEN_TEST(chunks_are_put_together),
        GREEN_TEST(sizes_are_hexadecimal_digits_and_nothing_else),
        GREEN_TEST(data_ends_where_the_size_says),
        GREEN_TEST(extensions_are_checked_and_forgotten),
        GREEN_TEST(trailers_are_fields),
        GREEN_TEST(a_body_has_a_limit),
        GREEN_TEST(an_error_stays_and_so_does_the_end),
        GREEN_TEST(data_may_be_taken_in_parts_and_past_the_decoder),
        GREEN_SUITE_END,
};
