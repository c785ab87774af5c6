#!/bin/sh
# doc/http-policy.md keeps its word: its first table has a row for every error of the parser, with its status and its
# text, and no other. A row is `| NAME in backticks | status | text | ...`.
table=$top_srcdir/doc/http-policy.md
source=$top_srcdir/web/http1_parse_priv.h
test -f "$table" && test -f "$source" || { echo "$table or $source is missing"; exit 1; }

awk -v table="$table" '
    FILENAME != table && /^[ \t]*X\(E[A-Z]+, [0-9]+, ".*"\)/ {
        name = $0; sub(/.*X\(/, "", name); sub(/,.*/, "", name)
        status = $0; sub(/^[^,]*, /, "", status); sub(/,.*/, "", status)
        text = $0; sub(/^[^"]*"/, "", text); sub(/"\).*/, "", text)
        code[name] = status " " text; errors++
        next
    }
    FILENAME == table && /^\| `E[A-Z]+` \|/ {
        split($0, column, / *\| */)
        name = column[2]; gsub(/`/, "", name)
        # Rows of other tables name errors as well, but not in their first column.
        if (name in row) { printf "%s:%d: %s once more\n", table, FNR, name; bad = 1 }
        row[name] = column[3] " " column[4]
    }
    END {
        for (name in code)
            if (!(name in row)) { print table ": no row for " name; bad = 1 }
            else if (row[name] != code[name]) {
                printf "%s: %s is \"%s\" in the table, \"%s\" in the parser\n", table, name, row[name], code[name]
                bad = 1
            }
        for (name in row)
            if (!(name in code)) { print table ": the parser has no " name; bad = 1 }
        printf "%d errors\n", errors
        exit bad || errors == 0
    }' "$source" "$table"
