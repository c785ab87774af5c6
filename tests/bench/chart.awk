# From bench-results.json, an object a line as report.awk writes it, to an SVG chart of the rows that have a bar. A row's
# length says how green-net does against its bar: 1 is the bar itself, longer is better.

function field(name,    at, rest) {
    at = index($0, "\"" name "\": ")
    if (!at) return ""
    rest = substr($0, at + length(name) + 4)
    sub(/^"/, "", rest)
    sub(/["}],? .*|["}],?$|, .*/, "", rest)
    return rest
}

/"name": / {
    bar = field("bar"); ratio = field("ratio"); holds = field("holds")
    if (bar == "null" || holds == "null") next
    own = ratio == "null" ? field("green_net") : ratio
    name[++n] = field("name")
    good[n] = holds == "true"
    score[n] = field("better") == "less" ? (own > 0 ? bar / own : 9) : own / bar
    label[n] = ratio == "null" ? own " " field("unit") ", bar " bar : ratio " of " field("against") ", bar " bar
}

END {
    left = 180; unit = 200; top = 48; step = 24; most = 2.5
    width = left + unit * most + 200
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" " \
        "font-family=\"sans-serif\" font-size=\"12\">\n", width, top + n * step + 16, width, top + n * step + 16
    printf "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
    printf "<text x=\"12\" y=\"22\" font-size=\"15\" fill=\"#222222\">green-net against its bars: longer is better</text>\n"
    printf "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#222222\">the bar</text>\n", left + unit, top - 6
    for (i = 1; i <= n; i++) {
        y = top + (i - 1) * step
        long = (score[i] > most ? most : score[i]) * unit
        printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#222222\">%s</text>\n", left - 8, y + 16, name[i]
        printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"16\" fill=\"%s\"/>\n", left, y + 4, long,
            good[i] ? "#2e8b57" : "#c0392b"
        printf "<text x=\"%.1f\" y=\"%d\" fill=\"#222222\">%s%s</text>\n", left + long + 6, y + 16, label[i],
            good[i] ? "" : " (missed)"
    }
    printf "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#222222\" stroke-dasharray=\"4 3\"/>\n", left + unit, top,
        left + unit, top + n * step
    printf "</svg>\n"
}
