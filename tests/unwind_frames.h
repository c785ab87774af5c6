/*
 * Functions with something to clean up, in the midst of which an OS thread ends. A module, or part of the program where
 * there are none.
 */
#ifndef GREEN_TESTS_UNWIND_FRAMES_H
#define GREEN_TESTS_UNWIND_FRAMES_H

struct unwind_frames {
        int cleaned; /* each of the three frames adds another power of 10 */
        int fd;      /* what is read from */
};

/* Main functions of OS threads; arg is a struct unwind_frames. The first gives it as its result. */
void *unwind_exits(void *arg);
void *unwind_is_cancelled(void *arg);

#endif
