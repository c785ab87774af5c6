/*
 * The driver for SQLite: as much of a statement's text as the driver has to read.
 */
#include "sqlite_priv.h"

#include <string.h>

static bool
is_blank(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Past blanks and comments. One that is not closed goes to the end, as with SQLite. */
const char *
green__sqlite_skip_blank(const char *text)
{
        for (;;) {
                const char *end;

                if (is_blank(*text)) {
                        text++;
                } else if (text[0] == '-' && text[1] == '-') {
                        text += strcspn(text, "\n");
                } else if (text[0] == '/' && text[1] == '*') {
                        end = strstr(text + 2, "*/");
                        text = end != NULL ? end + 2 : text + strlen(text);
                } else {
                        return text;
                }
        }
}

static bool
is_word(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
               (unsigned char)c >= 0x80;
}

/* Past something in quotes, which are doubled inside. */
static const char *
skip_quoted(const char *text)
{
        char close = *text;

        if (close == '[')
                close = ']';
        for (text++; *text != '\0'; text++)
                if (*text == close && (close == ']' || *++text != close))
                        return close == ']' ? text + 1 : text;
        return text;
}

/* Past one piece that is no blank: a word, something in quotes, or one character. */
static const char *
skip_piece(const char *text)
{
        if (*text == '\'' || *text == '"' || *text == '`' || *text == '[')
                return skip_quoted(text);
        if (!is_word(*text))
                return text + 1;
        while (is_word(*text))
                text++;
        return text;
}

static bool
is(const char *text, size_t len, const char *word)
{
        return len == strlen(word) && sqlite3_strnicmp(text, word, (int)len) == 0;
}

static bool
is_end(const char *word, size_t len)
{
        return is(word, len, "commit") || is(word, len, "end") || is(word, len, "rollback") || is(word, len, "release");
}

/* What a statement does: its first word, or, after `with`, the first outside of brackets that can be one. */
enum green__sqlite_verb
green__sqlite_verb(const char *sql)
{
        bool with = false;
        int depth = 0;

        for (;;) {
                const char *word = green__sqlite_skip_blank(sql);
                size_t len;

                if (*word == '\0')
                        return GREEN__SQLITE_OTHER;
                sql = skip_piece(word);
                len = (size_t)(sql - word);
                depth += *word == '(' ? 1 : *word == ')' ? -1 : 0;
                if (depth == 0 && (is(word, len, "insert") || is(word, len, "replace")))
                        return GREEN__SQLITE_INSERT;
                if (!with && is_end(word, len))
                        return GREEN__SQLITE_END;
                if (!with && !is(word, len, "with"))
                        return GREEN__SQLITE_OTHER;
                if (with && depth == 0 &&
                    (is(word, len, "select") || is(word, len, "update") || is(word, len, "delete")))
                        return GREEN__SQLITE_OTHER;
                with = true;
        }
}
