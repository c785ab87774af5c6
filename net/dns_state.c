/*
 * The resolver of an OS thread: made at the first lookup, made anew when the settings have changed, ended with the hub.
 * See dns_priv.h.
 */
#include "dns_priv.h"

#include <green/hubs.h>

#include "check.h"
#include "sock_sys.h"

/* The hosts file is looked at no more often. */
#define HOSTS_EVERY INT64_C(10000000000)

static _Thread_local struct {
        struct green__dns *current, *all;
        struct green_hub_end end;
        uint64_t hub; /* whose end is waited for; 0: none */
        unsigned forks, generation;
} here;

static void
free_dns(struct green__dns *dns, bool hub_lives)
{
        struct green__dns **at = &here.all;

        while (*at != dns)
                at = &(*at)->next;
        *at = dns->next;
        if (here.current == dns)
                here.current = NULL;
        dns->pins++; /* ending its queries lets go of it */
        green__wire_free(dns->wire, hub_lives);
        green__dns_cache_free(&dns->cache);
        green__hosts_free(dns->hosts);
        green__dns_settings_put(dns->settings);
        green_free(dns);
}

/* The hub has ended, and with it all who hold something of this. */
static void
hub_ended(void *arg)
{
        (void)arg;
        while (here.all != NULL)
                free_dns(here.all, false);
        here.hub = 0;
}

static void
free_if_unused(struct green__dns *dns)
{
        if (dns->retired && dns->pins == 0)
                free_dns(dns, true);
}

void
green__dns_leave(struct green__dns *dns)
{
        GREEN_ASSERT(dns->pins > 0);
        dns->pins--;
        free_if_unused(dns);
}

static void
retire(struct green__dns *dns)
{
        here.current = NULL;
        dns->retired = true;
        free_if_unused(dns);
}

static int
make(struct green__dns **ret_dns)
{
        struct green__dns *dns = green_calloc(1, sizeof *dns);
        int rc;

        if (dns == NULL)
                return -ENOMEM;
        dns->settings = green__dns_settings_get(&here.generation);
        rc = green__dns_conf_make(dns->settings, &dns->conf);
        if (rc == 0)
                rc = green__dns_cache_init(&dns->cache);
        if (rc != 0) {
                green__dns_settings_put(dns->settings);
                green_free(dns);
                return rc;
        }
        dns->next = here.all;
        here.all = here.current = dns;
        *ret_dns = dns;
        return 0;
}

/* In the child of a fork: the sockets are the parent's, and who waited is not here. */
static void
forget_parent(void)
{
        while (here.all != NULL)
                free_dns(here.all, true);
}

int
green__dns_enter(struct green__dns **ret_dns)
{
        uint64_t hub = green_hub_ident();
        int rc = 0;

        if (green__unlikely(hub == 0))
                return green_last_error()->code;
        if (green__unlikely(here.hub != hub)) {
                green__sys_watch_forks();
                here.forks = green__sys_forks;
                rc = green_hub_at_end(&here.end, hub_ended, NULL);
                if (rc != 0)
                        return rc;
                here.hub = hub;
        }
        if (green__unlikely(here.forks != green__sys_forks)) {
                forget_parent();
                here.forks = green__sys_forks;
        }
        if (here.current != NULL && here.generation != green__dns_generation())
                retire(here.current);
        if (here.current == NULL)
                rc = make(&here.current);
        if (rc != 0)
                return green_set_error(rc, NULL);
        here.current->pins++;
        *ret_dns = here.current;
        return 0;
}

int
green__dns_hosts(struct green__dns *dns, const struct green__hosts **ret_hosts)
{
        const char *path = dns->settings->opts.hosts != NULL ? dns->settings->opts.hosts : green__dns_hosts_path;
        int64_t now = green__sys_now();
        struct green__dns_stamp stamp;
        struct green__hosts *hosts;
        char *text;
        size_t len;
        int rc;

        *ret_hosts = dns->hosts;
        if (dns->hosts != NULL && now - dns->hosts_seen < HOSTS_EVERY)
                return 0;
        green__dns_stamp(path, &stamp);
        dns->hosts_seen = now;
        if (dns->hosts != NULL && memcmp(&stamp, &dns->hosts_stamp, sizeof stamp) == 0)
                return 0;
        rc = green__dns_read_file(path, &text, &len);
        hosts = rc == 0 ? green__hosts_parse(text, len) : NULL;
        if (hosts == NULL)
                return dns->hosts != NULL ? 0 : green_set_error(-ENOMEM, NULL);
        green__hosts_free(dns->hosts);
        dns->hosts = hosts;
        dns->hosts_stamp = stamp;
        *ret_hosts = hosts;
        return 0;
}
