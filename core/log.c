/*
 * The log hook. A short native mutex keeps hook and argument together; no user code runs under it.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub_priv.h"

enum { LINE = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static green_log_fn hook;
static void *hook_arg;

void
green__log_lock(void)
{
        pthread_mutex_lock(&lock);
}

void
green__log_unlock(void)
{
        pthread_mutex_unlock(&lock);
}

static void
to_stderr(enum green_log_level level, char *line, size_t len)
{
        ssize_t written;

        if (level > GREEN_LOG_WARNING)
                return;
        line[len] = '\n';
        do
                written = write(STDERR_FILENO, line, len + 1);
        while (written < 0 && errno == EINTR);
}

void
green_set_log(green_log_fn fn, void *arg)
{
        pthread_mutex_lock(&lock);
        hook = fn;
        hook_arg = arg;
        pthread_mutex_unlock(&lock);
}

bool
green_log_enabled(enum green_log_level level)
{
        bool own;

        pthread_mutex_lock(&lock);
        own = hook != NULL;
        pthread_mutex_unlock(&lock);
        return own || level <= GREEN_LOG_WARNING;
}

void
green_log(enum green_log_level level, const char *format, ...)
{
        int saved = errno;
        char line[LINE + 2];
        green_log_fn fn;
        void *arg;
        va_list args;
        int len;

        pthread_mutex_lock(&lock);
        fn = hook;
        arg = hook_arg;
        pthread_mutex_unlock(&lock);
        va_start(args, format);
        len = vsnprintf(line, LINE + 1, format, args);
        va_end(args);
        if (len < 0)
                len = 0;
        if (len > LINE)
                len = LINE;
        if (fn != NULL)
                fn(arg, level, line);
        else
                to_stderr(level, line, (size_t)len);
        errno = saved;
}
