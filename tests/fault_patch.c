/* Each allocation and system call of net/patch/ that changes imports fails in its turn. */
#include "fault.h"

#include <dlfcn.h>
#include <pthread.h>

#include <green/net.h>

static ssize_t
answer(int fd, void *buf, size_t len)
{
        (void)fd;
        (void)buf;
        return (ssize_t)len;
}

static const struct green_patch_symbol answers[] = {{"read", (void (*)(void))answer, NULL}, {NULL, NULL, NULL}};

/* What was remembered of a library goes with it, at the next look. */
static void
close_and_look(void *handle)
{
        fault_pause();
        CHECK_INT(dlclose(handle), 0);
        CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME), 0);
        fault_resume();
}

static void
importing(void)
{
        void *handle;

        CHECK(green_original("read") != NULL);
        CHECK_INT(green_patch_group("time"), GREEN_PATCH_TIME);
        fault_may_give(-ENOENT);
        fault_may_give(-ENOMEM);
        if (!MADE(handle = green_import_patched(suite_plugin("patch_victim_now"))))
                return;
        close_and_look(handle);
}

static void
injecting(void)
{
        void *handle;
        int rc;

        fault_pause();
        handle = dlopen(suite_plugin("patch_victim_now"), RTLD_LAZY);
        fault_resume();
        if (!CHECK(handle != NULL))
                return;
        fault_may_give(-ENOENT);
        fault_may_give(-ENOMEM);
        rc = green_inject(handle, answers);
        if (OK(rc))
                CHECK_INT(rc, 3);
        close_and_look(handle);
}

static void
patching(void)
{
        void *handle;

        fault_pause();
        handle = dlopen(suite_plugin("patch_victim_now"), RTLD_LAZY);
        fault_resume();
        if (!CHECK(handle != NULL))
                return;
        fault_may_give(-ENOMEM);
        if (OK(green_monkey_patch(GREEN_PATCH_TIME)))
                CHECK(green_is_monkey_patched("time"));
        close_and_look(handle);
}

/* ---- POSIX threads that are green ones, as a patched library finds them */

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int join_fn(pthread_t, void **);
typedef int key_fn(pthread_key_t *, void (*)(void *));
typedef int set_fn(pthread_key_t, const void *);

static pthread_key_t key;
static create_fn *create;
static join_fn *join;
static key_fn *make;
static set_fn *set;
static int set_code;

static void *
has_a_value(void *arg)
{
        set_code = set(key, arg);
        return arg;
}

static void *
use_threads(void *arg)
{
        void *result = NULL;
        pthread_t t;

        if (!OK(-make(&key, NULL)))
                return arg;
        if (OK(-create(&t, NULL, has_a_value, &key))) {
                CHECK_INT(join(t, &result), 0);
                CHECK(result == &key);
                (void)OK(-set_code);
        }
        CHECK_INT(pthread_key_delete(key), 0);
        return arg;
}

static void
threads(void)
{
        void *(*find)(const char *), *handle;
        green_thread *gt;

        fault_pause();
        handle = green_import_patched(suite_plugin("patch_victim_lazy"));
        if (!CHECK(handle != NULL))
                return;
        *(void **)&find = dlsym(handle, "victim_dlsym_default");
        *(void **)&create = find("pthread_create");
        *(void **)&join = find("pthread_join");
        *(void **)&make = find("pthread_key_create");
        *(void **)&set = find("pthread_setspecific");
        CHECK((void *)create != dlsym(RTLD_DEFAULT, "pthread_create"));
        fault_resume();
        fault_may_give(-EAGAIN);
        fault_may_give(-ENOMEM);
        /* By a green thread: what is known of the main one stays. */
        if (MADE(gt = green_spawn(use_threads, NULL))) {
                CHECK_INT(green_thread_wait(gt, NULL), 0);
                green_thread_unref(gt);
        }
        close_and_look(handle);
}

/* Memory that was once had for this look is enough; symbols are looked for in another way. */
#define SCENARIOS(X)                                                                                                   \
        X(importing, FAULT_BIT(dlopen), 0)                                                                             \
        X(injecting, FAULT_BIT(dlopen), 0)                                                                             \
        X(patching, FAULT_BIT(dlopen), 0)

/* A hub does without a stack for signals, and a caller of whom nothing can be noted without that. */
#define SCENARIOS_OF_THREADS(X) X(threads, FAULT_BIT(mmap), FAULT_BIT(alloc))

FAULT_DEFINE(SCENARIOS)
FAULT_DEFINE(SCENARIOS_OF_THREADS)

static bool
are_there_modules(void)
{
        if (suite_plugin("patch_victim_now") != NULL)
                return true;
        suite_skip("this build has no modules");
        return false;
}

#define TEST_FUNCTION(name, any, one)                                                                                  \
        static void name##_if_it_can(void)                                                                             \
        {                                                                                                              \
                if (are_there_modules())                                                                               \
                        name##_under_faults();                                                                         \
        }
SCENARIOS(TEST_FUNCTION)

/* The tables of threads, and what is known of an OS thread, stay once they are there. */
static void
threads_but_the_first(void)
{
        if (!are_there_modules())
                return;
        threads();
        CHECK_INT(green_hub_destroy(5), 0);
        threads_under_faults();
}

#define TEST_ROW(name, any, one) GREEN_TEST(name##_if_it_can, .limit = 600),

GREEN_SUITE(fault_patch){SCENARIOS(TEST_ROW) GREEN_TEST(threads_but_the_first, .limit = 600), GREEN_SUITE_END};
