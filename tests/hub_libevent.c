/* The libevent hub: callbacks of the application's and green threads in one loop. */
#include "hub_libevent.h"

#include <green/hub.h>
#include <green/sync.h>

#include <link.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

/* ---- one loop */

static void
answer(struct bufferevent *bev, void *arg)
{
        int *answers = arg;
        char line[64];
        size_t n = bufferevent_read(bev, line, sizeof line);

        CHECK_PTR(green_getcurrent(), NULL);
        CHECK_INT(green_sleep(1), -EDEADLK);
        for (size_t i = 0; i < n; i++)
                line[i] = (char)(line[i] + 1);
        CHECK_INT(bufferevent_write(bev, line, n), 0);
        ++*answers;
}

static void
converse(struct event_base *own)
{
        struct event_base *base = lev_begin(own);
        struct bufferevent *bev;
        int fds[2], answers = 0;

        if (base == NULL || !core_pair(fds))
                return;
        bev = bufferevent_socket_new(base, fds[0], BEV_OPT_CLOSE_ON_FREE);
        bufferevent_setcb(bev, answer, NULL, NULL, &answers);
        CHECK_INT(bufferevent_enable(bev, EV_READ | EV_WRITE), 0);
        for (char c = 'a'; c < 'k'; c++) {
                char got = 0;

                CHECK_INT(write(fds[1], &c, 1), 1);
                CHECK_INT(green_trampoline(fds[1], GREEN_READ, CORE_SOON), 0);
                CHECK_INT(read(fds[1], &got, 1), 1);
                CHECK_INT(got, c + 1);
        }
        CHECK_INT(answers, 10);
        bufferevent_free(bev);
        green_notify_close(fds[1]);
        close(fds[1]);
        lev_end(own);
}

static void
a_bufferevent_and_a_green_thread_converse(void)
{
        GREEN_COVERS("AIO-06");
        converse(NULL);
        converse(event_base_new());
}

static void
count(evutil_socket_t fd, short what, void *arg)
{
        int *n = arg;

        (void)fd;
        (void)what;
        ++*n;
}

struct ticks {
        green_event *enough;
        int left;
};

static void
tick_down(evutil_socket_t fd, short what, void *arg)
{
        struct ticks *ticks = arg;

        (void)fd;
        (void)what;
        if (--ticks->left == 0)
                CHECK_INT(green_event_send(ticks->enough, NULL), 0);
}

static void
the_applications_timers_go_off_while_all_green_threads_wait(void)
{
        const struct timeval interval = {.tv_usec = 2000};
        struct event_base *base = lev_begin(NULL);
        struct ticks ticks = {green_event_new(), 20};
        struct core_waiter w;
        struct event *ev;
        double begin = core_now();
        int fds[2];

        if (base == NULL || !core_pair(fds))
                return;
        ev = event_new(base, -1, EV_PERSIST, tick_down, &ticks);
        CHECK_INT(event_add(ev, &interval), 0);
        core_wait_fd(&w, fds[0], GREEN_READ);
        /* One long wait: it is libevent that looks at its timers. */
        CHECK_INT(green_event_wait(ticks.enough, NULL, CORE_SOON), 0);
        CHECK(core_now() - begin > 0.03);
        CHECK(!w.done);
        core_kill(w.gt);
        event_free(ev);
        core_close_pair(fds);
        CHECK_INT(green_event_free(ticks.enough), 0);
        lev_end(NULL);
}

static void *
spin(void *arg)
{
        const bool *stop = arg;

        while (!*stop)
                CHECK_INT(green_sleep(0), 0);
        return NULL;
}

static void
the_applications_timers_go_off_while_green_threads_are_busy(void)
{
        const struct timeval interval = {.tv_usec = 2000};
        struct event_base *base = lev_begin(NULL);
        green_thread *busy[3];
        int fired = 0;
        bool stop = false;
        double end = core_now() + CORE_SOON;
        struct event *ev;

        GREEN_COVERS("SCHED-05");
        if (base == NULL)
                return;
        for (int i = 0; i < 3; i++)
                busy[i] = green_spawn(spin, &stop);
        ev = event_new(base, -1, EV_PERSIST, count, &fired);
        CHECK_INT(event_add(ev, &interval), 0);
        while (fired < 20 && core_now() < end)
                CHECK_INT(green_sleep(0), 0);
        CHECK(fired >= 20);
        stop = true;
        for (int i = 0; i < 3; i++)
                CHECK_INT(core_join(busy[i]), 0);
        event_free(ev);
        lev_end(NULL);
}

/* Each is called because the other one was: libevent's loop never comes to an end of them. */
struct chain {
        struct event *ev[2];
        int calls;
        bool stop;
};

static void
link_of_chain(evutil_socket_t fd, short what, void *arg)
{
        struct chain *chain = arg;

        (void)fd;
        (void)what;
        if (!chain->stop)
                event_active(chain->ev[chain->calls++ % 2], EV_TIMEOUT, 1);
}

static void
callbacks_that_call_each_other_do_not_hold_up_green_threads(void)
{
        struct event_base *base = lev_begin(NULL);
        struct chain chain = {.calls = 0};
        struct core_waiter w;
        int fds[2], turns = 0;

        if (base == NULL || !core_pair(fds))
                return;
        for (int i = 0; i < 2; i++)
                chain.ev[i] = event_new(base, -1, 0, link_of_chain, &chain);
        event_active(chain.ev[0], EV_TIMEOUT, 1);
        /* While green threads are ready, ... */
        for (double end = core_now() + CORE_SOON; turns < 100 && core_now() < end; turns++)
                CHECK_INT(green_sleep(0), 0);
        CHECK_INT(turns, 100);
        /* ... where one sleeps, and where one waits for what is there. */
        CHECK_INT(green_sleep(0.005), 0);
        core_put(fds[1]);
        core_wait_fd(&w, fds[0], GREEN_READ);
        CHECK_INT(core_join(w.gt), 0);
        CHECK_INT(w.rc, 0);
        CHECK(chain.calls > 0);
        chain.stop = true;
        for (int i = 0; i < 2; i++)
                event_free(chain.ev[i]);
        core_close_pair(fds);
        lev_end(NULL);
}

static void *
set_flag(void *arg)
{
        core_set_flag(arg);
        return NULL;
}

struct wish {
        green_event *event;
        bool spawned;
};

static void
grant(evutil_socket_t fd, short what, void *arg)
{
        struct wish *wish = arg;

        (void)fd;
        (void)what;
        CHECK_INT(green_event_send(wish->event, wish), 0);
        CHECK_INT(green_spawn_n(set_flag, &wish->spawned), 0);
}

static void
a_callback_wakes_and_spawns_green_threads(void)
{
        const struct timeval soon = {.tv_usec = 3000};
        struct event_base *base = lev_begin(NULL);
        struct wish wish = {.event = green_event_new()};
        void *result = NULL;

        GREEN_COVERS("AIO-06");
        if (base == NULL)
                return;
        CHECK_INT(event_base_once(base, -1, EV_TIMEOUT, grant, &wish, &soon), 0);
        CHECK_INT(green_event_wait(wish.event, &result, GREEN_FOREVER), 0);
        CHECK_PTR(result, &wish);
        CHECK_INT(green_sleep(0), 0);
        CHECK(wish.spawned);
        CHECK_INT(green_event_free(wish.event), 0);
        lev_end(NULL);
}

static void
start_timer(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        CHECK(green_spawn_after(0.002, set_flag, arg) != NULL);
}

static void
a_timer_set_in_a_callback_ends_the_wait_in_time(void)
{
        const struct timeval soon = {.tv_usec = 1000};
        struct event_base *base = lev_begin(NULL);
        green_event *never = green_event_new();
        bool ran = false;
        double begin = core_now();

        GREEN_COVERS("AIO-06");
        if (base == NULL)
                return;
        CHECK_INT(event_base_once(base, -1, EV_TIMEOUT, start_timer, &ran, &soon), 0);
        CHECK_INT(green_event_wait(never, NULL, 0.05), -ETIMEDOUT);
        CHECK(ran);
        CHECK_RANGE(core_now() - begin, 0.05, CORE_SOON);
        CHECK_INT(green_event_free(never), 0);
        lev_end(NULL);
}

/* ---- the application's base */

static void
the_applications_base_gets_nothing_left_in_it(void)
{
        struct event_base *base = event_base_new();
        struct core_waiter w;
        int fds[2], before;

        GREEN_COVERS("AIO-06");
        before = event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE);
        if (lev_begin(base) == NULL || !core_pair(fds))
                return;
        core_wait_fd(&w, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0.002), 0);
        CHECK(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) > before);
        core_kill(w.gt);
        CHECK_INT(green_sleep(0), 0);
        CHECK(core_fresh_hub(NULL));
        CHECK_INT(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE), before);
        /* It is the application's to go on with. */
        CHECK_INT(event_base_loop(base, EVLOOP_NONBLOCK), 1);
        event_base_free(base);
        core_close_pair(fds);
}

static void
a_base_that_knows_no_edges_is_refused(void)
{
        struct event_config *config = event_config_new();
        struct event_base *base;
        struct core_log log;

        CHECK_INT(event_config_avoid_method(config, "epoll"), 0);
        CHECK_INT(event_config_avoid_method(config, "kqueue"), 0);
        base = event_base_new_with_config(config);
        event_config_free(config);
        CHECK_OR_RETURN(base != NULL);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        core_log_begin(&log, "edge-triggered");
        CHECK_INT(green_use_hub_loop(lev_name(), base), -ENOTSUP);
        core_log_end();
        CHECK_INT(log.count, 1);
        CHECK_INT(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE), 0);
        event_base_free(base);
}

struct thread_loop {
        struct event_base *base;
        int fired;
};

static void *
run_in_thread(void *arg)
{
        const struct timeval interval = {.tv_usec = 1000};
        struct thread_loop *t = arg;
        struct event *ev;

        CHECK_INT(green_use_hub_loop(lev_name(), t->base), 0);
        CHECK_PTR(green_hub_loop(), t->base);
        ev = event_new(t->base, -1, EV_PERSIST, count, &t->fired);
        CHECK_INT(event_add(ev, &interval), 0);
        for (int i = 0; i < 20; i++)
                CHECK_INT(green_sleep(0.002), 0);
        event_free(ev);
        return NULL;
}

static void
each_os_thread_has_a_loop_of_its_own(void)
{
        enum { N = 4 };
        struct thread_loop t[N] = {{.base = NULL}};
        pthread_t threads[N];

        GREEN_COVERS("AIO-07");
        for (int i = 0; i < N; i++) {
                t[i].base = event_base_new();
                CHECK_INT(pthread_create(&threads[i], NULL, run_in_thread, &t[i]), 0);
        }
        for (int i = 0; i < N; i++) {
                CHECK_INT(pthread_join(threads[i], NULL), 0);
                CHECK_RANGE(t[i].fired, 2, 10000);
                /* The hub has ended with its OS thread, and taken its events along. */
                CHECK_INT(event_base_get_num_events(t[i].base, EVENT_BASE_COUNT_ADDED), 0);
                event_base_free(t[i].base);
        }
}

/* ---- descriptors that go, and fork() */

static void
what_is_closed_behind_its_back_is_not_printed_about(void)
{
        struct event_base *base = lev_begin(NULL);
        struct core_waiter w;
        int fds[2], null;

        if (base == NULL || !core_pair(fds))
                return;
        core_wait_fd(&w, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        close(fds[0]);
        CHECK_INT(green_sleep(0.002), 0);
        core_kill(w.gt);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), -EBADF);
        /* The number is that of another file, of another kind. */
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        CHECK_INT(null, fds[0]);
        CHECK_INT(green_trampoline(null, GREEN_READ, CORE_SOON), 0);
        close(null);
        close(fds[1]);
        /* One that has reported, and is armed again when it is gone. */
        CHECK_OR_RETURN(core_pair(fds));
        core_put(fds[1]);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), 0);
        close(fds[0]);
        CHECK_INT(green_trampoline(fds[0], GREEN_READ, CORE_SOON), -EBADF);
        close(fds[1]);
        CHECK_INT(green_trampoline(STDIN_FILENO, GREEN_READ, 0), isatty(STDIN_FILENO) ? -ETIMEDOUT : 0);
        lev_end(NULL);
        CHECK_INT(lev_lines, 0);
}

static void
in_child(struct event_base *base, int fds[2], const int *fired)
{
        int before = *fired;
        struct core_waiter w;

        CHECK_PTR(green_hub_loop(), base);
        /* The application's timer goes on here, too. */
        CHECK_INT(green_sleep(0.02), 0);
        CHECK(*fired > before);
        core_wait_fd(&w, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        core_put(fds[1]);
        CHECK_INT(core_join(w.gt), 0);
        CHECK_INT(w.rc, 0);
        CHECK_INT(core_drain(fds[0]), 1);
        /* What an application may do that knows nothing of the hub. */
        CHECK_INT(event_reinit(base), 0);
        CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK_INT(lev_lines, 0);
        _exit(suite_failures() != 0);
}

static void
fork_with(struct event_base *own)
{
        const struct timeval interval = {.tv_usec = 1000};
        struct event_base *base = lev_begin(own);
        struct core_waiter w, gone;
        struct event *ev;
        int fds[2], others[2], closed[2], fired = 0, status = -1;
        pid_t child;

        if (base == NULL || !core_pair(fds) || !core_pair(others) || !core_pair(closed))
                return;
        ev = event_new(base, -1, EV_PERSIST, count, &fired);
        CHECK_INT(event_add(ev, &interval), 0);
        core_wait_fd(&w, fds[0], GREEN_READ);
        core_wait_fd(&gone, closed[0], GREEN_READ);
        CHECK_INT(green_sleep(0.001), 0);
        close(closed[0]);
        fflush(NULL);
        child = fork();
        if (child == 0)
                in_child(base, others, &fired);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
        /* Nothing of what the child did was done here. */
        CHECK_INT(green_sleep(0.002), 0);
        CHECK(!w.done);
        core_put(fds[1]);
        CHECK_INT(core_join(w.gt), 0);
        CHECK_INT(w.rc, 0);
        core_kill(gone.gt);
        event_free(ev);
        core_close_pair(fds);
        core_close_pair(others);
        close(closed[1]);
        lev_end(own);
}

static void
the_child_of_a_fork_has_a_loop_of_its_own(void)
{
        GREEN_COVERS("FORK-02");
        fork_with(NULL);
        fork_with(event_base_new());
}

/* ---- the plug-in itself, called as core does */

static int
find_module(struct dl_phdr_info *info, size_t size, void *arg)
{
        const char **path = arg;

        (void)size;
        if (strstr(info->dlpi_name, "hub_libevent") == NULL)
                return 0;
        *path = info->dlpi_name;
        return 1;
}

struct rig {
        const struct green_hub_ops *ops;
        void *hub;
        int fd;
        bool modify; /* or remove */
};

static void
change(evutil_socket_t fd, short what, void *arg)
{
        const struct rig *rig = arg;

        (void)fd;
        (void)what;
        if (rig->modify)
                CHECK_INT(rig->ops->modify(rig->hub, rig->fd, GREEN_READ | GREEN_HUB_EDGE, 2), 0);
        else
                CHECK_INT(rig->ops->remove(rig->hub, rig->fd), 0);
}

static void
give_back(void *block)
{
        free(block);
}

/* Two are ready: one of the hub's, and then one of the application's, whose callback changes the first. */
static void
change_in_callback(struct rig *rig, struct event_base *base)
{
        struct green_hub_config config = {sizeof config, realloc, give_back, NULL, base};
        struct green_hub_event events[4];
        struct event *ev;
        int fds[2], others[2];

        if (!CHECK_INT(rig->ops->init(&config, &rig->hub), 0) || !core_pair(fds) || !core_pair(others))
                return;
        rig->fd = fds[0];
        CHECK_INT(rig->ops->add(rig->hub, fds[0], GREEN_READ | GREEN_HUB_EDGE, 1), 0);
        ev = event_new(base, others[0], EV_READ, change, rig);
        CHECK_INT(event_add(ev, NULL), 0);
        core_put(fds[1]);
        core_put(others[1]);
        CHECK_INT(rig->ops->wait(rig->hub, events, 4, 1000000000), 0);
        if (rig->modify) {
                CHECK_INT(rig->ops->wait(rig->hub, events, 4, 1000000000), 1);
                CHECK_INT(events[0].token, 2);
        }
        event_free(ev);
        rig->ops->fini(rig->hub);
        core_close_pair(fds);
        core_close_pair(others);
}

static void
what_a_callback_removes_or_changes_is_not_reported(void)
{
        struct event_base *base = event_base_new();
        const char *path = NULL;
        struct rig rig = {.ops = NULL};
        void *module;

        if (lev_begin(NULL) == NULL)
                return;
        dl_iterate_phdr(find_module, &path);
        if (path == NULL) {
                suite_skip("the hub is linked in");
                event_base_free(base);
                return;
        }
        module = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        rig.ops = dlsym(module, "green_hub_module");
        CHECK_OR_RETURN(rig.ops != NULL);
        change_in_callback(&rig, base);
        rig.modify = true;
        change_in_callback(&rig, base);
        dlclose(module);
        event_base_free(base);
        lev_end(NULL);
}

/* ---- what it waits for */

static void
all_that_the_loop_waits_for_is_listed(void)
{
        const struct timeval later = {.tv_sec = 1000};
        struct event_base *base = lev_begin(NULL);
        struct event *mine, *alarm_event;
        struct core_waiter w;
        int fds[2], fired = 0;
        char text[2048], want[64];

        GREEN_COVERS("DEBUG-08");
        if (base == NULL || !core_pair(fds))
                return;
        mine = event_new(base, fds[1], EV_READ | EV_PERSIST, count, &fired);
        alarm_event = evsignal_new(base, SIGUSR2, count, &fired);
        CHECK(event_add(mine, &later) == 0 && event_add(alarm_event, NULL) == 0);
        core_wait_fd(&w, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_RANGE(green_debug_format_asyncio_info(text, sizeof text), 100, sizeof text - 1);
        snprintf(want, sizeof want, "descriptor %d read, once: green-net\n", fds[0]);
        CHECK(strstr(text, want) != NULL);
        snprintf(want, sizeof want, "descriptor %d read, time limit in 9", fds[1]);
        CHECK(strstr(text, want) != NULL);
        CHECK(strstr(text, " s: the application\n") != NULL);
        snprintf(want, sizeof want, "signal %d: the application\n", SIGUSR2);
        CHECK(strstr(text, want) != NULL);
        CHECK(strstr(text, ": green-net: wake\n") != NULL && strstr(text, ": green-net: limit\n") != NULL);
        if (suite_failures() > 0)
                fprintf(stderr, "%s", text);
        core_kill(w.gt);
        event_free(mine);
        event_free(alarm_event);
        core_close_pair(fds);
        lev_end(NULL);
}

static void
it_describes_itself_and_is_no_descriptor(void)
{
        struct event_base *base = event_base_new();
        struct green_hub_info info = {.size = sizeof info};

        if (lev_begin(base) == NULL)
                return;
        CHECK_INT(green_hub_get_info(&info), 0);
        CHECK_STR(info.name, "libevent");
        CHECK(strstr(info.description, event_get_version()) != NULL);
        CHECK(strstr(info.description, "the application's base") != NULL);
        CHECK_INT(green_hub_fd(), GREEN_INVALID_FD);
        CHECK_INT(green_hub_embed(), GREEN_EHUB);
        lev_end(base);
}

GREEN_SUITE_INIT(lev_init)

GREEN_SUITE(hub_libevent){GREEN_TEST(a_bufferevent_and_a_green_thread_converse),
                          GREEN_TEST(the_applications_timers_go_off_while_all_green_threads_wait),
                          GREEN_TEST(the_applications_timers_go_off_while_green_threads_are_busy),
                          GREEN_TEST(callbacks_that_call_each_other_do_not_hold_up_green_threads),
                          GREEN_TEST(a_callback_wakes_and_spawns_green_threads),
                          GREEN_TEST(a_timer_set_in_a_callback_ends_the_wait_in_time),
                          GREEN_TEST(the_applications_base_gets_nothing_left_in_it),
                          GREEN_TEST(a_base_that_knows_no_edges_is_refused),
                          GREEN_TEST(each_os_thread_has_a_loop_of_its_own),
                          GREEN_TEST(what_is_closed_behind_its_back_is_not_printed_about),
                          GREEN_TEST(the_child_of_a_fork_has_a_loop_of_its_own),
                          GREEN_TEST(what_a_callback_removes_or_changes_is_not_reported),
                          GREEN_TEST(all_that_the_loop_waits_for_is_listed),
                          GREEN_TEST(it_describes_itself_and_is_no_descriptor),
                          GREEN_SUITE_END};
