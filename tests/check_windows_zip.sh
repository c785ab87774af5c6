#!/bin/sh
#
# The zip of `./dev dist-windows` as a new user has it: unpacked in a fresh folder, nothing else of green-net at hand. The
# README's program and the examples in it are built with its headers and import libraries, by pkg-config and without,
# and run under wine with its DLLs only; clients on this side talk to them and to its green-net.exe.
# `./dev check-windows` runs it.
#
#   check_windows_zip.sh FILE.zip
#   WINE        the program (wine)
#   CC          the compiler (x86_64-w64-mingw32-gcc)

set -u
zip=$1
: "${WINE:=wine}" "${WINEDEBUG:=-all}"
host=x86_64-w64-mingw32
CC=$host-gcc
export WINEDEBUG
unset DISPLAY PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR GREEN_HUB

for tool in "$WINE" $CC python3 curl unzip pkg-config; do
        command -v "$tool" >/dev/null 2>&1 || { echo "there is no $tool" >&2; exit 77; }
done

# A path with a blank in it, as on Windows.
work=$(mktemp -d "${TMPDIR:-/tmp}/green zip.XXXXXX") || exit 1
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

ok() { echo "ok   $1"; }
fail() { # WHAT [FILE...]
        failures=$((failures + 1))
        echo "FAIL $1"
        shift
        [ $# = 0 ] || cat "$@"
}

check() { # WHAT COMMAND...
        what=$1
        shift
        if "$@" >"$work/result" 2>&1; then
                ok "$what"
        else
                fail "$what" "$work/result"
        fi
}

# In the background; its output is in $work/out and $work/err.
run() { # PROGRAM [ARGUMENT...]
        (cd "$work/run" && WINEPATH="Z:$root/bin" exec "$WINE" "$@") >"$work/out" 2>"$work/err" </dev/null &
        pid=$!
}

# Waits for the port that the running program prints.
listens() {
        port=
        for _ in $(seq 300); do
                port=$(tr -d '\r' <"$work/out" | sed -n 's/^listening on .*127\.0\.0\.1:\([0-9]*\).*$/\1/p')
                [ -z "$port" ] || return 0
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.1
        done
        return 1
}

says() { # URL TEXT
        [ "$(curl -s -m 60 "$1" | tr -d '\r\n')" = "$2" ]
}

echoes() { # PORT
        python3 - "$1" <<'END'
import socket
import sys

s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
s.sendall(b"as a new user\n")
s.shutdown(socket.SHUT_WR)
got = b""
while True:
    piece = s.recv(4096)
    if not piece:
        break
    got += piece
sys.exit(got != b"as a new user\n")
END
}

# ---- what is in it

unzip -q "$zip" -d "$work" || exit 1
root=$(find "$work" -mindepth 1 -maxdepth 1 -type d)
for file in README.txt LICENSE bin/green-net.exe bin/libgreen-web-0.dll lib/libgreen-web.dll.a \
        include/green-net/green/green.h lib/pkgconfig/green-net.pc examples/hello.c examples/echoserver.c; do
        [ -f "$root/$file" ] || fail "there is no $file"
done
# Text that names a folder of the machine that built it is of no use.
if grep -rlI -e "$PWD" -e '/usr/x86_64-w64' -e '^prefix=/' "$root" >"$work/result"; then
        fail "these name folders of another machine:" "$work/result"
fi
# What comes with Windows, and nothing else, may be missing in bin/.
system=' advapi32 bcrypt crypt32 iphlpapi kernel32 msvcrt ntdll ole32 secur32 shell32 user32 ws2_32 '
for file in "$root"/bin/*.dll "$root"/bin/*.exe "$root"/lib/green-net/*.dll; do
        [ -f "$file" ] || continue
        for dll in $($host-objdump -p "$file" | sed -n 's/^[[:space:]]*DLL Name: //p'); do
                name=$(echo "${dll%.*}" | tr '[:upper:]' '[:lower:]')
                [ -f "$root/bin/$dll" ] || [ "${system#* "$name" }" != "$system" ] ||
                        fail "${file##*/} needs $dll, which is not in bin/"
        done
done

# ---- the user's programs

mkdir "$work/run" "$work/src" || exit 1
# The first program in the README.
sed -n '/^```c$/,/^```$/p' "$root/README.md" | sed '1d; /^```$/,$d' >"$work/src/readme.c"
PKG_CONFIG_LIBDIR=$root/lib/pkgconfig
export PKG_CONFIG_LIBDIR
flags=$(pkg-config --cflags --libs green-net) || fail "pkg-config does not know green-net"
build() { # NAME FLAGS...
        name=$1
        shift
        $CC -Wall -Wextra -Werror -o "$work/run/$name.exe" "$work/src/$name.c" "$@"
}
cp "$root/examples/hello.c" "$root/examples/echoserver.c" "$root/examples/wsgi.c" "$work/src/" || exit 1
# pkg-config writes what a shell reads.
for name in readme echoserver wsgi; do
        eval "check \"$name.c is built with pkg-config\" build $name $flags"
done
check "hello.c is built without pkg-config" build hello -D_FILE_OFFSET_BITS=64 -I"$root/include/green-net" \
        -L"$root/lib" -lgreen-web -lgreen-net -lgreen-sync -lgreen-core

for hub in '' select; do
        [ -z "$hub" ] || export GREEN_HUB="$hub"
        for name in echoserver wsgi; do
                run "./$name.exe" 127.0.0.1:0
                if ! listens; then
                        fail "$name.exe does not listen" "$work/out" "$work/err"
                elif [ $name = wsgi ]; then
                        check "wsgi.exe answers${hub:+, on $hub}" says "http://127.0.0.1:$port/" "Hello, World!"
                else
                        check "echoserver.exe echoes${hub:+, on $hub}" echoes "$port"
                fi
                end_server
        done
done
unset GREEN_HUB

# These do not say where they listen: on a port that was free just now.
for name in readme hello; do
        answered=no
        for _ in 1 2 3; do
                port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
                run "./$name.exe" "127.0.0.1:$port"
                for _ in $(seq 300); do
                        says "http://127.0.0.1:$port/" "Hello, World!" && answered=yes && break
                        kill -0 "$pid" 2>/dev/null || break
                        sleep 0.1
                done
                end_server
                [ $answered = no ] || break
        done
        if [ $answered = yes ]; then ok "$name.exe answers"; else fail "$name.exe does not answer" "$work/err"; fi
done

# ---- the program

# Run where its folder is not in the path: the DLLs lie beside it.
hubs() {
        (cd "$work/src" && "$WINE" "$root/bin/green-net.exe" hubs) </dev/null >"$work/hubs" 2>"$work/err"
        cat "$work/hubs" "$work/err"
        tr -d '\r' <"$work/hubs" | grep -q '^ *\* iocp .*usable' && grep -q 'select .*usable' "$work/hubs"
}
check "green-net.exe hubs" hubs
run "$root/bin/green-net.exe" serve 127.0.0.1:0
if listens; then
        # shellcheck disable=SC2016
        check "green-net.exe serve" sh -c 'curl -sf -m 60 "$1" | grep -q "/delay/"' sh "http://127.0.0.1:$port/"
        # shellcheck disable=SC2016
        check "its numbers" sh -c 'curl -sf -m 60 "$1" | grep -q "^green_"' sh "http://127.0.0.1:$port/metrics"
else
        fail "green-net.exe serve does not listen" "$work/out" "$work/err"
fi
end_server

[ "$failures" = 0 ] || { echo "$failures failed" >&2; exit 1; }
