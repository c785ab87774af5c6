#!/bin/sh
#
# The examples as programs for Windows, under wine, with clients on this side: echo to a thousand at once, a chat, HTTP
# with curl. On each hub. Run in the build folder of --host=x86_64-w64-mingw32; `./dev check-windows` does that.
#
#   WINE        the program (wine)
#   WINEPATH    where the DLLs are, for it
#   HUBS        which hubs ("iocp select")
#   CLIENTS     how many at once (1000)

set -u
: "${WINE:=wine}" "${HUBS:=iocp select}" "${CLIENTS:=1000}"
: "${WINEDEBUG:=-all}"
: "${WINEPATH:=Z:$PWD/.libs;Z:/usr/x86_64-w64-mingw32/lib}"
export WINEDEBUG WINEPATH
unset DISPLAY

for tool in "$WINE" python3 curl; do
        command -v "$tool" >/dev/null 2>&1 || { echo "there is no $tool" >&2; exit 77; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/green-windows.XXXXXX") || exit 1
pid=
failures=0

end_server() {
        if [ -n "$pid" ]; then
                kill "$pid" 2>/dev/null
                wait "$pid" 2>/dev/null
        fi
        pid=
}
trap 'end_server; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# Start an example and wait for the address that it prints: the port is in $port.
start() { # NAME
        program=doc/examples/.libs/$1.exe
        [ -f "$program" ] || program=doc/examples/$1.exe
        port=
        GREEN_HUB=$hub "$WINE" "$program" 127.0.0.1:0 >"$work/out" 2>"$work/err" </dev/null &
        pid=$!
        for _ in $(seq 300); do
                port=$(tr -d '\r' <"$work/out" | sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\)$/\1/p')
                [ -z "$port" ] || return 0
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
        done
        echo "$1 does not listen:" >&2
        cat "$work/out" "$work/err" >&2
        end_server
        return 1
}

check() { # NAME COMMAND...
        what=$1
        shift
        if "$@" >"$work/result" 2>&1; then
                echo "ok   $hub: $what"
        else
                failures=$((failures + 1))
                echo "FAIL $hub: $what"
                cat "$work/result" "$work/err"
        fi
        end_server
}

cat >"$work/clients.py" <<'END'
import socket
import sys


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def line(s):
    got = b""
    while not got.endswith(b"\n"):
        piece = s.recv(4096)
        if not piece:
            sys.exit("the end came after %r" % got)
        got += piece
    return got


# Each says its own line, when all are connected, and gets it back; then its end, and gets that.
def echo(port, n):
    clients = [connect(port) for _ in range(n)]
    for i, s in enumerate(clients):
        s.sendall(b"client %d\n" % i)
    for i, s in enumerate(clients):
        if line(s) != b"client %d\n" % i:
            sys.exit("client %d got another's line" % i)
    for s in clients:
        s.shutdown(socket.SHUT_WR)
    for s in clients:
        if s.recv(1) != b"":
            sys.exit("there is no end")


# More than any buffer holds, while nobody reads at first.
def echo_much(port):
    import threading

    data = bytes(range(256)) * 16384
    s = connect(port)
    sender = threading.Thread(target=s.sendall, args=(data,))
    sender.start()
    got = bytearray()
    while len(got) < len(data):
        piece = s.recv(1 << 16)
        if not piece:
            sys.exit("the end came after %d bytes" % len(got))
        got += piece
    sender.join()
    if bytes(got) != data:
        sys.exit("what came is not what was sent")


# What one says comes to the others, and not to itself.
def chat(port):
    members = []
    for _ in range(3):
        members.append(connect(port))
        for s in members[:-1]:
            if b"(came)" not in line(s):
                sys.exit("nobody tells that another came")
    for i, s in enumerate(members):
        s.sendall(b"hello from %d\n" % i)
        for other in members:
            if other is not s:
                while b"hello from %d" % i not in line(other):
                    pass
    for s in members:
        s.close()


what, port = sys.argv[1], int(sys.argv[2])
if what == "echo":
    echo(port, int(sys.argv[3]))
elif what == "much":
    echo_much(port)
else:
    chat(port)
END

curl_says() { # URL TEXT
        [ "$(curl -s -m 60 "$1" | tr -d '\r\n')" = "$2" ]
}

for hub in $HUBS; do
        if start echoserver; then
                check "echo, $CLIENTS connections" python3 "$work/clients.py" echo "$port" "$CLIENTS"
        else
                failures=$((failures + 1))
        fi
        if start echoserver; then
                check "echo, 4 MiB" python3 "$work/clients.py" much "$port"
        else
                failures=$((failures + 1))
        fi
        if start chat_server; then
                check "chat" python3 "$work/clients.py" chat "$port"
        else
                failures=$((failures + 1))
        fi
        if start wsgi; then
                check "curl" curl_says "http://127.0.0.1:$port/" "Hello, World!"
        else
                failures=$((failures + 1))
        fi
done

[ "$failures" = 0 ] || { echo "$failures failed" >&2; exit 1; }
