/* A slow server for foreign code that is made green: nothing of green-net is in it. See patch_server.h. */
#include "patch_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1100, REQUEST = 2048 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

struct conn {
        double due; /* of its answer; 0: it has not asked yet */
        size_t got;
        char text[REQUEST];
};

static struct pollfd fds[MOST]; /* the first is the listener's */
static struct conn conns[MOST];
static nfds_t used;

static double
now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
take(void)
{
        int fd = accept(fds[0].fd, NULL, NULL);

        if (fd < 0 || used == MOST) {
                close(fd);
                return;
        }
        fds[used] = (struct pollfd){.fd = fd, .events = POLLIN};
        conns[used].due = 0;
        conns[used++].got = 0;
}

/* The last one takes its place. */
static void
drop(nfds_t i)
{
        close(fds[i].fd);
        used--;
        fds[i] = fds[used];
        memcpy(&conns[i], &conns[used], sizeof conns[i]);
}

/* False: it is gone. */
static bool
hear(nfds_t i, double delay)
{
        struct conn *c = &conns[i];
        ssize_t n = recv(fds[i].fd, c->text + c->got, REQUEST - 1 - c->got, 0);

        if (n <= 0)
                return false;
        c->got += (size_t)n;
        c->text[c->got] = '\0';
        if (c->due == 0 && strstr(c->text, "\r\n\r\n") != NULL)
                c->due = now() + delay;
        return true;
}

/* Milliseconds until the next answer is due. */
static int
next_due(void)
{
        double first = 0;

        for (nfds_t i = 1; i < used; i++)
                if (conns[i].due != 0 && (first == 0 || conns[i].due < first))
                        first = conns[i].due;
        if (first == 0)
                return -1;
        first -= now();
        return first <= 0 ? 0 : (int)(first * 1e3) + 1;
}

static void
serve(double delay)
{
        for (;;) {
                nfds_t n = used;

                if (poll(fds, used, next_due()) < 0)
                        continue;
                for (nfds_t i = n; i-- > 1;) {
                        bool over = fds[i].revents != 0 && !hear(i, delay);

                        if (!over && conns[i].due != 0 && conns[i].due <= now())
                                over = send(fds[i].fd, answer, sizeof answer - 1, MSG_NOSIGNAL) >= -1;
                        if (over)
                                drop(i);
                }
                if (fds[0].revents != 0)
                        take();
        }
}

int
patch_server_start(int ms)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t len = sizeof addr;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t parent = getpid(), pid;

        if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, MOST) != 0 ||
            getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
                return 0;
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != parent)
                        _exit(0);
                fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
                used = 1;
                serve(ms / 1e3);
        }
        close(fd);
        return pid < 0 ? 0 : ntohs(addr.sin_port);
}
