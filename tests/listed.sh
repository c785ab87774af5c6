#!/bin/sh
# The programs that a list like skips/windows.txt does not leave out as a whole: listed.sh LIST PROGRAM...
list=$1
shift
for program in "$@"; do
    left_out=no
    while read -r name test _; do
        test "$test" = '*' || continue
        # shellcheck disable=SC2254
        case ${program#tests/} in
            $name) left_out=yes ;;
        esac
    done <"$list"
    test $left_out = yes || echo "$program"
done
