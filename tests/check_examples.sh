#!/bin/sh
# The examples do what their pages say. Run in the build folder. Needs curl, and bash as a client for TCP.
command -v curl >/dev/null && command -v bash >/dev/null || { echo "needs curl and bash"; exit 77; }
tmp=$(mktemp -d) || exit 99
pid= bad=0
trap 'test -z "$pid" || kill $pid; rm -rf "$tmp"' EXIT

wrong() {
    echo "$*"
    bad=1
}
same() { # WHAT GOT WANTED
    test "$2" = "$3" || wrong "$1: got '$2', not '$3'"
}

# Starts an example. Sets address when it says where it listens, or when the path given is there.
start() { # EXAMPLE ADDRESS [ARGUMENT...]
    example=$1
    : >"$tmp/out"
    shift
    "doc/examples/$example" "$@" >"$tmp/out" 2>&1 &
    pid=$! address=
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        address=$(sed -n 's/^listening on //p' "$tmp/out")
        test -z "$address" || return 0
        ! test -S "${1#unix:}" || return 0
        kill -0 $pid 2>/dev/null || break
        sleep 0.2
    done
    wrong "$example $1 did not start: $(cat "$tmp/out")"
    return 1
}
stop() {
    kill -0 $pid 2>/dev/null || wrong "$example ended by itself: $(cat "$tmp/out")"
    kill $pid
    wait $pid 2>/dev/null
    pid=
}
talk() { # BASH-COMMANDS: with HOST and PORT of the example; at most 10 seconds
    HOST=${address%:*} PORT=${address##*:} timeout 10 bash -c "$1"
}
fetch() { curl -s -m 10 "$@"; }

for example in $EXAMPLES; do
    test -x "$example" || wrong "$example was not built"
done
test -n "$EXAMPLES" || wrong "there are no examples"

start hello "unix:$tmp/hello" && {
    same "hello" "$(fetch --unix-socket "$tmp/hello" http://x/ | tr -d '\r')" "Hello, World!"
    stop
}

start demo 127.0.0.1:0 && {
    fetch "http://$address/" >"$tmp/page" || wrong "demo: no page"
    grep -q '<h1>It works</h1>' "$tmp/page" || wrong "demo: not its page: $(head -c 300 "$tmp/page")"
    fetch "http://$address/slow" >"$tmp/slow" &
    slow=$!
    # While that one sleeps, others are served.
    fetch -o /dev/null "http://$address/"
    kill -0 $slow 2>/dev/null || wrong "demo: /slow was not slow, or held up the others"
    wait $slow
    same "demo: /slow" "$(cat "$tmp/slow")" "Slept well"
    same "demo: no such page" "$(fetch -o /dev/null -w '%{http_code}' "http://$address/none")" 404
    stop
}

start behind --log "$tmp/behind" 127.0.0.1:0 && {
    same "behind" "$(fetch -H 'X-Forwarded-For: 192.0.2.1' "http://$address/health" "http://$address/who" | tr '\n' ' ')" \
        "well 192.0.2.1 http ${address##*:} "
    stop
    grep -q '"request":"GET /who HTTP/1.1","status":200' "$tmp/behind" || wrong "behind: log: $(cat "$tmp/behind")"
}
start behind --proxy-protocol 127.0.0.1:0 && {
    same "behind, with a header" \
        "$(fetch --haproxy-protocol "http://$address/who")" "127.0.0.1 http ${address##*:}"
    fetch "http://$address/who" && wrong "behind: an answer without a header"
    stop
}

start wsgi 127.0.0.1:0 && {
    same "wsgi" "$(fetch "http://$address/" "http://$address/none" "http://$address/?a" | tr '\r\n' '  ')" \
        "Hello, World!  Not Found  Hello, World!  "
    stop
}

# In a database, where there is a driver for it.
guests() { # ADDRESS: who has written, the last one first
    fetch "$1" | sed -n 's/^<article><small>\(.*\), [A-Z][a-z]*, [0-9]* [A-Z][a-z]* [0-9]* [:0-9]* GMT<.small><p>\(.*\)<.p>.*/\1: \2/p' | tr '\n' '|'
}
write() { # ADDRESS FORM: the status, and where to go on
    fetch -o /dev/null -w '%{http_code} %{redirect_url}' -d "$2" "$1"
}
timeout 20 doc/examples/guestbook --db nosuch 127.0.0.1:0 >"$tmp/out" 2>&1 && wrong "guestbook: took a driver that there is not"
grep -q nosuch "$tmp/out" || wrong "guestbook: does not say what is missing: $(cat "$tmp/out")"
if grep -q sqlite "$tmp/out"; then
    # The second one goes on where the first has ended.
    for n in 1 2; do
        start guestbook 127.0.0.1:0 --database "$tmp/guests.db" && {
            same "guestbook: write" "$(write "http://$address/" "name=Ann+%3cb%3e&words=it%27s+%26+%22it%22%3b--+$n")" "303 http://$address/"
            test $n = 2 ||
                same "guestbook" "$(guests "http://$address/")" "Ann &#60;b&#62;: it&#39;s &#38; &#34;it&#34;;-- 1|"
            for form in "name=&words=x" "name=x" "words=x" "name=x&words=+%0a" "name=%ff&words=x" \
                "name=$(printf '%061d' 0)&words=x" "name=x&words=$(printf '%01001d' 0)"; do
                same "guestbook: $form" "$(write "http://$address/" "$form")" "400 "
            done
            same "guestbook: long" "$(write "http://$address/" "name=x&words=$(printf '%05000d' 0)")" "413 "
            same "guestbook: no form" "$(fetch -o /dev/null -w '%{http_code}' -H 'Content-Type: text/plain' -d x "http://$address/")" 415
            same "guestbook: put" "$(fetch -o /dev/null -w '%{http_code}' -X PUT "http://$address/")" 405
            same "guestbook: no such page" "$(fetch -o /dev/null -w '%{http_code}' "http://$address/none")" 404
            test $n = 1 ||
                same "guestbook: later" "$(guests "http://$address/")" \
                    "Ann &#60;b&#62;: it&#39;s &#38; &#34;it&#34;;-- 2|Ann &#60;b&#62;: it&#39;s &#38; &#34;it&#34;;-- 1|"
            stop
        }
    done
    start guestbook 127.0.0.1:0 --database "$tmp/none/guests.db" && {
        same "guestbook: no database" "$(fetch -i "http://$address/" | tr -d '\r' | sed -n '1p;/^Retry/p;$p')" \
            "HTTP/1.1 503 Service Unavailable
Retry-After: 2
The guestbook is busy. Please try again."
        stop
    }
    start demo 127.0.0.1:0 && {
        fetch "http://$address/" | grep -q 'href="/guestbook/"' || wrong "demo: no way to the guestbook"
        same "demo: guestbook" "$(fetch -o /dev/null -w '%{http_code} %{redirect_url}' "http://$address/guestbook")" \
            "301 http://$address/guestbook/"
        for name in Ann Bob; do
            same "demo: write" "$(write "http://$address/guestbook/" "name=$name&words=hello")" "303 http://$address/guestbook/"
        done
        same "demo: guests" "$(guests "http://$address/guestbook/")" "Bob: hello|Ann: hello|"
        stop
    }
fi
start backdoor 127.0.0.1:0 127.0.0.1:0 && {
    same "backdoor: server" "$(talk 'exec 3<>/dev/tcp/$HOST/$PORT; echo one >&3; head -n 2 <&3')" "hello
ONE"
    server=$address
    address=$(sed -n 's/^backdoor on //p' "$tmp/out")
    talk 'exec 3<>/dev/tcp/$HOST/$PORT; printf "get lines\nset lines 0\nset greeting off\nclients\nexit\n" >&3; cat <&3' \
        >"$tmp/console"
    for line in '> lines = 1' '> error: lines: it can be read only' '> greeting = false'; do
        grep -qxF "$line" "$tmp/console" || wrong "backdoor: no '$line' in: $(cat "$tmp/console")"
    done
    grep -q ' here, 1 since the start$' "$tmp/console" || wrong "backdoor: clients: $(cat "$tmp/console")"
    address=$server
    same "backdoor: changed" "$(talk 'exec 3<>/dev/tcp/$HOST/$PORT; echo two >&3; head -n 1 <&3')" TWO
    stop
}

mkdir "$tmp/uploads"
start uploads "$tmp/uploads" 127.0.0.1:0 && {
    dd if=/dev/urandom of="$tmp/photo (1).jpg" bs=1000 count=300 2>"$tmp/dd"
    echo text >"$tmp/notes.txt"
    for want in "303 http://$address/files/" "409 "; do
        same "uploads: upload" "$(fetch -o "$tmp/body" -w '%{http_code} %{redirect_url}' -F 'other=1' -F "file=@$tmp/photo (1).jpg" \
            -F "file=@$tmp/notes.txt" "http://$address/upload")" "$want"
    done
    fetch "http://$address/files/photo%20%281%29.jpg" | cmp - "$tmp/photo (1).jpg" || wrong "uploads: another photo came back"
    same "uploads: range" "$(fetch -r 1-2 "http://$address/files/notes.txt")" ex
    fetch "http://$address/files/" | grep -qF '>notes.txt<' || wrong "uploads: it is not listed"
    same "uploads: bad name" "$(fetch -o /dev/null -w '%{http_code}' -F "file=@$tmp/notes.txt;filename=.hidden" \
        "http://$address/upload")" 400
    same "uploads: folders" "$(fetch -o /dev/null -w '%{http_code}' -F "file=@$tmp/notes.txt;filename=../../up.txt" \
        "http://$address/upload")" 303
    test -f "$tmp/uploads/up.txt" || wrong "uploads: up.txt is not where it belongs"
    same "uploads: no form" "$(fetch -o /dev/null -w '%{http_code}' -d x "http://$address/upload")" 415
    same "uploads: other method" "$(fetch -o /dev/null -w '%{http_code}' "http://$address/upload")" 405
    same "uploads: outside" "$(fetch -o /dev/null -w '%{http_code}' --path-as-is "http://$address/files/..%2fout")" 404
    stop
}

# With other people's clients: check_web_*.sh.
start httpbin -q 127.0.0.1:0 && {
    same "httpbin" "$(fetch "http://$address/bytes/12" "http://$address/chunked/4" | tr '\n' ' ')" "0000000 00000000"
    fetch "http://$address/metrics" | grep -qx 'green_http_requests_total{status="2xx"} [1-9][0-9]*' ||
        wrong "httpbin: /metrics: $(fetch "http://$address/metrics")"
    same "httpbin: echo" "$(fetch --data-binary hello "http://$address/echo")" hello
    fetch "http://$address/echo-environ/%22%5C/%C3%A9?a=%20b" >"$tmp/environ"
    grep -qF '  "PATH_INFO": "/echo-environ/\u0022\u005c/\u00c3\u00a9"' "$tmp/environ" ||
        wrong "httpbin: environ: $(cat "$tmp/environ")"
    grep -qxF '  "QUERY_STRING": "a=%20b",' "$tmp/environ" || wrong "httpbin: environ: $(cat "$tmp/environ")"
    same "httpbin: methods" "$(fetch -i -X DELETE "http://$address/echo" | tr -d '\r' | grep -e '^HTTP' -e '^Allow')" \
        "HTTP/1.1 405 Method Not Allowed
Allow: POST"
    for page in /bytes/67108865 /bytes/-1 /bytes/1x /chunked/ /delay/11 /delay/nan /status/100 /stream/1001; do
        same "httpbin: $page" "$(fetch -o /dev/null -w '%{http_code}' "http://$address$page")" 400
    done
    stop
}

start demo 127.0.0.1:0 && {
    same "demo: others' pages" "$(fetch "http://$address/stream/2" | tr '\n' ' ')" "line 1 line 2 "
    same "connect" "$(doc/examples/connect "$address" "$address" | tail -n 1)" "2 of 2 answer"
    # Nobody listens on port 1.
    doc/examples/connect -t 5 "$address" 127.0.0.1:1 "$address" nowhere >"$tmp/tried" && wrong "connect: all answered"
    same "connect: some" "$(sed 's/nowhere: .*/nowhere: .../' "$tmp/tried")" "$address: answers
127.0.0.1:1: Connection refused
$address: answers
nowhere: ...
2 of 4 answer"
    stop
}

# WebSockets. What curl asks is RFC 6455's own example; there is no more of it than the handshake.
ws_client() { # ARGUMENT...: websocket_client, its lines and exit status in one line
    timeout 20 doc/examples/websocket_client -t 10 "$@" 2>&1 | tr '\n\t' ', '
}
upgrade() { # FIELD...: the answer's status and accept key
    for field in "$@"; do
        set -- "$@" -H "$field"
        shift
    done
    curl -s -i -N -m 1 -H "Connection: keep-alive, Upgrade" -H "Upgrade: websocket" "$@" "http://$address/ws" </dev/null |
        tr -d '\r' | sed -n 's/^HTTP.1.1 \([0-9]*\).*/\1/p; s/^Sec-WebSocket-\(Accept\|Protocol\|Extensions\): //p' | tr '\n' ' '
}
key="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" version="Sec-WebSocket-Version: 13"
start httpbin -q 127.0.0.1:0 && {
    same "httpbin: /ws" "$(upgrade "$key" "$version" "Sec-WebSocket-Extensions: permessage-deflate")" \
        "101 s3pPLMBiTxaQ9kYGzzhZRbK+xOo= "
    same "httpbin: /ws without a key" "$(upgrade "$version")" "400 "
    same "httpbin: /ws of another version" "$(upgrade "$key" "Sec-WebSocket-Version: 14")" "426 "
    same "httpbin: /ws for a browser of 2010" "$(upgrade "Origin: http://x")" "426 "
    same "httpbin: /ws, plain" "$(fetch -o /dev/null -w '%{http_code}' "http://$address/ws")" 400
    same "httpbin: echo of /ws" "$(ws_client "ws://$address/ws" one "zw ei" "")" "one,zw ei,,"
    same "httpbin: input to /ws" "$(printf 'one\ntwo' | ws_client -n 2 "ws://$address/ws")" "one,two,"
    same "websocket_client: no such page" "$(ws_client "ws://$address/none")" \
        "websocket_client: the server does not speak WebSocket, it says: 404 Not Found,"
    stop
}
start httpbin 127.0.0.1:0 -q --deflate --legacy --max-message 20 --subprotocol a --subprotocol b --origin http://us && {
    same "httpbin: compressed /ws" \
        "$(upgrade "$key" "$version" "Origin: http://us" "Sec-WebSocket-Extensions: permessage-deflate" \
            "Sec-WebSocket-Protocol: c, b, a")" \
        "101 s3pPLMBiTxaQ9kYGzzhZRbK+xOo= b permessage-deflate; server_no_context_takeover; client_no_context_takeover "
    same "httpbin: /ws for others" "$(upgrade "$key" "$version" "Origin: http://them")" "403 "
    same "httpbin: /ws for nobody" "$(upgrade "$key" "$version")" "403 "
    same "httpbin: /ws for a browser of 2010" "$(upgrade "Origin: http://us")" "101 "
    same "httpbin: longest message of /ws" "$(ws_client -o http://us -p b "ws://$address/ws" 12345678901234567890)" \
        "12345678901234567890,"
    case $(ws_client -o http://us -d "ws://$address/ws" 123456789012345678901) in
        "websocket_client: closed with 1009 "*) ;;
        *) wrong "httpbin: /ws takes a message that is too long" ;;
    esac
    stop
}
for option in --max-message=0 --max-message=x --subprotocol= --nosuch; do
    timeout 20 doc/examples/httpbin $option 127.0.0.1:0 >"$tmp/out" 2>&1 && wrong "httpbin $option: took it"
done

start websocket 127.0.0.1:0 && {
    fetch "http://$address/" | cmp - "$top_srcdir/doc/examples/websocket.html" || wrong "websocket: another page"
    same "websocket: data" "$(ws_client -n 3 "ws://$address/data" | sed 's/ -\{0,1\}[01]\.[0-9]\{4\},/:/g')" "0:1:2:"
    same "websocket: echo" "$(ws_client "ws://$address/echo" hello)" "hello,"
    same "websocket: no such page" "$(fetch -o /dev/null -w '%{http_code}' "http://$address/none")" 404
    stop
}
start demo 127.0.0.1:0 && {
    fetch "http://$address/plot/" | cmp - "$top_srcdir/doc/examples/websocket.html" || wrong "demo: another plot"
    same "demo: data" "$(ws_client -n 1 "ws://$address/plot/data" | cut -c1-2)" "0 "
    same "demo: echo" "$(ws_client "ws://$address/plot/echo" hello; ws_client "ws://$address/ws" hello)" "hello,hello,"
    stop
}

mkfifo "$tmp/go"
start websocket_chat 127.0.0.1:0 && {
    fetch "http://$address/" | cmp - "$top_srcdir/doc/examples/websocket_chat.html" || wrong "websocket_chat: another page"
    timeout 20 doc/examples/websocket_client -n 7 -t 10 "ws://$address/chat?name=Ann+%C3%A4%09" >"$tmp/ann" 2>&1 </dev/null &
    ann=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ! grep -q people "$tmp/ann" || break
        sleep 0.2
    done
    same "websocket_chat: Bob" "$(ws_client -n 3 "ws://$address/chat?x=y&name=Bob" "a	b")" "join Bob,people 2,say Bob a b,"
    wait $ann || wrong "websocket_chat: Ann: $(cat "$tmp/ann")"
    same "websocket_chat: Ann" "$(tr '\n\t' ',;' <"$tmp/ann")" \
        "join;Ann ä ,people;1,join;Bob,people;2,say;Bob;a b,leave;Bob,people;1,"
    same "websocket_chat: no name" "$(ws_client -n 1 "ws://$address/chat?name=%ff")" "join guest 1,"
    same "websocket_chat: a long name" "$(ws_client -n 1 "ws://$address/chat?name=$(printf '%031d' 0)%C3%A4x")" \
        "join $(printf '%031d' 0),"
    case $(ws_client -n 9 "ws://$address/chat" "$(printf '%01001d' 0)") in
        *"closed with 1009"*) ;;
        *) wrong "websocket_chat: takes a line that is too long" ;;
    esac
    # Somebody does not read, while somebody else talks, some 24 MB: they are put out, and told so.
    HOST=${address%:*} PORT=${address##*:} timeout 30 bash -c 'exec 3<>/dev/tcp/$HOST/$PORT
        printf "%s\r\n" "GET /chat?name=Slow HTTP/1.1" "Host: x" "Connection: Upgrade" "Upgrade: websocket" "$@" "" >&3
        read -r _ <&4; cat <&3 | tail -c 200' sh "$key" "$version" <"$tmp/go" 4<&0 >"$tmp/slow" 2>&1 &
    slow=$!
    exec 5>"$tmp/go"
    {
        sleep 0.5
        yes "$(printf '%0990d' 0)" | head -n 24000
        echo last
    } | timeout 30 doc/examples/websocket_client -t 25 "ws://$address/chat?name=Fast" |
        tr '\t' ' ' | sed -n '/^leave Slow$/{p;q;}' >"$tmp/fast"
    same "websocket_chat: put out" "$(cat "$tmp/fast")" "leave Slow"
    echo go >&5
    exec 5>&-
    wait $slow
    grep -q 'too slow' "$tmp/slow" || wrong "websocket_chat: the slow one was not told: $(od -c "$tmp/slow" | tail -n 5)"
    stop
}

# With Redis: check_redis_chat.sh. Nobody listens on port 1.
start distributed_chat 127.0.0.1:0 127.0.0.1:1 && {
    same "distributed_chat: alone" "$(ws_client -n 4 "ws://$address/chat?name=Ann" hello)" \
        "note The other servers cannot be reached: you are heard here only,join Ann,people 1,say Ann hello,"
    stop
}

start echoserver 127.0.0.1:0 && {
    same "echoserver" "$(talk 'exec 3<>/dev/tcp/$HOST/$PORT; exec 4<>/dev/tcp/$HOST/$PORT
        echo one >&3; echo two >&4; read -r a <&4; read -r b <&3; echo "$a $b"')" "two one"
    stop
}

start line_server 127.0.0.1:0 && {
    same "line_server" "$(talk 'exec 3<>/dev/tcp/$HOST/$PORT
        printf "set a one two\nget a\nget b\nhow\nquit\n" >&3; tr "\n" "," <&3')" "ok,one two,not known,what?,"
    same "line_server: a long line" "$(talk 'exec 3<>/dev/tcp/$HOST/$PORT
        printf "%0300d" 7 >&3; cat <&3')" "no line has more than 200 bytes"
    stop
}
certs=$top_srcdir/tests/certs
if doc/examples/tls_echo 127.0.0.1:0 /nonexistent 2>&1 | grep -q 'back end'; then
    echo "tls_echo: no TLS in this build"
else
    start tls_echo 127.0.0.1:0 "$certs/both.pem" && {
        same "tls_echo" "$(doc/examples/tls_echo -c "$address" "$certs/ca.pem" localhost hello | head -n 1)" "hello"
        doc/examples/tls_echo -c "$address" "$certs/ca.pem" elsewhere.test hello >"$tmp/tls" 2>&1 &&
            wrong "tls_echo: it talks to somebody else"
        grep -q 'for another host' "$tmp/tls" || wrong "tls_echo: $(cat "$tmp/tls")"
        stop
    }
fi

start chat_server 127.0.0.1:0 && {
    same "chat_server" "$(talk 'exec 3<>/dev/tcp/$HOST/$PORT; exec 4<>/dev/tcp/$HOST/$PORT
        sleep 0.3; echo hello >&3; while read -r line <&4; do case $line in *": hello") echo "${line##*: }"; break;; esac; done')" \
        "hello"
    stop
}
start site 127.0.0.1:0 && {
    site=$address site_pid=$pid
    trap 'test -z "$pid" || kill $pid; kill $site_pid; rm -rf "$tmp"' EXIT
    start forwarder 127.0.0.1:0 "$site" && {
        same "forwarder" "$(fetch "http://$address/feed/7")" "<rss><channel><title>Feed 7</title></channel></rss>"
        stop
    }
    start feedscraper 127.0.0.1:0 && {
        same "feedscraper" "$(printf 'http://%s/feed/%s\n' "$site" 1 "$site" 2 "$site" 3 | fetch --data-binary @- "http://$address/" |
            tr '\n' ' ')" "Feed 1 Feed 2 Feed 3 "
        stop
    }
    same "webcrawler" "$(timeout 20 doc/examples/webcrawler "http://$site/feed/1" "http://$site/feed/22" | sed 's/.*: //' |
        tr '\n' ' ')" "51 bytes 52 bytes "
    same "webcrawler: nobody there" "$(timeout 20 doc/examples/webcrawler "http://127.0.0.1:1/")" \
        "http://127.0.0.1:1/: Connection refused"
    same "recursive_crawler" "$(timeout 20 doc/examples/recursive_crawler "http://$site/0")" "60 pages, 0 failed"
    same "queue_crawler" "$(timeout 20 doc/examples/queue_crawler "http://$site/0")" "60 pages"
    pid=$site_pid
    trap 'test -z "$pid" || kill $pid; rm -rf "$tmp"' EXIT
    example=site
    stop
}
# Those that end by themselves.
run() { # EXAMPLE ARGUMENT: its last line
    timeout 20 "doc/examples/$1" "$2" >"$tmp/out" 2>&1 || wrong "$1: $(cat "$tmp/out")"
    tail -n 1 "$tmp/out"
}
same "producer_consumer" "$(run producer_consumer 50)" "50 jobs, never more than 4 waiting"
same "rate_limiter" "$(run rate_limiter 30)" "30 calls, never more than 4 at once"
same "process" "$(timeout 20 doc/examples/process 2 'sleep 0.2; echo one' 'echo two; exit 3' 'echo three; exec sleep 60' |
    tr '\n' ' ')" "== sleep 0.2; echo one one == echo two; exit 3 two (status 3) == echo three; exec sleep 60 three (not done after 2 seconds) "
printf 'foobar' >"$tmp/a" && : >"$tmp/b"
same "tpool_hash" "$(timeout 20 doc/examples/tpool_hash "$tmp/a" "$tmp/b" | sed "s,$tmp/,," | LC_ALL=C sort | tr '\n' ' ')" \
    "2 of 2 files 85944171f73967e8  a cbf29ce484222325  b "
mkdir -p "$tmp/du/one/deep" "$tmp/du/two" && printf 'foobar' >"$tmp/du/one/a" && printf '123' >"$tmp/du/one/deep/b" &&
    ln -s ../.. "$tmp/du/one/deep/up"
same "du" "$(timeout 20 doc/examples/du "$tmp/du/one" "$tmp/du/two" | sed "s,$tmp/du/,," | LC_ALL=C sort | tr '\n' ' ')" \
    "one: 2 files, 9 bytes two: 0 files, 0 bytes "
timeout 20 doc/examples/du "$tmp/du/none" 2>"$tmp/out" && wrong "du: found what there is not"
same "du: no folder" "$(sed "s,$tmp/du/,," "$tmp/out")" "du: none: No such file or directory"
same "philosophers" "$(run philosophers 5 | sed 's/;.*//')" "5 philosophers ate 5 times each"
missing=
optional() { # EXAMPLE LIBRARY: was it built?
    case " $EXAMPLES " in
        *"/$1 "*) return 0 ;;
    esac
    case $missing in
        *"; $1 "*) ;;
        *) missing="$missing; $1 was not built: configure has found no $2" ;;
    esac
    return 1
}
optional curl_multi libcurl &&
    # How many the server had at once is a matter of speed.
    same "curl_multi" "$(run curl_multi 50 | sed 's/, [1-9][0-9]* at once/, many at once/')" \
        "50 transfers, many at once, and one that was killed"

optional greened_curl libcurl &&
    same "greened_curl" "$(run greened_curl 100 | sed 's/, [1-9][0-9]* at once/, many at once/')" \
        "100 transfers, many at once, and one that was killed"

optional libevent_hub libevent &&
    same "libevent_hub" "$(run libevent_hub 30)" "30 pages by 30 callbacks, while the timer ticked"

# One binary, every hub: those that `green-net hubs` says can be used. The same bytes come out under each.
web/cli/green-net hubs >"$tmp/hubs" 2>&1 || wrong "hubs: $(cat "$tmp/hubs")"
hubs=$(sed -n 's/^[* ] \([a-z0-9_]*\) .* usable$/\1/p' "$tmp/hubs")
for hub in $GREEN_HUBS_BUILTIN $GREEN_HUBS_SHARED; do
    grep -q "^[* ] $hub " "$tmp/hubs" || wrong "hubs: it does not name $hub: $(cat "$tmp/hubs")"
done
same "hubs: defaults" "$(grep -c '^\*' "$tmp/hubs")" 1
test -n "$hubs" || wrong "hubs: it names no hub that can be used: $(cat "$tmp/hubs")"
saved=$GREEN_HUB
for GREEN_HUB in $hubs; do
    export GREEN_HUB
    web/cli/green-net hubs >"$tmp/out" 2>&1
    same "hubs under $GREEN_HUB" "$(sed -n 's/^in use: \([a-z0-9_]*\) .*/\1/p' "$tmp/out")" "$GREEN_HUB"
    embedding=$(sed -n 's/^in other event loops: \([a-z]*\).*/\1/p' "$tmp/out")
    start hello "unix:$tmp/hello.$GREEN_HUB" && {
        same "hello under $GREEN_HUB" \
            "$(fetch --unix-socket "$tmp/hello.$GREEN_HUB" http://x/ http://x/ | tr -d '\r' | tr '\n' ' ')" \
            "Hello, World! Hello, World! "
        stop
    }
    start echoserver 127.0.0.1:0 && {
        same "echoserver under $GREEN_HUB" "$(talk 'exec 3<>/dev/tcp/$HOST/$PORT; exec 4<>/dev/tcp/$HOST/$PORT
            echo one >&3; echo two >&4; read -r a <&4; read -r b <&3; echo "$a $b"')" "two one"
        stop
    }
    # In other event loops, where the hub has a descriptor that they can wait for; otherwise they say that it has none.
    for loop in glib libuv; do
        optional embed_$loop $loop || continue
        timeout 30 doc/examples/embed_$loop >"$tmp/out" 2>&1
        code=$?
        case $embedding in
            yes)
                same "embed_$loop under $GREEN_HUB" "$code $(cat "$tmp/out")" \
                    "0 10 clients had 20 answers each, and the loop 20 ticks"
                ;;
            *)
                case "$code $(cat "$tmp/out")" in
                    "1 embed_$loop: hub $GREEN_HUB "*"no descriptor that another"*) ;;
                    *) wrong "embed_$loop under $GREEN_HUB: $code $(cat "$tmp/out")" ;;
                esac
                ;;
        esac
    done
done
GREEN_HUB=$saved
test -n "$GREEN_HUB" || unset GREEN_HUB
GREEN_HUB=nosuch web/cli/green-net hubs >"$tmp/out" 2>&1 && wrong "hubs: took a hub that there is not"
grep -q '^green-net hubs: hub "nosuch": there is no hub of that name; there is: ' "$tmp/out" ||
    wrong "hubs: $(cat "$tmp/out")"
echo "hubs:" $hubs

test $bad = 0 || exit $bad
test -z "$missing" || {
    echo "all but some$missing"
    exit 77
}
