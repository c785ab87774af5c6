/*
 * A name server of the tests' own, in an OS thread: UDP and TCP on one port of 127.0.0.1 (or ::1), and a script of what
 * it does with each name. Every test says where its servers, its hosts file and its resolv.conf are: nothing asks a
 * real one.
 */
#ifndef GREEN_TESTS_DNS_SERVER_H
#define GREEN_TESTS_DNS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct dns_server;

/* What the server does with a question for a name and type. Zeroed but for these it answers with no record. */
struct dns_rule {
        const char *name; /* in lower case; NULL ends the table */
        int type;         /* 0: any */
        /*
         * Records, separated by blanks: "1.2.3.4", "::1", "@name" (those after it belong to another name), "=target" (a
         * CNAME; those after it belong to the target),
         * "!target" (PTR, NS), "10=mail" (MX), "10/5/80=host" (SRV), "'text'" (TXT, blanks are written _; several
         * strings: 'a'+'b').
         */
        const char *records;
        unsigned ttl;      /* of each; 0 is 0 */
        unsigned repeat;   /* of A: so many addresses, counted up from the first */
        int rcode;         /* 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED */
        unsigned soa;      /* not 0: a SOA with this minimum goes with it */
        unsigned drop;     /* so many questions are not answered */
        unsigned fail;     /* so many are answered by SERVFAIL first */
        unsigned delay_ms; /* before the answer */
        bool truncate;     /* by UDP: nothing but the TC bit */
        bool no_edns;      /* FORMERR to a question with EDNS, as an old server does */
        bool wrong_id;     /* an answer with another id (and another address) goes first */
        bool wrong_port;   /* the same from another port */
        bool wrong_name;   /* the same to another question */
        bool garbage;      /* the same that is no message; and an empty datagram */
        bool broken;       /* the answer's records are cut off */
        bool circle;       /* CNAMEs that lead to each other */
        bool close_tcp;    /* by TCP: hang up in place of an answer */
};

/* Start one; it ends with dns_server_free(). address is filled: "127.0.0.1:4711". NULL: family cannot be used here. */
struct dns_server *dns_server_new(int family, const struct dns_rule *rules, char address[64]);
void dns_server_free(struct dns_server *server);

/* Questions that came for a name and type (0: any; NULL: any name), by UDP and TCP. */
unsigned dns_server_count(struct dns_server *server, const char *name, int type);
unsigned dns_server_count_tcp(struct dns_server *server);
/* How many were under way at the same time, at most: those with a delay. */
unsigned dns_server_most(struct dns_server *server);
/* Forget what came. */
void dns_server_reset(struct dns_server *server);

#endif
