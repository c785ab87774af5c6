/** @file
 * @brief What patch_victim.c exports. */
#ifndef GREEN_TESTS_PATCH_VICTIM_H
#define GREEN_TESTS_PATCH_VICTIM_H

#include <stddef.h>
#include <sys/types.h>

ssize_t victim_read(int fd, void *buf, size_t len);
ssize_t victim_read_by_table(int fd, void *buf, size_t len);
ssize_t victim_read_by_fixed_table(int fd, void *buf, size_t len);
ssize_t victim_read_checked(int fd, void *buf, size_t len);
const void *victim_fixed(void);
ssize_t victim_recv(int fd, void *buf, size_t len);
int victim_nap(long ms);
int victim_usleep(unsigned us);
int victim_poll(int fd, int ms);
int victim_select(int fd, int ms);
int victim_epoll(int fd, int ms); /* on Linux */
void *victim_dlopen(const char *file);
void *victim_dlsym(void *handle, const char *name);
void *victim_dlsym_default(const char *name);
void *victim_dlsym_next(const char *name);
extern ssize_t (*victim_table[])(int, void *, size_t);

#endif
