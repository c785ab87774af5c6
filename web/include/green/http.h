/**
 * @file
 * @brief HTTP without a connection: percent-encoding, parameters, cookies, phrases, dates.
 */
#ifndef GREEN_HTTP_H
#define GREEN_HTTP_H

#include <green/base.h>

GREEN_BEGIN_DECLS

/** Bytes that green_wsgi_format_date_time() writes, NUL included. */
#define GREEN_WSGI_DATE_SIZE 30

/**
 * @brief A time as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT". Never yields. thread-safe.
 * @param timestamp seconds since 1970, UTC; years 1 to 9999.
 * @param text      where to; #GREEN_WSGI_DATE_SIZE bytes.
 * @return @p text; "" where the year is none of these.
 * @since 0.1 (WSGI-70)
 */
GREEN_API const char *green_wsgi_format_date_time(int64_t timestamp, char text[GREEN_WSGI_DATE_SIZE]);

/**
 * @brief Read a time as HTTP writes it: the three forms of RFC 9110 5.6.7. Never yields. thread-safe.
 * @param      text          the time.
 * @param[out] ret_timestamp seconds since 1970, UTC; set on success only.
 * @retval 0       read.
 * @retval -EINVAL it is none.
 * @since 0.1
 */
GREEN_API int green_http_parse_date(const char *text, int64_t *ret_timestamp);

/**
 * @brief The reason phrase of a status. Never yields. thread-safe.
 * @param status 100 to 999.
 * @return "OK"; "" for one that is not registered.
 * @since 0.1 (RFC 9110 15)
 */
GREEN_API const char *green_http_phrase(int status);

/** green_http_unquote() and green_http_quote(): '+' is a space, as in forms. */
#define GREEN_HTTP_PLUS 1u

/** green_http_quote(): '/' is left as it is. */
#define GREEN_HTTP_SLASH 2u

/**
 * @brief Decode percent-encoding. Never yields. thread-safe. A '%' without two hex digits behind it stays.
 * @param text  the text.
 * @param len   its bytes.
 * @param flags 0 or #GREEN_HTTP_PLUS.
 * @param buf   where to, with room for len + 1 bytes; may be text. A NUL is put behind.
 * @return bytes written, the NUL not counted; there may be NULs among them.
 * @since 0.1 (RFC 3986 2.1)
 */
GREEN_API size_t green_http_unquote(const char *text, size_t len, unsigned flags, char *buf);

/**
 * @brief Percent-encode all but letters, digits and "-._~". Never yields. thread-safe.
 * @param text  the text.
 * @param len   its bytes.
 * @param flags 0, #GREEN_HTTP_PLUS, #GREEN_HTTP_SLASH.
 * @param buf   where to; NULL: only count.
 * @param size  bytes there; the text is cut to whole characters that fit, and ended by NUL, where size is not 0.
 * @return bytes of the whole, the NUL not counted: 3 * len at most.
 * @since 0.1 (RFC 3986 2.1)
 */
GREEN_API size_t green_http_quote(const char *text, size_t len, unsigned flags, char *buf, size_t size);

/** A part of a text that is not ended by NUL. */
struct green_http_part {
        const char *data; /**< its first byte */
        size_t len;       /**< its bytes */
};

/**
 * @brief Step through "a=1&b=2". Never yields. thread-safe. Nothing is decoded; empty pieces are passed over.
 * @param[in,out] rest      what is left of the text; begin with all of it.
 * @param[out]    ret_name  what stands before the first '='.
 * @param[out]    ret_value what stands behind it; empty without one.
 * @return true if there was one more.
 * @since 0.1
 */
GREEN_API bool green_http_next_param(struct green_http_part *rest, struct green_http_part *ret_name,
                                     struct green_http_part *ret_value);

/**
 * @brief Step through the value of a Cookie field: "a=1; b=2". Never yields. thread-safe. Quotes around a value are left
 *        out; pieces without a name are passed over.
 * @param[in,out] rest      what is left of the text; begin with all of it.
 * @param[out]    ret_name  the name, without white space around it.
 * @param[out]    ret_value likewise.
 * @return true if there was one more.
 * @since 0.1 (RFC 6265 5.4)
 */
GREEN_API bool green_http_next_cookie(struct green_http_part *rest, struct green_http_part *ret_name,
                                      struct green_http_part *ret_value);

/**
 * @brief Step through a list, "gzip, chunked;q=1, \"a,b\"": commas in quoted strings do not count. Never yields.
 *        thread-safe.
 * @param[in,out] rest     what is left of the text; begin with all of it.
 * @param[out]    ret_item one item, without white space around it; never empty.
 * @return true if there was one more.
 * @since 0.1 (RFC 9110 5.6.1)
 */
GREEN_API bool green_http_next_item(struct green_http_part *rest, struct green_http_part *ret_item);

GREEN_END_DECLS

#endif
