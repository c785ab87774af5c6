/*
 * The inside of the router: a tree of patterns, a segment a level. See <green/router.h>.
 */
#ifndef GREEN_ROUTER_PRIV_H
#define GREEN_ROUTER_PRIV_H

#include <green/router.h>

enum {
        GREEN__PARAMS_MAX = 16, /* of a pattern */
};

struct green__router_handler {
        struct green__router_handler *next;
        green_wsgi_app app;
        void *arg;
        const char *method; /* behind the pattern; NULL: any */
        char pattern[];     /* "" for a mount */
};

enum green__router_kind { GREEN__ROUTER_TEXT, GREEN__ROUTER_ONE, GREEN__ROUTER_REST }; /* what goes before is looked at before */

/* A node; the uppermost is the router. */
struct green_router {
        struct green_router *next, *down; /* in the order of their kind; of what is below it the first */
        struct green__router_handler *handlers, *mount;
        enum green__router_kind kind;
        size_t len;
        char text[];
};

/* What a router has found for a request. */
struct green__route {
        struct green__route *outer; /* of the router around it */
        const char *pattern;
        size_t offset;                         /* in the raw path: where what is left of it begins */
        const char *text[2];                   /* what stands behind and before that, decoded; NULL: not yet */
        const char *values[GREEN__PARAMS_MAX]; /* in the order of the pattern */
};

#endif
