/*
 * Programs that are run to their end in one call. See <green/process.h>.
 */
#include "process_priv.h"

#include <green/opts.h>

#define MOST_OUTPUT ((size_t)64 * 1024 * 1024)

/* Start it, with only those pipes that are wanted. */
static int
begin(const char *const *argv, const struct green_process_opts *given, bool output, green_process **ret_process)
{
        struct green_process_opts opts;
        int rc = green_opts_take(&opts, sizeof opts, given);

        opts.size = sizeof opts;
        if (rc == 0 && output && opts.out == GREEN_PROCESS_INHERIT)
                opts.out = GREEN_PROCESS_PIPE;
        if (rc != 0 || opts.in == GREEN_PROCESS_PIPE || opts.err == GREEN_PROCESS_PIPE ||
            (opts.out == GREEN_PROCESS_PIPE) != output)
                return green_set_error(-EINVAL, "a call of a program: its pipes would lead nowhere");
        *ret_process = green_process_spawn(argv, &opts);
        return *ret_process == NULL ? green_last_error()->code : 0;
}

/* Its end, or the end of the call: then it is killed. */
static int
finish(green_process *p, int rc)
{
        if (rc != 0)
                (void)green__process_finish(p, 0);
        (void)green_process_free(p);
        return rc;
}

static int
check(const char *const *argv, const struct green_process_opts *opts, int status)
{
        const char *name = opts != NULL && opts->file != NULL ? opts->file : argv[0];

        if (status == 0)
                return 0;
        if (status == GREEN__STATUS_UNKNOWN)
                return green_set_error(GREEN_ECHILD, "%s: its status is not known", name);
        if (status < 0)
                return green_set_error(GREEN_ECHILD, "%s: ended by signal %d", name, -status);
        return green_set_error(GREEN_ECHILD, "%s: status %d", name, status);
}

int
green_process_call(const char *const *argv, const struct green_process_opts *opts, double timeout, int *ret_status)
{
        green_process *p = NULL;
        int rc = timeout >= 0 ? begin(argv, opts, false, &p) : -EINVAL;

        return rc != 0 ? rc : finish(p, green_process_wait(p, timeout, ret_status));
}

int
green_process_check_call(const char *const *argv, const struct green_process_opts *opts, double timeout)
{
        int status = 0, rc = green_process_call(argv, opts, timeout, &status);

        return rc != 0 ? rc : check(argv, opts, status);
}

int
green_process_check_output(const char *const *argv, const struct green_process_opts *opts, double timeout,
                           char **ret_out, size_t *ret_len)
{
        struct green_process_output output = {.out = NULL};
        green_process *p = NULL;
        int rc = timeout >= 0 && ret_out != NULL && ret_len != NULL ? begin(argv, opts, true, &p) : -EINVAL;

        if (rc == 0)
                rc = finish(p, green_process_communicate(p, NULL, 0, MOST_OUTPUT, timeout, &output));
        if (rc != 0)
                return rc;
        rc = check(argv, opts, output.status);
        if (rc != 0) {
                green_free(output.out);
                return rc;
        }
        *ret_out = output.out;
        *ret_len = output.out_len;
        return 0;
}
