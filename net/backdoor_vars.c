/*
 * Variables of the application, as text.
 */
#include "backdoor_priv.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *
type_name(enum green_backdoor_type type)
{
        switch (type) {
        case GREEN_BACKDOOR_BOOL:
                return "bool";
        case GREEN_BACKDOOR_INT:
                return "int";
        case GREEN_BACKDOOR_INT64:
                return "int64";
        case GREEN_BACKDOOR_UINT64:
                return "uint64";
        case GREEN_BACKDOOR_SIZE:
                return "size";
        case GREEN_BACKDOOR_DOUBLE:
                return "double";
        case GREEN_BACKDOOR_STRING:
                return "string";
        }
        return NULL;
}

bool
green__backdoor_variable_ok(const struct green_backdoor_variable *v)
{
        return green__backdoor_is_word(v->name) && v->address != NULL && type_name(v->type) != NULL;
}

const struct green_backdoor_variable *
green__backdoor_variable(const green_backdoor_console *c, const char *name)
{
        for (const struct green_backdoor_variable *v = c->variables; v != NULL && v->name != NULL; v++)
                if (strcmp(v->name, name) == 0)
                        return v;
        return NULL;
}

/* ---- from text */

static const char *
assign_bool(bool *to, const char *text)
{
        static const char *const words[] = {"true", "on", "1", "false", "off", "0"};

        for (size_t i = 0; i < 6; i++)
                if (strcmp(text, words[i]) == 0) {
                        *to = i < 3;
                        return NULL;
                }
        return "it is true or false, on or off, 1 or 0";
}

/* Of numbers that begin with 0x those of base 16, or it is 10: no surprise by a leading 0. */
static int
base_of(const char *text)
{
        text += *text == '-' || *text == '+';
        return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
}

/* What strto...() has left over, and what it takes beside a number. */
static bool
is_number(const char *text, const char *end)
{
        return end != text && *end == '\0' && strchr(" \t\n\v\f\r", *text) == NULL;
}

static const char *
signed_number(const char *text, int64_t least, int64_t most, int64_t *ret_value)
{
        char *end;
        long long value;

        errno = 0;
        value = strtoll(text, &end, base_of(text));
        if (!is_number(text, end))
                return "it is a whole number";
        if (errno == ERANGE || value < least || value > most)
                return most == INT_MAX ? "out of range: it is an int" : "out of range: it has 64 bits and a sign";
        *ret_value = value;
        return NULL;
}

static const char *
unsigned_number(const char *text, uint64_t most, uint64_t *ret_value)
{
        unsigned long long value;
        char *end;

        errno = 0;
        value = strtoull(text, &end, base_of(text));
        if (!is_number(text, end))
                return "it is a whole number";
        if (*text == '-')
                return "out of range: it is not below 0";
        if (errno == ERANGE || value > most)
                return "out of range: it is too large";
        *ret_value = value;
        return NULL;
}

static const char *
assign_double(double *to, const char *text)
{
        char *end;
        double value = strtod(text, &end);

        if (!is_number(text, end))
                return "it is a number";
        if (!isfinite(value))
                return "out of range: it is a finite number";
        *to = value;
        return NULL;
}

const char *
green__backdoor_assign(const struct green_backdoor_variable *v, const char *text)
{
        const char *wrong = NULL;
        uint64_t u = 0;
        int64_t i = 0;

        if (v->read_only || v->type == GREEN_BACKDOOR_STRING)
                return "it can be read only";
        switch (v->type) {
        case GREEN_BACKDOOR_BOOL:
                return assign_bool(v->address, text);
        case GREEN_BACKDOOR_DOUBLE:
                return assign_double(v->address, text);
        case GREEN_BACKDOOR_INT:
                wrong = signed_number(text, INT_MIN, INT_MAX, &i);
                if (wrong == NULL)
                        *(int *)v->address = (int)i;
                break;
        case GREEN_BACKDOOR_INT64:
                wrong = signed_number(text, INT64_MIN, INT64_MAX, &i);
                if (wrong == NULL)
                        *(int64_t *)v->address = i;
                break;
        case GREEN_BACKDOOR_UINT64:
                wrong = unsigned_number(text, UINT64_MAX, &u);
                if (wrong == NULL)
                        *(uint64_t *)v->address = u;
                break;
        case GREEN_BACKDOOR_SIZE:
                wrong = unsigned_number(text, SIZE_MAX, &u);
                if (wrong == NULL)
                        *(size_t *)v->address = (size_t)u;
                break;
        case GREEN_BACKDOOR_STRING:
                break;
        }
        return wrong;
}

/* ---- to text */

/* With as few digits as give the same number again. */
static void
format_double(double value, char *text, size_t size)
{
        for (int digits = 15; digits <= 17; digits++) {
                snprintf(text, size, "%.*g", digits, value);
                if (strtod(text, NULL) == value)
                        break;
        }
}

/* Of all but strings. */
static void
format_value(const struct green_backdoor_variable *v, char *text, size_t size)
{
        switch (v->type) {
        case GREEN_BACKDOOR_BOOL:
                snprintf(text, size, "%s", *(const bool *)v->address ? "true" : "false");
                break;
        case GREEN_BACKDOOR_INT:
                snprintf(text, size, "%d", *(const int *)v->address);
                break;
        case GREEN_BACKDOOR_INT64:
                snprintf(text, size, "%" PRId64, *(const int64_t *)v->address);
                break;
        case GREEN_BACKDOOR_UINT64:
                snprintf(text, size, "%" PRIu64, *(const uint64_t *)v->address);
                break;
        case GREEN_BACKDOOR_SIZE:
                snprintf(text, size, "%zu", *(const size_t *)v->address);
                break;
        case GREEN_BACKDOOR_DOUBLE:
                format_double(*(const double *)v->address, text, size);
                break;
        case GREEN_BACKDOOR_STRING:
                break;
        }
}

/* "name = value", without a newline. */
static int
show(green_backdoor_console *c, const struct green_backdoor_variable *v)
{
        char text[64];
        int n;

        if (v->type != GREEN_BACKDOOR_STRING) {
                format_value(v, text, sizeof text);
                n = green_backdoor_printf(c, "%s = %s", v->name, text);
        } else {
                const char *value = *(const char *const *)v->address;

                n = value == NULL ? green_backdoor_printf(c, "%s = none", v->name)
                                  : green_backdoor_printf(c, "%s = \"%s\"", v->name, value);
        }
        return n < 0 ? n : 0;
}

int
green__backdoor_vars(green_backdoor_console *c, int argc, char **argv)
{
        const struct green_backdoor_variable *v = c->variables;
        int rc = 0;

        (void)argc;
        (void)argv;
        if (v == NULL || v->name == NULL)
                return green__backdoor_write(c, "no variables\n", 13);
        /* The list may go, with the server, while this waits for a slow client. */
        for (size_t i = 0; rc == 0 && c->variables != NULL && c->variables[i].name != NULL; i++) {
                bool fixed;
                int n;

                v = &c->variables[i];
                fixed = v->read_only || v->type == GREEN_BACKDOOR_STRING;
                rc = show(c, v);
                if (rc != 0 || c->variables == NULL)
                        break;
                n = green_backdoor_printf(c, "  (%s%s)%s%s\n", type_name(v->type), fixed ? ", read only" : "",
                                          v->help == NULL ? "" : " ", v->help == NULL ? "" : v->help);
                rc = n < 0 ? n : 0;
        }
        return rc;
}

int
green__backdoor_get(green_backdoor_console *c, int argc, char **argv)
{
        const struct green_backdoor_variable *v = green__backdoor_variable(c, argv[1]);
        int rc;

        (void)argc;
        if (v == NULL)
                return green__backdoor_complain(c, "no such variable: %.64s; \"vars\" lists them", argv[1]);
        rc = show(c, v);
        return rc != 0 ? rc : green__backdoor_write(c, "\n", 1);
}

int
green__backdoor_set(green_backdoor_console *c, int argc, char **argv)
{
        const struct green_backdoor_variable *v = green__backdoor_variable(c, argv[1]);
        const char *wrong;

        if (v == NULL)
                return green__backdoor_complain(c, "no such variable: %.64s; \"vars\" lists them", argv[1]);
        wrong = green__backdoor_assign(v, argv[2]);
        return wrong != NULL ? green__backdoor_complain(c, "%s: %s", v->name, wrong)
                             : green__backdoor_get(c, argc, argv);
}
