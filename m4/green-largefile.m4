# green-largefile.m4 -- files of more than 2 GiB where off_t has 32 bits

# GREEN_LARGEFILE
# ---------------
# Adds what makes off_t 64 bits wide to CPPFLAGS, and, as GREEN_LARGEFILE_CFLAGS, to the flags of those who use the
# library: <green/file.h> has a struct stat.
AC_DEFUN([GREEN_LARGEFILE],
[AC_CACHE_CHECK([what makes off_t 64 bits wide], [green_cv_largefile],
  [green_cv_largefile=unknown
   green_save_CPPFLAGS=$CPPFLAGS
   for green_flag in "" -D_FILE_OFFSET_BITS=64; do
     CPPFLAGS="$green_save_CPPFLAGS $green_flag"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <sys/types.h>
]], [[static int wide[sizeof(off_t) >= 8 ? 1 : -1]; return wide[0];]])],
       [green_cv_largefile=${green_flag:-nothing}])
     AS_IF([test "$green_cv_largefile" != unknown], [break])
   done
   CPPFLAGS=$green_save_CPPFLAGS])
GREEN_LARGEFILE_CFLAGS=
AS_CASE([$green_cv_largefile], [-D*],
  [GREEN_LARGEFILE_CFLAGS=" $green_cv_largefile"
   CPPFLAGS="${CPPFLAGS:+$CPPFLAGS }$green_cv_largefile"])
AC_SUBST([GREEN_LARGEFILE_CFLAGS])])
