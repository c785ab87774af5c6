/*
 * Processes on Windows: the program that is started is this one, which does what GREEN_TEST_CHILD says.
 */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <green/core.h>
#include <green/net.h>

#include <winsock2.h>

#include <windows.h>

#define CHILD_ENV "GREEN_TEST_CHILD"
#define SOON (20.0 * suite_slow())
#define MUCH 3000000

static char self[MAX_PATH];

/* ---- the program */

static void
copy_all(void)
{
        char bytes[5000];
        int n;

        while ((n = _read(0, bytes, sizeof bytes)) > 0)
                if (_write(1, bytes, (unsigned)n) != n)
                        exit(2);
}

static void
write_much(void)
{
        char bytes[1000];

        memset(bytes, 'm', sizeof bytes);
        for (int i = 0; i < MUCH / 1000; i++)
                if (_write(1, bytes, sizeof bytes) != sizeof bytes)
                        exit(2);
}

/* Which of these handles are open here? Those of a closed one are not said. */
static void
say_handles(void)
{
        for (int i = 1; i < __argc; i++) {
                HANDLE handle = (HANDLE)(intptr_t)atoll(__argv[i]);
                DWORD n;

                printf("%d ", (int)WriteFile(handle, "x", 1, &n, NULL));
        }
}

static void
say_line(void)
{
        char text[4096];

        WideCharToMultiByte(CP_UTF8, 0, GetCommandLineW(), -1, text, sizeof text, NULL, NULL);
        printf("%s", text);
}

static void
start_another(void)
{
        /* Said, as one without a console would get a new one, and that as its output. */
        STARTUPINFOA start = {.cb = sizeof start,
                              .dwFlags = STARTF_USESTDHANDLES,
                              .hStdInput = GetStdHandle(STD_INPUT_HANDLE),
                              .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                              .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
        PROCESS_INFORMATION child;
        char self[MAX_PATH];

        GetModuleFileNameA(NULL, self, sizeof self);
        SetEnvironmentVariableA(CHILD_ENV, "sleep");
        if (!CreateProcessA(self, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))
                exit(2);
        Sleep(60000);
}

/* Starts one that is to end with it, or not, and dies. */
static void
leave_one(bool kill_at_exit)
{
        struct green_process_opts opts = {.size = sizeof opts, .kill_at_exit = kill_at_exit};
        const char *argv[] = {self, NULL};

        GetModuleFileNameA(NULL, self, sizeof self);
        SetEnvironmentVariableA(CHILD_ENV, "sleep");
        if (green_process_spawn(argv, &opts) == NULL)
                exit(2);
        /* Until it is told to. */
        (void)getchar();
        (void)TerminateProcess(GetCurrentProcess(), 0);
}

static void
be_a_child(const char *what)
{
        char text[MAX_PATH];

        SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
        (void)_setmode(0, _O_BINARY);
        (void)_setmode(1, _O_BINARY);
        if (strcmp(what, "args") == 0) {
                for (int i = 0; i < __argc; i++)
                        printf("%s%s", i == 0 ? "" : "\n", i == 0 ? "" : __argv[i]);
        } else if (strcmp(what, "line") == 0) {
                say_line();
        } else if (strcmp(what, "cat") == 0) {
                copy_all();
        } else if (strcmp(what, "much") == 0) {
                write_much();
        } else if (strcmp(what, "both") == 0) {
                printf("out");
                fflush(stdout);
                fprintf(stderr, "err");
                fflush(stderr);
        } else if (strcmp(what, "sleep") == 0) {
                printf("ready");
                fflush(stdout);
                Sleep(60000);
        } else if (strcmp(what, "two") == 0) {
                start_another();
        } else if (strcmp(what, "leave") == 0 || strcmp(what, "keep") == 0) {
                leave_one(strcmp(what, "leave") == 0);
        } else if (strcmp(what, "console") == 0) {
                printf("%s", GetConsoleCP() != 0 ? "one" : "none");
        } else if (strcmp(what, "folder") == 0) {
                GetCurrentDirectoryA(sizeof text, text);
                printf("%s", text);
        } else if (strcmp(what, "variable") == 0) {
                printf("%s,%s", getenv("GREEN_TEST_ONE"), getenv("GREEN_TEST_TWO") == NULL ? "none" : "some");
        } else if (strcmp(what, "handles") == 0) {
                say_handles();
        } else if (strcmp(what, "fault") == 0) {
                *(volatile int *)(intptr_t)0 = 1;
        } else if (strcmp(what, "exit") == 0) {
                exit(atoi(__argv[1]));
        } else {
                exit(99);
        }
        fflush(NULL);
        exit(0);
}

/* ---- what the tests share */

/* Sockets that are open. */
static int
sockets(void)
{
        int n = 0;

        for (intptr_t handle = 4; handle < 4096; handle += 4) {
                int type, len = sizeof type;

                n += getsockopt((SOCKET)handle, SOL_SOCKET, SO_TYPE, (char *)&type, &len) == 0;
        }
        return n;
}

/* OS threads of the package's close theirs a little after the end of what they were for. */
static void
wait_for_sockets(int want)
{
        for (int i = 0; i < 2000 && sockets() > want; i++)
                CHECK_INT(green_sleep(0.005), 0);
        CHECK_INT(sockets(), want);
}

static void
have_hub(void)
{
        static int first = -1;

        CHECK(green_get_hub() != NULL);
        if (first < 0)
                first = sockets();
        wait_for_sockets(first);
}

static void
init(void)
{
        const char *what = getenv(CHILD_ENV);

        if (what != NULL)
                be_a_child(what);
        GetModuleFileNameA(NULL, self, sizeof self);
        suite_setup = have_hub;
}

GREEN_SUITE_INIT(init)

/* This program, with an argument. */
static green_process *
start(const char *what, const char *arg, const struct green_process_opts *opts)
{
        const char *argv[] = {self, arg, NULL};
        green_process *p;

        SetEnvironmentVariableA(CHILD_ENV, what);
        p = green_process_spawn(argv, opts);
        SetEnvironmentVariableA(CHILD_ENV, NULL);
        if (p == NULL)
                fprintf(stderr, "%s: %s\n", what, green_last_error()->message);
        return p;
}

static struct green_process_opts
with_output(void)
{
        return (struct green_process_opts){.size = sizeof(struct green_process_opts), .out = GREEN_PROCESS_PIPE};
}

/* What it writes; the caller's. */
static char *
said(const char *what, const char *const *argv, const struct green_process_opts *opts)
{
        char *out = NULL;
        size_t len;

        SetEnvironmentVariableA(CHILD_ENV, what);
        CHECK_INT(green_process_check_output(argv, opts, SOON, &out, &len), 0);
        SetEnvironmentVariableA(CHILD_ENV, NULL);
        return out;
}

static int
status_of(const char *what, const char *arg)
{
        green_process *p = start(what, arg, NULL);
        int status = -5000;

        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(green_process_free(p), 0);
        return status;
}

/* ---- tests */

static void
a_program_runs_and_its_status_is_known(void)
{
        GREEN_COVERS("GSUB-01");
        CHECK_INT(status_of("exit", "0"), 0);
        CHECK_INT(status_of("exit", "3"), 3);
        CHECK_INT(status_of("exit", "255"), 255);
        CHECK_INT(status_of("exit", "-1"), 255);
        CHECK_INT(status_of("exit", "70000"), 70000);
        CHECK_INT(status_of("fault", NULL), -11);
}

static void
arguments_arrive_as_they_are(void)
{
        const char *argv[] = {self,     "plain",    "",         "a b",     "\"",   "\\",        "a\\\\b c", "end\\",
                              "sp end\\", "q\\\"uote", "\\\\\" x", "tab\there", "*.c?", "%PATH%&|<>^", NULL};
        struct green_process_opts opts = with_output();
        char want[512] = "", *got;

        GREEN_COVERS("GSUB-01");
        for (int i = 1; argv[i] != NULL; i++)
                snprintf(want + strlen(want), sizeof want - strlen(want), "\n%s", argv[i]);
        got = said("args", argv, &opts);
        CHECK_STR(got, want);
        green_free(got);
}

static void
names_are_utf_8(void)
{
        const char *argv[] = {self, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", NULL}, *bad[] = {self, "\xff\xfe", NULL};
        struct green_process_opts opts = with_output();
        char *got = said("line", argv, &opts);

        CHECK(got != NULL && strstr(got, "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac\"") != NULL);
        green_free(got);
        errno = 0;
        CHECK_PTR(green_process_spawn(bad, NULL), NULL);
        CHECK_INT(errno, EILSEQ);
}

static void
its_folder_and_its_environment_can_be_given(void)
{
        const char *argv[] = {self, NULL};
        char path[8192], root[512], system[MAX_PATH], *got;
        const char *env[] = {CHILD_ENV "=variable", "GREEN_TEST_ONE=x=y", path, root, NULL};
        struct green_process_opts opts = with_output();

        GREEN_COVERS("GSUB-01");
        GetWindowsDirectoryA(system, sizeof system);
        opts.cwd = system;
        got = said("folder", argv, &opts);
        CHECK(got != NULL && _stricmp(got, system) == 0);
        green_free(got);
        opts.cwd = NULL;
        snprintf(path, sizeof path, "PATH=%s", getenv("PATH"));
        snprintf(root, sizeof root, "SystemRoot=%s", system);
        opts.env = env;
        SetEnvironmentVariableA("GREEN_TEST_TWO", "2");
        got = said("none", argv, &opts);
        CHECK_STR(got, "x=y,none");
        green_free(got);
        SetEnvironmentVariableA("GREEN_TEST_TWO", NULL);
}

static void
what_cannot_be_started_is_an_error_and_leaves_nothing(void)
{
        const char *argv[] = {"no-such-program-here", NULL}, *with_slash[] = {"./no/such/program", NULL};
        const char *folder[] = {".\\", NULL}, *script[] = {"x.bat", NULL}, *quoted[] = {"a\"b", NULL}, *me[] = {self, NULL};
        struct green_process_opts opts = {.size = sizeof opts, .in = GREEN_PROCESS_PIPE, .out = GREEN_PROCESS_PIPE};
        int before = sockets();

        GREEN_COVERS("GSUB-06");
        CHECK(green_process_spawn(argv, &opts) == NULL && errno == ENOENT);
        CHECK(green_process_spawn(with_slash, &opts) == NULL && errno == ENOENT);
        CHECK(green_process_spawn(folder, &opts) == NULL && errno == EACCES);
        opts.file = "./x.bat";
        CHECK(green_process_spawn(script, &opts) == NULL && errno == ENOEXEC);
        opts.file = self;
        CHECK(green_process_spawn(quoted, &opts) == NULL && errno == EINVAL);
        opts.file = NULL;
        opts.cwd = "./no/such/folder";
        CHECK(green_process_spawn(me, &opts) == NULL && errno == ENOENT);
        opts.cwd = NULL;
        opts.err = GREEN_PROCESS_FD;
        opts.err_fd = 0x7ffffff0;
        CHECK(green_process_spawn(me, &opts) == NULL && errno == EBADF);
        wait_for_sockets(before);
}

static void
a_program_is_looked_for_in_path(void)
{
        const char *argv[] = {"cmd", "/c", "exit", "5", NULL};
        int status = 0;

        CHECK_INT(green_process_call(argv, NULL, SOON, &status), 0);
        CHECK_INT(status, 5);
}

static void *
count_turns(void *arg)
{
        int *turns = arg;

        while (green_sleep(0.001) == 0)
                ++*turns;
        return NULL;
}

static void
input_and_output_go_through_while_others_run(void)
{
        struct green_process_opts opts = {.size = sizeof opts, .in = GREEN_PROCESS_PIPE, .out = GREEN_PROCESS_PIPE};
        struct green_process_output output = {.out = NULL};
        char *input = malloc(MUCH);
        int turns = 0, before = sockets();
        green_thread *other = green_spawn(count_turns, &turns);
        green_process *p = start("cat", NULL, &opts);

        GREEN_COVERS("GSUB-03");
        CHECK_OR_RETURN(input != NULL && p != NULL);
        for (int i = 0; i < MUCH; i++)
                input[i] = (char)(i % 251);
        CHECK_INT(green_process_communicate(p, input, MUCH, MUCH + 1, SOON, &output), 0);
        CHECK_INT(output.status, 0);
        CHECK_INT(output.out_len, MUCH);
        CHECK(output.out_len == MUCH && memcmp(output.out, input, MUCH) == 0);
        CHECK(turns > 0);
        green_free(output.out);
        free(input);
        CHECK_INT(green_process_free(p), 0);
        CHECK_INT(green_kill(other, 0), 0);
        green_thread_unref(other);
        wait_for_sockets(before);
}

static void
stderr_is_apart_or_goes_with_stdout(void)
{
        struct green_process_opts opts = with_output();
        struct green_process_output output = {.out = NULL};
        green_process *p;

        opts.err = GREEN_PROCESS_PIPE;
        p = start("both", NULL, &opts);
        CHECK_INT(green_process_communicate(p, NULL, 0, 100, SOON, &output), 0);
        CHECK_STR(output.out, "out");
        CHECK_STR(output.err, "err");
        green_free(output.out);
        green_free(output.err);
        CHECK_INT(green_process_free(p), 0);
        opts.err = GREEN_PROCESS_STDOUT;
        output = (struct green_process_output){.out = NULL};
        p = start("both", NULL, &opts);
        CHECK_INT(green_process_communicate(p, NULL, 0, 100, SOON, &output), 0);
        CHECK_STR(output.out, "outerr");
        green_free(output.out);
        CHECK_INT(green_process_free(p), 0);
}

static void
without_input_it_reads_the_end_at_once(void)
{
        struct green_process_opts opts = with_output();
        const char *argv[] = {self, NULL};
        char *got;

        opts.in = GREEN_PROCESS_NULL;
        got = said("cat", argv, &opts);
        CHECK_STR(got, "");
        green_free(got);
}

static void
one_that_nobody_reads_from_any_more_is_told(void)
{
        struct green_process_opts opts = with_output();
        int status = 0, before = sockets();
        char byte;
        green_process *p = start("much", NULL, &opts);

        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_stream_read(green_process_stdout(p), &byte, 1), 1);
        CHECK_INT(green_stream_close(green_process_stdout(p)), 0);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, 2);
        CHECK_INT(green_process_free(p), 0);
        wait_for_sockets(before);
}

static void
a_wait_ends_by_time_and_a_kill_is_its_status(void)
{
        struct green_process_opts opts = with_output();
        int status = 0;
        char text[6] = "";
        green_process *p = start("sleep", NULL, &opts);

        GREEN_COVERS("GSUB-02");
        CHECK_OR_RETURN(p != NULL);
        CHECK_INT(green_stream_read_exact(green_process_stdout(p), text, 5, NULL), 0);
        CHECK_INT(green_process_wait(p, 0, &status), -ETIMEDOUT);
        CHECK_INT(green_process_wait(p, 0.02, &status), -ETIMEDOUT);
        CHECK_INT(green_process_kill(p, 0), 0);
        CHECK_INT(green_process_kill(p, 12345), -EINVAL);
        CHECK_INT(green_process_kill(p, SIGKILL), 0);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, -SIGKILL);
        CHECK_INT(green_process_wait(p, 0, &status), 0);
        CHECK_INT(green_process_kill(p, SIGKILL), -ESRCH);
        CHECK_INT(green_process_free(p), 0);
        /* Freed while it runs. */
        p = start("sleep", NULL, NULL);
        CHECK_INT(green_process_free(p), 0);
}

struct waiter {
        green_process *p;
        int rc, status;
};

static void *
wait_for_end(void *arg)
{
        struct waiter *w = arg;

        w->rc = green_process_wait(w->p, SOON, &w->status);
        return NULL;
}

static void
several_wait_for_one(void)
{
        green_process *p = start("sleep", NULL, NULL);
        struct waiter w[3];
        green_thread *gts[3];

        GREEN_COVERS("GSUB-02");
        for (int i = 0; i < 3; i++) {
                w[i] = (struct waiter){p, -1, 0};
                gts[i] = green_spawn(wait_for_end, &w[i]);
        }
        CHECK_INT(green_sleep(0), 0);
        CHECK_INT(green_process_kill(p, SIGTERM), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_INT(green_thread_wait(gts[i], NULL), 0);
                green_thread_unref(gts[i]);
                CHECK_INT(w[i].rc, 0);
                CHECK_INT(w[i].status, -SIGTERM);
        }
        CHECK_INT(green_process_free(p), 0);
}

static void
a_group_or_session_ends_as_a_whole(void)
{
        for (int session = 0; session < 2; session++) {
                struct green_process_opts opts = with_output();
                char text[6] = "", byte;
                green_process *p;

                opts.new_group = !session;
                opts.new_session = session;
                p = start("two", NULL, &opts);
                CHECK_OR_RETURN(p != NULL);
                /* The second one has said so, and holds the other end of the pipe. */
                CHECK_INT(green_stream_read_exact(green_process_stdout(p), text, 5, NULL), 0);
                CHECK_STR(text, "ready");
                CHECK_INT(green_process_kill(p, SIGKILL), 0);
                CHECK_INT(green_stream_read(green_process_stdout(p), &byte, 1), 0);
                CHECK_INT(green_process_free(p), 0);
        }
}

static void
a_session_has_no_console(void)
{
        struct green_process_opts opts = with_output();
        const char *argv[] = {self, NULL};
        bool made = GetConsoleCP() == 0 && AllocConsole();
        char *got;

        if (GetConsoleCP() == 0) {
                suite_skip("there is no console");
                return;
        }
        got = said("console", argv, &opts);
        CHECK_STR(got, "one");
        green_free(got);
        opts.new_session = true;
        got = said("console", argv, &opts);
        CHECK_STR(got, "none");
        green_free(got);
        if (made)
                (void)FreeConsole();
}

/* The second one holds the other end of the pipe as long as it lives. */
static void
one_that_is_to_end_with_its_parent_does(void)
{
        for (int leave = 0; leave < 2; leave++) {
                struct green_process_opts opts = with_output();
                struct green_timeout t = {{0}};
                char text[6] = "", byte;
                int status = -1;
                green_process *p;

                opts.in = GREEN_PROCESS_PIPE;
                /* So that what stays is ended at last. */
                opts.new_group = true;
                p = start(leave ? "leave" : "keep", NULL, &opts);
                CHECK_OR_RETURN(p != NULL);
                CHECK_INT(green_stream_read_exact(green_process_stdout(p), text, 5, NULL), 0);
                CHECK_STR(text, "ready");
                CHECK_INT(green_stream_close(green_process_stdin(p)), 0);
                CHECK_INT(green_timeout_start(&t, leave ? SOON : 0.3), 0);
                CHECK_INT(green_stream_read(green_process_stdout(p), &byte, 1), leave ? 0 : GREEN_ETIMEOUT);
                CHECK_INT(green_timeout_cancel(&t), !leave);
                if (!leave) {
                        CHECK_INT(green_process_kill(p, SIGKILL), 0);
                        CHECK_INT(green_stream_read(green_process_stdout(p), &byte, 1), 0);
                }
                CHECK_INT(green_process_wait(p, SOON, &status), 0);
                CHECK_INT(status, 0);
                CHECK_INT(green_process_free(p), 0);
        }
}

static void
it_gets_the_handles_that_are_named_and_no_others(void)
{
        SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
        struct green_process_opts opts = with_output();
        char numbers[2][32], *got;
        const char *argv[] = {self, numbers[0], numbers[1], NULL};
        HANDLE ends[2][2];
        green_fd pass;

        for (int i = 0; i < 2; i++) {
                CHECK_OR_RETURN(CreatePipe(&ends[i][0], &ends[i][1], &inherited, 0));
                snprintf(numbers[i], sizeof numbers[i], "%lld", (long long)(intptr_t)ends[i][1]);
        }
        pass = (green_fd)ends[0][1];
        opts.pass = &pass;
        opts.pass_count = 1;
        got = said("handles", argv, &opts);
        CHECK_STR(got, "1 0 ");
        green_free(got);
        for (int i = 0; i < 4; i++)
                CloseHandle(ends[i / 2][i % 2]);
}

static void
waitpid_knows_those_that_were_started_here(void)
{
        green_process *p = start("exit", "9", NULL);
        pid_t pid = green_process_pid(p);
        int status = 0;

        GREEN_COVERS("GOS-06");
        CHECK_INT(green_os_waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 9);
        CHECK_INT(green_os_waitpid(pid, &status, 0), -ECHILD);
        CHECK_INT(green_os_waitpid(0, &status, 0), -ENOTSUP);
        CHECK_INT(green_process_wait(p, SOON, &status), 0);
        CHECK_INT(status, -1000);
        CHECK_INT(green_process_free(p), 0);
}

static void
any_child_can_be_waited_for(void)
{
        green_process *slow, *quick;
        struct green_timeout limit;
        int status = 0;
        pid_t pid;

        GREEN_COVERS("GOS-06");
        CHECK_INT(green_os_wait(&status), -ECHILD);
        slow = start("sleep", NULL, NULL);
        CHECK_INT(green_os_waitpid(-1, &status, WNOHANG), 0);
        quick = start("exit", "7", NULL);
        pid = green_process_pid(quick);
        CHECK_INT(green_os_wait(&status), pid);
        CHECK_INT(status, 7);
        CHECK_INT(green_process_wait(quick, SOON, &status), 0);
        CHECK_INT(status, -1000);
        /* The other is still there; a limit ends the wait. */
        CHECK_INT(green_timeout_start(&limit, 0.05), 0);
        CHECK_INT(green_os_wait(&status), GREEN_ETIMEOUT);
        CHECK_INT(green_timeout_cancel(&limit), 1);
        CHECK_INT(green_process_kill(slow, SIGTERM), 0);
        CHECK_INT(green_process_wait(slow, SOON, &status), 0);
        CHECK_INT(green_os_wait(&status), -ECHILD);
        CHECK_INT(green_process_free(quick), 0);
        CHECK_INT(green_process_free(slow), 0);
}

GREEN_SUITE(net_process_win32) {
        GREEN_TEST(a_program_runs_and_its_status_is_known),
        GREEN_TEST(arguments_arrive_as_they_are),
        GREEN_TEST(names_are_utf_8),
        GREEN_TEST(its_folder_and_its_environment_can_be_given),
        GREEN_TEST(what_cannot_be_started_is_an_error_and_leaves_nothing),
        GREEN_TEST(a_program_is_looked_for_in_path),
        GREEN_TEST(input_and_output_go_through_while_others_run),
        GREEN_TEST(stderr_is_apart_or_goes_with_stdout),
        GREEN_TEST(without_input_it_reads_the_end_at_once),
        GREEN_TEST(one_that_nobody_reads_from_any_more_is_told),
        GREEN_TEST(a_wait_ends_by_time_and_a_kill_is_its_status),
        GREEN_TEST(several_wait_for_one),
        GREEN_TEST(a_group_or_session_ends_as_a_whole),
        GREEN_TEST(a_session_has_no_console),
        GREEN_TEST(one_that_is_to_end_with_its_parent_does),
        GREEN_TEST(it_gets_the_handles_that_are_named_and_no_others),
        GREEN_TEST(waitpid_knows_those_that_were_started_here),
        GREEN_TEST(any_child_can_be_waited_for),
        GREEN_SUITE_END
};
