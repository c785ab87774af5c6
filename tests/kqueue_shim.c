/*
 * kqueue(2) for Linux, for tests only: the part of it that hubs/kqueue.c uses, as its manual pages and FreeBSD have it.
 *
 * A kqueue's number is an epoll descriptor. epoll only says on which descriptors something has happened; whether a
 * filter holds is asked anew, by poll(), wherever BSD runs the filter: when it is added or enabled, when something
 * happens, and when it is about to be reported. Filters that hold stand in a queue, from which kevent() reports.
 *
 * It is as strict as BSD is: flags of a filter that is there are not changed by EV_ADD, a disabled one is enabled by
 * EV_ENABLE only, what is not there cannot be deleted (ENOENT), a change that fails without room among the events ends
 * the call, filters go when their number is closed, even where a duplicate keeps the file open, and the child of a fork
 * has no kqueue. Where it differs: a number that was closed and then made a duplicate of the same file counts as never
 * closed; an edge of one direction may come with an edge of the other; a socket's error is told as ECONNRESET, since
 * Linux does not let one look at it without taking it; a listener counts as one connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kqueue_shim.h"

#define FILTER_USER (-10)
#define BELL_TOKEN UINT64_MAX

enum {
        TAKE_MAX = 64,               /* events taken from epoll at a time */
        SECONDS_MAX = 100000000,     /* a limit that is longer is EINVAL */
        REPORTS = EV_EOF | EV_ERROR, /* flags that are never of a filter */
        ACTIONS = EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_RECEIPT,
};

/* A filter of an ident: what BSD calls a knote. */
struct note {
        struct kevent kev; /* as it was added; of EVFILT_USER fflags are the stored ones */
        bool disabled, queued, triggered;
        struct note *prev, *next; /* in the queue */
        struct note *others;      /* the list of EVFILT_USER */
};

/* The filters of a descriptor. */
struct file {
        struct note *note[2];
        uint32_t generation; /* of its registration with epoll */
        bool polled;         /* epoll knows it; not so a regular file */
};

struct queue {
        pid_t owner;
        struct file *files; /* by number */
        size_t nfiles;
        struct note *users;
        struct note *first, *last; /* filters that hold */
        size_t queued;
        struct queue *lost; /* the list of those that a child has lost */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct queue **queues; /* by number */
static size_t nqueues;
static struct queue *lost;
static pid_t process;
static uint32_t generations;
static int bell = -1; /* readable at all times: by it a kqueue becomes readable */

static unsigned long calls;
unsigned kqueue_shim_fail;
int kqueue_shim_fail_with;

/* ---- the process */

/* Is this number an epoll descriptor of ours still? */
static bool
is_ours(int kq)
{
        struct epoll_event none = {.events = 0};

        if (sys_epoll_ctl(kq, EPOLL_CTL_ADD, bell, &none) == 0) {
                sys_epoll_ctl(kq, EPOLL_CTL_DEL, bell, &none);
                return false;
        }
        return errno == EEXIST;
}

/*
 * The child of a fork has none of its parent's kqueues: their numbers are closed. Their memory stays: who knows what
 * another thread was about to do to it.
 */
static void
look_for_fork(void)
{
        pid_t now = getpid();

        if (process == now)
                return;
        process = now;
        pthread_mutex_init(&mutex, NULL);
        for (size_t i = 0; i < nqueues; i++) {
                if (queues[i] == NULL || queues[i]->owner == now)
                        continue;
                if (is_ours((int)i))
                        sys_close((int)i);
                queues[i]->lost = lost;
                lost = queues[i];
                queues[i] = NULL;
        }
}

/* A signal handler may trigger EVFILT_USER: it must not find this thread holding the lock. */
static void
lock(sigset_t *saved)
{
        sigset_t all;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, saved);
        pthread_mutex_lock(&mutex);
}

static void
unlock(const sigset_t *saved)
{
        pthread_mutex_unlock(&mutex);
        pthread_sigmask(SIG_SETMASK, saved, NULL);
}

__attribute__((constructor)) static void
begin(void)
{
        process = getpid();
        bell = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
        pthread_atfork(NULL, NULL, look_for_fork);
}

/* Is this the call or the change that a test wants to fail? */
static bool
is_to_fail(void)
{
        return kqueue_shim_fail > 0 && --kqueue_shim_fail == 0;
}

unsigned long
kqueue_shim_calls(void)
{
        return __atomic_load_n(&calls, __ATOMIC_RELAXED);
}

/* ---- the queue of filters that hold */

static void
enqueue(struct queue *q, struct note *note)
{
        if (note->queued)
                return;
        note->queued = true;
        note->next = NULL;
        note->prev = q->last;
        if (q->last != NULL)
                q->last->next = note;
        else
                q->first = note;
        q->last = note;
        q->queued++;
}

static void
dequeue(struct queue *q, struct note *note)
{
        if (!note->queued)
                return;
        note->queued = false;
        if (note->prev != NULL)
                note->prev->next = note->next;
        else
                q->first = note->next;
        if (note->next != NULL)
                note->next->prev = note->prev;
        else
                q->last = note->prev;
        q->queued--;
}

/* Has the descriptor of the kqueue be readable until the next kevent(). */
static void
ring(int kq)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = BELL_TOKEN};

        sys_epoll_ctl(kq, EPOLL_CTL_MOD, bell, &event);
}

/* ---- filters */

static bool
holds(const struct note *note, struct kevent *ret_event)
{
        if (note->kev.filter != FILTER_USER)
                return kqueue_shim_holds(&note->kev, ret_event);
        *ret_event = note->kev;
        return note->triggered;
}

static void
activate(struct queue *q, struct note *note)
{
        struct kevent unused;

        if (note != NULL && !note->disabled && holds(note, &unused))
                enqueue(q, note);
}

/* ---- what there is */

static struct file *
file_of(struct queue *q, uintptr_t fd)
{
        return fd < q->nfiles ? &q->files[fd] : NULL;
}

static void
forget_file(struct queue *q, struct file *file)
{
        for (int i = 0; i < 2; i++) {
                if (file->note[i] != NULL)
                        dequeue(q, file->note[i]);
                free(file->note[i]);
                file->note[i] = NULL;
        }
        file->polled = false;
        file->generation = 0;
}

/*
 * Is this still the file whose filters these are? epoll goes by file and number together, and says EEXIST if it is. If
 * not, the number was closed meanwhile, and its filters have gone with it.
 */
static bool
is_current(int kq, struct queue *q, int fd)
{
        struct epoll_event none = {.events = 0};
        struct file *file = file_of(q, (uintptr_t)fd);

        if (file == NULL || (file->note[0] == NULL && file->note[1] == NULL))
                return false;
        if (!file->polled && sys_fcntl(fd, F_GETFD) >= 0)
                return true;
        if (file->polled && sys_epoll_ctl(kq, EPOLL_CTL_ADD, fd, &none) == 0)
                sys_epoll_ctl(kq, EPOLL_CTL_DEL, fd, &none);
        else if (file->polled && errno == EEXIST)
                return true;
        forget_file(q, file);
        return false;
}

static struct note *
find(int kq, struct queue *q, const struct kevent *kev)
{
        struct note *note = q->users;

        if (kev->filter == FILTER_USER) {
                while (note != NULL && note->kev.ident != kev->ident)
                        note = note->others;
                return note;
        }
        return is_current(kq, q, (int)kev->ident) ? q->files[kev->ident].note[kev->filter == EVFILT_WRITE] : NULL;
}

static void delete (int kq, struct queue *q, struct note *note)
{
        struct note **at = &q->users;
        struct epoll_event none = {.events = 0};

        dequeue(q, note);
        if (note->kev.filter == FILTER_USER) {
                while (*at != note)
                        at = &(*at)->others;
                *at = note->others;
        } else {
                struct file *file = &q->files[note->kev.ident];

                file->note[note->kev.filter == EVFILT_WRITE] = NULL;
                if (file->note[0] == NULL && file->note[1] == NULL) {
                        if (file->polled)
                                sys_epoll_ctl(kq, EPOLL_CTL_DEL, (int)note->kev.ident, &none);
                        forget_file(q, file);
                }
        }
        free(note);
}

/* Has epoll watch a descriptor. 0 or an error. */
static int
attach(int kq, struct file *file, int fd)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET};
        struct stat st;

        file->generation = ++generations;
        event.data.u64 = (uint64_t)file->generation << 32 | (uint32_t)fd;
        if (sys_epoll_ctl(kq, EPOLL_CTL_ADD, fd, &event) == 0) {
                file->polled = true;
                return 0;
        }
        if (errno != EPERM)
                return errno;
        /* Devices without filters are refused. */
        return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? 0 : EINVAL;
}

static int
grow(void *array, size_t *room, size_t number, size_t size)
{
        void **base = array;
        size_t more = *room;
        char *bytes;

        if (number < *room)
                return 0;
        while (more <= number)
                more = more > 0 ? more * 2 : 64;
        bytes = realloc(*base, more * size);
        if (bytes == NULL)
                return ENOMEM;
        memset(bytes + *room * size, 0, (more - *room) * size);
        *base = bytes;
        *room = more;
        return 0;
}

static int
create(int kq, struct queue *q, const struct kevent *change, struct note **ret_note)
{
        struct note *note = calloc(1, sizeof *note);
        int err = note == NULL ? ENOMEM : 0;

        if (err == 0 && change->filter == EVFILT_WRITE && kqueue_shim_is_broken((int)change->ident))
                err = EPIPE;
        if (err == 0 && change->filter != FILTER_USER)
                err = grow(&q->files, &q->nfiles, change->ident, sizeof *q->files);
        if (err == 0 && change->filter != FILTER_USER) {
                struct file *file = &q->files[change->ident];

                if (file->note[0] == NULL && file->note[1] == NULL)
                        err = attach(kq, file, (int)change->ident);
                if (err == 0)
                        file->note[change->filter == EVFILT_WRITE] = note;
        }
        if (err != 0) {
                free(note);
                return err;
        }
        if (change->filter == FILTER_USER) {
                note->others = q->users;
                q->users = note;
        }
        note->kev = *change;
        note->kev.flags &= (uint16_t) ~(ACTIONS | REPORTS);
        if (change->filter == FILTER_USER)
                note->kev.fflags = 0;
        *ret_note = note;
        return 0;
}

/* What a change says to EVFILT_USER. */
static void
touch(struct note *note, uint32_t fflags)
{
        uint32_t bits = fflags & NOTE_FFLAGSMASK;

        switch (fflags & NOTE_FFCTRLMASK) {
        case NOTE_FFAND:
                note->kev.fflags &= bits;
                break;
        case NOTE_FFOR:
                note->kev.fflags |= bits;
                break;
        case NOTE_FFCOPY:
                note->kev.fflags = bits;
                break;
        default:
                break;
        }
        if (fflags & NOTE_TRIGGER)
                note->triggered = true;
}

/* Makes one change. 0 or an error. */
static int
change_one(int kq, struct queue *q, const struct kevent *change)
{
        struct note *note;
        int err;

        if (change->filter != EVFILT_READ && change->filter != EVFILT_WRITE && change->filter != FILTER_USER)
                return EINVAL;
        if (change->filter != FILTER_USER && (change->ident > INT32_MAX || sys_fcntl((int)change->ident, F_GETFD) < 0))
                return EBADF;
        note = find(kq, q, change);
        if (note == NULL && (change->flags & EV_ADD) == 0)
                return ENOENT;
        if (note == NULL) {
                err = create(kq, q, change, &note);
                if (err != 0)
                        return err;
        } else if (change->flags & EV_DELETE) {
                delete (kq, q, note);
                return 0;
        } else {
                note->kev.udata = change->udata;
        }
        if (change->flags & EV_ENABLE)
                note->disabled = false;
        else if (change->flags & EV_DISABLE)
                note->disabled = true;
        if (change->filter == FILTER_USER)
                touch(note, change->fflags);
        activate(q, note);
        return 0;
}

/* ---- kevent() */

/* Makes the changes. The number of those that are told of; -1 with errno, and the rest is not made. */
static int
change_all(int kq, struct queue *q, const struct kevent *changes, int n, struct kevent *events, int room)
{
        int told = 0;

        for (int i = 0; i < n; i++) {
                struct kevent change = changes[i];
                int err = is_to_fail() ? kqueue_shim_fail_with : change_one(kq, q, &change);

                if (err == 0 && (change.flags & EV_RECEIPT) == 0)
                        continue;
                if (told == room) {
                        errno = err;
                        return err != 0 ? -1 : told;
                }
                change.flags = EV_ERROR;
                change.data = err;
                events[told++] = change;
        }
        return told;
}

/* Asks epoll what has happened, and queues the filters that hold by it. */
static void
take(int kq, struct queue *q)
{
        struct epoll_event happened[TAKE_MAX];
        int n;

        do {
                n = sys_epoll_wait(kq, happened, TAKE_MAX);
                for (int i = 0; i < n; i++) {
                        uint64_t token = happened[i].data.u64;
                        struct file *file = file_of(q, (uint32_t)token);

                        if (token == BELL_TOKEN || file == NULL || file->generation != token >> 32)
                                continue;
                        if (is_current(kq, q, (int)(uint32_t)token)) {
                                activate(q, file->note[0]);
                                activate(q, file->note[1]);
                        }
                }
        } while (n == TAKE_MAX);
}

/* Reports what is queued and still holds; each filter once. */
static int
scan(int kq, struct queue *q, struct kevent *events, int room)
{
        int n = 0;

        for (size_t left = q->queued; left > 0 && n < room && q->first != NULL; left--) {
                struct note *note = q->first;

                if (note->kev.filter != FILTER_USER && !is_current(kq, q, (int)note->kev.ident))
                        continue;
                dequeue(q, note);
                if (note->disabled || !holds(note, &events[n]))
                        continue;
                n++;
                if (note->kev.flags & (EV_CLEAR | EV_ONESHOT | EV_DISPATCH))
                        note->triggered = false;
                if (note->kev.flags & EV_ONESHOT)
                        delete (kq, q, note);
                else if (note->kev.flags & EV_DISPATCH)
                        note->disabled = true;
                else if ((note->kev.flags & EV_CLEAR) == 0)
                        enqueue(q, note);
        }
        return n;
}

/* The time that is left of a limit that ends at `end`; false: none. */
static bool
time_left(const struct timespec *end, struct timespec *left)
{
        clock_gettime(CLOCK_MONOTONIC, left);
        left->tv_sec = end->tv_sec - left->tv_sec;
        left->tv_nsec = end->tv_nsec - left->tv_nsec;
        if (left->tv_nsec < 0) {
                left->tv_nsec += 1000000000;
                left->tv_sec--;
        }
        return left->tv_sec > 0 || (left->tv_sec == 0 && left->tv_nsec > 0);
}

/* Waits until something is queued, or the limit is over. Called locked, and waits unlocked. */
static int
wait_and_scan(int kq, struct queue *q, struct kevent *events, int room, const struct timespec *limit, sigset_t *saved)
{
        struct timespec end = {0, 0}, left;
        int n;

        if (limit != NULL) {
                clock_gettime(CLOCK_MONOTONIC, &end);
                end.tv_sec += limit->tv_sec + (end.tv_nsec + limit->tv_nsec) / 1000000000;
                end.tv_nsec = (end.tv_nsec + limit->tv_nsec) % 1000000000;
        }
        for (;;) {
                struct pollfd p = {.fd = kq, .events = POLLIN};
                int err;

                take(kq, q);
                n = scan(kq, q, events, room);
                if (n != 0 || (limit != NULL && !time_left(&end, &left)))
                        return n;
                unlock(saved);
                err = sys_poll(&p, limit != NULL ? &left : NULL) < 0 ? errno : 0;
                lock(saved);
                if (err != 0) {
                        errno = err;
                        return -1;
                }
        }
}

/* The kqueue of a number, which may have been closed meanwhile; NULL. */
static struct queue *
queue_of(int kq)
{
        if (kq < 0 || (size_t)kq >= nqueues || queues[kq] == NULL)
                return NULL;
        return is_ours(kq) ? queues[kq] : NULL;
}

int
kevent(int kq, const struct kevent *changes, int nchanges, struct kevent *events, int nevents,
       const struct timespec *timeout)
{
        struct queue *q;
        sigset_t saved;
        int n, err, before = errno;

        look_for_fork();
        __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
        if (nchanges < 0 || nevents < 0 ||
            (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_sec > SECONDS_MAX || timeout->tv_nsec < 0 ||
                                 timeout->tv_nsec >= 1000000000))) {
                errno = EINVAL;
                return -1;
        }
        lock(&saved);
        q = queue_of(kq);
        errno = EBADF;
        n = q == NULL ? -1 : change_all(kq, q, changes, nchanges, events, nevents);
        if (n == 0 && nevents > 0)
                n = wait_and_scan(kq, q, events, nevents, timeout, &saved);
        err = errno;
        if (q != NULL) {
                /* What happened already is no news to whoever waits for the descriptor; what is queued is. */
                take(kq, q);
                if (q->queued > 0)
                        ring(kq);
        }
        unlock(&saved);
        errno = n < 0 ? err : before;
        return n;
}

/* ---- kqueue() */

static void
free_queue(struct queue *q)
{
        if (q == NULL)
                return;
        for (size_t i = 0; i < q->nfiles; i++)
                forget_file(q, &q->files[i]);
        while (q->users != NULL) {
                struct note *next = q->users->others;

                free(q->users);
                q->users = next;
        }
        free(q->files);
        free(q);
}

/* What had the number before was closed. */
static int
keep(int kq)
{
        int err = grow(&queues, &nqueues, (size_t)kq, sizeof(struct queue *));
        struct queue *q = err == 0 ? calloc(1, sizeof *q) : NULL;

        if (q == NULL)
                return ENOMEM;
        q->owner = process;
        free_queue(queues[kq]);
        queues[kq] = q;
        return 0;
}

/* Goes to programs that are started, as it does on BSD. */
int
kqueue(void)
{
        struct epoll_event silent = {.events = EPOLLONESHOT, .data.u64 = BELL_TOKEN};
        sigset_t saved;
        int kq, err = 0, before = errno;

        look_for_fork();
        lock(&saved);
        kq = -1;
        errno = kqueue_shim_fail_with;
        if (!is_to_fail())
                kq = sys_epoll_create(0);
        if (kq < 0 || sys_epoll_ctl(kq, EPOLL_CTL_ADD, bell, &silent) < 0)
                err = errno;
        if (err == 0)
                err = keep(kq);
        unlock(&saved);
        errno = before;
        if (err == 0)
                return kq;
        if (kq >= 0)
                sys_close(kq);
        errno = err;
        return -1;
}
