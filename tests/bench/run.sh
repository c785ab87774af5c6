#!/bin/sh
# Runs the benchmarks: run.sh [-s] [-r ROUNDS] -o FOLDER [NAME...]
#
#   -s  smoke: tiny counts and no peers. Says that the programs work, and nothing of speed.
#   -r  rounds, 7 otherwise. In each, every contestant runs once; who begins changes from round to round.
#   -o  where programs, raw figures, bench-results.json and bench-results.svg go
#
# It builds green-net's programs as a user would, with what pkg-config says of an installed green-net (PKG_CONFIG_PATH),
# and the peers' with what the system has. A peer that does not build or run is named and left out. NAMEs are those
# below; "echo" stands for all that begin with "echo-".
here=$(cd "$(dirname "$0")" && pwd) || exit 1
benchmarks="yield spawn greenpool imap handover queue lock select dag chan tpool db-sqlite db-pool db-postgres timer patch-call patch-echo memory million sleepers wakeup udp conns
    tls tls-openssl tls-latency tls-latency-openssl tls-latency-rsa echo-1 echo-64 echo-1000 stream-64 stream-1000 line-64 uring-1000 libevent-1000
    http-64 http-1000 http-pipeline http-idle http-log http-workers https-64 https-close static-1m client ws-64 ws-1m ws-broadcast ws-idle"

smoke=no rounds=7 out=
while getopts sr:o: option; do
    case $option in
        s) smoke=yes rounds=2 ;;
        r) rounds=$OPTARG ;;
        o) out=$OPTARG ;;
        *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
test -n "$out" || { echo "run.sh: -o FOLDER is missing" >&2; exit 2; }
mkdir -p "$out/programs" && out=$(cd "$out" && pwd) || exit 1
raw=$out/bench-raw.txt
: >"$raw" || exit 1
CC=${CC:-cc} CXX=${CXX:-c++}
pc=${PKG_CONFIG:-pkg-config}
left_out=" "

say() { printf '%s\n' "$*"; }
die() {
    say "bench: $*" >&2
    exit 1
}

# NAME=PROGRAM[:ARGUMENT] of each that takes part.
contestants() { # BENCHMARK
    case $1 in
        yield) echo green-net=green_yield boost=boost_yield ;;
        spawn) echo green-net=green_spawn st=st_spawn ;;
        greenpool) echo green-net=green_greenpool:pool plain=green_greenpool:plain ;;
        imap) echo green-net=green_imap ;;
        handover) echo green-net=green_handover st=st_handover ;;
        queue) echo green-net=green_queue st=st_queue ;;
        lock) echo green-net=green_lock boost=boost_lock pthread=pthread_lock pthread-alone=pthread_lock:alone ;;
        select) echo green-net=green_select:8 get=green_select:get ;;
        dag) echo green-net=green_dag ;;
        chan) echo green-net=green_chan go=go_chan ;;
        tpool) echo green-net=green_tpool libuv=uv_work ;;
        db-sqlite) echo green-net=green_db_sqlite threads=threads_sqlite ;;
        db-pool) echo green-net=green_db_pool ;;
        timer) echo green-net=green_timer libev=ev_timer ;;
        patch-call) echo green-net=green_patch_call ;;
        # One program: by `green-net run`, and as it is.
        patch-echo) echo green-net=threads_echo:run threads=threads_echo ;;
        memory | million) echo green-net=green_memory ;;
        sleepers) echo green-net=green_sleepers go=go_sleepers ;;
        # On hubs other than the one that is taken by itself.
        uring-*) echo green-net=green_echo:io_uring epoll=green_echo:epoll ;;
        wakeup) echo green-net=green_wakeup poll=green_wakeup:poll select=green_wakeup:select \
            io_uring=green_wakeup:io_uring libevent=green_wakeup:libevent ;;
        udp) echo green-net=green_udp raw=raw_udp ;;
        conns) echo green-net=green_echo libuv=libuv_echo ;;
        tls) echo green-net=green_tls_echo raw=raw_tls_mbedtls ;;
        tls-openssl) echo green-net=green_tls_echo raw=raw_tls_openssl ;;
        tls-latency*) echo green-net=green_tls_latency ;;
        echo-1) echo green-net=green_echo libuv=libuv_echo ;;
        stream-*) echo green-net=green_stream_echo libevent=libevent_echo libuv=libuv_echo st=st_echo socket=green_echo ;;
        line-*) echo green-net=green_line_echo libevent=libevent_line_echo ;;
        echo-*) echo green-net=green_echo libevent=libevent_echo libuv=libuv_echo st=st_echo raw-level=raw_echo:level \
            raw-edge=raw_echo:edge raw-first=raw_echo:first ;;
        https-*) echo green-net=green_http:tls nginx=nginx_http:tls ;;
        http-log) echo green-net=green_http:log plain=green_http ;;
        http-workers) echo green-net=green_http:workers one=green_http ;;
        static-1m) echo green-net=green_http:static nginx=nginx_http:static ;;
        http-*) echo green-net=green_http nginx=nginx_http h2o=h2o_http libmicrohttpd=libmicrohttpd_http go-http=go_http \
            raw-http=raw_http ;;
        libevent-*) echo green-net=green_echo bufferevent=libevent_bufferevent libevent=libevent_echo ;;
        ws-64) echo green-net=green_ws:echo libwebsockets=lws_ws:small raw-level=raw_ws:level raw-edge=raw_ws:edge ;;
        ws-1m) echo green-net=green_ws:echo libwebsockets=lws_ws:large raw-level=raw_ws:level raw-edge=raw_ws:edge ;;
        ws-broadcast) echo green-net=green_ws:broadcast libwebsockets=lws_ws:broadcast \
            libwebsockets-uv=lws_ws:broadcast-uv raw=raw_ws:broadcast ;;
        ws-idle) echo green-net=green_ws:echo libwebsockets=lws_ws:small ;;
        db-postgres) echo green-net=green_db_postgres threads=threads_libpq ;;
        client) echo green-net=green_client libcurl=curl_client ;;
    esac
}

# The first argument of a benchmark's programs: how often, how many, or for echo how many milliseconds.
count() { # BENCHMARK
    case $smoke-$1 in
        no-yield) echo 10000000 ;;
        no-spawn | no-greenpool) echo 2000000 ;;
        no-imap) echo 1000000 ;;
        no-handover | no-queue | no-lock) echo 5000000 ;;
        no-db-sqlite) echo 300000 ;;
        no-timer | no-select | no-db-pool | no-patch-call) echo 3000000 ;;
        no-chan) echo 10000000 ;;
        no-memory | no-sleepers | no-dag | no-tpool) echo 100000 ;;
        no-million | no-wakeup) echo 1000000 ;;
        no-conns | no-http-idle | no-ws-broadcast | no-ws-idle) echo 10000 ;;
        # wrk's are seconds.
        no-http* | no-static-*) echo 3 ;;
        yes-http-idle | yes-ws-broadcast | yes-ws-idle) echo 200 ;;
        yes-http* | yes-static-*) echo 1 ;;
        no-echo-* | no-stream-* | no-line-* | no-udp | no-uring-* | no-libevent-* | no-ws-* | no-db-postgres | no-client | no-patch-echo) echo 1500 ;;
        yes-echo-* | yes-stream-* | yes-line-* | yes-udp | yes-uring-* | yes-libevent-* | yes-ws-* | yes-db-postgres | yes-client | yes-patch-echo) echo 100 ;;
        no-tls*) echo 3000 ;;
        yes-tls*) echo 200 ;;
        yes-dag | yes-memory | yes-million | yes-sleepers) echo 200 ;;
        *) echo 2000 ;;
    esac
}

load_of() { # BENCHMARK: the program that makes the load, if there is one
    case $1 in
        conns) echo conn_load ;;
        echo-* | stream-* | line-* | uring-* | libevent-* | patch-echo) echo echo_load ;;
        tls | tls-openssl) echo tls_load ;;
        udp) echo udp_load ;;
        http-idle) echo http_idle_load ;;
        http* | static-*) echo wrk_load ;;
        ws-*) echo ws_load ;;
        db-postgres) echo postgres_load ;;
        client) echo client_load ;;
    esac
}

compile() { # PROGRAM
    flags="${CFLAGS:--O2 -g} ${SANITIZE_CFLAGS:-} -D_GNU_SOURCE -I$here"
    libs=
    certs=-DTLS_CERTS=\"$(cd "$here/../certs" && pwd)\"
    # shellcheck disable=SC2086
    case $1 in
        green_http | green_client | green_ws) libs=$($pc ${BENCH_PC_OPTIONS:-} --cflags --libs green-web) || return 1 ;;
        green_*) libs=$($pc ${BENCH_PC_OPTIONS:-} --cflags --libs green-net) || return 1 ;;
        threads_sqlite) libs="$($pc --cflags --libs sqlite3) -pthread" || return 1 ;;
        raw_tls_openssl) libs="-lssl -lcrypto" ;;
        *tls_mbedtls | tls_load) libs="-lmbedtls -lmbedx509 -lmbedcrypto" ;;
        st_*) libs=-lst ;;
        curl_*) libs=$($pc --cflags --libs libcurl) || return 1 ;;
        h2o_*) libs=$($pc --cflags --libs libh2o-evloop) || return 1 ;;
        libmicrohttpd_*) libs=-lmicrohttpd ;;
        lws_*) libs=$($pc --cflags --libs libwebsockets) || return 1 ;;
        ev_*) libs="-lev -lm" ;;
        libevent_*) libs=-levent_core ;;
        libuv_* | uv_*) libs=-luv ;;
        pthread_* | threads_echo) libs=-pthread ;;
        threads_libpq) libs="$($pc --cflags --libs libpq) -pthread" || return 1 ;;
        boost_*) libs="-lboost_fiber -lboost_context" ;;
    esac
    # shellcheck disable=SC2086
    case $1 in
        boost_*) $CXX $flags -o "$out/programs/$1" "$here/$1.cc" $libs ;;
        go_*) GOCACHE=$out/go-cache GO111MODULE=off go build -o "$out/programs/$1" "$here/$1.go" ;;
        *) $CC -std=gnu11 $flags "$certs" -o "$out/programs/$1" "$here/$1.c" $libs ;;
    esac
}

build() { # PROGRAM: once
    case " $built " in *" $1 "*) return 0 ;; esac
    rm -f "$out/programs/$1"
    compile "$1" >"$out/programs/$1.log" 2>&1 || return 1
    built="$built $1"
}
built=

# Others must not move it about, and it should not sit where the system's own work is done: the last core is the
# server's, the first the load generator's.
choose_cores() {
    first=-1 last=-1
    list=$(taskset -pc $$ 2>/dev/null | sed 's/.*: *//') || return
    test -n "$list" || return
    first=${list%%[,-]*} last=${list##*[,-]}
}

pinned() {
    if test "$last" -ge 0; then taskset -c "$last" "$@"; else "$@"; fi
}

# The idle connections twice: with a green thread that waits, and with none. To a peer it is the same.
run_tls() { # BENCHMARK PROGRAM
    rest=
    case $2 in */green_*) rest=rest ;; esac
    "$out/programs/tls_load" "$(count "$1")" "$last" "$first" "$2" || return 1
    # shellcheck disable=SC2086
    "$out/programs/tls_load" -r "$(count "$1")" "$last" "$first" "$2" $rest
}

# The program green-net, installed with the libraries. Some pkg-config put the folder of a copy before variables.
green_net() {
    prefix=$($pc --variable=exec_prefix green-net)
    test -x "$prefix/bin/green-net" || prefix=${PKG_CONFIG_SYSROOT_DIR:-}$prefix
    echo "$prefix/bin/green-net"
}

run_one() { # BENCHMARK PROGRAM[:ARGUMENT]: its lines
    program=$out/programs/${2%%:*} argument=
    case $2 in *:*) argument=${2#*:} ;; esac
    # shellcheck disable=SC2086
    case $1 in
        libevent-*) GREEN_HUB=libevent "$out/programs/echo_load" "${1#*-}" "$(count "$1")" "$last" "$first" "$program" $argument ;;
        echo-* | stream-* | uring-*)
            "$out/programs/echo_load" "${1#*-}" "$(count "$1")" "$last" "$first" "$program" $argument
            ;;
        patch-echo)
            run=
            test -z "$argument" || run="$(green_net) run"
            "$out/programs/echo_load" -m 1000 "$(count "$1")" "$last" "$first" $run "$program"
            ;;
        line-*) "$out/programs/echo_load" -l "${1#*-}" "$(count "$1")" "$last" "$first" "$program" ;;
        tls-latency-openssl) GREEN_TLS=openssl "$program" "$(count "$1")" ;;
        tls-latency-rsa) GREEN_TLS=openssl "$program" "$(count "$1")" rsa ;;
        tls) run_tls "$1" "$program" ;;
        tls-openssl) GREEN_TLS=openssl run_tls "$1" "$program" ;;
        udp | conns) "$out/programs/$(load_of "$1")" "$(count "$1")" "$last" "$first" "$program" $argument ;;
        http-idle) "$out/programs/http_idle_load" "$(count "$1")" "$last" "$first" "$program" ;;
        http-pipeline)
            "$out/programs/wrk_load" -s "$here/wrk_pipeline.lua" 64 "$(count "$1")" "$last" "$first" "$program"
            ;;
        https-close)
            GREEN_TLS=openssl "$out/programs/wrk_load" -t -s "$here/wrk_close.lua" 64 "$(count "$1")" "$last" "$first" \
                "$program" $argument
            ;;
        https-*)
            GREEN_TLS=openssl "$out/programs/wrk_load" -t "${1#*-}" "$(count "$1")" "$last" "$first" "$program" $argument
            ;;
        static-1m) "$out/programs/wrk_load" -p 1m.bin 64 "$(count "$1")" "$last" "$first" "$program" $argument ;;
        http-log | http-workers) "$out/programs/wrk_load" 64 "$(count "$1")" "$last" "$first" "$program" $argument ;;
        http-*) "$out/programs/wrk_load" "${1#*-}" "$(count "$1")" "$last" "$first" "$program" $argument ;;
        # Of green-net twice: with a green thread that waits, and with none.
        ws-idle)
            "$out/programs/ws_load" idle "$(count "$1")" "$last" "$first" "$program" $argument || return 1
            test "${2%%:*}" != green_ws ||
                "$out/programs/ws_load" resting "$(count "$1")" "$last" "$first" "$program" rest
            ;;
        ws-*) "$out/programs/ws_load" "${1#*-}" "$(count "$1")" "$last" "$first" "$program" $argument ;;
        # The server is the same for all, on the other core.
        client)
            build green_http || return 1
            "$out/programs/client_load" "$(count "$1")" "$last" "$first" "$out/programs/green_http" "$program"
            ;;
        db-postgres) "$out/programs/$(load_of "$1")" "$(count "$1")" "$last" "$program" $argument ;;
        sleepers)
            if test $smoke = yes; then longest=50; else longest=1000; fi
            GOMAXPROCS=1 pinned "$program" "$(count "$1")" $longest
            ;;
        # Two OS threads and more: on all cores.
        chan) GOMAXPROCS=2 "$program" "$(count "$1")" ;;
        tpool | db-sqlite) "$program" "$(count "$1")" ;;
        *) pinned "$program" "$(count "$1")" $argument ;;
    esac
}

leave_out() { # NAME WHY LOG
    say "  $1 is left out: $2"
    test ! -s "$3" || sed 's/^/    /' "$3" | tail -n 3
    left_out="$left_out$1 "
}

# Why a benchmark cannot be run here; nothing if it can.
obstacle() { # BENCHMARK
    case $1 in
        uring-*)
            GREEN_HUB=io_uring "$out/programs/green_info" >/dev/null 2>&1 || echo "there is no io_uring here"
            return
            ;;
        libevent-*)
            GREEN_HUB=libevent "$out/programs/green_info" >/dev/null 2>&1 || echo "there is no hub libevent"
            return
            ;;
    esac
    case $1 in
        patch-echo) "$(green_net)" run true >/dev/null 2>&1 || echo "there is no green-net run" ;;
        http-idle) ;;
        http* | static-*)
            command -v wrk >/dev/null 2>&1 || {
                echo "there is no wrk"
                return
            }
            ;;
    esac
    case $1 in
        db-postgres)
            build postgres_load && "$out/programs/postgres_load" try >/dev/null 2>&1 || echo "there is no PostgreSQL server"
            build green_db_postgres && "$out/programs/green_db_postgres" try >/dev/null 2>&1 || echo "there is no driver for it"
            return
            ;;
        db-*)
            build green_db_pool && "$out/programs/green_db_pool" 1 >/dev/null 2>&1 || echo "there is no driver for SQLite"
            return
            ;;
        https-* | tls-*openssl | tls-*rsa)
            build green_http && GREEN_TLS=openssl "$out/programs/green_http" tls try >/dev/null 2>&1 ||
                echo "there is no TLS by OpenSSL"
            return
            ;;
    esac
    test "$1-$smoke" = million-no || return 0
    free=$(awk '/^MemAvailable:/ { print int($2 / 1000000) }' /proc/meminfo 2>/dev/null)
    guard=$(info guard)
    if test "${free:-0}" -lt 5; then echo "it needs 5 GB of free memory";
    elif test "$guard" != madvise; then echo "this kernel's guard pages are by $guard"; fi
}

info() { # WORD
    "$out/programs/green_info" | sed -n "s/^$1 //p"
}

rotated() { # ROUND WORD...
    n=$(($1 - 1))
    shift
    n=$((n % $#))
    while test $n -gt 0; do
        word=$1
        shift
        set -- "$@" "$word"
        n=$((n - 1))
    done
    echo "$@"
}

take_part() { # BENCHMARK: those contestants that can, built
    bench=$1 list=
    for who in $(contestants "$bench"); do
        name=${who%%=*} program=${who#*=} program=${program%%:*}
        case $smoke-$name in yes-green-net | yes-raw-level | no-*) ;; *) continue ;; esac
        case $left_out in *" $name "*) continue ;; esac
        if build "$program"; then
            list="$list $who"
        elif test "$name" = green-net; then
            cat "$out/programs/$program.log"
            die "$program does not build"
        else
            leave_out "$name" "it does not build" "$out/programs/$program.log"
        fi
    done
}

run_benchmark() { # NAME
    why=$(obstacle "$1")
    test -z "$why" || { say "$1: skipped: $why"; return; }
    say "$1"
    load=$(load_of "$1")
    test -z "$load" || build "$load" || die "$load does not build: $(cat "$out/programs/$load.log")"
    take_part "$1"
    turns=$rounds
    test "$1" != million || turns=1
    round=1
    while test $round -le "$turns"; do
        # shellcheck disable=SC2086
        for who in $(rotated $round $list); do
            name=${who%%=*}
            case $left_out in *" $name "*) continue ;; esac
            if run_one "$1" "${who#*=}" >"$out/one.txt" 2>"$out/one.err" </dev/null; then
                sed "s/^/$1 $round $name /" "$out/one.txt" >>"$raw"
            elif test "$name" = green-net; then
                cat "$out/one.txt" "$out/one.err"
                die "green-net's program of $1 failed"
            else
                leave_out "$name" "it failed in round $round" "$out/one.err"
            fi
        done
        round=$((round + 1))
    done
    rm -f "$out/one.txt" "$out/one.err"
}

wanted() { # BENCHMARK NAME...
    bench=$1
    shift
    test $# -gt 0 || return 0
    for one; do
        case $bench in "$one" | "$one"-*) return 0 ;; esac
    done
    return 1
}

choose_cores
build green_info || { cat "$out/programs/green_info.log"; die "green_info does not build"; }
context=$(info context)
say "green-net $(info version), context $context, hub $(info hub); cores $first and $last; $rounds rounds"
say "$(uname -srm)$(sed -n 's/^model name[^:]*: */, /p' /proc/cpuinfo 2>/dev/null | head -n 1)"
busy=$(cut -d' ' -f1 /proc/loadavg 2>/dev/null)
case ${busy:-0} in
    0 | 0.*) ;;
    *) test $smoke = yes || say "NOTE: something else is running here (load average $busy): the figures are worth little" ;;
esac
ran=no
for bench in $benchmarks; do
    wanted "$bench" "$@" || continue
    ran=yes
    run_benchmark "$bench"
done
test $ran = yes || die "there is no benchmark called $*; there are: $benchmarks"
say ""
judge=
test $smoke = no || judge="-v smoke=1"
# shellcheck disable=SC2086
awk -f "$here/report.awk" $judge -v context="$context" -v json="$out/bench-results.json" "$here/rows.txt" "$raw" || exit 1
awk -f "$here/chart.awk" "$out/bench-results.json" >"$out/bench-results.svg" || exit 1
say ""
say "in $out: bench-results.json, bench-results.svg, bench-raw.txt"
