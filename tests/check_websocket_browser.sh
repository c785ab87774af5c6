#!/bin/sh
# WebSockets with a browser, headless Chromium: the chat between two tabs, the live plot, the demo at work, and the echo of
# httpbin in the clear and over TLS, compressed or not. The browser is told what to do by its DevTools protocol, which is
# a WebSocket too: our client speaks it.
. "$top_srcdir/tests/web_peers.sh"
browser=
for name in chromium chromium-browser google-chrome; do
    command -v $name >/dev/null && { browser=$name; break; }
done
test -n "$browser" || { echo "not installed: chromium (package chromium)"; exit 77; }
need curl curl openssl openssl
way=browser

# The key of our certificate, which is then taken though the browser does not know who has signed it.
key=$(openssl x509 -in "$certs/ec.pem" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary |
    openssl base64)

start_browser() {
    $browser --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-extensions --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --no-proxy-server \
        --host-resolver-rules="MAP * ~NOTFOUND, EXCLUDE 127.0.0.1" --user-data-dir="$tmp/profile" \
        --ignore-certificate-errors-spki-list="$key" --remote-debugging-port=0 about:blank \
        >"$tmp/browser.log" 2>&1 </dev/null &
    browser_pid=$! other="$other $!"
    for _ in $(seq 300); do
        devtools=$(head -n 1 "$tmp/profile/DevToolsActivePort" 2>/dev/null)
        test -z "$devtools" || return 0
        kill -0 $browser_pid 2>/dev/null || break
        sleep 0.2
    done
    return 1
}
# It has children, which write into its profile until they end.
end_browser() {
    kill $browser_pid 2>/dev/null
    wait $browser_pid 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$tmp/profile" 2>/dev/null && return
        sleep 0.3
    done
}
trap 'end_browser; kill $server $other 2>/dev/null; rm -rf "$tmp"' EXIT

# A tab begins as about:blank, which is complete too, so where it is has to be asked as well.
open_tab() { # URL: sets tab, whose page is there
    tab=$(curl -sS -m 20 -X PUT "http://127.0.0.1:$devtools/json/new?$1" 2>&1 | sed -n 's/^ *"id": "\([^"]*\)".*/\1/p')
    test -n "$tab" || wrong "$way: no tab for $1"
    becomes "the page" "$tab" "location.href + ' is ' + document.readyState" "$1 is complete"
}
close_tab() { # TAB
    curl -sS -m 20 -o /dev/null "http://127.0.0.1:$devtools/json/close/$1"
}
# What an expression is worth in a tab, or becomes if it is a promise, as JSON has it. It has no " and no \.
evaluate() { # TAB EXPRESSION
    timeout 30 doc/examples/websocket_client -t 20 "ws://127.0.0.1:$devtools/devtools/page/$1" \
        "{\"id\":1,\"method\":\"Runtime.evaluate\",\"params\":{\"awaitPromise\":true,\"returnByValue\":true,\"expression\":\"$2\"}}" \
        2>&1 </dev/null | sed 's/^{"id":1,"result":{"result":{.*"value":"\{0,1\}\(.*[^"]\)"\{0,1\}}}}$/\1/'
}
becomes() { # WHAT TAB EXPRESSION WANTED: within 20 seconds
    checks=$((checks + 1))
    for _ in $(seq 100); do
        got=$(evaluate "$2" "$3")
        test "$got" != "$4" || return 0
        sleep 0.2
    done
    wrong "$way: $1: got '$(printf %s "$got" | head -c 500)', not '$4'"
}
text_of() { # ID: an expression
    echo "document.getElementById('$1').innerText.trim()"
}
enter() { # TAB NAME
    evaluate "$1" "document.getElementById('name').value = '$2', document.querySelector('#enter button').click()" >/dev/null
}
say() { # TAB TEXT
    evaluate "$1" "document.getElementById('text').value = '$2', document.querySelector('#say button').click()" >/dev/null
}
# The lines of a chat, with | between them.
lines="Array.from(document.querySelectorAll('#log p'), line => line.innerText).join('|')"

start_browser || { echo "$browser did not start: $(tail -n 5 "$tmp/browser.log")"; exit 1; }

# Two tabs, and who comes first hears of the other.
way=chat
start chat doc/examples/websocket_chat 127.0.0.1:0 && {
    server=$started
    open_tab "http://$address/"
    ann=$tab
    enter "$ann" "Ann Ä"
    becomes "connected" "$ann" "$(text_of state)" connected
    becomes "alone" "$ann" "$(text_of people)" 1
    open_tab "http://$address/"
    bob=$tab
    enter "$bob" Bob
    becomes "both are there" "$ann" "$(text_of people)" 2
    becomes "both are there" "$bob" "$(text_of people)" 2
    say "$ann" "hello, <b>Bob</b>"
    becomes "Bob hears Ann" "$bob" "$lines" "Bob has come|Ann \\u00c4: hello, <b>Bob</b>"
    say "$bob" "how are you? ☺"
    becomes "Ann hears Bob" "$ann" "$lines" "Ann \\u00c4 has come|Bob has come|Ann \\u00c4: hello, <b>Bob</b>|Bob: how are you? \\u263a"
    close_tab "$ann"
    becomes "Ann leaves" "$bob" "$(text_of people)" 1
    becomes "Ann leaves" "$bob" "$lines" "Bob has come|Ann \\u00c4: hello, <b>Bob</b>|Bob: how are you? \\u263a|Ann \\u00c4 has left"
    kill $server
    wait $server 2>/dev/null
    server=
    becomes "the server goes" "$bob" "$(text_of state)" "not connected, trying again"
    close_tab "$bob"
    echo "$way: checked"
}

way=plot
start plot doc/examples/websocket 127.0.0.1:0 && {
    server=$started
    open_tab "http://$address/"
    becomes "connected" "$tab" "$(text_of state)" connected
    becomes "points come" "$tab" "Number($(text_of count)) > 10" true
    becomes "they are drawn" "$tab" \
        "Array.from(pen.getImageData(0, 0, canvas.width, canvas.height).data).filter((x, i) => i % 4 == 3 && x > 128).length > 1000" true
    becomes "their values" "$tab" "points.length > 10 && points.every(y => y > -1.2 && y < 1.2)" true
    evaluate "$tab" "document.querySelector('#form button').click()" >/dev/null
    becomes "echo" "$tab" "$(text_of answer)" hello
    kill $server
    wait $server 2>/dev/null
    server=
    becomes "the server goes" "$tab" "$(text_of state).startsWith('closed')" true
    close_tab "$tab"
    echo "$way: checked"
}

# The page of the demo that shows the server at work, and its load.
way=live
start live doc/examples/demo 127.0.0.1:0 && {
    server=$started
    open_tab "http://$address/live/"
    becomes "connected" "$tab" "$(text_of state)" connected
    becomes "numbers come" "$tab" "looks.requests.length > 3 && looks.memory.every(k => k > 1000)" true
    evaluate "$tab" "document.querySelectorAll('button')[1].click()" >/dev/null
    becomes "the load" "$tab" "$(text_of clients)" 10
    becomes "requests" "$tab" "Math.max(...looks.requests) > 100 && Math.max(...looks.threads) > 10" true
    becomes "they are drawn" "$tab" "Array.from(document.querySelectorAll('canvas')).every(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((x, i) => i % 4 == 3 && x > 128).length > 500)" true
    evaluate "$tab" "document.querySelectorAll('button')[0].click()" >/dev/null
    becomes "no load" "$tab" "$(text_of clients)" 0
    kill $server
    wait $server 2>/dev/null
    server=
    becomes "the server goes" "$tab" "$(text_of state).startsWith('closed')" true
    close_tab "$tab"
    echo "$way: checked"
}

# A promise for what the browser has seen of a WebSocket: extensions, a text, bytes, a long text, and how it was closed.
echoed() { # URL
    echo "new Promise(done => { const ws = new WebSocket('$1'), seen = []; let n = 0; ws.binaryType = 'arraybuffer';
        const long = 'Grüße '.repeat(50000); const data = ['ä text', new Uint8Array([0, 255, 7]), long, ''];
        ws.onopen = () => { seen.push(ws.extensions.split(';')[0]); ws.send(data[0]); };
        ws.onmessage = e => { seen.push(typeof e.data == 'string' ? e.data == long ? 'long' : e.data :
            new Uint8Array(e.data).join('.')); if (++n < data.length) ws.send(data[n]); else ws.close(3001, 'enough'); };
        ws.onclose = e => done(seen.concat(e.code, e.reason).join('|')); })" | tr '\n' ' '
}
for way in $(ways); do
    for option in "" --deflate; do
        start_server "$way" $option || continue
        extension=
        test -z "$option" || extension=permessage-deflate
        open_tab "$url/"
        same "echo $option" "$(evaluate "$tab" "$(echoed "ws${url#http}/ws")")" \
            "$extension|\\u00e4 text|0.255.7|long||3001|"
        close_tab "$tab"
        end_server
    done
    echo "$way: checked"
done
finish
