/*
 * The HTTP server in several OS threads: green_wsgi_server_opts::workers. Each is a server of its own, with a hub of its
 * own, on a second socket for the one listener; who has its share of the connections leaves others to accept.
 */
#include <string.h>

#include <pthread.h>

#include <green/event.h>
#include <green/workers.h>

#include "wsgi_priv.h"

struct member {
        struct green__team *team;
        pthread_t thread;
        green_socket *listener;        /* its own; the caller's of the first one */
        green_hub *hub;
        green_event *started, *ended;  /* the caller waits for them */
        struct green_wsgi_stats stats;
        int rc;
};

struct green__team {
        size_t count;
        size_t running;                /* OS threads that were started */
        green_wsgi_app app;
        void *arg;
        struct green_wsgi_server_opts opts; /* what was given */
        const char *hub_name;
        green_hub *caller;
        bool over;                     /* the caller's has ended */
        struct member members[];
};

bool
green__team_load(const struct green__team *team, size_t *ret_connections, size_t *ret_count)
{
        size_t sum = 0;

        for (size_t i = 0; i < team->count; i++)
                sum += __atomic_load_n(&team->members[i].stats.connections, __ATOMIC_RELAXED);
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
                *ret_connections += __atomic_load_n(&its->connections, __ATOMIC_RELAXED);
                (*ret_count)++;
        }
        return found;
}

struct green_wsgi_stats *
green__team_stats(struct green__team *team, size_t index)
{
        return &team->members[index].stats;
}

/* The figures of all, for the caller: what others write meanwhile is a little older or newer. */
static void
sum_up(struct green__team *team)
{
        struct green_wsgi_stats sum = {0};

        for (size_t i = 0; i < team->count; i++) {
                const struct green_wsgi_stats *s = &team->members[i].stats;

                sum.connections += s->connections;
                sum.idle += s->idle;
                sum.running += s->running;
                sum.waiting += s->waiting;
                sum.accepted += s->accepted;
                sum.requests += s->requests;
                sum.refused += s->refused;
                sum.failed += s->failed;
                sum.bytes_in += s->bytes_in;
                sum.bytes_out += s->bytes_out;
                sum.unproxied += s->unproxied;
        }
        *team->opts.stats = sum;
}

static void *
keep_sums(void *arg)
{
        while (green_sleep(0.1) == 0)
                sum_up(arg);
        return NULL;
}

/* Of a member, in its own OS thread. */
static void
close_listener(void *arg)
{
        struct member *m = arg;

        (void)green_socket_close(m->listener);
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
        (void)green_event_send_mt(m->started, NULL);
        if (m->rc == 0)
                m->rc = green__wsgi_serve(m->listener, team->app, team->arg, &team->opts, team, (size_t)(m - team->members));
        /* They end as one. */
        if (!__atomic_load_n(&team->over, __ATOMIC_ACQUIRE))
                (void)green_hub_post(team->caller, close_listener, &team->members[0]);
        (void)green_socket_free(m->listener);
        (void)green_event_send_mt(m->ended, NULL);
        return NULL;
}

static int
start(struct member *m, green_socket *listener)
{
        int rc;

        m->started = green_event_new();
        m->ended = green_event_new();
        m->listener = m->started != NULL && m->ended != NULL ? green_socket_dup(listener) : NULL;
        if (m->listener == NULL)
                return -errno;
        rc = green_socket_detach(m->listener);
        if (rc == 0)
                rc = -pthread_create(&m->thread, NULL, thread_main, m);
        if (rc != 0) {
                (void)green_socket_free(m->listener);
                return rc;
        }
        (void)!green_event_wait(m->started, NULL, GREEN_FOREVER);
        m->team->running++;
        return 0;
}

static void
end_all(struct green__team *team)
{
        __atomic_store_n(&team->over, true, __ATOMIC_RELEASE);
        for (size_t i = 1; i <= team->running; i++)
                if (team->members[i].hub != NULL)
                        (void)green_hub_post(team->members[i].hub, close_listener, &team->members[i]);
        for (size_t i = 1; i <= team->running; i++) {
                (void)!green_event_wait(team->members[i].ended, NULL, GREEN_FOREVER);
                (void)pthread_join(team->members[i].thread, NULL);
        }
}

static void
team_free(struct green__team *team)
{
        for (size_t i = 1; i < team->count; i++) {
                (void)green_event_free(team->members[i].started);
                (void)green_event_free(team->members[i].ended);
                if (team->members[i].hub != NULL)
                        green_hub_unref(team->members[i].hub);
        }
        green_hub_unref(team->caller);
        green_free(team);
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
        if (rc == 0 && team->opts.stats != NULL)
                sums = green_spawn(keep_sums, team);
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
        return rc;
}

int
green__wsgi_workers(green_socket *listener, green_wsgi_app app, void *arg, const struct green_wsgi_server_opts *opts)
{
        struct green__team *team;
        int rc;

        if (opts->custom_pool != NULL || opts->workers > 1024)
                return green_set_error(-EINVAL, "green_wsgi_server_opts: workers goes with no custom_pool, and up to 1,024");
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
        team_free(team);
        return rc;
}
