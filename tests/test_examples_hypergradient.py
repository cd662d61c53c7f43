"""The hypergradient example: its derivative by finite differences, and what it buys."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "hypergradient.py"), run_name="hypergradient")
every_rule = pytest.mark.parametrize("rule", EXAMPLE["RULES"])


@every_rule
@pytest.mark.parametrize("lr", [0.001, 0.03])
def test_the_hypergradient_is_that_of_finite_differences(rule, lr):
    train, held_out = EXAMPLE["costs"]()

    def cost(log_lr):
        return held_out(EXAMPLE["after"](rule, train, log_lr))

    at, h = ag.tensor(np.log(lr)), 1e-5
    slope = ag.grad(cost)(at).item()
    assert slope == pytest.approx((cost(at + h).item() - cost(at - h).item()) / (2 * h), rel=1e-6)
    assert slope < -1e-3  # a larger one would be better
    assert ag.gradcheck(cost, [at])


@every_rule
def test_the_recorded_steps_are_those_of_the_optimizer(rule):
    train, _ = EXAMPLE["costs"]()
    kind, settings = EXAMPLE["RULES"][rule]
    w = ag.zeros(10).requires_grad_()
    optimizer = kind([w], lr=0.03, **settings)
    for _ in range(EXAMPLE["STEPS"]):
        optimizer.zero_grad()
        train(w).backward()
        optimizer.step()
    recorded = EXAMPLE["after"](rule, train, ag.tensor(np.log(0.03)))
    np.testing.assert_allclose(recorded.numpy(), w.numpy(), rtol=1e-12)


@every_rule
def test_a_learned_rate_is_better(rule, capsys):
    found = EXAMPLE["learn"](rule, 1e-3, 20)
    (first, before), (last, afterwards) = found[0], found[-1]
    assert last > 10 * first
    assert afterwards < 0.7 * before
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 6
    assert f"{afterwards:.4f}" in printed[-1]
