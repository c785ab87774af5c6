/*
 * The command `lua`: an interpreter on a console.
 *
 * It runs in a green thread with a stack that is deep enough for it, while the console's waits. Stacks are whole C
 * stacks: what Lua calls may yield at any depth, and an error, which is a longjmp(), stays within one stack. A hook
 * lets the others run every so many instructions, and is where a kill ends a script, also one that catches errors.
 */
#include "backdoor_priv.h"

#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "backdoor_lua.h"

/* 200 C calls within one another are what Lua allows. */
#define STACK_SIZE ((size_t)1 << 20)
/* Instructions between two turns of the others. */
#define TURN 10000

static struct green__backdoor_lua *
of(lua_State *L)
{
        struct green__backdoor_lua *lua;

        memcpy(&lua, lua_getextraspace(L), sizeof lua);
        return lua;
}

green_backdoor_console *
green__backdoor_lua_console(lua_State *L)
{
        return of(L)->console;
}

static void *
allocate(void *arg, void *old, size_t old_size, size_t size)
{
        (void)arg;
        (void)old_size;
        if (size != 0)
                return green_realloc(old, size);
        green_free(old);
        return NULL;
}

/* ---- the end of a script */

static void
on_count(lua_State *L, lua_Debug *ar)
{
        struct green__backdoor_lua *lua = of(L);

        (void)ar;
        if (lua->code == 0 && !lua->over)
                lua->code = lua->console->gone ? -EPIPE : green_sleep(0);
        if (lua->code == 0 && !lua->over)
                return;
        /* From here on at every instruction, wherever it is caught. */
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
        luaL_error(L, "%s", lua->over ? "the interpreter ends" : green_strerror(lua->code));
}

int
green__backdoor_lua_check(lua_State *L, int rc)
{
        struct green__backdoor_lua *lua = of(L);

        if (rc < 0) {
                if (lua->code == 0)
                        lua->code = rc;
                lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
                return luaL_error(L, "%s", green_strerror(rc));
        }
        return rc;
}

int
green__backdoor_lua_exit(lua_State *L)
{
        of(L)->over = true;
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
        return luaL_error(L, "the interpreter ends");
}

/* ---- a chunk */

static int
with_traceback(lua_State *L)
{
        const char *message = luaL_tolstring(L, 1, NULL);

        luaL_traceback(L, L, message, 1);
        return 1;
}

static int
say_error(lua_State *L, const struct green__backdoor_lua *lua)
{
        const char *message = lua_tostring(L, -1);

        if (lua->code != 0 || lua->over)
                return 0;
        return green__backdoor_complain(lua->console, "%s", message == NULL ? "?" : message);
}

/* Run the function on the top of the stack, and print what it returns. 0, or a code. */
static int
run(lua_State *L, struct green__backdoor_lua *lua)
{
        int base = lua_gettop(L), n;
        int rc = 0;

        lua_pushcfunction(L, with_traceback);
        lua_insert(L, base);
        lua_sethook(L, on_count, LUA_MASKCOUNT, TURN);
        if (lua_pcall(L, 0, LUA_MULTRET, base) != LUA_OK) {
                rc = say_error(L, lua);
        } else if ((n = lua_gettop(L) - base) > 0) {
                luaL_checkstack(L, 10, "too many results to print");
                lua_pushcfunction(L, green__backdoor_lua_print);
                lua_insert(L, base + 1);
                if (lua_pcall(L, n, 0, 0) != LUA_OK)
                        rc = say_error(L, lua);
        }
        lua_sethook(L, NULL, 0, 0);
        lua_settop(L, base - 1);
        return rc;
}

/* Does a chunk only lack its end? The message of the failure is on the top of the stack. */
static bool
is_incomplete(lua_State *L, int status)
{
        static const char mark[] = "<eof>";
        size_t len;
        const char *message = lua_tolstring(L, -1, &len);

        return status == LUA_ERRSYNTAX && message != NULL && len >= sizeof mark - 1 &&
               strcmp(message + len - (sizeof mark - 1), mark) == 0;
}

/* Put a function of the text at 1 on the stack: as it is, or as an expression. LUA_OK, or the message is there. */
static int
load(lua_State *L)
{
        const char *text = lua_tostring(L, 1);
        const char *expression = lua_pushfstring(L, "return %s", text);
        int status = luaL_loadbufferx(L, expression, strlen(expression), "=console", "t");

        lua_remove(L, 2);
        if (status == LUA_OK)
                return status;
        lua_settop(L, 1);
        return luaL_loadbufferx(L, text, strlen(text), "=console", "t");
}

/* ---- the loop */

/* Read a line and put it on the stack: 1; 0: the end. -EINTR: what was typed is dropped. Or a code. */
static int
read_line(lua_State *L, struct green__backdoor_lua *lua, bool more)
{
        green_backdoor_console *c = lua->console;
        int rc = green__backdoor_ask(c, more ? "lua>> " : "lua> ", c->idle_timeout);

        if (rc == -EMSGSIZE) {
                rc = green__backdoor_complain(c, "the line is too long: %d bytes at most", GREEN__BACKDOOR_LINE);
                return rc == 0 ? -EINTR : rc;
        }
        if (rc != 1)
                return rc;
        if (!more && (strcmp(c->line, "quit") == 0 || strcmp(c->line, "exit") == 0))
                return 0;
        lua_pushstring(L, c->line);
        return 1;
}

/* Read a chunk and put its function on the stack: 1; 0: the end; -EINTR: nothing to run. Or a code. */
static int
read_chunk(lua_State *L, struct green__backdoor_lua *lua)
{
        int status, rc = read_line(L, lua, false);

        if (rc != 1)
                return rc;
        for (;;) {
                status = load(L);
                if (status == LUA_OK)
                        return 1;
                if (!is_incomplete(L, status))
                        break;
                lua_settop(L, 1);
                lua_pushliteral(L, "\n");
                rc = read_line(L, lua, true);
                if (rc != 1)
                        return rc;
                lua_concat(L, 3);
        }
        rc = say_error(L, lua);
        return rc != 0 ? rc : -EINTR;
}

/* In a protected call: memory may run out anywhere. */
static int
loop(lua_State *L)
{
        struct green__backdoor_lua *lua = of(L);
        int rc = 1;

        green__backdoor_lua_open(L);
        while ((rc == 1 || rc == -EINTR) && !lua->over && !lua->console->quit && !lua->console->gone) {
                lua_settop(L, 0);
                rc = read_chunk(L, lua);
                if (rc != 1)
                        continue;
                rc = run(L, lua);
                if (rc == 0)
                        rc = lua->code != 0 ? lua->code : 1;
        }
        lua->code = rc < 0 && rc != -EINTR ? rc : 0;
        return 0;
}

static void
close_state(void *arg)
{
        struct green__backdoor_lua *lua = arg;

        lua_close(lua->state);
        green_backdoor_console_switch_out(lua->console);
}

static void *
interpret(void *arg)
{
        struct green__backdoor_lua *lua = arg;
        lua_State *L = lua_newstate(allocate, NULL);
        int rc;

        green_backdoor_console_switch(lua->console);
        lua->state = L;
        rc = L == NULL ? -ENOMEM : green_defer(close_state, lua);
        if (rc != 0) {
                if (L != NULL)
                        close_state(lua);
                (void)green__backdoor_complain(lua->console, "lua: %s", green_strerror(rc));
                return NULL;
        }
        memcpy(lua_getextraspace(L), &lua, sizeof(void *));
        lua_pushcfunction(L, loop);
        if (lua_pcall(L, 0, 0, 0) != LUA_OK)
                (void)say_error(L, lua);
        return NULL;
}

/* The interpreter has a code. It is the console's too, but for that of a kill of the interpreter alone. */
static int
judge(green_backdoor_console *c, int rc)
{
        int mine = green_checkpoint();

        if (mine != 0)
                return mine;
        if (rc == 0 || green__backdoor_is_gone(c, rc))
                return 0;
        return rc == -ETIMEDOUT ? rc : green__backdoor_complain(c, "lua: %s", green_strerror(rc));
}

int
green__backdoor_lua(green_backdoor_console *c, int argc, char **argv)
{
        const struct green_spawn_opts opts = {.size = sizeof opts, .name = "backdoor lua", .stack_size = STACK_SIZE};
        struct green__backdoor_lua lua = {.console = c};
        green_thread *gt;
        int rc;

        (void)argc;
        (void)argv;
        if (c->lua)
                return green__backdoor_complain(c, "lua: it runs");
        gt = green_spawn_with(interpret, &lua, &opts);
        if (gt == NULL || green__backdoor_hook(gt, c) != 0) {
                if (gt != NULL)
                        (void)green_thread_cancel(gt, 0);
                green_thread_unref(gt);
                return green__backdoor_complain(c, "lua: %s", green_strerror(-ENOMEM));
        }
        c->lua = true;
        rc = green_thread_wait(gt, NULL);
        (void)rc;
        green__backdoor_end_thread(gt);
        c->lua = false;
        return judge(c, lua.code);
}
