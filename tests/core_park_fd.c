/* Parking on descriptors and queues at once: green_wait_fd(). */
#include "core_help.h"
#include "core_suite.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

GREEN_SUITE_INIT(help_init)

static green_thread *
parked(green_thread_fn fn, void *arg)
{
        green_thread *gt = green_spawn(fn, arg);

        turns(1);
        return gt;
}

static void
pair(int fds[2])
{
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

static void
close_fd(int fd)
{
        green_notify_close(fd);
        close(fd);
}

static void
put_byte(int fd)
{
        CHECK_INT(write(fd, "x", 1), 1);
}

static void
drain(int fd)
{
        char bytes[4096];

        while (read(fd, bytes, sizeof(bytes)) > 0)
                ;
}

#define CHECK_NO_FD_WAITS()                                                                                            \
        do {                                                                                                           \
                CHECK_INT(hub_info().readers, 0);                                                                      \
                CHECK_INT(hub_info().writers, 0);                                                                      \
        } while (0)

/* Waits to read and to write, and in a queue. */
struct fd_wait {
        int fds[3]; /* -1: none. To read, to write, to read */
        struct green_waitq q;
        double timeout;
        size_t index;
        int rc;
};

static int
wait_fds(struct fd_wait *f)
{
        struct green_wait w[4] = {{.queue = NULL}};

        w[3].queue = &f->q;
        f->index = 77;
        for (int i = 0; i < 3; i++)
                if (f->fds[i] >= 0)
                        CHECK_INT(green_wait_fd(&w[i], f->fds[i], i == 1 ? GREEN_WRITE : GREEN_READ), 0);
        f->rc = green_park_any(w, 4, f->timeout, &f->index);
        CHECK_PTR(f->q.first, NULL);
        return f->rc;
}

static void *
wait_fds_main(void *arg)
{
        (void)wait_fds(arg);
        return NULL;
}

static void
a_wait_for_several_descriptors_ends_at_the_first_that_is_ready(void)
{
        struct fd_wait f = {.timeout = GREEN_FOREVER};
        int a[2], b[2];

        pair(a);
        pair(b);
        core_fill(a[0]);
        for (int round = 0; round < 3; round++) {
                green_thread *gt;

                f.fds[0] = a[0]; /* both directions of one descriptor */
                f.fds[1] = a[0];
                f.fds[2] = b[0];
                gt = parked(wait_fds_main, &f);
                CHECK_INT(hub_info().readers, 2);
                CHECK_INT(hub_info().writers, 1);
                if (round == 0)
                        put_byte(a[1]);
                else if (round == 1)
                        drain(a[1]);
                else
                        put_byte(b[1]);
                CHECK_INT(join(gt), 0);
                CHECK_INT(f.rc, 0);
                CHECK_INT(f.index, round);
                CHECK_NO_FD_WAITS();
                drain(a[0]);
                core_fill(a[0]);
        }
        CHECK_INT(wait_fds(&f), 0); /* is there already */
        CHECK_INT(f.index, 2);
        drain(b[0]);
        for (int i = 0; i < 2; i++) {
                close_fd(a[i]);
                close_fd(b[i]);
        }
}

static void
a_wait_for_a_descriptor_ends_by_another_queue_time_or_kill_and_leaves_nothing(void)
{
        struct fd_wait f = {.timeout = 0.001};
        green_thread *gt;
        int a[2];

        pair(a);
        core_fill(a[0]);
        f.fds[0] = f.fds[1] = a[0];
        f.fds[2] = -1;
        CHECK_INT(wait_fds(&f), -ETIMEDOUT);
        CHECK_INT(f.index, 77);
        CHECK_NO_FD_WAITS();
        f.timeout = 0; /* only lets go */
        put_byte(a[1]);
        CHECK_INT(wait_fds(&f), -ETIMEDOUT);
        CHECK_NO_FD_WAITS();
        drain(a[0]);
        f.timeout = GREEN_FOREVER;
        gt = parked(wait_fds_main, &f);
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(f.rc, GREEN_EKILLED);
        CHECK_NO_FD_WAITS();
        CHECK_INT(join(gt), GREEN_EKILLED);
        gt = parked(wait_fds_main, &f);
        CHECK(green_wake_one(&f.q, NULL));
        CHECK_INT(join(gt), 0);
        CHECK_INT(f.index, 3);
        CHECK_NO_FD_WAITS();
        /* The descriptor is free for others, and ready for them. */
        put_byte(a[1]);
        CHECK_INT(green_trampoline(a[0], GREEN_READ, 5), 0);
        drain(a[1]);
        CHECK_INT(green_trampoline(a[0], GREEN_WRITE, 5), 0);
        close_fd(a[0]);
        close_fd(a[1]);
}

static void
a_descriptor_that_is_closed_ends_the_wait(void)
{
        struct fd_wait f = {.timeout = GREEN_FOREVER};
        green_thread *gt;
        int a[2];

        for (int round = 0; round < 2; round++) {
                pair(a);
                core_fill(a[0]);
                f.fds[0] = round == 0 ? a[0] : -1;
                f.fds[1] = a[0];
                f.fds[2] = -1;
                gt = parked(wait_fds_main, &f);
                close_fd(a[0]);
                CHECK_INT(join(gt), 0);
                CHECK_NO_FD_WAITS();
                CHECK_INT(f.rc, -ECANCELED);
                CHECK_INT(f.index, round);
                close_fd(a[1]);
        }
}

static void
what_cannot_be_waited_for_is_told_at_once(void)
{
        struct fd_wait f = {.timeout = GREEN_FOREVER};
        struct green_wait w[2] = {{.queue = NULL}};
        green_thread *gt;
        int a[2], file, rc;

        pair(a);
        CHECK_INT(green_wait_fd(&w[0], a[0], 0), -EINVAL);
        CHECK_INT(green_wait_fd(&w[0], a[0], GREEN_READ | GREEN_WRITE), -EINVAL);
        CHECK_INT(green_wait_fd(&w[0], -1, GREEN_READ), -EINVAL);
        f.fds[0] = a[0];
        f.fds[1] = f.fds[2] = -1;
        gt = parked(wait_fds_main, &f);
        CHECK_INT(green_wait_fd(&w[0], a[0], GREEN_READ), -EBUSY);
        CHECK_PTR(w[0].queue, NULL);
        CHECK(strstr(green_last_error()->message, "second simultaneous read") != NULL);
        CHECK_INT(green_wait_fd(&w[0], a[0], GREEN_WRITE), 0); /* the other direction is free */
        CHECK_INT(green_park_any(w, 1, 5, NULL), 0);
        CHECK_INT(hub_info().readers, 1);
        put_byte(a[1]);
        CHECK_INT(join(gt), 0);
        CHECK_INT(f.rc, 0);
        close_fd(a[0]);
        close_fd(a[1]);
        rc = green_wait_fd(&w[0], a[0], GREEN_READ);
        CHECK(rc == -EBADF || (rc == 0 && green_park_any(w, 1, 5, NULL) == 0));
        file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        CHECK(file >= 0);
        rc = green_wait_fd(&w[0], file, GREEN_READ);
        CHECK(rc == 1 ? w[0].queue == NULL : rc == 0); /* those that poll regular files find them ready */
        if (rc == 0)
                CHECK_INT(green_park_any(w, 1, 5, NULL), 0);
        close_fd(file);
        CHECK_NO_FD_WAITS();
}

struct owner {
        green_io *io;
        int rc;
};

static void *
owner_main(void *arg)
{
        struct owner *o = arg;

        o->rc = green_io_wait(o->io, GREEN_READ, GREEN_FOREVER);
        return NULL;
}

static void
a_number_that_is_owned_can_be_waited_for_besides(void)
{
        struct fd_wait f = {.timeout = GREEN_FOREVER};
        struct owner o = {.rc = 9};
        green_thread *owner, *gt;
        struct green_wait w;
        int a[2];

        pair(a);
        core_fill(a[0]);
        o.io = green_io_open(a[0], 0);
        CHECK_OR_RETURN(o.io != NULL);
        owner = parked(owner_main, &o);
        f.fds[0] = f.fds[2] = -1;
        f.fds[1] = a[0];
        gt = parked(wait_fds_main, &f);
        CHECK_INT(green_wait_fd(&w, a[0], GREEN_READ), -EBUSY);
        put_byte(a[1]);
        CHECK_INT(join(owner), 0);
        CHECK_INT(o.rc, 0);
        CHECK_INT(f.index, 77); /* waits on, to write */
        f.fds[1] = -1;
        drain(a[1]);
        CHECK_INT(join(gt), 0);
        CHECK_INT(f.rc, 0);
        CHECK_INT(f.index, 1);
        f.fds[0] = a[0]; /* nobody has read it yet, and its edge was used up */
        CHECK_INT(wait_fds(&f), 0);
        CHECK_INT(f.index, 0);
        drain(a[0]);
        f.fds[0] = a[0];
        f.fds[1] = a[0];
        core_fill(a[0]);
        gt = parked(wait_fds_main, &f);
        CHECK_INT(green_io_close(o.io), 0);
        CHECK_INT(join(gt), 0);
        CHECK_INT(f.rc, -ECANCELED);
        CHECK_INT(green_io_free(o.io), 0);
        CHECK_NO_FD_WAITS();
        close_fd(a[1]);
}

/* The back end knows of no descriptor that nobody waits for. */
static void
let_go(const char *plugin)
{
        struct hub_late_stats *stats = core_late_hub(plugin, "strict=1");
        struct fd_wait f = {.timeout = 0};
        int a[2];

        if (stats == NULL)
                return;
        pair(a);
        core_fill(a[0]);
        f.fds[0] = f.fds[1] = a[0];
        f.fds[2] = a[1];
        for (int how = 0; how < 4; how++) {
                unsigned long added = stats->adds;

                if (how < 2) { /* not at all, or for a time */
                        f.timeout = how == 0 ? 0 : 0.001;
                        drain(a[1]);
                        core_fill(a[0]);
                        f.fds[2] = -1;
                        CHECK_INT(wait_fds(&f), -ETIMEDOUT);
                } else {
                        green_thread *gt;

                        f.timeout = GREEN_FOREVER;
                        gt = parked(wait_fds_main, &f);
                        if (how == 2)
                                CHECK_INT(green_kill(gt, 0), 0);
                        else
                                CHECK(green_wake_one(&f.q, NULL));
                        CHECK_INT(join(gt), how == 2 ? GREEN_EKILLED : 0);
                }
                CHECK(stats->adds > added);
                CHECK_INT(stats->adds, stats->removes);
        }
        close_fd(a[0]);
        close_fd(a[1]);
        core_fresh_hub(NULL);
}

static void
the_back_end_is_told_when_nobody_waits_any_more(void)
{
        let_go("hub_late");
        let_go("hub_late_level");
}

static void
wait_fd_in_callback(void *arg)
{
        struct fd_wait *f = arg;

        CHECK_INT(wait_fds(f), -EDEADLK);
        CHECK_NO_FD_WAITS();
}

static void
in_a_callback_a_wait_for_descriptors_lets_go_of_them(void)
{
        struct fd_wait f = {.timeout = GREEN_FOREVER};
        int a[2];

        pair(a);
        f.fds[0] = a[0];
        f.fds[1] = a[0];
        f.fds[2] = -1;
        CHECK_INT(green_schedule_call_global(0, wait_fd_in_callback, &f), 0);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(f.rc, -EDEADLK);
        CHECK_INT(green_kill(green_getcurrent(), 0), 0); /* the same where the caller was killed */
        CHECK_INT(wait_fds(&f), GREEN_EKILLED);
        CHECK_NO_FD_WAITS();
        CHECK_INT(green_recover(), GREEN_EKILLED);
        CHECK_INT(green_trampoline(a[0], GREEN_WRITE, 5), 0);
        close_fd(a[0]);
        close_fd(a[1]);
}

/* One of several that share a descriptor: takes one byte. */
static int shared_bytes[2], shared_taken;

static void *
sharer_main(void *arg)
{
        int *fd = arg;
        char byte;

        CHECK_INT(green_trampoline(*fd, GREEN_READ | GREEN_SHARED, GREEN_FOREVER), 0);
        CHECK_INT(read(*fd, &byte, 1), 1);
        shared_bytes[shared_taken++] = byte;
        return NULL;
}

static void
several_may_share_a_descriptor(void)
{
        struct green_wait w;
        green_thread *first, *second;
        int a[2];

        pair(a);
        shared_taken = 0;
        first = parked(sharer_main, &a[0]);
        second = parked(sharer_main, &a[0]);
        CHECK_INT(hub_info().readers, 2);
        CHECK_INT(green_trampoline(a[0], GREEN_READ, 5), -EBUSY); /* who does not say so wants it alone */
        CHECK_INT(green_wait_fd(&w, a[0], GREEN_READ | GREEN_SHARED), 0);
        CHECK_INT(green_park_any(&w, 1, 0, NULL), -ETIMEDOUT);
        CHECK_INT(write(a[1], "1", 1), 1);
        CHECK_INT(join(first), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(shared_taken, 1);
        CHECK_INT(write(a[1], "2", 1), 1);
        CHECK_INT(join(second), 0);
        CHECK_INT(shared_taken, 2);
        CHECK_INT(shared_bytes[0], '1');
        CHECK_INT(shared_bytes[1], '2');
        /* Both come to their turn where there is something for both at once. */
        first = parked(sharer_main, &a[0]);
        second = parked(sharer_main, &a[0]);
        shared_taken = 0;
        CHECK_INT(write(a[1], "34", 2), 2);
        CHECK_INT(join(first), 0);
        CHECK_INT(join(second), 0);
        CHECK_INT(shared_taken, 2);
        CHECK_NO_FD_WAITS();
        close_fd(a[0]);
        close_fd(a[1]);
}

GREEN_SUITE(core_park_fd) {
        GREEN_TEST(a_wait_for_several_descriptors_ends_at_the_first_that_is_ready),
        GREEN_TEST(a_wait_for_a_descriptor_ends_by_another_queue_time_or_kill_and_leaves_nothing),
        GREEN_TEST(a_descriptor_that_is_closed_ends_the_wait),
        GREEN_TEST(what_cannot_be_waited_for_is_told_at_once),
        GREEN_TEST(several_may_share_a_descriptor),
        GREEN_TEST(a_number_that_is_owned_can_be_waited_for_besides),
        GREEN_TEST(the_back_end_is_told_when_nobody_waits_any_more),
        GREEN_TEST(in_a_callback_a_wait_for_descriptors_lets_go_of_them),
        GREEN_SUITE_END
};
