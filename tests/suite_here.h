/**
 * @file
 * @brief What suite.c asks about the machine the tests run on.
 */
#ifndef GREEN_TESTS_SUITE_HERE_H
#define GREEN_TESTS_SUITE_HERE_H

/** Reads the list that GREEN_TEST_SKIPS names. 0, or -1: it cannot be read, or names what is not there. */
int suite_here_begin(void);

/** Why this test cannot run here, from that list; NULL: it can. */
const char *suite_here_refuses(const char *test);

/** Cuts the next word off what `*at` points to; NULL: there is none. */
char *suite_here_word(char **at);

#endif
