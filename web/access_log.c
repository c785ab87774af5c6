/*
 * A log file that never holds up a hub: what is called. See <green/access_log.h>.
 */
#include <stddef.h>
#include <string.h>

#include <green/hubs.h>
#include <green/opts.h>
#include <green/signal.h>

#include "access_log_priv.h"
#include "at_fork.h"

enum {
        BUFFER = 1 << 20,
        BUFFER_LEAST = 32768, /* a delivery of the HTTP server fits into half of it */
        MODE = 0640,
        LOOK_AGAIN = 2, /* milliseconds */
};

#define FREE_SECONDS 2.0

static pthread_mutex_t logs_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static green_access_log *logs;

/* ---- fork: the child has no writer, and what is in the buffer is the parent's */

static void
before_fork(void)
{
        pthread_mutex_lock(&logs_lock);
        for (green_access_log *log = logs; log != NULL; log = log->next)
                pthread_mutex_lock(&log->lock);
}

static void
in_parent(void)
{
        for (green_access_log *log = logs; log != NULL; log = log->next)
                pthread_mutex_unlock(&log->lock);
        pthread_mutex_unlock(&logs_lock);
}

static void
in_child(void)
{
        for (green_access_log *log = logs; log != NULL; log = log->next) {
                log->fill_len = log->out_len = log->out_at = 0;
                log->given = log->to_reopen = log->tried_reopen = 0;
                log->stats = (struct green_access_log_stats){0};
                log->told_dropped = 0;
                log->waits = NULL;
                log->said = log->reopen_at = 0;
                log->watch = NULL;
                log->running = log->idle = false;
                /* Those who had it are gone. */
                atomic_store(&log->refs, 1);
                (void)pthread_cond_init(&log->work, NULL);
        }
        in_parent();
}

static void
install(void)
{
        green__web_at_fork(before_fork, in_parent, in_child);
}

/* ---- its end */

static void
take_off(green_access_log *log)
{
        pthread_mutex_lock(&logs_lock);
        *log->prev = log->next;
        if (log->next != NULL)
                log->next->prev = log->prev;
        pthread_mutex_unlock(&logs_lock);
}

static void
release(green_access_log *log)
{
        pthread_mutex_destroy(&log->lock);
        pthread_cond_destroy(&log->work);
        green_free(log->path);
        green_free(log->fill);
        green_free(log->out);
        green_free(log);
}

void
green__log_unref(green_access_log *log)
{
        if (atomic_fetch_sub(&log->refs, 1) != 1)
                return;
        take_off(log);
        green__log_file_close(log->file);
        release(log);
}

/* ---- SIGHUP */

struct watch {
        green_access_log *log;
        green_signal *signal;
};

static void *
watch_main(void *arg)
{
        struct watch *w = arg;

        while (green_signal_wait(w->signal, GREEN_FOREVER, NULL) == 0)
                (void)green_access_log_reopen(w->log);
        return NULL;
}

/* Also of one that was killed before it began. */
static void
watch_ended(green_thread *gt, void *arg)
{
        struct watch *w = arg;

        (void)green_signal_free(w->signal);
        /* Its hub ends, and not the log: that can be freed by any OS thread now. */
        if (w->log->watch == gt) {
                w->log->watch = NULL;
                green_thread_unref(gt);
        }
        green__log_unref(w->log);
        green_free(w);
}

static green_thread *
start_watch(struct watch *w)
{
        green_thread *thread;

        w->signal = green_signal_new(green__log_hangup());
        thread = w->signal == NULL ? NULL : green_spawn(watch_main, w);
        if (thread != NULL && green_thread_link(thread, watch_ended, w) == 0)
                return thread;
        if (thread != NULL) {
                (void)green_kill(thread, 0);
                green_thread_unref(thread);
                green_set_error(-ENOMEM, NULL);
        }
        (void)green_signal_free(w->signal);
        return NULL;
}

/* In the calling OS thread. 0, or a code with its message. */
static int
begin_watch(green_access_log *log)
{
        struct watch *w = green_malloc(sizeof *w);
        green_thread *thread;

        if (w == NULL)
                return green_set_error(-ENOMEM, NULL);
        w->log = log;
        thread = start_watch(w);
        if (thread == NULL) {
                green_free(w);
                return green_last_error()->code;
        }
        atomic_fetch_add(&log->refs, 1);
        log->watch = thread;
        log->watch_ident = green_hub_ident();
        return 0;
}

static void
end_watch(green_access_log *log)
{
        green_thread *thread = log->watch;

        if (thread == NULL)
                return;
        log->watch = NULL;
        (void)green_kill(thread, 0);
        green_thread_unref(thread);
}

/* ---- its beginning */

static green_access_log *
failed(green_access_log *log, int code)
{
        green_free(log->path);
        green_free(log->fill);
        green_free(log->out);
        green_free(log);
        errno = -code;
        return NULL;
}

static int
prepare(green_access_log *log, const char *path, const struct green_access_log_opts *o)
{
        size_t size = strlen(path) + 1, buffer = o->buffer == 0 ? BUFFER : o->buffer;
        int rc;

        log->half = (buffer < BUFFER_LEAST ? BUFFER_LEAST : buffer) / 2;
        log->mode = o->mode == 0 ? MODE : o->mode;
        log->hangup = o->reopen_on_hangup;
        log->path = green_malloc(size);
        log->fill = green_malloc(log->half);
        log->out = green_malloc(log->half);
        if (log->path == NULL || log->fill == NULL || log->out == NULL)
                return green_set_error(-ENOMEM, NULL);
        memcpy(log->path, path, size);
        rc = green__log_file_open(path, log->mode, &log->file);
        return rc == 0 ? 0 : green_set_error(rc, "%s: %s", path, green_strerror(rc));
}

static void
put_on(green_access_log *log)
{
        pthread_once(&once, install);
        pthread_mutex_lock(&logs_lock);
        log->next = logs;
        log->prev = &logs;
        if (logs != NULL)
                logs->prev = &log->next;
        logs = log;
        pthread_mutex_unlock(&logs_lock);
}

green_access_log *
green_access_log_open(const char *path, const struct green_access_log_opts *opts)
{
        struct green_access_log_opts o;
        green_access_log *log;
        int rc;

        if (path == NULL || path[0] == '\0' || green_opts_take(&o, sizeof o, opts) != 0) {
                green_set_error(-EINVAL, path == NULL || path[0] == '\0' ? "a log needs a path"
                                                                         : "green_access_log_opts: an unknown size");
                return NULL;
        }
        if (o.reopen_on_hangup && green__log_hangup() == 0) {
                green_set_error(-ENOTSUP, "there is no SIGHUP here");
                return NULL;
        }
        log = green_calloc(1, sizeof *log);
        if (log == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        rc = prepare(log, path, &o);
        if (rc != 0)
                return failed(log, rc);
        (void)pthread_mutex_init(&log->lock, NULL);
        (void)pthread_cond_init(&log->work, NULL);
        atomic_init(&log->refs, 1);
        put_on(log);
        pthread_mutex_lock(&log->lock);
        rc = green__log_start(log);
        pthread_mutex_unlock(&log->lock);
        if (rc != 0)
                green_set_error(rc, "%s: there is no OS thread to be had for it", path);
        else if (log->hangup)
                rc = begin_watch(log);
        if (rc != 0) {
                (void)green_access_log_free(log);
                errno = -rc;
                return NULL;
        }
        return log;
}

/* ---- in the child of a fork */

/*
 * There is no writer: begin anew, with the file as it is by now. Without the lock of the log it is asked for first, as
 * those who watch wait for it.
 */
static int
revive(green_access_log *log)
{
        bool mine;
        int rc = 0;

        pthread_mutex_lock(&log->lock);
        mine = !log->running && !log->stop;
        if (mine)
                rc = green__log_start(log);
        if (mine && rc == 0)
                log->to_reopen++;
        pthread_mutex_unlock(&log->lock);
        if (mine && rc == 0 && log->hangup && begin_watch(log) != 0)
                green_log(GREEN_LOG_ERROR, "green-net: %s: SIGHUP is not waited for: %s", log->path,
                          green_last_error()->message);
        return rc;
}

/* Under the lock: wake the writer, where it sleeps. */
static void
nudge(green_access_log *log)
{
        if (!log->idle)
                return;
        log->idle = false;
        (void)pthread_cond_signal(&log->work);
}

/* The lock, and a writer, if there is one to be had. */
static void
lock_alive(green_access_log *log)
{
        pthread_mutex_lock(&log->lock);
        if (log->running)
                return;
        pthread_mutex_unlock(&log->lock);
        (void)revive(log);
        pthread_mutex_lock(&log->lock);
}

/* ---- lines */

/* As many bytes of it as fit and are whole lines. */
static size_t
that_fit(const char *text, size_t len, size_t room)
{
        if (len <= room)
                return len;
        while (room > 0 && text[room - 1] != '\n')
                room--;
        return room;
}

static uint64_t
count_lines(const char *text, size_t len)
{
        uint64_t n = 0;

        for (size_t i = 0; i < len; i++)
                n += text[i] == '\n';
        return n;
}

void
green_access_log_write(void *arg, const char *text, size_t len)
{
        green_access_log *log = arg;
        int saved = errno;
        size_t n;

        if (log == NULL || text == NULL || len == 0)
                return;
        lock_alive(log);
        n = log->running ? that_fit(text, len, log->half - log->fill_len) : 0;
        memcpy(log->fill + log->fill_len, text, n);
        log->fill_len += n;
        log->given += n;
        if (n < len)
                log->stats.dropped += count_lines(text + n, len - n);
        nudge(log);
        pthread_mutex_unlock(&log->lock);
        errno = saved;
}

int
green_access_log_reopen(green_access_log *log)
{
        int rc = 0;

        if (log == NULL)
                return -EINVAL;
        lock_alive(log);
        log->to_reopen++;
        nudge(log);
        if (!log->running)
                rc = -EAGAIN;
        pthread_mutex_unlock(&log->lock);
        return rc;
}

int
green_access_log_get_stats(green_access_log *log, struct green_access_log_stats *ret_stats)
{
        if (log == NULL || ret_stats == NULL)
                return -EINVAL;
        pthread_mutex_lock(&log->lock);
        *ret_stats = log->stats;
        ret_stats->waiting = log->fill_len + (log->out_len - log->out_at);
        pthread_mutex_unlock(&log->lock);
        return 0;
}

/* ---- waiting for the writer */

static void
leave(struct green__log_wait *w)
{
        if (w->prev == NULL)
                return;
        *w->prev = w->next;
        if (w->next != NULL)
                w->next->prev = w->prev;
        w->prev = NULL;
}

/* The hub of a waiter ends. */
static void
forget(struct green_wait_mt *wait)
{
        struct green__log_wait *w = (struct green__log_wait *)(void *)((char *)wait - offsetof(struct green__log_wait, wait));

        pthread_mutex_lock(&w->log->lock);
        leave(w);
        pthread_mutex_unlock(&w->log->lock);
}

/* In a green thread: wait. */
static int
wait_in_list(green_access_log *log, struct green__log_wait *w, double timeout)
{
        bool taken_off;
        int rc;

        green_wait_mt_begin(&w->wait, forget);
        pthread_mutex_lock(&log->lock);
        w->next = log->waits;
        w->prev = &log->waits;
        if (w->next != NULL)
                w->next->prev = &w->next;
        log->waits = w;
        /* It may be over by now. */
        green__log_tell(log);
        pthread_mutex_unlock(&log->lock);
        rc = green_park_mt(&w->wait, timeout);
        if (rc != 0) {
                pthread_mutex_lock(&log->lock);
                taken_off = w->prev == NULL;
                leave(w);
                pthread_mutex_unlock(&log->lock);
                if (taken_off)
                        rc = green_settle_mt(&w->wait);
        }
        green_wait_mt_end(&w->wait);
        return rc;
}

/* In an OS thread without green threads: it waits as a whole, and looks again and again. */
static int
wait_as_a_whole(green_access_log *log, const struct green__log_wait *w, double timeout)
{
        for (double waited = 0; waited < timeout; waited += LOOK_AGAIN / 1e3) {
                bool over;

                pthread_mutex_lock(&log->lock);
                over = green__log_is_over(log, w);
                pthread_mutex_unlock(&log->lock);
                if (over)
                        return 0;
                green__log_pause(LOOK_AGAIN);
        }
        return -ETIMEDOUT;
}

/* Until what was asked for so far is done; end: until it has ended. */
static int
wait_for(green_access_log *log, bool end, double timeout)
{
        struct green__log_wait w = {.log = log, .end = end};
        green_thread *self;
        bool over;
        int rc = green_park_check_mt(timeout, &self);

        if (rc < 0)
                return rc;
        pthread_mutex_lock(&log->lock);
        w.given = log->given;
        w.reopens = log->to_reopen;
        over = green__log_is_over(log, &w);
        pthread_mutex_unlock(&log->lock);
        if (over || timeout == 0)
                return over ? 0 : -ETIMEDOUT;
        if (rc == 1)
                return wait_as_a_whole(log, &w, timeout);
        return self == NULL ? -EDEADLK : wait_in_list(log, &w, timeout);
}

int
green_access_log_flush(green_access_log *log, double timeout)
{
        if (log == NULL || !(timeout >= 0))
                return -EINVAL;
        return wait_for(log, false, timeout);
}

static bool
has_ended(green_access_log *log)
{
        bool ended;

        pthread_mutex_lock(&log->lock);
        ended = !log->running;
        pthread_mutex_unlock(&log->lock);
        return ended;
}

/* Until the writer has ended, for a while. Shielded: what is there is to be written whatever has fired. */
static void
wait_for_end(green_access_log *log)
{
        green_thread *self;
        /* An OS thread without a hub has nothing to shield from, and gets none by being asked. */
        bool alone = green_park_check_mt(0, &self) == 1;

        if (!alone)
                green_shield_begin();
        (void)!wait_for(log, true, FREE_SECONDS);
        if (!alone)
                green_shield_end();
}

int
green_access_log_free(green_access_log *log)
{
        bool was_running;

        if (log == NULL)
                return 0;
        if (log->watch != NULL && log->watch_ident != green_hub_ident())
                return green_hub_check(log->watch_ident, "a log that SIGHUP opens anew");
        end_watch(log);
        pthread_mutex_lock(&log->lock);
        was_running = log->running;
        log->stop = true;
        nudge(log);
        pthread_mutex_unlock(&log->lock);
        if (was_running) {
                wait_for_end(log);
                /* What it has left to do is to go. */
                if (has_ended(log))
                        (void)pthread_join(log->thread, NULL);
                else
                        (void)pthread_detach(log->thread);
        }
        green__log_unref(log);
        return 0;
}
