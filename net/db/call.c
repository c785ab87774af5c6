/*
 * Calls of a driver: in place, or in the pool of OS threads; and what a driver can ask of its link meanwhile.
 *
 * A call in an OS thread looks at what lies on the caller's stack. A caller that is killed meanwhile has the driver
 * interrupt it, and waits until it has ended; one whose call had not begun leaves it behind.
 */
#include "db_priv.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <green/tpool.h>

#include "../poll_sys.h"

/* ---- in an OS thread */

enum { QUEUED, RUNNING, DONE, LEFT, OVER };

struct green__db_job {
        atomic_int state;
        green_db_link *link;
        green__db_call_fn fn;
        void *arg;
        int rc;
        bool begun;
        bool connects; /* its link is nobody's else, and goes with a job that is left */
};

static bool
turn(struct green__db_job *j, int from, int to)
{
        return atomic_compare_exchange_strong(&j->state, &from, to);
}

static void *
run(void *arg)
{
        struct green__db_job *j = arg;

        if (!turn(j, QUEUED, RUNNING))
                return NULL;
        j->begun = true;
        j->rc = j->fn(j->link, j->arg);
        (void)turn(j, RUNNING, DONE);
        return NULL;
}

/* Whoever called was killed: it waits for this, or has left. */
static void
release(void *arg, void *result)
{
        struct green__db_job *j = arg;
        green_db_link *l = j->link;
        bool connects = j->connects;

        (void)result;
        if (turn(j, QUEUED, DONE))
                j->rc = -ECANCELED;
        if (atomic_load(&j->state) == LEFT) {
                green_free(j);
                if (connects)
                        green__db_link_left(l);
                return;
        }
        if (!connects)
                (void)green_wake_mt(l->waker);
        atomic_store(&j->state, OVER); /* from here on the waker is not touched */
}

static struct green__db_job *
job_of(green_db_link *l, bool connects)
{
        struct green__db_job *j = l->job;

        if (l->waker == NULL && !connects) {
                l->waker = green_waker_new();
                if (l->waker == NULL)
                        return NULL;
        }
        if (j == NULL) {
                j = l->job = green_calloc(1, sizeof *j);
                if (j == NULL) {
                        green_set_error(-ENOMEM, NULL);
                        return NULL;
                }
        }
        atomic_store(&j->state, QUEUED);
        j->begun = false;
        j->connects = connects;
        j->link = l;
        return j;
}

/* Wait for a call that has begun. release() is about to say that it is over, or will be when the call has ended. */
static void
wait_over(struct green__db_job *j, green_db_link *l)
{
        if (!j->connects) {
                int rc;

                green_shield_begin();
                rc = green_waker_wait(l->waker, GREEN_FOREVER);
                green_shield_end();
                (void)rc;
        }
        while (atomic_load(&j->state) != OVER)
                sched_yield();
}

/* What was going on stays where it stands, and nobody but settle() ends it. */
static int
not_made(green_db_link *l, int code)
{
        if (l->state != GREEN__DB_REST)
                l->cut = true;
        return code;
}

/* The caller is not to wait any longer, and the job is still somebody's. */
static int
end_call(struct green__db_job *j, green_db_link *l, int code)
{
        if (turn(j, QUEUED, LEFT)) {
                l->job = NULL;
                return not_made(l, code);
        }
        if (atomic_load(&j->state) == RUNNING) {
                atomic_store(&l->interrupted, true);
                if (l->target->driver->interrupt != NULL)
                        l->target->driver->interrupt(l->db);
        }
        wait_over(j, l);
        if (!j->begun)
                return not_made(l, code);
        if (j->rc >= 0)
                return j->rc;
        l->cut = true;
        return code;
}

static int
hop(green_db_link *l, green__db_call_fn fn, void *arg)
{
        bool abandoned = false;
        const struct green_tpool_opts opts = {.size = sizeof opts, .release = release, .ret_abandoned = &abandoned};
        struct green__db_job *j = job_of(l, false);
        int rc;

        if (j == NULL)
                return -ENOMEM;
        atomic_store(&l->interrupted, false);
        j->fn = fn;
        j->arg = arg;
        l->hopping = true;
        rc = green_tpool_execute(run, j, &opts, NULL);
        if (abandoned)
                rc = end_call(j, l, rc);
        else
                rc = rc == 0 ? j->rc : not_made(l, rc);
        l->hopping = false;
        return rc;
}

static int
connect_link(green_db_link *l, void *arg)
{
        void *db = NULL;
        int rc = l->target->driver->connect(l, &l->target->params, &db);

        (void)arg;
        if (rc == 0)
                l->db = db;
        return rc;
}

/* A connect that takes too long is left behind, and closed when it has come about. */
static int
hop_connect(green_db_link **link)
{
        green_db_link *l = *link;
        bool abandoned = false;
        const struct green_tpool_opts opts = {.size = sizeof opts, .release = release, .ret_abandoned = &abandoned};
        struct green__db_job *j = job_of(l, true);
        int rc;

        if (j == NULL)
                return -ENOMEM;
        j->fn = connect_link;
        l->hopping = true;
        rc = green_tpool_execute(run, j, &opts, NULL);
        if (abandoned) {
                atomic_store(&l->interrupted, true);
                if (turn(j, QUEUED, LEFT) || turn(j, RUNNING, LEFT)) {
                        *link = NULL;
                        return rc;
                }
                wait_over(j, l);
                if (j->rc == 0)
                        rc = 0;
        } else if (rc == 0) {
                rc = j->rc;
        }
        l->hopping = false;
        return rc;
}

/* ---- calls */

static void
forget_error(green_db_link *l)
{
        l->told = false;
        l->number = 0;
        l->message[0] = '\0';
        memcpy(l->sqlstate, "00000", sizeof l->sqlstate);
}

/* Sleep a little, longer each time: -EINPROGRESS, or why that has ended. The driver does not know that, settle() tells it. */
static int
rest(green_db_link *l, unsigned n)
{
        static const double delays[] = {0.001, 0.001, 0.002, 0.003, 0.005, 0.008, 0.01, 0.015, 0.02};
        enum { LAST = sizeof delays / sizeof delays[0] - 1 };
        int rc = green_sleep(delays[n < LAST ? n : LAST]);

        if (rc == 0)
                return -EINPROGRESS;
        l->cut = true;
        return rc;
}

int
green__db_call(green_db_link *l, green__db_call_fn fn, void *arg)
{
        unsigned n = 0;
        int rc;

        do {
                forget_error(l);
                rc = l->target->hops ? hop(l, fn, arg) : fn(l, arg);
                if (green__unlikely(rc == -EINPROGRESS))
                        rc = rest(l, n++);
        } while (green__unlikely(rc == -EINPROGRESS));
        if (rc == GREEN_EDBLOST)
                l->lost = true;
        if (rc == -ENOMEM)
                l->cut = true; /* rows may be left that there was no room for */
        return rc;
}

int
green__db_call_connect(green_db_link **link)
{
        green_db_link *l = *link;

        forget_error(l);
        return l->target->hops ? hop_connect(link) : connect_link(l, NULL);
}

/* ---- what a driver can ask of its link */

/* In slices, since nobody can wake it. */
static int
wait_os(green_db_link *l, green_fd fd, unsigned events)
{
        enum { SLICE_MS = 20 };
        struct pollfd p = {.fd = fd};

        p.events = (short)((events & GREEN_READ ? POLLIN : 0) | (events & GREEN_WRITE ? POLLOUT : 0));
        while (!green_db_link_interrupted(l)) {
                int n = green__sys_poll_one(&p, SLICE_MS);

                if (n < 0)
                        return n;
                if (n > 0)
                        return (int)((p.revents & ~POLLOUT ? events & GREEN_READ : 0) |
                                     (p.revents & ~POLLIN ? events & GREEN_WRITE : 0));
        }
        return -ECANCELED;
}

static int
wait_green(green_fd fd, unsigned events)
{
        static const unsigned each[] = {GREEN_READ, GREEN_WRITE};
        struct green_wait waits[2];
        unsigned what[2];
        size_t n = 0, index = 0;
        int rc = 0;

        for (size_t i = 0; i < 2 && rc == 0; i++) {
                if ((events & each[i]) == 0)
                        continue;
                what[n] = each[i];
                rc = green_wait_fd(&waits[n], fd, each[i]);
                n += rc == 0;
        }
        if (rc == 1)
                return (int)events;
        if (rc == 0)
                return (rc = green_park_any(waits, n, GREEN_FOREVER, &index)) == 0 ? (int)what[index] : rc;
        if (n > 0) {
                /* Ends the first one's wait. */
                int ended = green_park_any(waits, n, 0, NULL);

                (void)ended;
        }
        return rc;
}

int
green_db_link_wait(green_db_link *link, green_fd fd, unsigned events)
{
        int rc;

        if (link == NULL || (events & ~(GREEN_READ | GREEN_WRITE)) != 0 || events == 0)
                return green_set_error(-EINVAL, "green_db_link_wait: no link, or nothing to wait for");
        rc = link->hopping ? wait_os(link, fd, events) : wait_green(fd, events);
        if (rc < 0)
                link->cut = true;
        return rc;
}

void
green_db_link_closing(green_db_link *link, green_fd fd)
{
        if (link != NULL && !link->hopping && (intptr_t)fd >= 0)
                green_notify_close(fd);
}

bool
green_db_link_interrupted(const green_db_link *link)
{
        return link != NULL && atomic_load(&link->interrupted);
}

int
green_db_link_fail(green_db_link *link, int code, long number, const char *sqlstate, const char *message, ...)
{
        va_list args;

        if (link == NULL)
                return code;
        link->told = true;
        link->number = number;
        snprintf(link->sqlstate, sizeof link->sqlstate, "%s", sqlstate != NULL && *sqlstate != '\0' ? sqlstate : "HY000");
        va_start(args, message);
        vsnprintf(link->message, sizeof link->message, message, args);
        va_end(args);
        return code;
}

int
green_db_sqlstate_code(const char *sqlstate)
{
        static const struct {
                const char *state; /* or the first characters of many */
                int code;
        } rows[] = {
                {"08", GREEN_EDBLOST},   {"57P0", GREEN_EDBLOST}, {"23", GREEN_EDBCONSTRAINT}, {"40", GREEN_EDBRETRY},
                {"55P03", GREEN_EDBRETRY}, {"28", GREEN_EDBLOGIN},  {"3D", GREEN_EDBLOGIN},
        };

        for (size_t i = 0; sqlstate != NULL && i < sizeof rows / sizeof rows[0]; i++)
                if (strncmp(sqlstate, rows[i].state, strlen(rows[i].state)) == 0)
                        return rows[i].code;
        return GREEN_EDB;
}
