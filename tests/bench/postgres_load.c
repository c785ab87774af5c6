/*
 * A PostgreSQL server for a program that asks it: on all cores but the program's, which is told where it is by libpq's
 * variables. postgres_load MILLISECONDS CLIENT-CORE PROGRAM [ARGUMENT...]; postgres_load try: is there one?
 */
#include "bench_load.h"

#include "../db_server.c"

static void
avoid(int core)
{
        cpu_set_t set;

        if (core < 0 || sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 2)
                return;
        CPU_CLR((size_t)core, &set);
        bench_check(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

int
main(int argc, char **argv)
{
        char port[16], *command[16];
        int status = 1, n = 0;
        pid_t pid;

        if (argc == 2 && strcmp(argv[1], "try") == 0)
                return pg_server_start() == NULL ? 0 : 1;
        if (argc < 4 || argc > 12)
                return fprintf(stderr, "usage: %s MS CLIENT-CORE PROGRAM...\n", argv[0]), 2;
        avoid(atoi(argv[2]));
        bench_check(pg_server_start() == NULL, "the PostgreSQL server");
        snprintf(port, sizeof port, "%d", pg_server_port());
        setenv("PGHOST", pg_server_folder(), 1);
        setenv("PGPORT", port, 1);
        setenv("PGUSER", "postgres", 1);
        setenv("PGDATABASE", "postgres", 1);
        command[n++] = argv[3];
        command[n++] = argv[1];
        for (int i = 4; i < argc; i++)
                command[n++] = argv[i];
        command[n] = NULL;
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                bench_pin(atoi(argv[2]));
                execv(command[0], command);
                _exit(127);
        }
        bench_check(pid > 0 && waitpid(pid, &status, 0) == pid, "the program");
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
