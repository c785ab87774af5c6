/*
 * The inside of the reader of forms.
 *
 *      multipart.c       where parts begin and end
 *      multipart_head.c  what their headers say
 */
#ifndef GREEN_MULTIPART_PRIV_H
#define GREEN_MULTIPART_PRIV_H

#include <green/multipart.h>

enum {
        GREEN__BOUNDARY_MAX = 70,      /* RFC 2046 5.1.1 */
        GREEN__MULTIPART_BUFFER = 8192,
        GREEN__MULTIPART_FIELDS = 32,  /* of a part */
};

enum green__multipart_state {
        GREEN__MULTIPART_BEGIN, /* before the first boundary */
        GREEN__MULTIPART_DATA,
        GREEN__MULTIPART_BORDER, /* behind a boundary, whose line is not read to its end */
        GREEN__MULTIPART_END,
};

struct green_multipart {
        ssize_t (*read)(void *arg, void *buf, size_t len); /* as green_wsgi_read() */
        void *arg;
        green_wsgi_request *req; /* NULL: there is none */
        enum green__multipart_state state;
        int failed;              /* with what; 0: it has not */
        size_t parts, max_parts, max_header;
        uint64_t part_read, max_part;
        size_t begin, end;       /* of what is in buf */
        size_t border_len;
        char border[4 + GREEN__BOUNDARY_MAX + 1]; /* CR LF, "--" and the boundary */
        struct green_multipart_part part;
        struct green_wsgi_pair fields[GREEN__MULTIPART_FIELDS + 1];
        char *head;              /* of the part: max_header bytes, and the empty line */
        char *disposition;       /* a copy of that field, which is taken apart */
        char buf[GREEN__MULTIPART_BUFFER];
};

/* Bytes of memory for a reader, and to begin in it; opts are taken. */
size_t green__multipart_size(const struct green_multipart_opts *opts);
void green__multipart_init(struct green_multipart *m, const struct green_multipart_opts *opts, const char *boundary);

/* The boundary that a Content-Type says; false: it is another type, or the boundary is none. */
bool green__multipart_boundary(const char *type, char boundary[GREEN__BOUNDARY_MAX + 1]);

/* Take a part's header apart, which ends with CR LF, in place. 0, -EPROTO or -EMSGSIZE. */
int green__multipart_head(struct green_multipart *m, char *head, size_t len);

#endif
