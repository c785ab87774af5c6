/*
 * The HTTP server in several OS threads: green_wsgi_server_opts::workers. Each is a server of its own, with a hub of
 * its own, on a second socket for the one listener; who has its share of the connections leaves others to accept.
 */
#include <string.h>

#include <pthread.h>
#include <unistd.h>

#include <green/park.h>
#include <green/workers.h>

#include "wsgi_priv.h"

struct member {
        struct green__team *team;
        pthread_t thread;
        green_socket *listener;              /* its own; the caller's of the first one */
        green_hub *hub;                      /* a reference */
        struct green_post_node begins, ends; /* to the caller's hub */
        struct green_post_node close;        /* to its own */
        bool has_begun, has_ended;           /* in the caller's OS thread */
        _Alignas(8) struct green_wsgi_stats stats; /* as whole numbers of 64 bits need it */
        int rc;
};

struct green__team {
        size_t count;
        size_t running; /* OS threads that were started */
        green_wsgi_app app;
        void *arg;
        struct green_wsgi_server_opts opts; /* what was given */
        const char *hub_name;
        green_hub *caller;
        struct green_waitq news; /* the caller waits for them */
        bool over;               /* the caller's own has ended */
        int rc;                  /* what one has ended with before */
        struct member members[];
};

bool
green__team_load(const struct green__team *team, size_t *ret_connections, size_t *ret_count)
{
        size_t sum = 0;

        for (size_t i = 0; i < team->count; i++)
                sum += green__noted_size(&team->members[i].stats.connections);
        *ret_connections = sum;
        *ret_count = team->count;
        return true;
}

bool
green__workers_load(const struct green_wsgi_stats *stats, size_t *ret_connections, size_t *ret_count)
{
        struct green_worker_status w;
        bool found = false;

        *ret_connections = *ret_count = 0;
        for (size_t i = 0; green_workers_status(i, &w); i++) {
                const struct green_wsgi_stats *its = w.shared;

                found = found || its == stats;
                if (its == NULL || (w.state != GREEN_WORKER_READY && its != stats))
                        continue;
                *ret_connections += green__noted_size(&its->connections);
                (*ret_count)++;
        }
        return found;
}

int
green__worker_index(void)
{
        struct green_worker_status w;
        pid_t self = getpid();

        for (size_t i = 0; green_workers_status(i, &w); i++)
                if (w.pid == self)
                        return (int)i;
        return -1;
}

struct green_wsgi_stats *
green__team_stats(struct green__team *team, size_t index)
{
        return &team->members[index].stats;
}

void
green__stats_add(struct green_wsgi_stats *sum, const struct green_wsgi_stats *more)
{
        sum->connections += green__noted_size(&more->connections);
        sum->idle += green__noted_size(&more->idle);
        sum->running += green__noted_size(&more->running);
        sum->waiting += green__noted_size(&more->waiting);
        sum->accepted += green__noted(&more->accepted);
        sum->requests += green__noted(&more->requests);
        sum->refused += green__noted(&more->refused);
        sum->failed += green__noted(&more->failed);
        sum->bytes_in += green__noted(&more->bytes_in);
        sum->bytes_out += green__noted(&more->bytes_out);
        sum->unproxied += green__noted(&more->unproxied);
}

static void
tell_number(uint64_t *number, uint64_t value)
{
        __atomic_store_n(number, value, __ATOMIC_RELAXED);
}

void
green__stats_tell(struct green_wsgi_stats *to, const struct green_wsgi_stats *stats)
{
        green__tell_size(&to->connections, stats->connections);
        green__tell_size(&to->idle, stats->idle);
        green__tell_size(&to->running, stats->running);
        green__tell_size(&to->waiting, stats->waiting);
        tell_number(&to->accepted, stats->accepted);
        tell_number(&to->requests, stats->requests);
        tell_number(&to->refused, stats->refused);
        tell_number(&to->failed, stats->failed);
        tell_number(&to->bytes_in, stats->bytes_in);
        tell_number(&to->bytes_out, stats->bytes_out);
        tell_number(&to->unproxied, stats->unproxied);
}

/* The figures of all, for the caller: what others write meanwhile is a little older or newer. */
static void
sum_up(struct green__team *team)
{
        struct green_wsgi_stats sum = {0};

        for (size_t i = 0; i < team->count; i++)
                green__stats_add(&sum, &team->members[i].stats);
        green__stats_tell(team->opts.stats, &sum);
}

static void *
keep_sums(void *arg)
{
        while (green_sleep(0.1) == 0)
                sum_up(arg);
        return NULL;
}

/* ---- one of them */

/* In its own hub. */
static void
close_listener(void *arg)
{
        struct member *m = arg;

        (void)green_socket_close(m->listener);
}

/* In the caller's hub, as the next one. */
static void
has_begun(void *arg)
{
        struct member *m = arg;

        m->has_begun = true;
        green_wake_all(&m->team->news, 0);
}

/* They end as one. */
static void
has_ended(void *arg)
{
        struct member *m = arg;
        struct green__team *team = m->team;

        m->has_ended = true;
        if (!team->over && team->rc == 0) {
                team->rc = m->rc;
                close_listener(&team->members[0]);
        }
        green_wake_all(&team->news, 0);
}

static void *
thread_main(void *arg)
{
        struct member *m = arg;
        struct green__team *team = m->team;

        (void)green_use_hub(team->hub_name);
        m->rc = green_socket_attach(m->listener);
        if (m->rc == 0)
                m->hub = green_hub_ref(green_get_hub());
        (void)green_hub_post_node(team->caller, &m->begins, has_begun, m);
        if (m->hub != NULL) {
                m->rc = green__wsgi_serve(m->listener, team->app, team->arg, &team->opts, team,
                                          (size_t)(m - team->members));
                (void)green_hub_post_node(team->caller, &m->ends, has_ended, m);
        }
        (void)green_socket_free(m->listener);
        return NULL;
}

/* ---- the caller */

static void
wait_for(struct green__team *team, const bool *news)
{
        while (!*news) {
                struct green_wait w;

                (void)!green_park(&team->news, &w, GREEN_FOREVER);
        }
}

static int
start(struct member *m, green_socket *listener)
{
        int rc;

        m->listener = green_socket_dup(listener);
        if (m->listener == NULL)
                return -errno;
        rc = green_socket_detach(m->listener);
        if (rc == 0)
                rc = -pthread_create(&m->thread, NULL, thread_main, m);
        if (rc != 0) {
                (void)green_socket_free(m->listener);
                return rc;
        }
        wait_for(m->team, &m->has_begun);
        if (m->hub != NULL) {
                m->team->running++;
                return 0;
        }
        (void)pthread_join(m->thread, NULL);
        return m->rc;
}

void
green__team_ends(struct green__team *team)
{
        if (team->over)
                return;
        team->over = true;
        for (size_t i = 1; i <= team->running; i++)
                (void)green_hub_post_node(team->members[i].hub, &team->members[i].close, close_listener,
                                          &team->members[i]);
}

static void
end_all(struct green__team *team)
{
        green__team_ends(team);
        for (size_t i = 1; i <= team->running; i++) {
                wait_for(team, &team->members[i].has_ended);
                (void)pthread_join(team->members[i].thread, NULL);
                green_hub_unref(team->members[i].hub);
        }
}

static int
run(struct green__team *team, green_socket *listener)
{
        green_thread *sums = NULL;
        int rc = 0;

        green_shield_begin();
        for (size_t i = 1; rc == 0 && i < team->count; i++)
                rc = start(&team->members[i], listener);
        green_shield_end();
        if (rc == 0 && team->opts.stats != NULL) {
                sums = green_spawn(keep_sums, team);
                rc = sums == NULL ? green_last_error()->code : 0;
        }
        if (rc == 0)
                rc = green__wsgi_serve(listener, team->app, team->arg, &team->opts, team, 0);
        green_shield_begin();
        end_all(team);
        if (sums != NULL) {
                (void)green_kill(sums, GREEN_EKILLED);
                (void)!green_thread_wait(sums, NULL);
                green_thread_unref(sums);
        }
        green_shield_end();
        if (team->opts.stats != NULL)
                sum_up(team);
        return team->rc != 0 ? team->rc : rc;
}

int
green__wsgi_workers(green_socket *listener, green_wsgi_app app, void *arg, const struct green_wsgi_server_opts *opts)
{
        struct green__team *team;
        int rc;

        if (opts->custom_pool != NULL || opts->workers > 1024)
                return green_set_error(-EINVAL,
                                       "green_wsgi_server_opts: workers goes with no custom_pool, and up to 1,024");
        /* What is wrong is the caller's to know, and no reason for one that has begun to end the others. */
        rc = green__wsgi_check(opts);
        if (rc != 0)
                return rc;
        team = green_calloc(1, sizeof *team + opts->workers * sizeof(struct member));
        if (team == NULL)
                return -ENOMEM;
        team->count = opts->workers;
        team->app = app;
        team->arg = arg;
        team->opts = *opts;
        team->caller = green_hub_ref(green_get_hub());
        team->hub_name = green_hub_name(team->caller);
        for (size_t i = 0; i < team->count; i++)
                team->members[i].team = team;
        team->members[0].listener = listener;
        rc = run(team, listener);
        green_hub_unref(team->caller);
        green_free(team);
        return rc;
}
