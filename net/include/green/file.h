/**
 * @file
 * @brief Files: read and written while other green threads run.
 *
 * The system has no non-blocking calls for regular files. They run in the pool of OS threads (<green/tpool.h>), or as
 * operations of the hub where it has them (io_uring). For streams with buffers over a file see <green/pipe.h> and
 * green_file_stream().
 *
 * Where it is not said otherwise, every function yields, and returns these too: #GREEN_EKILLED, #GREEN_ETIMEOUT (or
 * their codes), -EBADF (closed), -EINVAL (an argument is NULL or out of range), -ENOMEM, -EAGAIN (the pool has no OS
 * thread and could start none), -EDEADLK (in hub context), -EPERM (another OS thread's). A call that has begun is
 * waited for to its end, shielded: its buffer is in use. What it has moved counts, and a kill shows at the next call.
 *
 * A file has a position of its own, which is not that of its descriptor. Calls at the position take turns, first come,
 * first served; those at an offset run at the same time. Who waits for its turn can be killed, and gets -ECANCELED
 * where the file is closed. To write beyond the process's limit on the length of files (RLIMIT_FSIZE) is -EFBIG, and
 * never a signal.
 *
 * On Windows a descriptor is a handle without overlapped operations, whose own position calls move; names are UTF-8; a
 * temporary file has its name until it is closed; green_file_write_all() takes the place of a file unless somebody has that
 * open, -EACCES; folders are not opened; and struct stat tells no more than 2 GiB: -EOVERFLOW.
 */
#ifndef GREEN_FILE_H
#define GREEN_FILE_H

#include <sys/stat.h>

#include <green/base.h>
#include <green/hub.h>
#include <green/stream.h>

GREEN_BEGIN_DECLS

/** An open file. Opaque. It belongs to the OS thread that made it. */
typedef struct green_file green_file;

/**
 * @brief Open a file. Yields. It is closed on exec.
 * @param path  its name.
 * @param flags as for open(2): O_RDONLY, O_WRONLY, O_RDWR, with O_CREAT, O_EXCL, O_TRUNC, O_APPEND, ...
 * @param mode  permissions of a new one.
 * @return the handle, the caller's: green_file_free(). NULL with `errno` and green_last_error(): as open(2), or a code
 * above. EINVAL also for what has no position, such as pipes, sockets and terminals: see green_pipe_open().
 * @since 0.1 (GOS-07)
 */
GREEN_API green_file *green_file_open(const char *path, int flags, mode_t mode);

/**
 * @brief Make a file of a descriptor. Never yields.
 * @param fd a descriptor of a regular file; the handle's from now on. It stays the caller's if this fails.
 * @return as green_file_open(); EINVAL: it is no regular file.
 * @since 0.1 (GOS-07)
 */
GREEN_API green_file *green_file_from_fd(green_fd fd);

/**
 * @brief Make a temporary file that has no name, or loses it at once: it is gone when it is closed. Yields.
 * @param folder where; NULL: `TMPDIR`, or /tmp.
 * @return as green_file_open(); for reading and writing.
 * @since 0.1
 */
GREEN_API green_file *green_file_temporary(const char *folder);

/**
 * @brief Make a temporary file with a name that nobody has. Yields.
 * @param      folder   where; NULL: `TMPDIR`, or /tmp.
 * @param[out] ret_path its path, the caller's: green_free(). Set on success only. Removing it is the caller's affair.
 * @return as green_file_open(); permissions are 0600.
 * @since 0.1
 */
GREEN_API green_file *green_file_temporary_named(const char *folder, char **ret_path);

/**
 * @brief Read at the file's position. Yields, unless len is 0.
 * @param f   a file.
 * @param buf where to.
 * @param len bytes there; 0 returns 0.
 * @return bytes read; 0 at the end; otherwise as read(2).
 * @since 0.1 (GOS-01)
 */
GREEN_API GREEN_MUST_USE ssize_t green_file_read(green_file *f, void *buf, size_t len);

/**
 * @brief Read at an offset; the position stays. Yields.
 * @param f      a file.
 * @param buf    where to.
 * @param len    bytes there.
 * @param offset from the beginning, 0 or more.
 * @return as green_file_read().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_file_pread(green_file *f, void *buf, size_t len, int64_t offset);

/**
 * @brief Write all of it at the file's position; with O_APPEND at the end, which is the position afterwards. Yields.
 * @param f   a file.
 * @param buf what to write.
 * @param len bytes.
 * @return len; fewer where it failed on the way (a full disk): the code then comes at the next call that writes, or
 *         green_file_sync(); otherwise as write(2).
 * @since 0.1 (GOS-03)
 */
GREEN_API GREEN_MUST_USE ssize_t green_file_write(green_file *f, const void *buf, size_t len);

/**
 * @brief Write all of it at an offset; the position stays. Yields. (On Linux a file that is open with O_APPEND is
 * appended to all the same: see pwrite(2).)
 * @param f      a file.
 * @param buf    what to write.
 * @param len    bytes.
 * @param offset from the beginning, 0 or more.
 * @return as green_file_write().
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE ssize_t green_file_pwrite(green_file *f, const void *buf, size_t len, int64_t offset);

/**
 * @brief Move the position. Never yields.
 * @param      f      a file.
 * @param      offset how far.
 * @param      whence SEEK_SET, SEEK_CUR, SEEK_END.
 * @param[out] ret_at the new one; set on success only; may be NULL.
 * @retval 0      moved.
 * @retval -EBUSY another green thread is in a call at the position.
 * @return otherwise as lseek(2).
 * @since 0.1
 */
GREEN_API int green_file_seek(green_file *f, int64_t offset, int whence, int64_t *ret_at);

/**
 * @brief Wait until all that was written is on the disk. Yields.
 * @param f         a file.
 * @param data_only not the times of last use and change.
 * @retval 0 it is.
 * @return otherwise as fsync(2): -EIO.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_file_sync(green_file *f, bool data_only);

/**
 * @brief Cut or extend to a length. Yields.
 * @param f      a file.
 * @param length bytes, 0 or more.
 * @retval 0 done.
 * @return otherwise as ftruncate(2).
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_file_truncate(green_file *f, int64_t length);

/**
 * @brief What is known of it. Yields.
 * @param      f        a file.
 * @param[out] ret_stat as fstat(2); set on success only.
 * @retval 0 done.
 * @return otherwise as fstat(2).
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_file_stat(green_file *f, struct stat *ret_stat);

/**
 * @brief Its descriptor. Never yields.
 * @param f a file.
 * @return the descriptor, still the file's; GREEN_INVALID_FD once closed, and on NULL.
 * @since 0.1
 */
GREEN_API green_fd green_file_fd(const green_file *f);

/**
 * @brief A stream with buffers over the file. Never yields.
 * @param f    a file; the stream's from now on, which closes it. It stays the caller's if this fails.
 * @param opts NULL for defaults.
 * @return the stream, the caller's: green_stream_free(). NULL with `errno` EINVAL, EBADF, ENOMEM.
 * @since 0.1
 */
GREEN_API green_stream *green_file_stream(green_file *f, const struct green_stream_opts *opts);

/**
 * @brief Close it; the handle stays. Never yields. Idempotent. A call of another green thread that runs ends as it
 * would, and the descriptor is closed then.
 * @param f a file; NULL is fine.
 * @retval 0      closed, now or before.
 * @retval -EPERM it belongs to another OS thread, whose hub lives: nothing was done.
 * @return otherwise as close(2): -EIO (it is closed all the same).
 * @since 0.1
 */
GREEN_API int green_file_close(green_file *f);

/**
 * @brief Close and release. Never yields.
 * @param f a file; NULL is fine.
 * @retval 0      released.
 * @retval -EBUSY another green thread is in a call on it, and it is not closed: nothing was done.
 * @retval -EPERM it belongs to another OS thread, whose hub lives: nothing was done.
 * @return otherwise as green_file_close(); it is released all the same.
 * @since 0.1
 */
GREEN_API int green_file_free(green_file *f);

/**
 * @brief Read a whole file. Yields.
 * @param      path     its name.
 * @param      limit    bytes it may have.
 * @param[out] ret_data its content, with a NUL behind it that does not count; the caller's: green_free(). Set on
 * success only.
 * @param[out] ret_len  its bytes; set on success only.
 * @retval 0         read.
 * @retval -EMSGSIZE it is longer.
 * @return otherwise as open(2) and read(2).
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_file_read_all(const char *path, size_t limit, char **ret_data, size_t *ret_len);

/**
 * @brief Write a whole file: to a temporary one in the same folder, which then takes its place, so that nobody ever
 * sees a half of it. Yields.
 * @param path its name. A symbolic link is replaced, not followed.
 * @param data what to write.
 * @param len  bytes.
 * @param mode permissions, less the umask, whatever an earlier file had.
 * @param sync wait until it is on the disk before it takes the place, and until that is there too.
 * @retval 0 done.
 * @return otherwise as open(2), write(2), rename(2); the earlier file is as it was (but not where only the folder's
 * fsync(2) failed, the last step), and no other file is left.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_file_write_all(const char *path, const void *data, size_t len, mode_t mode,
                                                  bool sync);

/** What a walk finds. Texts last until the next step. */
struct green_walk_entry {
        const char *path; /**< from the folder the walk began with on, that included */
        const char *name; /**< its last part */
        int depth;        /**< folders below the first: 0 for what lies in it */
        int code;         /**< 0; or why a folder cannot be read, or not to its end, which is told by an entry more for
                               it; or why an entry cannot be looked at */
        struct stat stat; /**< of the entry itself, not of what a symbolic link leads to; zeroed where code is not 0 */
};

/** A walk through a folder and those below. Opaque. */
typedef struct green_walk green_walk;

/** What a walk can be told. Set it to zero, then @ref size, then what you need. */
struct green_walk_opts {
        size_t size;     /**< sizeof(struct green_walk_opts) */
        int max_depth;   /**< folders below the first that are entered; 0: only the first; negative: all */
        bool one_device; /**< do not enter other file systems */
};

/**
 * @brief Begin a walk. Never yields. Symbolic links are told and not followed, but for the first folder.
 * @param folder where.
 * @param opts   NULL: everything below.
 * @return the walk, the caller's: green_walk_free(). NULL with `errno` EINVAL, ENOMEM.
 * @since 0.1
 */
GREEN_API green_walk *green_walk_new(const char *folder, const struct green_walk_opts *opts);

/**
 * @brief The next entry: a folder before what lies in it, the entries of one by name. Yields now and then.
 * @param      w         a walk.
 * @param[out] ret_entry the entry, the walk's, until the next call; set on 1 only.
 * @retval 1          an entry; look at its code.
 * @retval 0          the end.
 * @retval -EBUSY     another green thread is in this call.
 * @retval -ECANCELED the walk was freed meanwhile.
 * @return otherwise a code above, after which the walk can go on; that of the first folder where it cannot be read,
 * which is the end.
 * @since 0.1
 */
GREEN_API GREEN_MUST_USE int green_walk_next(green_walk *w, const struct green_walk_entry **ret_entry);

/**
 * @brief Do not enter the folder that was told last. Never yields.
 * @param w a walk.
 * @retval 0       it is passed over.
 * @retval -EINVAL what was told last is no folder.
 * @since 0.1
 */
GREEN_API int green_walk_skip(green_walk *w);

/**
 * @brief End a walk. Never yields. A step of another green thread ends with -ECANCELED.
 * @param w a walk or NULL.
 * @since 0.1
 */
GREEN_API void green_walk_free(green_walk *w);

GREEN_END_DECLS

#endif
