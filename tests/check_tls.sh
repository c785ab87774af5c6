#!/bin/sh
# TLS with other people's programs: openssl s_client and s_server, gnutls-cli and gnutls-serv, curl, in both directions, for
# each back end there is. The example tls_echo is our end. Run in the build folder; what is not installed is left out.
certs=$top_srcdir/tests/certs
echo=doc/examples/tls_echo
tmp=$(mktemp -d) || exit 99
pid= bad=0 done=0
trap 'test -z "$pid" || kill $pid 2>/dev/null; rm -rf "$tmp"' EXIT

wrong() {
    echo "$*"
    bad=1
}
same() { # WHAT GOT WANTED
    done=$((done + 1))
    test "$2" = "$3" || wrong "$1: got '$2', not '$3'"
}
has() { command -v "$1" >/dev/null; }

# Starts a server in the background, and waits until a line of its output matches.
start() { # WHAT PATTERN COMMAND...
    what=$1 pattern=$2
    shift 2
    : >"$tmp/out"
    "$@" >"$tmp/out" 2>&1 </dev/null &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
        grep -q "$pattern" "$tmp/out" && return 0
        kill -0 $pid 2>/dev/null || break
        sleep 0.2
    done
    wrong "$what did not start: $(cat "$tmp/out")"
    return 1
}
stop() {
    kill $pid 2>/dev/null
    wait $pid 2>/dev/null
    pid=
}

# ---- others' clients, our server

# Answers to the text that is sent; keeps the connection open until the answer is there.
ask_openssl() { # CERT-ADDRESS ARGUMENT...
    (printf 'hello\n'; sleep 0.5) | timeout 10 openssl s_client -connect "$address" -servername localhost \
        -CAfile "$certs/ca.pem" -verify_return_error -quiet -no_ign_eof "$@" 2>/dev/null | head -n 1
}
ask_gnutls() { # ARGUMENT...
    (printf 'hello\n'; sleep 0.5) | timeout 10 gnutls-cli --x509cafile="$certs/ca.pem" -p "${address##*:}" \
        --sni-hostname=localhost --verify-hostname=localhost "$@" 127.0.0.1 2>/dev/null | grep '^hello'
}
clients() { # CERTIFICATE
    start tls_echo '^listening on ' $echo 127.0.0.1:0 "$certs/$1.pem" "$certs/$1.key" || return
    address=$(sed -n 's/^listening on //p' "$tmp/out")
    if has openssl; then
        same "openssl s_client, $1" "$(ask_openssl)" hello
        same "openssl s_client, $1, TLS 1.2" "$(ask_openssl -tls1_2)" hello
        test -z "$(ask_openssl -tls1_1 -cipher DEFAULT@SECLEVEL=0)" || wrong "TLS 1.1 is spoken"
        test -z "$(ask_openssl -tls1_2 -cipher AES128-SHA)" || wrong "a cipher without forward secrecy is spoken"
        # A session is taken up: openssl makes the connection five times more.
        timeout 20 openssl s_client -connect "$address" -tls1_2 -CAfile "$certs/ca.pem" -reconnect </dev/null \
            >"$tmp/again" 2>&1
        same "openssl s_client -reconnect, $1" "$(grep -c '^Reused, TLSv1' "$tmp/again")" 5
    fi
    ! has gnutls-cli || same "gnutls-cli, $1" "$(ask_gnutls)" hello
    ! has gnutls-cli || same "gnutls-cli, $1, TLS 1.2" "$(ask_gnutls --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2)" hello
    # Not HTTP that comes back, but it was encrypted, and the certificate was for the name.
    ! has curl || same "curl, $1" "$(timeout 10 curl -s --http0.9 --max-time 2 --cacert "$certs/ca.pem" \
        --connect-to "localhost:443:$address" https://localhost/ | head -n 1 | tr -d '\r')" "GET / HTTP/1.1"
    # Others are served whatever came before.
    ! has curl || timeout 5 curl -s --max-time 1 "http://$address/" >/dev/null 2>&1
    same "tls_echo, $1" "$($echo -c "$address" "$certs/ca.pem" localhost hello 2>&1 | head -n 1)" hello
    kill -0 $pid 2>/dev/null || wrong "tls_echo ended by itself: $(cat "$tmp/out")"
    stop
}

# ---- our client, others' servers

# They take no port of the system's choice: one below those, and another where it is taken. Their command finds it in $p.
start_at() { # NUMBER WHAT PATTERN COMMAND...
    number=$1
    shift
    for try in 1 2 3 4 5; do
        p=$((20000 + ($$ * 7 + number + try * 1009) % 12000))
        was_bad=$bad
        start "$@" >"$tmp/start" && return 0
        grep -qi 'already in use' "$tmp/start" || break
        bad=$was_bad
        stop
    done
    cat "$tmp/start"
    return 1
}
s_server() { exec openssl s_server -accept "127.0.0.1:$p" "$@"; }
gnutls_serv() { exec gnutls-serv --echo -p "$p" "$@"; }

servers() { # CERTIFICATE NUMBER
    if has openssl; then
        # -rev sends lines back the other way round.
        start_at "$2" "openssl s_server" '^ACCEPT' s_server -cert "$certs/$1.pem" -key "$certs/$1.key" -rev && {
            same "openssl s_server, $1" "$($echo -c "127.0.0.1:$p" "$certs/ca.pem" localhost 'hello
' 2>&1 | head -n 1)" olleh
            $echo -c "127.0.0.1:$p" "$certs/ca2.pem" localhost x >"$tmp/err" 2>&1 && wrong "s_server was trusted"
            stop
        }
    fi
    if has gnutls-serv; then
        start_at $(($2 + 50)) "gnutls-serv" 'istening' gnutls_serv --x509certfile="$certs/$1.pem" --x509keyfile="$certs/$1.key" && {
            same "gnutls-serv, $1" "$($echo -c "127.0.0.1:$p" "$certs/ca.pem" localhost 'hello
' 2>&1 | head -n 1)" hello
            stop
        }
    fi
}

n=0
for backend in mbedtls openssl; do
    GREEN_TLS=$backend
    export GREEN_TLS
    # A back end that can be used misses the file.
    if ! $echo 127.0.0.1:0 /nonexistent 2>&1 | grep -q ': /nonexistent: '; then
        echo "$backend: not in this build"
        continue
    fi
    for cert in ec rsa; do
        n=$((n + 1))
        clients $cert
        servers $cert $n
    done
    echo "$backend: checked"
done
echo "$done connections"
test $done -gt 0 || { echo "no back end, or nobody to talk to"; exit 77; }
exit $bad
