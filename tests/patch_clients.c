/*
 * Clients of an echo server: patch_clients PORT PID CLIENTS ROUNDS. All connect and stay; in each round all of them say
 * something before the first one listens, and each has to get its own words back. Then it prints how many OS threads the
 * process PID has. Not a test: check_patch_run.sh runs it. Nothing of green-net is in it.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { WORDS = 64 };

static void
must(int well, const char *what, int i)
{
        if (!well) {
                fprintf(stderr, "client %d: %s: ", i, what);
                perror(NULL);
                exit(1);
        }
}

static int
dial(int port, int i)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        const struct timeval limit = {.tv_sec = 60};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        addr.sin_port = htons((uint16_t)port);
        must(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "connect", i);
        must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "setsockopt", i);
        return fd;
}

static void
compose(char words[WORDS], int i, int round)
{
        memset(words, 'x', WORDS);
        snprintf(words, WORDS, "client %d, round %d", i, round);
}

static void
say(int fd, int i, int round)
{
        char words[WORDS];

        compose(words, i, round);
        must(send(fd, words, WORDS, MSG_NOSIGNAL) == WORDS, "send", i);
}

static void
hear(int fd, int i, int round)
{
        char words[WORDS], got[WORDS];

        compose(words, i, round);
        must(recv(fd, got, WORDS, MSG_WAITALL) == WORDS, "recv", i);
        must(memcmp(words, got, WORDS) == 0, "somebody else's words", i);
}

static int
os_threads(const char *pid)
{
        char path[64];
        const struct dirent *e;
        DIR *tasks;
        int n = 0;

        snprintf(path, sizeof path, "/proc/%s/task", pid);
        tasks = opendir(path);
        while (tasks != NULL && (e = readdir(tasks)) != NULL)
                n += e->d_name[0] != '.';
        if (tasks != NULL)
                closedir(tasks);
        return n;
}

int
main(int argc, char **argv)
{
        int n = argc > 3 ? atoi(argv[3]) : 0, rounds = argc > 4 ? atoi(argv[4]) : 0, *fds = calloc((size_t)n + 1, sizeof *fds);
        struct rlimit limit;

        if (n <= 0 || rounds <= 0 || fds == NULL)
                return fprintf(stderr, "usage: %s PORT PID CLIENTS ROUNDS\n", argv[0]), 2;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
        for (int i = 0; i < n; i++)
                fds[i] = dial(atoi(argv[1]), i);
        for (int round = 0; round < rounds; round++) {
                for (int i = 0; i < n; i++)
                        say(fds[i], i, round);
                for (int i = 0; i < n; i++)
                        hear(fds[i], i, round);
        }
        printf("%d clients, %d rounds, %d OS threads\n", n, rounds, os_threads(argv[2]));
        for (int i = 0; i < n; i++)
                close(fds[i]);
        free(fds);
        return 0;
}
