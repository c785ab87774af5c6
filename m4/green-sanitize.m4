# green-sanitize.m4 -- instrumented builds: sanitizers and coverage

# GREEN_SANITIZE
# --------------
# --enable-sanitize=LIST, a comma list for -fsanitize=; a finding ends the program, so that no test can pass over it.
# Sets SANITIZE_CFLAGS (for compiler and linker) and green_sanitize, the list or "no". To be called behind GREEN_WARNINGS,
# and before GREEN_CONTEXT, which has a say in what goes with thread.
AC_DEFUN([GREEN_SANITIZE],
[AC_ARG_ENABLE([sanitize],
  [AS_HELP_STRING([--enable-sanitize=LIST], [build with -fsanitize=LIST: address,undefined or thread (no)])],
  [], [enable_sanitize=no])
AS_CASE([$enable_sanitize], [yes], [enable_sanitize=address,undefined])
green_sanitize=$enable_sanitize
SANITIZE_CFLAGS=
AS_IF([test "$green_sanitize" != no],
  [SANITIZE_CFLAGS="-fsanitize=$green_sanitize -fno-sanitize-recover=all -fno-omit-frame-pointer -g"
   AC_MSG_CHECKING([whether programs can be built and run with -fsanitize=$green_sanitize])
   green_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS $SANITIZE_CFLAGS"
   AC_RUN_IFELSE([AC_LANG_PROGRAM], [AC_MSG_RESULT([yes])],
     [AC_MSG_RESULT([no])
      AC_MSG_ERROR([--enable-sanitize=$green_sanitize: $CC cannot do that here (with clang, is its run-time library installed?)])],
     [AC_MSG_RESULT([not tried: cross-compiling])])
   CFLAGS=$green_save_CFLAGS
   # gcc warns of each fence, as ThreadSanitizer passes them over. Ours order atomics, and no other data.
   AS_CASE([$green_sanitize], [*thread*], [GREEN_WARNING([-Wno-tsan])])])
AC_SUBST([SANITIZE_CFLAGS])])

# GREEN_COVERAGE
# --------------
# --enable-coverage: COVERAGE_CFLAGS for compiler and linker. gcov or lcov read the result.
AC_DEFUN([GREEN_COVERAGE],
[AC_ARG_ENABLE([coverage],
  [AS_HELP_STRING([--enable-coverage], [count the lines that run, for gcov (no)])],
  [], [enable_coverage=no])
COVERAGE_CFLAGS=
AS_IF([test "$enable_coverage" = yes], [COVERAGE_CFLAGS="--coverage -fprofile-update=atomic"])
AC_SUBST([COVERAGE_CFLAGS])])
