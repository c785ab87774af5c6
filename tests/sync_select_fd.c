/*
 * Waiting for the first of several, some of which are descriptors.
 */
#include "core_suite.h"
#include "sync_select.h"

#include <fcntl.h>

GREEN_SUITE_INIT(queue_init)

static void
a_descriptor_that_is_closed_ends_the_wait(void)
{
        GREEN_COVERS("ISS-12");
        green_queue *q = green_queue_new(0, NULL);
        struct sel sel = {.c = {GREEN_CASE_GET(q)}};
        struct green_select_case c[3];
        int a[2], b[2];

        pair(a);
        pair(b);
        sel.c[1] = (struct green_select_case)GREEN_CASE_READ(a[0]);
        sel.c[2] = (struct green_select_case)GREEN_CASE_READ(b[0]);
        sel_begin(&sel, 3);
        close_fd(a[0]);
        sel_won(&sel, 1, -ECANCELED);
        check_no_fd_waits();
        CHECK_INT(green_queue_getting(q), 0);
        /* It is closed now: known when it is armed, and those armed before it are let go. */
        for (int i = 0; i < 4; i++) {
                c[0] = (struct green_select_case)GREEN_CASE_READ(b[0]);
                c[1] = (struct green_select_case)GREEN_CASE_READ(a[0]);
                c[2] = (struct green_select_case)GREEN_CASE_GET(q);
                CHECK_INT(won(c, 3), 1);
                CHECK(c[1].result == -EBADF || c[1].result == 0); /* back ends that poll say it is ready */
                check_no_fd_waits();
        }
        put_byte(b[1]);
        CHECK_INT(green_trampoline(b[0], GREEN_READ, SOON), 0);
        close_fd(a[1]);
        close_pair(b);
        free_empty(q);
}

static void
those_armed_before_one_that_fails_are_let_go(void)
{
        struct hub_late_stats *stats = core_late_hub("hub_late_level", "strict=1");
        struct green_select_case c[3];
        int a[2];

        if (stats == NULL)
                return;
        pair(a);
        c[0] = (struct green_select_case)GREEN_CASE_READ(a[0]);
        c[1] = (struct green_select_case)GREEN_CASE_READ(a[1]);
        close_fd(a[1]);
        c[2] = (struct green_select_case)GREEN_CASE_READ(a[0]);
        for (int i = 0; i < 6; i++) {
                size_t index = won(c, 3);

                CHECK_INT(index, 1);
                CHECK_INT(c[index].result, -EBADF);
                CHECK_INT(stats->adds - stats->removes, i + 1); /* those that failed */
        }
        close_fd(a[0]);
        core_fresh_hub(NULL);
}

static void
a_descriptor_that_another_waits_for_is_busy(void)
{
        struct sel first = {.timeout = GREEN_FOREVER};
        struct green_select_case c[2];
        int a[2];

        pair(a);
        first.c[0] = (struct green_select_case)GREEN_CASE_READ(a[0]);
        c[0] = first.c[0];
        c[1] = (struct green_select_case)GREEN_CASE_READ(a[1]);
        sel_begin(&first, 1);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(won(c, 2), 0);
                CHECK_INT(c[0].result, -EBUSY);
                CHECK_INT(hub_info().readers, 1);
        }
        put_byte(a[1]);
        sel_won(&first, 0, 0);
        close_pair(a);
}

static void
descriptors_that_are_ready_share_with_one_another_and_with_others(void)
{
        enum { ROUNDS = 200 };
        green_queue *q = green_queue_new(-1, NULL);
        int a[2], b[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

        pair(a);
        pair(b);
        put_byte(a[0]);
        put_byte(b[0]);
        fill(q, 1, ROUNDS);
        for (int what = 0; what < 3; what++) { /* two sockets; a queue besides; a file besides */
                int wins[4] = {0};

                for (int i = 0; i < ROUNDS; i++) {
                        struct green_select_case c[] = {GREEN_CASE_READ(a[1]), GREEN_CASE_READ(b[1]), GREEN_CASE_GET(q),
                                                        GREEN_CASE_READ(file)};
                        size_t index;

                        if (what != 1)
                                c[2].op = GREEN_SELECT_NONE;
                        if (what != 2)
                                c[3].op = GREEN_SELECT_NONE;
                        index = won(c, 4);
                        wins[index]++;
                        CHECK_INT(c[index].result, 0);
                }
                for (int i = 0; i < 4; i++)
                        CHECK_RANGE(wins[i], i < 2 || i == what + 1 ? ROUNDS / 8 : 0, ROUNDS);
                check_no_fd_waits();
        }
        close_pair(a);
        close_pair(b);
        close(file);
        while (take(q) >= 0)
                ;
        free_empty(q);
}

static void
a_socket_and_a_queue_are_waited_for_together_for_long(void)
{
        GREEN_COVERS("ISS-12");
        enum { ROUNDS = 300 };
        green_queue *q = green_queue_new(1, NULL);
        struct sel sel = {.c = {GREEN_CASE_GET(q)}};
        int a[2];

        pair(a);
        sel.c[1] = (struct green_select_case)GREEN_CASE_READ(a[0]);
        for (int i = 0; i < ROUNDS; i++) {
                sel_begin(&sel, 2);
                if (i % 3 == 0) {
                        put_byte(a[1]);
                        sel_won(&sel, 1, 0);
                        drain_fd(a[0]);
                } else {
                        fill(q, i, i);
                        sel_won(&sel, 0, 0);
                        CHECK_PTR(sel.c[0].value, PTR(i));
                }
        }
        check_no_fd_waits();
        close_pair(a);
        free_empty(q);
}

GREEN_SUITE(sync_select_fd) {
        GREEN_TEST(a_descriptor_that_is_closed_ends_the_wait),
        GREEN_TEST(those_armed_before_one_that_fails_are_let_go),
        GREEN_TEST(a_descriptor_that_another_waits_for_is_busy),
        GREEN_TEST(descriptors_that_are_ready_share_with_one_another_and_with_others),
        GREEN_TEST(a_socket_and_a_queue_are_waited_for_together_for_long),
        GREEN_SUITE_END
};
