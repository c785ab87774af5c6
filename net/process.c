/*
 * Processes: starting them, and their handles. See <green/process.h>.
 */
#include "process_priv.h"

#include <stdlib.h>

#include <green/opts.h>
#include <green/pipe.h>

#include "pipe_sys.h"

/* Between SIGTERM and SIGKILL. */
#define SECONDS_TO_END 1.0

/* ---- its standard descriptors */

struct stdio {
        green_fd fds[3]; /* for the program */
        green_fd null;
        bool ours[3]; /* the program's ends of pipes: closed when it has them */
};

/* A pipe, whose one end is a stream and the other the program's. */
static int
make_pipe(green_process *p, int i, struct stdio *io)
{
        green_fd fds[2];
        int mine = i == 0 ? 1 : 0, rc = green__sys_pipe(fds);

        if (rc != 0)
                return rc;
        rc = green__sys_move_up(&fds[0]);
        if (rc == 0)
                rc = green__sys_move_up(&fds[1]);
        if (rc == 0)
                rc = green__sys_program_end(&fds[1 - mine], i != 0);
        green_notify_opened(fds[mine]);
        if (rc == 0) {
                p->streams[i] = green_pipe_fdopen(fds[mine], i == 0 ? "w" : "r", NULL);
                rc = p->streams[i] == NULL ? -errno : 0;
        }
        if (rc == 0) {
                io->fds[i] = fds[1 - mine];
                io->ours[i] = true;
                return 0;
        }
        green__sys_close(fds[0]);
        green__sys_close(fds[1]);
        return rc;
}

static int
make_one(green_process *p, int i, enum green_process_io how, green_fd given, struct stdio *io)
{
        int rc = 0;

        switch (how) {
        case GREEN_PROCESS_INHERIT:
                return 0;
        case GREEN_PROCESS_PIPE:
                return make_pipe(p, i, io);
        case GREEN_PROCESS_NULL:
                if (io->null == GREEN_INVALID_FD)
                        rc = green__sys_open_null(&io->null);
                if (rc == 0)
                        rc = green__sys_move_up(&io->null);
                io->fds[i] = io->null;
                return rc;
        case GREEN_PROCESS_STDOUT:
                io->fds[i] = GREEN__AS_STDOUT;
                return i == 2 ? 0 : -EINVAL;
        case GREEN_PROCESS_FD:
                io->fds[i] = given;
                return (intptr_t)given < 0 ? -EBADF : 0;
        default:
                return -EINVAL;
        }
}

static int
make_stdio(green_process *p, const struct green_process_opts *opts, struct stdio *io)
{
        int rc = make_one(p, 0, opts->in, opts->in_fd, io);

        if (rc == 0)
                rc = make_one(p, 1, opts->out, opts->out_fd, io);
        return rc != 0 ? rc : make_one(p, 2, opts->err, opts->err_fd, io);
}

static void
close_stdio(struct stdio *io)
{
        for (int i = 0; i < 3; i++)
                if (io->ours[i])
                        green__sys_close(io->fds[i]);
        if (io->null != GREEN_INVALID_FD)
                green__sys_close(io->null);
}

/* ---- starting */

static int
compare(const void *a, const void *b)
{
        const green_fd *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* In ascending order; the caller's to free. */
static int
sort_fds(const green_fd *fds, size_t n, green_fd **ret_fds)
{
        green_fd *sorted;

        *ret_fds = NULL;
        if (n == 0)
                return 0;
        for (size_t i = 0; fds != NULL && i < n; i++)
                if (fds[i] < 3)
                        return -EINVAL;
        if (fds == NULL || n > SIZE_MAX / sizeof *fds)
                return -EINVAL;
        sorted = green_malloc(n * sizeof *fds);
        if (sorted == NULL)
                return -ENOMEM;
        memcpy(sorted, fds, n * sizeof *fds);
        qsort(sorted, n, sizeof *fds, compare);
        *ret_fds = sorted;
        return 0;
}

struct spawn {
        const struct green__program *program;
        green_process *process;
};

static pid_t
spawn(void *arg)
{
        const struct spawn *s = arg;
        pid_t pid = -1;
        int rc = green__sys_spawn(s->program, &pid, &s->process->pidfd);

        return rc != 0 ? rc : pid;
}

static int
start(green_process *p, const char *const *argv, const struct green_process_opts *opts)
{
        struct stdio io = {.fds = {GREEN_INVALID_FD, GREEN_INVALID_FD, GREEN_INVALID_FD}, .null = GREEN_INVALID_FD};
        struct green__program program = {.argv = argv,
                                         .env = opts->env,
                                         .cwd = opts->cwd,
                                         .pass_count = opts->pass_count,
                                         .new_group = opts->new_group,
                                         .new_session = opts->new_session,
                                         .kill_at_exit = opts->kill_at_exit};
        green_fd *pass = NULL;
        char *path = NULL;
        int rc = sort_fds(opts->pass, opts->pass_count, &pass);

        if (rc == 0)
                rc = green__sys_find_program(opts->file != NULL ? opts->file : argv[0], opts->cwd, &path);
        if (rc == 0)
                rc = make_stdio(p, opts, &io);
        if (rc == 0) {
                program.path = path;
                program.pass = pass;
                memcpy(program.fds, io.fds, sizeof program.fds);
                rc = green__owned_start(&p->owned, spawn, &(struct spawn){&program, p});
                p->pid = rc > 0 ? rc : 0;
                rc = rc > 0 ? 0 : rc;
        }
        close_stdio(&io);
        green_free(path);
        green_free(pass);
        if (rc == 0 && p->pidfd != GREEN_INVALID_FD) {
                /* It is of use where it is, too. */
                (void)green__sys_move_up(&p->pidfd);
                green_notify_opened(p->pidfd);
        }
        return rc;
}

static void
hub_ended(void *arg)
{
        green_process *p = arg;

        p->orphan = true;
        p->users = 0;
        p->talking = false;
}

static void
release(green_process *p)
{
        for (int i = 0; i < 3; i++)
                (void)green_stream_free(p->streams[i]);
        green__owned_remove(&p->owned);
        green_free(p->got[0].data);
        green_free(p->got[1].data);
        if (!p->orphan)
                green_hub_end_drop(&p->end);
        green_free(p);
}

static green_process *
fail(int rc, const char *name)
{
        green_set_error(rc, "%s: %s", name == NULL ? "a program" : name, green_strerror(rc));
        return NULL;
}

green_process *
green_process_spawn(const char *const *argv, const struct green_process_opts *given)
{
        struct green_process_opts opts;
        green_process *p;
        int rc = green_opts_take(&opts, sizeof opts, given);

        if (rc == 0 && (argv == NULL || argv[0] == NULL))
                rc = -EINVAL;
        if (rc != 0)
                return fail(rc, NULL);
        if (green_get_hub() == NULL)
                return NULL;
        rc = green_checkpoint();
        if (rc != 0)
                return fail(rc, argv[0]);
        p = green_calloc(1, sizeof *p);
        if (p == NULL)
                return fail(-ENOMEM, argv[0]);
        green__sys_watch_forks();
        p->hub = green_hub_ident();
        p->forks = green__sys_forks;
        p->pidfd = GREEN_INVALID_FD;
        p->leads = opts.new_group || opts.new_session;
        green_watch_init(&p->watch, green__process_watched, p);
        rc = green_hub_at_end(&p->end, hub_ended, p);
        if (rc == 0)
                rc = start(p, argv, &opts);
        if (rc == 0)
                return p;
        release(p);
        return fail(rc, opts.file != NULL ? opts.file : argv[0]);
}

/* ---- questions */

pid_t
green_process_pid(const green_process *p)
{
        return p == NULL ? -1 : p->pid;
}

green_stream *
green_process_stdin(const green_process *p)
{
        return p == NULL ? NULL : p->streams[0];
}

green_stream *
green_process_stdout(const green_process *p)
{
        return p == NULL ? NULL : p->streams[1];
}

green_stream *
green_process_stderr(const green_process *p)
{
        return p == NULL ? NULL : p->streams[2];
}

/* ---- the end */

static bool
is_in_use(const green_process *p)
{
        if (p->users > 0)
                return true;
        for (int i = 0; i < 3; i++)
                if (p->streams[i] != NULL && p->streams[i]->users > 0 && p->streams[i]->forks == green__sys_forks)
                        return true;
        return false;
}

int
green_process_free(green_process *p)
{
        int rc;

        if (p == NULL)
                return 0;
        green__process_forget_parent(p);
        if (p->orphan)
                p->hub = green_hub_ident();
        rc = green_hub_check(p->hub, "a process");
        if (rc != 0)
                return rc;
        if (!p->orphan && is_in_use(p))
                return -EBUSY;
        rc = green__process_finish(p, SECONDS_TO_END);
        if (rc == -EDEADLK)
                return rc;
        release(p);
        return 0;
}
