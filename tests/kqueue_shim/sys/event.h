/*
 * kqueue(2) for Linux, for tests only: what kqueue_shim.c has of it, with the values of FreeBSD and macOS.
 *
 * With KQUEUE_SHIM_BARE without what only some systems have.
 */
#ifndef GREEN_TESTS_KQUEUE_SHIM_SYS_EVENT_H
#define GREEN_TESTS_KQUEUE_SHIM_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

/* Filters. */
#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#ifndef KQUEUE_SHIM_BARE
#define EVFILT_USER (-10)
#endif

/* What to do. */
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
/* How to report. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
#ifndef KQUEUE_SHIM_BARE
#define EV_OOBAND 0x2000
#endif
/* What is reported. */
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

/* EVFILT_USER: 24 bits of its own, what to do with them, and the trigger. */
#define NOTE_FFNOP 0x00000000u
#define NOTE_TRIGGER 0x01000000u
#define NOTE_FFAND 0x40000000u
#define NOTE_FFOR 0x80000000u
#define NOTE_FFCOPY 0xc0000000u
#define NOTE_FFCTRLMASK 0xc0000000u
#define NOTE_FFLAGSMASK 0x00ffffffu

struct kevent {
        uintptr_t ident;
        int16_t filter;
        uint16_t flags;
        uint32_t fflags;
        intptr_t data;
        void *udata;
};

#define EV_SET(kev, ident_, filter_, flags_, fflags_, data_, udata_)                                                   \
        (*(kev) = (struct kevent){(ident_), (filter_), (flags_), (fflags_), (data_), (udata_)})

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int nchanges, struct kevent *events, int nevents,
           const struct timespec *timeout);

/* Not of BSD: the calls of kevent() so far; which change or call of kqueue() from now on fails (0: none), and how. */
unsigned long kqueue_shim_calls(void);
extern unsigned kqueue_shim_fail;
extern int kqueue_shim_fail_with;

#endif
