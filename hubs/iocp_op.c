/*
 * The iocp hub: operations. See iocp.h.
 *
 * A handle is tied to the port by its first operation, for good. One that is tied to another port, which is to say that
 * it came from another OS thread or that the program uses it so itself, is left to readiness. So is one that was not
 * opened for overlapped operations.
 *
 * The system reports an operation through the port also when it has ended at once. One that it refused it does not
 * report: that goes into a list.
 */
#include "iocp.h"

#include <errno.h>
#include <mswsock.h>
#include <ws2tcpip.h>

enum {
        IOCP_BUFFERS = 16,                               /* of one call; more are allocated */
        IOCP_ADDRESS = sizeof(struct sockaddr_in6) + 16, /* room for one, as AcceptEx() wants it */
        IOCP_MOST = 1 << 30,                             /* bytes that one operation moves */
};

#define IOCP_PIPE_BROKEN ((NTSTATUS)0xc000014b)
#define IOCP_END_OF_FILE ((NTSTATUS)0xc0000011)
#define IOCP_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)

/* The hub's part of an operation: in op->space, zeroed by core. */
struct green__iocp_op {
        struct green__iocp_request request; /* first; link: in hub->running or hub->ended */
        union {
                struct green__iocp_poll poll;
                struct {
                        SOCKET socket; /* what the connection is to become */
                        char addresses[2 * IOCP_ADDRESS];
                } accept;
                int name_size; /* of a receive: where the system says how long the address is */
                int refused;   /* what the result of one that the system refused will be */
        } u;
};

_Static_assert(sizeof(struct green__iocp_op) <= sizeof(((struct green_op *)0)->space), "it has room in an operation");

/* Handles that are tied to the port. */
struct iocp_ours {
        struct green__win32_node node;
};

static struct green__iocp_op *
iocp_own(struct green_op *op)
{
        return (struct green__iocp_op *)(void *)op->space;
}

static struct green_op *
iocp_op_of(struct green__iocp_request *request)
{
        return (struct green_op *)(void *)((char *)request - offsetof(struct green_op, space));
}

/*
 * Ties a handle to the port. The system is asked each time, since a number that was tied may be another's by now. 0;
 * -ENOTSUP: it is tied to another one, or its operations cannot overlap; else -errno.
 */
static int
iocp_tie(struct green__iocp *hub, green_fd fd)
{
        bool known = green__win32_find(&hub->ours, fd) != NULL;
        struct iocp_ours *ours;
        int err = known ? 0 : green__win32_reserve(&hub->ours);
        DWORD code;

        if (fd == GREEN_INVALID_FD)
                return -EBADF;
        ours = known || err != 0 ? NULL : hub->config->realloc(NULL, sizeof *ours);
        if (!known && ours == NULL)
                return -ENOMEM;
        if (CreateIoCompletionPort((HANDLE)fd, hub->port, 0, 0) != NULL) {
                if (!known) {
                        ours->node.fd = fd;
                        green__win32_put(&hub->ours, &ours->node);
                }
                return 0;
        }
        code = GetLastError();
        hub->config->free(ours);
        if (code == ERROR_INVALID_PARAMETER)
                return known ? 0 : -ENOTSUP;
        return green__win32_error(code);
}

/* ---- starting: each returns 0 if the system reports the operation, -ENOTSUP, or a code of the system's */

/* Of a function that says whether it has ended at once, and failed, by SOCKET_ERROR. */
static DWORD
iocp_socket_code(int result)
{
        int code = result == 0 ? 0 : WSAGetLastError();

        /* That a datagram did not fit is only a warning: it is reported. */
        return code == WSA_IO_PENDING || code == WSAEMSGSIZE ? 0 : (DWORD)code;
}

static DWORD
iocp_file_code(BOOL good)
{
        DWORD code = good ? 0 : GetLastError();

        return code == ERROR_IO_PENDING || code == ERROR_MORE_DATA ? 0 : code;
}

/* The first buffer that is not empty: to move less than was asked for is allowed. */
static struct green_iovec
iocp_first(const struct green_op *op)
{
        struct green_iovec first = {.base = NULL};

        for (unsigned i = 0; i < op->iov_count && first.len == 0; i++)
                first = op->iov[i];
        if (first.len > IOCP_MOST)
                first.len = IOCP_MOST;
        return first;
}

static DWORD
iocp_start_rw(struct green_op *op)
{
        OVERLAPPED *overlapped = &iocp_own(op)->request.overlapped;
        struct green_iovec iov = iocp_first(op);

        /* Ignored where there are no positions. */
        overlapped->Offset = op->offset < 0 ? 0 : (DWORD)op->offset;
        overlapped->OffsetHigh = op->offset < 0 ? 0 : (DWORD)(op->offset >> 32);
        if (op->kind == GREEN_OP_READ)
                return iocp_file_code(ReadFile((HANDLE)op->fd, iov.base, (DWORD)iov.len, NULL, overlapped));
        return iocp_file_code(WriteFile((HANDLE)op->fd, iov.base, (DWORD)iov.len, NULL, overlapped));
}

/* The buffers as the system wants them; their number. */
static DWORD
iocp_buffers(const struct green_op *op, WSABUF *buffers)
{
        size_t left = IOCP_MOST;
        DWORD n = 0;

        for (; n < op->iov_count && left > 0; n++) {
                size_t len = op->iov[n].len < left ? op->iov[n].len : left;

                buffers[n].buf = op->iov[n].base;
                buffers[n].len = (ULONG)len;
                left -= len;
        }
        return n;
}

static DWORD
iocp_start_message(struct green__iocp *hub, struct green_op *op)
{
        struct green__iocp_op *own = iocp_own(op);
        OVERLAPPED *overlapped = &own->request.overlapped;
        WSABUF few[IOCP_BUFFERS];
        WSABUF *buffers = op->iov_count <= IOCP_BUFFERS ? few : hub->config->realloc(NULL, op->iov_count * sizeof *few);
        DWORD flags = op->flags;
        DWORD n, code;

        if (buffers == NULL)
                return ERROR_NOT_ENOUGH_MEMORY;
        n = iocp_buffers(op, buffers);
        if (n == 0)
                buffers[n++] = (WSABUF){.len = 0};
        own->u.name_size = (int)op->name_size;
        if (op->kind == GREEN_OP_RECV && op->name != NULL)
                code = iocp_socket_code(WSARecvFrom((SOCKET)op->fd, buffers, n, NULL, &flags, op->name,
                                                    &own->u.name_size, overlapped, NULL));
        else if (op->kind == GREEN_OP_RECV)
                code = iocp_socket_code(WSARecv((SOCKET)op->fd, buffers, n, NULL, &flags, overlapped, NULL));
        else if (op->name != NULL)
                code = iocp_socket_code(WSASendTo((SOCKET)op->fd, buffers, n, NULL, flags, op->name, own->u.name_size,
                                                  overlapped, NULL));
        else
                code = iocp_socket_code(WSASend((SOCKET)op->fd, buffers, n, NULL, flags, overlapped, NULL));
        /* The system has its own copy of them by now. */
        if (buffers != few)
                hub->config->free(buffers);
        return code;
}

/* A function of the socket's that no library exports. */
static bool
iocp_function(void **at, SOCKET socket, GUID name)
{
        DWORD len;

        return *at != NULL || WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &name, sizeof name, at, sizeof *at,
                                       &len, NULL, NULL) == 0;
}

/* A socket of the same kind, that does not block and goes to no program that is started. */
static SOCKET
iocp_alike(SOCKET listener)
{
        WSAPROTOCOL_INFOW info;
        int len = sizeof info;
        u_long one = 1;
        SOCKET s;

        if (getsockopt(listener, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &len) != 0)
                return INVALID_SOCKET;
        s = WSASocketW(info.iAddressFamily, info.iSocketType, info.iProtocol, NULL, 0,
                       WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
        if (s != INVALID_SOCKET)
                (void)ioctlsocket(s, (long)FIONBIO, &one);
        return s;
}

/* Is it of TCP, over either IP? */
static bool
iocp_is_tcp(SOCKET socket, int *ret_family)
{
        WSAPROTOCOL_INFOW info;
        int len = sizeof info;

        if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &len) != 0 ||
            (info.iAddressFamily != AF_INET && info.iAddressFamily != AF_INET6) || info.iSocketType != SOCK_STREAM)
                return false;
        *ret_family = info.iAddressFamily;
        return true;
}

static DWORD
iocp_start_accept(struct green__iocp *hub, struct green_op *op)
{
        struct green__iocp_op *own = iocp_own(op);
        LPFN_ACCEPTEX accept_ex;
        DWORD len, code;

        memcpy(&accept_ex, &hub->accept, sizeof accept_ex);
        own->u.accept.socket = iocp_alike((SOCKET)op->fd);
        if (own->u.accept.socket == INVALID_SOCKET)
                return (DWORD)WSAGetLastError();
        code = iocp_socket_code(!accept_ex((SOCKET)op->fd, own->u.accept.socket, own->u.accept.addresses, 0,
                                           IOCP_ADDRESS, IOCP_ADDRESS, &len, &own->request.overlapped));
        if (code != 0)
                closesocket(own->u.accept.socket);
        return code;
}

static DWORD
iocp_start_connect(struct green__iocp *hub, struct green_op *op)
{
        /* ConnectEx() wants a socket that has an address, which is all zeros for any. */
        struct sockaddr_storage any = {.ss_family = (short)((struct sockaddr *)op->name)->sa_family};
        int len = any.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        LPFN_CONNECTEX connect_ex;
        DWORD code;

        memcpy(&connect_ex, &hub->connect, sizeof connect_ex);
        if (bind((SOCKET)op->fd, (struct sockaddr *)&any, len) != 0) {
                code = (DWORD)WSAGetLastError();
                /* It has one. */
                if (code != WSAEINVAL)
                        return code;
        }
        return iocp_socket_code(!connect_ex((SOCKET)op->fd, op->name, (int)op->name_size, NULL, 0, NULL,
                                            &iocp_own(op)->request.overlapped));
}

/* ---- submit and cancel */

/* Of a kind that can be run on this descriptor? What else it needs is looked for. */
static int
iocp_can(struct green__iocp *hub, const struct green_op *op)
{
        static const GUID accept_ex = WSAID_ACCEPTEX, connect_ex = WSAID_CONNECTEX,
                          addresses = WSAID_GETACCEPTEXSOCKADDRS;
        SOCKET socket = (SOCKET)op->fd;
        int family;

        if (op->options != 0)
                return -ENOTSUP;
        switch (op->kind) {
        case GREEN_OP_READ:
        case GREEN_OP_WRITE:
                /* A file that is opened for overlapped operations has no position of its own. */
                return op->offset < 0 && GetFileType((HANDLE)op->fd) == FILE_TYPE_DISK ? -ENOTSUP : 0;
        case GREEN_OP_ACCEPT:
                return iocp_is_tcp(socket, &family) && iocp_function(&hub->accept, socket, accept_ex) &&
                                       iocp_function(&hub->addresses, socket, addresses)
                               ? 0
                               : -ENOTSUP;
        case GREEN_OP_CONNECT:
                /* One of another family than the address is left to connect(), which knows what is wrong with it. */
                return iocp_is_tcp(socket, &family) && op->name != NULL &&
                                       ((const struct sockaddr *)op->name)->sa_family == family &&
                                       iocp_function(&hub->connect, socket, connect_ex)
                               ? 0
                               : -ENOTSUP;
        case GREEN_OP_RECV:
        case GREEN_OP_SEND:
        case GREEN_OP_POLL:
                return 0;
        }
        return -ENOTSUP;
}

static DWORD
iocp_start(struct green__iocp *hub, struct green_op *op)
{
        switch (op->kind) {
        case GREEN_OP_READ:
        case GREEN_OP_WRITE:
                return iocp_start_rw(op);
        case GREEN_OP_ACCEPT:
                return iocp_start_accept(hub, op);
        case GREEN_OP_CONNECT:
                return iocp_start_connect(hub, op);
        default:
                return iocp_start_message(hub, op);
        }
}

static int
iocp_submit_poll(struct green__iocp *hub, struct green_op *op)
{
        struct green__iocp_op *own = iocp_own(op);
        int err = green__iocp_base(op->fd, &own->u.poll.socket);

        if (err == 0)
                err = green__iocp_poll_start(hub, &own->request, &own->u.poll, op->flags);
        return err == -EPERM || err == -ENOTSOCK ? -ENOTSUP : err;
}

int
green__iocp_submit(void *state, struct green_op *op)
{
        struct green__iocp *hub = state;
        struct green__iocp_request *request = &iocp_own(op)->request;
        int err = iocp_can(hub, op);
        DWORD code = 0;

        if (err == 0 && op->kind != GREEN_OP_POLL)
                err = iocp_tie(hub, op->fd);
        if (err != 0)
                return err;
        request->hub = hub;
        request->is_op = true;
        if (op->kind == GREEN_OP_POLL) {
                err = iocp_submit_poll(hub, op);
                if (err != 0)
                        return err;
        } else {
                hub->counts[op->kind]++;
                code = iocp_start(hub, op);
                request->in_flight = code == 0;
                hub->requests += code == 0;
        }
        hub->in_flight += request->in_flight;
        if (code != 0)
                iocp_own(op)->u.refused =
                        op->kind == GREEN_OP_READ && (code == ERROR_BROKEN_PIPE || code == ERROR_HANDLE_EOF)
                                ? 0
                                : green__win32_error(code);
        green__win32_append(code == 0 ? &hub->running : &hub->ended, &request->link);
        return 0;
}

static void
iocp_ask_for_end(struct green__iocp *hub, struct green_op *op)
{
        struct green__iocp_request *request = &iocp_own(op)->request;

        /* It may have ended meanwhile: then it is on its way, and this does nothing. */
        (void)CancelIoEx(op->kind == GREEN_OP_POLL ? hub->afd : (HANDLE)op->fd, &request->overlapped);
        request->cancelled = true;
}

int
green__iocp_cancel(void *state, struct green_op *op)
{
        struct green__iocp *hub = state;
        struct green__iocp_request *request = &iocp_own(op)->request;

        if (!request->in_flight) {
                green__win32_unlink(&request->link);
                op->result = iocp_own(op)->u.refused;
                return 0;
        }
        iocp_ask_for_end(hub, op);
        return -EINPROGRESS;
}

void
green__iocp_cancel_ops(struct green__iocp *hub)
{
        const struct green__win32_link *link;

        for (link = hub->running.next; link != &hub->running; link = link->next) {
                struct green_op *op = iocp_op_of(green__iocp_request_of((struct green__win32_link *)link));

                /* Once: its descriptor may be closed since. */
                if (!iocp_own(op)->request.cancelled)
                        iocp_ask_for_end(hub, op);
        }
}

/* ---- reports */

static void
iocp_report_op(struct green_hub_event *event, struct green_op *op)
{
        green__win32_report(event, 0, 0);
        event->op = op;
}

int
green__iocp_report_ended(struct green__iocp *hub, struct green_hub_event *events, int max)
{
        int n = 0;

        while (n < max && !green__win32_list_empty(&hub->ended)) {
                struct green_op *op = iocp_op_of(green__iocp_request_of(hub->ended.next));

                green__win32_unlink(hub->ended.next);
                op->result = iocp_own(op)->u.refused;
                iocp_report_op(&events[n++], op);
        }
        return n;
}

/* What has come of it. Of what failed half-way, or was cancelled, the bytes that have gone count. */
static int64_t
iocp_result(const struct green_op *op, struct green__iocp_request *request)
{
        NTSTATUS status = green__iocp_status(request);
        int64_t count = (int64_t)request->overlapped.InternalHigh;

        if (NT_SUCCESS(status) || status == IOCP_BUFFER_OVERFLOW)
                return count;
        if (count > 0 && (op->kind == GREEN_OP_SEND || op->kind == GREEN_OP_WRITE))
                return count;
        if (op->kind == GREEN_OP_READ && (status == IOCP_PIPE_BROKEN || status == IOCP_END_OF_FILE))
                return 0;
        return green__win32_error(RtlNtStatusToDosError(status));
}

static void
iocp_copy_address(struct green__iocp *hub, struct green_op *op)
{
        struct sockaddr *local, *peer;
        int local_len, peer_len;
        LPFN_GETACCEPTEXSOCKADDRS get;

        memcpy(&get, &hub->addresses, sizeof get);
        get(iocp_own(op)->u.accept.addresses, 0, IOCP_ADDRESS, IOCP_ADDRESS, &local, &local_len, &peer, &peer_len);
        memcpy(op->name, peer, (uint32_t)peer_len < op->name_size ? (size_t)peer_len : op->name_size);
        op->name_size = (uint32_t)peer_len;
}

/* The connection is one only once it knows whose listener it came from. */
static int64_t
iocp_accepted(struct green__iocp *hub, struct green_op *op, int64_t result)
{
        SOCKET accepted = iocp_own(op)->u.accept.socket, listener = (SOCKET)op->fd;

        if (result >= 0 &&
            setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener, sizeof listener) != 0)
                /* The listener was closed meanwhile. */
                result = iocp_own(op)->request.cancelled ? -ECANCELED : -ECONNABORTED;
        if (result < 0) {
                closesocket(accepted);
                return result;
        }
        if (op->name != NULL)
                iocp_copy_address(hub, op);
        return (int64_t)accepted;
}

/* A poll; false if it goes on. */
static bool
iocp_polled(struct green__iocp *hub, struct green_op *op, int64_t result)
{
        struct green__iocp_op *own = iocp_own(op);
        uint32_t interest = op->flags & (GREEN_READ | GREEN_WRITE);
        uint32_t bits = result >= 0 ? green__iocp_bits(&own->u.poll, interest) : 0;

        if (bits & GREEN_HUB_ERROR)
                bits |= interest;
        op->result = result < 0 ? result : (int64_t)(bits & interest);
        if (op->result != 0)
                return true;
        if (own->request.cancelled)
                op->result = -ECANCELED;
        else
                op->result = green__iocp_poll_start(hub, &own->request, &own->u.poll, op->flags);
        return op->result != 0;
}

bool
green__iocp_op_done(struct green__iocp *hub, struct green__iocp_request *request, struct green_hub_event *event)
{
        struct green_op *op = iocp_op_of(request);
        int64_t result = iocp_result(op, request);

        if (op->kind == GREEN_OP_POLL && !iocp_polled(hub, op, result))
                return false;
        green__win32_unlink(&request->link);
        hub->in_flight--;
        if (op->kind == GREEN_OP_ACCEPT)
                op->result = iocp_accepted(hub, op, result);
        else if (op->kind != GREEN_OP_POLL)
                op->result = result;
        if (op->kind == GREEN_OP_CONNECT && result >= 0) {
                (void)setsockopt((SOCKET)op->fd, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0);
                op->result = 0;
        }
        if (op->kind == GREEN_OP_RECV && op->name != NULL && result >= 0)
                op->name_size = (uint32_t)iocp_own(op)->u.name_size;
        iocp_report_op(event, op);
        return true;
}

void
green__iocp_op_drop(struct green__iocp *hub, struct green__iocp_request *request)
{
        struct green_op *op = iocp_op_of(request);

        if (op->kind == GREEN_OP_ACCEPT)
                closesocket(iocp_own(op)->u.accept.socket);
        green__win32_unlink(&request->link);
        hub->in_flight--;
}
