/* The scheduler: who runs when, polling under load, deadlock, signals. */
#include "core_suite.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

/* ---- order */

static void
a_spawned_one_runs_only_when_its_creator_yields(void)
{
        green_thread *gt;

        GREEN_COVERS("SCHED-01");
        gt = green_spawn(note_arg, (void *)2);
        core_burn(0.01);
        note(1);
        CHECK_INT(green_sleep(0), 0);
        note(3);
        CHECK_ORDER(1, 2, 3);
        CHECK_INT(core_join(gt), 0);
}

static void
three_spawns_run_in_order_and_the_creator_after_them(void)
{
        GREEN_COVERS("SCHED-03");
        for (intptr_t i = 1; i <= 3; i++)
                CHECK_INT(green_spawn_n(note_arg, (void *)i), 0);
        CHECK_INT(green_sleep(0), 0);
        note(4);
        CHECK_ORDER(1, 2, 3, 4);
}

static struct green_waitq queue;

static void *
park_and_note(void *arg)
{
        struct green_wait w;

        CHECK_INT(green_park(&queue, &w, GREEN_FOREVER), 0);
        note((int)(intptr_t)arg);
        return NULL;
}

static void
the_waker_goes_on_and_the_woken_run_later_in_order(void)
{
        GREEN_COVERS("SCHED-02");
        CHECK_INT(green_spawn_n(park_and_note, (void *)2), 0);
        CHECK_INT(green_spawn_n(park_and_note, (void *)3), 0);
        CHECK_INT(green_sleep(0), 0);
        CHECK(green_wake_one(&queue, NULL));
        CHECK(green_wake_one(&queue, NULL));
        CHECK(!green_wake_one(&queue, NULL));
        note(1);
        CHECK_INT(green_sleep(0), 0);
        CHECK_ORDER(1, 2, 3);
}

static void *
killed_note(void *arg)
{
        (void)arg;
        CHECK_INT(green_sleep(GREEN_FOREVER), GREEN_EKILLED);
        note(1);
        return NULL;
}

static void
only_a_kill_enters_its_victim_at_once(void)
{
        green_thread *gt = green_spawn(killed_note, NULL);

        GREEN_COVERS("SCHED-02");
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_kill(gt, 0), 0);
        note(2);
        CHECK_ORDER(1, 2);
        green_thread_unref(gt);
}

static int64_t fake_time;

static int64_t
fake_clock(void)
{
        return fake_time;
}

static void
timers_with_the_same_deadline_fire_in_the_order_they_were_made(void)
{
        int bad = 0;

        GREEN_COVERS("SCHED-04");
        fake_time = 1000;
        CHECK_INT(green_hub_set_clock(fake_clock), 0);
        for (intptr_t i = 0; i < 60; i++)
                CHECK_INT(green_schedule_call_global(1, note_call, (void *)i), 0);
        fake_time += INT64_C(1000000000);
        while (core_order_count < 60)
                CHECK_INT(green_sleep(0), 0);
        for (int i = 0; i < 60; i++)
                bad += core_order[i] != i;
        CHECK_INT(bad, 0);
        core_order_count = 0;
        CHECK_INT(green_hub_set_clock(NULL), 0);
}

/* ---- no starvation */

struct spinner {
        bool stop;
        bool heavy; /* each switch costs a millisecond of work */
        unsigned long switches;
        unsigned long wrote, read_at; /* number of the switch, */
        unsigned long set, fired_at;  /* 0: not yet */
        int fds[2];
};

static void *
spin(void *arg)
{
        struct spinner *s = arg;

        while (!s->stop) {
                s->switches++;
                if (s->heavy)
                        core_burn(0.001);
                CHECK_INT(green_sleep(0), 0);
        }
        return NULL;
}

static void *
read_bytes(void *arg)
{
        struct spinner *s = arg;

        while (green_trampoline(s->fds[0], GREEN_READ, GREEN_FOREVER) == 0) {
                if (core_drain(s->fds[0]) > 0)
                        s->read_at = s->switches;
        }
        return NULL;
}

static void
timer_fired(void *arg)
{
        struct spinner *s = arg;

        s->fired_at = s->switches;
}

/* From cheap yields to heavy ones: how long a byte and a timer wait now. */
static void
measure(struct spinner *s)
{
        s->heavy = true;
        s->read_at = s->fired_at = 0;
        s->switches++;
        core_put(s->fds[1]);
        CHECK_INT(green_schedule_call_global(0, timer_fired, s), 0);
        s->wrote = s->set = s->switches;
        while (s->read_at == 0 || s->fired_at == 0) {
                s->switches++;
                core_burn(0.001);
                CHECK_INT(green_sleep(0), 0);
        }
        CHECK_RANGE(s->read_at - s->wrote, 0, 17);
        CHECK_RANGE(s->fired_at - s->set, 0, 17);
        s->heavy = false;
}

static void
after_a_million_cheap_yields_nobody_waits_more_than_17_heavy_switches(void)
{
        struct spinner s = {.fds = {-1, -1}};
        green_thread *reader, *other;

        GREEN_COVERS("SCHED-05");
        CHECK_OR_RETURN(core_pair(s.fds));
        reader = green_spawn(read_bytes, &s);
        other = green_spawn(spin, &s);
        for (int round = 0; round < 4; round++) {
                unsigned long until = s.switches + (round == 0 ? 1000000 : 10000 * (unsigned long)round);

                while (s.switches < until) {
                        s.switches++;
                        if (green_sleep(0) != 0)
                                break;
                }
                measure(&s);
        }
        s.stop = true;
        CHECK_INT(core_join(other), 0);
        CHECK_INT(green_kill(reader, 0), 0);
        green_thread_unref(reader);
        core_close_pair(s.fds);
}

static void
a_loop_of_cheap_yields_does_not_starve_io_and_timers(void)
{
        struct spinner s = {.fds = {-1, -1}};
        green_thread *reader;

        GREEN_COVERS("SCHED-05");
        CHECK_OR_RETURN(core_pair(s.fds));
        reader = green_spawn(read_bytes, &s);
        CHECK_INT(green_sleep(0), 0);
        s.switches = 1;
        core_put(s.fds[1]);
        CHECK_INT(green_schedule_call_global(0.002, timer_fired, &s), 0);
        while (s.read_at == 0 || s.fired_at == 0)
                CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_kill(reader, 0), 0);
        green_thread_unref(reader);
        core_close_pair(s.fds);
}

static void
schedule_again(void *arg)
{
        int *left = arg;

        note(1);
        if (--*left > 0)
                CHECK_INT(green_schedule_call_global(0, schedule_again, left), 0);
        else
                CHECK(green_wake_one(&queue, NULL));
        if (*left == 2)
                CHECK_INT(green_spawn_n(note_arg, (void *)2), 0);
}

static void
a_timer_made_by_a_timer_waits_for_the_next_pass(void)
{
        struct green_wait w;
        int left = 3;

        GREEN_COVERS("SCHED-05", "HUB-14");
        fake_time = 1000;
        CHECK_INT(green_hub_set_clock(fake_clock), 0);
        CHECK_INT(green_schedule_call_global(0, schedule_again, &left), 0);
        CHECK_INT(green_park(&queue, &w, GREEN_FOREVER), 0);
        /* The one it spawned runs before the timer it made: not the same pass. */
        CHECK_ORDER(1, 2, 1, 1);
        CHECK_INT(green_hub_set_clock(NULL), 0);
}

/* ---- one turn of the loop */

static void
advance_and_spawn(void *arg)
{
        (void)arg;
        fake_time += INT64_C(1000000000);
        note(1);
        CHECK_INT(green_spawn_n(note_arg, (void *)2), 0);
}

static void
note_and_wake(void *arg)
{
        note((int)(intptr_t)arg);
        CHECK(green_wake_one(&queue, NULL));
}

static void
the_time_of_a_pass_is_read_once(void)
{
        struct green_wait w;

        GREEN_COVERS("HUB-14");
        fake_time = 1000;
        CHECK_INT(green_hub_set_clock(fake_clock), 0);
        CHECK_INT(green_schedule_call_global(0, advance_and_spawn, NULL), 0);
        CHECK_INT(green_schedule_call_global(0.5, note_and_wake, (void *)3), 0);
        CHECK_INT(green_park(&queue, &w, GREEN_FOREVER), 0);
        CHECK_ORDER(1, 2, 3);
        CHECK_INT(green_hub_set_clock(NULL), 0);
}

static void *
sleep_and_note(void *arg)
{
        CHECK_INT(green_sleep(0.001), 0);
        note((int)(intptr_t)arg);
        return NULL;
}

static void *
read_and_note(void *arg)
{
        const int *fd = arg;

        CHECK_INT(green_trampoline(*fd, GREEN_READ, 0.001), 0);
        note(1);
        return NULL;
}

static void
io_that_is_ready_is_delivered_before_timers_that_are_due(void)
{
        green_thread *sleeper, *reader;
        int fds[2];

        GREEN_COVERS("HUB-14", "HUB-16");
        CHECK_OR_RETURN(core_pair(fds));
        sleeper = green_spawn(sleep_and_note, (void *)2);
        reader = green_spawn(read_and_note, &fds[0]);
        CHECK_INT(green_sleep(0), 0);
        core_put(fds[1]);
        core_burn(0.005);
        /* Both the sleep and the reader's time limit are over, and the byte is there. */
        CHECK_INT(core_join(reader), 0);
        CHECK_INT(core_join(sleeper), 0);
        CHECK_ORDER(1, 2);
        core_close_pair(fds);
}

static void
a_fired_timeout_loses_against_data_that_came_before(void)
{
        struct green_timeout t = {{0}};
        int fds[2];

        GREEN_COVERS("HUB-16");
        CHECK_OR_RETURN(core_pair(fds));
        CHECK_INT(green_timeout_start(&t, 0.001), 0);
        core_put(fds[1]);
        core_burn(0.005);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, GREEN_FOREVER), 0);
        CHECK_INT(green_timeout_cancel(&t), 0);
        core_close_pair(fds);
}

static double
cpu_used(void)
{
        struct rusage use;

        getrusage(RUSAGE_SELF, &use);
        return (double)use.ru_utime.tv_sec + (double)use.ru_utime.tv_usec / 1e6 + (double)use.ru_stime.tv_sec +
               (double)use.ru_stime.tv_usec / 1e6;
}

static void
waiting_for_time_alone_is_a_plain_sleep(void)
{
        double cpu = cpu_used();
        uint64_t polls = core_info().polls;
        double begin = core_now();

        GREEN_COVERS("HUB-15", "GTIME-01");
        CHECK_INT(green_sleep(0.2), 0);
        CHECK_RANGE(core_now() - begin, 0.2, 0.2 + 2 * suite_slow());
        CHECK_RANGE(cpu_used() - cpu, 0, 0.05);
        CHECK_RANGE(core_info().polls - polls, 1, 5);
}

/* ---- deadlock */

static struct green_wait deadlocked;

/* Comes while the process sleeps in the hub: nothing else runs. */
static void
wake_deadlocked(int sig)
{
        (void)sig;
        green_wake(&deadlocked, 0);
}

static void
deadlock_twice(void)
{
        struct itimerval soon = {.it_value = {.tv_usec = 200000}};
        struct core_log log;
        green_thread *other;

        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        core_log_begin(&log, "wait for each other");
        other = green_spawn(killed_note, NULL);
        for (int i = 0; i < 2; i++) {
                signal(SIGALRM, wake_deadlocked);
                setitimer(ITIMER_REAL, &soon, NULL);
                CHECK_INT(green_park(&queue, &deadlocked, GREEN_FOREVER), 0);
                CHECK_INT(log.count, 1);
        }
        CHECK(strstr(log.last, "2 green threads") != NULL);
        CHECK_INT(green_kill(other, 0), 0);
        green_thread_unref(other);
        core_log_end();
}

static void
a_deadlock_is_reported_once_and_waiting_goes_on(void)
{
        pid_t pid;

        GREEN_COVERS("HUB-15", "GTIME-01");
        if (core_hub_calls_back()) {
                suite_skip("on this hub foreign callbacks may wake everybody");
                return;
        }
        pid = core_fork();
        if (pid == 0) {
                deadlock_twice();
                core_child_exit();
        }
        CHECK_INT(core_child_end(pid), 0);
}

static void
waiting_for_io_or_time_or_another_thread_is_no_deadlock(void)
{
        struct core_log log;
        green_waker *waker;
        int fds[2];

        GREEN_COVERS("HUB-15", "GTIME-01");
        CHECK_OR_RETURN(core_pair(fds));
        core_log_begin(&log, "wait for each other");
        CHECK_INT(green_sleep(0.01), 0);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0.01), -ETIMEDOUT);
        waker = green_waker_new();
        CHECK_INT(green_waker_wait(waker, 0.01), -ETIMEDOUT);
        CHECK_INT(green_waker_free(waker), 0);
        CHECK_INT(log.count, 0);
        core_log_end();
        core_close_pair(fds);
}

/* ---- signals */

static atomic_int alarms;

static void
count_alarm(int sig)
{
        (void)sig;
        alarms++;
}

static void
a_signal_during_the_wait_is_no_event(void)
{
        struct sigaction action = {.sa_handler = count_alarm};
        struct itimerval every = {.it_value = {.tv_usec = 5000}, .it_interval = {.tv_usec = 5000}};
        struct itimerval never = {.it_value = {.tv_usec = 0}};
        struct core_log log;
        double begin = core_now();
        int fds[2];

        GREEN_COVERS("HUB-17");
        CHECK_OR_RETURN(core_pair(fds));
        core_log_begin(&log, "");
        sigaction(SIGALRM, &action, NULL);
        alarms = 0;
        setitimer(ITIMER_REAL, &every, NULL);
        CHECK_INT(green_sleep(0.05), 0);
        CHECK_RANGE(core_now() - begin, 0.05, CORE_SOON);
        while (alarms < 4)
                CHECK_INT(green_trampoline(fds[0], GREEN_READ, 0.02), -ETIMEDOUT);
        setitimer(ITIMER_REAL, &never, NULL);
        signal(SIGALRM, SIG_DFL);
        CHECK_INT(log.count, 0);
        core_log_end();
        core_close_pair(fds);
}

/* Reads a byte, sleeps, and writes one back. */
static void
suspended_child(int fd)
{
        core_put(fd);
        CHECK_INT(green_trampoline(fd, GREEN_READ, CORE_SOON), 0);
        CHECK_INT(core_drain(fd), 1);
        CHECK_INT(green_sleep(0.01), 0);
}

static void
stopping_and_continuing_the_process_disturbs_nobody(void)
{
        int status, fds[2];
        pid_t pid;

        GREEN_COVERS("HUB-17");
        CHECK_OR_RETURN(core_pair(fds));
        pid = core_fork();
        if (pid == 0) {
                suspended_child(fds[0]);
                core_child_exit();
        }
        CHECK_INT(green_trampoline(fds[1], GREEN_READ, CORE_SOON), 0);
        CHECK_INT(core_drain(fds[1]), 1);
        CHECK_INT(kill(pid, SIGSTOP), 0);
        CHECK_INT(waitpid(pid, &status, WUNTRACED), pid);
        CHECK(WIFSTOPPED(status));
        CHECK_INT(kill(pid, SIGCONT), 0);
        CHECK_INT(waitpid(pid, &status, WCONTINUED), pid);
        core_put(fds[1]);
        CHECK_INT(core_child_end(pid), 0);
        core_close_pair(fds);
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_sched) {
        GREEN_TEST(a_spawned_one_runs_only_when_its_creator_yields),
        GREEN_TEST(three_spawns_run_in_order_and_the_creator_after_them),
        GREEN_TEST(the_waker_goes_on_and_the_woken_run_later_in_order),
        GREEN_TEST(only_a_kill_enters_its_victim_at_once),
        GREEN_TEST(timers_with_the_same_deadline_fire_in_the_order_they_were_made),
        GREEN_TEST(after_a_million_cheap_yields_nobody_waits_more_than_17_heavy_switches, .limit = 120),
        GREEN_TEST(a_loop_of_cheap_yields_does_not_starve_io_and_timers),
        GREEN_TEST(a_timer_made_by_a_timer_waits_for_the_next_pass),
        GREEN_TEST(the_time_of_a_pass_is_read_once),
        GREEN_TEST(io_that_is_ready_is_delivered_before_timers_that_are_due),
        GREEN_TEST(a_fired_timeout_loses_against_data_that_came_before),
        GREEN_TEST(waiting_for_time_alone_is_a_plain_sleep),
        GREEN_TEST(a_deadlock_is_reported_once_and_waiting_goes_on),
        GREEN_TEST(waiting_for_io_or_time_or_another_thread_is_no_deadlock),
        GREEN_TEST(a_signal_during_the_wait_is_no_event),
        GREEN_TEST(stopping_and_continuing_the_process_disturbs_nobody),
        GREEN_SUITE_END
};
