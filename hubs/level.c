/*
 * What hubs/poll.c and hubs/select.c share: see level.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "level.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/eventfd.h>
#endif

enum {
        ENTRIES_MIN = 64, /* room of the first table */
};

#if defined(__linux__)
/* One descriptor, and one read takes any number of wakes. */
static int
open_wake(int ends[2])
{
        ends[0] = ends[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return ends[0] < 0 ? -errno : 0;
}
#else
static int
open_wake(int ends[2])
{
        if (pipe(ends) < 0)
                return -errno;
        for (int i = 0; i < 2; i++) {
                if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[i], F_SETFL, O_NONBLOCK) < 0) {
                        int err = -errno;

                        close(ends[0]);
                        close(ends[1]);
                        return err;
                }
        }
        return 0;
}
#endif

static int
level_open_wake(struct green__level *level)
{
        int ends[2];
        int err = open_wake(ends);

        level->wake_in = err == 0 ? ends[0] : -1;
        level->wake_out = err == 0 ? ends[1] : -1;
        return err;
}

static void
level_close_wake(struct green__level *level)
{
        if (level->wake_in >= 0)
                close(level->wake_in);
        if (level->wake_out >= 0 && level->wake_out != level->wake_in)
                close(level->wake_out);
        level->wake_in = level->wake_out = -1;
}

int
green__level_open(struct green__level *level, const struct green_hub_config *config)
{
        level->config = config;
        level->entries = NULL;
        level->room = level->count = 0;
        return level_open_wake(level);
}

void
green__level_close(struct green__level *level)
{
        level_close_wake(level);
        level->config->free(level->entries);
        level->entries = NULL;
        level->room = level->count = 0;
}

int
green__level_after_fork(struct green__level *level)
{
        for (size_t i = 0; i < level->room; i++)
                level->entries[i] = (struct green__level_entry){0};
        level->count = 0;
        level_close_wake(level);
        return level_open_wake(level);
}

int
green__level_wake(struct green__level *level)
{
        uint64_t one = 1;
        int saved = errno; /* of the code that a signal handler interrupted */
        ssize_t n = write(level->wake_out, &one, sizeof one);
        /* It is full: there are wakes enough. */
        int err = n < 0 && errno != EAGAIN ? -errno : 0;

        errno = saved;
        return err;
}

void
green__level_woken(struct green__level *level)
{
        char bytes[256];

        /* What an eventfd has is less than this; of a pipe there may be more. */
        while (read(level->wake_in, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
                continue;
}

static int
level_grow(struct green__level *level, size_t number)
{
        size_t room = level->room > 0 ? level->room : ENTRIES_MIN;
        struct green__level_entry *entries;

        if (number < level->room)
                return 0;
        while (room <= number)
                room *= 2;
        entries = level->config->realloc(level->entries, room * sizeof *entries);
        if (entries == NULL)
                return -ENOMEM;
        for (size_t i = level->room; i < room; i++)
                entries[i] = (struct green__level_entry){0};
        level->entries = entries;
        level->room = room;
        return 0;
}

/* 0, or what is wrong with an interest. */
static int
level_check(uint32_t interest)
{
        if ((interest & (GREEN_READ | GREEN_WRITE)) == 0 || (interest & GREEN_HUB_EDGE) != 0)
                return -EINVAL;
        return 0;
}

struct green__level_entry *
green__level_find(const struct green__level *level, green_fd fd)
{
        if (fd < 0 || (size_t)fd >= level->room || level->entries[fd].interest == 0)
                return NULL;
        return &level->entries[fd];
}

struct green__level_entry *
green__level_add(struct green__level *level, green_fd fd, uint32_t interest, uint64_t token, int *ret_err)
{
        int err = level_check(interest);

        if (err == 0 && green__level_find(level, fd) != NULL)
                err = -EEXIST;
        /* The system would say so in the wait, where nobody can tell who is to blame. */
        if (err == 0 && fcntl(fd, F_GETFD) < 0)
                err = -errno;
        if (err == 0)
                err = level_grow(level, (size_t)fd);
        *ret_err = err;
        if (err != 0)
                return NULL;
        level->entries[fd] = (struct green__level_entry){.token = token, .interest = interest};
        level->count++;
        return &level->entries[fd];
}

struct green__level_entry *
green__level_modify(struct green__level *level, green_fd fd, uint32_t interest, uint64_t token, int *ret_err)
{
        struct green__level_entry *entry = green__level_find(level, fd);

        *ret_err = entry == NULL ? -ENOENT : level_check(interest);
        if (*ret_err != 0)
                return NULL;
        entry->token = token;
        entry->interest = interest;
        return entry;
}

void
green__level_forget(struct green__level *level, struct green__level_entry *entry)
{
        *entry = (struct green__level_entry){0};
        level->count--;
}
