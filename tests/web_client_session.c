/*
 * TLS sessions that the HTTP client keeps: how many, how long, and for whom.
 */
#include "net_tls.h"

#include "../web/client_priv.h"

enum { SECOND = 1000000000 };
#define GOOD_FOR ((int64_t)7200 * SECOND)
#define SEEN ((int64_t)5 * SECOND)

static green_tls_session *
a_session(void)
{
        struct tls_pair p = tls_pair();
        green_tls_session *session;
        char byte;

        CHECK_INT(green_socket_send(p.server.s, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(p.client.s, &byte, 1, 0), 1);
        session = green_tls_session_get(p.client.s);
        CHECK(session != NULL);
        free_tls_pair(&p);
        return session;
}

/* Is it the one for there? */
static bool
is_taken(green_http_client *c, const char *address, int64_t now, const green_tls_session *want)
{
        int64_t seen = 0;
        green_tls_session *session = green__client_session_take(c, address, now, &seen);
        bool is = session == want;

        CHECK_INT(seen, session == NULL ? 0 : SEEN);
        green_tls_session_unref(session);
        return is;
}

static void
one_is_good_for_two_hours(void)
{
        green_http_client *c;
        green_tls_session *session;

        if (!has_tls())
                return;
        c = green_http_client_new(NULL);
        session = a_session();
        green__client_session_put(c, "a:443", green_tls_session_ref(session), false, SEEN);
        CHECK(is_taken(c, "a:443", SEEN, session));
        CHECK(is_taken(c, "a:443", SEEN + GOOD_FOR - 1, session));
        CHECK(is_taken(c, "a:444", SEEN, NULL));
        CHECK(is_taken(c, "b:443", SEEN, NULL));
        CHECK_INT(c->session_count, 1);
        CHECK(is_taken(c, "a:443", SEEN + GOOD_FOR, NULL));
        CHECK_INT(c->session_count, 0);
        CHECK(is_taken(c, "a:443", SEEN, NULL));
        green_tls_session_unref(session);
        green_http_client_free(c);
}

static void
some_are_taken_once(void)
{
        green_tls_session *session;
        green_http_client *c;

        if (!has_tls())
                return;
        c = green_http_client_new(NULL);
        session = a_session();
        green__client_session_put(c, "a:443", green_tls_session_ref(session), true, SEEN);
        CHECK(is_taken(c, "a:443", SEEN, session));
        CHECK(is_taken(c, "a:443", SEEN, NULL));
        CHECK_INT(c->session_count, 0);
        green_tls_session_unref(session);
        green_http_client_free(c);
}

static void
a_later_one_takes_the_place(void)
{
        green_tls_session *session, *later;
        green_http_client *c;

        if (!has_tls())
                return;
        c = green_http_client_new(NULL);
        session = a_session();
        later = a_session();
        green__client_session_put(c, "a:443", green_tls_session_ref(session), false, SEEN);
        green__client_session_put(c, "a:443", green_tls_session_ref(later), false, SEEN);
        CHECK_INT(c->session_count, 1);
        CHECK(is_taken(c, "a:443", SEEN, later));
        green__client_session_forget(c, "b:443");
        CHECK_INT(c->session_count, 1);
        green__client_session_forget(c, "a:443");
        CHECK(is_taken(c, "a:443", SEEN, NULL));
        /* Without memory there is none; the old one is not good any more. */
        green__client_session_put(c, "a:443", green_tls_session_ref(session), false, SEEN);
        memory_left = 0;
        green__client_session_put(c, "a:443", green_tls_session_ref(later), false, SEEN);
        memory_left = -1;
        CHECK(is_taken(c, "a:443", SEEN, NULL));
        CHECK_INT(c->session_count, 0);
        green_tls_session_unref(later);
        green_tls_session_unref(session);
        green_http_client_free(c);
}

static void
there_are_so_many_and_no_more(void)
{
        green_tls_session *session;
        green_http_client *c;
        char address[32];

        if (!has_tls())
                return;
        c = green_http_client_new(NULL);
        session = a_session();
        for (int i = 0; i < GREEN__CLIENT_SESSIONS; i++) {
                snprintf(address, sizeof address, "h%d:443", i);
                green__client_session_put(c, address, green_tls_session_ref(session), false, SEEN);
        }
        /* The one that was not used for longest goes. */
        CHECK(is_taken(c, "h0:443", SEEN, session));
        green__client_session_put(c, "more:443", green_tls_session_ref(session), false, SEEN);
        CHECK_INT(c->session_count, GREEN__CLIENT_SESSIONS);
        CHECK(is_taken(c, "h0:443", SEEN, session));
        CHECK(is_taken(c, "h1:443", SEEN, NULL));
        CHECK(is_taken(c, "h2:443", SEEN, session));
        CHECK(is_taken(c, "more:443", SEEN, session));
        green_tls_session_unref(session);
        green_http_client_free(c);
}

GREEN_SUITE(web_client_session){GREEN_TEST(one_is_good_for_two_hours), GREEN_TEST(some_are_taken_once),
                                GREEN_TEST(a_later_one_takes_the_place), GREEN_TEST(there_are_so_many_and_no_more),
                                GREEN_SUITE_END};
