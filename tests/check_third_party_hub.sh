#!/bin/sh
# The plug-in of doc/examples/third_party_hub builds outside the tree against the installed copy, by its own Makefile
# and what pkg-config says; a program finds it by its path and, once it is in the folder of hubs, by its name; and it
# passes tests/hub_conformance.
. "$top_srcdir/tests/installed.sh"
test -f "$dest$libdir/libgreen-core.so" || { echo "this build has no shared libraries, and so no modules"; exit 77; }

wrong() {
    echo "$*"
    bad=1
}

mkdir plug_in
cp "$source_dir"/doc/examples/third_party_hub/* plug_in
build() { # TARGET
    ${MAKE:-make} -s -C plug_in CC="${CC:-cc}" CFLAGS="$CFLAGS $SANITIZE_CFLAGS -Wall -Wextra" \
        LDFLAGS="$SANITIZE_CFLAGS" PKG_CONFIG="$pc" hubdir="$dest$pkglibdir" "$1" ||
        { echo "make $1 of the plug-in failed"; exit 1; }
}
build hub_mypoll.so
# Some versions put the system root in front of variables, others do not.
hubdir=$($pc --variable=hubdir green-core)
test "$dest${hubdir#"$dest"}" = "$dest$pkglibdir" || wrong "hubdir is $hubdir, not $pkglibdir"

cat >program.c <<'END_OF_PROGRAM'
#include <green/core.h>

#include <stdio.h>
#include <unistd.h>

static void *
write_later(void *arg)
{
        if (green_sleep(0.01) != 0 || write(*(int *)arg, "x", 1) != 1)
                return green_fail(-5);
        return NULL;
}

int
main(void)
{
        struct green_hub_info info = {.size = sizeof(info)};
        int fds[2];

        if (pipe(fds) != 0 || green_spawn_n(write_later, &fds[1]) != 0) {
                fprintf(stderr, "%s\n", green_last_error()->message);
                return 1;
        }
        if (green_trampoline(fds[0], GREEN_READ, 5) != 0 || green_hub_get_info(&info) != 0)
                return 2;
        printf("%s\n", info.name);
        return 0;
}
END_OF_PROGRAM
words=$($pc --cflags --libs green-core) || exit 1
# shellcheck disable=SC2086
${CC:-cc} $CFLAGS $SANITIZE_CFLAGS -o program program.c $words || { echo "the program does not build"; exit 1; }

run() { # GREEN_HUB PATTERN
    got=$(GREEN_HUB=$1 LD_LIBRARY_PATH=$dest$libdir ./program 2>&1)
    case $got in
        *$2*) echo "GREEN_HUB=$1: ok" ;;
        *) wrong "GREEN_HUB=$1 says '$got', not '$2'" ;;
    esac
}
run ./plug_in/hub_mypoll.so mypoll
run "$tmp/plug_in/hub_mypoll.so" mypoll
run mypoll "no hub of that name"
build install
run mypoll mypoll
run nosuch,mypoll mypoll
run nosuch "mypoll*(in $dest$pkglibdir)"
rm -r plug_in

cd "$top" || exit 99
if test -x tests/hub_conformance; then
    unset GREEN_TEST_RESULTS
    GREEN_TEST_INNER=1 GREEN_HUB=$dest$pkglibdir/hub_mypoll.so tests/hub_conformance >"$tmp/log" 2>&1 </dev/null ||
        { grep -v '^ok\|^skip' "$tmp/log"; wrong "tests/hub_conformance says no"; }
    tail -n 1 "$tmp/log"
fi
exit $bad
