#!/bin/sh
# No file was forgotten: everything that stands in the source folders is in a list of an .am file, and so in the release
# archive. A test that is in no list would never run.
tmp=$(mktemp) || exit 99
trap 'rm -f "$tmp"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL
${MAKE:-make} -s --no-print-directory print-distfiles | tr ' ' '\n' | sed "s,^$top_srcdir/,,; s,^\./,," >"$tmp"
test -s "$tmp" || exit 99

cd "$top_srcdir" || exit 99
bad=0
for file in $(find core hubs sync net web tests doc m4 \( -name '*.[ch]' -o -name '*.sh' -o -name '*.am' -o -name '*.md' \
    -o -name '*.map' -o -name '*.in' -o -name '*.txt' -o -name '*.dict' -o -name 'green-*.m4' \) ! -name '.*' | LC_ALL=C sort); do
    grep -qxF "$file" "$tmp" || { echo "$file is in no list"; bad=1; }
done
exit $bad
