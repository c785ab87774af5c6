/*
 * An HTTP server on a core of its own, for a client that asks it: client_load MILLISECONDS CLIENT-CORE SERVER-CORE
 * SERVER CLIENT; a core of -1 pins nothing. The client gets port and milliseconds, and prints its figures; of the
 * server it is said how busy it was.
 */
#include "bench_load.h"

int
main(int argc, char **argv)
{
        char port_text[16], *command[4];
        int port = 0, status = 1;
        clockid_t clock;
        double busy, wall;
        pid_t server, client;

        if (argc != 6)
                return fprintf(stderr, "usage: %s MS CLIENT-CORE SERVER-CORE SERVER CLIENT\n", argv[0]), 2;
        command[0] = argv[4];
        command[1] = NULL;
        bench_raise_descriptor_limit();
        server = bench_start_server(atoi(argv[3]), command, &port, &clock);
        snprintf(port_text, sizeof port_text, "%d", port);
        command[0] = argv[5];
        command[1] = port_text;
        command[2] = argv[1];
        command[3] = NULL;
        busy = bench_clock(clock);
        wall = bench_now();
        client = fork();
        if (client == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                bench_pin(atoi(argv[2]));
                execv(command[0], command);
                _exit(127);
        }
        bench_check(client > 0 && waitpid(client, &status, 0) == client, "the client");
        wall = bench_now() - wall;
        busy = bench_clock(clock) - busy;
        bench_print("server_busy_client", "cores", busy / wall);
        bench_stop_server(server);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
