/*
 * The supervisor of workers. See <green/workers.h> and workers_priv.h.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <green/alloc.h>
#include <green/error.h>
#include <green/hubs.h>
#include <green/log.h>
#include <green/opts.h>
#include <green/process.h>
#include <green/thread.h>

#include "inherit.h"
#include "pipe_sys.h"
#include "sock_sys.h"
#include "workers_priv.h"

#define START_TIMEOUT 60.0
#define STOP_TIMEOUT 40.0
#define PAUSE_FIRST 0.1
#define PAUSE_MOST 30.0
#define REST 0.1 /* after a wait that failed */
#define SETTLED GREEN__SECOND /* one that lived for so long did not die at once */
#define BACKLOG 1024
#define WORKERS_MAX 1024

static const int signums[GREEN__HEARD] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD};

/* ---- news */

bool
green__wait_again(ssize_t rc)
{
        return rc < 0 && rc != GREEN_EKILLED && green_sleep(REST) == 0;
}

/* That is not the end of listening: a supervisor that hears nothing any more could not be ended. */
static bool
listens_again(struct green__crew *crew, ssize_t rc)
{
        crew->deaf = (int)rc;
        return green__wait_again(rc);
}

static void *
listen_for(void *arg)
{
        struct green__ear *ear = arg;

        for (;;) {
                unsigned n;
                int rc = green_signal_wait(ear->signal, GREEN_FOREVER, &n);

                if (rc == 0) {
                        ear->came += n;
                        (void)green_semaphore_release(ear->crew->wake);
                } else if (!listens_again(ear->crew, rc)) {
                        return NULL;
                }
        }
}

static void *
read_told(void *arg)
{
        struct green__crew *crew = arg;

        for (;;) {
                char bytes[64];
                ssize_t n = green_os_read(crew->told[0], bytes, sizeof bytes);

                if (n > 0)
                        (void)green_semaphore_release(crew->wake);
                else if (!listens_again(crew, n))
                        return NULL;
        }
}

/* Each has begun to wait when it returns, or the code of why not. */
static int
start_listening(struct green__crew *crew)
{
        int rc;

        for (int i = 0; i < GREEN__HEARD; i++) {
                struct green__ear *ear = &crew->ears[i];

                ear->crew = crew;
                ear->signal = green_signal_new(signums[i]);
                ear->thread = ear->signal == NULL ? NULL : green_spawn(listen_for, ear);
                if (ear->thread == NULL)
                        return green_last_error()->code;
        }
        crew->reader = green_spawn(read_told, crew);
        if (crew->reader == NULL)
                return green_last_error()->code;
        rc = green_sleep(0);
        if (rc == 0 && crew->deaf != 0)
                rc = green_set_error(crew->deaf, "workers: nothing can be heard: %s", green_strerror(crew->deaf));
        return rc;
}

static void
end_thread(green_thread *t)
{
        if (t == NULL)
                return;
        (void)green_kill(t, GREEN_EKILLED);
        (void)!green_thread_wait(t, NULL);
        green_thread_unref(t);
}

static unsigned
heard(struct green__crew *crew, enum green__heard which)
{
        unsigned n = crew->ears[which].came;

        crew->ears[which].came = 0;
        return n;
}

/* ---- workers begin */

/* In the supervisor; in the worker it does not return. */
static void
start(struct green__crew *crew, size_t i, int64_t now)
{
        struct green__place *p = &crew->places[i];
        struct green__seat *seat = &crew->board->seats[i];
        void *shared = green__board_shared(crew->board, i);
        pid_t pid;

        if (shared != NULL)
                memset(shared, 0, crew->o.shared_size);
        atomic_store(&seat->state, GREEN_WORKER_STARTING);
        atomic_store(&seat->born, now);
        (void)fflush(NULL); /* what is in buffers is not to be written twice */
        pid = fork();
        if (pid == 0) {
                atomic_store(&seat->pid, (int)getpid());
                green__worker_run(crew, i);
        }
        if (pid < 0) {
                green_log(GREEN_LOG_ERROR, "green-net: worker %zu: fork: %s", i, green_strerror(-errno));
                atomic_store(&seat->state, GREEN_WORKER_DOWN);
                p->due = green__in_seconds(now, 1.0);
                return;
        }
        atomic_store(&seat->pid, (int)pid);
        p->pid = pid;
        p->ready = p->killed = false;
        p->since = now;
        p->due = green__in_seconds(now, crew->o.start_timeout);
}

static void
start_due(struct green__crew *crew, int64_t now)
{
        for (size_t i = 0; i < crew->count && !crew->ending; i++)
                if (crew->places[i].pid == 0 && crew->places[i].due <= now)
                        start(crew, i, now);
}

/* ---- and end */

static void
signal_all(struct green__crew *crew, int signum)
{
        for (size_t i = 0; i < crew->count; i++)
                if (crew->places[i].pid != 0)
                        (void)kill(crew->places[i].pid, signum);
}

static void
close_fd(green_fd fd)
{
        if (fd >= 0)
                (void)green__sys_close(fd);
}

/* Who comes when the workers have stopped accepting is refused, and goes elsewhere, unless another program has the sockets. */
static void
close_listeners(struct green__crew *crew)
{
        for (size_t i = 0; i < crew->fd_count; i++)
                close_fd(crew->fds[i]);
        crew->fd_count = 0;
}

void
green__crew_end(struct green__crew *crew, int result)
{
        if (crew->ending)
                return;
        crew->ending = true;
        close_listeners(crew);
        crew->result = result;
        crew->end_at = green__in_seconds(green__sys_now(), crew->o.stop_timeout);
        atomic_store(&crew->board->ending, true);
        signal_all(crew, SIGTERM);
}

static void
kill_all(struct green__crew *crew)
{
        if (!crew->killing)
                green_log(GREEN_LOG_WARNING, "green-net: workers that have not ended in time are killed");
        crew->killing = true;
        signal_all(crew, SIGKILL);
}

/* How a worker has ended, for the log; "" where all is well. */
static const char *
describe(int status, char *text, size_t size)
{
        text[0] = '\0';
        if (WIFSIGNALED(status))
                (void)snprintf(text, size, "died by signal %d%s", WTERMSIG(status),
                               WCOREDUMP(status) ? " (core dumped)" : "");
        else if (WEXITSTATUS(status) != 0)
                (void)snprintf(text, size, "ended with status %d", WEXITSTATUS(status));
        return text;
}

/* A worker has ended. It comes again, at once or after a pause. */
static void
ended(struct green__crew *crew, size_t i, int status, int64_t now)
{
        struct green__place *p = &crew->places[i];
        struct green__seat *seat = &crew->board->seats[i];
        bool settled = p->ready && now - p->since >= SETTLED;
        char how[64];
        pid_t pid = p->pid;

        p->pid = 0;
        atomic_store(&seat->pid, 0);
        atomic_store(&seat->state, GREEN_WORKER_DOWN);
        /* What it was doing, nobody does. */
        if (crew->o.shared_size > 0)
                memset(green__board_shared(crew->board, i), 0, crew->o.shared_size);
        if (crew->ending)
                return;
        if (!p->ready && !crew->first_ready && atomic_load(&seat->error) != 0) {
                green__crew_end(crew, green_set_error(atomic_load(&seat->error), "worker %zu cannot start", i));
                return;
        }
        p->pause = settled ? 0 : p->pause == 0 ? PAUSE_FIRST : p->pause * 2;
        if (p->pause > crew->o.backoff_max)
                p->pause = crew->o.backoff_max;
        p->due = green__in_seconds(now, p->pause);
        atomic_store(&seat->error, 0);
        atomic_fetch_add(&seat->restarts, 1);
        describe(status, how, sizeof how);
        green_log(GREEN_LOG_WARNING, "green-net: worker %zu (process %ld) %s: another one begins in %.1f s", i,
                  (long)pid, how[0] != '\0' ? how : "has ended", p->pause);
}

static void
reap(struct green__crew *crew, int64_t now)
{
        for (size_t i = 0; i < crew->count; i++) {
                struct green__place *p = &crew->places[i];
                pid_t rc;
                int status = 0;

                if (p->pid == 0)
                        continue;
                while ((rc = waitpid(p->pid, &status, WNOHANG)) < 0 && errno == EINTR) {
                }
                /* Somebody else may have waited for it. */
                if (rc == p->pid || (rc < 0 && errno == ECHILD))
                        ended(crew, i, status, now);
        }
}

/* ---- and are ready */

static void
announce(struct green__crew *crew)
{
        char text[96];
        int rc;

        crew->announced = true;
        rc = green__pid_file_write(crew->o.pid_file);
        if (rc != 0)
                green_log(GREEN_LOG_ERROR, "green-net: %s: %s", crew->o.pid_file, green_strerror(rc));
        (void)snprintf(text, sizeof text, "READY=1\nMAINPID=%ld\nSTATUS=%zu workers", (long)getpid(), crew->count);
        green__tell_systemd(text);
        if (crew->before >= 0) {
                green__tell_reader(crew->before);
                (void)green__sys_close(crew->before);
                crew->before = -1;
        }
}

static void
look_at(struct green__crew *crew, int64_t now)
{
        size_t ready = 0;

        for (size_t i = 0; i < crew->count; i++) {
                struct green__place *p = &crew->places[i];

                if (p->pid == 0)
                        continue;
                if (!p->ready && atomic_load(&crew->board->seats[i].state) == GREEN_WORKER_READY) {
                        p->ready = crew->first_ready = true;
                        p->since = now;
                } else if (!p->ready && !p->killed && now >= p->due && !crew->ending) {
                        green_log(GREEN_LOG_ERROR, "green-net: worker %zu (process %ld) is not ready in time: killed",
                                  i, (long)p->pid);
                        p->killed = true;
                        (void)kill(p->pid, SIGKILL);
                }
                ready += p->ready;
        }
        if (ready == crew->count && !crew->announced && !crew->ending)
                announce(crew);
}

/* ---- the loop */

static void
obey(struct green__crew *crew)
{
        unsigned end = heard(crew, GREEN__HEARD_TERM) + heard(crew, GREEN__HEARD_INT);

        if (end > 1 || (end > 0 && crew->ending && (crew->next.pid == 0 || crew->told_end)))
                kill_all(crew);
        crew->told_end |= end > 0;
        /* A program that is about to follow is not what was asked for. */
        if (end > 0 && crew->next.pid != 0 && !crew->next.ready)
                green__next_stop(crew);
        if (end > 0 && !crew->ending) {
                green__tell_systemd("STOPPING=1");
                green__crew_end(crew, 0);
        }
        if (heard(crew, GREEN__HEARD_HUP) > 0)
                signal_all(crew, SIGHUP);
        if (heard(crew, GREEN__HEARD_USR2) > 0 && !crew->ending) {
                int rc = green__next_start(crew);

                if (rc != 0)
                        green_log(GREEN_LOG_ERROR, "green-net: restart: %s: going on as before", green_strerror(rc));
        }
}

static bool
anybody(const struct green__crew *crew)
{
        for (size_t i = 0; i < crew->count; i++)
                if (crew->places[i].pid != 0)
                        return true;
        return false;
}

static double
seconds_to_next(const struct green__crew *crew, int64_t now)
{
        int64_t at = crew->ending && !crew->killing ? crew->end_at : INT64_MAX;

        for (size_t i = 0; i < crew->count; i++) {
                const struct green__place *p = &crew->places[i];

                if (!crew->ending && (p->pid == 0 || (!p->ready && !p->killed)) && p->due < at)
                        at = p->due;
        }
        if (crew->next.pid != 0 && !crew->next.ready && crew->next.due < at)
                at = crew->next.due;
        return at == INT64_MAX ? GREEN_FOREVER : at <= now ? 0 : (double)(at - now) / 1e9;
}

static void
supervise(struct green__crew *crew)
{
        bool shielded = false;

        for (;;) {
                int64_t now = green__sys_now();
                int rc;

                reap(crew, now);
                look_at(crew, now);
                green__next_look(crew, now);
                obey(crew);
                start_due(crew, now);
                if (crew->ending && !anybody(crew))
                        break;
                if (crew->ending && !crew->killing && now >= crew->end_at)
                        kill_all(crew);
                rc = green_semaphore_acquire(crew->wake, seconds_to_next(crew, green__sys_now()));
                if (rc != 0 && rc != -ETIMEDOUT && !shielded) {
                        green__crew_end(crew, rc);
                        shielded = true;
                        green_shield_begin();
                }
        }
        if (shielded)
                green_shield_end();
}

/* ---- before and after */

static int
add_listener(struct green__crew *crew, green_fd fd)
{
        green_fd *more = green_realloc(crew->fds, (crew->fd_count + 1) * sizeof *more);

        if (more == NULL) {
                (void)green__sys_close(fd);
                return -ENOMEM;
        }
        crew->fds = more;
        crew->fds[crew->fd_count++] = fd;
        return 0;
}

static int
listen_at(struct green__crew *crew, const char *address)
{
        struct green_listen_opts o = {.size = sizeof o, .backlog = BACKLOG};
        struct green_addr addr;
        green_socket *s;
        int rc = green_addr_parse(address, &addr);
        green_fd fd;

        if (rc != 0)
                return rc;
        fd = green__inherit_take(&addr, NULL);
        if (fd >= 0)
                return add_listener(crew, fd);
        s = green_listen(address, crew->o.listen != NULL ? crew->o.listen : &o);
        if (s == NULL)
                return green_last_error()->code;
        rc = green_socket_take_fd(s, &fd);
        (void)green_socket_free(s);
        return rc != 0 ? rc : add_listener(crew, fd);
}

static int
listen_all(struct green__crew *crew)
{
        green_fd fd;
        int rc = 0;

        for (size_t i = 0; rc == 0 && crew->o.addresses != NULL && crew->o.addresses[i] != NULL; i++)
                rc = listen_at(crew, crew->o.addresses[i]);
        while (rc == 0 && (fd = green__inherit_take(NULL, NULL)) >= 0)
                rc = add_listener(crew, fd);
        if (rc == 0 && crew->fd_count == 0)
                rc = green_set_error(-EINVAL, "workers: no address is given, and no socket was inherited");
        return rc;
}

static int
prepare(struct green__crew *crew)
{
        unsigned generation = green__next_generation(&crew->before);
        int rc = listen_all(crew);

        if (rc != 0)
                return rc;
        crew->board = green__board_new(crew->count, crew->o.shared_size, generation);
        crew->places = green_calloc(crew->count, sizeof *crew->places);
        crew->wake = green_semaphore_new(0, NULL);
        if (crew->board == NULL || crew->places == NULL || crew->wake == NULL)
                return green_set_error(-ENOMEM, NULL);
        rc = green__sys_pipe(crew->life);
        if (rc == 0)
                rc = green__sys_pipe(crew->told);
        return rc == 0 ? start_listening(crew) : green_set_error(rc, "workers: a pipe: %s", green_strerror(rc));
}

static void
clean_up(struct green__crew *crew)
{
        green_shield_begin();
        green__next_stop(crew);
        for (int i = 0; i < GREEN__HEARD; i++) {
                end_thread(crew->ears[i].thread);
                (void)green_signal_free(crew->ears[i].signal);
        }
        end_thread(crew->reader);
        green_shield_end();
        for (int i = 0; i < 2; i++) {
                close_fd(crew->life[i]);
                close_fd(crew->told[i]);
        }
        close_fd(crew->before);
        close_listeners(crew);
        (void)green_semaphore_free(crew->wake);
        green__board_show(NULL);
        green__board_free(crew->board);
        green_free(crew->fds);
        green_free(crew->places);
}

static double
or_else(double given, double otherwise)
{
        return given == 0 ? otherwise : given;
}

static int
take_opts(struct green__crew *crew, const struct green_workers_opts *opts)
{
        struct green_workers_opts *o = &crew->o;

        if (green_opts_take(o, sizeof *o, opts) != 0 || crew->fn == NULL || o->processes > WORKERS_MAX)
                return green_set_error(-EINVAL, "workers: no function, or options out of range");
        if (!(o->start_timeout >= 0) || !(o->stop_timeout >= 0) || !(o->backoff_max >= 0))
                return green_set_error(-EINVAL, "workers: a time that is negative, or none");
        o->start_timeout = or_else(o->start_timeout, START_TIMEOUT);
        o->stop_timeout = or_else(o->stop_timeout, STOP_TIMEOUT);
        o->backoff_max = or_else(o->backoff_max, PAUSE_MOST);
        crew->count = o->processes != 0 ? o->processes : (size_t)green_processors();
        return 0;
}

int
green_workers_run(green_worker_fn fn, void *arg, const struct green_workers_opts *opts)
{
        struct green__crew crew = {
                .fn = fn, .arg = arg, .life = {-1, -1}, .told = {-1, -1}, .before = -1, .next.fd = -1};
        int rc = take_opts(&crew, opts);

        if (rc != 0)
                return rc;
        if (green__board_shown())
                return green_set_error(-EBUSY, "workers: they run already in this process");
        /* The main program's stack is none of green-net's: nothing is known of its use. */
        if (green_getcurrent() == NULL || green_thread_stack_used(green_getcurrent()) != 0)
                return green_set_error(-EDEADLK, "workers: only the main green thread can run them");
        rc = prepare(&crew);
        if (rc == 0) {
                green__board_show(crew.board);
                supervise(&crew);
                rc = crew.result;
                if (!crew.next.ready)
                        green__pid_file_remove(crew.o.pid_file);
        }
        clean_up(&crew);
        return rc;
}
