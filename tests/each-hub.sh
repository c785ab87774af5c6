#!/bin/sh
# Runs a test program under the hubs it is meant for: automake's LOG_COMPILER for programs.
#
#   each-hub.sh PROGRAM [ARGUMENT...]
#
# GREEN_HUBS_BUILTIN and GREEN_HUBS_SHARED name the hubs that were built, best first; GREEN_TEST_HUBS has the paths of
# modules that only the tests have. Every program runs on the best one; those in GREEN_TEST_ALL_HUBS, and with
# GREEN_TEST_EVERY_HUB=1 every program, run on all of them. A hub that was built and does not load is a failure. Those in
# GREEN_TEST_COMPLETING run on a hub of the tests as well that completes operations late and out of order, if there are
# plug-ins. GREEN_TEST_WRAPPER is put in front (valgrind), GREEN_TEST_PROGRAM_LIMIT bounds a whole run in seconds.
# io_uring, which many containers forbid, is skipped where tests/hub_works says so.
# Programs about TLS run once more with OpenSSL's module.
#
# What happened goes to PROGRAM.res, one line each, for count.sh and coverage.sh: `hub NAME`, `run TEST`, `pass TEST`,
# `fail TEST`, `skip TEST why`, `covers ID TEST`, `end PROGRAM`. The worst exit status wins.
program=$1
program=${program#./}
res=$program.res
: >"$res" || exit 99

hubs="$GREEN_HUBS_BUILTIN $GREEN_HUBS_SHARED $GREEN_TEST_HUBS"
set_first() { best=$1; }
# shellcheck disable=SC2086
set_first $hubs
case " $GREEN_TEST_ALL_HUBS " in
    *" $program "*) ;;
    *) test "${GREEN_TEST_EVERY_HUB:-0}" = 1 || hubs=$best ;;
esac

case " $GREEN_TEST_COMPLETING " in
    *" $program "*) test ! -f "$GREEN_TEST_PLUGIN_DIR/hub_late.so" || hubs="$hubs late" ;;
esac

# Those about TLS run with OpenSSL's module too, where it was built.
case $program in
    tests/net_tls* | tests/fault_tls | tests/web_client_session | tests/web_client_tls | tests/web_static_large | \
        tests/web_workers_tls | tests/web_ws_tls_conformance | tests/web_wsgi_tls)
        test ! -f .libs/tls_openssl.so || hubs="$hubs $best+openssl" ;;
esac

limit=
if timeout 1 true 2>/dev/null; then
    limit="timeout -k 20 ${GREEN_TEST_PROGRAM_LIMIT:-900}"
fi
wrapper=
if test -n "$GREEN_TEST_WRAPPER"; then
    wrapper="${LIBTOOL:-./libtool} --mode=execute $GREEN_TEST_WRAPPER"
fi

failed=no ran=no
for hub in $hubs; do
    case $hub in
        *+openssl)
            GREEN_TLS=$PWD/.libs/tls_openssl.so
            export GREEN_TLS
            hub=${hub%+openssl}
            ;;
    esac
    # By path: programs that hold private parts have no library beside which modules are looked for.
    case " $GREEN_HUBS_SHARED " in
        *" $hub "*) GREEN_HUB=$PWD/.libs/hub_$hub.so ;;
        *) GREEN_HUB=$hub ;;
    esac
    case $hub in
        late) GREEN_HUB=$GREEN_TEST_PLUGIN_DIR/hub_late.so ;;
    esac
    GREEN_TEST_RESULTS=$res
    export GREEN_HUB GREEN_TEST_RESULTS
    test "$hub" != io_uring || test -x tests/hub_works || {
        echo "fail $program on $hub: tests/hub_works is not built" | tee -a "$res"
        exit 99
    }
    if test "$hub" = io_uring && ! why=$(tests/hub_works 2>&1); then
        echo "skip $program $why" | tee -a "$res"
        continue
    fi
    echo "== $program on hub $hub${GREEN_TLS:+, TLS by $GREEN_TLS}"
    echo "hub $hub" >>"$res"
    from=$(wc -l <"$res")
    $limit $wrapper "$@" </dev/null
    status=$?
    # The suite writes a line for each test that fails; what ends the program otherwise is one failure more.
    lines=$(sed "1,${from}d" "$res")
    why=
    case $status in
        0 | 77) echo "$lines" | grep -q '^end ' || why="ended with status $status before its end" ;;
        1) echo "$lines" | grep -q '^fail ' || why="ended with status 1" ;;
        99) why="ran nothing" ;;
        124 | 137) why="stopped: over its time, or killed" ;;
        *) why="ended with status $status" ;;
    esac
    if test $status = 1 && ! echo "$lines" | grep -q '^end '; then
        why="ended with status 1 before its end"
    fi
    if test -n "$why"; then
        last=$(echo "$lines" | sed -n '$s/^run //p;$s/^hang //p')
        echo "fail $program on $hub: $why${last:+, in $last}" | tee -a "$res"
    fi
    case $status in
        0) test -n "$why" || ran=yes ;;
        77) test -z "$why" || failed=yes ;;
        *) failed=yes ;;
    esac
    test -z "$why" || failed=yes
done
test $failed = no || exit 1
test $ran = yes || exit 77
exit 0
