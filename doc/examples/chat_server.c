/*
 * Whatever line one participant sends, all others get: chat_server [ADDRESS]
 *
 * Try it with several `nc 127.0.0.1 3000`. It prints "listening on ADDRESS" once it takes connections.
 *
 * There is no lock: nothing else runs until a green thread waits, and tell_others() never does. It sends with
 * MSG_DONTWAIT, and a participant whose buffers are full, because nobody reads at the other end, is put out of the room
 * rather than allowed to hold up everybody.
 */
#include <green/net.h>
#include <stdio.h>
#include <string.h>

/* Somebody in the room, on the stack of the green thread that serves them. */
struct participant {
        struct participant *next;
        green_socket *socket;
        char name[GREEN_ADDR_TEXT_SIZE];
};

static struct participant *room;

static void
tell_others(const struct participant *from, const char *line, size_t len)
{
        char text[1200];
        int n = snprintf(text, sizeof text, "%s: %.*s\n", from->name, (int)len, line);

        for (struct participant *p = room; p != NULL; p = p->next)
                if (p != from && green_socket_send(p->socket, text, (size_t)n, MSG_DONTWAIT) != n)
                        green_socket_shutdown_safe(p->socket); /* their own green thread then sees the end */
}

static void
leave(struct participant *gone)
{
        struct participant **at = &room;

        while (*at != gone)
                at = &(*at)->next;
        *at = gone->next;
        tell_others(gone, "(left)", 6);
}

/* Read lines until the end. A line longer than the buffer goes out in pieces. */
static int
talk(struct participant *me)
{
        char buf[1024];
        size_t have = 0;

        for (;;) {
                ssize_t n = green_socket_recv(me->socket, buf + have, sizeof buf - have, 0);
                char *line = buf, *end;

                if (n <= 0)
                        return (int)n;
                have += (size_t)n;
                while ((end = memchr(line, '\n', have)) != NULL) {
                        tell_others(me, line, (size_t)(end - line));
                        have -= (size_t)(end + 1 - line);
                        line = end + 1;
                }
                memmove(buf, line, have);
                if (have == sizeof buf) {
                        tell_others(me, buf, have);
                        have = 0;
                }
        }
}

static int
chat(green_socket *client, const struct green_addr *peer, void *arg)
{
        struct participant me = {.next = room, .socket = client};
        int rc;

        (void)arg;
        green_addr_format(peer, me.name, sizeof me.name);
        room = &me;
        tell_others(&me, "(came)", 6);
        rc = talk(&me);
        leave(&me);
        return rc;
}

int
main(int argc, char **argv)
{
        green_socket *listener = green_listen(argc > 1 ? argv[1] : "127.0.0.1:3000", NULL);
        struct green_addr here;
        char text[GREEN_ADDR_TEXT_SIZE];
        int rc;

        if (listener == NULL || green_socket_getsockname(listener, &here) != 0)
                return fprintf(stderr, "chat_server: %s\n", green_last_error()->message), 1;
        green_addr_format(&here, text, sizeof text);
        printf("listening on %s\n", text);
        fflush(stdout);

        rc = green_serve(listener, chat, NULL, NULL);
        fprintf(stderr, "chat_server: %s\n", green_strerror(rc));
        green_socket_free(listener);
        return 1;
}
