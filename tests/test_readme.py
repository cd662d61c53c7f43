"""The README is true: its Python runs and prints what it says, its commands and its names exist."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.reports import findings, markdown, words
from bench.reports.suites import collected

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
MARKED = dict(re.findall(r"^<!-- ci: ([^\n]+) -->\n```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))


def test_every_python_block_is_run_here():
    assert len(PROGRAMS) == README.count("```python\n") >= 2


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_python_prints_what_the_readme_says(program, printed, tmp_path):
    command = [sys.executable, "-W", "error", "-c", program]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", printed)


def test_use_fits_in_about_twenty_lines():
    lines = [line for line in PROGRAMS[0][0].splitlines() if line.strip()]
    assert 15 <= len(lines) <= 22


def test_both_commands_stand_alone():
    assert set(MARKED) == {"main job", "tests"}
    for command in MARKED.values():
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert len(command.splitlines()) == 1


def test_commands_name_extras_and_files_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for command in MARKED.values():
        (extra,) = re.findall(r"'\.\[(\w+)\]'", command)
        assert extra in extras
        assert [name for name in re.findall(r"\S+\.py\b", command) if not (ROOT / name).is_file()] == []


def test_ci_runs_the_marked_commands():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert set(re.findall(r'^run_readme "(.+?)"', script, re.MULTILINE)) == set(MARKED)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/design.md"])
def test_links_and_files_that_pages_name_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [(ROOT / page).parent / link for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text)]
    named = [
        ROOT / name
        for name in re.findall(r"`((?:autograd|nn|optim|regularize|tests|examples|docs)/[\w/]+\.\w+)`", text)
    ]
    assert links + named
    assert [str(path) for path in links + named if not path.is_file()] == []


COSTS = README.partition("## What it costs")[2].partition("\n## ")[0]
FIGURE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)")


def test_the_table_of_costs_is_what_the_report_writes_from_its_figures():
    stored = collected(ROOT / "docs" / "measured.json")
    assert markdown.block(stored) in COSTS
    assert markdown.page(stored) == (ROOT / "docs" / "measured.md").read_text(encoding="utf-8")


def test_every_figure_of_the_costs_is_traceable():
    """Each number of the table stands in the page of the report, and there are no figures beside the table."""
    before, block, after = re.split(f"{markdown.BEGIN}|{markdown.END}", COSTS)
    page = (ROOT / "docs" / "measured.md").read_text(encoding="utf-8")
    lines = [line for line in block.splitlines() if line.startswith("|")]
    assert len(lines) > 4
    assert [line for line in lines if line not in page.splitlines()] == []
    assert set(FIGURE.findall(before + after)) == {"1", "20"}  # a ratio of 1, and 20 minutes


def test_every_ratio_of_the_table_is_that_of_a_comparison_in_the_figures():
    for suite in collected(ROOT / "docs" / "measured.json"):
        found = {c.what: c.ratio.median for c in findings.comparisons(suite)}
        line = next(line for line in COSTS.splitlines() if line.startswith(f"| {suite['case']} |"))
        cells = [cell.strip() for cell in line.split("|")]
        assert cells[2:4] == ([str(len(found)), str(sum(r <= 1 for r in found.values()))] if found else ["", ""])
        for cell, pick in ((cells[6], min), (cells[7], max)) if found else ():
            what = pick(found, key=found.__getitem__)
            assert cell.startswith(f"{words.times(found[what])} ({what}, ")


def test_commands_of_the_costs_exist():
    named = re.findall(r"`python -m bench ([^`]+)`", " ".join(COSTS.split()))
    for line in named:
        assert bench.parser().parse_args(line.split()).case in bench.CASES | bench.COMMANDS
    suites = re.findall(r"`(\w+)`", COSTS[COSTS.index("lists the suites") :].partition("\n\n")[0])
    assert set(suites) <= set(bench.CASES)
    assert len(named) > 2
    assert len(suites) >= 8


def test_names_of_functions_that_the_table_lists_exist():
    table = README[README.index("| `autograd` |") : README.index("| `bench` |")]
    missing = []
    for row in table.strip().splitlines():
        package, *names = re.findall(r"`([\w.]+)`", row)
        module = importlib.import_module(package)
        missing += [
            f"{package}: {n}" for n in names if n != "state_dict" and not hasattr(module, n.removeprefix(f"{package}."))
        ]
    assert missing == []
