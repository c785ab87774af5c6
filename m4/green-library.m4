# green-library.m4 -- libraries that a part of green-net can use

# GREEN_WITH_LIBRARY(NAME, VARIABLE, MODULE, WHAT-FOR, HEADER, CODE)
# ------------------------------------------------------------------
# --with-NAME=yes|no|auto: look for a library by pkg-config, and see whether a program with CODE can be linked: one of
# another C library than it was built for cannot. Sets green_NAME to yes or no, HAVE_VARIABLE as a macro (0 or 1) and
# for automake, VARIABLE_CFLAGS and VARIABLE_LIBS (empty without it).
AC_DEFUN([GREEN_WITH_LIBRARY],
[AC_ARG_WITH([$1],
  [AS_HELP_STRING([--with-$1=yes|no], [$4 (where it is there)])],
  [], [with_$1=auto])
green_$1=no
AS_IF([test "$with_$1" != no],
  [PKG_CHECK_MODULES([$2], [$3], [green_$1=yes], [green_$1=no])
   AS_IF([test $green_$1 = yes],
     [green_saved_cflags=$CFLAGS green_saved_libs=$LIBS
      CFLAGS="$CFLAGS $[]$2_CFLAGS" LIBS="$[]$2_LIBS $LIBS"
      AC_MSG_CHECKING([whether $1 can be linked])
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$5>]], [[$6;]])], [], [green_$1=no])
      AC_MSG_RESULT([$green_$1])
      CFLAGS=$green_saved_cflags LIBS=$green_saved_libs])
   AS_IF([test $green_$1 = no && test "$with_$1" = yes],
     [AC_MSG_ERROR([--with-$1: $3 was not found by pkg-config, or cannot be linked])])])
AS_IF([test $green_$1 = no], [$2_CFLAGS= $2_LIBS=])
AC_SUBST([green_$1])
AC_SUBST([$2_CFLAGS])
AC_SUBST([$2_LIBS])
GREEN_DEFINE_01([HAVE_$2], [test $green_$1 = yes], [$1 is there.])
AM_CONDITIONAL([HAVE_$2], [test $green_$1 = yes])])
