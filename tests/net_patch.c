/* net/patch/: imports of loaded objects are changed at run time. What concerns the whole process happens in a child. */
#include "net_patch_victim.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

/* ---- what is asked for */

static void
check_selection(void)
{
        CHECK(!green_is_monkey_patched("socket"));
        CHECK(!green_is_monkey_patched("recv"));
        CHECK_INT(green_monkey_patch(0x4000), -EINVAL);
        CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME | 0x4000), -EINVAL);
        CHECK_INT(green_last_error()->code, -EINVAL);
        CHECK(!green_is_monkey_patched("time"));

        CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME | GREEN_PATCH_SOCKET), 0);
        CHECK(green_is_monkey_patched("time"));
        CHECK(green_is_monkey_patched("socket"));
        CHECK(green_is_monkey_patched("nanosleep"));
        CHECK(green_is_monkey_patched("recv"));
        /* Of a socket, as recv(). */
        CHECK(green_is_monkey_patched("read"));
        CHECK(!green_is_monkey_patched("thread"));
        CHECK(!green_is_monkey_patched("pthread_create"));
        CHECK(!green_is_monkey_patched("getaddrinfo"));
        CHECK(!green_is_monkey_patched("nosuch"));
        CHECK(!green_is_monkey_patched(""));
        CHECK(!green_is_monkey_patched(NULL));

        /* Again, and more. */
        CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME), 0);
        CHECK_INT(green_monkey_patch(GREEN_PATCH_DNS), 0);
        CHECK(green_is_monkey_patched("getaddrinfo"));
        CHECK(green_is_monkey_patched("socket"));
        CHECK(!green_is_monkey_patched("subprocess"));
        CHECK_INT(green_monkey_patch(GREEN_PATCH_ALL & ~GREEN_PATCH_THREAD), 0);
        CHECK(green_is_monkey_patched("subprocess"));
        CHECK(!green_is_monkey_patched("thread"));
        CHECK_INT(green_monkey_patch(0), 0);
        CHECK(green_is_monkey_patched("thread"));
        CHECK(green_is_monkey_patched("pthread_mutex_lock"));
        CHECK(green_is_monkey_patched("pthread_cond_wait"));
        CHECK(green_is_monkey_patched("sem_wait"));
        CHECK_INT(green_monkey_patch(0), 0);
}

static void
groups_are_chosen_and_asked_for(void)
{
        GREEN_COVERS("PATCH-02", "PATCH-03", "PATCH-04");
        in_child(check_selection);
}

static void
groups_have_names(void)
{
        CHECK_INT(green_patch_group("os"), GREEN_PATCH_OS);
        CHECK_INT(green_patch_group("select"), GREEN_PATCH_SELECT);
        CHECK_INT(green_patch_group("socket"), GREEN_PATCH_SOCKET);
        CHECK_INT(green_patch_group("thread"), GREEN_PATCH_THREAD);
        CHECK_INT(green_patch_group("time"), GREEN_PATCH_TIME);
        CHECK_INT(green_patch_group("dns"), GREEN_PATCH_DNS);
        CHECK_INT(green_patch_group("subprocess"), GREEN_PATCH_SUBPROCESS);
        CHECK_INT(green_patch_group("recv"), 0);
        CHECK_INT(green_patch_group(NULL), 0);
}

/* ---- what is changed */

static void
check_early(void)
{
        CHECK_INT(green_monkey_patch(0), 0);
        CHECK(naps_green(load("patch_victim_now")));
        CHECK(naps_green(load("patch_victim_lazy")));
}

static void
what_is_loaded_later_is_patched(void)
{
        GREEN_COVERS("PATCH-01", "PATCH-05");
        in_child(check_early);
}

static void
check_late(void)
{
        void *now = load("patch_victim_now"), *lazy = load("patch_victim_lazy"), *bound = load("patch_victim_bound");

        /* This one has made its calls before; the lazy one has not bound them yet. */
        CHECK(!naps_green(now));
        CHECK(!naps_green(bound));
        CHECK_INT(green_monkey_patch(0), 0);
        CHECK(naps_green(now));
        CHECK(naps_green(lazy));
        CHECK(naps_green(bound));
}

static void
what_was_loaded_before_is_patched(void)
{
        GREEN_COVERS("PATCH-01", "PATCH-05");
        in_child(check_late);
}

static void
check_reads(void)
{
        static const char *const names[] = {"patch_victim_now", "patch_victim_lazy", "patch_victim_noplt"};

        CHECK_INT(green_monkey_patch(0), 0);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                void *handle = load(names[i]);

                reads_green(handle, "victim_read");
                reads_green(handle, "victim_read_checked");
                reads_green(handle, "victim_read_by_table");
                reads_green(handle, "victim_read_by_fixed_table");
        }
}

static void
calls_of_all_kinds_are_changed(void)
{
        GREEN_COVERS("PATCH-01");
        in_child(check_reads);
}

static void *
wait_for_one(void *arg)
{
        struct victim_call *c = arg;

        CHECK_INT(((int (*)(int, int))function(c->handle, c->name))(c->fd, 20000), 1);
        c->over = true;
        return NULL;
}

static void
waits_green(void *handle, const char *name)
{
        struct victim_call c = {.handle = handle, .name = name};
        green_thread *gt;
        int fds[2];

        CHECK_INT(pipe(fds), 0);
        c.fd = fds[0];
        gt = green_spawn(wait_for_one, &c);
        CHECK_INT(green_sleep(LATE), 0);
        CHECK(!c.over);
        CHECK_INT(write(fds[1], "x", 1), 1);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
        close(fds[0]);
        close(fds[1]);
}

static void
check_polls(void)
{
        void *handle = load("patch_victim_now");

        CHECK_INT(green_monkey_patch(GREEN_PATCH_SELECT), 0);
        waits_green(handle, "victim_poll");
        waits_green(handle, "victim_select");
#ifdef __linux__
        waits_green(handle, "victim_epoll");
#endif
}

static void
none_of_the_polls_is_left_blocking(void)
{
        GREEN_COVERS("PATCH-10");
        in_child(check_polls);
}

static void
check_groups(void)
{
        void *handle = load("patch_victim_now");

        CHECK_INT(green_monkey_patch(GREEN_PATCH_DNS), 0);
        CHECK(!naps_green(handle));
        CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME), 0);
        CHECK(naps_green(handle));
}

static void
what_was_not_asked_for_stays(void)
{
        GREEN_COVERS("PATCH-02");
        in_child(check_groups);
}

/* May this be written to? As /proc/self/maps says. */
static bool
is_writable(const void *address)
{
        FILE *maps = fopen("/proc/self/maps", "r");
        char line[PATH_MAX], rights[8] = "?";
        unsigned long begin, end;

        while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
                if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3 && (uintptr_t)address >= begin &&
                    (uintptr_t)address < end)
                        break;
        }
        if (maps != NULL)
                fclose(maps);
        return rights[1] == 'w';
}

static void
check_relro(void)
{
        void *handle = load("patch_victim_now");
        const void *cell = ((const void *(*)(void))function(handle, "victim_fixed"))();

        CHECK(!is_writable(cell));
        CHECK_INT(green_monkey_patch(0), 0);
        reads_green(handle, "victim_read_by_fixed_table");
        CHECK(!is_writable(cell));
}

static void
read_only_pages_are_so_again(void)
{
        in_child(check_relro);
}

static void
check_allocator(void)
{
        void *handle = load("patch_victim_malloc");

        CHECK_INT(green_monkey_patch(0), 0);
        CHECK(!naps_green(handle));
        CHECK(naps_green(load("patch_victim_now")));
}

static void
a_library_that_brings_malloc_keeps_its_calls(void)
{
        GREEN_COVERS("PATCH-09");
        in_child(check_allocator);
}

/* ---- while other OS threads run */

enum { CALLERS = 3, ROUNDS = 20 };

static atomic_bool stop;
static atomic_uint calls;

static void *
calls_on(void *arg)
{
        int (*nap)(unsigned) = (int (*)(unsigned))function(arg, "victim_usleep");

        while (!atomic_load(&stop)) {
                if (nap(1) == 0)
                        atomic_fetch_add(&calls, 1);
        }
        return NULL;
}

static void
check_meanwhile(void)
{
        void *now = load("patch_victim_now"), *lazy = load("patch_victim_lazy");
        pthread_t threads[2 * CALLERS];
        unsigned before_last;

        for (int i = 0; i < 2 * CALLERS; i++)
                CHECK_INT(pthread_create(&threads[i], NULL, calls_on, i < CALLERS ? now : lazy), 0);
        for (int i = 0; i < ROUNDS; i++) {
                void *other;

                CHECK_INT(green_monkey_patch(i < ROUNDS / 2 ? GREEN_PATCH_TIME : GREEN_PATCH_ALL & ~GREEN_PATCH_THREAD),
                          0);
                other = load("patch_victim_bound");
                CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME), 0);
                CHECK(naps_green(other));
                CHECK_INT(dlclose(other), 0);
        }
        before_last = atomic_load(&calls);
        while (atomic_load(&calls) == before_last)
                CHECK_INT(green_sleep(0.001), 0);
        atomic_store(&stop, true);
        for (int i = 0; i < 2 * CALLERS; i++)
                CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK(naps_green(now));
        CHECK(naps_green(lazy));
}

static void
other_os_threads_go_on_meanwhile(void)
{
        in_child(check_meanwhile);
}

/* ---- libc's own */

static void
check_original(void)
{
        void (*before)(void) = green_original("nanosleep");
        bool ran = false;
        green_thread *gt;
        struct timespec t = {.tv_nsec = 5000000};

        CHECK(before != NULL);
        CHECK(green_original("no_such_function") == NULL);
        CHECK(green_original(NULL) == NULL);
        CHECK_INT(green_monkey_patch(0), 0);
        CHECK(green_original("nanosleep") == before);
        CHECK(green_original("read") != NULL);
        gt = green_spawn(set_flag, &ran);
        CHECK_INT(((int (*)(const struct timespec *, struct timespec *))before)(&t, NULL), 0);
        CHECK(!ran);
        CHECK_INT(green_thread_wait(gt, NULL), 0);
        green_thread_unref(gt);
}

static void
the_original_blocks(void)
{
        GREEN_COVERS("PATCH-07");
        in_child(check_original);
}

/* green-net itself calls libc, whoever is patched: or this would not come back. */
static void
check_own_calls(void)
{
        char byte = 0;
        int fds[2];

        CHECK_INT(green_monkey_patch(0), 0);
        CHECK_INT(pipe(fds), 0);
        CHECK_INT(green_os_write(fds[1], "x", 1), 1);
        CHECK_INT(green_os_read(fds[0], &byte, 1), 1);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_hub_destroy(1), 0);
        CHECK_INT(green_sleep(0.001), 0);
}

static void
green_net_itself_calls_libc(void)
{
        GREEN_COVERS("PATCH-07");
        in_child(check_own_calls);
}

/* ---- GREEN_PATCH_DEBUG */

static char told[16384];
static int blocked;
static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;

static void
keep(void *arg, enum green_log_level level, const char *message)
{
        size_t len;

        (void)arg;
        (void)level;
        pthread_mutex_lock(&told_lock);
        len = strlen(told);
        (void)snprintf(told + len, sizeof told - len, "%s\n", message);
        blocked += strstr(message, "has not let others run") != NULL;
        pthread_mutex_unlock(&told_lock);
}

static int
count_blocked(void)
{
        int n;

        pthread_mutex_lock(&told_lock);
        n = blocked;
        pthread_mutex_unlock(&told_lock);
        return n;
}

/* From one place, until that was told of or for long. */
static void
block(bool first)
{
        int (*volatile original)(const struct timespec *, struct timespec *) =
                (int (*)(const struct timespec *, struct timespec *))green_original("nanosleep");
        struct timespec t = {.tv_nsec = 20000000};

        for (volatile int i = 0; i < (first ? 500 : 25) && (!first || count_blocked() == 0); i++)
                (void)original(&t, NULL);
}

static void
check_debug(void)
{
        void (*volatile blocks)(bool) = block;
        char *line;

        CHECK_INT(setenv("GREEN_PATCH_DEBUG", "1", 1), 0);
        green_set_log(keep, NULL);
        load("patch_victim_now");
        CHECK_INT(green_monkey_patch(GREEN_PATCH_TIME), 0);
        line = strstr(told, "patch_victim_now.so: ");
        CHECK_OR_RETURN(line != NULL);
        line[strcspn(line, "\n")] = '\0';
        CHECK(strstr(line, " nanosleep") != NULL);
        CHECK(strstr(line, " read") == NULL);
        CHECK_INT(green_sleep(0), 0);
        /* The same call again and again is told of once. */
        for (volatile int round = 0; round < 3; round++) {
                blocks(round == 0);
                CHECK_INT(green_sleep(0), 0);
        }
        if (!CHECK_INT(count_blocked(), 1))
                fputs(told, stderr);
        CHECK(strstr(told, "nanosleep") != NULL);
        CHECK_INT(green_debug_hub_blocking_detection(false, 0), 0);
        green_set_log(NULL, NULL);
}

static void
debugging_shows_what_is_patched_and_what_blocks(void)
{
        in_child(check_debug);
}

/* ---- green-net run; check_cli.sh has the rest of it */

static void
a_program_is_run_so(void)
{
        char said[8192] = "";
        FILE *run;
        size_t n;

        GREEN_COVERS("PATCH-11");
        if (no_modules())
                return;
        if (SANITIZED || access("web/cli/green-net", X_OK) != 0) {
                suite_skip("a sanitizer's runtime has to come first, or there is no program green-net here");
                return;
        }
        run = popen("web/cli/green-net run --debug --only time /bin/sleep 0 2>&1", "r");
        CHECK_OR_RETURN(run != NULL);
        n = fread(said, 1, sizeof said - 1, run);
        said[n] = '\0';
        CHECK_INT(pclose(run), 0);
        CHECK(strstr(said, "patched the program:") != NULL && strstr(said, "nanosleep") != NULL);
}

GREEN_SUITE(net_patch) {
        GREEN_TEST(groups_are_chosen_and_asked_for),
        GREEN_TEST(groups_have_names),
        GREEN_TEST(what_is_loaded_later_is_patched),
        GREEN_TEST(what_was_loaded_before_is_patched),
        GREEN_TEST(calls_of_all_kinds_are_changed),
        GREEN_TEST(none_of_the_polls_is_left_blocking),
        GREEN_TEST(what_was_not_asked_for_stays),
        GREEN_TEST(read_only_pages_are_so_again),
        GREEN_TEST(a_library_that_brings_malloc_keeps_its_calls),
        GREEN_TEST(other_os_threads_go_on_meanwhile),
        GREEN_TEST(the_original_blocks),
        GREEN_TEST(green_net_itself_calls_libc),
        GREEN_TEST(debugging_shows_what_is_patched_and_what_blocks),
        GREEN_TEST(a_program_is_run_so),
        GREEN_SUITE_END
};
