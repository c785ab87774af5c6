/*
 * The log hook. A short native mutex keeps hook and argument together; no user code runs under it.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub_priv.h"

enum { LINE = 1000, NAME = 60 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static green_log_fn hook;
static void *hook_arg;
static char prefix[NAME + sizeof ": "]; /* what stands before each report: the name */
static size_t prefix_len;

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

void
green_set_log_name(const char *name)
{
        char made[sizeof prefix] = "";

        if (name != NULL && name[0] != '\0')
                (void)snprintf(made, sizeof made, "%.*s: ", NAME, name);
        pthread_mutex_lock(&lock);
        prefix_len = strlen(made);
        memcpy(prefix, made, prefix_len);
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
        char line[sizeof prefix + LINE + 2];
        green_log_fn fn;
        size_t before;
        void *arg;
        va_list args;
        int len;

        pthread_mutex_lock(&lock);
        fn = hook;
        arg = hook_arg;
        before = prefix_len;
        memcpy(line, prefix, before);
        pthread_mutex_unlock(&lock);
        va_start(args, format);
        len = vsnprintf(line + before, LINE + 1, format, args);
        va_end(args);
        if (len < 0)
                len = 0;
        if (len > LINE)
                len = LINE;
        if (fn != NULL)
                fn(arg, level, line);
        else
                to_stderr(level, line, before + (size_t)len);
        errno = saved;
}
