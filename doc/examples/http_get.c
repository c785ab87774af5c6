/* See http_get.h. */
#include "http_get.h"

#include <errno.h>
#include <green/net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME "http://"

/* "http://host:port/path" into "host:port" and "/path". */
static int
split(const char *url, char *host, size_t size, const char **ret_path)
{
        const char *begin = url + strlen(SCHEME), *end;
        int n;

        if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
                return -EINVAL;
        end = begin + strcspn(begin, "/?#");
        *ret_path = *end == '/' ? end : "/";
        n = snprintf(host, size, "%.*s", (int)(end - begin), begin);
        if (strchr(host[0] == '[' ? host + strcspn(host, "]") : host, ':') == NULL)
                n += snprintf(host + strlen(host), size - strlen(host), ":80");
        return n > 0 && (size_t)n < size ? 0 : -EINVAL;
}

/* The head of the answer, a line at a time: its status. */
static int
read_head(green_stream *st)
{
        const char *line;
        ssize_t n = green_stream_readline(st, 8192, &line);
        int status = 0;

        if (n <= 0 || sscanf(line, "HTTP/1.%*1d %3d", &status) != 1)
                return n < 0 ? (int)n : -EPROTO;
        while ((n = green_stream_readline(st, 8192, &line)) > 0) {
                if (line[0] == '\n' || line[0] == '\r')
                        return status;
        }
        return n < 0 ? (int)n : -EPROTO;
}

static int
converse(green_stream *st, const char *host, const char *path, char **ret_body, size_t *ret_len)
{
        int rc = green_stream_printf(st, "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host),
            status;

        if (rc < 0)
                return rc;
        status = read_head(st); /* what was written goes out before a read that waits */
        if (status < 0)
                return status;
        rc = green_stream_read_all(st, HTTP_GET_MAX, ret_body, ret_len);
        return rc < 0 ? rc : status;
}

int
http_get(const char *url, char **ret_body, size_t *ret_len)
{
        struct green_connect_opts opts = {.size = sizeof opts, .timeout = 10};
        const char *path = NULL;
        green_socket *s;
        green_stream *st;
        char host[300];
        int rc = split(url, host, sizeof host, &path);

        if (rc != 0)
                return rc;
        s = green_connect(host, &opts);
        if (s == NULL)
                return green_last_error()->code;
        green_socket_set_timeout(s, 30);
        st = green_socket_makefile(s, NULL);
        rc = st == NULL ? -ENOMEM : converse(st, host, path, ret_body, ret_len);
        green_stream_free(st);
        green_socket_free(s);
        return rc;
}

size_t
http_next_link(const char **at)
{
        const char *link = strstr(*at, SCHEME);

        if (link == NULL)
                return 0;
        *at = link;
        return strcspn(link, " \"'<>\r\n\t");
}
