# green-db.m4 -- database drivers, which are modules

# GREEN_DB_DRIVER(NAME, VARIABLE, MODULE, WHAT, HEADER, CODE)
# -----------------------------------------------------------
# --with-db-NAME=shared|no|check: a module db_NAME.so in $(pkglibdir) over a library that pkg-config knows as MODULE, if a
# program with CODE can be linked with it. Nothing else links that library. Sets green_db_NAME to shared or no, the
# conditional DB_VARIABLE, and VARIABLE_CFLAGS and VARIABLE_LIBS.
AC_DEFUN([GREEN_DB_DRIVER],
[AC_ARG_WITH([db-$1],
  [AS_HELP_STRING([--with-db-$1=shared|no|check], [driver for $4: module, left out (check)])],
  [], [with_db_$1=check])
AS_CASE([$with_db_$1], [yes], [with_db_$1=shared], [shared|no|check], [],
  [AC_MSG_ERROR([--with-db-$1=$with_db_$1: give shared, no or check])])
AS_IF([test "$with_db_$1" = shared && test "$enable_shared" = no],
  [AC_MSG_ERROR([--with-db-$1=shared makes a module and cannot go with --disable-shared])])
green_db_$1=no
AS_IF([test "$with_db_$1" != no && test "$enable_shared" != no],
  [PKG_CHECK_MODULES([$2], [$3], [green_db_$1=shared], [green_db_$1=no])
   AS_IF([test $green_db_$1 = shared],
     [green_saved_cflags=$CFLAGS green_saved_libs=$LIBS
      CFLAGS="$CFLAGS $[]$2_CFLAGS" LIBS="$[]$2_LIBS $LIBS"
      AC_MSG_CHECKING([whether $3 can be linked])
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$5>]], [[$6;]])], [], [green_db_$1=no])
      AC_MSG_RESULT([$green_db_$1])
      CFLAGS=$green_saved_cflags LIBS=$green_saved_libs])
   AS_IF([test $green_db_$1 = no && test "$with_db_$1" = shared],
     [AC_MSG_ERROR([--with-db-$1: $3 was not found by pkg-config, or cannot be linked])])])
AS_IF([test $green_db_$1 = no], [$2_CFLAGS= $2_LIBS=])
AC_SUBST([$2_CFLAGS])
AC_SUBST([$2_LIBS])
AM_CONDITIONAL([DB_$2], [test $green_db_$1 = shared])])
