/*
 * What poll() and select() are made of: the system's poll(), and the sets of a select. What differs by system stands in
 * poll_posix.c and poll_win32.c.
 */
#ifndef GREEN_POLL_SYS_H
#define GREEN_POLL_SYS_H

#include <green/poll.h>

/* poll() without a wait: rows that are ready, or -errno. */
int green__sys_poll(struct pollfd *fds, size_t n);

/* poll() of one, in an OS thread that may wait for so long: 1, 0 at its end or on an interruption, or -errno. */
int green__sys_poll_one(struct pollfd *row, int milliseconds);

/* What the three sets of a select mean, in poll's words. */
struct green__poll_meaning {
        short wanted;
        short meant;
};
extern const struct green__poll_meaning green__poll_meanings[3];

/* May a select be of so many descriptors? */
bool green__sets_ok(int n);

/* A row for each descriptor of the sets; rows may be NULL. How many. */
size_t green__sets_rows(int n, fd_set *const sets[3], struct pollfd *rows);

/* Leave in the sets what is ready. */
void green__sets_tell(const struct pollfd *rows, size_t count, fd_set *const sets[3]);

#endif
