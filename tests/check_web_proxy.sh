#!/bin/sh
# The HTTP server behind nginx, as it is put up in earnest: connections to it that are kept alive, the client's address in
# X-Forwarded-For, bodies that are passed on while they come, chunked both ways; with and without TLS on either side. The
# server is doc/examples/httpbin.
. "$top_srcdir/tests/web_peers.sh"
PATH=$PATH:/usr/sbin:/sbin
need nginx nginx curl curl cmp diffutils seq coreutils

case $certs in
    /*) ;;
    *) certs=$PWD/$certs ;;
esac
large=5000000
lines_of $large >"$tmp/large"
lines_of 10000 >"$tmp/small"

# nginx says no port that the system has chosen for it: so it is told one, and another one where that is taken.
configure_nginx() { # PLAIN-PORT TLS-PORT
    cat >"$tmp/nginx.conf" <<END
daemon off;
master_process off;
pid $tmp/nginx.pid;
error_log stderr error;
events { worker_connections 200; }
http {
    access_log off;
    client_body_temp_path $tmp/nginx-body;
    proxy_temp_path $tmp/nginx-proxy;
    fastcgi_temp_path $tmp/nginx-fastcgi;
    uwsgi_temp_path $tmp/nginx-uwsgi;
    scgi_temp_path $tmp/nginx-scgi;
    upstream green {
        server 127.0.0.1:$port;
        keepalive 4;
    }
    server {
        listen 127.0.0.1:$1;
        listen 127.0.0.1:$2 ssl;
        ssl_certificate $certs/rsa.pem;
        ssl_certificate_key $certs/rsa.key;
        client_max_body_size 100m;
        client_body_buffer_size 100k;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host \$http_host;
        proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto \$scheme;
        proxy_ssl_verify on;
        proxy_ssl_trusted_certificate $certs/ca.pem;
        proxy_ssl_name localhost;
        proxy_ssl_server_name on;
        location / {
            proxy_pass $scheme://green;
        }
        location /ws {
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header Host \$http_host;
            proxy_pass $scheme://green;
        }
        location /at-once/ {
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_pass $scheme://green/;
        }
    }
}
END
}
answers() { # PORT
    curl -s -m 2 -o /dev/null "http://127.0.0.1:$1/"
}
start_nginx() {
    for try in 1 2 3 4 5 6 7 8; do
        front=$((20000 + ($$ * 7 + try * 1009) % 12000))
        configure_nginx $front $((front + 1))
        nginx -e stderr -p "$tmp/" -c "$tmp/nginx.conf" >"$tmp/nginx.log" 2>&1 </dev/null &
        other=$!
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            kill -0 $other 2>/dev/null || break
            ! answers $front || return 0
            sleep 0.1
        done
        kill $other 2>/dev/null
        wait $other 2>/dev/null
        other=
        grep -q 'Address already in use' "$tmp/nginx.log" || break
    done
    wrong "$way: nginx did not start: $(cat "$tmp/nginx.log")"
    return 1
}
end_nginx() {
    kill -QUIT $other 2>/dev/null
    wait $other 2>/dev/null
    other=
    same "what nginx said" "$(cat "$tmp/nginx.log")" ""
}

# Value of a variable of the environ, that was asked for in a file.
variable() { # NAME FILE
    sed -n "s/^  \"$1\": \"\\(.*\\)\",\\{0,1\\}\$/\\1/p" "$2"
}

who_asks() { # URL SCHEME
    fetch "$1/echo-environ/a?b" -o "$tmp/first" "$1/echo-environ/a?b" -o "$tmp/second"
    # The same connection: nginx has kept it, and so have we.
    port_one=$(variable REMOTE_PORT "$tmp/first") port_two=$(variable REMOTE_PORT "$tmp/second")
    test -n "$port_one" || wrong "$way: no REMOTE_PORT in $(cat "$tmp/first")"
    same "$2: kept alive" "$port_two" "$port_one"
    same "$2: query" "$(variable QUERY_STRING "$tmp/first")" b
    # By TLS from nginx on, or by its word.
    case $scheme$2 in
        *https*) same "$2: scheme" "$(variable wsgi.url_scheme "$tmp/first")" https ;;
        *) same "$2: scheme" "$(variable wsgi.url_scheme "$tmp/first")" http ;;
    esac
    same "$2: its client's client" "$(fetch -H 'X-Forwarded-For: 192.0.2.1, 203.0.113.7' "$1/ip" | tr -d '\n')" \
        '{  "origin": "203.0.113.7"}'
}

bodies() { # URL
    for folder in "" /at-once; do
        for page in bytes chunked; do
            fetch -o "$tmp/out" "$1$folder/$page/$large"
            same_file "$1$folder/$page" "$tmp/out" "$tmp/large"
        done
        same "cksum, $1$folder" "$(fetch --data-binary @"$tmp/large" "$1$folder/cksum")" "$(cksum <"$tmp/large")"
        same "cksum, $1$folder, chunked" \
            "$(fetch -X POST -H 'Transfer-Encoding: chunked' -T "$tmp/large" "$1$folder/cksum")" "$(cksum <"$tmp/large")"
        # nginx sends no more of a request once the answer begins, and that of /echo begins early: these are small.
        fetch -o "$tmp/out" --data-binary @"$tmp/small" "$1$folder/echo"
        same_file "POST $1$folder" "$tmp/out" "$tmp/small"
        fetch -o "$tmp/out" -X POST -H 'Transfer-Encoding: chunked' -T "$tmp/small" "$1$folder/echo"
        same_file "POST $1$folder, chunked" "$tmp/out" "$tmp/small"
    done
    fetch -N -o "$tmp/out" -w '%{time_starttransfer} %{time_total}\n' "$1/at-once/stream" >"$tmp/times"
    same "stream: the first line was early: $(cat "$tmp/times")" "$(awk '{ print ($2 - $1 > 0.7) }' "$tmp/times")" 1
}

many() { # URL
    fetch -Z --parallel-max 30 -o "$tmp/out#1" -w '%{http_code}\n' "$1/status/[200-299]" >"$tmp/codes"
    same "in parallel" "$(sort "$tmp/codes" | tr '\n' ' ')" "$(seq 200 299 | tr '\n' ' ')"
    same "HEAD" "$(fetch -I "$1/bytes/777" | tr -d '\r' | sed -n 's/^Content-Length: //p')" 777
    same "404" "$(fetch -o /dev/null -w '%{http_code}' "$1/none")" 404
}

# WebSockets: small, large, with compression and without.
websocket() { # URL
    for options in "-t 20 -c $certs/ca.pem" "-t 20 -c $certs/ca.pem -d"; do
        # shellcheck disable=SC2086 # several words
        doc/examples/websocket_client $options "ws${1#http}/ws" one two "$(lines_of 100000)" three >"$tmp/came" \
            2>"$tmp/client.err" || wrong "$way: websocket_client $1: $(cat "$tmp/client.err")"
        { printf 'one\ntwo\n' && lines_of 100000 && printf '\nthree\n'; } >"$tmp/sent"
        same "WebSocket, $1" "$(tr -s '\n' <"$tmp/came" | cksum)" "$(tr -s '\n' <"$tmp/sent" | cksum)"
    done
}

for way in $(ways); do
    start_server "$way" --deflate || continue
    start_nginx && {
        for client in http://127.0.0.1:$front https://127.0.0.1:$((front + 1)); do
            who_asks "$client" "${client%%:*}"
            bodies "$client"
            many "$client"
            websocket "$client"
        done
        end_nginx
    }
    end_server
    echo "$way: checked"
done
finish
