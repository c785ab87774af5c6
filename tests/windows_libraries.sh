#!/bin/sh
# The libraries that green-net can use, for Windows, by mingw-w64: zlib, mbedTLS, c-ares, SQLite and Lua.
#
#   windows_libraries.sh HOST CACHE
#
# CACHE/NAME-source/NAME has the sources of each as Debian has them, patched; zlib comes from Debian's own package for
# mingw-w64. Leaves CACHE/libraries-HOST with include/, lib/ (archives only, so that what is linked with them needs no DLL
# more), lib/pkgconfig/ and licenses/; by another name until it is whole. `./dev` calls it.
set -e
host=$1 cache=$2
prefix=$cache/libraries-$host
work=$prefix.new
test ! -f "$prefix/done" || exit 0
rm -rf "$prefix" "$work"
mkdir -p "$work/include" "$work/lib/pkgconfig" "$work/licenses" "$work/build"
cc=$host-gcc ar=$host-ar
flags="-O2 -g0"
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS

# A folder of its own for what is built in the sources.
source_of() { # NAME
    cp -R "$cache/$1-source/$1" "$work/build/$1"
    cp "$cache/$1-source/$1/debian/copyright" "$work/licenses/$1"
    cd "$work/build/$1"
}

version_of() { # NAME
    sed -n '1s/.*(\([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p' debian/changelog
}

# How the folder is called in the end, the files of pkg-config say by their own place.
module() { # NAME VERSION CFLAGS LIBS
    {
        echo "prefix=\${pcfiledir}/../.."
        echo "Name: $1"
        echo "Description: $1, for green-net"
        echo "Version: $2"
        echo "Cflags: -I\${prefix}/include $3"
        echo "Libs: -L\${prefix}/lib $4"
    } >"$work/lib/pkgconfig/$1.pc"
}

zlib() {
    mkdir "$work/build/zlib"
    cd "$work/build/zlib"
    root=
    if test ! -f "/usr/$host/lib/libz.a"; then
        root=$PWD
        apt-get -qq download libz-mingw-w64-dev
        dpkg-deb -x libz-mingw-w64-dev_*.deb .
    fi
    cp "$root/usr/$host/include/zlib.h" "$root/usr/$host/include/zconf.h" "$work/include/"
    cp "$root/usr/$host/lib/libz.a" "$work/lib/"
    cp "$root/usr/share/doc/libz-mingw-w64-dev/copyright" "$work/licenses/zlib"
    module zlib "$(sed -n 's/^#define ZLIB_VERSION "\(.*\)"/\1/p' "$work/include/zlib.h")" "" -lz
}

# As Debian sets it up: with threading, by winpthreads here.
mbedtls() {
    source_of mbedtls
    for name in MBEDTLS_THREADING_C MBEDTLS_THREADING_PTHREAD MBEDTLS_CMAC_C MBEDTLS_SSL_DTLS_SRTP; do
        sed -i "s,^//#define $name\$,#define $name," include/mbedtls/config.h
        grep -q "^#define $name\$" include/mbedtls/config.h
    done
    make -C library CC="$cc" AR="$ar" WINDOWS_BUILD=1 CFLAGS="$flags" static
    cp -R include/mbedtls include/psa "$work/include/"
    cp library/libmbed*.a "$work/lib/"
    module mbedcrypto "$(version_of)" "" "-lmbedcrypto -lbcrypt"
    module mbedx509 "$(version_of)" "" "-lmbedx509 -lmbedcrypto -lbcrypt"
    module mbedtls "$(version_of)" "" "-lmbedtls -lmbedx509 -lmbedcrypto -lbcrypt"
}

# One of Debian's patches has a name that Windows has not.
cares() {
    source_of c-ares
    ./configure -q --host="$host" --prefix=/ --disable-shared --disable-tests CFLAGS="$flags -DINADDRSZ=4"
    make -s -C src/lib
    cp include/ares.h include/ares_dns.h include/ares_version.h include/ares_rules.h include/ares_build.h "$work/include/"
    cp src/lib/.libs/libcares.a "$work/lib/"
    module libcares "$(version_of)" -DCARES_STATICLIB "-lcares -lws2_32 -liphlpapi"
}

# The amalgamation is made by the sources' own script, with tclsh.
sqlite() {
    source_of sqlite3
    ./configure -q --disable-tcl --disable-shared
    make -s sqlite3.c
    "$cc" $flags -c -DSQLITE_THREADSAFE=1 -DSQLITE_ENABLE_COLUMN_METADATA sqlite3.c
    "$ar" rcs "$work/lib/libsqlite3.a" sqlite3.o
    cp sqlite3.h "$work/include/"
    module sqlite3 "$(version_of)" "" -lsqlite3
}

lua() {
    source_of lua5.4
    rm -f src/lua.c src/luac.c
    for file in src/*.c; do "$cc" $flags -DLUA_COMPAT_5_3 -c "$file"; done
    "$ar" rcs "$work/lib/liblua5.4.a" ./*.o
    mkdir "$work/include/lua5.4"
    cp src/lua.h src/luaconf.h src/lualib.h src/lauxlib.h "$work/include/lua5.4/"
    module lua5.4 "$(version_of)" "-I\${prefix}/include/lua5.4" -llua5.4
}

for one in zlib mbedtls cares sqlite lua; do
    ($one)
done
rm -rf "$work/build"
touch "$work/done"
mv "$work" "$prefix"
