/*
 * A MariaDB server for tests: in a folder of its own under /tmp, on a Unix socket and a free port of 127.0.0.1. Its root has no
 * password. It is the child of a process that ends it and removes the folder when this program ends, however that is.
 */
#ifndef GREEN_TESTS_DB_SERVER_MARIADB_H
#define GREEN_TESTS_DB_SERVER_MARIADB_H

#include <stdbool.h>

struct db_server {
        char folder[64], socket[96], log[96];
        unsigned port;
        int line;     /* to that process */
        int pid;      /* that process; 0: there is none */
        char why[512]; /* why there is no server */
        bool broken;   /* it is installed, and does not start */
};

/* The server of this program, started at the first call. Without one its `why` says the reason. */
struct db_server *db_server_get(void);

/* Have it ended and started. It is done when the line has a byte to be read: 'y', or 'n', which db_server_wait() takes. */
enum { DB_SERVER_KILL = 'k', DB_SERVER_STOP = 't', DB_SERVER_START = 's', DB_SERVER_RESTART = 'r', DB_SERVER_AWAIT = 'a' };
void db_server_tell(struct db_server *s, char what);
bool db_server_wait(struct db_server *s);

#endif
