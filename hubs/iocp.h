/*
 * What the parts of the iocp hub share: iocp.c (the port, waiting), iocp_ready.c (readiness) and iocp_op.c (operations).
 *
 * Everything that the system does for this hub is a request, which it gives back through the one completion port: the
 * polls of the driver below the sockets, which tell readiness, and operations.
 */
#ifndef GREEN_HUB_IOCP_H
#define GREEN_HUB_IOCP_H

#include "win32.h"

#include <winternl.h>

struct green__iocp;

/* What the system has, and gives back by its address. First in what it is a part of. */
struct green__iocp_request {
        OVERLAPPED overlapped;        /* first; for a poll it is the IO_STATUS_BLOCK, which is its beginning */
        struct green__win32_link link; /* see the lists of struct green__iocp */
        struct green__iocp *hub;      /* whose it is: see hub_iocp_is_ours() */
        bool is_op;                   /* of an operation; else of a registered socket */
        bool in_flight;               /* the system has it */
        bool cancelled;               /* its end was asked for */
};

/* What the driver is asked: its own layout, for one socket. */
struct green__iocp_poll {
        int64_t timeout;
        uint32_t sockets; /* 1; afterwards those that are ready */
        uint32_t exclusive;
        HANDLE socket;
        uint32_t events; /* GREEN__AFD_...; afterwards those that there are */
        int32_t status;
};

/* Bits of it. */
enum {
        GREEN__AFD_RECEIVE = 1,
        GREEN__AFD_URGENT = 2,
        GREEN__AFD_SEND = 4,
        GREEN__AFD_DISCONNECT = 8,
        GREEN__AFD_ABORT = 16,
        GREEN__AFD_CLOSED = 32, /* here */
        GREEN__AFD_ACCEPT = 128,
        GREEN__AFD_CONNECT_FAIL = 256,
};

enum {
        GREEN__IOCP_BATCH = 256, /* reports that one system call brings */
        GREEN__IOCP_KINDS = GREEN_OP_POLL + 1,
};

struct green__iocp {
        const struct green_hub_config *config; /* core's; outlives this */
        HANDLE port;
        HANDLE afd;                             /* the driver, for polls; its reports come through the port */
        LONG woken;                             /* wake() has posted and wait() has not seen it */
        size_t requests;                        /* that the system has, and of other hubs none */
        size_t in_flight;                       /* operations among them */
        struct green__win32_table entries;      /* registered sockets */
        struct green__win32_table ours;         /* handles that are tied to the port, or numbers of such */
        struct green__win32_link dirty;          /* entries that are to be polled anew */
        struct green__win32_link gone;           /* entries whose socket has turned out to be closed */
        struct green__win32_link running;        /* operations that the system has */
        struct green__win32_link ended;          /* operations that it refused, to be reported */
        void *accept;                           /* AcceptEx(), once it was asked for */
        void *connect;                          /* ConnectEx() */
        void *addresses;                        /* GetAcceptExSockaddrs() */
        uint64_t counts[GREEN__IOCP_KINDS];     /* operations that began, by kind; polls for readiness count as polls */
        OVERLAPPED_ENTRY batch[GREEN__IOCP_BATCH]; /* here for the sake of small stacks */
};

static inline struct green__iocp_request *
green__iocp_request_of(struct green__win32_link *link)
{
        return (struct green__iocp_request *)(void *)((char *)link - offsetof(struct green__iocp_request, link));
}

/* How a request has ended. */
static inline NTSTATUS
green__iocp_status(const struct green__iocp_request *request)
{
        return (NTSTATUS)request->overlapped.Internal;
}

/* ---- readiness: iocp_ready.c */

/* Makes hub->afd. 0 or -errno. */
int green__iocp_open_afd(struct green__iocp *hub);
/* The socket below what others may have put on top. 0; -EBADF, -EPERM, -ENOTSOCK as green__win32_check(). */
int green__iocp_base(green_fd fd, HANDLE *ret_base);
/* Has the driver poll. The request comes back through the port where this returns 0; -EBADF: the socket is closed. */
int green__iocp_poll_start(struct green__iocp *hub, struct green__iocp_request *request, struct green__iocp_poll *poll,
                           uint32_t interest);
/* Bits of core's for what a poll has found. */
uint32_t green__iocp_bits(const struct green__iocp_poll *poll, uint32_t interest);

int green__iocp_add(void *state, green_fd fd, uint32_t interest, uint64_t token);
int green__iocp_modify(void *state, green_fd fd, uint32_t interest, uint64_t token);
int green__iocp_remove(void *state, green_fd fd);
/* Has all that is dirty polled. */
void green__iocp_fill(struct green__iocp *hub);
/* Reports those that have turned out to be closed, up to max. */
int green__iocp_report_gone(struct green__iocp *hub, struct green_hub_event *events, int max);
/* A poll of a registered socket has come back: stores an event and returns true, or there is nothing to tell. */
bool green__iocp_ready(struct green__iocp *hub, struct green__iocp_request *request, struct green_hub_event *event);
/* At the end: asks for the end of all polls. */
void green__iocp_cancel_polls(struct green__iocp *hub);
/* At the end, when the system has none any more. */
void green__iocp_free_entries(struct green__iocp *hub);

/* ---- operations: iocp_op.c */

int green__iocp_submit(void *state, struct green_op *op);
int green__iocp_cancel(void *state, struct green_op *op);
/* Reports those that were refused, up to max. */
int green__iocp_report_ended(struct green__iocp *hub, struct green_hub_event *events, int max);
/* An operation has come back: as green__iocp_ready(). */
bool green__iocp_op_done(struct green__iocp *hub, struct green__iocp_request *request, struct green_hub_event *event);
/* The same at the end of the hub: what it brought is thrown away. */
void green__iocp_op_drop(struct green__iocp *hub, struct green__iocp_request *request);
/* At the end: asks for the end of all. */
void green__iocp_cancel_ops(struct green__iocp *hub);

#endif
