#!/bin/sh
# The test programs of a build for Windows, under wine; in the build folder.
#
#   windows.sh list PROGRAM...   those that skips/windows.txt does not leave out as a whole, by the names of their files
#   windows.sh run PROGRAM...    runs them on the best hub, those in GREEN_TEST_ALL_HUBS on each; the last line is
#                                `N passed, M failed, K skipped`
#   windows.sh examples          check_windows_examples.sh, which counts as one test; the same last line
#   windows.sh zip FILE          check_windows_zip.sh, likewise
#
# What is left out is counted as skipped, with its reason. The output of PROGRAM goes to PROGRAM.log, the results to
# PROGRAM.res. So many run at once as GREEN_TEST_JOBS says, 2 without it: they mostly wait. GREEN_TEST_SLOW and
# GREEN_TEST_PROGRAM_LIMIT are as for each-hub.sh.
skips=$top_srcdir/tests/skips/windows.txt

# The reason to leave out all of a program; nothing where it is run.
reason_of() { # NAME
    while read -r program test reason; do
        test "$test" = '*' || continue
        # shellcheck disable=SC2254
        case $1 in
            $program)
                echo "$reason"
                return
                ;;
        esac
    done <"$skips"
}

what=$1
shift
if test "$what" = list; then
    for program in "$@"; do
        test -n "$(reason_of "${program#tests/}")" || echo "$program.exe"
    done
    exit 0
fi

# Modules by their paths: not every program has the library beside which names are looked for.
shared=
for hub in $GREEN_HUBS_SHARED; do shared="$shared $PWD/.libs/hub_$hub.dll"; done
first() { echo "$1"; }
# shellcheck disable=SC2086
best=$(first $GREEN_HUBS_BUILTIN $shared)

# What is to be said of a program, and behind that `counts PASSED FAILED SKIPPED`.
run_program() { # PROGRAM
    program=$1 name=${1#tests/} passed=0 failed=0 skipped=0
    reason=$(reason_of "$name")
    if test -n "$reason"; then
        echo "skip $name: $reason"
        echo "counts 0 0 1"
        return
    fi
    hubs=$best
    case " $GREEN_TEST_ALL_HUBS " in *" $program "*) hubs="$GREEN_HUBS_BUILTIN $shared" ;; esac
    # Where it links a library, what lies in the folder itself is libtool's starter of it.
    exe=tests/.libs/$name.exe
    test -f "$exe" || exe=$program.exe
    : >"$program.res"
    : >"$program.log"
    for hub in $hubs; do
        from=$(wc -l <"$program.res")
        GREEN_HUB=$hub GREEN_TEST_RESULTS=$program.res \
            timeout -k 20 "${GREEN_TEST_PROGRAM_LIMIT:-300}" wine "$exe" >>"$program.log" 2>&1 </dev/null
        status=$?
        lines=$(sed "1,${from}d" "$program.res")
        p=$(echo "$lines" | grep -c '^pass ') f=$(echo "$lines" | grep -c '^fail ') s=$(echo "$lines" | grep -c '^skip ')
        # The suite writes a line for each test that fails; what ends the program otherwise is one failure more.
        if ! echo "$lines" | grep -q '^end '; then
            last=$(echo "$lines" | sed -n '$s/^run //p;$s/^hang //p')
            echo "fail $name on ${hub##*/}: ended with status $status before its end${last:+, in $last}"
            f=$((f + 1))
        elif test "$f" = 0 && test $status != 0 && test $status != 77; then
            echo "fail $name on ${hub##*/}: ended with status $status"
            f=$((f + 1))
        fi
        echo "$lines" | sed -n "s/^fail /fail $name on ${hub##*/}: /p; s/^skip /skip $name on ${hub##*/}: /p"
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    done
    echo "counts $passed $failed $skipped"
}

# By xargs below: in the environment of the one that has called it.
if test "$what" = one; then
    run_program "$1" >"$1.said"
    exit 0
fi

# A prefix and services of its own. Output goes to files: whoever reads a pipe from wine waits for its services.
WINEPREFIX=$PWD/wine WINEDEBUG=-all GREEN_TEST_SKIPS=$skips
pthread=$(x86_64-w64-mingw32-gcc -print-file-name=libwinpthread-1.dll)
WINEPATH="$PWD/.libs;${pthread%/*}"
export WINEPREFIX WINEDEBUG WINEPATH GREEN_TEST_SKIPS
unset DISPLAY
trap 'wineserver -k; wait' EXIT
mkdir -p wine || exit 99
{
    wineboot -i
    wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f
    # A program that dies ends, and starts no debugger.
    wine reg add 'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' /v Debugger /d false /f
} >wine.log 2>&1 </dev/null || {
    tail -n 20 wine.log
    exit 99
}

if test "$what" != run; then
    sh "$top_srcdir/tests/check_windows_$what.sh" "$@"
    case $? in
        0) echo "1 passed, 0 failed, 0 skipped" ;;
        77) echo "0 passed, 0 failed, 1 skipped" ;;
        *) echo "0 passed, 1 failed, 0 skipped" ;;
    esac
    exit
fi

add_counts() { # PASSED FAILED SKIPPED
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

for program in "$@"; do rm -f "$program.said"; done
printf '%s\n' "$@" | xargs -P "${GREEN_TEST_JOBS:-2}" -n 1 sh "$0" one
passed=0 failed=0 skipped=0
for program in "$@"; do
    grep -v '^counts ' "$program.said"
    counts=$(sed -n 's/^counts //p' "$program.said")
    # shellcheck disable=SC2086
    add_counts ${counts:-0 1 0}
done
echo "$passed passed, $failed failed, $skipped skipped"
test $failed = 0 && test $passed -gt 0
