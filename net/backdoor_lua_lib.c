/*
 * What scripts of the command `lua` find: the libraries of Lua without what would stop the OS thread, end the program
 * or read its stdin; green; and vars, the variables of the application.
 */
#include "backdoor_lua.h"

#include <stdint.h>
#include <stdio.h>

#include <lauxlib.h>
#include <lualib.h>

/* ---- printing */

static int
print_values(lua_State *L, bool as_lines)
{
        green_backdoor_console *c = green__backdoor_lua_console(L);
        int n = lua_gettop(L);

        for (int i = 1; i <= n; i++) {
                size_t len;
                const char *text = luaL_tolstring(L, i, &len);

                if (as_lines && i > 1)
                        (void)green__backdoor_lua_check(L, green__backdoor_write(c, "\t", 1));
                (void)green__backdoor_lua_check(L, green__backdoor_write(c, text, len));
                lua_pop(L, 1);
        }
        if (as_lines)
                (void)green__backdoor_lua_check(L, green__backdoor_write(c, "\n", 1));
        return 0;
}

int
green__backdoor_lua_print(lua_State *L)
{
        return print_values(L, true);
}

static int
io_write(lua_State *L)
{
        return print_values(L, false);
}

/* ---- green */

/* green.run(line): a command of the console. */
static int
green_run(lua_State *L)
{
        green_backdoor_console *c = green__backdoor_lua_console(L);
        size_t len;
        const char *line = luaL_checklstring(L, 1, &len);
        char *own;

        luaL_argcheck(L, len <= GREEN__BACKDOOR_LINE, 1, "the line is too long");
        own = lua_newuserdatauv(L, len + 1, 0);
        memcpy(own, line, len + 1);
        (void)green__backdoor_lua_check(L, green__backdoor_run_line(c, own));
        return 0;
}

static int
green_ps(lua_State *L)
{
        (void)green__backdoor_lua_check(L, green__backdoor_ps(green__backdoor_lua_console(L), 1, NULL));
        return 0;
}

/* green.kill(ident) */
static int
green_end(lua_State *L)
{
        char text[32];
        char *argv[] = {NULL, text, NULL};

        snprintf(text, sizeof text, "%lld", (long long)luaL_checkinteger(L, 1));
        (void)green__backdoor_lua_check(L, green__backdoor_kill(green__backdoor_lua_console(L), 2, argv));
        return 0;
}

/* green.sleep(seconds) */
static int
green_wait(lua_State *L)
{
        double seconds = luaL_checknumber(L, 1);

        luaL_argcheck(L, seconds == seconds, 1, "not a number");
        (void)green__backdoor_lua_check(L, green_sleep(seconds));
        return 0;
}

/* ---- vars */

static const struct green_backdoor_variable *
variable(lua_State *L, int at)
{
        const char *name = luaL_checkstring(L, at);
        const struct green_backdoor_variable *v = green__backdoor_variable(green__backdoor_lua_console(L), name);

        if (v == NULL)
                luaL_error(L, "no such variable: %s", name);
        return v;
}

static void
push_unsigned(lua_State *L, uint64_t value)
{
        if (value <= LUA_MAXINTEGER)
                lua_pushinteger(L, (lua_Integer)value);
        else
                lua_pushnumber(L, (lua_Number)value);
}

static void
push(lua_State *L, const struct green_backdoor_variable *v)
{
        switch (v->type) {
        case GREEN_BACKDOOR_BOOL:
                lua_pushboolean(L, *(const bool *)v->address);
                break;
        case GREEN_BACKDOOR_INT:
                lua_pushinteger(L, *(const int *)v->address);
                break;
        case GREEN_BACKDOOR_INT64:
                lua_pushinteger(L, *(const int64_t *)v->address);
                break;
        case GREEN_BACKDOOR_UINT64:
                push_unsigned(L, *(const uint64_t *)v->address);
                break;
        case GREEN_BACKDOOR_SIZE:
                push_unsigned(L, *(const size_t *)v->address);
                break;
        case GREEN_BACKDOOR_DOUBLE:
                lua_pushnumber(L, *(const double *)v->address);
                break;
        case GREEN_BACKDOOR_STRING:
                lua_pushstring(L, *(const char *const *)v->address);
                break;
        }
}

static int
vars_index(lua_State *L)
{
        push(L, variable(L, 2));
        return 1;
}

static int
vars_newindex(lua_State *L)
{
        const struct green_backdoor_variable *v = variable(L, 2);
        const char *wrong;
        char text[64];
        int whole;

        switch (lua_type(L, 3)) {
        case LUA_TBOOLEAN:
                snprintf(text, sizeof text, "%s", lua_toboolean(L, 3) ? "true" : "false");
                break;
        case LUA_TNUMBER:
                /* 3.0 is an integer too, but for a double nothing is lost. */
                (void)lua_tointegerx(L, 3, &whole);
                if (whole && v->type != GREEN_BACKDOOR_DOUBLE)
                        snprintf(text, sizeof text, "%lld", (long long)lua_tointeger(L, 3));
                else
                        snprintf(text, sizeof text, "%.17g", (double)lua_tonumber(L, 3));
                break;
        case LUA_TSTRING:
                snprintf(text, sizeof text, "%s", lua_tostring(L, 3));
                break;
        default:
                return luaL_error(L, "%s: a %s is no value for it", v->name, luaL_typename(L, 3));
        }
        wrong = green__backdoor_assign(v, text);
        return wrong == NULL ? 0 : luaL_error(L, "%s: %s", v->name, wrong);
}

static int
vars_next(lua_State *L)
{
        const struct green_backdoor_variable *v = green__backdoor_lua_console(L)->variables;

        if (v != NULL && !lua_isnil(L, 2))
                v = variable(L, 2) + 1;
        if (v == NULL || v->name == NULL) {
                lua_pushnil(L);
                return 1;
        }
        lua_pushstring(L, v->name);
        push(L, v);
        return 2;
}

static int
vars_pairs(lua_State *L)
{
        lua_pushcfunction(L, vars_next);
        lua_pushvalue(L, 1);
        lua_pushnil(L);
        return 3;
}

/* ---- all of it */

static const luaL_Reg meta_functions[] = {
        {"__index", vars_index}, {"__newindex", vars_newindex}, {"__pairs", vars_pairs}, {NULL, NULL}};

static const luaL_Reg green_functions[] = {
        {"kill", green_end}, {"ps", green_ps}, {"run", green_run}, {"sleep", green_wait}, {NULL, NULL}};

static const luaL_Reg io_functions[] = {{"write", io_write}, {NULL, NULL}};

static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},       {LUA_COLIBNAME, luaopen_coroutine},
                                     {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
                                     {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8},
                                     {LUA_OSLIBNAME, luaopen_os},     {NULL, NULL}};

/* They read files and stdin, or stop the OS thread, or change what is the whole process's. */
static const char *const no_globals[] = {"dofile", "loadfile", NULL};
static const char *const no_os[] = {"execute", "remove", "rename", "setlocale", "tmpname", NULL};

static void
forget(lua_State *L, const char *const *names)
{
        for (; *names != NULL; names++) {
                lua_pushnil(L);
                lua_setfield(L, -2, *names);
        }
}

static void
open_vars(lua_State *L)
{
        lua_newtable(L);
        luaL_newlib(L, meta_functions);
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_setmetatable(L, -2);
        lua_setglobal(L, "vars");
}

void
green__backdoor_lua_open(lua_State *L)
{
        for (const luaL_Reg *l = libraries; l->name != NULL; l++) {
                luaL_requiref(L, l->name, l->func, 1);
                lua_pop(L, 1);
        }
        lua_pushglobaltable(L);
        forget(L, no_globals);
        lua_pop(L, 1);
        lua_getglobal(L, LUA_OSLIBNAME);
        forget(L, no_os);
        lua_pushcfunction(L, green__backdoor_lua_exit);
        lua_setfield(L, -2, "exit");
        lua_pop(L, 1);
        lua_pushcfunction(L, green__backdoor_lua_print);
        lua_setglobal(L, "print");
        luaL_newlib(L, green_functions);
        lua_setglobal(L, "green");
        luaL_newlib(L, io_functions);
        lua_setglobal(L, LUA_IOLIBNAME);
        open_vars(L);
}
