#!/bin/sh
# The HTTP server with curl: what a careful client sends and understands, in the clear and over TLS. The server is
# doc/examples/httpbin.
. "$top_srcdir/tests/web_peers.sh"
need curl curl cmp diffutils seq coreutils

large=10000000
lines_of $large >"$tmp/large"
test "$(wc -c <"$tmp/large")" = $large || exit 99

pages() {
    fetch "$url/" >"$tmp/out"
    is_in "GET" "<h1>Pages to try HTTP clients with</h1>" "$tmp/out"
    same "404" "$(fetch -o /dev/null -w '%{http_code}' "$url/none")" 404
    same "405" "$(fetch -X PUT -d x -o /dev/null -w '%{http_code} %header{allow}' "$url/ip")" "405 GET, HEAD"
    fetch -I "$url/bytes/12345" | tr -d '\r' >"$tmp/out"
    is_in "HEAD" "HTTP/1.1 200 OK" "$tmp/out"
    is_in "HEAD" "Content-Length: 12345" "$tmp/out"
    fetch "$url/echo-environ/x%20y?a=b" >"$tmp/out"
    is_in "environ" "  \"wsgi.url_scheme\": \"$scheme\"," "$tmp/out"
    is_in "environ" "  \"PATH_INFO\": \"/echo-environ/x y\"," "$tmp/out"
    same "environ: HTTPS" "$(grep -c '^  "HTTPS": "on"' "$tmp/out")" "$(test $scheme = http; echo $?)"
}

downloads() {
    for page in bytes chunked; do
        fetch -o "$tmp/out" "$url/$page/$large"
        same_file "$page" "$tmp/out" "$tmp/large"
        fetch --http1.0 -o "$tmp/out" "$url/$page/100000"
        head -c 100000 "$tmp/large" >"$tmp/some"
        same_file "$page, HTTP/1.0" "$tmp/out" "$tmp/some"
    done
}

# With a length curl asks whether it may send by "Expect: 100-continue", and here waits until it is told.
uploads() {
    fetch -D "$tmp/header" -o "$tmp/out" --expect100-timeout 60 -H 'Expect: 100-continue' \
        --data-binary @"$tmp/large" "$url/echo"
    same_file "POST" "$tmp/out" "$tmp/large"
    tr -d '\r' <"$tmp/header" >"$tmp/fields"
    is_in "Expect" "HTTP/1.1 100 Continue" "$tmp/fields"
    is_in "Expect" "Content-Length: $large" "$tmp/fields"
    fetch -D "$tmp/header" -o "$tmp/out" --expect100-timeout 60 -H 'Expect: 100-continue' \
        -X POST -H 'Transfer-Encoding: chunked' -T "$tmp/large" "$url/echo"
    same_file "POST, chunked" "$tmp/out" "$tmp/large"
    tr -d '\r' <"$tmp/header" >"$tmp/fields"
    is_in "chunked" "HTTP/1.1 100 Continue" "$tmp/fields"
    is_in "chunked" "Transfer-Encoding: chunked" "$tmp/fields"
    fetch -o "$tmp/out" --http1.0 -H 'Expect:' --data-binary @"$tmp/large" "$url/echo"
    same_file "POST, HTTP/1.0" "$tmp/out" "$tmp/large"
    same "POST of nothing" "$(fetch -X POST -d '' -w '%{http_code} %{size_download}' "$url/echo")" "200 0"
    # Too large, and told so before it is sent.
    same "413" "$(fetch -o /dev/null -w '%{http_code} %{size_upload}' --expect100-timeout 60 -H 'Expect: 100-continue' \
        -H 'Content-Length: 70000000' --data-binary @"$tmp/some" "$url/echo")" "413 0"
}

# All statuses on one connection: none of the answers is longer or shorter than curl thinks.
statuses() {
    fetch -o /dev/null -w '%{http_code} %{num_connects}\n' "$url/status/[200-599]" >"$tmp/out"
    seq 200 599 | sed 's/$/ 0/; 1s/0$/1/' >"$tmp/want"
    same_file "statuses, on one connection" "$tmp/out" "$tmp/want"
}

# The lines came while it was written, which takes 0.9 seconds.
one_by_one() {
    fetch -N -o "$tmp/out" -w '%{time_starttransfer} %{time_total}\n' "$url/stream" >"$tmp/times"
    same "stream" "$(sed -n '$p' "$tmp/out")" "line 10"
    same "stream: the first line was early: $(cat "$tmp/times")" "$(awk '{ print ($2 - $1 > 0.7) }' "$tmp/times")" 1
}

many() {
    fetch -o "$tmp/#1" -w '%{num_connects} %{size_download}\n' "$url/bytes/1[000-199]" >"$tmp/out"
    same "one connection" "$(awk '{ c += $1; b += $2 } END { print NR, c, b }' "$tmp/out")" "200 1 219900"
    fetch -Z --parallel-max 50 -o "$tmp/out#1" -w '%{http_code}\n' "$url/chunked/3[00-99]" >"$tmp/codes"
    same "in parallel" "$(sort "$tmp/codes" | uniq -c | tr -s ' ')" " 100 200"
    same "in parallel" "$(cat "$tmp"/out[0-9][0-9] | wc -c)" 34950
    same "posts on one connection" "$(fetch -d 'some more' -w '%{num_connects},' "$url/echo" "$url/echo" "$url/echo")" \
        "some more1,some more0,some more0,"
    same "close" "$(fetch -H 'Connection: close' -o /dev/null -w '%{num_connects},' "$url/ip" -o /dev/null "$url/ip")" \
        "1,1,"
    same "HTTP/1.0" "$(fetch --http1.0 -o /dev/null -w '%{num_connects},' "$url/ip" -o /dev/null "$url/ip")" "1,1,"
}

for way in $(ways); do
    start_server "$way" || continue
    pages
    downloads
    uploads
    statuses
    one_by_one
    many
    end_server
    echo "$way: checked"
done
finish
