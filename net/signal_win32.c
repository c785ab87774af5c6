/*
 * Handlers of signals on Windows. See signal_sys.h.
 *
 * There are three that others send: SIGINT and SIGBREAK are keys of the console, SIGTERM is made of the end of the
 * console, the session or the machine; raise() works for each. Handlers run as ordinary code, mostly in an OS thread of
 * the system's, so they may take a lock.
 */
#include <config.h>

#include <errno.h>

#include <winsock2.h>

#include "check.h"
#include "signal_sys.h"

enum { SIGNALS = 3 };

static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGBREAK};

static struct {
        struct green__listener *first;
        void (*before)(int signum);
        bool installed;
} signals[SIGNALS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int
index_of(int signum)
{
        for (int i = 0; i < SIGNALS; i++)
                if (numbers[i] == signum)
                        return i;
        return -1;
}

/* ---- the handler */

/* Is what was there before to have it? */
static bool
tell(int i)
{
        bool before = false, alone;

        pthread_mutex_lock(&lock);
        for (struct green__listener *l = signals[i].first; l != NULL; l = atomic_load(&l->next)) {
                before = l->count(l);
                l->ring(l);
        }
        alone = signals[i].first != NULL && atomic_load(&signals[i].first->next) == NULL;
        pthread_mutex_unlock(&lock);
        return before && alone;
}

/* The C library forgets a handler when it calls it. */
static void
handler(int signum)
{
        int i = index_of(signum);

        (void)signal(signum, handler);
        if (i < 0 || !tell(i))
                return;
        (void)signal(signum, signals[i].before);
        (void)raise(signum);
}

/* The process is ended when this returns, or some seconds later: until then it may end by itself. */
static BOOL WINAPI
at_end(DWORD event)
{
        int i = index_of(SIGTERM);
        bool listens;

        if (event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT)
                return FALSE;
        pthread_mutex_lock(&lock);
        listens = signals[i].first != NULL;
        pthread_mutex_unlock(&lock);
        if (!listens || tell(i))
                return FALSE;
        Sleep(INFINITE);
        return TRUE;
}

/* ---- listening */

static void
watch_the_end(void)
{
        (void)SetConsoleCtrlHandler(at_end, TRUE);
}

static int
install(int i)
{
        void (*before)(int) = signals[i].installed ? NULL : signal(numbers[i], handler);

        if (before == SIG_ERR)
                return -errno;
        if (!signals[i].installed)
                signals[i].before = before;
        signals[i].installed = true;
        return 0;
}

static void
unlist(struct green__listener *l, int i)
{
        struct green__listener *at = signals[i].first;

        if (at == l) {
                signals[i].first = atomic_load(&l->next);
                return;
        }
        while (at != NULL && atomic_load(&at->next) != l)
                at = atomic_load(&at->next);
        GREEN_ASSERT(at != NULL);
        atomic_store(&at->next, atomic_load(&l->next));
}

int
green__signal_listen(struct green__listener *l, int signum)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        int i = index_of(signum), rc;

        if (i < 0)
                return -EINVAL;
        pthread_once(&once, watch_the_end);
        l->signum = signum;
        l->thread = pthread_self();
        pthread_mutex_lock(&lock);
        rc = install(i);
        if (rc == 0) {
                atomic_store(&l->next, signals[i].first);
                signals[i].first = l;
        }
        pthread_mutex_unlock(&lock);
        return rc;
}

void
green__signal_leave(struct green__listener *l)
{
        int i = index_of(l->signum);

        pthread_mutex_lock(&lock);
        unlist(l, i);
        if (signals[i].first == NULL) {
                void (*now)(int) = signal(l->signum, signals[i].before);

                /* One that somebody has put in its place meanwhile stays. */
                if (now != handler && now != SIG_ERR)
                        (void)signal(l->signum, now);
                signals[i].installed = false;
        }
        pthread_mutex_unlock(&lock);
}
