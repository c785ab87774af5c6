/*
 * Settings of the resolver, and resolv.conf. See <green/dns.h>.
 */
#include "dns_priv.h"
#include "at_fork.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <green/log.h>
#include <green/opts.h>

enum { DNS_PORT = 53, DEFAULT_CACHE = 10000, DEFAULT_ATTEMPTS = 3, MAX_NDOTS = 15, MAX_ATTEMPTS = 100 };
#define DEFAULT_TIMEOUT 2.0
/* c-ares counts milliseconds in an int, and doubles them with each attempt. */
#define MAX_TIMEOUT 3600.0

static struct green__dns_settings defaults = {.refs = 1, .opts = {.size = sizeof(struct green_dns_opts)}};
static struct green__dns_settings *current = &defaults;
static atomic_uint generation = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool no_greendns;

static void
before_fork(void)
{
        pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
        pthread_mutex_unlock(&lock);
}

static void
look_at_environment(void)
{
        const char *text = getenv("GREEN_NO_GREENDNS");

        no_greendns = text != NULL && strcasecmp(text, "yes") == 0;
        green__at_fork(before_fork, after_fork, after_fork);
}

/* ---- settings */

unsigned
green__dns_generation(void)
{
        return atomic_load(&generation);
}

const struct green__dns_settings *
green__dns_settings_get(unsigned *ret_generation)
{
        struct green__dns_settings *settings;

        (void)pthread_once(&once, look_at_environment);
        pthread_mutex_lock(&lock);
        settings = current;
        atomic_fetch_add(&settings->refs, 1);
        if (ret_generation != NULL)
                *ret_generation = atomic_load(&generation);
        pthread_mutex_unlock(&lock);
        return settings;
}

void
green__dns_settings_put(const struct green__dns_settings *settings)
{
        struct green__dns_settings *own = (struct green__dns_settings *)(uintptr_t)settings;

        if (atomic_fetch_sub(&own->refs, 1) == 1 && own != &defaults)
                green_free(own);
}

static bool
is_system(const struct green__dns_settings *settings)
{
        return settings->opts.system || no_greendns || green__wire_version() == NULL;
}

bool
green__dns_uses_system(double *ret_lifetime)
{
        const struct green__dns_settings *settings = green__dns_settings_get(NULL);
        bool system = is_system(settings);

        if (ret_lifetime != NULL)
                *ret_lifetime = settings->opts.lifetime > 0 ? settings->opts.lifetime : GREEN__DNS_LIFETIME;
        green__dns_settings_put(settings);
        return system;
}

const char *
green_dns_backend(void)
{
        return green__dns_uses_system(NULL) ? "system" : green__wire_version();
}

static size_t
bytes_of(const char *text)
{
        return text != NULL ? strlen(text) + 1 : 0;
}

/* Move a text behind the settings. */
static void
keep(const char **text, char **place)
{
        size_t bytes = bytes_of(*text);

        if (bytes == 0)
                return;
        memcpy(*place, *text, bytes);
        *text = *place;
        *place += bytes;
}

static struct green__dns_settings *
copy_settings(const struct green_dns_opts *o)
{
        size_t bytes = bytes_of(o->servers) + bytes_of(o->search) + bytes_of(o->hosts) + bytes_of(o->resolv_conf);
        struct green__dns_settings *s = green_malloc(sizeof *s + bytes);
        char *place;

        if (s == NULL)
                return NULL;
        place = (char *)(s + 1);
        atomic_init(&s->refs, 1);
        s->opts = *o;
        keep(&s->opts.servers, &place);
        keep(&s->opts.search, &place);
        keep(&s->opts.hosts, &place);
        keep(&s->opts.resolv_conf, &place);
        return s;
}

/* ---- lists of servers and of names */

/* The next of a list that is separated by any of these; NULL: no more. */
static const char *
next_word(const char **at, const char *separators, size_t *ret_len)
{
        const char *word = *at + strspn(*at, separators);

        *ret_len = strcspn(word, separators);
        *at = word + *ret_len;
        return *ret_len != 0 ? word : NULL;
}

/* "1.2.3.4", "1.2.3.4:53", "::1", "[::1]", "[::1]:53" */
static int
parse_server(const char *word, size_t len, struct green_addr *ret_server)
{
        char text[GREEN_ADDR_TEXT_SIZE + 16];
        const char *colon = memchr(word, ':', len);
        bool plain6 =
                word[0] != '[' && colon != NULL && memchr(colon + 1, ':', len - (size_t)(colon + 1 - word)) != NULL;

        if (len > GREEN_ADDR_TEXT_SIZE)
                return -EINVAL;
        if (plain6)
                snprintf(text, sizeof text, "[%.*s]:%d", (int)len, word, DNS_PORT);
        else if (word[0] == '[' ? word[len - 1] == ']' : colon == NULL)
                snprintf(text, sizeof text, "%.*s:%d", (int)len, word, DNS_PORT);
        else
                snprintf(text, sizeof text, "%.*s", (int)len, word);
        if (text[0] == ':' || green_addr_parse(text, ret_server) != 0 || green_addr_port(ret_server) <= 0)
                return -EINVAL;
        return 0;
}

int
green__dns_parse_servers(const char *text, struct green_addr *ret_servers, size_t *ret_n)
{
        const char *word;
        size_t len, n = 0;

        while ((word = next_word(&text, ", ", &len)) != NULL) {
                if (n == GREEN__DNS_SERVERS)
                        return green_set_error(-EINVAL, "more than %d name servers", GREEN__DNS_SERVERS);
                if (parse_server(word, len, &ret_servers[n]) != 0)
                        return green_set_error(-EINVAL,
                                               "\"%.*s\": a name server is a numeric address, with a port or without",
                                               len > 200 ? 200 : (int)len, word);
                n++;
        }
        if (n == 0)
                return green_set_error(-EINVAL, "there is no name server in the list");
        *ret_n = n;
        return 0;
}

/* Names of the search list. One that is no name is left out, and so are those beyond the last place. */
static void
parse_search(const char *text, const char *separators, struct green__dns_conf *conf)
{
        const char *word;
        char name[GREEN__NAME_SIZE];
        size_t len;

        conf->nsearch = 0;
        while ((word = next_word(&text, separators, &len)) != NULL && conf->nsearch < GREEN__DNS_SEARCH) {
                if (len >= sizeof name)
                        continue;
                memcpy(name, word, len);
                name[len] = '\0';
                if (green__dns_clean_name(name, conf->search[conf->nsearch], NULL) == 0)
                        conf->nsearch++;
        }
}

static int
check_search(const char *text)
{
        char name[GREEN__NAME_SIZE], clean[GREEN__NAME_SIZE];
        const char *word;
        size_t len, n = 0;

        while ((word = next_word(&text, ", ", &len)) != NULL) {
                snprintf(name, sizeof name, "%.*s", len < sizeof name ? (int)len : 0, word);
                if (++n > GREEN__DNS_SEARCH || green__dns_clean_name(name, clean, NULL) != 0)
                        return green_set_error(-EINVAL, "\"%.200s\": the search list has at most %d names", word,
                                               GREEN__DNS_SEARCH);
        }
        return 0;
}

static int
check(const struct green_dns_opts *o)
{
        struct green_addr servers[GREEN__DNS_SERVERS];
        size_t n;
        int rc = 0;

        if (o->servers != NULL)
                rc = green__dns_parse_servers(o->servers, servers, &n);
        if (rc == 0 && o->search != NULL)
                rc = check_search(o->search);
        if (rc != 0)
                return rc;
        if (o->ndots < 0 || o->ndots > MAX_NDOTS)
                return green_set_error(-EINVAL, "ndots is %d: it goes from 0 to %d", o->ndots, MAX_NDOTS);
        if (!(o->timeout >= 0 && o->timeout <= MAX_TIMEOUT))
                return green_set_error(-EINVAL, "a timeout of %g seconds: it goes from 0 to %g", o->timeout,
                                       MAX_TIMEOUT);
        if (o->attempts < 0 || o->attempts > MAX_ATTEMPTS)
                return green_set_error(-EINVAL, "%d attempts: they go from 0 to %d", o->attempts, MAX_ATTEMPTS);
        if (!(o->lifetime >= 0))
                return green_set_error(-EINVAL, "a lifetime of %g seconds", o->lifetime);
        return 0;
}

/* ---- the public ones */

int
green_dns_configure(const struct green_dns_opts *opts)
{
        struct green__dns_settings *old, *made = &defaults;
        struct green_dns_opts o;
        int rc;

        if (green_opts_take(&o, sizeof o, opts) != 0)
                return green_set_error(-EINVAL, "green_dns_configure: unknown size of the options");
        rc = opts != NULL ? check(&o) : 0;
        if (rc != 0)
                return rc;
        if (opts != NULL && (made = copy_settings(&o)) == NULL)
                return green_set_error(-ENOMEM, NULL);
        (void)pthread_once(&once, look_at_environment);
        if (made == &defaults)
                atomic_fetch_add(&defaults.refs, 1);
        pthread_mutex_lock(&lock);
        old = current;
        current = made;
        atomic_fetch_add(&generation, 1);
        pthread_mutex_unlock(&lock);
        green__dns_settings_put(old);
        return 0;
}

void
green_dns_clear(void)
{
        atomic_fetch_add(&generation, 1);
}

/* ---- resolv.conf */

/* "ndots:3": the number, at most max; -1 where the word is another. */
static int
option(const char *word, size_t len, const char *name, int max)
{
        size_t n = strlen(name);
        int value = 0;

        if (len <= n || memcmp(word, name, n) != 0)
                return -1;
        for (; n < len && word[n] >= '0' && word[n] <= '9'; n++) {
                value = value * 10 + (word[n] - '0');
                if (value > max)
                        value = max;
        }
        return value;
}

static void
take_options(const char *text, struct green__dns_conf *conf)
{
        const char *word;
        size_t len;
        int value;

        while ((word = next_word(&text, " \t", &len)) != NULL) {
                if ((value = option(word, len, "ndots:", MAX_NDOTS)) >= 0)
                        conf->ndots = value;
                else if ((value = option(word, len, "timeout:", 30)) > 0)
                        conf->timeout = value;
                else if ((value = option(word, len, "attempts:", MAX_ATTEMPTS)) > 0)
                        conf->attempts = value;
                else if (len == 6 && memcmp(word, "rotate", len) == 0)
                        conf->rotate = true;
        }
}

/* A line of resolv.conf. What it does not know, or cannot be, is passed over. */
static void
take_line(const char *line, struct green__dns_conf *conf)
{
        const char *rest = line, *word;
        size_t len, server_len;

        word = next_word(&rest, " \t", &len);
        if (word == NULL || word[0] == '#' || word[0] == ';')
                return;
        if (len == 10 && memcmp(word, "nameserver", len) == 0) {
                word = next_word(&rest, " \t", &server_len);
                if (word != NULL && conf->nservers < GREEN__DNS_SERVERS &&
                    parse_server(word, server_len, &conf->servers[conf->nservers]) == 0)
                        conf->nservers++;
        } else if ((len == 6 && memcmp(word, "search", len) == 0) || (len == 6 && memcmp(word, "domain", len) == 0)) {
                parse_search(rest, " \t", conf);
        } else if (len == 7 && memcmp(word, "options", len) == 0) {
                take_options(rest, conf);
        }
}

static int
take_resolv_conf(const char *path, struct green__dns_conf *conf)
{
        size_t len;
        char *text, *line, *end;
        int rc = green__dns_read_file(path, &text, &len);

        if (rc != 0 || text == NULL)
                return rc;
        for (line = text; line < text + len; line = end + 1) {
                end = line + strcspn(line, "\r\n");
                *end = '\0';
                take_line(line, conf);
        }
        green_free(text);
        return 0;
}

int
green__dns_conf_make(const struct green__dns_settings *settings, struct green__dns_conf *ret_conf)
{
        const struct green_dns_opts *o = &settings->opts;
        int rc;

        *ret_conf = (struct green__dns_conf){
                .ndots = 1, .attempts = DEFAULT_ATTEMPTS, .timeout = DEFAULT_TIMEOUT, .lifetime = GREEN__DNS_LIFETIME};
        rc = take_resolv_conf(o->resolv_conf != NULL ? o->resolv_conf : green__dns_resolv_path, ret_conf);
        if (rc != 0)
                return rc;
        if (o->servers != NULL)
                (void)green__dns_parse_servers(o->servers, ret_conf->servers, &ret_conf->nservers);
        if (ret_conf->nservers == 0)
                (void)green__dns_parse_servers("127.0.0.1", ret_conf->servers, &ret_conf->nservers);
        if (o->search != NULL)
                parse_search(o->search, ", ", ret_conf);
        if (o->ndots > 0)
                ret_conf->ndots = o->ndots;
        if (o->timeout > 0)
                ret_conf->timeout = o->timeout;
        if (o->attempts > 0)
                ret_conf->attempts = o->attempts;
        if (o->lifetime > 0)
                ret_conf->lifetime = o->lifetime;
        ret_conf->tcp = o->tcp;
        ret_conf->cache_size = o->no_cache ? 0 : o->cache_size != 0 ? o->cache_size : DEFAULT_CACHE;
        return 0;
}
