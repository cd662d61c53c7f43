"""Functions of which it cannot be shown that a replay equals a call, and the reasons why."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F

RATE = 0.5
TEXT = "%s"


SHARED = runpy.run_path(str(Path(__file__).with_name("replays.py")))
_soon, made, draw, same = (SHARED[name] for name in ("_soon", "made", "draw", "same"))


class Configuration:
    alpha = 1.0


configuration, noted, table = Configuration(), [], np.arange(3.0)
narrow = ag.asarray(np.array([100_000, 2, 3], np.int32))
leaf, counter, weights = ag.tensor([1.0, 2.0, 3.0], requires_grad=True), ag.tensor(2), draw(3, 3)
model = nn.Linear(3, 1)


def rebinds(x):
    global RATE
    RATE = 0.5
    return ag.sum(x)


def catches(x):
    try:
        return ag.sum(x)
    except ValueError:
        return ag.sum(2 * x)


def generated(x):
    def parts():
        yield x

    return sum(ag.sum(part) for part in parts())


def imports(x):
    import math as mathematics

    return ag.sum(x) * mathematics.pi


def sets_an_attribute(x):
    configuration.alpha = 1.0
    return ag.sum(x)


def changes_its_argument(x, settings):
    settings["scale"] = 2.0
    return ag.sum(x) * settings["scale"]


def changes_what_others_hold(x):
    total = ag.sum(x)
    before = total
    total += 1.0
    return total + before


def sorts(x, y):
    y.sort()
    return ag.sum(x * y)


def changes_a_constant(x):
    weights[0] = 1.0
    return ag.sum(x * weights)


REFUSED = {
    "print": (lambda x: print(end="") or ag.sum(x), r"calls `print`, of which .* \(line \d+\)"),
    "open": (lambda x: ag.sum(x) if open else x, "calls `open`"),
    "append": (lambda x: noted.append(1) or ag.sum(x), "reads `noted.append`, an attribute of a list"),
    "a list": (lambda x: ag.sum(x) * len(noted), "reads `noted`, a list, which may change unseen"),
    "an ndarray": (lambda x: ag.sum(x * table), "reads `table`, an ndarray, which may be written into unseen"),
    "an attribute": (lambda x: ag.sum(x) * configuration.alpha, "reads `configuration.alpha`, an attribute of a Conf"),
    "an object": (lambda x: ag.sum(x) + len(vars(configuration)) * 0, "calls `vars`"),
    "sets an attribute": (sets_an_attribute, "assigns to `configuration.alpha`"),
    "rebinds": (rebinds, "rebinds a global name"),
    "random of NumPy": (lambda x: ag.sum(x) * (1 + 0 * np.random.random()), "`np.random.random`, which draws random"),  # noqa: NPY002
    "random": (lambda x: ag.sum(x) + 0 * ag.random.normal(), "calls `ag.random.normal`, which draws random numbers"),
    "dropout": (lambda x: 0 * ag.sum(F.dropout(x)), "draws random numbers"),
    "a module": (lambda x: model(x).sum(), "reads `model`, a Linear, which may change unseen"),
    "a method": (nn.Linear(3, 1, dtype="float64").forward, "a method of Linear"),
    "a leaf": (lambda x: ag.sum(x * leaf), "reads `leaf`, which requires a gradient"),
    "a whole number": (lambda x: ag.sum(x[:counter]), "reads `counter`, a whole number in a Tensor"),
    "exceptions": (catches, "catches exceptions"),
    "a generator": (generated, "is a generator"),
    "imports": (imports, "imports"),
    "next": (lambda x: ag.sum(next(iter([x]))), "calls `next`"),
    "a branch": (lambda x: ag.sum(x) if x[0] > 0 else ag.sum(2 * x), "control flow depends on a value"),
    "a mask": (lambda x: ag.sum(x[x > 0]), "takes elements by a mask"),
    "item": (lambda x: ag.sum(x) * (1 + 0 * x[0].item()), r"reads `x\[0\].item`"),
    "float": (lambda x: ag.sum(x) * float(weights[0]), "it reads a value as a Python number"),
    "isinstance": (lambda x: ag.sum(x) * isinstance(x, ag.Tensor), "class `ag.Tensor`"),
    "isinstance of a float": (lambda x: ag.sum(x) * isinstance(x, float), "asks `isinstance"),
    "is": (lambda x: ag.sum(x) * (x is weights), "asks `x is weights`"),
    "in": (lambda x: ag.sum(x) * (1 + 0 * (2.0 in weights)), "asks `2.0 in weights`"),
    "text of a value": (lambda x: ag.sum(x) * len(f"{weights}") ** 0, "makes a text of `weights`"),
    "text with %": (lambda x: ag.sum(x) * len(TEXT % weights) ** 0, "fills in a text with %"),
    "out": (lambda x: ag.sum(x) + np.add(1.0, 2.0, out=np.zeros(())), r"writes into an array \(out=\)"),
    "a value that others hold": (changes_what_others_hold, "changes `total` in place"),
    "a constant": (changes_a_constant, "changes a Tensor that it was not given"),
    "a value in Python": (lambda x: ag.sum(x) * bool(weights[0:1] * 0 + 1), "control flow depends on a value"),
    "single numbers": (lambda x: ag.sum(x) * RATE, "single numbers alone"),
    "an argument in aux": (lambda x, y=weights: (ag.sum(x * x), y), "returns something that it was given"),
    "an ndarray in aux": (lambda x: (ag.sum(x * x), {3: slice(0, 1), "f": len}), "returns a builtin_function"),
    "many operations": (lambda x: long(x), "it is of [34].. operations: ag.scan"),
    "truths": (lambda x: ag.sum(x * ((x > 0) + (x > 1))), "adds truths"),
    "narrow numbers": (lambda x: ag.sum(x * (narrow * narrow)), "computes with int32"),
    "a set": (lambda x: ag.sum(x) * len({1, 2}), "makes a set"),
    "a class": (lambda x: ag.sum(x) * Configuration().alpha, "uses the class `Configuration`"),
    "a context": (lambda x: within(x), "enters `np.errstate"),
    "what others call": (lambda x: ag.sum(x) * called_by_others(), "called_by_others calls `print`"),
}


def within(x):
    with np.errstate(all="ignore"):
        return ag.sum(x)


def long(x):
    for k in range(200):
        x = x * k
    return ag.sum(x)


def called_by_others():
    print(end="")
    return 1.0


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_reason(name, made):
    f, reason = REFUSED[name]
    has_aux = "aux" in name
    both, plain = (ag.value_and_grad(f, has_aux=has_aux, compile=compile) for compile in (None, False))
    shape = () if name == "single numbers" else (3,)
    for k in range(8):
        found = []
        for one in (both, plain):
            ag.random.seed(k)
            found.append(one(draw(k, *shape)))
        same(*found)
    (why,) = both.reasons()
    assert re.search(reason, why), why
    assert all(run.calls <= 1 for run in made)  # to compare
