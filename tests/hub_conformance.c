/*
 * Takes a hub through all that <green/hub.h> asks of it: the gate for ours and for those of others.
 *
 *     GREEN_HUB=./hub_mine.so tests/hub_conformance
 *
 * In `make check` it also runs, in programs of its own, for the hubs that only the tests have.
 */
#include "config.h"

#include <green/error.h>

#include "../core/hub_load.h"
#include "hub_conformance.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

const struct green_hub_ops *conf_ops;
unsigned conf_fail_alloc;

/* The one that is taken by default; NULL where all are modules. */
static const struct green_hub_ops *first_hub;

/* Blocks that hubs hold, of all OS threads. */
static atomic_long blocks;

static void *
counted_realloc(void *old, size_t len)
{
        void *block;

        if (conf_fail_alloc > 0 && --conf_fail_alloc == 0)
                return NULL;
        block = realloc(old, len);
        if (block != NULL && old == NULL)
                blocks++;
        return block;
}

static void
counted_free(void *old)
{
        if (old != NULL)
                blocks--;
        free(old);
}

long
conf_blocks(void)
{
        return blocks;
}

static void
log_line(int level, const char *message)
{
        printf("hub says (%d): %s\n", level, message);
}

const struct green_hub_config conf_config = {
        .size = sizeof(struct green_hub_config),
        .realloc = counted_realloc,
        .free = counted_free,
        .log = log_line,
};

void *
conf_open(void)
{
        void *hub = NULL;

        return CHECK_INT(conf_ops->init(&conf_config, &hub), 0) && CHECK(hub != NULL) ? hub : NULL;
}

void
conf_close(void *hub)
{
        if (hub != NULL)
                conf_ops->fini(hub);
        CHECK_INT(blocks, 0);
}

double
conf_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int
conf_wait(void *hub, struct green_hub_event *events, int max, double seconds)
{
        double end = conf_now() + seconds;
        int n;

        do {
                double left = end - conf_now();

                n = conf_ops->wait(hub, events, max, left > 0 ? (int64_t)(left * 1e9) : 0);
        } while (n == 0 && conf_now() < end);
        CHECK(n >= 0 && n <= max);
        for (int i = 0; i < n; i++)
                CHECK_INT(events[i].reserved, 0);
        return n;
}

uint32_t
conf_bits(void *hub, uint64_t token, double seconds)
{
        struct green_hub_event events[16];
        int n = conf_wait(hub, events, 16, seconds);
        uint32_t bits = 0;

        for (int i = 0; i < n; i++) {
                if (events[i].op == NULL && events[i].token == token)
                        bits |= events[i].events;
        }
        return bits;
}

bool
conf_quiet(void *hub)
{
        struct green_hub_event event;
        int n = conf_wait(hub, &event, 1, CONF_QUIET);

        return n == 0 || FAIL("event %#x of token %llu, where nothing was to come", (unsigned)event.events,
                              (unsigned long long)event.token);
}

bool
conf_woken(void *hub)
{
        struct green_hub_event event;

        return CHECK_INT(conf_ops->wait(hub, &event, 1, -1), 0);
}

void
conf_put(green_fd fd)
{
        CHECK_INT(conf_write(fd, "x", 1), 1);
}

void
conf_drain(green_fd fd)
{
        char bytes[4096];

        while (conf_read(fd, bytes, sizeof bytes) > 0)
                continue;
}

void
conf_close_pair(green_fd fds[2])
{
        conf_close_fd(fds[0]);
        conf_close_fd(fds[1]);
}

bool
conf_can(uint32_t feature, const char *name)
{
        if (conf_ops->features & feature)
                return true;
        suite_skip(name);
        return false;
}

/* ---- the table, and the life of a state */

static void
the_table_is_whole(void)
{
        char why[256] = "";

        if (!green__module_check(&green__hub_kind, conf_ops, NULL, why, sizeof why))
                FAIL("%s", why);
        CHECK(!(conf_ops->features & GREEN_HUB_CAN_SUBMIT) || (conf_ops->submit != NULL && conf_ops->cancel != NULL));
}

static void
probe_leaves_nothing_behind(void)
{
        for (int i = 0; i < 100; i++)
                CHECK_INT(conf_ops->probe(), 0);
        CHECK_INT(blocks, 0);
}

static void
init_and_fini_leave_nothing_behind(void)
{
        for (int i = 0; i < 100; i++)
                conf_close(conf_open());
}

static void
fini_with_registrations_left(void)
{
        void *hub = conf_open();
        green_fd fds[2];

        if (hub == NULL || !conf_pair(fds))
                return;
        CHECK_INT(conf_ops->add(hub, fds[0], GREEN_READ | GREEN_WRITE, 1), 0);
        CHECK_INT(conf_ops->add(hub, fds[1], GREEN_READ, 2), 0);
        conf_put(fds[0]);
        CHECK_INT(conf_ops->wake(hub), 0);
        conf_close(hub);
        /* They are the caller's, and still open. */
        CHECK(conf_is_open(fds[0]) && conf_is_open(fds[1]));
        conf_close_pair(fds);
}

static void
init_without_memory_fails_in_order(void)
{
        void *untouched = &blocks;
        unsigned n = 0;
        int err;

        do {
                void *hub = untouched;

                conf_fail_alloc = ++n;
                err = conf_ops->init(&conf_config, &hub);
                conf_fail_alloc = 0;
                if (err == 0) {
                        conf_close(hub);
                } else {
                        CHECK_INT(err, -ENOMEM);
                        CHECK_PTR(hub, untouched);
                        CHECK_INT(blocks, 0);
                }
        } while (err != 0 && n < 1000);
        CHECK(n < 1000);
}

static void
describe_writes_a_line(void)
{
        void *hub = conf_open();
        char whole[512], part[512];
        int len;

        if (hub == NULL)
                return;
        len = conf_ops->describe(hub, whole, sizeof whole);
        CHECK(len > 0 && len < (int)sizeof whole);
        CHECK_INT(strlen(whole), len);
        CHECK(strchr(whole, '\n') == NULL);
        CHECK_INT(conf_ops->describe(hub, NULL, 0), len);
        memset(part, '#', sizeof part);
        CHECK_INT(conf_ops->describe(hub, part, 4), len);
        CHECK_INT(part[3], '\0');
        CHECK_INT(part[4], '#');
        CHECK(strncmp(part, whole, 3) == 0);
        conf_close(hub);
}

/* ---- the hubs of the tests, in programs of their own */

/* Those programs do not start more of them; and of the runs through each hub, one is enough. */
static bool
is_inner(void)
{
        if (getenv("GREEN_TEST_INNER") != NULL)
                suite_skip("this is one of them");
        else if (first_hub != NULL && conf_ops != first_hub)
                suite_skip("the best hub's run has them");
        else
                return false;
        return true;
}

/*
 * As core sees it, it ends multishot operations now and then for no reason, which is allowed, and has few buffers; here
 * none may end, and there are enough.
 */
#define LATE_PLAIN "end=0,buffers=64"

static void
late_conforms(void)
{
        if (!is_inner())
                conf_conforms("hub_late", LATE_PLAIN);
}

static void
late_conforms_in_other_moods(void)
{
        if (is_inner())
                return;
        conf_conforms("hub_late", LATE_PLAIN ",late=0,order=oldest,cancel=now");
        conf_conforms("hub_late", LATE_PLAIN ",late=5,cancel=success");
        conf_conforms("hub_late", LATE_PLAIN ",cancel=canceled,kinds=RS");
}

static void
late_level_conforms(void)
{
        if (!is_inner())
                conf_conforms("hub_late_level", LATE_PLAIN);
}

static void
callsback_conforms(void)
{
        if (!is_inner())
                conf_conforms("hub_callsback", "");
}

/* As on a system whose kqueue has no user events and does not tell of urgent data. */
static void
bare_kqueue_conforms(void)
{
        if (!is_inner())
                conf_conforms("hub_kqueue_bare", "");
}

static bool
io_uring_works(void)
{
        const struct green_hub_ops *ops = green__hub_find(suite_plugin("hub_io_uring_coop"));

        return ops != NULL && ops->probe() == 0;
}

static void
io_uring_of_older_kernels_conforms(void)
{
        if (is_inner())
                return;
        if (suite_plugin("hub_io_uring_coop") == NULL) {
                suite_skip("this build has no io_uring");
                return;
        }
        if (SUITE_TSAN) {
                suite_skip("ThreadSanitizer does not know what the kernel does in the rings of io_uring");
                return;
        }
        if (!io_uring_works()) {
                suite_skip("io_uring does not work here");
                return;
        }
        conf_conforms("hub_io_uring_single", "");
        conf_conforms("hub_io_uring_coop", "");
}

static void
find_hub(void)
{
        first_hub = green__hub_find(NULL);
        conf_ops = green__hub_find(getenv("GREEN_HUB"));
        if (conf_ops != NULL)
                return;
        fprintf(stderr, "hub_conformance: %s\n", green_last_error()->message);
        exit(99);
}
GREEN_SUITE_INIT(find_hub)

GREEN_SUITE(hub_conformance){
        GREEN_TEST(the_table_is_whole),
        GREEN_TEST(probe_leaves_nothing_behind),
        GREEN_TEST(init_and_fini_leave_nothing_behind),
        GREEN_TEST(fini_with_registrations_left),
        GREEN_TEST(init_without_memory_fails_in_order),
        CONF_LIFE_TESTS(CONF_TEST_ROW)
        GREEN_TEST(describe_writes_a_line),
        CONF_READY_TESTS(CONF_TEST_ROW)
        CONF_MANY_TESTS(CONF_TEST_ROW)
        CONF_WAKE_TESTS(CONF_TEST_ROW)
        CONF_OPS_TESTS(CONF_TEST_ROW)
        CONF_MULTI_TESTS(CONF_TEST_ROW)
        GREEN_TEST(late_conforms, .limit = 120),
        GREEN_TEST(late_conforms_in_other_moods, .limit = 240),
        GREEN_TEST(late_level_conforms, .limit = 120),
        GREEN_TEST(callsback_conforms, .limit = 120),
        GREEN_TEST(bare_kqueue_conforms, .limit = 120),
        GREEN_TEST(io_uring_of_older_kernels_conforms, .limit = 120),
        GREEN_SUITE_END,
};
