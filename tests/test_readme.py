"""The README is true: its Python runs and prints what it says, its commands and its names exist."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench import loader, tape

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


def test_figures_are_of_rows_that_the_cases_print():
    rows = tape.run(repeats=1, length=2, number=1, peers=False) + loader.run(repeats=1, rows=512)
    fixed = [row.what for row in rows if "512" not in row.what]  # the loader's first row names its size
    assert [what for what in fixed if not re.search(rf"^{re.escape(what)}  ", README, re.MULTILINE)] == []
    assert len(fixed) == len(rows) - 1
    for row in rows:
        if row.target is not None and row.what in README:
            assert f"<= {row.target:g} {row.unit}" in next(k for k in README.splitlines() if k.startswith(row.what))


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
