"""One report of all suites: a page of HTML, a page of Markdown, and the figures behind both.

`python -m bench report` runs the suites in their quick form, within 20 minutes together; a suite that fails is shown
with its error and loses no other.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.reports import html, markdown
from bench.reports.findings import rounded
from bench.reports.suites import ROOT, SUITES, Stored, collected, run_all

ABOUT = "runs the suites and writes one report, wins and losses alike, as HTML, Markdown and JSON"
NAME = "measured"


def options(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="PATH", help="run nothing: collect these JSON files"
    )
    parser.add_argument("--to", type=Path, default=ROOT / "docs", metavar="FOLDER", help="where it is written: docs")
    parser.add_argument("--suites", nargs="+", choices=tuple(SUITES), default=list(SUITES), help="these alone")
    parser.add_argument("--full", action="store_true", help="the suites in full, however long that takes")
    parser.add_argument(
        "--with", dest="extra", action="append", default=[], metavar="'SUITE OPTIONS'", help="more options for a suite"
    )
    parser.add_argument("--readme", action="store_true", help="quote the summary in README.md as well")


def main(given: Any) -> int:
    """Run or collect, then write; the exit code says whether every suite has figures."""
    try:
        extra = {words[0]: words[1:] for text in given.extra if (words := shlex.split(text))}
        if unknown := sorted(set(extra) - set(SUITES)):
            raise ValueError(f"--with names {', '.join(unknown)}. Expected one of {', '.join(SUITES)}.")
        suites = (
            [one for one in collected(given.source) if one["case"] in (*given.suites, "loader")]
            if given.source
            else run_all([name for name in SUITES if name in given.suites], quick=not given.full, extra=extra)
        )
        for file in write(suites, given.to):
            print(file)
        if given.readme:
            readme = ROOT / "README.md"
            readme.write_text(markdown.quoted(readme.read_text(encoding="utf-8"), stored(suites)), encoding="utf-8")
            print(readme)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    failed = [one["case"] for one in suites if "error" in one]
    if failed:
        print(f"without figures: {', '.join(failed)}; the report says why", file=sys.stderr)
    return 1 if failed else 0


def stored(suites: Sequence[Stored]) -> list[Stored]:
    """What is kept of figures, and what both pages are made of: five digits."""
    found: list[Stored] = rounded(list(suites))
    return found


def write(suites: Sequence[Stored], folder: Path) -> list[Path]:
    """The three files; a line of JSON for each result, so that changes can be read."""
    kept = stored(suites)
    pages = {".json": dumped(kept), ".md": markdown.page(kept), ".html": html.page(kept)}
    folder.mkdir(parents=True, exist_ok=True)
    files = [(folder / (NAME + suffix)) for suffix in pages]
    for file, page in zip(files, pages.values(), strict=True):
        file.write_text(page, encoding="utf-8")
    return files


def dumped(suites: Sequence[Stored]) -> str:
    """The figures as JSON."""
    parts = []
    for suite in suites:
        rest = ",\n".join(
            f" {json.dumps(key)}: {json.dumps(value)}" for key, value in suite.items() if key != "results"
        )
        results = ",\n".join(f"  {json.dumps(result)}" for result in suite["results"])
        parts.append(f'{{\n{rest},\n "results": [\n{results}\n ]\n}}')
    return '{"suites": [\n' + ",\n".join(parts) + "\n]}\n"
