/**
 * @file
 * @brief Persistent registration of a descriptor: what sockets and drivers stand on.
 *
 * A registration belongs to the object, not to the number: events of a descriptor that was closed meanwhile reach
 * nobody. Where the kernel has it, it is edge-triggered and made once, at the first wait. So the rule is: *make the system
 * call first, and wait only once it said EAGAIN* (or, for a stream, gave less than was asked for). An edge that came
 * meanwhile while nobody waited is remembered: the next wait returns at once.
 */
#ifndef GREEN_IO_H
#define GREEN_IO_H

#include <green/base.h>
#include <green/hub.h>

GREEN_BEGIN_DECLS

/** A registered descriptor. Opaque. */
typedef struct green_io green_io;

/**
 * @name Flags of green_io_open()
 * @{
 */
#define GREEN_IO_SHARED 1u  /**< several green threads may wait in the same direction, served first come, first served */
#define GREEN_IO_DUPED 2u   /**< others hold the same open file (dup, fork, passed): take it off the hub before closing */
#define GREEN_IO_KEEP_FD 4u /**< green_io_close() leaves the descriptor open */
/** @} */

/**
 * @brief Take a descriptor under green-net's care. Never yields. No system call: it is registered at the first wait.
 *
 * @param fd    open, non-blocking; closed by green_io_close() unless #GREEN_IO_KEEP_FD is given.
 * @param flags GREEN_IO_... bits.
 * @return the handle, for green_io_free(); NULL with `errno` EINVAL (negative, unknown flag), EBUSY (another green_io owns
 *         the number), ENOMEM.
 * @since 0.1
 */
GREEN_API green_io *green_io_open(green_fd fd, unsigned flags);

/**
 * @brief Its descriptor. Never yields.
 * @param io a registration.
 * @return the descriptor; GREEN_INVALID_FD once closed.
 * @since 0.1
 */
GREEN_API green_fd green_io_fd(const green_io *io);

/**
 * @brief Add or take away #GREEN_IO_SHARED and #GREEN_IO_DUPED. Never yields.
 * @param io    a registration.
 * @param set   flags to set.
 * @param clear flags to clear.
 * @retval 0       done.
 * @retval -EINVAL another flag.
 * @since 0.1
 */
GREEN_API int green_io_set_flags(green_io *io, unsigned set, unsigned clear);

/**
 * @brief Wait until the descriptor may be ready. May yield: it returns at once if an edge came since the last wait.
 *
 * @param io      a registration, whose system call has said EAGAIN (or EINPROGRESS).
 * @param events  #GREEN_READ or #GREEN_WRITE, one of them.
 * @param timeout seconds; 0 fails at once with -ETIMEDOUT; GREEN_FOREVER waits for good.
 * @retval 0              try again.
 * @retval -ETIMEDOUT     the time is over.
 * @retval GREEN_EKILLED  killed; @c GREEN_ETIMEOUT a timeout fired (or their codes).
 * @retval -ECANCELED     closed meanwhile.
 * @retval -EBADF         closed before.
 * @retval -EBUSY         another green thread waits for the same; green_last_error() names both (FD-02).
 * @retval -EINVAL        bad direction or time.
 * @retval -EDEADLK       called from a hub callback.
 * @retval -EPERM         it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_io_wait(green_io *io, unsigned events, double timeout);

/**
 * @brief May the end of the stream, or an error, have come with what was read last? Never yields.
 *
 * A read of a stream that gave less than was asked for has taken all there was, so one may wait without another try. Not
 * so where this is true: the end came along, and is reported no more.
 *
 * @param io a registration.
 * @return true if the hub has reported an end, or if it does not tell.
 * @since 0.1
 */
GREEN_API bool green_io_hung_up(const green_io *io);

/**
 * @brief Can the hub run operations to completion? Never yields.
 * @param io a registration.
 * @return true if green_io_submit() works.
 * @since 0.1
 */
GREEN_API bool green_io_can_submit(const green_io *io);

/**
 * @brief Run an operation to completion. Yields.
 *
 * Cancelling is a request: on a kill, a timeout or a close the call returns only when the hub has given the buffers
 * back, and an operation that succeeded meanwhile is a success. Where several may use the same direction
 * (#GREEN_IO_SHARED) the next operation is given to the hub when the one before has ended, first come, first served; those
 * at a position of a file do not wait for each other.
 *
 * @param io      a registration.
 * @param op      kind, flags, buffers set and the rest zero (offset: -1 where there is none); fd is filled in.
 * @param timeout seconds; GREEN_FOREVER waits for good.
 * @return op->result (a count, a descriptor, `-errno`); -ETIMEDOUT, a scope's code or -ECANCELED (closed) where it was
 *         cancelled; -ENOTSUP: the hub does not do this; otherwise as green_io_wait().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int64_t green_io_submit(green_io *io, struct green_op *op, double timeout);

/**
 * @name Running ahead
 *
 * On a hub that can, an operation may run before anybody asks for what it brings: a receive that goes on by itself
 * (#GREEN_OP_MULTISHOT), or an accept. What it has brought is held by the registration, in order, until it is taken; bytes
 * lie in the hub's buffers, and are copied once. While it runs, green_io_wait() and green_watch_start_io() for #GREEN_READ
 * wait for what it brings, and nobody may receive or accept by other means: bytes could come in a wrong order.
 *
 * A receive is ended by itself when a few pieces are held that nobody takes, and when the hub has no buffers left; begin it
 * anew when all was taken. The end of the stream and errors are held behind the bytes before them.
 *
 * Whoever else wants to read gets it ended first, at once: green_trampoline(), green_watch_start(), green_wait_fd(),
 * green_io_submit() and green_io_detach(). As long as something is held they return -EBUSY. green_io_close() gives up what
 * is held, and closes what was accepted. In the child of a fork nothing runs; bytes that were held are held there too,
 * connections are the parent's.
 * @{
 */

/**
 * Bit of the flags of green_io_run_ahead(), with #GREEN_OP_ACCEPT: accept one connection after the other. For who means to
 * take all that come: a few may be held when it is stopped. They come without the peer's address.
 */
#define GREEN_IO_AHEAD_MANY 0x80000000u

/**
 * @brief Have an operation run ahead. Never yields.
 *
 * @param io    a registration that nobody else reads from; #GREEN_OP_RECV: a stream.
 * @param kind  #GREEN_OP_RECV or #GREEN_OP_ACCEPT, which accepts one connection; always the same for a registration.
 * @param flags flags of the operation; #GREEN_IO_AHEAD_MANY.
 * @retval 0        it runs, or something is held already.
 * @retval -ENOTSUP the hub does not do this.
 * @retval -ENOBUFS the hub had no buffers left, or refused, a moment ago: receive by other means this time.
 * @retval -EBUSY   an operation of green_io_submit() reads.
 * @retval -EINVAL  another kind.
 * @retval -ENOMEM  memory ran out.
 * @retval -EBADF   closed.
 * @retval -EPERM   it belongs to another OS thread.
 * @return otherwise what the hub says.
 * @since 0.1
 */
GREEN_API int green_io_run_ahead(green_io *io, enum green_op_kind kind, unsigned flags);

/**
 * @brief Take bytes that a receive has brought. Never yields.
 *
 * @param io   a registration.
 * @param buf  where to.
 * @param len  bytes there; 0 takes nothing, but tells what there is.
 * @param peek leave them where they are.
 * @return bytes, or 0: the end of the stream (or len is 0, and there are some); what the receive has failed with;
 *         -EAGAIN: nothing has come, and the operation runs; -ENODATA: nothing is held and no operation runs, so make the
 *         system call; -ENOMEM: there was no memory to hold something, and the rest of the stream is lost; -EBADF, -EPERM
 *         as green_io_run_ahead().
 * @since 0.1
 */
GREEN_API int64_t green_io_take(green_io *io, void *buf, size_t len, bool peek);

/**
 * @brief Take a connection that was accepted. Never yields.
 *
 * @param         io        a registration.
 * @param[out]    name      the peer's struct sockaddr, set on success only; may be NULL.
 * @param[in,out] name_size room there; set to what it takes, 0 where the address is not known. NULL with NULL.
 * @return the descriptor, the caller's; what the accept has failed with; otherwise as green_io_take().
 * @since 0.1
 */
GREEN_API int64_t green_io_take_fd(green_io *io, void *name, uint32_t *name_size);

/**
 * @brief How much is held? Never yields.
 * @param io a registration.
 * @return bytes, or connections (and failures of an accept).
 * @since 0.1
 */
GREEN_API size_t green_io_held(const green_io *io);

/**
 * @brief End an operation that runs ahead, at once. Never yields, but makes ready others for whom something has come.
 * @param io a registration.
 * @retval 0      none runs, and nothing is held.
 * @retval -EBUSY none runs, and something is held that has to be taken first (an end or an error counts).
 * @retval -EBADF closed.
 * @retval -EPERM it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_io_stop_ahead(green_io *io);
/** @} */

/**
 * @brief As green_io_close() to those who wait, and it stays open. Never yields.
 *
 * Whoever waits gets -ECANCELED, operations are asked to end. For an owner with several users, of whom one leaves: the
 * others wait again.
 *
 * @param io a registration or NULL.
 * @retval 0      nobody waits any more.
 * @retval -EPERM it belongs to another OS thread and is in use there.
 * @since 0.1
 */
GREEN_API int green_io_cancel(green_io *io);

/**
 * @brief Close: whoever waits gets -ECANCELED, operations are asked to end, the descriptor is closed. Never yields.
 *
 * The handle stays; later calls return -EBADF. Idempotent.
 *
 * @param io a registration or NULL.
 * @retval 0      closed.
 * @retval -EPERM it belongs to another OS thread and is in use there.
 * @return otherwise what close() said.
 * @since 0.1 (FD-15)
 */
GREEN_API int green_io_close(green_io *io);

/**
 * @brief Give up the registration and keep the descriptor. Never yields. The handle stays, closed.
 *
 * On Windows, hub `iocp`, a descriptor that an operation was run on stays tied to the completion port of that hub, which
 * nothing can undo. It may be registered again, in this OS thread or another; there it is waited for by readiness, and
 * green_io_submit() returns -ENOTSUP. Plain calls work as ever. It goes into no other port, and an overlapped call of the
 * program's own must keep from reporting to the port: hEvent with its lowest bit set.
 *
 * @param      io     a registration.
 * @param[out] ret_fd the descriptor, the caller's.
 * @retval 0      done.
 * @retval -EBUSY somebody waits, or an operation runs.
 * @retval -EBADF closed.
 * @retval -EPERM it belongs to another OS thread.
 * @since 0.1
 */
GREEN_API int green_io_detach(green_io *io, green_fd *ret_fd);

/**
 * @brief Close and release. Never yields.
 * @param io a registration or NULL.
 * @retval 0      released (once the last operation has ended, under completions).
 * @retval -EBUSY somebody waits: nothing was done.
 * @retval -EPERM it belongs to another OS thread and is in use there.
 * @since 0.1
 */
GREEN_API int green_io_free(green_io *io);

GREEN_END_DECLS

#endif
