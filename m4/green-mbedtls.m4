# green-mbedtls.m4 -- mbedTLS, a back end of TLS

# GREEN_WITH_MBEDTLS
# ------------------
# --with-mbedtls=yes|no|auto: by pkg-config where it knows mbedTLS (3.x), else by header and a program that is linked
# (2.28). Several OS threads use it, so it needs MBEDTLS_THREADING_C. Sets green_mbedtls to yes or no, HAVE_MBEDTLS as a
# macro (0 or 1) and for automake, MBEDTLS_CFLAGS and MBEDTLS_LIBS.
AC_DEFUN([GREEN_WITH_MBEDTLS],
[AC_ARG_WITH([mbedtls],
  [AS_HELP_STRING([--with-mbedtls=yes|no], [TLS by mbedTLS (where it is there)])],
  [], [with_mbedtls=auto])
AC_ARG_VAR([MBEDTLS_CFLAGS], [compiler flags for mbedTLS])
AC_ARG_VAR([MBEDTLS_LIBS], [linker flags for mbedTLS])
green_mbedtls=no
AS_IF([test "$with_mbedtls" != no],
  [AS_IF([test -z "$MBEDTLS_LIBS"],
     [AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists mbedtls mbedx509 mbedcrypto 2>/dev/null],
        [MBEDTLS_CFLAGS=`$PKG_CONFIG --cflags mbedtls mbedx509 mbedcrypto`
         MBEDTLS_LIBS=`$PKG_CONFIG --libs mbedtls mbedx509 mbedcrypto`],
        [MBEDTLS_LIBS="-lmbedtls -lmbedx509 -lmbedcrypto"])])
   green_saved_cflags=$CFLAGS green_saved_libs=$LIBS
   CFLAGS="$CFLAGS $MBEDTLS_CFLAGS" LIBS="$MBEDTLS_LIBS $LIBS"
   AC_MSG_CHECKING([whether mbedTLS, 2.28 or later and with threading, can be linked])
   AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mbedtls/version.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#if MBEDTLS_VERSION_NUMBER < 0x021c0000 || !defined(MBEDTLS_THREADING_C)
#error not usable
#endif]], [[mbedtls_ssl_context ssl; mbedtls_ssl_init(&ssl); return mbedtls_ssl_get_bytes_avail(&ssl) != 0;]])],
     [green_mbedtls=yes])
   AC_MSG_RESULT([$green_mbedtls])
   CFLAGS=$green_saved_cflags LIBS=$green_saved_libs
   AS_IF([test $green_mbedtls = no && test "$with_mbedtls" = yes],
     [AC_MSG_ERROR([--with-mbedtls: it was not found, is older than 2.28, or was built without threading])])])
AS_IF([test $green_mbedtls = no], [MBEDTLS_CFLAGS= MBEDTLS_LIBS=])
GREEN_DEFINE_01([HAVE_MBEDTLS], [test $green_mbedtls = yes], [mbedTLS is there.])
AM_CONDITIONAL([HAVE_MBEDTLS], [test $green_mbedtls = yes])])
