/* The floor of the UDP echo benchmark: a bare epoll loop, recvfrom and sendto until there is nothing more. */
#include "bench_net.h"

#include <sys/epoll.h>

int
main(void)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int ep = epoll_create1(EPOLL_CLOEXEC), fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
        char buf[BENCH_BUFFER];

        bench_check(ep >= 0 && fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 &&
                            epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0,
                    "a socket");
        bench_announce(fd);
        for (;;) {
                struct sockaddr_storage from;
                socklen_t size;
                ssize_t n;

                if (epoll_wait(ep, &ev, 1, -1) < 1)
                        continue;
                while (size = sizeof from, (n = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &size)) >= 0)
                        bench_check(sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, size) == n, "sendto");
        }
}
