#!/bin/sh
# Doxygen takes everything public without a warning.
test -n "$DOXYGEN" || { echo "doxygen is not installed"; exit 77; }
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
{
    cat doc/Doxyfile
    echo "OUTPUT_DIRECTORY = $tmp"
} >"$tmp/Doxyfile"
$DOXYGEN "$tmp/Doxyfile" || exit 1
test -f "$tmp/html/index.html" || { echo "no manual came out"; exit 1; }
