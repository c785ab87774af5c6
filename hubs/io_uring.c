/*
 * io_uring, of Linux 5.19 and later: operations that run to completion, readiness by poll requests, an eventfd for
 * wake().
 *
 * Here: the ring, waiting, readiness. Operations are in io_uring_op.c. A poll request holds the open file, closed or
 * not, so a descriptor does not leave by itself, and remove() goes to the kernel at once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "io_uring.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
        HUB_IO_URING_REQUESTS = 256, /* places in the submission queue */
        HUB_IO_URING_REPORTS = 1024, /* in the completion queue; what is more is kept by the kernel */
        HUB_IO_URING_BATCH = 20, /* a system call brings about so many reports and leaves the rest for the next one */
        HUB_IO_URING_READS = POLLIN | POLLPRI | POLLRDHUP,
};

/* No limit is longer: the kernel adds it to its clock, and the sum must fit. */
#define HUB_IO_URING_LONGEST (INT64_MAX / 2)

/* ---- the ring */

static void
hub_io_uring_close(struct green__uring *hub)
{
        if (hub->ring.ring_fd >= 0)
                io_uring_queue_exit(&hub->ring);
        if (hub->wake >= 0)
                close(hub->wake);
        if (hub->told >= 0)
                close(hub->told);
        hub->ring.ring_fd = -1;
        hub->wake = -1;
        hub->told = -1;
}

static int
hub_io_uring_open(struct green__uring *hub)
{
        int err;

        hub->told = -1;
        hub->eager = false;
        hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        err = hub->wake < 0 ? -errno
                            : green__uring_make(&hub->ring, HUB_IO_URING_REQUESTS, HUB_IO_URING_REPORTS, &hub->flags);
        if (err != 0) {
                hub->ring.ring_fd = -1;
                hub_io_uring_close(hub);
                return err;
        }
        /* Saves looking up the descriptor at each system call; where there is no such thing, well. */
        (void)io_uring_register_ring_fd(&hub->ring);
        green__uring_list_init(&hub->dirty);
        green__uring_list_init(&hub->begun);
        green__uring_list_init(&hub->cancels);
        hub->wake_armed = false;
        hub->requests = hub->in_flight = 0;
        atomic_store(&hub->woken, false);
        return 0;
}

static int
hub_io_uring_init(const struct green_hub_config *config, void **ret_state)
{
        struct green__uring *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        memset(hub, 0, sizeof *hub);
        hub->config = config;
        hub->ring.ring_fd = -1;
        err = hub_io_uring_open(hub);
        if (err != 0) {
                config->free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

struct io_uring_sqe *
green__uring_sqe(struct green__uring *hub)
{
        struct io_uring_sqe *sqe;

        if (hub->ring.ring_fd < 0)
                return NULL;
        sqe = io_uring_get_sqe(&hub->ring);
        if (sqe == NULL && io_uring_submit(&hub->ring) > 0)
                sqe = io_uring_get_sqe(&hub->ring);
        return sqe;
}

/* Hand over what has gathered and run what is due, without waiting. */
static void
hub_io_uring_flush(struct green__uring *hub)
{
        unsigned before;

        if (hub->ring.ring_fd < 0)
                return;
        do {
                before = io_uring_cq_ready(&hub->ring);
                if (io_uring_submit_and_get_events(&hub->ring) < 0)
                        break;
        } while (io_uring_cq_ready(&hub->ring) >= before + HUB_IO_URING_BATCH);
}

/* ---- readiness */

unsigned
green__uring_poll_mask(uint32_t interest)
{
        return (interest & GREEN_READ ? HUB_IO_URING_READS : 0u) | (interest & GREEN_WRITE ? POLLOUT : 0u);
}

uint32_t
green__uring_bits(unsigned mask, uint32_t interest)
{
        /* A read stops at urgent data: there too one that gave less than it could has not taken all there was. */
        return (mask & HUB_IO_URING_READS ? interest & GREEN_READ : 0u) |
               (mask & POLLOUT ? interest & GREEN_WRITE : 0u) | (mask & (POLLERR | POLLHUP) ? GREEN_HUB_ERROR : 0u) |
               (mask & (POLLERR | POLLHUP | POLLRDHUP | POLLPRI) ? GREEN_HUB_HANGUP : 0u);
}

bool
green__uring_unasked(uint32_t bits, uint32_t interest)
{
        return (bits & (interest | GREEN_HUB_ERROR)) == 0;
}

static uint64_t
hub_io_uring_id(const struct green__uring_entry *entry)
{
        return (uint64_t)entry->gen << 32 | (uint32_t)entry->fd << 1 | 1;
}

static struct green__uring_entry *
hub_io_uring_peek(const struct green__uring *hub, green_fd fd)
{
        size_t chunk = (size_t)fd / GREEN__URING_CHUNK;

        if (fd < 0 || chunk >= hub->n_chunks || hub->chunks[chunk] == NULL)
                return NULL;
        return &hub->chunks[chunk][(size_t)fd % GREEN__URING_CHUNK];
}

/* The entry of a number that is 0 or more; made if there is none. */
static struct green__uring_entry *
hub_io_uring_entry(struct green__uring *hub, green_fd fd)
{
        size_t chunk = (size_t)fd / GREEN__URING_CHUNK;

        if (chunk >= hub->n_chunks) {
                size_t n = chunk + 1 < 2 * hub->n_chunks ? 2 * hub->n_chunks : chunk + 1;
                struct green__uring_entry **chunks = hub->config->realloc(hub->chunks, n * sizeof *chunks);

                if (chunks == NULL)
                        return NULL;
                memset(chunks + hub->n_chunks, 0, (n - hub->n_chunks) * sizeof *chunks);
                hub->chunks = chunks;
                hub->n_chunks = n;
        }
        if (hub->chunks[chunk] == NULL) {
                struct green__uring_entry *entries = hub->config->realloc(NULL, GREEN__URING_CHUNK * sizeof *entries);

                if (entries == NULL)
                        return NULL;
                memset(entries, 0, GREEN__URING_CHUNK * sizeof *entries);
                for (int i = 0; i < GREEN__URING_CHUNK; i++)
                        entries[i].fd = (int)(chunk * GREEN__URING_CHUNK) + i;
                hub->chunks[chunk] = entries;
        }
        return hub_io_uring_peek(hub, fd);
}

/* It is to be polled, from the next system call on. */
static void
hub_io_uring_want(struct green__uring *hub, struct green__uring_entry *entry)
{
        if (entry->node.next == NULL)
                green__uring_append(&hub->dirty, &entry->node);
}

static void
hub_io_uring_poll_wake(struct green__uring *hub, struct io_uring_sqe *sqe)
{
        io_uring_prep_poll_multishot(sqe, hub->wake, POLLIN);
        sqe->user_data = GREEN__URING_WAKE;
        hub->wake_armed = true;
        hub->requests++;
}

static void
hub_io_uring_poll_entry(struct green__uring *hub, struct green__uring_entry *entry, struct io_uring_sqe *sqe)
{
        unsigned mask = green__uring_poll_mask(entry->interest);

        green__uring_unlink(&entry->node);
        if (entry->interest & GREEN_HUB_EDGE || entry->patient)
                io_uring_prep_poll_multishot(sqe, entry->fd, mask);
        else
                io_uring_prep_poll_add(sqe, entry->fd, mask);
        entry->armed = true;
        sqe->user_data = hub_io_uring_id(entry);
        hub->requests++;
        hub->counts[GREEN_OP_POLL]++;
}

/* Makes requests of all that has gathered, while there is room. */
static void
hub_io_uring_fill(struct green__uring *hub)
{
        struct io_uring_sqe *sqe;

        if (!hub->wake_armed && (sqe = green__uring_sqe(hub)) != NULL)
                hub_io_uring_poll_wake(hub, sqe);
        while (hub->dirty.next != &hub->dirty && (sqe = green__uring_sqe(hub)) != NULL)
                hub_io_uring_poll_entry(hub, (struct green__uring_entry *)hub->dirty.next, sqe);
        green__uring_fill_ops(hub);
}

void
green__uring_eager(struct green__uring *hub)
{
        if (!hub->eager)
                return;
        hub_io_uring_fill(hub);
        hub_io_uring_flush(hub);
}

/*
 * Ends the request of an entry. What it still reports is known by its generation. Where the kernel takes no request,
 * for want of memory, the poll lives on until something happens.
 */
static void
hub_io_uring_unpoll(struct green__uring *hub, struct green__uring_entry *entry)
{
        struct io_uring_sqe *sqe = green__uring_sqe(hub);

        if (sqe != NULL) {
                /* Not poll_remove: that does nothing where something is being reported just now, and the poll goes on. */
                io_uring_prep_cancel64(sqe, hub_io_uring_id(entry), 0);
                sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
                sqe->user_data = GREEN__URING_IGNORE;
        }
        entry->gen++;
        entry->armed = false;
}

/* Files of some kinds are always ready. A poll request would say so for ever; epoll refuses them, so it is asked. */
static int
hub_io_uring_refused(green_fd fd)
{
        struct epoll_event event = {.events = EPOLLIN};
        struct stat file;
        int poller, err;

        if (fstat(fd, &file) != 0)
                return -errno;
        if (!S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode) && !S_ISBLK(file.st_mode) && !S_ISCHR(file.st_mode))
                return 0;
        poller = epoll_create1(EPOLL_CLOEXEC);
        if (poller < 0)
                return -errno;
        err = epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
        close(poller);
        return err;
}

static int
hub_io_uring_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct green__uring *hub = state;
        struct green__uring_entry *entry;
        int err;

        if ((interest & (GREEN_READ | GREEN_WRITE)) == 0)
                return -EINVAL;
        err = hub_io_uring_refused(fd);
        if (err != 0)
                return err;
        entry = hub_io_uring_entry(hub, fd);
        if (entry == NULL)
                return -ENOMEM;
        if (entry->interest != 0)
                return -EEXIST;
        entry->interest = (uint16_t)interest;
        entry->token = token;
        entry->patient = false;
        hub_io_uring_want(hub, entry);
        green__uring_eager(hub);
        return 0;
}

static int
hub_io_uring_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct green__uring *hub = state;
        struct green__uring_entry *entry = hub_io_uring_peek(hub, fd);

        if (entry == NULL || entry->interest == 0)
                return -ENOENT;
        if ((interest & (GREEN_READ | GREEN_WRITE)) == 0)
                return -EINVAL;
        if (entry->armed)
                hub_io_uring_unpoll(hub, entry);
        entry->interest = (uint16_t)interest;
        entry->token = token;
        entry->patient = false;
        hub_io_uring_want(hub, entry);
        green__uring_eager(hub);
        return 0;
}

static int
hub_io_uring_remove(void *state, green_fd fd)
{
        struct green__uring *hub = state;
        struct green__uring_entry *entry = hub_io_uring_peek(hub, fd);

        if (entry == NULL || entry->interest == 0)
                return -ENOENT;
        entry->interest = 0;
        green__uring_unlink(&entry->node);
        if (!entry->armed)
                return 0;
        /* Now: until the request has ended the file stays open, whoever closes it, and its address taken. */
        hub_io_uring_unpoll(hub, entry);
        hub_io_uring_flush(hub);
        return 0;
}

/* Is it so now? Reports may lie in the queue for a while, and level interest is about what is. */
static unsigned
hub_io_uring_look(const struct green__uring_entry *entry)
{
        struct pollfd one = {.fd = entry->fd, .events = (short)green__uring_poll_mask(entry->interest)};

        if (poll(&one, 1, 0) <= 0)
                return 0;
        return (unsigned)one.revents & POLLNVAL ? POLLERR : (unsigned)one.revents;
}

/* What a poll has found, for core; 0: nothing. And how it goes on. */
static uint32_t
hub_io_uring_polled(struct green__uring *hub, struct green__uring_entry *entry, int result)
{
        uint32_t interest = entry->interest;
        uint32_t bits;

        if (result < 0) {
                /* Closed before the kernel saw it, most likely. It is told once, and dropped. */
                entry->interest = 0;
                return GREEN_HUB_ERROR | GREEN_HUB_HANGUP;
        }
        bits = green__uring_bits((unsigned)result, interest);
        if (interest & GREEN_HUB_EDGE) {
                if (!entry->armed)
                        hub_io_uring_want(hub, entry);
                return green__uring_unasked(bits, interest) ? 0 : bits;
        }
        /* Who only writes is told that the peer sends no more: at once, each time. A multishot request says it once. */
        entry->patient = green__uring_unasked(bits, interest) && (entry->patient || bits != 0);
        if (!(interest & GREEN_HUB_ONESHOT) && !entry->patient)
                bits = green__uring_bits(hub_io_uring_look(entry), interest);
        if (green__uring_unasked(bits, interest)) {
                if (entry->armed && !entry->patient)
                        hub_io_uring_unpoll(hub, entry);
                if (!entry->armed)
                        hub_io_uring_want(hub, entry);
                return 0;
        }
        if (entry->armed)
                hub_io_uring_unpoll(hub, entry);
        if (!(interest & GREEN_HUB_ONESHOT))
                hub_io_uring_want(hub, entry);
        return bits;
}

/* ---- waiting */

static bool
hub_io_uring_ready(struct green__uring *hub, const struct io_uring_cqe *cqe, struct green_hub_event *event)
{
        struct green__uring_entry *entry = hub_io_uring_peek(hub, (green_fd)((uint32_t)cqe->user_data >> 1));
        uint32_t bits;
        bool unsure;

        if (entry == NULL || entry->interest == 0 || !entry->armed || entry->gen != cqe->user_data >> 32)
                return false;
        event->token = entry->token;
        if (!(cqe->flags & IORING_CQE_F_MORE))
                entry->armed = false;
        unsure = cqe->res > 0 && (cqe->res & (POLLIN | POLLPRI)) == (POLLIN | POLLPRI);
        bits = hub_io_uring_polled(hub, entry, unsure ? cqe->res & ~POLLPRI : cqe->res);
        if (bits == 0)
                return false;
        if (unsure) {
                hub->unsure[hub->n_unsure] = (struct pollfd){.fd = entry->fd, .events = POLLPRI};
                hub->unsure_events[hub->n_unsure++] = event;
        }
        event->events = bits;
        event->reserved = 0;
        event->op = NULL;
        event->buffer = NULL;
        return true;
}

/* One report of the kernel's: true if it makes an event. */
static bool
hub_io_uring_report(struct green__uring *hub, const struct io_uring_cqe *cqe, struct green_hub_event *event,
                    bool *ret_woken)
{
        if (cqe->user_data == GREEN__URING_IGNORE)
                return false;
        if (!(cqe->flags & IORING_CQE_F_MORE))
                hub->requests--;
        if (cqe->user_data & 1)
                return hub_io_uring_ready(hub, cqe, event);
        if (cqe->user_data != GREEN__URING_WAKE)
                return green__uring_op_done(hub, cqe, event);
        if (!(cqe->flags & IORING_CQE_F_MORE))
                hub->wake_armed = false;
        /* A wake from here on writes again; one that came before counts as this one. */
        atomic_exchange(&hub->woken, false);
        *ret_woken = true;
        return false;
}

/*
 * What a waker says of a socket is passed on as it is, and for any bytes that is "readable, or urgent". Whether there
 * is urgent data, where a read stops, is asked for all that came together.
 */
static void
hub_io_uring_ask_urgent(struct green__uring *hub)
{
        int n = hub->n_unsure > 0 ? poll(hub->unsure, hub->n_unsure, 0) : 0;

        for (unsigned i = 0; n > 0 && i < hub->n_unsure; i++) {
                if (hub->unsure[i].revents == 0)
                        continue;
                n--;
                if (hub->unsure[i].revents & POLLPRI)
                        hub->unsure_events[i]->events |= GREEN_HUB_HANGUP;
        }
        hub->n_unsure = 0;
}

/* Takes reports until there are max events; *ret_seen counts the reports. */
static int
hub_io_uring_reap(struct green__uring *hub, struct green_hub_event *events, int max, bool *ret_woken,
                  unsigned *ret_seen)
{
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        int n = 0;

        io_uring_for_each_cqe(&hub->ring, head, cqe)
        {
                if (n == max || hub->n_unsure == GREEN__URING_UNSURE)
                        break;
                n += hub_io_uring_report(hub, cqe, &events[n], ret_woken);
                seen++;
        }
        io_uring_cq_advance(&hub->ring, seen);
        hub_io_uring_ask_urgent(hub);
        *ret_seen = seen;
        return n;
}

/* The system call of a wait; 0, or a code that is no end of a wait. */
static int
hub_io_uring_enter(struct green__uring *hub, int64_t timeout_ns)
{
        struct io_uring_cqe *unused;
        struct __kernel_timespec limit;
        int n;

        if (timeout_ns < 0 || timeout_ns > HUB_IO_URING_LONGEST)
                timeout_ns = HUB_IO_URING_LONGEST;
        if (io_uring_cq_ready(&hub->ring) > 0) {
                n = io_uring_sq_ready(&hub->ring) > 0 ? io_uring_submit(&hub->ring) : 0;
        } else if (timeout_ns == 0) {
                n = io_uring_submit_and_get_events(&hub->ring);
        } else {
                limit.tv_sec = timeout_ns / 1000000000;
                limit.tv_nsec = timeout_ns % 1000000000;
                n = io_uring_submit_and_wait_timeout(&hub->ring, &unused, 1, &limit, NULL);
        }
        return n >= 0 || n == -ETIME || n == -EINTR || n == -EAGAIN || n == -EBUSY ? 0 : n;
}

static int64_t
hub_io_uring_clock(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * In a foreign loop: take back what the kernel has said of the reports that were taken, and look whether more have come
 * meanwhile. What is left for the next wait() is said anew.
 */
static int
hub_io_uring_settle(struct green__uring *hub, struct green_hub_event *events, int max, bool *ret_woken)
{
        const uint64_t one = 1;
        unsigned seen = 0;
        uint64_t times;
        int n = 0;

        do {
                /*
                 * What was written to an eventfd that is polled here is told later, and only once (Linux 6.18 does not
                 * clear its note of it): beginning anew clears it.
                 */
                (void)io_uring_unregister_eventfd(&hub->ring);
                (void)io_uring_register_eventfd(&hub->ring, hub->told);
                (void)!read(hub->told, &times, sizeof times);
                if (hub_io_uring_enter(hub, 0) != 0 || n == max)
                        break;
                n += hub_io_uring_reap(hub, events + n, max - n, ret_woken, &seen);
        } while (seen > 0);
        if (n == max || io_uring_cq_ready(&hub->ring) > 0)
                (void)!write(hub->told, &one, sizeof one);
        return n;
}

static int
hub_io_uring_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct green__uring *hub = state;
        int64_t left = timeout_ns < HUB_IO_URING_LONGEST ? timeout_ns : HUB_IO_URING_LONGEST;
        int64_t end = left > 0 ? hub_io_uring_clock() + left : 0;

        if (hub->ring.ring_fd < 0)
                return -EBADF;
        for (;;) {
                bool woken = false;
                unsigned seen;
                int n, err;

                hub_io_uring_fill(hub);
                err = hub_io_uring_enter(hub, left);
                if (err != 0)
                        return err;
                n = hub_io_uring_reap(hub, events, max, &woken, &seen);
                /* After a whole batch there may be more. */
                for (unsigned last = seen; n < max && last >= HUB_IO_URING_BATCH;) {
                        if (hub_io_uring_enter(hub, 0) != 0)
                                break;
                        n += hub_io_uring_reap(hub, events + n, max - n, &woken, &last);
                }
                /* In a foreign loop, what is to be polled again must show in the descriptor that it waits for. */
                green__uring_eager(hub);
                if (hub->told >= 0)
                        n += hub_io_uring_settle(hub, events + n, max - n, &woken);
                if (n > 0 || woken || seen == 0 || timeout_ns == 0)
                        return n;
                /* Reports that mean nothing to core. */
                if (timeout_ns > 0 && (left = end - hub_io_uring_clock()) <= 0)
                        return 0;
        }
}

static int
hub_io_uring_wake(void *state)
{
        struct green__uring *hub = state;
        uint64_t one = 1;
        int saved = errno; /* of the code that a signal handler interrupted */
        int err = 0;

        if (!atomic_exchange(&hub->woken, true) && write(hub->wake, &one, sizeof one) < 0)
                err = -errno;
        errno = saved;
        return err;
}

/* ---- the rest */

static int
hub_io_uring_after_fork(void *state)
{
        struct green__uring *hub = state;

        /* What is mapped is shared with the parent, and so is the ring: it only goes away here. */
        hub_io_uring_close(hub);
        for (size_t c = 0; c < hub->n_chunks; c++) {
                for (size_t i = 0; hub->chunks[c] != NULL && i < GREEN__URING_CHUNK; i++) {
                        struct green__uring_entry *entry = &hub->chunks[c][i];

                        entry->node.next = entry->node.prev = NULL;
                        entry->interest = 0;
                        entry->armed = false;
                }
        }
        green__uring_buffers_after_fork(hub);
        return hub_io_uring_open(hub);
}

static int
hub_io_uring_describe(void *state, char *text, size_t len)
{
        const struct green__uring *hub = state;
        const uint64_t *n = hub->counts;

        return snprintf(
                text, len,
                "io_uring, %s; accept %llu, recv %llu, send %llu, connect %llu, read %llu, write %llu, poll %llu",
                hub->flags & IORING_SETUP_DEFER_TASKRUN   ? "deferred"
                : hub->flags & IORING_SETUP_SINGLE_ISSUER ? "single issuer"
                                                          : "cooperative",
                (unsigned long long)n[GREEN_OP_ACCEPT], (unsigned long long)n[GREEN_OP_RECV],
                (unsigned long long)n[GREEN_OP_SEND], (unsigned long long)n[GREEN_OP_CONNECT],
                (unsigned long long)n[GREEN_OP_READ], (unsigned long long)n[GREEN_OP_WRITE],
                (unsigned long long)n[GREEN_OP_POLL]);
}

/*
 * An eventfd that the kernel writes to when there is a report, or work that will make one. (The ring's own descriptor
 * is readable then too, but nobody is woken who waits for it: the work is done only when this OS thread enters the
 * ring.) Somebody else waits for it, so from now on requests cannot wait for our next wait().
 */
static green_fd
hub_io_uring_pollfd(void *state)
{
        struct green__uring *hub = state;
        const uint64_t one = 1;

        if (hub->told >= 0)
                return hub->told;
        hub->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (hub->told < 0)
                return GREEN_INVALID_FD;
        if (io_uring_register_eventfd(&hub->ring, hub->told) != 0) {
                close(hub->told);
                hub->told = -1;
                return GREEN_INVALID_FD;
        }
        hub->eager = true;
        green__uring_eager(hub);
        /* What had come before it was registered. */
        if (hub_io_uring_enter(hub, 0) != 0 || io_uring_cq_ready(&hub->ring) > 0)
                (void)!write(hub->told, &one, sizeof one);
        return hub->told;
}

static void
hub_io_uring_drop(struct green__uring *hub)
{
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;

        io_uring_for_each_cqe(&hub->ring, head, cqe)
        {
                seen++;
                if (cqe->user_data == GREEN__URING_IGNORE)
                        continue;
                if (!(cqe->flags & IORING_CQE_F_MORE))
                        hub->requests--;
                if (!(cqe->user_data & 1) && cqe->user_data != GREEN__URING_WAKE)
                        green__uring_op_drop(hub, cqe);
        }
        io_uring_cq_advance(&hub->ring, seen);
}

/*
 * Cancels all, and waits: for operations because their memory is core's, for polls because they hold files open. Those
 * are given up at last, where the kernel has no memory for the cancel; the ring's end takes them along.
 */
static void
hub_io_uring_drain(struct green__uring *hub)
{
        for (int turns = 0; hub->requests > 0 && (hub->in_flight > 0 || turns < 200); turns++) {
                struct __kernel_timespec limit = {.tv_nsec = 5000000};
                size_t least = hub->requests < HUB_IO_URING_REPORTS / 2 ? hub->requests : HUB_IO_URING_REPORTS / 2;
                struct io_uring_sqe *sqe = green__uring_sqe(hub);
                struct io_uring_cqe *unused;

                if (sqe != NULL) {
                        io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
                        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
                        sqe->user_data = GREEN__URING_IGNORE;
                }
                (void)io_uring_submit_and_wait_timeout(&hub->ring, &unused, (unsigned)least, &limit, NULL);
                hub_io_uring_drop(hub);
        }
}

static void
hub_io_uring_fini(void *state)
{
        struct green__uring *hub = state;

        if (hub->ring.ring_fd >= 0)
                hub_io_uring_drain(hub);
        green__uring_buffers_free(hub);
        hub_io_uring_close(hub);
        for (size_t c = 0; c < hub->n_chunks; c++)
                hub->config->free(hub->chunks[c]);
        hub->config->free(hub->chunks);
        hub->config->free(hub);
}

GREEN_HUB_DEFINE(io_uring) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "io_uring",
        .features = GREEN_HUB_CAN_EDGE | GREEN_HUB_CAN_ONESHOT | GREEN_HUB_CAN_SUBMIT | GREEN_HUB_TELLS_HANGUP |
                    GREEN_HUB_CAN_MULTISHOT,
        .probe = green__uring_probe,
        .init = hub_io_uring_init,
        .add = hub_io_uring_add,
        .modify = hub_io_uring_modify,
        .remove = hub_io_uring_remove,
        .wait = hub_io_uring_wait,
        .wake = hub_io_uring_wake,
        .after_fork = hub_io_uring_after_fork,
        .describe = hub_io_uring_describe,
        .pollfd = hub_io_uring_pollfd,
        .submit = green__uring_submit,
        .cancel = green__uring_cancel,
        .fini = hub_io_uring_fini,
        .release = green__uring_release,
};
