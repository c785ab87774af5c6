#!/bin/sh
# Workers: while wrk runs, the program is started anew ten times, and no request fails; a worker that is killed costs the
# requests it was serving, and is started anew; one that has to end leaves nothing behind. The server is green-net serve.
. "$top_srcdir/tests/web_peers.sh"
need wrk wrk curl curl
way=workers

start serve web/cli/green-net serve --workers 2 --quiet 127.0.0.1:0 || exit 1
server=$started
url=http://$address

# The first process of the program, and those of its workers that are ready.
supervisor() {
    curl -s "$url/workers" | sed -n 's/^{"supervisor": \([0-9]*\),.*/\1/p'
}
pids() {
    curl -s "$url/workers" | sed -n 's/.*"pid": \([0-9]*\), "state": "ready".*/\1/p'
}
# Waits until a command says something.
wait_for() { # WANTED COMMAND...
    wanted=$1
    shift
    for _ in $(seq 300); do
        test "$("$@")" != "$wanted" || return 0
        sleep 0.1
    done
    wrong "$*: never '$wanted': $(curl -s "$url/workers")"
}
many_pids() {
    pids | wc -l | tr -d ' '
}

# Is the process there? The first one is this shell's child, which stays until it is waited for.
is_there() { # PID
    test "$(ps -o stat= -p "$1" | cut -c 1)" != "" && test "$(ps -o stat= -p "$1" | cut -c 1)" != Z
}
# Until none but the new program answers.
restart() {
    old=$server
    kill -USR2 "$old"
    for _ in $(seq 300); do
        ! is_there "$old" || { sleep 0.1; continue; }
        server=$(supervisor)
        test -z "$server" || return 0
    done
    wrong "process $old is still there after the restart"
}

wait_for 2 many_pids
wrk -t 2 -c 64 -d 60 "$url/headers" >"$tmp/wrk" 2>&1 &
other=$!
i=0
while test $i -lt 10; do
    i=$((i + 1))
    restart
done
kill -0 $other 2>/dev/null || wrong "wrk ended before the restarts"
kill -INT $other
wait $other
other=
same "restarts: errors" "$(grep -e 'Socket errors' -e 'Non-2xx' "$tmp/wrk")" ""
same "restarts: none was cut" "$(grep -c 'Requests/sec' "$tmp/wrk")" 1
same "restarts: many answers" "$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$tmp/wrk" | grep -c '...')" 1

# One dies under load: what is lost are requests that it was serving, one on each of its connections at most; the other one
# goes on, and there are two again.
victim=$(pids | head -n 1)
wrk -t 1 -c 16 -d 60 "$url/headers" >"$tmp/wrk" 2>&1 &
other=$!
busy() { # the victim has connections
    curl -s "$url/workers" | grep "\"pid\": $victim," | grep -c '"connections": [1-9]'
}
wait_for 1 busy
kill -KILL "$victim"
wait_for 2 many_pids
kill -INT $other
wait $other
other=
lost=$(sed -n 's/.*Socket errors: connect 0, read \([0-9]*\), write 0, timeout 0.*/\1/p' "$tmp/wrk")
same "requests lost" "$(test "${lost:-0}" -le 16 && echo few)" few
same "other errors" "$(grep -e 'Non-2xx' "$tmp/wrk"; grep 'Socket errors' "$tmp/wrk" | grep -v 'connect 0, read [0-9]*, write 0, timeout 0')" ""
same "the dead one is not there" "$(pids | grep -cx "$victim")" 0
same "it answers" "$(curl -s -o "$tmp/out" -w '%{http_code}' "$url/headers")" 200

# The end: nothing is left of it.
last=$(pids)
kill -TERM $server
for pid in $server $last; do
    for _ in $(seq 300); do
        is_there "$pid" || continue 2
        sleep 0.1
    done
    wrong "process $pid is left"
done
server=
echo "$checks checks"
exit $bad
