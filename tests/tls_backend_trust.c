/*
 * Whom a back end believes: certificates, names, CRLs, callbacks, clients with certificates, sessions that are taken up
 * again.
 */
#include "tls_peers.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static struct pair pair; /* large */

/* Both contexts, one handshake for a name; the client's code. */
static int
client_says(const struct green__tls_config *client, const struct green__tls_config *server, const char *name)
{
        int code = 1;

        if (peers_contexts(&pair, client, server) && peers_connect(&pair, name, NULL)) {
                peers_shake(&pair);
                code = pair.client.code;
                if (code != 0) {
                        CHECK(pair.client.tls->why(pair.client.conn)[0] != '\0');
                        /* It stays so, and no byte of data comes through. */
                        CHECK_INT(pair.client.tls->handshake(pair.client.conn), code);
                        CHECK(pair.client.tls->write(pair.client.conn, "x", 1) < 0);
                        CHECK(pair.server.code != 0);
                } else {
                        CHECK_INT(pair.server.code, 0);
                        peers_talk(&pair);
                }
        }
        peers_close(&pair);
        return code;
}

static void
each_flaw_of_a_certificate_has_its_code(void)
{
        static const struct {
                const char *cert, *name;
                int code;
        } rows[] = {
                {"server.pem", "localhost", 0},
                {"server.pem", "EXAMPLE.test", 0},
                {"server.pem", "127.0.0.1", 0},
                {"server.pem", "::1", 0},
                {"server.pem", NULL, 0},
                {"chain.pem", "localhost", 0},
                {"server.pem", "example.org", GREEN_ETLSHOST},
                {"server.pem", "sub.example.test", GREEN_ETLSHOST},
                {"server.pem", "127.0.0.2", GREEN_ETLSHOST},
                {"server.pem", "::2", GREEN_ETLSHOST},
                {"server.pem", "server", GREEN_ETLSHOST}, /* the common name is not a name */
                {"wildcard.pem", "a.wild.test", 0},
                {"wildcard.pem", "A.WILD.TEST", 0},
                {"wildcard.pem", "wild.test", GREEN_ETLSHOST},
                {"wildcard.pem", "a.b.wild.test", GREEN_ETLSHOST},
                {"wildcard.pem", "awild.test", GREEN_ETLSHOST},
                {"expired.pem", "localhost", GREEN_ETLSEXPIRED},
                {"future.pem", "localhost", GREEN_ETLSEXPIRED},
                {"self.pem", "localhost", GREEN_ETLSVERIFY},
                {"other.pem", "localhost", GREEN_ETLSVERIFY},
                {"revoked.pem", "localhost", 0}, /* nobody asks a CRL */
        };

        GREEN_COVERS("SSL-12");
        PEERS_EACH(&pair)
        {
                for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                        struct green__tls_config client = peers_client(), server = peers_server();

                        peers_cert(&server, rows[i].cert, "server.key");
                        if (!CHECK_INT(client_says(&client, &server, rows[i].name), rows[i].code))
                                FAIL("%s for %s", rows[i].cert, rows[i].name);
                }
        }
}

static void
a_revoked_certificate_is_refused_by_who_has_the_crl(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                peers_crl(&client, "crl.pem");
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                peers_cert(&server, "revoked.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), GREEN_ETLSREVOKED);
                /* An authority in the chain that has no CRL has revoked nobody. */
                peers_cert(&server, "chain.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
        }
}

static void
who_verifies_nothing_takes_any_certificate(void)
{
        static const char *const certs[] = {"expired.pem", "self.pem", "other.pem", "wildcard.pem"};

        PEERS_EACH(&pair)
        {
                for (int i = 0; i < 4; i++) {
                        struct green__tls_config client = peers_client(), server = peers_server();

                        client.client_verify = GREEN_TLS_VERIFY_NONE;
                        client.ca_pem = NULL;
                        peers_cert(&server, certs[i], "server.key");
                        CHECK_INT(client_says(&client, &server, "localhost"), 0);
                }
        }
}

static void
who_trusts_the_certificate_itself_needs_no_authority(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                peers_ca(&client, "self.pem");
                peers_cert(&server, "self.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                CHECK_INT(client_says(&client, &server, "example.org"), GREEN_ETLSHOST);
        }
}

static void
a_common_name_is_no_name(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                peers_ca(&client, "cn.pem");
                peers_cert(&server, "cn.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), GREEN_ETLSHOST);
                CHECK_INT(client_says(&client, &server, NULL), 0);
        }
}

static void
an_authority_in_the_middle_can_be_trusted_alone(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                peers_ca(&client, "chain.pem");
                peers_cert(&server, "chain.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                peers_cert(&server, "server.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), GREEN_ETLSVERIFY);
        }
}

/* ---- verify callbacks */

struct seen {
        int calls, depth, code, answer;
        char subject[80];
};

static int
look(const struct green_tls_cert *cert, int depth, int code, void *arg)
{
        struct seen *seen = arg;

        seen->calls++;
        seen->depth = depth;
        seen->code = code;
        snprintf(seen->subject, sizeof seen->subject, "%s", cert->subject);
        return seen->answer == 1 ? code : seen->answer;
}

static void
a_callback_has_the_last_word(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                struct seen seen = {.answer = 1};

                client.verify_fn = look;
                client.verify_arg = &seen;
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                CHECK_INT(seen.calls, 1);
                CHECK_INT(seen.depth, 1);
                CHECK_INT(seen.code, 0);
                CHECK(strstr(seen.subject, "CN=server") != NULL);
                peers_cert(&server, "chain.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                CHECK_INT(seen.depth, 2);

                peers_cert(&server, "expired.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), GREEN_ETLSEXPIRED);
                CHECK_INT(seen.code, GREEN_ETLSEXPIRED);
                seen.answer = 0;
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                peers_cert(&server, "other.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "example.org"), 0);
                CHECK_INT(seen.code, GREEN_ETLSVERIFY);
                peers_cert(&server, "server.pem", "server.key");
                seen.answer = GREEN_ETLSREVOKED;
                CHECK_INT(client_says(&client, &server, "localhost"), GREEN_ETLSREVOKED);
                seen.answer = -EPERM;
                CHECK_INT(client_says(&client, &server, "localhost"), -EPERM);
                CHECK_INT(seen.calls, 7);
                seen.answer = 7;
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                /* No code that means that the handshake goes on. */
                seen.answer = -EAGAIN;
                CHECK(client_says(&client, &server, "localhost") < -1000);
        }
}

/* Who verifies nothing but looks itself, at a fingerprint for example, is asked too. */
static void
a_callback_is_asked_where_nothing_is_verified(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                struct seen seen = {.answer = 0};

                client.client_verify = GREEN_TLS_VERIFY_NONE;
                client.verify_fn = look;
                client.verify_arg = &seen;
                peers_cert(&server, "other.pem", "server.key");
                CHECK_INT(client_says(&client, &server, "localhost"), 0);
                CHECK_INT(seen.calls, 1);
                CHECK_INT(seen.code, 0);
                seen.answer = GREEN_ETLSVERIFY;
                CHECK_INT(client_says(&client, &server, "localhost"), GREEN_ETLSVERIFY);
        }
}

/* ---- clients with certificates */

/* The server's code for a client with this certificate. */
static int
server_says(const struct green__tls_config *client, const struct green__tls_config *server, bool want_cert)
{
        int code = 1;
        char byte;

        if (peers_contexts(&pair, client, server) && peers_connect(&pair, "localhost", NULL)) {
                peers_shake(&pair);
                code = pair.server.code;
                if (code == 0) {
                        struct green_tls_cert *cert = pair.server.tls->conn_peer_cert(pair.server.conn);

                        CHECK((cert != NULL) == want_cert);
                        if (cert != NULL)
                                CHECK(strstr(cert->subject, "CN=client") != NULL);
                        else
                                CHECK_INT(errno, ENOENT);
                        peers_free(cert);
                        peers_talk(&pair);
                } else {
                        /* The client is told, at once or with its first read. */
                        int told = pair.client.code != 0 ? pair.client.code : (int)peers_read(&pair.client, &byte, 1);

                        /* mbedTLS as a server of TLS 1.3 encrypts this with keys that the client has left already. */
                        if (pair.client.code != 0 || peers_exact(pair.server.tls) || told != GREEN_ETLSPROTO)
                                CHECK_INT(told, GREEN_ETLSALERT);
                }
        }
        peers_close(&pair);
        return code;
}

static void
servers_can_ask_for_a_certificate(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                struct green__tls_config known = client, other = client;

                peers_cert(&known, "client.pem", "client.key");
                peers_cert(&other, "other.pem", "server.key");
                CHECK_INT(server_says(&known, &server, false), 0);
                peers_ca(&server, "ca.pem");
                server.server_verify = GREEN_TLS_VERIFY_OPTIONAL;
                CHECK_INT(server_says(&known, &server, true), 0);
                CHECK_INT(server_says(&client, &server, false), 0);
                CHECK_INT(server_says(&other, &server, false), GREEN_ETLSVERIFY);
                server.server_verify = GREEN_TLS_VERIFY_REQUIRED;
                CHECK_INT(server_says(&known, &server, true), 0);
                CHECK_INT(server_says(&client, &server, false), GREEN_ETLSNOCERT);
                CHECK_INT(server_says(&other, &server, false), GREEN_ETLSVERIFY);
        }
}

static void
a_certificate_is_good_for_its_use_only(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                int code;

                peers_cert(&server, "client.pem", "client.key");
                code = client_says(&client, &server, NULL);
                /* mbedTLS as a server sees by itself that it has nothing to show. */
                CHECK(code == GREEN_ETLSVERIFY || (code == GREEN_ETLSALERT && !peers_exact(pair.server.tls)));
                server = peers_server();
                peers_cert(&client, "server.pem", "server.key");
                peers_ca(&server, "ca.pem");
                server.server_verify = GREEN_TLS_VERIFY_OPTIONAL;
                CHECK_INT(server_says(&client, &server, false), GREEN_ETLSVERIFY);
                server.server_verify = GREEN_TLS_VERIFY_REQUIRED;
                CHECK_INT(server_says(&client, &server, false), GREEN_ETLSVERIFY);
        }
}

static void
the_peers_certificate_can_be_read(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                if (peers_open(&pair, &client, &server)) {
                        struct green_tls_cert *cert = pair.client.tls->conn_peer_cert(pair.client.conn);
                        int names = 0;

                        if (CHECK(cert != NULL)) {
                                CHECK_STR(cert->subject, "O=green-net tests, CN=server");
                                CHECK_STR(cert->issuer, "O=green-net tests, CN=ca");
                                CHECK(cert->serial[0] != '\0');
                                CHECK_INT(cert->not_before, 1577836800);
                                CHECK_INT(cert->not_after, 4733510400);
                                CHECK(cert->der_len > 100 && *(const unsigned char *)cert->der == 0x30);
                                CHECK_STR(cert->names[0], "localhost");
                                CHECK_STR(cert->names[1], "example.test");
                                CHECK_STR(cert->names[2], "127.0.0.1");
                                CHECK_STR(cert->names[3], "::1");
                                while (cert->names[names] != NULL)
                                        names++;
                                CHECK_INT(names, 4);
                        }
                        peers_free(cert);
                        CHECK_PTR(pair.server.tls->conn_peer_cert(pair.server.conn), NULL);
                        CHECK_INT(errno, ENOENT);
                }
                peers_close(&pair);
        }
}

/* ---- sessions */

/* Connects again, perhaps to another server context: was the session taken up? */
static bool
resumes(const char *name, void *session)
{
        bool resumed = false;

        peers_hang_up(&pair);
        if (!peers_connect(&pair, name, session))
                return false;
        peers_shake(&pair);
        if (CHECK_INT(pair.client.code, 0) && CHECK_INT(pair.server.code, 0) && peers_talk(&pair)) {
                resumed = pair.client.tls->conn_resumed(pair.client.conn);
                CHECK_INT(pair.server.tls->conn_resumed(pair.server.conn), resumed);
        }
        return resumed;
}

/* A session of a first connection, which has carried a little. */
static void *
session_of(const struct green__tls_config *client, const struct green__tls_config *server)
{
        if (!peers_open(&pair, client, server) || !peers_talk(&pair))
                return NULL;
        return pair.client.tls->session_get(pair.client.conn);
}

static void
sessions_are_taken_up_again(void)
{
        PEERS_EACH(&pair)
        {
                for (int version = 0; version < 2; version++) {
                        struct green__tls_config client = peers_client(), server = peers_server();
                        void *session, *second;

                        client.max_version = version == 0 ? GREEN_TLS_1_2 : GREEN_TLS_ANY;
                        session = session_of(&client, &server);
                        if (CHECK(session != NULL)) {
                                CHECK(resumes("localhost", session));
                                second = pair.client.tls->session_get(pair.client.conn);
                                CHECK(second != NULL);
                                CHECK(second != NULL && resumes("localhost", second));
                                CHECK(!resumes("localhost", NULL));
                                CHECK(resumes("localhost", session));
                                pair.client.tls->session_free(second);
                        }
                        pair.client.tls->session_free(session);
                        peers_close(&pair);
                }
        }
}

static void
a_session_outlives_a_connection_that_was_cut(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                void *session = session_of(&client, &server);
                char byte;

                pair.down.closed = true;
                CHECK_INT(peers_read(&pair.client, &byte, 1), GREEN_ETLSEOF);
                CHECK(session != NULL && resumes("localhost", session));
                pair.client.tls->session_free(session);
                peers_close(&pair);
        }
}

static void
a_session_is_nothing_to_another_context_but_to_its_successor(void)
{
        PEERS_EACH(&pair)
        {
                for (int version = 0; version < 2; version++) {
                        struct green__tls_config client = peers_client(), server = peers_server();
                        void *session, *first, *other = NULL, *successor = NULL;
                        char why[200];

                        client.max_version = version == 0 ? GREEN_TLS_1_2 : GREEN_TLS_ANY;
                        session = session_of(&client, &server);
                        first = pair.server.context;
                        CHECK_INT(pair.server.tls->context_new(&server, &other, why, sizeof why), 0);
                        server.previous = first;
                        peers_cert(&server, "chain.pem", "server.key");
                        CHECK_INT(pair.server.tls->context_new(&server, &successor, why, sizeof why), 0);
                        pair.server.context = other;
                        CHECK(session != NULL && !resumes("localhost", session));
                        pair.server.context = successor;
                        CHECK(session != NULL && resumes("localhost", session));
                        /* The keys are the successor's as well as the first one's. */
                        peers_hang_up(&pair);
                        pair.server.tls->context_free(first);
                        CHECK(session != NULL && resumes("localhost", session));
                        pair.client.tls->session_free(session);
                        peers_close(&pair);
                        pair.server.tls->context_free(other);
                }
        }
}

static void
without_tickets_no_session_is_taken_up(void)
{
        PEERS_EACH(&pair)
        {
                for (int version = 0; version < 2; version++) {
                        struct green__tls_config client = peers_client(), server = peers_server();
                        void *session;

                        client.max_version = version == 0 ? GREEN_TLS_1_2 : GREEN_TLS_ANY;
                        server.tickets = false;
                        session = session_of(&client, &server);
                        CHECK(session == NULL || !resumes("localhost", session));
                        CHECK(session == NULL || !peers_exact(pair.server.tls));
                        pair.client.tls->session_free(session);
                        peers_close(&pair);
                }
        }
}

/* Keys change twice in a lifetime, and three are kept. */
static void
tickets_do_not_live_for_ever(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                struct timespec wait = {.tv_nsec = 400 * 1000 * 1000};
                void *session;

                if (!peers_exact(pair.server.tls))
                        continue; /* others count in seconds */
                server.ticket_lifetime = 0.2;
                session = session_of(&client, &server);
                nanosleep(&wait, NULL);
                CHECK(session != NULL && !resumes("localhost", session));
                pair.client.tls->session_free(session);
                /* But there are new ones. */
                session = pair.client.tls->session_get(pair.client.conn);
                CHECK(session != NULL && resumes("localhost", session));
                pair.client.tls->session_free(session);
                peers_close(&pair);
        }
}

/* A client that knows a server by its session does not see the certificate again. */
static void
a_session_is_not_taken_up_for_a_name_that_was_not_verified(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                void *session = session_of(&client, &server), *strict = NULL, *lax;
                char why[200];

                peers_hang_up(&pair);
                if (peers_connect(&pair, "example.org", session)) {
                        peers_shake(&pair);
                        CHECK_INT(pair.client.code, GREEN_ETLSHOST);
                }
                pair.client.tls->session_free(session);
                peers_close(&pair);

                /* Nor by one who demands what nobody has looked at. */
                client.client_verify = GREEN_TLS_VERIFY_NONE;
                peers_cert(&server, "other.pem", "server.key");
                session = session_of(&client, &server);
                client.client_verify = GREEN_TLS_VERIFY_REQUIRED;
                CHECK_INT(pair.client.tls->context_new(&client, &strict, why, sizeof why), 0);
                peers_hang_up(&pair);
                lax = pair.client.context;
                pair.client.context = strict;
                for (int i = 0; i < 2; i++) {
                        if (peers_connect(&pair, i == 0 ? "localhost" : NULL, session)) {
                                peers_shake(&pair);
                                CHECK_INT(pair.client.code, GREEN_ETLSVERIFY);
                        }
                        peers_hang_up(&pair);
                }
                pair.client.tls->session_free(session);
                peers_close(&pair);
                pair.client.tls->context_free(lax);
        }
}

/* ---- sessions and names */

static void *
always(void *arg, const char *name)
{
        return strcmp(name, "localhost") == 0 ? NULL : arg;
}

/* Who came in by the host that asks for nothing is not let in by the one that asks for a certificate. */
static void
a_session_of_one_host_opens_no_other(void)
{
        PEERS_EACH(&pair)
        {
                for (int version = 0; version < 2; version++) {
                        struct green__tls_config client = peers_client(), server = peers_server(), strict = server;
                        void *session, *guarded = NULL;
                        char why[200];

                        client.max_version = version == 0 ? GREEN_TLS_1_2 : GREEN_TLS_ANY;
                        strict.server_verify = GREEN_TLS_VERIFY_REQUIRED;
                        peers_ca(&strict, "ca.pem");
                        CHECK_INT(pair.server.tls->context_new(&strict, &guarded, why, sizeof why), 0);
                        server.sni_fn = always;
                        server.sni_arg = guarded;
                        session = session_of(&client, &server);
                        CHECK(session != NULL && resumes("localhost", session));
                        peers_hang_up(&pair);
                        if (peers_connect(&pair, "example.test", session)) {
                                peers_shake(&pair);
                                CHECK_INT(pair.server.code, GREEN_ETLSNOCERT);
                        }
                        pair.client.tls->session_free(session);
                        peers_close(&pair);
                        pair.server.tls->context_free(guarded);
                }
        }
}

/* In the client's first message the name comes first: now it comes last. */
static void
put_name_last(struct wire *wire)
{
        enum { RECORD = 5, HEAD = 4, VERSION_AND_RANDOM = 34 };
        unsigned char *at = wire->data + RECORD + HEAD + VERSION_AND_RANDOM, *end = wire->data + wire->end, moved[300];
        size_t len;

        at += 1 + at[0];
        at += 2 + (at[0] << 8 | at[1]);
        at += 1 + at[0];
        at += 2;
        while (at < end && (at[0] != 0 || at[1] != 0))
                at += 4 + (at[2] << 8 | at[3]);
        if (!CHECK(at < end))
                return;
        len = 4 + (size_t)(at[2] << 8 | at[3]);
        if (!CHECK(len < sizeof moved && at + len < end))
                return;
        memcpy(moved, at, len);
        memmove(at, at + len, (size_t)(end - at) - len);
        memcpy(end - len, moved, len);
}

/* Nor where the ticket is read before the name: the client has to show its certificate, and so is shown the server's.
 */
static void
a_session_of_one_host_opens_no_other_in_any_order(void)
{
        PEERS_EACH(&pair)
        {
                for (int host = 0; host < 2; host++) {
                        struct green__tls_config client = peers_client(), server = peers_server(), strict = server;
                        void *session, *guarded = NULL;
                        char why[200];

                        client.max_version = GREEN_TLS_1_2;
                        strict.server_verify = GREEN_TLS_VERIFY_REQUIRED;
                        peers_ca(&strict, "ca.pem");
                        CHECK_INT(pair.server.tls->context_new(&strict, &guarded, why, sizeof why), 0);
                        server.sni_fn = always;
                        server.sni_arg = guarded;
                        session = session_of(&client, &server);
                        peers_hang_up(&pair);
                        /* A session that was verified for any name, as far as the client knows. */
                        client.client_verify = GREEN_TLS_VERIFY_NONE;
                        pair.client.tls->context_free(pair.client.context);
                        CHECK_INT(pair.client.tls->context_new(&client, &pair.client.context, why, sizeof why), 0);
                        if (CHECK(session != NULL) &&
                            peers_connect(&pair, host == 0 ? "localhost" : "example.test", session)) {
                                CHECK_INT(pair.client.tls->handshake(pair.client.conn), GREEN__TLS_WANT_READ);
                                put_name_last(&pair.up);
                                for (int i = 0; i < 9; i++)
                                        pair.server.tls->handshake(pair.server.conn);
                                /* A certificate does not fit into a short answer. */
                                CHECK(pair.down.carried > 80);
                                CHECK((pair.down.carried < 400) == (host == 0));
                        }
                        pair.client.tls->session_free(session);
                        peers_close(&pair);
                        pair.server.tls->context_free(guarded);
                }
        }
}

GREEN_SUITE(tls_backend_trust){GREEN_TEST(each_flaw_of_a_certificate_has_its_code),
                               GREEN_TEST(a_revoked_certificate_is_refused_by_who_has_the_crl),
                               GREEN_TEST(who_verifies_nothing_takes_any_certificate),
                               GREEN_TEST(who_trusts_the_certificate_itself_needs_no_authority),
                               GREEN_TEST(a_common_name_is_no_name),
                               GREEN_TEST(an_authority_in_the_middle_can_be_trusted_alone),
                               GREEN_TEST(a_callback_has_the_last_word),
                               GREEN_TEST(a_callback_is_asked_where_nothing_is_verified),
                               GREEN_TEST(servers_can_ask_for_a_certificate),
                               GREEN_TEST(a_certificate_is_good_for_its_use_only),
                               GREEN_TEST(the_peers_certificate_can_be_read),
                               GREEN_TEST(sessions_are_taken_up_again),
                               GREEN_TEST(a_session_outlives_a_connection_that_was_cut),
                               GREEN_TEST(a_session_is_nothing_to_another_context_but_to_its_successor),
                               GREEN_TEST(without_tickets_no_session_is_taken_up),
                               GREEN_TEST(tickets_do_not_live_for_ever),
                               GREEN_TEST(a_session_is_not_taken_up_for_a_name_that_was_not_verified),
                               GREEN_TEST(a_session_of_one_host_opens_no_other),
                               GREEN_TEST(a_session_of_one_host_opens_no_other_in_any_order),
                               GREEN_SUITE_END};
