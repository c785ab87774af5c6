/**
 * @file
 * @brief poll() and select() that let other green threads run while they wait.
 *
 * For descriptors that green-net does not own, and for code that was written for the system's calls. To wait for
 * queues, events and time as well see <green/select.h>.
 */
#ifndef GREEN_POLL_H
#define GREEN_POLL_H

#include <green/base.h>

#if defined(_WIN32)
#include <winsock2.h>
#else
#include <poll.h>
#include <sys/select.h>
#endif

GREEN_BEGIN_DECLS

/**
 * @brief Wait until one or more descriptors are ready, as poll(2). May yield; does not where one is ready at once.
 *
 * Every one that is ready is reported, not only the first. Nothing of a descriptor is changed, and on every way out no
 * trace of the wait is left. Regular files are always ready. A green thread may wait for a descriptor that another one
 * waits for in the other direction; for the same it is -EBUSY (FD-02).
 *
 * @param[in,out] fds     descriptors (negative: passed over) and events (POLLIN, POLLPRI, POLLOUT, ...); revents are
 *                        set.
 * @param         n       how many; 0 waits for time and scopes alone.
 * @param         timeout seconds; 0 polls exactly once and never yields; #GREEN_FOREVER waits for good.
 * @return descriptors whose revents are not 0 (POLLNVAL: not open); 0: none in time. Otherwise
 *         #GREEN_EKILLED or #GREEN_ETIMEOUT (or their codes); -ECANCELED: one was declared closed meanwhile; -EBUSY;
 *         -EINVAL: fds is NULL, or a bad time; -EDEADLK: it would have to wait in a hub callback; -ENOMEM. revents are
 *         all 0 then.
 * @since 0.1 (GSEL-01 to GSEL-08)
 */
GREEN_API GREEN_MUST_USE int green_poll(struct pollfd *fds, size_t n, double timeout);

/**
 * @brief The same in the form of select(2). May yield.
 *
 * @param         n       one more than the highest descriptor, at most FD_SETSIZE.
 * @param[in,out] readers descriptors to be read from; left with those that are ready. NULL: none.
 * @param[in,out] writers likewise, to be written to.
 * @param[in,out] others  likewise, for exceptional conditions (urgent data).
 * @param         timeout as for green_poll().
 * @return bits left in the three sets; 0: none in time, and the sets are empty. -EBADF: one is not open; -EINVAL: n out
 *         of range; otherwise as green_poll(). On failure the sets are unchanged.
 * @since 0.1 (GSEL-01 to GSEL-08)
 */
GREEN_API GREEN_MUST_USE int green_fd_select(int n, fd_set *readers, fd_set *writers, fd_set *others, double timeout);

GREEN_END_DECLS

#endif
