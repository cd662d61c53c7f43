"""Fused kernels against the plain composition: values, gradients, second derivatives; random compositions."""

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.errors import IndexOutOfRange, ShapeError
from autograd.program.fused import Fused

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((70, 33)), RNG.standard_normal(33), RNG.standard_normal(33)
LABELS = RNG.integers(0, 33, 70)


def layer_norm(x, w, b):
    centred = x - ag.mean(x, -1, keepdims=True)
    return centred / ag.sqrt(ag.mean(centred * centred, -1, keepdims=True) + 1e-5) * w + b


def batch_norm(x):
    centred = x - ag.mean(x, 0)
    return centred / ag.sqrt(ag.mean(centred**2, 0) + 1e-5)


def huber(error, *, delta):
    size = ag.abs(error)
    return ag.where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta))


def cross_entropy(x, labels):
    return -ag.mean(ag.take_along_axis(ag.log_softmax(x), ag.expand_dims(labels, 1), 1))


COMPOSITIONS = [
    ("map", lambda x: ag.tanh(x) * ag.exp(-x), [X], {}),
    ("bias", lambda x, b: ag.relu(x + b), [X, B], {}),
    ("scalar argument", lambda x, a: ag.sigmoid(a * x) + a, [X, 0.7], {}),
    ("full sum", lambda x: ag.sum(x * x), [X], {}),
    ("mean squared", lambda x, y: ag.mean((x - y) ** 2), [X, X[::-1].copy()], {}),
    ("column sum", lambda x: ag.sum(ag.sin(x), 0), [X], {}),
    ("row sum", lambda x: ag.sum(ag.sin(x), 1), [X], {}),
    ("row maximum", lambda x: ag.max(x * 2, 1), [X], {}),
    ("softmax", lambda x: ag.softmax(x), [X], {}),
    ("log_softmax", lambda x: ag.log_softmax(x), [X], {}),
    ("logsumexp", lambda x: ag.logsumexp(x, -1), [X], {}),
    ("layer norm", layer_norm, [X, W, B], {}),
    ("batch norm", batch_norm, [X], {}),
    ("huber", huber, [X], {"delta": 0.7}),
    ("cross entropy", cross_entropy, [X, LABELS], {}),
    ("three axes", lambda x: ag.mean(ag.exp(x), (1, 2)), [X.reshape(70, 3, 11)], {}),
    ("1-d", lambda x, y: ag.sum(ag.sqrt(x * x + y * y)), [X.ravel(), X.ravel()[::-1].copy()], {}),
    ("booleans", lambda x, m: ag.where(m, x * 2, -x), [X, X > 0.3], {}),
    ("whole numbers", lambda x, n: x * n, [X, np.arange(33)], {}),
    ("weighted rows", lambda x, w: ag.sum(x * ag.expand_dims(w, 1)), [X, X[:, 0].copy()], {}),
]

IMAGES = RNG.standard_normal((6, 5, 4, 7))
C = RNG.standard_normal((5, 1, 1))


def image_norm(x, w, axes):
    centred = x - ag.mean(x, axes, keepdims=True)
    return centred / ag.sqrt(ag.mean(centred * centred, axes, keepdims=True) + 1e-5) * w


COMPOSITIONS += [
    ("batch norm of images", lambda x, w: image_norm(x, w, (0, 2, 3)), [IMAGES, C], {}),
    ("instance norm", lambda x, w: image_norm(x, w, (2, 3)), [IMAGES, C], {}),
    ("softmax over channels", lambda x: ag.softmax(x, 1), [IMAGES], {}),
    ("sum over channels", lambda x: ag.sum(ag.sin(x), 1), [IMAGES], {}),
    ("maximum over channels", lambda x: ag.max(x * 2, 1), [IMAGES], {}),
    ("sum of each image", lambda x: ag.sum(ag.sin(x), (1, 2, 3)), [IMAGES], {}),
    ("mean over images", lambda x: ag.mean(ag.exp(x), 0), [IMAGES], {}),
    ("bias of channels", lambda x, w: ag.relu(x + w), [IMAGES, C], {}),
    ("squeeze and excite", lambda x, w: x * ag.sigmoid(w * ag.mean(x, (2, 3), keepdims=True)), [IMAGES, C], {}),
    ("weighted channels", lambda x, w: ag.sum(x * w, (2, 3)), [IMAGES, C], {}),
]


def both(f, args, options, dtype):
    """The results and gradients of the fused and of the plain function."""
    results = []
    compiled = Fused(f, smallest=0)
    for g in (compiled, f):
        given_to = [
            ag.tensor(a.astype(dtype), requires_grad=True) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in args
        ]
        y = g(*given_to, **options)
        cotangent = np.cos(np.arange(y.size)).reshape(y.shape).astype(dtype)
        y.backward(cotangent)
        results.append((y, [t.grad for t in given_to if isinstance(t, ag.Tensor)]))
    assert compiled.reasons() == []
    return results


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "f", "args", "options"), COMPOSITIONS, ids=[c[0] for c in COMPOSITIONS])
def test_fused_is_the_composition(name, f, args, options, dtype):
    (y, grads), (plain, expected) = both(f, args, options, dtype)
    tolerance = {"float64": 1e-12, "float32": 3e-5}[dtype]
    assert y.dtype == plain.dtype
    np.testing.assert_allclose(y.numpy(), plain.numpy(), rtol=tolerance, atol=tolerance)
    for g, e in zip(grads, expected, strict=True):
        assert g.dtype == dtype
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "f", "args", "options"), COMPOSITIONS[:2] + COMPOSITIONS[8:15], ids=str)
def test_fused_is_differentiable_to_second_order(name, f, args, options):
    small = [
        a[:3, :4] if isinstance(a, np.ndarray) and a.ndim == 2 else a[:4] if isinstance(a, np.ndarray) else a
        for a in args
    ]
    small = [np.array([0, 3, 1]) if a is not args[k] and a.dtype.kind == "i" else a for k, a in enumerate(small)]
    compiled = Fused(f, smallest=0)
    assert ag.gradcheck(lambda *xs: compiled(*xs, **options), small)
    assert ag.gradgradcheck(lambda *xs: compiled(*xs, **options), small, rtol=1e-3, atol=1e-5)
    assert compiled.reasons() == []


# ---- what it refuses, and what it falls back to


def test_the_composition_runs_where_there_is_no_kernel_and_says_why():
    x = np.linspace(0.0, 1.0, 10_000).reshape(100, 100)
    cases = {
        "sort has no kernel": lambda x: ag.sort(x),
        "transposes": lambda x: x.T + x,
        "depends on a value": lambda x: x if ag.sum(x) > 0 else -x,
        "closes over an array": lambda x: x + np.ones(100),
        "mixes axes": lambda x: ag.reshape(x, (50, 200)),
        "asinh has no kernel": lambda x: ag.asinh(x),
    }
    for words, f in cases.items():
        compiled = Fused(f, smallest=0)
        np.testing.assert_array_equal(compiled(ag.tensor(x)).numpy(), f(ag.tensor(x)).numpy())
        assert len(compiled.reasons()) == 1
        if words != "sort has no kernel":
            assert words in compiled.reasons()[0]


def test_errors_are_those_of_the_composition():
    compiled = Fused(lambda a, b: a + b, smallest=0)
    with pytest.raises(ShapeError, match=r"add was given shapes \(3,\), \(4,\)"):
        compiled(ag.ones(3), ag.ones(4))
    picked = Fused(lambda x, n: ag.sum(ag.take_along_axis(x, n, 1)), smallest=0)
    with pytest.raises(IndexOutOfRange, match="labels from 0 to 4 were given for 4 classes"):
        picked(ag.ones((2, 4)), np.array([[0], [4]]))


def test_small_arrays_run_as_the_composition():
    compiled = Fused(lambda x: x * 2.0)
    assert compiled(ag.ones(10)).tolist() == [2.0] * 10
    assert compiled.plans == {}


def test_one_kernel_serves_all_sizes():
    compiled = Fused(lambda x: ag.mean(ag.softmax(x) * x), smallest=0)
    kernels = set()
    for shape in [(3, 5), (70, 33), (200, 7)]:
        compiled(ag.tensor(RNG.standard_normal(shape)))
    for plan in compiled.plans.values():
        kernels |= {one.kernel.address for one in plan.forward.ready}
    assert (len(compiled.plans), len(kernels)) == (3, 1)


def test_results_do_not_depend_on_the_number_of_threads():
    x = RNG.standard_normal((3000, 40)).astype("float32")
    results = []
    before = ag.get_num_threads()
    try:
        for threads in (1, 2, 4):
            ag.set_num_threads(threads)
            compiled = Fused(lambda x: ag.sum(ag.softmax(x) * ag.sin(x), 0), smallest=0)
            t = ag.tensor(x, requires_grad=True)
            y = compiled(t)
            y.backward(np.cos(np.arange(40, dtype=np.float32)))
            results.append((y.numpy(), t.grad.numpy()))
    finally:
        ag.set_num_threads(before)
    for y, g in results[1:]:
        np.testing.assert_array_equal(y, results[0][0])
        np.testing.assert_array_equal(g, results[0][1])


def test_kernels_can_be_turned_off():
    compiled = Fused(lambda x: x * 2.0, smallest=0)
    with config.using(kernels=False):
        compiled(ag.ones(10))
    assert compiled.plans == {}


def test_fused_functions_nest():
    inner = Fused(lambda x: ag.tanh(x) + 1.0, smallest=0)
    outer = Fused(lambda x: inner(x) * inner(x), smallest=0)
    x = ag.tensor(X, requires_grad=True)
    np.testing.assert_allclose(outer(x).numpy(), (np.tanh(X) + 1) ** 2, rtol=1e-12, atol=1e-15)
    assert outer.reasons() == []
    g = ag.grad(lambda z: ag.sum(outer(z)))(X)
    np.testing.assert_allclose(g.numpy(), 2 * (np.tanh(X) + 1) * (1 - np.tanh(X) ** 2), rtol=1e-12)


def test_explain_shows_graph_source_and_what_is_kept():
    text = ag.explain(cross_entropy, X, LABELS)
    assert "forward: " in text
    assert "def kernel(lo, hi, args):" in text
    assert "exp_f8(" in text
    assert "kept for the backward half: <" in text
    assert ag.explain(lambda x: ag.sort(x), X).startswith("not fused: ")


def test_cotangents_are_computed_only_where_they_are_wanted():
    x, y = ag.tensor(X, requires_grad=True), ag.tensor(X * 2)
    rows, total = (
        Fused(lambda a, b: ag.sum(a * b * b, 1), smallest=0),
        Fused(lambda a, b: ag.sum(a * b * b), smallest=0),
    )
    ag.grad(rows(x, y).sum(), x)
    ag.grad(total(x, y), x)
    (apart,), (at_once,) = rows.plans.values(), total.plans.values()
    assert {asked: len(part.outputs) for asked, part in apart._backward.items()} == {(True, False): 1}
    assert {asked: len(part.outputs) for asked, part in at_once._at_once.items()} == {(True, False): 2}
    assert apart.differentiable() == at_once.differentiable() == (True, True)


def test_the_gradient_of_a_total_is_made_with_it_and_scaled_by_what_comes_in():
    compiled = Fused(lambda a, b: ag.mean((a - b) ** 2), smallest=0)
    a, b = ag.tensor(X, requires_grad=True), ag.tensor(X[::-1].copy(), requires_grad=True)
    loss = compiled(a, b)
    (loss * 3.0).backward(retain_graph=True)
    np.testing.assert_allclose(a.grad.numpy(), 6 * (X - X[::-1]) / X.size, rtol=1e-12)
    np.testing.assert_array_equal(a.grad.numpy(), -b.grad.numpy())
    loss.backward(retain_graph=True)
    np.testing.assert_allclose(a.grad.numpy(), 8 * (X - X[::-1]) / X.size, rtol=1e-12)
    a.grad = None
    (loss * 0.0).backward()
    assert not a.grad.numpy().any()


def test_a_costly_value_waits_only_where_an_output_is_still_to_be_written():
    def f(x):
        e = ag.exp(x)  # needed again in the second pass, after x * 2 has been written
        return x * 2.0, ag.sum(e / ag.sum(e, 1, keepdims=True) * x, 1)

    for got, expected in zip(Fused(f, smallest=0)(X), f(X), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


# ---- several outputs


def polar(x, y):
    r = ag.sqrt(x * x + y * y)
    return r, ag.sum(x / r, 1), ag.atan(y / x)


@pytest.mark.parametrize("used", [(0,), (1, 2), (0, 1, 2)])
def test_several_outputs_are_recorded_as_one_entry(used):
    x, y = np.abs(X) + 0.5, np.abs(X[::-1]) + 0.2
    compiled = Fused(polar, smallest=0)
    gradients = []
    for f in (compiled, polar):
        xs = [ag.tensor(x, requires_grad=True), ag.tensor(y, requires_grad=True)]
        outputs = f(*xs)
        sum((outputs[k] * (k + 1.5)).sum() for k in used).backward()
        gradients.append([t.grad.numpy() for t in xs])
    assert compiled.reasons() == []
    for fast, plain in zip(*gradients, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-12)
    small = [x[:3, :4], y[:3, :4]]
    joined = lambda *xs: sum((t * t).sum() for t in compiled(*xs))  # noqa: E731
    assert ag.gradcheck(joined, small)
    assert ag.gradgradcheck(joined, small, rtol=1e-3)
    tangents = [np.cos(small[0]), np.sin(small[1])]
    plain = ag.jvp(polar, small, tangents)[1]
    for a, b in zip(ag.jvp(compiled, small, tangents)[1], plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_settings_that_are_equal_are_not_the_same():
    compiled = Fused(lambda x, *, a: x * a if isinstance(a, float) else x - a, smallest=0)
    x = np.full(3, 5.0)
    assert [compiled(x, a=a)[0] for a in (1, 1.0, True)] == [4.0, 5.0, 4.0]
    signed = Fused(lambda x, *, a: ag.copysign(x, a), smallest=0)
    assert [signed(x, a=a)[0] for a in (0.0, -0.0)] == [5.0, -5.0]


def test_whole_numbers_and_booleans():
    n = np.arange(10_000)
    compiled = Fused(lambda n: ag.maximum(n, 3), smallest=0)
    np.testing.assert_array_equal(compiled(n), np.maximum(n, 3))
    above = Fused(lambda x: x > 0.5, smallest=0)
    x = ag.tensor(np.linspace(0.0, 1.0, 10_000), requires_grad=True)
    assert not above(x).requires_grad
    assert above(x).dtype == bool


def test_a_numpy_scalar_is_an_array_and_promotes():
    compiled = Fused(lambda x, a: x * a, smallest=0)
    x = np.ones(5, np.float32)
    assert compiled(x, np.float64(2.0)).dtype == np.float64
    assert compiled(x, 2.0).dtype == np.float32


def test_more_outputs_than_a_kernel_tells_apart():
    f = ag.fused(lambda x: tuple(ag.tanh(x * (k + 1.0)) for k in range(40)))
    x = np.random.default_rng(0).standard_normal(5000)
    for k, y in enumerate(f(ag.tensor(x))):
        np.testing.assert_allclose(y.numpy(), np.tanh(x * (k + 1.0)), rtol=1e-12)
    assert f.reasons() == []


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_extremes_of_whole_numbers_run_plainly(dtype):
    x = ag.tensor((np.abs(X) * 3).astype(dtype))
    for f in (lambda x: ag.max(x, 1) + 1, lambda x: ag.min(x, 0) + 1, lambda x: ag.max(x)):
        fused = ag.fused(f)
        assert fused(x).tolist() == f(x).tolist()


def test_a_jacobian_is_off_the_tape_as_that_of_the_composition():
    x = ag.tensor(np.linspace(-1, 1, 5))
    bent = ag.fused(lambda x: ag.exp(x) * ag.tanh(x), smallest=1)
    matrix = ag.jacobian(bent, mode="reverse")(x)
    assert not matrix.requires_grad
    np.testing.assert_allclose(matrix, ag.jacobian(bent.composition)(x), rtol=1e-12)
    second = ag.jacobian(ag.jacobian(bent, mode="reverse"), mode="reverse")(x)
    np.testing.assert_allclose(second, ag.jacobian(ag.jacobian(bent.composition))(x), rtol=1e-10, atol=1e-12)
