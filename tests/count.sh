#!/bin/sh
# Prints `N passed, M failed, K skipped` for tests that `make check` ran: every test of a CUnit program, under every hub
# it ran on, counts as one, and so does a script. Run in the build folder with the names that TESTS of the Makefile
# holds. Fails when one failed or nothing ran.
passed=0 failed=0 skipped=0
for test in "$@"; do
    base=${test%.sh}
    trs=$(sed -n 's/^:global-test-result: *//p' "$base.trs" 2>/dev/null)
    if test "$base" != "$test"; then
        p=0 f=0 s=0
        case $trs in
            PASS) p=1 ;;
            SKIP) s=1 ;;
            *) f=1 ;;
        esac
    else
        p=0 f=0 s=0
        if test -n "$trs" && test -f "$base.res"; then
            p=$(grep -c '^pass ' "$base.res")
            f=$(grep -c '^fail ' "$base.res")
            s=$(grep -c '^skip ' "$base.res")
        fi
        case $trs in
            PASS | SKIP) ;;
            *) test "$f" -gt 0 || f=1 ;;
        esac
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
test $failed = 0 && test $passed -gt 0
