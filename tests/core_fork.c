/* fork(): the child continues the forking green thread alone, with an empty hub. */
#include "core_suite.h"

#include <netinet/in.h>
#include <sched.h>

static struct green_waitq queue;

static void *
must_not_run_in_child(void *arg)
{
        const pid_t *parent = arg;

        CHECK_INT(green_sleep(0.02), 0);
        if (getpid() != *parent) {
                fprintf(stderr, "a forgotten green thread runs in the child\n");
                _exit(9);
        }
        return NULL;
}

static void *
park_for_good(void *arg)
{
        struct green_wait w;

        (void)arg;
        return green_fail(green_park(&queue, &w, GREEN_FOREVER));
}

static void
only_the_forking_green_thread_goes_on_in_the_child(void)
{
        pid_t parent = getpid(), pid;
        green_thread *sleeper, *parked, *unstarted;

        GREEN_COVERS("FORK-03");
        sleeper = green_spawn(must_not_run_in_child, &parent);
        parked = green_spawn(park_for_good, NULL);
        CHECK_INT(green_sleep(0), 0);
        unstarted = green_spawn(must_not_run_in_child, &parent);
        pid = core_fork();
        if (pid == 0) {
                CHECK_INT(core_info().threads, 1);
                CHECK_INT(core_info().timers, 0);
                CHECK_INT(core_info().ready, 0);
                CHECK_INT(green_thread_wait(parked, NULL), GREEN_EKILLED);
                CHECK_INT(green_thread_wait(unstarted, NULL), GREEN_EKILLED);
                CHECK(green_thread_dead(sleeper));
                CHECK_INT(green_sleep(0.05), 0);
                CHECK_INT(core_join(sleeper), GREEN_EKILLED);
                core_child_exit();
        }
        CHECK_INT(core_join(sleeper), 0);
        CHECK_INT(core_join(unstarted), 0);
        core_kill(parked);
        CHECK_INT(core_child_end(pid), 0);
}

static void *
wait_for_thread(void *arg)
{
        return green_fail(green_thread_wait(arg, NULL));
}

static void
queues_forget_those_who_waited(void)
{
        green_thread *parked, *joiner;
        bool woken = false;
        pid_t pid;

        GREEN_COVERS("FORK-03");
        parked = green_spawn(park_for_good, NULL);
        joiner = green_spawn(wait_for_thread, parked);
        CHECK_INT(green_sleep(0), 0);
        pid = core_fork();
        if (pid == 0) {
                struct green_wait w;

                CHECK_PTR(green_waitq_first(&queue), NULL);
                CHECK(!green_wake_one(&queue, NULL));
                CHECK_INT(green_thread_wait(joiner, NULL), GREEN_EKILLED);
                CHECK_INT(green_park(&queue, &w, 0.001), -ETIMEDOUT);
                core_child_exit();
        }
        woken = green_wake_one(&queue, NULL);
        CHECK(woken);
        CHECK_INT(core_join(parked), -EINVAL);
        CHECK_INT(core_join(joiner), -EINVAL);
        CHECK_INT(core_child_end(pid), 0);
}

static void *
spawn_bound(void *arg)
{
        struct green_wait w;
        green_thread **bound = arg;

        bound[0] = green_spawn_after_local(100, park_for_good, NULL);
        bound[1] = green_spawn_after_local(100, park_for_good, NULL);
        CHECK_INT(green_schedule_call_local(100, core_nothing, NULL), 0);
        return green_fail(green_park(&queue, &w, GREEN_FOREVER));
}

static void
what_is_bound_to_a_forgotten_one_is_forgotten_too(void)
{
        green_thread *bound[2] = {NULL, NULL};
        green_thread *creator = green_spawn(spawn_bound, bound);
        pid_t pid;

        GREEN_COVERS("FORK-03");
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(core_info().threads, 4);
        pid = core_fork();
        if (pid == 0) {
                CHECK_INT(core_info().threads, 1);
                CHECK_INT(core_info().timers, 0);
                CHECK_INT(core_join(bound[0]), GREEN_EKILLED);
                CHECK_INT(core_join(bound[1]), GREEN_EKILLED);
                CHECK_INT(core_join(creator), GREEN_EKILLED);
                CHECK_INT(green_sleep(0.001), 0);
                core_child_exit();
        }
        core_kill(creator);
        CHECK_INT(core_join(bound[0]), GREEN_EKILLED);
        CHECK_INT(core_join(bound[1]), GREEN_EKILLED);
        CHECK_INT(core_child_end(pid), 0);
}

struct forker {
        green_thread *main_thread;
        pid_t pid;
        int fds[2];
};

static void *
fork_here(void *arg)
{
        struct forker *f = arg;

        f->pid = core_fork();
        if (f->pid == 0) {
                CHECK_INT(green_thread_wait(f->main_thread, NULL), GREEN_EKILLED);
                CHECK_INT(green_sleep(0.002), 0);
                CHECK_INT(core_join(green_spawn(must_not_run_in_child, &(pid_t){getpid()})), 0);
                core_put(f->fds[0]);
                CHECK_INT(green_trampoline(f->fds[0], GREEN_READ, CORE_SOON), 0);
                core_child_exit();
        }
        return NULL;
}

static void
a_green_thread_other_than_main_may_fork(void)
{
        struct forker f = {.main_thread = green_getcurrent()};

        GREEN_COVERS("FORK-03");
        CHECK_OR_RETURN(core_pair(f.fds));
        CHECK_INT(core_join(green_spawn(fork_here, &f)), 0);
        CHECK_INT(green_trampoline(f.fds[1], GREEN_READ, CORE_SOON), 0);
        CHECK_INT(core_drain(f.fds[1]), 1);
        core_put(f.fds[1]);
        CHECK_INT(core_child_end(f.pid), 0);
        core_close_pair(f.fds);
}

/* ---- descriptors */

static int
listen_somewhere(struct sockaddr_in *name)
{
        socklen_t size = sizeof *name;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        CHECK_INT(bind(fd, (struct sockaddr *)name, sizeof *name), 0);
        CHECK_INT(listen(fd, 16), 0);
        CHECK_INT(getsockname(fd, (struct sockaddr *)name, &size), 0);
        return fd;
}

/* Accepts one connection and says on it who it is. */
static void
accept_one(green_io *io, char who)
{
        int fd;

        while ((fd = accept4(green_io_fd(io), NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
                CHECK_INT(errno, EAGAIN);
                if (green_io_wait(io, GREEN_READ, CORE_SOON) != 0)
                        break;
        }
        CHECK(fd >= 0);
        CHECK_INT(write(fd, &who, 1), 1);
        close(fd);
}

static void *
accept_in_parent(void *arg)
{
        accept_one(arg, 'p');
        return NULL;
}

/* Connects, and returns who answered. */
static char
ask(const struct sockaddr_in *name)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char who = '?';

        CHECK_INT(connect(fd, (const struct sockaddr *)name, sizeof *name), 0);
        CHECK_INT(green_trampoline(fd, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(read(fd, &who, 1), 1);
        green_notify_close(fd);
        close(fd);
        return who;
}

static void
parent_and_child_both_accept_on_one_listener(void)
{
        struct sockaddr_in name;
        green_thread *acceptor;
        green_io *io;
        char who[2];
        pid_t pid;

        GREEN_COVERS("FORK-01", "FORK-02");
        io = green_io_open(listen_somewhere(&name), 0);
        /* Registered before the fork. */
        CHECK_INT(green_io_wait(io, GREEN_READ, 0.001), -ETIMEDOUT);
        pid = core_fork();
        if (pid == 0) {
                accept_one(io, 'c');
                CHECK_INT(green_io_free(io), 0);
                core_child_exit();
        }
        /* While the parent does not accept, it is the child who must answer. */
        who[0] = ask(&name);
        CHECK_INT(who[0], 'c');
        CHECK_INT(core_child_end(pid), 0);
        acceptor = green_spawn(accept_in_parent, io);
        who[1] = ask(&name);
        CHECK_INT(who[1], 'p');
        CHECK_INT(core_join(acceptor), 0);
        CHECK_INT(green_io_free(io), 0);
}

static void
events_of_the_child_do_not_reach_the_parent(void)
{
        struct core_waiter reader;
        int fds[2], other[2];
        pid_t pid;

        GREEN_COVERS("FORK-02", "FD-18");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_OR_RETURN(core_pair(other));
        core_wait_fd(&reader, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        pid = core_fork();
        if (pid == 0) {
                /* The number means another file here; the parent's registration must not notice. */
                green_notify_close(fds[0]);
                CHECK_INT(dup2(other[0], fds[0]), fds[0]);
                core_put(other[1]);
                CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK(!reader.done);
        core_put(fds[1]);
        CHECK_INT(core_join(reader.gt), 0);
        CHECK_INT(reader.rc, 0);
        core_close_pair(fds);
        core_close_pair(other);
}

struct fork_watch {
        struct green_watch w;
        int result;
        bool called;
};

static void
watch_called(struct green_watch *w, int result, void *arg)
{
        struct fork_watch *f = arg;

        (void)w;
        f->result = result;
        f->called = true;
        green_wake_one(&queue, NULL);
}

static void
watches_go_on_in_the_child(void)
{
        struct fork_watch fd = {.called = false}, time = {.called = false};
        struct green_wait w;
        int fds[2];
        pid_t pid;

        GREEN_COVERS("FORK-02", "FD-18");
        CHECK_OR_RETURN(core_pair(fds));
        green_watch_init(&fd.w, watch_called, &fd);
        green_watch_init(&time.w, watch_called, &time);
        CHECK_INT(green_watch_start(&fd.w, fds[0], GREEN_READ | GREEN_WRITE, 100), 0);
        CHECK(green_watch_stop(&fd.w));
        CHECK_INT(green_watch_start(&fd.w, fds[0], GREEN_READ, 100), 0);
        CHECK_INT(green_watch_start(&time.w, GREEN_INVALID_FD, 0, 0.01), 0);
        pid = core_fork();
        if (pid == 0) {
                CHECK_INT(core_info().readers, 1);
                CHECK_INT(core_info().writers, 0);
                CHECK_INT(green_park(&queue, &w, CORE_SOON), 0);
                CHECK(time.called && !fd.called);
                core_put(fds[1]);
                CHECK_INT(green_park(&queue, &w, CORE_SOON), 0);
                CHECK(fd.called);
                CHECK_INT(fd.result, GREEN_READ);
                CHECK_INT(core_info().readers, 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        CHECK_INT(core_drain(fds[0]), 1);
        CHECK_INT(green_park(&queue, &w, CORE_SOON), 0);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK(time.called && !fd.called);
        CHECK(green_watch_stop(&fd.w));
        core_close_pair(fds);
}

static void *
fork_in_os_thread(void *arg)
{
        pid_t *pid = arg;

        CHECK_INT(green_sleep(0.001), 0);
        *pid = core_fork();
        if (*pid == 0) {
                CHECK_INT(green_sleep(0.002), 0);
                core_child_exit();
        }
        return NULL;
}

static void
another_os_thread_may_fork(void)
{
        pthread_t thread;
        pid_t pid = -1;

        GREEN_COVERS("FORK-03");
        CHECK_INT(pthread_create(&thread, NULL, fork_in_os_thread, &pid), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK_INT(core_child_end(pid), 0);
}

static void
wake_queue(void *arg)
{
        green_wake_one(&queue, arg);
}

static void *
post_wake(void *arg)
{
        CHECK_INT(green_hub_post(arg, wake_queue, NULL), 0);
        return NULL;
}

static void
posts_reach_the_hub_of_the_child_and_only_that(void)
{
        green_hub *hub = green_get_hub();
        struct green_wait w;
        pthread_t thread;
        pid_t pid;

        GREEN_COVERS("FORK-02");
        if (suite_skip_without_child_threads())
                return;
        pid = core_fork();
        if (pid == 0) {
                CHECK_PTR(green_get_hub(), hub);
                CHECK_INT(pthread_create(&thread, NULL, post_wake, hub), 0);
                CHECK_INT(green_park(&queue, &w, GREEN_FOREVER), 0);
                CHECK_INT(pthread_join(thread, NULL), 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        CHECK_INT(green_park(&queue, &w, 0.002), -ETIMEDOUT);
}

static atomic_bool checking, checked_enough;

static void *
check_all_the_while(void *unused)
{
        while (!atomic_load(&checked_enough)) {
                for (int i = 0; i < 100; i++)
                        CHECK(true);
                atomic_store(&checking, true);
                sched_yield();
        }
        return unused;
}

/* The suite's own mutex; the child would wait for it until its alarm. */
static void
a_child_does_not_wait_for_an_os_thread_that_is_in_a_check(void)
{
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, check_all_the_while, NULL), 0);
        while (!atomic_load(&checking))
                sched_yield();
        for (int i = 0; i * suite_slow() < 200 && suite_failures() == 0; i++) {
                pid_t pid = core_fork();

                if (pid == 0)
                        core_child_exit();
                CHECK_INT(core_child_end(pid), 0);
        }
        atomic_store(&checked_enough, true);
        CHECK_INT(pthread_join(thread, NULL), 0);
}

static void
a_child_may_fork_and_end_its_hub(void)
{
        green_thread *parked = green_spawn(park_for_good, NULL);
        pid_t pid;

        GREEN_COVERS("FORK-03");
        CHECK_INT(green_sleep(0), 0);
        pid = core_fork();
        if (pid == 0) {
                pid = core_fork();
                if (pid == 0) {
                        CHECK_INT(green_sleep(0.001), 0);
                        core_child_exit();
                }
                CHECK_INT(core_child_end(pid), 0);
                green_thread_unref(parked);
                CHECK_INT(green_hub_destroy(CORE_SOON), 0);
                CHECK_INT(green_sleep(0.001), 0);
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
        core_kill(parked);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_fork) {
        GREEN_TEST(only_the_forking_green_thread_goes_on_in_the_child),
        GREEN_TEST(queues_forget_those_who_waited),
        GREEN_TEST(what_is_bound_to_a_forgotten_one_is_forgotten_too),
        GREEN_TEST(a_green_thread_other_than_main_may_fork),
        GREEN_TEST(parent_and_child_both_accept_on_one_listener),
        GREEN_TEST(events_of_the_child_do_not_reach_the_parent),
        GREEN_TEST(watches_go_on_in_the_child),
        GREEN_TEST(another_os_thread_may_fork),
        GREEN_TEST(posts_reach_the_hub_of_the_child_and_only_that),
        GREEN_TEST(a_child_may_fork_and_end_its_hub),
        GREEN_TEST(a_child_does_not_wait_for_an_os_thread_that_is_in_a_check),
        GREEN_SUITE_END
};
