/*
 * Whom to connect to, and how: what is in params, and the options of this driver.
 */
#include "mariadb_priv.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

enum kind { TEXT, ON_OFF, NUMBER };

static const struct option {
        const char *name;
        enum kind kind;
        size_t offset, off; /* off: of what is set for 0; 0: nothing */
} options[] = {
        {"charset", TEXT, offsetof(struct maria_config, charset), 0},
        {"compress", ON_OFF, offsetof(struct maria_config, compress), 0},
        {"default_auth", TEXT, offsetof(struct maria_config, default_auth), 0},
        {"init_command", TEXT, offsetof(struct maria_config, init_command), 0},
        {"local_infile", ON_OFF, offsetof(struct maria_config, local_infile), 0},
        {"max_allowed_packet", NUMBER, offsetof(struct maria_config, max_allowed_packet), 0},
        {"plugin_dir", TEXT, offsetof(struct maria_config, plugin_dir), 0},
        {"read_default_file", TEXT, offsetof(struct maria_config, read_file), 0},
        {"read_default_group", TEXT, offsetof(struct maria_config, read_group), 0},
        {"socket", TEXT, offsetof(struct maria_config, socket), 0},
        {"ssl_ca", TEXT, offsetof(struct maria_config, ssl_ca), 0},
        {"ssl_capath", TEXT, offsetof(struct maria_config, ssl_capath), 0},
        {"ssl_cert", TEXT, offsetof(struct maria_config, ssl_cert), 0},
        {"ssl_cipher", TEXT, offsetof(struct maria_config, ssl_cipher), 0},
        {"ssl_crl", TEXT, offsetof(struct maria_config, ssl_crl), 0},
        {"ssl_crlpath", TEXT, offsetof(struct maria_config, ssl_crlpath), 0},
        {"ssl_key", TEXT, offsetof(struct maria_config, ssl_key), 0},
        {"ssl_verify_server_cert", ON_OFF, offsetof(struct maria_config, verify),
         offsetof(struct maria_config, no_verify)},
        {"tls", ON_OFF, offsetof(struct maria_config, tls), offsetof(struct maria_config, no_tls)},
        {"tls_peer_fp", TEXT, offsetof(struct maria_config, tls_peer_fp), 0},
        {"tls_version", TEXT, offsetof(struct maria_config, tls_version), 0},
};

static size_t
bytes(const char *s)
{
        return s != NULL ? strlen(s) + 1 : 0;
}

static const char *
put(char **at, const char *s)
{
        size_t len = bytes(s);
        char *to = *at;

        if (s == NULL)
                return NULL;
        memcpy(to, s, len);
        *at += len;
        return to;
}

static bool
set_number(void *at, const char *text)
{
        char *end;
        unsigned long number = strtoul(text, &end, 10);

        if (*text < '0' || *text > '9' || *end != '\0')
                return false;
        memcpy(at, &number, sizeof number);
        return true;
}

/* text: "0" or "1". */
static bool
set_on_off(struct maria_config *c, const struct option *o, const char *text)
{
        size_t offset = *text == '1' ? o->offset : o->off;

        if ((*text != '0' && *text != '1') || text[1] != '\0')
                return false;
        if (offset != 0)
                *(bool *)(void *)((char *)c + offset) = true;
        return true;
}

/* given: "name=value", where values are kept. */
static int
set_option(green_db_link *link, struct maria_config *c, const char *given)
{
        size_t len = strcspn(given, "=");
        const char *value = given[len] == '=' ? given + len + 1 : NULL;

        for (size_t i = 0; value != NULL && i < sizeof options / sizeof options[0]; i++) {
                const struct option *o = &options[i];
                void *at = (char *)c + o->offset;
                bool good = true;

                if (strlen(o->name) != len || memcmp(o->name, given, len) != 0)
                        continue;
                switch (o->kind) {
                case TEXT: memcpy(at, &value, sizeof value); break;
                case ON_OFF: good = set_on_off(c, o, value); break;
                case NUMBER: good = set_number(at, value); break;
                }
                if (good)
                        return 0;
                return green_db_link_fail(link, -EINVAL, 0, NULL, "option \"%s\": this value means nothing", o->name);
        }
        return green_db_link_fail(link, -EINVAL, 0, NULL, "there is no option \"%.*s\"%s", (int)len, given,
                                  value == NULL ? ": give name=value" : "");
}

/* A host with a slash is a socket, or its folder. */
static void
set_host(struct maria_config *c, const char *host, char **at)
{
        static const char file[] = "mysqld.sock";
        size_t len = strlen(host);
        struct stat st;
        char *to = *at;

        if (strchr(host, '/') == NULL) {
                c->host = put(at, host);
                return;
        }
        c->socket = to;
        memcpy(to, host, len + 1);
        if (host[len - 1] == '/' || (stat(host, &st) == 0 && S_ISDIR(st.st_mode))) {
                if (host[len - 1] != '/')
                        to[len++] = '/';
                memcpy(to + len, file, sizeof file);
        }
        *at = to + len + sizeof file;
}

static int
check(green_db_link *link, const struct maria_config *c)
{
        if (c->host != NULL && c->host[strcspn(c->host, ",;=")] != '\0')
                return green_db_link_fail(link, -EINVAL, 0, NULL, "\"%s\" is not the name of a host", c->host);
        if (c->tls && c->no_tls)
                return green_db_link_fail(link, -EINVAL, 0, NULL, "tls is switched on and off");
        return 0;
}

int
maria_config_new(green_db_link *link, const struct green_db_params *params, struct maria_config **ret)
{
        size_t size = sizeof(struct maria_config) + bytes(params->host) + sizeof "/mysqld.sock" + bytes(params->user) +
                      bytes(params->password) + bytes(params->database) + sizeof "localhost";
        struct maria_config *c;
        char *at;
        int rc = 0;

        for (const char *const *o = params->options; o != NULL && *o != NULL; o++)
                size += bytes(*o);
        c = green_calloc(1, size);
        if (c == NULL)
                return -ENOMEM;
        at = (char *)(c + 1);
        c->charset = "utf8mb4";
        c->user = put(&at, params->user);
        c->password = put(&at, params->password != NULL ? params->password : "");
        c->database = put(&at, params->database);
        for (const char *const *o = params->options; rc == 0 && o != NULL && *o != NULL; o++)
                rc = set_option(link, c, put(&at, *o));
        if (params->host != NULL && *params->host != '\0')
                set_host(c, params->host, &at);
        else if (params->port != 0 && c->socket == NULL)
                c->host = "localhost";
        c->port = params->port != 0 ? params->port : 3306;
        if (rc == 0)
                rc = check(link, c);
        if (rc == 0)
                *ret = c;
        else
                maria_config_free(c);
        return rc;
}

void
maria_config_free(struct maria_config *c)
{
        /* A password does not stay in memory that is given back. */
        for (volatile char *at = c != NULL ? (volatile char *)(uintptr_t)c->password : NULL; at != NULL && *at != '\0'; at++)
                *at = '\0';
        green_free(c);
}
