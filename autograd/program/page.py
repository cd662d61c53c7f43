"""Tables as text and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; }
h1 { font-size: 1.2em; } h2 { font-size: 1em; margin-top: 2em; }
table { border-collapse: collapse; } th { text-align: left; }
th, td { padding: 2px 10px 2px 0; vertical-align: top; border-bottom: 1px solid #e4e4e4; }
td { font-family: ui-monospace, monospace; font-size: 12px; }
summary { cursor: pointer; } details table td { border: 0; color: #555; }
.bar { display: inline-block; height: 9px; background: #c55; margin-right: 6px; }
"""
Detail = Sequence[Sequence[str]]


def size(count: float) -> str:
    """A number of bytes in three digits or so.

    >>> size(96), size(131072), size(3.2e9)
    ('96 B', '131 kB', '3.2 GB')
    """
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def table(head: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns under each other.

    >>> table(("name", "size"), [("a", "12 B")])
    ['name  size', 'a     12 B']
    """
    whole = [*([head] if head else []), *rows]
    if not whole:
        return []
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in whole]


def page(
    title: str,
    head: Sequence[str],
    rows: Sequence[tuple[Sequence[str], float | None, Detail]],
    buffers: Detail,
    ends: Sequence[str],
) -> str:
    """A page of a program: its entries, which open to show their operations, and its buffers."""
    longest = max((took or 0.0 for _, took, _ in rows), default=0.0) or 1.0
    cells = [
        _row(row, (took or 0.0) / longest, detail, head.index("what"), head.index("us")) for row, took, detail in rows
    ]
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<table><tr>{''.join(f'<th>{escape(c)}</th>' for c in head)}</tr>{''.join(cells)}</table>",
        *(f"<p>{escape(end)}</p>" for end in ends),
        f"<h2>Buffers</h2><table>{_lines(buffers)}</table>",
    ]
    start = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    return f"{start}<style>{STYLE}</style></head><body>\n{chr(10).join(body)}\n</body></html>\n"


def _row(cells: Sequence[str], share: float, detail: Detail, what: int, took: int) -> str:
    shown = [escape(c) for c in cells]
    if detail:
        shown[what] = (
            f"<details><summary>{shown[what] or '&hellip;'}</summary><table>{_lines(detail)}</table></details>"
        )
    if share:
        shown[took] = f'<span class="bar" style="width: {80 * share:.0f}px"></span>{shown[took]}'
    return f"<tr>{''.join(f'<td>{c}</td>' for c in shown)}</tr>\n"


def _lines(rows: Detail) -> str:
    return "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>\n" for row in rows)
