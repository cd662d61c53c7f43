"""The report as one page of HTML that needs nothing else: style and pictures stand in it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bench.reports import findings, pictures, words
from bench.reports.suites import Stored

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px; display: block; overflow-x: auto; }
th, td { padding: 2px 10px; text-align: left; border-bottom: 1px solid #8884; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; } code, pre { font-size: 13px; } pre { overflow-x: auto; border-left: 3px solid #c00; }
pre { padding-left: 1rem; } .faster, .kept { color: #15803d; } .slower, .missed, .failed { color: #dc2626; }
.slower, .missed, .failed { font-weight: bold; } svg { width: 100%; height: auto; margin: 1rem 0; font-size: 12px; }
svg text { fill: currentColor; } svg .small { font-size: 11px; } svg .title { font-weight: bold; }
svg .win { fill: #16a34a; } svg .loss { fill: #dc2626; } svg .axis { stroke: currentColor; }
svg .grid { stroke: #8884; }
"""


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; verdicts are coloured."""
    verdicts = ("faster", "slower", "kept", "missed", "failed")

    def cell(text: str) -> str:
        kind = f' class="{text}"' if text in verdicts else ""
        return f"<td{kind}>{escape(text)}</td>"

    top = "<tr>" + "".join(f"<th>{escape(text)}</th>" for text in head) + "</tr>"
    return "\n".join(["<table>", top, *("<tr>" + "".join(map(cell, line)) + "</tr>" for line in lines), "</table>"])


def page(suites: Sequence[Stored]) -> str:
    """The whole page."""
    summaries = [words.summary_cells(findings.summary(suite)) for suite in suites]
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>wengert: what was measured</title>\n<style>{STYLE}</style>",
        "<h1>What was measured</h1>",
        "<p>Written by <code>python -m bench report</code>. Every comparison is listed, those that are lost as those "
        "that are won, and so is every promise that is missed. Sides take turns, each in a process of its own; a ratio "
        "is the median over rounds, with its quartiles.</p>",
        *([f'<p class="failed">{escape(said)}</p>'] if (said := words.busy(suites)) else []),
        table(words.HEAD, summaries),
        *map(section, suites),
    ]
    return "\n".join(parts) + "\n</html>\n"


def section(suite: Stored) -> str:
    """A suite: where and how it ran, pictures, who is faster, the promises, the other figures, the notes."""
    where = suite["environment"]
    place = "<br>".join(map(escape, (words.when(suite), words.machine(where), words.versions(where))))
    parts = [
        f'<h2 id="{escape(suite["case"])}">{escape(suite["case"])}</h2>',
        f"<p><code>{escape(words.command(suite))}</code><br>{place}</p>",
    ]
    if "error" in suite:
        parts.append(f'<p class="failed">It failed:</p>\n<pre>{escape(suite["error"])}</pre>')
    grown = list(findings.curves(suite))
    parts += [pictures.growth(curves, f"{topic}: seconds by size") for topic, curves in grown]
    if found := findings.comparisons(suite):
        labels = findings.labels(found)
        parts += [] if grown else [pictures.bars(sorted(found, key=lambda c: c.ratio.median))]
        head = ["work", *labels, "best peer", "ours to it", ""]
        parts.append(table(head, [words.comparison_cells(c, labels) for c in found]))
    if wanted := findings.promises(suite):
        parts.append(table(["promise", "median", "quartiles", "target", ""], list(map(words.row_cells, wanted))))
    if rest := findings.others(suite):
        parts.append(table(["figure", "median", "quartiles"], [words.row_cells(row)[:3] for row in rest]))
    if notes := findings.notes(suite):
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>")
    return "\n".join(parts)
