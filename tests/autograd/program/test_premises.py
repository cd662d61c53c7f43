"""What a program takes for granted: when it changes, calls run as they stand, and are right."""

import builtins
import linecache
import math
import types

import numpy as np
import pytest

import autograd as ag
from autograd.program import repeated
from autograd.program.premises import Premises
from autograd.program.purity import Impure, premises_of

FACTOR, SHARED = 2.0, ag.tensor([1.0, 2.0, 3.0])
settings = types.ModuleType("settings")
settings.power = 2
X = ag.tensor([0.5, -1.0, 2.0])


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(repeated, "FIRST", 1)
    monkeypatch.setattr(repeated, "AGAIN", 2)


def helper(y, by=1.0, *, times=3.0):
    return y * by * times


def other_helper(y):
    return y + 10.0


def printing(y):
    print(end="")
    return y * 7.0


def loss(x):
    return ag.sum(helper(x) ** settings.power * SHARED) * FACTOR + len(x) * round(math.e, 1)


def rebound(name, value):
    return lambda patch: patch.setitem(globals(), name, value)


CHANGES = {
    "nothing": lambda patch: None,
    "a constant": rebound("FACTOR", 3.0),
    "its type": rebound("FACTOR", np.float32(2.5)),
    "the sign of zero": rebound("FACTOR", -0.0),
    "to an array": rebound("FACTOR", np.array(4.0)),
    "to a list": rebound("SHARED", [1.0, 2.0, 3.0]),
    "a function": rebound("helper", other_helper),
    "to an impure function": rebound("helper", printing),
    "the code of a function": lambda patch: patch.setattr(
        helper, "__code__", (lambda y, by, *, times: y - by).__code__
    ),
    "defaults": lambda patch: patch.setattr(helper, "__defaults__", (5.0,)),
    "defaults of keywords": lambda patch: patch.setattr(helper, "__kwdefaults__", {"times": 4.0}),
    "an attribute of a module": lambda patch: patch.setattr(settings, "power", 3),
    "a module": rebound("settings", types.SimpleNamespace(power=4)),
    "a function of a module": lambda patch: patch.setattr(ag, "sum", lambda y: ag.mean(y)),
    "a builtin": rebound("len", lambda x: 100.0),
    "a builtin for all": lambda patch: patch.setattr(builtins, "round", lambda *_: -50.0),
    "another Tensor": rebound("SHARED", ag.tensor([5.0, 6.0, 7.0])),
    "another value": lambda patch: patch.setattr(SHARED, "value", np.array([5.0, 6.0, 7.0])),
    "another dtype": lambda patch: patch.setattr(SHARED, "value", np.array([5.0, 6.0, 7.0], np.float32)),
    "another shape": lambda patch: patch.setattr(SHARED, "value", np.ones((2, 3))),
    "a gradient wanted": lambda patch: patch.setattr(SHARED, "requires_grad", True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_noticed(change, monkeypatch):
    both, plain = ag.value_and_grad(loss), ag.value_and_grad(loss, compile=False)
    for turn in range(3):
        with monkeypatch.context() as patch:
            for k in range(6):
                if k == 3:
                    CHANGES[change](patch)
                (value, gradient), (expected, slope) = both(X * (k + turn)), plain(X * (k + turn))
                np.testing.assert_allclose(value.numpy(), expected.numpy(), rtol=1e-6 if "dtype" in change else 1e-12)
                np.testing.assert_allclose(gradient.numpy(), slope.numpy(), rtol=1e-6 if "dtype" in change else 1e-12)
                assert (value.requires_grad, value.dtype) == (expected.requires_grad, expected.dtype)
    assert change != "nothing" or both.reasons() == []


def test_a_closure():
    by, weight = 2.0, ag.tensor([1.0, 2.0, 3.0])

    def f(x):
        return ag.sum(x * x * weight) * by

    both, x = ag.value_and_grad(f), ag.ones(3)
    for k in range(30):
        if k % 10 == 9:
            by += 1.0
        if k % 10 == 4:
            weight.copy_(weight + 1.0)
        assert both(x)[0].item() == pytest.approx(weight.numpy().sum() * by)
    assert both.reasons() == []


def scaled(x):
    return ag.sum(x * x) * FACTOR


def test_what_changes_all_the_time_is_left_alone(monkeypatch):
    both = ag.value_and_grad(scaled)
    for k in range(60):
        monkeypatch.setitem(globals(), "FACTOR", float(k))
        assert both(ag.ones(2))[0].item() == 2.0 * k
    assert both.reasons() == ["`FACTOR`, which it reads, changes between calls: make it an argument"]


def test_an_equal_constant_is_the_same(monkeypatch):
    both = ag.value_and_grad(scaled)
    for _ in range(60):
        monkeypatch.setitem(globals(), "FACTOR", float("1.5"))
        assert both(ag.ones(2))[0].item() == 3.0
    assert both.reasons() == []


SCALE, PLACES = ag.tensor([2.0]), ag.tensor([1, 0])
READ = {
    "an operation": lambda x: ag.sum(x * SCALE),
    "ag.tensor": lambda x: ag.sum(x * ag.tensor(SCALE)),
    "ag.asarray": lambda x: ag.sum(x * ag.asarray(SCALE)),
    "ag.full": lambda x: ag.sum(x * ag.full(3, SCALE[0])),
    "np.array": lambda x: ag.sum(x * np.array(SCALE)),
    "np.asarray": lambda x: ag.sum(x * np.asarray(SCALE)),
    "np.full": lambda x: ag.sum(x * np.full(3, SCALE)),
    "a list": lambda x: ag.sum(x * ag.asarray(list(SCALE))),
    "float": lambda x: ag.sum(x * float(SCALE)),
    "a branch": lambda x: ag.sum(x) if SCALE > 2.0 else ag.sum(x * x),
    "sum": lambda x: ag.sum(x * sum(SCALE)),
    "index": lambda x: ag.sum(x[PLACES] ** 2),
    "take": lambda x: ag.sum(ag.take(x, PLACES) ** 2),
    "repeat": lambda x: ag.sum(ag.repeat(x, PLACES[0]) ** 2),
}


@pytest.mark.parametrize("way", READ)
@pytest.mark.parametrize("wrapped", [ag.compile, ag.value_and_grad])
def test_values_of_tensors_are_read_anew(way, wrapped):
    compiled = wrapped(READ[way])
    try:
        for k in range(12):
            if k % 5 == 4:
                SCALE.copy_(SCALE + 1.0)
                PLACES.copy_(2 - PLACES)
            x = X * (k + 1)
            found = compiled(x)
            assert (found[0] if isinstance(found, tuple) else found).item() == pytest.approx(READ[way](x).item())
    finally:
        SCALE.set_([2.0])
        PLACES.set_([1, 0])


def test_a_name_without_a_value():
    def f(x):
        return ag.sum(x) * later  # noqa: F821  # it comes and goes

    with pytest.raises(Impure, match="reads `later`, which has no value yet"):
        premises_of(f)
    later = 1.0
    premises = premises_of(f)
    assert premises.broken() is None
    later = 2.0
    assert premises.broken() == "later"
    del later
    assert premises.broken() == "later"


def test_a_function_without_source():
    f = eval("lambda x: x * 2.0")
    with pytest.raises(Impure, match="it has no source at hand"):
        premises_of(f)


def test_a_source_that_has_changed(tmp_path):
    file = tmp_path / "written.py"
    scope = {"ag": ag}
    exec(compile("def f(x):\n    return x * 2.0\n", str(file), "exec"), scope)
    file.write_text("def f(x):\n    return x * 3.0\n")
    with pytest.raises(Impure, match="it has no source at hand"):
        premises_of(scope["f"])
    file.write_text("def f(x):\n    return x * 2.0\n")
    linecache.checkcache(str(file))
    assert isinstance(premises_of(scope["f"]), Premises)
