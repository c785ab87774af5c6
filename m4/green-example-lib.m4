# green-example-lib.m4 -- libraries that only an example needs

# GREEN_EXAMPLE_LIB(VARIABLE, MODULE, HEADER, EXPRESSION)
# -------------------------------------------------------
# Looks for MODULE with pkg-config and sets VARIABLE_CFLAGS, VARIABLE_LIBS, green_have_VARIABLE to yes or no, and the
# conditional HAVE_VARIABLE. A library that was built for another C library than this one is found and cannot be linked,
# so EXPRESSION, which uses it, is tried.
AC_DEFUN([GREEN_EXAMPLE_LIB],
[PKG_CHECK_MODULES([$1], [$2], [green_have_$1=yes], [green_have_$1=no])
AS_IF([test $green_have_$1 = yes], [
  green_saved_cflags=$CFLAGS green_saved_libs=$LIBS
  CFLAGS="$CFLAGS $$1_CFLAGS" LIBS="$$1_LIBS $LIBS"
  AC_MSG_CHECKING([whether $2 can be linked])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$3>]], [[return $4;]])], [], [green_have_$1=no])
  AC_MSG_RESULT([$green_have_$1])
  CFLAGS=$green_saved_cflags LIBS=$green_saved_libs])
AM_CONDITIONAL([HAVE_$1], [test $green_have_$1 = yes])])
