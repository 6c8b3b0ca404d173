# SPDX-License-Identifier: BSD-3-Clause
"""Bar charts as SVG text, without a library."""
from xml.sax.saxutils import escape

COLOURS = {"ouro": "#2b6cb0", "redis": "#c05621", "memcached": "#2f855a"}
ROW, BAR, LEFT, WIDTH, TOP = 16, 13, 150, 520, 60


def bars(path, title, names, series, each_its_scale=False):
    """Horizontal bars: for each name one bar a series. A value is (middle, low, high), the range drawn as a line; or None where a
    series has no such thing. each_its_scale: a name's bars are drawn against the longest of that name alone, for names whose
    values are far apart."""
    longest = [max((values[row][2] for values in series.values() if values[row]), default=1) or 1 for row in range(len(names))]
    if not each_its_scale:
        longest = [max(longest, default=1)] * len(names)
    group = ROW * len(series) + 8
    height = TOP + group * len(names) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" height="{height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="100%" height="100%" fill="white"/><text x="10" y="22" font-size="15">{escape(title)}</text>']
    for number, name in enumerate(series):
        x = LEFT + 110 * number
        out.append(f'<rect x="{x}" y="34" width="12" height="12" fill="{COLOURS[name]}"/>'
                   f'<text x="{x + 18}" y="44">{escape(name)}</text>')
    if each_its_scale:
        out.append(f'<text x="{LEFT + 110 * len(series)}" y="44" fill="#555">each group has its own scale</text>')
    for row, name in enumerate(names):
        y = TOP + group * row
        out.append(f'<text x="{LEFT - 8}" y="{y + group / 2}" text-anchor="end">{escape(name)}</text>')
        for number, (server, values) in enumerate(series.items()):
            top = y + ROW * number
            if values[row] is None:
                out.append(f'<text x="{LEFT + 5}" y="{top + 11}" fill="#888">has none</text>')
                continue
            middle, low, high = (value / longest[row] * WIDTH for value in values[row])
            out.append(f'<rect x="{LEFT}" y="{top}" width="{middle:.1f}" height="{BAR}" fill="{COLOURS[server]}"/>')
            if high > low:
                out.append(f'<line x1="{LEFT + low:.1f}" x2="{LEFT + high:.1f}" y1="{top + BAR / 2}" y2="{top + BAR / 2}" '
                           'stroke="black"/>')
            out.append(f'<text x="{LEFT + max(middle, high) + 5:.1f}" y="{top + 11}">{number_text(values[row][0])}</text>')
    out.append("</svg>\n")
    path.write_text("\n".join(out), encoding="utf-8")


def number_text(value):
    """Three digits, without an exponent for large ones."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
