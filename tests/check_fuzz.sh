#!/bin/sh
# Every fuzz target runs through its corpus, or its seeds, and the mutations that it makes of them by itself.
bad=0
for program in $FUZZ_PROGRAMS; do
    corpus=$top_srcdir/tests/fuzz/corpus/${program##*/fuzz_}
    if test -d "$corpus"; then
        set -- -m 200000 "$corpus"/*
    else
        set --
    fi
    if timeout "${GREEN_TEST_PROGRAM_LIMIT:-900}" "./$program" "$@" </dev/null; then
        echo "$program: ok"
    else
        echo "$program: failed with status $?"
        bad=1
    fi
done
exit $bad
