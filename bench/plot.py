# SPDX-License-Identifier: BSD-3-Clause
"""Bar charts as SVG text, without a library."""
from xml.sax.saxutils import escape

COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#805ad5")
ROW, BAR, LEFT, WIDTH, TOP = 16, 13, 150, 520, 60


def bars(path, title, names, series):
    """Horizontal bars: for each name one bar a series. A value is (middle, low, high); the range is drawn as a line."""
    largest = max((high for values in series.values() for _, _, high in values), default=1) or 1
    group = ROW * len(series) + 8
    height = TOP + group * len(names) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" height="{height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="100%" height="100%" fill="white"/><text x="10" y="22" font-size="15">{escape(title)}</text>']
    for number, name in enumerate(series):
        x = LEFT + 110 * number
        out.append(f'<rect x="{x}" y="34" width="12" height="12" fill="{COLOURS[number]}"/>'
                   f'<text x="{x + 18}" y="44">{escape(name)}</text>')
    for row, name in enumerate(names):
        y = TOP + group * row
        out.append(f'<text x="{LEFT - 8}" y="{y + group / 2}" text-anchor="end">{escape(name)}</text>')
        for number, values in enumerate(series.values()):
            middle, low, high = (value / largest * WIDTH for value in values[row])
            top = y + ROW * number
            out.append(f'<rect x="{LEFT}" y="{top}" width="{middle:.1f}" height="{BAR}" fill="{COLOURS[number]}"/>')
            if high > low:
                out.append(f'<line x1="{LEFT + low:.1f}" x2="{LEFT + high:.1f}" y1="{top + BAR / 2}" y2="{top + BAR / 2}" '
                           'stroke="black"/>')
            out.append(f'<text x="{LEFT + max(middle, high) + 5:.1f}" y="{top + 11}">{values[row][0]:.3g}</text>')
    out.append("</svg>\n")
    path.write_text("\n".join(out), encoding="utf-8")
