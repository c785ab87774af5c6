/*
 * Processes on Windows. See process_sys.h.
 *
 * A number means a process only as long as somebody has a handle of it, and waiting takes a handle too: so those that
 * were started here, and not waited for, are in a list. There are no signals; what should end one ends it at once.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include <green/alloc.h>
#include <green/process.h>

#include "check.h"
#include "error_win32.h"
#include "process_win32.h"
#include "sock_win32.h"

/* The exit status of one that was killed, the signal added; nobody else ends one with such a number. */
#define KILLED 0xe0475200u

/* Signals that are told of faults, which the C library has other numbers for, or none. */
enum { FAULT_INT = 2, FAULT_ILL = 4, FAULT_FPE = 8, FAULT_SEGV = 11, FAULT_ABRT = 22 };

struct child {
        struct child *next;
        DWORD pid;
        HANDLE process;
        HANDLE job; /* of one that leads a group, or is to end with us; NULL: none */
};

static struct child *children;
static SRWLOCK lock = SRWLOCK_INIT;

static int
last_error(void)
{
        return green__win32_code(GetLastError());
}

/* ---- finding it */

static int
narrow(const wchar_t *wide, char **ret_text)
{
        int len = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);

        if (len <= 0)
                return -EILSEQ;
        *ret_text = green_malloc((size_t)len);
        if (*ret_text == NULL)
                return -ENOMEM;
        (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, *ret_text, len, NULL, NULL);
        return 0;
}

static bool
is_relative(const char *file)
{
        return strchr("/\\", file[0]) == NULL && file[1] != ':';
}

/* A name with a slash: from cwd, as the program will see it. Its end may be missing: ".exe". */
static int
find_path(const char *file, const char *cwd, char **ret_path)
{
        size_t folder = cwd != NULL && is_relative(file) ? strlen(cwd) + 1 : 0, len = strlen(file);
        char *path = green_malloc(folder + len + sizeof ".exe");
        DWORD found, whole;
        wchar_t *wide = NULL;
        int rc;

        if (path == NULL)
                return -ENOMEM;
        if (folder > 0) {
                memcpy(path, cwd, folder - 1);
                path[folder - 1] = '/';
        }
        memcpy(path + folder, file, len);
        memcpy(path + folder + len, ".exe", sizeof ".exe");
        rc = green__wide_text(path, &wide);
        if (rc != 0) {
                green_free(path);
                return rc;
        }
        whole = GetFileAttributesW(wide);
        wide[wcslen(wide) - strlen(".exe")] = L'\0';
        found = GetFileAttributesW(wide);
        green_free(wide);
        if (found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_DIRECTORY) != 0) {
                green_free(path);
                return -EACCES;
        }
        if (found != INVALID_FILE_ATTRIBUTES || whole == INVALID_FILE_ATTRIBUTES)
                path[folder + len] = '\0';
        *ret_path = path;
        return 0;
}

/* The folders of PATH only: the current one, and the program's, where others may put a file, are not looked into. */
static int
find_name(const wchar_t *file, char **ret_path)
{
        DWORD size = GetEnvironmentVariableW(L"PATH", NULL, 0), len;
        wchar_t *folders = green_malloc((size + 1) * sizeof *folders);
        wchar_t *found = green_malloc((UNICODE_STRING_MAX_CHARS + 1) * sizeof *found);
        int rc = folders == NULL || found == NULL ? -ENOMEM : 0;

        if (rc == 0) {
                folders[0] = L'\0';
                (void)GetEnvironmentVariableW(L"PATH", folders, size);
                len = folders[0] == L'\0' ? 0 : SearchPathW(folders, file, L".exe", UNICODE_STRING_MAX_CHARS, found, NULL);
                rc = len == 0 || len > UNICODE_STRING_MAX_CHARS ? -ENOENT : narrow(found, ret_path);
        }
        green_free(folders);
        green_free(found);
        return rc;
}

int
green__sys_find_program(const char *file, const char *cwd, char **ret_path)
{
        wchar_t *wide;
        int rc;

        if (*file == '\0')
                return -ENOENT;
        if (strpbrk(file, "/\\:") != NULL)
                return find_path(file, cwd, ret_path);
        rc = green__wide_text(file, &wide);
        if (rc != 0)
                return rc;
        rc = find_name(wide, ret_path);
        green_free(wide);
        return rc;
}

/* ---- starting it */

/* What it takes, as the system wants it. */
struct start {
        const struct green__program *program;
        wchar_t *path, *line, *cwd, *env;
        HANDLE own[3]; /* copies that can be inherited */
        HANDLE *given; /* all that it gets, none twice */
        DWORD given_count;
        STARTUPINFOEXW info;
};

static int
make_texts(struct start *s)
{
        const struct green__program *p = s->program;
        const char *end = strrchr(p->path, '.');
        int rc;

        /* A script of the shell's, which has rules of its own for arguments: what was quoted might be run. */
        if (end != NULL && (_stricmp(end, ".bat") == 0 || _stricmp(end, ".cmd") == 0))
                return -ENOEXEC;
        rc = green__wide_text(p->path, &s->path);
        if (rc == 0)
                rc = green__command_line(p->argv, &s->line);
        if (rc == 0 && p->cwd != NULL)
                rc = green__wide_text(p->cwd, &s->cwd);
        if (rc == 0)
                rc = green__environment(p->env, &s->env);
        if (rc == 0 && s->cwd != NULL && GetFileAttributesW(s->cwd) == INVALID_FILE_ATTRIBUTES)
                rc = last_error();
        return rc;
}

static void
give(struct start *s, HANDLE handle)
{
        for (DWORD i = 0; i < s->given_count; i++)
                if (s->given[i] == handle)
                        return;
        s->given[s->given_count++] = handle;
}

/* Where the caller has none it has none either. */
static int
make_stdio(struct start *s)
{
        static const DWORD names[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
        HANDLE self = GetCurrentProcess();

        for (int i = 0; i < 3; i++) {
                green_fd fd = s->program->fds[i];
                HANDLE from = (HANDLE)fd;

                if (fd == (green_fd)GREEN__AS_STDOUT) {
                        s->own[i] = s->own[1];
                        continue;
                }
                if (fd == GREEN_INVALID_FD)
                        from = GetStdHandle(names[i]);
                if (from == NULL || from == INVALID_HANDLE_VALUE)
                        continue;
                if (!DuplicateHandle(self, from, self, &s->own[i], 0, TRUE, DUPLICATE_SAME_ACCESS)) {
                        s->own[i] = NULL;
                        if (fd != GREEN_INVALID_FD)
                                return last_error();
                        continue;
                }
                give(s, s->own[i]);
        }
        s->info.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        s->info.StartupInfo.hStdInput = s->own[0];
        s->info.StartupInfo.hStdOutput = s->own[1];
        s->info.StartupInfo.hStdError = s->own[2];
        return 0;
}

static int
make_given(struct start *s)
{
        SIZE_T size = 0;
        int rc;

        s->given = green_malloc((3 + s->program->pass_count) * sizeof *s->given);
        if (s->given == NULL)
                return -ENOMEM;
        rc = make_stdio(s);
        for (size_t i = 0; i < s->program->pass_count && rc == 0; i++) {
                DWORD flags;

                if (!GetHandleInformation((HANDLE)s->program->pass[i], &flags))
                        rc = last_error();
                else
                        give(s, (HANDLE)s->program->pass[i]);
        }
        if (rc != 0)
                return rc;
        (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
        s->info.lpAttributeList = green_malloc(size);
        if (s->info.lpAttributeList == NULL)
                return -ENOMEM;
        if (!InitializeProcThreadAttributeList(s->info.lpAttributeList, 1, 0, &size)) {
                green_free(s->info.lpAttributeList);
                s->info.lpAttributeList = NULL;
                return last_error();
        }
        if (s->given_count > 0 &&
            !UpdateProcThreadAttribute(s->info.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, s->given,
                                       s->given_count * sizeof *s->given, NULL, NULL))
                return last_error();
        return 0;
}

static void
clean_up(struct start *s)
{
        for (int i = 0; i < 3; i++)
                if (s->own[i] != NULL && (i != 2 || s->own[2] != s->own[1]))
                        CloseHandle(s->own[i]);
        if (s->info.lpAttributeList != NULL) {
                DeleteProcThreadAttributeList(s->info.lpAttributeList);
                green_free(s->info.lpAttributeList);
        }
        green_free(s->given);
        green_free(s->path);
        green_free(s->line);
        green_free(s->cwd);
        green_free(s->env);
}

/* It begins suspended, so that what it starts is in its group. */
static int
make_job(const struct green__program *program, HANDLE process, HANDLE *ret_job)
{
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
                .BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
        HANDLE job;
        int rc = 0;

        *ret_job = NULL;
        if (!program->new_group && !program->new_session && !program->kill_at_exit)
                return 0;
        job = CreateJobObjectW(NULL, NULL);
        if (job == NULL)
                return last_error();
        if ((program->kill_at_exit &&
             !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits)) ||
            !AssignProcessToJobObject(job, process))
                rc = last_error();
        if (rc != 0)
                CloseHandle(job);
        else
                *ret_job = job;
        return rc;
}

/* Those that are to be passed can be inherited meanwhile; nobody else inherits them, as all of ours have a list. */
static int
create(struct start *s, PROCESS_INFORMATION *ret_info)
{
        const struct green__program *p = s->program;
        DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT | CREATE_SUSPENDED;
        int rc = 0;

        if (p->new_group)
                flags |= CREATE_NEW_PROCESS_GROUP;
        if (p->new_session)
                flags |= CREATE_NEW_PROCESS_GROUP | DETACHED_PROCESS;
        AcquireSRWLockExclusive(&lock);
        for (size_t i = 0; i < p->pass_count; i++)
                (void)SetHandleInformation((HANDLE)p->pass[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        if (!CreateProcessW(s->path, s->line, NULL, NULL, s->given_count > 0, flags, s->env, s->cwd,
                            &s->info.StartupInfo, ret_info))
                rc = last_error();
        for (size_t i = 0; i < p->pass_count; i++)
                (void)SetHandleInformation((HANDLE)p->pass[i], HANDLE_FLAG_INHERIT, 0);
        ReleaseSRWLockExclusive(&lock);
        return rc;
}

static int
start(struct start *s, struct child *child, green_fd *ret_pidfd)
{
        PROCESS_INFORMATION info;
        int rc = make_texts(s);

        if (rc == 0)
                rc = make_given(s);
        if (rc == 0)
                rc = create(s, &info);
        if (rc != 0)
                return rc;
        rc = make_job(s->program, info.hProcess, &child->job);
        if (rc == 0)
                rc = green__watch_process(info.hProcess, ret_pidfd);
        if (rc == 0 && ResumeThread(info.hThread) == (DWORD)-1) {
                rc = last_error();
                green__sys_close(*ret_pidfd);
        }
        CloseHandle(info.hThread);
        if (rc != 0) {
                (void)TerminateProcess(info.hProcess, KILLED + SIGKILL);
                CloseHandle(info.hProcess);
                if (child->job != NULL)
                        CloseHandle(child->job);
                return rc;
        }
        child->process = info.hProcess;
        child->pid = info.dwProcessId;
        return 0;
}

int
green__sys_spawn(const struct green__program *program, pid_t *ret_pid, green_fd *ret_pidfd)
{
        struct start s = {.program = program, .info.StartupInfo.cb = sizeof s.info};
        struct child *child = green_calloc(1, sizeof *child);
        int rc = child == NULL ? -ENOMEM : start(&s, child, ret_pidfd);

        clean_up(&s);
        if (rc != 0) {
                green_free(child);
                return rc;
        }
        *ret_pid = (pid_t)child->pid;
        AcquireSRWLockExclusive(&lock);
        child->next = children;
        children = child;
        ReleaseSRWLockExclusive(&lock);
        return 0;
}

/* ---- its end */

/* Under the lock. */
static struct child **
find(pid_t pid)
{
        struct child **at = &children;

        while (*at != NULL && (*at)->pid != (DWORD)pid)
                at = &(*at)->next;
        return at;
}

/* Nobody else takes the status of a child here: it is never asked for. */
int
green__sys_status_of(int status)
{
        return status;
}

/* Faults end a process with a number of the system's for errors; exit(-1) with all bits set. */
static int
status_of(DWORD code)
{
        if (code >> 8 == KILLED >> 8)
                return -(int)(code & 0xff);
        if (code >> 28 != 0xc)
                return code > INT_MAX ? (int)(code & 0xff) : (int)code;
        switch (code) {
        case STATUS_CONTROL_C_EXIT:
                return -FAULT_INT;
        case STATUS_ILLEGAL_INSTRUCTION:
        case STATUS_PRIVILEGED_INSTRUCTION:
                return -FAULT_ILL;
        case STATUS_FLOAT_DIVIDE_BY_ZERO:
        case STATUS_INTEGER_DIVIDE_BY_ZERO:
                return -FAULT_FPE;
        case STATUS_ACCESS_VIOLATION:
        case STATUS_STACK_OVERFLOW:
                return -FAULT_SEGV;
        default:
                return -FAULT_ABRT;
        }
}

/* Under the lock: it has ended, and is taken off the list. 1, or why its status is not known. */
static int
take(struct child **at, int *ret_status)
{
        struct child *child = *at;
        DWORD code;
        int rc;

        *at = child->next;
        rc = GetExitCodeProcess(child->process, &code) ? 1 : last_error();
        *ret_status = rc > 0 ? status_of(code) : GREEN__STATUS_UNKNOWN;
        CloseHandle(child->process);
        if (child->job != NULL)
                CloseHandle(child->job);
        green_free(child);
        return rc;
}

/* As it is now. 0: it runs; then *ret_process is a handle to wait for it, the caller's, where that is wanted. */
static int
look(pid_t pid, HANDLE *ret_process, int *ret_status)
{
        HANDLE self = GetCurrentProcess();
        struct child **at;
        int rc = 0;

        AcquireSRWLockExclusive(&lock);
        at = find(pid);
        if (*at == NULL) {
                *ret_status = GREEN__STATUS_UNKNOWN;
                rc = 1;
        } else if (WaitForSingleObject((*at)->process, 0) == WAIT_OBJECT_0) {
                rc = take(at, ret_status);
        } else if (ret_process != NULL &&
                   !DuplicateHandle(self, (*at)->process, self, ret_process, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
                rc = last_error();
        }
        ReleaseSRWLockExclusive(&lock);
        return rc;
}

/* Not under the lock: others start, end and wait for theirs meanwhile, or have this one in the midst. */
int
green__sys_reap(pid_t pid, green_fd pidfd, bool wait, int *ret_status)
{
        HANDLE process;
        int rc;

        (void)pidfd;
        while ((rc = look(pid, wait ? &process : NULL, ret_status)) == 0 && wait) {
                (void)WaitForSingleObject(process, INFINITE);
                CloseHandle(process);
        }
        return rc;
}

/* Those that end one do so; 0 asks whether it is there. */
int
green__sys_kill(pid_t pid, green_fd pidfd, bool group, int signum)
{
        struct child *child;
        int rc = 0;

        (void)pidfd;
        if (signum != 0 && signum != SIGTERM && signum != SIGKILL && signum != SIGINT && signum != SIGABRT)
                return -EINVAL;
        AcquireSRWLockShared(&lock);
        child = *find(pid);
        if (child == NULL)
                rc = -ESRCH;
        else if (signum == 0)
                rc = 0;
        else if (group && child->job != NULL)
                rc = TerminateJobObject(child->job, KILLED + (unsigned)signum) ? 0 : last_error();
        else if (!TerminateProcess(child->process, KILLED + (unsigned)signum))
                /* It is ending. */
                rc = WaitForSingleObject(child->process, 0) == WAIT_OBJECT_0 ? 0 : last_error();
        ReleaseSRWLockShared(&lock);
        return rc;
}

/* The number of one that has ended; 0: there is none; -ECHILD: there are no children. */
static pid_t
find_ended(void)
{
        const struct child *child;
        pid_t pid;

        AcquireSRWLockShared(&lock);
        pid = children == NULL ? -ECHILD : 0;
        for (child = children; child != NULL && pid == 0; child = child->next)
                if (WaitForSingleObject(child->process, 0) == WAIT_OBJECT_0)
                        pid = (pid_t)child->pid;
        ReleaseSRWLockShared(&lock);
        return pid;
}

/* One of those that were started here. The status is that of green__sys_reap(): the system knows no other. */
pid_t
green__sys_waitpid(pid_t pid, int *ret_status, int options)
{
        int status, rc;

        (void)options;
        if (pid == 0 || pid < -1)
                return -ENOTSUP;
        if (pid == -1) {
                pid = find_ended();
                if (pid <= 0)
                        return pid;
                /* If another OS thread is quicker, the caller looks again. */
                rc = green__sys_waitpid(pid, ret_status, options);
                return rc == -ECHILD ? 0 : rc;
        }
        rc = green__sys_reap(pid, GREEN_INVALID_FD, false, &status);
        if (rc <= 0)
                return rc;
        if (status == GREEN__STATUS_UNKNOWN)
                return -ECHILD;
        if (ret_status != NULL)
                *ret_status = status;
        return pid;
}

int
green__sys_pidfd_open(pid_t pid, green_fd *ret_fd)
{
        struct child *child;
        int rc;

        AcquireSRWLockShared(&lock);
        child = *find(pid);
        rc = child == NULL ? -ESRCH : green__watch_process(child->process, ret_fd);
        ReleaseSRWLockShared(&lock);
        return rc;
}

/* ---- descriptors */

int
green__sys_program_end(green_fd *fd, bool program_writes)
{
        return green__carry(fd, program_writes);
}

int
green__sys_open_null(green_fd *ret_fd)
{
        HANDLE null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                  OPEN_EXISTING, 0, NULL);

        if (null == INVALID_HANDLE_VALUE)
                return last_error();
        *ret_fd = (green_fd)null;
        return 0;
}

/* No number is special. */
int
green__sys_move_up(green_fd *fd)
{
        (void)fd;
        return 0;
}
