#!/bin/sh
# Every fuzz target runs through its seeds and the mutations that it makes of them by itself.
bad=0
for program in $FUZZ_PROGRAMS; do
    if timeout "${GREEN_TEST_PROGRAM_LIMIT:-900}" "./$program" </dev/null; then
        echo "$program: ok"
    else
        echo "$program: failed with status $?"
        bad=1
    fi
done
exit $bad
