# From rows.txt and lines `BENCHMARK ROUND CONTESTANT FIGURE UNIT VALUE` to a table on stdout and a JSON array in the file
# `json`; `context` is green-net's context method; with `smoke` nothing is judged.

function median(values, n,    i, j, v) {
    for (i = 2; i <= n; i++) {
        v = values[i]
        for (j = i - 1; j > 0 && values[j] > v; j--) values[j + 1] = values[j]
        values[j + 1] = v
    }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}

# The median of one contestant's figure over the rounds; "" where it has none.
function figure_of(bench, who, figure,    r, n, list) {
    for (r = 1; r <= rounds; r++)
        if ((bench, r, who, figure) in value) list[++n] = value[bench, r, who, figure]
    return n ? median(list, n) : ""
}

# The median of the ratios in the same round.
function ratio_of(bench, peer, figure,    r, n, list, own, other) {
    for (r = 1; r <= rounds; r++) {
        if (!((bench, r, "green-net", figure) in value) || !((bench, r, peer, figure) in value)) continue
        own = value[bench, r, "green-net", figure]
        other = value[bench, r, peer, figure]
        if (other > 0) list[++n] = own / other
    }
    return n ? median(list, n) : ""
}

function bar_of(word) {
    if (word == "-") return ""
    if (word == "context") return context == "native" ? 0.17 : context ~ /^(builtin|setjmp)$/ ? 0.4 : ""
    if (word == "page+400") return page > 0 ? page + 400 : ""
    return word + 0
}

function number(v) { return v == "" ? "null" : sprintf("%.6g", v) }
function short(v) { return v == "" ? "-" : v >= 1000 ? sprintf("%.0f", v) : sprintf("%.3g", v) }

function row(bench, name, figure, better, bar, peers, saturated,
             list, n, i, m, best, against, ratio, own, holds, shown, object, verdict, decided) {
    own = figure_of(bench, "green-net", figure)
    if (own == "") return
    decided = figure
    if (split(saturated, list, ":") == 2 && figure_of(bench, "green-net", list[1]) >= 0.95) {
        decided = list[2]
        better = "less"
        own = figure_of(bench, "green-net", decided)
    }
    n = peers == "-" ? 0 : split(peers, list, ",")
    for (i = 1; i <= n; i++) {
        if ((m = figure_of(bench, list[i], decided)) == "") continue
        shown = shown (shown == "" ? "" : "  ") list[i] " " short(m)
        object = object (object == "" ? "" : ", ") "\"" list[i] "\": " number(m)
        if (against == "" || (better == "less" ? m < best : m > best)) { best = m; against = list[i] }
    }
    if (against != "") ratio = ratio_of(bench, against, decided)
    bar = bar_of(bar)
    if (decided != figure && bar != "") bar = 1 / bar
    holds = "null"
    verdict = ""
    m = n ? ratio : own
    if (smoke) verdict = "not judged"
    else if (bar != "" && m != "") {
        # A ratio is measured, so it may be within 3 % of the bar; a count is a count.
        holds = (better == "less" ? m <= bar * (n ? 1.03 : 1) : m >= bar * (n ? 0.97 : 1)) ? "true" : "false"
        verdict = holds == "true" ? "holds" : "MISSED"
    } else if (bar != "")
        verdict = "no peer"
    if (decided != figure) verdict = verdict " (by " decided ")"
    printf "%-21s %-7s %9s  %-58s %7s %7s  %s\n", name, unit[decided], short(own), shown, short(ratio), short(bar), verdict
    printf "%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"green_net\": %s, \"peers\": {%s}, \"ratio\": %s, \"bar\": %s, " \
        "\"holds\": %s, \"better\": \"%s\", \"against\": %s, \"figure\": \"%s\"}", printed++ ? "," : "", name,
        unit[decided], number(own), object, number(ratio), number(bar), holds, better,
        against == "" ? "null" : "\"" against "\"", decided >json
}

NR == FNR {
    if ($0 !~ /^#/ && NF >= 6) rows[++n_rows] = $0
    next
}
NF == 6 {
    value[$1, $2, $3, $4] = $6
    unit[$4] = $5
    if ($2 > rounds) rounds = $2
    if ($4 == "page") page = $6
}
END {
    printf "[" >json
    printf "%-21s %-7s %9s  %-58s %7s %7s\n", "", "unit", "green-net", "peers", "ratio", "bar"
    for (k = 1; k <= n_rows; k++) {
        split(rows[k], f, " ")
        row(f[1], f[2], f[3], f[4], f[5], f[6], f[7])
    }
    printf "\n]\n" >json
    if (!printed) exit 1
}
