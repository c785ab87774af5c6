/* Values local to a green thread. */
#include "core_help.h"

GREEN_SUITE_INIT(help_init)

static green_local *local;

static void *
set_and_keep(void *arg)
{
        CHECK_PTR(green_local_get(local), NULL);
        CHECK_INT(green_local_set(local, arg), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_sleep(0), 0);
                CHECK_PTR(green_local_get(local), arg);
        }
        return NULL;
}

static void
each_green_thread_has_a_value_of_its_own(void)
{
        GREEN_COVERS("LOCAL-01");
        green_local *other = green_local_new(NULL);
        green_thread *gt[4];

        local = green_local_new(NULL);
        CHECK_OR_RETURN(local != NULL && other != NULL);
        CHECK_PTR(green_local_get(local), NULL);
        CHECK_INT(green_local_set(local, PTR(99)), 0);
        for (int i = 0; i < 4; i++)
                gt[i] = green_spawn(set_and_keep, PTR(i + 1));
        for (int i = 0; i < 4; i++)
                CHECK_INT(join(gt[i]), 0);
        CHECK_PTR(green_local_get(local), PTR(99));
        CHECK_PTR(green_local_get(other), NULL);
        CHECK_INT(green_local_set(local, NULL), 0);
        CHECK_PTR(green_local_get(local), NULL);
        green_local_free(local);
        green_local_free(other);
        green_local_free(NULL);
}

struct maker {
        int made;
        int ended;
        bool slow;
        green_thread *last;
};

static struct maker maker;

static void *
construct(void *arg)
{
        struct maker *m = arg;

        m->made++;
        m->last = green_getcurrent();
        if (m->slow)
                CHECK_INT(green_sleep(0), 0);
        return m;
}

static void
destruct(void *value)
{
        struct maker *m = value;

        m->ended++;
        m->last = green_getcurrent();
        /* Clean-up may wait, also in one that was killed. */
        CHECK_INT(green_sleep(0), 0);
}

static void *
get_thrice(void *arg)
{
        for (int i = 0; i < 3; i++) {
                CHECK_PTR(green_local_get(local), &maker);
                turns(1);
        }
        return arg;
}

static void
the_constructor_runs_once_in_each_green_thread_that_asks(void)
{
        GREEN_COVERS("LOCAL-02");
        const struct green_local_opts opts = {.size = sizeof(opts), .construct = construct, .arg = &maker};
        green_thread *gt[3];

        for (int slow = 0; slow < 2; slow++) {
                maker = (struct maker){.slow = slow == 1};
                local = green_local_new(&opts);
                for (int i = 0; i < 3; i++)
                        gt[i] = green_spawn(get_thrice, NULL);
                for (int i = 0; i < 3; i++)
                        CHECK_INT(join(gt[i]), 0);
                CHECK_INT(maker.made, 3);
                CHECK_PTR(green_local_get(local), &maker);
                CHECK_INT(maker.made, 4);
                green_local_free(local);
        }
}

static void *
construct_nothing(void *arg)
{
        ++*(int *)arg;
        return NULL;
}

static void
a_constructor_may_give_nothing_and_is_not_asked_again(void)
{
        GREEN_COVERS("LOCAL-02");
        int asked = 0;
        const struct green_local_opts opts = {.size = sizeof(opts), .construct = construct_nothing, .arg = &asked};

        local = green_local_new(&opts);
        CHECK_PTR(green_local_get(local), NULL);
        CHECK_PTR(green_local_get(local), NULL);
        CHECK_INT(asked, 1);
        green_local_free(local);
}

static void
bad_options_are_errors(void)
{
        GREEN_COVERS("LOCAL-03");
        const struct green_local_opts lost = {.size = sizeof(lost), .arg = &maker};
        const struct green_local_opts unknown = {.size = sizeof(size_t) - 1};

        errno = 0;
        CHECK_PTR(green_local_new(&lost), NULL);
        CHECK_INT(errno, EINVAL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK_PTR(green_local_new(&unknown), NULL);
        CHECK_INT(green_local_set(NULL, PTR(1)), -EINVAL);
        CHECK_PTR(green_local_get(NULL), NULL);
}

static void *
get_and_end(void *arg)
{
        CHECK_PTR(green_local_get(local), &maker);
        if (INT(arg) == 1)
                (void)green_sleep(GREEN_FOREVER);
        if (INT(arg) == 2)
                green_exit(NULL);
        return NULL;
}

static void
values_end_with_their_green_thread_however_it_ends(void)
{
        GREEN_COVERS("LOCAL-04");
        const struct green_local_opts opts = {
                .size = sizeof(opts), .construct = construct, .arg = &maker, .destruct = destruct};

        maker = (struct maker){0};
        local = green_local_new(&opts);
        for (int i = 0; i < 99; i++) {
                green_thread *gt = green_spawn(get_and_end, PTR(i % 3));

                turns(1);
                if (i % 3 == 1)
                        CHECK_INT(green_kill(gt, 0), 0);
                (void)join(gt);
        }
        CHECK_INT(maker.made, 99);
        CHECK_INT(maker.ended, 99);
        green_local_free(local);
}

static void
set_again(void *value)
{
        trace((char)INT(value));
        if (INT(value) < 'c')
                CHECK_INT(green_local_set(local, PTR(INT(value) + 1)), 0);
}

static void *
set_first(void *arg)
{
        CHECK_INT(green_local_set(local, arg), 0);
        return NULL;
}

static void
a_destructor_may_set_a_value_again(void)
{
        GREEN_COVERS("LOCAL-04");
        const struct green_local_opts opts = {.size = sizeof(opts), .destruct = set_again};

        local = green_local_new(&opts);
        CHECK_INT(join(green_spawn(set_first, PTR('a'))), 0);
        CHECK_TRACE("abc");
        green_local_free(local);
}

static void
trace_deferred(void *arg)
{
        CHECK_PTR(green_local_get(local), PTR('v')); /* still there */
        trace((char)INT(arg));
}

static void
trace_value(void *value)
{
        trace((char)INT(value));
}

static void *
defer_and_set(void *arg)
{
        CHECK_INT(green_local_set(local, arg), 0);
        CHECK_INT(green_defer(trace_deferred, PTR('d')), 0);
        return NULL;
}

static void
values_end_after_deferred_clean_up_and_replaced_ones_are_the_callers(void)
{
        GREEN_COVERS("LOCAL-04");
        const struct green_local_opts opts = {.size = sizeof(opts), .destruct = trace_value};

        local = green_local_new(&opts);
        CHECK_INT(join(green_spawn(defer_and_set, PTR('v'))), 0);
        CHECK_TRACE("dv");
        CHECK_INT(green_local_set(local, PTR('o')), 0);
        CHECK_INT(green_local_set(local, NULL), 0);
        CHECK_TRACE("");
        green_local_free(local);
}

static void *
free_it_within(void *arg)
{
        CHECK_INT(green_local_set(local, arg), 0);
        green_local_free(local);
        return NULL;
}

static void
a_freed_local_forgets_its_values_and_a_new_one_does_not_find_them(void)
{
        const struct green_local_opts opts = {.size = sizeof(opts), .destruct = trace_value};
        green_local *next;

        local = green_local_new(&opts);
        CHECK_INT(join(green_spawn(free_it_within, PTR('x'))), 0);
        CHECK_TRACE("");
        local = green_local_new(NULL);
        CHECK_INT(green_local_set(local, PTR(5)), 0);
        green_local_free(local);
        next = green_local_new(NULL);
        CHECK_PTR(green_local_get(next), NULL);
        green_local_free(next);
}

static void *
methods(void *arg)
{
        CHECK_PTR(green_local_get(local), &maker);
        CHECK_PTR(maker.last, green_getcurrent());
        CHECK_INT(green_local_set(local, arg), 0);
        turns(1);
        CHECK_PTR(green_local_get(local), arg);
        CHECK_INT(green_local_set(local, &maker), 0);
        return green_getcurrent();
}

static void
constructor_and_destructor_run_in_the_green_thread_they_are_for(void)
{
        GREEN_COVERS("LOCAL-05");
        const struct green_local_opts opts = {
                .size = sizeof(opts), .construct = construct, .arg = &maker, .destruct = destruct};
        green_thread *gt;

        maker = (struct maker){0};
        local = green_local_new(&opts);
        gt = green_spawn(methods, PTR(1));
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        CHECK_PTR(maker.last, gt);
        CHECK_INT(maker.ended, 1);
        green_thread_unref(gt);
        green_local_free(local);
}

static void *
own_number(void *arg)
{
        uint64_t number = green_get_ident();

        (void)arg;
        CHECK(number != 0);
        turns(2);
        CHECK_INT(green_get_ident(), number);
        CHECK_INT(green_thread_ident(green_getcurrent()), number);
        return (void *)(uintptr_t)number;
}

static void
the_number_of_a_green_thread_stays_and_is_never_used_again(void)
{
        GREEN_COVERS("LOCAL-06");
        uintptr_t last = (uintptr_t)green_get_ident();

        for (int i = 0; i < 50; i++) {
                green_thread *gt = green_spawn(own_number, NULL);
                void *number = NULL;

                CHECK_INT(green_thread_wait(gt, &number), 0);
                CHECK((uintptr_t)number > last); /* not even with the control block used again */
                last = (uintptr_t)number;
                green_thread_unref(gt);
        }
}

static green_local *plain, *inherited;

static void *
look(void *arg)
{
        CHECK_PTR(green_local_get(plain), arg);
        CHECK_PTR(green_local_get(inherited), PTR('i'));
        CHECK_INT(green_local_set(inherited, PTR('j')), 0);
        return NULL;
}

static void
values_are_inherited_only_where_it_was_asked_for(void)
{
        GREEN_COVERS("LOCAL-07");
        const struct green_local_opts asks = {.size = sizeof(asks), .destruct = trace_value, .inherit = true};
        const struct green_spawn_opts all = {.size = sizeof(all), .inherit_locals = true};
        green_thread *killed;

        plain = green_local_new(NULL);
        inherited = green_local_new(&asks);
        CHECK_INT(green_local_set(plain, PTR('p')), 0);
        CHECK_INT(green_local_set(inherited, PTR('i')), 0);
        CHECK_INT(join(green_spawn(look, NULL)), 0);
        CHECK_TRACE("j");
        CHECK_INT(join(green_spawn_with(look, PTR('p'), &all)), 0);
        CHECK_TRACE("j");
        CHECK_INT(join(green_spawn_after(0, look, NULL)), 0);
        CHECK_TRACE("j");
        killed = green_spawn(look, NULL);
        CHECK_INT(green_kill(killed, 0), 0); /* its value ends unused */
        CHECK_TRACE("i");
        green_thread_unref(killed);
        CHECK_PTR(green_local_get(inherited), PTR('i'));
        green_local_free(plain);
        green_local_free(inherited);
}

static void
in_callback(void *arg)
{
        CHECK_PTR(green_local_get(local), NULL);
        CHECK_INT(green_local_set(local, PTR(8)), 0);
        CHECK_PTR(green_local_get(local), PTR(8));
        *(bool *)arg = true;
}

static void
callbacks_have_the_values_of_the_os_thread(void)
{
        bool called = false;

        local = green_local_new(NULL);
        CHECK_INT(green_local_set(local, PTR(7)), 0);
        CHECK_INT(green_schedule_call_global(0, in_callback, &called), 0);
        while (!called)
                CHECK_INT(green_sleep(0.001), 0);
        CHECK_PTR(green_local_get(local), PTR(7));
        green_local_free(local);
}

static void *
in_os_thread(void *arg)
{
        CHECK_PTR(green_local_get(local), NULL);
        CHECK_INT(green_local_set(local, arg), 0);
        CHECK_INT(join(green_spawn(set_and_keep, PTR(3))), 0);
        CHECK_PTR(green_local_get(local), arg);
        CHECK_INT(green_hub_destroy(1), 0);
        return NULL;
}

static void
one_local_serves_all_os_threads(void)
{
        GREEN_COVERS("LOCAL-01");
        pthread_t thread[2];

        local = green_local_new(NULL);
        CHECK_INT(green_local_set(local, PTR(1)), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_create(&thread[i], NULL, in_os_thread, PTR(i + 10)), 0);
        for (int i = 0; i < 2; i++)
                CHECK_INT(pthread_join(thread[i], NULL), 0);
        CHECK_PTR(green_local_get(local), PTR(1));
        green_local_free(local);
}

static void
there_is_a_limit_and_places_are_used_again(void)
{
        enum { MANY = 1100 };
        static green_local *many[MANY];
        int n = 0;

        while (n < MANY && (many[n] = green_local_new(NULL)) != NULL)
                n++;
        CHECK_RANGE(n, 100, MANY - 1);
        CHECK_INT(green_last_error()->code, -ENOMEM);
        CHECK_INT(green_local_set(many[n - 1], PTR(1)), 0);
        green_local_free(many[0]);
        many[0] = green_local_new(NULL);
        CHECK(many[0] != NULL);
        CHECK_PTR(green_local_get(many[n - 1]), PTR(1));
        for (int i = 0; i < n; i++)
                green_local_free(many[i]);
}

GREEN_SUITE(core_local) {
        GREEN_TEST(each_green_thread_has_a_value_of_its_own),
        GREEN_TEST(the_constructor_runs_once_in_each_green_thread_that_asks),
        GREEN_TEST(a_constructor_may_give_nothing_and_is_not_asked_again),
        GREEN_TEST(bad_options_are_errors),
        GREEN_TEST(values_end_with_their_green_thread_however_it_ends),
        GREEN_TEST(a_destructor_may_set_a_value_again),
        GREEN_TEST(values_end_after_deferred_clean_up_and_replaced_ones_are_the_callers),
        GREEN_TEST(a_freed_local_forgets_its_values_and_a_new_one_does_not_find_them),
        GREEN_TEST(constructor_and_destructor_run_in_the_green_thread_they_are_for),
        GREEN_TEST(the_number_of_a_green_thread_stays_and_is_never_used_again),
        GREEN_TEST(values_are_inherited_only_where_it_was_asked_for),
        GREEN_TEST(callbacks_have_the_values_of_the_os_thread),
        GREEN_TEST(one_local_serves_all_os_threads),
        GREEN_TEST(there_is_a_limit_and_places_are_used_again),
        GREEN_SUITE_END
};
