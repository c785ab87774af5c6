/*
 * What the two parts of the command `lua` share.
 */
#ifndef GREEN_BACKDOOR_LUA_H
#define GREEN_BACKDOOR_LUA_H

#include <lua.h>

#include "backdoor_priv.h"

/* An interpreter. It lies on the stack of the console's green thread. */
struct green__backdoor_lua {
        green_backdoor_console *console;
        lua_State *state;
        int code;  /* why a script has to end, and the interpreter with it; 0: it has not */
        bool over; /* os.exit() was called */
};

/* ---- backdoor_lua.c */

green_backdoor_console *green__backdoor_lua_console(lua_State *L);
/* A code of the console raises an error, and ends the interpreter: otherwise it comes back. */
int green__backdoor_lua_check(lua_State *L, int rc);
/* os.exit() */
int green__backdoor_lua_exit(lua_State *L);

/* ---- backdoor_lua_lib.c */

/* What scripts find. */
void green__backdoor_lua_open(lua_State *L);
int green__backdoor_lua_print(lua_State *L);

#endif
