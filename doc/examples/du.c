/*
 * What a folder holds: du FOLDER...
 *
 * A green thread for each folder walks through it and sums the bytes of its files. Folders are read in the pool of OS
 * threads, so slow ones hold up nobody. What cannot be read is told, and the rest is summed.
 */
#include <errno.h>
#include <green/net.h>
#include <stdio.h>
#include <stdlib.h>

static void *
sum(void *arg)
{
        const char *folder = arg;
        const struct green_walk_entry *e;
        green_walk *w = green_walk_new(folder, NULL);
        long long bytes = 0;
        int rc, files = 0, unread = 0;

        if (w == NULL)
                return green_fail(green_last_error()->code);
        while ((rc = green_walk_next(w, &e)) == 1) {
                if (e->code != 0) {
                        fprintf(stderr, "du: %s: %s\n", e->path, green_strerror(e->code));
                        unread++;
                } else if (S_ISREG(e->stat.st_mode)) {
                        bytes += (long long)e->stat.st_size;
                        files++;
                }
        }
        green_walk_free(w);
        if (rc != 0)
                return green_fail(rc);
        printf("%s: %d files, %lld bytes\n", folder, files, bytes);
        return unread == 0 ? NULL : green_fail(-EIO);
}

int
main(int argc, char **argv)
{
        green_thread **threads = calloc((size_t)argc, sizeof(green_thread *));
        int rc, failed = 0;

        if (threads == NULL)
                return fprintf(stderr, "du: no memory\n"), 1;
        for (int i = 1; i < argc; i++)
                if ((threads[i] = green_spawn(sum, argv[i])) == NULL)
                        fprintf(stderr, "du: %s\n", green_last_error()->message);
        for (int i = 1; i < argc; i++) {
                rc = threads[i] == NULL ? -ENOMEM : green_thread_wait(threads[i], NULL);
                if (rc != 0) {
                        fprintf(stderr, "du: %s: %s\n", argv[i], green_strerror(rc));
                        failed = 1;
                }
                green_thread_unref(threads[i]);
        }
        free(threads);
        (void)green_tpool_killall(10);
        return failed;
}
