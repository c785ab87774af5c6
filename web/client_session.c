/*
 * TLS sessions: what a new connection takes up of an earlier one to the same host and port.
 *
 * All connections of a client are verified by one context, and the name that was verified is a part of the key; TLS itself
 * looks at both once more. Who takes up a session does not see the certificate, so after a while it has to be seen again,
 * however many sessions have come of one another. Those of TLS 1.3 are used once: nobody on the way is to tell by them
 * which connections are the same client's (RFC 8446 C.4).
 */
#include "client_priv.h"

/* Nanoseconds from the sight of a certificate on. */
#define GOOD_FOR ((int64_t)7200 * 1000000000)

struct green__client_session {
        struct green__client_session *next; /* not used for longer */
        green_tls_session *session;
        int64_t seen; /* when its certificate was, in ns */
        bool once;
        char address[];
};

static struct green__client_session **
find(green_http_client *c, const char *address)
{
        struct green__client_session **at = &c->sessions;

        while (*at != NULL && strcmp((*at)->address, address) != 0)
                at = &(*at)->next;
        return at;
}

static void
drop(green_http_client *c, struct green__client_session **at)
{
        struct green__client_session *s = *at;

        *at = s->next;
        green_tls_session_unref(s->session);
        green_free(s);
        c->session_count--;
}

green_tls_session *
green__client_session_take(green_http_client *c, const char *address, int64_t now, int64_t *ret_seen)
{
        struct green__client_session **at = find(c, address), *s = *at;
        green_tls_session *session;

        if (s == NULL)
                return NULL;
        if (now - s->seen >= GOOD_FOR) {
                drop(c, at);
                return NULL;
        }
        session = green_tls_session_ref(s->session);
        *ret_seen = s->seen;
        if (s->once) {
                drop(c, at);
        } else {
                *at = s->next;
                s->next = c->sessions;
                c->sessions = s;
        }
        return session;
}

void
green__client_session_put(green_http_client *c, const char *address, green_tls_session *session, bool once, int64_t seen)
{
        size_t len = strlen(address) + 1;
        struct green__client_session *s = green_malloc(sizeof(*s) + len);

        green__client_session_forget(c, address);
        if (s == NULL) {
                green_tls_session_unref(session);
                return;
        }
        *s = (struct green__client_session){.next = c->sessions, .session = session, .seen = seen, .once = once};
        memcpy(s->address, address, len);
        c->sessions = s;
        if (++c->session_count > GREEN__CLIENT_SESSIONS) {
                struct green__client_session **last = &s->next;

                while ((*last)->next != NULL)
                        last = &(*last)->next;
                drop(c, last);
        }
}

void
green__client_session_forget(green_http_client *c, const char *address)
{
        struct green__client_session **at = find(c, address);

        if (*at != NULL)
                drop(c, at);
}

void
green__client_session_keep(struct green__link *l, const char *address)
{
        green_tls_session *session;

        if (!l->session_due)
                return;
        l->session_due = false;
        session = green_tls_session_get(l->socket);
        if (session != NULL)
                green__client_session_put(l->client, address, session, strcmp(green_tls_version(l->socket), "TLSv1.2") != 0,
                                   l->seen);
}

void
green__client_sessions_free(green_http_client *c)
{
        while (c->sessions != NULL)
                drop(c, &c->sessions);
}
