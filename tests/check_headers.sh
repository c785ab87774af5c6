#!/bin/sh
# Each public header compiles alone, twice in one file, as C11 and as C++11, without a warning, and sees no layer but
# its own and those below.
bad=0 count=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
flags="-Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only"

layer_path() { # LAYER: its include path
    path="-I$top_srcdir/core/include -Icore/include"
    for layer in sync net web; do
        case "core $1" in
            "core core") return ;;
        esac
        path="$path -I$top_srcdir/$layer/include"
        test "$layer" != "$1" || return
    done
}

for header in $PUBLIC_HEADERS; do
    name=${header#*/include/}
    # That of libevent's is for those who have libevent.
    case $name in
        green/libevent.h)
            echo '#include <event2/event.h>' | ${CC:-cc} -E - >/dev/null 2>&1 || { echo "left out: $name"; continue; } ;;
    esac
    layer_path "${header%%/*}"
    for i in 1 2; do echo "#include <$name>"; done >"$tmp/a.c"
    echo 'typedef int not_empty;' >>"$tmp/a.c"
    cp "$tmp/a.c" "$tmp/a.cc"
    count=$((count + 1))
    ${CC:-cc} -std=c11 $flags -Wstrict-prototypes $path "$tmp/a.c" || { echo "$name: not clean as C11"; bad=1; }
    test -z "$CXX" || $CXX -std=c++11 $flags $path "$tmp/a.cc" || { echo "$name: not clean as C++11"; bad=1; }
done
echo "$count headers, include path of the last: $path"
test $count -gt 0 || bad=99
test $bad = 0 || exit $bad
test -n "$CXX" || { echo "there is no C++ compiler: only C11 was tried"; exit 77; }
