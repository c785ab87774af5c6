#!/bin/sh
# Every public function stands in a scenario of fault injection (tests/fault_*.c), or below with the reason why not.
# One that is a macro too, as green_spawn() is of green_spawn_at(), is covered by it.
cd "$top_srcdir" || exit 99
headers=$(find core/include sync/include net/include web/include \( -name "*.h" -o -name "*.h.in" \) ! -name hub.h | LC_ALL=C sort)
test -n "$headers" || exit 99

# NAME REASON
exceptions='
green_case_ what the cases of green_select() are made with in C++: it fills in a struct
green_db_pool_item_end_ what green_db_pool_item() stands for: green_db_pool_put()
green_lock_scope_end_ what GREEN_LOCK_SCOPE stands for: green_lock_release()
green_pool_item_end_ what GREEN_POOL_ITEM stands for: green_pool_put()
green_socket_scope_end_ what GREEN_SOCKET_SCOPE stands for: green_socket_free()
green_semaphore_scope_end_ what GREEN_SEMAPHORE_SCOPE stands for: green_semaphore_release()
green_timeout_scope_end_ what GREEN_TIMEOUT_SCOPE stands for: green_timeout_cancel()
'

tmp=$(mktemp) || exit 99
trap 'rm -f "$tmp"' EXIT
# The code without comments and texts.
cat tests/fault_*.c | awk '
    {
        gsub(/"([^"\\]|\\.)*"/, "\"\"")
        gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " ")
        if (in_comment) { if (!sub(/^.*\*\//, "")) next; in_comment = 0 }
        if (sub(/\/\*.*/, "")) in_comment = 1
        print
    }' | grep -o 'green_[a-z0-9_]*' | LC_ALL=C sort -u >"$tmp"

# Functions that are declared (GREEN_API), and those that are inline. Prototypes may begin on one line and have their
# name on the next.
# shellcheck disable=SC2086
names=$(awk '
    /\/\*\*/ && !/\*\// { in_comment = 1 }
    in_comment { if (/\*\//) in_comment = 0; next }
    /^GREEN_API|^static inline/ { text = ""; open = 1 }
    open {
        text = text " " $0
        if (match(text, /green_[a-z0-9_]*\(/)) {
            print substr(text, RSTART, RLENGTH - 1)
            open = 0
        }
    }' $headers | LC_ALL=C sort -u)
test "$(echo "$names" | wc -l)" -ge 150 || {
    echo "only these were found: $names"
    exit 1
}

bad=0
# What takes the wall clock would go wrong when that is set. The dates of HTTP are meant to, and so is what stands for
# functions of libc that take it.
# shellcheck disable=SC2046
if grep -nE '(CLOCK_REALTIME|[^a-z_](time|gettimeofday|ftime|setitimer|alarm) ?\()' \
    $(find core hubs sync net web -name '*.[ch]' ! -name wsgi_date.c ! -path 'net/patch/*') | grep -vE ':[ /]*\*|/\*.*time \(|CLOCK_MONOTONIC'; then
    echo "the lines above take the wall clock"
    bad=1
fi
for name in $names; do
    plain=${name%_at}
    # Parts of the inline functions of <green/libevent.h>.
    case $name in green_libevent_*_) continue ;; esac
    if echo "$exceptions" | grep -q "^$name "; then
        grep -qx "$name" "$tmp" && echo "$name is in a scenario, and in the list of exceptions" && bad=1
        continue
    fi
    grep -qx "$name" "$tmp" && continue
    test "$plain" != "$name" && grep -qx "$plain" "$tmp" && continue
    echo "$name is in no scenario of tests/fault_*.c"
    bad=1
done
for name in $(echo "$exceptions" | awk 'NF { print $1 }'); do
    echo "$names" | grep -qx "$name" || {
        echo "$name is an exception, and there is no such function"
        bad=1
    }
done
echo "$(echo "$names" | wc -l) functions"
exit $bad
