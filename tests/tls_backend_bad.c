/*
 * What breaks: connections that are cut, bytes that are not TLS or were changed, files that are no good, memory that is
 * not there. Each fails alone, with its code, and takes nothing else with it.
 */
#include "tls_peers.h"

#include <errno.h>
#include <stdio.h>

static struct pair pair; /* large */

/* Would the context be made? The code, with a text. */
static int
refused(const struct green__tls_backend *tls, const struct green__tls_config *config)
{
        void *context = NULL;
        char why[200] = "";
        int code = tls->context_new(config, &context, why, sizeof why);

        if (code == 0)
                tls->context_free(context);
        else if (!CHECK(why[0] != '\0'))
                FAIL("%d has no text", code);
        CHECK(code == 0 || context == NULL);
        return code;
}

static void
set(const char **member, size_t *len, const char *text)
{
        *member = text;
        *len = text == NULL ? 0 : strlen(text) + 1;
}

static void
a_context_is_not_made_of_rubbish(void)
{
        static const char *const rubbish[] = {
                "",
                "certificate",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "-----BEGIN CERTIFICATE-----\n",
                "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
                "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n",
        };

        for (int b = 0; b < peers_count; b++)
                for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
                        const struct green__tls_backend *tls = peers_backends[b];
                        struct green__tls_config config = peers_server();

                        CHECK_INT(refused(tls, &config), 0);
                        set(&config.cert_pem, &config.cert_pem_len, rubbish[i]);
                        CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                        config = peers_server();
                        set(&config.key_pem, &config.key_pem_len, rubbish[i]);
                        CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                        config = peers_client();
                        set(&config.ca_pem, &config.ca_pem_len, rubbish[i]);
                        CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                        config = peers_client();
                        set(&config.crl_pem, &config.crl_pem_len, rubbish[i]);
                        CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                }
}

static void
a_certificate_that_is_cut_short_is_rubbish(void)
{
        for (int b = 0; b < peers_count; b++) {
                struct green__tls_config config = peers_server();
                char text[2048];
                size_t whole = config.cert_pem_len - 1;

                memcpy(text, config.cert_pem, whole);
                config.cert_pem = text;
                for (size_t len = 0; len < whole - 30; len += 7) {
                        text[len] = '\0';
                        config.cert_pem_len = len + 1;
                        CHECK_INT(refused(peers_backends[b], &config), GREEN_ETLSFILE);
                        text[len] = peers_server().cert_pem[len];
                }
        }
}

static void
a_chain_is_good_as_a_whole(void)
{
        for (int b = 0; b < peers_count; b++) {
                struct green__tls_config config = peers_server();
                char text[4096];

                snprintf(text, sizeof text, "%s\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                         config.cert_pem);
                set(&config.cert_pem, &config.cert_pem_len, text);
                CHECK_INT(refused(peers_backends[b], &config), GREEN_ETLSFILE);
        }
}

static void
a_key_has_to_fit_and_its_password_too(void)
{
        for (int b = 0; b < peers_count; b++) {
                const struct green__tls_backend *tls = peers_backends[b];
                struct green__tls_config config = peers_server();

                peers_cert(&config, "server.pem", "client.key");
                CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                peers_cert(&config, "server.pem", "rsa.key");
                CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                peers_cert(&config, "server.pem", "encrypted.key");
                CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                config.password = "wrong";
                CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                config.password = "";
                CHECK_INT(refused(tls, &config), GREEN_ETLSFILE);
                config.password = "secret";
                CHECK_INT(refused(tls, &config), 0);
        }
}

static void
options_that_mean_nothing_are_refused(void)
{
        static const char *const empty[] = {"", NULL};
        char name[300];
        const char *const longest[] = {name, NULL};

        memset(name, 'x', sizeof name);
        name[sizeof name - 1] = '\0';
        for (int b = 0; b < peers_count; b++) {
                const struct green__tls_backend *tls = peers_backends[b];
                struct green__tls_config config = peers_server();

                config.ciphers = "NO_SUCH_CIPHER";
                CHECK_INT(refused(tls, &config), -EINVAL);
                config.ciphers = "";
                CHECK_INT(refused(tls, &config), -EINVAL);
                config = peers_server();
                config.min_version = 0x301;
                CHECK_INT(refused(tls, &config), -EINVAL);
                config = peers_server();
                config.min_version = GREEN_TLS_1_3;
                config.max_version = GREEN_TLS_1_2;
                CHECK_INT(refused(tls, &config), -EINVAL);
                config = peers_server();
                config.alpn = empty;
                CHECK_INT(refused(tls, &config), -EINVAL);
                config.alpn = longest;
                CHECK_INT(refused(tls, &config), -EINVAL);
        }
}

/* Is it a code that a broken connection may have? */
static bool
is_bad(int code)
{
        return code <= GREEN_ETLS && code >= GREEN_ETLSAGREE;
}

/* Signatures differ by some bytes, so this handshake may have been shorter than the one that was measured. */
static bool
was_cut(const struct end *end, size_t cut)
{
        return end->code == GREEN_ETLSEOF || (end->code == 0 && end->in->carried <= cut);
}

static void
a_handshake_can_be_cut_at_every_byte(void)
{
        GREEN_COVERS("SSL-15");
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                size_t up, down;

                server.tickets = false;
                peers_open(&pair, &client, &server);
                up = pair.up.taken;
                down = pair.down.taken;
                CHECK(up > 200 && down > 400);
                for (size_t cut = 1; cut < up; cut++) {
                        peers_hang_up(&pair);
                        pair.up.cut = cut;
                        peers_connect(&pair, "localhost", NULL);
                        peers_shake(&pair);
                        if (!CHECK(was_cut(&pair.server, cut)))
                                break;
                }
                pair.up.cut = 0;
                for (size_t cut = 1; cut < down; cut++) {
                        peers_hang_up(&pair);
                        pair.down.cut = cut;
                        peers_connect(&pair, "localhost", NULL);
                        peers_shake(&pair);
                        if (!CHECK(was_cut(&pair.client, cut)))
                                break;
                }
                pair.down.cut = 0;
                peers_hang_up(&pair);
                peers_connect(&pair, "localhost", NULL);
                peers_shake(&pair);
                peers_talk(&pair);
                peers_close(&pair);
        }
}

static void
a_byte_that_was_changed_ends_the_handshake(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                size_t up, down, spoiled = 0;
                char buf[8];

                peers_open(&pair, &client, &server);
                up = pair.up.taken;
                down = pair.down.taken;
                for (size_t at = 1; at <= up + down; at += 3) {
                        peers_hang_up(&pair);
                        pair.up.flip = at <= up ? at : 0;
                        pair.down.flip = at <= up ? 0 : at - up;
                        peers_connect(&pair, "localhost", NULL);
                        peers_shake(&pair);
                        /* Under TLS 1.3 the client may learn of it with its first read, and some bytes mean nothing. */
                        if (pair.client.code == 0 && pair.server.code == 0)
                                continue;
                        spoiled++;
                        if (pair.client.code == 0 && pair.server.code != 0)
                                CHECK(is_bad((int)peers_read(&pair.client, buf, sizeof buf)));
                        CHECK(is_bad(pair.client.code) || is_bad(pair.server.code) ||
                              pair.client.code == GREEN__TLS_WANT_READ);
                }
                CHECK(spoiled > (up + down) / 3 / 2);
                pair.up.flip = pair.down.flip = 0;
                peers_close(&pair);
        }
}

static void
data_that_was_changed_is_not_given(void)
{
        PEERS_EACH(&pair)
        {
                for (size_t at = 1; at <= 30; at++) {
                        struct green__tls_config client = peers_client(), server = peers_server();
                        char buf[64];
                        int code;

                        if (peers_open(&pair, &client, &server)) {
                                pair.up.flip = pair.up.taken + at;
                                CHECK(peers_write(&pair.client, "0123456789", 10) == 10);
                                pair.up.closed = true;
                                code = (int)peers_read(&pair.server, buf, sizeof buf);
                                /* A length that was changed may ask for more than comes. */
                                CHECK(code == GREEN_ETLSPROTO || code == GREEN_ETLSEOF);
                                CHECK(code == GREEN_ETLSPROTO || at <= 5);
                                if (code == GREEN_ETLSPROTO) {
                                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), GREEN_ETLSPROTO);
                                        CHECK(pair.server.tls->write(pair.server.conn, "x", 1) < 0);
                                }
                        }
                        pair.up.flip = 0;
                        peers_close(&pair);
                }
        }
}

/* What the handshake says, whatever it announces before. */
static int
handshake_says(struct end *end)
{
        int code;

        do {
                end->send_again = false;
                code = end->tls->handshake(end->conn);
        } while (code == GREEN__TLS_WANT_WRITE && !end->send_again);
        return code;
}

static void
what_is_no_tls_is_told_as_such(void)
{
        static const char *const texts[] = {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
                                            "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"};

        GREEN_COVERS("SSL-15");
        PEERS_EACH(&pair)
        {
                for (int i = 0; i < 3; i++) {
                        struct green__tls_config client = peers_client(), server = peers_server();
                        size_t len = strlen(texts[i]);

                        if (!peers_contexts(&pair, &client, &server) || !peers_connect(&pair, "localhost", NULL))
                                return;
                        memcpy(pair.up.data, texts[i], len);
                        memcpy(pair.down.data, texts[i], len);
                        pair.up.end = pair.down.end = len;
                        CHECK_INT(pair.server.tls->handshake(pair.server.conn), GREEN_ETLSPROTO);
                        CHECK(pair.server.tls->why(pair.server.conn)[0] != '\0');
                        CHECK_INT(handshake_says(&pair.client), GREEN_ETLSPROTO);
                        /* The next connection of the same contexts knows nothing of it. */
                        peers_hang_up(&pair);
                        peers_connect(&pair, "localhost", NULL);
                        CHECK_INT(pair.server.tls->handshake(pair.server.conn), GREEN__TLS_WANT_READ);
                        peers_shake(&pair);
                        CHECK_INT(pair.server.code, 0);
                        peers_talk(&pair);
                        peers_close(&pair);
                }
        }
}

static void
codes_of_the_network_come_through(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                char byte;

                if (!peers_contexts(&pair, &client, &server) || !peers_connect(&pair, "localhost", NULL))
                        return;
                pair.up.broken = -ECONNRESET;
                CHECK_INT(pair.client.tls->handshake(pair.client.conn), -ECONNRESET);
                CHECK_INT(pair.server.tls->handshake(pair.server.conn), -ECONNRESET);
                pair.up.broken = 0;
                peers_close(&pair);
                if (peers_open(&pair, &client, &server)) {
                        pair.up.broken = -ECONNRESET;
                        CHECK_INT(peers_read(&pair.server, &byte, 1), -ECONNRESET);
                        CHECK_INT(peers_write(&pair.client, "x", 1), -ECONNRESET);
                        CHECK(pair.client.tls->why(pair.client.conn)[0] != '\0');
                        pair.up.broken = 0;
                }
                peers_close(&pair);
        }
}

/* One connection fails after each step of another. */
static void
a_failed_connection_leaves_the_others_alone(void)
{
        static struct pair bad;

        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server(), other = peers_server();
                bool done = false;

                peers_choose(&bad, peers_i_ / peers_count, peers_i_ % peers_count);
                peers_cert(&other, "other.pem", "server.key");
                if (!peers_contexts(&pair, &client, &server) || !peers_contexts(&bad, &client, &other) ||
                    !peers_connect(&pair, "localhost", NULL))
                        return;
                pair.up.portion = pair.down.portion = 50;
                for (int i = 0; i < 500 && !done; i++) {
                        struct end *end = i % 2 == 0 ? &pair.client : &pair.server;

                        if (end->code != 0)
                                end->code = end->tls->handshake(end->conn);
                        CHECK(end->code == 0 || end->code == GREEN__TLS_WANT_READ ||
                              end->code == GREEN__TLS_WANT_WRITE);
                        peers_connect(&bad, "localhost", NULL);
                        peers_shake(&bad);
                        CHECK_INT(bad.client.code, GREEN_ETLSVERIFY);
                        CHECK_INT(bad.server.code, GREEN_ETLSALERT);
                        peers_hang_up(&bad);
                        done = pair.client.code == 0 && pair.server.code == 0;
                }
                CHECK(done);
                peers_talk(&pair);
                peers_close(&pair);
                peers_close(&bad);
        }
}

/* The n-th allocation from the host fails: the call says so, or does without. */
static void
memory_may_be_missing_anywhere(void)
{
        static const char *const alpn[] = {"h2", NULL};

        PEERS_EACH(&pair)
        {
                for (long n = 1; n < 400; n++) {
                        struct green__tls_config client = peers_client(), server = peers_server();
                        struct green__tls_conn_config conn = {.size = sizeof conn};
                        const struct green__tls_backend *tls = pair.server.tls;
                        char why[200];
                        int code;
                        bool hit;

                        client.alpn = server.alpn = alpn;
                        peers_contexts(&pair, &client, &server);
                        peers_connect(&pair, "localhost", NULL);
                        peers_allocs = 0;
                        peers_fail_at = n;
                        peers_shake(&pair);
                        if (pair.client.code == 0 && pair.server.code == 0) {
                                struct green_tls_cert *cert = pair.client.tls->conn_peer_cert(pair.client.conn);
                                void *session = pair.client.tls->session_get(pair.client.conn);

                                CHECK(cert != NULL || errno == ENOENT || errno == ENOMEM);
                                pair.client.tls->session_free(session);
                                peers_free(cert);
                        } else {
                                CHECK(pair.client.tls->why(pair.client.conn) != NULL);
                                CHECK(pair.server.tls->why(pair.server.conn) != NULL);
                        }
                        if (peers_allocs < n) {
                                void *context = NULL, *made = NULL;

                                code = tls->context_new(&server, &context, why, sizeof why);
                                CHECK(code == 0 || code == -ENOMEM);
                                if (code == 0) {
                                        conn.server = true;
                                        code = tls->conn_new(context, &conn, &made);
                                        CHECK(code == 0 || code == -ENOMEM);
                                        if (code == 0)
                                                tls->conn_free(made);
                                        tls->context_free(context);
                                }
                        }
                        hit = peers_allocs >= n;
                        peers_fail_at = 0;
                        peers_close(&pair);
                        if (!hit)
                                break;
                        CHECK(n < 399);
                }
        }
}

GREEN_SUITE(tls_backend_bad){GREEN_TEST(a_context_is_not_made_of_rubbish),
                             GREEN_TEST(a_certificate_that_is_cut_short_is_rubbish),
                             GREEN_TEST(a_chain_is_good_as_a_whole),
                             GREEN_TEST(a_key_has_to_fit_and_its_password_too),
                             GREEN_TEST(options_that_mean_nothing_are_refused),
                             GREEN_TEST(a_handshake_can_be_cut_at_every_byte, .limit = 120),
                             GREEN_TEST(a_byte_that_was_changed_ends_the_handshake, .limit = 120),
                             GREEN_TEST(data_that_was_changed_is_not_given),
                             GREEN_TEST(what_is_no_tls_is_told_as_such),
                             GREEN_TEST(codes_of_the_network_come_through),
                             GREEN_TEST(a_failed_connection_leaves_the_others_alone),
                             GREEN_TEST(memory_may_be_missing_anywhere, .limit = 60),
                             GREEN_SUITE_END};
