#ifndef GREEN_TESTS_WIN32_DLFCN_H
#define GREEN_TESTS_WIN32_DLFCN_H

enum { RTLD_LAZY = 1, RTLD_NOW = 2, RTLD_LOCAL = 0, RTLD_NOLOAD = 4 };

/* What is loaded, by whatever name: nothing tells. */
#define RTLD_DEFAULT NULL

void *dlopen(const char *path, int flags);
void *dlsym(void *handle, const char *name);
int dlclose(void *handle);
const char *dlerror(void);

typedef struct {
        const char *dli_fname;
        void *dli_fbase;
        const char *dli_sname;
        void *dli_saddr;
} Dl_info;

/* The module alone; good until the next call. */
int dladdr(const void *address, Dl_info *ret_info);

#endif
