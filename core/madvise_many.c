/*
 * madvise() for several ranges at once: one system call where Linux offers process_madvise() on oneself (6.14), a loop
 * elsewhere. For a hundred stacks the call itself is most of the cost.
 */
#include <config.h>

#include "madvise_many.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "sanitize.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(SYS_process_madvise)

#define GREEN__PIDFD_SELF (-10000) /* PIDFD_SELF of linux/pidfd.h: a name for this process that costs no descriptor */

static _Atomic bool refused; /* older kernels, and sandboxes */

/* Returns for how many ranges it worked. */
static size_t
madvise_batch(const struct iovec *ranges, size_t n, int advice)
{
        if (n < 2 || refused || green__valgrind_running()) /* which does not know the call */
                return 0;
        long bytes = syscall(SYS_process_madvise, GREEN__PIDFD_SELF, ranges, n, advice, 0u);
        if (bytes < 0 && (errno == EBADF || errno == ENOSYS || errno == EPERM))
                refused = true;
        size_t done = 0;
        while (done < n && bytes >= (long)ranges[done].iov_len)
                bytes -= (long)ranges[done++].iov_len;
        return done;
}

#else

static size_t
madvise_batch(const struct iovec *ranges, size_t n, int advice)
{
        (void)ranges, (void)n, (void)advice;
        return 0;
}

#endif

size_t
green__madvise_many(const struct iovec *ranges, size_t n, int advice)
{
        int saved = errno;
        size_t done = madvise_batch(ranges, n, advice);

        while (done < n) {
                if (madvise(ranges[done].iov_base, ranges[done].iov_len, advice) == 0)
                        done++;
                else if (errno != EAGAIN && errno != EINTR)
                        return done;
        }
        errno = saved;
        return done;
}
