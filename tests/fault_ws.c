/* Each allocation and system call of WebSockets, of either end, fails in its turn. See fault.h. */
#include "fault_ws_scene.h"

/* Everything once. */
static void
talk(struct scene *scene, green_websocket *ws)
{
        static const char *const asked[] = {"echo this", "frag\xc3\xa4", "prepared", "o", "i", "b"};
        static const size_t lens[] = {9, 6, 8, 8, 1, BIG};
        struct green_websocket_message m;

        CHECK_STR(green_websocket_protocol(ws), "chat");
        CHECK_STR(green_websocket_origin(ws), "http://o");
        CHECK(green_websocket_data(ws) == NULL && green_websocket_get_socket(ws) != NULL);
        for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
                if (!fault_ws_asks(ws, asked[i], lens[i]))
                        return;
        if (!OK(fault_ws_fragments(ws, "echo")) || !fault_ws_comes(ws, &m, 4) || !OK(fault_ws_ping_both_ways(ws)))
                return;
        if (!OK(green_websocket_send(ws, GREEN_WEBSOCKET_BINARY, fault_ws_big, BIG)) || !fault_ws_comes(ws, &m, BIG))
                return;
        if (!OK(green_websocket_send_prepared(ws, scene->prepared)) || !fault_ws_comes(ws, &m, 8))
                return;
        if (OK(green_websocket_post(ws, scene->prepared)) && fault_ws_comes(ws, &m, 8)) {
                (void)green_websocket_unsent(ws);
                (void)OK(green_sleep(0.002));
                if (OK(green_websocket_close(ws, 1000, "done")))
                        CHECK(green_websocket_closed(ws) && green_websocket_close_code(ws) != 0);
        }
}

/* With pauses in which the handler rests. */
static void
talk_slowly(struct scene *scene, green_websocket *ws)
{
        for (int i = 0; i < 3; i++) {
                if (!OK(green_sleep(0.002)) || !fault_ws_asks(ws, "echo", 4))
                        return;
        }
        CHECK(!scene->rest || scene->calls > 1);
}

static void *
sleep_long(void *arg)
{
        (void)arg;
        (void)!green_sleep(1000);
        return NULL;
}

/* Stacks are got many at a time: once it is the handler that needs the next ones. */
static void
talk_in_a_crowd(struct scene *scene, green_websocket *ws)
{
        green_thread *threads[SLEEPERS];
        int count = 0;

        (void)scene;
        while (count < SLEEPERS && MADE(threads[count] = green_spawn(sleep_long, NULL))) {
                count++;
                if (!OK(green_sleep(0)) || (count > SLEEPERS - 12 && !fault_ws_asks(ws, "echo", 4)))
                        break;
        }
        while (count-- > 0) {
                green_kill(threads[count], 0);
                CHECK_INT(fault_join(threads[count]), GREEN_EKILLED);
        }
}

/* The server says goodbye. */
static void
is_closed(struct scene *scene, green_websocket *ws)
{
        struct green_websocket_message m;
        int rc, code;

        if (!OK(green_websocket_send_text(ws, "c")))
                return;
        rc = green_websocket_wait(ws, &m);
        if (!OK(rc))
                return;
        CHECK_INT(rc, 0);
        code = green_websocket_close_code(ws);
        if (code != 3000) {
                CHECK(code == 1006 || code == 1011);
                fault_shows();
        } else if (strcmp(green_websocket_close_reason(ws), "enough") != 0) {
                CHECK_STR(green_websocket_close_reason(ws), "");
                fault_shows();
        }
        (void)scene;
}

static void
handler_fails(struct scene *scene, green_websocket *ws)
{
        struct green_websocket_message m;
        int rc;

        if (!OK(green_websocket_send_text(ws, "x")))
                return;
        rc = green_websocket_wait(ws, &m);
        if (OK(rc))
                CHECK(rc == 0 && (green_websocket_close_code(ws) == 1011 || fault_happened()));
        (void)scene;
}

/* Its pings are answered without a handler. */
static void
is_silent(struct scene *scene, green_websocket *ws)
{
        if (OK(green_sleep(0.01)) && !green_websocket_pending(ws))
                (void)fault_ws_asks(ws, "echo", 4);
        (void)scene;
}

/* It is there when the server ends. */
static void
outlives(struct scene *scene, green_websocket *ws)
{
        struct green_websocket_message m;
        int rc;

        if (!fault_ws_asks(ws, "echo", 4))
                return;
        scene->kill = true;
        (void)OK(green_socket_close(scene->listener));
        rc = green_websocket_wait(ws, &m);
        if (OK(rc))
                CHECK(rc == 0 && (green_websocket_close_code(ws) == 1001 || fault_happened()));
}

/* ---- the scenarios */

static bool
check_origin(const char *host, const char *origin, void *arg)
{
        (void)arg;
        return *host != '\0' && strcmp(origin, "http://o") == 0;
}

static void
plain(void)
{
        struct scene scene = {.talk = talk, .opts.origin_checker = check_origin, .client.no_deflate = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
deflated(void)
{
        struct scene scene = {.talk = talk, .client.client_max_window_bits = 9, .opts.server_max_window_bits = 10};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
deflated_with_takeover(void)
{
        struct scene scene = {.talk = talk, .opts.context_takeover = true, .client.context_takeover = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
at_rest(void)
{
        struct scene scene = {.talk = talk_slowly, .rest = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
at_rest_in_a_crowd(void)
{
        struct scene scene = {.talk = talk_in_a_crowd, .rest = true, .opts.no_deflate = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
at_rest_in_a_pool(void)
{
        struct scene scene = {.talk = talk_slowly, .rest = true, .pool = true, .opts.no_deflate = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
closed_by_the_server(void)
{
        struct scene scene = {.talk = is_closed, .opts.no_deflate = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
failing_handler(void)
{
        struct scene scene = {.talk = handler_fails, .opts.no_deflate = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
pings(void)
{
        struct scene scene = {.talk = is_silent, .rest = true, .opts = {.no_deflate = true, .ping_interval = 0.002}};

        scene.client.ping_interval = 0.0025;
        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
server_ends(void)
{
        struct scene scene = {.talk = outlives, .opts.no_deflate = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

static void
server_ends_at_rest(void)
{
        struct scene scene = {.talk = outlives, .rest = true, .opts.no_deflate = true};

        fault_ws_play(&scene, fault_ws_handler, "prepared", 8);
}

#define SCENARIOS(X)                                                                                                   \
        X(plain, SERVES, 0)                                                                                            \
        X(deflated, SERVES, 0)                                                                                         \
        X(deflated_with_takeover, SERVES, 0)                                                                           \
        X(at_rest, SERVES, 0)                                                                                          \
        X(at_rest_in_a_crowd, SERVES, 0)                                                                               \
        X(at_rest_in_a_pool, SERVES, 0)                                                                                \
        X(closed_by_the_server, SERVES, 0)                                                                             \
        X(failing_handler, SERVES, 0)                                                                                  \
        X(pings, SERVES, 0)                                                                                            \
        X(server_ends, SERVES, 0)                                                                                      \
        X(server_ends_at_rest, SERVES, 0)

FAULT_DEFINE(SCENARIOS)

static void
signals_change_nothing(void)
{
        SCENARIOS(FAULT_STORM_ROW)
}

static void
a_program_that_is_stopped_and_continued_goes_on(void)
{
        fault_stopped(&scenario_deflated, 0.3);
}

static void
too_few_descriptors_are_an_error(void)
{
        fault_few_descriptors(&scenario_deflated);
}

GREEN_SUITE(fault_ws) {
        SCENARIOS(FAULT_TEST_ROW)
        GREEN_TEST(signals_change_nothing, .limit = 120),
        GREEN_TEST(a_program_that_is_stopped_and_continued_goes_on, .limit = 60),
        GREEN_TEST(too_few_descriptors_are_an_error, .limit = 60),
        GREEN_SUITE_END
};
