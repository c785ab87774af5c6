/* net/patch/: what patched objects load and look up, and changes in one object alone. */
#include "net_patch_victim.h"

#include <sys/stat.h>

/* ---- dlopen() and dlsym() of those who are patched */

static void
check_dlopen(void)
{
        void *(*victim_open)(const char *), *handle, *second;

        CHECK_INT(green_monkey_patch(0), 0);
        handle = load("patch_victim_now");
        victim_open = (void *(*)(const char *))function(handle, "victim_dlopen");
        second = victim_open(suite_plugin("patch_victim_lazy"));
        CHECK_OR_RETURN(second != NULL);
        CHECK(naps_green(second));
        CHECK(victim_open("/nosuch.so") == NULL);
        CHECK(dlerror() != NULL);
}

static void
what_a_library_loads_is_patched(void)
{
        in_child(check_dlopen);
}

static void
copy_plugin(const char *name, const char *path)
{
        FILE *from = fopen(suite_plugin(name), "rb"), *to = fopen(path, "wb");
        char bytes[4096];
        size_t n;

        if (!CHECK(from != NULL && to != NULL))
                _exit(1);
        while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
                CHECK_INT(fwrite(bytes, 1, n, to), n);
        fclose(from);
        CHECK_INT(fclose(to), 0);
}

/* This one's file says that libraries are in a folder below its own. */
static void
check_path(void)
{
        char dir[] = "/tmp/green-XXXXXX", outer[64], sub[64], inner[96];
        void *(*victim_open)(const char *), *handle, *found;

        CHECK(mkdtemp(dir) != NULL);
        snprintf(outer, sizeof outer, "%s/outer.so", dir);
        snprintf(sub, sizeof sub, "%s/sub", dir);
        snprintf(inner, sizeof inner, "%s/libpatch_inner.so", sub);
        CHECK_INT(mkdir(sub, 0700), 0);
        copy_plugin("patch_victim_noplt", outer);
        copy_plugin("patch_victim_lazy", inner);
        handle = dlopen(outer, RTLD_NOW);
        CHECK_OR_RETURN(handle != NULL);
        victim_open = (void *(*)(const char *))function(handle, "victim_dlopen");
        for (int patched = 0; patched < 2; patched++) {
                static const char *const names[] = {"libpatch_inner.so", "$ORIGIN/sub/libpatch_inner.so"};

                for (int i = 0; i < 2; i++) {
                        found = victim_open(names[i]);
                        if (CHECK(found != NULL)) {
                                CHECK_INT(naps_green(found), patched);
                                CHECK_INT(dlclose(found), 0);
                        }
                }
                CHECK(victim_open("libpatch_nosuch.so") == NULL);
                CHECK_INT(green_monkey_patch(0), 0);
        }
        CHECK(dlopen("libpatch_inner.so", RTLD_NOW) == NULL);
        unlink(inner);
        unlink(outer);
        rmdir(sub);
        rmdir(dir);
}

static void
a_library_is_looked_for_where_its_caller_says(void)
{
        if (SANITIZED) {
                suite_skip("a sanitizer calls dlopen() in the place of others");
                return;
        }
        in_child(check_path);
}

static void
check_dlsym(void)
{
        void *handle = load("patch_victim_now"), *libc = dlopen("libc.so.6", RTLD_LAZY), *original, *found, *usual;
        void *(*by_handle)(void *, const char *), *(*by_default)(const char *), *(*by_next)(const char *);

        by_handle = (void *(*)(void *, const char *))function(handle, "victim_dlsym");
        by_default = (void *(*)(const char *))function(handle, "victim_dlsym_default");
        by_next = (void *(*)(const char *))function(handle, "victim_dlsym_next");
        original = dlsym(RTLD_DEFAULT, "nanosleep");
        usual = dlsym(RTLD_DEFAULT, "getaddrinfo");
        CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME), 0);
        found = by_default("nanosleep");
        CHECK(found != NULL && found != original);
        CHECK_PTR(by_next("nanosleep"), found);
        if (libc != NULL)
                CHECK_PTR(by_handle(libc, "nanosleep"), found);
        /* A group that was not asked for, what nobody stands for, and what there is not. */
        CHECK_PTR(by_default("getaddrinfo"), usual);
        CHECK_PTR(by_default("strlen"), dlsym(RTLD_DEFAULT, "strlen"));
        CHECK_PTR(by_next("malloc"), dlsym(RTLD_DEFAULT, "malloc"));
        dlerror();
        CHECK_PTR(by_default("no_such_function"), NULL);
        CHECK(dlerror() != NULL);
        /* Its own, which is in no global scope. */
        CHECK_PTR(by_default("victim_nap"), pointer(function(handle, "victim_nap")));
        CHECK_PTR(dlerror(), NULL);
        CHECK_PTR(by_handle(handle, "victim_nap"), pointer(function(handle, "victim_nap")));
}

static void
what_a_library_looks_up_is_the_replacement(void)
{
        in_child(check_dlsym);
}

/* ---- one object */

static ssize_t
answer(int fd, void *buf, size_t len)
{
        (void)fd;
        (void)buf;
        return (ssize_t)len * 2;
}

static read_fn before;

static const struct green_patch_symbol answers[] = {
        {"read", (void (*)(void))answer, (void (**)(void)) & before},
        {NULL, NULL, NULL},
};

static void
inject_into(const char *name, bool is_patched)
{
        void *handle = load(name);
        char bytes[4];

        before = NULL;
        /* A jump slot or a global cell, and two tables. */
        CHECK_INT(green_inject(handle, answers), 3);
        CHECK_INT(((read_fn)function(handle, "victim_read"))(-1, bytes, 4), 8);
        CHECK_INT(((read_fn)function(handle, "victim_read_by_table"))(-1, bytes, 4), 8);
        CHECK_INT(((read_fn)function(handle, "victim_read_by_fixed_table"))(-1, bytes, 4), 8);
        CHECK(before != NULL && before != answer);
        /* As all others call it. */
        CHECK_PTR(pointer((void (*)(void))before), dlsym(RTLD_DEFAULT, "read"));
        if (!SANITIZED)
                CHECK_INT((void (*)(void))before == green_original("read"), !is_patched);
        CHECK_INT(green_inject(handle, answers), 0);
}

static void
check_inject(void)
{
        char bytes[4];

        inject_into("patch_victim_now", false);
        inject_into("patch_victim_lazy", false);
        CHECK_INT(read(-1, bytes, 4), -1);
        /* It stays. */
        CHECK_INT(green_monkey_patch(0), 0);
        CHECK_INT(((read_fn)function(load("patch_victim_now"), "victim_read"))(-1, bytes, 4), 8);
        CHECK_INT(((read_fn)function(load("patch_victim_lazy"), "victim_read"))(-1, bytes, 4), 8);
        /* It goes before. */
        inject_into("patch_victim_bound", true);
}

static void
what_one_object_imports_is_replaced(void)
{
        GREEN_COVERS("PATCH-06");
        in_child(check_inject);
}

static void
check_inject_wrongly(void)
{
        const struct green_patch_symbol none[] = {{NULL, NULL, NULL}},
                                        bad[] = {{"read", NULL, NULL}, {NULL, NULL, NULL}},
                                        other[] = {{"no_such_function", (void (*)(void))answer, NULL},
                                                   {NULL, NULL, NULL}};
        void *handle = load("patch_victim_now");
        char no_handle[64] = "";

        CHECK_INT(green_inject(handle, NULL), -EINVAL);
        CHECK_INT(green_inject(handle, bad), -EINVAL);
        CHECK_INT(green_inject(no_handle, answers), -ENOENT);
        CHECK_INT(green_last_error()->code, -ENOENT);
        CHECK_INT(green_inject(handle, none), 0);
        CHECK_INT(green_inject(handle, other), 0);
        CHECK_INT(green_inject(NULL, other), 0);
        /* The program itself. */
        CHECK(green_inject(NULL, answers) > 0);
        CHECK_INT(read(-1, no_handle, 4), 8);
}

static void
an_injection_that_cannot_be(void)
{
        in_child(check_inject_wrongly);
}

static void
check_import(void)
{
        void *other = load("patch_victim_lazy"), *handle, *again;

        handle = green_import_patched(suite_plugin("patch_victim_now"));
        CHECK_OR_RETURN(handle != NULL);
        CHECK(naps_green(handle));
        CHECK(!naps_green(other));
        CHECK(!green_is_monkey_patched("time"));
        reads_green(handle, "victim_read");
        again = green_import_patched(suite_plugin("patch_victim_now"));
        CHECK_PTR(again, handle);
        CHECK_INT(dlclose(again), 0);
        CHECK(naps_green(handle));
        /* What it loads belongs to it. */
        handle = ((void *(*)(const char *))function(handle, "victim_dlopen"))(suite_plugin("patch_victim_noplt"));
        CHECK_OR_RETURN(handle != NULL);
        CHECK(naps_green(handle));
        CHECK(!naps_green(load("patch_victim_bound")));
        /* One that is there already. */
        CHECK(green_import_patched(suite_plugin("patch_victim_lazy")) != NULL);
        CHECK(naps_green(other));
}

static void
an_imported_library_is_patched_and_no_other(void)
{
        GREEN_COVERS("PATCH-06");
        in_child(check_import);
}

static void
check_import_wrongly(void)
{
        errno = 0;
        CHECK(green_import_patched("libnosuch.so") == NULL);
        CHECK_INT(errno, ENOENT);
        CHECK(strstr(green_last_error()->message, "libnosuch.so") != NULL);
        CHECK(green_import_patched(NULL) == NULL);
        CHECK_INT(errno, EINVAL);
}

static void
a_library_that_is_not_there(void)
{
        in_child(check_import_wrongly);
}

/* Gone, and something else may lie there. */
static void
check_reload(void)
{
        void *handle;

        for (int i = 0; i < 5; i++) {
                handle = green_import_patched(suite_plugin("patch_victim_now"));
                CHECK_OR_RETURN(handle != NULL);
                CHECK(naps_green(handle));
                CHECK_INT(dlclose(handle), 0);
                handle = load("patch_victim_lazy");
                CHECK(green_import_patched(suite_plugin("patch_victim_bound")) != NULL);
                CHECK(!naps_green(handle));
                CHECK_INT(dlclose(handle), 0);
        }
}

static void
what_was_unloaded_is_forgotten(void)
{
        in_child(check_reload);
}

GREEN_SUITE(net_patch_objects) {
        GREEN_TEST(what_a_library_loads_is_patched),
        GREEN_TEST(a_library_is_looked_for_where_its_caller_says),
        GREEN_TEST(what_a_library_looks_up_is_the_replacement),
        GREEN_TEST(what_one_object_imports_is_replaced),
        GREEN_TEST(an_injection_that_cannot_be),
        GREEN_TEST(an_imported_library_is_patched_and_no_other),
        GREEN_TEST(a_library_that_is_not_there),
        GREEN_TEST(what_was_unloaded_is_forgotten),
        GREEN_SUITE_END
};
