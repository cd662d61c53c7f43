"""Every optimizer, found by introspection, minimises the same table of functions."""

import inspect

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

import autograd as ag
import optim

CLASSES = [c for c in vars(optim).values() if inspect.isclass(c) and not inspect.isabstract(c)]
CLASSES = sorted((c for c in CLASSES if issubclass(c, optim.Optimizer)), key=lambda c: c.__name__)


def parabola():
    w = ag.tensor([-4.0, 1.0], requires_grad=True)
    return [w], lambda: ((w - 3) ** 2).sum(), 1e-4


def ill_conditioned():
    w = ag.tensor([1.0, -1.0, 2.0], requires_grad=True)
    curvature = np.array([1.0, 10.0, 100.0])
    return [w], lambda: 0.5 * (curvature * w * w).sum(), 1e-4


def rosenbrock():
    w = ag.tensor([-1.2, 1.0], requires_grad=True)

    def loss():  # a hundredth, so that the rules that start by plain gradients survive the first slope
        x, y = w
        return 0.01 * (1 - x) ** 2 + (y - x * x) ** 2

    return [w], loss, 1e-5


def logistic():
    data = load_breast_cancer()
    x, sign = StandardScaler().fit_transform(data.data), 2.0 * data.target - 1
    w, b = ag.tensor(np.zeros(30), requires_grad=True), ag.tensor(0.0, requires_grad=True)
    return (
        [w, b],
        lambda: ag.softplus(-sign * (x @ w + b)).mean(),
        0.06,
    )  # 0.693 at the start, 8 of 569 wrong below 0.06


FAST = {"LBFGS": {"line_search_fn": "strong_wolfe"}, "Rprop": {}}
PROBLEMS = {  # settings of their own, the step of the others, and the most steps
    parabola: (
        {"SGD": {"lr": 0.1}, "ASGD": {"lr": 0.1}, "Adagrad": {"lr": 3}, "Adadelta": {"lr": 100}}
        | {"AdamW": {"lr": 1, "weight_decay": 0}, "Adamax": {"lr": 1}, "LAMB": {"lr": 0.01}},
        0.1,
        300,
    ),
    ill_conditioned: (
        {"SGD": {"lr": 0.01, "momentum": 0.9}, "ASGD": {"lr": 0.01}, "Adagrad": {"lr": 1}, "Adadelta": {"lr": 30}}
        | {"Lion": {"lr": 0.01}},
        0.03,
        600,
    ),
    rosenbrock: (
        {"SGD": {"lr": 0.03, "momentum": 0.95}, "ASGD": {"lr": 0.1}, "Adagrad": {"lr": 1}, "Adadelta": {"lr": 0.1}}
        | {"RMSprop": {"lr": 0.3}, "Adam": {"lr": 0.3}, "Adamax": {"lr": 1}, "RAdam": {"lr": 0.1}},
        0.02,
        9000,
    ),
    logistic: (
        {"SGD": {"lr": 0.1, "momentum": 0.9}, "ASGD": {"lr": 3}, "Adagrad": {"lr": 1}, "Adadelta": {"lr": 30}}
        | {"LAMB": {"lr": 0.03}},
        0.1,
        500,
    ),
}


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.__name__)
def test_minimises(kind, problem):
    special, lr, steps = PROBLEMS[problem]
    ws, loss, below = problem()
    optimizer = kind(ws, **(special | FAST).get(kind.__name__, {"lr": lr}))
    start = loss().item()

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    losses = (optimizer.step(closure).item() for _ in range(steps))  # each before its step
    assert any(value < below for value in losses)
    assert below < start / 5
