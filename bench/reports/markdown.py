"""The report as Markdown, and the summary that the README quotes between two comments."""

from __future__ import annotations

from collections.abc import Sequence

from bench.reports import findings, words
from bench.reports.suites import Stored

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
INTRODUCTION = """\
# What was measured

Written by `python -m bench report`; the figures behind it stand in [measured.json](measured.json). Every comparison is
listed, those that are lost (**slower**) as those that are won, and so is every promise that is missed. Sides take
turns, each in a process of its own; a ratio is the median over rounds, with its quartiles: trust ratios more than
times.
"""


def cell(text: str) -> str:
    """Text that may stand in a table; what is lost is bold."""
    plain = text.replace("|", "\\|").replace("\n", " ")
    return f"**{plain}**" if plain in ("slower", "missed", "failed") else plain


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table.

    >>> print(table(["a", "b"], [["1", "missed"]]))
    | a | b |
    | --- | --- |
    | 1 | **missed** |
    """
    rows = [head, ["---"] * len(head), *(map(cell, line) for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def summary(suites: Sequence[Stored]) -> str:
    """A line for each suite."""
    return table(words.HEAD, [words.summary_cells(findings.summary(suite)) for suite in suites])


def page(suites: Sequence[Stored]) -> str:
    """The whole page."""
    warning = [f"**{said}**"] if (said := words.busy(suites)) else []
    return "\n\n".join([INTRODUCTION.rstrip(), *warning, summary(suites), *map(section, suites)]) + "\n"


def section(suite: Stored) -> str:
    """A suite: where and how it ran, who is faster, the promises, the other figures, the notes."""
    where = suite["environment"]
    parts = [
        f"## {suite['case']}",
        f"`{words.command(suite)}`, {words.when(suite)}  \n{words.machine(where)}  \n{words.versions(where)}",
    ]
    if "error" in suite:
        parts.append(f"**It failed:**\n\n```text\n{suite['error']}\n```")
    found = findings.comparisons(suite)
    if found:
        labels = findings.labels(found)
        head = ["work", *labels, "best peer", "ours to it", ""]
        parts.append(table(head, [words.comparison_cells(c, labels) for c in found]))
    if wanted := findings.promises(suite):
        parts.append(table(["promise", "median", "quartiles", "target", ""], list(map(words.row_cells, wanted))))
    if rest := findings.others(suite):
        parts.append(table(["figure", "median", "quartiles"], [words.row_cells(row)[:3] for row in rest]))
    notes = findings.notes(suite)
    return "\n\n".join([*parts, *(["\n".join(f"- {note}" for note in notes)] if notes else [])])


def block(suites: Sequence[Stored]) -> str:
    """What stands in the README between the two comments, and they."""
    where = suites[0]["environment"]
    date = where.get("date", "date unknown")[:10]
    place = f"`python -m bench report`, {date}, {words.machine(where)}; {words.versions(where)}:"
    warning = f"**{said}**\n\n" if (said := words.busy(suites)) else ""
    return f"{BEGIN}\n\n{place}\n\n{warning}{summary(suites)}\n\n{END}"


def quoted(readme: str, suites: Sequence[Stored]) -> str:
    """The README with its block written anew.

    Raises:
        ValueError: if the two comments are not there, once each and in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after or END in before:
        raise ValueError(f"README.md was to be given a table. Expected one line {BEGIN} and below it one line {END}.")
    return before + block(suites) + after
