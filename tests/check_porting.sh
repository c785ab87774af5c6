#!/bin/sh
# doc/porting-from-eventlet.md keeps its word: every name of tests/eventlet-names.txt has a row, and every C name of a
# row stands in a public header. A row is `| eventlet name | C names in backticks | differences |`; a third column that
# begins with "not yet" says that the part is not built, which is an error.
table=$top_srcdir/doc/porting-from-eventlet.md
test -f "$table" || { echo "$table is missing"; exit 1; }

for header in $PUBLIC_HEADERS; do
    if test -f "$header"; then cat "$header"; else cat "$top_srcdir/$header"; fi || exit 1
done | awk -v names="$top_srcdir/tests/eventlet-names.txt" -v table="$table" '
    # Headers, without their comments: a name that is only talked about is not there.
    FILENAME == "-" {
        line = $0
        while (1) {
            if (in_comment) {
                at = index(line, "*/")
                if (at == 0) { line = ""; break }
                line = substr(line, at + 2); in_comment = 0
            }
            at = index(line, "/*")
            if (at == 0) break
            rest = substr(line, at + 2); line = substr(line, 1, at - 1)
            end = index(rest, "*/")
            if (end == 0) { in_comment = 1; break }
            line = line " " substr(rest, end + 2)
        }
        gsub(/[^A-Za-z0-9_]+/, " ", line)
        n = split(line, word, " ")
        for (i = 1; i <= n; i++) known[word[i]] = 1
        next
    }
    FILENAME == names { sub(/#.*/, ""); if (NF) wanted[$1] = 1; next }
    /^\|/ {
        n = split($0, column, "|")
        if (n < 5 || column[2] ~ /^ *:?-+:? *$/) next
        gsub(/[`,]/, " ", column[2])
        m = split(column[2], word, " ")
        for (i = 1; i <= m; i++) row[word[i]] = 1
        rows++
        if (tolower(column[4]) ~ /^ *not (built )?yet/) {
            printf "%s:%d: not built yet: %s\n", table, FNR, column[2]; bad = 1
            next
        }
        # The odd parts between backticks are prose.
        m = split(column[3], part, "`")
        for (i = 2; i <= m; i += 2) {
            gsub(/[^A-Za-z0-9_]+/, " ", part[i])
            k = split(part[i], word, " ")
            for (j = 1; j <= k; j++)
                if (word[j] ~ /^(green|GREEN)_/ && !(word[j] in known)) {
                    printf "%s:%d: %s is in no public header\n", table, FNR, word[j]; bad = 1
                }
        }
    }
    END {
        for (name in wanted) {
            total++
            if (!(name in row)) { print table ": no row for " name; bad = 1 }
        }
        printf "%d rows for %d names\n", rows, total
        exit bad || rows == 0 || total == 0
    }' - "$top_srcdir/tests/eventlet-names.txt" "$table"
