/**
 * @file
 * @brief Streams: buffered reading and writing over anything that reads and writes: sockets, pipes, files, your own.
 *
 *     green_stream *st = green_socket_makefile(client, NULL);
 *     const char *line;
 *     ssize_t n;
 *
 *     while ((n = green_stream_readline(st, 4096, &line)) > 0)
 *             green_stream_printf(st, "%zd bytes: %.*s", n, (int)n, line);
 *     green_stream_free(st);
 *
 * What was written goes out when the buffer is full, at green_stream_flush() and at green_stream_close(); and before a
 * read that has to wait, so that a question is on its way when its answer is waited for.
 *
 * One green thread may read while another one writes. A second one in the same direction gets -EBUSY. Where it is not
 * said otherwise, every function that may yield returns these too: what the source's own calls return (of a socket: the
 * tables of <green/socket.h>, its timeout bounds each wait), -EBADF (closed), -EINVAL (the stream is NULL), -EPERM
 * (another OS thread's).
 *
 * Nothing is lost by a failure: what was read and not taken stays in the stream's buffer, what was not sent too, and
 * the next call goes on there.
 */
#ifndef GREEN_STREAM_H
#define GREEN_STREAM_H

#include <stdarg.h>

#include <green/base.h>
#include <green/hub.h>
#include <green/socket.h>

GREEN_BEGIN_DECLS

/** A stream. Opaque. It belongs to the OS thread that made it. */
typedef struct green_stream green_stream;

/** What a stream stands on. Functions may yield; those that are NULL are not there. Set it to zero, then @ref size. */
struct green_stream_ops {
        size_t size; /**< sizeof(struct green_stream_ops) */
        /** Read what is there, wait if there is nothing: bytes; 0 at the end; a code. NULL: it cannot (-EBADF). */
        ssize_t (*read)(void *source, void *buf, size_t len);
        /** Write some of it, at least a byte: bytes, or a code. NULL: it cannot be written (-EBADF). */
        ssize_t (*writev)(void *source, const struct green_iovec *iov, size_t n);
        /** Move as lseek(): the new position or a code. NULL: it cannot (-ESPIPE). */
        int64_t (*seek)(void *source, int64_t offset, int whence);
        /** Cut or extend to a length. NULL: it cannot (-EINVAL). */
        int (*truncate)(void *source, int64_t length);
        /**
         * Let go of the source; called exactly once: 0 or a code. NULL: nothing to do. It may come while another green
         * thread waits in one of these functions: that one must return then.
         */
        int (*close)(void *source);
        /** Its descriptor, for green_stream_fd(). NULL: there is none. */
        green_fd (*fd)(void *source);
};

/** What can be chosen. Set it to zero, then @ref size, then what you need. */
struct green_stream_opts {
        size_t size;       /**< sizeof(struct green_stream_opts) */
        size_t read_size;  /**< bytes of the read buffer; 0: 8,192. It is allocated at the first read, and grows where a
                                read_until or readline asks for more */
        size_t write_size; /**< bytes of the write buffer; 0: 8,192. Allocated at the first write */
        bool unbuffered;   /**< every write goes out at once (PIPE-04) */
        bool line_buffered; /**< a write that holds a newline flushes */
};

/**
 * @brief Make a stream over a source of one's own. Never yields.
 * @param ops    its functions; copied.
 * @param source passed to them; the stream's from now on: ops->close is called once. It stays the caller's if this
 *               fails.
 * @param opts   NULL for defaults.
 * @return the stream, the caller's: green_stream_free(). NULL with `errno` and green_last_error(): EINVAL, ENOMEM.
 * @since 0.1
 */
GREEN_API green_stream *green_stream_new(const struct green_stream_ops *ops, void *source,
                                         const struct green_stream_opts *opts);

/**
 * @brief Make a stream over a socket. Never yields.
 *
 * Each has an end of its own: the connection is closed when the socket and all of its streams are, in any order. After
 * green_socket_close() or green_socket_free() calls on the socket fail, those on its streams go on.
 *
 * @param s    a socket; stays the caller's.
 * @param opts NULL for defaults.
 * @return the stream, the caller's: green_stream_free(). NULL with `errno` and green_last_error(): EINVAL, EBADF,
 *         EPERM, ENOMEM.
 * @since 0.1 (SOCK-35)
 */
GREEN_API green_stream *green_socket_makefile(green_socket *s, const struct green_stream_opts *opts);

/**
 * @name Reading
 * @{
 */

/**
 * @brief Read what is there, and wait if there is nothing. May yield.
 * @param st  a stream.
 * @param buf where to.
 * @param len bytes there; 0 returns 0 at once.
 * @return bytes read, 1 or more; 0 at the end.
 * @since 0.1 (PIPE-02)
 */
GREEN_API GREEN_MUST_USE ssize_t green_stream_read(green_stream *st, void *buf, size_t len);

/**
 * @brief Read exactly so much. May yield.
 *
 * What a failed call has read is there for the next one. (Where memory runs out for that too, it is in buf, and
 * ret_done says how much: then it is not read again.)
 *
 * @param      st       a stream.
 * @param      buf      where to; what it holds after a failure is unspecified.
 * @param      len      bytes.
 * @param[out] ret_done bytes taken from the stream: len, or after a failure 0 (but see above); always set; may be NULL.
 * @retval 0         read.
 * @retval GREEN_EEOF the end came first; what there was is still to be read.
 * @since 0.1 (PIPE-02)
 */
GREEN_API GREEN_MUST_USE int green_stream_read_exact(green_stream *st, void *buf, size_t len, size_t *ret_done);

/**
 * @brief Read up to a delimiter, without a copy. May yield.
 *
 * @param      st        a stream.
 * @param      delim     the delimiter, such as "\r\n\r\n".
 * @param      delim_len its bytes, 1 or more.
 * @param      limit     bytes that may come, the delimiter included.
 * @param[out] ret_data  what came, the delimiter included, not ended by NUL; the stream's, until its next read. Set on
 *                       success only.
 * @return bytes; of the last piece before the end perhaps without the delimiter; 0 at the end. -EMSGSIZE: the limit is
 *         reached and no delimiter came: the bytes are still to be read. -ENOMEM likewise.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_stream_read_until(green_stream *st, const void *delim, size_t delim_len,
                                                         size_t limit, const char **ret_data);

/**
 * @brief Read a line, its newline included, without a copy. May yield. As green_stream_read_until() with "\n".
 * @param      st       a stream.
 * @param      limit    bytes that a line may have, its newline included.
 * @param[out] ret_line the line, not ended by NUL; the stream's, until its next read.
 * @return as green_stream_read_until().
 * @since 0.1 (PIPE-02)
 */
GREEN_API GREEN_MUST_USE ssize_t green_stream_readline(green_stream *st, size_t limit, const char **ret_line);

/**
 * @brief Read all there is, up to the end. May yield.
 * @param      st       a stream.
 * @param      limit    bytes that may come.
 * @param[out] ret_data what came, with a NUL behind it that does not count; the caller's, for green_free(). Set on
 *                      success only.
 * @param[out] ret_len  its bytes; set on success only.
 * @retval 0         read, perhaps nothing.
 * @retval -EMSGSIZE more than the limit comes; what was read is still to be read. -ENOMEM likewise.
 * @since 0.1 (PIPE-02)
 */
GREEN_API GREEN_MUST_USE int green_stream_read_all(green_stream *st, size_t limit, char **ret_data, size_t *ret_len);

/**
 * @brief Look at what comes next without taking it. May yield.
 * @param      st       a stream.
 * @param      len      bytes that should be there at least; more than the read buffer holds makes it grow.
 * @param[out] ret_data what is there; the stream's, until its next read. Set on success only.
 * @return bytes there: len or more; fewer before the end, 0 at it.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_stream_peek(green_stream *st, size_t len, const char **ret_data);

/**
 * @brief Bytes that can be read without asking the source. Never yields.
 * @param st a stream.
 * @return bytes; 0 on NULL.
 * @since 0.1
 */
GREEN_API size_t green_stream_pending(const green_stream *st);
/** @} */

/**
 * @name Writing
 * @{
 */

/**
 * @brief Write all of it: into the buffer, and on to the source where that is full. May yield.
 * @param st  a stream.
 * @param buf what to write.
 * @param len bytes.
 * @return len; or fewer where it failed on the way: the stream has taken so many, and the next call tells the code; a
 *         code where none was taken.
 * @since 0.1 (PIPE-03, SOCK-36)
 */
GREEN_API GREEN_MUST_USE ssize_t green_stream_write(green_stream *st, const void *buf, size_t len);

/**
 * @brief Write formatted text, as printf(). May yield.
 * @param st     a stream.
 * @param format as for printf(); then its values.
 * @return bytes written, all of them; otherwise a code, and nothing was written: -ENOMEM, -EINVAL (the format), ...
 * @since 0.1
 */
GREEN_API int green_stream_printf(green_stream *st, const char *format, ...) GREEN_PRINTF(2, 3);

/**
 * @brief The same with the values in a list. May yield.
 * @param st     a stream.
 * @param format as for printf().
 * @param args   its values.
 * @return as green_stream_printf().
 * @since 0.1
 */
GREEN_API int green_stream_vprintf(green_stream *st, const char *format, va_list args) GREEN_PRINTF(2, 0);

/**
 * @brief Send what was written. May yield: the peer's slowness is felt here (back-pressure).
 * @param st a stream.
 * @retval 0 all of it is with the source.
 * @return otherwise a code; what is left is sent by the next flush.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_stream_flush(green_stream *st);

/**
 * @brief Bytes that were written and not sent yet. Never yields.
 * @param st a stream.
 * @return bytes; 0 on NULL.
 * @since 0.1
 */
GREEN_API size_t green_stream_unsent(const green_stream *st);
/** @} */

/**
 * @name The rest
 * @{
 */

/**
 * @brief Move, as lseek(). May yield: what was written is sent first, what was read ahead is dropped.
 * @param      st     a stream over a file.
 * @param      offset how far.
 * @param      whence SEEK_SET, SEEK_CUR (from where the reader or writer is, not the buffer), SEEK_END.
 * @param[out] ret_at the new position; set on success only; may be NULL.
 * @retval 0       moved.
 * @retval -ESPIPE it cannot.
 * @since 0.1 (PIPE-05, PIPE-06)
 */
GREEN_API GREEN_MUST_USE int green_stream_seek(green_stream *st, int64_t offset, int whence, int64_t *ret_at);

/**
 * @brief Cut or extend to a length, as ftruncate(). May yield: what was written is sent first.
 * @param st     a stream over a file.
 * @param length bytes; negative: up to where the reader or writer is.
 * @retval 0 done. The position stays.
 * @return otherwise as ftruncate(2).
 * @since 0.1 (PIPE-05)
 */
GREEN_API GREEN_MUST_USE int green_stream_truncate(green_stream *st, int64_t length);

/**
 * @brief Is it a terminal? Never yields.
 * @param st a stream.
 * @return true if so.
 * @since 0.1
 */
GREEN_API bool green_stream_isatty(const green_stream *st);

/**
 * @brief Its descriptor. Never yields.
 * @param st a stream.
 * @return the descriptor, still the stream's; GREEN_INVALID_FD where there is none, and once closed.
 * @since 0.1
 */
GREEN_API green_fd green_stream_fd(const green_stream *st);

/**
 * @brief Send what was written, and close. May yield. Idempotent; the handle stays.
 *
 * A green thread that was killed, or whose time is over, still sends: shielded, for two seconds at most. Then the
 * source is closed whatever is left. Whoever waits in another call gets -ECANCELED.
 *
 * @param st a stream; NULL is fine.
 * @retval 0 all is sent and closed, now or before.
 * @return otherwise the code of the flush, or of the source's close; it is closed all the same.
 * @since 0.1 (SOCK-35, PIPE-07)
 */
GREEN_API int green_stream_close(green_stream *st);

/**
 * @brief Close and release. May yield as green_stream_close().
 * @param st a stream; NULL is fine.
 * @retval 0      released, and all was sent.
 * @retval -EBUSY another green thread is in a call on it, and it is not closed: nothing was done.
 * @retval -EPERM it belongs to another OS thread and is in use there: nothing was done.
 * @return otherwise as green_stream_close(); it is released all the same.
 * @since 0.1
 */
GREEN_API int green_stream_free(green_stream *st);
/** @} */

GREEN_END_DECLS

#endif
