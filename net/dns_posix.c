/*
 * What the resolver needs of the system, on POSIX. See dns_priv.h.
 */
#include "dns_priv.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#if defined(__APPLE__)
#define st_mtim st_mtimespec
#endif

#include "inet.h"

const char green__dns_hosts_path[] = "/etc/hosts";
const char green__dns_resolv_path[] = "/etc/resolv.conf";

bool
green__dns_loose_ip4(const char *text, struct in_addr *ret_in)
{
        return inet_aton(text, ret_in) != 0;
}

/* More than any hosts file has: block lists have 10 MB. */
#define LARGEST ((off_t)256 << 20)

void
green__dns_stamp(const char *path, struct green__dns_stamp *ret_stamp)
{
        struct stat st;

        memset(ret_stamp, 0, sizeof *ret_stamp); /* it is compared as bytes */
        if (stat(path, &st) != 0)
                return;
        ret_stamp->there = 1;
        ret_stamp->seconds = st.st_mtim.tv_sec;
        ret_stamp->nanoseconds = st.st_mtim.tv_nsec;
        ret_stamp->size = st.st_size;
        ret_stamp->device = (uint64_t)st.st_dev;
        ret_stamp->file = (uint64_t)st.st_ino;
}

/* As much as there is, of what the file had when it was opened. */
static size_t
read_all(int fd, char *text, size_t size)
{
        size_t len = 0;

        while (len < size) {
                ssize_t n = read(fd, text + len, size - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                len += (size_t)n;
        }
        return len;
}

int
green__dns_read_file(const char *path, char **ret_text, size_t *ret_len)
{
        /* A pipe in its place must not stop anybody. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat st;
        char *text;

        *ret_text = NULL;
        *ret_len = 0;
        if (fd < 0)
                return 0;
        if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > LARGEST) {
                close(fd);
                return 0;
        }
        text = green_malloc((size_t)st.st_size + 1);
        if (text == NULL) {
                close(fd);
                return -ENOMEM;
        }
        *ret_len = read_all(fd, text, (size_t)st.st_size);
        text[*ret_len] = '\0';
        close(fd);
        *ret_text = text;
        return 0;
}

void
green__dns_socket_error(int code)
{
        errno = -code;
}

uint64_t
green__dns_random(void)
{
        struct timespec now = {0, 0};
        uint64_t value;

#if HAVE_GETENTROPY
        if (getentropy(&value, sizeof value) == 0)
                return value;
#endif
        clock_gettime(CLOCK_MONOTONIC, &now);
        value = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u;
        return value ^ (uint64_t)(uintptr_t)&now ^ (uint64_t)getpid() << 32;
}

bool
green__dns_has_family(int family)
{
        struct ifaddrs *list;
        bool found = false;

        if (getifaddrs(&list) != 0)
                return true;
        for (const struct ifaddrs *i = list; i != NULL && !found; i = i->ifa_next)
                found = i->ifa_addr != NULL && i->ifa_addr->sa_family == family && (i->ifa_flags & IFF_UP) != 0 &&
                        (i->ifa_flags & IFF_LOOPBACK) == 0;
        freeifaddrs(list);
        return found;
}
