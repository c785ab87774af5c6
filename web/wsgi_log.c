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

#include "wsgi_log_date.h"
#include "wsgi_priv.h"

enum {
        BUFFER = 16384,
        LINE_MAX_LOG = BUFFER / 2, /* longest line, its newline too */
        LINE_MAX_HOOK = 1000,      /* the same for the log hook, which cuts there */
        FOREIGN_LEAST = 64,        /* what a client has sent is shown up to here at least: an address fits */
        NUMBER_MAX = 32,
        DECIMALS_MAX = 9,
        QUOTES = 2,
        WIDEST = 4, /* what a byte of a client's may become: \xHH; in JSON \u00HH */
        WIDEST_JSON = 6,
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
        PID,
        CLIENT,
        SCHEME,
        TLS_VERSION,
        TIME_LOCAL,
        TIME_ISO8601,
        WORKER
};

static const struct {
        const char *name;
        enum field field;
} names[] = {
        {"client_ip", CLIENT_IP}, {"client_port", CLIENT_PORT}, {"date_time", DATE_TIME}, {"request_line", REQUEST_LINE},
        {"status_code", STATUS_CODE}, {"body_length", BODY_LENGTH}, {"wall_seconds", WALL_SECONDS}, {"method", METHOD},
        {"path", PATH}, {"protocol", PROTOCOL}, {"bytes_sent", BYTES_SENT}, {"referer", REFERER},
        {"user_agent", USER_AGENT}, {"host", HOST}, {"pid", PID},
        {"client", CLIENT}, {"scheme", SCHEME}, {"tls_version", TLS_VERSION}, {"time_local", TIME_LOCAL},
        {"time_iso8601", TIME_ISO8601}, {"worker", WORKER},
};

struct token {
        enum field field;
        bool json;         /* it is a value of JSON */
        unsigned decimals; /* of WALL_SECONDS */
        const char *text;  /* of TEXT */
        size_t len;
};

struct green__access_log {
        char *format; /* a copy, which texts point into */
        struct token *tokens;
        size_t count;
        bool json;          /* a field is a value of JSON: so whoever reads it wants lines of that kind, and no others */
        size_t foreign_max; /* bytes that what a client has sent may take in a line, for each such field */
        struct green__log_date dates[GREEN__LOG_DATES];
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

/* "%(name)s", "%(name)d", "%(name)j" or "%(name).6f", from the '%' on. Returns what stands behind it; NULL: it is none. */
static const char *
parse_field(const char *at, struct token *t)
{
        const char *end = at[1] == '(' ? strchr(at + 2, ')') : NULL;

        if (end == NULL || !find_name(at + 2, (size_t)(end - (at + 2)), &t->field))
                return NULL;
        t->decimals = 6;
        at = end + 1;
        t->json = *at == 'j';
        if (*at == '.') {
                if (t->field != WALL_SECONDS || at[1] < '0' || at[1] > '0' + DECIMALS_MAX || at[2] != 'f')
                        return NULL;
                t->decimals = (unsigned)(at[1] - '0');
                return at + 3;
        }
        return *at == 's' || *at == 'd' || t->json || (*at == 'f' && t->field == WALL_SECONDS) ? at + 1 : NULL;
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
                        log->json |= t->json;
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

/* Bytes that a field takes at most; 0: it is a client's. */
static size_t
most_of(const struct token *t)
{
        switch (t->field) {
        case TEXT: return t->len;
        case CLIENT_PORT:
        case STATUS_CODE:
        case BODY_LENGTH:
        case WALL_SECONDS:
        case BYTES_SENT:
        case SCHEME:
        case TLS_VERSION:
        case PID:
        case WORKER: return NUMBER_MAX;
        case DATE_TIME:
        case TIME_LOCAL:
        case TIME_ISO8601: return GREEN__LOG_DATE_SIZE + QUOTES;
        case CLIENT: return GREEN__IP_SIZE + QUOTES;
        default: return 0;
        }
}

/*
 * What clients have sent shares what a line has left. So no client can send so much of one thing that another, or the
 * status, is not to be seen.
 */
static int
share_out(struct green__access_log *log, size_t line_max)
{
        size_t foreign = 0, fixed = 1;

        for (size_t i = 0; i < log->count; i++) {
                size_t most = most_of(&log->tokens[i]);

                fixed += most;
                foreign += most == 0;
        }
        if (fixed > line_max || (line_max - fixed) / FOREIGN_LEAST < foreign)
                return green_set_error(-EINVAL, "log_format: a line might take more than %zu bytes", line_max);
        if (foreign > 0)
                log->foreign_max = (line_max - fixed) / foreign;
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

void
green__log_forked(struct green__server *server)
{
        if (server->log != NULL)
                server->log->len = 0;
}

/* ---- a line: share_out() has seen to it that it fits */

struct line {
        char *at;
        size_t foreign_max;
        bool json; /* the field is a value of JSON */
};

static void
put(struct line *l, const char *text, size_t len)
{
        memcpy(l->at, text, len);
        l->at += len;
}

static void
put_unknown(struct line *l)
{
        if (l->json)
                put(l, "null", 4);
        else
                put(l, "-", 1);
}

/* Between quotes, where it is JSON. */
static void
put_quote(struct line *l)
{
        if (l->json)
                *l->at++ = '"';
}

/* Text of our own. */
static void
put_text(struct line *l, const char *text, size_t len)
{
        put_quote(l);
        put(l, text, len);
        put_quote(l);
}

static bool
is_plain(unsigned char c)
{
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static size_t
width(const struct line *l, char c)
{
        if (is_plain((unsigned char)c))
                return 1;
        if (l->json)
                return c == '"' || c == '\\' ? 2 : WIDEST_JSON;
        return WIDEST;
}

/* What a client has sent: it must not look like something else in the log. */
static void
put_escaped(struct line *l, const char *text, size_t len)
{
        static const char digits[] = "0123456789ABCDEF";

        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i];

                if (is_plain(c)) {
                        *l->at++ = text[i];
                } else if (l->json && (c == '"' || c == '\\')) {
                        *l->at++ = '\\';
                        *l->at++ = text[i];
                } else {
                        char coded[2] = {digits[c >> 4], digits[c & 15]};

                        if (l->json)
                                put(l, "\\u00", 4);
                        else
                                put(l, "\\x", 2);
                        put(l, coded, 2);
                }
        }
}

/* Bytes that a client's may become here. */
static size_t
room_of(const struct line *l)
{
        return l->json ? l->foreign_max - QUOTES : l->foreign_max;
}

static bool
fits_surely(const struct line *l, size_t len)
{
        return len <= room_of(l) / (l->json ? WIDEST_JSON : WIDEST);
}

/* The same, or as much of it as a field may take, with dots for the rest. */
static void
put_foreign(struct line *l, const char *text, size_t len)
{
        size_t used = 0, fits = fits_surely(l, len) ? len : 0, room = room_of(l);

        if (len == 0) {
                put_unknown(l);
                return;
        }
        for (size_t i = fits; i < len; i++) {
                used += width(l, text[i]);
                if (used <= room - 3)
                        fits = i + 1;
        }
        if (used <= room)
                fits = len;
        put_quote(l);
        put_escaped(l, text, fits);
        if (fits < len)
                put(l, "...", 3);
        put_quote(l);
}

/* The same, of whose beginning least is known. */
static void
put_foreign_end(struct line *l, const char *text, size_t len)
{
        size_t used = 0, from = len, room = room_of(l);

        if (fits_surely(l, len)) {
                put_foreign(l, text, len);
                return;
        }
        for (size_t i = len; i > 0; i--) {
                used += width(l, text[i - 1]);
                if (used <= room - 3)
                        from = i - 1;
        }
        if (used <= room)
                from = 0;
        put_quote(l);
        if (from > 0)
                put(l, "...", 3);
        put_escaped(l, text + from, len - from);
        put_quote(l);
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
        ns = (ns + unit / 2) / unit;
        for (unsigned i = 0; i < decimals; i++)
                scale *= 10;
        put_number(l, ns / scale, 1);
        if (decimals > 0) {
                put(l, ".", 1);
                put_number(l, ns % scale, decimals);
        }
}

static void
put_date(struct line *l, struct green__access_log *log, enum green__log_date_form form)
{
        const struct green__log_date *date = &log->dates[form];

        green__log_date(&log->dates[form], form);
        if (date->len == 0)
                put_unknown(l);
        else
                put_text(l, date->text, date->len);
}

/* Of the request line, so that what was refused is told as it came. */
static void
put_method(struct line *l, const green_wsgi_request *req)
{
        const char *end = req->line == NULL ? NULL : memchr(req->line, ' ', req->line_len);

        put_foreign(l, req->line, end == NULL ? 0 : (size_t)(end - req->line));
}

static void
put_protocol(struct line *l, const green_wsgi_request *req)
{
        size_t from = req->line == NULL ? 0 : req->line_len;

        while (from > 0 && req->line[from - 1] != ' ')
                from--;
        if (from > 0 && req->line_len - from > 5 && memcmp(req->line + from, "HTTP/", 5) == 0)
                put_foreign(l, req->line + from, req->line_len - from);
        else
                put_unknown(l);
}

static void
put_path(struct line *l, const green_wsgi_request *req)
{
        const struct green__http1 *head = &req->head;

        if (head->result != GREEN__HTTP1_DONE || head->form == GREEN__HTTP1_AUTHORITY)
                put_unknown(l);
        else if (head->path.len == 0)
                put_text(l, head->form == GREEN__HTTP1_ASTERISK ? "*" : "/", 1);
        else
                put_foreign(l, req->base + head->path.off, head->path.len);
}

static void
put_header(struct line *l, green_wsgi_request *req, const char *name)
{
        const char *value = req->head.result == GREEN__HTTP1_DONE ? green_wsgi_header(req, name) : NULL;

        put_foreign(l, value, value == NULL ? 0 : strlen(value));
}

static void
put_client(struct line *l, green_wsgi_request *req)
{
        const char *text = green__proxy_logged(req);

        put_foreign_end(l, text, strlen(text));
}

static void
put_port(struct line *l, const green_wsgi_request *req)
{
        if (green__has_port(&req->session->conn->peer))
                put_number(l, req->session->conn->peer.port, 1);
        else if (l->json)
                put_unknown(l);
}

static void
put_known(struct line *l, const char *text)
{
        if (text == NULL || text[0] == '\0')
                put_unknown(l);
        else
                put_text(l, text, strlen(text));
}

static void
put_worker(struct line *l, const struct green__server *server)
{
        if (server->worker >= 0)
                put_number(l, (uint64_t)server->worker, 1);
        else
                put_unknown(l);
}

static void
put_field(struct line *l, green_wsgi_request *req, const struct token *t)
{
        struct green__access_log *log = req->session->server->log;

        l->json = t->json;
        switch (t->field) {
        case TEXT: put(l, t->text, t->len); break;
        case CLIENT_IP: put_client(l, req); break;
        case CLIENT_PORT: put_port(l, req); break;
        case CLIENT: put_known(l, green_wsgi_client(req)); break;
        case DATE_TIME: put_date(l, log, GREEN__LOG_DATE_EVENTLET); break;
        case TIME_LOCAL: put_date(l, log, GREEN__LOG_DATE_COMMON); break;
        case TIME_ISO8601: put_date(l, log, GREEN__LOG_DATE_ISO8601); break;
        case REQUEST_LINE: put_foreign(l, req->line, req->line == NULL ? 0 : req->line_len); break;
        case STATUS_CODE: put_number(l, (uint64_t)req->status, 1); break;
        case BODY_LENGTH: put_number(l, req->body_sent, 1); break;
        case WALL_SECONDS: put_seconds(l, req, t->decimals); break;
        case METHOD: put_method(l, req); break;
        case PATH: put_path(l, req); break;
        case PROTOCOL: put_protocol(l, req); break;
        case BYTES_SENT: put_number(l, req->bytes_sent, 1); break;
        case REFERER: put_header(l, req, "referer"); break;
        case USER_AGENT: put_header(l, req, "user-agent"); break;
        case HOST: put_header(l, req, "host"); break;
        case SCHEME: put_known(l, green_wsgi_scheme(req)); break;
        case TLS_VERSION: put_known(l, green_tls_version(req->session->conn->socket)); break;
        case PID: put_number(l, (uint64_t)getpid(), 1); break;
        case WORKER: put_worker(l, req->session->server); break;
        }
}

void
green__log_request(green_wsgi_request *req)
{
        struct green__server *server = req->session->server;
        struct green__access_log *log = server->log;
        struct line l;

        if (BUFFER - log->len < LINE_MAX_LOG)
                deliver(server);
        l.at = log->buffer + log->len;
        l.foreign_max = log->foreign_max;
        for (size_t i = 0; i < log->count; i++)
                put_field(&l, req, &log->tokens[i]);
        *l.at++ = '\n';
        log->len = (size_t)(l.at - log->buffer);
        if (!green_timer_pending(log->timer) && green_timer_schedule(log->timer) != 0)
                deliver(server);
}

/* ---- its life */

/* Does a line say which worker writes it? Not where the log hook does. */
static bool
names_worker(const struct green__server *server, bool to_hook)
{
        return server->worker >= 0 && !(to_hook && server->hook_names_worker);
}

static const char *
format_of(const struct green__server *server)
{
        if (server->opts.log_format != NULL)
                return server->opts.log_format;
        return names_worker(server, server->opts.log == NULL) ? GREEN_WSGI_LOG_WORKER : GREEN_WSGI_LOG_FORMAT;
}

int
green__log_take(struct green__server *server)
{
        const char *format = format_of(server);
        struct green__access_log *log = green_calloc(1, sizeof(*log));
        size_t len = strlen(format);
        int rc;

        if (log == NULL)
                return -ENOMEM;
        server->log = log;
        for (int i = 0; i < GREEN__LOG_DATES; i++)
                log->dates[i].second = -1;
        log->format = green_malloc(len + 1);
        log->tokens = green_calloc(len + 1, sizeof(log->tokens[0]));
        log->timer = green_timer_new(0, deliver, server);
        if (log->format == NULL || log->tokens == NULL || log->timer == NULL)
                return -ENOMEM;
        memcpy(log->format, format, len + 1);
        rc = compile(log);
        if (rc == 0)
                rc = share_out(log, server->opts.log != NULL ? LINE_MAX_LOG : LINE_MAX_HOOK);
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

/* "... on http://127.0.0.1:80", "... on http:/run/x.sock" */
static int
with_url(const struct green__server *server, const char *what, char *text, size_t size)
{
        bool is_unix;
        const char *scheme = green_socket_is_tls(server->listener) ? "https:" : "http:";
        char name[GREEN_ADDR_TEXT_SIZE] = "?";
        struct green_addr addr;

        if (green_socket_getsockname(server->listener, &addr) == 0)
                (void)green_addr_format(&addr, name, sizeof name);
        is_unix = strncmp(name, "unix:", 5) == 0;
        return snprintf(text, size, "(%d) wsgi %s on %s%s%s\n", (int)getpid(), what, scheme, is_unix ? "" : "//",
                        is_unix ? name + 5 : name);
}

/* "... ('127.0.0.1', 4711)", "... ('unix', '')" */
static int
with_peer(const struct green__peer *peer, const char *what, char *text, size_t size)
{
        char ip[GREEN__IP_SIZE], port[8] = "''";

        if (green__has_port(peer))
                (void)snprintf(port, sizeof port, "%u", peer->port);
        return snprintf(text, size, "(%d) %s ('%s', %s)\n", (int)getpid(), what, green__peer_text(peer, ip), port);
}

/* Where it goes: to the log hook, or to the access log. */
static bool
goes_to_hook(const struct green__server *server, enum green_log_level level)
{
        bool own = server->log != NULL && server->log->json;

        return level != GREEN_LOG_INFO || server->opts.log == NULL || own;
}

/* "worker 0: ", or nothing. */
static int
put_who(const struct green__server *server, bool to_hook, char *text, size_t size)
{
        text[0] = '\0';
        return names_worker(server, to_hook) ? snprintf(text, size, "worker %d: ", server->worker) : 0;
}

static int
describe(struct green__server *server, const struct green__conn *conn, const char *what, char *text, size_t size)
{
        if (conn != NULL)
                return with_peer(&conn->peer, what, text, size);
        if (server->closing)
                return snprintf(text, size, "(%d) wsgi %s\n", (int)getpid(), what);
        return with_url(server, what, text, size);
}

void
green__log_life(struct green__server *server, const struct green__conn *conn, const char *what)
{
        enum green_log_level level = conn == NULL ? GREEN_LOG_INFO : GREEN_LOG_DEBUG;
        bool to_log = conn == NULL && server->opts.log != NULL, to_hook = goes_to_hook(server, level);
        char line[GREEN_ADDR_TEXT_SIZE + 120];
        int who, len;

        if (server->opts.no_log_output || (!to_log && !green_log_enabled(level)))
                return;
        who = put_who(server, to_hook, line, sizeof line);
        len = who + describe(server, conn, what, line + who, sizeof line - (size_t)who);
        if (len < who || (size_t)len >= sizeof line)
                return;
        /* What was before it is told before it. */
        if (conn == NULL && server->log != NULL)
                deliver(server);
        if (to_hook)
                green_log(level, "%.*s", len - 1, line);
        else
                server->opts.log(server->opts.log_arg, line, (size_t)len);
}
