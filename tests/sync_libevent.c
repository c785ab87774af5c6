/* Operations of libevent as awaitables: <green/libevent.h>. */
#include "hub_libevent.h"

#include <green/libevent.h>
#include <green/sync.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>

/* ---- an event */

static void
an_event_ends_a_wait(void)
{
        const struct timeval limit = {.tv_sec = 10};
        struct green_libevent_event op;
        struct green_awaitable aw;
        void *result = NULL;
        int fds[2];

        if (lev_begin(NULL) == NULL || !core_pair(fds))
                return;
        core_put(fds[1]);
        CHECK_INT(green_libevent_event(&aw, &op, fds[0], EV_READ, &limit), 0);
        CHECK_INT(green_await(&aw, &result), 0);
        CHECK_PTR(result, &op);
        CHECK_INT(op.what, EV_READ);
        /* Begun once more: it is one event a wait. */
        CHECK_INT(green_await(&aw, NULL), 0);
        CHECK_INT(green_libevent_event(&aw, &op, fds[0], EV_READ | EV_WRITE, NULL), 0);
        CHECK_INT(green_await(&aw, NULL), 0);
        CHECK_INT(op.what, EV_READ | EV_WRITE);
        core_close_pair(fds);
        lev_end(NULL);
}

static void
the_time_of_an_event_and_a_signal_are_events(void)
{
        const struct timeval limit = {.tv_usec = 5000}, later = {.tv_sec = 10};
        struct green_libevent_event op;
        struct green_awaitable aw;
        int fds[2];

        if (lev_begin(NULL) == NULL || !core_pair(fds))
                return;
        CHECK_INT(green_libevent_event(&aw, &op, -1, 0, &limit), 0);
        CHECK_INT(green_await(&aw, NULL), 0);
        CHECK_INT(op.what, EV_TIMEOUT);
        CHECK_INT(green_libevent_event(&aw, &op, fds[0], EV_READ, &limit), 0);
        CHECK_INT(green_await(&aw, NULL), 0);
        CHECK_INT(op.what, EV_TIMEOUT);
        CHECK_INT(green_libevent_event(&aw, &op, SIGUSR1, EV_SIGNAL, &later), 0);
        {
                green_thread *gt = green_spawn_for_awaitable(&aw);

                CHECK_INT(green_sleep(0.002), 0);
                CHECK_INT(raise(SIGUSR1), 0);
                CHECK_INT(core_join(gt), 0);
                CHECK_INT(op.what, EV_SIGNAL);
        }
        core_close_pair(fds);
        lev_end(NULL);
}

static void
a_descriptor_that_is_not_open_is_said_so(void)
{
        struct green_libevent_event op;
        struct green_awaitable aw;
        int fds[2];

        if (lev_begin(NULL) == NULL || !core_pair(fds))
                return;
        core_close_pair(fds);
        CHECK_INT(green_libevent_event(&aw, &op, fds[0], EV_READ, NULL), 0);
        CHECK_INT(green_await(&aw, NULL), -EBADF);
        CHECK_INT(green_libevent_event(&aw, &op, fds[0], EV_READ | EV_PERSIST, NULL), -EINVAL);
        CHECK_INT(green_libevent_event(&aw, &op, fds[0], 0, NULL), -EINVAL);
        CHECK_INT(green_libevent_event(&aw, &op, -1, EV_READ, NULL), -EINVAL);
        CHECK_INT(green_libevent_event(NULL, &op, 0, EV_READ, NULL), -EINVAL);
        CHECK_INT(green_libevent_event(&aw, NULL, 0, EV_READ, NULL), -EINVAL);
        lev_end(NULL);
}

/* ---- a DNS server of the test's own */

struct dns {
        struct event_base *base;
        struct evdns_base *dns;
        struct event *ev;
        int fd;
        int asked;
        bool silent;
};

/* Answers each question for an address with 192.0.2.7; names that begin with "no" there are not. */
static void
dns_answer(evutil_socket_t fd, short what, void *arg)
{
        static const unsigned char record[] = {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7};
        struct dns *dns = arg;
        unsigned char m[512];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, m, sizeof m - sizeof record, 0, (struct sockaddr *)&from, &len);

        (void)what;
        if (n < 17)
                return;
        dns->asked++;
        if (dns->silent)
                return;
        m[2] = 0x81;
        m[3] = 0x80;
        if (tolower(m[13]) == 'n' && tolower(m[14]) == 'o') {
                m[3] |= 3;
        } else {
                m[7] = 1;
                memcpy(m + n, record, sizeof record);
                n += (ssize_t)sizeof record;
        }
        CHECK_INT(sendto(fd, m, (size_t)n, 0, (struct sockaddr *)&from, len), n);
}

static bool
dns_begin(struct dns *dns)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof addr;

        *dns = (struct dns){.base = lev_begin(NULL)};
        dns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (dns->base == NULL || !CHECK_INT(bind(dns->fd, (struct sockaddr *)&addr, len), 0) ||
            !CHECK_INT(getsockname(dns->fd, (struct sockaddr *)&addr, &len), 0))
                return false;
        dns->ev = event_new(dns->base, dns->fd, EV_READ | EV_PERSIST, dns_answer, dns);
        /* Nothing of what this machine says of names. */
        dns->dns = evdns_base_new(dns->base, 0);
        return CHECK_INT(event_add(dns->ev, NULL), 0) && CHECK(dns->dns != NULL) &&
               CHECK_INT(evdns_base_nameserver_sockaddr_add(dns->dns, (struct sockaddr *)&addr, len, 0), 0);
}

static void
dns_end(struct dns *dns)
{
        evdns_base_free(dns->dns, 0);
        event_free(dns->ev);
        close(dns->fd);
        lev_end(NULL);
}

static const struct evutil_addrinfo dns_hints = {.ai_family = PF_INET, .ai_socktype = SOCK_STREAM};

static void
a_name_is_looked_up(void)
{
        struct green_libevent_getaddrinfo op;
        struct green_awaitable aw;
        struct dns dns;
        void *result = NULL;

        if (!dns_begin(&dns))
                return;
        CHECK_INT(green_libevent_getaddrinfo(&aw, &op, dns.dns, "here.example.com", "80", &dns_hints), 0);
        if (CHECK_INT(green_await(&aw, &result), 0)) {
                const struct evutil_addrinfo *ai = result;
                const struct sockaddr_in *in = (const void *)ai->ai_addr;

                CHECK_INT(ntohl(in->sin_addr.s_addr), 0xc0000207);
                CHECK_INT(ntohs(in->sin_port), 80);
                evutil_freeaddrinfo(result);
        }
        CHECK_INT(op.code, 0);
        CHECK_INT(dns.asked, 1);
        CHECK_INT(green_libevent_getaddrinfo(&aw, &op, dns.dns, "nowhere.example.com", "80", &dns_hints), 0);
        CHECK_INT(green_await(&aw, NULL), -EHOSTUNREACH);
        CHECK_INT(op.code, EVUTIL_EAI_NONAME);
        /* One that needs no question ends in start. */
        CHECK_INT(green_libevent_getaddrinfo(&aw, &op, dns.dns, "127.0.0.1", "7", &dns_hints), 0);
        CHECK_INT(green_await(&aw, &result), 0);
        evutil_freeaddrinfo(result);
        CHECK_INT(dns.asked, 2);
        CHECK_INT(green_libevent_getaddrinfo(&aw, &op, NULL, "x", NULL, NULL), -EINVAL);
        CHECK_INT(green_libevent_getaddrinfo(&aw, &op, dns.dns, NULL, NULL, NULL), -EINVAL);
        CHECK_INT(green_libevent_getaddrinfo(&aw, NULL, dns.dns, "x", NULL, NULL), -EINVAL);
        dns_end(&dns);
}

static void
killing_who_waits_cancels_a_look_up(void)
{
        struct green_libevent_getaddrinfo op;
        struct green_timeout t = {{0}};
        struct green_awaitable aw;
        struct dns dns;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        if (!dns_begin(&dns))
                return;
        dns.silent = true;
        CHECK_INT(green_libevent_getaddrinfo(&aw, &op, dns.dns, "here.example.com", "80", &dns_hints), 0);
        gt = green_spawn_for_awaitable(&aw);
        for (double end = core_now() + CORE_SOON; dns.asked == 0 && core_now() < end;)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK(op.request != NULL);
        core_kill(gt);
        CHECK_INT(op.code, EVUTIL_EAI_CANCEL);
        green_timeout_start(&t, 0.002);
        CHECK_INT(green_await(&aw, NULL), GREEN_ETIMEOUT);
        green_timeout_cancel(&t);
        CHECK_INT(op.code, EVUTIL_EAI_CANCEL);
        dns_end(&dns);
}

/* ---- bufferevents */

struct buffers {
        struct bufferevent *bev;
        int peer;
        int reads, writes, events; /* calls of its own callbacks */
};

static void
own_read(struct bufferevent *bev, void *arg)
{
        struct buffers *b = arg;

        (void)bev;
        b->reads++;
}

static void
own_write(struct bufferevent *bev, void *arg)
{
        struct buffers *b = arg;

        (void)bev;
        b->writes++;
}

static void
own_event(struct bufferevent *bev, short what, void *arg)
{
        struct buffers *b = arg;

        (void)bev;
        (void)what;
        b->events++;
}

static bool
buffers_begin(struct buffers *b)
{
        struct event_base *base = lev_begin(NULL);
        int fds[2];

        *b = (struct buffers){.peer = -1};
        if (base == NULL || !core_pair(fds))
                return false;
        b->bev = bufferevent_socket_new(base, fds[0], BEV_OPT_CLOSE_ON_FREE);
        b->peer = fds[1];
        bufferevent_setcb(b->bev, own_read, own_write, own_event, b);
        return CHECK(b->bev != NULL);
}

static void
own_callbacks_stand(const struct buffers *b)
{
        bufferevent_data_cb readcb, writecb;
        bufferevent_event_cb eventcb;
        void *arg;

        bufferevent_getcb(b->bev, &readcb, &writecb, &eventcb, &arg);
        CHECK(readcb == own_read && writecb == own_write && eventcb == own_event && arg == b);
}

static void
buffers_end(struct buffers *b)
{
        own_callbacks_stand(b);
        bufferevent_free(b->bev);
        if (b->peer >= 0)
                close(b->peer);
        lev_end(NULL);
}

static void *
put_slowly(void *arg)
{
        const struct buffers *b = arg;

        for (int i = 0; i < 4; i++) {
                CHECK_INT(green_sleep(0.002), 0);
                core_put(b->peer);
        }
        return NULL;
}

static void
a_bufferevent_is_read_by_a_green_thread(void)
{
        struct green_libevent_buffer op = {.need = 4};
        struct green_awaitable aw;
        struct buffers b;
        char bytes[8];
        void *result = NULL;

        if (!buffers_begin(&b))
                return;
        CHECK_INT(green_spawn_n(put_slowly, &b), 0);
        CHECK_INT(green_libevent_buffer(&aw, &op, b.bev, GREEN_LIBEVENT_READ), 0);
        CHECK_INT(green_await(&aw, &result), 0);
        CHECK_PTR(result, &op);
        CHECK_INT(op.what, 0);
        own_callbacks_stand(&b);
        /* Its own callback was called for what was not enough. */
        CHECK_RANGE(b.reads, 1, 3);
        /* So much is there: it ends at once. */
        CHECK_INT(green_await(&aw, NULL), 0);
        CHECK_INT(bufferevent_read(b.bev, bytes, sizeof bytes), 4);
        /* The end of the stream: with less, and again with nothing. */
        core_put(b.peer);
        close(b.peer);
        b.peer = -1;
        for (int i = 0; i < 2; i++) {
                CHECK_INT(green_await(&aw, NULL), 0);
                CHECK((op.what & BEV_EVENT_EOF) != 0);
                CHECK_INT(bufferevent_read(b.bev, bytes, sizeof bytes), i == 0);
        }
        CHECK_INT(b.events, 0);
        buffers_end(&b);
}

static void *
drain_slowly(void *arg)
{
        const struct buffers *b = arg;
        int left = 1 << 20;

        while (left > 0) {
                CHECK_INT(green_trampoline(b->peer, GREEN_READ, CORE_SOON), 0);
                left -= core_drain(b->peer);
        }
        return NULL;
}

static void
a_green_thread_waits_until_all_is_written(void)
{
        static char bytes[1 << 20];
        struct green_libevent_buffer op = {.need = 0};
        struct green_awaitable aw;
        struct buffers b;
        green_thread *gt;

        if (!buffers_begin(&b))
                return;
        CHECK_INT(bufferevent_write(b.bev, bytes, sizeof bytes), 0);
        gt = green_spawn(drain_slowly, &b);
        CHECK_INT(green_libevent_buffer(&aw, &op, b.bev, GREEN_LIBEVENT_WRITE), 0);
        CHECK_INT(green_await(&aw, NULL), 0);
        CHECK_INT(evbuffer_get_length(bufferevent_get_output(b.bev)), 0);
        CHECK_INT(core_join(gt), 0);
        /* Nobody is left to write to. */
        close(b.peer);
        b.peer = -1;
        CHECK_INT(bufferevent_write(b.bev, bytes, 10), 0);
        signal(SIGPIPE, SIG_IGN);
        CHECK_INT(green_await(&aw, NULL), -EPIPE);
        signal(SIGPIPE, SIG_DFL);
        buffers_end(&b);
}

static void
a_bufferevent_connects_or_says_why_not(void)
{
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof addr;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct event_base *base = lev_begin(NULL);
        struct green_libevent_buffer op = {.address = (struct sockaddr *)&addr, .address_size = sizeof addr};
        struct green_awaitable aw;

        if (base == NULL || !CHECK_INT(bind(listener, (struct sockaddr *)&addr, len), 0) ||
            !CHECK_INT(getsockname(listener, (struct sockaddr *)&addr, &len), 0))
                return;
        /* First nobody listens, then somebody does. */
        for (int i = 0; i < 2; i++) {
                struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

                CHECK_INT(green_libevent_buffer(&aw, &op, bev, GREEN_LIBEVENT_CONNECT), 0);
                CHECK_INT(green_await(&aw, NULL), i == 0 ? -ECONNREFUSED : 0);
                CHECK_INT(op.what, i == 0 ? BEV_EVENT_ERROR : BEV_EVENT_CONNECTED);
                bufferevent_free(bev);
                CHECK_INT(listen(listener, 5), 0);
        }
        close(listener);
        lev_end(NULL);
}

static void
killing_who_waits_leaves_a_bufferevent_as_it_was(void)
{
        const struct timeval limit = {.tv_usec = 3000};
        struct green_libevent_buffer op = {.need = 1}, second = {.need = 1};
        struct green_awaitable aw, aw2;
        struct buffers b;
        green_thread *gt;

        GREEN_COVERS("AIO-03");
        if (!buffers_begin(&b))
                return;
        CHECK_INT(green_libevent_buffer(&aw, &op, b.bev, GREEN_LIBEVENT_READ), 0);
        gt = green_spawn_for_awaitable(&aw);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_libevent_buffer(&aw2, &second, b.bev, GREEN_LIBEVENT_READ), 0);
        CHECK_INT(green_await(&aw2, NULL), -EBUSY);
        core_kill(gt);
        own_callbacks_stand(&b);
        /* The next bytes are its own callback's. */
        core_put(b.peer);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(b.reads, 1);
        /* A limit of the bufferevent's own. */
        bufferevent_set_timeouts(b.bev, &limit, NULL);
        op.need = 100;
        CHECK_INT(green_await(&aw, NULL), -ETIMEDOUT);
        CHECK_INT(green_libevent_buffer(&aw, &op, NULL, GREEN_LIBEVENT_READ), -EINVAL);
        CHECK_INT(green_libevent_buffer(&aw, &op, b.bev, (enum green_libevent_until)7), -EINVAL);
        CHECK_INT(green_libevent_buffer(NULL, &op, b.bev, GREEN_LIBEVENT_READ), -EINVAL);
        buffers_end(&b);
}

/* ---- HTTP */

struct web {
        struct event_base *base;
        struct evhttp *http;
        struct evhttp_connection *connection;
        struct evhttp_request *held; /* that is not answered */
        int asked;
};

static void
answer_or_hold(struct evhttp_request *req, void *arg)
{
        struct web *web = arg;

        web->asked++;
        if (strcmp(evhttp_request_get_uri(req), "/held") == 0)
                web->held = req;
        else
                evhttp_send_error(req, 404, NULL);
}

static bool
web_begin(struct web *web)
{
        struct evhttp_bound_socket *bound;
        struct sockaddr_in addr;
        socklen_t len = sizeof addr;

        *web = (struct web){.base = lev_begin(NULL)};
        if (web->base == NULL)
                return false;
        web->http = evhttp_new(web->base);
        bound = evhttp_bind_socket_with_handle(web->http, "127.0.0.1", 0);
        if (!CHECK(bound != NULL) ||
            !CHECK_INT(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&addr, &len), 0))
                return false;
        evhttp_set_gencb(web->http, answer_or_hold, web);
        web->connection = evhttp_connection_base_new(web->base, NULL, "127.0.0.1", ntohs(addr.sin_port));
        return CHECK(web->connection != NULL);
}

static void
web_end(struct web *web)
{
        evhttp_connection_free(web->connection);
        CHECK_INT(green_sleep(0.002), 0);
        evhttp_free(web->http);
        lev_end(NULL);
}

static void
an_answer_of_any_status_is_a_result(void)
{
        struct green_libevent_http op;
        struct green_awaitable aw;
        struct web web;
        void *result = NULL;

        if (!web_begin(&web))
                return;
        CHECK_OR_RETURN(green_libevent_http_new(&op, web.connection) != NULL);
        CHECK_INT(green_libevent_http(&aw, &op, EVHTTP_REQ_GET, NULL), -EINVAL);
        CHECK_INT(green_libevent_http(NULL, &op, EVHTTP_REQ_GET, "/"), -EINVAL);
        CHECK_INT(green_libevent_http(&aw, &op, EVHTTP_REQ_GET, "/"), 0);
        CHECK_INT(green_await(&aw, &result), 0);
        CHECK_PTR(result, op.request);
        CHECK_INT(evhttp_request_get_response_code(op.request), 404);
        evhttp_request_free(op.request);
        CHECK_PTR(green_libevent_http_new(&op, NULL), NULL);
        CHECK_PTR(green_libevent_http_new(NULL, web.connection), NULL);
        web_end(&web);
}

static void
a_request_that_fails_says_why(void)
{
        struct green_libevent_http op;
        struct green_awaitable aw;
        struct web web;

        if (!web_begin(&web))
                return;
        /* No answer comes in time. */
        evhttp_connection_set_timeout(web.connection, 1);
        CHECK_OR_RETURN(green_libevent_http_new(&op, web.connection) != NULL);
        CHECK_INT(green_libevent_http(&aw, &op, EVHTTP_REQ_GET, "/held"), 0);
        CHECK_INT(green_await(&aw, NULL), -ETIMEDOUT);
        evhttp_request_free(op.request);
        /* Nobody listens any more. */
        evhttp_free(web.http);
        web.http = evhttp_new(web.base);
        CHECK_OR_RETURN(green_libevent_http_new(&op, web.connection) != NULL);
        CHECK_INT(green_libevent_http(&aw, &op, EVHTTP_REQ_GET, "/"), 0);
        CHECK_INT(green_await(&aw, NULL), -ENOTCONN);
        evhttp_request_free(op.request);
        web_end(&web);
}

static void
killing_who_waits_cancels_a_request(void)
{
        struct green_libevent_http op, next;
        struct green_awaitable aw, aw_next;
        struct web web;
        green_thread *gt, *queued;

        GREEN_COVERS("AIO-03");
        if (!web_begin(&web))
                return;
        CHECK_OR_RETURN(green_libevent_http_new(&op, web.connection) != NULL);
        CHECK_OR_RETURN(green_libevent_http_new(&next, web.connection) != NULL);
        CHECK_INT(green_libevent_http(&aw, &op, EVHTTP_REQ_GET, "/held"), 0);
        CHECK_INT(green_libevent_http(&aw_next, &next, EVHTTP_REQ_GET, "/"), 0);
        gt = green_spawn_for_awaitable(&aw);
        queued = green_spawn_for_awaitable(&aw_next);
        for (double end = core_now() + CORE_SOON; web.held == NULL && core_now() < end;)
                CHECK_INT(green_sleep(0.001), 0);
        core_kill(gt);
        /* The other one, which stood behind it, goes on. */
        CHECK_INT(core_join(queued), 0);
        CHECK_INT(evhttp_request_get_response_code(next.request), 404);
        CHECK_INT(web.asked, 2);
        evhttp_request_free(op.request);
        evhttp_request_free(next.request);
        web_end(&web);
}

/* ---- the rest */

static void *
wait_forty_two(void *arg)
{
        const struct timeval limit = {.tv_usec = 3000};
        struct green_libevent_event op;
        struct green_awaitable aw;

        CHECK_INT(green_libevent_event(&aw, &op, -1, 0, &limit), 0);
        CHECK_INT(green_await(&aw, NULL), 0);
        *(int *)arg = 42;
        return arg;
}

static void *
wait_for_good(void *arg)
{
        struct green_libevent_event op;
        struct green_awaitable aw;

        CHECK_INT(green_libevent_event(&aw, &op, *(int *)arg, EV_READ, NULL), 0);
        return green_fail(green_await(&aw, NULL));
}

static void
a_green_thread_is_awaited_and_cancelling_kills_it(void)
{
        struct green_awaitable aw;
        struct green_timeout t = {{0}};
        void *result = NULL;
        green_thread *gt;
        int fds[2], value = 0;

        GREEN_COVERS("AIO-04");
        if (lev_begin(NULL) == NULL || !core_pair(fds))
                return;
        gt = green_spawn(wait_forty_two, &value);
        CHECK_INT(green_awaitable_thread(&aw, gt), 0);
        CHECK_INT(green_await(&aw, &result), 0);
        CHECK_PTR(result, &value);
        CHECK_INT(value, 42);
        green_thread_unref(gt);
        gt = green_spawn(wait_for_good, &fds[0]);
        CHECK_INT(green_awaitable_thread(&aw, gt), 0);
        green_timeout_start(&t, 0.003);
        CHECK_INT(green_await(&aw, NULL), GREEN_ETIMEOUT);
        green_timeout_cancel(&t);
        CHECK_INT(core_join(gt), GREEN_EKILLED);
        core_close_pair(fds);
        lev_end(NULL);
}

static void
on_another_hub_all_of_them_say_what_to_do(void)
{
        struct event_base *base = event_base_new();
        struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
        struct evdns_base *dns = evdns_base_new(base, 0);
        struct evhttp_connection *connection = evhttp_connection_base_new(base, NULL, "127.0.0.1", 1);
        struct green_libevent_getaddrinfo lookup;
        struct green_libevent_buffer buffer = {.need = 1};
        struct green_libevent_event event;
        struct green_libevent_http http;
        struct green_awaitable aw;

        GREEN_COVERS("AIO-02");
        CHECK_OR_RETURN(core_fresh_hub("poll"));
        CHECK(green_libevent_http_new(&http, connection) != NULL);
        CHECK_PTR(green_libevent_base(), NULL);
        CHECK_INT(green_libevent_event(&aw, &event, 0, EV_READ, NULL), GREEN_EHUB);
        CHECK_INT(green_libevent_getaddrinfo(&aw, &lookup, dns, "x", NULL, NULL), GREEN_EHUB);
        CHECK_INT(green_libevent_http(&aw, &http, EVHTTP_REQ_GET, "/"), GREEN_EHUB);
        CHECK_INT(green_libevent_buffer(&aw, &buffer, bev, GREEN_LIBEVENT_READ), GREEN_EHUB);
        CHECK(strstr(green_last_error()->message, "GREEN_HUB=libevent") != NULL);
        /* And in another base than the hub's. */
        if (lev_begin(NULL) != NULL) {
                CHECK_INT(green_libevent_http(&aw, &http, EVHTTP_REQ_GET, "/"), -EPERM);
                CHECK_INT(green_libevent_buffer(&aw, &buffer, bev, GREEN_LIBEVENT_READ), -EPERM);
                CHECK_PTR(green_libevent_base(), green_hub_loop());
        }
        lev_end(NULL);
        evhttp_request_free(http.request);
        evhttp_connection_free(connection);
        evdns_base_free(dns, 0);
        bufferevent_free(bev);
        event_base_free(base);
}

GREEN_SUITE_INIT(lev_init)

GREEN_SUITE(sync_libevent){GREEN_TEST(an_event_ends_a_wait),
                           GREEN_TEST(the_time_of_an_event_and_a_signal_are_events),
                           GREEN_TEST(a_descriptor_that_is_not_open_is_said_so),
                           GREEN_TEST(a_name_is_looked_up),
                           GREEN_TEST(killing_who_waits_cancels_a_look_up),
                           GREEN_TEST(a_bufferevent_is_read_by_a_green_thread),
                           GREEN_TEST(a_green_thread_waits_until_all_is_written),
                           GREEN_TEST(a_bufferevent_connects_or_says_why_not),
                           GREEN_TEST(killing_who_waits_leaves_a_bufferevent_as_it_was),
                           GREEN_TEST(an_answer_of_any_status_is_a_result),
                           GREEN_TEST(a_request_that_fails_says_why),
                           GREEN_TEST(killing_who_waits_cancels_a_request),
                           GREEN_TEST(a_green_thread_is_awaited_and_cancelling_kills_it),
                           GREEN_TEST(on_another_hub_all_of_them_say_what_to_do),
                           GREEN_SUITE_END};
