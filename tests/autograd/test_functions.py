"""Values: every function of the namespace against NumPy, SciPy or its definition; and errors that say what to do."""

import copy
import json
import pickle

import numpy as np
import pytest
import scipy.special

import autograd as ag
from autograd.errors import (
    ArgumentError,
    DifferentiationError,
    DTypeError,
    IndexOutOfRange,
    ShapeError,
    UnsupportedError,
)
from autograd.tree import flatten

RNG = np.random.default_rng(0)
A = RNG.standard_normal((2, 3, 4))
B = RNG.standard_normal((4, 5))
M = RNG.standard_normal((3, 3))

SAME = [
    ("reshape", lambda m: m.reshape(A, (6, -1))),
    ("permute_dims", lambda m: m.permute_dims(A, (2, 0, 1))),
    ("permute_dims default", lambda m: m.permute_dims(A)),
    ("moveaxis", lambda m: m.moveaxis(A, [0, 1], [-1, 0])),
    ("swapaxes", lambda m: m.swapaxes(A, 0, -1)),
    ("expand_dims", lambda m: m.expand_dims(A, (0, -1))),
    ("squeeze", lambda m: m.squeeze(A[:1, :, :1])),
    ("squeeze axis", lambda m: m.squeeze(A[:1], 0)),
    ("broadcast_to", lambda m: m.broadcast_to(A[0], (5, 3, 4))),
    ("concat None", lambda m: m.concat([A, B], axis=None)),
    ("stack", lambda m: m.stack([A, A * 2], axis=-1)),
    ("flip", lambda m: m.flip(A, (0, 2))),
    ("roll flat", lambda m: m.roll(A, 5)),
    ("roll axes", lambda m: m.roll(A, (1, -2), axis=(0, 2))),
    ("repeat", lambda m: m.repeat(A, 3)),
    ("repeat each", lambda m: m.repeat(A, [1, 0, 2], axis=1)),
    ("tile", lambda m: m.tile(A, (2, 1, 1, 3))),
    ("tile short", lambda m: m.tile(A, 2)),
    ("pad", lambda m: m.pad(A, ((0, 0), (1, 2), (0, 3)))),
    ("pad edge", lambda m: m.pad(A, 1, "edge")),
    ("pad reflect", lambda m: m.pad(A, ((0, 0), (2, 1), (1, 1)), "reflect")),
    ("pad wrap", lambda m: m.pad(A, ((0, 1), (0, 0), (2, 2)), "wrap")),
    ("tril", lambda m: m.tril(A, -1)),
    ("triu", lambda m: m.triu(A, 1)),
    ("diagonal", lambda m: m.diagonal(A, 1, 2, 1)),
    ("diagonal below", lambda m: m.diagonal(M, -2)),
    ("trace", lambda m: m.trace(A, -1)),
    ("sum", lambda m: m.sum(A, axis=(0, -1))),
    ("mean", lambda m: m.mean(A, axis=1, keepdims=True)),
    ("prod", lambda m: m.prod(A, axis=(0, 2))),
    ("max", lambda m: m.max(A, axis=(0, 2))),
    ("min", lambda m: m.min(A)),
    ("var", lambda m: m.var(A, axis=1, ddof=1)),
    ("std", lambda m: m.std(A, axis=(0, 1))),
    ("cumsum", lambda m: m.cumulative_sum(A, axis=1)),
    ("cumsum initial", lambda m: m.cumulative_sum(A, axis=1, include_initial=True)),
    ("cumprod", lambda m: m.cumulative_prod(A, axis=-1)),
    ("diff", lambda m: m.diff(A, 2, 1)),
    ("diff between ends", lambda m: m.diff(A, 2, 1, 5.0, A[:, :2])),
    ("diff of no order", lambda m: m.diff(A, 0, append=1.0)),
    ("diff of whole numbers", lambda m: m.diff([1, 4, 9], prepend=[0, 2])),
    ("diff of truths", lambda m: m.diff(A > 0)),
    ("argmax", lambda m: m.argmax(A, axis=1)),
    ("argmin keepdims", lambda m: m.argmin(A, axis=2, keepdims=True)),
    ("argsort", lambda m: m.argsort(A, axis=1)),
    ("sort", lambda m: m.sort(A, axis=0)),
    ("searchsorted", lambda m: m.searchsorted(np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 3.0]), side="right")),
    ("count_nonzero", lambda m: m.count_nonzero(A > 0, axis=1)),
    ("any", lambda m: m.any(A > 1, axis=(0, 1))),
    ("all", lambda m: m.all(A > -9)),
    ("matmul", lambda m: m.matmul(A, B)),
    ("matmul vector", lambda m: m.matmul(A, B[:, 0])),
    ("matmul row", lambda m: m.matmul(B[:, 0], B)),
    ("matmul both 1-d", lambda m: m.matmul(B[:, 0], B[:, 1])),
    ("matmul batch", lambda m: m.matmul(A, np.swapaxes(A, 1, 2))),
    ("inner", lambda m: m.inner(M, B[:3, :3])),
    ("inner batch", lambda m: m.inner(A, B.T)),
    ("inner of many axes", lambda m: m.inner(A, A)),
    ("inner both 1-d", lambda m: m.inner(B[:, 0], B[:, 1])),
    ("inner scalar", lambda m: m.inner(A, 2.5)),
    ("vecdot", lambda m: m.vecdot(A, A[1])),
    ("tensordot", lambda m: m.tensordot(A, B, 1)),
    ("tensordot axes", lambda m: m.tensordot(A, A, axes=([0, 2], [0, 2]))),
    ("outer", lambda m: m.outer(B[0], B[1])),
    ("dot", lambda m: m.dot(A, B)),
    ("einsum", lambda m: m.einsum("abc,cd->bda", A, B)),
    ("einsum diagonal", lambda m: m.einsum("ii->i", M)),
    ("einsum trace of product", lambda m: m.einsum("ij,ji", M, M)),
    ("einsum ellipsis", lambda m: m.einsum("...ij,jk->...ik", A, B)),
    ("einsum implicit", lambda m: m.einsum("ba", M)),
    ("einsum broadcast", lambda m: m.einsum("...,...->...", A, A[0])),
    ("norm", lambda m: m.linalg.norm(A) if m is np else m.norm(A)),
    ("norm 1", lambda m: m.linalg.norm(A, 1, 1) if m is np else m.norm(A, 1, 1)),
    ("norm inf", lambda m: m.linalg.norm(A, np.inf, -1) if m is np else m.norm(A, np.inf, -1)),
    ("norm 3", lambda m: m.linalg.norm(A, 3, 0, keepdims=True) if m is np else m.norm(A, 3, 0, keepdims=True)),
    ("norm 0", lambda m: m.linalg.norm(B[0], 0) if m is np else m.norm(B[0], 0)),
    ("round", lambda m: m.round(A, 2)),
    ("clip", lambda m: m.clip(A, -0.5, None)),
    ("where", lambda m: m.where(A > 0, A, -1.0)),
    ("take", lambda m: m.take(A, [2, 0], 1)),
    ("linspace", lambda m: m.linspace(0, 1, 7)),
    ("arange", lambda m: m.arange(2, 9, 3)),
    ("eye", lambda m: m.eye(3, 4, 1)),
    ("full", lambda m: m.full((2, 2), 3.5)),
]


@pytest.mark.parametrize(("name", "call"), SAME, ids=[name for name, _ in SAME])
def test_values_are_numpys(name, call):
    class AsTensors:
        """The namespace with its first array given as a Tensor."""

        def __getattr__(self, name):
            f = getattr(ag, name)

            def g(*args, **kwargs):
                new = [ag.tensor(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in args]
                return f(*new, **kwargs)

            return g

    got, expected = call(AsTensors()), call(np)
    got = got.numpy() if isinstance(got, ag.Tensor) else got
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-15)
    assert got.dtype == np.asarray(expected).dtype
    plain = call(ag)
    assert plain.dtype == np.asarray(expected).dtype


SPECIAL = np.array([-np.inf, -1e4, -100.0, -1.0, -1e-8, -0.0, 0.0, 1e-8, 1.0, 100.0, 1e4, np.inf, np.nan])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (ag.sigmoid, lambda x: (1 / (1 + np.exp(-x.astype(np.longdouble)))).astype(x.dtype)),
        (ag.softplus, lambda x: np.logaddexp(0, x)),
        (ag.erf, scipy.special.erf),
        (ag.erfc, scipy.special.erfc),
        (ag.rsqrt, lambda x: 1 / np.sqrt(x)),
        (ag.relu, lambda x: np.maximum(x, 0)),
        (lambda x: ag.logsumexp(x[:-2]), lambda x: scipy.special.logsumexp(x[:-2])),
        (lambda x: ag.softmax(x[1:-2]), lambda x: scipy.special.softmax(x[1:-2])),
        (lambda x: ag.log_softmax(x[1:-2]), lambda x: scipy.special.log_softmax(x[1:-2])),
    ],
)
def test_stable_functions_at_the_edges(ours, reference, dtype):
    x = SPECIAL.astype(dtype)
    with np.errstate(all="ignore"):
        expected, got = reference(x), ours(ag.tensor(x))
    np.testing.assert_allclose(got.numpy(), expected, rtol=2e-6 if dtype == "float32" else 1e-14, atol=1e-44)
    assert got.dtype == dtype


def test_logsumexp_of_nothing_and_of_infinities():
    assert float(ag.logsumexp(ag.zeros(0))) == -np.inf
    x = ag.tensor([-np.inf, -np.inf], requires_grad=True)
    ag.logsumexp(x).backward()
    assert x.grad.tolist() == [0.0, 0.0]
    assert float(ag.logsumexp(ag.tensor([np.inf, 1.0]))) == np.inf


def test_norm_does_not_overflow():
    assert float(ag.norm(ag.tensor([3e300, 4e300]))) == pytest.approx(5e300)
    assert float(ag.norm(ag.tensor([3e-300, 4e-300]))) == pytest.approx(5e-300)


def test_products_are_differentiated_at_zeros():
    x = ag.tensor([2.0, 0.0, 3.0], requires_grad=True)
    assert ag.grad(ag.prod(x), x)[0].tolist() == [0.0, 6.0, 0.0]
    assert ag.grad(ag.cumulative_prod(x).sum(), x)[0].tolist() == [1.0, 8.0, 0.0]
    two = ag.tensor([0.0, 0.0, 3.0], requires_grad=True)
    (g,) = ag.grad(ag.prod(two), two, create_graph=True)
    assert ag.grad(g[0], two)[0].tolist() == [0.0, 3.0, 0.0]


def test_descending_sort_is_stable():
    x = np.array([1.0, 3.0, 1.0, 3.0, 2.0])
    assert ag.argsort(ag.tensor(x), descending=True).tolist() == [1, 3, 4, 0, 2]


def test_windows_are_numpys_sliding_windows_and_fold_counts_them():
    x = RNG.standard_normal((2, 7, 9))
    expected = np.lib.stride_tricks.sliding_window_view(x, (3, 2), axis=(1, 2))[:, ::2, ::3]
    w = ag.window(ag.tensor(x), (3, 2), axes=(1, 2), stride=(2, 3))
    np.testing.assert_array_equal(w.numpy(), expected)
    dilated = ag.window(ag.tensor(x), 2, axes=(1,), dilation=3)
    np.testing.assert_array_equal(dilated.numpy()[..., 1], x[:, 3:])
    back = ag.fold(ag.ones_like(w), (2, 7, 9), axes=(1, 2), stride=(2, 3))
    assert float(back.sum()) == w.size


def test_chunks_and_slices():
    t = ag.tensor(A)
    for got, expected in zip(ag.split(t, [1, 2], axis=1), np.split(A, [1, 2], axis=1), strict=True):
        np.testing.assert_array_equal(got.numpy(), expected)
    np.testing.assert_array_equal(ag.unstack(t, axis=2)[3].numpy(), A[..., 3])
    for indexing in ("xy", "ij"):
        got = ag.meshgrid(ag.arange(2), ag.arange(3), ag.arange(4), indexing=indexing)
        for g, e in zip(got, np.meshgrid(*map(np.arange, (2, 3, 4)), indexing=indexing), strict=True):
            np.testing.assert_array_equal(g.numpy(), e)


@pytest.mark.parametrize("n", [(), (0,), (3,)])
def test_scalars_and_empty_arrays_go_everywhere(n):
    x = ag.tensor(np.ones(n), requires_grad=True)
    y = (ag.exp(x) * 2 + x**2 - 1 / x).sum()
    y.backward()
    assert x.grad.shape == n
    np.testing.assert_allclose(x.grad.numpy(), np.full(n, 2 * np.e + 3))


ERRORS = [
    (lambda: ag.ones((2, 3)) + ag.ones((4,)), ShapeError, r"add was given shapes \(2, 3\), \(4,\).*\n.*expand_dims"),
    (lambda: ag.ones((2, 3)) * np.ones((3, 2)), ShapeError, r"multiply was given shapes \(2, 3\), \(3, 2\)"),
    (
        lambda: ag.ones((2, 3)) @ ag.ones((2, 3)),
        ShapeError,
        r"matmul was given shapes \(2, 3\) and \(2, 3\)(.|\n)*b\.mT",
    ),
    (lambda: ag.ones(()) @ ag.ones(3), ShapeError, "matmul was given shapes"),
    (lambda: ag.inner(ag.ones((2, 3)), ag.ones((3, 2))), ShapeError, r"inner was given shapes \(2, 3\).*\n?.*matmul"),
    (lambda: ag.sum(ag.ones((2, 3)), axis=2), IndexOutOfRange, "sum was given axis 2 for an array of 2 axes.*-2 to 1"),
    (lambda: ag.sum(ag.ones((2, 3)), axis=(0, -2)), ShapeError, "names an axis twice"),
    (lambda: ag.sum(ag.ones(2), axis=0.5), ShapeError, "axis=0.5. Expected an integer"),
    (lambda: ag.softmax(ag.ones(2), axis=1), IndexOutOfRange, "softmax was given axis 1"),
    (lambda: ag.mean(ag.zeros((0, 2))), ShapeError, r"mean over axes \(0, 1\) was given shape \(0, 2\)"),
    (lambda: ag.max(ag.zeros((2, 0)), axis=1), ShapeError, "at least one element"),
    (lambda: ag.argmax(ag.zeros(0)), ShapeError, "argmax .*at least one element"),
    (lambda: ag.var(ag.ones(1), correction=1), ShapeError, "too few elements"),
    (lambda: ag.reshape(ag.ones(6), (4, -1)), ShapeError, r"reshape was given shape \(4, -1\) for 6 elements"),
    (lambda: ag.permute_dims(ag.ones((2, 3)), (0, 0)), ShapeError, "each axis exactly once"),
    (lambda: ag.concat([ag.ones((2, 3)), ag.ones((2, 4))]), ShapeError, "Expected equal lengths on the other axes"),
    (lambda: ag.concat([]), ShapeError, "no arrays"),
    (lambda: ag.relu(ag.ones(2), inplace=True), TypeError, r"relu was given inplace. Write relu\(x\)"),
    (lambda: ag.stack([ag.ones(2), ag.ones(3)]), ShapeError, "all of one shape"),
    (lambda: ag.broadcast_to(ag.ones(3), (2, 4)), ShapeError, r"shape \(3,\) to spread to \(2, 4\)"),
    (lambda: ag.split(ag.ones(5), 2), ShapeError, "2 equal parts of length 5"),
    (lambda: ag.squeeze(ag.ones((2, 1)), 0), ShapeError, "axes of length 1"),
    (lambda: ag.einsum("ij,jk->il", M, M), ShapeError, r"output labels \['l'\]"),
    (lambda: ag.einsum("ij,jk", M), ShapeError, "1 arrays for 2 terms"),
    (lambda: ag.einsum("ijk", M), ShapeError, r"shape \(3, 3\) for the term 'ijk'"),
    (lambda: ag.einsum("i,i", np.ones(2), np.ones(3)), ShapeError, "lengths 2 and 3 for 'i'"),
    (lambda: ag.tensordot(ag.ones((2, 3)), ag.ones((2, 3)), 1), ShapeError, "lengths differ"),
    (lambda: ag.window(ag.ones(3), 5, axes=(0,)), ShapeError, r"size \(5,\) .*does not fit .*\(3,\). Pad"),
    (lambda: ag.fold(ag.ones((3, 2)), (9,), axes=(0,)), ShapeError, "Expected what window"),
    (lambda: ag.bitwise_and(ag.ones(2), ag.ones(2)), DTypeError, "bitwise_and was given dtypes float64, float64"),
    (lambda: ag.tensor(["a"]), DTypeError, "Expected numbers"),
    (lambda: ag.tensor([1, 2], requires_grad=True), DTypeError, r"dtype int64.*\n.*astype"),
    (lambda: ag.tensor([1.0, 2.0]).item(), ShapeError, "one element"),
    (lambda: bool(ag.tensor([1.0, 2.0])), ShapeError, r"ag\.any"),
    (lambda: len(ag.tensor(1.0)), ShapeError, "0-d"),
    (lambda: pickle.dumps(ag.tensor(1.0, requires_grad=True) * 2), DifferentiationError, "detach"),
    (lambda: (ag.tensor(1.0, requires_grad=True) * 2).requires_grad_(False), DifferentiationError, "detach"),
    (lambda: ag.tensor(1.0).register_hook(print), DifferentiationError, "requires_grad_"),
    (lambda: ag.random.bernoulli(1.5), ArgumentError, "probability"),
    (lambda: ag.diff(ag.ones(3), -1), ArgumentError, "diff was given n=-1"),
    (lambda: np.linalg.eig(ag.tensor(M, requires_grad=True)), UnsupportedError, "np.eig"),
    (lambda: ag.tensor([2, 3]) ** -1, ArgumentError, "pow was given .* int64: Integers to negative integer powers"),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS, ids=range(len(ERRORS)))
def test_errors_say_what_was_given_and_what_to_write(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_tensors_are_copied_pickled_and_printed():
    w = ag.tensor([1.0, 2.0], dtype="float32", requires_grad=True)
    for other in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert other.requires_grad
        assert other.node is not w.node
        assert other.tolist() == w.tolist()
    assert repr(w) == "tensor([1., 2.], dtype=float32, requires_grad=True)"
    assert repr(w * 2) == "tensor([2., 4.], dtype=float32, made_by='multiply')"
    assert f"{ag.tensor(2.5):.2f}" == "2.50"
    assert (float(ag.tensor(2.5)), int(ag.tensor(2)), [10, 20][ag.tensor(1)]) == (2.5, 2, 20)
    assert 2.0 in w
    assert [float(v) for v in w] == [1.0, 2.0]


def test_random_numbers_repeat_and_can_be_resumed():
    a, b = ag.random.Generator(7), ag.random.Generator(7)
    np.testing.assert_array_equal(a.normal(size=5).numpy(), b.normal(size=5).numpy())
    state = json.loads(json.dumps(a.get_state()))
    expected = [a.random(3).tolist(), a.integers(0, 9, 4).tolist(), a.permutation(5).tolist()]
    b.set_state(state)
    assert [b.random(3).tolist(), b.integers(0, 9, 4).tolist(), b.permutation(5).tolist()] == expected
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # the very state that must not change
    ag.random.seed(3)
    first = ag.random.uniform(-1, 1, size=4, dtype="float32")
    ag.random.seed(3)
    np.testing.assert_array_equal(first.numpy(), ag.random.uniform(-1, 1, size=4, dtype="float32").numpy())
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert first.dtype == np.float32


def test_random_numbers_have_their_distribution():
    g = ag.random.Generator(0)
    x = g.normal(2.0, 3.0, size=200_000).numpy()
    assert x.mean() == pytest.approx(2.0, abs=0.03)
    assert x.std() == pytest.approx(3.0, abs=0.03)
    assert g.bernoulli(0.3, 200_000).numpy().mean() == pytest.approx(0.3, abs=0.005)
    assert sorted(g.choice(4, size=4, replace=False).tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("recorded", [False, True])
def test_elements_are_chosen_by_probabilities_in_a_tensor(recorded):
    """In float32 they sum to 1 up to its own rounding; on the tape they are as good."""
    logits = ag.tensor(np.linspace(0, 3, 7, dtype=np.float32), requires_grad=recorded)
    shares = ag.softmax(logits, axis=0)
    drawn = ag.random.Generator(0).choice(7, size=50_000, p=shares).numpy()
    np.testing.assert_allclose(np.bincount(drawn) / 50_000, shares.numpy(), atol=0.01)


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (
            [0.5, 0.2, 0.2],
            r"do not sum to 1\. It was given p of shape \(3,\)(.|\n)*Write p / p\.sum\(\), or ag\.softmax",
        ),
        ([2.0, -1.0, 0.0], r"not non-negative(.|\n)*ag\.softmax\(p\) if these are logits"),
        (np.full((2, 3), 1 / 3), r"For a draw in each row write ag\.argmax\(ag\.cumsum\(p, axis=1\) > "),
    ],
)
def test_probabilities_that_are_none_are_refused(p, words):
    with pytest.raises(ArgumentError, match=words):
        ag.random.choice(3, p=ag.tensor(p))


@pytest.mark.parametrize("make", [ag.tensor, ag.asarray])
def test_sequences_of_unequal_lengths_are_refused(make):
    with pytest.raises(ShapeError, match=r"unequal lengths: shape \(2,\), then(.|\n)*nn\.pad_sequence"):
        make([[1, 2], [3]])


@pytest.mark.parametrize("make", [ag.zeros, ag.ones, ag.empty, lambda shape: ag.full(shape, 1.0)])
@pytest.mark.parametrize("shape", [5 / 2, (3, 4 / 2)])
def test_lengths_are_whole_numbers(make, shape):
    with pytest.raises(DTypeError, match=r"of shape .*\. Expected whole numbers: write n // 2 for n / 2"):
        make(shape)


def test_trees_are_rebuilt():
    tree = {"a": [1, (2, 3)], "b": {"c": 4}}
    leaves, build = flatten(tree)
    assert leaves == [1, 2, 3, 4]
    assert build(leaves) == tree


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize("decimals", [-1, 0, 2])
def test_rounding_keeps_whole_numbers_whole(dtype, decimals):
    x = np.array([5, 15, 25, 35, 44], dtype)
    found, expected = ag.round(ag.tensor(x), decimals).numpy(), np.round(x, decimals)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


CLOSE = {
    "infinities": ([1.0, np.inf, np.nan, -np.inf], [1.0, np.inf, np.nan, np.inf]),
    "beside infinity": ([1.0, np.inf], [np.inf, 1.0]),
    "without a sign": (np.uint8([1, 2, 255]), np.uint8([2, 2, 0])),
    "truths": ([True, False], [True, True]),
    "complex": ([1j, 2.0, np.inf], [1j + 1e-7, np.inf, np.inf]),
    "rounding": (np.float32([1.0, 0.0]), np.float32([1.00001, 1e-9])),
}


@pytest.mark.parametrize("name", CLOSE)
@pytest.mark.parametrize("equal_nan", [False, True])
def test_closeness_is_numpys(name, equal_nan):
    a, b = CLOSE[name]
    for x, y in ((ag.tensor(a), b), (a, ag.tensor(b)), (ag.tensor(a), ag.tensor(b))):
        assert np.isclose(x, y, equal_nan=equal_nan).tolist() == np.isclose(a, b, equal_nan=equal_nan).tolist()
        assert np.allclose(x, y, equal_nan=equal_nan) is np.allclose(a, b, equal_nan=equal_nan)
        assert ag.array_equal(x, y, equal_nan=equal_nan) is np.array_equal(a, b, equal_nan=equal_nan)
    assert not np.array_equal(ag.tensor(a), [1.0])


def test_arguments_that_numpy_takes_as_well():
    x = ag.tensor([3, 1, 2])
    assert ag.where(x > 1)[0].tolist() == np.where(x > 1)[0].tolist() == [0, 2]
    with pytest.raises(ArgumentError, match="Expected both, or neither"):
        ag.where(x > 1, x)
    assert (x.mean(dtype="float32").dtype, np.cumsum(x, dtype="float32").dtype) == (np.float32, np.float32)
    assert ag.cumprod(x, dtype=float).tolist() == [3.0, 3.0, 6.0]
    assert [t.tolist() for t in divmod(x, 2)] == [t.tolist() for t in np.divmod(x, 2)] == [[1, 0, 1], [1, 1, 0]]
    assert [t.tolist() for t in ag.split(x, np.array([1]))] == [[3], [1, 2]]
    assert [t.tolist() for t in ag.split(ag.zeros(0), 2)] == [[], []]
    with pytest.raises(ShapeError, match="diag was given shape"):
        ag.diag(ag.ones((2, 2, 2)))
    assert [t.tolist() for t in divmod(7.0, x)] == [[2.0, 7.0, 3.0], [1.0, 0.0, 1.0]]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint32", "int64"])
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "softmax", "log_softmax", "logsumexp"])
def test_exponentials_take_whole_numbers(name, dtype):
    x, f = np.array([0, 1, 1, 3], dtype), getattr(ag, name)
    expected, promoted = f(ag.tensor(x.astype(float))), np.exp(x).dtype
    for run in (f, ag.compile(lambda x: f(x))):
        found = run(ag.tensor(x))
        assert found.dtype == promoted
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-2 if promoted == np.float16 else 1e-6)


def test_a_tensor_has_numbers_in_the_order_of_bytes_of_the_machine():
    x = np.arange(12.0).reshape(3, 4)
    for dtype in (">f8", ">f4", "<f8", ">i4"):
        for made in (ag.tensor(x.astype(dtype)), ag.asarray(x.astype(dtype)), ag.tensor(x, dtype=dtype)):
            assert made.dtype.isnative
            assert made.tolist() == x.tolist()
    w = ag.tensor(x.astype(">f4"), requires_grad=True)
    ag.std(w).backward()
    assert w.grad.dtype == w.dtype == np.float32


@pytest.mark.parametrize("f", [ag.sqrt, ag.arccos, ag.tan, ag.log, ag.exp])
def test_a_second_argument_is_not_written_into(f):
    x, y = ag.tensor([0.5, 0.25]), ag.tensor([7.0, 8.0])
    with pytest.raises(ArgumentError, match=r"given 2 positional arguments\. Expected 1: x"):
        f(x, y)
    assert y.tolist() == [7.0, 8.0]
    with pytest.raises(ArgumentError, match=r"given 1 positional arguments\. Expected 2: a, b"):
        ag.add(x)
