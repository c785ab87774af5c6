/*
 * Files: kills and timeouts at each stage, closing while in use, other OS threads, hub context, forks, and what runs
 * out.
 */
#include "net_file.h"

static void
begin(void)
{
        file_setup();
        make_folder();
        (void)file_with("file", "0123456789");
}

/* A call of a kind on a file of its own, which is at 1. */
static struct doing
doing(enum op op)
{
        struct doing d = {.op = op, .buf = "abc", .at = 2, .f = opened("file", O_RDWR)};

        CHECK_INT(green_file_seek(d.f, 1, SEEK_SET, NULL), 0);
        return d;
}

/* Nothing was done. */
static void
nothing_done(const struct doing *d)
{
        CHECK_INT(place(d->f), 1);
        CHECK(memcmp(d->buf, "abc", 3) == 0);
        CHECK(file_has("file", "0123456789"));
        CHECK_INT(things_in(folder), 1);
}

/* All was. */
static void
all_done(const struct doing *d)
{
        CHECK_INT(place(d->f), d->op == OP_READ || d->op == OP_WRITE ? 4 : 1);
        if (d->op == OP_READ || d->op == OP_PREAD)
                CHECK(memcmp(d->buf, d->op == OP_READ ? "123" : "234", 3) == 0);
        CHECK(file_has("file", d->op == OP_WRITE      ? "0abc456789"
                               : d->op == OP_PWRITE   ? "01abc56789"
                               : d->op == OP_TRUNCATE ? "0123"
                                                      : "0123456789"));
        CHECK_INT(things_in(folder), d->op == OP_OPEN || d->op == OP_WRITE_ALL ? 2 : 1);
}

static void
end_with(struct doing *d)
{
        CHECK_INT(green_file_free(d->f), 0);
        remove_folder();
}

/* ---- kills and timeouts */

static void
who_was_killed_does_nothing(void)
{
        for (enum op op = 0; op < OPS; op++) {
                struct green_timeout t = {{0}};
                struct doing d;

                begin();
                d = doing(op);
                CHECK_INT(green_timeout_start(&t, 0), 0);
                CHECK_INT(green_sleep(0.001), GREEN_ETIMEOUT);
                do_op(&d);
                CHECK_INT(d.rc, GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&t), 1);
                nothing_done(&d);
                end_with(&d);
        }
}

static void
a_call_that_has_not_begun_is_ended_by_a_kill(void)
{
        for (enum op op = 0; op < OPS; op++) {
                struct doing d;

                if (!goes_through_pool(op))
                        continue;
                begin();
                d = doing(op);
                block_pool();
                begin_op(&d);
                CHECK(!d.over);
                green_kill(d.gt, 0);
                CHECK_INT(end_op(&d), GREEN_EKILLED);
                unblock_pool();
                nothing_done(&d);
                end_with(&d);
        }
}

static void *
with_a_limit(void *arg)
{
        struct doing *d = arg;
        struct green_timeout t = {{0}};

        CHECK_INT(green_timeout_start(&t, 0.003), 0);
        do_op(d);
        (void)green_timeout_cancel(&t);
        return NULL;
}

static void
a_call_that_has_not_begun_is_ended_by_a_timeout(void)
{
        for (enum op op = 0; op < OPS; op++) {
                struct doing d;

                if (!goes_through_pool(op))
                        continue;
                begin();
                d = doing(op);
                block_pool();
                d.gt = green_spawn(with_a_limit, &d);
                CHECK_INT(end_op(&d), GREEN_ETIMEOUT);
                unblock_pool();
                nothing_done(&d);
                end_with(&d);
        }
}

static void
a_call_that_has_begun_is_waited_for(void)
{
        for (enum op op = 0; op < OPS; op++) {
                struct doing d;

                if (!goes_through_pool(op))
                        continue;
                begin();
                d = doing(op);
                make_slow();
                begin_op(&d);
                until_inside();
                green_kill(d.gt, 0);
                green_sleep(0);
                CHECK(!d.over);
                let_it_go();
                CHECK_INT(end_op(&d), good(op));
                CHECK_INT(d.next, GREEN_EKILLED);
                all_done(&d);
                end_with(&d);
        }
}

/* As an operation it has begun or it has not: either way the position says so. */
static void
a_kill_of_an_operation_leaves_no_doubt(void)
{
        if (!has_operations()) {
                suite_skip("this hub has no operations for files");
                return;
        }
        for (enum op op = 0; op < OP_MOVES; op++) {
                for (int i = 0; i < 20; i++) {
                        struct doing d;

                        begin();
                        d = doing(op);
                        begin_op(&d);
                        for (int turns = 0; turns < i / 4; turns++)
                                green_sleep(0);
                        green_kill(d.gt, 0);
                        if (end_op(&d) == 3) {
                                all_done(&d);
                        } else {
                                CHECK_INT(d.rc, GREEN_EKILLED);
                                CHECK_INT(place(d.f), 1);
                                CHECK(file_has("file", "0123456789"));
                        }
                        end_with(&d);
                }
        }
}

static void
who_waits_for_its_turn_can_be_killed(void)
{
        struct doing d[4];
        bool in_pool = goes_through_pool(OP_WRITE);

        begin();
        for (int i = 0; i < 4; i++)
                d[i] = i == 0 ? doing(OP_WRITE) : (struct doing){.op = OP_WRITE, .f = d[0].f, .buf = "..."};
        memcpy(d[3].buf, "xyz", 3);
        if (in_pool)
                make_slow();
        for (int i = 0; i < 4; i++)
                d[i].gt = green_spawn(op_main, &d[i]);
        if (in_pool)
                until_inside();
        else
                green_sleep(0);
        green_kill(d[1].gt, 0);
        green_kill(d[2].gt, 0);
        CHECK_INT(end_op(&d[1]), GREEN_EKILLED);
        CHECK_INT(end_op(&d[2]), GREEN_EKILLED);
        if (in_pool) {
                CHECK(!d[0].over);
                let_it_go();
        }
        CHECK_INT(end_op(&d[0]), 3);
        CHECK_INT(end_op(&d[3]), 3);
        CHECK_INT(place(d[0].f), 7);
        CHECK(file_has("file", "0abcxyz789"));
        end_with(&d[0]);
}

/* ---- closing */

static void
a_closed_file_refuses_all(void)
{
        begin();
        for (enum op op = 0; op < OP_ON_FILE; op++) {
                struct doing d = doing(op);

                CHECK_INT(green_file_close(d.f), 0);
                CHECK_INT(green_file_close(d.f), 0);
                do_op(&d);
                CHECK_INT(d.rc, -EBADF);
                CHECK_INT(green_file_fd(d.f), GREEN_INVALID_FD);
                CHECK_INT(green_file_seek(d.f, 0, SEEK_SET, NULL), -EBADF);
                CHECK_INT(green_file_free(d.f), 0);
        }
        remove_folder();
}

/* The call goes on; the descriptor stays open for it, and nobody else gets its number. */
static void
a_close_lets_a_call_end_as_it_would(void)
{
        for (enum op op = 0; op < OP_ON_FILE; op++) {
                struct doing d, waiting = {.op = OP_READ};
                bool in_pool = goes_through_pool(op);
                int fd;

                begin();
                d = doing(op);
                waiting.f = d.f;
                fd = green_file_fd(d.f);
                if (in_pool)
                        make_slow();
                begin_op(&d);
                if (in_pool)
                        until_inside();
                CHECK_INT(green_file_free(d.f), -EBUSY);
                begin_op(&waiting);
                CHECK_INT(green_file_close(d.f), 0);
                CHECK(d.over || fcntl(fd, F_GETFD) >= 0);
                CHECK_INT(green_file_fd(d.f), GREEN_INVALID_FD);
                /* At once, while they are inside. */
                CHECK_INT(green_file_free(d.f), 0);
                if (in_pool) {
                        /* Who waits for its turn does not wait for the end of that one. */
                        if (op == OP_READ || op == OP_WRITE) {
                                green_sleep(0);
                                CHECK(waiting.over && !d.over);
                        }
                        let_it_go();
                }
                CHECK_INT(end_op(&d), good(op));
                if (op == OP_READ || op == OP_WRITE)
                        CHECK_INT(end_op(&waiting), -ECANCELED);
                else
                        CHECK_INT(end_op(&waiting), 3);
                CHECK(fcntl(fd, F_GETFD) < 0);
                d.f = NULL;
                remove_folder();
        }
}

/* Reads, and closes before anybody else runs. */
static void *
read_and_close(void *arg)
{
        struct doing *d = arg;

        do_op(d);
        CHECK_INT(green_file_close(d->f), 0);
        return NULL;
}

static void
a_close_comes_before_the_next_one_runs(void)
{
        struct doing d[3];

        begin();
        for (int i = 0; i < 3; i++) {
                d[i] = i == 0 ? doing(OP_READ) : (struct doing){.op = OP_READ, .f = d[0].f};
                d[i].gt = green_spawn(i == 0 ? read_and_close : op_main, &d[i]);
        }
        CHECK_INT(end_op(&d[0]), 3);
        CHECK_INT(end_op(&d[1]), -ECANCELED);
        CHECK_INT(end_op(&d[2]), -ECANCELED);
        end_with(&d[0]);
}

static void *
read_twice(void *arg)
{
        struct doing *d = arg;

        CHECK_INT(green_file_read(d->f, d->buf, 2), 2);
        do_op(d);
        return NULL;
}

/* One whose turn has come has it, though it has not run yet. */
static void
nobody_barges_in(void)
{
        struct doing first, second = {.op = OP_READ};

        begin();
        first = doing(OP_READ);
        second.f = first.f;
        first.gt = green_spawn(read_twice, &first);
        begin_op(&second);
        CHECK_INT(end_op(&first), 3);
        CHECK_INT(end_op(&second), 3);
        CHECK(memcmp(second.buf, "345", 3) == 0);
        CHECK(memcmp(first.buf, "678", 3) == 0);
        CHECK_INT(place(first.f), 9);
        end_with(&first);
}

static void
a_stream_of_a_file_can_be_closed_while_it_reads(void)
{
        green_stream *st;
        struct doing d;
        int fd;

        begin();
        d = doing(OP_PREAD);
        fd = green_file_fd(d.f);
        st = green_file_stream(d.f, NULL);
        if (goes_through_pool(OP_PREAD))
                make_slow();
        begin_op(&d);
        if (goes_through_pool(OP_PREAD))
                until_inside();
        CHECK_INT(green_stream_free(st), 0);
        if (goes_through_pool(OP_PREAD))
                let_it_go();
        CHECK_INT(end_op(&d), 3);
        CHECK(fcntl(fd, F_GETFD) < 0);
        remove_folder();
}

/* ---- other OS threads, hub context, forks */

static void
refuse_all(struct doing *d, int code)
{
        for (d->op = 0; d->op < OP_ON_FILE; d->op++) {
                do_op(d);
                CHECK_INT(d->rc, code);
        }
}

static void *
use_elsewhere(void *arg)
{
        struct doing *d = arg;

        refuse_all(d, -EPERM);
        CHECK_INT(green_file_seek(d->f, 0, SEEK_SET, NULL), -EPERM);
        CHECK(green_file_stream(d->f, NULL) == NULL && errno == EPERM);
        CHECK_INT(green_file_close(d->f), -EPERM);
        CHECK_INT(green_file_free(d->f), -EPERM);
        return NULL;
}

static void *
make_elsewhere(void *arg)
{
        struct doing *d = arg;

        d->f = opened("file", O_RDONLY);
        CHECK_INT(green_hub_destroy(SOON), 0);
        return NULL;
}

static void
a_file_belongs_to_its_os_thread(void)
{
        pthread_t thread;
        struct doing d;
        int fd;

        begin();
        d = doing(OP_READ);
        CHECK_INT(pthread_create(&thread, NULL, use_elsewhere, &d), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(logged("a file belongs to hub"));
        nothing_done(&d);
        CHECK_INT(green_file_free(d.f), 0);
        /* One whose hub has ended can be freed by anybody. */
        CHECK_INT(pthread_create(&thread, NULL, make_elsewhere, &d), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        fd = green_file_fd(d.f);
        CHECK(fcntl(fd, F_GETFD) >= 0);
        CHECK_INT(green_file_read(d.f, d.buf, 1), -EPERM);
        CHECK_INT(green_file_free(d.f), 0);
        CHECK(fcntl(fd, F_GETFD) < 0);
        remove_folder();
}

/* The green thread that was inside is gone with its hub, whatever it had in mind. */
static void *
read_shielded(void *arg)
{
        green_shield_begin();
        return op_main(arg);
}

static void *
leave_shielded(void *arg)
{
        struct doing *d = arg;

        d->f = green_file_from_fd(open(in_folder("file"), O_RDONLY | O_CLOEXEC));
        CHECK(d->f != NULL);
        d->gt = green_spawn(read_shielded, d);
        while (pool_info().queued == 0)
                green_sleep(0.001);
        if (d->at == 1)
                CHECK_INT(green_file_close(d->f), 0);
        green_thread_unref(d->gt);
        (void)green_hub_destroy(0);
        return NULL;
}

static void
a_file_outlives_a_hub_that_ends_in_the_midst(void)
{
        for (int closed = 0; closed < 2; closed++) {
                struct doing d = {.op = OP_STAT, .at = closed};
                pthread_t thread;

                begin();
                block_pool();
                CHECK_INT(pthread_create(&thread, NULL, leave_shielded, &d), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
                CHECK(!d.over);
                unblock_pool();
                CHECK_INT(green_file_free(d.f), 0);
                remove_folder();
        }
}

static void
use_in_hub_context(void *arg)
{
        struct doing *d = arg;
        int64_t at = 0;

        refuse_all(d, -EDEADLK);
        for (; d->op < OPS; d->op++) {
                do_op(d);
                CHECK_INT(d->rc, -EDEADLK);
        }
        CHECK_INT(green_file_seek(d->f, 0, SEEK_CUR, &at), 0);
        CHECK_INT(at, 1);
        CHECK(green_file_fd(d->f) >= 0);
        CHECK_INT(green_file_read(d->f, d->buf, 0), 0);
}

static void
free_in_hub_context(void *arg)
{
        struct doing *d = arg;

        d->rc = green_file_free(d->f);
}

static void
hub_context_cannot_wait(void)
{
        struct doing d;

        begin();
        d = doing(OP_READ);
        CHECK_INT(green_schedule_call_global(0, use_in_hub_context, &d), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(d.op, OPS);
        nothing_done(&d);
        d.rc = 1000;
        CHECK_INT(green_schedule_call_global(0, free_in_hub_context, &d), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK_INT(d.rc, 0);
        remove_folder();
}

static void
a_child_of_a_fork_forgets_who_was_inside(void)
{
        struct doing d;
        int status = -1;
        pid_t pid;

        if (suite_skip_without_child_threads())
                return;
        for (int closed = 0; closed < 2; closed++) {
                begin();
                d = doing(OP_STAT);
                make_slow();
                begin_op(&d);
                until_inside();
                if (closed)
                        CHECK_INT(green_file_close(d.f), 0);
                pid = fork();
                if (pid == 0) {
                        struct doing mine = {.op = OP_READ, .f = d.f};

                        if (!closed) {
                                do_op(&mine);
                                CHECK_INT(mine.rc, 3);
                                CHECK(memcmp(mine.buf, "123", 3) == 0);
                        }
                        CHECK_INT(green_file_free(d.f), 0);
                        _exit(suite_failures() != 0);
                }
                let_it_go();
                CHECK_INT(end_op(&d), 0);
                CHECK_INT(waitpid(pid, &status, 0), pid);
                CHECK_INT(status, 0);
                CHECK_INT(green_file_free(d.f), 0);
                remove_folder();
        }
}

/* ---- what runs out */

static void
memory_that_runs_out_is_an_error(void)
{
        static const enum op ops[] = {OP_OPEN, OP_TEMPORARY, OP_NAMED, OP_READ_ALL, OP_WRITE_ALL, OP_WALK};

        for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
                struct doing d;
                int n = 0;

                begin();
                d = doing(ops[i]);
                do {
                        memory_left = n;
                        do_op(&d);
                        memory_left = -1;
                        if (d.rc == good(ops[i]))
                                break;
                        CHECK_INT(d.rc, -ENOMEM);
                        if (ops[i] != OP_OPEN)
                                nothing_done(&d);
                } while (++n < 20);
                CHECK_RANGE(n, 1, 19);
                all_done(&d);
                end_with(&d);
        }
}

static void
a_stream_without_memory_leaves_the_file(void)
{
        struct doing d;

        begin();
        d = doing(OP_READ);
        memory_left = 0;
        CHECK(green_file_stream(d.f, NULL) == NULL && errno == ENOMEM);
        memory_left = -1;
        do_op(&d);
        CHECK_INT(d.rc, 3);
        end_with(&d);
}

static void
descriptors_that_run_out_are_an_error(void)
{
        static const enum op ops[] = {OP_OPEN, OP_TEMPORARY, OP_NAMED, OP_READ_ALL, OP_WRITE_ALL, OP_WALK};
        struct rlimit old;
        struct doing d;

        begin();
        d = doing(OP_STAT);
        do_op(&d);
        CHECK_INT(d.rc, 0);
        for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
                d.op = ops[i];
                old = leave_descriptors(0);
                do_op(&d);
                restore_descriptors(old);
                CHECK_INT(d.rc, -EMFILE);
                nothing_done(&d);
        }
        /* The second one that is needed. */
        d.op = OP_WRITE_ALL;
        old = leave_descriptors(1);
        do_op(&d);
        restore_descriptors(old);
        CHECK_INT(d.rc, -EMFILE);
        nothing_done(&d);
        end_with(&d);
}

GREEN_SUITE(net_file_life){GREEN_TEST(who_was_killed_does_nothing),
                           GREEN_TEST(a_call_that_has_not_begun_is_ended_by_a_kill),
                           GREEN_TEST(a_call_that_has_not_begun_is_ended_by_a_timeout),
                           GREEN_TEST(a_call_that_has_begun_is_waited_for),
                           GREEN_TEST(a_kill_of_an_operation_leaves_no_doubt),
                           GREEN_TEST(who_waits_for_its_turn_can_be_killed),
                           GREEN_TEST(a_closed_file_refuses_all),
                           GREEN_TEST(a_close_lets_a_call_end_as_it_would),
                           GREEN_TEST(a_close_comes_before_the_next_one_runs),
                           GREEN_TEST(nobody_barges_in),
                           GREEN_TEST(a_stream_of_a_file_can_be_closed_while_it_reads),
                           GREEN_TEST(a_file_belongs_to_its_os_thread),
                           GREEN_TEST(a_file_outlives_a_hub_that_ends_in_the_midst),
                           GREEN_TEST(hub_context_cannot_wait),
                           GREEN_TEST(a_child_of_a_fork_forgets_who_was_inside),
                           GREEN_TEST(memory_that_runs_out_is_an_error),
                           GREEN_TEST(a_stream_without_memory_leaves_the_file),
                           GREEN_TEST(descriptors_that_run_out_are_an_error),
                           GREEN_SUITE_END};
