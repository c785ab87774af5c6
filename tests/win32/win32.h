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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
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
#define recvfrom(fd, bytes, len, flags, name, name_len)                                                                \
        recvfrom(fd, (char *)(bytes), (int)(len), (flags) & ~MSG_DONTWAIT, name, name_len)
#define poll(fds, n, timeout) win32_poll(fds, n, timeout)

/* ---- files: handles, but for standard input and output and what C's own functions open */

struct stat;

bool win32_is_handle(int fd);
int win32_open(const char *path, int flags, ...);
int win32_mkstemp(char *template);
int win32_file_read(int fd, void *bytes, unsigned len);
int win32_file_write(int fd, const void *bytes, unsigned len);
int win32_file_close(int fd);
int win32_get_fd(int fd);
int64_t win32_lseek(int fd, int64_t offset, int whence);
/* In files.c, where it tells whether there is one. In epoll.c, of a socket: st_dev is another number for each, though its
 * descriptor comes again; of another handle -1 with ENOTSUP. */
int win32_fstat(uintptr_t fd, struct stat *ret_stat);
int win32_mkdir(const char *path);
int symlink(const char *target, const char *path);
int mkfifo(const char *path, mode_t mode);
int openat(int folder, const char *path, int flags, ...);
int mkdirat(int folder, const char *path, mode_t mode);
int posix_openpt(int flags);
int grantpt(int fd);
int unlockpt(int fd);
char *ptsname(int fd);
#define O_DIRECTORY 0
#define O_NOCTTY 0
#define PIPE_BUF 4096

#define open(...) win32_open(__VA_ARGS__)
#define mkstemp(template) win32_mkstemp(template)
#define lseek(fd, offset, whence) win32_lseek(fd, offset, whence)
#define mkdir(path, mode) win32_mkdir(path)

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
char *strsep(char **rest, const char *ends);
void *memmem(const void *bytes, size_t len, const void *part, size_t part_len);
pid_t win32_fork(void);
#define fork() win32_fork()
pid_t waitpid(pid_t pid, int *ret_status, int options);
int kill(pid_t pid, int sig);
unsigned alarm(unsigned seconds);
int pause(void);
pid_t getppid(void);
unsigned geteuid(void); /* nobody may do all */
pid_t getpgrp(void);
pid_t getpgid(pid_t pid);
pid_t getsid(pid_t pid);
typedef unsigned id_t;
int waitid(int kind, id_t id, void *ret_info, int options);
int win32_system(const char *command);
#define system(command) win32_system(command)
int dup3(int from, int to, int flags);
char *realpath(const char *path, char *ret_path);

enum { P_PID, WEXITED = 4, WNOWAIT = 16 };
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
