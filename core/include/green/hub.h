/**
 * @file
 * @brief The plug-in interface of hubs: what a back end (epoll, kqueue, io_uring, ...) gives to core.
 *
 * A hub tells core which descriptors are ready and, if it can, runs operations to completion. Run queue, timers and
 * everything else stay in core. A plug-in includes this header and the system's, nothing else, and links to nothing of
 * green-net. Programs that only *choose* a hub include <green/hubs.h>.
 *
 * Order of calls: probe(), then init(); then from one OS thread add(), modify(), remove(), wait(), submit(), cancel(),
 * describe(), pollfd() in any order; wake() from any thread at any time between init() and fini(); after_fork() in the
 * child before anything else; at last fini(). No function may block but wait(), and none is re-entered, except that a
 * hub with #GREEN_HUB_CALLS_BACK may see every function called from inside its wait().
 *
 * Codes are 0 or a count, or `-errno`.
 */
#ifndef GREEN_HUB_H
#define GREEN_HUB_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** Version of this interface. A plug-in of another one is refused. */
#define GREEN_HUB_ABI 1u

/**
 * @name What a hub can do: bits of green_hub_ops::features
 * @{
 */
#define GREEN_HUB_CAN_EDGE 1u     /**< knows #GREEN_HUB_EDGE */
#define GREEN_HUB_CAN_ONESHOT 2u  /**< knows #GREEN_HUB_ONESHOT */
#define GREEN_HUB_CAN_SUBMIT 4u          /**< has submit() and cancel() */
#define GREEN_HUB_CALLS_BACK 8u   /**< wait() runs foreign callbacks: core calls it on the hub stack only */
#define GREEN_HUB_FORGETS_CLOSED 16u /**< a closed descriptor leaves the hub by itself when nobody else holds it */
#define GREEN_HUB_TELLS_HANGUP 32u   /**< reports #GREEN_HUB_HANGUP */
#define GREEN_HUB_CAN_MULTISHOT 64u  /**< knows #GREEN_OP_MULTISHOT, and has release() */
/** @} */

/**
 * @name Interest: #GREEN_READ and #GREEN_WRITE, and how they are reported. Neither bit: level-triggered.
 * @{
 */
#define GREEN_HUB_EDGE 4u    /**< once per change; stays registered */
#define GREEN_HUB_ONESHOT 8u /**< once, then nothing at all until modify() */
/** @} */

/**
 * @name Extra bits of an event
 * @{
 */
#define GREEN_HUB_ERROR 16u  /**< error or hang-up: core wakes both directions */
#define GREEN_HUB_HANGUP 32u /**< the peer sends no more, or an error, or urgent data: a short read may not be all */
#define GREEN_HUB_MORE 64u   /**< of a multishot operation that goes on: it will be reported again */
/** @} */

/** Kinds of operation. A hub returns -ENOTSUP from submit() for those it does not know. */
enum green_op_kind {
        GREEN_OP_READ = 1, /**< read() of @ref green_op::iov at @ref green_op::offset (-1: the current position) */
        GREEN_OP_WRITE,    /**< write(), likewise */
        GREEN_OP_RECV,     /**< recvmsg() into iov with flags; address in name if it is not NULL */
        GREEN_OP_SEND,     /**< sendmsg() from iov with flags; to name if it is not NULL */
        GREEN_OP_ACCEPT,   /**< accept4(); result is the new descriptor; address in name if it is not NULL */
        GREEN_OP_CONNECT,  /**< connect() to name */
        GREEN_OP_POLL      /**< wait until the interest in flags is ready; result is the ready bits */
};

/**
 * Bit of green_op::options, with #GREEN_OP_ACCEPT and #GREEN_OP_RECV: the operation goes on by itself, and is reported once
 * for each connection or piece of data, until a report comes without #GREEN_HUB_MORE. A receive takes no iov: what has
 * come lies in a buffer of the hub's, green_hub_event::buffer, which core gives back with release(). It ends with
 * -ENOBUFS where the hub has no buffer left: core receives by single operations until it has given some back.
 */
#define GREEN_OP_MULTISHOT 1u

/** Part of a buffer; laid out as struct iovec. */
struct green_iovec {
        void *base; /**< first byte */
        size_t len; /**< bytes */
};

/**
 * @brief An operation that the hub runs to completion.
 *
 * From submit() until it is reported by wait() the operation and its buffers belong to the hub.
 */
struct green_op {
        enum green_op_kind kind; /**< what to do */
        green_fd fd;             /**< on which descriptor */
        unsigned flags;          /**< flags of the system call, or the interest of #GREEN_OP_POLL */
        unsigned iov_count;      /**< elements of iov */
        struct green_iovec *iov; /**< buffers */
        int64_t offset;          /**< position in a file; -1 for none */
        void *name;              /**< struct sockaddr */
        uint32_t name_size;      /**< room for, or size of, the address; updated */
        uint32_t options;        /**< #GREEN_OP_MULTISHOT or 0 */
        int64_t result;          /**< count or descriptor, or -errno; set by the hub when it is done */
        void *core[6];           /**< core's own */
        uint64_t space[24];      /**< the hub's own: zeroed by core before submit() */
};

/** Something that wait() found. */
struct green_hub_event {
        uint64_t token;      /**< of add() or modify(); of a multishot operation: this report's result, as green_op::result */
        uint32_t events;     /**< #GREEN_READ, #GREEN_WRITE, #GREEN_HUB_ERROR, #GREEN_HUB_HANGUP; of an operation 0 or
                                  #GREEN_HUB_MORE */
        uint32_t reserved;   /**< 0 */
        struct green_op *op; /**< an operation that has finished, or a multishot one that reports; NULL for readiness */
        void *buffer;        /**< where a multishot receive has put its bytes; looked at for those only */
};

/** What core gives a hub at init(). */
struct green_hub_config {
        size_t size;                                     /**< sizeof(struct green_hub_config) of the core */
        void *(*realloc)(void *old, size_t len);         /**< memory; NULL where there is none left */
        void (*free)(void *old);                         /**< gives it back; NULL is fine */
        void (*log)(int level, const char *message);     /**< report; levels of <green/log.h> */
        void *loop; /**< the application's own event loop, of the kind that the hub is made of (for "libevent" a
                         struct event_base), which outlives the state; NULL: make one. Looked at in init() only. A hub
                         that has no loop() is never given one */
};

/** A hub. Constant, one for the process; each OS thread has its own @p state from init(). */
struct green_hub_ops {
        uint32_t abi;      /**< #GREEN_HUB_ABI */
        uint32_t size;     /**< sizeof(struct green_hub_ops) */
        const char *name;  /**< short, lower case: "epoll" */
        uint32_t features; /**< GREEN_HUB_CAN_..., GREEN_HUB_CAN_SUBMIT, ... */

        /** Can it work on this machine? 0, or -errno. Cheap, no side effects. */
        int (*probe)(void);
        /** Make the state of one OS thread. config lives as long as the state. */
        int (*init)(const struct green_hub_config *config, void **ret_state);
        /**
         * Register fd, which is not registered. -EPERM: it is of a kind that is always ready. -EEXIST: it is. -EBADF: it
         * is not open. -EINVAL: an interest without a direction. The token is never UINT64_MAX.
         */
        int (*add)(void *state, green_fd fd, uint32_t interest, uint64_t token);
        /** Change interest and token of a registered fd and look at its readiness anew. -ENOENT: it is not. */
        int (*modify)(void *state, green_fd fd, uint32_t interest, uint64_t token);
        /** Forget fd. After it no event with its token is reported. -ENOENT or -EBADF: it was not registered. */
        int (*remove)(void *state, green_fd fd);
        /**
         * Wait up to timeout_ns nanoseconds (0 polls, below 0 waits for good) and store up to max events. Returns
         * their number; 0 at the time limit, after wake() and on an interrupted wait. Never returns before the limit
         * by rounding down: a limit that the system cannot express is rounded up. It runs on the stacks of green
         * threads, so it must use little of them: keep arrays in the state.
         */
        int (*wait)(void *state, struct green_hub_event *events, int max, int64_t timeout_ns);
        /** End the current or the next wait() at once. thread-safe and async-signal-safe; several count as one. */
        int (*wake)(void *state);
        /** In the child of a fork: drop what is shared with the parent and start empty; core registers anew. */
        int (*after_fork)(void *state);
        /** Write a line about itself, as snprintf() does. */
        int (*describe)(void *state, char *text, size_t len);
        /** A descriptor that becomes readable when wait() would return; GREEN_INVALID_FD if there is none. */
        green_fd (*pollfd)(void *state);
        /**
         * Start an operation. -ENOTSUP: this kind is not for this hub. It is never finished inside submit(), and never
         * raises SIGPIPE. The descriptor stays open until it is reported, or cancel() was called.
         */
        int (*submit)(void *state, struct green_op *op);
        /**
         * Ask for the end of an operation. 0: it has ended, its result is set, and it will not be reported any more.
         * -EINPROGRESS: it will be reported by wait(), as cancelled (-ECANCELED) or with what it did meanwhile. A
         * multishot operation that had begun is always -EINPROGRESS: what it brought before its last report counts.
         * Not called for one whose last report wait() has given.
         */
        int (*cancel)(void *state, struct green_op *op);
        /** End it. Operations in flight are cancelled and waited for; they are not reported. */
        void (*fini)(void *state);
        /** Take back a buffer of a multishot receive. Only with #GREEN_HUB_CAN_MULTISHOT. None is out at fini(). */
        void (*release)(void *state, void *buffer);
        /** The foreign event loop that this state lives in, for the application's use; may be NULL where there is none. */
        void *(*loop)(void *state);
        /** A line for each thing that the foreign loop waits for, given to line() one by one; may be NULL. */
        void (*list)(void *state, void (*line)(void *arg, const char *text), void *arg);
};

/**
 * @brief Publish a hub: `GREEN_HUB_DEFINE(epoll) = { .abi = GREEN_HUB_ABI, ... };`
 *
 * In a module the symbol is `green_hub_module`, which core looks for; in a hub that is linked in (built with
 * GREEN_HUB_BUILTIN) it carries the hub's name.
 */
#if defined(GREEN_HUB_BUILTIN)
#define GREEN_HUB_DEFINE(hub)                                                                                          \
        extern const struct green_hub_ops green__hub_##hub;                                                            \
        const struct green_hub_ops green__hub_##hub
#else
#define GREEN_HUB_DEFINE(hub)                                                                                          \
        extern GREEN_API const struct green_hub_ops green_hub_module;                                                  \
        const struct green_hub_ops green_hub_module
#endif

GREEN_END_DECLS

#endif
