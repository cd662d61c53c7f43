"""The comparison of gradient checkers, and the search for false alarms, on a few operations."""

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench import checkers, correct, gradcheck
from bench.turns import fresh

ROOT = Path(__file__).parents[2]


def test_ours_is_right_about_all_mistakes_of_the_first_operations():
    found = checkers.judged("ours", 3)
    assert found["rightly"] == found["total"]
    assert found["total"][checkers.RIGHT] == sum(n for kind, n in found["total"].items() if kind != checkers.RIGHT) > 10
    results = checkers.kinds({"ours": found})
    assert [row.verdict for r in results for row in r.rows] == ["kept"] * len(found["total"])
    assert len(checkers.beside(results).splitlines()) == len(found["total"]) + 1


def test_checkers_stand_side_by_side_and_what_they_refuse_is_said():
    ours = {"total": {"sign": 3}, "rightly": {"sign": 3}, "silent": {"sign": 0}, "seconds": 1.0}
    theirs = {"total": {"sign": 3}, "rightly": {"sign": 1}, "silent": {"sign": 1}, "seconds": 1.0}
    (kind,) = checkers.kinds({"ours": ours, "jax 9": theirs})
    assert [(row.what, row.figure.median, row.verdict) for row in kind.rows] == [
        ("sign: misjudged of 3, ours", 0.0, "kept"),
        ("sign: misjudged of 3 (1 refused), jax 9", 1.0, ""),
    ]
    head, line = checkers.beside([kind]).splitlines()
    assert head.split() == ["judged", "rightly", "of", "ours", "jax", "9"]
    assert line.split() == ["sign", "3", "3", "1", "(+1", "refused)"]


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_a_peer_that_is_installed_sees_mistakes_too(name):
    if find_spec(name) is not None:
        found = fresh("bench.checkers", name, 1, threads=1, JAX_PLATFORMS="cpu")
        assert found["total"] == checkers.judged("ours", 1)["total"]
        assert found["rightly"]["sign"] + found["silent"]["sign"] == found["total"]["sign"] > 0
        assert gradcheck.named(name) == f"{name} {version(name)}"


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
