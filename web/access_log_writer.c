/*
 * The OS thread that writes a log file. See access_log_priv.h.
 *
 * After each round it sleeps a little: what comes meanwhile is written at once, and those who log wake nobody.
 */
#include <string.h>

#include <green/hubs.h>

#include "access_log_priv.h"
#include "wsgi_priv.h"

enum {
        PAUSE = 5,          /* milliseconds between two rounds */
        PAUSE_FAILED = 200, /* the same where nothing could be written */
};

#define REOPEN_AGAIN INT64_C(1000000000)
#define SAY_AGAIN (INT64_C(60) * 1000000000)

static uint64_t
pending(const green_access_log *log)
{
        return log->fill_len + (log->out_len - log->out_at);
}

bool
green__log_is_over(const green_access_log *log, const struct green__log_wait *w)
{
        if (w->end || !log->running)
                return !log->running;
        return log->given - pending(log) >= w->given && log->tried_reopen >= w->reopens;
}

void
green__log_tell(green_access_log *log)
{
        struct green__log_wait *w, *next;

        for (w = log->waits; w != NULL; w = next) {
                green_hub *hub;

                next = w->next;
                if (!green__log_is_over(log, w))
                        continue;
                *w->prev = next;
                if (next != NULL)
                        next->prev = w->prev;
                w->prev = NULL;
                /* From then on it may be gone. */
                hub = green_claim_mt(&w->wait, NULL);
                (void)green_hand_mt(hub, &w->wait);
                green_hub_unref(hub);
        }
}

/* ---- what is said */

/* It goes wrong: once a minute at most. Without the lock. */
static void
say(green_access_log *log, int code, uint64_t dropped)
{
        int64_t now = green__wsgi_now();

        if ((code == 0 && dropped == log->told_dropped) || (log->said != 0 && now - log->said < SAY_AGAIN))
                return;
        log->said = now;
        if (code != 0)
                green_log(GREEN_LOG_ERROR, "green-net: %s: cannot be written: %s; %llu lines were dropped so far", log->path,
                          green_strerror(code), (unsigned long long)dropped);
        else
                green_log(GREEN_LOG_ERROR, "green-net: %s: it is not written as fast as lines come; %llu were dropped so far",
                          log->path, (unsigned long long)dropped);
        log->told_dropped = dropped;
}

/* ---- writing */

static uint64_t
lines_in(const char *text, size_t len)
{
        const char *end = text + len;
        uint64_t n = 0;

        while (text < end && (text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
                n++;
                text++;
        }
        return n;
}

/* Write what is left of the half that is written. Without the lock; takes it to tell how far it has come. 0, or a code. */
static int
write_out(green_access_log *log)
{
        while (log->out_at < log->out_len) {
                const char *from = log->out + log->out_at;
                ssize_t n = green__log_file_write(log->file, from, log->out_len - log->out_at);
                uint64_t lines = n > 0 ? lines_in(from, (size_t)n) : 0;

                pthread_mutex_lock(&log->lock);
                if (n > 0) {
                        log->out_at += (size_t)n;
                        log->stats.bytes += (uint64_t)n;
                        log->stats.lines += lines;
                } else {
                        log->stats.errors++;
                }
                pthread_mutex_unlock(&log->lock);
                if (n < 0)
                        return (int)n;
        }
        return 0;
}

/*
 * Open the file anew. What is left of a line goes to the new one as a whole. Where it fails, as for want of a descriptor,
 * the old file would be written until the next rotation, and be compressed meanwhile: so it is tried again. Without the
 * lock.
 */
static void
reopen(green_access_log *log, bool again)
{
        intptr_t file;
        int rc = green__log_file_open(log->path, log->mode, &file);

        log->reopen_at = rc == 0 ? 0 : green__wsgi_now() + REOPEN_AGAIN;
        if (rc != 0 && !again)
                green_log(GREEN_LOG_ERROR, "green-net: %s: cannot be opened anew, the old file is kept: %s", log->path,
                          green_strerror(rc));
        pthread_mutex_lock(&log->lock);
        if (rc == 0) {
                intptr_t old = log->file;

                log->file = file;
                file = old;
                log->stats.reopened++;
                if (log->out_at < log->out_len)
                        while (log->out_at > 0 && log->out[log->out_at - 1] != '\n')
                                log->out_at--;
        } else {
                log->stats.errors++;
        }
        pthread_mutex_unlock(&log->lock);
        if (rc == 0)
                green__log_file_close(file);
}

/* ---- the thread */

/* Under the lock: until there is something to do. */
static void
wait_for_work(green_access_log *log)
{
        while (!log->stop && pending(log) == 0 && log->to_reopen == log->tried_reopen) {
                log->idle = true;
                pthread_cond_wait(&log->work, &log->lock);
        }
        log->idle = false;
}

/* One round. Under the lock, which it gives back meanwhile. 0, or what writing has failed with. */
static int
do_round(green_access_log *log)
{
        uint64_t to_reopen = log->to_reopen, dropped;
        bool asked = to_reopen != log->tried_reopen;
        int rc;

        if (asked || (log->reopen_at != 0 && green__wsgi_now() >= log->reopen_at)) {
                pthread_mutex_unlock(&log->lock);
                reopen(log, !asked);
                pthread_mutex_lock(&log->lock);
                log->tried_reopen = to_reopen;
        }
        if (log->out_at == log->out_len) {
                char *empty = log->out;

                log->out = log->fill;
                log->out_len = log->fill_len;
                log->out_at = 0;
                log->fill = empty;
                log->fill_len = 0;
        }
        dropped = log->stats.dropped;
        pthread_mutex_unlock(&log->lock);
        rc = write_out(log);
        say(log, rc, dropped);
        pthread_mutex_lock(&log->lock);
        green__log_tell(log);
        return rc;
}

static void *
writer_main(void *arg)
{
        green_access_log *log = arg;
        int rc;

        pthread_mutex_lock(&log->lock);
        for (;;) {
                wait_for_work(log);
                if (log->stop && pending(log) == 0)
                        break;
                rc = do_round(log);
                if (log->stop && rc != 0)
                        break;
                if (log->stop)
                        continue;
                pthread_mutex_unlock(&log->lock);
                green__log_pause(rc == 0 ? PAUSE : PAUSE_FAILED);
                pthread_mutex_lock(&log->lock);
        }
        log->stats.dropped += lines_in(log->out + log->out_at, log->out_len - log->out_at) + lines_in(log->fill, log->fill_len);
        log->out_at = log->out_len = log->fill_len = 0;
        log->running = false;
        green__log_tell(log);
        pthread_mutex_unlock(&log->lock);
        green__log_unref(log);
        return NULL;
}

int
green__log_start(green_access_log *log)
{
        int rc;

        atomic_fetch_add(&log->refs, 1);
        log->running = true;
        rc = green__log_thread(&log->thread, writer_main, log);
        if (rc != 0) {
                log->running = false;
                atomic_fetch_sub(&log->refs, 1);
        }
        return rc;
}
