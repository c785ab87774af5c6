# green-atomic.m4 -- libatomic, where the processor cannot do it all

# GREEN_ATOMIC
# ------------
# gcc calls a library for atomics of one byte on riscv64, and for those of eight on some processors of 32 bits. Puts it
# into LIBS where that is so.
AC_DEFUN([GREEN_ATOMIC],
[AC_CACHE_CHECK([what atomic operations need], [green_cv_atomic],
  [green_cv_atomic=unknown
   green_save_LIBS=$LIBS
   for green_lib in "" -latomic; do
     LIBS="$green_lib $green_save_LIBS"
     AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdatomic.h>
#include <stdint.h>
atomic_bool one;
_Atomic uint64_t eight;
]], [[atomic_bool *a = &one; uint64_t n = atomic_fetch_add(&eight, 1); return atomic_exchange(a, 1) + (int)n;]])],
       [green_cv_atomic=${green_lib:-nothing}])
     AS_IF([test "$green_cv_atomic" != unknown], [break])
   done
   LIBS=$green_save_LIBS])
AS_CASE([$green_cv_atomic],
  [-latomic], [LIBS="-latomic $LIBS"],
  [unknown], [AC_MSG_ERROR([this compiler has no atomic operations, or their library is missing (libatomic)])])])
