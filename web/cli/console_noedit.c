/*
 * Lines as the terminal gives them: this build has no libedit.
 */
#include "console_edit.h"

bool
cli_edit_begin(void (*fn)(const char *line))
{
        (void)fn;
        return false;
}

void
cli_edit_read(void)
{
}

void
cli_edit_hide(void)
{
}

void
cli_edit_show(const char *prompt)
{
        (void)prompt;
}

void
cli_edit_end(void)
{
}
