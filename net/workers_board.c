/*
 * What all processes see of the workers: in memory that they share.
 */
#include <config.h>

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sock_sys.h"
#include "workers_priv.h"

enum { LINE = 64 }; /* each area begins on a line of the cache of its own */

/* The board of this process. It stays until green_workers_run() returns. */
static _Atomic(struct green__board *) shown;

static size_t
round_up(size_t n)
{
        return (n + LINE - 1) / LINE * LINE;
}

struct green__board *
green__board_new(size_t count, size_t shared_size, unsigned generation)
{
        size_t at = round_up(sizeof(struct green__board) + count * sizeof(struct green__seat)),
               step = round_up(shared_size);
        struct green__board *b;
        size_t bytes;

        if (step < shared_size || (step > 0 && count > (SIZE_MAX / 2 - at) / step))
                return NULL;
        bytes = at + count * step;
        b = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (b == MAP_FAILED)
                return NULL;
        b->bytes = bytes;
        b->count = count;
        b->shared_size = shared_size;
        b->shared_step = step;
        b->shared_at = at;
        b->supervisor = getpid();
        b->generation = generation;
        return b;
}

void
green__board_free(struct green__board *b)
{
        if (b != NULL)
                (void)munmap(b, b->bytes);
}

void *
green__board_shared(const struct green__board *b, size_t index)
{
        return b->shared_size == 0 ? NULL : (char *)(uintptr_t)b + b->shared_at + index * b->shared_step;
}

void
green__board_show(struct green__board *b)
{
        atomic_store(&shown, b);
}

bool
green__board_shown(void)
{
        return atomic_load(&shown) != NULL;
}

bool
green_workers_status(size_t index, struct green_worker_status *ret_status)
{
        struct green__board *b = atomic_load(&shown);
        struct green__seat *seat;
        int64_t born;

        if (b == NULL || index >= b->count)
                return false;
        seat = &b->seats[index];
        born = atomic_load(&seat->born);
        ret_status->index = index;
        ret_status->state = (enum green_worker_state)atomic_load(&seat->state);
        ret_status->pid = (pid_t)atomic_load(&seat->pid);
        ret_status->restarts = atomic_load(&seat->restarts);
        ret_status->age = ret_status->pid == 0 ? 0 : (double)(green__sys_now() - born) / 1e9;
        ret_status->shared = green__board_shared(b, index);
        return true;
}

pid_t
green_workers_supervisor(void)
{
        struct green__board *b = atomic_load(&shown);

        return b == NULL ? 0 : b->supervisor;
}
