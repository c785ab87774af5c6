#!/bin/sh
# Programs that nobody has changed, under `green-net run`: curl, redis-cli and redis-benchmark, and an echo server with a
# POSIX thread for each connection, which then has one OS thread for 1,000 clients. Run in the build folder. Nothing but
# loopback is used.
. "$top_srcdir/tests/web_peers.sh"
way="green-net run"
case $SANITIZE_CFLAGS in
    *-fsanitize*) echo "a program without the sanitizer cannot bring along a library with it"; exit 77 ;;
esac
web/cli/green-net run true >"$tmp/out" 2>&1 && test ! -s "$tmp/out" || {
    cat "$tmp/out"
    # A build without modules, or a system whose loader does not show what it has loaded.
    ! grep -q 'no module to be brought along\|runs as it is' "$tmp/out" || exit 77
    exit 1
}
green() { # SECONDS PROGRAM...
    limit=$1
    shift
    timeout "$limit" web/cli/green-net run "$@"
}

# ---- its status, and its signal, are the program's
green 20 sh -c 'exit 7'
same "the status" $? 7

# ---- an echo server with a thread for each connection: it says its port as `port N`
echo_server() { # COMMAND...
    : >"$tmp/echo.log"
    "$@" >"$tmp/echo.log" 2>&1 </dev/null &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/^port //p' "$tmp/echo.log")
        test -z "$port" || return 0
        kill -0 $server 2>/dev/null || break
        sleep 0.1
    done
    wrong "the echo server did not start: $(cat "$tmp/echo.log")"
    return 1
}
clients() { # CLIENTS THREADS
    got=$(timeout 100 tests/patch_clients "$port" $server "$1" 5 2>&1)
    same "$1 clients" "$got" "$1 clients, 5 rounds, $2 OS threads"
    kill -0 $server 2>/dev/null || wrong "the echo server ended: $(cat "$tmp/echo.log")"
    kill $server 2>/dev/null
    wait $server 2>/dev/null
    server=
}
# 1,000, where so many descriptors may be open.
most=1000
ulimit -n 4096 2>/dev/null
test "$(ulimit -n)" = unlimited || test "$(ulimit -n)" -ge 1100 || most=200
# Alone, so that it is known what is counted.
echo_server tests/patch_echo_threads && clients 20 21
# What green-net runs is the process itself, no child of it.
echo_server web/cli/green-net run tests/patch_echo_threads && clients $most 1

# ---- curl
if command -v curl >/dev/null; then
    if start httpbin doc/examples/httpbin -q 127.0.0.1:0; then
        server=$started url=http://$address
        for path in /ip /status/404 /bytes/100000 /chunked/100000 /stream/20 /none; do
            : >"$tmp/got"
            curl -sS -L -m 20 -o "$tmp/wanted" -w '%{http_code} %{num_redirects}' "$url$path" >"$tmp/wanted.says" 2>&1
            green 30 curl -sS -L -m 20 -o "$tmp/got" -w '%{http_code} %{num_redirects}' "$url$path" >"$tmp/got.says" 2>&1
            same_file "curl $path" "$tmp/got.says" "$tmp/wanted.says"
            same_file "curl $path: bytes" "$tmp/got" "$tmp/wanted"
        done
        # Twenty at once.
        green 60 curl -sS -m 30 --parallel --parallel-max 20 -o "$tmp/part#1" "$url/bytes/[1000-1019]" >"$tmp/out" 2>&1
        same "curl --parallel" $? 0
        same "curl --parallel: bytes" "$(cat "$tmp"/part1* | wc -c | tr -d ' ')" 20190
        # The limit of time is curl's own.
        green 30 curl -sS -m 1 -o "$tmp/got" "$url/delay/10" >"$tmp/out" 2>&1
        same "curl -m 1" $? 28
        kill $server
        wait $server 2>/dev/null
        server=
    fi
else
    echo "curl is left out: not installed"
fi

# ---- Redis
redis=
if command -v redis-server >/dev/null; then
    redis=redis-server
elif command -v redis-check-rdb >/dev/null; then
    # Debian's redis-tools has it under that name: it is what it is called.
    redis=$tmp/redis-server
    ln -s "$(command -v redis-check-rdb)" "$redis"
fi
if test -n "$redis" && command -v redis-cli >/dev/null && command -v redis-benchmark >/dev/null; then
    socket=$tmp/redis
    "$redis" --port 0 --unixsocket "$socket" --save "" --appendonly no --dir "$tmp" >"$tmp/redis.log" 2>&1 </dev/null &
    server=$!
    for _ in $(seq 100); do
        ! grep -q 'Ready to accept connections' "$tmp/redis.log" || break
        kill -0 $server 2>/dev/null || break
        sleep 0.1
    done
    cli() { green 30 redis-cli -s "$socket" "$@" 2>&1; }
    same "redis-cli set" "$(cli set a "hello world")" OK
    same "redis-cli get" "$(cli get a)" "hello world"
    same "redis-cli, from its input" "$(printf 'incr n\nincr n\nincr n\n' | cli)" "$(printf '1\n2\n3')"
    # It waits, and something comes.
    cli blpop list 20 >"$tmp/popped" &
    popper=$!
    for _ in $(seq 100); do
        test "$(redis-cli -s "$socket" client list | grep -c 'cmd=blpop')" = 0 || break
        sleep 0.1
    done
    redis-cli -s "$socket" rpush list word >/dev/null
    wait $popper
    same "redis-cli blpop" "$(cat "$tmp/popped")" "$(printf 'list\nword')"
    for threads in "" "--threads 3"; do
        # shellcheck disable=SC2086
        green 100 redis-benchmark -s "$socket" -n 3000 -c 50 -t ping,set,get --csv $threads >"$tmp/bench" 2>"$tmp/bench.err"
        same "redis-benchmark $threads" "$? $(cut -d, -f1 "$tmp/bench" | tail -n 4 | tr -d '"\n')" \
            "0 PING_INLINEPING_MBULKSETGET"
        awk -F'"' 'NR > 1 && $4 + 0 <= 0 { bad = 1 } END { exit bad }' "$tmp/bench" ||
            wrong "redis-benchmark $threads: $(cat "$tmp/bench")"
    done
    kill $server
    wait $server 2>/dev/null
    server=
else
    echo "redis-cli and redis-benchmark are left out: not installed (package redis-tools)"
fi
finish
