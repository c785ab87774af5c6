/*
 * Values: of rows in text form and in binary form, which are the same in the end; and as they stand in a statement.
 */
#include "mariadb_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINARY = 63, JSON = 245 }; /* the character set of bytes; MySQL's type */

static bool
is_blob(const MYSQL_FIELD *f)
{
        return f->type == MYSQL_TYPE_GEOMETRY || (f->charsetnr == BINARY && (int)f->type != JSON);
}

static struct green_db_value
of_bits(const unsigned char *at, size_t len)
{
        uint64_t number = 0;

        for (size_t i = 0; i < len && i < sizeof number; i++)
                number = number << 8 | at[i];
        if (len > sizeof number || number > INT64_MAX)
                return green_db_blob(at, len);
        return green_db_int64((int64_t)number);
}

static struct green_db_value
of_characters(const MYSQL_FIELD *f, const void *at, size_t len)
{
        if (f->type == MYSQL_TYPE_BIT)
                return of_bits(at, len);
        if (f->type != MYSQL_TYPE_DECIMAL && f->type != MYSQL_TYPE_NEWDECIMAL && is_blob(f))
                return green_db_blob(at, len);
        return green_db_text_n(at, len);
}

/* ---- in text form */

static struct green_db_value
of_text(const MYSQL_FIELD *f, const char *at, size_t len)
{
        char *end;
        long long number;

        switch (f->type) {
        case MYSQL_TYPE_TINY:
        case MYSQL_TYPE_SHORT:
        case MYSQL_TYPE_INT24:
        case MYSQL_TYPE_LONG:
        case MYSQL_TYPE_LONGLONG:
        case MYSQL_TYPE_YEAR:
                errno = 0;
                number = strtoll(at, &end, 10);
                /* One that is larger keeps its digits. */
                return errno == 0 && *end == '\0' ? green_db_int64(number) : green_db_text_n(at, len);
        case MYSQL_TYPE_FLOAT:
        case MYSQL_TYPE_DOUBLE: return green_db_double(strtod(at, NULL));
        case MYSQL_TYPE_DATE:
        case MYSQL_TYPE_NEWDATE:
        case MYSQL_TYPE_TIME:
        case MYSQL_TYPE_DATETIME:
        case MYSQL_TYPE_TIMESTAMP: return green_db_text_n(at, len);
        default: return of_characters(f, at, len);
        }
}

void
maria_text_row(struct maria *db, MYSQL_ROW row, const unsigned long *lengths)
{
        for (size_t i = 0; i < db->columns; i++)
                db->values[i] = row[i] != NULL ? of_text(&db->fields[i], row[i], lengths[i]) : green_db_null();
}

/* ---- in binary form: little-endian */

static uint64_t
little(const unsigned char *at, size_t n)
{
        uint64_t number = 0;

        while (n-- > 0)
                number = number << 8 | at[n];
        return number;
}

static struct green_db_value
of_integer(const MYSQL_FIELD *f, const unsigned char *at, size_t n, char *text)
{
        uint64_t number = little(at, n);
        unsigned shift = (unsigned)(64 - n * 8);

        if ((f->flags & UNSIGNED_FLAG) == 0 && f->type != MYSQL_TYPE_YEAR)
                return green_db_int64((int64_t)(number << shift) >> shift);
        if (number <= INT64_MAX)
                return green_db_int64((int64_t)number);
        snprintf(text, MARIA_TEXT, "%" PRIu64, number);
        return green_db_text(text);
}

/* The number that the fewest digits stand for, as it is in text form: 0.1, not 0.100000001490116. */
static double
of_float(const unsigned char *at)
{
        uint32_t bits = (uint32_t)little(at, 4);
        char text[MARIA_TEXT];
        float f;

        memcpy(&f, &bits, sizeof f);
        for (int digits = 6; digits <= 9; digits++) {
                snprintf(text, sizeof text, "%.*g", digits, (double)f);
                if (strtof(text, NULL) == f)
                        break;
        }
        return strtod(text, NULL);
}

static double
of_double(const unsigned char *at)
{
        uint64_t bits = little(at, 8);
        double d;

        memcpy(&d, &bits, sizeof d);
        return d;
}

/* ".250": as many digits as the column has. */
static void
add_fraction(const MYSQL_FIELD *f, char *text, unsigned micros)
{
        enum { ANY = 31 };
        unsigned digits = f->decimals < ANY ? f->decimals : micros != 0 ? 6 : 0;
        size_t len = strlen(text);

        if (digits == 0)
                return;
        snprintf(text + len, MARIA_TEXT - len, ".%06u", micros);
        if (digits < 6)
                text[len + 1 + digits] = '\0';
}

static struct green_db_value
of_date(const MYSQL_FIELD *f, const unsigned char *at, size_t len, char *text)
{
        unsigned year = len >= 4 ? (unsigned)little(at, 2) : 0, month = len >= 4 ? at[2] : 0, day = len >= 4 ? at[3] : 0;

        if (f->type == MYSQL_TYPE_DATE || f->type == MYSQL_TYPE_NEWDATE) {
                snprintf(text, MARIA_TEXT, "%04u-%02u-%02u", year, month, day);
                return green_db_text(text);
        }
        snprintf(text, MARIA_TEXT, "%04u-%02u-%02u %02u:%02u:%02u", year, month, day, len >= 7 ? at[4] : 0u,
                 len >= 7 ? at[5] : 0u, len >= 7 ? at[6] : 0u);
        add_fraction(f, text, len >= 11 ? (unsigned)little(at + 7, 4) : 0);
        return green_db_text(text);
}

static struct green_db_value
of_time(const MYSQL_FIELD *f, const unsigned char *at, size_t len, char *text)
{
        bool there = len >= 8;
        unsigned hours = there ? (unsigned)little(at + 1, 4) * 24 + at[5] : 0;

        snprintf(text, MARIA_TEXT, "%s%02u:%02u:%02u", there && at[0] != 0 ? "-" : "", hours, there ? at[6] : 0u,
                 there ? at[7] : 0u);
        add_fraction(f, text, len >= 12 ? (unsigned)little(at + 8, 4) : 0);
        return green_db_text(text);
}

/* A length, and behind it. */
static size_t
take_length(unsigned char **at)
{
        unsigned char *p = *at;
        size_t n = *p == 252 ? 2 : *p == 253 ? 3 : *p == 254 ? 8 : 0;

        *at += 1 + n;
        return n == 0 ? *p : (size_t)little(p + 1, n);
}

static size_t
width(enum enum_field_types type)
{
        switch (type) {
        case MYSQL_TYPE_TINY: return 1;
        case MYSQL_TYPE_SHORT:
        case MYSQL_TYPE_YEAR: return 2;
        case MYSQL_TYPE_INT24:
        case MYSQL_TYPE_LONG:
        case MYSQL_TYPE_FLOAT: return 4;
        case MYSQL_TYPE_LONGLONG:
        case MYSQL_TYPE_DOUBLE: return 8;
        default: return 0;
        }
}

static struct green_db_value
of_binary(const MYSQL_FIELD *f, unsigned char **at, char *text)
{
        size_t len = width(f->type);
        unsigned char *p;

        if (len == 0)
                len = take_length(at);
        p = *at;
        *at += len;
        switch (f->type) {
        case MYSQL_TYPE_TINY:
        case MYSQL_TYPE_SHORT:
        case MYSQL_TYPE_INT24:
        case MYSQL_TYPE_LONG:
        case MYSQL_TYPE_LONGLONG:
        case MYSQL_TYPE_YEAR: return of_integer(f, p, len, text);
        case MYSQL_TYPE_FLOAT: return green_db_double(of_float(p));
        case MYSQL_TYPE_DOUBLE: return green_db_double(of_double(p));
        case MYSQL_TYPE_DATE:
        case MYSQL_TYPE_NEWDATE:
        case MYSQL_TYPE_DATETIME:
        case MYSQL_TYPE_TIMESTAMP: return of_date(f, p, len, text);
        case MYSQL_TYPE_TIME: return of_time(f, p, len, text);
        default: return of_characters(f, p, len);
        }
}

void
maria_binary_value(void *data, unsigned column, unsigned char **at)
{
        struct maria *db = data;
        char nowhere[MARIA_TEXT];
        struct green_db_value v;

        /* Where rows are read off there is no room for them. */
        if (column >= db->room) {
                if (at != NULL)
                        (void)of_binary(&db->stmt->fields[column], at, nowhere);
                return;
        }
        v = at != NULL ? of_binary(&db->stmt->fields[column], at, db->texts + (size_t)column * MARIA_TEXT)
                       : green_db_null();
        db->values[column] = v;
}

/* ---- literals */

/* Is it UTF-8? */
static bool
is_utf8(const unsigned char *s, size_t len)
{
        for (size_t i = 0; i < len;) {
                unsigned char c = s[i++];
                unsigned more = c < 0x80 ? 0 : c < 0xC2 ? 9 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : c < 0xF5 ? 3 : 9;
                uint32_t point = more == 0 ? c : c & (0x3Fu >> more);

                if (more == 9 || more > len - i)
                        return false;
                for (unsigned k = 0; k < more; k++, i++) {
                        if ((s[i] & 0xC0) != 0x80)
                                return false;
                        point = point << 6 | (s[i] & 0x3Fu);
                }
                if ((more == 2 && point < 0x800) || (more == 3 && (point < 0x10000 || point > 0x10FFFF)) ||
                    (point >= 0xD800 && point < 0xE000))
                        return false;
        }
        return true;
}

/* As much of a literal as there is room for; it may hold NULs, where snprintf() would end. It is freed. */
static int
give(char *whole, size_t size, char *text, size_t len)
{
        if (len > 0) {
                size_t part = size < len - 1 ? size : len - 1;

                memcpy(text, whole, part);
                text[part] = '\0';
        }
        green_free(whole);
        return (int)size;
}

static int
text_literal(struct maria *db, const char *data, size_t n, char *text, size_t len)
{
        const char *charset = mysql_character_set_name(&db->my);
        char *whole;
        size_t used;

        if (strncmp(charset, "utf8", 4) == 0 && !is_utf8((const unsigned char *)data, n))
                return -EILSEQ;
        if (n > (INT32_MAX - 4) / 2)
                return -EOVERFLOW;
        whole = green_malloc(n * 2 + 3);
        if (whole == NULL)
                return -ENOMEM;
        whole[0] = '\'';
        used = mysql_real_escape_string(&db->my, whole + 1, data, (unsigned long)n);
        whole[used + 1] = '\'';
        return give(whole, used + 2, text, len);
}

static int
blob_literal(const unsigned char *data, size_t n, char *text, size_t len)
{
        static const char digits[] = "0123456789ABCDEF";
        char *whole, *at;

        if (n > (INT32_MAX - 4) / 2)
                return -EOVERFLOW;
        whole = at = green_malloc(n * 2 + 3);
        if (whole == NULL)
                return -ENOMEM;
        *at++ = 'X';
        *at++ = '\'';
        for (size_t i = 0; i < n; i++) {
                *at++ = digits[data[i] >> 4];
                *at++ = digits[data[i] & 15];
        }
        *at = '\'';
        return give(whole, n * 2 + 3, text, len);
}

/* An exponent makes it a double; without one it would be a decimal number. */
static int
double_literal(double real, char *text, size_t len)
{
        char digits[MARIA_TEXT];

        if (!isfinite(real))
                return -EDOM;
        snprintf(digits, sizeof digits, "%.16e", real);
        return snprintf(text, len, "%s", digits);
}

int
maria_literal(void *data, const struct green_db_value *value, char *text, size_t len)
{
        struct maria *db = data;

        if (text == NULL && len > 0)
                return -EINVAL;
        switch (value->type) {
        case GREEN_DB_INT64: return snprintf(text, len, "%" PRId64, value->number);
        case GREEN_DB_DOUBLE: return double_literal(value->real, text, len);
        case GREEN_DB_TEXT: return text_literal(db, value->data != NULL ? value->data : "", value->len, text, len);
        case GREEN_DB_BLOB: return blob_literal(value->data, value->len, text, len);
        case GREEN_DB_NULL: break;
        }
        return snprintf(text, len, "NULL");
}
