/*
 * What a WebSocket peer that echoes must do: cases by the numbers of the Autobahn test suite, whose section a number
 * begins with. Written anew from what that suite describes; its contents of messages are made here, of the same sizes.
 *
 * Left out are 9.9 and 9.10, which the suite itself does not run. Where it allows a second outcome ("non-strict"), it
 * is told apart here, and is good too.
 */
#ifndef GREEN_TESTS_WS_CASES_H
#define GREEN_TESTS_WS_CASES_H

#include "ws_peer.h"

/*
 * How much is sent: bytes in small pieces, messages of a size at most, and about so many bytes of them. On Windows a tenth, as
 * a call of the system costs wine, which asks a server of its own, many times what it costs elsewhere.
 */
#if defined(_WIN32)
enum { WS_CHOPPED = 65536, WS_MESSAGES = 10, WS_VOLUME = 262144 };
#else
enum { WS_CHOPPED = 1048576, WS_MESSAGES = 100, WS_VOLUME = 1048576 };
#endif

/* Further steps of a case, beside frames. */
enum {
        WS_BEGIN = 0x200,  /* with WS_TEXT and so on: the head of a frame of `of` bytes, and its first part */
        WS_PART = 0x400,   /* more of its payload */
        WS_AWAIT = 0x401,  /* until `of` events have come */
        WS_STILL = 0x402,  /* a moment, in which nothing may come */
        WS_FAILED = 0x403, /* the other end should end it here; later is not strict */
        WS_FRAMEWISE = -1  /* a chop: every frame by itself */
};

/* A frame that is sent, a step of another kind, or an event that must come. */
struct ws_step {
        unsigned op; /* 0: no more */
        const char *data;
        size_t unit, len; /* so many bytes of data, again and again, up to len */
        size_t of;
};

/* Rows of tables: an empty payload, a literal, one repeated. */
#define WS_EMPTY(what)                                                                                                 \
        {                                                                                                              \
                .op = (what)                                                                                           \
        }
#define WS_SAY(what, text)                                                                                             \
        {                                                                                                              \
                .op = (what), .data = (text), .unit = sizeof(text) - 1, .len = sizeof(text) - 1                        \
        }
#define WS_FILL(what, text, size)                                                                                      \
        {                                                                                                              \
                .op = (what), .data = (text), .unit = sizeof(text) - 1, .len = (size)                                  \
        }

/* How it ends. */
enum ws_ending {
        WS_CLOSED_HERE, /* with 1000, once all has come; the answer is that too */
        WS_SAID_CLOSE,  /* by a close among the steps; it is answered, and the connection ends as it should */
        WS_SAID_WRONG,  /* by a wrong close among the steps; it may end as it likes */
        WS_REFUSED,     /* the other end fails it */
        WS_ANYHOW       /* it ends; no more is asked */
};

/* Messages of which each waits for its echo. */
struct ws_series {
        const unsigned char *data; /* taken from it one after the other, around and around */
        size_t data_len;
        unsigned op;
        size_t size;
        int count;
        size_t fragment; /* bytes of a frame; 0: all in one */
};

enum { WS_STEPS = 20 };

struct ws_case {
        char id[16];
        struct ws_step send[WS_STEPS], expect[WS_STEPS]; /* or a series */
        const struct ws_series *series;
        bool may_lack; /* not strict: nothing of what is expected comes, or (WS_ANYHOW) some does not */
        bool goes_on;  /* sends behind its close, which may be answered by a reset */
        enum ws_ending ending;
        int codes[2];           /* that the other end may close with, -1 for none; 0, 0: what the ending says */
        int chop;               /* bytes a send; 0: all in one */
        const char *offers;     /* of extensions; they must be taken. NULL: none */
        struct ws_deflate asks; /* of a server, likewise */
};

/* Calls fn for each case of a section. */
typedef void (*ws_case_fn)(const struct ws_case *c, void *arg);

void ws_section_1(ws_case_fn fn, void *arg);  /* framing */
void ws_section_2(ws_case_fn fn, void *arg);  /* pings and pongs */
void ws_section_3(ws_case_fn fn, void *arg);  /* reserved bits */
void ws_section_4(ws_case_fn fn, void *arg);  /* opcodes */
void ws_section_5(ws_case_fn fn, void *arg);  /* fragments */
void ws_section_6(ws_case_fn fn, void *arg);  /* UTF-8 */
void ws_section_7(ws_case_fn fn, void *arg);  /* closes */
void ws_section_9(ws_case_fn fn, void *arg);  /* size and speed */
void ws_section_10(ws_case_fn fn, void *arg); /* fragments made by size */
void ws_section_12(ws_case_fn fn, void *arg); /* compression: contents */
void ws_section_13(ws_case_fn fn, void *arg); /* compression: parameters */

/* For those: a table as it stands. */
void ws_each(const struct ws_case *cases, size_t n, ws_case_fn fn, void *arg);

enum ws_result { WS_GOOD, WS_NOT_STRICT, WS_BAD };

/* Runs a case with a peer whose handshake was made. WS_BAD: peer->why. The connection is over then, not yet closed. */
enum ws_result ws_run(struct ws_peer *p, const struct ws_case *c);

#endif
