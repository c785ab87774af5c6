#!/bin/sh
# Which behaviours are checked by tests that passed, and which are not.
#
#   coverage.sh [-v] [LIST]
#
# Reads the results of the test programs (tests/*.res of the build folder, which is the current one) and LIST, one id a
# line, # starts a comment; by default tests/covered-ids.txt, the ids that must be covered. Prints those that are not,
# with -v also the tests that cover the others. Fails if one is missing; in a build without modules, which leaves out the
# tests that load one, or without c-ares, that is a skip.
verbose=no
test "$1" != -v || { verbose=yes; shift; }
list=${1:-${top_srcdir:-$(dirname "$0")/..}/tests/covered-ids.txt}

set -- tests/*.res
test -f "$1" || { echo "coverage.sh: no results in $PWD/tests: run the test programs first"; exit 99; }

awk -v verbose=$verbose -v list="$list" '
    FILENAME == list {
        sub(/#.*/, "")
        for (i = 1; i <= NF; i++)
            if (!($i in wanted)) { wanted[$i] = 1; order[++n] = $i }
        next
    }
    $1 == "covers" {
        if ($2 !~ /^[A-Z]+-[0-9]+$/) { print "not an id: " $2 " (" $3 ")"; bad = 1 }
        if (index(by[$2] " ", " " $3 " ") == 0) by[$2] = by[$2] " " $3
    }
    END {
        for (i = 1; i <= n; i++) {
            id = order[i]
            if (id in by) { covered++; if (verbose == "yes") print id ":" by[id] }
            else print id ": no test that passed covers it"
        }
        for (id in by) if (!(id in wanted)) more++
        printf "%d of %d ids covered, %d others besides\n", covered, n, more
        exit bad || n == 0 ? 1 : covered < n ? 2 : 0
    }' "$list" "$@"
status=$?
test $status != 2 || test -z "$GREEN_TEST_PLUGIN_DIR" || ls "$GREEN_TEST_PLUGIN_DIR"/hub_*.so >/dev/null 2>&1 || {
    echo "this build has no modules for tests"
    exit 77
}
test $status != 2 || test "${GREEN_CARES:-yes}" = yes || {
    echo "this build asks no name servers"
    exit 77
}
exit $status
