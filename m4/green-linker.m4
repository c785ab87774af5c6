# green-linker.m4 -- what the libraries ask of compiler and linker

# GREEN_LINKER
# ------------
# Sets LIB_CFLAGS (hidden visibility, TLS model) and LIB_LDFLAGS for the installed libraries, and the conditional
# HAVE_VERSION_SCRIPT. Without version scripts libtool's list of exported symbols takes their place. Linkers for Windows
# accept both options and do nothing with them.
AC_DEFUN([GREEN_LINKER],
[LIB_CFLAGS=
m4_foreach_w([green_flag], [-fvisibility=hidden -ftls-model=initial-exec],
  [AS_VAR_PUSHDEF([cache], [green_cv_flag_]green_flag)dnl
   AC_CACHE_CHECK([whether $CC knows green_flag], [cache],
     [green_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS -Werror green_flag"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[static __thread int x;]], [[return x;]])],
        [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
      CFLAGS=$green_save_CFLAGS])
   AS_VAR_IF([cache], [yes], [LIB_CFLAGS="${LIB_CFLAGS:+$LIB_CFLAGS }green_flag"])
   AS_VAR_POPDEF([cache])])
AC_SUBST([LIB_CFLAGS])

# What backtrace() goes by, and debuggers: not every processor has the tables without being asked for them.
AC_CACHE_CHECK([whether $CC knows -fasynchronous-unwind-tables], [green_cv_unwind_tables],
  [green_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror -fasynchronous-unwind-tables"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM], [green_cv_unwind_tables=yes], [green_cv_unwind_tables=no])
   CFLAGS=$green_save_CFLAGS])
UNWIND_CFLAGS=
AS_IF([test "$green_cv_unwind_tables" = yes], [UNWIND_CFLAGS=-fasynchronous-unwind-tables])
AC_SUBST([UNWIND_CFLAGS])

AS_IF([test $green_windows = yes], [green_cv_version_script=no green_cv_bsymbolic=no])
AC_CACHE_CHECK([whether the linker knows version scripts], [green_cv_version_script],
  [AS_ECHO(['G_1 { global: green_@<:@!_@:>@*; local: *; };']) >conftest.map
   green_save_LDFLAGS=$LDFLAGS
   LDFLAGS="$LDFLAGS -shared -fPIC -Wl,--version-script,conftest.map"
   AC_LINK_IFELSE([AC_LANG_SOURCE([[int green_a(void); int green_a(void) { return 0; }]])],
     [green_cv_version_script=yes], [green_cv_version_script=no])
   LDFLAGS=$green_save_LDFLAGS
   rm -f conftest.map])
AM_CONDITIONAL([HAVE_VERSION_SCRIPT], [test "$green_cv_version_script" = yes])

AC_CACHE_CHECK([whether the linker knows -Bsymbolic], [green_cv_bsymbolic],
  [green_save_LDFLAGS=$LDFLAGS
   LDFLAGS="$LDFLAGS -shared -fPIC -Wl,-Bsymbolic"
   AC_LINK_IFELSE([AC_LANG_SOURCE([[int green_a(void); int green_a(void) { return 0; }]])],
     [green_cv_bsymbolic=yes], [green_cv_bsymbolic=no])
   LDFLAGS=$green_save_LDFLAGS])
LIB_LDFLAGS=
AS_IF([test "$green_cv_bsymbolic" = yes], [LIB_LDFLAGS="-Wl,-Bsymbolic"])
# One DLL less to carry about. libtool would drop the option itself.
AS_IF([test $green_windows = yes], [LIB_LDFLAGS="-Wc,-static-libgcc"])
AC_SUBST([LIB_LDFLAGS])])
