/*
 * Scenes with sockets and pipes, played twice: by OS threads, and by green threads in a patched copy of the same library.
 * What their sides saw is compared.
 */
#ifndef GREEN_TESTS_PATCH_SCENES_H
#define GREEN_TESTS_PATCH_SCENES_H

enum { SCENE_SIDES = 3, SCENE_TEXT = 4096, SCENE_FDS = 8 };

struct scene {
        char text[SCENE_SIDES][SCENE_TEXT]; /* what each side saw, a line for each thing */
        int fd[SCENE_FDS];                  /* closed afterwards where they are not -1 */
};

struct scene_case {
        const char *name; /* NULL ends the table */
        void (*begin)(struct scene *s);
        void (*side[SCENE_SIDES])(struct scene *s); /* played at the same time; NULL: none */
};

/* The table, by this name. */
typedef const struct scene_case *(*scene_table_fn)(void);
const struct scene_case *scene_table(void);

#endif
