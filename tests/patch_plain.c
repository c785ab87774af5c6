/* C code that only knows sockets, and waits in their calls. See patch_plain.h. */
#include "patch_plain.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

static int
dial(int port)
{
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
        char service[16];
        int fd = -1;

        snprintf(service, sizeof service, "%d", port);
        if (getaddrinfo("127.0.0.1", service, &hints, &list) != 0)
                return -1;
        fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
        if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
                close(fd);
                fd = -1;
        }
        freeaddrinfo(list);
        return fd;
}

/* In one of the ways there are, by the number of the descriptor. */
static bool
await(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};
        struct timeval limit = {.tv_sec = 30};
        fd_set set;

        FD_ZERO(&set);
        if (fd < FD_SETSIZE)
                FD_SET(fd, &set);
        switch (fd % 3) {
        case 0:
                return poll(&p, 1, 30000) == 1;
        case 1:
                return select(fd + 1, &set, NULL, NULL, &limit) == 1;
        default:
                return true;
        }
}

bool
plain_get(int port)
{
        char text[512];
        size_t len = 0;
        ssize_t n = 0;
        int fd = dial(port);

        if (fd < 0)
                return false;
        if (write(fd, request, sizeof request - 1) == (ssize_t)sizeof request - 1 && await(fd))
                while (len < sizeof text && (n = recv(fd, text + len, sizeof text - len, 0)) > 0)
                        len += (size_t)n;
        close(fd);
        return n == 0 && len > 2 && memcmp(text + len - 2, "ok", 2) == 0;
}
