/** @file
 * @brief What patch_threads.c exports. */
#ifndef GREEN_TESTS_PATCH_THREADS_H
#define GREEN_TESTS_PATCH_THREADS_H

#include <stddef.h>

/** One scenario. */
struct patch_scenario {
        const char *name;
        void (*run)(void);
};

/** All of them, ended by a name that is NULL. */
const struct patch_scenario *patch_scenarios(void);

/** Run one; what it has to say is in buffer. */
void patch_scenario_run(const struct patch_scenario *s, char *buffer, size_t len);

#endif
