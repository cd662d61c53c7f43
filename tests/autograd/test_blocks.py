"""NumPy's functions that put arrays together, its polynomials and distinct elements: values and derivatives."""

import numpy as np
import pytest

import autograd as ag
import autograd.numpy as anp
from autograd.errors import ArgumentError, ShapeError

R = np.random.default_rng(4)
A, V, W = R.normal(size=(2, 3)), np.array([0.3, -1.2, 2.5]), np.array([1.5, 0.5, -0.7, 2.0])
S = R.normal(size=(2, 3, 3, 2))
X = np.array([0.0, 0.4, 1.1, 1.9])

CALLS = {
    "block": lambda m, x: m.block([[x, 2 * x], [x[:, ::-1], m.ones((2, 3))]]),
    "block of unequal axes": lambda m, x: m.block([x[0], 7.0]),
    "block of one": lambda m, x: m.block(x),
    "block of vectors below each other": lambda m, x: m.block([[x[0]], [x[1]]]),
    "piecewise": lambda m, x: m.piecewise(x, [A < 0, A >= 0.5], [lambda t: t**2, lambda t: -t, 3.0]),
    "piecewise without a function more": lambda m, x: m.piecewise(
        x[0], A[0] < 0, [lambda t, k, s: k * t + s], 3.0, s=1.0
    ),
    "choose": lambda m, x: m.choose([1, 0, 1], [x[0], x[1] ** 2]),
    "bincount": lambda m, x: m.bincount([0, 3, 3], weights=x[0]),
    "bincount of more": lambda m, x: m.bincount(np.array([0, 1, 1]), x[0] * x[1], minlength=6),
    "diagflat": lambda m, x: m.diagflat(x, 1),
    "fabs": lambda m, x: m.fabs(x),
    "ldexp": lambda m, x: m.ldexp(x, [1, 2, -3]),
    "modf": lambda m, x: m.modf(3 * x)[0],
    "resize": lambda m, x: m.resize(x, (3, 5)),
    "rollaxis": lambda m, x: m.rollaxis(x, 1),
    "apply_along_axis": lambda m, x: m.apply_along_axis(lambda v: v * v[0], 0, x),
    "apply_along_axis to numbers": lambda m, x: m.apply_along_axis(m.sum, 1, x**2),
    "apply_along_axis to matrices": lambda m, x: m.apply_along_axis(lambda v: m.outer(v, v), 0, x),
    "apply_over_axes": lambda m, x: m.apply_over_axes(m.sum, x**2, [0, 1]),
    "unique": lambda m, x: m.unique(m.stack([x[0], x[0], x[1]])),
    "unique with counts": lambda m, x: m.unique(x**2, return_index=True, return_counts=True)[0],
    "unique along an axis": lambda m, x: m.unique(m.stack([x[1], x[0], x[1]]), axis=0),
    "unique_all": lambda m, x: m.unique_all(x).values,
    "unique_values": lambda m, x: m.sort(m.unique_values(x)),
    "polyadd": lambda m, x: m.polyadd(x[0], W),
    "polysub": lambda m, x: m.polysub(x[0], x[1][:2]),
    "polymul": lambda m, x: m.polymul(x[0], x[1]),
    "polyder": lambda m, x: m.polyder(x[0], 2) + m.polyder(x[1]),
    "polyint": lambda m, x: m.polyint(x[0], 2, k=[1.0, 2.0]),
    "poly": lambda m, x: m.poly(x[0]),
    "polyfit": lambda m, x: m.polyfit(X, m.append(x[0], 1.0), 2),
    "polyfit by places": lambda m, x: m.polyfit(X + m.append(x[0], 1.0) ** 2, X**3, 1),
    "polyfit of columns": lambda m, x: m.polyfit(X[:3], x.T, 1, w=np.array([1.0, 2.0, 0.5])),
    "lstsq": lambda m, x: m.linalg.lstsq(x.T, V, rcond=None)[0],
    "what lstsq leaves": lambda m, x: m.linalg.lstsq(x.T, m.ones((3, 2)), rcond=None)[1],
    "tensorsolve": lambda m, x: m.linalg.tensorsolve(S.reshape(2, 3, 6) + 0, x),
    "tensorinv": lambda m, x: m.linalg.tensorinv(m.array(np.eye(6).reshape(2, 3, 6)) + 0.1 * x[:, :, None], ind=2),
    "gradient by places": lambda m, x: m.gradient(x, np.array([0.0, 0.5, 2.0]), axis=1),
    "gradient to second order at the ends": lambda m, x: m.gradient(x, 0.5, axis=1, edge_order=2),
    "gradient by places, second order": lambda m, x: m.gradient(x, [0.0, 0.5, 2.0], axis=1, edge_order=2),
    "gradient along both": lambda m, x: m.gradient(x, 2.0, np.array([0.0, 0.5, 2.0]))[1],
    "einsum of lists": lambda m, x: m.einsum(x, [0, 1], x, [2, 1], [0, 2]),
    "einsum of lists without an output": lambda m, x: m.einsum(x, [..., 1], V, [1]),
    "reshape by columns": lambda m, x: m.reshape(x, (3, 2), order="F"),
    "ravel by columns": lambda m, x: m.ravel(x, order="F"),
    "a method by columns": lambda m, x: x.reshape(3, -1, order="F") + x.flatten("F")[:2],
    "dot": lambda m, x: x.dot(V) + x[0].dot(x[1]),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys_and_derivatives_those_of_differences(name):
    f, expected = CALLS[name], np.asarray(CALLS[name](np, A))
    found = f(np, ag.tensor(A, requires_grad=True)) if "tensorinv" not in name else f(anp, ag.tensor(A))
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.detach().numpy() if hasattr(found, "detach") else found, expected, rtol=1e-9)
    assert ag.gradcheck(lambda x: f(anp, x), [A], order=2)


def test_what_is_counted_is_numpys():
    x = np.array([2.0, np.nan, 1.0, 2.0, np.nan])
    t = ag.tensor(x, requires_grad=True)
    for f in (np.unique_all, np.unique_counts, np.unique_inverse):
        for found, expected in zip(f(t), f(x), strict=True):
            np.testing.assert_array_equal(found.detach().numpy(), expected)
    both = np.unique(t, return_index=True, return_inverse=True, return_counts=True)
    for found, expected in zip(both, np.unique(x, True, True, True), strict=True):
        np.testing.assert_array_equal(found.detach().numpy(), expected)
    rows = np.array([[1, 0], [0, 3], [1, 0], [0, 2]])
    both = np.unique(ag.tensor(rows), True, True, True, axis=0)
    for found, expected in zip(both, np.unique(rows, True, True, True, axis=0), strict=True):
        np.testing.assert_array_equal(found.numpy(), expected)
    for empty in (np.zeros(0), np.zeros((0, 2))):
        assert [part.shape for part in np.unique(ag.tensor(empty), True, True, True)] == [(0,), (0,), empty.shape, (0,)]
    compiled = ag.compile(lambda x: np.unique(x).sum())
    assert [float(compiled(ag.tensor(v))) for v in ([1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [1.0, 3.0, 2.0])] == [
        3.0,
        3.0,
        6.0,
    ]
    assert np.bincount(ag.tensor([1, 1])).tolist() == [0, 2]
    assert len(np.linalg.lstsq(ag.tensor(A), V[:2], rcond=None)[1]) == 0
    assert int(np.linalg.lstsq(ag.tensor(A, requires_grad=True), V[:2], rcond=None)[2]) == 2


def test_weights_on_the_tape_keep_their_derivative_or_are_refused():
    assert ag.grad(lambda w: anp.sum(anp.bincount([0, 1, 1], weights=w) ** 2))(V).tolist() == [0.6, 2.6, 2.6]
    with pytest.raises(ag.errors.UnsupportedError, match="histogram"):
        ag.grad(lambda w: anp.sum(anp.histogram([0.1, 0.2, 0.3], weights=w)[0]))(V)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda t: np.block([[t], t]), ArgumentError, "unequal depths"),
        (lambda t: np.block([t, []]), ArgumentError, "empty list"),
        (lambda t: np.piecewise(t, [A < 0], [1.0, 2.0, 3.0]), ArgumentError, "1 conditions and 3 functions"),
        (lambda t: np.choose([0, 2, 0], [t[0], t[1]]), ArgumentError, "up to 2 for 2 arrays"),
        (lambda t: np.bincount([0, 1], weights=t[0]), ShapeError, "a weight for each"),
        (lambda t: np.polyder(t), ShapeError, r"\(2, 3\). Expected a vector"),
        (lambda t: np.polyfit(V, t, 1), ShapeError, r"\(3,\) and \(2, 3\)"),
        (lambda t: np.gradient(t, np.ones(4), axis=1), ArgumentError, "a place for each"),
        (lambda t: np.gradient(t, axis=0, edge_order=2), ArgumentError, "more than 2 samples"),
        (lambda t: ag.einsum(t), ShapeError, "subscripts before it"),
        (lambda t: np.reshape(t, -1, order="B"), ArgumentError, "'F', by columns"),
    ],
)
def test_errors_say_what_was_given_and_what_to_write(call, error, words):
    with pytest.raises(error, match=words):
        call(ag.tensor(A, requires_grad=True))
