# green-context.m4 -- how one green thread jumps to another

# _GREEN_CONTEXT_BUILTIN_PROGRAM
# ------------------------------
# Two stacks, one born by the signal trick, that switch to and fro by __builtin_setjmp. Compilers have kept registers
# over such a switch that they should not have kept, depending on the flags; so it is run, with the user's own CFLAGS.
AC_DEFUN([_GREEN_CONTEXT_BUILTIN_PROGRAM],
[AC_LANG_SOURCE([[
#undef _FORTIFY_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined __has_attribute
#if __has_attribute(noipa)
#define APART __attribute__((noipa))
#endif
#endif
#ifndef APART
#define APART __attribute__((noinline))
#endif

static sigjmp_buf born, home;
static void *one[8], *two[8];
static volatile long turns;
static void (*volatile body)(void);

static APART void jump(void **to) { __builtin_longjmp(to, 1); }

static APART void swap(void **from, void **to)
{
    if (__builtin_setjmp(from) == 0)
        jump(to);
}

static void run(void)
{
    long a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;

    for (;;) {
        swap(two, one);
        a++, b += a, c ^= b, d += c, e -= d, f += e;
        turns += (f == 0) + 1;
    }
}

static void handler(int sig)
{
    (void)sig;
    if (sigsetjmp(born, 0) == 0)
        return;
    body();
}

int main(void)
{
    struct sigaction sa, old;
    stack_t ss, oss;
    long i, a = 7, b = 8, c = 9, d = 10, sum = 0;

    memset(&sa, 0, sizeof sa);
    memset(&ss, 0, sizeof ss);
    body = run;
    ss.ss_size = 262144;
    ss.ss_sp = malloc(ss.ss_size);
    sa.sa_handler = handler;
    sa.sa_flags = SA_ONSTACK;
    alarm(10);
    if (ss.ss_sp == NULL || sigaltstack(&ss, &oss) != 0 || sigaction(SIGUSR1, &sa, &old) != 0)
        return 1;
    raise(SIGUSR1);
    ss.ss_flags = SS_DISABLE;
    sigaltstack(&ss, NULL);
    if (__builtin_setjmp(one) == 0) {
        if (sigsetjmp(home, 0) == 0)
            siglongjmp(born, 1);
    }
    for (i = 0; i < 1000; i++) {
        a++, b += a, c ^= b, d += c;
        swap(one, two);
        sum += a + b + c + d;
    }
    return !(a == 1007 && turns >= 999 && sum != 0);
}
]])])

# GREEN_CONTEXT
# -------------
# --with-context=native|builtin|setjmp|ucontext|fiber. Sets green_context; exactly one of GREEN_CONTEXT_NATIVE, _BUILTIN,
# _SETJMP, _UCONTEXT and _FIBER is 1 in config.h, the others are 0. On Windows it is fiber: the system has to know of each
# stack, or an exception there ends the process.
AC_DEFUN([GREEN_CONTEXT],
[AC_ARG_WITH([context],
  [AS_HELP_STRING([--with-context=METHOD], [switch by native, builtin, setjmp, ucontext or, on Windows, fiber (the fastest that works)])],
  [], [with_context=check])
AS_CASE([$with_context], [yes|no], [with_context=check])
AS_CASE([$green_windows:$with_context],
  [yes:check], [with_context=fiber],
  [yes:fiber], [],
  [yes:*], [AC_MSG_ERROR([--with-context=$with_context: on Windows it is fiber])])

AC_CACHE_CHECK([for the native context switch], [green_cv_context_native],
  [AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#if !defined __GNUC__ || defined __ILP32__ || !(defined __x86_64__ || defined __aarch64__)
#error no native switch for this compiler or processor
#endif
]])], [green_cv_context_native=yes], [green_cv_context_native=no])])
AC_CACHE_CHECK([whether a switch by __builtin_setjmp survives these CFLAGS], [green_cv_context_builtin],
  [AC_RUN_IFELSE([_GREEN_CONTEXT_BUILTIN_PROGRAM],
    [green_cv_context_builtin=yes], [green_cv_context_builtin=no], [green_cv_context_builtin=unknown])])
# With its header: macOS has the functions still, and a header that refuses.
AC_CACHE_CHECK([for makecontext], [green_cv_ucontext],
  [AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <ucontext.h>
]], [[ucontext_t uc; return getcontext(&uc) + (makecontext(&uc, 0, 0), setcontext(&uc));]])],
    [green_cv_ucontext=yes], [green_cv_ucontext=no])])
green_has_ucontext=$green_cv_ucontext
GREEN_DEFINE_01([HAVE_UCONTEXT], [test $green_has_ucontext = yes], [makecontext() is there.])

AS_CASE([,$green_sanitize,],
  [*,thread,*],
    [AS_CASE([$with_context],
       [check], [with_context=ucontext],
       [ucontext], [],
       [AC_MSG_ERROR([ThreadSanitizer only follows ucontext: leave --with-context=$with_context out])])])
AS_CASE([$with_context],
  [check],
    [AS_IF([test "$green_cv_context_native" = yes], [green_context=native],
           [test "$green_cv_context_builtin" = yes], [green_context=builtin],
           [green_context=setjmp])],
  [native],
    [AS_IF([test "$green_cv_context_native" != yes],
       [AC_MSG_ERROR([--with-context=native is for gcc and clang on x86-64 and aarch64])])
     green_context=native],
  [builtin],
    [AS_IF([test "$green_cv_context_builtin" = no],
       [AC_MSG_ERROR([--with-context=builtin: a program that switches so fails with these CFLAGS])])
     green_context=builtin],
  [setjmp], [green_context=setjmp],
  [ucontext],
    [AS_IF([test "$green_has_ucontext" = no],
       [AC_MSG_ERROR([--with-context=ucontext: this libc has no makecontext()])])
     green_context=ucontext],
  [fiber],
    [AS_IF([test $green_windows = no], [AC_MSG_ERROR([--with-context=fiber is for Windows])])
     green_context=fiber],
  [AC_MSG_ERROR([--with-context=$with_context: give native, builtin, setjmp, ucontext or fiber])])

GREEN_DEFINE_01([GREEN_CONTEXT_NATIVE], [test $green_context = native], [Switch by our own few instructions.])
GREEN_DEFINE_01([GREEN_CONTEXT_BUILTIN], [test $green_context = builtin], [Switch by __builtin_setjmp.])
GREEN_DEFINE_01([GREEN_CONTEXT_SETJMP], [test $green_context = setjmp], [Switch by _setjmp of libc.])
GREEN_DEFINE_01([GREEN_CONTEXT_UCONTEXT], [test $green_context = ucontext], [Switch by swapcontext().])
GREEN_DEFINE_01([GREEN_CONTEXT_FIBER], [test $green_context = fiber], [Switch by SwitchToFiber().])
AC_DEFINE_UNQUOTED([GREEN_CONTEXT_NAME], ["$green_context"], [Name of the context method.])])
