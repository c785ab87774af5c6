# green-libunwind.m4 -- what walks the stacks of green threads that wait

# GREEN_WITH_LIBUNWIND
# --------------------
# As GREEN_WITH_LIBRARY, for the processors that core/debug_walk.c knows. It is not linked but loaded when calls are to be
# shown: libunwind.so has functions of the C++ ABI (_Unwind_...), which would come before the compiler's own. Defines
# GREEN_LIBUNWIND as the name that it is loaded by: LIBUNWIND_SONAME, or what a program that is linked with it asks for.
AC_DEFUN([GREEN_WITH_LIBUNWIND],
[AC_ARG_VAR([LIBUNWIND_SONAME], [name that libunwind is loaded by at run time (what a link with it shows)])
GREEN_WITH_LIBRARY([libunwind], [LIBUNWIND], [libunwind >= 1.3], [the calls on stacks, in dumps], [libunwind.h],
[#if !(defined(__x86_64__) || defined(__aarch64__)) || defined(__ILP32__)
#error "how to begin a walk here is not known"
#endif
unw_backtrace(0, UNW_INIT_SIGNAL_FRAME)])
green_libunwind_how=no
AS_IF([test $green_libunwind = yes],
  [AC_CACHE_CHECK([for the name that libunwind is loaded by], [green_cv_libunwind_soname],
     [green_cv_libunwind_soname=
      green_saved_cflags=$CFLAGS green_saved_libs=$LIBS
      CFLAGS="$CFLAGS $LIBUNWIND_CFLAGS" LIBS="$LIBUNWIND_LIBS $LIBS"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <libunwind.h>]], [[unw_backtrace(0, UNW_INIT_SIGNAL_FRAME);]])],
        [green_cv_libunwind_soname=`$OBJDUMP -p conftest$EXEEXT 2>/dev/null |
           sed -n 's/^ *NEEDED  *\(libunwind\.so@<:@.0-9@:>@*\)$/\1/p' | head -n 1`])
      CFLAGS=$green_saved_cflags LIBS=$green_saved_libs
      # It has had this one since 2012.
      AS_IF([test -z "$green_cv_libunwind_soname"], [green_cv_libunwind_soname=libunwind.so.8])])
   AS_IF([test -z "$LIBUNWIND_SONAME"], [LIBUNWIND_SONAME=$green_cv_libunwind_soname])
   AC_DEFINE_UNQUOTED([GREEN_LIBUNWIND], ["$LIBUNWIND_SONAME"], [What libunwind is loaded by.])
   green_libunwind_how="yes (loads $LIBUNWIND_SONAME)"])])
