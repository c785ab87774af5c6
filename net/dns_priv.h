/*
 * The inside of the resolver. See <green/dns.h>, and "Names" in doc/design.md.
 *
 * Everything here belongs to one OS thread, but the settings, which are immutable and counted.
 */
#ifndef GREEN_DNS_PRIV_H
#define GREEN_DNS_PRIV_H

#include <config.h>

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <green/alloc.h>
#include <green/dns.h>
#include <green/park.h>

/* A host's name as text with its NUL: 253 bytes, or 254 with a dot at its end. */
#define GREEN__NAME_SIZE 256
/* Any name of a message as text with its NUL: each of 255 bytes may be written as \DDD. */
#define GREEN__WIRE_NAME_SIZE 1025

enum { GREEN__DNS_SERVERS = 8, GREEN__DNS_SEARCH = 8 };

/* Seconds for a lookup in all, where nobody says otherwise. */
#define GREEN__DNS_LIFETIME 10.0

/* ---- settings: dns_conf.c */

/* What green_dns_configure() was given. The texts lie behind it, in the same block. */
struct green__dns_settings {
        atomic_uint refs;
        struct green_dns_opts opts;
};

/* What a resolver works with: the settings, with what resolv.conf says where they say nothing. */
struct green__dns_conf {
        struct green_addr servers[GREEN__DNS_SERVERS];
        size_t nservers;
        char search[GREEN__DNS_SEARCH][GREEN__NAME_SIZE];
        size_t nsearch;
        int ndots, attempts;
        double timeout, lifetime; /* seconds */
        size_t cache_size;        /* 0: keep none */
        bool rotate, tcp;
};

/* Changes with each configure and clear. */
unsigned green__dns_generation(void);

/* The settings of now, counted, and their generation. They are never NULL. */
const struct green__dns_settings *green__dns_settings_get(unsigned *ret_generation);
void green__dns_settings_put(const struct green__dns_settings *settings);

/* Is the system's resolver to be used? How many seconds a lookup may take goes to *ret_lifetime, unless that is NULL.
 */
bool green__dns_uses_system(double *ret_lifetime);

/* Read resolv.conf and put all together. -ENOMEM. */
int green__dns_conf_make(const struct green__dns_settings *settings, struct green__dns_conf *ret_conf);

/* "1.2.3.4,[::1]:53": the port may be left out. -EINVAL with a message; *ret_n is at most GREEN__DNS_SERVERS. */
int green__dns_parse_servers(const char *text, struct green_addr *ret_servers, size_t *ret_n);

/* ---- what differs by system: dns_posix.c */

/* How a file was when it was looked at. */
struct green__dns_stamp {
        int64_t there; /* 1 or 0; as wide as the others, as no byte may be without meaning */
        int64_t seconds, nanoseconds, size;
        uint64_t device, file;
};

extern const char green__dns_hosts_path[];
extern const char green__dns_resolv_path[];

/* "127.1", "0x7f000001": an address, as inet_aton() reads it. */
struct in_addr;
bool green__dns_loose_ip4(const char *text, struct in_addr *ret_in);

void green__dns_stamp(const char *path, struct green__dns_stamp *ret_stamp);

/* All of a regular file, ended by NUL, for green_free(); one that cannot be read is empty: *ret_text NULL. -ENOMEM. */
int green__dns_read_file(const char *path, char **ret_text, size_t *ret_len);

/* Bytes that nobody can guess; as good as can be had. */
uint64_t green__dns_random(void);

/* Leave a code where the system's calls for sockets leave theirs. */
void green__dns_socket_error(int code);

/* Has the machine an address of the family beside loopback? True where that cannot be found out. */
bool green__dns_has_family(int family);

/* ---- the hosts file: dns_hosts.c */

struct green__hosts;

/* Parse a text, which is changed and taken over (green_free()); NULL is empty. NULL: memory ran out, and it was freed.
 */
struct green__hosts *green__hosts_parse(char *text, size_t len);
void green__hosts_free(struct green__hosts *hosts);

/* A line of the file, as long as the file is kept. */
struct green__hosts_line {
        int family;
        unsigned char addr[16];
        size_t first, n; /* its names, the canonical one first: see green__hosts_name() */
};

/* The next line with a name, in lower case and without a dot at its end; the first after NULL. NULL: no more. */
const struct green__hosts_line *green__hosts_find(const struct green__hosts *hosts, const char *name,
                                                  const struct green__hosts_line *after);
/* The first line with an address of 4 or 16 bytes; NULL: none. */
const struct green__hosts_line *green__hosts_reverse(const struct green__hosts *hosts, int family, const void *addr);
/* Name i of a line. */
const char *green__hosts_name(const struct green__hosts *hosts, const struct green__hosts_line *line, size_t i);

/* ---- messages: dns_message.c */

/* What is kept of an answer, in one block; the public part comes first, so that a copy can be handed out. */
struct green__dns_reply {
        struct green_dns_answer answer;
        size_t size; /* bytes of the block */
        const char *const *
                chain; /* the name that was asked for, and where CNAMEs have led from there; the last has the records */
        size_t nchain;
};

/*
 * Read an answer to a question for a name. 0 with *ret_reply; GREEN_EAI_NODATA, GREEN_EAI_NONAME (by its code);
 * GREEN_EAI_FAIL where it makes no sense; -ENOMEM. *ret_ttl is for how long it may be kept, 0 where it may not.
 */
int green__dns_parse(const void *message, size_t len, const char *name, int type, struct green__dns_reply **ret_reply,
                     uint32_t *ret_ttl);
struct green__dns_reply *green__dns_reply_copy(const struct green__dns_reply *reply);

/* Is it an answer by which a server refuses a question (SERVFAIL, NOTIMP, REFUSED)? Then which: the name, and its type.
 */
bool green__dns_parse_refusal(const void *message, size_t len, char name[GREEN__WIRE_NAME_SIZE], int *ret_type);

/* ---- questions, those that run and those answered: dns_cache.c */

struct green__dns;

/* A question. It is in the table while it runs, and after that as long as its answer may be kept. */
struct green__dns_entry {
        struct green__dns_entry *same;        /* next in its bucket */
        struct green__dns_entry *prev, *next; /* in one of the two lists */
        struct green__dns *dns;
        struct green_waitq waiters;
        struct green__dns_reply *reply; /* where code is 0 */
        int64_t since, expires;         /* when it was answered, until when that is kept; nanoseconds */
        unsigned refs;                  /* calls that hold it; one for the query that runs */
        uint32_t hash;
        int type, code;
        bool done;    /* answered */
        bool hashed;  /* in the table */
        bool kept;    /* in the list of what may be forgotten; else in that of the others */
        bool refused; /* a server refused it */
        char name[];  /* in lower case, without a dot at its end */
};

struct green__dns_list {
        struct green__dns_entry *first, *last;
};

struct green__dns_cache {
        struct green__dns_entry **buckets;
        size_t nbuckets, count;             /* count: of those in the table */
        struct green__dns_list kept, loose; /* kept: used last first */
        size_t nkept;
        uint64_t seed;
};

int green__dns_cache_init(struct green__dns_cache *cache);
/* Free all of it, also what calls hold that will never run again. */
void green__dns_cache_free(struct green__dns_cache *cache);

/* Ask, or find it asked or answered. 0, and the caller holds the entry; -ENOMEM; -EDEADLK where nobody could wait. */
int green__dns_ask(struct green__dns *dns, const char *name, int type, struct green__dns_entry **ret_entry);
/*
 * Wait until one of at most two, of which one at least is not answered yet, is: until a time of green__sys_now() or
 * INT64_MAX. 0; GREEN_EAI_AGAIN: not in time; or a scope's code.
 */
int green__dns_wait_any(struct green__dns_entry *const *entries, size_t n, int64_t deadline);
void green__dns_let_go(struct green__dns_entry *entry);
/* The query has ended. The reply is taken over. */
void green__dns_answered(struct green__dns_entry *entry, int code, struct green__dns_reply *reply, uint32_t ttl);
/* One that is asked now; NULL: none. */
struct green__dns_entry *green__dns_running(struct green__dns *dns, const char *name, int type);

/* ---- the resolver of an OS thread: dns_state.c */

struct green__wire;

/* All that was made with one state of the settings. */
struct green__dns {
        struct green__dns *next; /* all of the OS thread */
        const struct green__dns_settings *settings;
        struct green__dns_conf conf;
        struct green__dns_cache cache;
        struct green__hosts *hosts;
        struct green__dns_stamp hosts_stamp;
        int64_t hosts_seen;       /* when the file was looked at; nanoseconds */
        struct green__wire *wire; /* made by the first question */
        unsigned pins;            /* calls that use it, queries that run */
        bool retired;             /* the settings are others now: the last one frees it */
};

/* That of the calling OS thread, pinned. 0, -ENOMEM, or why there is no hub. */
int green__dns_enter(struct green__dns **ret_dns);
void green__dns_leave(struct green__dns *dns);
/* Its hosts file, read anew where it has changed. -ENOMEM. */
int green__dns_hosts(struct green__dns *dns, const struct green__hosts **ret_hosts);

/* ---- c-ares: dns_cares.c, or dns_nocares.c */

/* "c-ares 1.18.1"; NULL without it. */
const char *green__wire_version(void);
/* Ask the servers; ends in green__dns_answered(), perhaps before it returns. */
void green__wire_ask(struct green__dns *dns, struct green__dns_entry *entry);
/* hub_lives: its watches may be stopped. */
void green__wire_free(struct green__wire *wire, bool hub_lives);

/* ---- names to addresses: dns_lookup.c */

struct green__dns_found {
        struct green_addr *addrs; /* port 0, best first; for green_free() */
        size_t n;
        char canonical[GREEN__NAME_SIZE];
        char *aliases; /* other names, each ended by NUL, where they were wanted; for green_free(). NULL: none */
        size_t naliases, aliases_size;
};

/* What a lookup is for. */
struct green__dns_wanted {
        int family;
        bool configured; /* only families of which the machine has an address (AI_ADDRCONFIG) */
        bool canonical;  /* the canonical name, too */
        bool aliases;    /* the other names, too */
};

/* Is it an address as text? Never asks anybody. 0, or 1 where it is a name; GREEN_EAI_NONAME: an address of no
 * interface. */
int green__dns_numeric(const char *host, struct green_addr *ret_addr);

/* Is the name localhost, or below it? RFC 6761. */
bool green__dns_is_localhost(const char *name);

/* Add another name. -ENOMEM. */
int green__dns_add_alias(struct green__dns_found *found, const char *name);
void green__dns_found_free(struct green__dns_found *found);

/* The whole way: numeric, hosts file, servers with the search list; or the system. */
int green__dns_lookup(const char *host, const struct green__dns_wanted *wanted, struct green__dns_found *ret_found);

/* Ask one question and wait for its answer; 0, and the caller holds the entry, whose code is 0. */
int green__dns_ask_one(struct green__dns *dns, const char *name, int type, struct green__dns_entry **ret_entry);

/* Until when a lookup that begins now may take. */
int64_t green__dns_deadline(const struct green__dns *dns);

/* The error of a lookup, with a message that says what was looked for. Returns the code. */
int green__dns_failed(int code, const char *what);

/*
 * A name as it is looked up: in lower case and without the dot at its end, where *ret_absolute says if it had one. NULL
 * for ret_absolute: it need not be known. -EINVAL: too long, empty, or an empty label.
 */
int green__dns_clean_name(const char *host, char name[GREEN__NAME_SIZE], bool *ret_absolute);

/* The name that servers know it by: IDNA. name is changed where it is not ASCII. GREEN_EAI_NONAME with a message. */
int green__dns_to_ascii(char name[GREEN__NAME_SIZE]);

/* An address of 4 or 16 bytes as an address with port 0. */
void green__dns_addr(int family, const void *bytes, struct green_addr *ret_addr);
void green__dns_set_port(struct green_addr *addr, int port);

/* ---- names: dns_name.c */

/* "4.3.2.1.in-addr.arpa" */
void green__dns_reverse_name(const struct green_addr *addr, char name[GREEN__NAME_SIZE]);

/* ---- sorting by RFC 6724: dns_sort.c */

void green__dns_sort(struct green_addr *addrs, size_t n);

/* ---- the system's resolver, in the pool of OS threads: dns_system.c */

/* The code for what getaddrinfo() and its kin return, with errno. */
int green__dns_code_of(int eai, int error);
/*
 * Run a function in the pool for at most so many seconds. 0, and arg is the caller's. Else GREEN_EAI_AGAIN, or a
 * scope's code, or the pool's; arg was or will be released, with the result NULL where the function has not run.
 */
int green__dns_pooled(green_thread_fn fn, void *arg, void (*release_arg)(void *arg, void *result), double lifetime);
/*
 * The port of a service's name, for each kind of socket that it has: hints and what is found are as for getaddrinfo().
 * *ret_list is for freeaddrinfo().
 */
int green__dns_system_service(const char *service, const struct addrinfo *hints, double lifetime,
                              struct addrinfo **ret_list);
/* getnameinfo(), of which host or service may be NULL. */
int green__dns_system_name(const struct green_addr *addr, char host[GREEN__WIRE_NAME_SIZE], char service[64], int flags,
                           double lifetime);
int green__dns_system_lookup(const char *host, const struct green__dns_wanted *wanted, double lifetime,
                             struct green__dns_found *ret_found);

#endif
