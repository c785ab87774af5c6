/*
 * Lines that are edited, by libedit.
 */
#include "console_edit.h"

#include <stdio.h>
#include <stdlib.h>

#include <editline/readline.h>

static void (*take)(const char *line);
static bool taken; /* a line was, so the next one begins with nothing */

static void
on_line(char *line)
{
        if (line != NULL && *line != '\0')
                add_history(line);
        taken = true;
        /* The next prompt is the server's to give. */
        rl_set_prompt("");
        take(line);
        free(line);
}

bool
cli_edit_begin(void (*fn)(const char *line))
{
        take = fn;
        rl_readline_name = "green-net";
        using_history();
        rl_callback_handler_install("", on_line);
        return true;
}

void
cli_edit_read(void)
{
        rl_callback_read_char();
}

void
cli_edit_hide(void)
{
        fputs("\r\033[K", stdout);
}

void
cli_edit_show(const char *prompt)
{
        if (taken) {
                rl_callback_handler_remove();
                rl_callback_handler_install(prompt, on_line);
                taken = false;
                return;
        }
        rl_set_prompt(prompt);
        rl_forced_update_display();
}

void
cli_edit_end(void)
{
        rl_callback_handler_remove();
}
