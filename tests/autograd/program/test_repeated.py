"""`ag.value_and_grad` runs as a program where a replay can be shown to equal a call, and says why where it cannot."""

import math
import runpy
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd.errors import DifferentiationError, DTypeError, IndexOutOfRange, UnsupportedError
from autograd.program import repeated

RATE = 0.5
POWERS = (1, 2, 3)


SHARED = runpy.run_path(str(Path(__file__).with_name("replays.py")))
_soon, made, draw, same = (SHARED[name] for name in ("_soon", "made", "draw", "same"))


# ---- what is compiled


def gaussian(x):
    return ag.exp(-x * x) * math.pi


def layers(p, x, t, act=ag.tanh):
    n = len(p["w"])
    for k in range(n):
        x = x @ p["w"][k] + p["b"][k]
        if k < n - 1:
            x = act(x)
    return F.mse_loss(x, t)


def penalised(p, x):
    loss = ag.sum(ag.tanh(x * p["w0"]))
    for k in range(2):
        loss += RATE * ag.sum(p[f"w{k}"] ** 2)
    return loss


def with_helpers(x):
    def shifted(y, by=0.25):
        return y + by

    parts = []
    for power in POWERS:
        y = shifted(gaussian(x))
        parts.append(ag.sum(y**power))
    total, *rest = parts
    return total + sum(r for r in rest) + np.sum(np.sin(x))


def part_constant(x):
    with ag.no_grad():
        scale = 1 / ag.sum(x * x)
    return ag.sum(x**3) * scale


def of_a_gradient(x):
    return ag.sum(ag.grad(lambda z: ag.sum(z**3))(x) ** 2)


def network(k):
    w, b = [draw(k, 3, 4), draw(k + 1, 4, 2)], [draw(k + 2, 4), draw(k + 3, 2)]
    return {"w": w, "b": b}, draw(k + 4, 5, 3), draw(k + 5, 5, 2)


CLOSED = draw(5, 4)
COMPILED = {
    "closed over": (lambda x: ag.sum(x * CLOSED) ** 2, lambda k: (draw(k, 4),)),
    "containers": (layers, network),
    "in place": (penalised, lambda k: ({"w0": draw(k, 3), "w1": draw(k + 1, 3)}, draw(9, 3))),
    "helpers": (with_helpers, lambda k: (draw(k, 4),)),
    "no_grad": (part_constant, lambda k: (draw(k, 4),)),
    "a gradient inside": (of_a_gradient, lambda k: (draw(k, 4),)),
    "ndarrays": (lambda w, x: ag.mean((x @ w) ** 2), lambda k: (draw(k, 3).numpy(), draw(7, 6, 3).numpy())),
    "Python numbers": (lambda x, rate, n: ag.sum(x[:n] ** 2) * rate, lambda k: (draw(k, 4), 0.1 * k, 2)),
    "a float to differentiate by": (lambda a, x: ag.sum(ag.exp(a * x)), lambda k: (0.1 * k, draw(7, 4))),
    "labels": (F.cross_entropy, lambda k: (draw(k, 5, 3), np.random.default_rng(k).integers(0, 3, 5))),
    "float32": (lambda x: ag.sum(x * x) * RATE, lambda k: (draw(k, 4, dtype="float32"),)),
    "a partial": (partial(lambda a, x, b: ag.sum(a * x) + b, 2.0, b=1.0), lambda k: (draw(k, 3),)),
    "no use of it": (lambda x, y: ag.sum(y * y), lambda k: (draw(k, 3), draw(8, 3))),
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_by_default(name, made):
    f, arguments = COMPILED[name]
    both, plain = ag.value_and_grad(f), ag.value_and_grad(f, compile=False)
    for k in range(12):
        same(both(*arguments(k)), plain(*arguments(k)))
    assert both.reasons() == []
    assert [run.calls for run in made] == [9]  # one to compare, and eight of the twelve


def test_settings_positions_and_aux(made):
    def f(w, x, *, scale=1.0):
        y = x @ w
        return ag.sum(y * y) * scale, {"y": y.detach(), "n": len(x), "k": (1, "a", None)}

    both, plain = (ag.value_and_grad(f, (1, 0), has_aux=True, compile=c) for c in (None, False))
    for k in range(10):
        args = draw(k, 3), draw(k + 1, 2, 3)
        same(both(*args, scale=0.1 * k), plain(*args, scale=0.1 * k))
    assert both.reasons() == []
    assert made[0].calls == 7


def test_what_no_argument_changes_is_a_copy_in_each_call():
    f = lambda x, y: (ag.sum(y * y), ag.ones(2))  # noqa: E731
    both = ag.value_and_grad(f, (0, 1), has_aux=True)
    for _ in range(8):
        (_, aux), (unused, _) = both(draw(0, 3), draw(1, 3))
        assert unused.tolist() == [0.0, 0.0, 0.0]
        assert aux.tolist() == [1.0, 1.0]
        unused += 5.0
        aux += 5.0
    assert both.reasons() == []


def test_what_is_computed_beside_the_value_is_off_the_tape_in_calls_and_in_programs():
    both = ag.value_and_grad(lambda x: (ag.sum(x * x), x * 2.0), has_aux=True)
    for k in range(8):
        (_, aux), _ = both(draw(k, 3))
        np.testing.assert_allclose(aux.numpy(), 2 * np.asarray(draw(k, 3)))
    assert both.reasons() == []


# ---- what was asked for


leaf = ag.tensor([1.0, 2.0, 3.0], requires_grad=True)


def test_compile_false_makes_no_program(made):
    both = ag.value_and_grad(lambda x: ag.sum(x * x), compile=False)
    for k in range(10):
        both(draw(k, 3))
    assert (made, both.reasons()) == ([], ["compile=False was asked for"])


def test_compile_true_makes_one_at_once_and_whatever_python_does(made):
    scale = [1.0]
    both = ag.value_and_grad(lambda x: ag.sum(x * x) * scale[0], compile=True)
    for _ in range(3):
        assert both(draw(1, 3))[0].shape == ()
    assert [run.calls for run in made] == [2]
    scale[0] = 2.0
    assert both(draw(1, 3))[0].item() == pytest.approx((draw(1, 3).numpy() ** 2).sum())
    assert both.reasons() == []


@pytest.mark.parametrize(
    ("f", "args", "reason"),
    [
        (lambda x: ag.sum(x) if x[0] > 0 else ag.sum(2 * x), (draw(0, 3),), "its control flow depends on a value"),
        (lambda x: ag.sum(x[x > 0]), (draw(0, 3),), "takes elements by a mask"),
        (lambda x: ag.sum(ag.abs(x)), (np.array([1j]),), "complex128"),
        (lambda x, _: ag.sum(x), (draw(0, 3), object()), "an argument holds a object"),
        (lambda x: ag.sum(x), (leaf,), "an argument requires a gradient"),
    ],
)
def test_compile_true_says_what_prevents_it(f, args, reason):
    both = ag.value_and_grad(f, compile=True)
    for _ in range(2):
        with pytest.raises(UnsupportedError, match=reason):
            both(*args)
    assert ag.value_and_grad(f)(*args)[1].shape == args[0].shape


def test_compile_true_raises_what_is_wrong_with_the_arguments_first():
    with pytest.raises(DTypeError, match=r"write 2\.0 for 2"):
        ag.value_and_grad(lambda x: x * x, compile=True)(2)


# ---- kinds of arguments


def test_kinds_are_told_apart(made):
    f = lambda p, x, n=1, **more: ag.sum(p["a"] * 10.0 + p["b"] * x) * n  # noqa: E731
    both, plain = ag.value_and_grad(f), ag.value_and_grad(f, compile=False)
    calls = [
        lambda k: ({"a": draw(k, 3), "b": draw(k + 1, 3)}, draw(k, 3)),
        lambda k: ({"b": draw(k, 3), "a": draw(k + 1, 3)}, draw(k, 3)),
        lambda k: ({"a": draw(k, 2), "b": draw(k + 1, 2)}, draw(k, 2)),
        lambda k: ({"a": draw(k, 3, dtype="float32"), "b": draw(k + 1, 3, dtype="float32")}, draw(k, 3)),
        lambda k: ({"a": draw(k, 3), "b": draw(k + 1, 3)}, draw(k, 3), 2),
        lambda k: ({"a": draw(k, 3), "b": draw(k + 1, 3)}, 0.5 * k),
        lambda k: ({"a": draw(k, 3), "b": draw(k + 1, 3)}, np.float64(0.5 * k)),
    ]
    for k in range(6):
        for call in calls:
            same(both(*call(k)), plain(*call(k)))
    for k in range(3):
        for settings in ({"first": 1.0, "second": 2.0}, {"second": 1.0, "first": 2.0}):
            same(both(*calls[0](k), **settings), plain(*calls[0](k), **settings))
    assert both.reasons() == []
    assert len(made) == len(calls) + 2


def test_a_program_that_gives_something_else_is_left(monkeypatch, made):
    monkeypatch.setattr(repeated, "TRIALS", 5)
    both, plain = ag.value_and_grad(cube), ag.value_and_grad(cube, compile=False)
    for k in range(5):
        both(draw(k, 3))
    (run,) = made
    monkeypatch.setattr(type(run), "__call__", lambda *_: (ag.tensor(0.0), ag.zeros(3)))
    same(both(draw(7, 3)), plain(draw(7, 3)))
    assert both.reasons() == ["a replay gives other values"]


def test_a_container_that_is_changed():
    def f(x, p):
        p["n"] = p.get("n", 0.0) + 1.0
        return ag.sum(x * x) * p["n"]

    both, p = ag.value_and_grad(f), {"n": 0.0}
    for k in range(8):
        assert both(ag.ones(2), p)[0].item() == 2.0 * (k + 1)
    assert both.reasons() == ["it changes a container that it was given"]


def test_too_many_kinds(monkeypatch):
    monkeypatch.setattr(repeated, "KINDS", 3)
    both = ag.value_and_grad(lambda x, n: ag.sum(x) * n)
    for n in range(20):
        assert both(draw(0, 3), n)[1].tolist() == [n, n, n]
    assert both.reasons() == ["its arguments are of more than 3 kinds: shapes, dtypes, or Python values"]


def test_arguments_that_cannot_be_compiled_are_looked_at_again(made):
    both = ag.value_and_grad(lambda x: ag.sum(x * x))
    for _ in range(6):
        value, gradient = both(leaf)
        assert (value.requires_grad, gradient.requires_grad) == (True, True)
    assert made == []
    assert both.reasons()[0].startswith("an argument requires a gradient, so the result is recorded")
    for _ in range(8):
        assert not both(leaf.detach())[1].requires_grad
    with ag.no_grad():
        for _ in range(4):
            assert both(leaf)[1].tolist() == [2.0, 4.0, 6.0]
    assert (len(made), both.reasons()) == (2, [])


# ---- inside of other transforms


def cube(x):
    return ag.sum(x**3)


WITHIN = {
    "alone": lambda both, x: both(x),
    "grad": lambda both, x: ag.grad(lambda z: ag.sum(both(z)[1] ** 2))(x),
    "hessian": lambda both, x: ag.jacobian(lambda z: both(z)[1])(x),
    "jvp": lambda both, x: ag.jvp(lambda z: both(z)[1], [x], [x]),
    "vmap": lambda both, x: ag.vmap(lambda z: both(z)[1])(ag.stack([x, x])),
    "compile": lambda both, x: ag.compile(both)(x),
    "itself": lambda both, x: ag.value_and_grad(lambda z: ag.sum(both(z)[1]))(x),
    "no_grad": ag.no_grad()(lambda both, x: both(x)),
    "a leaf": lambda both, x: both(x.detach().requires_grad_())[1].detach(),
    "complex": lambda both, x: both(x * 1.0)[0] + 0j,
    "ndarray": lambda both, x: both(x.numpy()),
    "Python float": lambda both, x: both(0.5),
    "threads": lambda both, x: in_threads(both, x),
}


def in_threads(both, x):
    found = []
    threads = [threading.Thread(target=lambda: found.append(both(x))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("where", WITHIN)
def test_within_others(where):
    both, plain = ag.value_and_grad(cube), ag.value_and_grad(cube, compile=False)
    for _ in range(6):
        both(draw(0, 3))
    for k in range(6):
        same(WITHIN[where](both, draw(k, 3)), WITHIN[where](plain, draw(k, 3)))


def test_anomalies_errors_and_warnings_are_found():
    f = lambda x: ag.sum(ag.log(x) * 0.5)  # noqa: E731
    both = ag.value_and_grad(f)
    for k in range(6):
        both(abs(draw(k, 3)))
    assert both.reasons() == []
    zero = ag.zeros(3)
    with pytest.raises(ag.errors.AnomalyError, match="log"), np.errstate(all="ignore"), ag.detect_anomaly():
        both(zero)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        both(zero)
    with ag.inference_mode(), pytest.raises(DifferentiationError, match="inference_mode"):
        both(abs(draw(0, 3)))
    assert both(zero)[0].item() == -math.inf


def test_an_error_is_that_of_the_function():
    both = ag.value_and_grad(F.cross_entropy)
    for k in range(6):
        both(draw(k, 5, 3), np.arange(5) % 3)
    with pytest.raises(IndexOutOfRange, match=r"label 7 at position \(4,\)"):
        both(draw(0, 5, 3), np.array([0, 1, 2, 0, 7]))
    taken = ag.value_and_grad(lambda x, k: ag.sum(ag.take(x, k) ** 2))
    for k in range(6):
        taken(draw(k, 5), np.arange(3))
    with pytest.raises(IndexOutOfRange, match="out of bounds"):
        taken(draw(0, 5), np.array([0, 9, 1]))


def test_a_gradient_function_is_a_function():
    class Holder:
        step = ag.value_and_grad(lambda self, x: ag.sum(x * x) * self.scale, 1)
        scale = 2.0

    for _ in range(8):
        assert Holder().step(ag.ones(2))[1].tolist() == [4.0, 4.0]
    assert "an argument holds a Holder" in Holder.step.reasons()[0]
    assert ag.value_and_grad(cube).__name__ == "cube"
    assert ag.compile(ag.value_and_grad(cube)).reasons() == []
