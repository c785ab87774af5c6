# green-hub.m4 -- one row in configure.ac for each hub plug-in

# GREEN_HUB(NAME, PROBE, [PLACE])
# -------------------------------
# Adds --with-hub-NAME=yes|shared|no|check for hubs/NAME.c; --with-hubs=shared makes modules of all that are not named,
# --with-hubs=no leaves them out. PROBE is shell text that sets green_hub_usable to yes or
# no, and green_hub_cflags and green_hub_libs where the hub needs any; they become HUB_NAME_CFLAGS and HUB_NAME_LIBS.
#   yes     linked into libgreen-core; an error where the probe fails
#   shared  a module in $(pkglibdir); an error where the probe fails
#   no      not built
#   check   (default) as PLACE (yes, if not given) where the probe succeeds, otherwise as no. With the PLACE shared it is a
#           module unless something else is asked for, and left out of builds without shared libraries
# Sets the conditionals HUB_NAME_BUILTIN and HUB_NAME_SHARED. The order of the rows is the order of preference.
AC_DEFUN([GREEN_HUB],
[AC_REQUIRE([_GREEN_HUBS])dnl
m4_pushdef([UP], m4_translit([$1], [a-z-], [A-Z_]))dnl
AC_ARG_WITH([hub-$1],
  [AS_HELP_STRING([--with-hub-$1=yes|shared|no|check], [hub $1: linked in, module, left out (check)])],
  [], [with_hub_$1=check])
green_hub_place=m4_default([$3], [yes])
AS_IF([test "$with_hub_$1" = check],
  [AS_CASE([$with_hubs:$green_hub_place:$enable_shared], [shared:*], [green_hub_place=shared],
    [no:* | check:shared:no], [with_hub_$1=no])])
AS_CASE([$with_hub_$1], [yes|shared|no|check], [],
  [AC_MSG_ERROR([--with-hub-$1=$with_hub_$1: give yes, shared, no or check])])
AS_IF([test "$with_hub_$1" = shared && test "$enable_shared" = no],
  [AC_MSG_ERROR([--with-hub-$1=shared makes a module and cannot go with --disable-shared])])
green_hub_cflags= green_hub_libs=
AS_IF([test "$with_hub_$1" != no],
  [green_hub_usable=no
   $2
   AS_CASE([$with_hub_$1:$green_hub_usable],
     [*:yes], [],
     [check:*], [with_hub_$1=no],
     [AC_MSG_ERROR([hub $1 was asked for and this system does not have what it needs])])])
AS_IF([test "$with_hub_$1" = check], [with_hub_$1=$green_hub_place])
AS_CASE([$with_hub_$1],
  [yes], [GREEN_HUBS_BUILTIN="${GREEN_HUBS_BUILTIN:+$GREEN_HUBS_BUILTIN }$1"
          GREEN_HUBS_LIBS="$GREEN_HUBS_LIBS $green_hub_libs"
          green_hubs_builtin_x="${green_hubs_builtin_x:+$green_hubs_builtin_x }X($1)"],
  [shared], [GREEN_HUBS_SHARED="${GREEN_HUBS_SHARED:+$GREEN_HUBS_SHARED }$1"
             green_hubs_shared_x="${green_hubs_shared_x:+$green_hubs_shared_x }X($1)"])
AM_CONDITIONAL([HUB_]UP[_BUILTIN], [test "$with_hub_$1" = yes])
AM_CONDITIONAL([HUB_]UP[_SHARED], [test "$with_hub_$1" = shared])
AC_SUBST([HUB_]UP[_CFLAGS], [$green_hub_cflags])
AC_SUBST([HUB_]UP[_LIBS], [$green_hub_libs])
m4_popdef([UP])])

# GREEN_HUB_LIBRARY(VARIABLE, MODULE, HEADER, CODE)
# -------------------------------------------------
# A probe of GREEN_HUB for a hub over a library: looks for it by pkg-config, and sees whether a program with CODE can be
# linked: one of another C library than it was built for cannot.
AC_DEFUN([GREEN_HUB_LIBRARY],
[PKG_CHECK_MODULES([$1], [$2],
  [green_saved_cflags=$CFLAGS green_saved_libs=$LIBS
   CFLAGS="$CFLAGS $$1_CFLAGS" LIBS="$$1_LIBS $LIBS"
   AC_MSG_CHECKING([whether $2 can be linked])
   AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$3>]], [[$4;]])], [green_hub_usable=yes])
   AC_MSG_RESULT([$green_hub_usable])
   CFLAGS=$green_saved_cflags LIBS=$green_saved_libs
   AS_IF([test $green_hub_usable = yes], [green_hub_cflags=$$1_CFLAGS green_hub_libs=$$1_LIBS])], [:])])

AC_DEFUN([_GREEN_HUBS],
[AC_ARG_WITH([hubs],
  [AS_HELP_STRING([--with-hubs=check|shared|no], [the hubs that no other option names (check)])],
  [], [with_hubs=check])
AS_CASE([$with_hubs], [yes], [with_hubs=check], [check|no], [],
  [shared], [AS_IF([test "$enable_shared" = no],
    [AC_MSG_ERROR([--with-hubs=shared makes modules and cannot go with --disable-shared])])],
  [AC_MSG_ERROR([--with-hubs=$with_hubs: give check, shared or no])])])

# GREEN_HUBS_DONE
# ---------------
# After the last GREEN_HUB row.
AC_DEFUN([GREEN_HUBS_DONE],
[AC_DEFINE_UNQUOTED([GREEN_BUILTIN_HUBS(X)], [$green_hubs_builtin_x],
  [Hubs linked into libgreen-core, in order of preference.])
AC_DEFINE_UNQUOTED([GREEN_SHARED_HUBS(X)], [$green_hubs_shared_x],
  [Hubs built as modules, in order of preference.])
AC_SUBST([GREEN_HUBS_BUILTIN])
AC_SUBST([GREEN_HUBS_SHARED])
AC_SUBST([GREEN_HUBS_LIBS])
AS_IF([test -z "$GREEN_HUBS_BUILTIN$GREEN_HUBS_SHARED"],
  [AC_MSG_ERROR([there is no hub left: every one was switched off, or none is for this system])])])
