#!/bin/sh
# A program outside the tree builds against the installed copy with what pkg-config says and nothing else, shared and
# static, as C and as C++, and runs; what is installed does not ask for libunwind, which is loaded for dumps only (see
# core/debug_walk.c); and `make uninstall` leaves nothing.
. "$top_srcdir/tests/installed.sh"

cat >"$tmp/program.c" <<'END'
#include <green/green.h>

#include <stdio.h>
#include <string.h>

static void *
twice(void *arg)
{
        (void)green_sleep(0);
        *(int *)arg *= 2;
        return arg;
}

int
main(void)
{
        int number = 21;
        void *result = NULL;
        green_thread *gt = green_spawn(twice, &number);

        if (gt == NULL || green_thread_wait(gt, &result) != 0 || result != &number || number != 42)
                return 1;
        if (strcmp(green_version(), GREEN_VERSION) != 0)
                return 2;
        printf("green-net %s\n%s", green_version(), green_version_info());
        return 0;
}
END
cp "$tmp/program.c" "$tmp/program.cc"

try() { # WHAT COMPILER SOURCE PKG-CONFIG-OPTIONS FLAGS: build and run
    what=$1 compiler=$2 source=$3 options=$4 flags=$5
    # shellcheck disable=SC2086
    if words=$($pc $options --cflags --libs green-net) &&
        $compiler $CFLAGS $SANITIZE_CFLAGS -o program "$source" $flags $words &&
        LD_LIBRARY_PATH=$dest$libdir ./program >out; then
        echo "$what: ok"
    else
        echo "$what: failed with: $compiler $CFLAGS $SANITIZE_CFLAGS $source $flags $words"
        bad=1
    fi
}

if test -f "$dest$libdir/libgreen-core.so"; then
    try "shared" "${CC:-cc}" program.c "" ""
    test -z "$CXX" || try "shared, C++" "$CXX" program.cc "" ""
fi
if test -f "$dest$libdir/libgreen-core.a"; then
    # Where both are installed the linker takes the shared ones: put the static ones apart.
    cp -R "$dest" "$tmp/static"
    find "$tmp/static" -name "libgreen-*" ! -name "*.a" -exec rm -f {} +
    PKG_CONFIG_SYSROOT_DIR=$tmp/static
    try "static" "${CC:-cc}" program.c "--static" ""
    PKG_CONFIG_SYSROOT_DIR=$dest
fi
for part in core sync web; do
    $pc --cflags --libs green-$part >/dev/null || { echo "green-$part.pc is no good"; bad=1; }
done

looked=0
for file in $(find "$dest" -type f -name '*.so*'); do
    needed=$(${OBJDUMP:-objdump} -p "$file" 2>/dev/null) || continue
    looked=1
    echo "$needed" | grep 'NEEDED.*unwind' && { echo "$file asks for libunwind"; bad=1; }
done
if test -f "$dest$libdir/libgreen-core.so" && test $looked = 0; then
    echo "${OBJDUMP:-objdump} cannot read the installed libraries"
    bad=1
fi
if $pc --static --libs green-net | grep unwind; then
    echo "pkg-config says that libunwind is to be linked"
    bad=1
fi

cd "$top" || exit 99
if ${MAKE:-make} -s uninstall DESTDIR="$dest" >"$tmp/log" 2>&1; then
    left=$(find "$dest" ! -type d)
    test -z "$left" || { echo "left after make uninstall: $left"; bad=1; }
else
    cat "$tmp/log"
    bad=1
fi
exit $bad
