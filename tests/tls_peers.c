#include "tls_peers.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"

const struct green__tls_backend *peers_backends[PEERS_BACKENDS];
int peers_count;
long peers_live, peers_allocs, peers_fail_at;

static void *
host_alloc(size_t len)
{
        void *memory;

        if (__atomic_add_fetch(&peers_allocs, 1, __ATOMIC_SEQ_CST) == peers_fail_at)
                return NULL;
        memory = calloc(1, len);
        if (memory != NULL)
                __atomic_add_fetch(&peers_live, 1, __ATOMIC_SEQ_CST);
        return memory;
}

void
peers_free(void *memory)
{
        if (memory != NULL)
                __atomic_sub_fetch(&peers_live, 1, __ATOMIC_SEQ_CST);
        free(memory);
}

static void
add(const struct green__tls_backend *backend)
{
        static const struct green__tls_host host = {sizeof host, host_alloc, peers_free};

        if (!CHECK_INT(backend->abi, GREEN__TLS_ABI) || !CHECK_INT(backend->size, sizeof *backend) ||
            !CHECK_INT(backend->init(&host), 0))
                return;
        printf("%s\n", backend->version());
        peers_backends[peers_count++] = backend;
}

/* Before each test, the first time with effect: what opens descriptors on first use does so now. */
static void
load(void)
{
        static bool loaded;
        const char *path = suite_plugin("../../.libs/tls_openssl");
        void *module;

        if (loaded)
                return;
        loaded = true;
#if defined HAVE_MBEDTLS && HAVE_MBEDTLS
        add(green__tls_builtin);
#endif
        module = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (path != NULL && module == NULL)
                FAIL("%s", dlerror());
        else if (module != NULL)
                add(dlsym(module, "green_tls_module"));
}

static void
nothing_is_left(void)
{
        CHECK_INT(peers_live, 0);
        if (peers_count == 0)
                suite_skip("there is no TLS back end in this build");
}

static void
hooks(void)
{
        suite_setup = load;
        suite_check = nothing_is_left;
}
GREEN_SUITE_INIT(hooks)

/* ---- wires */

static bool
says_again(struct wire *wire)
{
        wire->calls++;
        return wire->again != 0 && wire->calls % wire->again == 0;
}

static size_t
least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static ssize_t
wire_recv(void *arg, void *buf, size_t len)
{
        struct end *end = arg;
        struct wire *wire = end->in;
        size_t n = least(len, wire->end - wire->begin);

        if (wire->broken != 0)
                return wire->broken;
        if (wire->portion != 0)
                n = least(n, wire->portion);
        if (wire->cut != 0)
                n = least(n, wire->cut - wire->taken);
        if (n == 0 && (wire->closed || (wire->cut != 0 && wire->taken == wire->cut)))
                return 0;
        if (n == 0 || says_again(wire)) {
                end->recv_again = true;
                return -EAGAIN;
        }
        memcpy(buf, wire->data + wire->begin, n);
        if (wire->flip > wire->taken && wire->flip <= wire->taken + n)
                ((unsigned char *)buf)[wire->flip - wire->taken - 1] ^= 0x55;
        wire->begin += n;
        wire->taken += n;
        return (ssize_t)n;
}

static ssize_t
wire_send(void *arg, const void *buf, size_t len)
{
        struct end *end = arg;
        struct wire *wire = end->out;
        size_t n;

        if (wire->broken != 0)
                return wire->broken;
        if (wire->begin > 0) {
                memmove(wire->data, wire->data + wire->begin, wire->end - wire->begin);
                wire->end -= wire->begin;
                wire->begin = 0;
        }
        n = least(len, (wire->room != 0 ? wire->room : WIRE_SIZE) - wire->end);
        if (wire->portion != 0)
                n = least(n, wire->portion);
        if (n == 0 || says_again(wire)) {
                end->send_again = true;
                return -EAGAIN;
        }
        memcpy(wire->data + wire->end, buf, n);
        wire->end += n;
        wire->carried += n;
        return (ssize_t)n;
}

/* ---- texts */

const char *
peers_text(const char *file, size_t *ret_len)
{
        static struct {
                char name[32], text[8192];
                size_t len;
        } texts[32];
        static const char *const dirs[] = {"..", "../..", "."};
        const char *top = getenv("top_srcdir");
        int i = 0;

        while (texts[i].name[0] != '\0' && strcmp(texts[i].name, file) != 0)
                i++;
        for (int d = -1; texts[i].name[0] == '\0' && d < 3; d++) {
                char path[512];
                FILE *in;

                if (d < 0 && top == NULL)
                        continue;
                snprintf(path, sizeof path, "%s/tests/certs/peers/%s", d < 0 ? top : dirs[d], file);
                in = fopen(path, "r");
                if (in == NULL)
                        continue;
                texts[i].len = fread(texts[i].text, 1, sizeof texts[i].text - 1, in) + 1;
                fclose(in);
                snprintf(texts[i].name, sizeof texts[i].name, "%s", file);
        }
        if (texts[i].name[0] == '\0')
                FAIL("%s is not in tests/certs/peers", file);
        *ret_len = texts[i].len;
        return texts[i].text;
}

void
peers_cert(struct green__tls_config *config, const char *cert_file, const char *key_file)
{
        config->cert_pem = peers_text(cert_file, &config->cert_pem_len);
        config->key_pem = peers_text(key_file, &config->key_pem_len);
}

void
peers_ca(struct green__tls_config *config, const char *file)
{
        config->ca_pem = peers_text(file, &config->ca_pem_len);
}

void
peers_crl(struct green__tls_config *config, const char *file)
{
        config->crl_pem = peers_text(file, &config->crl_pem_len);
}

struct green__tls_config
peers_client(void)
{
        struct green__tls_config config = {
                .size = sizeof config,
                .client_verify = GREEN_TLS_VERIFY_REQUIRED,
                .server_verify = GREEN_TLS_VERIFY_NONE,
                .tickets = true,
                .ticket_lifetime = 7200,
        };

        peers_ca(&config, "ca.pem");
        return config;
}

struct green__tls_config
peers_server(void)
{
        struct green__tls_config config = peers_client();

        config.ca_pem = NULL;
        config.ca_pem_len = 0;
        config.client_verify = GREEN_TLS_VERIFY_NONE;
        peers_cert(&config, "server.pem", "server.key");
        return config;
}

/* ---- pairs */

void
peers_choose(struct pair *pair, int client, int server)
{
        memset(pair, 0, sizeof *pair);
        pair->client = (struct end){.tls = peers_backends[client], .in = &pair->down, .out = &pair->up};
        pair->server = (struct end){.tls = peers_backends[server], .in = &pair->up, .out = &pair->down};
}

bool
peers_has_1_3(int backend)
{
        struct green__tls_config config = peers_client();
        void *context;
        char why[200];

        config.min_version = GREEN_TLS_1_3;
        if (peers_backends[backend]->context_new(&config, &context, why, sizeof why) != 0)
                return false;
        peers_backends[backend]->context_free(context);
        return true;
}

bool
peers_exact(const struct green__tls_backend *tls)
{
        return strcmp(tls->name, "openssl") == 0;
}

bool
peers_contexts(struct pair *pair, const struct green__tls_config *client, const struct green__tls_config *server)
{
        char why[200] = "";

        if (!CHECK_INT(pair->client.tls->context_new(client, &pair->client.context, why, sizeof why), 0))
                return FAIL("%s", why);
        if (!CHECK_INT(pair->server.tls->context_new(server, &pair->server.context, why, sizeof why), 0))
                return FAIL("%s", why);
        return true;
}

bool
peers_connect(struct pair *pair, const char *name, void *session)
{
        struct green__tls_conn_config config = {.size = sizeof config, .bytes = {wire_recv, wire_send, &pair->server}};
        bool address = name != NULL && strspn(name, "0123456789abcdef.:") == strlen(name);

        config.server = true;
        if (!CHECK_INT(pair->server.tls->conn_new(pair->server.context, &config, &pair->server.conn), 0))
                return false;
        config.server = false;
        config.server_name = address ? NULL : name;
        config.verify_name = name;
        config.session = session;
        config.bytes.arg = &pair->client;
        pair->client.code = pair->server.code = GREEN__TLS_WANT_READ;
        return CHECK_INT(pair->client.tls->conn_new(pair->client.context, &config, &pair->client.conn), 0);
}

static bool
going(const struct end *end)
{
        return end->code == GREEN__TLS_WANT_READ || end->code == GREEN__TLS_WANT_WRITE;
}

/* One step; true where it moved something. */
static bool
step(struct end *end)
{
        size_t before = end->in->taken + end->out->carried;

        if (!going(end))
                return false;
        end->recv_again = end->send_again = false;
        end->code = end->tls->handshake(end->conn);
        if (end->code == GREEN__TLS_WANT_READ)
                CHECK(end->recv_again);
        /* WANT_WRITE without reason: the next step costs more. */
        return !going(end) || (end->code == GREEN__TLS_WANT_WRITE && !end->send_again) ||
               end->in->taken + end->out->carried != before;
}

void
peers_shake(struct pair *pair)
{
        /* Some calls say -EAGAIN without reason: only several without effect are the end of it. */
        enum { PATIENCE = 8 };

        for (int idle = 0; idle < PATIENCE && (going(&pair->client) || going(&pair->server)); idle++) {
                bool moved = step(&pair->client);

                moved = step(&pair->server) || moved;
                /* Who has failed hangs up: the other reads what there is, then the end. */
                if (pair->client.code != 0 && !going(&pair->client))
                        pair->up.closed = true;
                if (pair->server.code != 0 && !going(&pair->server))
                        pair->down.closed = true;
                if (moved)
                        idle = -1;
        }
}

bool
peers_open(struct pair *pair, const struct green__tls_config *client, const struct green__tls_config *server)
{
        if (!peers_contexts(pair, client, server) || !peers_connect(pair, "localhost", NULL))
                return false;
        peers_shake(pair);
        if (!CHECK_INT(pair->client.code, 0))
                return FAIL("client: %s", pair->client.tls->why(pair->client.conn));
        if (!CHECK_INT(pair->server.code, 0))
                return FAIL("server: %s", pair->server.tls->why(pair->server.conn));
        return true;
}

static void
empty(struct wire *wire)
{
        wire->begin = wire->end = wire->carried = wire->taken = 0;
        wire->closed = false;
}

void
peers_hang_up(struct pair *pair)
{
        if (pair->client.conn != NULL)
                pair->client.tls->conn_free(pair->client.conn);
        if (pair->server.conn != NULL)
                pair->server.tls->conn_free(pair->server.conn);
        pair->client.conn = pair->server.conn = NULL;
        empty(&pair->up);
        empty(&pair->down);
}

void
peers_close(struct pair *pair)
{
        peers_hang_up(pair);
        if (pair->client.context != NULL)
                pair->client.tls->context_free(pair->client.context);
        if (pair->server.context != NULL)
                pair->server.tls->context_free(pair->server.context);
        pair->client.context = pair->server.context = NULL;
}

/* ---- data */

ssize_t
peers_read(struct end *end, void *buf, size_t len)
{
        ssize_t n;

        do {
                end->recv_again = end->send_again = false;
                n = end->tls->read(end->conn, buf, len, false);
                if (n == GREEN__TLS_WANT_READ)
                        CHECK(end->recv_again);
        } while ((n == GREEN__TLS_WANT_READ && end->in->begin < end->in->end && end->in->broken == 0 &&
                  (end->in->cut == 0 || end->in->taken < end->in->cut)) ||
                 n == GREEN__TLS_WANT_WRITE);
        return n;
}

ssize_t
peers_write(struct end *end, const void *buf, size_t len)
{
        ssize_t n;

        do {
                end->send_again = false;
                n = end->tls->write(end->conn, buf, len);
                if (n == GREEN__TLS_WANT_WRITE)
                        CHECK(end->send_again);
        } while (n == GREEN__TLS_WANT_WRITE &&
                 end->out->end - end->out->begin < (end->out->room != 0 ? end->out->room : WIRE_SIZE));
        return n;
}

bool
peers_talk(struct pair *pair)
{
        char buf[8] = "";

        return CHECK_INT(peers_write(&pair->client, "hello", 5), 5) &&
               CHECK_INT(peers_read(&pair->server, buf, sizeof buf), 5) && CHECK(memcmp(buf, "hello", 5) == 0) &&
               CHECK_INT(peers_write(&pair->server, "there!", 6), 6) &&
               CHECK_INT(peers_read(&pair->client, buf, sizeof buf), 6) && CHECK(memcmp(buf, "there!", 6) == 0);
}
