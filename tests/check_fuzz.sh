#!/bin/sh
# Every fuzz target runs through its corpus, or its seeds, and the mutations that it makes of them by itself.
bad=0
for program in $FUZZ_PROGRAMS; do
    case $program in
    *_wsgi) corpus=http1 ;;
    *) corpus=${program##*/fuzz_} ;;
    esac
    corpus=$top_srcdir/tests/fuzz/corpus/$corpus
    if test -d "$corpus"; then
        set -- -m 100000 "$corpus"/*
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
