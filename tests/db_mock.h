/*
 * A database driver for tests, whose server is a struct of the test's: it counts, fails when told to, and notices where it
 * is used in the middle of an exchange.
 *
 * Statements: "rows N" (one column, 0 to N - 1), "echo" (its parameters, as one row), "wait" (until the gate is open),
 * "fail CODE", "affect N", "lost". Parameters that do not matter are ignored.
 *
 * db_mock is called in place, db_mock_blocks in OS threads. db_mock_pipes is the first, and has what they lack:
 * pipelines (of up to 16 statements), COPY ("copy": three pieces come out), notifications, and every command.
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
        atomic_int statements;    /* prepared ones whose memory was not released */
        atomic_int notes;         /* notifications that have come; where there are none the gate is waited for */
        int (*connecting)(void *arg); /* called where a connection is made; what it fails with */
        void *arg;                    /* passed to it */
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
