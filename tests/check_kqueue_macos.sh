#!/bin/sh
# hubs/kqueue.c compiles with the headers of macOS, for both of its processors, as a module and linked in. Only that: no
# BSD is at hand to run it on; its logic is tested over kqueue_shim.c.
#
# GREEN_ZIG is a zig command, which brings those headers (by default the one on PATH); or GREEN_MACOS_SDK is the folder
# of an SDK, for clang. `./dev check-all macos` fetches a zig.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
ZIG_GLOBAL_CACHE_DIR=$tmp/cache ZIG_LOCAL_CACHE_DIR=$tmp/cache
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR

zig=${GREEN_ZIG:-zig}
if test -n "$GREEN_MACOS_SDK"; then
    command -v clang >/dev/null 2>&1 || { echo "GREEN_MACOS_SDK is set, and there is no clang"; exit 77; }
    compile() { # PROCESSOR ARGUMENT...
        arch=$1
        shift
        clang -target "$arch-apple-macos11" -isysroot "$GREEN_MACOS_SDK" "$@"
    }
elif command -v "$zig" >/dev/null 2>&1; then
    compile() { # PROCESSOR ARGUMENT...
        arch=$1
        shift
        "$zig" cc -target "$arch-macos" "$@"
    }
else
    echo "no headers of macOS: neither GREEN_MACOS_SDK nor a zig command (GREEN_ZIG)"
    exit 77
fi

bad=0
for arch in x86_64 aarch64; do
    for place in -DGREEN_HUB_BUILTIN -UGREEN_HUB_BUILTIN; do
        compile $arch -std=c11 -Wall -Wextra -Wno-unused-parameter -Wshadow -Wundef -Werror $place \
            -I"$top_srcdir/core/include" -Icore/include -c -o "$tmp/kqueue.o" "$top_srcdir/hubs/kqueue.c" || {
            echo "it does not compile for $arch ($place)"
            bad=1
        }
    done
done
exit $bad
