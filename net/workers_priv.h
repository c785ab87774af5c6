/*
 * The supervisor of workers and what its files share. See <green/workers.h>.
 *
 * The supervisor is the main green thread, in one loop: it looks at who has ended, starts who is due, and waits on a
 * semaphore that signals and news of the workers release. What all processes see lies in the board, in shared memory.
 */
#ifndef GREEN_NET_WORKERS_PRIV_H
#define GREEN_NET_WORKERS_PRIV_H

#include <stdatomic.h>
#include <sys/types.h>

#include <green/semaphore.h>
#include <green/signal.h>
#include <green/workers.h>

/* What all processes see of a worker. */
struct green__seat {
        atomic_int state; /* enum green_worker_state */
        atomic_int pid;
        atomic_uint restarts;
        _Atomic(int64_t) born;
        atomic_int error; /* with which it could not start */
};

struct green__board {
        size_t bytes; /* of the mapping */
        size_t count; /* seats */
        size_t shared_size;
        size_t shared_step; /* from the area of one worker to that of the next */
        size_t shared_at;   /* where the first lies */
        pid_t supervisor;
        unsigned generation;
        atomic_bool ending; /* for those whose signal came before they could take note of it */
        struct green__seat seats[];
};

/* What the supervisor knows of a worker. */
struct green__place {
        pid_t pid;     /* 0: none */
        bool ready;    /* it was, and that was seen */
        bool killed;   /* SIGKILL was sent */
        int64_t since; /* began, or was ready */
        int64_t due;   /* without one: when it begins; with one that is not ready: when it is given up */
        double pause;  /* before it comes again */
};

enum green__heard {
        GREEN__HEARD_TERM,
        GREEN__HEARD_INT,
        GREEN__HEARD_HUP,
        GREEN__HEARD_USR2,
        GREEN__HEARD_CHLD,
        GREEN__HEARD
};

struct green__crew {
        struct green_workers_opts o;
        green_worker_fn fn;
        void *arg;
        struct green__board *board;
        struct green__place *places;
        size_t count;  /* workers */
        green_fd *fds; /* the listeners */
        size_t fd_count;
        green_fd life[2]; /* the workers read the end when the supervisor is gone */
        green_fd told[2]; /* they write a byte when they are ready */
        green_semaphore *wake;
        struct green__ear {
                struct green__crew *crew;
                green_signal *signal;
                green_thread *thread;
                unsigned came;
        } ears[GREEN__HEARD];
        green_thread *reader; /* of told */
        int deaf;             /* why one of those could not wait, the last time */
        bool first_ready;     /* one was ready, at some time */
        bool announced;       /* all were */
        bool ending;
        bool told_end;  /* by a signal */
        bool killing;   /* what still runs was sent SIGKILL */
        int64_t end_at; /* ending: when those that still run are killed */
        int result;

        /* A restart: the program that follows. */
        struct green__next {
                pid_t pid; /* 0: none */
                green_fd fd;
                green_thread *reader;
                int64_t due;
                bool ready, failed;
        } next;
        green_fd before; /* to whom this program follows: a byte when all are ready; -1: nobody */
};

/* workers_board.c */
struct green__board *green__board_new(size_t count, size_t shared_size, unsigned generation);
void green__board_free(struct green__board *b);
void *green__board_shared(const struct green__board *b, size_t index);
/* The one of this process; set before anybody may ask. */
void green__board_show(struct green__board *b);
bool green__board_shown(void);

/* workers.c: after a wait that failed with rc, and a while: true, it is to be tried again; false, it was ended. */
bool green__wait_again(ssize_t rc);

/* workers_child.c: all the life of a worker, in its process. */
_Noreturn void green__worker_run(struct green__crew *crew, size_t index);

/* workers_next.c */
/* What this program was told by the one before: its generation, and where to say that all are ready. */
unsigned green__next_generation(green_fd *ret_before);
int green__next_start(struct green__crew *crew);
/* Look at how it does, and clean up behind it. */
void green__next_look(struct green__crew *crew, int64_t now);
void green__next_stop(struct green__crew *crew);

/* workers_tell.c */
/* A message for systemd, if it wants any: "READY=1". */
void green__tell_systemd(const char *text);
void green__tell_reader(green_fd fd);
int green__pid_file_write(const char *path);
void green__pid_file_remove(const char *path);

/* workers.c */
void green__crew_end(struct green__crew *crew, int result);

#define GREEN__SECOND INT64_C(1000000000)

static inline int64_t
green__in_seconds(int64_t now, double seconds)
{
        return seconds >= 1e9 ? INT64_MAX : now + (int64_t)(seconds * 1e9);
}

#endif
