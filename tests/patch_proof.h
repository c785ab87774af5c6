/*
 * What the proofs share that foreign libraries run green: 100 green threads on one OS thread, each with a blocking call
 * of a library that knows nothing of them, and a server that takes 50 ms for each answer. A proof includes it once, in
 * place of net_suite.h, and gives its server in proof_server.
 *
 * One after another they take 5 seconds. A machine that does other things may take long for anything: the best of some
 * rounds counts, and has to be below half of that; what was measured is printed.
 */
#ifndef GREEN_TESTS_PATCH_PROOF_H
#define GREEN_TESTS_PATCH_PROOF_H

#include "net_suite.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <time.h>

#include "patch_server.h"

enum { REQUESTS = 100, ROUNDS = 5 };
#define DELAY 0.05

/* A library at work. Each function says whether it went well. */
struct proof {
        const char *what;
        bool (*begin)(void **ret_state); /* a connection, where one is kept; may be NULL */
        bool (*ask)(void *state);        /* takes DELAY */
        void (*end)(void *state);        /* may be NULL */
};

/* Starts what is asked, once. NULL, or why that cannot be had. */
static const char *(*proof_server)(void);
static const char *no_server;

static long main_thread;
static int threads_before; /* the suite has one of its own */

/* OS threads of this process. */
static int
os_threads(void)
{
        DIR *tasks = opendir("/proc/self/task");
        const struct dirent *e;
        int n = 0;

        while (tasks != NULL && (e = readdir(tasks)) != NULL)
                n += e->d_name[0] != '.';
        if (tasks != NULL)
                closedir(tasks);
        return n;
}

static void
proof_state(void)
{
        static bool tried;

        /* Before there is a hub, and anything is patched: a server is a process of its own. */
        if (!tried)
                no_server = proof_server();
        tried = true;
        base_state();
        if (!green_is_monkey_patched("socket")) {
                threads_before = os_threads();
                main_thread = syscall(SYS_gettid);
                CHECK_INT(green_monkey_patch(0), 0);
        }
}

__attribute__((constructor)) static void
proof_init(void)
{
        suite_setup = proof_state;
}

static double
seconds(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- a round */

struct client {
        const struct proof *proof;
        void *state;
        bool well;
        green_thread *thread;
};

static int asking, most_asking, most_threads, in_other_threads;

static void *
begin_one(void *arg)
{
        struct client *c = arg;

        c->well = c->proof->begin == NULL || c->proof->begin(&c->state);
        return NULL;
}

static void *
ask_one(void *arg)
{
        struct client *c = arg;
        int threads;

        if (++asking > most_asking)
                most_asking = asking;
        c->well = c->well && c->proof->ask(c->state);
        /* Now others wait for their answers. */
        threads = os_threads();
        if (threads > most_threads)
                most_threads = threads;
        in_other_threads += syscall(SYS_gettid) != main_thread;
        asking--;
        return NULL;
}

static void *
end_one(void *arg)
{
        struct client *c = arg;

        if (c->proof->end != NULL && c->state != NULL)
                c->proof->end(c->state);
        return NULL;
}

/* All of them at once; how long it took. */
static double
all(struct client *clients, void *(*fn)(void *))
{
        double begin = seconds();

        for (int i = 0; i < REQUESTS; i++)
                clients[i].thread = green_spawn(fn, &clients[i]);
        for (int i = 0; i < REQUESTS; i++) {
                CHECK_INT(green_thread_wait(clients[i].thread, NULL), 0);
                green_thread_unref(clients[i].thread);
        }
        return seconds() - begin;
}

static double
round_of(const struct proof *proof)
{
        struct client clients[REQUESTS] = {{.proof = NULL}};
        double took;
        int well = 0;

        for (int i = 0; i < REQUESTS; i++)
                clients[i].proof = proof;
        all(clients, begin_one);
        took = all(clients, ask_one);
        for (int i = 0; i < REQUESTS; i++)
                well += clients[i].well;
        CHECK_INT(well, REQUESTS);
        all(clients, end_one);
        return took;
}

MAYBE void
prove(const struct proof *proof)
{
        double best = GREEN_FOREVER, took;

        if (no_server != NULL) {
                suite_skip(no_server);
                return;
        }
        most_threads = in_other_threads = most_asking = 0;
        for (int i = 0; i < ROUNDS && best > 1; i++) {
                took = round_of(proof);
                /* Nothing answers sooner, or it was not asked. */
                CHECK(took >= DELAY * 0.9);
                best = took < best ? took : best;
        }
        printf("     %s: %d requests of %g ms in %.3f s, %d at once, %d OS thread\n", proof->what, REQUESTS, DELAY * 1e3,
               best, most_asking, most_threads - threads_before + 1);
        CHECK(best < REQUESTS * DELAY / 2);
        CHECK_INT(most_threads, threads_before);
        CHECK_INT(in_other_threads, 0);
}

#endif
