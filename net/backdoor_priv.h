/*
 * The inside of backdoor consoles.
 *
 * A console reads lines and prints through its stream. Everything that is printed waits in memory first: what walks the
 * lists of the scheduler does not yield, and a client that reads slowly makes its own console wait and nothing else.
 */
#ifndef GREEN_BACKDOOR_PRIV_H
#define GREEN_BACKDOOR_PRIV_H

#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <green/alloc.h>
#include <green/backdoor.h>
#include <green/error.h>
#include <green/log.h>
#include <green/opts.h>
#include <green/thread.h>

#include "check.h"

enum {
        GREEN__BACKDOOR_LINE = 4096, /* bytes of a line, without what ends it */
        GREEN__BACKDOOR_WORDS = 64,  /* of a line */
        GREEN__BACKDOOR_NAME = 64,   /* bytes of the name of a command or variable, with its NUL */
        GREEN__BACKDOOR_HELP = 256,  /* bytes that are shown of what a command is for, with the NUL */
};

/* Where the reader is between two bytes: see backdoor_line.c. */
enum green__backdoor_telnet {
        GREEN__TELNET_TEXT,
        GREEN__TELNET_CR,      /* a carriage return was read, and what it means depends on what follows */
        GREEN__TELNET_COMMAND, /* after IAC */
        GREEN__TELNET_OPTION,  /* after IAC and WILL, WONT, DO or DONT */
        GREEN__TELNET_SUB,     /* in a subnegotiation */
        GREEN__TELNET_SUB_IAC, /* after IAC in it */
};

struct green_backdoor_console {
        green_stream *stream;
        const struct green_backdoor_variable *variables; /* of the caller; NULL: none, or none any more */
        char *token;                                     /* what the client has to say; NULL: nothing */
        char *prompt;
        double idle_timeout;
        green_backdoor_console *outer; /* whose command runs this one; NULL: none's */
        bool read_only;
        bool running; /* in green_backdoor_console_run() */
        bool quit;    /* a command has said so */
        bool lua;     /* in the interpreter */
        bool gone;    /* the client has: what is printed is dropped */
        bool skips;   /* the rest of a line that is too long */
        enum green__backdoor_telnet state;
        unsigned char verb; /* of the option that is read */
        size_t at, end;     /* bytes of in that were read and not looked at */
        size_t len;         /* of the line so far */
        unsigned char in[512];
        char line[GREEN__BACKDOOR_LINE + 1];
};

typedef int green__backdoor_command(green_backdoor_console *c, int argc, char **argv);

/* What there is, by name. */
struct green__backdoor_builtin {
        const char *name;
        const char *words; /* that follow it, for help */
        const char *help;
        int least, most; /* words, its own included */
        bool changes;    /* refused where a console may only look */
        green__backdoor_command *run;
};

/* ---- backdoor_console.c */

/* Are those of the caller whole? Copies them; its strings and variables stay the caller's. */
int green__backdoor_take(struct green_backdoor_opts *own, const struct green_backdoor_opts *given);
/* Print len bytes: 0, or a code. */
int green__backdoor_write(green_backdoor_console *c, const char *text, size_t len);
/* Has the client gone, by the code of a call on the stream? Takes note of it. */
bool green__backdoor_is_gone(green_backdoor_console *c, ssize_t rc);
/* What is printed in a green thread goes to a console; NULL: to nobody. 0 or -ENOMEM. */
int green__backdoor_hook(green_thread *gt, green_backdoor_console *c);
/* Show a prompt and read a line, within the console's time: as green__backdoor_read_line(), and -ETIMEDOUT. */
int green__backdoor_ask(green_backdoor_console *c, const char *prompt, double timeout);

/* ---- backdoor_line.c */

/* The next line, in c->line: 1; 0: the client has gone, or says that it is done; -EMSGSIZE: it was too long, and is
 * skipped; -EINTR: it was taken back. Otherwise a code of the stream. */
int green__backdoor_read_line(green_backdoor_console *c);
/* Cut a line into words, in place: how many; -EINVAL: a quote that does not end; -E2BIG: too many. */
int green__backdoor_split(char *line, char **argv, int most);
/* Can it be the name of a command or a variable? */
bool green__backdoor_is_word(const char *text);

/* ---- backdoor_commands.c */

/* Run a line. 0, or a code that ends the console. */
int green__backdoor_run_line(green_backdoor_console *c, char *line);
/* One of those that are there always; NULL. */
const struct green__backdoor_builtin *green__backdoor_builtin(const char *name);
/* Say what is wrong. 0, or a code. */
int green__backdoor_complain(green_backdoor_console *c, const char *format, ...) GREEN_PRINTF(2, 3);

/* ---- backdoor_register.c */

struct green__backdoor_registered {
        char name[GREEN__BACKDOOR_NAME];
        char help[GREEN__BACKDOOR_HELP];
        green_backdoor_fn fn;
        void *arg;
};

/* A copy of the command of that name, or with next set of the first after it: false where there is none. */
bool green__backdoor_registered(const char *name, bool next, struct green__backdoor_registered *ret_command);

/* ---- backdoor_vars.c */

const struct green_backdoor_variable *green__backdoor_variable(const green_backdoor_console *c, const char *name);
/* Is it whole? */
bool green__backdoor_variable_ok(const struct green_backdoor_variable *v);
/* Set a variable from text: NULL, or what is wrong. */
const char *green__backdoor_assign(const struct green_backdoor_variable *v, const char *text);
green__backdoor_command green__backdoor_vars, green__backdoor_get, green__backdoor_set;

/* ---- backdoor_look.c */

/* The number of a green thread: 0 where it is none. */
uint64_t green__backdoor_ident(const char *text);
/* Show what fn writes to a descriptor, which is nothing where it returns 0: all of it, or without the calls. 0, or a code. */
int green__backdoor_dump(green_backdoor_console *c, int (*fn)(int fd, uint64_t ident), uint64_t ident, bool whole);
int green__backdoor_dump_all(int fd, uint64_t ident);
green__backdoor_command green__backdoor_ps, green__backdoor_hub, green__backdoor_tpool, green__backdoor_kill;

/* ---- backdoor_debug.c */

green__backdoor_command green__backdoor_bt, green__backdoor_listeners, green__backdoor_pools, green__backdoor_threads, green__backdoor_timers,
        green__backdoor_trace;

/* ---- backdoor_metrics.c */

green__backdoor_command green__backdoor_metrics;

/* ---- backdoor_posix.c */

/* A descriptor to write to without waiting, and to read from again; or a code. */
int green__backdoor_scratch(void);
/* Read what was written to it from an offset on: bytes, 0 at the end. Then close it. */
ssize_t green__backdoor_scratch_read(int fd, char *buf, size_t len, int64_t offset);
void green__backdoor_scratch_close(int fd);
/* Nobody but its owner may use a Unix socket's file: 0 or a code. */
int green__backdoor_make_private(const char *path);
/* Remove a Unix socket's file. */
void green__backdoor_remove(const char *path);
/* The path of a Unix socket that has a file; NULL. */
struct green_addr;
const char *green__backdoor_path(const struct green_addr *addr);

/* ---- backdoor.c */

/* May there be a backdoor at an address? 0 or -EACCES. */
int green__backdoor_may_serve(const struct green_addr *addr, bool anywhere);
/* End a green thread and wait for it, whatever has fired for the caller. Gives the handle back. */
void green__backdoor_end_thread(green_thread *gt);

/* ---- backdoor_lua.c, backdoor_nolua.c */

green__backdoor_command green__backdoor_lua;

#endif
