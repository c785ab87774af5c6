/*
 * Listening sockets that the program was started with: LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES of systemd, which
 * green_workers_run() uses for restarts too. See green_listen_inherited() in <green/convenience.h>.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <green/alloc.h>
#include <green/convenience.h>
#include <green/error.h>
#include <green/log.h>

#include "inherit.h"
#include "sock_sys.h"

enum {
        FIRST = 3, /* SD_LISTEN_FDS_START */
        MOST = 1024,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool looked;
static int count;        /* descriptors from FIRST on */
static bool taken[MOST]; /* or not one of ours */
static char *names;      /* LISTEN_FDNAMES, a copy; NULL: none */

/* A number that is all of a variable; negative: it is not. */
static long
number_of(const char *variable)
{
        const char *text = getenv(variable);
        char *end;
        long n;

        if (text == NULL || *text < '0' || *text > '9')
                return -1;
        errno = 0;
        n = strtol(text, &end, 10);
        return *end != '\0' || errno != 0 ? -1 : n;
}

static bool
listens(int fd)
{
        int type = 0, on = 0;
        socklen_t size = sizeof type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
                return false;
        size = sizeof on;
        return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}

static void
look(void)
{
        long pid = number_of("LISTEN_PID"), n = number_of("LISTEN_FDS");
        const char *list = getenv("LISTEN_FDNAMES");

        looked = true;
        if (pid != (long)getpid() || n <= 0)
                return; /* for somebody else, who may be a child of ours */
        count = n > MOST ? MOST : (int)n;
        if (list != NULL) {
                names = green_malloc(strlen(list) + 1);
                if (names != NULL)
                        memcpy(names, list, strlen(list) + 1);
        }
        for (int i = 0; i < count; i++) {
                int flags = fcntl(FIRST + i, F_GETFD);

                if (flags >= 0 && listens(FIRST + i)) {
                        (void)fcntl(FIRST + i, F_SETFD, flags | FD_CLOEXEC);
                } else {
                        taken[i] = true;
                        green_log(GREEN_LOG_WARNING,
                                  "green-net: LISTEN_FDS: descriptor %d is no listening stream socket: left alone",
                                  FIRST + i);
                }
        }
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
}

/* Is this the name of the n-th? They stand with colons between them. */
static bool
is_named(int n, const char *name)
{
        const char *at = names, *end;

        while (at != NULL && n-- > 0) {
                at = strchr(at, ':');
                at = at == NULL ? NULL : at + 1;
        }
        if (at == NULL)
                return false;
        end = at + strcspn(at, ":");
        return strlen(name) == (size_t)(end - at) && memcmp(at, name, strlen(name)) == 0;
}

/* The text of an address without what stands behind its last colon: its host. */
static size_t
host_of(const struct green_addr *addr, char text[GREEN_ADDR_TEXT_SIZE])
{
        const char *colon;

        green_addr_format(addr, text, GREEN_ADDR_TEXT_SIZE);
        colon = strrchr(text, ':');
        return colon == NULL ? strlen(text) : (size_t)(colon - text);
}

static bool
fits(int fd, const struct green_addr *addr)
{
        char wanted[GREEN_ADDR_TEXT_SIZE], has[GREEN_ADDR_TEXT_SIZE];
        struct green_addr here;
        size_t len;

        if (green__sys_getsockname(fd, &here) != 0 || green_addr_family(&here) != green_addr_family(addr))
                return false;
        if (green_addr_family(addr) == AF_UNIX || green_addr_port(addr) != 0)
                return green_addr_equal(&here, addr);
        len = host_of(addr, wanted);
        return host_of(&here, has) == len && memcmp(wanted, has, len) == 0;
}

green_fd
green__inherit_take(const struct green_addr *addr, const char *name)
{
        green_fd fd = -1;

        pthread_mutex_lock(&lock);
        if (!looked)
                look();
        for (int i = 0; i < count && fd < 0; i++) {
                if (taken[i] || (addr != NULL && !fits(FIRST + i, addr)) || (name != NULL && !is_named(i, name)))
                        continue;
                taken[i] = true;
                fd = FIRST + i;
        }
        pthread_mutex_unlock(&lock);
        return fd;
}

green_socket *
green_listen_inherited(const char *which)
{
        struct green_addr addr;
        green_socket *s;
        green_fd fd;

        fd = green__inherit_take(NULL, which);
        if (fd < 0 && which != NULL) {
                if (green_addr_parse(which, &addr) == 0)
                        fd = green__inherit_take(&addr, NULL);
        }
        if (fd < 0) {
                green_set_error(-ENOENT, "no listening socket was inherited%s%.200s", which == NULL ? "" : " for ",
                                which == NULL ? "" : which);
                return NULL;
        }
        s = green_socket_from_fd(fd);
        if (s == NULL) {
                int rc = -errno;

                pthread_mutex_lock(&lock);
                taken[fd - FIRST] = false;
                pthread_mutex_unlock(&lock);
                errno = -rc;
        }
        return s;
}
