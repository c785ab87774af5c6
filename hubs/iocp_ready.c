/*
 * The iocp hub: readiness. See iocp.h.
 *
 * A port tells of what was done, not of what could be. But AFD, the driver below all sockets, can be asked to say when
 * a socket is ready: a request like any other, which comes back through the port. It looks at what is when it is made,
 * and is told once. So it is one-shot interest as it stands, and level interest when it is made anew in each wait().
 *
 * An entry has one such request. While the system has it the memory stays, also of one that was removed: then it is
 * freed when the request has come back.
 */
#include "iocp.h"

#include <errno.h>
#include <mswsock.h>

/* A socket that core has registered. */
struct green__iocp_entry {
        struct green__win32_node node;      /* first; in hub->entries */
        struct green__iocp_request request; /* link: in hub->dirty or hub->gone */
        struct green__iocp_poll poll;
        HANDLE base; /* what the driver knows the socket by */
        uint64_t token;
        uint32_t interest; /* as add() and modify() were told; 0: it is not registered any more */
        uint32_t asked;    /* the interest that the request in flight looks for */
        bool stale;        /* modify() came after it was made: what it finds is looked at anew */
};

/* IOCTL_AFD_POLL. */
#define IOCP_AFD_POLL 0x00012024u

#define IOCP_CANCELLED ((NTSTATUS)0xc0000120)

static struct green__iocp_entry *
iocp_entry_of(struct green__iocp_request *request)
{
        return (struct green__iocp_entry *)(void *)((char *)request - offsetof(struct green__iocp_entry, request));
}

static struct green__iocp_entry *
iocp_find(const struct green__iocp *hub, green_fd fd)
{
        return (struct green__iocp_entry *)(void *)green__win32_find(&hub->entries, fd);
}

int
green__iocp_open_afd(struct green__iocp *hub)
{
        static WCHAR path[] = L"\\Device\\Afd\\Green";
        UNICODE_STRING name = {.Length = sizeof path - sizeof path[0], .MaximumLength = sizeof path, .Buffer = path};
        OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes, .ObjectName = &name};
        IO_STATUS_BLOCK unused;
        NTSTATUS status = NtCreateFile(&hub->afd, SYNCHRONIZE, &attributes, &unused, NULL, 0,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0);

        if (!NT_SUCCESS(status)) {
                hub->afd = NULL;
                return green__win32_error(RtlNtStatusToDosError(status));
        }
        if (CreateIoCompletionPort(hub->afd, hub->port, 0, 0) == NULL)
                return green__win32_error(GetLastError());
        /* Nobody waits for the handle itself. */
        (void)SetFileCompletionNotificationModes(hub->afd, FILE_SKIP_SET_EVENT_ON_HANDLE);
        return 0;
}

int
green__iocp_base(green_fd fd, HANDLE *ret_base)
{
        int err = green__win32_check(fd);
        SOCKET base = INVALID_SOCKET;
        DWORD len;

        if (err != 0)
                return err;
        if (WSAIoctl((SOCKET)fd, SIO_BASE_HANDLE, NULL, 0, &base, sizeof base, &len, NULL, NULL) != 0)
                return green__win32_error((unsigned long)WSAGetLastError());
        *ret_base = (HANDLE)base;
        return 0;
}

int
green__iocp_poll_start(struct green__iocp *hub, struct green__iocp_request *request, struct green__iocp_poll *poll,
                       uint32_t interest)
{
        NTSTATUS status;

        poll->timeout = INT64_MAX;
        poll->sockets = 1;
        poll->exclusive = FALSE;
        poll->status = 0;
        poll->events = GREEN__AFD_ABORT | GREEN__AFD_CLOSED | GREEN__AFD_CONNECT_FAIL;
        if (interest & GREEN_READ)
                poll->events |= GREEN__AFD_RECEIVE | GREEN__AFD_URGENT | GREEN__AFD_ACCEPT | GREEN__AFD_DISCONNECT;
        if (interest & GREEN_WRITE)
                poll->events |= GREEN__AFD_SEND;
        memset(&request->overlapped, 0, sizeof request->overlapped);
        request->overlapped.Internal = (ULONG_PTR)STATUS_PENDING;
        request->cancelled = false;
        status = NtDeviceIoControlFile(hub->afd, NULL, NULL, &request->overlapped,
                                       (IO_STATUS_BLOCK *)(void *)&request->overlapped, IOCP_AFD_POLL, poll,
                                       sizeof *poll, poll, sizeof *poll);
        /* Also what is ready at once comes through the port. */
        if (!NT_SUCCESS(status))
                return green__win32_error(RtlNtStatusToDosError(status));
        request->in_flight = true;
        hub->requests++;
        hub->counts[GREEN_OP_POLL]++;
        return 0;
}

uint32_t
green__iocp_bits(const struct green__iocp_poll *poll, uint32_t interest)
{
        const uint32_t reads = GREEN__AFD_RECEIVE | GREEN__AFD_URGENT | GREEN__AFD_ACCEPT | GREEN__AFD_DISCONNECT;

        if (poll->sockets == 0)
                return 0;
        return (poll->events & reads ? interest & GREEN_READ : 0u) |
               (poll->events & GREEN__AFD_SEND ? interest & GREEN_WRITE : 0u) |
               (poll->events & (GREEN__AFD_ABORT | GREEN__AFD_CLOSED | GREEN__AFD_CONNECT_FAIL) ? GREEN_HUB_ERROR : 0u);
}

/* ---- registering */

static int
iocp_interest(uint32_t interest)
{
        return (interest & (GREEN_READ | GREEN_WRITE)) == 0 || (interest & GREEN_HUB_EDGE) != 0 ? -EINVAL : 0;
}

/* It is to be polled anew, from the next wait on. */
static void
iocp_want(struct green__iocp *hub, struct green__iocp_entry *entry)
{
        green__win32_unlink(&entry->request.link);
        green__win32_append(&hub->dirty, &entry->request.link);
}

static void
iocp_cancel(struct green__iocp *hub, struct green__iocp_request *request)
{
        if (!request->in_flight || request->cancelled)
                return;
        request->cancelled = true;
        /* It may have ended meanwhile: then it is on its way, and this does nothing. */
        (void)CancelIoEx(hub->afd, &request->overlapped);
}

int
green__iocp_add(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct green__iocp *hub = state;
        struct green__iocp_entry *entry;
        HANDLE base;
        int err = iocp_interest(interest);

        if (err == 0)
                err = green__iocp_base(fd, &base);
        if (err == 0 && iocp_find(hub, fd) != NULL)
                err = -EEXIST;
        if (err == 0)
                err = green__win32_reserve(&hub->entries);
        if (err != 0)
                return err;
        entry = hub->config->realloc(NULL, sizeof *entry);
        if (entry == NULL)
                return -ENOMEM;
        memset(entry, 0, sizeof *entry);
        entry->node.fd = fd;
        entry->request.hub = hub;
        entry->base = base;
        entry->token = token;
        entry->interest = interest;
        green__win32_put(&hub->entries, &entry->node);
        iocp_want(hub, entry);
        return 0;
}

int
green__iocp_modify(void *state, green_fd fd, uint32_t interest, uint64_t token)
{
        struct green__iocp *hub = state;
        struct green__iocp_entry *entry = iocp_find(hub, fd);
        int err = entry == NULL ? -ENOENT : iocp_interest(interest);

        if (err != 0)
                return err;
        entry->interest = interest;
        entry->token = token;
        entry->stale = entry->request.in_flight;
        iocp_want(hub, entry);
        return 0;
}

/* Unregisters it. */
static void
iocp_drop(struct green__iocp *hub, struct green__iocp_entry *entry)
{
        green__win32_take(&hub->entries, &entry->node);
        green__win32_unlink(&entry->request.link);
        entry->interest = 0;
        /* At once: until it has ended the socket stays open, whoever closes it. */
        if (entry->request.in_flight)
                iocp_cancel(hub, &entry->request);
        else
                hub->config->free(entry);
}

int
green__iocp_remove(void *state, green_fd fd)
{
        struct green__iocp *hub = state;
        struct green__iocp_entry *entry = iocp_find(hub, fd);

        if (entry == NULL)
                return -ENOENT;
        iocp_drop(hub, entry);
        return 0;
}

/* ---- waiting */

void
green__iocp_fill(struct green__iocp *hub)
{
        while (!green__win32_list_empty(&hub->dirty)) {
                struct green__iocp_entry *entry = iocp_entry_of(green__iocp_request_of(hub->dirty.next));
                uint32_t interest = entry->interest & (GREEN_READ | GREEN_WRITE);

                green__win32_unlink(&entry->request.link);
                if (entry->request.in_flight) {
                        /* It comes here again when the old one is back. The same question need not be asked twice. */
                        if (entry->asked != interest)
                                iocp_cancel(hub, &entry->request);
                        continue;
                }
                entry->stale = false;
                entry->asked = interest;
                entry->poll.socket = entry->base;
                if (green__iocp_poll_start(hub, &entry->request, &entry->poll, interest) != 0)
                        green__win32_append(&hub->gone, &entry->request.link);
        }
}

int
green__iocp_report_gone(struct green__iocp *hub, struct green_hub_event *events, int max)
{
        int n = 0;

        while (n < max && !green__win32_list_empty(&hub->gone)) {
                struct green__iocp_entry *entry = iocp_entry_of(green__iocp_request_of(hub->gone.next));

                green__win32_report(&events[n++], entry->token, GREEN_HUB_ERROR);
                iocp_drop(hub, entry);
        }
        return n;
}

bool
green__iocp_ready(struct green__iocp *hub, struct green__iocp_request *request, struct green_hub_event *event)
{
        struct green__iocp_entry *entry = iocp_entry_of(request);
        NTSTATUS status = green__iocp_status(request);
        uint32_t bits;

        if (entry->interest == 0) {
                hub->config->free(entry);
                return false;
        }
        if (entry->stale || status == IOCP_CANCELLED) {
                iocp_want(hub, entry);
                return false;
        }
        bits = NT_SUCCESS(status) ? green__iocp_bits(&entry->poll, entry->interest) : GREEN_HUB_ERROR;
        if (bits == 0) {
                iocp_want(hub, entry);
                return false;
        }
        green__win32_report(event, entry->token, bits);
        if (!NT_SUCCESS(status) || (entry->poll.events & GREEN__AFD_CLOSED))
                iocp_drop(hub, entry);
        else if (!(entry->interest & GREEN_HUB_ONESHOT))
                iocp_want(hub, entry);
        return true;
}

/* ---- the end */

void
green__iocp_cancel_polls(struct green__iocp *hub)
{
        /* Of those that were removed it has been asked already. */
        for (size_t i = 0; i < hub->entries.room; i++) {
                struct green__iocp_entry *entry = (struct green__iocp_entry *)(void *)hub->entries.places[i];

                if (entry != NULL)
                        iocp_cancel(hub, &entry->request);
        }
}

void
green__iocp_free_entries(struct green__iocp *hub)
{
        green__win32_clear(&hub->entries);
}
