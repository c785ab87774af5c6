/*
 * A piece of a response's body that comes from a file.
 */
#include <string.h>

#include "static_priv.h"
#include "wsgi_priv.h"

enum { COPY = 16384 }; /* bytes that are read at a time where the system cannot send */

/* It is told here, and not as a failure of the application: that would be said to be one of the disk's. */
static int
too_short(green_wsgi_request *req)
{
        green_log(GREEN_LOG_ERROR, "green-net: a file has become shorter while it was sent: %.200s %.600s",
                  green_wsgi_method(req), green_wsgi_raw_path(req));
        req->close = true;
        req->send_error = -EIO;
        return green_set_error(-EIO, "a file has become shorter while it was sent");
}

/* What fits behind its header is sent with it. */
static int
collect(green_wsgi_request *req, green_fd file, int64_t offset, size_t len)
{
        struct green__session *s = req->session;
        size_t done = 0;

        while (done < len) {
                ssize_t n = green__static_read(file, s->out + s->out_len, len - done, offset + (int64_t)done);

                if (n <= 0)
                        return n == 0 ? too_short(req) : (int)n;
                done += (size_t)n;
                s->out_len += (size_t)n;
                req->bytes_sent += (size_t)n;
                req->body_sent += (size_t)n;
        }
        return 0;
}

/* Through whatever is done with the body. */
static int
copy(green_wsgi_request *req, green_fd file, int64_t offset, uint64_t len)
{
        char *buf = green_malloc(COPY);
        int rc = buf == NULL ? -ENOMEM : 0;

        while (rc == 0 && len > 0) {
                ssize_t n = green__static_read(file, buf, len < COPY ? (size_t)len : COPY, offset);

                if (n <= 0) {
                        rc = n == 0 ? too_short(req) : (int)n;
                        break;
                }
                rc = green_wsgi_collect(req, buf, (size_t)n);
                offset += n;
                len -= (uint64_t)n;
        }
        green_free(buf);
        return rc;
}

int
green__response_file(green_wsgi_request *req, green_fd file, int64_t offset, uint64_t len)
{
        struct green__session *s = req->session;
        uint64_t done = 0;
        int rc;

        rc = green__response_head_put(req);
        if (rc == 0 && !req->no_body && (req->compress != NULL || req->response != GREEN__RESPONSE_LENGTH))
                return copy(req, file, offset, len);
        if (rc == 0)
                rc = green__response_piece(req, len);
        if (rc != 0 || req->no_body || len == 0)
                return rc;
        if (len <= green__out_room(s))
                return collect(req, file, offset, (size_t)len);
        rc = green__session_sendfile(s, file, offset, len, &done);
        req->bytes_sent += done;
        req->body_sent += done;
        if (rc == 0 && done < len)
                rc = too_short(req);
        if (rc != 0)
                req->close = true;
        return rc;
}
