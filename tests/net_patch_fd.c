/*
 * Patched calls on descriptors do what the system's do: each scene of patch_scenes.c is played by OS threads in a
 * library that is not patched, and by green threads in a copy of it that is.
 */
#include "net_suite.h"

#include <dlfcn.h>
#include <pthread.h>

#include <green/patch.h>

#include "patch_scenes.h"

static const struct scene_case *plain, *green;

static void *
load(const char *name, bool patched)
{
        const char *path = suite_plugin(name);
        void *handle = NULL;

        if (path == NULL)
                return NULL;
        handle = patched ? green_import_patched(path) : dlopen(path, RTLD_NOW);
        if (handle == NULL)
                FAIL("%s: %s", path, patched ? green_last_error()->message : dlerror());
        return handle;
}

static const struct scene_case *
table_of(const char *name, bool patched)
{
        void *handle = load(name, patched);
        void *symbol = handle == NULL ? NULL : dlsym(handle, "scene_table");
        scene_table_fn fn = NULL;

        memcpy(&fn, &symbol, sizeof fn);
        return fn == NULL ? NULL : fn();
}

static bool
loaded(void)
{
        if (plain == NULL)
                plain = table_of("patch_scenes_plain", false);
        if (green == NULL)
                green = table_of("patch_scenes_green", true);
        if (plain != NULL && green != NULL)
                return true;
        suite_skip("no modules in this build, or nothing can be patched");
        return false;
}

/* ---- playing */

struct part {
        void (*side)(struct scene *s);
        struct scene *scene;
};

static void *
play_part(void *arg)
{
        struct part *p = arg;

        p->side(p->scene);
        return NULL;
}

static void
open_scene(struct scene *s)
{
        memset(s, 0, sizeof *s);
        for (int i = 0; i < SCENE_FDS; i++)
                s->fd[i] = -1;
}

static void
close_scene(const struct scene *s)
{
        for (int i = 0; i < SCENE_FDS; i++)
                if (s->fd[i] >= 0)
                        close(s->fd[i]);
}

static void
play_plain(const struct scene_case *c, struct scene *s)
{
        pthread_t threads[SCENE_SIDES];
        struct part parts[SCENE_SIDES];

        open_scene(s);
        c->begin(s);
        for (int i = 0; i < SCENE_SIDES; i++) {
                parts[i] = (struct part){c->side[i], s};
                if (c->side[i] != NULL)
                        CHECK_INT(pthread_create(&threads[i], NULL, play_part, &parts[i]), 0);
        }
        for (int i = 0; i < SCENE_SIDES; i++)
                if (c->side[i] != NULL)
                        CHECK_INT(pthread_join(threads[i], NULL), 0);
        close_scene(s);
}

static void
play_green(const struct scene_case *c, struct scene *s)
{
        green_thread *threads[SCENE_SIDES] = {NULL};
        struct part parts[SCENE_SIDES];

        open_scene(s);
        c->begin(s);
        for (int i = 0; i < SCENE_SIDES; i++) {
                parts[i] = (struct part){c->side[i], s};
                if (c->side[i] != NULL) {
                        threads[i] = green_spawn(play_part, &parts[i]);
                        CHECK(threads[i] != NULL);
                }
        }
        for (int i = 0; i < SCENE_SIDES; i++) {
                if (threads[i] != NULL) {
                        CHECK_INT(green_thread_wait(threads[i], NULL), 0);
                        green_thread_unref(threads[i]);
                }
        }
        close_scene(s);
}

static void
compare(int from, int to)
{
        struct scene a, b;

        if (!loaded())
                return;
        for (int i = from; i < to && plain[i].name != NULL; i++) {
                play_plain(&plain[i], &a);
                play_green(&green[i], &b);
                for (int side = 0; side < SCENE_SIDES; side++)
                        if (strcmp(a.text[side], b.text[side]) != 0)
                                FAIL("%s, side %d:\n-- by OS threads\n%s-- by green threads\n%s", plain[i].name, side,
                                     a.text[side], b.text[side]);
        }
}

static void
streams_are_read_and_written_as_by_threads(void)
{
        GREEN_COVERS("PATCH-01");
        compare(0, 12);
}

static void
datagrams_limits_and_modes_are_as_in_threads(void)
{
        compare(12, 19);
}

static void
polls_sharing_files_and_numbers_are_as_in_threads(void)
{
        compare(19, 1000);
}

GREEN_SUITE(net_patch_fd){GREEN_TEST(streams_are_read_and_written_as_by_threads),
                          GREEN_TEST(datagrams_limits_and_modes_are_as_in_threads),
                          GREEN_TEST(polls_sharing_files_and_numbers_are_as_in_threads), GREEN_SUITE_END};
