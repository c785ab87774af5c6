/*
 * What the header of a part says, and that of the whole. See multipart_priv.h.
 */
#include "multipart_priv.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "http1_char_priv.h"

static bool
is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static char *
skip_blanks(char *at)
{
        while (is_blank(*at))
                at++;
        return at;
}

static char *
skip_token(char *at)
{
        while (green__http1_is((uint8_t)*at, GREEN__CHAR_TOKEN))
                at++;
        return at;
}

/* ---- parameters */

/*
 * A quoted string, in place, from behind its quote on. Only quotes and backslashes are escaped: some browsers send
 * backslashes as they are. NULL: it does not end.
 */
static char *
unquote(char *at)
{
        char *to = at;

        while (*at != '"') {
                if (*at == '\0')
                        return NULL;
                if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
                        at++;
                *to++ = *at++;
        }
        *to = '\0';
        return at + 1;
}

/* What is left of "; name=value; ...". */
struct params {
        char *at;       /* NULL: it is malformed */
        bool semicolon; /* one was passed already */
};

/* Step through them, in place: each name and value is ended by NUL. False: that was all, or it is malformed. */
static bool
next_param(struct params *p, char **ret_name, char **ret_value)
{
        char *at = skip_blanks(p->at), *end;

        if (!p->semicolon && *at == ';')
                at = skip_blanks(at + 1);
        else if (!p->semicolon && *at != '\0')
                goto malformed;
        p->at = at;
        p->semicolon = false;
        if (*at == '\0')
                return false;
        end = skip_token(at);
        if (end == at || *end != '=')
                goto malformed;
        *ret_name = at;
        *end = '\0';
        at = end + 1;
        if (*at == '"') {
                *ret_value = at + 1;
                p->at = unquote(at + 1);
                return p->at != NULL;
        }
        end = skip_token(at);
        if (end == at || (*end != '\0' && *end != ';' && !is_blank(*end)))
                goto malformed;
        *ret_value = at;
        p->semicolon = *end == ';';
        p->at = *end == '\0' ? end : end + 1;
        *end = '\0';
        return true;
malformed:
        p->at = NULL;
        return false;
}

/* ---- of the whole */

/* RFC 2046 5.1.1 */
static bool
boundary_ok(const char *text, size_t len)
{
        if (len == 0 || len > GREEN__BOUNDARY_MAX || text[len - 1] == ' ')
                return false;
        for (size_t i = 0; i < len; i++) {
                bool letter =
                        ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z') || (text[i] >= '0' && text[i] <= '9');

                if (!letter && strchr("'()+_,-./:=? ", text[i]) == NULL)
                        return false;
        }
        return true;
}

bool
green__multipart_boundary(const char *type, char boundary[GREEN__BOUNDARY_MAX + 1])
{
        static const char form[] = "multipart/form-data";
        char text[512], *name, *value;
        struct params params = {text, false};
        bool found = false;

        if (strncasecmp(type, form, sizeof(form) - 1) != 0 || strlen(type) - (sizeof(form) - 1) >= sizeof(text))
                return false;
        memcpy(text, type + sizeof(form) - 1, strlen(type) - (sizeof(form) - 1) + 1);
        while (next_param(&params, &name, &value)) {
                if (strcasecmp(name, "boundary") != 0)
                        continue;
                if (found || !boundary_ok(value, strlen(value)))
                        return false;
                memcpy(boundary, value, strlen(value) + 1);
                found = true;
        }
        return params.at != NULL && found;
}

/* ---- of a part */

/* The name alone, as some browsers send folders too; what would be a folder is no name. */
static char *
base_name(char *path)
{
        char *name = path;

        for (char *at = path; *at != '\0'; at++)
                if (*at == '/' || *at == '\\')
                        name = at + 1;
        return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? name + strlen(name) : name;
}

/* It is taken apart in place. RFC 7578 4.2: filename* is not to be sent, and so it is passed over. */
static int
read_disposition(struct green_multipart_part *part, char *text)
{
        struct params params = {skip_token(text), false};
        char *name, *value;

        if (params.at - text != 9 || strncasecmp(text, "form-data", 9) != 0)
                return -EPROTO;
        while (next_param(&params, &name, &value)) {
                const char **place = strcasecmp(name, "name") == 0       ? &part->name
                                     : strcasecmp(name, "filename") == 0 ? &part->filename
                                                                         : NULL;

                if (place == NULL)
                        continue;
                if (*place != NULL)
                        return -EPROTO;
                *place = place == &part->filename ? base_name(value) : value;
        }
        return params.at != NULL && part->name != NULL ? 0 : -EPROTO;
}

/* A line, ended by NUL: its name, and its value without blanks around it. */
static int
read_line(char *line, size_t len, struct green_wsgi_pair *ret)
{
        char *colon = skip_token(line), *value;

        for (size_t i = 0; i < len; i++)
                if ((uint8_t)line[i] < 0x20 ? line[i] != '\t' : line[i] == 0x7f)
                        return -EPROTO;
        if (colon == line || *colon != ':')
                return -EPROTO;
        *colon = '\0';
        value = skip_blanks(colon + 1);
        while (len > 0 && line + len > value && is_blank(line[len - 1]))
                line[--len] = '\0';
        *ret = (struct green_wsgi_pair){line, value};
        return 0;
}

int
green__multipart_head(struct green_multipart *m, char *head, size_t len)
{
        char *end = head + len;
        const char *disposition = NULL;
        size_t n = 0;

        m->part = (struct green_multipart_part){.content_type = "text/plain", .fields = m->fields};
        for (char *at = head; at < end; n++) {
                char *next = memchr(at, '\n', (size_t)(end - at));
                int rc;

                if (next == NULL || next == at || next[-1] != '\r')
                        return -EPROTO;
                if (n == GREEN__MULTIPART_FIELDS)
                        return -EMSGSIZE;
                next[-1] = '\0';
                rc = read_line(at, (size_t)(next - 1 - at), &m->fields[n]);
                if (rc != 0)
                        return rc;
                if (strcasecmp(m->fields[n].name, "Content-Type") == 0)
                        m->part.content_type = m->fields[n].value;
                if (strcasecmp(m->fields[n].name, "Content-Disposition") == 0) {
                        if (disposition != NULL)
                                return -EPROTO;
                        disposition = m->fields[n].value;
                }
                at = next + 1;
        }
        m->fields[n] = (struct green_wsgi_pair){NULL, NULL};
        if (disposition == NULL)
                return -EPROTO;
        return read_disposition(&m->part, memcpy(m->disposition, disposition, strlen(disposition) + 1));
}
