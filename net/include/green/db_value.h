/**
 * @file
 * @brief Values that go to a database and come from it: they have types, and never become part of a statement's text.
 */
#ifndef GREEN_DB_VALUE_H
#define GREEN_DB_VALUE_H

#include <string.h>

#include <green/base.h>

GREEN_BEGIN_DECLS

/** What a value is. */
enum green_db_type {
        GREEN_DB_NULL,   /**< no value */
        GREEN_DB_INT64,  /**< a number without fraction; truth values are 0 and 1 */
        GREEN_DB_DOUBLE, /**< a number with fraction. Decimal numbers of databases come as text, so that no digit is lost */
        GREEN_DB_TEXT,   /**< characters, in the connection's character set (UTF-8 unless changed) */
        GREEN_DB_BLOB,   /**< bytes */
};

/** A value. Text and bytes are borrowed: from the caller for the length of a call, or from a result. */
struct green_db_value {
        enum green_db_type type; /**< which of the following holds */
        int64_t number;          /**< #GREEN_DB_INT64 */
        double real;             /**< #GREEN_DB_DOUBLE */
        const void *data;        /**< #GREEN_DB_TEXT, #GREEN_DB_BLOB. What comes from a result has a NUL behind it */
        size_t len;              /**< bytes of data, without that */
};

/** No value. Never yields. @return it. @since 0.1 */
static inline struct green_db_value
green_db_null(void)
{
        struct green_db_value v = {GREEN_DB_NULL, 0, 0, NULL, 0};

        return v;
}

/** A number. Never yields. @param number it. @return the value. @since 0.1 */
static inline struct green_db_value
green_db_int64(int64_t number)
{
        struct green_db_value v = {GREEN_DB_INT64, number, 0, NULL, 0};

        return v;
}

/** A number with fraction. Never yields. @param real it. @return the value. @since 0.1 */
static inline struct green_db_value
green_db_double(double real)
{
        struct green_db_value v = {GREEN_DB_DOUBLE, 0, real, NULL, 0};

        return v;
}

/** Text. Never yields. @param text borrowed, ends with NUL; NULL gives #GREEN_DB_NULL. @return the value. @since 0.1 */
static inline struct green_db_value
green_db_text(const char *text)
{
        struct green_db_value v = {text != NULL ? GREEN_DB_TEXT : GREEN_DB_NULL, 0, 0, text, 0};

        v.len = text != NULL ? strlen(text) : 0;
        return v;
}

/** Text of a length. Never yields. @param text borrowed; NULL gives #GREEN_DB_NULL. @param len bytes. @return the value.
 *  @since 0.1 */
static inline struct green_db_value
green_db_text_n(const char *text, size_t len)
{
        struct green_db_value v = {text != NULL ? GREEN_DB_TEXT : GREEN_DB_NULL, 0, 0, text, len};

        return v;
}

/** Bytes. Never yields. @param data borrowed; NULL gives #GREEN_DB_NULL. @param len how many. @return the value.
 *  @since 0.1 */
static inline struct green_db_value
green_db_blob(const void *data, size_t len)
{
        struct green_db_value v = {data != NULL ? GREEN_DB_BLOB : GREEN_DB_NULL, 0, 0, data, len};

        return v;
}

#if !defined(__cplusplus)
/** Parameters of a statement, in their order: the two arguments "values" and "how many" of the calls that take them. For
 *  C; in C++ give an array and its length. */
#define GREEN_DB_PARAMS(...)                                                                                           \
        (const struct green_db_value[]){__VA_ARGS__},                                                                  \
                sizeof((const struct green_db_value[]){__VA_ARGS__}) / sizeof(struct green_db_value)
#endif
/** A statement without parameters. */
#define GREEN_DB_NO_PARAMS ((const struct green_db_value *)0), 0

GREEN_END_DECLS

#endif
