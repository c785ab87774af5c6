/*
 * For tests of what an application asks of a request: one that looks at each of them.
 */
#ifndef GREEN_TESTS_WEB_LOOK_H
#define GREEN_TESTS_WEB_LOOK_H

#include "web_suite.h"

/* What the test looks at, in the request's green thread, and how often it did. */
static void (*look)(green_wsgi_request *req);

MAYBE int
looks(green_wsgi_request *req, void *arg)
{
        struct server *s = arg;

        s->requests++;
        look(req);
        return green_wsgi_respond(req, 200, NULL, "seen", 4);
}

/* One request after the other, on one connection, each looked at. */
MAYBE void
see(struct server *s, const char *text, void (*fn)(green_wsgi_request *req))
{
        int before = s->requests;
        const char *answer;

        look = fn;
        answer = ask(s, text);
        CHECK(begins(answer, "HTTP/1.1 200 OK\r\n"));
        CHECK_INT(count(answer, "\r\n\r\nseen"), s->requests - before);
        CHECK(s->requests > before);
}

/* The same with a server of its own. */
MAYBE void
see_alone(const char *text, void (*fn)(green_wsgi_request *req))
{
        struct server s = {0};

        serve(&s, looks);
        see(&s, text, fn);
        CHECK_INT(s.requests, 1);
        stop(&s);
}

/* A request of that target. */
MAYBE const char *
get(const char *target)
{
        static char text[8192];

        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
        return text;
}

/* A request with these lines of header, and a body behind them. */
MAYBE const char *
post(const char *lines)
{
        static char text[16384];

        snprintf(text, sizeof text, "POST /p HTTP/1.1\r\nHost: a\r\n%s", lines);
        return text;
}

#define FORM "Content-Type: application/x-www-form-urlencoded"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

#endif
