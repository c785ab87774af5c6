/*
 * Lines that are edited, by libedit where the build has it.
 */
#ifndef GREEN_CLI_CONSOLE_EDIT_H
#define GREEN_CLI_CONSOLE_EDIT_H

#include <stdbool.h>

/* Begin: false where there is no editor. fn is given each line; NULL at the end of the input. */
bool cli_edit_begin(void (*fn)(const char *line));
/* stdin has something: take it. */
void cli_edit_read(void);
/* Something is printed in between: the line goes, and comes back. */
void cli_edit_hide(void);
void cli_edit_show(const char *prompt);
void cli_edit_end(void);

#endif
