# What the check_web_*.sh scripts share: the server, doc/examples/httpbin in the clear and over TLS with each back end, and
# how a difference is told. They source it; the build folder is where they run. Nothing
# but loopback is used, and every port is the system's choice.
certs=$top_srcdir/tests/certs
tmp=$(mktemp -d) || exit 99
server= other= bad=0 checks=0
trap 'kill $server $other 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM

wrong() {
    echo "$*"
    bad=1
}
same() { # WHAT GOT WANTED
    checks=$((checks + 1))
    test "$2" = "$3" || wrong "$way: $1: got '$(printf %s "$2" | head -c 500)', not '$(printf %s "$3" | head -c 500)'"
}
same_file() { # WHAT GOT WANTED
    checks=$((checks + 1))
    cmp "$2" "$3" >"$tmp/cmp" 2>&1 || wrong "$way: $1: $(cat "$tmp/cmp")"
}
is_in() { # WHAT TEXT FILE: a line is that text
    checks=$((checks + 1))
    grep -qxF -- "$2" "$3" || wrong "$way: $1: no line '$2' in: $(head -c 2000 "$3")"
}

# What cannot run here is left out, and said.
need() { # COMMAND PACKAGE...
    missing=
    while test $# -gt 1; do
        command -v "$1" >/dev/null || missing="$missing $1 (package $2)"
        shift 2
    done
    test -z "$missing" || { echo "not installed:$missing"; exit 77; }
}

# The bytes of /bytes/N and /chunked/N.
lines_of() { # N
    seq -f %07.0f 0 $(($1 / 8)) | head -c "$1"
}

# Starts a program that says "listening on ADDRESS", and sets started and address.
start() { # NAME COMMAND...
    log=$tmp/$1.log name=$1
    shift
    : >"$log"
    "$@" >"$log" 2>&1 </dev/null &
    started=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        address=$(sed -n 's/^listening on //p' "$log")
        test -z "$address" || return 0
        kill -0 $started 2>/dev/null || break
        sleep 0.1
    done
    wrong "$name did not start: $(cat "$log")"
    return 1
}

# Plain, and the back ends of TLS that can be used: those that miss the file.
ways() {
    echo plain
    for backend in mbedtls openssl; do
        if GREEN_TLS=$backend doc/examples/httpbin 127.0.0.1:0 /nonexistent 2>&1 | grep -q ': /nonexistent: '; then
            echo $backend
        else
            echo "$backend: not in this build" >&2
        fi
    done
}

# Starts the server; sets url, port and scheme. It ends with end_server, and had better be running then.
start_server() { # WAY [OPTION...]
    way=$1 scheme=http
    shift
    if test "$way" = plain; then
        unset GREEN_TLS
        start server doc/examples/httpbin -q "$@" 127.0.0.1:0 || return 1
    else
        GREEN_TLS=$way scheme=https
        export GREEN_TLS
        start server doc/examples/httpbin -q "$@" 127.0.0.1:0 "$certs/ec.pem" "$certs/ec.key" || return 1
    fi
    server=$started port=${address##*:} url=$scheme://127.0.0.1:${address##*:}
}
end_server() { # [WORD...]: lines in which such a word stands may be in its log, and nothing else
    kill -0 $server 2>/dev/null || wrong "$way: the server ended by itself: $(cat "$tmp/server.log")"
    kill $server 2>/dev/null
    wait $server 2>/dev/null
    server=
    grep -v '^listening on ' "$tmp/server.log" >"$tmp/said"
    for word in "$@"; do
        grep -v -- "$word" "$tmp/said" >"$tmp/other"
        mv "$tmp/other" "$tmp/said"
    done
    same "what the server said" "$(cat "$tmp/said")" ""
}

# curl, which verifies the server, gives up in time, and has failed when it says so.
fetch() { # ARGUMENT...
    curl -sS -m 20 --cacert "$certs/ca.pem" "$@" 2>"$tmp/curl.err" || wrong "$way: curl $*: $(cat "$tmp/curl.err")"
}

finish() {
    echo "$checks checks"
    test $checks -gt 0 || exit 99
    exit $bad
}
