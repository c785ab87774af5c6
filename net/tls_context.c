/*
 * Contexts. What a context is made of is copied and does not change; what the back end has made of it is counted, and
 * put in place as a whole, so that connections keep what they began with when it is made anew.
 */
#include "tls_priv.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <green/alloc.h>

/*
 * What a context is for: where both are the same, it stands here twice. Where the client's is the one that trusts whom
 * the system trusts, servers that verify their clients so take that too: see role_of().
 */
enum role { CLIENT, SERVER };

struct green__tls_sources {
        pthread_mutex_t lock;
        struct green__tls_made *made[2]; /* under the lock; the client's may be NULL: made at its first use */
        unsigned wanted, there; /* likewise; versions of the client's: it is to be made anew where they differ */
        pthread_mutex_t making; /* held by who makes the client's, so that it is made once */
        pid_t process;          /* whose threads hold that; under the lock */
};

/* ---- what is made of it */

static void
made_ref(struct green__tls_made *made)
{
        atomic_fetch_add_explicit(&made->refs, 1, memory_order_relaxed);
}

void
green__tls_made_unref(struct green__tls_made *made)
{
        if (made == NULL || atomic_fetch_sub_explicit(&made->refs, 1, memory_order_acq_rel) != 1)
                return;
        if (made->context != NULL)
                made->be->context_free(made->context);
        green_free(made);
}

static bool
trusts_system(const struct green_tls_opts *o)
{
        return o->ca_file == NULL && o->ca_pem == NULL && o->verify != GREEN_TLS_VERIFY_NONE;
}

static bool
has_cert(const struct green_tls_opts *o)
{
        return o->cert_file != NULL || o->cert_pem != NULL;
}

/*
 * The system's bundle is long. It is read when a connection needs it: a client's, or one of a server that verifies its
 * clients by it. What is made at once, without it, is for the other servers, and shows that all else is right.
 */
static enum role
role_of(const struct green_tls_opts *o, bool server)
{
        bool verifies = trusts_system(o) && o->verify != GREEN_TLS_VERIFY_DEFAULT && has_cert(o);

        return server && !verifies ? SERVER : CLIENT;
}

/* Texts of files, while the back end reads them. */
struct texts {
        char *text[4];
        size_t n;
};

static int
take_file(struct texts *t, const char *path, const char **ret_pem, size_t *ret_len)
{
        int rc;

        if (path == NULL)
                return 0;
        rc = green__tls_read_file(path, &t->text[t->n], ret_len);
        if (rc == 0)
                *ret_pem = t->text[t->n++];
        return rc;
}

static int
take_system(struct texts *t, const char **ret_pem, size_t *ret_len)
{
        int rc = green__tls_read_system(&t->text[t->n], ret_len);

        if (rc == 0 && t->text[t->n] != NULL)
                *ret_pem = t->text[t->n++];
        return rc;
}

/* Memory of the user was copied with a NUL. */
static int
take_sources(const struct green_tls_opts *o, bool system, struct texts *t, struct green__tls_config *c)
{
        int rc;

        c->cert_pem = o->cert_pem;
        c->cert_pem_len = o->cert_pem_len;
        c->key_pem = o->key_pem;
        c->key_pem_len = o->key_pem_len;
        c->ca_pem = o->ca_pem;
        c->ca_pem_len = o->ca_pem_len;
        rc = take_file(t, o->cert_file, &c->cert_pem, &c->cert_pem_len);
        if (rc == 0)
                rc = take_file(t, o->key_file, &c->key_pem, &c->key_pem_len);
        if (rc == 0)
                rc = system ? take_system(t, &c->ca_pem, &c->ca_pem_len)
                            : take_file(t, o->ca_file, &c->ca_pem, &c->ca_pem_len);
        if (rc == 0)
                rc = take_file(t, o->crl_file, &c->crl_pem, &c->crl_pem_len);
        /* The key may stand beside the certificate. */
        if (rc == 0 && c->key_pem == NULL) {
                c->key_pem = c->cert_pem;
                c->key_pem_len = c->cert_pem_len;
        }
        return rc;
}

static void *by_name(void *arg, const char *name);

static void
fill_config(const green_tls_context *context, struct green__tls_config *c)
{
        const struct green_tls_opts *o = &context->opts;

        c->size = sizeof *c;
        c->password = o->password;
        c->client_verify = o->verify == GREEN_TLS_VERIFY_NONE ? GREEN_TLS_VERIFY_NONE : GREEN_TLS_VERIFY_REQUIRED;
        c->server_verify = o->verify == GREEN_TLS_VERIFY_DEFAULT ? GREEN_TLS_VERIFY_NONE : o->verify;
        c->min_version = o->min_version;
        c->max_version = o->max_version;
        c->ciphers = o->ciphers;
        c->alpn = o->alpn;
        c->verify_fn = o->verify_fn;
        c->verify_arg = o->verify_arg;
        c->sni_fn = o->sni_fn != NULL ? by_name : NULL;
        c->sni_arg = (void *)(uintptr_t)context;
        c->tickets = !o->no_tickets;
        c->ticket_lifetime = o->ticket_lifetime > 0 ? o->ticket_lifetime : 7200;
        c->keylog = o->keylog;
        c->keylog_arg = o->keylog_arg;
}

/* previous: what it takes the place of, or NULL. NULL with errno and green_last_error(). */
static struct green__tls_made *
make(const green_tls_context *context, bool system, const struct green__tls_made *previous)
{
        static atomic_uint_fast64_t ids;
        struct green__tls_made *made = green_calloc(1, sizeof *made);
        struct green__tls_config config = {.size = 0};
        struct texts texts = {.n = 0};
        char why[300] = "";
        int rc;

        if (made == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        atomic_init(&made->refs, 1);
        made->be = context->be;
        made->id = atomic_fetch_add_explicit(&ids, 1, memory_order_relaxed) + 1;
        fill_config(context, &config);
        config.previous = previous != NULL ? previous->context : NULL;
        rc = take_sources(&context->opts, system, &texts, &config);
        if (rc == 0) {
                rc = context->be->context_new(&config, &made->context, why, sizeof why);
                if (rc != 0)
                        green_set_error(rc, "TLS: %s", why[0] != '\0' ? why : green_strerror(rc));
        }
        for (size_t i = 0; i < texts.n; i++) {
                /* One of them may be a key. */
                memset(texts.text[i], 0, strlen(texts.text[i]));
                __asm__ __volatile__("" : : "r"(texts.text[i]) : "memory");
                green_free(texts.text[i]);
        }
        if (rc == 0)
                return made;
        green_free(made);
        errno = -rc;
        return NULL;
}

/* ---- the client's, which is made at its first use where the system is trusted */

bool
green__tls_is_made(green_tls_context *context, bool server)
{
        struct green__tls_sources *src = context->sources;
        bool yes;

        pthread_mutex_lock(&src->lock);
        yes = role_of(&context->opts, server) == SERVER || (src->made[CLIENT] != NULL && src->there == src->wanted);
        pthread_mutex_unlock(&src->lock);
        return yes;
}

/* In a child of fork() nobody is left who could give it back. */
static void
lock_making(struct green__tls_sources *src)
{
        pid_t process = getpid();

        pthread_mutex_lock(&src->lock);
        if (src->process != process) {
                (void)pthread_mutex_init(&src->making, NULL);
                src->process = process;
        }
        pthread_mutex_unlock(&src->lock);
        pthread_mutex_lock(&src->making);
}

/* The one that there was stays in use when it cannot be made anew. */
static int
put_client(struct green__tls_sources *src, struct green__tls_made *made, unsigned version)
{
        struct green__tls_made *old = NULL;
        int rc = made != NULL ? 0 : -errno;
        bool kept;

        pthread_mutex_lock(&src->lock);
        if (made != NULL) {
                old = src->made[CLIENT];
                src->made[CLIENT] = made;
        }
        kept = src->made[CLIENT] != NULL;
        if (kept)
                src->there = version;
        pthread_mutex_unlock(&src->lock);
        green__tls_made_unref(old);
        if (rc == 0 || !kept)
                return rc;
        green_log(GREEN_LOG_WARNING, "green-net: %s; what was read before is used", green_last_error()->message);
        return 0;
}

static int
make_client(green_tls_context *context)
{
        struct green__tls_sources *src = context->sources;
        struct green__tls_made *without;
        unsigned version;
        int rc = 0;

        lock_making(src);
        if (!green__tls_is_made(context, false)) {
                /* A server's tickets stay good. */
                pthread_mutex_lock(&src->lock);
                version = src->wanted;
                without = src->made[SERVER];
                made_ref(without);
                pthread_mutex_unlock(&src->lock);
                rc = put_client(src, make(context, true, without), version);
                green__tls_made_unref(without);
        }
        pthread_mutex_unlock(&src->making);
        return rc;
}

static struct green__tls_made *
made_of(green_tls_context *context, enum role role)
{
        struct green__tls_sources *src = context->sources;
        struct green__tls_made *made;

        pthread_mutex_lock(&src->lock);
        made = src->made[role];
        made_ref(made);
        pthread_mutex_unlock(&src->lock);
        return made;
}

struct green__tls_made *
green__tls_made_for(green_tls_context *context, bool server)
{
        if (!green__tls_is_made(context, server) && make_client(context) != 0)
                return NULL;
        return made_of(context, role_of(&context->opts, server));
}

struct making {
        green_tls_context *context;
        int code;
        char message[300];
};

static void *
make_there(void *arg)
{
        struct making *m = arg;

        m->code = make_client(m->context);
        if (m->code != 0)
                snprintf(m->message, sizeof m->message, "%s", green_last_error()->message);
        return NULL;
}

int
green__tls_make_in_pool(green_tls_context *context, struct green_wait **ret_wait, double timeout)
{
        struct making m = {.context = context};
        int rc = green__tls_in_pool(make_there, &m, ret_wait, timeout);

        return rc == 0 && m.code != 0 ? green_set_error(m.code, "%s", m.message) : rc;
}

/* ---- SNI: the connection whose step is running keeps what it is given */

static _Thread_local struct green__tls *stepping;

void
green__tls_stepping(struct green__tls *t)
{
        stepping = t;
}

static void *
by_name(void *arg, const char *name)
{
        green_tls_context *own = arg, *other = own->opts.sni_fn(name != NULL ? name : "", own->opts.sni_arg);
        struct green__tls_made *made;

        if (other == NULL || other == own || stepping == NULL)
                return NULL;
        made = green__tls_made_for(other, true);
        /* Without the bundle nobody is trusted. The connection's own context may ask for less than this one. */
        if (made == NULL) {
                green_log(GREEN_LOG_ERROR, "green-net: %s; no client's certificate is believed",
                          green_last_error()->message);
                made = made_of(other, SERVER);
        }
        green__tls_made_unref(stepping->sni);
        stepping->sni = made;
        return made->context;
}

/* ---- options, copied */

static int
copy_bytes(const void **at, size_t len)
{
        char *copy = green_malloc(len + 1);

        if (copy != NULL) {
                memcpy(copy, *at, len);
                copy[len] = '\0';
        }
        *at = copy;
        return copy != NULL ? 0 : -ENOMEM;
}

static int
copy_pem(const void **at, size_t *len)
{
        int rc;

        if (*at == NULL)
                return 0;
        rc = copy_bytes(at, *len);
        *len += 1; /* the NUL */
        return rc;
}

static int
copy_text(const char **at)
{
        const void *bytes = *at;
        int rc = bytes != NULL ? copy_bytes(&bytes, strlen(bytes)) : 0;

        *at = bytes;
        return rc;
}

/* In one block: the list, and the texts behind it. */
static int
copy_list(const char *const **at)
{
        const char *const *from = *at;
        size_t n = 0, bytes = 0;
        const char **list;
        char *texts;

        if (from == NULL)
                return 0;
        for (; from[n] != NULL; n++)
                bytes += strlen(from[n]) + 1;
        list = green_malloc((n + 1) * sizeof *list + bytes);
        *at = list;
        if (list == NULL)
                return -ENOMEM;
        texts = (char *)(list + n + 1);
        for (size_t i = 0; i < n; i++) {
                size_t len = strlen(from[i]) + 1;

                list[i] = memcpy(texts, from[i], len);
                texts += len;
        }
        list[n] = NULL;
        return 0;
}

static void
wipe(const void *bytes, size_t len)
{
        if (bytes == NULL)
                return;
        memset((void *)(uintptr_t)bytes, 0, len);
        __asm__ __volatile__("" : : "r"(bytes) : "memory");
        green_free((void *)(uintptr_t)bytes);
}

static void
free_opts(struct green_tls_opts *o)
{
        const void *plain[] = {o->cert_file, o->key_file, o->cert_pem, o->ca_file,
                               o->ca_pem,    o->crl_file, o->ciphers,  o->alpn};

        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
                green_free((void *)(uintptr_t)plain[i]);
        wipe(o->key_pem, o->key_pem_len);
        wipe(o->password, o->password != NULL ? strlen(o->password) : 0);
}

/* Each is copied, or NULL, whatever fails: free_opts() follows. */
static int
copy_opts(struct green_tls_opts *o)
{
        int rc = 0;

        rc |= copy_text(&o->cert_file);
        rc |= copy_text(&o->key_file);
        rc |= copy_pem(&o->cert_pem, &o->cert_pem_len);
        rc |= copy_pem(&o->key_pem, &o->key_pem_len);
        rc |= copy_text(&o->password);
        rc |= copy_text(&o->ca_file);
        rc |= copy_pem(&o->ca_pem, &o->ca_pem_len);
        rc |= copy_text(&o->crl_file);
        rc |= copy_text(&o->ciphers);
        rc |= copy_list(&o->alpn);
        return rc == 0 ? 0 : -ENOMEM;
}

static bool
version_ok(enum green_tls_version_number version)
{
        return version == GREEN_TLS_ANY || version == GREEN_TLS_1_2 || version == GREEN_TLS_1_3;
}

/* What is wrong with them, or NULL. */
static const char *
bad_opts(const struct green_tls_opts *o)
{
        if ((unsigned)o->verify > GREEN_TLS_VERIFY_REQUIRED)
                return "verify is none of its values";
        if (!version_ok(o->min_version) || !version_ok(o->max_version))
                return "TLS 1.2 and 1.3 are all that there is";
        if (o->max_version != GREEN_TLS_ANY && o->min_version > o->max_version)
                return "min_version is above max_version";
        if (!(o->ticket_lifetime >= 0) || !(o->handshake_timeout >= 0))
                return "a time is negative";
        if (o->cert_file != NULL && o->cert_pem != NULL)
                return "cert_file and cert_pem are both given";
        if ((o->key_file != NULL || o->key_pem != NULL) && !has_cert(o))
                return "a key without a certificate";
        if (o->key_file != NULL && o->key_pem != NULL)
                return "key_file and key_pem are both given";
        if (o->ca_file != NULL && o->ca_pem != NULL)
                return "ca_file and ca_pem are both given";
        for (size_t i = 0; o->alpn != NULL && o->alpn[i] != NULL; i++)
                if (o->alpn[i][0] == '\0' || strlen(o->alpn[i]) > 255)
                        return "a protocol of alpn is empty or too long";
        return NULL;
}

/* ---- contexts */

static void
free_context(green_tls_context *context)
{
        if (context->sources != NULL) {
                green__tls_made_unref(context->sources->made[CLIENT]);
                green__tls_made_unref(context->sources->made[SERVER]);
                (void)pthread_mutex_destroy(&context->sources->lock);
                (void)pthread_mutex_destroy(&context->sources->making);
                green_free(context->sources);
        }
        free_opts(&context->opts);
        green_free(context);
}

/* Both roles, made of what the files have now; the client's is NULL where it needs the system's bundle. */
static int
make_both(green_tls_context *context, struct green__tls_made *const old[2], struct green__tls_made *ret_made[2])
{
        bool later = trusts_system(&context->opts);

        ret_made[SERVER] = make(context, false, old[SERVER]);
        if (ret_made[SERVER] == NULL)
                return -errno;
        ret_made[CLIENT] = later ? NULL : ret_made[SERVER];
        if (!later)
                made_ref(ret_made[SERVER]);
        return 0;
}

static int
build(green_tls_context *context)
{
        int rc = copy_opts(&context->opts);

        context->sources = green_calloc(1, sizeof *context->sources);
        if (context->sources != NULL) {
                (void)pthread_mutex_init(&context->sources->lock, NULL);
                (void)pthread_mutex_init(&context->sources->making, NULL);
                context->sources->process = getpid();
        }
        if (rc != 0 || context->sources == NULL)
                return green_set_error(-ENOMEM, NULL);
        return make_both(context, context->sources->made, context->sources->made);
}

green_tls_context *
green_tls_context_new(const struct green_tls_opts *opts)
{
        const struct green__tls_backend *be;
        struct green_tls_opts o;
        green_tls_context *context;
        const char *bad;
        int rc = green_opts_take(&o, sizeof o, opts);

        bad = rc != 0 ? "their size is unknown" : bad_opts(&o);
        if (bad != NULL) {
                green_set_error(-EINVAL, "TLS: bad options: %s", bad);
                return NULL;
        }
        be = green__tls_backend_get();
        if (be == NULL)
                return NULL;
        context = green_calloc(1, sizeof *context);
        if (context == NULL) {
                green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        atomic_init(&context->refs, 1);
        context->be = be;
        context->opts = o;
        rc = build(context);
        if (rc == 0)
                return context;
        free_context(context);
        errno = -rc;
        return NULL;
}

green_tls_context *
green_tls_context_ref(green_tls_context *context)
{
        if (context != NULL)
                atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
        return context;
}

void
green_tls_context_unref(green_tls_context *context)
{
        if (context != NULL && atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) == 1)
                free_context(context);
}

int
green_tls_context_reload(green_tls_context *context)
{
        struct green__tls_made *old[2], *made[2];
        struct green__tls_sources *src;
        const struct green_tls_opts *o;
        int rc;

        if (context == NULL)
                return -EINVAL;
        o = &context->opts;
        if (o->cert_file == NULL && o->key_file == NULL && o->ca_file == NULL && o->crl_file == NULL &&
            !(trusts_system(o) && (o->verify != GREEN_TLS_VERIFY_DEFAULT || !has_cert(o))))
                return green_set_error(-EINVAL, "TLS: the context was made from memory, and has no file to read anew");
        src = context->sources;
        /* Two who reload at once make it twice, which does no harm; `old` must last while its tickets are taken over.
         */
        pthread_mutex_lock(&src->lock);
        old[CLIENT] = NULL;
        old[SERVER] = src->made[SERVER];
        made_ref(old[SERVER]);
        pthread_mutex_unlock(&src->lock);
        rc = make_both(context, old, made);
        green__tls_made_unref(old[SERVER]);
        if (rc != 0)
                return rc;
        pthread_mutex_lock(&src->lock);
        memcpy(old, src->made, sizeof old);
        src->made[SERVER] = made[SERVER];
        /* The client's that is made at its use: the next one makes it anew. */
        if (made[CLIENT] == NULL) {
                old[CLIENT] = NULL;
                src->wanted++;
        } else {
                src->made[CLIENT] = made[CLIENT];
        }
        pthread_mutex_unlock(&src->lock);
        green__tls_made_unref(old[CLIENT]);
        green__tls_made_unref(old[SERVER]);
        return 0;
}

static bool
same_text(const char *a, const char *b)
{
        return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
green__tls_same_trust(const green_tls_context *a, const green_tls_context *b)
{
        const struct green_tls_opts *x = &a->opts, *y = &b->opts;

        if (a == b)
                return true;
        return x->ca_pem == NULL && y->ca_pem == NULL && same_text(x->ca_file, y->ca_file) &&
               same_text(x->crl_file, y->crl_file) && x->verify == y->verify &&
               x->no_check_hostname == y->no_check_hostname && x->verify_fn == NULL && y->verify_fn == NULL;
}

green_tls_context *
green__tls_context_simple(const struct green_wrap_ssl_opts *opts, bool server)
{
        struct green_tls_opts o = {.size = sizeof o,
                                   .cert_file = opts->certfile,
                                   .key_file = opts->keyfile,
                                   .ca_file = opts->ca_certs,
                                   .verify = opts->cert_reqs};

        /* It is for this end only. */
        if (server && o.verify == GREEN_TLS_VERIFY_DEFAULT)
                o.verify = GREEN_TLS_VERIFY_NONE;
        return green_tls_context_new(&o);
}
