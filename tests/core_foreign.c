/* Hubs that live in a foreign event loop, as core sees them: hub_callsback stands in for one, hub_libevent.c has a real
 * one. */
#include "core_suite.h"

/* Addresses that stand for event loops of the application's. */
static int loop_a, loop_b;

/* The plug-in's path, copied; NULL, and the test is skipped, where there is none. */
static const char *
plugin(void)
{
        static char path[4096];
        const char *found = suite_plugin("hub_callsback");

        if (found == NULL) {
                suite_skip("this build has no modules");
                return NULL;
        }
        snprintf(path, sizeof path, "%s", found);
        return path;
}

/* Begins with a hub in this loop. */
static const char *
in_loop(void *loop)
{
        const char *path = plugin();

        if (path == NULL || !CHECK_INT(green_hub_destroy(CORE_SOON), 0) ||
            !CHECK_INT(green_use_hub_loop(path, loop), 0))
                return NULL;
        return path;
}

static void
back_to_the_usual(void)
{
        CHECK(core_fresh_hub(NULL));
}

static bool
says(const char *part)
{
        const char *message = green_last_error()->message;

        return strstr(message, part) != NULL || FAIL("\"%s\" does not say \"%s\"", message, part);
}

static void
a_hub_without_a_foreign_loop_says_what_to_do(void)
{
        GREEN_COVERS("AIO-02");
        CHECK_OR_RETURN(core_fresh_hub("epoll,poll"));
        CHECK_PTR(green_hub_loop(), NULL);
        CHECK_INT(green_last_error()->code, GREEN_EHUB);
        CHECK(says(green_hub_name(NULL)) && says("GREEN_HUB=libevent"));
        CHECK_INT(green_use_hub_loop("epoll,poll", &loop_a), GREEN_EHUB);
        CHECK(says("GREEN_HUB=libevent"));
        /* And nothing has changed, nobody has the loop. */
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_use_hub_loop("epoll,poll", NULL), 0);
        back_to_the_usual();
}

static void
the_loop_is_given_back(void)
{
        const char *path = in_loop(&loop_a);

        GREEN_COVERS("AIO-06");
        if (path == NULL)
                return;
        CHECK_PTR(green_hub_loop(), &loop_a);
        CHECK_STR(green_hub_name(NULL), "callsback");
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_PTR(green_hub_loop(), &loop_a);
        /* Without one it makes its own. */
        CHECK_INT(green_use_hub(path), 0);
        CHECK(green_hub_loop() != NULL && green_hub_loop() != &loop_a);
        back_to_the_usual();
}

struct other {
        const char *path;
        void *loop;
        int rc;
        bool busy_said;
        void *got;
};

static void *
use_in_thread(void *arg)
{
        struct other *o = arg;

        o->rc = green_use_hub_loop(o->path, o->loop);
        o->busy_said = strstr(green_last_error()->message, "another hub lives in this event loop") != NULL;
        o->got = o->rc == 0 ? green_hub_loop() : NULL;
        return NULL;
}

static struct other
use_elsewhere(const char *path, void *loop)
{
        struct other o = {.path = path, .loop = loop};
        pthread_t thread;

        CHECK_INT(pthread_create(&thread, NULL, use_in_thread, &o), 0);
        CHECK_INT(pthread_join(thread, NULL), 0);
        return o;
}

static void
a_loop_belongs_to_one_hub(void)
{
        const char *path = in_loop(&loop_a);
        struct other o;

        GREEN_COVERS("AIO-07");
        if (path == NULL)
                return;
        o = use_elsewhere(path, &loop_a);
        CHECK_INT(o.rc, -EBUSY);
        CHECK(o.busy_said);
        o = use_elsewhere(path, &loop_b);
        CHECK_INT(o.rc, 0);
        CHECK_PTR(o.got, &loop_b);
        /* It is its own all the same: it may be said again. */
        CHECK_INT(green_use_hub_loop(path, &loop_a), 0);
        /* Gone to another, and ended with the OS thread: both are free. */
        CHECK_INT(green_use_hub_loop(path, &loop_b), 0);
        CHECK_PTR(green_hub_loop(), &loop_b);
        CHECK_INT(use_elsewhere(path, &loop_b).rc, -EBUSY);
        CHECK_INT(use_elsewhere(path, &loop_a).rc, 0);
        CHECK_INT(green_use_hub("poll"), 0);
        CHECK_INT(use_elsewhere(path, &loop_b).rc, 0);
        /* A hub that cannot be made has none. */
        CHECK_INT(use_elsewhere("/nowhere/hub.so", &loop_a).rc, GREEN_EHUB);
        CHECK_INT(green_use_hub_loop(path, &loop_a), 0);
        CHECK_INT(green_hub_destroy(CORE_SOON), 0);
        CHECK_INT(use_elsewhere(path, &loop_a).rc, 0);
        back_to_the_usual();
}

static void
a_hub_in_which_something_waits_does_not_move(void)
{
        const char *path = in_loop(&loop_a);
        struct core_waiter w;
        int fds[2];

        if (path == NULL || !core_pair(fds))
                return;
        core_wait_fd(&w, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_use_hub_loop(path, &loop_b), -EBUSY);
        CHECK_PTR(green_hub_loop(), &loop_a);
        core_put(fds[1]);
        CHECK_INT(core_join(w.gt), 0);
        CHECK_INT(w.rc, 0);
        core_close_pair(fds);
        back_to_the_usual();
}

static void
the_child_of_a_fork_keeps_its_loop(void)
{
        const char *path = in_loop(&loop_a);
        pid_t child;
        int status = -1;

        if (path == NULL)
                return;
        fflush(NULL);
        child = fork();
        if (child == 0) {
                CHECK_PTR(green_hub_loop(), &loop_a);
                if (suite_child_threads())
                        CHECK_INT(use_elsewhere(path, &loop_a).rc, -EBUSY);
                CHECK_INT(green_sleep(0.001), 0);
                _exit(suite_failures() != 0);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
        back_to_the_usual();
}

static void
a_hub_that_runs_a_loop_is_not_embedded(void)
{
        if (in_loop(&loop_a) == NULL)
                return;
        CHECK_INT(green_hub_embed(), GREEN_EHUB);
        CHECK(says("callsback") && says("runs an event loop itself") && says("green_use_hub_loop()"));
        CHECK_INT(green_sleep(0.001), 0);
        back_to_the_usual();
}

/* The whole text, and what snprintf() would make of it in less room. */
static void
check_text(const char *want)
{
        char text[512], part[8];
        int len = green_debug_format_asyncio_info(text, sizeof text);

        CHECK_STR(text, want);
        CHECK_INT(len, strlen(want));
        CHECK_INT(green_debug_format_asyncio_info(NULL, 0), len);
        memset(part, '#', sizeof part);
        CHECK_INT(green_debug_format_asyncio_info(part, 5), len);
        CHECK_INT(strncmp(part, want, 4), 0);
        CHECK_INT(part[4], '\0');
        CHECK_INT(part[5], '#');
        CHECK_INT(green_debug_format_asyncio_info(part, 0), len);
        CHECK_INT(part[0], want[0]);
}

static void
what_the_foreign_loop_waits_for_can_be_read(void)
{
        struct core_waiter w;
        char want[128];
        int fds[2], wake;

        GREEN_COVERS("DEBUG-08");
        CHECK_OR_RETURN(core_fresh_hub("poll"));
        check_text("no foreign loop: the hub is poll\n");
        back_to_the_usual();
        if (in_loop(&loop_a) == NULL || !core_pair(fds))
                return;
        core_wait_fd(&w, fds[0], GREEN_READ);
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_debug_format_asyncio_info(want, sizeof want) > 0, 1);
        CHECK_INT(sscanf(want, "descriptor %d: wake\n", &wake), 1);
        snprintf(want, sizeof want, "descriptor %d: wake\ndescriptor %d\n", wake, fds[0]);
        check_text(want);
        core_put(fds[1]);
        CHECK_INT(core_join(w.gt), 0);
        core_close_pair(fds);
        back_to_the_usual();
}

GREEN_SUITE_INIT(core_init)

GREEN_SUITE(core_foreign){GREEN_TEST(a_hub_without_a_foreign_loop_says_what_to_do),
                          GREEN_TEST(the_loop_is_given_back),
                          GREEN_TEST(a_loop_belongs_to_one_hub),
                          GREEN_TEST(a_hub_in_which_something_waits_does_not_move),
                          GREEN_TEST(the_child_of_a_fork_keeps_its_loop),
                          GREEN_TEST(a_hub_that_runs_a_loop_is_not_embedded),
                          GREEN_TEST(what_the_foreign_loop_waits_for_can_be_read),
                          GREEN_SUITE_END};
