/*
 * Streams: what each call does, over a source that does as it is told.
 */
#include "net_stream.h"

#include <wchar.h>

/* ---- reading */

static void
read_takes_what_is_there_with_one_read(void)
{
        struct source s = {.portion = 3};
        green_stream *st = stream_over(&s, "abcdefgh", 0, 0);
        char buf[16];

        GREEN_COVERS("PIPE-02");
        CHECK_INT(green_stream_pending(st), 0);
        CHECK_DATA(buf, green_stream_read(st, buf, 2), "ab");
        CHECK_INT(green_stream_pending(st), 1);
        CHECK_DATA(buf, green_stream_read(st, buf, sizeof buf), "c");
        CHECK_INT(s.reads, 1);
        CHECK_DATA(buf, green_stream_read(st, buf, sizeof buf), "def");
        CHECK_DATA(buf, green_stream_read(st, buf, sizeof buf), "gh");
        CHECK_INT(green_stream_read(st, buf, 0), 0);
        CHECK_INT(s.reads, 3);
        CHECK_INT(green_stream_read(st, buf, sizeof buf), 0);
        CHECK_INT(green_stream_free(st), 0);
        CHECK_INT(s.closes, 1);
}

static void
a_large_read_goes_straight_to_the_caller(void)
{
        struct source s = {0};
        green_stream *st = stream_over(&s, "0123456789", 4, 0);
        char buf[16];

        CHECK_DATA(buf, green_stream_read(st, buf, 8), "01234567");
        CHECK_INT(s.reads, 1);
        CHECK_INT(green_stream_pending(st), 0);
        CHECK_INT(green_stream_free(st), 0);
}

static void
read_exact_takes_so_much_or_nothing(void)
{
        static const size_t sizes[] = {0, 4, 1};
        char buf[16];
        size_t done;

        GREEN_COVERS("PIPE-02");
        for (int i = 0; i < 3; i++) {
                struct source s = {.portion = 3};
                green_stream *st = stream_over(&s, "abcdefghij", sizes[i], 0);

                CHECK_INT(green_stream_read_exact(st, buf, 1, &done), 0);
                CHECK_DATA(buf, done, "a");
                CHECK_INT(green_stream_read_exact(st, buf, 7, &done), 0);
                CHECK_DATA(buf, done, "bcdefgh");
                CHECK_INT(green_stream_read_exact(st, buf, 0, &done), 0);
                CHECK_INT(done, 0);
                /* Not that much comes: what does is still there. */
                CHECK_INT(green_stream_read_exact(st, buf, 9, &done), GREEN_EEOF);
                CHECK_INT(done, 0);
                CHECK_INT(green_stream_pending(st), 2);
                CHECK_INT(green_stream_read_exact(st, buf, 2, NULL), 0);
                CHECK_DATA(buf, 2, "ij");
                CHECK_INT(green_stream_free(st), 0);
        }
}

static void
what_a_failed_read_exact_has_read_is_read_again(void)
{
        char buf[64];
        size_t done = 99;

        /* In the buffer; straight to the caller, and put back; and with no memory for that. */
        for (int i = 0; i < 3; i++) {
                struct source s = {.portion = 8};
                green_stream *st = stream_over(&s, "abcdefghijklmnopqrstuvwxyz", i == 0 ? 64 : 4, 0);

                CHECK_DATA(buf, green_stream_read(st, buf, 2), "ab");
                s.portion = 16;
                s.in_len = 16;
                s.no_end = true;
                /* The second read of it fails. */
                struct doing d = {.st = st, .op = OP_EXACT, .len = 22};
                begin_op(&d);
                if (i == 2)
                        memory_left = 0;
                CHECK_INT(kill_op(&d), GREEN_EKILLED);
                memory_left = -1;
                if (i < 2) {
                        CHECK_INT(d.done, 0);
                        CHECK_INT(green_stream_pending(st), 14);
                        s.in_len = 26;
                        CHECK_INT(green_stream_read_exact(st, buf, 24, &done), 0);
                        CHECK_DATA(buf, done, "cdefghijklmnopqrstuvwxyz");
                } else {
                        CHECK_DATA(d.buf, d.done, "cdefghijklmnop");
                        s.in_len = 26;
                        CHECK_INT(green_stream_read_exact(st, buf, 10, &done), 0);
                        CHECK_DATA(buf, done, "qrstuvwxyz");
                }
                CHECK_INT(green_stream_free(st), 0);
        }
}

static void
readline_ends_at_a_newline_and_at_the_end(void)
{
        static const size_t portions[] = {0, 1, 2, 3, 5, 7};

        GREEN_COVERS("PIPE-02");
        for (size_t i = 0; i < 6; i++) {
                for (size_t size = 1; size < 20; size += 3) {
                        struct source s = {.portion = portions[i]};
                        green_stream *st = stream_over(&s, "one\n\nthe third line\nlast", size, 0);
                        const char *line = NULL;

                        CHECK_DATA(line, green_stream_readline(st, 100, &line), "one\n");
                        CHECK_DATA(line, green_stream_readline(st, 100, &line), "\n");
                        CHECK_DATA(line, green_stream_readline(st, 100, &line), "the third line\n");
                        CHECK_DATA(line, green_stream_readline(st, 100, &line), "last");
                        CHECK_INT(green_stream_readline(st, 100, &line), 0);
                        CHECK_INT(green_stream_free(st), 0);
                }
        }
}

static void
a_read_of_the_source_has_room_for_much(void)
{
        static char text[1000];
        struct source s = {.portion = 97};
        green_stream *st;
        const char *line;

        for (size_t i = 0; i < sizeof text - 1; i++)
                text[i] = i % 7 == 6 ? '\n' : 'x';
        st = stream_over(&s, text, 100, 0);
        for (int i = 0; i < 140; i++) {
                CHECK_INT(green_stream_readline(st, 50, &line), 7);
                CHECK_RANGE(s.asked, 50, 100);
        }
        CHECK_RANGE(s.reads, 10, 12);
        CHECK_INT(green_stream_free(st), 0);
}

static void
read_until_finds_what_comes_in_pieces(void)
{
        for (size_t portion = 1; portion < 9; portion++) {
                struct source s = {.portion = portion};
                green_stream *st = stream_over(&s, "a\r\nb\r\r\n\r\nrest\r\n\r", 4, 0);
                const char *data = NULL;

                CHECK_DATA(data, green_stream_read_until(st, "\r\n\r\n", 4, 100, &data), "a\r\nb\r\r\n\r\n");
                CHECK_DATA(data, green_stream_read_until(st, "\r\n\r\n", 4, 100, &data), "rest\r\n\r");
                CHECK_INT(green_stream_read_until(st, "\r\n\r\n", 4, 100, &data), 0);
                CHECK_INT(green_stream_free(st), 0);
        }
}

static void
a_limit_holds_and_loses_nothing(void)
{
        for (size_t portion = 0; portion < 4; portion++) {
                struct source s = {.portion = portion};
                green_stream *st = stream_over(&s, "12345\n6", 2, 0);
                const char *line = "unchanged";
                char *all;
                size_t len;

                CHECK_INT(green_stream_readline(st, 5, &line), -EMSGSIZE);
                CHECK_STR(line, "unchanged");
                CHECK_INT(green_stream_readline(st, 1, &line), -EMSGSIZE);
                CHECK_DATA(line, green_stream_readline(st, 6, &line), "12345\n");
                CHECK_INT(green_stream_readline(st, 1, &line), -EMSGSIZE);
                CHECK_DATA(line, green_stream_readline(st, 2, &line), "6");
                CHECK_INT(green_stream_free(st), 0);

                s = (struct source){.portion = portion};
                st = stream_over(&s, "12345", 2, 0);
                CHECK_INT(green_stream_read_all(st, 4, &all, &len), -EMSGSIZE);
                CHECK_INT(green_stream_read_all(st, 5, &all, &len), 0);
                CHECK_STR(all, "12345");
                CHECK_INT(len, 5);
                green_free(all);
                CHECK_INT(green_stream_read_all(st, 5, &all, &len), 0);
                CHECK_STR(all, "");
                CHECK_INT(len, 0);
                green_free(all);
                CHECK_INT(green_stream_free(st), 0);
        }
}

static void
read_all_reads_to_the_end(void)
{
        static char text[30001];
        char *all = NULL;
        size_t len = 0;

        GREEN_COVERS("PIPE-02");
        memset(text, 'q', sizeof text - 1);
        for (size_t portion = 0; portion < 4000; portion += 1333) {
                struct source s = {.portion = portion};
                green_stream *st = stream_over(&s, text, 0, 0);
                char buf[4];

                CHECK_INT(green_stream_read_exact(st, buf, 3, NULL), 0);
                CHECK_INT(green_stream_read_all(st, SIZE_MAX, &all, &len), 0);
                CHECK_INT(len, 29997);
                CHECK_STR(all, text + 3);
                green_free(all);
                /* The stream goes on as before. */
                source_give(&s, "more");
                CHECK_DATA(buf, green_stream_read(st, buf, 4), portion == 1 ? "m" : "more");
                CHECK_INT(green_stream_free(st), 0);
        }
}

static void
peek_takes_nothing(void)
{
        struct source s = {.portion = 2};
        green_stream *st = stream_over(&s, "abcdef", 3, 0);
        const char *data = NULL;
        char buf[8];

        CHECK_INT(green_stream_peek(st, 0, &data), 0);
        CHECK_INT(s.reads, 0);
        CHECK(green_stream_peek(st, 1, &data) == 2 && data[0] == 'a' && data[1] == 'b');
        CHECK(green_stream_peek(st, 5, &data) >= 5 && memcmp(data, "abcde", 5) == 0);
        CHECK_DATA(data, green_stream_peek(st, 100, &data), "abcdef");
        CHECK_DATA(buf, green_stream_read(st, buf, 8), "abcdef");
        CHECK_INT(green_stream_peek(st, 1, &data), 0);
        CHECK_INT(green_stream_free(st), 0);
}

static void
a_byte_that_was_searched_is_not_searched_again(void)
{
        /* 200,000 bytes that come one at a time: anew from the beginning each time would be 20,000,000,000 looks. */
        static char text[200001];
        struct source s = {.portion = 1};
        green_stream *st;
        const char *line;

        memset(text, 'x', sizeof text - 1);
        st = stream_over(&s, text, 0, 0);
        CHECK_INT(green_stream_readline(st, sizeof text, &line), sizeof text - 1);
        CHECK_INT(green_stream_free(st), 0);
}

/* ---- writing */

static void
writes_are_gathered_until_the_buffer_is_full(void)
{
        struct source s = {0};
        green_stream *st = stream_over(&s, "", 0, 10);

        GREEN_COVERS("PIPE-03");
        CHECK_INT(green_stream_write(st, "abcd", 4), 4);
        CHECK_INT(green_stream_write(st, "efgh", 4), 4);
        CHECK_INT(green_stream_write(st, "", 0), 0);
        CHECK_INT(s.writes, 0);
        CHECK_INT(green_stream_unsent(st), 8);
        /* What does not fit goes out together with what is there. */
        CHECK_INT(green_stream_write(st, "ijkl", 4), 4);
        CHECK_INT(s.writes, 1);
        CHECK_INT(s.write_parts, 2);
        CHECK(source_got(&s, "abcdefghijkl"));
        CHECK_INT(green_stream_unsent(st), 0);
        CHECK_INT(green_stream_write(st, "m", 1), 1);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK(source_got(&s, "abcdefghijklm"));
        CHECK_INT(green_stream_flush(st), 0);
        CHECK_INT(s.writes, 2);
        CHECK_INT(green_stream_write(st, "n", 1), 1);
        CHECK_INT(green_stream_close(st), 0);
        CHECK(source_got(&s, "abcdefghijklmn"));
        CHECK_INT(green_stream_free(st), 0);
}

static void
a_source_that_takes_little_gets_all_of_it(void)
{
        GREEN_COVERS("SOCK-36", "PIPE-03");
        for (size_t takes = 1; takes < 12; takes++) {
                struct source s = {.takes = takes};
                green_stream *st = stream_over(&s, "", 0, 7);
                char want[400] = "";
                size_t len = 0;

                for (int i = 0; i < 20; i++) {
                        char text[16];
                        int n = snprintf(text, sizeof text, "<%.*s%d>", i % 9, "........", i);

                        memcpy(want + len, text, (size_t)n + 1);
                        len += (size_t)n;
                        CHECK_INT(i % 2 ? green_stream_write(st, text, (size_t)n) : green_stream_printf(st, "%s", text),
                                  n);
                }
                CHECK_INT(green_stream_flush(st), 0);
                CHECK(source_got(&s, want));
                CHECK_INT(green_stream_free(st), 0);
        }
}

static void
unbuffered_and_line_buffered_streams_send_at_once(void)
{
        struct green_stream_opts opts = {.size = sizeof opts, .unbuffered = true};
        struct source s = {0};
        green_stream *st = green_stream_new(&source_ops, &s, &opts);

        GREEN_COVERS("PIPE-04");
        CHECK_INT(green_stream_write(st, "ab", 2), 2);
        CHECK(source_got(&s, "ab"));
        CHECK_INT(green_stream_printf(st, "%d", 7), 1);
        CHECK(source_got(&s, "ab7"));
        CHECK_INT(s.writes, 2);
        CHECK_INT(green_stream_free(st), 0);

        opts.unbuffered = false;
        opts.line_buffered = true;
        s = (struct source){0};
        st = green_stream_new(&source_ops, &s, &opts);
        CHECK_INT(green_stream_write(st, "ab", 2), 2);
        CHECK_INT(s.writes, 0);
        CHECK_INT(green_stream_write(st, "c\nd", 3), 3);
        CHECK(source_got(&s, "abc\nd"));
        CHECK_INT(s.writes, 1);
        CHECK_INT(green_stream_printf(st, "e"), 1);
        CHECK_INT(s.writes, 1);
        CHECK_INT(green_stream_printf(st, "f\n"), 2);
        CHECK(source_got(&s, "abc\ndef\n"));
        CHECK_INT(green_stream_free(st), 0);
}

static void
printf_formats_into_the_buffer(void)
{
        struct source s = {0};
        green_stream *st = stream_over(&s, "", 0, 8);
        char large[100];

        CHECK_INT(green_stream_printf(st, "%d-%s", 12, "ab"), 5);
        CHECK_INT(s.writes, 0);
        CHECK_INT(green_stream_printf(st, "%s", "xyz"), 3);
        CHECK_INT(s.writes, 0);
        CHECK_INT(green_stream_unsent(st), 8);
        CHECK_INT(green_stream_printf(st, "%s", ""), 0);
        /* No room: what is there goes first. */
        CHECK_INT(green_stream_printf(st, "%c", 'q'), 1);
        CHECK(source_got(&s, "12-abxyz"));
        CHECK_INT(green_stream_unsent(st), 1);
        /* Longer than the buffer. */
        memset(large, 'w', sizeof large);
        large[99] = '\0';
        CHECK_INT(green_stream_printf(st, "%s", large), 99);
        CHECK_INT(s.out_len, 8 + 1 + 99);
        CHECK_INT(green_stream_unsent(st), 0);
        /* The buffer has grown by that, and takes no more than before. */
        CHECK_INT(green_stream_printf(st, "%.20s", large), 20);
        CHECK_INT(green_stream_unsent(st), 0);
        CHECK_INT(green_stream_printf(st, "%lc", (wint_t)0x7fffffff), -EINVAL);
        CHECK_INT(green_stream_free(st), 0);
}

static void
a_printf_that_fails_has_written_nothing(void)
{
        struct source s = {0};
        green_stream *st = stream_over(&s, "", 0, 8);

        CHECK_INT(green_stream_write(st, "abcdef", 6), 6);
        s.write_code = -EPIPE;
        CHECK_INT(green_stream_printf(st, "%s", "ghijkl"), -EPIPE);
        CHECK_INT(green_stream_unsent(st), 6);
        memory_left = 0;
        CHECK_INT(green_stream_printf(st, "%s", "a longer text than that"), -ENOMEM);
        memory_left = -1;
        CHECK_INT(green_stream_printf(st, "%s", "ghijkl"), 6);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK(source_got(&s, "abcdefghijkl"));
        /* All of it is taken before it is sent: the next call tells. */
        s.write_code = -EPIPE;
        CHECK_INT(green_stream_printf(st, "%s", "0123456789"), 10);
        CHECK_INT(green_stream_write(st, "x", 1), -EPIPE);
        CHECK_INT(green_stream_flush(st), 0);
        CHECK(source_got(&s, "abcdefghijkl0123456789"));
        CHECK_INT(green_stream_free(st), 0);
}

static void
a_write_that_took_some_says_how_much_and_the_next_says_why(void)
{
        struct source s = {.takes = 3};
        green_stream *st = stream_over(&s, "", 0, 4);
        struct doing d = {.st = st, .op = OP_WRITE, .text = "0123456789"};

        s.write_code = -ENOSPC;
        CHECK_INT(green_stream_write(st, "0123456789", 10), -ENOSPC);
        CHECK_INT(green_stream_unsent(st), 0);
        begin_op(&d);
        CHECK_INT(end_op(&d), 10);
        CHECK(source_got(&s, "012345"));
        CHECK_INT(green_stream_flush(st), 0);
        CHECK(source_got(&s, "0123456789"));

        /* After a portion it fails. */
        s.good = 1;
        s.write_code = -ECONNRESET;
        CHECK_INT(green_stream_write(st, "0123456789", 10), 3);
        CHECK_INT(green_stream_write(st, "x", 1), -ECONNRESET);
        CHECK_INT(green_stream_write(st, "y", 1), 1);
        CHECK_INT(green_stream_close(st), 0);
        CHECK(source_got(&s, "0123456789012y"));
        CHECK_INT(green_stream_free(st), 0);
}

/* ---- both */

static void
a_read_that_must_ask_sends_what_was_written_first(void)
{
        struct source s = {0};
        green_stream *st = stream_over(&s, "GET 1\nGET 2\n", 0, 0);
        const char *line;

        for (int i = 1; i < 3; i++) {
                CHECK(green_stream_readline(st, 100, &line) == 6);
                CHECK_INT(green_stream_printf(st, "answer %d\n", i), 9);
                /* Questions that are in the buffer are answered together. */
                CHECK_INT(s.writes, 0);
        }
        CHECK_INT(green_stream_readline(st, 100, &line), 0);
        CHECK_INT(s.writes, 1);
        CHECK(source_got(&s, "answer 1\nanswer 2\n"));
        CHECK_INT(green_stream_free(st), 0);
}

static void
a_peer_that_takes_no_more_is_still_read_from(void)
{
        struct source s = {0};
        green_stream *st = stream_over(&s, "413 too much\n", 0, 0);
        const char *line;

        CHECK_INT(green_stream_write(st, "body", 4), 4);
        /* Another failure is one: it would wait for the answer to a question that was not asked. */
        s.write_code = -ENOBUFS;
        CHECK_INT(green_stream_readline(st, 100, &line), -ENOBUFS);
        CHECK_INT(s.reads, 0);
        CHECK_INT(green_stream_unsent(st), 4);
        s.write_code = -EPIPE;
        CHECK_DATA(line, green_stream_readline(st, 100, &line), "413 too much\n");
        CHECK_INT(green_stream_flush(st), -EPIPE);
        CHECK_INT(green_stream_unsent(st), 4);
        s.write_code = -EPIPE;
        CHECK_INT(green_stream_close(st), -EPIPE);
        CHECK_INT(s.closes, 1);
        CHECK_INT(green_stream_free(st), 0);
}

static void
buffer_hits_let_the_others_run_now_and_then(void)
{
        static char text[2001];
        struct source s = {0};
        green_stream *st;
        int turns = 0;
        green_thread *other = green_spawn(count_turns, &turns);
        const char *line;

        memset(text, '\n', sizeof text - 1);
        st = stream_over(&s, text, 0, 0);
        for (int i = 0; i < 1280; i++)
                CHECK_INT(green_stream_readline(st, 10, &line), 1);
        CHECK_INT(s.reads, 1);
        CHECK_RANGE(turns, 19, 21);
        turns = 0;
        for (int i = 0; i < 1280; i++)
                CHECK_INT(green_stream_write(st, "x", 1), 1);
        CHECK_RANGE(turns, 19, 21);
        /* A source that never waits. */
        turns = 0;
        s.portion = 1;
        source_give(&s, text);
        char *all = NULL;
        size_t len;
        CHECK_INT(green_stream_read_all(st, 10000, &all, &len), 0);
        green_free(all);
        CHECK_RANGE(turns, 30, 34);
        green_kill(other, 0);
        green_thread_unref(other);
        CHECK_INT(green_stream_free(st), 0);
}

/* ---- what is wrong */

static ssize_t
too_much(void *arg, void *buf, size_t len)
{
        (void)arg;
        (void)buf;
        return (ssize_t)len + 1;
}

static ssize_t
nothing_taken(void *arg, const struct green_iovec *iov, size_t n)
{
        (void)arg;
        (void)iov;
        (void)n;
        return 0;
}

static void
wrong_arguments_are_refused(void)
{
        static const struct green_stream_ops liar = {.size = sizeof liar, .read = too_much, .writev = nothing_taken};
        struct green_stream_opts bad = {.size = 0};
        struct source s = {0};
        green_stream *st = stream_over(&s, "text", 0, 0), *none;
        const char *data;
        char buf[4], *all;
        size_t n;

        GREEN_COVERS("SOCK-37");
        CHECK(green_stream_new(NULL, &s, NULL) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK(green_stream_new(&source_ops, &s, &bad) == NULL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(green_stream_read(NULL, buf, 1), -EINVAL);
        CHECK_INT(green_stream_read(st, NULL, 1), -EINVAL);
        CHECK_INT(green_stream_read(st, buf, (size_t)-1), -EINVAL);
        CHECK_INT(green_stream_read_exact(st, buf, (size_t)-1, &n), -EINVAL);
        CHECK_INT(green_stream_read_exact(NULL, buf, 1, &n), -EINVAL);
        CHECK_INT(green_stream_read_until(st, "", 0, 10, &data), -EINVAL);
        CHECK_INT(green_stream_read_until(st, NULL, 1, 10, &data), -EINVAL);
        CHECK_INT(green_stream_readline(st, 0, &data), -EINVAL);
        CHECK_INT(green_stream_readline(st, 10, NULL), -EINVAL);
        CHECK_INT(green_stream_read_all(st, 10, &all, NULL), -EINVAL);
        CHECK_INT(green_stream_peek(NULL, 1, &data), -EINVAL);
        CHECK_INT(green_stream_write(st, NULL, 1), -EINVAL);
        CHECK_INT(green_stream_write(st, buf, (size_t)-1), -EINVAL);
        CHECK_INT(green_stream_printf(NULL, "x"), -EINVAL);
        CHECK_INT(green_stream_flush(NULL), -EINVAL);
        CHECK_INT(green_stream_seek(NULL, 0, SEEK_SET, NULL), -EINVAL);
        CHECK_INT(green_stream_truncate(NULL, 0), -EINVAL);
        CHECK_INT(green_stream_pending(NULL), 0);
        CHECK_INT(green_stream_unsent(NULL), 0);
        CHECK_INT(green_stream_close(NULL), 0);
        CHECK_INT(green_stream_free(NULL), 0);
        CHECK(!green_stream_isatty(NULL) && green_stream_fd(NULL) == GREEN_INVALID_FD);
        /* What a source does not do. */
        CHECK_INT(green_stream_seek(st, 0, SEEK_SET, NULL), -ESPIPE);
        CHECK_INT(green_stream_truncate(st, 0), -EINVAL);
        CHECK(!green_stream_isatty(st) && green_stream_fd(st) == GREEN_INVALID_FD);
        CHECK_INT(s.reads, 0);
        CHECK_INT(green_stream_free(st), 0);
        none = green_stream_new(&(struct green_stream_ops){.size = sizeof(struct green_stream_ops)}, NULL, NULL);
        CHECK_INT(green_stream_read(none, buf, 1), -EBADF);
        CHECK_INT(green_stream_write(none, "x", 1), -EBADF);
        CHECK_INT(green_stream_printf(none, "x"), -EBADF);
        CHECK_INT(green_stream_flush(none), 0);
        CHECK_INT(green_stream_free(none), 0);
        /* What a source should not do. */
        none = green_stream_new(&liar, NULL, NULL);
        CHECK_INT(green_stream_read(none, buf, 1), -EIO);
        CHECK_INT(green_stream_write(none, "x", 1), 1);
        CHECK_INT(green_stream_flush(none), -EIO);
        CHECK_INT(green_stream_free(none), -EIO);
}

static void
memory_that_runs_out_loses_nothing(void)
{
        struct source s = {.portion = 4};
        green_stream *st = stream_over(&s, "0123456789ab\n", 4, 4);
        const char *data = NULL;
        char *all = NULL, buf[16];
        size_t n = 0;

        memory_left = 0;
        CHECK_INT(green_stream_readline(st, 100, &data), -ENOMEM);
        CHECK_INT(green_stream_write(st, "xy", 2), -ENOMEM);
        memory_left = 1;
        CHECK_INT(green_stream_readline(st, 100, &data), -ENOMEM);
        memory_left = 0;
        CHECK_INT(green_stream_read_all(st, 100, &all, &n), -ENOMEM);
        CHECK_INT(green_stream_peek(st, 8, &data), -ENOMEM);
        memory_left = -1;
        CHECK_INT(green_stream_pending(st), 4);
        CHECK_DATA(data, green_stream_readline(st, 100, &data), "0123456789ab\n");
        CHECK_INT(green_stream_write(st, "xy", 2), 2);
        /* What needs no memory is done all the same. */
        memory_left = 0;
        CHECK_INT(green_stream_write(st, "0123456789", 10), 10);
        CHECK_INT(green_stream_read(st, buf, sizeof buf), 0);
        memory_left = -1;
        CHECK_INT(green_stream_free(st), 0);
        CHECK(source_got(&s, "xy0123456789"));
        memory_left = 0;
        CHECK(green_stream_new(&source_ops, &s, NULL) == NULL);
        CHECK_INT(errno, ENOMEM);
        memory_left = -1;
}

GREEN_SUITE(net_stream) {
        GREEN_TEST(read_takes_what_is_there_with_one_read),
        GREEN_TEST(a_large_read_goes_straight_to_the_caller),
        GREEN_TEST(read_exact_takes_so_much_or_nothing),
        GREEN_TEST(what_a_failed_read_exact_has_read_is_read_again),
        GREEN_TEST(readline_ends_at_a_newline_and_at_the_end),
        GREEN_TEST(a_read_of_the_source_has_room_for_much),
        GREEN_TEST(read_until_finds_what_comes_in_pieces),
        GREEN_TEST(a_limit_holds_and_loses_nothing),
        GREEN_TEST(read_all_reads_to_the_end),
        GREEN_TEST(peek_takes_nothing),
        GREEN_TEST(a_byte_that_was_searched_is_not_searched_again, .limit = 20),
        GREEN_TEST(writes_are_gathered_until_the_buffer_is_full),
        GREEN_TEST(a_source_that_takes_little_gets_all_of_it),
        GREEN_TEST(unbuffered_and_line_buffered_streams_send_at_once),
        GREEN_TEST(printf_formats_into_the_buffer),
        GREEN_TEST(a_printf_that_fails_has_written_nothing),
        GREEN_TEST(a_write_that_took_some_says_how_much_and_the_next_says_why),
        GREEN_TEST(a_read_that_must_ask_sends_what_was_written_first),
        GREEN_TEST(a_peer_that_takes_no_more_is_still_read_from),
        GREEN_TEST(buffer_hits_let_the_others_run_now_and_then),
        GREEN_TEST(wrong_arguments_are_refused),
        GREEN_TEST(memory_that_runs_out_loses_nothing),
        GREEN_SUITE_END
};
