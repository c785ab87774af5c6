/**
 * @file
 * @brief Bodies of `multipart/form-data`, read piece by piece: forms with files (RFC 7578).
 *
 *     green_multipart *m = green_multipart_new(req, NULL);
 *     const struct green_multipart_part *part;
 *
 *     if (m == NULL)
 *             return green_wsgi_respond(req, 400, "text/plain", "a form is wanted\n", 17);
 *     while ((rc = green_multipart_next(m, &part)) > 0) {
 *             while ((n = green_multipart_read(m, buf, sizeof buf)) > 0)
 *                     store(part->name, part->filename, buf, (size_t)n);
 *             if (n < 0)
 *                     return (int)n; // the part is not whole: what was stored of it is to be taken back
 *     }
 *
 * No part is ever held as a whole: memory is one buffer and the header of the part that is read. Names are as the client
 * sends them, browsers with '"' as "%22": do not make paths of them. If an application returns what these calls failed
 * with, the client gets 400 or 413.
 */
#ifndef GREEN_MULTIPART_H
#define GREEN_MULTIPART_H

#include <green/wsgi.h>

GREEN_BEGIN_DECLS

/** A body that is read. Opaque; it lives as long as the request, and needs no end. */
typedef struct green_multipart green_multipart;

/** A part; the texts live until the next green_multipart_next(). */
struct green_multipart_part {
        const char *name;         /**< of the field; never NULL */
        const char *filename;     /**< as the client says it, without folders before it, and never "." or ".."; "" where
                                       none was chosen; NULL: not a file */
        const char *content_type; /**< "text/plain" unless sent */
        const struct green_wsgi_pair *fields; /**< all header fields, ended by a name of NULL */
};

/** What green_multipart_new() can change. Set it to zero, then @ref size, then what you need. */
struct green_multipart_opts {
        size_t size;       /**< sizeof(struct green_multipart_opts) */
        size_t max_parts;  /**< 0: 1,000 */
        size_t max_header; /**< bytes of a part's header. 0: 8,192 */
        uint64_t max_part; /**< bytes of one part's data. 0: no limit but the server's max_body */
};

/**
 * @brief Read a request's body so. Never yields.
 * @param req  a request whose body has not been read.
 * @param opts NULL for defaults.
 * @return the reader; NULL with `errno`: EINVAL another Content-Type, or none or a wrong boundary; ENOMEM.
 * @since 0.1
 */
GREEN_API green_multipart *green_multipart_new(green_wsgi_request *req, const struct green_multipart_opts *opts);

/**
 * @brief Go to the next part; what is left of the one before is passed over. May yield.
 * @param      m        a reader.
 * @param[out] ret_part the part; set where it returns 1.
 * @retval 1         there is one.
 * @retval 0         that was the last, and the body is well-formed to its end.
 * @retval -EPROTO   malformed, or the body ends before its last boundary.
 * @retval -EMSGSIZE more than one of the limits.
 * @return otherwise as green_wsgi_read(). It fails so again.
 * @since 0.1 (RFC 2046 5.1, RFC 7578)
 */
GREEN_API GREEN_MUST_USE int green_multipart_next(green_multipart *m, const struct green_multipart_part **ret_part);

/**
 * @brief Read from the part. May yield.
 * @param m   a reader.
 * @param buf where to.
 * @param len bytes there.
 * @return bytes read, at least 1 unless len is 0; 0 at the end of the part; otherwise as green_multipart_next().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_multipart_read(green_multipart *m, void *buf, size_t len);

GREEN_END_DECLS

#endif
