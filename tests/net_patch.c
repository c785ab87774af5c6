/* net/patch/: imports of loaded objects are changed at run time. */
#include "net_suite.h"

#include <dlfcn.h>

static ssize_t (*before)(int, void *, size_t);

static ssize_t
answer(int fd, void *buf, size_t len)
{
        (void)fd;
        (void)buf;
        return (ssize_t)len * 2;
}

/* A library of tests.am, loaded; NULL: this build has none. */
static void *
load(const char *name)
{
        const char *path = suite_plugin(name);
        void *handle = path == NULL ? NULL : dlopen(path, RTLD_LAZY | RTLD_LOCAL);

        if (path != NULL && handle == NULL)
                FAIL("%s: %s", path, dlerror());
        return handle;
}

typedef ssize_t (*read_fn)(int, void *, size_t);

static read_fn
function(void *handle, const char *name)
{
        void *symbol = dlsym(handle, name);
        read_fn fn = NULL;

        CHECK(symbol != NULL);
        memcpy(&fn, &symbol, sizeof fn);
        return fn;
}

static void
inject_into(const char *name)
{
        const struct green_patch_symbol table[] = {
                {"read", (void (*)(void))answer, (void (**)(void)) & before},
                {NULL, NULL, NULL},
        };
        void *handle = load(name);
        char bytes[4];

        if (handle == NULL)
                return;
        before = NULL;
        /* A jump slot or a global cell, and two tables. */
        CHECK_INT(green_inject(handle, table), 3);
        CHECK_INT(function(handle, "victim_read")(-1, bytes, 4), 8);
        CHECK_INT(function(handle, "victim_read_by_table")(-1, bytes, 4), 8);
        CHECK_INT(function(handle, "victim_read_by_fixed_table")(-1, bytes, 4), 8);
        CHECK(before == (read_fn)green_original("read"));
        CHECK_INT(read(-1, bytes, 4), -1);
        CHECK_INT(green_inject(handle, table), 0);
        dlclose(handle);
}

static void
what_one_object_imports_is_replaced(void)
{
        GREEN_COVERS("PATCH-06");
        if (suite_plugin("patch_victim_now") == NULL) {
                suite_skip("no modules in this build");
                return;
        }
        inject_into("patch_victim_now");
        inject_into("patch_victim_lazy");
}

GREEN_SUITE(net_patch) {
        GREEN_TEST(what_one_object_imports_is_replaced),
        GREEN_SUITE_END
};
