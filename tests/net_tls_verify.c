/* net/tls_context.c and the back ends: who is trusted, and what both sides agree on. */
#include "net_tls.h"

#include <sys/stat.h>

/* A handshake of a client that trusts ca with a server's certificate; what the client says. */
static int
verify(const char *server_cert, const char *name, struct green_tls_opts *client, char *ret_why)
{
        struct tls_pair p = {.client.name = name};
        green_tls_context *context;
        struct green_tls_opts o = {.size = sizeof o, .ca_file = CERT("ca")};

        context = green_tls_context_new(client != NULL ? client : &o);
        if (!CHECK(context != NULL))
                return 1;
        shake_hands_once(&p, context, server_context(server_cert));
        if (ret_why != NULL)
                snprintf(ret_why, sizeof p.client.why, "%s", p.client.why);
        /* The server hears of it. */
        CHECK_INT(p.server.rc, p.client.rc == 0 ? 0 : GREEN_ETLSALERT);
        free_tls_pair(&p);
        return p.client.rc;
}

static void
each_thing_that_is_wrong_has_its_own_code_and_a_message(void)
{
        static const struct {
                const char *cert, *name;
                int code;
                const char *part; /* of the message */
        } rows[] = {
                {"ec", "localhost", 0, NULL},
                {"rsa", "localhost", 0, NULL},
                {"ec", "a.example.test", 0, NULL},
                {"ec", "127.0.0.1", 0, NULL},
                {"ec", "::1", 0, NULL},
                {"ec", "elsewhere.test", GREEN_ETLSHOST, "host"},
                {"ec", "a.b.example.test", GREEN_ETLSHOST, "host"},
                {"ec", "127.0.0.2", GREEN_ETLSHOST, ""},
                {"ec", "::2", GREEN_ETLSHOST, ""},
                {"other", "localhost", GREEN_ETLSHOST, "host"},
                {"other", "127.0.0.1", GREEN_ETLSHOST, ""},
                {"expired", "localhost", GREEN_ETLSEXPIRED, "expired"},
                {"future", "localhost", GREEN_ETLSEXPIRED, "not"},
                {"untrusted", "localhost", GREEN_ETLSVERIFY, ""},
                {"self", "localhost", GREEN_ETLSVERIFY, "self"},
        };
        char why[300];

        GREEN_COVERS("SSL-12", "SSL-13", "CONV-19");
        if (!has_tls())
                return;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                int code = verify(rows[i].cert, rows[i].name, NULL, why);

                if (!CHECK_INT(code, rows[i].code) || (code != 0 && !CHECK(strstr(why, rows[i].part) != NULL)))
                        FAIL("%s for %s: %s", rows[i].cert, rows[i].name, why);
        }
}

static void
a_certificate_that_was_revoked_is_refused(void)
{
        struct green_tls_opts o = {.size = sizeof o, .ca_file = CERT("ca"), .crl_file = TLS_CERTS "/ca.crl"};

        if (!has_tls())
                return;
        CHECK_INT(verify("revoked", "localhost", &o, NULL), GREEN_ETLSREVOKED);
        CHECK_INT(verify("ec", "localhost", &o, NULL), 0);
        CHECK_INT(verify("revoked", "localhost", NULL, NULL), 0);
}

static void
a_client_may_say_that_it_verifies_less(void)
{
        struct green_tls_opts o = {.size = sizeof o, .ca_file = CERT("ca"), .no_check_hostname = true};

        GREEN_COVERS("SSL-12");
        if (!has_tls())
                return;
        CHECK_INT(verify("other", "localhost", &o, NULL), 0);
        CHECK_INT(verify("untrusted", "localhost", &o, NULL), GREEN_ETLSVERIFY);
        o = (struct green_tls_opts){.size = sizeof o, .verify = GREEN_TLS_VERIFY_NONE};
        CHECK_INT(verify("self", "elsewhere.test", &o, NULL), 0);
}

static void
without_any_word_the_systems_certificates_are_trusted(void)
{
        struct green_tls_opts o = {.size = sizeof o};

        if (!has_tls())
                return;
        /* Ours are not among them. */
        CHECK_INT(verify("ec", "localhost", &o, NULL), GREEN_ETLSVERIFY);
}

/* ---- callbacks */

static struct {
        int calls, depth, code, answer;
        char subject[100], names[4][40];
        size_t n_names, der_len;
} seen;

static int
look(const struct green_tls_cert *cert, int depth, int code, void *arg)
{
        seen.calls++;
        seen.depth = depth;
        seen.code = code;
        seen.der_len = cert->der_len;
        snprintf(seen.subject, sizeof seen.subject, "%s", cert->subject);
        for (seen.n_names = 0; seen.n_names < 4 && cert->names[seen.n_names] != NULL; seen.n_names++)
                snprintf(seen.names[seen.n_names], sizeof seen.names[0], "%s", cert->names[seen.n_names]);
        return arg == NULL ? code : *(int *)arg;
}

static void
a_callback_has_the_last_word(void)
{
        struct green_tls_opts o = {.size = sizeof o, .ca_file = CERT("ca"), .verify_fn = look};
        int answer = 0;

        if (!has_tls())
                return;
        memset(&seen, 0, sizeof seen);
        CHECK_INT(verify("ec", "localhost", &o, NULL), 0);
        CHECK_INT(seen.calls, 1);
        CHECK_INT(seen.code, 0);
        CHECK(strstr(seen.subject, "CN=localhost") != NULL);
        CHECK_INT(seen.n_names, 4);
        CHECK_STR(seen.names[0], "localhost");
        CHECK_STR(seen.names[1], "*.example.test");
        CHECK_STR(seen.names[2], "127.0.0.1");
        CHECK_STR(seen.names[3], "::1");
        CHECK_INT(verify("expired", "localhost", &o, NULL), GREEN_ETLSEXPIRED);
        CHECK_INT(seen.code, GREEN_ETLSEXPIRED);
        o.verify_arg = &answer;
        CHECK_INT(verify("untrusted", "localhost", &o, NULL), 0);
        CHECK_INT(seen.code, GREEN_ETLSVERIFY);
        answer = -EACCES;
        CHECK_INT(verify("ec", "localhost", &o, NULL), -EACCES);
}

/* ---- client certificates */

static struct tls_pair
with_client_cert(enum green_tls_verify server_wants, const char *cert, const char *key, const char *password)
{
        struct green_tls_opts c = {
                .size = sizeof c, .ca_file = CERT("ca"), .cert_file = cert, .key_file = key, .password = password};
        struct green_tls_opts s = {
                .size = sizeof s, .ca_file = CERT("ca"), .cert_file = CERT("both"), .verify = server_wants};
        struct tls_pair p = {.client.name = "localhost"};

        shake_hands_once(&p, green_tls_context_new(&c), green_tls_context_new(&s));
        return p;
}

static void
a_server_can_ask_clients_for_certificates(void)
{
        struct green_tls_cert *cert;
        struct tls_pair p;
        char byte;
        int told;

        GREEN_COVERS("SSL-12");
        if (!has_tls())
                return;
        p = with_client_cert(GREEN_TLS_VERIFY_REQUIRED, CERT("client"), TLS_CERTS "/locked.key", "secret");
        CHECK_INT(p.server.rc, 0);
        cert = green_tls_peer_cert(p.server.s);
        if (CHECK(cert != NULL)) {
                CHECK(strstr(cert->subject, "client.test") != NULL);
                CHECK(strstr(cert->issuer, "green-net test CA") != NULL);
                CHECK_INT(cert->not_before, 1577836800);
                CHECK_INT(cert->not_after, 4102444799);
                CHECK(cert->names[0] == NULL);
                CHECK(strlen(cert->serial) >= 4);
                CHECK(cert->sha256[0] != 0 || cert->sha256[1] != 0 || cert->sha256[2] != 0);
        }
        green_free(cert);
        free_tls_pair(&p);

        p = with_client_cert(GREEN_TLS_VERIFY_REQUIRED, NULL, NULL, NULL);
        CHECK_INT(p.server.rc, GREEN_ETLSNOCERT);
        /* Under TLS 1.3 a client hears of it at its first receive. */
        told = p.client.rc != 0 ? p.client.rc : (int)green_socket_recv(p.client.s, &byte, 1, 0);
        /* There mbedTLS 3 says it with keys that the client has left already. */
        CHECK(told == GREEN_ETLSALERT || (p.client.rc == 0 && is_mbedtls() && told == GREEN_ETLSPROTO));
        free_tls_pair(&p);

        p = with_client_cert(GREEN_TLS_VERIFY_REQUIRED, CERT("untrusted"), KEY("untrusted"), NULL);
        CHECK_INT(p.server.rc, GREEN_ETLSVERIFY);
        free_tls_pair(&p);
        p = with_client_cert(GREEN_TLS_VERIFY_OPTIONAL, NULL, NULL, NULL);
        CHECK_INT(p.server.rc, 0);
        CHECK(green_tls_peer_cert(p.server.s) == NULL);
        CHECK_INT(errno, ENOENT);
        free_tls_pair(&p);
        p = with_client_cert(GREEN_TLS_VERIFY_OPTIONAL, CERT("untrusted"), KEY("untrusted"), NULL);
        CHECK_INT(p.server.rc, GREEN_ETLSVERIFY);
        free_tls_pair(&p);
        p = with_client_cert(GREEN_TLS_VERIFY_DEFAULT, CERT("untrusted"), KEY("untrusted"), NULL);
        CHECK_INT(p.server.rc, 0);
        CHECK(green_tls_peer_cert(p.server.s) == NULL);
        free_tls_pair(&p);
}

/* ---- what both sides agree on */

static green_tls_context *
by_name(const char *name, void *arg)
{
        green_tls_context **contexts = arg;

        return strcmp(name, "other.test") == 0 ? contexts[0] : NULL;
}

static void
a_server_can_choose_a_certificate_by_name(void)
{
        green_tls_context *other = NULL;
        struct green_tls_opts o = {.size = sizeof o, .cert_file = CERT("both"), .sni_fn = by_name, .sni_arg = &other};
        struct tls_pair p = {.client.name = "other.test"};
        struct green_tls_cert *cert;

        GREEN_COVERS("SSL-12");
        if (!has_tls())
                return;
        other = server_context("other");
        shake_hands_once(&p, client_context(), green_tls_context_new(&o));
        CHECK_INT(p.client.rc, 0);
        CHECK_STR(green_tls_sni(p.server.s), "other.test");
        CHECK(green_tls_sni(p.client.s) == NULL);
        /* The connection keeps what it needs. */
        green_tls_context_unref(other);
        CHECK_INT(green_socket_send(p.server.s, "x", 1, 0), 1);
        free_tls_pair(&p);

        p = (struct tls_pair){.client.name = "localhost"};
        other = server_context("other");
        shake_hands_once(&p, client_context(), green_tls_context_new(&o));
        CHECK_INT(p.client.rc, 0);
        CHECK_STR(green_tls_sni(p.server.s), "localhost");
        cert = green_tls_peer_cert(p.client.s);
        CHECK(cert != NULL && strstr(cert->subject, "localhost") != NULL);
        green_free(cert);
        free_tls_pair(&p);

        /* An address is not asked for. */
        p = (struct tls_pair){.client.name = "127.0.0.1"};
        shake_hands_once(&p, client_context(), green_tls_context_new(&o));
        CHECK_INT(p.client.rc, 0);
        CHECK(green_tls_sni(p.server.s) == NULL);
        free_tls_pair(&p);
        green_tls_context_unref(other);
}

static void
protocols_are_negotiated(void)
{
        static const char *const ours[] = {"h2", "http/1.1", NULL}, *const theirs[] = {"http/1.1", "spdy", NULL},
                                 *const strange[] = {"gopher", NULL};
        struct green_tls_opts c = {.size = sizeof c, .ca_file = CERT("ca"), .alpn = ours};
        struct green_tls_opts s = {.size = sizeof s, .cert_file = CERT("both"), .alpn = theirs};
        struct tls_pair p = {.client.name = "localhost"};

        if (!has_tls())
                return;
        shake_hands_once(&p, green_tls_context_new(&c), green_tls_context_new(&s));
        CHECK_STR(green_tls_alpn(p.client.s), "http/1.1");
        CHECK_STR(green_tls_alpn(p.server.s), "http/1.1");
        free_tls_pair(&p);
        p = (struct tls_pair){.client.name = "localhost"};
        shake_hands_once(&p, client_context(), green_tls_context_new(&s));
        CHECK(green_tls_alpn(p.client.s) == NULL);
        free_tls_pair(&p);
        p = (struct tls_pair){.client.name = "localhost"};
        s.alpn = strange;
        shake_hands_once(&p, green_tls_context_new(&c), green_tls_context_new(&s));
        CHECK_INT(p.server.rc, GREEN_ETLSAGREE);
        CHECK_INT(p.client.rc, GREEN_ETLSALERT);
        free_tls_pair(&p);
}

static void
versions_and_ciphers_can_be_chosen(void)
{
        struct green_tls_opts c = {.size = sizeof c,
                                   .ca_file = CERT("ca"),
                                   .max_version = GREEN_TLS_1_2,
                                   .ciphers = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
        struct green_tls_opts s = {
                .size = sizeof s, .cert_file = CERT("both"), .ciphers = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
        struct tls_pair p = {.client.name = "localhost"};

        GREEN_COVERS("SSL-12");
        if (!has_tls())
                return;
        CHECK(green_tls_version(p.client.s) == NULL);
        shake_hands_once(&p, green_tls_context_new(&c), server_context("ec"));
        CHECK_INT(p.client.rc, 0);
        CHECK_STR(green_tls_version(p.client.s), "TLSv1.2");
        CHECK_STR(green_tls_version(p.server.s), "TLSv1.2");
        CHECK_STR(green_tls_cipher(p.client.s), "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
        CHECK_STR(green_tls_cipher(p.server.s), "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
        free_tls_pair(&p);
        p = (struct tls_pair){.client.name = "localhost"};
        shake_hands_once(&p, green_tls_context_new(&c), green_tls_context_new(&s));
        CHECK_INT(p.server.rc, GREEN_ETLSAGREE);
        CHECK_INT(p.client.rc, GREEN_ETLSALERT);
        free_tls_pair(&p);
        c.ciphers = "TLS_NO_SUCH_THING";
        CHECK(green_tls_context_new(&c) == NULL);
        CHECK_INT(errno, EINVAL);
}

/* ---- sessions */

/* A connection, a byte each way (TLS 1.3 gives tickets after the handshake), and its session. */
static green_tls_session *
take_session(struct tls_pair *p, green_tls_context *client, green_tls_context *server, green_tls_session *session)
{
        green_tls_session *next;
        char byte;

        p->client.context = client;
        p->server.context = server;
        p->client.session = session;
        shake_hands(p);
        CHECK_INT(p->client.rc, 0);
        CHECK_INT(p->server.rc, 0);
        CHECK_INT(green_socket_send(p->server.s, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(p->client.s, &byte, 1, 0), 1);
        next = green_tls_session_get(p->client.s);
        free_tls_pair(p);
        return next;
}

static bool
resumes(green_tls_context *client, green_tls_context *server, green_tls_session *session, const char *name)
{
        struct tls_pair p = {.client = {.context = client, .session = session, .name = name}, .server.context = server};
        bool resumed;

        shake_hands(&p);
        CHECK_INT(p.client.rc, 0);
        resumed = green_tls_resumed(p.client.s);
        CHECK_INT(green_tls_resumed(p.server.s), resumed);
        free_tls_pair(&p);
        return resumed;
}

static void
a_session_is_taken_up_again(void)
{
        struct green_tls_opts o = {.size = sizeof o, .cert_file = CERT("both"), .no_tickets = true};
        green_tls_context *client, *server, *another, *trusting;
        struct tls_pair p = {.client.name = NULL};
        green_tls_session *session;

        if (!has_tls())
                return;
        client = client_context();
        server = server_context("ec");
        session = take_session(&p, client, server, NULL);
        if (CHECK(session != NULL)) {
                CHECK(resumes(client, server, session, "localhost"));
                CHECK(!resumes(client, server, NULL, "localhost"));
                /* It proves nothing for another name, nor for who trusts others. */
                CHECK(!resumes(client, server, session, "a.example.test"));
                o.no_tickets = false;
                trusting = green_tls_context_new(&(struct green_tls_opts){.size = sizeof(struct green_tls_opts),
                                                                          .verify = GREEN_TLS_VERIFY_NONE});
                CHECK(!resumes(trusting, server, session, "localhost"));
                green_tls_context_unref(trusting);
                /* Made anew from its files, the server still knows it. */
                CHECK_INT(green_tls_context_reload(server), 0);
                CHECK(resumes(client, server, session, "localhost"));
                /* Another server does not, and that is no failure. */
                another = server_context("ec");
                CHECK(!resumes(client, another, session, "localhost"));
                green_tls_context_unref(another);
                /* The client trusts anew, whomever it is now. */
                CHECK(green_tls_session_ref(session) == session);
                CHECK_INT(green_tls_context_reload(client), 0);
                CHECK(!resumes(client, server, session, "localhost"));
                green_tls_session_unref(session);
                CHECK(green_tls_session_ref(NULL) == NULL);
        }
        green_tls_session_unref(session);
        p = (struct tls_pair){.client.name = NULL};
        o.no_tickets = true;
        another = green_tls_context_new(&o);
        session = take_session(&p, client, another, NULL);
        CHECK(session == NULL || !resumes(client, another, session, "localhost"));
        green_tls_session_unref(session);
        green_tls_context_unref(another);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
}

/* ---- files and memory */

static char *
slurp(const char *path, size_t *ret_len)
{
        static char texts[4][4096];
        static int next;
        char *text = texts[next++ % 4];
        FILE *f = fopen(path, "r");

        CHECK(f != NULL);
        *ret_len = f != NULL ? fread(text, 1, 4096, f) : 0;
        if (f != NULL)
                fclose(f);
        return text;
}

static void
certificates_may_come_from_memory(void)
{
        struct green_tls_opts c = {.size = sizeof c}, s = {.size = sizeof s};
        struct tls_pair p = {.client.name = "localhost"};
        green_tls_context *server;

        if (!has_tls())
                return;
        c.ca_pem = slurp(CERT("ca"), &c.ca_pem_len);
        s.cert_pem = slurp(CERT("rsa"), &s.cert_pem_len);
        s.key_pem = slurp(KEY("rsa"), &s.key_pem_len);
        server = green_tls_context_new(&s);
        CHECK_INT(green_tls_context_reload(server), -EINVAL);
        shake_hands_once(&p, green_tls_context_new(&c), server);
        CHECK_INT(p.client.rc, 0);
        free_tls_pair(&p);
}

static void
expect_bad(struct green_tls_opts o, int code)
{
        o.size = sizeof o;
        CHECK(green_tls_context_new(&o) == NULL);
        CHECK_INT(errno, -code);
        CHECK_INT(green_last_error()->code, code);
}

static void
bad_files_and_options_are_told(void)
{
        struct green_tls_opts o = {.cert_file = "/nonexistent/cert.pem"};

        GREEN_COVERS("SSL-14");
        if (!has_tls())
                return;
        expect_bad(o, -ENOENT);
        CHECK(strstr(green_last_error()->message, "/nonexistent/cert.pem") != NULL);
        expect_bad((struct green_tls_opts){.ca_file = "/nonexistent/ca.pem"}, -ENOENT);
        expect_bad((struct green_tls_opts){.crl_file = "/nonexistent/crl.pem"}, -ENOENT);
        expect_bad((struct green_tls_opts){.ca_file = "/tmp"}, -EISDIR);
        expect_bad((struct green_tls_opts){.cert_file = TLS_CERTS "/README"}, GREEN_ETLSFILE);
        expect_bad((struct green_tls_opts){.ca_file = TLS_CERTS "/README"}, GREEN_ETLSFILE);
        expect_bad((struct green_tls_opts){.crl_file = TLS_CERTS "/README"}, GREEN_ETLSFILE);
        expect_bad((struct green_tls_opts){.cert_file = CERT("ec")}, GREEN_ETLSFILE); /* no key */
        expect_bad((struct green_tls_opts){.cert_file = CERT("ec"), .key_file = KEY("other")}, GREEN_ETLSFILE);
        expect_bad((struct green_tls_opts){.cert_file = CERT("client"), .key_file = TLS_CERTS "/locked.key"},
                   GREEN_ETLSFILE);
        expect_bad((struct green_tls_opts){.cert_file = CERT("client"),
                                           .key_file = TLS_CERTS "/locked.key",
                                           .password = "wrong"},
                   GREEN_ETLSFILE);
        expect_bad((struct green_tls_opts){.min_version = (enum green_tls_version_number)0x301}, -EINVAL);
        expect_bad((struct green_tls_opts){.min_version = GREEN_TLS_1_3, .max_version = GREEN_TLS_1_2}, -EINVAL);
        expect_bad((struct green_tls_opts){.verify = (enum green_tls_verify)17}, -EINVAL);
        expect_bad((struct green_tls_opts){.key_file = KEY("ec")}, -EINVAL);
        expect_bad((struct green_tls_opts){.handshake_timeout = -1}, -EINVAL);
        o.size = 3;
        CHECK(green_tls_context_new(&o) == NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_tls_context_reload(NULL), -EINVAL);
}

static void
copy_file(const char *from, const char *to)
{
        size_t len;
        char *text = slurp(from, &len);
        FILE *f = fopen(to, "w");

        CHECK(f != NULL && fwrite(text, 1, len, f) == len);
        if (f != NULL)
                fclose(f);
}

static void
a_context_is_made_anew_while_connections_go_on(void)
{
        char dir[] = "/tmp/green-tls-XXXXXX", cert[64], key[64];
        struct green_tls_opts o = {.size = sizeof o, .cert_file = cert, .key_file = key};
        struct tls_pair old = {.client.name = "localhost"}, p;
        green_tls_context *client, *server;
        char byte;

        if (!has_tls())
                return;
        CHECK(mkdtemp(dir) != NULL);
        snprintf(cert, sizeof cert, "%s/cert", dir);
        snprintf(key, sizeof key, "%s/key", dir);
        copy_file(CERT("ec"), cert);
        copy_file(KEY("ec"), key);
        client = client_context();
        server = green_tls_context_new(&o);
        old.client.context = client;
        old.server.context = server;
        shake_hands(&old);
        CHECK_INT(old.client.rc, 0);
        copy_file(CERT("other"), cert);
        /* A key that does not fit changes nothing. */
        CHECK_INT(green_tls_context_reload(server), GREEN_ETLSFILE);
        p = (struct tls_pair){.client = {.context = client, .name = "localhost"}, .server.context = server};
        shake_hands(&p);
        CHECK_INT(p.client.rc, 0);
        free_tls_pair(&p);
        copy_file(KEY("other"), key);
        CHECK_INT(green_tls_context_reload(server), 0);
        p = (struct tls_pair){.client = {.context = client, .name = "other.test"}, .server.context = server};
        shake_hands(&p);
        CHECK_INT(p.client.rc, 0);
        free_tls_pair(&p);
        CHECK_INT(green_socket_send(old.client.s, "x", 1, 0), 1);
        CHECK_INT(green_socket_recv(old.server.s, &byte, 1, 0), 1);
        free_tls_pair(&old);
        green_tls_context_unref(client);
        green_tls_context_unref(server);
        unlink(cert);
        unlink(key);
        rmdir(dir);
}

/* ---- the log of keys */

static char key_lines[2][400];
static int key_calls;

static void
note_keys(const char *line, void *arg)
{
        int which = *(int *)arg;

        key_calls++;
        if (strncmp(line, "CLIENT_RANDOM ", 14) == 0)
                snprintf(key_lines[which], sizeof key_lines[0], "%s", line);
}

static void
keys_can_be_logged(void)
{
        int zero = 0, one = 1;
        struct green_tls_opts c = {.size = sizeof c,
                                   .ca_file = CERT("ca"),
                                   .keylog = note_keys,
                                   .keylog_arg = &zero,
                                   .max_version = GREEN_TLS_1_2};
        struct green_tls_opts s = {
                .size = sizeof s, .cert_file = CERT("both"), .keylog = note_keys, .keylog_arg = &one};
        struct tls_pair p = {.client.name = "localhost"};

        if (!has_tls())
                return;
        key_calls = 0;
        shake_hands_once(&p, green_tls_context_new(&c), green_tls_context_new(&s));
        CHECK_INT(key_calls, 2);
        CHECK_INT(strlen(key_lines[0]), 14 + 64 + 1 + 96);
        CHECK_STR(key_lines[0], key_lines[1]);
        free_tls_pair(&p);
}

GREEN_SUITE(net_tls_verify){GREEN_TEST(each_thing_that_is_wrong_has_its_own_code_and_a_message),
                            GREEN_TEST(a_certificate_that_was_revoked_is_refused),
                            GREEN_TEST(a_client_may_say_that_it_verifies_less),
                            GREEN_TEST(without_any_word_the_systems_certificates_are_trusted),
                            GREEN_TEST(a_callback_has_the_last_word),
                            GREEN_TEST(a_server_can_ask_clients_for_certificates),
                            GREEN_TEST(a_server_can_choose_a_certificate_by_name),
                            GREEN_TEST(protocols_are_negotiated),
                            GREEN_TEST(versions_and_ciphers_can_be_chosen),
                            GREEN_TEST(a_session_is_taken_up_again),
                            GREEN_TEST(certificates_may_come_from_memory),
                            GREEN_TEST(bad_files_and_options_are_told),
                            GREEN_TEST(a_context_is_made_anew_while_connections_go_on),
                            GREEN_TEST(keys_can_be_logged),
                            GREEN_SUITE_END};
