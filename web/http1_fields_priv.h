/*
 * What the files of the HTTP parser share among themselves.
 */
#ifndef GREEN_HTTP1_FIELDS_PRIV_H
#define GREEN_HTTP1_FIELDS_PRIV_H

#include "http1_char_priv.h"
#include "http1_parse_priv.h"

/* Begin field lines whose first byte is at offset pos. */
void green__http1_fields_begin(struct green__http1_lines *l, uint32_t pos);

/*
 * Read field lines up to and with the empty one. r is the request whose header they are, NULL for trailers, which
 * decide nothing. DONE (l->pos is then behind the empty line), MORE or an error.
 */
int green__http1_fields(struct green__http1_lines *l, struct green__http1 *r, const char *buf, size_t len);

/*
 * What the parser knows names by: length, then first letter. No two have both in common, so a name that passes is
 * compared with one other; the rest, most of what browsers send, is done with here.
 */
#define GREEN__HTTP1_NAME_MAX 17
extern const struct green__http1_name {
        char name[GREEN__HTTP1_NAME_MAX + 1];
        uint8_t id;
} green__http1_names[GREEN__HTTP1_NAME_MAX + 1];

static inline enum green__http1_id
green__http1_name_id(const uint8_t *name, size_t n)
{
        if (n > GREEN__HTTP1_NAME_MAX || (name[0] | 0x20) != green__http1_names[n].name[0] ||
            !green__http1_same_word(name, green__http1_names[n].name, n))
                return GREEN__HTTP1_OTHER;
        return (enum green__http1_id)green__http1_names[n].id;
}

/* Take note of a field with an identity. 0 or an error. */
int green__http1_known(struct green__http1 *r, struct green__http1_field *field, const uint8_t *buf);

/* Decide over framing and connection when all fields are known. 0 or an error. */
int green__http1_decide(struct green__http1 *r);

/* Take r->target apart: what form it has, path, query, host. 0 or an error. */
int green__http1_target(struct green__http1 *r, const uint8_t *buf);

/* The last step of it: path and query, when the path is known to begin at offset path. */
static inline void
green__http1_split(struct green__http1 *r, uint32_t path)
{
        const uint32_t end = r->target.off + r->target.len;

        r->path.off = path;
        r->path.len = end - path;
        if (r->flags & GREEN__HTTP1_HAS_QUERY) {
                r->path.len = r->query.off - 1 - path;
                r->query.len = end - r->query.off;
        }
}

/* uri-host [ ":" port ]. The host must not be empty. False if it is anything else. base as in http1_scan_priv.h. */
bool green__http1_authority(const uint8_t *base, const uint8_t *s, size_t n, size_t *ret_host_len, int32_t *ret_port);

#endif
