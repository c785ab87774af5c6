/* The io_uring hub where it must not work: what is said, and what comes in its place. */
#include <green/core.h>

#include "suite.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* From now on a system call fails with this number, as sandboxes have it. */
static bool
forbid(unsigned call, unsigned number)
{
        struct sock_filter rules[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {sizeof rules / sizeof rules[0], rules};

        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Is it part of this build, and does it work here at all? Else the test is skipped. */
static bool
works_here(void)
{
        if (green_use_hub("io_uring") == 0)
                return CHECK_INT(green_hub_destroy(1), 0);
        suite_skip(green_last_error()->message);
        return false;
}

static void
says(const char *message, const char *part)
{
        if (strstr(message, part) == NULL)
                FAIL("\"%s\" does not say \"%s\"", message, part);
}

/* In a process without io_uring. */
static void
choose(const char *why)
{
        CHECK(green_use_hub("io_uring") != 0);
        says(green_last_error()->message, "hub \"io_uring\": it does not work here: ");
        says(green_last_error()->message, why);
        setenv("GREEN_HUB", "io_uring", 1);
        CHECK_PTR(green_get_default_hub(), NULL);
        says(green_last_error()->message, why);
        CHECK(green_sleep(0) != 0);
        CHECK_INT(green_use_hub("io_uring,poll"), 0);
        CHECK_STR(green_hub_name(NULL), "poll");
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_INT(green_hub_destroy(1), 0);
        setenv("GREEN_HUB", "io_uring,poll", 1);
        CHECK_INT(green_sleep(0.001), 0);
        CHECK_STR(green_hub_name(NULL), "poll");
}

static void
without(unsigned call, unsigned number, const char *why)
{
        int status = -1;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0) {
                if (forbid(call, number))
                        choose(why);
                else
                        printf("no filter: %s\n", strerror(errno));
                _exit(suite_failures() != 0);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
}

static void
a_system_without_it_is_told_from_one_that_forbids_it(void)
{
        if (!works_here())
                return;
        without(SYS_io_uring_setup, ENOSYS, "this system does not have it, or a sandbox hides it");
        without(SYS_io_uring_setup, EPERM, "this system's settings or a sandbox forbid it");
        without(SYS_io_uring_setup, EACCES, "this system's settings or a sandbox forbid it");
        without(SYS_io_uring_setup, EINVAL, "this system is too old for it");
}

static void
a_sandbox_that_forbids_only_its_use_is_noticed(void)
{
        if (!works_here())
                return;
        without(SYS_io_uring_enter, EPERM, "this system's settings or a sandbox forbid it");
        without(SYS_io_uring_register, EPERM, "this system's settings or a sandbox forbid it");
}

static void
it_is_never_taken_unasked(void)
{
        if (!works_here())
                return;
        unsetenv("GREEN_HUB");
        CHECK(strcmp(green_get_default_hub(), "io_uring") != 0);
}

GREEN_SUITE(hub_io_uring){
        GREEN_TEST(a_system_without_it_is_told_from_one_that_forbids_it),
        GREEN_TEST(a_sandbox_that_forbids_only_its_use_is_noticed),
        GREEN_TEST(it_is_never_taken_unasked),
        GREEN_SUITE_END,
};
