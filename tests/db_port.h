/*
 * The port of a database server of a test program, which it is told at its start and has again at each restart.
 */
#ifndef GREEN_TESTS_DB_PORT_H
#define GREEN_TESTS_DB_PORT_H

/* A port of 127.0.0.1 that nobody has now, and that no connection is given by the system: it lies below those. 0: none. */
int db_port(void);

#endif
