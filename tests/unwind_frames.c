/* See unwind_frames.h. Built with -fexceptions, as C++ is. */
#include "unwind_frames.h"

#include <pthread.h>
#include <unistd.h>

#define APART __attribute__((noinline))
#define NOT_THE_LAST_CALL() __asm__ volatile("" ::: "memory")

struct mark {
        struct unwind_frames *frames;
        int n;
};

static void
clean(const struct mark *mark)
{
        mark->frames->cleaned += mark->n;
}

#define CLEANED(frames, n) struct mark mark __attribute__((cleanup(clean))) = {frames, n}

static APART void
leave_by_exit(struct unwind_frames *frames)
{
        CLEANED(frames, 1);

        pthread_exit(mark.frames);
}

/* read() is where a cancel comes to be known. */
static APART void
leave_by_cancel(struct unwind_frames *frames)
{
        CLEANED(frames, 1);
        char byte;

        while (read(mark.frames->fd, &byte, 1) == 1)
                ;
}

static APART void
call(struct unwind_frames *frames, void (*leave)(struct unwind_frames *frames))
{
        CLEANED(frames, 10);

        leave(mark.frames);
        NOT_THE_LAST_CALL();
}

void *
unwind_exits(void *arg)
{
        CLEANED(arg, 100);

        call(mark.frames, leave_by_exit);
        NOT_THE_LAST_CALL();
        return NULL;
}

void *
unwind_is_cancelled(void *arg)
{
        CLEANED(arg, 100);

        call(mark.frames, leave_by_cancel);
        NOT_THE_LAST_CALL();
        return NULL;
}
