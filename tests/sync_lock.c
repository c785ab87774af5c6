/*
 * Locks. What all waits have in common is in sync_wait.c.
 */
#include "sync_help.h"

GREEN_SUITE_INIT(sync_init)

static int
acquire(void *l, double timeout)
{
        return green_lock_acquire(l, timeout);
}

static void
a_lock_is_held_by_one_and_released_once(void)
{
        green_lock *l = green_lock_new();

        GREEN_COVERS("LOCK-01");
        CHECK(!green_lock_locked(l));
        CHECK_INT(green_lock_release(l), -EALREADY);
        CHECK_STR(green_last_error()->message, "green_lock_release: the lock is not locked");
        CHECK(reported("the lock is not locked"));
        CHECK_INT(green_lock_acquire(l, GREEN_FOREVER), 0);
        CHECK(green_lock_locked(l));
        CHECK_INT(green_lock_acquire(l, 0), -ETIMEDOUT);
        CHECK_INT(green_lock_release(l), 0);
        CHECK(!green_lock_locked(l));
        CHECK_INT(green_lock_release(l), -EALREADY);
        /* Held or not. */
        CHECK_INT(green_lock_acquire(l, 0), 0);
        CHECK_INT(green_lock_free(l), 0);
        CHECK_NEEDS_MEMORY(green_lock *, green_lock_new(), green_lock_free);
}

static void
a_lock_is_not_re_entrant_and_another_may_release_it(void)
{
        green_lock *l = green_lock_new();
        char text[64];
        struct waiter w = {0};

        GREEN_COVERS("LOCK-02");
        waiter_start(&w, acquire, l, GREEN_FOREVER);
        snprintf(text, sizeof(text), "taken by green thread %llu (spawned at ",
                 (unsigned long long)green_thread_ident(w.thread));
        CHECK_INT(waiter_end(&w), 0);
        /* The one that took it has ended. */
        CHECK_INT(green_lock_release(l), 0);
        CHECK(!GREEN_DEBUG || strstr(log_text, "sync_help.h") != NULL);
        CHECK(!GREEN_DEBUG || strstr(log_text, "is released by green thread 1 (spawned at main)") != NULL);
        CHECK(reported(text));
        CHECK_INT(green_lock_acquire(l, 0), 0);
        CHECK_INT(green_lock_acquire(l, 0.001), -ETIMEDOUT);
        waiter_start(&w, acquire, l, GREEN_FOREVER);
        CHECK_INT(green_lock_release(l), 0);
        CHECK_STR(log_text, "");
        CHECK_INT(waiter_end(&w), 0);
        CHECK(green_lock_locked(l));
        CHECK_INT(green_lock_free(l), 0);
}

static void
nobody_overtakes_one_that_waits(void)
{
        green_lock *l = green_lock_new();
        struct waiter w[3] = {{0}};

        GREEN_COVERS("LOCK-01");
        CHECK_INT(green_lock_acquire(l, 0), 0);
        for (int i = 0; i < 3; i++)
                waiter_start(&w[i], acquire, l, GREEN_FOREVER);
        CHECK_INT(green_lock_release(l), 0);
        /* It is the first one's now, though that has not run. */
        CHECK_INT(green_lock_acquire(l, 0), -ETIMEDOUT);
        CHECK(green_lock_locked(l));
        CHECK_INT(green_kill(w[1].thread, 0), 0);
        CHECK_INT(waiter_end(&w[1]), GREEN_EKILLED);
        CHECK_INT(waiter_end(&w[0]), 0);
        CHECK(waits(&w[2]));
        CHECK_INT(green_lock_release(l), 0);
        CHECK_INT(waiter_end(&w[2]), 0);
        CHECK_INT(green_lock_free(l), 0);
}

static int
leave(green_lock *l, bool early)
{
        GREEN_LOCK_SCOPE(held, l);

        if (held.rc != 0)
                return held.rc;
        return early ? 1 : green_sleep(GREEN_FOREVER);
}

static int
hold_in_scope(void *l, double timeout)
{
        (void)timeout;
        return leave(l, false);
}

static void
a_scope_releases_its_lock_however_it_is_left(void)
{
        green_lock *l = green_lock_new();
        struct waiter w[2] = {{0}};

        GREEN_COVERS("SEM-17");
        CHECK_INT(leave(l, true), 1);
        CHECK(!green_lock_locked(l));
        waiter_start(&w[0], hold_in_scope, l, 0);
        waiter_start(&w[1], hold_in_scope, l, 0);
        CHECK(green_lock_locked(l));
        CHECK_INT(green_kill(w[1].thread, 0), 0);
        CHECK_INT(waiter_end(&w[1]), GREEN_EKILLED);
        CHECK(green_lock_locked(l));
        CHECK_INT(green_kill(w[0].thread, 0), 0);
        CHECK_INT(waiter_end(&w[0]), GREEN_EKILLED);
        CHECK(!green_lock_locked(l));
        CHECK_STR(log_text, "");
        CHECK_INT(green_lock_free(l), 0);
}

/* ---- code that comes in the middle of a release */

static int taken_by_log, taken_by_notify;

static void
take_in_log(void *arg, enum green_log_level level, const char *message)
{
        (void)level;
        (void)message;
        if (taken_by_log == 0 && green_lock_acquire(arg, 0) == 0) {
                taken_by_log = 1;
                CHECK_INT(green_lock_release(arg), 0);
        }
}

static void
the_log_hook_may_use_a_lock_whose_release_it_reports(void)
{
        green_lock *l = green_lock_new();
        struct waiter w = {0};

        GREEN_COVERS("LOCK-05");
        taken_by_log = 0;
        waiter_start(&w, acquire, l, 0);
        CHECK_INT(waiter_end(&w), 0);
        green_set_log(take_in_log, l);
        CHECK_INT(green_lock_release(l), 0);
        green_set_log(log_append, NULL);
        CHECK_INT(taken_by_log, GREEN_DEBUG);
        CHECK(!green_lock_locked(l));
        CHECK_INT(green_lock_free(l), 0);
}

static void
use_in_notify(void *arg)
{
        /* The lock is the waiter's already. */
        CHECK_INT(green_lock_acquire(arg, 0), -ETIMEDOUT);
        CHECK_INT(green_lock_release(arg), 0);
        CHECK_INT(green_lock_acquire(arg, 0), 0);
        taken_by_notify++;
}

static int embedded_rc;

static void *
acquire_embedded(void *l)
{
        embedded_rc = green_lock_acquire(l, GREEN_FOREVER);
        return NULL;
}

static void
embed(void *arg)
{
        green_lock *l;

        (void)arg;
        if (green_hub_embed() == GREEN_EHUB) {
                suite_skip("this hub runs an event loop itself, and can live in none");
                return;
        }
        l = green_lock_new();
        CHECK_INT(green_lock_acquire(l, 0), 0);
        CHECK_INT(green_spawn_n(acquire_embedded, l), 0);
        CHECK_INT(green_hub_step(), 0);
        CHECK_INT(embedded_rc, 1);
        CHECK_INT(green_hub_set_notify(use_in_notify, l), 0);
        CHECK_INT(green_lock_release(l), 0);
        CHECK_INT(taken_by_notify, 1);
        CHECK(green_lock_locked(l));
        while (green_hub_step() > 0)
                ;
        CHECK_INT(embedded_rc, 0);
        /* It is still the one that was notified who holds it. */
        log_text[0] = '\0';
        CHECK_INT(green_lock_release(l), 0);
        CHECK_STR(log_text, "");
        CHECK_INT(green_lock_release(l), -EALREADY);
        CHECK_INT(green_lock_free(l), 0);
        CHECK_INT(green_hub_destroy(SOON), 0);
}

static void
an_embedder_that_is_notified_in_the_middle_of_a_release_may_use_the_lock(void)
{
        GREEN_COVERS("LOCK-05");
        embedded_rc = 1;
        taken_by_notify = 0;
        in_thread(embed, NULL);
}

static void
take_in_callback(void *l)
{
        CHECK_INT(green_lock_acquire(l, 0), 0);
}

static void
release_in_callback(void *l)
{
        CHECK_INT(green_lock_release(l), 0);
}

static void
a_hub_callback_may_hold_a_lock(void)
{
        green_lock *l = green_lock_new();
        struct waiter w = {0};

        GREEN_COVERS("LOCK-02");
        in_callback(take_in_callback, l);
        CHECK(green_lock_locked(l));
        waiter_start(&w, acquire, l, GREEN_FOREVER);
        in_callback(release_in_callback, l);
        CHECK_STR(log_text, "");
        CHECK_INT(waiter_end(&w), 0);
        in_callback(release_in_callback, l);
        CHECK(reported("is released by a hub callback"));
        CHECK(!green_lock_locked(l));
        CHECK_INT(green_lock_free(l), 0);
}

static void
use_elsewhere(void *l)
{
        CHECK_INT(green_lock_release(l), -EPERM);
}

static void
what_makes_no_sense_is_refused(void)
{
        green_lock *l = green_lock_new();

        GREEN_COVERS("LOCK-04");
        CHECK_INT(green_lock_acquire(NULL, 0), -EINVAL);
        CHECK(reported("green_lock_acquire: no lock"));
        CHECK_INT(green_lock_release(NULL), -EINVAL);
        green_set_error(-EIO, NULL);
        CHECK(!green_lock_locked(NULL));
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_INT(green_lock_acquire(l, 0), 0);
        in_thread(use_elsewhere, l);
        CHECK(green_lock_locked(l));
        CHECK_INT(green_lock_free(l), 0);
}

/* ---- fork */

static void *
hold_for_good(void *l)
{
        CHECK_INT(green_lock_acquire(l, GREEN_FOREVER), 0);
        return green_fail(green_sleep(GREEN_FOREVER));
}

static void
in_a_child_a_lock_is_free_whose_owner_was_forgotten(void)
{
        green_lock *others = green_lock_new(), *own = green_lock_new(), *handed = green_lock_new(),
                   *callbacks = green_lock_new();
        green_thread *gt = green_spawn(hold_for_good, others);
        struct waiter w[3] = {{0}};
        pid_t pid;

        GREEN_COVERS("FORK-04", "LOCK-03");
        turns(1);
        CHECK_INT(green_lock_acquire(own, 0), 0);
        CHECK_INT(green_lock_acquire(handed, 0), 0);
        in_callback(take_in_callback, callbacks);
        waiter_start(&w[0], acquire, others, GREEN_FOREVER);
        waiter_start(&w[1], acquire, own, GREEN_FOREVER);
        waiter_start(&w[2], acquire, handed, GREEN_FOREVER);
        /* Its new owner does not run before the fork. */
        CHECK_INT(green_lock_release(handed), 0);
        pid = child_begin();
        if (pid == 0) {
                CHECK(!green_lock_locked(others) && green_lock_locked(own) && !green_lock_locked(handed));
                CHECK(green_lock_locked(callbacks));
                CHECK_INT(green_lock_release(others), -EALREADY);
                CHECK_INT(green_lock_acquire(others, GREEN_FOREVER), 0);
                CHECK_INT(green_lock_acquire(own, 0), -ETIMEDOUT);
                CHECK_INT(green_lock_acquire(handed, 0), 0);
                CHECK_INT(green_lock_release(callbacks), 0);
                /* Nobody waits any more. */
                CHECK_INT(green_lock_release(own), 0);
                CHECK(!green_lock_locked(own));
                CHECK_INT(green_lock_free(others), 0);
                CHECK_INT(green_lock_free(own), 0);
                CHECK_INT(green_lock_free(handed), 0);
                CHECK_INT(green_lock_free(callbacks), 0);
                child_exit();
        }
        child_end(pid);
        CHECK(green_lock_locked(others) && green_lock_locked(own) && green_lock_locked(handed));
        CHECK_INT(waiter_end(&w[2]), 0);
        for (int i = 0; i < 2; i++) {
                CHECK_INT(green_kill(w[i].thread, 0), 0);
                CHECK_INT(waiter_end(&w[i]), GREEN_EKILLED);
        }
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(green_lock_free(others), 0);
        CHECK_INT(green_lock_free(own), 0);
        CHECK_INT(green_lock_free(handed), 0);
        CHECK_INT(green_lock_free(callbacks), 0);
}

static void
one_that_forks_again_and_again_keeps_its_locks(void)
{
        green_lock *l = green_lock_new();
        pid_t pid;

        GREEN_COVERS("FORK-04");
        CHECK_INT(green_lock_acquire(l, 0), 0);
        pid = child_begin();
        if (pid == 0) {
                for (int i = 0; i < 3; i++) {
                        pid = child_begin();
                        if (pid != 0) {
                                child_end(pid);
                                child_exit();
                        }
                }
                CHECK(green_lock_locked(l));
                CHECK_INT(green_lock_acquire(l, 0), -ETIMEDOUT);
                CHECK_INT(green_lock_release(l), 0);
                CHECK_INT(green_lock_release(l), -EALREADY);
                child_exit();
        }
        child_end(pid);
        CHECK_INT(green_lock_free(l), 0);
}

struct reuse {
        const green_thread *address; /* of the first owner; compared only */
        green_lock *l;
        bool found;
};

/* In the child: forks in its turn, and in that grandchild asks for the lock. */
static void *
fork_at_address(void *arg)
{
        struct reuse *r = arg;
        pid_t pid;

        if (r->found || green_getcurrent() != r->address)
                return NULL;
        r->found = true;
        pid = child_begin();
        if (pid == 0) {
                CHECK(!green_lock_locked(r->l));
                CHECK_INT(green_lock_acquire(r->l, 0), 0);
                child_exit();
        }
        child_end(pid);
        return NULL;
}

static void
a_new_green_thread_at_the_address_of_a_forgotten_owner_is_not_taken_for_it(void)
{
        struct reuse r = {.l = green_lock_new()};
        green_thread *gt = green_spawn(hold_for_good, r.l);
        pid_t pid;

        GREEN_COVERS("FORK-04");
        r.address = gt;
        turns(1);
        pid = child_begin();
        if (pid == 0) {
                /* The last handle goes, and its memory may be used again. */
                green_thread_unref(gt);
                for (int i = 0; i < 100 && !r.found; i++)
                        CHECK_INT(join(green_spawn(fork_at_address, &r)), 0);
                if (!r.found)
                        _exit(77);
                child_exit();
        }
        if (child_end(pid) == 77)
                suite_skip("the memory of a green thread is not used again here");
        CHECK_INT(green_kill(gt, 0), 0);
        CHECK_INT(join(gt), GREEN_EKILLED);
        CHECK_INT(green_lock_free(r.l), 0);
}

/* The lowest descriptor that is free. */
static int
free_fd(void)
{
        int fd = dup(2);

        close(fd);
        return fd;
}

static void *
just_fork(void *arg)
{
        int fd = free_fd();

        *(pid_t *)arg = child_begin();
        /* No hub was made for it. (There may be less: a kqueue is not inherited.) */
        if (*(pid_t *)arg == 0)
                _exit(free_fd() > fd);
        return NULL;
}

static void
an_os_thread_without_a_hub_may_fork(void)
{
        green_lock *l = green_lock_new();
        pthread_t thread;
        pid_t pid = -1;

        GREEN_COVERS("FORK-04");
        CHECK_INT(pthread_create(&thread, NULL, just_fork, &pid), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        child_end(pid);
        CHECK_INT(green_lock_free(l), 0);
}

GREEN_SUITE(sync_lock) {
        GREEN_TEST(a_lock_is_held_by_one_and_released_once),
        GREEN_TEST(a_lock_is_not_re_entrant_and_another_may_release_it),
        GREEN_TEST(nobody_overtakes_one_that_waits),
        GREEN_TEST(a_scope_releases_its_lock_however_it_is_left),
        GREEN_TEST(the_log_hook_may_use_a_lock_whose_release_it_reports),
        GREEN_TEST(an_embedder_that_is_notified_in_the_middle_of_a_release_may_use_the_lock),
        GREEN_TEST(a_hub_callback_may_hold_a_lock),
        GREEN_TEST(what_makes_no_sense_is_refused),
        GREEN_TEST(in_a_child_a_lock_is_free_whose_owner_was_forgotten),
        GREEN_TEST(one_that_forks_again_and_again_keeps_its_locks),
        GREEN_TEST(a_new_green_thread_at_the_address_of_a_forgotten_owner_is_not_taken_for_it),
        GREEN_TEST(an_os_thread_without_a_hub_may_fork),
        GREEN_SUITE_END
};
