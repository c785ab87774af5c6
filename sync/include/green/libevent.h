/**
 * @file
 * @brief Operations of libevent as awaitables: events, names, HTTP requests and bufferevents, for green threads.
 *
 * For programs whose hub is libevent (`GREEN_HUB=libevent`, green_use_hub_loop()): callbacks of theirs and green
 * threads share one loop, and a green thread waits for what libevent does as for everything else:
 *
 *     struct green_libevent_buffer op = {.need = 4};
 *     struct green_awaitable aw;
 *     int rc = green_libevent_buffer(&aw, &op, bev, GREEN_LIBEVENT_READ);
 *
 *     if (rc == 0)
 *             rc = green_await(&aw, NULL);  // 4 bytes lie in bufferevent_get_input(bev)
 *
 * green_spawn_for_awaitable() takes them too. Killing who waits, or a timeout around it, cancels the operation. What an
 * operation uses (its struct, and what was given to it) stays until it has ended; green_await() returns no earlier. All
 * of this belongs to the OS thread whose loop it is. On another hub each fails with GREEN_EHUB and a message that says
 * what to set `GREEN_HUB` to.
 *
 * Nothing of this is in the library, which does not need libevent: the functions are inline, and a program that uses
 * them links libevent_core, and libevent_extra for names and HTTP:
 *
 *     cc program.c $(pkg-config --cflags --libs green-net libevent_core libevent_extra)
 */
#ifndef GREEN_LIBEVENT_H
#define GREEN_LIBEVENT_H

#include <green/awaitable.h>
#include <green/hubs.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/util.h>

GREEN_BEGIN_DECLS

/**
 * @brief The event_base of the calling OS thread's hub, to add events of one's own to. Never yields.
 * @return borrowed; NULL with green_last_error() where the hub is another: it says what to set `GREEN_HUB` to.
 * @since 0.1 (AIO-02)
 */
static inline struct event_base *
green_libevent_base(void)
{
        void *loop = green_hub_loop();

        if (loop == NULL)
                return NULL;
        if (strcmp(green_hub_name(NULL), "libevent") != 0) {
                (void)green_set_error(GREEN_EHUB, "the hub is %s: set GREEN_HUB=libevent", green_hub_name(NULL));
                return NULL;
        }
        return (struct event_base *)loop;
}

/** @cond */
/* 0 if the hub is libevent's, and base, if it is known, its own. */
static inline int
green_libevent_check_(const struct event_base *base)
{
        const struct event_base *here = green_libevent_base();

        if (here == NULL)
                return green_last_error()->code;
        if (base != NULL && base != here)
                return green_set_error(-EPERM, "it belongs to another event_base than that of this OS thread's hub");
        return 0;
}

static inline void
green_libevent_fill_(struct green_awaitable *ret, int (*start)(void *arg, green_completion *done),
                     void (*cancel)(void *arg, green_completion *done), void *arg)
{
        memset(ret, 0, sizeof *ret);
        ret->size = sizeof *ret;
        ret->start = start;
        ret->cancel = cancel;
        ret->arg = arg;
}
/** @endcond */

/**
 * @name An event, once
 * @{
 */

/** A wait for an event. All of it is set by green_libevent_event(). */
struct green_libevent_event {
        struct event event; /**< libevent's */
        evutil_socket_t fd; /**< descriptor, signal number, or -1 */
        short events;       /**< what is waited for */
        short what;         /**< what has come: EV_READ, EV_WRITE, EV_SIGNAL, EV_TIMEOUT, ...; set when it has ended */
        bool has_limit;     /**< limit counts */
        struct timeval limit;   /**< time limit */
        green_completion *done; /**< who waits */
};

/** @cond */
static inline void
green_libevent_event_fired_(evutil_socket_t fd, short what, void *arg)
{
        struct green_libevent_event *op = (struct green_libevent_event *)arg;

        (void)fd;
        op->what = what;
        (void)green_complete(op->done, op);
}

static inline int
green_libevent_event_start_(void *arg, green_completion *done)
{
        struct green_libevent_event *op = (struct green_libevent_event *)arg;
        struct event_base *base = green_libevent_base();

        if (base == NULL)
                return green_last_error()->code;
        op->done = done;
        /* libevent would print where the descriptor is no good. */
        if (op->fd >= 0 && !(op->events & EV_SIGNAL) && fcntl(op->fd, F_GETFD) < 0)
                return -errno;
        errno = 0;
        if (event_assign(&op->event, base, op->fd, op->events, green_libevent_event_fired_, op) != 0)
                return -EINVAL;
        if (event_add(&op->event, op->has_limit ? &op->limit : NULL) == 0)
                return 0;
        return errno != 0 ? -errno : -ENOMEM;
}

static inline void
green_libevent_event_cancel_(void *arg, green_completion *done)
{
        struct green_libevent_event *op = (struct green_libevent_event *)arg;

        (void)event_del(&op->event);
        (void)green_complete_error(done, -ECANCELED);
}
/** @endcond */

/**
 * @brief An awaitable that ends when an event comes. Never yields.
 *
 * @param[out] ret    the awaitable; set on 0 only. Its result is @p op, whose member what says what has come. It ends
 *                    with -EBADF where the descriptor is not open, -ENOMEM, or what the system says of it.
 * @param[out] op     its storage: it stays until the wait is over.
 * @param      fd     a descriptor, or with EV_SIGNAL a signal, or -1 for nothing but the limit.
 * @param      events EV_READ, EV_WRITE, EV_CLOSED, or EV_SIGNAL alone; 0 for nothing but the limit.
 * @param      limit  how long to wait at most: then EV_TIMEOUT has come, which is no error. Copied; NULL: for good.
 * @retval 0          made.
 * @retval -EINVAL    ret or op is NULL, another bit in events, or there is nothing to wait for.
 * @retval GREEN_EHUB the hub is not libevent; green_last_error() says what to do.
 * @since 0.1 (AIO-02)
 */
static inline int
green_libevent_event(struct green_awaitable *ret, struct green_libevent_event *op, evutil_socket_t fd, short events,
                     const struct timeval *limit)
{
        int rc = green_libevent_check_(NULL);

        if (rc != 0)
                return rc;
        if (ret == NULL || op == NULL || (events & ~(EV_READ | EV_WRITE | EV_CLOSED | EV_SIGNAL)) != 0 ||
            (events == 0 ? limit == NULL : fd < 0))
                return green_set_error(-EINVAL, NULL);
        memset(op, 0, sizeof *op);
        op->fd = fd;
        op->events = events;
        op->has_limit = limit != NULL;
        if (limit != NULL)
                op->limit = *limit;
        green_libevent_fill_(ret, green_libevent_event_start_, green_libevent_event_cancel_, op);
        return 0;
}
/** @} */

/**
 * @name Names
 * @{
 */

/** A look-up by evdns. All of it is set by green_libevent_getaddrinfo(). */
struct green_libevent_getaddrinfo {
        struct evdns_base *dns;                    /**< who looks it up */
        const char *host;                          /**< name */
        const char *service;                       /**< port */
        const struct evutil_addrinfo *hints;       /**< as of getaddrinfo() */
        struct evdns_getaddrinfo_request *request; /**< while it is under way */
        int code;               /**< EVUTIL_EAI_..., for evutil_gai_strerror(); set when it has ended */
        green_completion *done; /**< who waits */
};

/** @cond */
static inline void
green_libevent_getaddrinfo_ended_(int code, struct evutil_addrinfo *answer, void *arg)
{
        struct green_libevent_getaddrinfo *op = (struct green_libevent_getaddrinfo *)arg;

        op->request = NULL;
        op->code = code;
        if (code == 0) {
                if (green_complete(op->done, answer) != 0)
                        evutil_freeaddrinfo(answer);
        } else {
                (void)green_complete_error(op->done, code == EVUTIL_EAI_MEMORY   ? -ENOMEM
                                                     : code == EVUTIL_EAI_CANCEL ? -ECANCELED
                                                                                 : -EHOSTUNREACH);
        }
}

static inline int
green_libevent_getaddrinfo_start_(void *arg, green_completion *done)
{
        struct green_libevent_getaddrinfo *op = (struct green_libevent_getaddrinfo *)arg;
        struct evdns_getaddrinfo_request *request;

        op->done = done;
        /* What needs no question is answered in the call, and op may be gone then. */
        request = evdns_getaddrinfo(op->dns, op->host, op->service, op->hints, green_libevent_getaddrinfo_ended_, op);
        if (request != NULL)
                op->request = request;
        return 0;
}

/* It is told later, by its callback. */
static inline void
green_libevent_getaddrinfo_cancel_(void *arg, green_completion *done)
{
        struct green_libevent_getaddrinfo *op = (struct green_libevent_getaddrinfo *)arg;

        (void)done;
        if (op->request != NULL)
                evdns_getaddrinfo_cancel(op->request);
}

static inline void
green_libevent_getaddrinfo_drop_(void *answer)
{
        evutil_freeaddrinfo((struct evutil_addrinfo *)answer);
}
/** @endcond */

/**
 * @brief An awaitable that looks up a name by evdns. Never yields.
 *
 * @param[out] ret     the awaitable; set on 0 only. Its result is a `struct evutil_addrinfo *`, the caller's: free it
 * with evutil_freeaddrinfo(). It ends with -EHOSTUNREACH where there is no answer: op->code says why; -ENOMEM.
 * @param[out] op      its storage: it stays until the wait is over, and so does what follows.
 * @param      dns     an evdns_base of this OS thread's event_base.
 * @param      host    name or numeric address; NULL as of getaddrinfo().
 * @param      service number or name of a port, or NULL.
 * @param      hints   as of getaddrinfo(); NULL: any family.
 * @retval 0          made.
 * @retval -EINVAL    ret, op or dns is NULL, or both host and service are.
 * @retval GREEN_EHUB the hub is not libevent; green_last_error() says what to do.
 * @since 0.1 (AIO-02)
 */
static inline int
green_libevent_getaddrinfo(struct green_awaitable *ret, struct green_libevent_getaddrinfo *op, struct evdns_base *dns,
                           const char *host, const char *service, const struct evutil_addrinfo *hints)
{
        int rc = green_libevent_check_(NULL);

        if (rc != 0)
                return rc;
        if (ret == NULL || op == NULL || dns == NULL || (host == NULL && service == NULL))
                return green_set_error(-EINVAL, NULL);
        memset(op, 0, sizeof *op);
        op->dns = dns;
        op->host = host;
        op->service = service;
        op->hints = hints;
        green_libevent_fill_(ret, green_libevent_getaddrinfo_start_, green_libevent_getaddrinfo_cancel_, op);
        ret->drop_result = green_libevent_getaddrinfo_drop_;
        return 0;
}
/** @} */

/**
 * @name HTTP requests
 * @{
 */

/** A request of evhttp's client. Set it to zero; green_libevent_http_new() makes the request in it. */
struct green_libevent_http {
        struct evhttp_request *request; /**< the caller's: evhttp_request_free() when the wait is over, in any case */
        struct evhttp_connection *connection; /**< where it goes */
        enum evhttp_cmd_type method;          /**< EVHTTP_REQ_GET, ... */
        const char *uri;                      /**< path and query */
        int code;                             /**< why it failed; 0: it has not */
        green_completion *done;               /**< who waits */
};

/** @cond */
static inline void
green_libevent_http_failed_(enum evhttp_request_error error, void *arg)
{
        struct green_libevent_http *op = (struct green_libevent_http *)arg;

        switch (error) {
        case EVREQ_HTTP_TIMEOUT:
                op->code = -ETIMEDOUT;
                break;
        case EVREQ_HTTP_EOF:
                op->code = -ECONNRESET;
                break;
        case EVREQ_HTTP_INVALID_HEADER:
                op->code = -EBADMSG;
                break;
        case EVREQ_HTTP_REQUEST_CANCEL:
                op->code = -ECANCELED;
                break;
        case EVREQ_HTTP_DATA_TOO_LONG:
                op->code = -EMSGSIZE;
                break;
        case EVREQ_HTTP_BUFFER_ERROR:
        default:
                op->code = -EIO;
                break;
        }
}

static inline void
green_libevent_http_ended_(struct evhttp_request *request, void *arg)
{
        struct green_libevent_http *op = (struct green_libevent_http *)arg;

        /* Where no connection came about, there is a request without an answer. */
        if (op->code == 0 && (request == NULL || evhttp_request_get_response_code(request) == 0))
                op->code = -ENOTCONN;
        if (op->code == 0)
                (void)green_complete(op->done, request);
        else
                (void)green_complete_error(op->done, op->code);
}

static inline int
green_libevent_http_start_(void *arg, green_completion *done)
{
        struct green_libevent_http *op = (struct green_libevent_http *)arg;

        op->done = done;
        op->code = 0;
        return evhttp_make_request(op->connection, op->request, op->method, op->uri) == 0 ? 0 : -ENOTCONN;
}

static inline void
green_libevent_http_cancel_(void *arg, green_completion *done)
{
        struct green_libevent_http *op = (struct green_libevent_http *)arg;

        evhttp_cancel_request(op->request);
        (void)green_complete_error(done, -ECANCELED);
}
/** @endcond */

/**
 * @brief Make a request, to add headers and a body to. Never yields.
 *
 * @param[out] op         its member request is set, and is the caller's to free (evhttp_request_free()) when the wait
 * is over, however it ended, and also where it never began.
 * @param      connection where it will go; it stays until then.
 * @return op->request; NULL with green_last_error(): ENOMEM, EINVAL.
 * @since 0.1
 */
static inline struct evhttp_request *
green_libevent_http_new(struct green_libevent_http *op, struct evhttp_connection *connection)
{
        if (op == NULL || connection == NULL) {
                (void)green_set_error(-EINVAL, NULL);
                return NULL;
        }
        memset(op, 0, sizeof *op);
        op->connection = connection;
        op->request = evhttp_request_new(green_libevent_http_ended_, op);
        if (op->request == NULL) {
                (void)green_set_error(-ENOMEM, NULL);
                return NULL;
        }
        /* Or it would be libevent's to free, when is not always clear. */
        evhttp_request_own(op->request);
        evhttp_request_set_error_cb(op->request, green_libevent_http_failed_);
        return op->request;
}

/**
 * @brief An awaitable that sends a request and ends with its answer. Never yields.
 *
 * @param[out] ret    the awaitable; set on 0 only. Its result is op->request, with the answer in it, whatever its
 * status. It ends with -ENOTCONN (no connection), -ETIMEDOUT (evhttp_connection_set_timeout()), -ECONNRESET (it was
 * closed early), -EBADMSG, -EMSGSIZE (no good answer, too long a one), -EIO.
 * @param      op     green_libevent_http_new() has made it; it stays until the wait is over. For one wait.
 * @param      method EVHTTP_REQ_GET, ...
 * @param      uri    path and query; copied when it begins.
 * @retval 0          made.
 * @retval -EINVAL    ret, op, its request or uri is NULL.
 * @retval -EPERM     the connection is not one of this OS thread's event_base.
 * @retval GREEN_EHUB the hub is not libevent; green_last_error() says what to do.
 * @since 0.1 (AIO-02)
 */
static inline int
green_libevent_http(struct green_awaitable *ret, struct green_libevent_http *op, enum evhttp_cmd_type method,
                    const char *uri)
{
        int rc = green_libevent_check_(NULL);

        if (rc != 0)
                return rc;
        if (ret == NULL || op == NULL || op->request == NULL || uri == NULL)
                return green_set_error(-EINVAL, NULL);
        rc = green_libevent_check_(evhttp_connection_get_base(op->connection));
        if (rc != 0)
                return rc;
        op->method = method;
        op->uri = uri;
        green_libevent_fill_(ret, green_libevent_http_start_, green_libevent_http_cancel_, op);
        return 0;
}
/** @} */

/**
 * @name Bufferevents
 * @{
 */

/** What to wait for. */
enum green_libevent_until {
        GREEN_LIBEVENT_READ,   /**< green_libevent_buffer::need bytes are in the input, or the stream has ended */
        GREEN_LIBEVENT_WRITE,  /**< all of the output is written */
        GREEN_LIBEVENT_CONNECT /**< it is connected */
};

/** A wait for a bufferevent. Set it to zero, then need and the address where they are wanted. */
struct green_libevent_buffer {
        size_t need;                    /**< bytes to wait for; 0 stands for 1 */
        const struct sockaddr *address; /**< #GREEN_LIBEVENT_CONNECT begins to connect there; NULL: it has begun */
        int address_size;               /**< bytes of it */
        short what; /**< BEV_EVENT_..., of what ended it otherwise; BEV_EVENT_EOF: the stream has ended */
        enum green_libevent_until until; /**< what is waited for */
        struct bufferevent *bev;         /**< whose */
        bufferevent_data_cb readcb;      /**< the callbacks that it had */
        bufferevent_data_cb writecb;     /**< likewise */
        bufferevent_event_cb eventcb;    /**< likewise */
        void *cbarg;                     /**< likewise */
        green_completion *done;          /**< who waits */
};

/** @cond */
static inline void
green_libevent_buffer_end_(struct green_libevent_buffer *op, int code)
{
        green_completion *done = op->done;

        bufferevent_setcb(op->bev, op->readcb, op->writecb, op->eventcb, op->cbarg);
        if (code == 0)
                (void)green_complete(done, op);
        else
                (void)green_complete_error(done, code);
}

/* What is waited for is so. */
static inline bool
green_libevent_buffer_holds_(const struct green_libevent_buffer *op)
{
        if (op->until == GREEN_LIBEVENT_READ)
                return evbuffer_get_length(bufferevent_get_input(op->bev)) >= (op->need > 0 ? op->need : 1);
        return op->until == GREEN_LIBEVENT_WRITE && evbuffer_get_length(bufferevent_get_output(op->bev)) == 0;
}

static inline void
green_libevent_buffer_read_(struct bufferevent *bev, void *arg)
{
        struct green_libevent_buffer *op = (struct green_libevent_buffer *)arg;

        if (op->until == GREEN_LIBEVENT_READ && green_libevent_buffer_holds_(op))
                green_libevent_buffer_end_(op, 0);
        else if (op->readcb != NULL)
                op->readcb(bev, op->cbarg);
}

static inline void
green_libevent_buffer_written_(struct bufferevent *bev, void *arg)
{
        struct green_libevent_buffer *op = (struct green_libevent_buffer *)arg;

        if (op->until == GREEN_LIBEVENT_WRITE && green_libevent_buffer_holds_(op))
                green_libevent_buffer_end_(op, 0);
        else if (op->writecb != NULL)
                op->writecb(bev, op->cbarg);
}

static inline void
green_libevent_buffer_event_(struct bufferevent *bev, short what, void *arg)
{
        struct green_libevent_buffer *op = (struct green_libevent_buffer *)arg;
        int error = errno;

        (void)bev;
        op->what = what;
        if (what & BEV_EVENT_CONNECTED) {
                if (op->until == GREEN_LIBEVENT_CONNECT)
                        green_libevent_buffer_end_(op, 0);
                else if (op->eventcb != NULL)
                        op->eventcb(bev, what, op->cbarg);
        } else if (what & BEV_EVENT_EOF) {
                green_libevent_buffer_end_(op, op->until == GREEN_LIBEVENT_READ ? 0 : -EPIPE);
        } else if (what & BEV_EVENT_TIMEOUT) {
                green_libevent_buffer_end_(op, -ETIMEDOUT);
        } else {
                green_libevent_buffer_end_(op, error != 0 ? -error : -EIO);
        }
}

static inline int
green_libevent_buffer_start_(void *arg, green_completion *done)
{
        struct green_libevent_buffer *op = (struct green_libevent_buffer *)arg;
        int rc = 0;

        op->done = done;
        op->what = 0;
        if (green_libevent_buffer_holds_(op)) {
                (void)green_complete(done, op);
                return 0;
        }
        bufferevent_getcb(op->bev, &op->readcb, &op->writecb, &op->eventcb, &op->cbarg);
        if (op->eventcb == green_libevent_buffer_event_)
                return -EBUSY;
        bufferevent_setcb(op->bev, green_libevent_buffer_read_, green_libevent_buffer_written_,
                          green_libevent_buffer_event_, op);
        errno = 0;
        if (op->until != GREEN_LIBEVENT_CONNECT)
                /* What it once said of an end or an error it says again. */
                rc = bufferevent_enable(op->bev, op->until == GREEN_LIBEVENT_READ ? EV_READ : EV_WRITE);
        else if (op->address != NULL)
                rc = bufferevent_socket_connect(op->bev, op->address, op->address_size);
        if (rc != 0) {
                rc = errno != 0 ? -errno : -EIO;
                bufferevent_setcb(op->bev, op->readcb, op->writecb, op->eventcb, op->cbarg);
        }
        return rc;
}

static inline void
green_libevent_buffer_cancel_(void *arg, green_completion *done)
{
        (void)done;
        green_libevent_buffer_end_((struct green_libevent_buffer *)arg, -ECANCELED);
}
/** @endcond */

/**
 * @brief An awaitable that waits for a bufferevent. Never yields.
 *
 * Meanwhile its callbacks are others; those that it had are called for what is not waited for, and stand again
 * afterwards. Reading, or writing, is enabled. One wait at a time for a bufferevent, which must not be freed meanwhile.
 *
 * @param[out]    ret   the awaitable; set on 0 only. Its result is @p op. The end of the stream is no error for
 *                      #GREEN_LIBEVENT_READ: op->what has BEV_EVENT_EOF then, and there may be fewer bytes than were
 *                      needed, or none. It ends with -EPIPE where the stream ends while something is to be written,
 *                      -ETIMEDOUT (bufferevent_set_timeouts()), -EBUSY where another one waits for it, -ECONNREFUSED
 * and what else the system says.
 * @param[in,out] op    its members need and address are looked at; it stays until the wait is over.
 * @param         bev   a bufferevent of this OS thread's event_base.
 * @param         until what to wait for; if it is so already, the wait ends at once.
 * @retval 0          made.
 * @retval -EINVAL    ret, op or bev is NULL, or until is none of those.
 * @retval -EPERM     it is not one of this OS thread's event_base.
 * @retval GREEN_EHUB the hub is not libevent; green_last_error() says what to do.
 * @since 0.1 (AIO-02)
 */
static inline int
green_libevent_buffer(struct green_awaitable *ret, struct green_libevent_buffer *op, struct bufferevent *bev,
                      enum green_libevent_until until)
{
        int rc = green_libevent_check_(NULL);

        if (rc != 0)
                return rc;
        if (ret == NULL || op == NULL || bev == NULL || (unsigned)until > GREEN_LIBEVENT_CONNECT)
                return green_set_error(-EINVAL, NULL);
        rc = green_libevent_check_(bufferevent_get_base(bev));
        if (rc != 0)
                return rc;
        op->until = until;
        op->bev = bev;
        green_libevent_fill_(ret, green_libevent_buffer_start_, green_libevent_buffer_cancel_, op);
        return 0;
}
/** @} */

GREEN_END_DECLS

#endif
