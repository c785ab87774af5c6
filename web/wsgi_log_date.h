/*
 * The time of a line of the access log, in the ways there are to write it.
 */
#ifndef GREEN_WSGI_LOG_DATE_H
#define GREEN_WSGI_LOG_DATE_H

#include <stddef.h>
#include <time.h>

enum { GREEN__LOG_DATE_SIZE = 32 };

enum green__log_date_form {
        GREEN__LOG_DATE_EVENTLET, /* "27/Nov/2026 10:45:18" */
        GREEN__LOG_DATE_COMMON,   /* "27/Nov/2026:10:45:18 +0000" */
        GREEN__LOG_DATE_ISO8601,  /* "2026-11-27T10:45:18+00:00" */
        GREEN__LOG_DATES
};

/* A text that is good for a second. */
struct green__log_date {
        time_t second; /* which; -1: none yet */
        size_t len;    /* 0: it cannot be told */
        char text[GREEN__LOG_DATE_SIZE];
};

/* Have the time that it is now in it: local time. */
void green__log_date(struct green__log_date *date, enum green__log_date_form form);

#endif
