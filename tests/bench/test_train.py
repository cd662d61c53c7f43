"""The suite of training: no optimizer is forgotten, sides agree, and an empty step is counted step by step."""

from statistics import median
from time import perf_counter

import numpy as np
import pytest

import optim
from bench.kernels.case import COMPILED, DEFAULT, JAX, OURS, TORCH
from bench.kernels.libraries import LIBRARIES, missing
from bench.train import cases, measure, trainer


def test_every_optimizer_is_timed_in_one_array_and_in_sixteen():
    rules = {name for name in optim.__all__ if isinstance(getattr(optim, name), type)}
    rules = {name for name in rules if issubclass(getattr(optim, name), optim.Optimizer)} - {"Optimizer"}
    assert set(cases.found()) == rules
    assert {f"{name} 1M in {n}" for name in rules for n in (1, 16)} <= set(cases.CASES)


@pytest.mark.parametrize("name", cases.CASES)
def test_a_million_numbers_are_stepped(name):
    arrays = cases.CASES[name].arrays()
    assert len(arrays) == int(name.split()[-1])
    assert sum(a.size for a in arrays) == 1 << 20
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", cases.CASES)
def test_the_fastest_form_of_torch_is_beside_all_that_it_has(name):
    case = cases.CASES[name]
    if name.split()[0] in cases.ALONE:
        assert (set(case.sides), case.limits) == ({OURS}, ())
    else:
        assert {OURS, TORCH} <= set(case.sides) <= {OURS, TORCH, DEFAULT, COMPILED, JAX}
        assert [limit.most for limit in case.limits] == [1.0]


def test_the_common_ones_are_beside_jax_and_a_few_beside_compiled_torch():
    beside = {label: {name for name, c in cases.CASES.items() if label in c.sides} for label in (JAX, COMPILED)}
    kinds = {"SGD", "SGD, momentum", "SGD, Nesterov", "Adam", "Adam, AMSGrad", "AdamW", "Adagrad"}
    kinds |= {"RMSprop", "RMSprop, centred"}
    assert beside[JAX] == {f"{kind} 1M in {n}" for kind in kinds for n in (1, 16)}
    assert beside[COMPILED] == {f"{kind} 1M in 1" for kind in ("SGD", "Adam", "AdamW")}


@pytest.mark.parametrize("name", [name for name in cases.CASES if name.endswith("in 16")])
def test_sides_agree(name):
    case = cases.CASES[name]
    arrays = case.arrays(4096)
    agreed = None
    for label, side in case.sides.items():
        if missing(side.library):
            continue
        library = LIBRARIES[side.library](1)
        statement = side.make(library, *arrays)
        statement()
        figures = case.figures(arrays, library.results(statement()))
        agreed = agreed or figures
        assert max(size for _, size in figures) > 0, label
        assert case.apart(figures, agreed) <= 1, label


def test_an_empty_step_is_counted_step_by_step():
    rows = {row.what: row for row in trainer.rows(repeats=2, steps=50, bar_steps=50)}
    row = rows["an empty step through Trainer"]
    assert (row.unit, row.target) == ("us", 20.0)
    assert 1 < row.figure.median < 5000
    assert rows["an empty step in a bare loop"].target is None


def test_the_share_of_the_bar_is_what_its_steps_take(monkeypatch):
    class Slow(trainer.Bar):
        def on_batch_end(self, trainer, step, loss):
            end = perf_counter() + 3e-5
            while perf_counter() < end:
                pass

    def share():
        return median(trainer.bar_share(200) for _ in range(5))

    assert share() < 0.15
    monkeypatch.setattr(trainer, "Bar", Slow)
    assert share() > 0.25  # three tenths of a step


def test_the_forms_of_torch_are_noted_once():
    found = measure.run(repeats=1, only=["Lion 1M in 16"], shrink=4096, peers=False)
    assert [r.case for r in found] == ["Lion 1M in 16"]
    assert found[0].notes == [measure.NOTE]
