/*
 * Multishot operations of hub_late: see hub_late.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "hub_late_op.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
        LATE_POISON = 0xdd,  /* what stands in a buffer that core has given back */
        LATE_REPORTS = 1000, /* of one operation; more are not made before some were delivered */
};

void
late_pool_init(struct late_pool *pool)
{
        memset(pool->memory, LATE_POISON, sizeof pool->memory);
        memset(pool->state, LATE_FREE, sizeof pool->state);
        pool->n_out = 0;
}

static int
late_pool_find(const struct late_pool *pool)
{
        for (unsigned i = 0; i < pool->n; i++) {
                if (pool->state[i] == LATE_FREE)
                        return (int)i;
        }
        return -1;
}

static void
late_pool_put(struct late_pool *pool, void *buffer)
{
        size_t i = (size_t)((unsigned char(*)[LATE_PIECE])buffer - pool->memory);

        memset(pool->memory[i], LATE_POISON, LATE_PIECE);
        pool->state[i] = LATE_FREE;
}

void
late_pool_release(struct late_pool *pool, void *buffer)
{
        for (unsigned i = 0; i < pool->n; i++) {
                if (buffer != pool->memory[i])
                        continue;
                if (pool->state[i] != LATE_OUT)
                        late_die("release() of a buffer that is not out");
                late_pool_put(pool, buffer);
                pool->n_out--;
                return;
        }
        late_die("release() of a buffer that is none");
}

bool
late_op_is_multi(const struct green_op *op)
{
        return (op->options & GREEN_OP_MULTISHOT) != 0;
}

static void
late_push(struct late_op *late, int64_t result, void *buffer, bool last)
{
        struct late_report *report = malloc(sizeof *report);

        if (report == NULL)
                abort();
        *report = (struct late_report){.result = result, .buffer = buffer, .last = last, .turns = late->late};
        *late->reports_end = report;
        late->reports_end = &report->next;
        late->n_waiting++;
        late->begun = true;
        late->done = late->done || last;
}

/* One connection, or one piece of data. False: there is no more now. */
static bool
late_piece(struct late_op *late, struct late_pool *pool)
{
        const struct green_op *op = &late->saved;
        bool last = pool->end > 0 && (pool->n_pieces + 1) % pool->end == 0;
        bool receives = op->kind == GREEN_OP_RECV;
        ssize_t n;
        int i = receives ? late_pool_find(pool) : -1;

        if (receives && i < 0) {
                struct pollfd some = {.fd = op->fd, .events = POLLIN};

                if (poll(&some, 1, 0) <= 0)
                        return false;
                late_push(late, -ENOBUFS, NULL, true);
                return false;
        }
        n = receives ? recv(op->fd, pool->memory[i], LATE_PIECE, (int)op->flags | MSG_DONTWAIT)
                     : accept4(op->fd, NULL, NULL, (int)op->flags | LATE_ACCEPT_FLAGS);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n < 0 || (receives && n == 0)) {
                late_push(late, n < 0 ? -errno : 0, NULL, true);
                return false;
        }
        pool->n_pieces++;
        if (receives)
                pool->state[i] = LATE_PENDING;
        late_push(late, n, receives ? pool->memory[i] : NULL, last);
        return !last;
}

void
late_multi_turn(struct late_op *late, struct late_pool *pool)
{
        bool was_done = late->done;

        late_op_verify(late);
        for (struct late_report *report = late->reports; report != NULL; report = report->next) {
                if (report->turns > 0)
                        report->turns--;
        }
        if (!late->done && !late->cancelled && late->ready && late->n_waiting < LATE_REPORTS) {
                for (unsigned i = 0; i < pool->at_once && late_piece(late, pool); i++)
                        ;
                late->ready = false;
        }
        if (!late->cancelled || was_done)
                return;
        if (late->turns > 0) {
                late->turns--;
                return;
        }
        /* What came after the cancel. */
        if (!late->hopeless && late_op_fd_same(late)) {
                for (unsigned i = 0; i < pool->at_once && late_piece(late, pool); i++)
                        ;
        }
        if (!late->done)
                late_push(late, -ECANCELED, NULL, true);
}

bool
late_multi_next(struct late_op *late, struct late_pool *pool, struct green_hub_event *ret_event, bool *ret_last)
{
        struct late_report *report = late->reports;

        if (report == NULL || report->turns > 0)
                return false;
        *ret_event = (struct green_hub_event){.token = (uint64_t)report->result,
                                              .events = report->last ? 0 : GREEN_HUB_MORE,
                                              .op = late->op,
                                              .buffer = report->buffer};
        if (report->buffer != NULL) {
                pool->state[(unsigned char(*)[LATE_PIECE])report->buffer - pool->memory] = LATE_OUT;
                pool->n_out++;
                if (pool->n_out > pool->most_out)
                        pool->most_out = pool->n_out;
        }
        *ret_last = report->last;
        late->saved.result = report->result;
        late->reports = report->next;
        if (late->reports == NULL)
                late->reports_end = &late->reports;
        late->n_waiting--;
        free(report);
        return true;
}

void
late_multi_drop(struct late_op *late, struct late_pool *pool)
{
        struct late_report *report;

        while ((report = late->reports) != NULL) {
                late->reports = report->next;
                if (report->buffer != NULL)
                        late_pool_put(pool, report->buffer);
                else if (late->saved.kind == GREEN_OP_ACCEPT && report->result >= 0)
                        close((int)report->result);
                free(report);
        }
}
