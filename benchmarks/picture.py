"""Small SVG charts, returned as text. The colours follow the light or dark setting of the reader.

dots    a row per label, a dot per series, logarithmic scale
bars    a row per label, a bar for its ratio, a mark at its limit
lines   a line per label over sizes, both scales logarithmic
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from html import escape
from math import ceil, floor, inf, log10

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .faint, .faint text { fill: #656d76 }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .limit { stroke: #24292f; stroke-width: 2 }
  .paper { fill: #ffffff }
  .s0 { fill: #8c959f; stroke: #8c959f } .s1 { fill: #0969da; stroke: #0969da }
  .s2 { fill: #8250df; stroke: #8250df } .s3 { fill: #1a7f37; stroke: #1a7f37 }
  .s4 { fill: #bc4c00; stroke: #bc4c00 } .over { fill: #cf222e; stroke: #cf222e }
  .line { fill: none; stroke-width: 1.5; stroke-opacity: .55 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .faint, .faint text { fill: #8d96a0 }
    .grid { stroke: #30363d } .limit { stroke: #e6edf3 } .paper { fill: #0d1117 }
    .s0 { fill: #8d96a0; stroke: #8d96a0 } .s1 { fill: #4493f8; stroke: #4493f8 }
    .s2 { fill: #ab7df8; stroke: #ab7df8 } .s3 { fill: #3fb950; stroke: #3fb950 }
    .s4 { fill: #f0883e; stroke: #f0883e } .over { fill: #f85149; stroke: #f85149 }
    .line { fill: none }
  }
"""

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 250, 70, 76, 24

Scale = Callable[[float], float]


def dots(
    title: str,
    rows: Sequence[tuple[str, Mapping[str, float]]],
    series: Sequence[str],
    unit: Callable[[float], str],
) -> str:
    """Rows of (label, series -> value)."""
    values = [value for _, row in rows for value in row.values()]
    bottom = TOP + ROW * len(rows)
    place, ticks = _log_scale(values, LEFT, WIDTH - RIGHT)
    parts = [_legend(series), *_columns(place, ticks, bottom, unit)]
    for number, (label, row) in enumerate(rows):
        y = TOP + ROW * number + ROW / 2
        parts.append(_label(label, y))
        spots = [place(value) for value in row.values()]
        parts.append(_rule(min(spots), y, max(spots), y))
        parts += [
            f'<circle class="s{series.index(name)}" cx="{place(value):.1f}" cy="{y}" r="5">'
            f"<title>{escape(f'{label}, {name}: {unit(value)}')}</title></circle>"
            for name, value in row.items()
        ]
    return _page(title, bottom + 36, parts)


def bars(
    title: str,
    rows: Sequence[tuple[str, float, float | None]],
    caption: str,
) -> str:
    """Rows of (label, ratio, limit or None). A bar that exceeds its limit is red."""
    most = max(max(value, limit or 0) for _, value, limit in rows) * 1.05
    bottom = TOP + ROW * len(rows)

    def place(value: float) -> float:
        return LEFT + value / most * (WIDTH - RIGHT - LEFT)

    step = _round_step(most / 6)
    ticks = [step * count for count in range(int(most / step) + 1)]
    parts = [f'<text class="faint" x="20" y="54">{escape(caption)}</text>']
    parts += _columns(place, ticks, bottom, lambda value: f"{value:g}")
    for number, (label, value, limit) in enumerate(rows):
        y = TOP + ROW * number + ROW / 2
        over = limit is not None and value > limit
        parts.append(_label(label, y))
        parts.append(
            f'<rect class="{"over" if over else "s1"}" x="{LEFT}" y="{y - 7}" '
            f'width="{place(value) - LEFT:.1f}" height="14" rx="2"/>'
        )
        if limit is not None:
            x = place(limit)
            parts.append(f'<path class="limit" d="M{x:.1f} {y - 10}V{y + 10}"/>')
        beside = place(value)
        if limit is not None and beside - 8 < place(limit) < beside + 46:
            beside = place(limit)  # otherwise the number would cover the mark
        parts.append(f'<text x="{beside + 6:.1f}" y="{y + 4}">{value:.2f}</text>')
    return _page(title, bottom + 36, parts)


def lines(
    title: str,
    rows: Iterable[tuple[str, str, Sequence[float]]],
    sizes: Sequence[float],
    series: Sequence[str],
    unit: Callable[[float], str],
    loud: Collection[str] = (),
) -> str:
    """Rows of (label, series, values at sizes). Labels in `loud` are drawn in red and named."""
    rows = list(rows)
    height, left = 420, 80
    down, levels = _log_scale([v for _, _, row in rows for v in row], TOP + height, TOP)
    across, _ = _log_scale(sizes, left, WIDTH - 30, whole=False)
    parts, named = [_legend(series)], [inf]
    for level in levels:
        y = down(level)
        parts.append(_rule(left, y, WIDTH - 30, y))
        parts.append(
            f'<text class="faint" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(unit(level))}</text>"
        )
    parts += [
        f'<text class="faint" x="{across(size):.1f}" y="{TOP + height + 20}" '
        f'text-anchor="middle">{size:,.0f}</text>'
        for size in sizes
    ]
    for label, name, row in rows:
        points = " ".join(
            f"{across(size):.1f},{down(value):.1f}" for size, value in zip(sizes, row, strict=True)
        )
        colour = "over" if label in loud else f"s{series.index(name)}"
        parts.append(
            f'<polyline class="{colour} line" points="{points}">'
            f"<title>{escape(label)}</title></polyline>"
        )
        if label in loud:
            y = down(row[-1]) - 5
            while min(abs(y - other) for other in named) < 14:
                y -= 14
            named.append(y)
            parts.append(
                f'<text x="{WIDTH - 34}" y="{y:.1f}" text-anchor="end">{escape(label)}</text>'
            )
    return _page(title, TOP + height + 40, parts)


def _log_scale(
    values: Iterable[float], start: float, end: float, whole: bool = True
) -> tuple[Scale, list[float]]:
    """A function from value to position, and the powers of ten on the scale.

    With `whole` the scale starts and ends at a power of ten.
    """
    values = list(values)
    low, high = log10(min(values)), log10(max(values))
    if whole:
        low, high = floor(low), max(ceil(high), floor(low) + 1)
    span = (high - low) or 1
    ticks = [10.0**power for power in range(ceil(low), floor(high) + 1)]
    return (lambda value: start + (log10(value) - low) / span * (end - start)), ticks


def _round_step(step: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is not below `step`."""
    power = 10.0 ** floor(log10(step))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= step)


def _columns(
    place: Scale, ticks: Iterable[float], bottom: float, unit: Callable[[float], str]
) -> list[str]:
    parts = []
    for tick in ticks:
        x = place(tick)
        parts.append(_rule(x, TOP, x, bottom))
        parts.append(
            f'<text class="faint" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">'
            f"{escape(unit(tick))}</text>"
        )
    return parts


def _legend(series: Sequence[str]) -> str:
    parts, x = [], 20.0
    for number, name in enumerate(series):
        parts.append(f'<circle class="s{number}" cx="{x + 5:.0f}" cy="50" r="5"/>')
        parts.append(f'<text x="{x + 16:.0f}" y="54">{escape(name)}</text>')
        x += 36 + 7 * len(name)
    return "".join(parts)


def _label(text: str, y: float) -> str:
    return f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="grid" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _page(title: str, height: float, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(title)}">\n'
        f'<style>{STYLE}</style>\n<rect class="paper" width="100%" height="100%"/>\n'
        f'<text class="title" x="20" y="28">{escape(title)}</text>\n{body}\n</svg>\n'
    )
