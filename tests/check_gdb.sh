#!/bin/sh
# core/green-gdb.py: green threads in gdb, in a process that runs and in the core that it leaves.
skip() {
    echo "$1"
    exit 77
}
command -v gdb >/dev/null 2>&1 || skip "there is no gdb"
test "$(gdb -q -nx -batch -ex 'python print(6 * 7)' 2>/dev/null)" = 42 || skip "this gdb has no Python"
case "$CFLAGS $SANITIZE_CFLAGS" in
    *-fsanitize=*) skip "gdb and sanitizers are in each other's way" ;;
esac
case "$CFLAGS" in
    *-flto*) skip "with -flto gdb cannot read the list of hubs" ;;
esac
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
script=$top_srcdir/core/green-gdb.py
target=tests/debug_target
test -x tests/.libs/debug_target && target=tests/.libs/debug_target
test -x $target || exit 99
LD_LIBRARY_PATH=$PWD/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

run_gdb() { # LOG ARGUMENT...
    log=$1
    shift
    HOME=$dir GREEN_HUB=poll timeout 120 gdb -q -nx -batch -iex "set debuginfod enabled off" -iex "set pagination off" \
        -iex "set height 0" -iex "set width 0" "$@" </dev/null >"$log" 2>&1
}

cat >"$dir/probe" <<END
set startup-with-shell off
handle SIG64 nostop noprint pass
break target_stop
run
info line target_stop
ptype struct green_thread
END
run_gdb "$dir/probe.log" -x "$dir/probe" $target
grep -q "Breakpoint 1, target_stop" "$dir/probe.log" || {
    # A machine that lets nobody trace.
    grep -qiE "ptrace|not permitted|personality" "$dir/probe.log" && skip "gdb may not run a program here"
    cat "$dir/probe.log"
    exit 1
}
grep -q "wait_where" "$dir/probe.log" || skip "built without debugging information"

cat >"$dir/look" <<END
echo == threads\n
green threads
echo == reads\n
green bt 2
echo == runs\n
green bt 4
echo == all\n
green apply all bt
echo == none\n
END
cat >"$dir/live" <<END
set startup-with-shell off
source $script
break target_stop
run
source $dir/look
echo == core\n
green save-core $dir/core
echo == frame\n
frame
delete
continue
END
run_gdb "$dir/live.log" -x "$dir/live" $target
run_gdb "$dir/core.log" -ex "source $script" -ex "source $dir/look" -ex "green bt 99" $target "$dir/core"

bad=0
has() { # LOG SECTION PATTERN...: lines of a section, in this order
    file=$1 section=$2
    shift 2
    awk -v section="== $section" '/^== / { on = $0 == section; next } on' "$file" >"$dir/part"
    first=1
    for pattern; do
        line=$(sed -n "$first,\$p" "$dir/part" | grep -nE -- "$pattern" | head -n 1 | cut -d: -f1)
        if test -z "$line"; then
            echo "$(basename "$file"): == $section: no line from $first on matches $pattern"
            bad=1
            return
        fi
        first=$((first + line))
    done
}

for log in "$dir/live.log" "$dir/core.log"; do
    has "$log" threads '^hub 1, poll, OS thread ' '^  green thread 1 main waiting, spawned at main, waits at .*green_thread_wait' \
        '^  green thread 2 waiting, spawned at .*debug_target.c:[0-9]+, waits at .*target_inner' \
        '^  green thread 3 parker waiting, spawned at .*waits at .*target_parks' \
        '^  green thread 4 running, spawned at '
    has "$log" reads '^green thread 2 waiting' '^#0 ' ' in green_trampoline ' ' in target_inner \(depth=0\) at .*debug_target.c:' \
        ' in target_inner \(depth=1\)' ' in target_inner \(depth=2\)' ' in target_reads ' ' in green__thread_main '
    has "$log" runs '^green thread 4 running' '^#0 .*target_stop' '^#1 .*target_runs' ' in green__thread_main '
    has "$log" all '^green thread 1 main' ' in green_thread_wait ' ' in main ' '^green thread 2 ' 'target_reads' \
        '^green thread 3 parker' ' in green_park ' ' in target_parks ' '^green thread 4 '
done
# The process is as it was.
has "$dir/live.log" frame '^#0 .*target_stop' '^went on' 'exited normally'
has "$dir/core.log" none 'there is no green thread 99'
# Nor does it say where the steps through madvise() end.
grep -nE "syscall-template| in .*madvise" "$dir/live.log" && bad=1
grep -n "Python Exception\|Traceback" "$dir/live.log" "$dir/core.log" && bad=1
test $bad = 0 || cat "$dir/live.log" "$dir/core.log"
exit $bad
