/*
 * A database driver for tests, whose server is a struct of the test's: it counts, fails when told to, and notices where it
 * is used in the middle of an exchange.
 *
 * Statements: "rows N" (one column, 0 to N - 1), "echo" (its parameters, as one row), "wait" (until the gate is open),
 * "fail CODE", "affect N", "lost". Parameters that do not matter are ignored.
 */
#ifndef GREEN_TESTS_DB_MOCK_H
#define GREEN_TESTS_DB_MOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

struct db_mock {
        atomic_int connects, closes, queries, begins, commits, rollbacks, settles, prepares, unprepares, resets, interrupts, alives;
        atomic_int violations; /* calls on a connection that was not at rest */
        atomic_int connect_rc; /* what connecting fails with; 0: it works */
        atomic_int settle_rc, rollback_rc, query_rc;
        atomic_bool dead;         /* the peer has closed all connections */
        atomic_bool connect_waits; /* connecting waits until the gate is open */
        atomic_bool settle_waits, rollback_waits;
        atomic_int waiting;       /* calls that wait for the gate */
        int gate;                 /* a descriptor: readable is open */
};

/* The option that tells the driver of it; good until the next call. */
static inline const char *
db_mock_option(const struct db_mock *m)
{
        static char text[64];

        snprintf(text, sizeof text, "mock=%p", (const void *)m);
        return text;
}

#endif
