"""`ag.vmap` against the loop that it stands for: axes, nesting, every transform, and what it refuses."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError, UnsupportedError

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 1.5, (4, 3))
A = RNG.standard_normal((5, 3))


# ---- axes, containers, nesting


@dataclass
class Line:
    slope: object
    shift: object


@pytest.mark.parametrize(("axis", "out"), [(0, 0), (1, 0), (-1, 1), (2, -1)])
def test_axes_in_and_out(axis, out):
    x = RNG.standard_normal((4, 4, 4))
    f = lambda x: x @ x.T  # noqa: E731
    expected = np.stack([np.asarray(m @ m.T) for m in np.moveaxis(x, axis, 0)], out)
    np.testing.assert_allclose(ag.vmap(f, axis, out)(x).numpy(), expected, rtol=1e-12)


def test_containers_and_axes_for_their_parts():
    p, q = {"line": Line(X, 2.0), "w": [A]}, X[:, 0]
    f = lambda p, q, k: (p["line"].slope * q + p["line"].shift, {"w": p["w"][0] @ p["line"].slope, "k": k})  # noqa: E731
    axes = {"line": Line(0, None), "w": None}
    y, rest = ag.vmap(f, in_axes=(axes, 0, None), out_axes=(1, {"w": 0, "k": None}))(p, q, 3.0)
    np.testing.assert_allclose(y.numpy(), (X * q[:, None] + 2).T, rtol=1e-15)
    np.testing.assert_allclose(rest["w"].numpy(), X @ A.T, rtol=1e-14)
    assert float(rest["k"]) == 3.0
    named = ag.vmap(lambda x, *, y: (x * y, None))(X, y=X)
    np.testing.assert_array_equal(named[0].numpy(), X * X)
    assert named[1] is None


def test_what_all_samples_share_is_repeated():
    w = ag.tensor(A, requires_grad=True)
    y = ag.vmap(lambda x: (w * 2, 1.5))(X)
    assert y[0].shape == (4, 5, 3)
    assert y[1].tolist() == [1.5] * 4
    y[0].sum().backward()
    assert (w.grad.numpy() == 8).all()


def test_nesting():
    x, y = RNG.standard_normal((3, 4)), RNG.standard_normal((5, 4))
    dots = ag.vmap(ag.vmap(ag.vecdot, in_axes=(None, 0)), in_axes=(0, None))
    np.testing.assert_allclose(dots(x, y).numpy(), x @ y.T, rtol=1e-13)
    nested = ag.vmap(ag.vmap(ag.grad(lambda a, b: ag.sin(a * b)), in_axes=(None, 0)), in_axes=(0, None))
    a, b = x[:, 0], y[:, 0]
    np.testing.assert_allclose(nested(a, b).numpy(), b * np.cos(np.outer(a, b)), rtol=1e-13)
    outer = ag.tensor(a, requires_grad=True)
    nested(outer, b).sum().backward()
    product = np.outer(a, b)
    np.testing.assert_allclose(outer.grad.numpy(), (-b * b * np.sin(product)).sum(1), rtol=1e-12)


def f_of(x):
    return ag.sum(ag.exp(ag.sin(x)) * x[0])


@ag.fused
def swish(x):
    return x * ag.sigmoid(x)


TRANSFORMS = {
    "gradient": ag.grad(f_of),
    "value and gradient": lambda x: ag.value_and_grad(f_of)(x)[1],
    "hessian": ag.hessian(f_of),
    "hessian forward": ag.hessian(f_of, mode="forward"),
    "jacobian": ag.jacobian(lambda x: ag.tanh(A @ x)),
    "jacobian forward": ag.jacobian(lambda x: ag.tanh(A @ x), mode="forward"),
    "third": ag.jacobian(ag.hessian(f_of)),
    "jvp": lambda x: ag.jvp(f_of, [x], [x * 2.0])[1],
    "vjp": lambda x: ag.vjp(lambda x: ag.tanh(A @ x), x)[1](ag.sin(ag.ones(5) * x[0]))[0],
    "hvp": lambda x: ag.hvp(f_of, [x], [ag.cos(x)])[1][0],
    "linearize": lambda x: ag.linearize(f_of, x)[1](ag.cos(x)),
    "gauss newton": lambda x: ag.gauss_newton_vp(lambda x: A @ x, lambda y: ag.sum(ag.exp(y)), [x], [x])[1][0],
    "elementwise": ag.elementwise_grad(lambda x: x**3),
    "fused": ag.grad(lambda x: ag.sum(swish(ag.concat([x, x * x])))),
    "checkpoint": ag.grad(lambda x: ag.sum(ag.checkpoint(ag.sin)(x) * x)),
    "loop": ag.grad(lambda x: ag.sum(ag.stack([ag.prod(row) for row in (x, x * x)]))),
}


@pytest.mark.parametrize("f", TRANSFORMS.values(), ids=TRANSFORMS)
def test_transforms_inside_and_around(f):
    each = np.stack([f(ag.tensor(x)).numpy() for x in X])
    np.testing.assert_allclose(ag.vmap(f)(X).numpy(), each, rtol=1e-11, atol=1e-12)
    total = lambda x: ag.sum(ag.sin(f(x)))  # noqa: E731
    of_rows = np.stack([ag.grad(total)(x).numpy() for x in X])
    whole = ag.grad(lambda x: ag.sum(ag.vmap(total)(x)))(X).numpy()
    np.testing.assert_allclose(whole, of_rows, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(ag.vmap(ag.grad(total))(X).numpy(), of_rows, rtol=1e-9, atol=1e-10)
    t = RNG.standard_normal(X.shape)
    _, moved = ag.jvp(ag.vmap(total), [X], [t])
    np.testing.assert_allclose(moved.numpy(), (of_rows * t).sum(1), rtol=1e-9, atol=1e-10)
    pairs = ag.vmap(lambda x, t: ag.jvp(total, [x], [t])[1])(X, t)
    np.testing.assert_allclose(pairs.numpy(), (of_rows * t).sum(1), rtol=1e-9, atol=1e-10)


def test_a_pull_back_made_outside_is_batched():
    for f in (lambda x: ag.tanh(A @ x), ag.checkpoint(lambda x: ag.tanh(A @ x)), lambda x: swish(A @ x)):
        _, pull = ag.vjp(f, X[0])
        (rows,) = ag.vmap(pull)(np.eye(5))
        np.testing.assert_allclose(rows.numpy(), ag.jacobian(f)(X[0]).numpy(), rtol=1e-13, atol=1e-14)
    f = lambda x: ag.tanh(A @ x)  # noqa: E731
    _, push = ag.linearize(f, X[0])
    columns = ag.vmap(push, out_axes=1)(np.eye(3)).numpy()
    np.testing.assert_allclose(columns, ag.jacobian(f)(X[0]).numpy(), rtol=1e-13)
    np.testing.assert_allclose(push(X[1]).numpy(), columns @ X[1], rtol=1e-13)  # and is whole afterwards


@ag.elementwise
def bent(x, *, most=1.0):
    y = x * x
    if y > most:
        y = most + y / 2
    return y


def test_scans_and_scalar_functions_of_users():
    scan = lambda x: ag.sum(ag.scan(lambda c, r, w: (ag.tanh(c * w + r),) * 2, x, A[:, :3], x)[1] ** 2)  # noqa: E731
    for f in (scan, lambda x: ag.sum(bent(x) ** 2), lambda x: ag.sum(bent(x, most=0.5) * x)):
        each = np.stack([ag.grad(f)(x).numpy() for x in X])
        np.testing.assert_allclose(ag.vmap(f)(X).numpy(), [float(f(ag.tensor(x))) for x in X], rtol=1e-13)
        np.testing.assert_allclose(ag.vmap(ag.grad(f))(X).numpy(), each, rtol=1e-12)
        np.testing.assert_allclose(ag.grad(lambda x, f=f: ag.sum(ag.vmap(f)(x)))(X).numpy(), each, rtol=1e-12)


def test_a_pull_back_of_a_scan_is_batched():
    w, xs = RNG.standard_normal((8, 8)) / 4, RNG.standard_normal((30, 64, 8))
    f = lambda s: ag.scan(lambda c, x, w: (ag.tanh(c @ w + x),) * 2, ag.ones((64, 8)) * s, xs * s, w)  # noqa: E731
    (_, ys), pull = ag.vjp(f, ag.tensor(0.7))
    seeds = RNG.standard_normal((3, 64, 8)), RNG.standard_normal((3, *ys.shape))
    (found,) = ag.vmap(lambda *s: pull(s))(*seeds)
    np.testing.assert_allclose(found.numpy(), [float(pull((a, b))[0]) for a, b in zip(*seeds, strict=True)], rtol=1e-10)


def test_a_pull_back_through_kernels_is_batched():
    wide = np.linspace(-2, 2, 5000)
    _, pull = ag.vjp(lambda a: swish(a * wide), 0.8)
    seeds = RNG.standard_normal((3, 5000))
    (found,) = ag.vmap(pull)(seeds)
    np.testing.assert_allclose(found.numpy(), [float(pull(s)[0]) for s in seeds], rtol=1e-11)


def test_what_the_function_closes_over_gets_its_gradient():
    w = ag.tensor(A, requires_grad=True)
    loss = lambda x: ag.sum(ag.tanh(w @ x))  # noqa: E731
    ag.sum(ag.vmap(ag.grad(loss))(X) ** 2).backward()
    found, w.grad = w.grad.numpy(), None
    for x in X:
        ag.backward(ag.sum(ag.grad(loss)(x) ** 2))
    np.testing.assert_allclose(found, w.grad.numpy(), rtol=1e-12)
    with ag.no_grad():
        assert not ag.vmap(loss)(X).requires_grad
        assert not ag.vmap(ag.grad(loss))(X).requires_grad
    by_w = ag.vmap(lambda x: ag.grad(lambda v: ag.sum(ag.tanh(v @ x)))(w))(X)
    np.testing.assert_allclose(by_w[1].numpy(), np.outer(1 - np.tanh(A @ X[1]) ** 2, X[1]), rtol=1e-12)


def test_samples_of_a_model_have_gradients_of_their_own():
    import nn

    ag.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 2))
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    x, labels = X.astype(np.float32), np.array([0, 1, 1, 0])

    def loss(parameters, x, label):
        return nn.functional.cross_entropy(nn.functional_call(model, parameters, (x[None],)), label[None])

    found = ag.vmap(ag.grad(loss), in_axes=(None, 0, 0))(parameters, x, labels)
    for k in range(4):
        one = ag.grad(loss)(parameters, ag.tensor(x[k]), ag.tensor(labels[k]))
        for name, g in one.items():
            assert found[name].dtype == np.float32
            np.testing.assert_allclose(found[name].numpy()[k], g.numpy(), rtol=2e-5, atol=1e-6)


def test_random_numbers():
    ag.random.seed(3)
    draw = lambda x: x * 0 + ag.random.normal(size=3)  # noqa: E731
    found = ag.vmap(draw)(X).numpy()
    ag.random.seed(3)
    np.testing.assert_array_equal(found, np.stack([draw(x).numpy() for x in X]))
    assert len(np.unique(found)) == 12
    shared = ag.vmap(draw, randomness="same")(X).numpy()
    assert (shared == shared[0]).all()
    g = ag.random.Generator(1)
    places = ag.vmap(lambda x: ag.uniform_like(x, g.seed()))(np.ones((3, 50)))
    assert len(np.unique(places.numpy())) > 140
    orders = ag.vmap(lambda x: g.permutation(5) + g.integers(0, 2) + g.bernoulli(0.5) + g.choice(3))(X)
    assert orders.shape == (4, 5)


def test_in_place_operations_stay_inside():
    def rows(x):
        y = ag.zeros(3)
        y[0] = x[1]
        y += x
        return y

    np.testing.assert_array_equal(ag.vmap(rows)(X).numpy(), X + np.eye(3)[0] * X[:, 1:2])
    count, shared = ag.zeros(3), ag.tensor(0.0)

    def counts(x):
        shared.copy_(shared + 1)
        count.copy_(count + x)
        return x

    with pytest.raises(UnsupportedError, match=r"changed a Tensor in place that outlives it(.|\n)*count\.copy_"):
        ag.vmap(counts)(X)
    assert count.tolist() == [0.0] * 3
    assert float(shared) == 1.0
    w = ag.tensor(A, requires_grad=True)
    with pytest.raises(UnsupportedError, match="changes a Tensor in place that it was not given and that requires"):
        ag.vmap(lambda x: w.copy_(w * 2))(X)


def test_operations_of_users_run_sample_by_sample():
    cube = ag.primitive(lambda x: np.asarray(x) ** 3, vjp=lambda g, x: g * 3 * np.square(x), check=False)
    numeric = ag.primitive(lambda x: np.sin(x), vjp="numeric")
    turned = ag.primitive(lambda x: x**2, jvp=lambda t, x: 2 * x * t, check=False)
    for f, slope in ((cube, 3 * X**2), (numeric, np.cos(X)), (turned, 2 * X)):
        np.testing.assert_allclose(ag.vmap(f)(X).numpy(), np.stack([f(x) for x in X]), rtol=1e-13)
        inside = ag.vmap(ag.grad(lambda x, f=f: ag.sum(f(x))))(X)
        outside = ag.grad(lambda x, f=f: ag.sum(ag.vmap(f)(x)))(X)
        for found in (inside, outside):
            np.testing.assert_allclose(found.numpy(), slope, rtol=1e-8)


def test_compiled_and_fused_functions_run_as_compositions():
    f = ag.compile(lambda x: ag.sum(swish(x)))
    expected = (X / (1 + np.exp(-X))).sum(1)
    np.testing.assert_allclose(ag.vmap(f)(X).numpy(), expected, rtol=1e-13)
    whole = ag.compile(ag.vmap(lambda x: ag.sum(swish(x))))
    np.testing.assert_allclose(whole(X).numpy(), expected, rtol=1e-13)
    s = 1 / (1 + np.exp(-X))
    slopes = s + X * s * (1 - s)
    np.testing.assert_allclose(ag.vmap(ag.grad(f))(X).numpy(), slopes, rtol=1e-12)
    whole = ag.compile(ag.vmap(ag.grad(lambda x: ag.sum(swish(x)))))
    np.testing.assert_allclose(whole(X).numpy(), slopes, rtol=1e-12)
    with ag.detect_anomaly():
        np.testing.assert_allclose(ag.vmap(f)(X).numpy(), expected, rtol=1e-13)


def test_threads_batch_on_their_own():
    found = {}

    def work(k):
        for _ in range(20):
            found[k] = ag.vmap(ag.grad(f_of))(X * k).numpy()

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in (1, 2, 3):
        np.testing.assert_allclose(found[k], ag.vmap(ag.grad(f_of))(X * k).numpy(), rtol=1e-14)


def test_float32_stays_float32_and_no_samples_are_a_batch():
    x = X.astype(np.float32)
    assert ag.vmap(ag.grad(f_of))(x).dtype == np.float32
    assert ag.vmap(lambda x: x * 2 + x[0] ** 0.5)(x).dtype == np.float32
    assert ag.vmap(ag.hessian(f_of))(np.zeros((0, 3))).shape == (0, 3, 3)


REFUSALS = [
    (lambda: ag.vmap(ag.sin, in_axes=2)(X), ShapeError, r"map argument 0 over axis 2, but it has shape \(4, 3\)"),
    (lambda: ag.vmap(ag.sin)(2.0), ShapeError, r"over axis 0, but it has shape \(\)\. Write in_axes=None"),
    (
        lambda: ag.vmap(lambda p, x: x, in_axes=({"a": 0, "b": 0}, 0))({"a": X, "b": A}, X),
        ShapeError,
        "different lengths: argument 0, array 0 has 4, argument 0, array 1 has 5, argument 1 has 4",
    ),
    (lambda: ag.vmap(ag.sin, in_axes=None)(X), ArgumentError, "nothing to map: every axis is None"),
    (lambda: ag.vmap(ag.sin, in_axes=(0, 0))(X), ArgumentError, r"in_axes=\(0, 0\) for 1 positional arguments"),
    (lambda: ag.vmap(ag.sin, in_axes=({"a": 0},))(X), ArgumentError, r"in_axes=\{'a': 0\} for a ndarray"),
    (lambda: ag.vmap(ag.sin, out_axes=None)(X), ArgumentError, "out_axes=None for a result of shape .* that differs"),
    (lambda: ag.vmap(ag.sin, out_axes=(0, 0))(X), ArgumentError, r"out_axes=\(0, 0\) for a Tensor"),
    (lambda: ag.vmap(lambda x, s: x)(X, "abc"), ArgumentError, "given a str for argument 1 to map"),
    (lambda: ag.vmap(lambda x: "abc")(X), ArgumentError, "returned a str. Expected arrays, or None"),
    (lambda: ag.vmap(ag.sin, randomness="none")(X), ArgumentError, "randomness='none'. Expected 'different' or 'same'"),
    (lambda: ag.vmap(lambda x: x if x[0] > 1 else -x)(X), UnsupportedError, "reads a value that differs from sample"),
    (lambda: ag.vmap(lambda x: x * float(x[0]))(X), UnsupportedError, r"Write ag.where for a choice(.|\n)*float\(x"),
    (lambda: ag.vmap(lambda x: np.asarray(x.detach()))(X), UnsupportedError, "as a Python number or array"),
    (lambda: ag.vmap(lambda x: ag.matmul(x, A))(X), ShapeError, r"matmul was given shapes \(3,\) and \(5, 3\)"),
    (lambda: ag.vmap(lambda x: x + np.ones(2))(X), ShapeError, r"add was given shapes \(3,\), \(2,\)"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSALS, ids=[w[:30] for _, _, w in REFUSALS])
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_value_that_escaped_is_refused_with_words():
    kept = []
    ag.vmap(lambda x: kept.append(x) or x)(X)
    assert "batched((3,) float64, 4 samples)" in repr(kept[0])
    with pytest.raises(UnsupportedError, match=r"a value from inside of ag\.vmap"):
        kept[0] + 1
