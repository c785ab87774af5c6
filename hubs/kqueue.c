/*
 * The hub of BSD and macOS: kqueue for readiness, EVFILT_USER for wake().
 *
 * kqueue has a filter for each direction of a descriptor, and takes changes to them with the call that waits. So:
 *
 * add() makes its filters at once, since its caller must hear what is wrong with the descriptor. remove() deletes them
 * at once, since a descriptor may be closed right after it. modify(), which arms one-shot interest again at each wait,
 * costs no system call: the descriptor is put into a list, and the next wait() gives the system what has changed.
 *
 * One-shot interest is one report for both directions: the filter that reports is disabled by the system (EV_DISPATCH),
 * its sibling is put into the same list. Events of both that come in one wait() are one event.
 *
 * What is registered is in a table by number. GREEN_HUB_FORGETS_CLOSED is not for this hub: kqueue drops the filters of
 * a number that is closed, also where a duplicate keeps the file open, but the table hears nothing of it.
 */
#include <green/hub.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
        HUB_KQUEUE_BATCH = 128,      /* events of a wait(), and changes of a call, at most */
        HUB_KQUEUE_MOST = 4,         /* changes of one descriptor */
        HUB_KQUEUE_ENTRIES_MIN = 64, /* room of the first table */
        HUB_KQUEUE_NONE = -1,        /* end of the list of changed descriptors */
};

/* The system refuses limits that are longer (three years). */
#define HUB_KQUEUE_SECONDS_MAX 100000000

/*
 * Urgent data, where a read stops: only where the system tells of it too may a read that gave less than it could be
 * taken for all there was (GREEN_HUB_TELLS_HANGUP).
 */
#ifdef EV_OOBAND
#define HUB_KQUEUE_URGENT EV_OOBAND
#define HUB_KQUEUE_HANGUP GREEN_HUB_HANGUP
#define HUB_KQUEUE_TELLS GREEN_HUB_TELLS_HANGUP
#else
#define HUB_KQUEUE_URGENT 0
#define HUB_KQUEUE_HANGUP 0u
#define HUB_KQUEUE_TELLS 0u
#endif

/* A descriptor. */
struct hub_kqueue_entry {
        uint64_t token;
        uint32_t interest; /* as add() and modify() were told; 0: it is not registered */
        int at;            /* where its event is, if it has one in this wait(): it is there if the token is */
        green_fd next;     /* the changed descriptor after this one, or HUB_KQUEUE_NONE */
        uint16_t mode;     /* flags that its filters were made with */
        uint8_t made;      /* directions that have a filter */
        uint8_t live;      /* those of them that are enabled */
        uint8_t wanted;    /* directions to be enabled */
        bool again;        /* those are enabled anew, whether or not they are */
        bool changed;      /* in the list */
};

struct hub_kqueue {
        const struct green_hub_config *config; /* core's; outlives this */
        struct hub_kqueue_entry *entries;      /* by number */
        size_t room;                           /* numbers that there are entries for */
        size_t count;                          /* registered */
        green_fd changed_first, changed_last;  /* descriptors that the next wait() has changes for */
        int changed;                           /* their number */
        int queue;                             /* the kqueue */
        pid_t owner;                           /* the process that has it: it is not inherited */
        int wake_in, wake_out;                 /* a pipe, where there is no EVFILT_USER; else -1 */
        bool polled;                           /* somebody waits for the descriptor of the kqueue elsewhere */
        /* Here and not on the stack: wait() runs on the stacks of green threads, which are to stay at one page. */
        struct kevent changes[HUB_KQUEUE_BATCH];
        struct kevent ready[HUB_KQUEUE_BATCH];
};

static void
hub_kqueue_set(struct kevent *change, uintptr_t ident, int filter, int flags, unsigned fflags)
{
        EV_SET(change, ident, (int16_t)filter, (uint16_t)flags, fflags, 0, NULL);
}

/* ---- wake() */

#ifdef EVFILT_USER
#define HUB_KQUEUE_WAKES "EVFILT_USER"

static int
hub_kqueue_open_wake(struct hub_kqueue *hub)
{
        struct kevent change;

        hub_kqueue_set(&change, 0, EVFILT_USER, EV_ADD | EV_CLEAR, 0);
        return kevent(hub->queue, &change, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

static int
hub_kqueue_ring(struct hub_kqueue *hub)
{
        struct kevent change;

        hub_kqueue_set(&change, 0, EVFILT_USER, 0, NOTE_TRIGGER);
        return kevent(hub->queue, &change, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

/* Is this event a wake? Then it is taken. */
static bool
hub_kqueue_is_wake(const struct hub_kqueue *hub, const struct kevent *event)
{
        (void)hub;
        return event->filter == EVFILT_USER;
}
#else
#define HUB_KQUEUE_WAKES "a pipe"

static int
hub_kqueue_open_wake(struct hub_kqueue *hub)
{
        struct kevent change;
        int ends[2];

        if (pipe(ends) < 0)
                return -errno;
        hub->wake_in = ends[0];
        hub->wake_out = ends[1];
        for (int i = 0; i < 2; i++) {
                if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[i], F_SETFL, O_NONBLOCK) < 0)
                        return -errno;
        }
        hub_kqueue_set(&change, (uintptr_t)hub->wake_in, EVFILT_READ, EV_ADD | EV_CLEAR, 0);
        return kevent(hub->queue, &change, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

static int
hub_kqueue_ring(struct hub_kqueue *hub)
{
        /* Where it is full there are wakes enough. */
        return write(hub->wake_out, "", 1) < 0 && errno != EAGAIN ? -errno : 0;
}

/* Is this event a wake? Then it is taken. */
static bool
hub_kqueue_is_wake(const struct hub_kqueue *hub, const struct kevent *event)
{
        char bytes[256];

        if (event->ident != (uintptr_t)hub->wake_in)
                return false;
        while (read(hub->wake_in, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
                continue;
        return true;
}
#endif

static int
hub_kqueue_wake(void *state)
{
        int saved = errno; /* of the code that a signal handler interrupted */
        int err = hub_kqueue_ring(state);

        errno = saved;
        return err;
}

/* ---- the state */

static int
hub_kqueue_probe(void)
{
        int fd = kqueue();

        if (fd < 0)
                return -errno;
        close(fd);
        return 0;
}

/* In the child of a fork the number is not ours: it may be another file by now. A pipe is inherited. */
static void
hub_kqueue_close(struct hub_kqueue *hub)
{
        if (hub->wake_in >= 0)
                close(hub->wake_in);
        if (hub->wake_out >= 0)
                close(hub->wake_out);
        if (hub->queue >= 0 && hub->owner == getpid())
                close(hub->queue);
        hub->queue = hub->wake_in = hub->wake_out = -1;
}

static int
hub_kqueue_open(struct hub_kqueue *hub)
{
        int err;

        hub->wake_in = hub->wake_out = -1;
        hub->changed_first = hub->changed_last = HUB_KQUEUE_NONE;
        hub->changed = 0;
        hub->owner = getpid();
        hub->queue = kqueue();
        if (hub->queue < 0)
                return -errno;
        /* Whoever starts a program at this very moment forks first, and kqueues are not inherited. */
        err = fcntl(hub->queue, F_SETFD, FD_CLOEXEC) < 0 ? -errno : hub_kqueue_open_wake(hub);
        if (err != 0)
                hub_kqueue_close(hub);
        return err;
}

static int
hub_kqueue_init(const struct green_hub_config *config, void **ret_state)
{
        struct hub_kqueue *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        hub->config = config;
        hub->entries = NULL;
        hub->room = hub->count = 0;
        hub->polled = false;
        err = hub_kqueue_open(hub);
        if (err != 0) {
                config->free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

static void
hub_kqueue_fini(void *state)
{
        struct hub_kqueue *hub = state;

        hub_kqueue_close(hub);
        hub->config->free(hub->entries);
        hub->config->free(hub);
}

static int
hub_kqueue_after_fork(void *state)
{
        struct hub_kqueue *hub = state;

        for (size_t i = 0; i < hub->room; i++)
                hub->entries[i] = (struct hub_kqueue_entry){0};
        hub->count = 0;
        hub_kqueue_close(hub);
        return hub_kqueue_open(hub);
}

static int
hub_kqueue_grow(struct hub_kqueue *hub, size_t number)
{
        size_t room = hub->room > 0 ? hub->room : HUB_KQUEUE_ENTRIES_MIN;
        struct hub_kqueue_entry *entries;

        if (number < hub->room)
                return 0;
        while (room <= number)
                room *= 2;
        entries = hub->config->realloc(hub->entries, room * sizeof *entries);
        if (entries == NULL)
                return -ENOMEM;
        for (size_t i = hub->room; i < room; i++)
                entries[i] = (struct hub_kqueue_entry){0};
        hub->entries = entries;
        hub->room = room;
        return 0;
}

/* The entry of a registered descriptor, or NULL. */
static struct hub_kqueue_entry *
hub_kqueue_find(const struct hub_kqueue *hub, green_fd fd)
{
        if (fd < 0 || (size_t)fd >= hub->room || hub->entries[fd].interest == 0)
                return NULL;
        return &hub->entries[fd];
}

/* ---- changes */

/* Has the next wait() look at a descriptor's changes. */
static void
hub_kqueue_enlist(struct hub_kqueue *hub, green_fd fd)
{
        struct hub_kqueue_entry *entry = &hub->entries[fd];

        if (entry->changed)
                return;
        entry->changed = true;
        entry->next = HUB_KQUEUE_NONE;
        if (hub->changed_last == HUB_KQUEUE_NONE)
                hub->changed_first = fd;
        else
                hub->entries[hub->changed_last].next = fd;
        hub->changed_last = fd;
        hub->changed++;
}

static int
hub_kqueue_mode(uint32_t interest)
{
        return (interest & GREEN_HUB_EDGE ? EV_CLEAR : 0) | (interest & GREEN_HUB_ONESHOT ? EV_DISPATCH : 0);
}

/*
 * What makes the system's filters of a descriptor as they are wanted: up to HUB_KQUEUE_MOST changes; their number.
 *
 * A filter that should be there is never just added: that it is gone (ENOENT) is how we learn that the number was
 * closed, and may have another owner by now.
 */
static int
hub_kqueue_diff(struct hub_kqueue_entry *entry, green_fd fd, struct kevent *changes)
{
        int mode = hub_kqueue_mode(entry->interest);
        bool oneshot = mode == EV_DISPATCH && entry->mode == mode; /* its filters are enabled and disabled, and stay */
        bool adds = (entry->wanted & ~entry->made) != 0;
        int n = 0;

        for (uint8_t dir = GREEN_READ; dir <= GREEN_WRITE; dir = (uint8_t)(dir << 1)) {
                int filter = dir == GREEN_READ ? EVFILT_READ : EVFILT_WRITE;
                bool wanted = (entry->wanted & dir) != 0, live = (entry->live & dir) != 0;

                if ((entry->made & dir) != 0 && oneshot) {
                        if (wanted ? entry->again || !live : live || adds)
                                hub_kqueue_set(&changes[n++], (uintptr_t)fd, filter, wanted ? EV_ENABLE : EV_DISABLE,
                                               0);
                } else if ((entry->made & dir) != 0 && (!wanted || entry->again)) {
                        hub_kqueue_set(&changes[n++], (uintptr_t)fd, filter, EV_DELETE, 0);
                        entry->made &= (uint8_t)~dir;
                }
                if (wanted && (entry->made & dir) == 0) {
                        hub_kqueue_set(&changes[n++], (uintptr_t)fd, filter,
                                       EV_ADD | EV_ENABLE | mode | (dir == GREEN_READ ? HUB_KQUEUE_URGENT : 0), 0);
                        entry->made |= dir;
                }
        }
        entry->live = entry->wanted;
        entry->mode = (uint16_t)mode;
        entry->again = false;
        return n;
}

/* Has the system make n changes now. Their receipts, which bring no events, go to `ready`; their number, or a code. */
static int
hub_kqueue_flush(struct hub_kqueue *hub, struct kevent *changes, struct kevent *ready, int n)
{
        static const struct timespec now = {0, 0};
        int got;

        for (int i = 0; i < n; i++)
                changes[i].flags |= EV_RECEIPT;
        do
                got = kevent(hub->queue, changes, n, ready, n, &now);
        while (got < 0 && errno == EINTR);
        return got < 0 ? -errno : got;
}

/* What a receipt says: 0, or why a filter of the descriptor is not there. */
static int
hub_kqueue_refusal(struct hub_kqueue_entry *entry, const struct kevent *receipt)
{
        uint8_t dir = receipt->filter == EVFILT_READ ? GREEN_READ : GREEN_WRITE;

        if (receipt->data == 0)
                return 0;
        entry->made &= (uint8_t)~dir;
        entry->live &= (uint8_t)~dir;
        return -(int)receipt->data;
}

/* A filter could not be made, which is an event: the next wait() tries again, and reports it. */
static void
hub_kqueue_retry(struct hub_kqueue *hub, green_fd fd)
{
        hub_kqueue_enlist(hub, fd);
        if (hub->polled)
                (void)hub_kqueue_ring(hub);
}

/* Makes the changes of one descriptor now. 0, or the first code. */
static int
hub_kqueue_apply(struct hub_kqueue *hub, green_fd fd)
{
        struct hub_kqueue_entry *entry = &hub->entries[fd];
        int n = hub_kqueue_diff(entry, fd, hub->changes);
        int got = n > 0 ? hub_kqueue_flush(hub, hub->changes, hub->ready, n) : 0;
        int err = got < 0 ? got : 0;

        for (int i = 0; i < got; i++) {
                int refusal = hub_kqueue_refusal(entry, &hub->ready[i]);

                if (err == 0 || err == -EPIPE)
                        err = refusal != 0 ? refusal : err;
        }
        if (err != -EPIPE)
                return err;
        /* The other end of the pipe has gone, says macOS of old, and FreeBSD of writing. */
        hub_kqueue_retry(hub, fd);
        return 0;
}

/* Deletes the filters of a descriptor, and forgets it. That they are gone already is fine. */
static int
hub_kqueue_drop(struct hub_kqueue *hub, green_fd fd)
{
        struct hub_kqueue_entry *entry = &hub->entries[fd];
        struct kevent changes[2]; /* not those of the state: wait() may be going through them */
        int n = 0;

        if (entry->made & GREEN_READ)
                hub_kqueue_set(&changes[n++], (uintptr_t)fd, EVFILT_READ, EV_DELETE, 0);
        if (entry->made & GREEN_WRITE)
                hub_kqueue_set(&changes[n++], (uintptr_t)fd, EVFILT_WRITE, EV_DELETE, 0);
        /* In the list of the changed it is passed over, if it is there. */
        entry->interest = 0;
        entry->made = entry->live = entry->wanted = 0;
        hub->count--;
        n = n > 0 ? hub_kqueue_flush(hub, changes, changes, n) : 0;
        return n < 0 ? n : 0;
}

/* ---- registration */

static int
hub_kqueue_check(uint32_t interest)
{
        return (interest & (GREEN_READ | GREEN_WRITE)) == 0 ? -EINVAL : 0;
}

/*
 * Files, whose filter stops reporting at their end, and what else is always ready: -EPERM. 0 for the others, or the
 * code.
 */
static int
hub_kqueue_kind(green_fd fd, mode_t *ret_mode)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        *ret_mode = st.st_mode;
        return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode) ? -EPERM : 0;
}

/* A device that has no filters is always ready, as poll() says of it. Not so a terminal. */
static int
hub_kqueue_device(green_fd fd, mode_t mode, int err)
{
        if ((err == -EINVAL || err == -ENODEV || err == -EOPNOTSUPP) && S_ISCHR(mode) && !isatty(fd))
                return -EPERM;
        return err;
}

static int
hub_kqueue_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_kqueue *hub = state;
        struct hub_kqueue_entry *entry;
        mode_t mode = 0;
        int err = hub_kqueue_check(interest);

        if (err == 0 && hub_kqueue_find(hub, fd) != NULL)
                err = -EEXIST;
        if (err == 0)
                err = hub_kqueue_kind(fd, &mode);
        if (err == 0)
                err = hub_kqueue_grow(hub, (size_t)fd);
        if (err != 0)
                return err;
        entry = &hub->entries[fd];
        entry->token = token;
        entry->interest = interest;
        entry->wanted = interest & (GREEN_READ | GREEN_WRITE);
        hub->count++;
        err = hub_kqueue_apply(hub, fd);
        if (err == 0)
                return 0;
        (void)hub_kqueue_drop(hub, fd);
        return hub_kqueue_device(fd, mode, err);
}

static int
hub_kqueue_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct hub_kqueue *hub = state;
        struct hub_kqueue_entry *entry = hub_kqueue_find(hub, fd);
        int err = entry == NULL ? -ENOENT : hub_kqueue_check(interest);

        if (err != 0)
                return err;
        entry->token = token;
        entry->interest = interest;
        entry->wanted = interest & (GREEN_READ | GREEN_WRITE);
        entry->again = true;
        if (!hub->polled) {
                hub_kqueue_enlist(hub, fd);
                return 0;
        }
        err = hub_kqueue_apply(hub, fd);
        if (err == -EBADF || err == -ENOENT)
                (void)hub_kqueue_drop(hub, fd);
        return err;
}

static int
hub_kqueue_remove(void *state, green_fd fd)
{
        struct hub_kqueue *hub = state;

        return hub_kqueue_find(hub, fd) == NULL ? -ENOENT : hub_kqueue_drop(hub, fd);
}

/* ---- wait() */

/* Takes the first descriptor out of the list of the changed, which is not empty. */
static green_fd
hub_kqueue_unlist(struct hub_kqueue *hub)
{
        green_fd fd = hub->changed_first;
        struct hub_kqueue_entry *entry = &hub->entries[fd];

        hub->changed_first = entry->next;
        if (hub->changed_first == HUB_KQUEUE_NONE)
                hub->changed_last = HUB_KQUEUE_NONE;
        hub->changed--;
        entry->changed = false;
        return fd;
}

/* Puts the changes of up to `most` of the `left` first descriptors of the list into `changes`; their number. */
static int
hub_kqueue_gather(struct hub_kqueue *hub, int most, int *left)
{
        int n = 0;

        while (*left > 0 && most > 0 && n <= HUB_KQUEUE_BATCH - HUB_KQUEUE_MOST) {
                green_fd fd = hub_kqueue_unlist(hub);
                int more =
                        hub_kqueue_find(hub, fd) != NULL ? hub_kqueue_diff(&hub->entries[fd], fd, hub->changes + n) : 0;

                (*left)--;
                most -= more > 0;
                n += more;
        }
        return n;
}

/* What an event of the system's says. */
static uint32_t
hub_kqueue_bits(const struct kevent *event)
{
        bool end = (event->flags & EV_EOF) != 0;

        if (event->filter == EVFILT_WRITE)
                return GREEN_WRITE | (end ? GREEN_HUB_ERROR | HUB_KQUEUE_HANGUP : 0u);
        /* The end of a stream, or with a code in fflags its failure. */
        return GREEN_READ | (end && event->fflags != 0 ? GREEN_HUB_ERROR : 0u) |
               (end || (event->flags & HUB_KQUEUE_URGENT) != 0 ? HUB_KQUEUE_HANGUP : 0u);
}

/*
 * The number was closed, and belongs to another file by now, or to none. What is wanted is made for that one. The bits
 * of the event that it is; 0 if it is none.
 */
static uint32_t
hub_kqueue_vanished(struct hub_kqueue *hub, struct hub_kqueue_entry *entry, green_fd fd, bool *ret_gone)
{
        mode_t mode;
        int err = hub_kqueue_kind(fd, &mode);

        if (err == 0 && entry->wanted != 0) {
                entry->again = true;
                hub_kqueue_enlist(hub, fd);
                return 0;
        }
        *ret_gone = true;
        return err == -EPERM ? entry->wanted : err != 0 ? GREEN_HUB_ERROR | HUB_KQUEUE_HANGUP : 0;
}

/* A change that the system refused, in the list of its events: the bits of the event that it is; 0 if it is none. */
static uint32_t
hub_kqueue_refused(struct hub_kqueue *hub, struct hub_kqueue_entry *entry, const struct kevent *event, bool *ret_gone)
{
        int err = hub_kqueue_refusal(entry, event);

        if (err == 0)
                return 0;
        if (err == -ENOENT)
                return hub_kqueue_vanished(hub, entry, (green_fd)event->ident, ret_gone);
        *ret_gone = err == -EBADF;
        /* Level interest is reported in each wait. */
        if (err != -EBADF && hub_kqueue_mode(entry->interest) == 0)
                hub_kqueue_retry(hub, (green_fd)event->ident);
        return GREEN_HUB_ERROR | HUB_KQUEUE_HANGUP;
}

/* One-shot interest that was reported: nothing more until modify(), of either direction. */
static void
hub_kqueue_silence(struct hub_kqueue *hub, struct hub_kqueue_entry *entry, const struct kevent *event)
{
        if (event->filter == EVFILT_READ)
                entry->live &= (uint8_t)~GREEN_READ;
        else
                entry->live &= (uint8_t)~GREEN_WRITE;
        entry->wanted = 0;
        if (entry->live != 0)
                hub_kqueue_enlist(hub, (green_fd)event->ident);
}

static int
hub_kqueue_report(struct hub_kqueue_entry *entry, uint32_t bits, struct green_hub_event *events, int n)
{
        if (entry->at < n && events[entry->at].token == entry->token) {
                events[entry->at].events |= bits;
                return n;
        }
        entry->at = n;
        events[n].token = entry->token;
        events[n].events = bits;
        events[n].reserved = 0;
        events[n].op = NULL;
        return n + 1;
}

/* Translates what is in `ready`, after the n events that are there; their number now. */
static int
hub_kqueue_take(struct hub_kqueue *hub, int got, struct green_hub_event *events, int n)
{
        for (const struct kevent *event = hub->ready; got > 0; got--, event++) {
                struct hub_kqueue_entry *entry;
                bool gone = false;
                uint32_t bits;

                if (hub_kqueue_is_wake(hub, event))
                        continue;
                entry = hub_kqueue_find(hub, (green_fd)event->ident);
                if (entry == NULL)
                        continue;
                bits = event->flags & EV_ERROR ? hub_kqueue_refused(hub, entry, event, &gone) : hub_kqueue_bits(event);
                if (bits != 0)
                        n = hub_kqueue_report(entry, bits, events, n);
                if (gone)
                        (void)hub_kqueue_drop(hub, (green_fd)event->ident);
                else if (bits != 0 && (entry->interest & GREEN_HUB_ONESHOT) != 0)
                        hub_kqueue_silence(hub, entry, event);
        }
        return n;
}

/* NULL: for good; also where the limit is longer than the system takes. */
static const struct timespec *
hub_kqueue_limit(int64_t timeout_ns, struct timespec *limit)
{
        if (timeout_ns < 0 || timeout_ns / 1000000000 >= HUB_KQUEUE_SECONDS_MAX)
                return NULL;
        limit->tv_sec = (time_t)(timeout_ns / 1000000000);
        limit->tv_nsec = (long)(timeout_ns % 1000000000);
        return limit;
}

/*
 * Changes go with the call that waits. What the system refuses of them takes room among the events, and is lost with
 * all that follow it where there is none: then, or where there are too many, they go in calls of their own before it.
 * Where the system refused one, it did not wait. It has made all of them where the wait was interrupted.
 */
static int
hub_kqueue_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct hub_kqueue *hub = state;
        int most = max < HUB_KQUEUE_BATCH ? max : HUB_KQUEUE_BATCH;
        int n = 0, got;

        do {
                struct timespec limit;
                int left = hub->changed, changes;

                while ((changes = hub_kqueue_gather(hub, most - n, &left)), left > 0 || changes > most - n) {
                        got = changes > 0 ? hub_kqueue_flush(hub, hub->changes, hub->ready, changes) : 0;
                        if (got < 0)
                                return got;
                        n = hub_kqueue_take(hub, got, events, n);
                        if (n == most)
                                return n;
                }
                /* Numbers that have another owner by now are in the list again: nothing waits for them yet. */
                got = kevent(hub->queue, hub->changes, changes, hub->ready, most - n,
                             hub_kqueue_limit(n > 0 || hub->changed > 0 ? 0 : timeout_ns, &limit));
                if (got < 0)
                        return n > 0 || errno == EINTR ? n : -errno;
                n = hub_kqueue_take(hub, got, events, n);
        } while (n == 0 && (hub->changed > 0 || (got > 0 && (hub->ready[0].flags & EV_ERROR) != 0)));
        return n;
}

/* Whoever waits for the descriptor elsewhere does not call wait() first: from now on changes are made at once. */
static green_fd
hub_kqueue_pollfd(void *state)
{
        struct hub_kqueue *hub = state;

        hub->polled = true;
        for (int left = hub->changed; left > 0; left--) {
                green_fd fd = hub_kqueue_unlist(hub);

                /* A code is an event, or the number has another owner: for wait(). */
                if (hub_kqueue_find(hub, fd) != NULL && hub_kqueue_apply(hub, fd) != 0)
                        hub_kqueue_retry(hub, fd);
        }
        return hub->queue;
}

static int
hub_kqueue_describe(void *state, char *text, size_t len)
{
        struct hub_kqueue *hub = state;

        return snprintf(text, len, "kqueue, descriptor %d, %zu descriptors registered, wakes by " HUB_KQUEUE_WAKES,
                        hub->queue, hub->count);
}

GREEN_HUB_DEFINE(kqueue) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "kqueue",
        .features = GREEN_HUB_CAN_EDGE | GREEN_HUB_CAN_ONESHOT | HUB_KQUEUE_TELLS,
        .probe = hub_kqueue_probe,
        .init = hub_kqueue_init,
        .add = hub_kqueue_add,
        .modify = hub_kqueue_modify,
        .remove = hub_kqueue_remove,
        .wait = hub_kqueue_wait,
        .wake = hub_kqueue_wake,
        .after_fork = hub_kqueue_after_fork,
        .describe = hub_kqueue_describe,
        .pollfd = hub_kqueue_pollfd,
        .fini = hub_kqueue_fini,
};
