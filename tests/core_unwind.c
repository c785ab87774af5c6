/*
 * OS threads that end in the midst of functions with something to clean up. The C library unwinds them with what the
 * compiler's library has for it, and no other library may stand before that: libunwind has functions of the same names.
 * So it comes into the process by the first dump, and for green-net alone.
 */
#include <config.h>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core_debug.h"
#include "unwind_frames.h"

#if defined(__GLIBC__)
#define UNWINDS true
#else
#define UNWINDS false
#endif

typedef void *main_fn(void *arg);

/*
 * A program that has no clean-up of its own does not ask for the compiler's library, so that one comes into the process
 * late: with a module.
 */
static main_fn *
find(const char *name)
{
#ifdef FRAMES_LINKED
        return strcmp(name, "unwind_exits") == 0 ? unwind_exits : unwind_is_cancelled;
#else
        static void *handle; /* it stays */
        const char *path = suite_plugin("unwind_frames");
        void *symbol = NULL;
        main_fn *fn = NULL;

        if (!CHECK(path != NULL))
                return NULL;
        if (handle == NULL)
                handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!CHECK(handle != NULL) || !CHECK((symbol = dlsym(handle, name)) != NULL))
                return NULL;
        memcpy(&fn, &symbol, sizeof fn);
        return fn;
#endif
}

/* It reads from a pipe that stays empty; a cancel finds it there, or before. */
static void
ends_cleaned(const char *name, bool cancel)
{
        struct unwind_frames frames = {.cleaned = 0};
        void *result = NULL;
        pthread_t thread;
        main_fn *fn;
        int fds[2];

        if (!UNWINDS) {
                suite_skip("the C library does not unwind OS threads that end");
                return;
        }
        fn = find(name);
        if (fn == NULL || !CHECK_INT(pipe(fds), 0))
                return;
        frames.fd = fds[0];
        if (CHECK_INT(pthread_create(&thread, NULL, fn, &frames), 0)) {
                if (cancel)
                        CHECK_INT(pthread_cancel(thread), 0);
                CHECK_INT(pthread_join(thread, &result), 0);
                CHECK_PTR(result, cancel ? PTHREAD_CANCELED : &frames);
                CHECK_INT(frames.cleaned, 111);
        }
        close(fds[0]);
        close(fds[1]);
}

static void
pthread_exit_runs_what_is_to_be_cleaned_up(void)
{
        ends_cleaned("unwind_exits", false);
}

static void
pthread_cancel_runs_what_is_to_be_cleaned_up(void)
{
        ends_cleaned("unwind_is_cancelled", true);
}

/* Where a function of the compiler's library is found first; it may not be there at all, or linked in. */
static void
the_unwinder_is_not_libunwind(void)
{
        void *function = dlsym(RTLD_DEFAULT, "_Unwind_GetLanguageSpecificData");
        Dl_info info;

        if (function == NULL || dladdr(function, &info) == 0 || info.dli_fname == NULL)
                return;
        if (strstr(info.dli_fname, "libunwind") != NULL)
                FAIL("it is %s", info.dli_fname);
}

static bool
libunwind_is_loaded(void)
{
#if HAVE_LIBUNWIND
        void *handle = dlopen(GREEN_LIBUNWIND, RTLD_NOW | RTLD_NOLOAD);

        if (handle != NULL)
                dlclose(handle);
        return handle != NULL;
#else
        return false;
#endif
}

static void
nothing_loads_libunwind_before_a_dump(void)
{
        CHECK_INT(green_sleep(0), 0);
        CHECK(!libunwind_is_loaded());
}

/* No descriptor is left for the file. */
static void
where_it_cannot_be_loaded_dumps_say_so_and_try_again(void)
{
        struct rlimit limit, none;
        const char *walker, *again;
        struct written w;

        if (!CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0) || !written_begin(&w, false))
                return;
        none = limit;
        none.rlim_cur = 0;
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
        walker = green_debug_can_walk();
        CHECK(green_debug_dump(fileno(w.file)) > 0);
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
        CHECK(walker == NULL || strcmp(walker, "frame pointers") == 0);
        HAS(written_end(&w), "main running");
        CHECK(!libunwind_is_loaded());
        if (walker == NULL)
                HAS(w.text, "no calls of those that wait: ", "\n", "main running");
        again = green_debug_can_walk();
        if (walker == NULL && again != NULL)
                HAS(w.text, "no calls of those that wait: ", "libunwind", "\n");
        CHECK_INT(libunwind_is_loaded(), HAVE_LIBUNWIND);
}

/* Whoever has had calls shown has libunwind loaded from then on. */
static void
both_do_so_after_a_dump(void)
{
        struct written w;

        if (!written_begin(&w, false))
                return;
        CHECK(green_debug_dump(fileno(w.file)) > 0);
        HAS(written_end(&w), "main running");
        CHECK_INT(libunwind_is_loaded(), HAVE_LIBUNWIND);
        if (green_debug_can_walk() != NULL)
                HAS(w.text, "main running", "#0 ", "#1 ");
        pthread_exit_runs_what_is_to_be_cleaned_up();
        pthread_cancel_runs_what_is_to_be_cleaned_up();
        the_unwinder_is_not_libunwind();
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_unwind) {
        GREEN_TEST(pthread_exit_runs_what_is_to_be_cleaned_up),
        GREEN_TEST(pthread_cancel_runs_what_is_to_be_cleaned_up),
        GREEN_TEST(the_unwinder_is_not_libunwind),
        GREEN_TEST(nothing_loads_libunwind_before_a_dump),
        /* libunwind keeps a pipe. */
        GREEN_TEST(where_it_cannot_be_loaded_dumps_say_so_and_try_again, .keeps_fds = true),
        GREEN_TEST(both_do_so_after_a_dump, .keeps_fds = true),
        GREEN_SUITE_END
};
