"""What a function keeps outside of itself, or draws from generators that are not ours, no program would do again."""

import random
from functools import partial

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import UnsupportedError

RNG, LOSSES, LAST = np.random.default_rng(0), [], None


class Recurrent(nn.Module):
    def __init__(self):
        self.linear, self.state, self.rng = nn.Linear(3, 3, dtype="float64"), ag.zeros(3), np.random.default_rng(1)

    def forward(self, x):
        self.state = ag.tanh(self.linear(x) + self.state.detach())
        return ag.sum(self.state)


class Noisy(Recurrent):
    def forward(self, x):
        return ag.sum(self.linear(x) + self.rng.normal(size=3))


class Smoothed:
    def __init__(self):
        self.mean = ag.zeros(3)

    def __call__(self, x):
        self.mean, self.pair = 0.5 * self.mean + x, (x * 2.0, x)
        return ag.sum(self.mean)


def closing_over():
    seen, best, rng = {"losses": 0}, None, np.random.RandomState(0)

    def keeping(x):
        seen[len(seen)] = ag.sum(x)
        return ag.sum(x) * (1 + len(seen))

    def binding(x):
        nonlocal best
        best = ag.sum(x) if best is None else ag.maximum(best, ag.sum(x))
        return best * 1.0

    return {
        "a dict that is closed over": (keeping, "`seen`"),
        "a name that is closed over": (binding, "`best`"),
        "a generator that is closed over": (lambda x: ag.sum(x * rng.normal(size=3)), "`rng`"),
    }


def appending(x):
    LOSSES.append(ag.sum(x * x))
    return LOSSES[-1] + len(LOSSES)


def rebinding(x):
    global LAST
    LAST = x * 2.0 if LAST is None else LAST + x
    return ag.sum(LAST)


def noisy(x):
    return ag.sum(x + np.random.normal(size=3))  # noqa: NPY002  # what many write


CASES = {
    "an attribute of a module": lambda: (Recurrent(), "the attribute `state` of Recurrent"),
    "an attribute": lambda: (Smoothed(), "the attribute `mean` of Smoothed"),
    "a method": lambda: (Smoothed().__call__, "the attribute `mean` of Smoothed"),
    "a global list": lambda: (appending, "`LOSSES`"),
    "a global name": lambda: (rebinding, "`LAST`"),
    "an argument": lambda: (partial(lambda kept, x: kept.append(x) or ag.sum(kept[0]) + len(kept), []), "an argument"),
    "a global generator": lambda: (lambda x: ag.sum(x * RNG.normal(size=3)), "`RNG`"),
    "a generator of a module": lambda: (Noisy(), "the attribute `rng` of Noisy"),
    "NumPy's generator": lambda: (noisy, "NumPy's np.random"),
    "Python's generator": lambda: (lambda x: ag.sum(x) * random.random(), "Python's random"),
} | {name: lambda name=name: closing_over()[name] for name in closing_over()}


@pytest.mark.parametrize("name", CASES)
def test_what_a_program_would_not_do_again_is_refused_and_put_back(name):
    global RNG, LAST
    found = []
    for wrap in (lambda f: f, ag.compile):
        ag.random.seed(0)
        np.random.seed(0)  # noqa: NPY002  # as the case below
        random.seed(0)
        LOSSES.clear()
        RNG, LAST = np.random.default_rng(0), None
        f, where = CASES[name]()
        run = wrap(f)
        found.append([run(ag.tensor([1.0, 2.0, k])).item() for k in range(4)])
    assert found[0] == found[1]
    assert where in run.reasons()[0]


def test_a_value_that_was_kept_all_the_same_says_what_to_do():
    class Box:
        value = None

    box, hidden = Box(), lambda box, y: setattr(box, "value", y)

    def f(x):
        hidden(box, x * 2.0)
        return ag.sum(x)

    run = ag.compile(f)
    assert run(ag.ones(3)).item() == 3.0
    for use in (lambda v: v.numpy(), lambda v: v + 1.0, float, bool, np.asarray, ag.sum, lambda v: ag.ones(3) * v):
        with pytest.raises(UnsupportedError, match=r"made in .*hidden\(box, x \* 2.0\)(.|\n)*Return it"):
            use(box.value)
