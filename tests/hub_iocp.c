/*
 * The iocp hub where it is unlike others: handles that are tied to a port, numbers that are given out again, datagrams,
 * IPv6, storms of changes. What every hub must do is in hub_conformance.
 */
#include <green/error.h>

#include "../core/hub_load.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#define SOON INT64_C(5000000000)
#define A_WHILE INT64_C(20000000)

static const struct green_hub_ops *ops;

/* Blocks that hubs hold. */
static long blocks;

static void *
counted_realloc(void *old, size_t len)
{
        blocks += old == NULL;
        return realloc(old, len);
}

static void
counted_free(void *old)
{
        blocks -= old != NULL;
        free(old);
}

static void
say(int level, const char *message)
{
        printf("hub says (%d): %s\n", level, message);
}

static const struct green_hub_config config = {
        .size = sizeof(struct green_hub_config),
        .realloc = counted_realloc,
        .free = counted_free,
        .log = say,
};

static void *
hub_open(void)
{
        void *hub = NULL;

        return CHECK_INT(ops->init(&config, &hub), 0) ? hub : NULL;
}

/* ---- sockets */

static SOCKET
socket_of(int family, int type)
{
        SOCKET s = WSASocketW(family, type, 0, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
        u_long one = 1;

        CHECK(s != INVALID_SOCKET);
        CHECK_INT(ioctlsocket(s, (long)FIONBIO, &one), 0);
        return s;
}

/* Bound to a port of this machine. */
static bool
bind_here(SOCKET s, struct sockaddr_in *addr)
{
        int len = sizeof *addr;

        memset(addr, 0, sizeof *addr);
        addr->sin_family = AF_INET;
        addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return CHECK_INT(bind(s, (struct sockaddr *)addr, len), 0) &&
               CHECK_INT(getsockname(s, (struct sockaddr *)addr, &len), 0);
}

/* Two datagram sockets that send to each other: they are ready at once, whatever came before. */
static bool
make_pair(SOCKET pair[2])
{
        struct sockaddr_in addrs[2];

        for (int i = 0; i < 2; i++) {
                pair[i] = socket_of(AF_INET, SOCK_DGRAM);
                if (!bind_here(pair[i], &addrs[i]))
                        return false;
        }
        return CHECK_INT(connect(pair[0], (struct sockaddr *)&addrs[1], sizeof addrs[1]), 0) &&
               CHECK_INT(connect(pair[1], (struct sockaddr *)&addrs[0], sizeof addrs[0]), 0);
}

static void
close_pair(SOCKET pair[2])
{
        closesocket(pair[0]);
        closesocket(pair[1]);
}

/* ---- operations */

struct work {
        struct green_op op;
        struct green_iovec iov;
        char bytes[16];
        int reported;
};

static struct green_op *
prepare(struct work *work, enum green_op_kind kind, SOCKET s, size_t len)
{
        memset(work, 0, sizeof *work);
        work->iov = (struct green_iovec){work->bytes, len};
        work->op = (struct green_op){.kind = kind, .fd = s, .iov = &work->iov, .iov_count = len > 0, .offset = -1};
        return &work->op;
}

/* The next report is of this operation; its result. */
static int64_t
result_of(void *hub, const struct green_op *op)
{
        struct green_hub_event event = {.op = NULL};

        CHECK_INT(ops->wait(hub, &event, 1, SOON), 1);
        CHECK_PTR(event.op, op);
        return op->result;
}

/* ---- handles that are tied to another port */

static void
a_socket_of_another_port_is_left_to_readiness(void)
{
        HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
        struct green_hub_event event;
        void *hub = hub_open();
        struct work work;
        SOCKET pair[2];

        if (hub == NULL || !make_pair(pair))
                return;
        CHECK_PTR(CreateIoCompletionPort((HANDLE)pair[0], port, 0, 0), port);
        CHECK_INT(ops->submit(hub, prepare(&work, GREEN_OP_RECV, pair[0], 4)), -ENOTSUP);
        CHECK_INT(ops->submit(hub, prepare(&work, GREEN_OP_SEND, pair[0], 4)), -ENOTSUP);
        /* That needs no port. */
        CHECK_INT(ops->add(hub, pair[0], GREEN_READ | GREEN_HUB_ONESHOT, 5), 0);
        CHECK_INT(send(pair[1], "ready", 5, 0), 5);
        CHECK_INT(ops->wait(hub, &event, 1, SOON), 1);
        CHECK_INT(event.token, 5);
        ops->fini(hub);
        CHECK_INT(blocks, 0);
        close_pair(pair);
        CloseHandle(port);
}

static void
a_socket_of_another_hub_is_left_to_readiness(void)
{
        void *first = hub_open(), *second = hub_open();
        struct green_hub_event event;
        struct work work;
        SOCKET pair[2];

        if (first == NULL || second == NULL || !make_pair(pair))
                return;
        CHECK_INT(send(pair[1], "one", 3, 0), 3);
        CHECK_INT(ops->submit(first, prepare(&work, GREEN_OP_RECV, pair[0], 4)), 0);
        CHECK_INT(result_of(first, &work.op), 3);
        CHECK_INT(ops->submit(second, prepare(&work, GREEN_OP_RECV, pair[0], 4)), -ENOTSUP);
        CHECK_INT(ops->add(second, pair[0], GREEN_READ, 9), 0);
        CHECK_INT(send(pair[1], "two", 3, 0), 3);
        CHECK_INT(ops->wait(second, &event, 1, SOON), 1);
        CHECK_INT(event.token, 9);
        ops->fini(first);
        ops->fini(second);
        CHECK_INT(blocks, 0);
        close_pair(pair);
}

/*
 * What <green/io.h> says of a descriptor that was given back after an operation: no other port takes it; plain calls work, and
 * overlapped ones that keep from ports, of which the hub hears nothing.
 */
static void
a_handle_that_was_given_back_stays_tied(void)
{
        HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1), done = CreateEventW(NULL, TRUE, FALSE, NULL);
        OVERLAPPED overlapped = {.hEvent = (HANDLE)((ULONG_PTR)done | 1)};
        void *hub = hub_open();
        struct green_hub_event event;
        DWORD n = 0, flags = 0;
        struct work work;
        WSABUF buffer = {.len = 8, .buf = work.bytes};
        SOCKET pair[2];

        if (hub == NULL || !make_pair(pair))
                return;
        CHECK_INT(send(pair[1], "one", 3, 0), 3);
        CHECK_INT(ops->submit(hub, prepare(&work, GREEN_OP_RECV, pair[0], 4)), 0);
        CHECK_INT(result_of(hub, &work.op), 3);
        CHECK_PTR(CreateIoCompletionPort((HANDLE)pair[0], port, 0, 0), NULL);
        CHECK_INT(GetLastError(), ERROR_INVALID_PARAMETER);
        CHECK_INT(send(pair[0], "two", 3, 0), 3);
        CHECK_INT(recv(pair[1], work.bytes, sizeof work.bytes, 0), 3);
        if (WSARecv(pair[0], &buffer, 1, NULL, &flags, &overlapped, NULL) != 0)
                CHECK_INT(WSAGetLastError(), WSA_IO_PENDING);
        CHECK_INT(send(pair[1], "three", 5, 0), 5);
        CHECK_INT(WaitForSingleObject(done, (DWORD)(SOON / 1000000)), WAIT_OBJECT_0);
        CHECK(WSAGetOverlappedResult(pair[0], &overlapped, &n, FALSE, &flags));
        CHECK_INT(n, 5);
        CHECK_INT(ops->wait(hub, &event, 1, A_WHILE), 0);
        ops->fini(hub);
        CHECK_INT(blocks, 0);
        close_pair(pair);
        CloseHandle(done);
        CloseHandle(port);
}

/* Opens datagram sockets until one has this number, which was closed just now. */
static bool
open_again(SOCKET number)
{
        SOCKET others[64];
        bool found = false;
        int n = 0;

        while (!found && n < 64) {
                others[n] = socket_of(AF_INET, SOCK_DGRAM);
                found = others[n] == number;
                n += !found;
        }
        while (n > 0)
                closesocket(others[--n]);
        if (!found)
                suite_skip("the number of a socket that was closed is not given out again");
        return found;
}

/* The first hub takes the number for its own, and the report of its operation comes out at the port of the second. */
static void
a_report_that_comes_out_at_another_hub_is_sent_on(void)
{
        void *first = hub_open(), *second = hub_open();
        struct green_hub_event event;
        struct sockaddr_in addr;
        struct work work;
        SOCKET s = socket_of(AF_INET, SOCK_DGRAM);

        if (first == NULL || second == NULL || !bind_here(s, &addr))
                return;
        CHECK_INT(connect(s, (struct sockaddr *)&addr, sizeof addr), 0);
        CHECK_INT(ops->submit(first, prepare(&work, GREEN_OP_SEND, s, 4)), 0);
        CHECK_INT(result_of(first, &work.op), 4);
        closesocket(s);
        if (open_again(s) && bind_here(s, &addr)) {
                CHECK_INT(connect(s, (struct sockaddr *)&addr, sizeof addr), 0);
                CHECK_INT(ops->submit(second, prepare(&work, GREEN_OP_SEND, s, 3)), 0);
                CHECK_INT(result_of(second, &work.op), 3);
                CHECK_INT(ops->submit(first, prepare(&work, GREEN_OP_RECV, s, 4)), 0);
                CHECK_INT(ops->wait(second, &event, 1, A_WHILE), 0);
                CHECK_INT(result_of(first, &work.op), 3);
                closesocket(s);
        }
        ops->fini(first);
        ops->fini(second);
        CHECK_INT(blocks, 0);
}

/* ---- messages */

static void
a_datagram_that_does_not_fit_is_cut(void)
{
        void *hub = hub_open();
        struct work work;
        SOCKET pair[2];

        if (hub == NULL || !make_pair(pair))
                return;
        for (int round = 0; round < 2; round++) {
                /* There already, or not yet. */
                if (round == 0)
                        CHECK_INT(send(pair[1], "too long", 8, 0), 8);
                CHECK_INT(ops->submit(hub, prepare(&work, GREEN_OP_RECV, pair[0], 3)), 0);
                if (round == 1)
                        CHECK_INT(send(pair[1], "too long", 8, 0), 8);
                CHECK_INT(result_of(hub, &work.op), 3);
                CHECK(memcmp(work.bytes, "too", 3) == 0);
        }
        ops->fini(hub);
        CHECK_INT(blocks, 0);
        close_pair(pair);
}

enum {
        PIECES = 40,
};

static void
a_datagram_of_many_pieces_is_one(void)
{
        struct green_iovec in[PIECES], out[PIECES];
        char sent[2 * PIECES], got[2 * PIECES] = "";
        struct green_op receive = {.kind = GREEN_OP_RECV, .iov = in, .iov_count = PIECES, .offset = -1};
        struct green_op send_op = {.kind = GREEN_OP_SEND, .iov = out, .iov_count = PIECES, .offset = -1};
        void *hub = hub_open();
        SOCKET pair[2];

        if (hub == NULL || !make_pair(pair))
                return;
        for (int i = 0; i < PIECES; i++) {
                memcpy(sent + 2 * i, (char[2]){(char)i, (char)~i}, 2);
                out[i] = (struct green_iovec){sent + 2 * i, 2};
                in[i] = (struct green_iovec){got + 2 * i, 2};
        }
        send_op.fd = pair[1];
        receive.fd = pair[0];
        CHECK_INT(ops->submit(hub, &send_op), 0);
        CHECK_INT(result_of(hub, &send_op), sizeof sent);
        CHECK_INT(ops->submit(hub, &receive), 0);
        CHECK_INT(result_of(hub, &receive), sizeof sent);
        CHECK(memcmp(sent, got, sizeof sent) == 0);
        ops->fini(hub);
        CHECK_INT(blocks, 0);
        close_pair(pair);
}

static void
connections_of_ipv6_are_made(void)
{
        struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, peer;
        SOCKET listener = socket_of(AF_INET6, SOCK_STREAM), client = socket_of(AF_INET6, SOCK_STREAM);
        struct green_op accepting = {.kind = GREEN_OP_ACCEPT, .fd = listener, .name = &peer, .name_size = sizeof peer};
        struct green_op connecting = {.kind = GREEN_OP_CONNECT, .fd = client, .name = &addr, .name_size = sizeof addr};
        int len = sizeof addr, n = 0;
        void *hub = hub_open();

        if (hub == NULL)
                return;
        if (bind(listener, (struct sockaddr *)&addr, len) != 0) {
                suite_skip("there is no IPv6 here");
        } else {
                CHECK_INT(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
                CHECK_INT(listen(listener, 5), 0);
                CHECK(ops->submit(hub, &accepting) == 0 && ops->submit(hub, &connecting) == 0);
                while (n < 2) {
                        struct green_hub_event event;

                        if (!CHECK_INT(ops->wait(hub, &event, 1, SOON), 1))
                                break;
                        n++;
                }
                CHECK_INT(connecting.result, 0);
                CHECK_INT(accepting.name_size, sizeof peer);
                CHECK_INT(peer.sin6_family, AF_INET6);
                /* Both know who they are connected to. */
                CHECK_INT(getpeername((SOCKET)accepting.result, (struct sockaddr *)&peer, &len), 0);
                CHECK_INT(getpeername(client, (struct sockaddr *)&peer, &len), 0);
                CHECK_INT(shutdown((SOCKET)accepting.result, SD_SEND), 0);
                closesocket((SOCKET)accepting.result);
        }
        ops->fini(hub);
        CHECK_INT(blocks, 0);
        closesocket(listener);
        closesocket(client);
}

/* ---- storms */

static unsigned
next_random(unsigned *seed)
{
        *seed = *seed * 1103515245u + 12345u;
        return *seed >> 16;
}

enum {
        SLOTS = 12,
        TURNS = 3000,
};

/* A pair that comes and goes; the first of it is registered, or not. */
struct slot {
        SOCKET pair[2];
        bool registered;
        uint32_t token; /* that it was registered with last */
};

/* No event is of one that was removed before. */
static void
look(void *hub, const struct slot *slots)
{
        struct green_hub_event events[8];
        int n = ops->wait(hub, events, 8, 0);

        CHECK(n >= 0);
        for (int i = 0; i < n; i++) {
                const struct slot *slot = &slots[events[i].token >> 32];

                CHECK(slot->registered && slot->token == (uint32_t)events[i].token);
        }
}

static void
change(void *hub, struct slot *slot, uint64_t which, unsigned what)
{
        uint32_t interest = (what & 16 ? GREEN_READ : GREEN_WRITE) | (what & 32 ? GREEN_HUB_ONESHOT : 0);

        switch (what % 5) {
        case 0:
                if (slot->registered)
                        CHECK_INT(ops->remove(hub, slot->pair[0]), 0);
                slot->registered = false;
                break;
        case 1:
                /* The numbers are those of the next pair. */
                if (slot->registered)
                        CHECK_INT(ops->remove(hub, slot->pair[0]), 0);
                slot->registered = false;
                close_pair(slot->pair);
                CHECK(make_pair(slot->pair));
                break;
        case 2:
                CHECK_INT(send(slot->pair[1], "x", 1, 0), 1);
                break;
        default:
                slot->token++;
                CHECK_INT((slot->registered ? ops->modify : ops->add)(hub, slot->pair[0], interest,
                                                                      which << 32 | slot->token),
                          0);
                slot->registered = true;
        }
}

static void
a_storm_of_changes_brings_no_stale_event(void)
{
        struct slot slots[SLOTS];
        void *hub = hub_open();
        unsigned seed = 3;

        if (hub == NULL)
                return;
        for (int i = 0; i < SLOTS; i++) {
                slots[i] = (struct slot){.registered = false};
                if (!make_pair(slots[i].pair))
                        return;
        }
        for (int turn = 0; turn < TURNS && suite_failures() == 0; turn++) {
                unsigned which = next_random(&seed) % SLOTS;

                change(hub, &slots[which], which, next_random(&seed));
                if (next_random(&seed) % 3 == 0)
                        look(hub, slots);
        }
        ops->fini(hub);
        CHECK_INT(blocks, 0);
        for (int i = 0; i < SLOTS; i++)
                close_pair(slots[i].pair);
}

enum {
        WORKS = 16,
        ROUNDS = 60,
};

/* Begins receives, and ends each somehow; the sockets are closed before the reports. */
static void
one_round(void *hub, unsigned *seed)
{
        static struct work works[WORKS];
        SOCKET pairs[WORKS][2];
        int left = 0;

        for (int i = 0; i < WORKS && make_pair(pairs[i]); i++) {
                unsigned how = next_random(seed);

                if (how & 1)
                        CHECK_INT(send(pairs[i][1], "y", 1, 0), 1);
                prepare(&works[i], how & 2 ? GREEN_OP_RECV : GREEN_OP_POLL, pairs[i][0], 1);
                if (works[i].op.kind == GREEN_OP_POLL)
                        works[i].op.flags = GREEN_READ;
                CHECK_INT(ops->submit(hub, &works[i].op), 0);
                left++;
        }
        for (int i = 0; i < WORKS; i++) {
                int err = ops->cancel(hub, &works[i].op);

                CHECK(err == 0 || err == -EINPROGRESS);
                works[i].reported += err == 0;
                left -= err == 0;
                close_pair(pairs[i]);
        }
        while (left-- > 0) {
                struct green_hub_event event = {.op = NULL};

                if (!CHECK_INT(ops->wait(hub, &event, 1, SOON), 1) || !CHECK(event.op != NULL))
                        break;
                ((struct work *)(void *)event.op)->reported++;
        }
        for (int i = 0; i < WORKS; i++) {
                CHECK_INT(works[i].reported, 1);
                CHECK(works[i].op.result == 1 || works[i].op.result == -ECANCELED);
        }
}

static void
a_storm_of_cancels_and_closes_reports_each_once(void)
{
        struct green_hub_event event;
        void *hub = hub_open();
        unsigned seed = 11;

        for (int round = 0; hub != NULL && round < ROUNDS && suite_failures() == 0; round++)
                one_round(hub, &seed);
        CHECK_INT(ops->wait(hub, &event, 1, A_WHILE), 0);
        ops->fini(hub);
        CHECK_INT(blocks, 0);
}

static void
find_hub(void)
{
        ops = green__hub_find("iocp");
        if (ops != NULL)
                return;
        fprintf(stderr, "hub_iocp: %s\n", green_last_error()->message);
        exit(99);
}
GREEN_SUITE_INIT(find_hub)

GREEN_SUITE(hub_iocp){
        GREEN_TEST(a_socket_of_another_port_is_left_to_readiness),
        GREEN_TEST(a_socket_of_another_hub_is_left_to_readiness),
        GREEN_TEST(a_handle_that_was_given_back_stays_tied),
        GREEN_TEST(a_report_that_comes_out_at_another_hub_is_sent_on),
        GREEN_TEST(a_datagram_that_does_not_fit_is_cut),
        GREEN_TEST(a_datagram_of_many_pieces_is_one),
        GREEN_TEST(connections_of_ipv6_are_made),
        GREEN_TEST(a_storm_of_changes_brings_no_stale_event, .limit = 60),
        GREEN_TEST(a_storm_of_cancels_and_closes_reports_each_once, .limit = 60),
        GREEN_SUITE_END,
};
