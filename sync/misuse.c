/*
 * What is said of a call that an object is not meant for.
 */
#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <green/error.h>
#include <green/log.h>
#include <green/park.h>
#include <green/thread.h>

#include "misuse.h"

const char *
green__who(struct green__who *who, uint64_t ident, const char *where)
{
        if (ident == 0)
                snprintf(who->text, sizeof(who->text), "a hub callback");
        else
                snprintf(who->text, sizeof(who->text), "green thread %llu (spawned at %s)", (unsigned long long)ident,
                         where);
        return who->text;
}

const char *
green__who_now(struct green__who *who)
{
        green_thread *self = NULL;

        if (green_park_check_mt(0, &self) != 0) {
                snprintf(who->text, sizeof(who->text), "an OS thread without a hub");
                return who->text;
        }
        return green__who(who, self == NULL ? 0 : green_thread_ident(self), green_thread_where(self));
}

int
(green__misuse)(int code, const char *format, ...)
{
        struct green__who who;
        char text[256];
        va_list args;

        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        if (GREEN_DEBUG)
                green_log(GREEN_LOG_WARNING, "green-net: misuse by %s: %s", green__who_now(&who), text);
        return green_set_error(code, "%s", text);
}

/* A scope's code may be any, -EINVAL too; so the limit itself is looked at. -EPERM has been reported by core. */
int
green__refused(int code, double timeout, const char *what)
{
        if (code == -EINVAL && !(timeout >= 0))
                return green__misuse(code, "%s: the time limit is negative, or not a number", what);
        return code;
}

int
green__no_wait(const char *what)
{
        return green__misuse(-EDEADLK, "%s: this call would have to wait, and a hub callback cannot", what);
}
