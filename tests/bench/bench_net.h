/* What the echo servers share: a listening socket, and how they tell echo_load their port: a line `port N`. */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than one message, and the same for every server. */
#define BENCH_BUFFER 1024

static inline void
bench_announce(int fd)
{
        struct sockaddr_in addr;
        socklen_t len = sizeof addr;

        bench_check(getsockname(fd, (struct sockaddr *)&addr, &len) == 0, "getsockname");
        printf("port %d\n", ntohs(addr.sin_port));
        fflush(stdout);
}

static inline int
bench_listen(void)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        bench_check(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, 1024) == 0, "listen");
        return fd;
}

#endif
