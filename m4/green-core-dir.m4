# green-core-dir.m4 -- let a folder be called core/
#
# The configure script that autoconf writes clears core dumps away with `rm -f core *.core ...`. Where core is a folder
# the command fails and what stands behind it is never done: confdefs.h stays and distcheck fails. The word is taken
# out of the macros that write it; where a version of autoconf has no such macro nothing happens.
# To be called before AC_INIT.
AC_DEFUN([GREEN_CORE_DIR],
[m4_foreach([green_macro],
  [[_AC_INIT_PREPARE], [_AC_COMPILE_IFELSE_BODY], [_AC_LINK_IFELSE_BODY], [_AC_RUN_IFELSE_BODY],
   [_AC_COMPILE_IFELSE], [_AC_LINK_IFELSE], [_AC_RUN_IFELSE], [_AM_PROG_CC_C_O], [AC_PROG_CC]],
  [m4_ifdef(m4_defn([green_macro]),
    [m4_define(m4_defn([green_macro]),
      m4_bpatsubst(m4_dquote(m4_defn(m4_defn([green_macro]))), [rm -f core ], [rm -f ]))])])])
