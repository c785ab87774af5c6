/*
 * A program that the tests of workers run: this one, anew, with GREEN_TEST_WORKERS in its environment. It says on its
 * standard output who is ready, and answers lines.
 *
 * GREEN_TEST_WORKERS is words: "cannot" (its workers cannot start), "dies" (they die when ready), "stuck" (never ready),
 * "once" (those of a restart cannot start), "late" (they are never ready), "hangs" (they never are after
 * they have said so), "slow" (they are ready a moment after they have said so, and say when they end), "inherit" (no address of its own), "warns" (they write to the log when they are ready).
 */
#ifndef GREEN_TESTS_WORKERS_PROGRAM_H
#define GREEN_TESTS_WORKERS_PROGRAM_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <green/net.h>

struct counts {
        int served;
};

static int program_open; /* connections of this worker */

static bool
program_is(const char *word)
{
        const char *words = getenv("GREEN_TEST_WORKERS");

        return words != NULL && strstr(words, word) != NULL;
}

static void
program_say(const char *what, const struct green_worker *worker)
{
        struct green_addr here = {0};
        char text[128];
        int len;

        (void)green_socket_getsockname(worker->listeners[0], &here);
        len = snprintf(text, sizeof text, "%s %zu %ld %u %d\n", what, worker->index, (long)getpid(), worker->generation,
                       green_addr_port(&here));
        (void)!write(STDOUT_FILENO, text, (size_t)len);
}

static int
program_init(const struct green_worker *worker, void *arg)
{
        (void)arg;
        if (program_is("cannot") || (program_is("once") && worker->generation > 1))
                return -EACCES;
        if (program_is("stuck") || (program_is("late") && worker->generation > 1))
                (void)green_sleep(1000);
        if (program_is("warns"))
                green_log(GREEN_LOG_WARNING, "a warning");
        program_say("ready", worker);
        if (program_is("slow"))
                (void)green_sleep(0.1);
        if (program_is("hangs") && worker->generation > 1)
                (void)green_sleep(1000);
        return 0;
}

static void
program_hangup(const struct green_worker *worker, void *arg)
{
        (void)arg;
        program_say("hangup", worker);
}

static void
program_status(green_stream *st)
{
        struct green_worker_status status;

        for (size_t i = 0; green_workers_status(i, &status); i++) {
                const struct counts *counts = status.shared;

                (void)green_stream_printf(st, "%zu:%d:%ld:%u:%d ", status.index, (int)status.state, (long)status.pid,
                                          status.restarts, counts->served);
        }
        (void)green_stream_printf(st, "%ld\n", (long)green_workers_supervisor());
}

static const char *
program_env(const char *name)
{
        const char *value = getenv(name);

        return value == NULL ? "-" : value;
}

/* What the program was started with: variables, how many descriptors are open, and for how many programs; listeners. */
static void
program_facts(green_stream *st, const struct green_worker *worker)
{
        int open_now = 0, kept = 0;

        for (int fd = 0; fd < 256; fd++) {
                int flags = fcntl(fd, F_GETFD);

                open_now += flags >= 0;
                kept += flags >= 0 && (flags & FD_CLOEXEC) == 0;
        }
        (void)green_stream_printf(st, "%s %s %s %s %d %d %zu", program_env("LISTEN_FDS"), program_env("LISTEN_PID"),
                                  program_env("LISTEN_FDNAMES"), program_env("GREEN_WORKERS_NEXT"), open_now, kept,
                                  worker->listener_count);
        for (size_t i = 0; i < worker->listener_count; i++) {
                struct green_addr here = {0};

                (void)green_socket_getsockname(worker->listeners[i], &here);
                (void)green_stream_printf(st, " %d", green_addr_port(&here));
        }
        (void)green_stream_printf(st, "\n");
}

static int
program_answer(green_socket *client, const struct green_addr *peer, void *arg)
{
        const struct green_worker *worker = arg;
        struct counts *counts = worker->shared;
        green_stream *st = green_socket_makefile(client, NULL);
        const char *line;
        ssize_t n;

        (void)peer;
        program_open++;
        counts->served++;
        while (st != NULL && (n = green_stream_readline(st, 100, &line)) > 0) {
                if (line[0] == 'd')
                        abort();
                if (line[0] == 's')
                        program_status(st);
                else if (line[0] == 'e')
                        (void)green_stream_printf(st, "%s\n", program_env("LISTEN_ADDRESS"));
                else if (line[0] == 'f')
                        program_facts(st, worker);
                else
                        (void)green_stream_printf(st, "%zu %ld %u\n", worker->index, (long)getpid(), worker->generation);
                (void)!green_stream_flush(st);
        }
        (void)green_stream_free(st);
        program_open--;
        return 0;
}

static int
program_work(const struct green_worker *worker, void *arg)
{
        int rc;

        (void)arg;
        if (program_is("dies"))
                return -EIO;
        rc = green_serve(worker->listeners[0], program_answer, (void *)(uintptr_t)worker, NULL);
        (void)green_socket_close(worker->listeners[0]);
        /* The last ones have not begun yet. */
        do
                (void)green_sleep(0.005);
        while (program_open > 0);
        if (program_is("slow"))
                program_say("ended", worker);
        return rc;
}

/* In place of main(), where the environment says so. */
__attribute__((constructor)) static void
program(void)
{
        static const char *const addresses[] = {"127.0.0.1:0", NULL};
        struct green_workers_opts opts = {.size = sizeof opts, .processes = 2, .init = program_init};
        int rc;

        if (getenv("GREEN_TEST_WORKERS") == NULL)
                return;
        green_set_log(NULL, NULL);
        opts.addresses = program_is("inherit") ? NULL : addresses;
        opts.on_hangup = program_hangup;
        opts.shared_size = sizeof(struct counts);
        opts.pid_file = getenv("GREEN_TEST_PID_FILE");
        opts.start_timeout = program_is("stuck") ? 0.2 : program_is("late") ? 2 : 0;
        opts.stop_timeout = program_is("late") ? 0.2 : program_is("hangs") ? 3 : 0;
        rc = green_workers_run(program_work, NULL, &opts);
        _exit(rc == 0 ? 0 : rc == -EACCES ? 3 : 1);
}

#endif
