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

struct green__router_node {
        struct green__router_node *next, *down; /* in the order of their kind; of what is below it the first */
        struct green__router_handler *handlers, *mount;
        enum green__router_kind kind;
        size_t len;
        char text[];
};

struct green_router {
        struct green__router_node *root;
};

#endif
