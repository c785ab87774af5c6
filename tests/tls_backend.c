/*
 * What stands behind net/tls_backend.h: each back end as client and as server, against itself and the others. Here:
 * that connections work. tls_backend_trust.c asks whom they believe, tls_backend_bad.c breaks them.
 */
#include "tls_peers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct pair pair; /* large */

static void
handshakes_are_made_and_tell_what_was_agreed(void)
{
        static const char *const keys[][2] = {{"server.pem", "server.key"}, {"rsa.pem", "rsa.key"}};

        PEERS_EACH(&pair)
        {
                for (int i = 0; i < 2; i++) {
                        struct green__tls_config client = peers_client(), server = peers_server();

                        peers_cert(&server, keys[i][0], keys[i][1]);
                        if (peers_open(&pair, &client, &server)) {
                                const char *version = pair.client.tls->conn_version(pair.client.conn);
                                const char *cipher = pair.client.tls->conn_cipher(pair.client.conn);

                                CHECK(strncmp(version, "TLSv1.", 6) == 0);
                                CHECK_STR(pair.server.tls->conn_version(pair.server.conn), version);
                                CHECK(strncmp(cipher, "TLS_", 4) == 0);
                                CHECK_STR(pair.server.tls->conn_cipher(pair.server.conn), cipher);
                                CHECK_STR(pair.server.tls->conn_sni(pair.server.conn), "localhost");
                                CHECK_STR(pair.client.tls->conn_sni(pair.client.conn), NULL);
                                CHECK_STR(pair.client.tls->conn_alpn(pair.client.conn), NULL);
                                CHECK(!pair.client.tls->conn_resumed(pair.client.conn));
                                CHECK(!pair.server.tls->conn_resumed(pair.server.conn));
                                CHECK_INT(pair.client.tls->handshake(pair.client.conn), 0);
                                peers_talk(&pair);
                        }
                        peers_close(&pair);
                }
        }
}

static void
before_the_handshake_there_are_no_answers_and_no_data(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                const struct green__tls_backend *tls = pair.client.tls;
                char byte;

                if (!peers_contexts(&pair, &client, &server) || !peers_connect(&pair, "localhost", NULL))
                        return;
                CHECK_STR(tls->conn_version(pair.client.conn), NULL);
                CHECK_STR(tls->conn_cipher(pair.client.conn), NULL);
                CHECK_STR(tls->conn_alpn(pair.client.conn), NULL);
                CHECK(!tls->conn_resumed(pair.client.conn));
                CHECK_PTR(tls->conn_peer_cert(pair.client.conn), NULL);
                CHECK_INT(errno, ENOENT);
                CHECK_PTR(tls->session_get(pair.client.conn), NULL);
                CHECK_INT(tls->pending(pair.client.conn), 0);
                CHECK_INT(tls->leftover(pair.client.conn, &byte, 1), 0);
                CHECK(tls->read(pair.client.conn, &byte, 1, false) < 0);
                CHECK(tls->write(pair.client.conn, "x", 1) < 0);
                CHECK(tls->shutdown(pair.client.conn) < 0);
                peers_close(&pair);
        }
}

static void
the_network_may_be_awkward(void)
{
        GREEN_COVERS("SSL-01");
        PEERS_EACH(&pair)
        {
                for (unsigned again = 0; again <= 3; again++)
                        for (size_t portion = 1; portion <= 1000; portion = portion * 10 - 3) {
                                struct green__tls_config client = peers_client(), server = peers_server();

                                if (again == 1)
                                        continue;
                                pair.up.portion = pair.down.portion = portion;
                                pair.up.again = pair.down.again = again;
                                if (peers_open(&pair, &client, &server))
                                        peers_talk(&pair);
                                peers_close(&pair);
                        }
        }
}

/* A megabyte from one end to the other, through a wire that is often full. */
static void
carry(struct end *from, struct end *to, unsigned seed)
{
        enum { ALL = 1 << 20 };
        unsigned char *sent = malloc(ALL), *got = malloc(ALL);
        size_t put = 0, taken = 0, again = 0; /* again: how much the call was that is to be made again */

        for (size_t i = 0; i < ALL; i++)
                sent[i] = (unsigned char)((i * 2654435761u + seed) >> 13);
        while (taken < ALL) {
                size_t want = (seed = seed * 1103515245u + 12345) % 40000 + 1;
                ssize_t n;

                if (put < ALL) {
                        again = again != 0 ? again : want < ALL - put ? want : ALL - put;
                        n = peers_write(from, sent + put, again);
                        if (n != GREEN__TLS_WANT_WRITE && !CHECK(n > 0))
                                break;
                        again = n > 0 ? 0 : again;
                        put += n > 0 ? (size_t)n : 0;
                }
                n = peers_read(to, got + taken, want < ALL - taken ? want : ALL - taken);
                if (n != GREEN__TLS_WANT_READ && !CHECK(n > 0))
                        break;
                taken += n > 0 ? (size_t)n : 0;
        }
        CHECK_INT(taken, ALL);
        CHECK(taken == ALL && memcmp(sent, got, ALL) == 0);
        free(sent);
        free(got);
}

static void
a_megabyte_arrives_whole_each_way(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                pair.up.room = pair.down.room = 9000;
                pair.up.portion = pair.down.portion = 1500;
                pair.up.again = 3;
                pair.down.again = 2;
                if (peers_open(&pair, &client, &server)) {
                        carry(&pair.client, &pair.server, 1);
                        carry(&pair.server, &pair.client, 2);
                }
                peers_close(&pair);
        }
}

static void
bytes_that_are_there_are_pending_and_can_be_looked_at(void)
{
        GREEN_COVERS("SSL-02");
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                const struct green__tls_backend *tls = pair.server.tls;
                size_t taken;
                char buf[64];

                if (peers_open(&pair, &client, &server)) {
                        CHECK_INT(tls->pending(pair.server.conn), 0);
                        CHECK_INT(tls->read(pair.server.conn, buf, sizeof buf, false), GREEN__TLS_WANT_READ);
                        CHECK_INT(peers_write(&pair.client, "0123456789", 10), 10);
                        CHECK_INT(peers_write(&pair.client, "abc", 3), 3);
                        CHECK_INT(tls->read(pair.server.conn, buf, 4, true), 4);
                        CHECK(memcmp(buf, "0123", 4) == 0);
                        CHECK_INT(tls->read(pair.server.conn, buf, 4, false), 4);
                        CHECK(memcmp(buf, "0123", 4) == 0);
                        CHECK_INT(tls->pending(pair.server.conn), 6);
                        /* Without the network. */
                        pair.up.broken = -EIO;
                        CHECK_INT(tls->read(pair.server.conn, buf, 5, false), 5);
                        CHECK_INT(tls->pending(pair.server.conn), 1);
                        CHECK_INT(tls->read(pair.server.conn, buf, 5, true), 1);
                        CHECK_INT(tls->read(pair.server.conn, buf, 5, false), 1);
                        CHECK(buf[0] == '9');
                        /* A second record may have come with the first: then it is pending, and no call is needed for
                         * it. */
                        if (tls->pending(pair.server.conn) == 0)
                                pair.up.broken = 0;
                        CHECK_INT(tls->read(pair.server.conn, buf, sizeof buf, false), 3);
                        CHECK(memcmp(buf, "abc", 3) == 0);
                        CHECK_INT(tls->pending(pair.server.conn), 0);
                        /* A part of a record is not pending, and nobody asks for the rest of it. */
                        pair.up.broken = 0;
                        pair.up.portion = 40;
                        CHECK_INT(peers_write(&pair.client, "0123456789", 10), 10);
                        CHECK_INT(peers_write(&pair.client, "abc", 3), 3);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 10);
                        taken = pair.up.taken;
                        CHECK_INT(tls->pending(pair.server.conn), 0);
                        CHECK_INT(pair.up.taken, taken);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 3);
                        pair.up.portion = 0;
                }
                peers_close(&pair);
        }
}

static void
nothing_written_is_nothing_sent(void)
{
        GREEN_COVERS("SSL-16");
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                if (peers_open(&pair, &client, &server)) {
                        size_t before = pair.up.carried;

                        CHECK_INT(pair.client.tls->write(pair.client.conn, "", 0), 0);
                        CHECK_INT(pair.up.carried, before);
                        peers_talk(&pair);
                }
                peers_close(&pair);
        }
}

/* What the server has to say after the handshake, such as tickets, is read while a record of the client's is half sent. */
static void
a_record_that_is_half_sent_is_sent_once(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                char out[1000], in[1000];
                size_t got = 0;
                ssize_t n = 0;

                if (peers_open(&pair, &client, &server)) {
                        for (size_t i = 0; i < sizeof out; i++)
                                out[i] = (char)(i * 7 + i / 256);
                        pair.up.room = pair.up.end - pair.up.begin + 100;
                        CHECK_INT(pair.client.tls->write(pair.client.conn, out, sizeof out), GREEN__TLS_WANT_WRITE);
                        pair.up.room = 0;
                        CHECK_INT(peers_read(&pair.client, in, 1), GREEN__TLS_WANT_READ);
                        CHECK_INT(peers_write(&pair.client, out, sizeof out), sizeof out);
                        while (got < sizeof in && (n = peers_read(&pair.server, in + got, sizeof in - got)) > 0)
                                got += (size_t)n;
                        CHECK_INT(got, sizeof out);
                        CHECK(memcmp(in, out, sizeof out) == 0);
                        CHECK_INT(peers_read(&pair.server, in, sizeof in), GREEN__TLS_WANT_READ);
                        peers_talk(&pair);
                }
                peers_close(&pair);
        }
}

static void
goodbyes_are_told_from_a_cut(void)
{
        GREEN_COVERS("SSL-06");
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                char buf[8];

                if (peers_open(&pair, &client, &server)) {
                        CHECK_INT(peers_write(&pair.client, "last", 4), 4);
                        CHECK_INT(pair.client.tls->shutdown(pair.client.conn), 0);
                        CHECK_INT(pair.client.tls->shutdown(pair.client.conn), 0);
                        CHECK_INT(pair.client.tls->write(pair.client.conn, "x", 1), -EPIPE);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 4);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 0);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 0);
                        /* The other half is open. */
                        CHECK_INT(peers_write(&pair.server, "answer", 6), 6);
                        CHECK_INT(peers_read(&pair.client, buf, sizeof buf), 6);
                        CHECK_INT(pair.server.tls->shutdown(pair.server.conn), 0);
                        CHECK_INT(peers_read(&pair.client, buf, sizeof buf), 0);
                }
                peers_close(&pair);
                if (peers_open(&pair, &client, &server)) {
                        CHECK_INT(peers_write(&pair.client, "last", 4), 4);
                        pair.up.closed = true;
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 4);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), GREEN_ETLSEOF);
                        CHECK(pair.server.tls->why(pair.server.conn)[0] != '\0');
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), GREEN_ETLSEOF);
                        /* It was the reading half only. */
                        CHECK_INT(peers_write(&pair.server, "answer", 6), 6);
                        CHECK_INT(peers_read(&pair.client, buf, sizeof buf), 6);
                }
                peers_close(&pair);
        }
}

static void
a_goodbye_that_does_not_fit_is_said_later(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                char buf[8];

                if (peers_open(&pair, &client, &server)) {
                        pair.up.again = 1;
                        CHECK_INT(pair.client.tls->shutdown(pair.client.conn), GREEN__TLS_WANT_WRITE);
                        pair.up.again = 0;
                        pair.up.portion = 1;
                        CHECK_INT(pair.client.tls->shutdown(pair.client.conn), 0);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 0);
                }
                peers_close(&pair);
        }
}

/* After unwrapping the same connection goes on without TLS. */
static void
what_comes_behind_the_goodbye_is_kept(void)
{
        GREEN_COVERS("SSL-10");
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                char buf[16];
                size_t n;

                if (peers_open(&pair, &client, &server)) {
                        CHECK_INT(peers_write(&pair.client, "last", 4), 4);
                        CHECK_INT(pair.client.tls->shutdown(pair.client.conn), 0);
                        memcpy(pair.up.data + pair.up.end, "plain", 5);
                        pair.up.end += 5;
                        CHECK_INT(pair.server.tls->leftover(pair.server.conn, buf, sizeof buf), 0);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 4);
                        CHECK_INT(pair.server.tls->leftover(pair.server.conn, buf, sizeof buf), 0);
                        CHECK_INT(peers_read(&pair.server, buf, sizeof buf), 0);
                        n = pair.server.tls->leftover(pair.server.conn, buf, 2);
                        CHECK(n <= 2);
                        n += pair.server.tls->leftover(pair.server.conn, buf + n, sizeof buf - n);
                        memcpy(buf + n, pair.up.data + pair.up.begin, pair.up.end - pair.up.begin);
                        n += pair.up.end - pair.up.begin;
                        CHECK_INT(n, 5);
                        CHECK(memcmp(buf, "plain", 5) == 0);
                        CHECK_INT(pair.server.tls->leftover(pair.server.conn, buf, sizeof buf), 0);
                }
                peers_close(&pair);
        }
}

static void
versions_have_limits(void)
{
        GREEN_COVERS("SSL-12");
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                bool both = peers_has_1_3(peers_i_ / peers_count) && peers_has_1_3(peers_i_ % peers_count);

                client.max_version = GREEN_TLS_1_2;
                if (peers_open(&pair, &client, &server))
                        CHECK_STR(pair.client.tls->conn_version(pair.client.conn), "TLSv1.2");
                peers_close(&pair);
                client.max_version = GREEN_TLS_ANY;
                server.max_version = GREEN_TLS_1_2;
                if (peers_open(&pair, &client, &server))
                        CHECK_STR(pair.server.tls->conn_version(pair.server.conn), "TLSv1.2");
                peers_close(&pair);
                if (!both)
                        continue;
                server.max_version = GREEN_TLS_ANY;
                if (peers_open(&pair, &client, &server))
                        CHECK_STR(pair.server.tls->conn_version(pair.server.conn), "TLSv1.3");
                peers_close(&pair);
                client.max_version = GREEN_TLS_1_2;
                server.min_version = GREEN_TLS_1_3;
                if (peers_contexts(&pair, &client, &server) && peers_connect(&pair, "localhost", NULL)) {
                        peers_shake(&pair);
                        CHECK_INT(pair.server.code, GREEN_ETLSAGREE);
                        CHECK_INT(pair.client.code, GREEN_ETLSALERT);
                }
                peers_close(&pair);
        }
}

static void
ciphers_can_be_chosen(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                client.max_version = GREEN_TLS_1_2;
                client.ciphers = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
                if (peers_open(&pair, &client, &server))
                        CHECK_STR(pair.server.tls->conn_cipher(pair.server.conn),
                                  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
                peers_close(&pair);
                server.ciphers = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
                if (peers_contexts(&pair, &client, &server) && peers_connect(&pair, "localhost", NULL)) {
                        peers_shake(&pair);
                        CHECK_INT(pair.server.code, GREEN_ETLSAGREE);
                        CHECK_INT(pair.client.code, GREEN_ETLSALERT);
                }
                peers_close(&pair);
        }
}

static void
a_protocol_is_settled(void)
{
        static const char *const two[] = {"h2", "http/1.1", NULL}, *const one[] = {"http/1.1", NULL};
        static const char *const other[] = {"spdy", NULL};

        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                client.alpn = one;
                server.alpn = two;
                if (peers_open(&pair, &client, &server)) {
                        CHECK_STR(pair.client.tls->conn_alpn(pair.client.conn), "http/1.1");
                        CHECK_STR(pair.server.tls->conn_alpn(pair.server.conn), "http/1.1");
                }
                peers_close(&pair);
                client.alpn = two;
                if (peers_open(&pair, &client, &server))
                        CHECK_STR(pair.client.tls->conn_alpn(pair.client.conn), "h2");
                peers_close(&pair);
                server.alpn = NULL;
                if (peers_open(&pair, &client, &server))
                        CHECK_STR(pair.client.tls->conn_alpn(pair.client.conn), NULL);
                peers_close(&pair);
                server.alpn = other;
                if (peers_contexts(&pair, &client, &server) && peers_connect(&pair, "localhost", NULL)) {
                        peers_shake(&pair);
                        CHECK_INT(pair.server.code, GREEN_ETLSAGREE);
                        CHECK_INT(pair.client.code, GREEN_ETLSALERT);
                }
                peers_close(&pair);
        }
}

/* ---- names that servers are asked for */

struct sni {
        char asked[64];
        void *answer;
};

static void *
choose(void *arg, const char *name)
{
        struct sni *sni = arg;

        snprintf(sni->asked, sizeof sni->asked, "%s", name);
        return strcmp(name, "a.wild.test") == 0 ? sni->answer : NULL;
}

static void
the_name_asked_for_chooses_the_context(void)
{
        static const char *const names[] = {"a.wild.test", "localhost", "127.0.0.1", NULL};

        GREEN_COVERS("SSL-12");
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                struct green__tls_config wild = peers_server();
                struct sni sni = {0};
                char why[200];

                peers_cert(&wild, "wildcard.pem", "server.key");
                CHECK_INT(pair.server.tls->context_new(&wild, &sni.answer, why, sizeof why), 0);
                server.sni_fn = choose;
                server.sni_arg = &sni;
                for (int i = 0; i < 4; i++) {
                        bool address = i >= 2;

                        if (!peers_contexts(&pair, &client, &server) || !peers_connect(&pair, names[i], NULL))
                                return;
                        peers_shake(&pair);
                        CHECK_INT(pair.client.code, 0);
                        CHECK_STR(sni.asked, address ? "" : names[i]);
                        CHECK_STR(pair.server.tls->conn_sni(pair.server.conn), address ? NULL : names[i]);
                        if (pair.client.code == 0) {
                                struct green_tls_cert *cert = pair.client.tls->conn_peer_cert(pair.client.conn);

                                CHECK(cert != NULL && (strstr(cert->subject, "CN=wildcard") != NULL) == (i == 0));
                                peers_free(cert);
                                peers_talk(&pair);
                        }
                        peers_close(&pair);
                }
                pair.server.tls->context_free(sni.answer);
        }
}

/* ---- keys and costs */

static void
count_line(const char *line, void *arg)
{
        CHECK(strncmp(line, "CLIENT_", 7) == 0 || strncmp(line, "SERVER_", 7) == 0 ||
              strncmp(line, "EXPORTER_", 9) == 0);
        CHECK(strchr(line, '\n') == NULL);
        ++*(int *)arg;
}

static void
secrets_are_logged_where_asked_for(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();
                int at_client = 0, at_server = 0;

                client.keylog = server.keylog = count_line;
                client.keylog_arg = &at_client;
                server.keylog_arg = &at_server;
                peers_open(&pair, &client, &server);
                CHECK(at_client >= 1);
                CHECK(at_server >= 1);
                peers_close(&pair);
        }
}

static unsigned
first_cost(struct pair *p, struct green__tls_config *server)
{
        struct green__tls_config client = peers_client();
        unsigned cost = 0;

        if (peers_contexts(p, &client, server) && peers_connect(p, "localhost", NULL)) {
                cost = p->server.tls->handshake_cost(p->server.conn);
                peers_shake(p);
                CHECK_INT(p->server.tls->handshake_cost(p->server.conn), 0);
        }
        peers_close(p);
        return cost;
}

static void
an_rsa_key_costs_more_than_an_ecdsa_key(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config server = peers_server();
                unsigned ecdsa, rsa;

                if (!peers_exact(pair.server.tls))
                        continue; /* others say so one step later */
                ecdsa = first_cost(&pair, &server);

                peers_cert(&server, "rsa.pem", "rsa.key");
                rsa = first_cost(&pair, &server);
                CHECK(ecdsa > 0);
                CHECK(rsa > ecdsa);
        }
}

/* A name that leads to a key that costs more: who makes the steps is told before it is used. */
static void
a_dear_key_is_announced(void)
{
        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server(), dear = server;
                struct sni sni = {0};
                unsigned before, most = 0;
                char why[200];

                if (!peers_exact(pair.server.tls))
                        continue; /* others may say the most from the beginning */
                peers_cert(&dear, "rsa.pem", "rsa.key");
                CHECK_INT(pair.server.tls->context_new(&dear, &sni.answer, why, sizeof why), 0);
                server.sni_fn = choose;
                server.sni_arg = &sni;
                client.client_verify = GREEN_TLS_VERIFY_NONE;
                if (peers_contexts(&pair, &client, &server) && peers_connect(&pair, "a.wild.test", NULL)) {
                        before = pair.server.tls->handshake_cost(pair.server.conn);
                        CHECK_INT(pair.client.tls->handshake(pair.client.conn), GREEN__TLS_WANT_READ);
                        CHECK_INT(pair.server.tls->handshake(pair.server.conn), GREEN__TLS_WANT_WRITE);
                        CHECK(!pair.server.send_again);
                        CHECK_INT(pair.down.carried, 0);
                        most = pair.server.tls->handshake_cost(pair.server.conn);
                        CHECK(most > 2 * before);
                        peers_shake(&pair);
                        CHECK_INT(pair.server.code, 0);
                        CHECK_INT(pair.client.code, 0);
                        peers_talk(&pair);
                }
                peers_close(&pair);
                pair.server.tls->context_free(sni.answer);
        }
}

/* ---- OS threads */

enum { THREADS = 4, TURNS = 20 };

struct worker {
        pthread_t thread;
        struct pair pair;
        int good;
};

static void *
work(void *arg)
{
        struct worker *worker = arg;

        for (int i = 0; i < TURNS; i++) {
                if (peers_connect(&worker->pair, "localhost", NULL)) {
                        peers_shake(&worker->pair);
                        worker->good += worker->pair.client.code == 0 && worker->pair.server.code == 0 &&
                                        peers_talk(&worker->pair);
                }
                peers_hang_up(&worker->pair);
        }
        return NULL;
}

static void
contexts_are_shared_by_os_threads(void)
{
        struct worker *workers = calloc(THREADS, sizeof *workers);

        PEERS_EACH(&pair)
        {
                struct green__tls_config client = peers_client(), server = peers_server();

                if (!peers_contexts(&pair, &client, &server))
                        break;
                for (int i = 0; i < THREADS; i++) {
                        struct pair *p = &workers[i].pair;

                        peers_choose(p, peers_i_ / peers_count, peers_i_ % peers_count);
                        p->client.context = pair.client.context;
                        p->server.context = pair.server.context;
                        workers[i].good = 0;
                        CHECK_INT(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
                }
                for (int i = 0; i < THREADS; i++) {
                        pthread_join(workers[i].thread, NULL);
                        CHECK_INT(workers[i].good, TURNS);
                }
                peers_close(&pair);
        }
        free(workers);
}

GREEN_SUITE(tls_backend){GREEN_TEST(handshakes_are_made_and_tell_what_was_agreed),
                         GREEN_TEST(before_the_handshake_there_are_no_answers_and_no_data),
                         GREEN_TEST(the_network_may_be_awkward),
                         GREEN_TEST(a_megabyte_arrives_whole_each_way),
                         GREEN_TEST(bytes_that_are_there_are_pending_and_can_be_looked_at),
                         GREEN_TEST(nothing_written_is_nothing_sent),
                         GREEN_TEST(a_record_that_is_half_sent_is_sent_once),
                         GREEN_TEST(goodbyes_are_told_from_a_cut),
                         GREEN_TEST(a_goodbye_that_does_not_fit_is_said_later),
                         GREEN_TEST(what_comes_behind_the_goodbye_is_kept),
                         GREEN_TEST(versions_have_limits),
                         GREEN_TEST(ciphers_can_be_chosen),
                         GREEN_TEST(a_protocol_is_settled),
                         GREEN_TEST(the_name_asked_for_chooses_the_context),
                         GREEN_TEST(secrets_are_logged_where_asked_for),
                         GREEN_TEST(an_rsa_key_costs_more_than_an_ecdsa_key),
                         GREEN_TEST(a_dear_key_is_announced),
                         GREEN_TEST(contexts_are_shared_by_os_threads, .limit = 60),
                         GREEN_SUITE_END};
