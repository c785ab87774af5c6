/*
 * What is Windows' own in core/: hubs that are DLLs, the word at a stack overflow, fibers, exceptions, OS threads that
 * were made by the system's call.
 */
#include "core_help.h"

#include <winsock2.h>

#include <windows.h>

/* Set for a child: what it is to do instead of tests. */
#define CHILD_ENV "GREEN_TEST_CHILD"

#define SOON 10.0

static void *
nothing(void *arg)
{
        return arg;
}

static bool
ends_with(green_thread *gt, int want)
{
        bool held = CHECK(gt != NULL) && CHECK_INT(green_thread_wait(gt, NULL), want);

        if (gt != NULL)
                green_thread_unref(gt);
        return held;
}

/* ---- hubs that are DLLs */

/* From now on the hub is what GREEN_HUB says; false, and the message of the error, where there is none. */
static bool
choose(const char *spec)
{
        CHECK_INT(green_hub_destroy(SOON), 0);
        setenv("GREEN_HUB", spec, 1);
        return green_get_hub() != NULL;
}

static bool
works(void)
{
        return ends_with(green_spawn(nothing, NULL), 0) && CHECK_INT(green_sleep(0.001), 0);
}

static bool
is_loaded(const char *name)
{
        return GetModuleHandleA(name) != NULL;
}

static char usual_hub[MAX_PATH];

static void
choose_usual(void)
{
        CHECK(choose(usual_hub));
        CHECK(works());
}

static void
a_hub_is_a_dll_loaded_by_name(void)
{
        const char *plugin = suite_plugin("hub_dll");
        char path[MAX_PATH];

        if (plugin == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        snprintf(path, sizeof path, "%s/hub_dllbyname.dll", green_module_folder());
        CHECK_OR_RETURN(CopyFileA(plugin, path, FALSE));
        CHECK(!is_loaded("hub_dllbyname.dll"));
        CHECK(choose("dllbyname"));
        CHECK(is_loaded("hub_dllbyname.dll"));
        CHECK_STR(green_hub_name(NULL), "select");
        CHECK(works());
        choose_usual();
        /* A file that is loaded cannot be removed. */
        while (GetModuleHandleA("hub_dllbyname.dll") != NULL && FreeLibrary(GetModuleHandleA("hub_dllbyname.dll")))
                ;
        CHECK(DeleteFileA(path));
}

static void
a_hub_is_a_dll_loaded_by_path_with_either_slash(void)
{
        const char *plugin = suite_plugin("hub_dll");
        char path[MAX_PATH];

        if (plugin == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        snprintf(path, sizeof path, "%s", plugin);
        CHECK(choose(path));
        CHECK(is_loaded("hub_dll.dll"));
        CHECK_STR(green_hub_name(NULL), "select");
        CHECK(works());
        for (char *c = path; *c != '\0'; c++)
                if (*c == '/')
                        *c = '\\';
        CHECK(choose(path));
        CHECK(works());
        choose_usual();
}

static void
check_refused(const char *spec, const char *why)
{
        const char *message;

        CHECK(!choose(spec));
        CHECK_INT(green_last_error()->code, GREEN_EHUB);
        message = green_last_error()->message;
        CHECK_OR_RETURN(message != NULL);
        if (!CHECK(strstr(message, spec) != NULL && strstr(message, why) != NULL) ||
            !CHECK(strstr(message, "there is: ") != NULL && strstr(message, "select") != NULL))
                fprintf(stderr, "%s: %s\n", spec, message);
}

static void
what_is_no_hub_is_refused_with_the_reason_and_what_there_is(void)
{
        char path[MAX_PATH];
        FILE *file;

        check_refused("nosuchhub", "");
        check_refused("./no/such/hub.dll", "");
        check_refused("UPPER", "lower-case");
        /* No DLL at all. */
        CHECK(GetTempPathA(sizeof path - 32, path) > 0);
        snprintf(path + strlen(path), 32, "green-%lu.dll", (unsigned long)GetCurrentProcessId());
        file = fopen(path, "w");
        CHECK_OR_RETURN(file != NULL);
        fputs("no DLL", file);
        fclose(file);
        check_refused(path, "cannot be loaded");
        CHECK(DeleteFileA(path));
        choose_usual();
}

static void
a_dll_whose_table_is_wrong_is_refused(void)
{
        static const char *const rows[][2] = {
                {"hub_badabi", "it was built for hub interface 99, this is 1"},
                {"hub_badsize", "its table has 24 bytes"},
                {"hub_badwait", "its table has no wait()"},
                {"hub_badcancel", "its table has no cancel()"},
                {"hub_badprobe", "it does not work here"},
                {"hub_badsymbol", "it is no hub: it has no green_hub_module"},
        };

        if (suite_plugin(rows[0][0]) == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                /* Twice: a refused module is not remembered as a good one. */
                check_refused(suite_plugin(rows[i][0]), rows[i][1]);
                check_refused(suite_plugin(rows[i][0]), rows[i][1]);
        }
        choose_usual();
}

/* The first part of a file, in eighths, as a copy that ended early. */
static bool
copy_part(const char *to, const char *from, long eighths)
{
        FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
        bool good = in != NULL && out != NULL && fseek(in, 0, SEEK_END) == 0;
        long left = good ? ftell(in) * eighths / 8 : 0;

        for (rewind(in); good && left > 0; left--)
                good = putc(getc(in), out) != EOF;
        if (in != NULL)
                fclose(in);
        if (out != NULL)
                fclose(out);
        return CHECK(good);
}

static void
a_dll_that_is_cut_short_is_refused(void)
{
        const char *plugin = suite_plugin("hub_late");
        char path[MAX_PATH];

        if (plugin == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        CHECK(GetTempPathA(sizeof path - 32, path) > 0);
        snprintf(path + strlen(path), 32, "green-cut-%lu.dll", (unsigned long)GetCurrentProcessId());
        /* The last part has symbols, which the system does not look at. */
        for (long eighths = 0; eighths < 6; eighths++)
                if (copy_part(path, plugin, eighths))
                        check_refused(path, "cannot be loaded");
        if (copy_part(path, plugin, 8))
                CHECK(choose(path));
        CHECK_STR(green_hub_name(NULL), "late");
        CHECK(works());
        choose_usual();
        while (GetModuleHandleA(path) != NULL && FreeLibrary(GetModuleHandleA(path)))
                ;
        CHECK(DeleteFileA(path));
}

static void
of_a_list_of_names_and_paths_the_first_that_works_is_taken(void)
{
        char list[2 * MAX_PATH];

        if (suite_plugin("hub_late") == NULL) {
                suite_skip("this build has no modules");
                return;
        }
        snprintf(list, sizeof list, "nosuch,%s,select", suite_plugin("hub_late"));
        CHECK(choose(list));
        CHECK_STR(green_hub_name(NULL), "late");
        CHECK(works());
        CHECK(!choose("nosuch,norsuch"));
        CHECK(strstr(green_last_error()->message, "\"nosuch\": there is no hub of that name; hub \"norsuch\": ") != NULL);
        CHECK(!choose("select,,select"));
        CHECK(strstr(green_last_error()->message, "need to specify a hub") != NULL);
        choose_usual();
}

/* ---- the word at an overflow */

/* The depth keeps the compiler from making a loop of it. */
static __attribute__((noinline)) int
deep(volatile char *above, int depth)
{
        volatile char room[1024];

        room[0] = above[0];
        return depth == 0 ? room[0] : deep(room, depth - 1) + room[0];
}

static void *
overflow(void *arg)
{
        volatile char room[1] = {1};

        (void)arg;
        return PTR(deep(room, 1 << 24));
}

static void *
fault(void *arg)
{
        *(volatile int *)arg = 1;
        return NULL;
}

static char overflow_where[64];

/* Instead of tests. */
static void
be_a_child(const char *what)
{
        struct green_spawn_opts opts = {.size = sizeof opts, .name = "deep one", .stack_size = 65536};

        SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
        (void)green_get_hub();
        if (strcmp(what, "off") == 0)
                (void)green_debug_overflow_handler(false);
        fprintf(stderr, "child:%d\n", __LINE__ + 3);
        fflush(stderr);
        if (strcmp(what, "fault") != 0)
                ends_with(green_spawn_with(overflow, NULL, &opts), 0);
        else
                ends_with(green_spawn_with(fault, NULL, &opts), 0);
        TerminateProcess(GetCurrentProcess(), 98);
}

static void
init(void)
{
        const char *what = getenv(CHILD_ENV);

        if (what != NULL)
                be_a_child(what);
        snprintf(usual_hub, sizeof usual_hub, "%s", getenv("GREEN_HUB") != NULL ? getenv("GREEN_HUB") : "");
        help_init();
}

GREEN_SUITE_INIT(init)

/* This program again; what it says on stderr, and its status. */
static DWORD
last_words(const char *what, char *text, size_t len)
{
        SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
        STARTUPINFOA start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
        PROCESS_INFORMATION child;
        char self[MAX_PATH];
        HANDLE out, in;
        DWORD status = 0, n;
        size_t have = 0;

        text[0] = '\0';
        CHECK_OR_RETURN(CreatePipe(&in, &out, &inherited, 0), 0);
        SetHandleInformation(in, HANDLE_FLAG_INHERIT, 0);
        GetModuleFileNameA(NULL, self, sizeof self);
        start.hStdError = start.hStdOutput = out;
        SetEnvironmentVariableA(CHILD_ENV, what);
        if (CHECK(CreateProcessA(self, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))) {
                CloseHandle(out);
                out = NULL;
                while (have + 1 < len && ReadFile(in, text + have, (DWORD)(len - have - 1), &n, NULL) && n > 0)
                        have += n;
                text[have] = '\0';
                CHECK_INT(WaitForSingleObject(child.hProcess, 20000), WAIT_OBJECT_0);
                CHECK(GetExitCodeProcess(child.hProcess, &status));
                CloseHandle(child.hProcess);
                CloseHandle(child.hThread);
        }
        SetEnvironmentVariableA(CHILD_ENV, NULL);
        if (out != NULL)
                CloseHandle(out);
        CloseHandle(in);
        return status;
}

/* Windows ends it with the exception's number; wine with 0, whose own handler finds no room. It never came to its end. */
static void
check_died(DWORD status)
{
        bool wine = GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;

        if (!wine || status != 0)
                CHECK_INT(status, EXCEPTION_STACK_OVERFLOW);
}

static void
an_overflow_names_the_green_thread_and_the_process_dies_of_it(void)
{
        char text[8192];
        int line = 0;

        check_died(last_words("overflow", text, sizeof text));
        CHECK(sscanf(text, "child:%d", &line) == 1);
        snprintf(overflow_where, sizeof overflow_where, "core_windows.c:%d", line);
        if (!CHECK(strstr(text, "stack overflow in green thread ") != NULL) || !CHECK(strstr(text, "\"deep one\"") != NULL) ||
            !CHECK(strstr(text, overflow_where) != NULL) || !CHECK(strstr(text, "stack_size") != NULL))
                fprintf(stderr, "%s\n", text);
}

static void
other_faults_and_a_handler_that_is_switched_off_say_nothing(void)
{
        char text[8192];

        CHECK_INT(last_words("fault", text, sizeof text), EXCEPTION_ACCESS_VIOLATION);
        CHECK(strstr(text, "child:") != NULL);
        CHECK(strstr(text, "stack overflow in green thread") == NULL);
        check_died(last_words("off", text, sizeof text));
        CHECK(strstr(text, "child:") != NULL);
        CHECK(strstr(text, "stack overflow in green thread") == NULL);
}

/* ---- fibers */

static void *
take_address(void *arg)
{
        void **ret_address = arg;
        volatile char here = 0;

        *ret_address = (void *)(uintptr_t)&here;
        return (void *)GetCurrentFiber();
}

static void
one_that_ended_leaves_its_fiber_to_the_next(void)
{
        void *first, *address, *fiber = NULL, *other = NULL;
        green_thread *gt = green_spawn(take_address, &first);

        CHECK_INT(green_thread_wait(gt, &fiber), 0);
        green_thread_unref(gt);
        CHECK(fiber != NULL && fiber != GetCurrentFiber());
        for (int i = 0; i < 1000; i++) {
                gt = green_spawn(take_address, &address);
                CHECK_INT(green_thread_wait(gt, &other), 0);
                green_thread_unref(gt);
                if (!CHECK_PTR(other, fiber) || !CHECK_PTR(address, first))
                        break;
        }
}

#define RAISED 0xe0677265u

static unsigned caught;
static bool on_its_stack;

static LONG CALLBACK
catch(EXCEPTION_POINTERS *exception)
{
        const NT_TIB *tib = (const NT_TIB *)(uintptr_t)NtCurrentTeb();
        const char *at = (const char *)(uintptr_t)exception->ContextRecord->Rsp;

        if (exception->ExceptionRecord->ExceptionCode != RAISED)
                return EXCEPTION_CONTINUE_SEARCH;
        caught += (unsigned)exception->ExceptionRecord->ExceptionInformation[0];
        on_its_stack = on_its_stack && at > (const char *)tib->StackLimit && at < (const char *)tib->StackBase;
        return EXCEPTION_CONTINUE_EXECUTION;
}

static void *
raise_some(void *arg)
{
        for (int i = 0; i < 10; i++) {
                ULONG_PTR value = (ULONG_PTR)arg;

                RaiseException(RAISED, 0, 1, &value);
                CHECK_INT(green_sleep(0), 0);
        }
        return NULL;
}

static void
an_exception_in_a_green_thread_is_handled_and_it_goes_on(void)
{
        void *handler = AddVectoredExceptionHandler(1, catch);
        green_thread *gts[5];

        caught = 0;
        on_its_stack = true;
        for (int i = 0; i < 5; i++)
                gts[i] = green_spawn(raise_some, PTR(i + 1));
        for (int i = 0; i < 5; i++)
                ends_with(gts[i], 0);
        CHECK_INT(caught, 10 * (1 + 2 + 3 + 4 + 5));
        CHECK(on_its_stack);
        RemoveVectoredExceptionHandler(handler);
}

/* More of them than registers that a call keeps, all alive over each switch. */
static void *
calculate(void *arg)
{
        double seed = INT(arg), v[12];

        for (int i = 0; i < 12; i++)
                v[i] = seed + i;
        for (int n = 0; n < 50; n++) {
                double a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];

                (void)green_sleep(0);
                v[0] = a + 1;
                v[1] = b + 1;
                v[2] = c + 1;
                v[3] = d + 1;
                v[4] = e + 1;
                v[5] = f + 1;
                v[6] = g + 1;
                v[7] = h + 1;
        }
        for (int i = 0; i < 12; i++)
                CHECK(v[i] == seed + i + (i < 8 ? 50 : 0));
        return NULL;
}

static void
floating_point_values_are_kept_over_switches(void)
{
        green_thread *gts[20];

        for (int i = 0; i < 20; i++)
                gts[i] = green_spawn(calculate, PTR(i * 1000));
        for (int i = 0; i < 20; i++)
                ends_with(gts[i], 0);
}

/* ---- OS threads of the system's */

static DWORD WINAPI
use_green_threads(void *arg)
{
        if (!CHECK(green_get_hub() != NULL))
                return 1;
        for (int i = 0; i < 10; i++)
                ends_with(green_spawn(nothing, NULL), 0);
        CHECK_INT(green_sleep(0.001), 0);
        if (arg != NULL)
                CHECK_INT(green_hub_destroy(SOON), 0);
        return 7;
}

static void
run_system_threads(void *arg)
{
        HANDLE threads[8];
        DWORD status;

        for (int i = 0; i < 8; i++) {
                threads[i] = CreateThread(NULL, 0, use_green_threads, arg, 0, NULL);
                CHECK(threads[i] != NULL);
        }
        for (int i = 0; i < 8; i++) {
                CHECK_INT(WaitForSingleObject(threads[i], 20000), WAIT_OBJECT_0);
                CHECK(GetExitCodeThread(threads[i], &status));
                CHECK_INT(status, 7);
                CloseHandle(threads[i]);
        }
        CHECK(works());
}

static void
an_os_thread_of_the_system_has_a_hub_and_ends_it(void)
{
        run_system_threads(PTR(1));
}

/* What its hub had may be lost; nothing of the others is. */
static void
one_that_forgets_its_hub_does_no_harm(void)
{
        run_system_threads(NULL);
        CHECK_INT(green_hub_destroy(SOON), 0);
        CHECK(works());
}

GREEN_SUITE(core_windows) {
        GREEN_TEST(a_hub_is_a_dll_loaded_by_name),
        GREEN_TEST(a_hub_is_a_dll_loaded_by_path_with_either_slash),
        GREEN_TEST(what_is_no_hub_is_refused_with_the_reason_and_what_there_is),
        GREEN_TEST(a_dll_whose_table_is_wrong_is_refused),
        GREEN_TEST(a_dll_that_is_cut_short_is_refused),
        GREEN_TEST(of_a_list_of_names_and_paths_the_first_that_works_is_taken),
        GREEN_TEST(an_overflow_names_the_green_thread_and_the_process_dies_of_it),
        GREEN_TEST(other_faults_and_a_handler_that_is_switched_off_say_nothing),
        GREEN_TEST(one_that_ended_leaves_its_fiber_to_the_next),
        GREEN_TEST(an_exception_in_a_green_thread_is_handled_and_it_goes_on),
        GREEN_TEST(floating_point_values_are_kept_over_switches),
        GREEN_TEST(an_os_thread_of_the_system_has_a_hub_and_ends_it),
        GREEN_TEST(one_that_forgets_its_hub_does_no_harm, .keeps_fds = true),
        GREEN_SUITE_END
};
