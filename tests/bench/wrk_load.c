/*
 * The load of the HTTP benchmarks: starts a server, has wrk load it, and measures its CPU time meanwhile; the opening
 * of the connections is part of it. wrk_load [-t] [-s SCRIPT] [-p PATH] CONNECTIONS SECONDS SERVER-CORE LOAD-CORE SERVER
 * [ARGUMENT...]; a core of -1 pins nothing. -t: over TLS. -s: with a script of wrk. -p: what is asked for, without the
 * first slash.
 */
#include "bench_load.h"

#include <stdbool.h>

/* wrk's output on a pipe. It stays on our core. */
static FILE *
start_wrk(pid_t *ret_pid, const char *connections, const char *seconds, const char *url, const char *script)
{
        int ends[2];

        bench_check(pipe(ends) == 0 && (*ret_pid = fork()) >= 0, "fork");
        if (*ret_pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(ends[1], STDOUT_FILENO);
                close(ends[0]);
                close(ends[1]);
                /* Last the arguments that may be missing. */
                execlp("wrk", "wrk", "--latency", "-t", "1", "-c", connections, "-d", seconds, url,
                       script != NULL ? "-s" : (char *)NULL, script, (char *)NULL);
                perror("wrk");
                _exit(127);
        }
        close(ends[1]);
        return fdopen(ends[0], "r");
}

/* wrk writes 12.30us, 4.56ms, 1.02s. */
static double
microseconds(double value, const char *unit)
{
        return *unit == 'u' ? value : *unit == 'm' ? value * 1e3 : value * 1e6;
}

struct figures {
        long requests;
        double seconds, p99;
};

static bool
read_figures(FILE *f, struct figures *figures)
{
        char line[256], unit[8];
        double value;
        bool good = true;

        while (fgets(line, sizeof line, f) != NULL) {
                if (strstr(line, "Socket errors:") != NULL || strstr(line, "Non-2xx") != NULL) {
                        fprintf(stderr, "wrk: %s", line);
                        good = false;
                }
                if (sscanf(line, " 99%% %lf%7s", &value, unit) == 2)
                        figures->p99 = microseconds(value, unit);
                (void)!sscanf(line, " %ld requests in %lf", &figures->requests, &figures->seconds);
        }
        return good && figures->requests > 0 && figures->seconds > 0;
}

static void
run(char **argv, bool tls, const char *script, const char *path)
{
        int port = 0, status = 0;
        struct figures figures = {0, 0, 0};
        struct rusage usage;
        double server, load;
        char name[32], url[64];
        clockid_t clock;
        pid_t pid, wrk;
        FILE *f;

        bench_raise_descriptor_limit();
        pid = bench_start_server(atoi(argv[2]), argv + 4, &port, &clock);
        bench_pin(atoi(argv[3]));
        snprintf(url, sizeof url, "%s://127.0.0.1:%d/%s", tls ? "https" : "http", port, path);
        /* What is done at the first request only. */
        f = start_wrk(&wrk, "1", "1", url, NULL);
        bench_check(read_figures(f, &figures), "wrk, to warm up");
        fclose(f);
        waitpid(wrk, NULL, 0);

        server = bench_clock(clock);
        f = start_wrk(&wrk, argv[0], argv[1], url, script);
        bench_check(read_figures(f, &figures), "wrk");
        server = bench_clock(clock) - server;
        fclose(f);
        bench_check(wait4(wrk, &status, 0, &usage) == wrk && status == 0, "wrk");
        load = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        bench_report_load(argv[0], figures.requests, figures.seconds, server, load);
        snprintf(name, sizeof name, "p99_%s", argv[0]);
        bench_print(name, "us", figures.p99);
        bench_stop_server(pid);
}

int
main(int argc, char **argv)
{
        const char *script = NULL, *path = "";
        bool tls = false;
        int option;

        while ((option = getopt(argc, argv, "+ts:p:")) != -1) {
                if (option == 't')
                        tls = true;
                else if (option == 's')
                        script = optarg;
                else if (option == 'p')
                        path = optarg;
                else
                        return 2;
        }
        if (argc - optind < 5) {
                fprintf(stderr, "usage: %s [-t] [-s SCRIPT] [-p PATH] CONNECTIONS SECONDS SERVER-CORE LOAD-CORE SERVER...\n",
                        argv[0]);
                return 2;
        }
        run(argv + optind, tls, script, path);
        return 0;
}
