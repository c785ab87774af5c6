/*
 * The access log. The layout is compiled once; a request adds a line to a buffer of the server, which is given to the log
 * when it is full, and otherwise at the next poll.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <green/tls.h>

#include "wsgi_priv.h"

enum {
        BUFFER = 16384,
        FIELD_MAX = 2048, /* most that is shown of what a client has sent */
        NUMBER_MAX = 32,
        DATE_SIZE = 24,
        DECIMALS_MAX = 9,
};

enum field {
        TEXT, /* no field: text of the layout */
        CLIENT_IP,
        CLIENT_PORT,
        DATE_TIME,
        REQUEST_LINE,
        STATUS_CODE,
        BODY_LENGTH,
        WALL_SECONDS,
        METHOD,
        PATH,
        PROTOCOL,
        BYTES_SENT,
        REFERER,
        USER_AGENT,
        HOST,
        PID
};

static const struct {
        const char *name;
        enum field field;
} names[] = {
        {"client_ip", CLIENT_IP}, {"client_port", CLIENT_PORT}, {"date_time", DATE_TIME}, {"request_line", REQUEST_LINE},
        {"status_code", STATUS_CODE}, {"body_length", BODY_LENGTH}, {"wall_seconds", WALL_SECONDS}, {"method", METHOD},
        {"path", PATH}, {"protocol", PROTOCOL}, {"bytes_sent", BYTES_SENT}, {"referer", REFERER},
        {"user_agent", USER_AGENT}, {"host", HOST}, {"pid", PID},
};

struct token {
        enum field field;
        unsigned decimals; /* of WALL_SECONDS */
        const char *text;  /* of TEXT */
        size_t len;
};

struct green__access_log {
        char *format; /* a copy, which texts point into */
        struct token *tokens;
        size_t count;
        time_t date_second;
        char date[DATE_SIZE];
        size_t date_len;
        green_timer *timer;
        size_t len;
        char buffer[BUFFER];
};

/* ---- the layout */

static int
bad_format(const char *at)
{
        return green_set_error(-EINVAL, "log_format: not understood from here on: %.60s", at);
}

static bool
find_name(const char *name, size_t len, enum field *ret)
{
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0) {
                        *ret = names[i].field;
                        return true;
                }
        }
        return false;
}

/* "%(name)s", "%(name)d" or "%(name).6f", from the '%' on. Returns what stands behind it; NULL: it is none. */
static const char *
parse_field(const char *at, struct token *t)
{
        const char *name = at + 2, *end = strchr(name, ')');

        if (at[1] != '(' || end == NULL || !find_name(name, (size_t)(end - name), &t->field))
                return NULL;
        t->decimals = 6;
        at = end + 1;
        if (*at == '.') {
                if (t->field != WALL_SECONDS || at[1] < '0' || at[1] > '0' + DECIMALS_MAX || at[2] != 'f')
                        return NULL;
                t->decimals = (unsigned)(at[1] - '0');
                return at + 3;
        }
        return *at == 's' || *at == 'd' || (*at == 'f' && t->field == WALL_SECONDS) ? at + 1 : NULL;
}

static int
compile(struct green__access_log *log)
{
        const char *at = log->format;

        while (*at != '\0') {
                struct token *t = &log->tokens[log->count++];

                if (at[0] == '%' && at[1] != '%') {
                        const char *next = parse_field(at, t);

                        if (next == NULL)
                                return bad_format(at);
                        at = next;
                        continue;
                }
                /* A '%' that stands for itself begins the text behind it. */
                if (at[0] == '%')
                        at++;
                t->field = TEXT;
                t->text = at;
                t->len = 1 + strcspn(at + 1, "%");
                at += t->len;
        }
        return 0;
}

/* ---- writing */

static void
deliver_lines(struct green__server *server)
{
        struct green__access_log *log = server->log;
        char *line = log->buffer, *end = log->buffer + log->len;

        while (line < end) {
                char *stop = memchr(line, '\n', (size_t)(end - line));

                if (stop == NULL)
                        stop = end;
                green_log(GREEN_LOG_INFO, "%.*s", (int)(stop - line), line);
                line = stop + 1;
        }
}

static void
deliver(void *arg)
{
        struct green__server *server = arg;
        struct green__access_log *log = server->log;

        if (log->len == 0)
                return;
        if (server->opts.log != NULL)
                server->opts.log(server->opts.log_arg, log->buffer, log->len);
        else
                deliver_lines(server);
        log->len = 0;
}

/* Have room for so many bytes, at most BUFFER. */
static void
need(struct green__server *server, size_t len)
{
        if (BUFFER - server->log->len < len)
                deliver(server);
}

void
green_wsgi_log_to_fd(void *fd, const char *text, size_t len)
{
        while (len > 0) {
                ssize_t n = write((int)(intptr_t)fd, text, len);

                if (n < 0 && errno != EINTR)
                        return;
                if (n > 0) {
                        text += n;
                        len -= (size_t)n;
                }
        }
}

/* ---- a line: its fields are put into an array on the stack, so that it is given whole */

struct line {
        char *at, *end;
};

static void
put(struct line *l, const char *text, size_t len)
{
        size_t room = (size_t)(l->end - l->at);

        if (len > room)
                len = room;
        memcpy(l->at, text, len);
        l->at += len;
}

static bool
is_plain(unsigned char c)
{
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What a client has sent: it must not look like something else in the log. */
static void
put_foreign(struct line *l, const char *text, size_t len)
{
        static const char digits[] = "0123456789ABCDEF";

        if (len > FIELD_MAX)
                len = FIELD_MAX;
        if (len == 0)
                put(l, "-", 1);
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i];
                char coded[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};

                if (is_plain(c))
                        put(l, text + i, 1);
                else
                        put(l, coded, 4);
        }
}

static void
put_number(struct line *l, uint64_t n, unsigned width)
{
        char digits[NUMBER_MAX];
        size_t i = sizeof digits;

        do
                digits[--i] = (char)('0' + n % 10);
        while ((n /= 10) != 0);
        while (sizeof digits - i < width)
                digits[--i] = '0';
        put(l, digits + i, sizeof digits - i);
}

static void
put_seconds(struct line *l, const green_wsgi_request *req, unsigned decimals)
{
        uint64_t ns = req->began == 0 ? 0 : (uint64_t)(green__wsgi_now() - req->began);
        uint64_t unit = 1, scale = 1;

        for (unsigned i = decimals; i < 9; i++)
                unit *= 10;
        ns /= unit;
        for (unsigned i = 0; i < decimals; i++)
                scale *= 10;
        put_number(l, ns / scale, 1);
        if (decimals > 0) {
                put(l, ".", 1);
                put_number(l, ns % scale, decimals);
        }
}

static void
put_date(struct line *l, struct green__access_log *log)
{
        time_t now = green__wsgi_wall();
        struct tm tm;

        if (now != log->date_second) {
                static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
                int len;

                if (localtime_r(&now, &tm) == NULL)
                        return;
                len = snprintf(log->date, sizeof log->date, "%02d/%.3s/%d %02d:%02d:%02d", tm.tm_mday, months + 3 * tm.tm_mon,
                               tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
                log->date_len = len < 0 ? 0 : (size_t)len < sizeof log->date ? (size_t)len : sizeof log->date - 1;
                log->date_second = now;
        }
        put(l, log->date, log->date_len);
}

static void
put_span(struct line *l, const green_wsgi_request *req, struct green__http1_span span)
{
        if (req->head.result == GREEN__HTTP1_DONE)
                put_foreign(l, req->base + span.off, span.len);
        else
                put(l, "-", 1);
}

static void
put_header(struct line *l, green_wsgi_request *req, const char *name)
{
        const char *value = req->head.result == GREEN__HTTP1_DONE ? green_wsgi_header(req, name) : NULL;

        put_foreign(l, value == NULL ? "" : value, value == NULL ? 0 : strlen(value));
}

static void
put_port(struct line *l, green_wsgi_request *req)
{
        struct green_addr peer;
        int port = green_wsgi_peer(req, &peer) == 0 ? green_addr_port(&peer) : -1;

        if (port >= 0)
                put_number(l, (uint64_t)port, 1);
}

static void
put_client(struct line *l, green_wsgi_request *req)
{
        const char *text = green__proxy_logged(req);

        put_foreign(l, text, strlen(text));
}

static void
put_field(struct line *l, green_wsgi_request *req, const struct token *t)
{
        switch (t->field) {
        case TEXT: put(l, t->text, t->len); break;
        case CLIENT_IP: put_client(l, req); break;
        case CLIENT_PORT: put_port(l, req); break;
        case DATE_TIME: put_date(l, req->session->server->log); break;
        case REQUEST_LINE: put_foreign(l, req->line, req->line == NULL ? 0 : req->line_len); break;
        case STATUS_CODE: put_number(l, (uint64_t)req->status, 1); break;
        case BODY_LENGTH: put_number(l, req->body_sent, 1); break;
        case WALL_SECONDS: put_seconds(l, req, t->decimals); break;
        case METHOD: put_span(l, req, req->head.method_name); break;
        case PATH: put_span(l, req, req->head.path); break;
        case PROTOCOL: put(l, req->head.minor == 0 ? "HTTP/1.0" : "HTTP/1.1", 8); break;
        case BYTES_SENT: put_number(l, req->bytes_sent, 1); break;
        case REFERER: put_header(l, req, "referer"); break;
        case USER_AGENT: put_header(l, req, "user-agent"); break;
        case HOST: put_header(l, req, "host"); break;
        case PID: put_number(l, (uint64_t)getpid(), 1); break;
        }
}

void
green__log_request(green_wsgi_request *req)
{
        struct green__server *server = req->session->server;
        struct green__access_log *log = server->log;
        struct line l;

        need(server, BUFFER / 2);
        l.at = log->buffer + log->len;
        l.end = log->buffer + BUFFER - 1;
        for (size_t i = 0; i < log->count; i++)
                put_field(&l, req, &log->tokens[i]);
        *l.at++ = '\n';
        log->len = (size_t)(l.at - log->buffer);
        /* Without a timer the line waits for those behind it. */
        if (!green_timer_pending(log->timer))
                (void)green_timer_schedule(log->timer);
}

/* ---- its life */

int
green__log_take(struct green__server *server)
{
        const char *format = server->opts.log_format != NULL ? server->opts.log_format : GREEN_WSGI_LOG_FORMAT;
        struct green__access_log *log = green_calloc(1, sizeof(*log));
        size_t len = strlen(format);
        int rc;

        if (log == NULL)
                return -ENOMEM;
        server->log = log;
        log->date_second = -1;
        log->format = green_malloc(len + 1);
        log->tokens = green_calloc(len + 1, sizeof(log->tokens[0]));
        log->timer = green_timer_new(0, deliver, server);
        if (log->format == NULL || log->tokens == NULL || log->timer == NULL)
                return -ENOMEM;
        memcpy(log->format, format, len + 1);
        rc = compile(log);
        /* Where nobody sees it no line is made. */
        if (rc == 0 && (server->opts.no_log_output || (server->opts.log == NULL && !green_log_enabled(GREEN_LOG_INFO))))
                green__log_release(server);
        return rc;
}

void
green__log_release(struct green__server *server)
{
        struct green__access_log *log = server->log;

        if (log == NULL)
                return;
        deliver(server);
        (void)green_timer_free(log->timer);
        green_free(log->format);
        green_free(log->tokens);
        green_free(log);
        server->log = NULL;
}

/* ---- what is said beside requests */

static void
address_of(const struct green__server *server, const struct green__conn *conn, char *text, size_t size)
{
        bool tls = green_socket_is_tls(server->listener);
        char name[GREEN_ADDR_TEXT_SIZE] = "?";
        struct green_addr addr;
        int rc = conn == NULL ? green_socket_getsockname(server->listener, &addr)
                              : green_socket_getpeername(conn->socket, &addr);

        if (rc == 0)
                (void)green_addr_format(&addr, name, sizeof name);
        if (conn != NULL)
                (void)snprintf(text, size, "%s", name);
        else
                (void)snprintf(text, size, "%s%s", tls ? "https:" : "http:", strncmp(name, "unix:", 5) == 0 ? name + 5 : name);
        if (conn == NULL && strncmp(name, "unix:", 5) != 0)
                (void)snprintf(text, size, "%s//%s", tls ? "https:" : "http:", name);
}

void
green__log_life(const struct green__server *server, const struct green__conn *conn, const char *what)
{
        enum green_log_level level = conn == NULL ? GREEN_LOG_INFO : GREEN_LOG_DEBUG;
        bool to_log = conn == NULL && server->opts.log != NULL;
        char address[GREEN_ADDR_TEXT_SIZE + 16], line[GREEN_ADDR_TEXT_SIZE + 80];
        int len;

        if (server->opts.no_log_output || (!to_log && !green_log_enabled(level)))
                return;
        address_of(server, conn, address, sizeof address);
        len = snprintf(line, sizeof line, "(%d) wsgi %s%s%s\n", (int)getpid(), what, conn == NULL ? " on " : " ", address);
        if (len < 0 || (size_t)len >= sizeof line)
                return;
        if (to_log)
                server->opts.log(server->opts.log_arg, line, (size_t)len);
        else
                green_log(level, "%.*s", len - 1, line);
}
