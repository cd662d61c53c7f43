"""For pytest: the fixture `gradcheck`, which asserts, and `--gradcheck-report`, which prints what was checked.

Installed with the package; in a checkout, `pytest -p autograd.gradcheck.plugin`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograd.gradcheck.check import gradcheck as check
from autograd.gradcheck.result import GradcheckResult

RESULTS = pytest.StashKey[list[tuple[str, GradcheckResult]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option `--gradcheck-report`, with the name of a JSON file if it is to be written."""
    parser.getgroup("gradcheck").addoption(
        "--gradcheck-report",
        nargs="?",
        const="-",
        metavar="FILE",
        help="print the verdict of every gradcheck, or write all of them to a JSON file",
    )


def pytest_configure(config: pytest.Config) -> None:
    """A place for the results; a file that cannot be written is said before the tests, not after them."""
    config.stash[RESULTS] = []
    where = config.getoption("--gradcheck-report")
    if where not in (None, "-") and not Path(where).absolute().parent.is_dir():
        raise pytest.UsageError(f"--gradcheck-report was given {where!r}. Expected a file in a folder that is there.")


@pytest.fixture(name="gradcheck")
def gradcheck_fixture(request: pytest.FixtureRequest) -> Callable[..., GradcheckResult]:
    """`gradcheck(f, inputs, ...)` as `ag.gradcheck`, failing the test with its report unless it passes."""

    def checked(*args: Any, **settings: Any) -> GradcheckResult:
        __tracebackhide__ = True
        result = check(*args, **settings)
        request.config.stash[RESULTS].append((request.node.nodeid, result))
        if not result:
            pytest.fail(result.report(), pytrace=False)
        return result

    return checked


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """One line for each check, or the file."""
    where = config.getoption("--gradcheck-report")
    if where is None:
        return
    results = config.stash[RESULTS]
    if where != "-":
        found = [{"test": test} | json.loads(result.to_json()) for test, result in results]
        Path(where).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return
    terminalreporter.section("gradcheck")
    for test, result in results:
        terminalreporter.write_line(f"{result.verdict.value:16} {result.compared:8} derivatives  {test}")
