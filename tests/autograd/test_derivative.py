"""Jacobians, Hessians and products with them: against each other, closed forms, differences and torch.func."""

from dataclasses import dataclass

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd.config import config
from autograd.errors import ArgumentError, ShapeError, UnsupportedError
from autograd.program.repeated import AGAIN, FIRST
from autograd.tree import flatten

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 1.5, 3)
A = RNG.standard_normal((4, 3))


@ag.fused
def swish(x):
    return x * ag.sigmoid(x)


FUNCTIONS = {  # of one array of 3 elements
    "elementwise": lambda x: ag.sin(x) * x,
    "wide": lambda x: ag.tanh(ag.matmul(A, x)),
    "narrow": lambda x: ag.stack([ag.sum(x**3), ag.prod(x)]),
    "scalar": lambda x: ag.sum(ag.exp(x) * x[0]),
    "matrix": lambda x: ag.outer(x, ag.log(x)),
    "gathered": lambda x: ag.sort(x)[[0, 2, 2]] * ag.cumulative_sum(x),
    "normalised": lambda x: ag.softmax(x) - ag.mean(x),
    "fused": lambda x: swish(ag.concat([x, x * x])),
    "checkpointed": ag.checkpoint(lambda x: ag.sin(x) * ag.sum(x * x)),
}
every_function = pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)


def numeric(f, x, h=1e-6):
    """The Jacobian by central differences."""
    columns = []
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        columns.append((f(x + step).numpy() - f(x - step).numpy()) / (2 * h))
    shape = f(x).shape
    return np.stack(columns, -1).reshape(*shape, *x.shape)


def on_tensors(f):
    return lambda x: ag.asarray(f(ag.tensor(x)))


@every_function
@pytest.mark.parametrize("order", [1, 2, 3])
def test_forward_reverse_and_numeric_agree(f, order):
    def derivative(modes):
        g = f
        for mode in modes:
            g = ag.jacobian(g, mode=mode)
        return g

    found = [derivative(modes)(X).numpy() for modes in [("reverse",) * order, ("forward",) * order]]
    found += [derivative((*("forward", "reverse") * 2,)[:order])(X).numpy()]
    found += [derivative((*("reverse", "forward") * 2,)[:order])(X).numpy()]
    found += [derivative((None,) * order)(X).numpy()]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-9, atol=1e-9)
    below = on_tensors(derivative(("reverse",) * (order - 1)))
    np.testing.assert_allclose(found[0], numeric(below, X), rtol=1e-5, atol=1e-6)


@every_function
def test_order_four_by_mixed_modes(f):
    def nested(*modes):
        g = lambda x: ag.sum(f(x) * f(x))  # noqa: E731  # the form that users write
        for mode in modes:
            g = ag.jacobian(g, mode=mode)
        return g(X).numpy()

    first = nested("reverse", "reverse", "reverse", "reverse")
    assert first.shape == (3, 3, 3, 3)
    np.testing.assert_allclose(nested("reverse", "forward", "reverse", "forward"), first, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(first, first.transpose(3, 1, 2, 0), rtol=1e-8, atol=1e-8)


def test_closed_forms():
    x = ag.tensor(X)
    np.testing.assert_allclose(ag.jacobian(lambda x: ag.matmul(A, x))(x).numpy(), A, rtol=1e-15)
    cubes = ag.hessian(lambda x: ag.sum(x**3))(x).numpy()
    np.testing.assert_allclose(cubes, np.diag(6 * X), rtol=1e-14)
    quadratic = ag.hessian(lambda x: ag.sum(ag.matmul(A, x) ** 2))(x).numpy()
    np.testing.assert_allclose(quadratic, 2 * A.T @ A, rtol=1e-13)


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
def test_products_are_those_with_the_matrix(mode):
    f = lambda x: ag.sum(ag.exp(x) * ag.sin(x[0] * x))  # noqa: E731
    v = RNG.standard_normal(3)
    h = ag.hessian(f, mode=mode)(X).numpy()
    value, (product,) = ag.hvp(f, [X], [v])
    assert float(value) == pytest.approx(float(f(ag.tensor(X))), rel=1e-15)
    np.testing.assert_allclose(product.numpy(), h @ v, rtol=1e-11)
    np.testing.assert_allclose(h, h.T, rtol=1e-12)


def test_the_hessian_product_agrees_with_forward_over_reverse_and_nests():
    f = lambda x: ag.sum(ag.sin(x) * x[0])  # noqa: E731
    v = RNG.standard_normal(3)
    along = lambda x: ag.hvp(f, [x], [v])[1][0]  # noqa: E731
    _, moved = ag.jvp(ag.grad(f), [ag.tensor(X)], [ag.tensor(v)])
    np.testing.assert_allclose(along(X).numpy(), moved.numpy(), rtol=1e-13)
    third = ag.jacobian(along)(X).numpy()
    np.testing.assert_allclose(third, numeric(on_tensors(along), X), rtol=1e-6, atol=1e-8)


def test_gauss_newton_is_the_hessian_of_a_linear_function_and_its_definition_of_others():
    v, loss = RNG.standard_normal(3), lambda y: ag.sum(ag.exp(y))
    linear = lambda x: ag.matmul(A, x)  # noqa: E731
    value, (product,) = ag.gauss_newton_vp(linear, loss, [X], [v])
    np.testing.assert_allclose(product.numpy(), ag.hvp(lambda x: loss(linear(x)), [X], [v])[1][0].numpy(), rtol=1e-12)
    assert float(value) == pytest.approx(np.exp(A @ X).sum(), rel=1e-14)
    bent = FUNCTIONS["wide"]
    j, y = ag.jacobian(bent)(X).numpy(), bent(ag.tensor(X)).numpy()
    _, (product,) = ag.gauss_newton_vp(bent, loss, [X], [v])
    np.testing.assert_allclose(product.numpy(), j.T @ (np.exp(y) * (j @ v)), rtol=1e-12)
    _, parts = ag.gauss_newton_vp(
        lambda p, q: {"y": p["w"] * q}, lambda o: ag.sum(o["y"] ** 2), [{"w": X}, 2.0], [{"w": v}, 0.0]
    )
    np.testing.assert_allclose(parts[0]["w"].numpy(), 8 * v, rtol=1e-14)
    assert float(parts[1]) == pytest.approx(2 * 2 * float(X @ v), rel=1e-14)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_elementwise_derivatives_nest(order):
    f = lambda x: x**5  # noqa: E731
    for _ in range(order):
        f = ag.elementwise_grad(f)
    expected = {1: 5 * X**4, 2: 20 * X**3, 3: 60 * X**2}[order]
    np.testing.assert_allclose(f(X).numpy(), expected, rtol=1e-13)


def test_linearize_runs_once_and_agrees_with_jvp():
    calls = []

    def f(x, y):
        calls.append(1)
        return {"a": ag.sin(x) * y, "b": [ag.sum(x)]}

    out, push = ag.linearize(f, X, 2.0)
    for k in range(3):
        t = np.random.default_rng(k).standard_normal(3)
        moved = push(t, 0.5)
        _, expected = ag.jvp(f, [X, 2.0], [t, 0.5])
        np.testing.assert_allclose(moved["a"].numpy(), expected["a"].numpy(), rtol=1e-14)
        np.testing.assert_allclose(moved["b"][0].numpy(), expected["b"][0].numpy(), rtol=1e-14)
    assert len(calls) == 4
    assert not out["a"].requires_grad
    assert not moved["a"].requires_grad


Z, W = RNG.standard_normal((2, 4, 3))
LABELS = np.array([0, 2, 1, 1])
CLOSED = {  # derivatives by z along v of functions that close over other arguments: w, numbers, and y, labels
    "hvp": lambda z, w, y, v: ag.hvp(lambda a: ag.sum(ag.sin(a) * w * a), [z], [v])[1][0],
    "hvp of its own argument": lambda z, w, y, v: ag.hvp(lambda a: ag.sum(ag.sin(a) * z * a), [z], [v])[1][0],
    "hvp of labels": lambda z, w, y, v: ag.hvp(lambda a: F.cross_entropy(a, y), [z], [v])[1][0],
    "hessian": lambda z, w, y, v: ag.hessian(lambda a: ag.sum(ag.sin(a) * w.sum() * a))(z),
    "hessian of labels": lambda z, w, y, v: ag.hessian(lambda a: F.cross_entropy(a, y, weight=w[0] ** 2))(z),
    "jvp": lambda z, w, y, v: ag.jvp(lambda a: w * ag.sin(a) + np.exp(w) - w[0], [z], [v]),
    "jvp of labels": lambda z, w, y, v: ag.jvp(lambda a: ag.sin(a)[y] * w, [z], [v]),
    "jvp of a gradient": lambda z, w, y, v: ag.jvp(ag.grad(lambda a: ag.sum(ag.sin(a) * w)), [z], [v])[1],
    "jvp of a constant": lambda z, w, y, v: ag.jvp(lambda a: w, [z], [v]),
    "linearize": lambda z, w, y, v: ag.linearize(lambda a: ag.sin(a)[y] * w, z)[1](v),
    "samples": lambda z, w, y, v: ag.vmap(lambda a: ag.hvp(lambda b: ag.sum(b**3 * w), [a], [v[0]])[1][0])(z),
}


@pytest.mark.parametrize("f", CLOSED.values(), ids=CLOSED)
def test_functions_in_programs_may_close_over_other_arguments(f):
    z, w, v = (ag.tensor(x) for x in (Z, W, np.cos(Z)))
    compiled = ag.compile(f)
    for labels in (LABELS, LABELS[::-1].copy()):
        for found, expected in zip(*(flatten(g(z, w, ag.tensor(labels), v))[0] for g in (compiled, f)), strict=True):
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-9, atol=1e-12)
    assert compiled.reasons() == []
    assert len(compiled.programs) == 1


def test_linearize_is_part_of_a_program():
    """Also its own derivative, and with random numbers, which are drawn once for f and its map."""
    g = ag.random.Generator(3)

    def f(x, t):
        y, push = ag.linearize(lambda x: {"a": ag.sin(x) * x[0], "b": [ag.sum(x * g.uniform(size=3))]}, x)
        return y, push(t), push(2 * t)

    def slope(x, t):
        return ag.grad(lambda x: ag.sum(ag.linearize(lambda x: ag.sin(x) * x, x)[1](t)))(x)

    x, t = ag.tensor(X), ag.tensor(RNG.standard_normal(3))
    for one in (f, slope):
        compiled = ag.compile(one)
        before = g.get_state()
        found = [flatten(compiled(x, t))[0] for _ in range(3)]
        g.set_state(before)
        for given in found:
            for a, b in zip(given, flatten(one(x, t))[0], strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
        assert not compiled.reasons()
    with pytest.raises(ShapeError, match=r"shape \(2,\)"):
        ag.compile(f)(x, t[:2])


def test_derivatives_through_a_linearization():
    """d/dx of the derivative of sin(w x) x along t, and by a closed-over w."""
    w = ag.tensor(0.7, requires_grad=True)
    t = RNG.standard_normal(3)

    def along(x):
        return ag.linearize(lambda x: ag.sin(w * x) * x, x)[1](t)

    np.testing.assert_allclose(ag.jacobian(along)(X).numpy(), numeric(on_tensors(along), X), rtol=1e-7, atol=1e-9)
    along(X).sum().backward()
    by_hand = (t * (2 * X * np.cos(0.7 * X) - 0.7 * X * X * np.sin(0.7 * X))).sum()
    assert float(w.grad) == pytest.approx(by_hand, rel=1e-12)
    s = ag.tensor(t, requires_grad=True)
    _, push = ag.linearize(lambda x: x * x, X)
    push(s).sum().backward()
    np.testing.assert_allclose(s.grad.numpy(), 2 * X, rtol=1e-15)


@dataclass
class Line:
    slope: object
    shift: object


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
def test_containers_on_both_sides(mode):
    f = lambda p, q: {"y": p["line"].slope * q + p["line"].shift, "n": (ag.sum(p["w"][0]),)}  # noqa: E731
    p, q = {"line": Line(X, 2.0), "w": [A]}, ag.tensor(3.0)
    by_p, by_q = ag.jacobian(f, (0, 1), mode=mode)(p, q)["y"]
    np.testing.assert_allclose(by_p["line"].slope.numpy(), 3 * np.eye(3), rtol=1e-15)
    np.testing.assert_allclose(by_p["line"].shift.numpy(), np.ones(3), rtol=1e-15)
    assert by_p["w"][0].shape == (3, 4, 3)
    assert not by_p["w"][0].numpy().any()
    np.testing.assert_allclose(by_q.numpy(), X, rtol=1e-15)
    whole = ag.jacobian(f, mode=mode)(p, q)
    np.testing.assert_allclose(whole["n"][0]["w"][0].numpy(), np.ones((4, 3)), rtol=1e-15)


def test_hessians_of_containers():
    h = ag.hessian(lambda p: ag.sum(p["a"] ** 2) * p["b"])({"a": X, "b": 3.0})
    np.testing.assert_allclose(h["a"]["a"].numpy(), 6 * np.eye(3), rtol=1e-14)
    np.testing.assert_allclose(h["a"]["b"].numpy(), 2 * X, rtol=1e-14)
    np.testing.assert_allclose(h["b"]["a"].numpy(), 2 * X, rtol=1e-14)
    assert float(h["b"]["b"]) == 0.0


def test_kernels_do_not_change_derivatives():
    n = 5000
    x = np.linspace(-2, 2, n)
    f = lambda a: ag.stack([ag.sum(swish(a * x)), ag.sum(swish(a + x) * x)])  # noqa: E731
    for mode in ("forward", "reverse", None):
        run = lambda: ag.jacobian(ag.jacobian(f, mode=mode), mode=mode)(0.8).numpy()  # noqa: B023, E731  # called at once
        with config.using(kernels=False):
            plain = run()
        np.testing.assert_allclose(run(), plain, rtol=1e-10)


def test_forward_is_chosen_for_few_inputs_even_through_a_kernel():
    x = np.linspace(-2, 2, 5000)
    found = ag.jacobian(lambda a: swish(a * x))(0.8)
    s = 1 / (1 + np.exp(-0.8 * x))
    np.testing.assert_allclose(found.numpy(), x * (s + 0.8 * x * s * (1 - s)), rtol=1e-10, atol=1e-12)


def test_arrays_without_elements_and_unused_arguments():
    assert ag.jacobian(lambda x: x * 2.0)(np.zeros((0, 2))).shape == (0, 2, 0, 2)
    for mode in ("forward", "reverse"):
        assert ag.jacobian(lambda x: ag.ones(2), mode=mode)(X).tolist() == [[0.0] * 3] * 2
    assert ag.jacobian(lambda x: ag.ones(2) * x, argnums=0)(ag.tensor(2.0, dtype="float32")).dtype == np.float64


def test_float32_stays_float32():
    x = X.astype(np.float32)
    for mode in ("forward", "reverse"):
        assert ag.jacobian(lambda x: ag.tanh(x) * x, mode=mode)(x).dtype == np.float32
        assert ag.hessian(lambda x: ag.sum(ag.tanh(x) * x), mode=mode)(x).dtype == np.float32
    assert ag.hvp(lambda x: ag.sum(x**3), [x], [x])[1][0].dtype == np.float32


def test_refusals():
    with pytest.raises(
        ArgumentError, match=r"jacobian was given mode='backward'\. Expected 'forward', 'reverse' or None"
    ):
        ag.jacobian(ag.sin, mode="backward")
    with pytest.raises(ShapeError, match=r"hvp of a function that returned .* Expected a single element"):
        ag.hvp(lambda x: x * x, [X], [X])
    with pytest.raises(ShapeError, match=r"hvp was given tangent 0 of shape \(2,\) for a primal of shape \(3,\)"):
        ag.hvp(lambda x: ag.sum(x), [X], [X[:2]])
    with pytest.raises(ShapeError, match=r"directions a list of 2\. Expected the structure of a list of 1"):
        ag.hvp(lambda x: ag.sum(x), [X], [X, X])
    with pytest.raises(ShapeError, match=r"tangent 0 was given with shape \(2,\) for a primal of shape \(3,\)"):
        ag.linearize(ag.sin, X)[1](X[:2])
    with pytest.raises(ArgumentError, match="argnums asks for argument 1 of a call with 1 positional"):
        ag.jacobian(ag.sin, 1)(X)


def test_against_torch_func():
    try:
        import torch
    except ImportError:  # the closed forms above say the same
        return
    func = torch.func
    x, v = torch.tensor(X), torch.tensor(RNG.standard_normal(3))
    a = torch.tensor(A)
    ours = lambda x: ag.tanh(ag.matmul(A, x)) * ag.sum(x**2)  # noqa: E731
    theirs = lambda x: torch.tanh(a @ x) * (x**2).sum()  # noqa: E731
    np.testing.assert_allclose(ag.jacobian(ours)(X).numpy(), func.jacrev(theirs)(x).numpy(), rtol=1e-11)
    np.testing.assert_allclose(
        ag.jacobian(ag.jacobian(ours))(X).numpy(), func.jacrev(func.jacrev(theirs))(x).numpy(), rtol=1e-10, atol=1e-12
    )
    third = ag.jacobian(ag.hessian(lambda x: ag.sum(ours(x))))(X).numpy()
    np.testing.assert_allclose(
        third, func.jacrev(func.jacrev(func.grad(lambda x: theirs(x).sum())))(x).numpy(), rtol=1e-9, atol=1e-10
    )
    _, product = torch.autograd.functional.hvp(lambda x: theirs(x).sum(), x, v)
    np.testing.assert_allclose(
        ag.hvp(lambda x: ag.sum(ours(x)), [X], [v.numpy()])[1][0].numpy(), product.numpy(), rtol=1e-10
    )
    _, moved = torch.autograd.functional.jvp(theirs, x, v)
    np.testing.assert_allclose(ag.linearize(ours, X)[1](v.numpy()).numpy(), moved.numpy(), rtol=1e-11)


W = ag.tensor(A)
V = ag.tensor([1.0, -2.0, 0.5])
MANY = {  # results of several transforms, at an array of 3 elements, that a program is made of
    "reverse": lambda x: ag.jacobian(_field, mode="reverse")(x),
    "forward": lambda x: ag.jacobian(_field, mode="forward")(x),
    "hessian": lambda x: ag.hessian(_energy)(x),
    "forward hessian": lambda x: ag.hessian(_energy, mode="forward")(x),
    "jacobian of jacobian": lambda x: ag.jacobian(ag.jacobian(_field))(x),
    "jacobian of hessian": lambda x: ag.jacobian(ag.hessian(_energy))(x),
    "order 4": lambda x: ag.hessian(lambda z: ag.sum(ag.hessian(_energy)(z) ** 2))(x),
    "hvp": lambda x: ag.hvp(_energy, [x], [V]),
    "gauss_newton_vp": lambda x: ag.gauss_newton_vp(_field, lambda y: ag.sum(y**4), [x], [V]),
    "jvp": lambda x: ag.jvp(_field, [x], [V]),
    "jvp of jvp": lambda x: ag.jvp(lambda z: ag.jvp(_field, [z], [V])[1], [x], [x]),
    "jvp of grad": lambda x: ag.jvp(ag.grad(_energy), [x], [V]),
    "grad of jvp": lambda x: ag.grad(lambda z: ag.sum(ag.jvp(_field, [z], [V])[1]))(x),
    "grad of hessian": lambda x: ag.grad(lambda z: ag.sum(ag.hessian(_energy)(z) ** 2))(x),
    "vmap of hessian": lambda x: ag.vmap(ag.hessian(_energy))(ag.stack([x, x * 2])),
    "vmap of grad, a constant": lambda x: ag.vmap(lambda t: ag.grad(lambda z: _energy(z) * t)(x * 2))(ag.ones(2)),
    "hessian of vmap": lambda x: ag.hessian(lambda z: ag.sum(ag.vmap(_energy)(ag.stack([z, z * z]))))(x),
    "hessian of a checkpoint": lambda x: ag.hessian(ag.checkpoint(_energy))(x),
    "containers": lambda x: ag.hessian(lambda p: ag.sum(p["a"] ** 2 * p["b"][0]))({"a": x, "b": [x[0] * 2.0]}),
}


def _field(x):
    return ag.tanh(W @ x) * ag.sum(x**2) / 3


def _energy(x):
    return ag.sum(_field(x) ** 2)


@pytest.mark.parametrize("f", MANY.values(), ids=MANY)
def test_transforms_are_programs_within_a_compiled_function(f):
    x = ag.tensor(X)
    compiled = ag.compile(f)
    expected, _ = flatten(f(x))
    for _ in range(2):
        found, _ = flatten(compiled(x))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-11, atol=1e-11)
    assert compiled.reasons() == []


def test_a_loss_made_of_a_hessian_is_compiled_with_its_gradient():
    x = ag.tensor(X, requires_grad=True)
    loss = ag.compile(lambda: ag.sum(ag.hessian(_energy)(x) ** 2))
    for _ in range(2):
        x.grad = None
        loss().backward()
    (expected,) = ag.grad(ag.sum(ag.hessian(_energy)(x) ** 2), [x])
    assert loss.reasons() == []
    np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), rtol=1e-10)


@pytest.mark.parametrize("transform", [ag.jacobian, ag.hessian])
def test_matrices_that_are_asked_for_again_and_again_become_programs(transform):
    plain = transform(_energy, compile=False)
    counted, asked = transform(_energy), transform(_energy, compile=True)
    calls = FIRST + AGAIN + 3
    for k in range(calls):
        x = ag.tensor(X + 0.001 * k)
        if k % 100 == 0 or k > calls - 4:
            np.testing.assert_allclose(counted(x).numpy(), plain(x).numpy(), rtol=1e-12)
            np.testing.assert_allclose(asked(x).numpy(), plain(x).numpy(), rtol=1e-12)
        else:
            counted(x)
    assert counted.reasons() == asked.reasons() == []
    assert plain.reasons() == []


def test_a_function_that_does_more_than_compute_stays_as_it_is():
    seen = []
    f = ag.hessian(lambda x: seen.append(1) or ag.sum(x**3))
    for _ in range(FIRST + AGAIN):
        f(X)
    assert len(seen) == FIRST + AGAIN
    assert "seen.append" in f.reasons()[0]


def test_a_function_whose_values_decide_is_not_compiled_and_may_not_be_asked_to_be():
    f = ag.hessian(lambda x: ag.sum(x**3) if float(x[0]) > 0 else ag.sum(x), compile=True)
    with pytest.raises(UnsupportedError, match="was to be compiled, and has no program for these arguments"):
        f(X)


def test_large_and_small_arrays_are_cut_apart():
    """Arrays of other sizes than one run holds: rows of the identity are cut where they end, and none is lost."""
    w = {"large": np.linspace(-1, 1, 700).reshape(20, 35), "small": X, "none": np.zeros((0,)), "one": np.float64(2.0)}
    f = lambda p: ag.sum(ag.tanh(p["large"]) ** 2 * p["one"]) + ag.prod(p["small"]) * p["one"] ** 2  # noqa: E731
    many = np.random.default_rng(3).standard_normal((300, 20))
    g = lambda p: f(p) + ag.sum(ag.sin(ag.matmul(many, p["large"]))) * p["one"]  # noqa: E731
    for mode in ("forward", "reverse"):
        rows = ag.hessian(g, mode=mode)(w)
        slope = ag.grad(g)
        for name, place in (("large", (3, 4)), ("large", (19, 34)), ("small", (1,)), ("one", ())):
            moved = {k: np.array(v, float) for k, v in w.items()}
            ends = []
            for by in (1e-5, -1e-5):
                moved[name][place] = w[name][place] + by
                ends.append(slope(moved))
            for other in w:
                expected = (ends[0][other].numpy() - ends[1][other].numpy()) / 2e-5
                np.testing.assert_allclose(rows[name][other].numpy()[place], expected, rtol=1e-5, atol=1e-5)


def test_a_matrix_of_too_many_sweeps_runs_as_it_stands():
    wide = ag.tensor(np.ones((2**19, 1), np.float32))
    f = ag.compile(lambda x: ag.sum(ag.jacobian(lambda z: wide * ag.sum(z), mode="forward")(x)[0]))
    x = ag.tensor(np.zeros(600, np.float32))
    assert f.explain(x).startswith("a matrix of derivatives takes 600 sweeps over values of up to 524288 numbers")
