/*
 * The system's calls for files and folders, as net/ sees them: results are 0, a count, or -errno, and EINTR never comes
 * back. All but the last few may wait for a disk, so they are for the pool of OS threads. What differs by system stands
 * in the files that implement this: file_posix.c, folder_posix.c.
 */
#ifndef GREEN_FILE_SYS_H
#define GREEN_FILE_SYS_H

#include <config.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <green/hub.h>

/* What is known of a descriptor when it becomes a file. */
struct green__file_facts {
        green_fd fd;
        int64_t at; /* its position */
        bool reads, writes, append;
        bool no_ops; /* its calls wait, whoever makes them: hubs have no operations for it */
};

/* ---- files: these may wait */

/* Closed on exec. -EINVAL: it is a pipe, a terminal or the like, of which a read could wait for ever. */
int green__sys_file_open(const char *path, int flags, mode_t mode, struct green__file_facts *ret);

/* A new one for reading and writing, without a name. */
int green__sys_file_temporary(const char *folder, struct green__file_facts *ret);

/* The last bytes of a text of GREEN__FILE_UNIQUE or longer are made into a name that nobody has. */
#define GREEN__FILE_UNIQUE "green-0123456789abc"
int green__sys_file_unique(char *path, int flags, mode_t mode, struct green__file_facts *ret);

/* One call, of as much as the system takes at once. Nothing raises SIGXFSZ. */
ssize_t green__sys_file_read(green_fd fd, void *buf, size_t len, int64_t at);
ssize_t green__sys_file_write(green_fd fd, const void *buf, size_t len, int64_t at);
ssize_t green__sys_file_append(green_fd fd, const struct green_iovec *iov, size_t n);

int green__sys_file_truncate(green_fd fd, int64_t length);
int green__sys_file_sync(green_fd fd, bool data_only);
int green__sys_file_stat(green_fd fd, struct stat *ret_stat);
int green__sys_file_rename(const char *from, const char *to);
void green__sys_file_remove(const char *path);

/* Opened to have what is in it on the disk: green__sys_folder_sync(). */
int green__sys_folder_open(const char *path, green_fd *ret_fd);

/* 0 too where the file system has nothing of that kind. */
int green__sys_folder_sync(green_fd fd);

/* ---- folders: these may wait */

struct green__folder_entry {
        const char *name;
        int code; /* why it cannot be looked at */
        struct stat stat;
};

/* What was read of a folder, by name. Zeroed: nothing. */
struct green__folder {
        struct green__folder_entry *entries;
        size_t n;
        char *names;
        dev_t device;
        int code; /* why there is no more of it */
};

/* follow: it may be a symbolic link. ret->code says how it went; what was read until then counts. */
void green__sys_folder_read(const char *path, bool follow, struct green__folder *ret);

/* ---- these do not wait */

void green__sys_folder_free(struct green__folder *folder);

/* Of a descriptor that comes from elsewhere. -EINVAL: it is of no regular file. */
int green__sys_file_adopt(green_fd fd, struct green__file_facts *ret);

/* Is there a limit on how large files may become? To write beyond it is a signal. */
bool green__sys_file_limited(void);

/* Where the system is in it, and its length. */
int64_t green__sys_file_position(green_fd fd);
int64_t green__sys_file_length(green_fd fd);

/* Bytes of the folder's part of a path, the slash included. */
size_t green__sys_folder_len(const char *path);

/* The folder for temporary files. */
const char *green__sys_file_tmp(void);

#endif
