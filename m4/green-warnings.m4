# green-warnings.m4 -- compiler warnings, each one tried; the user's CFLAGS are not touched

# GREEN_WARNING(FLAG)
# -------------------
# Appends FLAG to WARN_CFLAGS where the compiler knows it. -Werror is there for clang, which only warns of a flag that
# it does not know.
AC_DEFUN([GREEN_WARNING],
[AS_VAR_PUSHDEF([cache], [green_cv_warning_$1])dnl
AC_CACHE_CHECK([whether $CC knows $1], [cache],
  [green_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror $1"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
   CFLAGS=$green_save_CFLAGS])
AS_VAR_IF([cache], [yes], [WARN_CFLAGS="${WARN_CFLAGS:+$WARN_CFLAGS }$1"])
AS_VAR_POPDEF([cache])])

# GREEN_WARNINGS
# --------------
# Sets WARN_CFLAGS; --enable-werror adds -Werror to it, for developers and CI, never by default.
AC_DEFUN([GREEN_WARNINGS],
[AC_ARG_ENABLE([werror],
  [AS_HELP_STRING([--enable-werror], [take warnings of the compiler for errors (no)])],
  [], [enable_werror=no])
WARN_CFLAGS=
m4_foreach_w([green_flag],
  [-Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
   -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2
   -Wimplicit-fallthrough -Wduplicated-cond -Wlogical-op -Wdate-time],
  [GREEN_WARNING(green_flag)])
AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])])
