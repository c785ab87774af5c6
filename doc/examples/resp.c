/* See resp.h. */
#include "resp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_LINE = 512 };

int
resp_send(green_stream *st, const char *const *words)
{
        size_t count = 0;
        int rc;

        while (words[count] != NULL)
                count++;
        rc = green_stream_printf(st, "*%zu\r\n", count);
        for (size_t i = 0; rc >= 0 && i < count; i++)
                rc = green_stream_printf(st, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
        return rc < 0 ? rc : 0;
}

/* "+OK", without its end: the type, and the rest into text. */
static int
read_line(green_stream *st, char *ret_type, char *text)
{
        const char *line;
        ssize_t n = green_stream_readline(st, LONGEST_LINE, &line);

        if (n <= 0)
                return n < 0 ? (int)n : GREEN_EEOF;
        if (n < 3 || line[n - 1] != '\n' || line[n - 2] != '\r' || strchr("+-:$*", line[0]) == NULL)
                return -EPROTO;
        *ret_type = line[0];
        memcpy(text, line + 1, (size_t)n - 3); /* LONGEST_LINE is less than RESP_SIZE */
        text[n - 3] = '\0';
        return 0;
}

/* The bytes of a text, of which text says how many, and the end of line behind them. */
static int
read_bytes(green_stream *st, char *text)
{
        long length = strtol(text, NULL, 10);
        size_t left = length < 0 ? 0 : (size_t)length, have = 0;
        char block[1024];
        int rc;

        if (length < 0) /* there is none */
                return text[0] = '\0', 0;
        while (left > 0) {
                size_t n = left < sizeof block ? left : sizeof block;

                rc = green_stream_read_exact(st, block, n, NULL);
                if (rc != 0)
                        return rc;
                left -= n;
                if (n > RESP_SIZE - 1 - have)
                        n = RESP_SIZE - 1 - have;
                memcpy(text + have, block, n);
                have += n;
        }
        text[have] = '\0';
        rc = green_stream_read_exact(st, block, 2, NULL);
        return rc != 0 || memcmp(block, "\r\n", 2) == 0 ? rc : -EPROTO;
}

static int
read_text(green_stream *st, char *ret_type, char *text)
{
        int rc = read_line(st, ret_type, text);

        if (rc != 0 || *ret_type != '$')
                return rc;
        return read_bytes(st, text);
}

int
resp_read(green_stream *st, struct resp *ret)
{
        char dropped[RESP_SIZE], type;
        int rc = read_text(st, &ret->type, ret->texts[0]);
        long count;

        ret->count = 1;
        if (rc != 0 || ret->type != '*')
                return rc;
        count = strtol(ret->texts[0], NULL, 10);
        ret->count = 0;
        for (long i = 0; rc == 0 && i < count; i++) {
                rc = read_text(st, &type, i < RESP_TEXTS ? ret->texts[i] : dropped);
                if (rc == 0 && type == '*')
                        rc = -EPROTO; /* Redis has those, but not in answers to what is asked here */
                if (i < RESP_TEXTS)
                        ret->count++;
        }
        return rc;
}
