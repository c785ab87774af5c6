#!/bin/sh
# The HTTP server with a browser, headless Chromium: it shows what was served, in the clear and over TLS. The server is
# doc/examples/httpbin.
. "$top_srcdir/tests/web_peers.sh"
browser=
for name in chromium chromium-browser google-chrome; do
    command -v $name >/dev/null && { browser=$name; break; }
done
test -n "$browser" || { echo "not installed: chromium (package chromium)"; exit 77; }
need openssl openssl

# The key of our certificate, which is then taken though the browser does not know who has signed it.
key=$(openssl x509 -in "$certs/ec.pem" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary |
    openssl base64)

show() { # PATH: the page as the browser has it in the end
    timeout 60 $browser --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-extensions --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --no-proxy-server \
        --host-resolver-rules="MAP * ~NOTFOUND, EXCLUDE 127.0.0.1" --user-data-dir="$tmp/profile" \
        --ignore-certificate-errors-spki-list="$key" --dump-dom "$url$1" >"$tmp/dom" 2>"$tmp/browser.log" </dev/null ||
        wrong "$way: $browser $1: $(tail -n 5 "$tmp/browser.log")"
}
has() { # WHAT TEXT: somewhere in the page
    checks=$((checks + 1))
    grep -qF -- "$2" "$tmp/dom" || wrong "$way: $1: no '$2' in: $(head -c 1000 "$tmp/dom")"
}

for way in $(ways); do
    start_server "$way" || continue
    show /
    has "the list" "<h1>Pages to try HTTP clients with</h1>"
    has "the list" "<a href=\"/headers\">/headers</a>"
    show "/echo-environ/a?b=c"
    has "environ" "\"wsgi.url_scheme\": \"$scheme\""
    has "environ" "\"QUERY_STRING\": \"b=c\""
    # In chunks, while it waits.
    show /stream/3
    has "stream" "line 3"
    end_server
    echo "$way: checked"
done
finish
