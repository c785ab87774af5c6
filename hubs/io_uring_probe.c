/*
 * io_uring: making a ring with what the kernel has, and finding out whether it will do.
 */

#include "io_uring.h"

#include <errno.h>

/*
 * How rings are made, best first. DEFER_TASKRUN (Linux 6.1): what completes is worked on when we wait, not whenever we
 * are in the kernel. SINGLE_ISSUER: 6.0. COOP_TASKRUN (5.19): at least nobody is interrupted for it.
 */
static const unsigned hub_io_uring_modes[] = {
#ifndef HUB_IO_URING_NO_DEFER
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
#endif
#ifndef HUB_IO_URING_NO_SINGLE
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN,
#endif
        IORING_SETUP_COOP_TASKRUN,
};

/* What all that follows relies on; there with Linux 5.19, but a system may have left parts out. */
static const unsigned hub_io_uring_features = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_POLL_32BITS |
                                              IORING_FEAT_CQE_SKIP | IORING_FEAT_FAST_POLL | IORING_FEAT_RW_CUR_POS;
static const int hub_io_uring_opcodes[] = {
        IORING_OP_NOP,     IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE, IORING_OP_ASYNC_CANCEL, IORING_OP_ACCEPT,
        IORING_OP_CONNECT, IORING_OP_RECV,     IORING_OP_SEND,        IORING_OP_RECVMSG,      IORING_OP_SENDMSG,
        IORING_OP_READ,    IORING_OP_WRITE,    IORING_OP_READV,       IORING_OP_WRITEV,
};

int
green__uring_make(struct io_uring *ring, unsigned requests, unsigned reports, unsigned *ret_flags)
{
        int err = -EINVAL;

        for (size_t i = 0; i < sizeof hub_io_uring_modes / sizeof hub_io_uring_modes[0] && err == -EINVAL; i++) {
                struct io_uring_params params = {.cq_entries = reports};

                *ret_flags = hub_io_uring_modes[i];
                params.flags = *ret_flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL;
                err = io_uring_queue_init_params(requests, ring, &params);
                if (err == 0 && (params.features & hub_io_uring_features) != hub_io_uring_features) {
                        io_uring_queue_exit(ring);
                        err = -ENOTSUP;
                }
        }
        return err == -EINVAL ? -ENOTSUP : err;
}

static int
hub_io_uring_check_opcodes(struct io_uring *ring)
{
        char room[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)] = {0};
        struct io_uring_probe *probe = (struct io_uring_probe *)(void *)room;
        int err = io_uring_register_probe(ring, probe, 256);

        for (size_t i = 0; err == 0 && i < sizeof hub_io_uring_opcodes / sizeof hub_io_uring_opcodes[0]; i++) {
                if (!io_uring_opcode_supported(probe, hub_io_uring_opcodes[i]))
                        err = -ENOTSUP;
        }
        return err;
}

/* A sandbox may allow a ring to be made and forbid its use. */
static int
hub_io_uring_try(struct io_uring *ring)
{
        int n;

        io_uring_prep_nop(io_uring_get_sqe(ring));
        n = io_uring_submit_and_get_events(ring);
        if (n < 0)
                return n;
        return n == 1 && io_uring_cq_ready(ring) == 1 ? 0 : -EIO;
}

int
green__uring_probe(void)
{
        struct io_uring ring;
        unsigned flags;
        int err = green__uring_make(&ring, 1, 2, &flags);

        if (err != 0)
                return err;
        err = hub_io_uring_check_opcodes(&ring);
        if (err == 0)
                err = hub_io_uring_try(&ring);
        io_uring_queue_exit(&ring);
        return err;
}
