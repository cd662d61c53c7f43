"""The comparison of gradient checkers, and the search for false alarms, on a few operations."""

import subprocess
import sys
from pathlib import Path

from bench import checkers, correct

ROOT = Path(__file__).parents[2]


def test_ours_is_right_about_all_mistakes_of_the_first_operations():
    found = checkers.judged("wengert", 3)
    assert found["rightly"] == found["total"]
    assert found["total"][checkers.RIGHT] == sum(n for kind, n in found["total"].items() if kind != checkers.RIGHT) > 10
    table = checkers.shown({"wengert": found})
    assert table.splitlines()[0].split()[:3] == ["judged", "rightly", "of"]
    assert len(table.splitlines()) == len(found["total"]) + 2


def test_a_checker_that_is_not_installed_is_left_out(capsys):
    assert checkers.elsewhere(sys.executable, "nothing", 1) is None
    assert "nothing: " in capsys.readouterr().err


def test_what_is_refused_is_said():
    of = {"total": {"sign": 3}, "rightly": {"sign": 2}, "silent": {"sign": 1}, "seconds": 1.0, "version": "9"}
    assert "2 (+1 refused)" in checkers.shown({"jax": of})


def test_alarms_name_what_was_accused_and_what_broke():
    def broken(seed):
        raise ValueError("no")

    right = [
        correct.Right("a", lambda seed: True),
        correct.Right("b", lambda seed: seed == 0),
        correct.Right("c", broken),
    ]
    said = []
    found = correct.alarms(right, range(2), said.append)
    assert [(name, seed) for name, seed, _ in found] == [("c", 0), ("b", 1), ("c", 1)]
    assert found[0][2] == "ValueError: no"
    assert said[-1].startswith("seed 1: 6 of 6 checked, 3 accused")


def test_the_optimizers_are_checked():
    command = [sys.executable, "-m", "bench.correct", "--seeds", "1", "--only", "optimizers"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()[-1]
    assert int(said.split()[0]) > 15, done.stderr
    assert " 0 false alarms" in said, done.stdout
