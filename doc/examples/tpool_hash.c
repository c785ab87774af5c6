/*
 * Calls that block, in a pool of OS threads: tpool_hash FILE...
 *
 * A green thread for each file hashes it (FNV-1a). Reading a file blocks the OS thread that does it, and so do
 * libraries that know nothing of green threads; in the pool they block nobody else. The wrappers are made from a table.
 * Meanwhile another green thread counts time.
 */
#include <errno.h>
#include <green/sync.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* An ordinary function that blocks. 0, or -1 with errno. */
static int
hash_file(const char *path, uint64_t *ret_hash)
{
        FILE *f = fopen(path, "rb");
        uint64_t hash = UINT64_C(14695981039346656037);
        unsigned char block[4096];
        size_t n;
        int rc;

        if (f == NULL)
                return -1;
        while ((n = fread(block, 1, sizeof block, f)) > 0)
                for (size_t i = 0; i < n; i++)
                        hash = (hash ^ block[i]) * UINT64_C(1099511628211);
        rc = ferror(f) != 0 ? -1 : 0;
        fclose(f);
        *ret_hash = hash;
        return rc;
}

#define BLOCKING(CALL, WRAP, P) CALL(P, int, hash_file, (const char *, path), (uint64_t *, ret_hash))

/* Defines pooled_hash_file(), which takes one more argument: where the result goes. */
GREEN_TPOOL_PROXY(pooled_, BLOCKING)

static int hashed;

static void *
hash_one(void *arg)
{
        const char *path = arg;
        uint64_t hash = 0;
        int result, rc = pooled_hash_file(path, &hash, &result);

        if (rc == 0 && result != 0)
                rc = -errno; /* errno comes back with the result */
        if (rc != 0) {
                fprintf(stderr, "tpool_hash: %s: %s\n", path, green_strerror(rc));
                return green_fail(rc);
        }
        printf("%016" PRIx64 "  %s\n", hash, path);
        hashed++;
        return NULL;
}

static void *
tick(void *arg)
{
        int *ticks = arg;

        while (green_sleep(0.01) == 0)
                ++*ticks;
        return NULL;
}

int
main(int argc, char **argv)
{
        green_thread **threads = calloc((size_t)argc, sizeof(green_thread *));
        int ticks = 0;
        green_thread *clock = green_spawn(tick, &ticks);

        if (threads == NULL || clock == NULL)
                return fprintf(stderr, "tpool_hash: no memory\n"), 1;
        for (int i = 1; i < argc; i++)
                threads[i] = green_spawn(hash_one, argv[i]);
        for (int i = 1; i < argc; i++) {
                (void)!green_thread_wait(threads[i], NULL);
                green_thread_unref(threads[i]);
        }
        free(threads);
        green_kill(clock, 0);
        green_thread_unref(clock);
        /* Not needed at the end of a program; but then all threads have ended in order. */
        (void)green_tpool_killall(10);
        printf("%d of %d files\n", hashed, argc - 1);
        return hashed != argc - 1;
}
