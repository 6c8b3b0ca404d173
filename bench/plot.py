# SPDX-License-Identifier: BSD-3-Clause
"""Charts as SVG text, without a library: bars, curves, and steps over time."""
import math
from xml.sax.saxutils import escape

COLOURS = {"ouro": "#2b6cb0", "redis": "#c05621", "memcached": "#2f855a", "redis lru": "#c05621", "redis lfu": "#dd9a3c"}
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


def curves(path, title, places, series):
    """A line a series through its values, shares of one at each place, None where it has none. Places stand by their ratios."""
    left, width, top, height = 50, 460, 60, 300
    spread = math.log(places[-1] / places[0]) or 1
    across = [left + width * math.log(place / places[0]) / spread for place in places]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 120}" height="{top + height + 40}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="100%" height="100%" fill="white"/><text x="10" y="22" font-size="15">{escape(title)}</text>']
    values = [value for line in series.values() for value in line if value is not None]
    low, high = math.floor(min(values) * 10) / 10, math.ceil(max(values) * 10) / 10 or 0.1
    high = max(high, low + 0.1)
    for tick in range(round((high - low) * 10) + 1):
        y = top + height - height * tick / ((high - low) * 10)
        out.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{low * 100 + tick * 10:.0f} %</text>')
    for x, place in zip(across, places):
        out.append(f'<text x="{x:.1f}" y="{top + height + 20}" text-anchor="middle">{place:g}</text>')
    for number, (name, line) in enumerate(series.items()):
        points = [(x, top + height * (high - value) / (high - low)) for x, value in zip(across, line) if value is not None]
        if points:
            out.append(f'<polyline fill="none" stroke="{COLOURS[name]}" stroke-width="2" points="'
                       + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
        out.append(f'<rect x="{left + width + 15}" y="{top + 20 * number}" width="12" height="12" fill="{COLOURS[name]}"/>'
                   f'<text x="{left + width + 33}" y="{top + 20 * number + 10}">{escape(name)}</text>')
    out.append("</svg>\n")
    path.write_text("\n".join(out), encoding="utf-8")


def number_text(value):
    """Three digits, without an exponent for large ones."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def lines(path, title, series, across, up):
    """Steps over time: for each name points (x, y), where y holds from x on to the next. `across` and `up` name the axes. Each
    series has a panel of its own below the other, on the same scales, so that what is small can be seen beside what is large."""
    last = max((points[-1][0] for points in series.values() if points), default=1) or 1
    most = max((y for points in series.values() for _, y in points), default=1) or 1
    panel, left, width = 150, 70, 600
    height = TOP + (panel + 30) * len(series)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 40}" height="{height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="100%" height="100%" fill="white"/><text x="10" y="22" font-size="15">{escape(title)}</text>'
           f'<text x="10" y="42" fill="#555">{escape(up)} over {escape(across)}</text>']
    for number, (name, points) in enumerate(series.items()):
        top = TOP + (panel + 30) * number
        bottom = top + panel
        peak = max((y for _, y in points), default=0)
        out.append(f'<line x1="{left}" x2="{left + width}" y1="{bottom}" y2="{bottom}" stroke="#888"/>'
                   f'<line x1="{left}" x2="{left}" y1="{top}" y2="{bottom}" stroke="#888"/>'
                   f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{number_text(most)}</text>'
                   f'<text x="{left - 6}" y="{bottom}" text-anchor="end">0</text>'
                   f'<text x="{left}" y="{bottom + 14}">0</text>'
                   f'<text x="{left + width}" y="{bottom + 14}" text-anchor="end">{number_text(last)}</text>'
                   f'<text x="{left + 10}" y="{top + 10}" fill="{COLOURS[name]}">'
                   f'{escape(name)}, at most {number_text(peak)}</text>')
        path_text, before = [f"M{left},{bottom}"], bottom
        for x, y in thinned(points, width):
            across_at, up_at = left + x / last * width, bottom - y / most * (panel - 20)
            path_text.append(f"L{across_at:.1f},{before:.1f}L{across_at:.1f},{up_at:.1f}")
            before = up_at
        out.append(f'<path d="{"".join(path_text)}L{left + width},{before:.1f}" fill="none" stroke="{COLOURS[name]}" '
                   'stroke-width="1.5"/>')
    out.append("</svg>\n")
    path.write_text("\n".join(out), encoding="utf-8")


def thinned(points, places):
    """At most two points for each place of a line: the least and the most of those that fall there."""
    last = points[-1][0] if points else 1
    groups = {}
    for point in points:
        groups.setdefault(int(point[0] / (last or 1) * places), []).append(point)
    for group in groups.values():
        low, high = min(group, key=lambda point: point[1]), max(group, key=lambda point: point[1])
        yield from sorted({low, high})
