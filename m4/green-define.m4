# green-define.m4 -- facts that are 0 or 1, for `if (GREEN_X)` in place of #ifdef

# GREEN_DEFINE_01(NAME, SHELL-TEST, DESCRIPTION)
# ----------------------------------------------
AC_DEFUN([GREEN_DEFINE_01],
[AS_IF([$2], [AC_DEFINE([$1], [1], [$3 0 or 1.])], [AC_DEFINE([$1], [0])])])

# GREEN_FUNC_01(FUNCTION)
# -----------------------
# HAVE_FUNCTION is 1 where the C library has it, otherwise 0.
AC_DEFUN([GREEN_FUNC_01],
[AC_CHECK_FUNC([$1], [green_has_$1=yes], [green_has_$1=no])
GREEN_DEFINE_01(AS_TR_CPP([HAVE_$1]), [test $green_has_$1 = yes], [$1() is there.])])
