#!/bin/sh
# The HTTP server under load by wrk, ab and h2load: no request fails, and none is lost, in the clear and over TLS. What is
# counted are answers and errors; how fast it goes is not looked at. The server is doc/examples/httpbin.
. "$top_srcdir/tests/web_peers.sh"
need wrk wrk ab apache2-utils h2load nghttp2-client

# Twelve requests are sent in one piece, and their answers awaited.
cat >"$tmp/pipeline.lua" <<'END'
init = function(args)
    local r = {}
    for i = 1, 12 do r[i] = wrk.format("GET", "/bytes/" .. 100 * i) end
    all = table.concat(r)
end
request = function() return all end
END
cat >"$tmp/post.lua" <<'END'
wrk.method = "POST"
wrk.body = string.rep("0123456789", 500)
response = function(status, headers, body)
    if body ~= wrk.body then print("wrong body: " .. body) end
end
END
head -c 20000 /dev/zero | tr '\0' x >"$tmp/body"

# It says what went wrong, and only then. On a busy machine a second may be over with the handshakes.
by_wrk() { # WHAT URL ARGUMENT...
    what=$1 at=$2
    shift 2
    for seconds in 1 15; do
        wrk -t 2 --timeout 30s -d $seconds "$@" "$at" >"$tmp/wrk" 2>&1 || wrong "$way: wrk, $what: $(cat "$tmp/wrk")"
        many=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$tmp/wrk" | grep -c '...')
        test "$many" != 1 || break
    done
    same "wrk, $what: many answers" "$many" 1
    same "wrk, $what: errors" "$(grep -e 'Socket errors' -e 'Non-2xx' -e 'wrong body' -e '\.lua:' "$tmp/wrk")" ""
}

number_of() { # LABEL: what ab says of it
    sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$tmp/ab"
}
by_ab() { # WHAT NUMBER KEPT URL ARGUMENT...
    what=$1 n=$2 kept=$3 at=$4
    shift 4
    ab -q -n "$n" -c 20 "$@" "$at" >"$tmp/ab" 2>&1 || wrong "$way: ab, $what: $(cat "$tmp/ab")"
    same "ab, $what: answers" "$(number_of 'Complete requests')" "$n"
    same "ab, $what: failed" "$(number_of 'Failed requests')" 0
    same "ab, $what: statuses" "$(grep -e 'Non-2xx' -e 'Write errors' "$tmp/ab")" ""
    same "ab, $what: kept alive" "$(number_of 'Keep-Alive requests')" "$kept"
}

by_h2load() { # WHAT NUMBER URL ARGUMENT...
    what=$1 n=$2 at=$3
    shift 3
    h2load --h1 -n "$n" -c 20 "$@" "$at" >"$tmp/h2load" 2>&1 || wrong "$way: h2load, $what: $(cat "$tmp/h2load")"
    is_in "h2load, $what" \
        "requests: $n total, $n started, $n done, $n succeeded, 0 failed, 0 errored, 0 timeout" "$tmp/h2load"
    is_in "h2load, $what" "status codes: $n 2xx, 0 3xx, 0 4xx, 0 5xx" "$tmp/h2load"
}

for way in $(ways); do
    start_server "$way" || continue
    by_wrk "one by one" "$url/chunked/100" -c 50
    by_wrk "pipelined" "$url/" -c 20 -s "$tmp/pipeline.lua"
    by_wrk "POST" "$url/echo" -c 20 -s "$tmp/post.lua"
    by_ab "kept alive" 2000 2000 "$url/bytes/100" -k
    # To HTTP/1.0 what has no length lasts until the connection ends.
    by_ab "new connections" 400 "" "$url/chunked/20000"
    by_ab "POST" 400 400 "$url/echo" -k -p "$tmp/body" -T text/plain
    by_h2load "one by one" 2000 "$url/bytes/1000"
    by_h2load "pipelined" 2000 "$url/chunked/1000" -m 10
    by_h2load "POST" 400 "$url/echo" -d "$tmp/body"
    end_server
    echo "$way: checked"
done
finish
