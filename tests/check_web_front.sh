#!/bin/sh
# The files of doc/front/: nginx and HAProxy before two servers (doc/examples/behind), on loopback and with ports that are
# free. Both servers get their share; each learns of the client; where one dies no request of HTTP fails, and it is used
# again when it is back; WebSockets pass. Then the units of systemd, and the access logs.
. "$top_srcdir/tests/web_peers.sh"
PATH=$PATH:/usr/sbin:/sbin
need nginx nginx haproxy haproxy curl curl
front=$top_srcdir/doc/front
case $certs in
    /*) ;;
    *) certs=$PWD/$certs ;;
esac

# ---- the servers: a and b; with the PROXY protocol, c and d; the same with TLS, e and f

start_one() { # NAME ADDRESS OPTION...
    who=$1 where=$2
    shift 2
    start "$who" doc/examples/behind --log "$tmp/$who.access" "$@" "$where" || return 1
    eval "pid_$who=$started port_$who=${address##*:}"
    server="$server $started"
}
start_all() {
    for who in a b; do start_one $who 127.0.0.1:0 || return 1; done
    for who in c d; do start_one $who 127.0.0.1:0 --proxy-protocol || return 1; done
    for who in e f; do
        start_one $who 127.0.0.1:0 --proxy-protocol --tls "$certs/ec.pem" "$certs/ec.key" || return 1
    done
}
# A pid that has gone is not killed again: its number may be another's.
forget() { # PID
    kept=
    for pid in $server; do test "$pid" = "$1" || kept="$kept $pid"; done
    server=$kept
}
die() { # NAME
    eval "pid=\$pid_$1"
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    forget "$pid"
}

# ---- the fronts, whose files are changed in the way they say

# They say no port that the system has chosen for them: so they are told some, and others where those are taken.
launch() { # NAME COMMAND...: with $base, and a file that write_NAME makes
    name=$1
    shift
    for try in 1 2 3 4 5 6 7 8; do
        base=$((20000 + ($$ * 11 + try * 1013) % 12000))
        "write_$name"
        "$@" >"$tmp/$name.log" 2>&1 </dev/null &
        other=$!
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
            kill -0 $other 2>/dev/null || break
            "ready_$name" && return 0
            sleep 0.1
        done
        kill $other 2>/dev/null
        wait $other 2>/dev/null
        other=
        grep -qi 'address already in use\|cannot bind' "$tmp/$name.log" || break
    done
    wrong "$name did not start: $(cat "$tmp/$name.log")"
    return 1
}
end_front() { # SIGNAL
    kill -"$1" $other 2>/dev/null
    wait $other 2>/dev/null
    other=
}
answers() { # URL
    curl -sk -m 2 -o /dev/null "$1/health"
}

# Not as a daemon, with files of its own, as whoever runs this.
nginx_here="s,/var/log/nginx/error.log,stderr,; s,/run/nginx.pid,$tmp/nginx.pid,; s/^worker_processes auto/daemon off; worker_processes 2/"
write_nginx() {
    mkdir -p "$tmp/nginx"
    sed "$nginx_here; s/10\.0\.0\.11:8080/127.0.0.1:$port_a/; s/10\.0\.0\.12:8080/127.0.0.1:$port_b/
        s/listen 80;/listen 127.0.0.1:$base;/; s/fail_timeout=5s/fail_timeout=1s/
        s,access_log off;,access_log off; client_body_temp_path $tmp/nginx/b; proxy_temp_path $tmp/nginx/p; fastcgi_temp_path $tmp/nginx/f; uwsgi_temp_path $tmp/nginx/u; scgi_temp_path $tmp/nginx/s;," \
        "$front/nginx.conf" >"$tmp/nginx.conf"
}
ready_nginx() {
    answers http://127.0.0.1:$base
}
write_stream() {
    sed "$nginx_here; s,modules/ngx_stream_module.so,$stream_module,; s/fail_timeout=5s/fail_timeout=1s/
        s/10\.0\.0\.11:8080/127.0.0.1:$port_e/; s/10\.0\.0\.12:8080/127.0.0.1:$port_f/; s/listen 443;/listen 127.0.0.1:$base;/" \
        "$front/nginx-stream.conf" >"$tmp/stream.conf"
}
ready_stream() {
    answers https://127.0.0.1:$base
}
write_haproxy() {
    sed "/^ *\(user\|group\) haproxy\$/d; s/maxconn 20000/maxconn 1000/; s/bind :80\$/bind 127.0.0.1:$base/; s/bind :8443/bind 127.0.0.1:$((base + 1))/; s/bind :8444/bind 127.0.0.1:$((base + 2))/
        s/10\.0\.0\.11:8080/127.0.0.1:$port_a/; s/10\.0\.0\.12:8080/127.0.0.1:$port_b/
        s/10\.0\.0\.11:8081/127.0.0.1:$port_c/; s/10\.0\.0\.12:8081/127.0.0.1:$port_d/; s/inter 2s/inter 300ms/" \
        "$front/haproxy.cfg" >"$tmp/haproxy.cfg"
    # The second one with TLS at the servers, as the file says.
    sed "s/127.0.0.1:$port_c check /127.0.0.1:$port_e check check-ssl verify none /
        s/127.0.0.1:$port_d check /127.0.0.1:$port_f check check-ssl verify none /" \
        "$tmp/haproxy.cfg" >"$tmp/haproxy-tls.cfg"
}
ready_haproxy() {
    answers http://127.0.0.1:$base && answers http://127.0.0.1:$((base + 1)) && answers http://127.0.0.1:$((base + 2))
}
write_haproxy_tls() {
    write_haproxy
}
ready_haproxy_tls() {
    answers https://127.0.0.1:$((base + 1))
}

# ---- what is looked at

ask() { # URL-PATH [OPTION...]
    curl -sS -m 20 --cacert "$certs/ca.pem" "$@" 2>"$tmp/curl.err" || wrong "$way: curl $*: $(cat "$tmp/curl.err")"
}
# Both answer, of connections that are made one after the other.
both_are_used() { # URL PORT PORT
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do ask "$1/who" | cut -d ' ' -f 3; done | sort | uniq -c >"$tmp/shares"
    same "servers that answer: $(tr '\n' ' ' <"$tmp/shares")" "$(awk '{ print $2 }' "$tmp/shares" | tr '\n' ' ')" \
        "$(printf '%s\n' "$2" "$3" | sort | tr '\n' ' ')"
    same "shares that are fair: $(tr '\n' ' ' <"$tmp/shares")" "$(awk '$1 < 4' "$tmp/shares")" ""
}
# Not the front's, and nobody writes it himself.
client_is_known() { # URL SCHEME
    same "client" "$(ask --interface 127.0.0.2 "$1/who" | cut -d ' ' -f 1-2)" "127.0.0.2 $2"
    same "client who says that he is another" \
        "$(ask --interface 127.0.0.2 -H 'X-Forwarded-For: 203.0.113.7' "$1/who" | cut -d ' ' -f 1)" 127.0.0.2
}
# HTTP/1.0 says nobody whom it asks, and is answered all the same.
old_client_is_answered() { # URL
    same "HTTP/1.0 without Host" "$(ask --http1.0 -H 'Host:' -o /dev/null -w '%{http_code}' "$1/who")" 200
}
websocket_passes() { # URL
    doc/examples/websocket_client -t 20 -c "$certs/ca.pem" "ws${1#http}/ws" one two >"$tmp/came" 2>"$tmp/client.err" ||
        wrong "$way: websocket_client: $(cat "$tmp/client.err")"
    same "WebSocket" "$(tr -s '\n' ' ' <"$tmp/came")" "one two "
}
# One is killed in the midst of requests: none fails.
one_dies() { # URL
    : >"$tmp/codes"
    curl -sS -m 60 -Z --parallel-max 16 -o /dev/null -w '%{http_code}\n' "$1/who?[1-600]" >"$tmp/codes" 2>"$tmp/curl.err" &
    many=$!
    # Not before they have begun.
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        test "$(wc -l <"$tmp/codes")" -lt 50 || break
        sleep 0.05
    done
    die a
    wait $many || wrong "$way: one of two servers died: $(sort "$tmp/curl.err" | uniq -c)"
    same "answers while one of two servers died" "$(sort "$tmp/codes" | uniq -c | tr -s ' \n' ' ')" " 600 200 "
}
# Connections that are made after one died: none fails.
one_is_dead() { # URL
    for _ in 1 2 3 4 5 6 7 8; do ask -o /dev/null -w '%{http_code}\n' "$1/who"; done >"$tmp/codes"
    same "answers where one of two servers is dead" "$(sort "$tmp/codes" | uniq -c | tr -s ' \n' ' ')" " 8 200 "
}
# It is used again when it is back.
is_used_again() { # URL PORT
    found=no
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        ! ask "$1/who" | grep -q " $2\$" || { found=yes && break; }
        sleep 0.2
    done
    same "the server that is back is used" $found yes
}

start_all || finish

way=nginx
launch nginx nginx -e stderr -p "$tmp/" -c "$tmp/nginx.conf" && {
    url=http://127.0.0.1:$base
    both_are_used "$url" "$port_a" "$port_b"
    client_is_known "$url" http
    old_client_is_answered "$url"
    websocket_passes "$url"
    one_dies "$url"
    start_one a "127.0.0.1:$port_a" && is_used_again "$url" "$port_a"
    end_front QUIT
    echo "$way: checked"
}

way=haproxy
launch haproxy haproxy -f "$tmp/haproxy.cfg" -W && {
    url=http://127.0.0.1:$base
    both_are_used "$url" "$port_a" "$port_b"
    client_is_known "$url" http
    old_client_is_answered "$url"
    websocket_passes "$url"
    one_dies "$url"
    start_one a "127.0.0.1:$port_a" && is_used_again "$url" "$port_a"
    for bytes in 1 2; do
        way="haproxy, PROXY protocol version $((3 - bytes))"
        both_are_used "http://127.0.0.1:$((base + bytes))" "$port_c" "$port_d"
        client_is_known "http://127.0.0.1:$((base + bytes))" http
        websocket_passes "http://127.0.0.1:$((base + bytes))"
    done
    die c
    one_is_dead "http://127.0.0.1:$((base + 1))"
    one_is_dead "http://127.0.0.1:$((base + 2))"
    start_one c "127.0.0.1:$port_c" --proxy-protocol && is_used_again "http://127.0.0.1:$((base + 1))" "$port_c"
    end_front TERM
    echo "haproxy, by HTTP and by the PROXY protocol, both versions: checked"
}

way="haproxy, PROXY protocol before TLS"
launch haproxy_tls haproxy -f "$tmp/haproxy-tls.cfg" -W && {
    url=https://localhost:$((base + 1))
    both_are_used "$url" "$port_e" "$port_f"
    client_is_known "$url" https
    websocket_passes "$url"
    end_front TERM
    echo "$way: checked"
}

way="nginx, PROXY protocol version 1 before TLS"
stream_module=${GREEN_NGINX_STREAM:-/usr/lib/nginx/modules/ngx_stream_module.so}
if test -e "$stream_module"; then
    launch stream nginx -e stderr -p "$tmp/" -c "$tmp/stream.conf" && {
        url=https://localhost:$base
        both_are_used "$url" "$port_e" "$port_f"
        client_is_known "$url" https
        websocket_passes "$url"
        end_front QUIT
        echo "$way: checked"
    }
else
    echo "$way: left out, as nginx's module stream is not here (package libnginx-mod-stream)"
fi

# Who comes past the front gets no answer, which is said.
way="no front"
curl -s -m 5 -o /dev/null "http://127.0.0.1:$port_c/who" && wrong "$way: a request without a header was answered"
no_header='is closed: PROXY protocol: there is no header$'
same "what is said of it" "$(grep -c "$no_header" "$tmp/c.log")" 1

# The logs: each server's end is in order, each line is an object, and SIGHUP makes a new file.
way=logs
mv "$tmp/b.access" "$tmp/b.access.1"
kill -HUP "$pid_b"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    test ! -e "$tmp/b.access" || break
    sleep 0.1
done
ask -o /dev/null "http://127.0.0.1:$port_b/who?after"
for pid in $server; do
    kill "$pid"
    wait "$pid"
    same "a server's end" $? 0
done
server=
same "the new file" "$(grep -c 'GET /who?after' "$tmp/b.access")" 1
same "the old file" "$(grep -c 'GET /who?after' "$tmp/b.access.1")" 0
for who in a b c d e f; do
    test ! -e "$tmp/$who.log" || same "what $who said" "$(grep -v "^listening on \|$no_header" "$tmp/$who.log")" ""
done
if command -v python3 >/dev/null; then
    same "lines of JSON" "$(cat "$tmp"/?.access "$tmp"/b.access.1 | python3 -c '
import json, sys
n = 0
for line in sys.stdin:
    o = json.loads(line)
    assert o["status"] in (101, 200, 404) and o["request"].startswith("GET /") and o["pid"] > 0, o
    n += o["client"] == "127.0.0.2"
print("fine" if n >= 8 else n)')" fine
fi

# The units. systemd-analyze looks for the program that they start, which is not installed here.
way=systemd
if command -v systemd-analyze >/dev/null; then
    mkdir "$tmp/units"
    sed "s,^ExecStart=[^ ]*,ExecStart=$(command -v true)," "$front/green-net.service" >"$tmp/units/green-net.service"
    cp "$front/green-net.socket" "$tmp/units/"
    systemd-analyze verify --man=no "$tmp/units/green-net.service" "$tmp/units/green-net.socket" >"$tmp/verify" 2>&1
    code=$?
    if grep -q 'Failed to \(initialize\|allocate\|connect\|setup\)' "$tmp/verify"; then
        echo "$way: left out: $(head -n 1 "$tmp/verify")"
    else
        same "systemd-analyze verify: $(grep "$tmp/units" "$tmp/verify")" $code 0
        same "what it said of them" "$(grep 'green-net\.\(service\|socket\)' "$tmp/verify")" ""
        echo "$way: checked"
    fi
else
    echo "$way: left out, as systemd-analyze is not here"
fi
finish
