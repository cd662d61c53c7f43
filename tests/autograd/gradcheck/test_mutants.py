"""Mistakes planted in the rule of every primitive: all are caught, and what is right is not accused."""

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from hypothesis import settings

import autograd as ag
from autograd.domain import case

planted = run_path(str(Path(__file__).with_name("mutants.py")))
OPS, KINDS, SHAPES, mutants_of = (planted[n] for n in ("DIFFERENTIABLE", "KINDS", "SHAPES", "mutants_of"))
SEEDS = 20 if settings.get_current_profile_name() == "thorough" else 2
every_op = pytest.mark.parametrize("op", OPS, ids=[op.name for op in OPS])


@every_op
def test_every_mistake_is_caught(op):
    for m in mutants_of(op):
        result = ag.gradcheck(m, m.xs, max_elements=16)
        assert result.verdict == "WRONG_GRADIENT", f"{m}: {result}"


def test_there_are_mistakes_enough():
    planted_in = {op.name: mutants_of(op) for op in OPS}
    kinds = [m.kind for found in planted_in.values() for m in found]
    assert len(kinds) >= 300
    assert sum(map(bool, planted_in.values())) >= 60
    assert {k: kinds.count(k) for k in KINDS if kinds.count(k) < 10} == {}


@every_op
def test_what_is_right_is_not_accused(op):
    cases = op.cases or tuple(case(*shapes, on=op.domain) for shapes in SHAPES[len(op.inputs)])
    for seed in range(SEEDS):
        for c in cases:
            xs = c.sample(np.random.default_rng(100 + seed))
            result = ag.gradcheck(lambda *xs, c=c: op(*xs, **c.settings), xs, seed=seed, mode="both")
            assert result, f"{op.name}, seed {seed}: {result}"
            assert ag.gradcheck(lambda *xs, c=c: op(*xs, **c.settings), xs, seed=seed, fast=True)


@every_op
def test_the_fast_mode_catches_a_sign(op):
    for m in mutants_of(op):
        if m.kind == "sign":
            result = ag.gradcheck(m, m.xs, fast=True)
            assert result.verdict == "WRONG_GRADIENT", f"{m}: {result}"
            assert result.mismatches[0].input == f"xs[{m.position}]"
