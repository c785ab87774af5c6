/*
 * A PostgreSQL server of a test program's own, in a temporary folder. It is started at the first use and ends with the
 * program, however that ends. It is never run as root.
 */
#ifndef GREEN_TESTS_DB_SERVER_H
#define GREEN_TESTS_DB_SERVER_H

#include <stdbool.h>

/* What a server is told to do. */
enum pg_server_order {
        PG_START = 's',     /* again; ends when it takes connections */
        PG_STOP = 'f',      /* "fast": connections are told, transactions rolled back */
        PG_IMMEDIATE = 'q', /* without a word */
        PG_KILL = 'k',      /* by SIGKILL */
};

/* Start it, where that was not done yet. NULL: there it is; else why there is none. */
const char *pg_server_start(void);
/* Where it is: a folder for Unix sockets, and a port at 127.0.0.1. User "postgres", database "postgres"; user "locked"
 * has the password "secret" and needs it at 127.0.0.1, where TLS may be used too. */
const char *pg_server_folder(void);
int pg_server_port(void);
/* Tell it; the descriptor that becomes readable when it is done, and then the answer: true, done. */
int pg_server_tell(enum pg_server_order order);
bool pg_server_told(void);
/* Both, blocking. */
bool pg_server_do(enum pg_server_order order);

#endif
