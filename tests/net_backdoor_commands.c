/* net/backdoor_console.c, net/backdoor_line.c, net/backdoor_commands.c and others: what a console does with a line. */
#include "net_backdoor.h"

#include <float.h>
#include <limits.h>

static bool flag;
static int whole;
static int64_t wide;
static uint64_t natural;
static size_t length;
static double real;
static const char *text;
static int fixed = 3;

static const struct green_backdoor_variable variables[] = {{"flag", GREEN_BACKDOOR_BOOL, &flag, false, "a flag"},
                                                           {"whole", GREEN_BACKDOOR_INT, &whole, false, NULL},
                                                           {"wide", GREEN_BACKDOOR_INT64, &wide, false, NULL},
                                                           {"natural", GREEN_BACKDOOR_UINT64, &natural, false, NULL},
                                                           {"length", GREEN_BACKDOOR_SIZE, &length, false, NULL},
                                                           {"real", GREEN_BACKDOOR_DOUBLE, &real, false, NULL},
                                                           {"text", GREEN_BACKDOOR_STRING, &text, false, NULL},
                                                           {"fixed", GREEN_BACKDOOR_INT, &fixed, true, "stays"},
                                                           {.name = NULL}};

static const struct green_backdoor_opts plain = {OPTS, .variables = variables};

/* ---- variables */

struct step {
        const char *line, *answer;
};

static void
walk(const struct step *steps)
{
        struct client c;

        if (open_pair(&c, &plain))
                for (; steps->line != NULL; steps++)
                        CHECK_STR(ask(&c, steps->line), steps->answer);
        hang_up(&c);
}

static void
variables_of_each_type_are_set_and_shown(void)
{
        static const struct step steps[] = {{"set flag on", "flag = true\n"},
                                            {"set flag false", "flag = false\n"},
                                            {"set flag 1", "flag = true\n"},
                                            {"set whole -2147483648", "whole = -2147483648\n"},
                                            {"set whole 0x10", "whole = 16\n"},
                                            {"set whole 010", "whole = 10\n"},
                                            {"set wide -9223372036854775808", "wide = -9223372036854775808\n"},
                                            {"set natural 18446744073709551615", "natural = 18446744073709551615\n"},
                                            {"set length 4096", "length = 4096\n"},
                                            {"set real -0.1", "real = -0.1\n"},
                                            {"set real 1e300", "real = 1e+300\n"},
                                            {"get text", "text = none\n"},
                                            {"get fixed", "fixed = 3\n"},
                                            {NULL, NULL}};

        GREEN_COVERS("BACK-03");
        text = NULL;
        walk(steps);
        CHECK(flag);
        CHECK_INT(whole, 10);
        CHECK_INT(wide, INT64_MIN);
        CHECK(natural == UINT64_MAX);
        CHECK_INT(length, 4096);
        CHECK(real == 1e300);
}

static void
what_does_not_fit_is_refused_and_changes_nothing(void)
{
        static const struct step steps[] = {
                {"set flag maybe", "error: flag: it is true or false, on or off, 1 or 0\n"},
                {"set whole 2147483648", "error: whole: out of range: it is an int\n"},
                {"set whole -2147483649", "error: whole: out of range: it is an int\n"},
                {"set whole 1.5", "error: whole: it is a whole number\n"},
                {"set whole \"\"", "error: whole: it is a whole number\n"},
                {"set whole \" 1\"", "error: whole: it is a whole number\n"},
                {"set wide 9223372036854775808", "error: wide: out of range: it has 64 bits and a sign\n"},
                {"set natural -1", "error: natural: out of range: it is not below 0\n"},
                {"set natural 18446744073709551616", "error: natural: out of range: it is too large\n"},
                {"set length -0x1", "error: length: out of range: it is not below 0\n"},
                {"set real nan", "error: real: out of range: it is a finite number\n"},
                {"set real 1e999", "error: real: out of range: it is a finite number\n"},
                {"set real x", "error: real: it is a number\n"},
                {"set text x", "error: text: it can be read only\n"},
                {"set fixed 4", "error: fixed: it can be read only\n"},
                {"set none 4", "error: no such variable: none; \"vars\" lists them\n"},
                {"set whole", "error: usage: set NAME VALUE\n"},
                {"get", "error: usage: get NAME\n"},
                {NULL, NULL}};

        flag = true;
        whole = 5;
        wide = 6;
        natural = 7;
        length = 8;
        real = 9;
        walk(steps);
        CHECK(flag && whole == 5 && wide == 6 && natural == 7 && length == 8 && real == 9 && fixed == 3);
}

static void
vars_lists_them_with_type_and_help(void)
{
        struct client c;

        flag = false;
        text = "some \"text\"";
        if (open_pair(&c, &plain)) {
                ask(&c, "vars");
                has(c.text, "flag = false  (bool) a flag\n");
                has(c.text, "text = \"some \"text\"\"  (string, read only)\n");
                has(c.text, "fixed = 3  (int, read only) stays\n");
        }
        hang_up(&c);
}

/* ---- lines */

static int
show_words(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)arg;
        for (int i = 1; i < argc; i++)
                green_backdoor_printf(console, "[%s]", argv[i]);
        CHECK_PTR(argv[argc], NULL);
        return 0;
}

static void
words_may_be_quoted(void)
{
        static const struct step steps[] = {{"words a  b\tc ", "[a][b][c]"},
                                            {"words \"a b\" 'c \"d' e\\ f", "[a b][c \"d][e f]"},
                                            {"words a\"b c\"d \"\" \"\\\"\" '\\'", "[ab cd][][\"][\\]"},
                                            {"words \"a", "error: a quote that does not end\n"},
                                            {"", ""},
                                            {"   ", ""},
                                            {"nothing", "error: no such command: nothing; \"help\" lists them\n"},
                                            {NULL, NULL}};
        char line[GREEN_ADDR_TEXT_SIZE + 64] = "words";
        struct client c;

        CHECK_INT(green_backdoor_register("words", show_words, NULL, "shows words"), 0);
        walk(steps);
        for (int i = 0; i < 64; i++)
                snprintf(line + strlen(line), sizeof line - strlen(line), " x");
        if (open_pair(&c, &plain)) {
                CHECK_STR(ask(&c, line), "error: too many words: 64 at most\n");
                line[strlen(line) - 2] = '\0';
                CHECK_INT(strlen(ask(&c, line)), 63 * 3);
        }
        hang_up(&c);
        CHECK_INT(green_backdoor_unregister("words"), 0);
}

static void
telnet_ends_lines_and_asks_for_options_in_its_own_way(void)
{
        static const char bytes[] =
                "\xff\xfd\x01\xff\xfb\x18\xff\xfe\x03\xff\xfc\x05\xff\xfa\x18quit\n\xff\xff\n\xff\xf0"
                "get\xff\xf1 whole\r\nget wide\r\0";
        struct client c;

        GREEN_COVERS("BACK-07");
        whole = 1;
        wide = 2;
        if (open_pair(&c, &plain)) {
                /* In every way in which it may come in pieces. */
                for (size_t i = 0; i < sizeof bytes - 1; i++) {
                        say_bytes(&c, bytes + i, 1);
                        green_sleep(0);
                }
                /* No to what it asks, and nothing to what it will not. */
                if (until(&c, "\xff\xfc\x01\xff\xfe\x18")) {
                        CHECK_STR(c.text, "");
                        CHECK(until(&c, PROMPT));
                        CHECK_STR(c.text, "whole = 1\n");
                        CHECK(until(&c, PROMPT));
                        CHECK_STR(c.text, "wide = 2\n");
                }
                CHECK_STR(ask(&c, "get whole"), "whole = 1\n");
                /* Typed, and taken back. */
                CHECK_STR(ask(&c, "get wx\x7fi\xc3\xa4\x08"
                                  "de"),
                          "wide = 2\n");
                say(&c, "set whole 9\x03");
                CHECK(until(&c, PROMPT));
                say(&c, "set whole 9\xff\xf4");
                CHECK(until(&c, PROMPT));
                CHECK_STR(ask(&c, "get whole"), "whole = 1\n");
                say(&c, "\xff\xec");
                CHECK(until_end(&c));
        }
        hang_up(&c);
}

static void
a_line_that_is_too_long_is_refused_whole(void)
{
        char line[4200];
        struct client c;

        whole = 1;
        memset(line, ' ', sizeof line);
        memcpy(line, "set whole 2", 11);
        if (open_pair(&c, &plain)) {
                line[4097] = '\0';
                CHECK_STR(ask(&c, line), "error: the line is too long: 4096 bytes at most\n");
                CHECK_INT(whole, 1);
                line[4096] = '\0';
                CHECK_STR(ask(&c, line), "whole = 2\n");
                line[4096] = ' ';
                for (int i = 0; i < 100; i++)
                        say_bytes(&c, line, sizeof line);
                CHECK_STR(ask(&c, ""), "error: the line is too long: 4096 bytes at most\n");
                CHECK_STR(ask(&c, "get whole"), "whole = 2\n");
        }
        hang_up(&c);
}

static void
the_last_line_needs_no_newline(void)
{
        struct client c;

        whole = 1;
        if (open_pair(&c, &plain)) {
                say(&c, "set whole 3\nset wide 4");
                CHECK_INT(green_socket_shutdown(c.s, SHUT_WR), 0);
                CHECK(until_end(&c));
                has(c.text, "whole = 3\n");
                CHECK_INT(whole, 3);
                CHECK_INT(wide, 4);
        }
        hang_up(&c);
}

/* ---- commands of the application */

static int
fail_with(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)console;
        (void)argc;
        (void)argv;
        return *(int *)arg;
}

static void
commands_are_registered_and_taken_away(void)
{
        int code = -ENOENT;
        struct client c;

        CHECK_INT(green_backdoor_register("zeta", fail_with, &code, "fails"), 0);
        CHECK_INT(green_backdoor_register("alpha", show_words, NULL, "shows words"), 0);
        CHECK_INT(green_backdoor_register("zeta", show_words, NULL, "x"), -EEXIST);
        CHECK_INT(green_backdoor_register("ps", show_words, NULL, "x"), -EEXIST);
        CHECK_INT(green_backdoor_register("exit", show_words, NULL, "x"), -EEXIST);
        CHECK_INT(green_backdoor_register("a b", show_words, NULL, "x"), -EINVAL);
        CHECK_INT(green_backdoor_register("", show_words, NULL, "x"), -EINVAL);
        CHECK_INT(green_backdoor_register(NULL, show_words, NULL, "x"), -EINVAL);
        CHECK_INT(green_backdoor_register("x", NULL, NULL, "x"), -EINVAL);
        CHECK_INT(green_backdoor_register("x", show_words, NULL, NULL), -EINVAL);
        memory_left = 0;
        CHECK_INT(green_backdoor_register("x", show_words, NULL, "x"), -ENOMEM);
        memory_left = -1;
        if (open_pair(&c, &plain)) {
                has(ask(&c, "help"),
                    "of the application:\n  alpha              shows words\n  zeta               fails\n");
                CHECK_STR(ask(&c, "help zeta"), "  zeta               fails\n");
                has(ask(&c, "help set"), "set NAME VALUE");
                CHECK_STR(ask(&c, "help none"), "error: no such command: none\n");
                CHECK_STR(ask(&c, "zeta"), "error: zeta: No such file or directory (ENOENT)\n");
                CHECK_STR(ask(&c, "alpha 1"), "[1]");
                CHECK_INT(green_backdoor_unregister("zeta"), 0);
                has(ask(&c, "zeta"), "no such command");
        }
        hang_up(&c);
        CHECK_INT(green_backdoor_unregister("zeta"), -ENOENT);
        CHECK_INT(green_backdoor_unregister(NULL), -ENOENT);
        CHECK_INT(green_backdoor_unregister("alpha"), 0);
}

static void *
print_to_nobody(void *arg)
{
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_backdoor_print("lost\n"), 0);
                green_sleep(0);
        }
        ++*(int *)arg;
        return NULL;
}

/* Prints without knowing its console, while others run. */
static int
chat(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)console;
        (void)argc;
        CHECK_INT(green_spawn_n(print_to_nobody, arg), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_backdoor_print("%s%d ", argv[1], i), (int)strlen(argv[1]) + 2);
                CHECK_INT(green_sleep(0.002), 0);
        }
        return 0;
}

static void
a_command_may_yield_and_each_prints_to_its_own_console(void)
{
        struct client a, b;
        int turns = 0, ended = 0;
        green_thread *gt = green_spawn(count_turns, &turns);

        GREEN_COVERS("BACK-06");
        CHECK_INT(green_backdoor_register("chat", chat, &ended, "chats"), 0);
        CHECK_INT(green_backdoor_print("to nobody"), 0);
        if (open_pair(&a, &plain) && open_pair(&b, &plain)) {
                int before = turns;

                say(&a, "chat a\n");
                say(&b, "chat bb\n");
                CHECK(until(&a, PROMPT));
                CHECK_STR(a.text, "a0 a1 a2 ");
                CHECK(until(&b, PROMPT));
                CHECK_STR(b.text, "bb0 bb1 bb2 ");
                CHECK(turns > before);
                CHECK_INT(ended, 2);
                CHECK_INT(green_backdoor_print("to nobody"), 0);
                hang_up(&b);
        }
        hang_up(&a);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
        CHECK_INT(green_backdoor_unregister("chat"), 0);
}

static int
leave_by_green_exit(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)argc;
        (void)argv;
        (void)arg;
        green_backdoor_printf(console, "farewell\n");
        green_exit(NULL);
}

static void
a_command_that_ends_its_green_thread_ends_the_console(void)
{
        struct client c;

        GREEN_COVERS("BACK-11");
        CHECK_INT(green_backdoor_register("leave", leave_by_green_exit, NULL, "leaves"), 0);
        if (open_pair(&c, &plain)) {
                say(&c, "leave\n");
                CHECK(until_end(&c));
                CHECK_STR(c.text, "farewell\n");
                CHECK_INT(green_backdoor_print("to nobody"), 0);
        }
        hang_up(&c);
        CHECK_INT(green_backdoor_unregister("leave"), 0);
}

/* ---- looking at the scheduler */

static void *
sleep_long(void *arg)
{
        *(int *)arg = green_sleep(GREEN_FOREVER);
        return NULL;
}

static void
green_threads_are_listed_and_killed(void)
{
        int rc = 1;
        green_thread *gt = green_spawn(sleep_long, &rc);
        char line[64], want[96];
        struct client c;

        GREEN_COVERS("BACK-01");
        CHECK_INT(green_thread_set_name(gt, "sleeper"), 0);
        green_sleep(0);
        if (open_pair(&c, &plain)) {
                snprintf(want, sizeof want, "green thread %" PRIu64 " sleeper", green_thread_ident(gt));
                has(ask(&c, "ps"), want);
                has(c.text, "main");
                has(c.text, "net_backdoor_commands.c");
                snprintf(line, sizeof line, "kill %" PRIu64, green_get_ident());
                CHECK_STR(ask(&c, line), "error: kill: that is the main one, and would be the end of the program\n");
                snprintf(line, sizeof line, "kill %" PRIu64, green_thread_ident(gt));
                snprintf(want, sizeof want, "green thread %" PRIu64 " has ended\n", green_thread_ident(gt));
                CHECK_STR(ask(&c, line), want);
                CHECK_INT(rc, GREEN_EKILLED);
                has(ask(&c, line), "error: kill: there is no green thread ");
                has(ask(&c, "kill -1"), "error: kill: there is no green thread -1 here");
                CHECK_STR(ask(&c, "kill"), "error: usage: kill ID\n");
        }
        hang_up(&c);
        CHECK_INT(green_thread_wait(gt, NULL), GREEN_EKILLED);
        green_thread_unref(gt);
}

static void
hub_and_pool_tell_what_they_are(void)
{
        struct client c;

        if (open_pair(&c, &plain)) {
                has(ask(&c, "hub"), green_hub_name(green_get_hub()));
                has(c.text, "\ngreen threads 2, ");
                has(ask(&c, "tpool"), "OS threads ");
                has(ask(&c, "pools"), "POOLS:\n");
        }
        hang_up(&c);
}

static void
waits_deadlines_and_calls_are_shown(void)
{
        int rc = 1;
        green_thread *gt = green_spawn(sleep_long, &rc);
        char line[64], want[64];
        struct client c;

        GREEN_COVERS("BACK-01");
        green_sleep(0);
        if (open_pair(&c, &plain)) {
                snprintf(want, sizeof want, "green thread %" PRIu64 " ", green_thread_ident(gt));
                snprintf(line, sizeof line, "bt %" PRIu64, green_thread_ident(gt));
                has(ask(&c, line), want);
                CHECK(green_debug_can_walk() == NULL || has(c.text, "  #0 "));
                CHECK(strstr(c.text, " main ") == NULL);
                has(ask(&c, "bt all"), want);
                has(c.text, " main ");
                has(ask(&c, "ps"), want);
                CHECK(strstr(c.text, "  #0 ") == NULL);
                has(ask(&c, "bt 0"), "error: bt: the number of a green thread, or all\n");
                has(ask(&c, "bt 999999999"), "error: there is no green thread 999999999 here");
                has(ask(&c, "listeners"), "READERS:\n");
                snprintf(want, sizeof want, "%d", green_socket_fd(c.s));
                has(c.text, want);
                has(c.text, "WRITERS:\n");
                has(ask(&c, "timers"), "TIMERS:\n");
                has(ask(&c, "threads"), "hub ");
        }
        hang_up(&c);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
}

static void
a_trace_goes_to_the_log(void)
{
        struct client c;

        if (open_pair(&c, &plain)) {
                has(ask(&c, "trace maybe"), "error: usage: trace on|off\n");
                log_text[0] = '\0';
                has(ask(&c, "trace on"), "trace on: steps go to the log");
                CHECK(logged("green thread "));
                has(ask(&c, "trace off"), "trace off\n");
                log_text[0] = '\0';
                green_sleep(0);
                CHECK_STR(log_text, "");
        }
        hang_up(&c);
}

static void
counters_are_shown_without_their_frame(void)
{
        struct client c;

        if (open_pair(&c, &plain)) {
                has(ask(&c, "metrics"), "green_threads ");
                CHECK(strchr(c.text, '#') == NULL && strstr(c.text, "_bucket") == NULL);
                has(ask(&c, "metrics lag"), "_bucket{");
                CHECK(strstr(c.text, "green_threads") == NULL);
                CHECK_STR(ask(&c, "metrics none"), "");
        }
        hang_up(&c);
}

/* ---- by hand */

struct tape {
        const char *in;
        char out[1024];
        size_t len;
        int writes;
        int fails; /* writes from then on give this code; 0: none */
        int closed;
};

static ssize_t
tape_read(void *source, void *buf, size_t len)
{
        struct tape *t = source;
        const char *newline = strchr(t->in, '\n');
        size_t n = newline == NULL ? strlen(t->in) : (size_t)(newline - t->in) + 1;

        n = n < len ? n : len;
        memcpy(buf, t->in, n);
        t->in += n;
        return (ssize_t)n;
}

static ssize_t
tape_write(void *source, const struct green_iovec *iov, size_t n)
{
        struct tape *t = source;
        size_t total = 0;

        t->writes++;
        if (t->fails != 0)
                return t->fails;
        for (size_t i = 0; i < n && t->len + iov[i].len < sizeof t->out; i++) {
                memcpy(t->out + t->len, iov[i].base, iov[i].len);
                t->len += iov[i].len;
                total += iov[i].len;
        }
        t->out[t->len] = '\0';
        return (ssize_t)total;
}

static int
tape_close(void *source)
{
        ((struct tape *)source)->closed++;
        return 0;
}

static int
play(struct tape *t)
{
        static const struct green_stream_ops ops = {
                .size = sizeof ops, .read = tape_read, .writev = tape_write, .close = tape_close};
        green_stream *st = green_stream_new(&ops, t, NULL);
        green_backdoor_console *c = green_backdoor_console_new(st, &plain);
        int rc;

        CHECK(st != NULL && c != NULL);
        rc = green_backdoor_console_run(c);
        CHECK_INT(t->closed, 0);
        CHECK_INT(green_backdoor_console_finalize(c), 0);
        CHECK_INT(t->closed, 1);
        return rc;
}

static void
a_console_reads_and_flushes_any_stream(void)
{
        struct tape t = {.in = "get fixed\nquit\nget fixed\n"};

        GREEN_COVERS("BACK-14");
        CHECK_INT(play(&t), 0);
        has(t.out, PROMPT "fixed = 3\n" PROMPT);
        CHECK_STR(t.in, "get fixed\n");
        /* The greeting with the prompt, and the answer with the next. */
        CHECK_INT(t.writes, 2);
}

static int
print_three(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        (void)argc;
        (void)argv;
        for (int i = 0; i < 3; i++)
                CHECK_INT(green_backdoor_printf(console, "%08d", i), 8);
        ++*(int *)arg;
        return 0;
}

static void
a_client_that_is_gone_is_no_error_and_other_failures_are(void)
{
        struct tape gone = {.in = "three\n", .fails = -EPIPE}, broken = {.in = "quit\n", .fails = -EIO};
        int ran = 0;

        GREEN_COVERS("BACK-08", "BACK-14");
        CHECK_INT(green_backdoor_register("three", print_three, &ran, "prints"), 0);
        CHECK_INT(play(&gone), 0);
        CHECK_INT(play(&broken), -EIO);
        CHECK_INT(green_backdoor_unregister("three"), 0);
}

/* Runs a console within a command of another one. */
static int
nest(green_backdoor_console *console, int argc, char **argv, void *arg)
{
        struct tape *t = arg;

        (void)argc;
        (void)argv;
        CHECK_INT(green_backdoor_console_run(console), -EBUSY);
        CHECK_INT(green_backdoor_console_finalize(console), -EBUSY);
        CHECK_INT(play(t), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_backdoor_print("outside\n"), 8);
        green_backdoor_console_switch_out(console);
        CHECK_INT(green_backdoor_print("nowhere\n"), 0);
        green_backdoor_console_switch(console);
        CHECK_INT(green_backdoor_print("again\n"), 6);
        return 0;
}

static void
one_console_may_run_within_another(void)
{
        struct tape t = {.in = "chat x\n"};
        int ended = 0;
        struct client c;

        GREEN_COVERS("BACK-06");
        CHECK_INT(green_backdoor_register("nest", nest, &t, "nests"), 0);
        CHECK_INT(green_backdoor_register("chat", chat, &ended, "chats"), 0);
        if (open_pair(&c, &plain)) {
                CHECK_STR(ask(&c, "nest"), "outside\nagain\n");
                has(t.out, PROMPT "x0 x1 x2 " PROMPT);
                CHECK_STR(ask(&c, "get fixed"), "fixed = 3\n");
        }
        hang_up(&c);
        CHECK_INT(green_backdoor_unregister("nest"), 0);
        CHECK_INT(green_backdoor_unregister("chat"), 0);
}

GREEN_SUITE(net_backdoor_commands){GREEN_TEST(variables_of_each_type_are_set_and_shown),
                                   GREEN_TEST(what_does_not_fit_is_refused_and_changes_nothing),
                                   GREEN_TEST(vars_lists_them_with_type_and_help),
                                   GREEN_TEST(words_may_be_quoted),
                                   GREEN_TEST(telnet_ends_lines_and_asks_for_options_in_its_own_way),
                                   GREEN_TEST(a_line_that_is_too_long_is_refused_whole),
                                   GREEN_TEST(the_last_line_needs_no_newline),
                                   GREEN_TEST(commands_are_registered_and_taken_away),
                                   GREEN_TEST(a_command_may_yield_and_each_prints_to_its_own_console),
                                   GREEN_TEST(a_command_that_ends_its_green_thread_ends_the_console),
                                   GREEN_TEST(green_threads_are_listed_and_killed),
                                   GREEN_TEST(hub_and_pool_tell_what_they_are),
                                   GREEN_TEST(waits_deadlines_and_calls_are_shown),
                             GREEN_TEST(a_trace_goes_to_the_log),
                             GREEN_TEST(counters_are_shown_without_their_frame),
        GREEN_TEST(a_console_reads_and_flushes_any_stream),
                                   GREEN_TEST(a_client_that_is_gone_is_no_error_and_other_failures_are),
                                   GREEN_TEST(one_console_may_run_within_another),
                                   GREEN_SUITE_END};
