#!/bin/sh
# The benchmarks work: green-net's own programs are built against an installed copy and run with tiny counts, and the
# table, the JSON and the chart are what they should be. Nothing here is about speed.
. "$top_srcdir/tests/installed.sh"
test "$(uname -s)" = Linux || { echo "the benchmarks are for Linux"; exit 77; }
bench=$source_dir/tests/bench

wrong() {
    echo "$*"
    bad=1
}

# What the report makes of figures that are known: medians of the ratios round by round, the best of several peers, the
# 3 %, the bar of the context method, the figure that decides when the load generator has no more to give.
cat >"$tmp/rows" <<'END'
# a comment
b less l less 0.5 p,q
b context l less context p
b more m more 1 p
b own o less page+400 -
b busy m more 1 p load:cpu
b busy-floor m more 0.8 p load:cpu
b none l less 1 r
b absent absent less 1 p
END
cat >"$tmp/raw" <<'END'
b 1 green-net l ns 10
b 1 p l ns 20
b 1 q l ns 30
b 2 green-net l ns 11
b 2 p l ns 20
b 2 q l ns 10
b 3 green-net l ns 30
b 3 p l ns 59
b 3 q l ns 300
b 1 green-net m kreq/s 96
b 1 p m kreq/s 100
b 1 green-net o bytes 4497
b 1 green-net page bytes 4096
b 1 green-net load cores 0.97
b 1 green-net cpu us 4
b 1 p cpu us 5
END
cat >"$tmp/expected" <<'END'
less ns 11 {"p":20,"q":30} 0.508475 0.5 true p
context ns 11 {"p":20} 0.508475 0.4 false p
more kreq/s 96 {"p":100} 0.96 1 false p
own bytes 4497 {} null 4496 false null
busy us 4 {"p":5} 0.8 1 true p
busy-floor us 4 {"p":5} 0.8 1.25 true p
none ns 11 {} null 1 null null
END
awk -f "$bench/report.awk" -v context=setjmp -v json="$tmp/json" "$tmp/rows" "$tmp/raw" >"$tmp/table" ||
    wrong "report.awk failed"
sed -n 's/^  {"name": "\([^"]*\)", "unit": "\([^"]*\)", "green_net": \([^,]*\), "peers": \({[^}]*}\), "ratio": \([^,]*\), "bar": \([^,]*\), "holds": \([^,]*\), "better": "[a-z]*", "against": "\{0,1\}\([^",]*\)"\{0,1\}, "figure": "[^"]*"},\{0,1\}$/\1 \2 \3|\4|\5 \6 \7 \8/p' \
    "$tmp/json" | awk -F'|' '{ gsub(/ /, "", $2); print $1 " " $2 " " $3 }' >"$tmp/got"
cmp "$tmp/expected" "$tmp/got" || { cat "$tmp/json" "$tmp/got"; wrong "the report is not the expected one"; }
grep -q '^more .* MISSED$' "$tmp/table" || { cat "$tmp/table"; wrong "the table does not say what was missed"; }

# The programs.
LD_LIBRARY_PATH=$dest$libdir
export LD_LIBRARY_PATH
test -f "$dest$libdir/libgreen-core.so" || { BENCH_PC_OPTIONS=--static; export BENCH_PC_OPTIONS; }
CFLAGS="$CFLAGS -Wall -Wextra -Werror"
export CFLAGS
sh "$bench/run.sh" -s -o "$tmp/out" >"$tmp/log" 2>&1 || { cat "$tmp/log"; echo "run.sh failed"; exit 1; }

# Every row has its line in the table and its object in the JSON (of so few rounds a difference may be below 0); with no
# peers at hand nothing is said of most bars.
while read -r bench_name name rest; do
    test -n "$rest" || continue
    ! grep -q "^$bench_name: skipped: " "$tmp/log" || continue
    grep -q "^$name  *[a-z/]*  *-\{0,1\}[0-9]" "$tmp/log" || wrong "$name is not in the table"
    grep -q "^  {\"name\": \"$name\", \"unit\": \"[a-z/]*\", \"green_net\": -\{0,1\}[0-9]" "$tmp/out/bench-results.json" ||
        wrong "$name is not in the JSON"
done <<END
$(grep -v '^#' "$bench/rows.txt")
END
test "$(sed -n '1p;$p' "$tmp/out/bench-results.json" | tr -d '\n')" = "[]" || wrong "the JSON is no array"
test "$(grep -c '},$' "$tmp/out/bench-results.json")" = $(($(grep -c '}' "$tmp/out/bench-results.json") - 1)) ||
    wrong "the JSON lacks a comma"

# The chart has a bar for each row that could be judged.
awk -f "$bench/chart.awk" "$tmp/json" >"$tmp/svg" || wrong "chart.awk failed"
test "$(grep -c '<rect x=' "$tmp/svg")" = 6 || { cat "$tmp/svg"; wrong "the chart has not 6 bars"; }
test "$(sed -n '1s/ .*//p;$p' "$tmp/svg" | tr -d '\n')" = "<svg</svg>" || wrong "the chart is no SVG"
test -s "$tmp/out/bench-results.svg" || wrong "there is no chart"

if sh "$bench/run.sh" -s -o "$tmp/out" no-such >"$tmp/log" 2>&1; then
    wrong "a benchmark that there is not was run"
fi
test $bad = 0 || cat "$tmp/log"
exit $bad
