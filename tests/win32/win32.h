/*
 * What test programs, written for POSIX, call on Windows: its names over sockets, and refusals of what there is not. This
 * folder is on the include path of tests only, and there only.
 *
 * Descriptors are sockets here: a pipe is a connected pair as well.
 */
#ifndef GREEN_TESTS_WIN32_H
#define GREEN_TESTS_WIN32_H

#include <winsock2.h>

#include <ws2tcpip.h>

#include <direct.h>
#include <io.h>
#include <stddef.h>
#include <sys/types.h>

#undef ERROR
#undef TEXT
#undef small
#undef near
#undef far
#undef interface

/* ---- sockets */

#define SOCK_NONBLOCK 0x800
#define SOCK_CLOEXEC 0x80000
#define MSG_DONTWAIT 0x40000000
#define MSG_NOSIGNAL 0
#define MSG_MORE 0
#define SO_REUSEPORT 0x7fff0002 /* there is none */
#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH

/* What is told of a socket that can be read is one bit of the system's POLLIN. */
#undef POLLIN
#define POLLIN POLLRDNORM

struct sockaddr_un {
        unsigned short sun_family;
        char sun_path[108];
};

int win32_socketpair(int family, int type, int protocol, int fds[2]);
int win32_socket(int family, int type, int protocol);
int win32_accept4(int fd, struct sockaddr *name, socklen_t *len, int flags);
ssize_t win32_send(int fd, const void *bytes, size_t len, int flags);
ssize_t win32_recv(int fd, void *bytes, size_t len, int flags);
int win32_poll(struct pollfd *fds, unsigned long n, int timeout);
int win32_pipe(int fds[2], int flags);

typedef unsigned long nfds_t;

#define socketpair(family, type, protocol, fds) win32_socketpair(family, type, protocol, fds)
#define socket(family, type, protocol) win32_socket(family, type, protocol)
#define accept4(fd, name, len, flags) win32_accept4(fd, name, len, flags)
#define poll(fds, n, timeout) win32_poll(fds, n, timeout)

/* ---- the rest of what <fcntl.h>, <unistd.h>, <stdlib.h> and others have elsewhere */

enum { F_GETFD = 1, F_SETFD, F_GETFL, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC };
enum { FD_CLOEXEC = 1 };
#define O_NONBLOCK 0x800
#define O_CLOEXEC 0x80000

int fcntl(int fd, int command, ...);
enum { _SC_PAGESIZE, _SC_NPROCESSORS_ONLN };

long sysconf(int what);
int pipe(int fds[2]);
int pipe2(int fds[2], int flags);
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
char *mkdtemp(char *template);
pid_t win32_fork(void);
#define fork() win32_fork()
pid_t waitpid(pid_t pid, int *ret_status, int options);
int kill(pid_t pid, int sig);
unsigned alarm(unsigned seconds);
int pause(void);
int win32_system(const char *command);
#define system(command) win32_system(command)
void *memmem(const void *where, size_t len, const void *what, size_t what_len);
int dup3(int from, int to, int flags);
char *realpath(const char *path, char *ret_path);
int symlink(const char *to, const char *path);
int mkfifo(const char *path, int mode);
#define mkdir(path, mode) mkdir(path)

#define WNOHANG 1
#define WIFEXITED(status) ((void)(status), 0)
#define WEXITSTATUS(status) (status)
#define WIFSIGNALED(status) ((void)(status), 0)
#define WTERMSIG(status) (status)
#define WUNTRACED 2
#define WCONTINUED 8
#define WIFSTOPPED(status) ((void)(status), 0)
#define WIFCONTINUED(status) ((void)(status), 0)

#endif
