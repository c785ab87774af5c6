/*
 * What a log file asks of the system: POSIX. See access_log_priv.h.
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "access_log_priv.h"

int
green__log_file_open(const char *path, unsigned mode, intptr_t *ret_file)
{
        int fd;

        do
                fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, (mode_t)mode);
        while (fd < 0 && errno == EINTR);
        if (fd < 0)
                return -errno;
        *ret_file = fd;
        return 0;
}

ssize_t
green__log_file_write(intptr_t file, const char *data, size_t len)
{
        ssize_t n;

        do
                n = write((int)file, data, len);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return n == 0 ? -EIO : n;
}

void
green__log_file_close(intptr_t file)
{
        (void)close((int)file);
}

int
green__log_thread(pthread_t *ret_thread, void *(*fn)(void *), void *arg)
{
        sigset_t all, before;
        int rc;

        /* Where the file may not grow, or is a pipe that nobody reads, write() is to say so, and no signal. */
        sigfillset(&all);
        (void)pthread_sigmask(SIG_BLOCK, &all, &before);
        rc = pthread_create(ret_thread, NULL, fn, arg);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        return rc == 0 ? 0 : -EAGAIN;
}

void
green__log_pause(unsigned milliseconds)
{
        struct timespec t = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};

        (void)nanosleep(&t, NULL);
}

int
green__log_hangup(void)
{
        return SIGHUP;
}
