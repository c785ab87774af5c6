/*
 * Read-write locks. What all waits have in common is in sync_wait.c.
 */
#include "sync_help.h"

GREEN_SUITE_INIT(sync_init)

static int
acquire_read(void *l, double timeout)
{
        return green_rwlock_acquire_read(l, timeout);
}

static int
acquire_write(void *l, double timeout)
{
        return green_rwlock_acquire_write(l, timeout);
}

static long
holders(const green_rwlock *l)
{
        long readers = 1000;

        CHECK_INT(green_rwlock_holders(l, &readers), 0);
        return readers;
}

static void
readers_share_and_a_writer_is_alone(void)
{
        green_rwlock *l = green_rwlock_new();

        CHECK_INT(holders(l), 0);
        CHECK_INT(green_rwlock_acquire_read(l, 0), 0);
        CHECK_INT(green_rwlock_acquire_read(l, GREEN_FOREVER), 0);
        CHECK_INT(holders(l), 2);
        CHECK_INT(green_rwlock_acquire_write(l, 0), -ETIMEDOUT);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(green_rwlock_acquire_write(l, 0.001), -ETIMEDOUT);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(green_rwlock_acquire_write(l, GREEN_FOREVER), 0);
        CHECK_INT(holders(l), -1);
        CHECK_INT(green_rwlock_acquire_read(l, 0), -ETIMEDOUT);
        CHECK_INT(green_rwlock_acquire_write(l, 0), -ETIMEDOUT);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(holders(l), 0);
        CHECK_INT(green_rwlock_release(l), -EALREADY);
        CHECK(reported("nobody holds the read-write lock"));
        /* Held or not. */
        CHECK_INT(green_rwlock_acquire_read(l, 0), 0);
        CHECK_INT(green_rwlock_free(l), 0);
        CHECK_NEEDS_MEMORY(green_rwlock *, green_rwlock_new(), green_rwlock_free);
}

static void
all_come_in_the_order_they_came_readers_together(void)
{
        green_rwlock *l = green_rwlock_new();
        struct waiter w[6] = {{0}};

        /* R1 holds; W0 R1 R2 W3 R4 W5 wait. */
        CHECK_INT(green_rwlock_acquire_read(l, 0), 0);
        for (int i = 0; i < 6; i++) {
                waiter_start(&w[i], i % 3 == 0 || i == 5 ? acquire_write : acquire_read, l, GREEN_FOREVER);
                CHECK(waits(&w[i]));
        }
        CHECK_INT(green_rwlock_free(l), -EBUSY);
        CHECK_INT(holders(l), 1);
        CHECK_INT(green_rwlock_acquire_read(l, 0), -ETIMEDOUT);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(holders(l), -1);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK(waits(&w[1]));
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(holders(l), 2);
        CHECK_INT(waiter_end(&w[1]), 0);
        CHECK_INT(waiter_end(&w[2]), 0);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK(waits(&w[3]));
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(waiter_end(&w[3]), 0);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(waiter_end(&w[4]), 0);
        CHECK(waits(&w[5]));
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(waiter_end(&w[5]), 0);
        for (int i = 0; i < 6; i++)
                CHECK_INT(w[i].order, i + 1);
        CHECK_INT(holders(l), -1);
        CHECK_INT(green_rwlock_free(l), 0);
}

static int
acquire_write_in_scope(void *l, double timeout)
{
        struct green_timeout t = {{0}};
        int rc;

        CHECK_INT(green_timeout_start(&t, timeout), 0);
        rc = green_rwlock_acquire_write(l, GREEN_FOREVER);
        CHECK_INT(green_timeout_cancel(&t), 1);
        return rc;
}

static void
a_writer_that_gives_up_lets_in_the_readers_behind_it(void)
{
        static const int codes[] = {GREEN_EKILLED, -ETIMEDOUT, GREEN_ETIMEOUT};

        for (int how = 0; how < 3; how++) {
                green_rwlock *l = green_rwlock_new();
                struct waiter w[4] = {{0}};

                CHECK_INT(green_rwlock_acquire_read(l, 0), 0);
                waiter_start(&w[0], how == 2 ? acquire_write_in_scope : acquire_write, l,
                             how == 0 ? GREEN_FOREVER : 0.001);
                waiter_start(&w[1], acquire_read, l, GREEN_FOREVER);
                waiter_start(&w[2], acquire_read, l, GREEN_FOREVER);
                waiter_start(&w[3], acquire_write, l, GREEN_FOREVER);
                /* The others may have given up by now, where the machine is slow. */
                CHECK(how != 0 || waits(&w[1]));
                if (how == 0)
                        CHECK_INT(green_kill(w[0].thread, 0), 0);
                CHECK_INT(waiter_end(&w[0]), codes[how]);
                CHECK_INT(waiter_end(&w[1]), 0);
                CHECK_INT(waiter_end(&w[2]), 0);
                CHECK_INT(holders(l), 3);
                CHECK(waits(&w[3]));
                for (int i = 0; i < 3; i++)
                        CHECK_INT(green_rwlock_release(l), 0);
                CHECK_INT(waiter_end(&w[3]), 0);
                CHECK_INT(green_rwlock_free(l), 0);
        }
}

static void
a_writer_behind_a_writer_and_a_reader_that_give_up_let_nobody_in_too_early(void)
{
        green_rwlock *l = green_rwlock_new();
        struct waiter w[4] = {{0}};

        CHECK_INT(green_rwlock_acquire_write(l, 0), 0);
        waiter_start(&w[0], acquire_write, l, GREEN_FOREVER);
        waiter_start(&w[1], acquire_read, l, GREEN_FOREVER);
        waiter_start(&w[2], acquire_write, l, GREEN_FOREVER);
        waiter_start(&w[3], acquire_read, l, GREEN_FOREVER);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_kill(w[i].thread, 0), 0);
                CHECK_INT(waiter_end(&w[i]), GREEN_EKILLED);
                CHECK(waits(&w[3]));
        }
        CHECK_INT(holders(l), -1);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(waiter_end(&w[3]), 0);
        CHECK_INT(green_rwlock_free(l), 0);
}

struct sleeper {
        green_rwlock *l;
        void (*then)(green_rwlock *l);
};

static void *
sleep_then(void *arg)
{
        const struct sleeper *s = arg;

        CHECK_INT(green_sleep(1), 0);
        s->then(s->l);
        return NULL;
}

static void
read_and_look(green_rwlock *l)
{
        /* No writer waits any more, though the one that did has not run: its readers come first. */
        CHECK_INT(holders(l), 1);
        CHECK_INT(green_rwlock_acquire_read(l, 0), 0);
        CHECK_INT(holders(l), 3);
}

static void
write_and_look(green_rwlock *l)
{
        CHECK_INT(green_rwlock_acquire_write(l, 0), -ETIMEDOUT);
        CHECK_INT(holders(l), 1);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(holders(l), 1);
        CHECK_INT(green_rwlock_acquire_write(l, 0), -ETIMEDOUT);
        /* For the checks that follow. */
        CHECK_INT(green_rwlock_acquire_read(l, 0), 0);
        CHECK_INT(green_rwlock_acquire_read(l, 0), 0);
}

/* Two times are over at one poll, and the one who runs first meets a queue that the writer has left and not cleaned up.
 */
static void
between_its_time_and_its_run_a_writer_is_in_nobodys_way(void)
{
        void (*const then[])(green_rwlock *) = {read_and_look, write_and_look};

        clock_shift_begin();
        for (int i = 0; i < 2; i++) {
                struct sleeper s = {green_rwlock_new(), then[i]};
                struct waiter w[2] = {{0}};
                green_thread *gt = green_spawn(sleep_then, &s);

                turns(1);
                CHECK_INT(green_rwlock_acquire_read(s.l, 0), 0);
                waiter_start(&w[0], acquire_write, s.l, 1);
                waiter_start(&w[1], acquire_read, s.l, GREEN_FOREVER);
                CHECK(waits(&w[1]));
                clock_jump(2);
                CHECK_INT(join(gt), 0);
                CHECK_INT(waiter_end(&w[0]), -ETIMEDOUT);
                CHECK_INT(waiter_end(&w[1]), 0);
                CHECK_INT(holders(s.l), 3);
                CHECK_INT(green_rwlock_free(s.l), 0);
        }
        clock_shift_end();
}

static void
free_it(green_rwlock *l)
{
        CHECK_INT(green_rwlock_free(l), 0);
}

/* Two writers have given up, and neither has run when it is freed: the last of them takes it away. */
static void
what_is_freed_before_a_writer_that_gave_up_runs_is_freed_by_that(void)
{
        struct sleeper s = {.then = free_it};
        struct waiter w[3] = {{0}};
        green_thread *gt;
        long blocks;

        clock_shift_begin();
        gt = green_spawn(sleep_then, &s);
        turns(1);
        for (int i = 0; i < 3; i++)
                waiter_start(&w[i], acquire_write, green_rwlock_new(), 1);
        for (int i = 0; i < 3; i++)
                CHECK_INT(waiter_end(&w[i]), 0);
        blocks = atomic_load(&memory_blocks);
        s.l = green_rwlock_new();
        CHECK_INT(green_rwlock_acquire_read(s.l, 0), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_rwlock_free(w[i].object), 0);
                waiter_start(&w[i], acquire_write, s.l, i == 0 ? GREEN_FOREVER : 1);
        }
        /* One has it before. */
        CHECK_INT(green_rwlock_release(s.l), 0);
        CHECK_INT(waiter_end(&w[0]), 0);
        clock_jump(2);
        CHECK_INT(join(gt), 0);
        CHECK_INT(waiter_end(&w[1]), -ETIMEDOUT);
        CHECK_INT(waiter_end(&w[2]), -ETIMEDOUT);
        CHECK_INT(atomic_load(&memory_blocks), blocks - 3);
        clock_shift_end();
}

static int
read_twice(void *l, double timeout)
{
        CHECK_INT(green_rwlock_acquire_read(l, timeout), 0);
        return green_rwlock_acquire_read(l, timeout);
}

static void
a_release_by_another_than_the_writer_is_reported(void)
{
        green_rwlock *l = green_rwlock_new();
        struct waiter w = {0};

        waiter_start(&w, acquire_write, l, 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(holders(l), -1);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK(reported("a read-write lock that was taken by green thread"));
        /* Who reads is not recorded. */
        waiter_start(&w, read_twice, l, 0);
        CHECK_INT(waiter_end(&w), 0);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_INT(green_rwlock_release(l), 0);
        CHECK_STR(log_text, "");
        CHECK_INT(green_rwlock_free(l), 0);
}

static void
use_elsewhere(void *l)
{
        CHECK_INT(green_rwlock_release(l), -EPERM);
}

static void
what_makes_no_sense_is_refused(void)
{
        green_rwlock *l = green_rwlock_new();
        long n = 7;

        CHECK_INT(green_rwlock_acquire_read(NULL, 0), -EINVAL);
        CHECK_INT(green_rwlock_acquire_write(NULL, 0), -EINVAL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(green_rwlock_release(NULL), -EINVAL);
        CHECK_INT(green_rwlock_holders(NULL, &n), -EINVAL);
        CHECK_INT(green_rwlock_holders(l, NULL), -EINVAL);
        CHECK_INT(n, 7);
        CHECK(reported("misuse"));
        CHECK_INT(green_rwlock_acquire_write(l, 0), 0);
        in_thread(use_elsewhere, l);
        CHECK_INT(holders(l), -1);
        CHECK_INT(green_rwlock_free(l), 0);
}

/* ---- fork */

static void *
hold_for_good(void *arg)
{
        CHECK_INT(green_rwlock_acquire_write(arg, 0), 0);
        return green_fail(green_sleep(GREEN_FOREVER));
}

static void
in_a_child_what_forgotten_green_threads_held_is_free(void)
{
        green_rwlock *written = green_rwlock_new(), *own = green_rwlock_new(), *read = green_rwlock_new();
        green_thread *gt = green_spawn(hold_for_good, written);
        struct waiter w[3] = {{0}};
        long blocks;
        pid_t pid;

        GREEN_COVERS("FORK-04");
        turns(1);
        CHECK_INT(green_rwlock_acquire_write(own, 0), 0);
        CHECK_INT(green_rwlock_acquire_read(read, 0), 0);
        waiter_start(&w[0], acquire_write, written, GREEN_FOREVER);
        waiter_start(&w[1], acquire_write, own, GREEN_FOREVER);
        waiter_start(&w[2], acquire_write, read, GREEN_FOREVER);
        pid = child_begin();
        if (pid == 0) {
                CHECK_INT(holders(written), 0);
                CHECK_INT(holders(own), -1);
                CHECK_INT(holders(read), 0);
                CHECK_INT(green_rwlock_acquire_write(written, 0), 0);
                CHECK_INT(green_rwlock_acquire_read(own, 0), -ETIMEDOUT);
                CHECK_INT(green_rwlock_release(own), 0);
                CHECK_INT(green_rwlock_release(own), -EALREADY);
                CHECK_INT(green_rwlock_release(read), -EALREADY);
                CHECK_INT(green_rwlock_acquire_write(read, 0.001), 0);
                blocks = atomic_load(&memory_blocks);
                CHECK_INT(green_rwlock_free(read), 0);
                CHECK_INT(green_rwlock_free(written), 0);
                CHECK_INT(green_rwlock_free(own), 0);
                CHECK_INT(atomic_load(&memory_blocks), blocks - 3);
                child_exit();
        }
        child_end(pid);
        CHECK_INT(holders(written), -1);
        CHECK_INT(holders(read), 1);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_kill(w[i].thread, 0), 0);
                CHECK_INT(waiter_end(&w[i]), GREEN_EKILLED);
        }
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(green_rwlock_free(written), 0);
        CHECK_INT(green_rwlock_free(own), 0);
        CHECK_INT(green_rwlock_free(read), 0);
}

GREEN_SUITE(sync_rwlock) {
        GREEN_TEST(readers_share_and_a_writer_is_alone),
        GREEN_TEST(all_come_in_the_order_they_came_readers_together),
        GREEN_TEST(a_writer_that_gives_up_lets_in_the_readers_behind_it),
        GREEN_TEST(a_writer_behind_a_writer_and_a_reader_that_give_up_let_nobody_in_too_early),
        GREEN_TEST(between_its_time_and_its_run_a_writer_is_in_nobodys_way),
        GREEN_TEST(what_is_freed_before_a_writer_that_gave_up_runs_is_freed_by_that),
        GREEN_TEST(a_release_by_another_than_the_writer_is_reported),
        GREEN_TEST(what_makes_no_sense_is_refused),
        GREEN_TEST(in_a_child_what_forgotten_green_threads_held_is_free),
        GREEN_SUITE_END
};
