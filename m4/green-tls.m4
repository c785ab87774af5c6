# green-tls.m4 -- TLS back ends that are modules

# GREEN_TLS_OPENSSL
# -----------------
# --with-tls-openssl=shared|no|check: a module in $(pkglibdir) over OpenSSL. Nothing else links it. Sets
# green_tls_openssl to shared or no, the conditional TLS_OPENSSL, and OPENSSL_CFLAGS and OPENSSL_LIBS.
AC_DEFUN([GREEN_TLS_OPENSSL],
[AC_ARG_WITH([tls-openssl],
  [AS_HELP_STRING([--with-tls-openssl=shared|no|check], [TLS by OpenSSL: module, left out (check)])],
  [], [with_tls_openssl=check])
AS_CASE([$with_tls_openssl], [yes], [with_tls_openssl=shared], [shared|no|check], [],
  [AC_MSG_ERROR([--with-tls-openssl=$with_tls_openssl: give shared, no or check])])
AS_IF([test "$with_tls_openssl" = shared && test "$enable_shared" = no],
  [AC_MSG_ERROR([--with-tls-openssl=shared makes a module and cannot go with --disable-shared])])
green_tls_openssl=no
AS_IF([test "$with_tls_openssl" != no && test "$enable_shared" != no],
  [PKG_CHECK_MODULES([OPENSSL], [libssl >= 3.0 libcrypto >= 3.0], [green_tls_openssl=shared], [green_tls_openssl=no])
   AS_IF([test $green_tls_openssl = shared],
     [green_saved_cflags=$CFLAGS green_saved_libs=$LIBS
      CFLAGS="$CFLAGS $OPENSSL_CFLAGS" LIBS="$OPENSSL_LIBS $LIBS"
      AC_MSG_CHECKING([whether OpenSSL can be linked])
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <openssl/ssl.h>]], [[SSL_CTX_new(TLS_method());]])], [],
        [green_tls_openssl=no])
      AC_MSG_RESULT([$green_tls_openssl])
      CFLAGS=$green_saved_cflags LIBS=$green_saved_libs])
   AS_IF([test $green_tls_openssl = no && test "$with_tls_openssl" = shared],
     [AC_MSG_ERROR([--with-tls-openssl: OpenSSL from 3.0 on was not found by pkg-config, or cannot be linked])])])
AS_IF([test $green_tls_openssl = no], [OPENSSL_CFLAGS= OPENSSL_LIBS=])
AC_SUBST([OPENSSL_CFLAGS])
AC_SUBST([OPENSSL_LIBS])
AM_CONDITIONAL([TLS_OPENSSL], [test $green_tls_openssl = shared])])
