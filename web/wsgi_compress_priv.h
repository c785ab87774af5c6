/*
 * Responses that are compressed on their way (green_wsgi_server_opts::compress).
 */
#ifndef GREEN_WSGI_COMPRESS_PRIV_H
#define GREEN_WSGI_COMPRESS_PRIV_H

#include "wsgi_priv.h"

/* ---- wsgi_compress.c */

/* 0, or -EINVAL or -ENOTSUP with a message. */
int green__compress_take(struct green__server *server);
/* Just before the header is written: is it compressed? Then req->compressed is set, and req->compress if it has a body. */
int green__compress_choose(green_wsgi_request *req);

/* ---- wsgi_deflate.c, or wsgi_deflate_none.c */

enum green__compress_how { GREEN__COMPRESS_MORE, GREEN__COMPRESS_FLUSH, GREEN__COMPRESS_END };

bool green__compress_can(void);
/* What compresses a response; NULL: there is no memory, or so many are at work already. */
struct green__compress *green__compress_new(struct green__server *server);
/* Compress a piece; what comes out of it is sent, or put in out, as chunks. May yield. */
int green__compress_write(green_wsgi_request *req, const void *data, size_t len, enum green__compress_how how);
/* Of a response that has ended, however. */
void green__compress_release(green_wsgi_request *req);
/* Those that are kept for the next. */
void green__compress_free(struct green__server *server);

#endif
