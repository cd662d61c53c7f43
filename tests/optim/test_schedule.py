"""Every schedule, found by introspection: PyTorch's learning rates, purity, state, and the words of its errors."""

import importlib.util
import inspect
import json
import math
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import optim
from autograd.errors import ArgumentError, CheckpointError

FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_schedule.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])
CLASSES = {
    name
    for name, c in vars(optim).items()
    if inspect.isclass(c) and issubclass(c, optim.Schedule) and not inspect.isabstract(c)
}
OWN = [("InverseSquareRootLR", {"warmup_steps": 4})]  # PyTorch has none
CASES = [*FIGURE["CASES"], *OWN]
every_case = pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{k}" for k, (n, _) in enumerate(CASES)])


@cache
def records(source):
    found = FIGURE["records"]() if source == "live" else json.loads((FIGURES / "schedule.json").read_text())
    assert found["origin"].startswith("torch 2.")
    return found["records"]


def optimizer(kind=optim.SGD, **settings):
    weights = [ag.tensor([1.0], requires_grad=True) for _ in FIGURE["RATES"]]
    for w in weights:
        w.grad = ag.zeros(1)
    groups = [{"params": [w], "lr": lr} for w, lr in zip(weights, FIGURE["RATES"], strict=True)]
    return kind(groups, **({"momentum": 0.9} if kind is optim.SGD else {}) | settings)


def rates(o):
    return [group["lr"] for group in o.param_groups]


def test_every_schedule_has_a_case():
    assert {name for name, _ in CASES} == CLASSES
    assert len(CLASSES) >= 14


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("k", range(len(FIGURE["CASES"])))
def test_rates_are_pytorchs(source, k):
    found = FIGURE["run"](optim, optimizer(), *FIGURE["CASES"][k])
    np.testing.assert_allclose(found, records(source)[k], rtol=1e-12, atol=1e-17)


def test_the_inverse_square_root_is_the_papers():
    d, w = 512, 4000
    schedule = optim.InverseSquareRootLR((d * w) ** -0.5, warmup_steps=w)
    for t in (1, 17, 3999, 4000, 4001, 100_000):
        assert schedule.lr_at(t - 1) == pytest.approx(d**-0.5 * min(t**-0.5, t * w**-1.5), rel=1e-12)


@every_case
def test_a_step_sets_what_lr_at_says(name, options):
    o = optimizer()
    schedule = FIGURE["build"](optim, o, name, options)
    for step, figure in enumerate(FIGURE["FIGURES"]):
        assert rates(o) == schedule.get_last_lr() == [schedule.lr_at(step, k) for k in range(2)]
        schedule.step(figure)
    before = schedule.state_dict()
    curves = np.transpose([schedule.curve(40, k) for k in range(2)])
    assert curves.shape == (40, 2)
    assert np.isfinite(curves).all()
    assert schedule.state_dict() == before
    assert f"step {len(FIGURE['FIGURES'])}" in repr(schedule)


@every_case
def test_state_goes_through_json_and_the_rest_is_the_same(name, options):
    o = optimizer()
    first = FIGURE["build"](optim, o, name, options)
    for figure in FIGURE["FIGURES"][:11]:
        first.step(figure)
    stored = json.loads(json.dumps([first.state_dict(), o.state_dict()["param_groups"]]))
    other = optimizer()
    again = FIGURE["build"](optim, other, name, options)
    other.load_state_dict({"state": {}, "param_groups": stored[1]})
    again.load_state_dict(stored[0])
    for figure in FIGURE["FIGURES"][11:]:
        assert rates(o) == rates(other)
        assert o.param_groups[0]["momentum"] == other.param_groups[0]["momentum"]
        first.step(figure)
        again.step(figure)


def test_a_number_gives_a_schedule_to_look_at():
    alone = optim.StepLR(0.4, step_size=3)
    assert alone.curve(9) == optim.StepLR(optimizer(), step_size=3).curve(9)
    alone.step()
    assert alone.get_last_lr() == [0.4]


def test_a_second_schedule_starts_from_the_first_rate_of_all():
    o = optimizer()
    optim.ConstantLR(o, factor=0.1)
    assert rates(o) == pytest.approx([0.04, 0.003])
    optim.ExponentialLR(o, gamma=0.5)
    assert rates(o) == FIGURE["RATES"]


def test_one_cycle_sets_the_first_beta():
    o = optimizer(optim.Adam, betas=(0.5, 0.9))
    schedule = optim.OneCycleLR(o, max_lr=0.1, total_steps=10)
    assert o.param_groups[0]["betas"] == (0.95, 0.9)
    lowest = min(schedule.momentum_at(k) for k in range(10))
    assert lowest == pytest.approx(0.85)
    assert schedule.lr_at(9) == schedule.lr_at(1000) == pytest.approx(0.1 / 25 / 1e4)


@pytest.mark.parametrize("mode", ["cycle", "iterations"])
def test_the_height_of_cycles_is_any_function(mode):
    settings = {"step_size_up": 2, "scale_fn": lambda n: 1 / (1 + n), "scale_mode": mode}
    schedule = optim.CyclicLR(0.0, 1.0, 5.0, **settings)
    heights = [1 / 2, 1 / 3] if mode == "cycle" else [1 / 3, 1 / 7]
    assert [schedule.lr_at(2), schedule.lr_at(6)] == pytest.approx([1 + 4 * h for h in heights])
    assert (schedule.lr_at(1000), schedule.momentum_at(1000)) == (1.0, 0.9)
    o = optimizer(optim.Adam)
    optim.CyclicLR(o, 0.1, 0.5)
    assert (rates(o), o.param_groups[0]["betas"]) == ([0.1, 0.1], (0.9, 0.999))


def test_a_product_of_many_steps_calls_each_once():
    asked = []
    schedule = optim.MultiplicativeLR(1.0, lambda t: asked.append(t) or 0.5)
    assert (schedule.curve(4), schedule.lr_at(3)) == ([1.0, 0.5, 0.25, 0.125], 0.125)
    assert asked == [1, 2, 3]


def test_gradient_descent_follows_its_schedule():
    w = ag.tensor([0.0], requires_grad=True)
    o = optim.SGD([w], lr=1.0)
    schedule = optim.ExponentialLR(o, gamma=0.5)
    for _ in range(4):
        o.zero_grad()
        w.sum().backward()
        o.step()
        schedule.step()
    assert w.item() == -(1 + 0.5 + 0.25 + 0.125)


def plateau(**settings):
    return lambda: optim.ReduceLROnPlateau(1.0, **settings)


BAD = [
    (lambda: optim.StepLR("fast", 3), "StepLR was given a str. Expected an optimizer, or a number"),
    (lambda: optim.StepLR(1.0, 0), "step_size=0. Expected 1 or more"),
    (lambda: optim.StepLR(1.0, 1).lr_at(-1), "lr_at was given step=-1"),
    (lambda: optim.ConstantLR(1.0, 1.5), "factor=1.5. Expected 0 to 1"),
    (lambda: optim.LinearLR(1.0, -0.5), "start_factor=-0.5"),
    (lambda: optim.PolynomialLR(1.0, 0), "total_iters=0"),
    (lambda: optim.CosineAnnealingLR(1.0, 0), "T_max=0"),
    (lambda: optim.CosineAnnealingWarmRestarts(1.0, 2, 0), "T_mult=0"),
    (lambda: optim.OneCycleLR(1.0, 1.0), "no length. Write total_steps="),
    (lambda: optim.OneCycleLR(1.0, 1.0, 9, pct_start=2), "pct_start=2"),
    (lambda: optim.OneCycleLR(optimizer(), [1.0] * 3, 9), "3 values of max_lr. Expected 2"),
    (lambda: optim.OneCycleLR(optimizer(momentum=0), 1.0, 9), "SGD, which has none.\nWrite cycle_momentum=False"),
    (lambda: optim.CyclicLR(1.0, 0.1, 0.5, 0), "step_size_up=0. Expected 1 or more"),
    (lambda: optim.CyclicLR(1.0, 0.1, 0.5, mode="sine"), "mode='sine', scale_mode='cycle'. Expected 'triangular'"),
    (lambda: optim.CyclicLR(optimizer(momentum=0), 0.1, 1.0), "SGD, which has none.\nWrite cycle_momentum=False"),
    (plateau(mode="up"), "mode='up'"),
    (plateau(factor=1.0), "factor=1.0. Expected 'min' or 'max'"),
    (lambda: plateau()().step(), r"no figure. Write schedule.step\(val_loss\), or in a trainer\nnn.LearningRate"),
    (lambda: optim.LambdaLR(optimizer(), [math.sqrt]), "1 values of lr_lambda. Expected 2"),
    (lambda: optim.ChainedScheduler([]), "ChainedScheduler was given no schedules"),
    (lambda: optim.ChainedScheduler([plateau()()]), "schedule 0 .* is a ReduceLROnPlateau"),
    (lambda: optim.SequentialLR(optimizer(), [optim.StepLR(1.0, 1)], []), "schedule 0 .* made for another optimizer"),
    (lambda: optim.SequentialLR(1.0, [optim.StepLR(1.0, 1)] * 3, [4, 2]), "Expected 2 rising milestones"),
]


@pytest.mark.parametrize(("make", "words"), BAD)
def test_bad_settings(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_a_state_that_does_not_match():
    schedule = optim.ReduceLROnPlateau(1.0)
    with pytest.raises(CheckpointError, match=r"has no \['best', .*another schedule"):
        schedule.load_state_dict(optim.StepLR(1.0, 1).state_dict())
    with pytest.raises(CheckpointError, match=r"has 2 groups\. Expected 1"):
        optim.StepLR(1.0, 1).load_state_dict(optim.StepLR(optimizer(), 1).state_dict())
