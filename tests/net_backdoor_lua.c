/* net/backdoor_lua.c, net/backdoor_lua_lib.c, net/backdoor_nolua.c: the interpreter of a console. */
#include <config.h>

#include "net_backdoor.h"

#define LUA "lua> "
#define MORE "lua>> "

static bool flag;
static int whole;
static uint64_t natural;
static double real;
static const char *text = "some text";
static int fixed = 3;

static const struct green_backdoor_variable variables[] = {{"flag", GREEN_BACKDOOR_BOOL, &flag, false, NULL},
                                                           {"whole", GREEN_BACKDOOR_INT, &whole, false, NULL},
                                                           {"natural", GREEN_BACKDOOR_UINT64, &natural, false, NULL},
                                                           {"real", GREEN_BACKDOOR_DOUBLE, &real, false, NULL},
                                                           {"text", GREEN_BACKDOOR_STRING, &text, false, NULL},
                                                           {"fixed", GREEN_BACKDOOR_INT, &fixed, true, NULL},
                                                           {.name = NULL}};

static const struct green_backdoor_opts plain = {OPTS, .variables = variables};

static bool
open_lua(struct client *c)
{
        if (!open_pair(c, &plain))
                return false;
        say(c, "lua\n");
        if (HAVE_LUA)
                return until(c, LUA);
        CHECK(until(c, PROMPT));
        CHECK_STR(c->text, "error: this green-net was built without Lua\n");
        suite_skip("built without Lua");
        return false;
}

/* The answer to a line. */
static const char *
lua(struct client *c, const char *line)
{
        say(c, line);
        say(c, "\n");
        return until(c, LUA) ? c->text : "";
}

static void
expressions_and_statements_are_run(void)
{
        struct client c;

        GREEN_COVERS("BACK-04");
        if (open_lua(&c)) {
                CHECK_STR(lua(&c, "1 + 1, 'x'"), "2\tx\n");
                CHECK_STR(lua(&c, "a = {10, 20}"), "");
                CHECK_STR(lua(&c, "#a"), "2\n");
                CHECK_STR(lua(&c, "print(a[1], nil, true) io.write(1, 2, '\\n')"), "10\tnil\ttrue\n12\n");
                CHECK_STR(lua(&c, ""), "");
                say(&c, "for i = 1, 2 do\n");
                CHECK(until(&c, MORE));
                say(&c, "print(i)\n");
                CHECK(until(&c, MORE));
                CHECK_STR(lua(&c, "end"), "1\n2\n");
                CHECK_STR(lua(&c, "string.rep('ab', 3)"), "ababab\n");
        }
        hang_up(&c);
}

static void
errors_are_shown_and_end_nothing(void)
{
        struct client c;

        if (open_lua(&c)) {
                has(lua(&c, "error('broken')"), "error: console:1: broken\nstack traceback:");
                has(lua(&c, "1 1"), "error: console:1: ");
                has(lua(&c, "error(setmetatable({}, {__tostring = function() return 'an object' end}))"), "an object");
                has(lua(&c, "local function f() return 1 + f() end f()"), "stack overflow");
                has(lua(&c, "string.rep('x', 100, ','):gsub('x', function() return string.rep end)"), "error: ");
                has(lua(&c, "local function g(s) return (s:gsub('.', g)) end g('x')"), "overflow");
                CHECK_STR(lua(&c, "pcall(error, 'x')"), "false\tx\n");
                CHECK_STR(lua(&c, "1"), "1\n");
        }
        hang_up(&c);
}

static void
variables_are_a_table(void)
{
        struct client c;

        GREEN_COVERS("BACK-03");
        whole = 5;
        natural = UINT64_MAX;
        if (open_lua(&c)) {
                CHECK_STR(lua(&c, "vars.whole + 1, vars.flag, vars.text, vars.fixed, vars.real"),
                          "6\tfalse\tsome text\t3\t0.0\n");
                CHECK_STR(lua(&c, "vars.natural > 1e18"), "true\n");
                CHECK_STR(lua(&c, "vars.whole = vars.whole * 2 vars.flag = true vars.real = 0.25 vars.natural = 3.0"),
                          "");
                CHECK(whole == 10 && flag && real == 0.25 && natural == 3);
                CHECK_STR(lua(&c, "vars.natural = '18446744073709551615'"), "");
                CHECK(natural == UINT64_MAX);
                has(lua(&c, "vars.whole = 2^31"), "error: console:1: whole: out of range: it is an int");
                has(lua(&c, "vars.whole = 1.5"), "whole: it is a whole number");
                has(lua(&c, "vars.whole = {}"), "whole: a table is no value for it");
                has(lua(&c, "vars.natural = -1"), "out of range: it is not below 0");
                has(lua(&c, "vars.fixed = 1"), "fixed: it can be read only");
                has(lua(&c, "vars.text = 'x'"), "text: it can be read only");
                has(lua(&c, "vars.none"), "no such variable: none");
                has(lua(&c, "vars.none = 1"), "no such variable: none");
                CHECK_STR(lua(&c, "local t = {} for k, v in pairs(vars) do t[#t + 1] = k .. '=' .. tostring(v) end "
                                  "return table.concat(t, ' ')"),
                          "flag=true whole=10 natural=1.844674407371e+19 real=0.25 text=some text fixed=3\n");
                CHECK_INT(whole, 10);
        }
        hang_up(&c);
}

static void
what_would_stop_or_end_the_program_is_not_there(void)
{
        struct client c;

        GREEN_COVERS("BACK-11");
        if (open_lua(&c)) {
                CHECK_STR(
                        lua(&c, "io.read, io.stdin, io.open, os.execute, os.remove, dofile, loadfile, require, debug"),
                        "nil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\n");
                CHECK_STR(lua(&c, "type(os.time()), type(os.clock()), type(math.sin(1))"), "number\tnumber\tnumber\n");
                say(&c, "pcall(os.exit) print('not reached')\n");
                CHECK(until(&c, PROMPT));
                CHECK_STR(c.text, "");
                has(ask(&c, "get fixed"), "fixed = 3");
                say(&c, "lua\n");
                CHECK(until(&c, LUA));
                say(&c, "exit\n");
                CHECK(until(&c, PROMPT));
                say(&c, "lua\n");
                CHECK(until(&c, LUA));
                /* The end of the console, from inside. */
                say(&c, "green.run('quit')\n");
                CHECK(until_end(&c));
        }
        hang_up(&c);
}

static void
it_runs_commands_of_the_console(void)
{
        struct client c;

        if (open_lua(&c)) {
                has(lua(&c, "green.ps()"), "backdoor lua");
                CHECK_STR(lua(&c, "green.run('get fixed')"), "fixed = 3\n");
                CHECK_STR(lua(&c, "green.run('lua')"), "error: lua: it runs\n");
                has(lua(&c, "green.kill(-1)"), "there is no green thread -1");
                CHECK_STR(lua(&c, "green.sleep(0.001)"), "");
                has(lua(&c, "green.sleep(0/0)"), "not a number");
        }
        hang_up(&c);
}

static void
others_run_while_a_script_does_and_a_kill_ends_it(void)
{
        int turns = 0;
        green_thread *gt = green_spawn(count_turns, &turns);
        struct client c, other;
        char line[64];
        uint64_t ident = 0;
        char *at;

        GREEN_COVERS("BACK-06");
        if (open_lua(&c)) {
                /* It catches whatever comes. */
                say(&c, "while true do pcall(function() while true do end end) end\n");
                CHECK(open_pair(&other, &plain));
                turns = 0;
                for (int i = 0; i < 20; i++)
                        green_sleep(0);
                CHECK(turns > 10);
                at = strstr(ask(&other, "ps"), " backdoor lua");
                if (CHECK(at != NULL)) {
                        while (at > other.text && at[-1] >= '0' && at[-1] <= '9')
                                at--;
                        ident = strtoull(at, NULL, 10);
                }
                snprintf(line, sizeof line, "kill %" PRIu64, ident);
                has(ask(&other, line), "green thread ");
                CHECK(until(&c, PROMPT));
                CHECK_STR(c.text, "error: lua: killed\n");
                CHECK_STR(ask(&c, "get fixed"), "fixed = 3\n");
                hang_up(&other);
        }
        hang_up(&c);
        CHECK_INT(green_kill(gt, 0), 0);
        green_thread_unref(gt);
}

static void
it_ends_with_its_client_and_with_the_server(void)
{
        struct served sv;
        struct client c;

        GREEN_COVERS("BACK-08", "BACK-10");
        if (!HAVE_LUA) {
                suite_skip("built without Lua");
                return;
        }
        if (!serve(&sv, "127.0.0.1:0", &plain) || !open_console(&c, sv.address))
                return;
        say(&c, "lua\nwhile true do print('x') end\n");
        CHECK(until(&c, "x\nx\n"));
        hang_up(&c);
        CHECK(open_console(&c, sv.address));
        say(&c, "lua\nwhile true do end\n");
        CHECK(until(&c, LUA));
        green_sleep(0.01);
        stop(&sv);
        CHECK(until_end(&c));
        hang_up(&c);
}

static void
an_idle_interpreter_is_closed(void)
{
        const struct green_backdoor_opts opts = {OPTS, .idle_timeout = 0.1};
        struct client c;

        if (!HAVE_LUA) {
                suite_skip("built without Lua");
                return;
        }
        if (open_pair(&c, &opts)) {
                say(&c, "lua\n");
                CHECK(until(&c, LUA));
                CHECK(until_end(&c));
                CHECK_STR(c.text, "\nclosed: nothing came for 0.1 seconds\n");
        }
        hang_up(&c);
}

static void
memory_that_runs_out_is_an_error(void)
{
        struct client c;

        if (open_lua(&c)) {
                memory_left = 5;
                lua(&c, "local t = {} for i = 1, 1000 do t[i] = {i} end");
                memory_left = -1;
                has(c.text, "not enough memory");
                CHECK_STR(lua(&c, "1"), "1\n");
        }
        hang_up(&c);
        for (int i = 0; HAVE_LUA && i < 300; i += 7) {
                if (!open_pair(&c, &plain))
                        break;
                memory_left = i;
                say(&c, "lua\nexit\n");
                for (int turns = 0; turns < 5; turns++)
                        green_sleep(0);
                memory_left = -1;
                hang_up(&c);
                green_sleep(0);
        }
}

GREEN_SUITE(net_backdoor_lua){GREEN_TEST(expressions_and_statements_are_run),
                              GREEN_TEST(errors_are_shown_and_end_nothing),
                              GREEN_TEST(variables_are_a_table),
                              GREEN_TEST(what_would_stop_or_end_the_program_is_not_there),
                              GREEN_TEST(it_runs_commands_of_the_console),
                              GREEN_TEST(others_run_while_a_script_does_and_a_kill_ends_it),
                              GREEN_TEST(it_ends_with_its_client_and_with_the_server),
                              GREEN_TEST(an_idle_interpreter_is_closed),
                              GREEN_TEST(memory_that_runs_out_is_an_error),
                              GREEN_SUITE_END};
