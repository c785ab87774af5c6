# green-windows.m4 -- building for Windows, with mingw-w64

# GREEN_WINDOWS
# -------------
# Before libtool and pkg-config are looked for. Sets green_windows to yes or no, the conditional WINDOWS, SYSTEM_CPPFLAGS
# (which Windows the headers describe: 8 and later) and MODULE_SUFFIX, how the file of a module ends. A pkg-config of the
# build machine sees what is installed for the host only.
AC_DEFUN([GREEN_WINDOWS],
[AC_REQUIRE([AC_CANONICAL_HOST])dnl
AS_CASE([$host_os],
  [mingw*],
    [green_windows=yes MODULE_SUFFIX=.dll
     SYSTEM_CPPFLAGS="-D_WIN32_WINNT=0x0602 -DWIN32_LEAN_AND_MEAN -D__USE_MINGW_ANSI_STDIO=1"
     AS_IF([test "$cross_compiling" != no && test -z "$PKG_CONFIG_LIBDIR"],
       [PKG_CONFIG_LIBDIR=/usr/$host_alias/lib/pkgconfig
        export PKG_CONFIG_LIBDIR])],
  [green_windows=no MODULE_SUFFIX=.so SYSTEM_CPPFLAGS=])
AC_SUBST([SYSTEM_CPPFLAGS])
AC_SUBST([MODULE_SUFFIX])
AC_DEFINE_UNQUOTED([GREEN__MODULE_SUFFIX], ["$MODULE_SUFFIX"], [How the file of a module ends.])
AM_CONDITIONAL([WINDOWS], [test $green_windows = yes])])
