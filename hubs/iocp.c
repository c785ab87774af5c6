/*
 * I/O completion ports, of Windows 8 and later: operations that run to completion, readiness by polls of the driver
 * below the sockets (AFD), wake() by a packet of our own.
 *
 * Here: the port and waiting. Readiness is in iocp_ready.c, operations are in iocp_op.c, win32.c has what the select
 * hub uses too.
 */
#include "iocp.h"

#include <errno.h>
#include <stdio.h>

static void
hub_iocp_close(struct green__iocp *hub)
{
        if (hub->afd != NULL)
                CloseHandle(hub->afd);
        if (hub->port != NULL)
                CloseHandle(hub->port);
        hub->afd = hub->port = NULL;
}

static int
hub_iocp_open(struct green__iocp *hub)
{
        int err = green__win32_start();

        if (err != 0)
                return err;
        hub->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
        if (hub->port == NULL)
                return green__win32_error(GetLastError());
        err = green__iocp_open_afd(hub);
        if (err != 0)
                hub_iocp_close(hub);
        return err;
}

static int
hub_iocp_probe(void)
{
        struct green__iocp hub = {.port = NULL};
        int err = hub_iocp_open(&hub);

        hub_iocp_close(&hub);
        return err;
}

static int
hub_iocp_init(const struct green_hub_config *config, void **ret_state)
{
        struct green__iocp *hub = config->realloc(NULL, sizeof *hub);
        int err;

        if (hub == NULL)
                return -ENOMEM;
        memset(hub, 0, sizeof *hub);
        hub->config = hub->entries.config = hub->ours.config = config;
        green__win32_list_init(&hub->dirty);
        green__win32_list_init(&hub->gone);
        green__win32_list_init(&hub->running);
        green__win32_list_init(&hub->ended);
        err = hub_iocp_open(hub);
        if (err != 0) {
                config->free(hub);
                return err;
        }
        *ret_state = hub;
        return 0;
}

/* ---- waiting */

/* Takes up to max reports into hub->batch; their number, 0 at the limit, or -errno. */
static int
hub_iocp_take(struct green__iocp *hub, int max, int64_t limit_ns)
{
        ULONG n = 0, most = max < GREEN__IOCP_BATCH ? (ULONG)max : GREEN__IOCP_BATCH;
        DWORD code;

        if (GetQueuedCompletionStatusEx(hub->port, hub->batch, most, &n, green__win32_milliseconds(limit_ns), FALSE))
                return (int)n;
        code = GetLastError();
        return code == WAIT_TIMEOUT ? 0 : green__win32_error(code);
}

/*
 * The number of a socket that was tied to our port, and closed, may be that of one now which is tied to another hub's.
 * An operation on it comes out there, and is sent on.
 */
static bool
hub_iocp_is_ours(struct green__iocp *hub, struct green__iocp_request *request, const OVERLAPPED_ENTRY *report)
{
        if (request->hub == hub)
                return true;
        (void)PostQueuedCompletionStatus(request->hub->port, report->dwNumberOfBytesTransferred, 0,
                                         &request->overlapped);
        return false;
}

/* A report that has brought a request back; NULL: it is another. */
static struct green__iocp_request *
hub_iocp_back(struct green__iocp *hub, const OVERLAPPED_ENTRY *report, bool *ret_woken)
{
        struct green__iocp_request *request = (struct green__iocp_request *)(void *)report->lpOverlapped;

        if (request == NULL) {
                /* A wake from here on posts again; one that came before counts as this one. */
                InterlockedExchange(&hub->woken, 0);
                *ret_woken = true;
                return NULL;
        }
        if (!hub_iocp_is_ours(hub, request, report))
                return NULL;
        request->in_flight = false;
        hub->requests--;
        return request;
}

static int
hub_iocp_reap(struct green__iocp *hub, int seen, struct green_hub_event *events, bool *ret_woken)
{
        int n = 0;

        for (int i = 0; i < seen; i++) {
                struct green__iocp_request *request = hub_iocp_back(hub, &hub->batch[i], ret_woken);

                if (request == NULL)
                        continue;
                n += request->is_op ? green__iocp_op_done(hub, request, &events[n])
                                    : green__iocp_ready(hub, request, &events[n]);
        }
        return n;
}

static int
hub_iocp_wait(void *state, struct green_hub_event *events, int max, int64_t timeout_ns)
{
        struct green__iocp *hub = state;
        int64_t now = timeout_ns > 0 ? green__win32_clock() : 0;
        int64_t end = timeout_ns < INT64_MAX - now ? now + timeout_ns : INT64_MAX;
        int64_t left = timeout_ns;

        for (;;) {
                bool woken = false;
                int n, seen = 0;

                green__iocp_fill(hub);
                n = green__iocp_report_ended(hub, events, max);
                n += green__iocp_report_gone(hub, events + n, max - n);
                if (n < max)
                        seen = hub_iocp_take(hub, max - n, n > 0 ? 0 : left);
                if (seen < 0)
                        return n > 0 ? n : seen;
                n += hub_iocp_reap(hub, seen, events + n, &woken);
                if (n > 0 || woken || (seen == 0 && timeout_ns == 0))
                        return n;
                if (timeout_ns <= 0)
                        continue;
                /* The system's clock for limits is coarse, and may be early. And reports may mean nothing to core. */
                left = end - green__win32_clock();
                if (left <= 0 && seen == 0)
                        return 0;
                left = left > 0 ? left : 0;
        }
}

static int
hub_iocp_wake(void *state)
{
        struct green__iocp *hub = state;
        DWORD saved = GetLastError(); /* of the code that asks */
        int err = 0;

        if (InterlockedExchange(&hub->woken, 1) == 0 && !PostQueuedCompletionStatus(hub->port, 0, 0, NULL)) {
                err = green__win32_error(GetLastError());
                InterlockedExchange(&hub->woken, 0);
        }
        SetLastError(saved);
        return err;
}

/* ---- the rest */

static int
hub_iocp_after_fork(void *state)
{
        (void)state;
        return -ENOSYS; /* there is no fork() */
}

static int
hub_iocp_describe(void *state, char *text, size_t len)
{
        const struct green__iocp *hub = state;
        const uint64_t *n = hub->counts;

        return snprintf(text, len,
                        "iocp; accept %llu, recv %llu, send %llu, connect %llu, read %llu, write %llu, poll %llu",
                        (unsigned long long)n[GREEN_OP_ACCEPT], (unsigned long long)n[GREEN_OP_RECV],
                        (unsigned long long)n[GREEN_OP_SEND], (unsigned long long)n[GREEN_OP_CONNECT],
                        (unsigned long long)n[GREEN_OP_READ], (unsigned long long)n[GREEN_OP_WRITE],
                        (unsigned long long)n[GREEN_OP_POLL]);
}

/* A port is no socket, and what waits for sockets does not wait for it. */
static green_fd
hub_iocp_pollfd(void *state)
{
        (void)state;
        return GREEN_INVALID_FD;
}

/* Cancels all, and waits until the system has let go: of the memory of operations, which is core's, and of entries. */
static void
hub_iocp_drain(struct green__iocp *hub)
{
        while (hub->requests > 0) {
                int seen;

                green__iocp_cancel_ops(hub);
                green__iocp_cancel_polls(hub);
                seen = hub_iocp_take(hub, GREEN__IOCP_BATCH, 5000000);
                for (int i = 0; i < seen; i++) {
                        bool woken;
                        struct green__iocp_request *request = hub_iocp_back(hub, &hub->batch[i], &woken);
                        struct green_hub_event unused;

                        if (request != NULL && request->is_op)
                                green__iocp_op_drop(hub, request);
                        else if (request != NULL)
                                (void)green__iocp_ready(hub, request, &unused);
                }
        }
}

static void
hub_iocp_fini(void *state)
{
        struct green__iocp *hub = state;
        const struct green_hub_config *config = hub->config;

        hub_iocp_drain(hub);
        hub_iocp_close(hub);
        green__iocp_free_entries(hub);
        green__win32_clear(&hub->ours);
        config->free(hub);
}

GREEN_HUB_DEFINE(iocp) = {
        .abi = GREEN_HUB_ABI,
        .size = sizeof(struct green_hub_ops),
        .name = "iocp",
        .features = GREEN_HUB_CAN_ONESHOT | GREEN_HUB_CAN_SUBMIT,
        .probe = hub_iocp_probe,
        .init = hub_iocp_init,
        .add = green__iocp_add,
        .modify = green__iocp_modify,
        .remove = green__iocp_remove,
        .wait = hub_iocp_wait,
        .wake = hub_iocp_wake,
        .after_fork = hub_iocp_after_fork,
        .describe = hub_iocp_describe,
        .pollfd = hub_iocp_pollfd,
        .submit = green__iocp_submit,
        .cancel = green__iocp_cancel,
        .fini = hub_iocp_fini,
};
