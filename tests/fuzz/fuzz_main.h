/*
 * A fuzz target as a program: it runs files, or its seeds and mutations of them, the same ones every time ("-n COUNT"
 * says how many); "-d FOLDER" writes the seeds as files for libFuzzer. "-m COUNT FILE..." takes files in place of the
 * seeds: what is in tests/fuzz/corpus/. Included by a target under GREEN_FUZZ_MAIN, which defines `seeds` (or has files
 * alone) and `words`, arrays of struct fuzz_bytes.
 */
#ifndef GREEN_TESTS_FUZZ_MAIN_H
#define GREEN_TESTS_FUZZ_MAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_bytes {
        const void *bytes;
        size_t size;
};

/* Of a text with its length, NULs inside included. */
#define FUZZ_BYTES(text)                                                                                               \
        {                                                                                                              \
                text, sizeof(text) - 1                                                                                 \
        }

enum { FUZZ_MAX = 4096 };

/* What runs now is a seed or a file as it is: the time for a closer look. */
static bool fuzz_verbatim;

static uint32_t
fuzz_random(uint32_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

static size_t
fuzz_mutate(uint8_t *data, size_t size, const struct fuzz_bytes *word, uint32_t *random)
{
        size_t at = size > 0 ? fuzz_random(random) % (size + 1) : 0, n = fuzz_random(random) % 16;

        switch (fuzz_random(random) % 5) {
        case 0: /* another byte */
                if (at < size)
                        data[at] = (uint8_t)fuzz_random(random);
                return size;
        case 1: /* another bit */
                if (at < size)
                        data[at] ^= (uint8_t)(1u << n % 8);
                return size;
        case 2: /* fewer bytes */
                if (at + n > size)
                        return at;
                memmove(data + at, data + at + n, size - at - n);
                return size - n;
        case 3: /* a part once more */
                if (at + n > size || size + n > FUZZ_MAX)
                        return size;
                memmove(data + at + n, data + at, size - at);
                return size + n;
        default: /* a word */
                if (size + word->size > FUZZ_MAX)
                        return size;
                memmove(data + at + word->size, data + at, size - at);
                memcpy(data + at, word->bytes, word->size);
                return size + word->size;
        }
}

static void
fuzz_run_seeds(const struct fuzz_bytes *seeds, size_t nseeds, const struct fuzz_bytes *words, size_t nwords, long count)
{
        static uint8_t data[FUZZ_MAX];
        uint32_t random = 1;

        fuzz_verbatim = true;
        for (size_t i = 0; i < nseeds; i++)
                LLVMFuzzerTestOneInput(seeds[i].bytes, seeds[i].size);
        fuzz_verbatim = false;
        for (long i = 0; i < count; i++) {
                const struct fuzz_bytes *seed = &seeds[(size_t)i % nseeds];
                size_t size = seed->size;

                memcpy(data, seed->bytes, size);
                for (uint32_t k = fuzz_random(&random) % 6; k > 0; k--)
                        size = fuzz_mutate(data, size, &words[fuzz_random(&random) % nwords], &random);
                LLVMFuzzerTestOneInput(data, size);
        }
}

static struct fuzz_bytes
fuzz_load(const char *name)
{
        static uint8_t data[FUZZ_MAX];
        FILE *file = fopen(name, "rb");
        struct fuzz_bytes all;
        void *copy;

        if (file == NULL) {
                perror(name);
                exit(1);
        }
        all.size = fread(data, 1, sizeof data, file);
        fclose(file);
        copy = malloc(all.size + 1);
        if (copy == NULL)
                abort();
        memcpy(copy, data, all.size);
        all.bytes = copy;
        return all;
}

static void
fuzz_run_files(char **names, size_t n, const struct fuzz_bytes *words, size_t nwords, long count)
{
        struct fuzz_bytes *files = malloc((n + 1) * sizeof *files);

        if (files == NULL)
                abort();
        for (size_t i = 0; i < n; i++)
                files[i] = fuzz_load(names[i]);
        fuzz_run_seeds(files, n, words, nwords, n > 0 ? count : 0);
        for (size_t i = 0; i < n; i++)
                free((void *)(uintptr_t)files[i].bytes);
        free(files);
}

static void
fuzz_write_seeds(const struct fuzz_bytes *seeds, size_t nseeds, const char *folder)
{
        for (size_t i = 0; i < nseeds; i++) {
                char name[1024];
                FILE *file;

                snprintf(name, sizeof name, "%s/seed%u", folder, (unsigned)i);
                file = fopen(name, "wb");
                if (file == NULL || fwrite(seeds[i].bytes, 1, seeds[i].size, file) != seeds[i].size ||
                    fclose(file) != 0) {
                        perror(name);
                        exit(1);
                }
        }
}

static int
fuzz_main(int argc, char **argv, const struct fuzz_bytes *seeds, size_t nseeds, const struct fuzz_bytes *words,
          size_t nwords)
{
        if (argc == 3 && strcmp(argv[1], "-d") == 0)
                fuzz_write_seeds(seeds, nseeds, argv[2]);
        else if (argc == 3 && strcmp(argv[1], "-n") == 0)
                fuzz_run_seeds(seeds, nseeds, words, nwords, atol(argv[2]));
        else if (argc >= 4 && strcmp(argv[1], "-m") == 0)
                fuzz_run_files(argv + 3, (size_t)argc - 3, words, nwords, atol(argv[2]));
        else if (argc == 1 && nseeds > 0)
                fuzz_run_seeds(seeds, nseeds, words, nwords, 100000);
        else if (argc > 1 && argv[1][0] != '-')
                fuzz_run_files(argv + 1, (size_t)argc - 1, words, nwords, 0);
        else
                return 2;
        return 0;
}

#endif
