/*
 * System calls that fail on demand: definitions in the program come before those of the C library, for the libraries too.
 *
 * They are written under other names and given the C library's by the assembler, so that no header (transparent unions,
 * macros, _FORTIFY_SOURCE) has a say in them.
 */
#undef _FORTIFY_SOURCE

#include "config.h"

#include "fault_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

atomic_llong fault_mapped;

/* Sanitizers make calls before they are ready for code of theirs. */
#define WRAPPER __attribute__((used)) FAULT_UNSANITIZED

/* What each descriptor waits for in an epoll, to make an edge anew: the kernel says EAGAIN only if one is to come. */
enum { MAX_FDS = 1024, MAX_EPOLL = 32 };
static struct {
        int epoll;
        struct epoll_event event;
} waits[MAX_FDS];

static FAULT_UNSANITIZED void
find(void *real, const char *name)
{
        void *found;

        if (*(void **)real != NULL)
                return;
        found = dlsym(RTLD_NEXT, name);
        *(void **)real = found;
}

/* A function NAME of libc that returns FAILED, with errno, when it is to. On no descriptor it says EBADF as always. */
#define NO_FD (-2) /* has none */
#define WRAP_AS(kind, type, name, params, args, failed, fd)                                                            \
        type fault_wrap_##name params __asm__(#name);                                                                  \
        WRAPPER type fault_wrap_##name params                                                                          \
        {                                                                                                              \
                static type(*real) params;                                                                             \
                int error = 0;                                                                                         \
                enum fault_how how = (fd) == -1 ? FAULT_GO : fault_decide(FAULT_##kind, &error);                       \
                type r = failed;                                                                                       \
                                                                                                                       \
                find(&real, #name);                                                                                    \
                if (how != FAULT_INSTEAD && how != FAULT_NOT_YET)                                                      \
                        r = real args;                                                                                 \
                if (how == FAULT_GO)                                                                                   \
                        return r;                                                                                      \
                if (how == FAULT_NOT_YET)                                                                              \
                        edge_to_come(fd);                                                                              \
                errno = error;                                                                                         \
                return failed;                                                                                         \
        }
#define WRAP(type, name, params, args, failed, fd) WRAP_AS(name, type, name, params, args, failed, fd)

static int real_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event);

/* An epoll that nobody asked by name (kqueue_shim.c): its list of descriptors is a file. */
static FAULT_UNSANITIZED void
edge_in(int epoll, int fd)
{
        char path[64], line[256];
        FILE *info;

        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll);
        info = fopen(path, "r");
        while (info != NULL && fgets(line, sizeof line, info) != NULL) {
                struct epoll_event event;
                unsigned long long data;
                unsigned bits;
                int number;

                if (sscanf(line, "tfd: %d events: %x data: %llx", &number, &bits, &data) != 3 || number != fd)
                        continue;
                event.events = bits;
                event.data.u64 = data;
                (void)real_epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
        }
        if (info != NULL)
                fclose(info);
}

static FAULT_UNSANITIZED void
edge_to_come(int fd)
{
        if (fd >= 0 && fd < MAX_FDS && waits[fd].epoll == 0) {
                fault_pause();
                for (int epoll = 3; epoll < MAX_EPOLL; epoll++)
                        edge_in(epoll, fd);
                fault_resume();
        }
        if (fd >= 0 && fd < MAX_FDS && waits[fd].epoll > 0 && (waits[fd].event.events & EPOLLET) != 0)
                (void)real_epoll_ctl(waits[fd].epoll, EPOLL_CTL_MOD, fd, &waits[fd].event);
}

/* Files are read too, and never say EAGAIN. */
static FAULT_UNSANITIZED bool
is_pipe(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

WRAP(int, accept4, (int fd, void *sa, void *size, int flags), (fd, sa, size, flags), -1, fd)
WRAP(int, bind, (int fd, const void *sa, unsigned size), (fd, sa, size), -1, fd)
WRAP(int, connect, (int fd, const void *sa, unsigned size), (fd, sa, size), -1, fd)
WRAP(int, dup2, (int fd, int to), (fd, to), -1, fd)
WRAP(int, epoll_create1, (int flags), (flags), -1, NO_FD)
WRAP(int, epoll_wait, (int epoll, struct epoll_event *events, int max, int limit), (epoll, events, max, limit), -1, NO_FD)
WRAP(int, eventfd, (unsigned value, int flags), (value, flags), -1, NO_FD)
WRAP(int, execve, (const char *path, char *const *argv, char *const *env), (path, argv, env), -1, NO_FD)
WRAP(DIR *, fdopendir, (int fd), (fd), NULL, fd)
WRAP(int, fstatat, (int fd, const char *path, void *st, int flags), (fd, path, st, flags), -1, fd)
WRAP(int, fsync, (int fd), (fd), -1, fd)
WRAP(int, ftruncate, (int fd, off_t len), (fd, len), -1, fd)
WRAP(int, getpeername, (int fd, void *sa, void *size), (fd, sa, size), -1, fd)
WRAP(int, getsockname, (int fd, void *sa, void *size), (fd, sa, size), -1, fd)
WRAP(int, getsockopt, (int fd, int level, int name, void *value, void *size), (fd, level, name, value, size), -1, fd)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), -1, fd)
WRAP(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence), -1, fd)
WRAP(int, madvise, (void *base, size_t len, int advice), (base, len, advice), -1, NO_FD)
WRAP(int, mprotect, (void *base, size_t len, int prot), (base, len, prot), -1, NO_FD)
WRAP(DIR *, opendir, (const char *path), (path), NULL, NO_FD)
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), -1, NO_FD)
WRAP(int, poll, (struct pollfd * fds, nfds_t n, int limit), (fds, n, limit), -1, NO_FD)
WRAP(int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *limit, const sigset_t *mask),
     (fds, n, limit, mask), -1, NO_FD)
WRAP(ssize_t, pread, (int fd, void *buf, size_t len, off_t offset), (fd, buf, len, offset), -1, NO_FD)
WRAP(ssize_t, pwrite, (int fd, const void *buf, size_t len, off_t offset), (fd, buf, len, offset), -1, fd)
WRAP(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len), -1, is_pipe(fd) ? fd : -1)
WRAP(struct dirent *, readdir, (DIR * dir), (dir), NULL, NO_FD)
WRAP(ssize_t, recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags), -1, fd)
WRAP(ssize_t, recvfrom, (int fd, void *buf, size_t len, int flags, void *sa, void *size),
     (fd, buf, len, flags, sa, size), -1, fd)
WRAP(int, recvmmsg, (int fd, void *messages, unsigned n, int flags, void *limit), (fd, messages, n, flags, limit), -1, fd)
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), -1, fd)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1, NO_FD)
WRAP(int, select, (int n, fd_set *in, fd_set *out, fd_set *err, struct timeval *limit), (n, in, out, err, limit), -1,
     NO_FD)
WRAP(ssize_t, send, (int fd, const void *buf, size_t len, int flags), (fd, buf, len, flags), -1, fd)
WRAP(ssize_t, sendfile, (int fd, int file, off_t *at, size_t len), (fd, file, at, len), -1, fd)
WRAP(int, sendmmsg, (int fd, void *messages, unsigned n, int flags), (fd, messages, n, flags), -1, fd)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), -1, fd)
WRAP(ssize_t, sendto, (int fd, const void *buf, size_t len, int flags, const void *sa, unsigned size),
     (fd, buf, len, flags, sa, size), -1, fd)
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, unsigned size), (fd, level, name, value, size),
     -1, fd)
WRAP(int, shutdown, (int fd, int ends), (fd, ends), -1, fd)
WRAP(int, sigaction, (int signum, const struct sigaction *action, struct sigaction *old), (signum, action, old), -1, NO_FD)
WRAP(int, socket, (int family, int type, int protocol), (family, type, protocol), -1, NO_FD)
WRAP(int, socketpair, (int family, int type, int protocol, int *fds), (family, type, protocol, fds), -1, NO_FD)
WRAP(int, waitid, (int kind, unsigned id, siginfo_t *info, int options), (kind, id, info, options), -1, NO_FD)
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), -1, NO_FD)
WRAP(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len), -1, NO_FD)
WRAP(ssize_t, writev, (int fd, const void *iov, int n), (fd, iov, n), -1, fd)

/* What they are called where off_t would have 32 bits and was made wider. */
WRAP_AS(fstatat, int, fstatat64, (int fd, const char *path, void *st, int flags), (fd, path, st, flags), -1, fd)
WRAP_AS(ftruncate, int, ftruncate64, (int fd, off_t len), (fd, len), -1, fd)
WRAP_AS(lseek, off_t, lseek64, (int fd, off_t at, int whence), (fd, at, whence), -1, fd)
WRAP_AS(pread, ssize_t, pread64, (int fd, void *buf, size_t len, off_t offset), (fd, buf, len, offset), -1, NO_FD)
WRAP_AS(pwrite, ssize_t, pwrite64, (int fd, const void *buf, size_t len, off_t offset), (fd, buf, len, offset), -1, fd)
WRAP_AS(readdir, struct dirent *, readdir64, (DIR * dir), (dir), NULL, NO_FD)
WRAP_AS(sendfile, ssize_t, sendfile64, (int fd, int file, off_t *at, size_t len), (fd, file, at, len), -1, fd)

/* ---- those that need more than that */

static FAULT_UNSANITIZED int
real_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
        static int (*real)(int, int, int, struct epoll_event *);

        find(&real, "epoll_ctl");
        return real(epoll, what, fd, event);
}

int fault_wrap_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event) __asm__("epoll_ctl");
WRAPPER int
fault_wrap_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
        int error = 0;

        /* Taking a descriptor off cannot fail for lack of anything. */
        if (what != EPOLL_CTL_DEL && fault_decide(FAULT_epoll_ctl, &error) != FAULT_GO) {
                errno = error;
                return -1;
        }
        if (real_epoll_ctl(epoll, what, fd, event) != 0)
                return -1;
        if (fd >= 0 && fd < MAX_FDS) {
                waits[fd].epoll = what == EPOLL_CTL_DEL ? 0 : epoll;
                waits[fd].event = what == EPOLL_CTL_DEL ? (struct epoll_event){0} : *event;
        }
        return 0;
}

/* A descriptor is gone whatever close() says. */
int fault_wrap_close(int fd) __asm__("close");
WRAPPER int
fault_wrap_close(int fd)
{
        static int (*real)(int);
        int error = 0, rc;
        enum fault_how how = fault_decide(FAULT_close, &error);

        find(&real, "close");
        if (fd >= 0 && fd < MAX_FDS)
                waits[fd].epoll = 0;
        rc = real(fd);
        if (how == FAULT_GO || rc != 0)
                return rc;
        errno = error;
        return -1;
}

static FAULT_UNSANITIZED int
do_fcntl(int (*real)(int, int, ...), int fd, int what, void *value)
{
        int error = 0;

        if (fault_decide(FAULT_fcntl, &error) == FAULT_GO)
                return real(fd, what, value);
        errno = error;
        return -1;
}

#define WRAP_FCNTL(name)                                                                                               \
        int fault_wrap_##name(int fd, int what, ...) __asm__(#name);                                                   \
        WRAPPER int fault_wrap_##name(int fd, int what, ...)                                                           \
        {                                                                                                              \
                static int (*real)(int, int, ...);                                                                     \
                va_list values;                                                                                        \
                void *value;                                                                                           \
                                                                                                                       \
                va_start(values, what);                                                                                \
                value = va_arg(values, void *);                                                                        \
                va_end(values);                                                                                        \
                find(&real, #name);                                                                                    \
                return do_fcntl(real, fd, what, value);                                                                \
        }
WRAP_FCNTL(fcntl)
WRAP_FCNTL(fcntl64)

#define WRAP_OPEN(name)                                                                                                \
        int fault_wrap_##name(const char *path, int flags, ...) __asm__(#name);                                        \
        WRAPPER int fault_wrap_##name(const char *path, int flags, ...)                                                \
        {                                                                                                              \
                static int (*real)(const char *, int, ...);                                                            \
                va_list values;                                                                                        \
                int error = 0;                                                                                         \
                unsigned mode;                                                                                         \
                                                                                                                       \
                va_start(values, flags);                                                                               \
                mode = va_arg(values, unsigned);                                                                       \
                va_end(values);                                                                                        \
                find(&real, #name);                                                                                    \
                if (fault_decide(FAULT_open, &error) == FAULT_GO)                                                      \
                        return real(path, flags, mode);                                                                \
                errno = error;                                                                                         \
                return -1;                                                                                             \
        }
WRAP_OPEN(open)
WRAP_OPEN(open64)

#define WRAP_MMAP(name)                                                                                                \
        void *fault_wrap_##name(void *at, size_t len, int prot, int flags, int fd, off_t offset) __asm__(#name);       \
        WRAPPER void *fault_wrap_##name(void *at, size_t len, int prot, int flags, int fd, off_t offset)               \
        {                                                                                                              \
                static void *(*real)(void *, size_t, int, int, int, off_t);                                            \
                int error = 0;                                                                                         \
                void *base;                                                                                            \
                                                                                                                       \
                find(&real, #name);                                                                                    \
                if (fault_decide(FAULT_mmap, &error) != FAULT_GO) {                                                    \
                        errno = error;                                                                                 \
                        return MAP_FAILED;                                                                             \
                }                                                                                                      \
                base = real(at, len, prot, flags, fd, offset);                                                         \
                if (base != MAP_FAILED && fault_is_library())                                                          \
                        atomic_fetch_add(&fault_mapped, (long long)len);                                               \
                return base;                                                                                           \
        }
WRAP_MMAP(mmap)
WRAP_MMAP(mmap64)

int fault_wrap_munmap(void *base, size_t len) __asm__("munmap");
WRAPPER int
fault_wrap_munmap(void *base, size_t len)
{
        static int (*real)(void *, size_t);

        find(&real, "munmap");
        if (fault_is_library())
                atomic_fetch_sub(&fault_mapped, (long long)len);
        return real(base, len);
}

/* To ask, and to go back to the stack that was, cannot fail; sanitizers ask too. */
int fault_wrap_sigaltstack(const stack_t *stack, stack_t *old) __asm__("sigaltstack");
WRAPPER int
fault_wrap_sigaltstack(const stack_t *stack, stack_t *old)
{
        static int (*real)(const stack_t *, stack_t *);
        static stack_t last;
        bool can_fail = stack != NULL && !(stack->ss_flags & SS_DISABLE) && stack->ss_sp != last.ss_sp;
        int error = 0, rc;

        find(&real, "sigaltstack");
        if (can_fail && fault_decide(FAULT_sigaltstack, &error) != FAULT_GO) {
                errno = error;
                return -1;
        }
        rc = real(stack, old);
        if (rc == 0 && old != NULL)
                last = *old;
        return rc;
}

int fault_wrap_pthread_kill(pthread_t thread, int sig) __asm__("pthread_kill");
WRAPPER int
fault_wrap_pthread_kill(pthread_t thread, int sig)
{
        static int (*real)(pthread_t, int);
        int error = 0;

        find(&real, "pthread_kill");
        return fault_decide(FAULT_pthread_kill, &error) == FAULT_GO ? real(thread, sig) : error;
}

void *fault_wrap_dlopen(const char *path, int flags) __asm__("dlopen");
WRAPPER void *
fault_wrap_dlopen(const char *path, int flags)
{
        static void *(*real)(const char *, int);
        int error = 0;

        find(&real, "dlopen");
        if (fault_decide(FAULT_dlopen, &error) != FAULT_GO)
                path = "/nowhere/at/all.so"; /* for the text of dlerror() */
        return real(path, flags);
}

int fault_wrap_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...) __asm__("clone");
WRAPPER int
fault_wrap_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
        static int (*real)(int (*)(void *), void *, int, void *, ...);
        va_list values;
        int error = 0;
        void *at;

        va_start(values, arg);
        at = va_arg(values, void *);
        va_end(values);
        find(&real, "clone");
        if (fault_decide(FAULT_clone, &error) == FAULT_GO)
                return real(fn, stack, flags, arg, at);
        errno = error;
        return -1;
}

long fault_wrap_syscall(long number, ...) __asm__("syscall");
WRAPPER long
fault_wrap_syscall(long number, ...)
{
        static long (*real)(long, ...);
        long a[6];
        va_list values;
        int error = 0;
        enum fault_how how = FAULT_GO;

        va_start(values, number);
        for (int i = 0; i < 6; i++)
                a[i] = va_arg(values, long);
        va_end(values);
        find(&real, "syscall");
        if (number == SYS_epoll_pwait2)
                how = fault_decide(FAULT_epoll_pwait2, &error);
        else if (number == SYS_process_madvise)
                how = fault_decide(FAULT_process_madvise, &error);
        else if (number == SYS_close_range)
                how = fault_decide(FAULT_close_range, &error);
        else if (number == SYS_pidfd_open)
                how = fault_decide(FAULT_pidfd_open, &error);
        else if (number == SYS_pidfd_send_signal)
                how = fault_decide(FAULT_pidfd_send_signal, &error);
        if (how == FAULT_GO)
                return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        errno = error;
        return -1;
}
