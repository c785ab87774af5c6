/*
 * Lines of a console: from nc, which sends what is typed, and from telnet, which sends CR LF or CR NUL, and commands
 * between the bytes (RFC 854). Options are refused (RFC 1143: only offers and requests are answered, so that there is
 * no loop).
 */
#include "backdoor_priv.h"

enum {
        ECHO_INTERRUPT = 3, /* ^C */
        ECHO_EOT = 4,       /* ^D */
        ECHO_BACKSPACE = 8,
        ECHO_DELETE = 127,
        IAC = 255,
        DONT = 254,
        DO = 253,
        WONT = 252,
        WILL = 251,
        SB = 250, /* a subnegotiation begins */
        IP = 244, /* interrupt process */
        SE = 240, /* it ends */
        TELNET_EOF = 236,
};

/* What a byte was. */
enum step { MORE, LINE, TOO_LONG, INTERRUPTED, DONE };

static enum step
end_line(green_backdoor_console *c)
{
        bool skips = c->skips;

        c->line[c->len] = '\0';
        c->len = 0;
        c->skips = false;
        c->state = GREEN__TELNET_TEXT;
        return skips ? TOO_LONG : LINE;
}

static void
put(green_backdoor_console *c, unsigned char byte)
{
        if (c->len < GREEN__BACKDOOR_LINE)
                c->line[c->len++] = (char)byte;
        else
                c->skips = true;
}

/* As terminals do that send each key: a character of UTF-8 goes as one. */
static void
take_back(green_backdoor_console *c)
{
        while (c->len > 0 && ((unsigned char)c->line[--c->len] & 0xc0) == 0x80)
                ;
}

static enum step
interrupt(green_backdoor_console *c)
{
        (void)end_line(c);
        return INTERRUPTED;
}

static enum step
take_text(green_backdoor_console *c, unsigned char byte)
{
        bool after_cr = c->state == GREEN__TELNET_CR;

        c->state = GREEN__TELNET_TEXT;
        if (byte == '\n' || (after_cr && byte == '\0'))
                return end_line(c);
        if (after_cr)
                put(c, ' ');
        switch (byte) {
        case '\r':
                c->state = GREEN__TELNET_CR;
                break;
        case IAC:
                c->state = GREEN__TELNET_COMMAND;
                break;
        case ECHO_INTERRUPT:
                return interrupt(c);
        case ECHO_EOT:
                return c->len == 0 ? DONE : MORE;
        case ECHO_BACKSPACE:
        case ECHO_DELETE:
                take_back(c);
                break;
        case '\0':
                break;
        default:
                put(c, byte);
        }
        return MORE;
}

static enum step
take_command(green_backdoor_console *c, unsigned char byte)
{
        c->state = GREEN__TELNET_TEXT;
        switch (byte) {
        case IAC:
                put(c, byte);
                break;
        case WILL:
        case WONT:
        case DO:
        case DONT:
                c->verb = byte;
                c->state = GREEN__TELNET_OPTION;
                break;
        case SB:
                c->state = GREEN__TELNET_SUB;
                break;
        case IP:
                return interrupt(c);
        case TELNET_EOF:
                return c->len == 0 ? DONE : MORE;
        default:
                break;
        }
        return MORE;
}

/* Say no. 0, or a code. */
static int
refuse(green_backdoor_console *c, unsigned char option)
{
        char answer[3] = {(char)IAC, (char)(c->verb == DO ? WONT : DONT), (char)option};

        c->state = GREEN__TELNET_TEXT;
        return c->verb == DO || c->verb == WILL ? green__backdoor_write(c, answer, sizeof answer) : 0;
}

static enum step
take(green_backdoor_console *c, unsigned char byte)
{
        switch (c->state) {
        case GREEN__TELNET_COMMAND:
                return take_command(c, byte);
        case GREEN__TELNET_SUB:
                if (byte == IAC)
                        c->state = GREEN__TELNET_SUB_IAC;
                return MORE;
        case GREEN__TELNET_SUB_IAC:
                c->state = byte == SE ? GREEN__TELNET_TEXT : GREEN__TELNET_SUB;
                return MORE;
        default:
                return take_text(c, byte);
        }
}

/* Have bytes to look at: 1, 0 at the end, or a code. */
static int
fill(green_backdoor_console *c)
{
        ssize_t n = c->gone ? 0 : green_stream_read(c->stream, c->in, sizeof c->in);

        if (n < 0 && !green__backdoor_is_gone(c, n))
                return (int)n;
        if (n <= 0) {
                c->gone = c->gone || n < 0;
                return 0;
        }
        c->at = 0;
        c->end = (size_t)n;
        return 1;
}

int
green__backdoor_read_line(green_backdoor_console *c)
{
        enum step step = MORE;
        int rc = 1;

        while (step == MORE && rc > 0) {
                if (c->at == c->end) {
                        rc = fill(c);
                } else if (c->state == GREEN__TELNET_OPTION) {
                        int said = refuse(c, c->in[c->at++]);

                        rc = said < 0 ? said : 1;
                } else {
                        step = take(c, c->in[c->at++]);
                }
        }
        switch (step) {
        case MORE:
                /* The end: what came without a newline is the last line. */
                return rc == 0 && c->len > 0 && end_line(c) == LINE ? 1 : rc;
        case LINE:
                return 1;
        case TOO_LONG:
                return -EMSGSIZE;
        case INTERRUPTED:
                return -EINTR;
        case DONE:
                break;
        }
        return 0;
}

/* ---- words */

static bool
is_blank(char ch)
{
        return ch == ' ' || ch == '\t' || ch == '\r';
}

/* Copy a word to where it begins, without its quotes. The first byte behind it; NULL: a quote does not end. */
static char *
unquote(char *from, char *to)
{
        char quote = '\0';

        for (; *from != '\0' && (quote != '\0' || !is_blank(*from)); from++) {
                if (quote == '\0' && (*from == '"' || *from == '\''))
                        quote = *from;
                else if (quote != '\0' && *from == quote)
                        quote = '\0';
                else if (*from == '\\' && quote != '\'' && from[1] != '\0')
                        *to++ = *++from;
                else
                        *to++ = *from;
        }
        if (quote != '\0')
                return NULL;
        /* They may be at the same place. */
        if (*from != '\0')
                from++;
        *to = '\0';
        return from;
}

int
green__backdoor_split(char *line, char **argv, int most)
{
        int argc = 0;

        for (;;) {
                while (is_blank(*line))
                        line++;
                if (*line == '\0')
                        break;
                if (argc == most)
                        return -E2BIG;
                argv[argc++] = line;
                line = unquote(line, line);
                if (line == NULL)
                        return -EINVAL;
        }
        argv[argc] = NULL;
        return argc;
}

bool
green__backdoor_is_word(const char *text)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
        size_t len = text == NULL ? 0 : strlen(text);

        return len > 0 && len < GREEN__BACKDOOR_NAME && strspn(text, letters) == len;
}
