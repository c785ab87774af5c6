#!/bin/sh
# The limits of the style: a function has at most 100 lines, a file 800, some functions of libc are banned, CUnit's
# jumping macros too. Beyond those hard limits it prints what should be better (a function of over 60 lines, a file of
# over 500, printing or ending the program inside the library).
cd "$top_srcdir" || exit 99
files=$(find core hubs sync net web tests doc/examples -name '*.[ch]' | LC_ALL=C sort)
test -n "$files" || exit 99
facts=$(sed -n 's/.*GREEN_DEFINE_01(\[\([A-Z_0-9]*\)\].*/\1/p; s/.*GREEN_FUNC_01(\[\([a-z_0-9]*\)\].*/have_\1/p' \
    configure.ac m4/*.m4 | tr 'a-z\n' 'A-Z ')
# shellcheck disable=SC2086
awk -v facts="$facts" '
    BEGIN { split(facts, fact, " ") }
    function hard(text) { print file ":" FNR ": " text; bad = 1 }
    function soft(text) { print file ":" FNR ": (should be better) " text }
    function end_file() {
        if (file == "") return
        if (lines > 800) { print file ": " lines " lines, over 800"; bad = 1 }
        else if (lines > 500) print file ": (should be better) " lines " lines"
    }
    FNR == 1 {
        end_file()
        file = FILENAME; in_comment = 0; start = 0; name = "?"
        library = file ~ /^(core|hubs|sync|net|web)\//
    }
    { lines = FNR; code = $0 }
    in_comment { if (!sub(/^.*\*\//, "", code)) next; in_comment = 0 }
    {
        gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
        gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " ", code)
        sub(/\/\/.*/, "", code)
        if (sub(/\/\*.*/, "", code)) in_comment = 1
    }
    $0 ~ /[ \t]$/ { hard("blank at the end of the line") }
    code ~ /^[A-Za-z_][A-Za-z0-9_ \*]*\(/ { name = code; sub(/\(.*/, "", name); sub(/.*[ \*]/, "", name) }
    code ~ /^\{/ { start = FNR }
    code ~ /^\}/ && start {
        length_of = FNR - start - 1; start = 0
        functions++; size[functions] = length_of
        if (length_of > 100) hard(name ": " length_of " lines, over 100")
        else if (length_of > 60) soft(name ": " length_of " lines")
    }
    code ~ /(^|[^A-Za-z0-9_])(strcpy|strcat|strncpy|strncat|strtok|sprintf|vsprintf|gets|alloca|mktemp|tmpnam|asctime|ctime|gmtime|localtime)[ \t]*\(/ {
        hard("banned function: " code)
    }
    code ~ /CU_[A-Z_]*_FATAL/ { hard("CUnit macros that jump do not belong into green threads") }
    # A name of config.h that is 0 or 1 is always defined.
    code ~ /^#[ \t]*(ifn?def|(el)?if.*defined)/ {
        for (i in fact)
            if (code ~ "(def|defined *\\(?) *" fact[i] "([^A-Z_0-9]|$)" && code !~ "&& *" fact[i] "([^A-Z_0-9]|$)")
                hard(fact[i] " is always defined, as 0 or 1: #if, not #ifdef")
    }
    library && code ~ /(^|[^A-Za-z0-9_>.])(printf|puts|exit|perror)[ \t]*\(/ { soft("a library does not print or end the program: " code) }
    END {
        end_file()
        for (i = 2; i <= functions; i++) {
            v = size[i]
            for (j = i - 1; j > 0 && size[j] > v; j--) size[j + 1] = size[j]
            size[j + 1] = v
        }
        printf "%d functions: median %d lines, 95%% have at most %d, the longest %d\n", functions,
            size[int((functions + 1) / 2)], size[int(functions * 0.95 + 0.5)], size[functions]
        exit bad
    }' $files
