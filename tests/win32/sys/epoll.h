/*
 * As much of epoll as hub_late needs, over WSAPoll(): interest by the level and for one report. Edges there are none, so
 * EPOLLET is not here. In epoll.c.
 */
#ifndef GREEN_TESTS_WIN32_EPOLL_H
#define GREEN_TESTS_WIN32_EPOLL_H

#include <stdint.h>
#include <time.h>

#include "../win32.h"

enum { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL };
enum { EPOLL_CLOEXEC = O_CLOEXEC };
enum {
        EPOLLIN = 1,
        EPOLLPRI = 2,
        EPOLLOUT = 4,
        EPOLLERR = 8,
        EPOLLHUP = 16,
        EPOLLRDHUP = 0x2000,
        EPOLLONESHOT = 1 << 30,
};

struct epoll_event {
        uint32_t events;
        union {
                void *ptr;
                int fd;
                uint32_t u32;
                uint64_t u64;
        } data;
};

/* A socket that nobody sends to, for the sake of its number and of close(). It belongs to the OS thread that made it. */
int epoll_create1(int flags);
int epoll_ctl(int epoll, int what, uintptr_t fd, struct epoll_event *event);
/* The limit is always 0. */
int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout);

/* Rows may be of sockets, below 0, and one of epoll_create1(); signals are not looked at. */
int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit, const void *signals);

#endif
