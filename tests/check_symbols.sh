#!/bin/sh
# Only names that begin with green_ leave a library, and none of them with green__: those are private. They may be
# global in a static library, where there is no hiding; there too everything begins with green_. A module exports
# green_hub_module, or green_tls_module, and nothing else. Exported data would go wrong with -Bsymbolic. The exception is
# what the compiler calls with -finstrument-functions.
bad=0 seen=0
names() { # OPTION FILE: `name type` of what it defines
    ${NM:-nm} -P "$1" --defined-only "$2" | awk 'NF >= 2 && $2 != "A" { sub(/@.*/, "", $1); print $1, $2 }'
}
complain() {
    echo "$1: $2"
    bad=1
}

for lib in core sync net web; do
    so=.libs/libgreen-$lib.so
    test -f "$so" || so=.libs/libgreen-$lib.dylib
    if test -f "$so"; then
        seen=1
        list=$(names -D "$so")
        echo "$list" | grep -q '^green_' || complain "$so" "exports nothing"
        for name in $(echo "$list" | awk '!/^green_[^_]/ && !/^__cyg_profile_func_(enter|exit) / { print $1 }'); do
            complain "$so" "exports $name"
        done
        for name in $(echo "$list" | awk '/^green_[^_]/ && $2 !~ /^[TWi]$/ { print $1 }'); do
            complain "$so" "exports data: $name"
        done
        echo "$so: $(echo "$list" | grep -c '^green_[^_]') symbols"
    fi
    a=.libs/libgreen-$lib.a
    if test -f "$a"; then
        seen=1
        for name in $(names -g "$a" | awk '!/^green_/ && !/^__(odr_)?asan|^__ubsan|^__tsan|^__gcov|^__llvm|^__cyg_profile_func_(enter|exit) / { print $1 }'); do
            complain "$a" "defines $name"
        done
    fi
done
for module in .libs/hub_*.so .libs/tls_*.so; do
    test -f "$module" || continue
    list=$(names -D "$module" | awk '{ print $1 }')
    kind=${module#.libs/}
    kind=${kind%%_*}
    test "$list" = green_${kind}_module || complain "$module" "exports $(echo $list), not just green_${kind}_module"
done
test $seen = 1 || complain check_symbols.sh "no library found in $PWD/.libs"
exit $bad
