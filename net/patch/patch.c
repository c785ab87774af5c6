/* Run-time greening of foreign code: the public functions. See <green/patch.h>. */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <green/alloc.h>
#include <green/debug.h>
#include <green/error.h>
#include <green/hubs.h>

#include "patch_debug.h"
#include "patch_pass.h"

/* Puts in place what is missing, and says what went wrong. */
static int
run(char failed[PATCH_NAME_MAX])
{
        int rc = green__patch_run(failed);

        green__patch_tell();
        if (rc == 0)
                return 0;
        if (rc == -ENOTSUP)
                return green_set_error(rc,
                                       "what programs import cannot be changed here: this one is static, or the build "
                                       "does not know how");
        if (*failed == '\0')
                return green_set_error(rc, "the imports of all objects: %s", green_strerror(rc));
        return green_set_error(rc, "the imports of %s: %s", failed, green_strerror(rc));
}

/* ---- everything */

static _Atomic(bool) program;
static pthread_t program_thread; /* who asked for that */

bool
green__patch_take_program(void)
{
        if (!atomic_load(&program) || !pthread_equal(program_thread, pthread_self()))
                return false;
        return green_get_hub() != NULL && green__patch_may_wait();
}

int
green_monkey_patch(unsigned groups)
{
        unsigned functions = groups & GREEN_PATCH_ALL, others = groups & ~(GREEN_PATCH_ALL | GREEN_PATCH_PROGRAM);
        char failed[PATCH_NAME_MAX];

        if (others != 0)
                return green_set_error(-EINVAL, "no groups of functions: 0x%x", others);
        if (functions == 0)
                functions = GREEN_PATCH_ALL;
        if (!green__patch_any(functions))
                return green_set_error(-ENOTSUP, "nothing stands for the functions of these groups on this system yet");
        if ((groups & GREEN_PATCH_PROGRAM) != 0 && !atomic_load(&program)) {
                program_thread = pthread_self();
                /* As with POSIX threads: nobody is told of those that end so, or do not. */
                if (!green__patch_debug())
                        (void)green_debug_hub_exceptions(false);
                atomic_store(&program, true);
        }
        green__patch_add_groups(functions);
        green__patch_watch();
        return run(failed);
}

bool
green_is_monkey_patched(const char *name)
{
        unsigned here = green__patch_process_groups(), groups;
        const struct patch_slot *slot;

        if (name == NULL || here == 0)
                return false;
        groups = green_patch_group(name);
        if (groups == 0) {
                slot = green__patch_find(name);
                groups = slot == NULL ? 0 : slot->entry->groups;
        }
        return (groups & here) != 0;
}

void (*green_original(const char *name))(void)
{
        return name == NULL ? NULL : green__patch_sys(name);
}

/* ---- one object */

static void *
failed_with(int code, const char *file, const char *why)
{
        green_set_error(code, "%s: %s", file, why);
        return NULL;
}

/* The object of a handle, and all that were not there before, get all groups. */
static int
take_new(void *handle, const struct patch_ids *before)
{
        struct patch_ids *after = green__patch_ids();
        const void *named = green__patch_id_of_handle(handle);
        int rc = named == NULL ? -ENOENT : after == NULL ? -ENOMEM : 0;

        for (size_t i = 0; after != NULL && i < after->n && rc == 0; i++) {
                if (after->at[i] == named || !green__patch_ids_have(before, after->at[i]))
                        rc = green__patch_add_object(after->at[i], GREEN_PATCH_ALL);
        }
        green_free(after);
        return rc;
}

void *
green_import_patched(const char *file)
{
        char failed[PATCH_NAME_MAX], why[1024];
        struct patch_ids *before;
        void *handle;
        int rc;

        if (file == NULL)
                return failed_with(-EINVAL, "green_import_patched()", "no file");
        before = green__patch_ids();
        if (before == NULL)
                return failed_with(-ENOMEM, file, green_strerror(-ENOMEM));
        handle = green__patch_load(file, why, sizeof why);
        if (handle == NULL) {
                green_free(before);
                return failed_with(-ENOENT, file, why);
        }
        rc = take_new(handle, before);
        green_free(before);
        if (rc != 0)
                green_set_error(rc, "%s: %s", file, green_strerror(rc));
        else
                rc = run(failed);
        if (rc == 0)
                return handle;
        green__patch_unload(handle);
        green__patch_forget();
        errno = -rc;
        return NULL;
}
