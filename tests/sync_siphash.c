/*
 * The hash of DAG pools: values that other implementations give, and keys that differ.
 */
#include "suite.h"

#include "../sync/siphash.h"

static void
hashes_are_those_of_siphash_1_3(void)
{
        /* Python 3.11 with PYTHONHASHSEED=0 hashes with the key 0; the last is of the reference key 00 01 .. 0f. */
        static const uint64_t zero[2] = {0, 0}, reference[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
        static const struct {
                const uint64_t *key;
                const char *text;
                uint64_t hash;
        } rows[] = {
                {zero, "a", 0x407448d2b89b1813u},         {zero, "abc", 0xc03bc3a0042630f2u},
                {zero, "seven77", 0xa6db6108ea1ca0c6u},   {zero, "eight888", 0xde3012c86e77952fu},
                {zero, "nine99999", 0xc277005464d2dae5u}, {zero, "a key of more than two words", 0x092b9b99deca802du},
                {reference, "", 0xabac0158050fc4dcu},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                CHECK_INT((int64_t)green__siphash(rows[i].key, rows[i].text, strlen(rows[i].text)),
                          (int64_t)rows[i].hash);
}

static void
each_key_is_another(void)
{
        uint64_t keys[8][2];

        for (int i = 0; i < 8; i++) {
                green__siphash_key(keys[i]);
                CHECK(keys[i][0] != keys[i][1]);
                for (int j = 0; j < i; j++) {
                        CHECK(keys[i][0] != keys[j][0] && keys[i][1] != keys[j][1]);
                        CHECK(green__siphash(keys[i], "key", 3) != green__siphash(keys[j], "key", 3));
                }
        }
}

GREEN_SUITE(sync_siphash) {
        GREEN_TEST(hashes_are_those_of_siphash_1_3),
        GREEN_TEST(each_key_is_another),
        GREEN_SUITE_END
};
