#!/bin/sh
# doc/examples/distributed_chat with a real Redis: two servers, one through TCP and one through a Unix socket, and somebody at
# each. What is said at one is heard at the other, also after Redis was away. Nothing is stored, and nothing but loopback used.
. "$top_srcdir/tests/web_peers.sh"
way=redis-server
if command -v redis-server >/dev/null; then
    redis=redis-server
elif command -v redis-check-rdb >/dev/null; then
    # Debian's redis-tools has it under that name: it is what it is called.
    redis=$tmp/redis-server
    ln -s "$(command -v redis-check-rdb)" "$redis"
else
    echo "not installed: redis-server (package redis-tools)"
    exit 77
fi

redis_pid=
start_redis() { # PORT
    : >"$tmp/redis.log"
    "$redis" --bind 127.0.0.1 --port "$1" --unixsocket "$tmp/redis.sock" --save "" --appendonly no --dir "$tmp" \
        >"$tmp/redis.log" 2>&1 </dev/null &
    redis_pid=$! other="$other $!"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        ! grep -q 'Ready to accept connections' "$tmp/redis.log" || return 0
        kill -0 $redis_pid 2>/dev/null || break
        sleep 0.2
    done
    return 1
}
stop_redis() { # SIGNAL
    kill -"$1" $redis_pid
    wait $redis_pid 2>/dev/null
}

# Somebody at a server: what they are told is in NAME.out; what they say goes into NAME.in.
come() { # NAME ADDRESS
    mkfifo "$tmp/$1.in"
    doc/examples/websocket_client -t 300 "ws://$2/chat?name=$1" <"$tmp/$1.in" >>"$tmp/$1.out" 2>&1 &
    came=$! other="$other $!"
}
hears() { # NAME TEXT...: within 20 seconds, a line with those fields
    name=$1
    shift
    line=$(printf '%s\t' "$@")
    line=${line%?}
    checks=$((checks + 1))
    for _ in $(seq 100); do
        ! grep -qxF "$line" "$tmp/$name.out" || return 0
        sleep 0.2
    done
    wrong "$name did not hear '$*': $(tail -n 20 "$tmp/$name.out"); $(cat "$tmp"/chat*.log)"
}
counts() { # NAME NUMBER: people, in the end
    checks=$((checks + 1))
    for _ in $(seq 100); do
        test "$(sed -n 's/^people.//p' "$tmp/$1.out" | tail -n 1)" != "$2" || return 0
        sleep 0.2
    done
    wrong "$1 counts others than $2: $(tail -n 20 "$tmp/$1.out"); $(cat "$tmp"/chat*.log)"
}

# A port that was free a moment ago.
for _ in 1 2 3 4 5; do
    start port doc/examples/echoserver 127.0.0.1:0 || exit 1
    kill $started
    wait $started 2>/dev/null
    port=${address##*:}
    ! start_redis "$port" || break
    stop_redis KILL
    redis_pid=
done
test -n "$redis_pid" || { echo "redis-server did not start: $(cat "$tmp/redis.log")"; exit 1; }

start chat1 doc/examples/distributed_chat 127.0.0.1:0 "127.0.0.1:$port" || exit 1
one=$address other="$other $started"
start chat2 doc/examples/distributed_chat 127.0.0.1:0 "unix:$tmp/redis.sock" || exit 1
two=$address other="$other $started"

come Ann "$one"
ann=$came
exec 3>"$tmp/Ann.in"
come Bob "$two"
exec 4>"$tmp/Bob.in"
hears Bob join Bob
counts Ann 2
counts Bob 2
echo "hello" >&3
hears Bob say Ann hello
hears Ann say Ann hello
echo "good morning" >&4
hears Ann say Bob "good morning"

# All of it, in order, once.
seq -f 'line %g' 300 >&3
hears Bob say Ann "line 300"
hears Ann say Ann "line 300"
seq -f 'line %g' 300 >"$tmp/wanted"
for name in Ann Bob; do
    sed -n 's/^say.Ann.\(line .*\)/\1/p' "$tmp/$name.out" >"$tmp/got"
    same_file "what Ann said, at $name" "$tmp/got" "$tmp/wanted"
done

for signal in TERM KILL; do
    # Redis goes: people are told, and hear themselves.
    stop_redis $signal
    for name in Ann Bob; do
        hears $name note "The other servers cannot be reached: you are heard here only"
        counts $name 1
    done
    echo "alone $signal" >&3
    hears Ann say Ann "alone $signal"
    # It comes back, a while later, so that it was asked for in vain, and the chat goes on.
    sleep 1
    for name in Ann Bob; do
        cp "$tmp/$name.out" "$tmp/$name.before.$signal"
        : >"$tmp/$name.out"
    done
    rm -f "$tmp/redis.sock"
    start_redis "$port" || { wrong "redis-server did not start again: $(cat "$tmp/redis.log")"; break; }
    for name in Ann Bob; do
        hears $name note "The other servers are there"
        counts $name 2
    done
    echo "back $signal" >&3
    hears Bob say Ann "back $signal"
    echo "so am I $signal" >&4
    hears Ann say Bob "so am I $signal"
    same "heard while Redis was away" "$(cat "$tmp/Bob.before.$signal" "$tmp/Bob.out" | grep -c "alone $signal")" 0
    same "heard twice" "$(grep -c "back $signal" "$tmp/Ann.out") $(grep -c "so am I" "$tmp/Bob.out")" "1 1"
done

kill $ann
wait $ann 2>/dev/null
hears Bob leave Ann
counts Bob 1
for pid in $other; do
    test "$pid" = "$ann" || kill -0 "$pid" 2>/dev/null || echo "ended: $pid" >>"$tmp/ended"
done
# Redis was ended twice.
same "what ended by itself" "$(wc -l <"$tmp/ended" | tr -d ' ')" 2
finish
