"""Processes that take turns, on programs written here."""

import os
import textwrap
from pathlib import Path
from time import perf_counter

import pytest

from bench import turns

PLAYER = """
import os, sys
from bench.turns import allowed, serve

def answer(what, *rest):
    if what == "cores":
        return len(allowed()), [os.environ[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")]
    if what == "noise":
        print("a library that talks")
        return "quiet"
    if what == "die":
        sys.exit(7)
    return what, *rest

serve({"version": "9.9", "arguments": sys.argv[1:]}, answer)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    def write(text):
        (tmp_path / "synthetic_player.py").write_text(textwrap.dedent(text))
        monkeypatch.setenv(
            "PYTHONPATH", os.pathsep.join([str(tmp_path), os.getcwd(), os.environ.get("PYTHONPATH", "")])
        )
        return "synthetic_player"

    return write


def test_a_player_says_hello_and_answers(module):
    with turns.Player(module(PLAYER), "numpy", 3, threads=1) as player:
        assert player.hello == {"version": "9.9", "arguments": ["numpy", "3"]}
        assert player.ask("turn", "ours", 1.5) == ["turn", "ours", 1.5]
    assert player.process.returncode == 0


def test_what_a_library_prints_is_no_answer(module):
    with turns.Player(module(PLAYER), threads=1) as player:
        assert player.ask("noise") == "quiet"
        assert player.ask("again") == ["again"]


@pytest.mark.parametrize("threads", sorted({1, len(turns.allowed())}))
def test_every_player_has_as_many_cores_as_threads(module, threads):
    with turns.Player(module(PLAYER), threads=threads) as player:
        cores, variables = player.ask("cores")
    assert cores == threads or not hasattr(os, "sched_setaffinity")
    assert variables == [str(threads)] * 2


def test_placing_others_leaves_us_where_we_were():
    before = turns.allowed()
    with turns.placed(1):
        pass
    assert turns.allowed() == before


@pytest.mark.parametrize("text", [PLAYER, "raise SystemExit(7)"])
def test_a_player_that_ends_is_an_error(module, text):
    with pytest.raises(RuntimeError, match="exit code 7"), turns.Player(module(text), threads=1) as player:
        player.ask("die")


def test_fresh_gives_what_a_program_prints(module, monkeypatch):
    program = "import json, os, sys\nprint(json.dumps([os.environ['COLOUR'], *sys.argv[1:]]))"
    assert turns.fresh(module(program), "x", 3, threads=1, COLOUR="red") == ["red", "x", "3"]


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by a second for each call of the statement that it gives, and no others to wait for."""
    time = [0.0]
    monkeypatch.setattr(turns, "perf_counter", lambda: time[0])
    monkeypatch.setattr(turns, "sleep", lambda seconds: None)
    monkeypatch.setattr(turns, "others_run", lambda: False)

    def statement():
        time[0] += 1.0

    return time, statement


@pytest.mark.parametrize("number", [1, 5])
def test_a_turn_is_seconds_per_call_after_one_that_is_not_counted(clock, number):
    time, statement = clock
    assert turns.turn(statement, number) == 1.0
    assert time == [number + 1.0]


@pytest.mark.parametrize(("lasting", "number"), [(0.01, 1), (7.5, 8), (5000.0, turns.MOST)])
def test_quick_statements_are_called_more_often(clock, lasting, number):
    assert turns.enough(clock[1], lasting) == number


def test_statements_that_take_no_time_are_called_most_often(clock):
    assert turns.enough(lambda: None) == turns.MOST


@pytest.mark.parametrize(
    ("said", "busy"), [("0.1 0.2 0.3 1/123 4567", False), ("0.1 0.2 0.3 3/123 4567", True), ("", True)]
)
def test_whether_others_run_is_what_the_system_says(said, busy, tmp_path, monkeypatch):
    (tmp_path / "loadavg").write_text(said)
    monkeypatch.setattr(turns, "RUNNING", tmp_path / "loadavg")
    assert turns.others_run() is busy


def test_a_turn_waits_for_others_but_not_for_ever(monkeypatch):
    answers, slept = iter([True, True, False]), []
    monkeypatch.setattr(turns, "others_run", lambda: next(answers))
    monkeypatch.setattr(turns, "sleep", slept.append)
    turns.rest()
    assert len(slept) == 3  # the rest itself, and while two others ran
    monkeypatch.undo()
    monkeypatch.setattr(turns, "RUNNING", Path("/does/not/exist"))
    start = perf_counter()
    turns.rest()
    assert turns.PATIENCE <= perf_counter() - start < 10 * turns.PATIENCE
