/*
 * libcurl on the hub. See curl_hub.h.
 *
 * libcurl says which sockets it waits for, and until when (the two functions at the top); a watch for each socket and
 * one for the time say when that has come (the next two), and libcurl goes on.
 */
#include "curl_hub.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct curl_hub {
        CURLM *multi;
        struct green_watch timer;
};

/* A socket of libcurl's that it waits for. */
struct sock {
        struct green_watch watch;
        struct curl_hub *hub;
        curl_socket_t fd;
        unsigned events; /* that it waits for */
        bool in_action;  /* libcurl is being told of it, and may say in there that it has done with it */
        bool gone;       /* it has said so */
};

static void sock_ready(struct green_watch *w, int result, void *arg);

static int
sock_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
        struct sock *s = of_socket;
        struct curl_hub *h = arg;

        (void)easy;
        if (what == CURL_POLL_REMOVE) {
                if (s == NULL)
                        return 0;
                (void)green_watch_stop(&s->watch);
                curl_multi_assign(h->multi, fd, NULL);
                s->gone = true;
                if (!s->in_action)
                        free(s);
                return 0;
        }
        if (s == NULL) {
                s = calloc(1, sizeof *s);
                if (s == NULL)
                        return -1;
                s->hub = h;
                s->fd = fd;
                green_watch_init(&s->watch, sock_ready, s);
                curl_multi_assign(h->multi, fd, s);
        }
        s->events = (what & CURL_POLL_IN ? GREEN_READ : 0) | (what & CURL_POLL_OUT ? GREEN_WRITE : 0);
        (void)green_watch_stop(&s->watch);
        if (s->in_action || s->events == 0)
                return 0;
        return green_watch_start(&s->watch, fd, s->events, GREEN_FOREVER) == 0 ? 0 : -1;
}

static int
time_wanted(CURLM *multi, long milliseconds, void *arg)
{
        struct curl_hub *h = arg;

        (void)multi;
        (void)green_watch_stop(&h->timer);
        if (milliseconds < 0)
                return 0;
        return green_watch_start(&h->timer, GREEN_INVALID_FD, 0, (double)milliseconds / 1000) == 0 ? 0 : -1;
}

/* Tell those whose transfers have ended. */
static void
tell_ended(struct curl_hub *h)
{
        struct CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
                CURLcode code = m->data.result;
                CURL *easy = m->easy_handle;
                char *private = NULL;
                struct curl_transfer *t;

                if (m->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
                t = (struct curl_transfer *)(void *)private;
                curl_multi_remove_handle(h->multi, easy);
                t->code = code;
                green_complete(t->done, t);
        }
}

static void
sock_ready(struct green_watch *w, int result, void *arg)
{
        struct sock *s = arg;
        struct curl_hub *h = s->hub;
        int events = CURL_CSELECT_ERR, running;

        if (result >= 0)
                events = (result & GREEN_READ ? CURL_CSELECT_IN : 0) | (result & GREEN_WRITE ? CURL_CSELECT_OUT : 0);
        s->in_action = true;
        curl_multi_socket_action(h->multi, s->fd, events, &running);
        s->in_action = false;
        if (s->gone)
                free(s);
        else if (s->events != 0)
                (void)green_watch_start(w, s->fd, s->events, GREEN_FOREVER);
        tell_ended(h);
}

static void
time_over(struct green_watch *w, int result, void *arg)
{
        struct curl_hub *h = arg;
        int running;

        (void)w;
        (void)result;
        curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        tell_ended(h);
}

/* The number may be another descriptor's as soon as this is closed: the hub is told before. */
static int
close_socket(void *arg, curl_socket_t fd)
{
        (void)arg;
        green_notify_close(fd);
        return close(fd);
}

static int
start(void *arg, green_completion *done)
{
        struct curl_transfer *t = arg;
        CURLMcode rc;

        t->done = done;
        curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(t->easy, CURLOPT_PRIVATE, (void *)t);
        curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
        rc = curl_multi_add_handle(t->hub->multi, t->easy);
        if (rc == CURLM_OK)
                return 0;
        return rc == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

static void
cancel(void *arg, green_completion *done)
{
        struct curl_transfer *t = arg;

        curl_multi_remove_handle(t->hub->multi, t->easy);
        green_complete_error(done, -ECANCELED);
}

struct green_awaitable
curl_hub_awaitable(struct curl_transfer *t)
{
        return (struct green_awaitable){
                .size = sizeof(struct green_awaitable), .start = start, .cancel = cancel, .arg = t};
}

int
curl_hub_perform(struct curl_hub *h, CURL *easy, CURLcode *ret_code)
{
        struct curl_transfer t = {.hub = h, .easy = easy};
        struct green_awaitable aw = curl_hub_awaitable(&t);
        int rc = green_await(&aw, NULL);

        if (rc == 0)
                *ret_code = t.code;
        return rc;
}

struct curl_hub *
curl_hub_new(void)
{
        struct curl_hub *h = calloc(1, sizeof *h);

        if (h == NULL)
                return NULL;
        h->multi = curl_multi_init();
        if (h->multi == NULL) {
                free(h);
                return NULL;
        }
        green_watch_init(&h->timer, time_over, h);
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, sock_wanted);
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
        curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, time_wanted);
        curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
        return h;
}

void
curl_hub_free(struct curl_hub *h)
{
        if (h == NULL)
                return;
        curl_multi_cleanup(h->multi);
        (void)green_watch_stop(&h->timer);
        free(h);
}
