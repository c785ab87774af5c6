#!/bin/sh
# The program green-net does what its --help and its pages say. Run in the build folder. Needs curl.
command -v curl >/dev/null || { echo "needs curl"; exit 77; }
tmp=$(mktemp -d) || exit 99
pid= bad=0
trap 'test -z "$pid" || kill $pid; rm -rf "$tmp"' EXIT
unset GREEN_HUB GREEN_BACKDOOR_TOKEN

wrong() {
    echo "$*"
    bad=1
}
# Runs it: its output is in $tmp/out, what it said of errors in $tmp/err.
expect() { # STATUS ARGUMENT...
    status=$1
    shift
    web/cli/green-net "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    got=$?
    test $got = "$status" || wrong "green-net $*: exit status $got, not $status: $(cat "$tmp/err")"
}
says() { # FILE TEXT
    grep -qF -- "$2" "$tmp/$1" || wrong "it does not say '$2': $(cat "$tmp/$1")"
}

# Starts green-net serve: pid; what it says is in $tmp/FILE; address, where it listens, or "" if it has ended.
serve() { # FILE ARGUMENT...
    said=$1
    shift
    : >"$tmp/$said" # what an earlier one has said is not to be taken for this one's
    web/cli/green-net serve "$@" >"$tmp/$said" 2>&1 &
    pid=$! address=
    for _ in $(seq 100); do
        address=$(sed -n 's/^listening on //p' "$tmp/$said")
        test -z "$address" && kill -0 $pid 2>/dev/null || break
        sleep 0.1
    done
}

# Help, and what is wrong.
expect 2
says err "usage: green-net COMMAND"
expect 0 --help
for command in hubs serve console bench run; do
    says out "  $command "
done
expect 0 --version
says out "green-net 0."
says out "hubs "
expect 2 serv
says err 'Did you mean "serve"?'
expect 2 --nosuch
says err 'no option "--nosuch"'
for command in hubs serve console bench run; do
    expect 0 $command --help
    says out "usage: green-net $command"
    says out "Exit status:"
    # Every option stands in the manual page.
    page=$top_srcdir/doc/man/green-net-$command.1
    for option in $(grep -oE -- '--[a-z-]+' "$tmp/out" | sort -u); do
        sed 's/\\-/-/g' "$page" | grep -qF -- "$option" || wrong "$page does not name $option"
    done
    grep -oE -- '\\-\\-[a-z]+(\\-[a-z]+)*' "$page" | sed 's/\\-/-/g' | sort -u | while read -r option; do
        test "$option" = --help || grep -qF -- "$option" "$tmp/out" || echo "$option"
    done >"$tmp/extra"
    test ! -s "$tmp/extra" || wrong "only the page of $command has: $(cat "$tmp/extra")"
    expect 2 $command --nosuch
    says err "Try: green-net $command --help"
done
if web/cli/green-net --help >/dev/full 2>"$tmp/err"; then wrong "it does not notice a full disk"; fi

# Hubs.
expect 0 hubs
says out "in use: "
expect 0 hubs poll
says out "in use: poll"
expect 1 hubs nosuch
says err 'hub "nosuch"'
says err 'green-net hubs'
expect 2 hubs poll select

# Bench.
expect 0 bench --seconds 0.02 --json
tr -d ' \n' <"$tmp/out" >"$tmp/json"
says json '{"yield":'
says json '"http":'
! grep -q ':0[,}]' "$tmp/json" || wrong "something was not measured: $(cat "$tmp/json")"
expect 0 bench --seconds 0.02 --hub poll yield
says out "hub poll"
expect 2 bench --seconds x
expect 2 bench nosuch
says err 'no measurement "nosuch"'
expect 1 bench --hub nosuch

# Programs that know nothing of green-net.
expect 2 run
says err "which program"
expect 2 run --only nosuch true
says err 'no group "nosuch"'
expect 2 run --only time --without time true
expect 127 run nosuch-program
says err "nosuch-program: there is no such program"
expect 126 run /etc/passwd
says err "not executable"
loads=yes
case $SANITIZE_CFLAGS in *sanitize*) loads=no ;; esac # its runtime has to come first
if test -f .libs/patch_preload.so && test "$(uname)" = Linux && test $loads = yes; then
    cat >"$tmp/threads.c" <<'END'
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *
nap(void *arg)
{
        usleep(20000);
        return arg;
}

/* How many OS threads are there while twenty threads sleep? */
int
main(void)
{
        pthread_t threads[20];
        char line[200];
        FILE *status;

        for (int i = 0; i < 20; i++)
                if (pthread_create(&threads[i], NULL, nap, NULL) != 0)
                        return 1;
        usleep(10);
        status = fopen("/proc/self/status", "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL)
                if (strncmp(line, "Threads:", 8) == 0)
                        printf("os %s", line);
        for (int i = 0; i < 20; i++)
                pthread_join(threads[i], NULL);
        return 7;
}
END
    # shellcheck disable=SC2086
    ${CC:-cc} $CFLAGS -o "$tmp/threads" "$tmp/threads.c" -lpthread || wrong "a small program cannot be built"
    expect 7 run "$tmp/threads"
    test "$(tr -d '\t ' <"$tmp/out")" = osThreads:1 || wrong "its threads are not green: $(cat "$tmp/out")"
    expect 7 run --without thread "$tmp/threads"
    test "$(tr -d '\t ' <"$tmp/out")" = osThreads:21 || wrong "its threads are green: $(cat "$tmp/out")"
    expect 7 run --debug --only time,thread "$tmp/threads"
    grep 'patched the program:' "$tmp/err" | grep pthread_create | grep -q usleep || wrong "--debug: $(cat "$tmp/err")"
    expect 7 run --hub poll "$tmp/threads"
    test ! -s "$tmp/err" || wrong "it says: $(cat "$tmp/err")"
    # Scripts; what they start, or not.
    printf '#!/bin/sh\n%s\n' "$tmp/threads" >"$tmp/script"
    chmod +x "$tmp/script"
    expect 7 run "$tmp/script"
    test "$(tr -d '\t ' <"$tmp/out")" = osThreads:1 || wrong "what a script starts is not green: $(cat "$tmp/out")"
    LD_PRELOAD=libm.so.6 expect 7 run --no-children "$tmp/script"
    test "$(tr -d '\t ' <"$tmp/out")" = osThreads:21 || wrong "what a script starts is green: $(cat "$tmp/out")"
    LD_PRELOAD=libm.so.6 expect 0 run --no-children /bin/sh -c 'echo "<$LD_PRELOAD>"'
    says out "<libm.so.6>"
    LD_PRELOAD=libm.so.6 expect 0 run /bin/sh -c 'echo "<$LD_PRELOAD>"'
    says out "<libm.so.6:"
    # What cannot be run so.
    # shellcheck disable=SC2086
    if ${CC:-cc} $CFLAGS -static -o "$tmp/static" "$tmp/threads.c" -lpthread 2>/dev/null; then
        expect 126 run "$tmp/static"
        says err "a static program"
    fi
    if test "$(id -u)" = 0; then
        cp "$tmp/threads" "$tmp/rights"
        chown 65534 "$tmp/rights"
        chmod 4755 "$tmp/rights"
        expect 126 run "$tmp/rights"
        says err "with rights of others"
    fi
    chmod -x "$tmp/threads"
    expect 126 run "$tmp/threads"
    echo text >"$tmp/text"
    chmod +x "$tmp/text"
    expect 126 run "$tmp/text"
    says err "neither a program nor a script"
fi

# Serve, and the console of its backdoor.
serve serve -q --backdoor "unix:$tmp/door" 127.0.0.1:0
if test -n "$address"; then
    test "$(curl -s -m 10 "http://$address/bytes/5")" = 00000 || wrong "serve: /bytes/5"
    curl -s -m 10 "http://$address/metrics" >"$tmp/metrics"
    says metrics "# TYPE green_http_requests_total counter"
    says metrics "green_switches_total"
    test "$(stat -c %a "$tmp/door")" = 600 || wrong "others may use the backdoor: $(ls -l "$tmp/door")"
    printf 'help\nps\nquit\n' | timeout 20 web/cli/green-net console "unix:$tmp/door" >"$tmp/out" 2>"$tmp/err" ||
        wrong "console: exit status $?: $(cat "$tmp/err")"
    says out "green-net 0."
    says out "green thread "
    kill $pid
    wait $pid || wrong "serve: exit status $? after SIGTERM: $(cat "$tmp/serve")"
    pid=
else
    wrong "serve did not start: $(cat "$tmp/serve")"
fi
# A log of its own, which SIGHUP opens anew.
serve serve --log "$tmp/log" --log-format json 127.0.0.1:0
if test -n "$address"; then
    curl -s -m 10 -o "$tmp/out" "http://$address/bytes/7"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ! test -s "$tmp/log" || break
        sleep 0.1
    done
    says log '"client":"127.0.0.1","request":"GET /bytes/7 HTTP/1.1","status":200,"bytes":7,'
    mv "$tmp/log" "$tmp/log.1"
    kill -HUP $pid
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ! test -e "$tmp/log" || break
        sleep 0.1
    done
    curl -s -m 10 -o "$tmp/out" "http://$address/bytes/8"
    kill $pid
    wait $pid || wrong "serve --log: exit status $? after SIGTERM: $(cat "$tmp/serve")"
    pid=
    says log '"request":"GET /bytes/8 HTTP/1.1"'
    ! grep -q bytes/8 "$tmp/log.1" || wrong "SIGHUP: the old file has the new line"
else
    wrong "serve --log did not start: $(cat "$tmp/serve")"
fi
expect 1 serve --log "$tmp/nosuch/log" 127.0.0.1:0
says err "nosuch/log: No such file or directory"
expect 2 serve --log-format none
expect 1 serve systemd
says err "no listening socket was inherited"
if command -v systemd-socket-activate >/dev/null; then
    systemd-socket-activate -l "$tmp/given" web/cli/green-net serve -q systemd >"$tmp/serve" 2>&1 &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ! test -S "$tmp/given" || break
        sleep 0.1
    done
    test "$(curl -s -m 10 --unix-socket "$tmp/given" http://x/bytes/5)" = 00000 || wrong "serve systemd: $(cat "$tmp/serve")"
    kill $pid
    wait $pid || wrong "serve systemd: exit status $? after SIGTERM: $(cat "$tmp/serve")"
    pid=
fi

# The files of a folder.
mkdir "$tmp/www"
echo hello >"$tmp/www/a.txt"
ln -s a.txt "$tmp/www/link"
for follow in '' --follow-links; do
    # shellcheck disable=SC2086
    serve files -q $follow "$tmp/www" 127.0.0.1:0
    test -n "$address" || break
    code=$(curl -s -m 10 -o "$tmp/out" -w '%{http_code}' "http://$address/link")
    test "$code" = "$(test -n "$follow" && echo 200 || echo 404)" || wrong "serve $follow: $code for a link"
    kill $pid
    wait $pid || wrong "serve $follow: exit status $? after SIGTERM: $(cat "$tmp/files")"
    pid=
done
serve files -q "$tmp/www" 127.0.0.1:0
if test -n "$address"; then
    test "$(curl -s -m 10 "http://$address/a.txt")" = hello || wrong "serve: /a.txt"
    curl -s -m 10 "http://$address/" | grep -qF 'href="./a.txt"' || wrong "serve: no list"
    test "$(curl -s -m 10 -o "$tmp/out" -w '%{http_code}' "http://$address/bytes/5")" = 404 || wrong "serve: pages in a folder"
    kill $pid
    wait $pid || wrong "serve: exit status $? after SIGTERM: $(cat "$tmp/files")"
    pid=
else
    wrong "serve did not start: $(cat "$tmp/files")"
fi
expect 1 serve "$tmp/nosuch" 127.0.0.1:0
says err "/nosuch cannot be opened"
expect 2 serve "$tmp/www" a b
expect 1 serve 256.1.1.1:80
expect 2 serve --follow-links
says err "--follow-links goes with a folder"
expect 2 serve --key x
says err "--key goes with --tls"
expect 1 serve --tls /nosuch.pem 127.0.0.1:0
# HTTPS, by workers and by one process: lines of the log say whose they are, and SIGHUP reads a renewed certificate.
certs=$top_srcdir/tests/certs
key_kind() { # of the certificate that whoever accepts shows
    curl -sv -m 10 --tls-max 1.2 --cacert "$certs/ca.pem" -o "$tmp/out" "https://$address/bytes/5" 2>&1 |
        sed -n 's/.*ECDHE-\(ECDSA\|RSA\).*/\1/p' | head -n 1
}
for workers in '--workers 2' ''; do
    cp "$certs/ec.pem" "$tmp/cert" && cp "$certs/ec.key" "$tmp/key"
    rm -f "$tmp/whose"
    whose= last=
    test -z "$workers" || whose='worker [01]: ' last='worker 1 (process [0-9]*): .*'
    # shellcheck disable=SC2086
    serve serve $workers --tls "$tmp/cert" --key "$tmp/key" --log "$tmp/whose" 127.0.0.1:0
    if test -n "$address"; then
        test "$(key_kind)" = ECDSA && test "$(cat "$tmp/out")" = 00000 || wrong "serve $workers --tls: $(cat "$tmp/serve")"
        cp "$certs/rsa.pem" "$tmp/cert" && cp "$certs/rsa.key" "$tmp/key"
        kill -HUP $pid
        in_a_row=0
        for _ in $(seq 100); do
            if test "$(key_kind)" = RSA; then in_a_row=$((in_a_row + 1)); else in_a_row=0; fi
            test $in_a_row -lt 10 || break
        done
        test $in_a_row = 10 || wrong "SIGHUP: the new certificate is not shown: $(cat "$tmp/serve")"
        echo nothing >"$tmp/cert"
        kill -HUP $pid
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            ! grep -q "${last}read before is used" "$tmp/serve" || break
            sleep 0.1
        done
        says serve "read before is used"
        test "$(key_kind)" = RSA || wrong "SIGHUP with a bad certificate: $(cat "$tmp/serve")"
        kill $pid
        wait $pid || wrong "serve $workers: exit status $? after SIGTERM: $(cat "$tmp/serve")"
        grep -q "^${whose}127\.0\.0\.1 - - \[.*\"GET /bytes/5 HTTP" "$tmp/whose" || wrong "whose line? $(cat "$tmp/whose")"
        ! grep -v "^$whose" "$tmp/whose" || wrong "lines of nobody"
    elif ! grep -q 'TLS back end' "$tmp/serve"; then
        wrong "serve $workers --tls did not start: $(cat "$tmp/serve")"
    fi
    pid=
done
expect 2 serve a b
expect 1 console "unix:$tmp/nosuch"
says err "green_backdoor_server()"
expect 2 console
exit $bad
