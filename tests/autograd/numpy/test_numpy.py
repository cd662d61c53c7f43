"""Every name that HIPS autograd differentiates: NumPy's on arrays, with a derivative on Tensors."""

import numpy
import pytest

import autograd as ag
import autograd.numpy as np
from autograd.errors import ArgumentError, UnsupportedError

R = numpy.random.default_rng(3)
X, Y, V, W = R.normal(size=(2, 3)), R.normal(size=(2, 3)), R.normal(size=3), R.normal(size=4)
P, Q = R.uniform(0.2, 0.9, (2, 3)), R.uniform(1.1, 2.0, (2, 3))
S = X.T @ X + 2 * numpy.eye(3)
C = R.normal(size=(2, 3, 4))
NAN = numpy.array([1.0, numpy.nan, -2.0])

ELEMENTWISE = [
    (X, """abs absolute fabs sin cos tan sinh cosh tanh arctan arcsinh atan asinh exp exp2 expm1 square negative conj
        conjugate real deg2rad rad2deg degrees radians sinc real_if_close nan_to_num positive"""),
    (P, "arcsin arccos arctanh asin acos atanh"),
    (Q, "arccosh acosh log log2 log10 log1p sqrt reciprocal cbrt"),
]  # fmt: skip
PAIRS = [
    (X, Y, "add subtract multiply divide true_divide maximum minimum fmax fmin logaddexp logaddexp2 arctan2 atan2"),
    (X, Y, "hypot"),
    (Q, Y, "power pow float_power"),
    (Q, P, "mod remainder"),
]  # fmt: skip
REDUCTIONS = ["sum", "mean", "prod", "var", "std", "max", "min", "amax", "amin", "ptp"]
CASES = {
    **{f"{n}": (lambda x, n=n: getattr(np, n)(x), (x,)) for x, names in ELEMENTWISE for n in names.split()},
    **{f"{n}": (lambda x, y, n=n: getattr(np, n)(x, y), (x, y)) for x, y, names in PAIRS for n in names.split()},
    **{n: (lambda x, n=n: getattr(np, n)(x, axis=1), (X,)) for n in REDUCTIONS},
    "sum of all": (lambda x: np.sum(x), (X,)),
    "sum by position": (lambda x: np.sum(x, 0, None, None, True), (X,)),
    "sum of a list": (lambda x: np.sum([x[0], 2 * x[1]]), (X,)),
    "mean of axes": (lambda x: np.mean(x, axis=(0, 2), keepdims=True), (C,)),
    "var ddof": (lambda x: np.var(x, 0, ddof=1), (X,)),
    "cumsum": (lambda x: np.cumsum(x), (X,)),
    "cumsum axis": (lambda x: np.cumsum(x, axis=1), (X,)),
    "cumprod": (lambda x: np.cumprod(x, axis=0), (X,)),
    "clip": (lambda x: np.clip(x, -0.5, 0.5), (X,)),
    "angle": (lambda x: np.angle(x), (X,)),
    "imag": (lambda x: np.imag(x) + x, (X,)),
    "array": (lambda x: np.array([[x[0], 1.0], [x[1] * x[2], x[0]]]), (V,)),
    "array of rows": (lambda x: np.array([x, 2 * x]), (V,)),
    "array dtype, ndmin": (lambda x: np.array(x, dtype=float, ndmin=2), (V,)),
    "asarray": (lambda x: np.asarray([x[0], x[1]]), (V,)),
    "atleast_1d": (lambda x: np.atleast_1d(x[0]), (V,)),
    "atleast_2d": (lambda x: np.atleast_2d(x), (V,)),
    "atleast_3d": (lambda x: np.atleast_3d(x), (X,)),
    "concatenate": (lambda x, y: np.concatenate([x, y], axis=1), (X, Y)),
    "concatenate of numbers": (lambda x: np.concatenate(([1.0], x, np.array([2.0]))), (V,)),
    "concatenate_args": (lambda x, y: np.concatenate_args(0, x, y), (X, Y)),
    "stack": (lambda x, y: np.stack([x, y], axis=1), (X, Y)),
    "vstack": (lambda x, y: np.vstack((x, y)), (V, V[::-1].copy())),
    "hstack": (lambda x, y: np.hstack((x, y)), (X, Y)),
    "dstack": (lambda x, y: np.dstack((x, y)), (X, Y)),
    "column_stack": (lambda x, y: np.column_stack((x, y)), (V, V[::-1].copy())),
    "append": (lambda x, y: np.append(x, y), (X, V)),
    "append axis": (lambda x, y: np.append(x, y, axis=0), (X, Y)),
    "array_split": (lambda x: np.array_split(x, 3)[0], (W,)),
    "split": (lambda x: np.split(x, [1], axis=1)[1], (X,)),
    "vsplit": (lambda x: np.vsplit(x, 2)[1], (X,)),
    "hsplit": (lambda x: np.hsplit(x, 3)[2], (X,)),
    "dsplit": (lambda x: np.dsplit(x, 2)[0], (C,)),
    "flipud": (lambda x: np.flipud(x), (X,)),
    "fliplr": (lambda x: np.fliplr(x), (X,)),
    **{f"rot90 {k}": (lambda x, k=k: np.rot90(x, k), (X,)) for k in range(-1, 4)},
    "rollaxis": (lambda x: np.rollaxis(x, 2), (C,)),
    "rollaxis to": (lambda x: np.rollaxis(x, 0, 2), (C,)),
    "diag of a vector": (lambda x: np.diag(x, -1), (V,)),
    "diag of a matrix": (lambda x: np.diag(x, 1), (X,)),
    "diagonal": (lambda x: np.diagonal(x, 0, 1, 2), (C,)),
    "make_diagonal": (lambda x: np.make_diagonal(x, axis1=-1, axis2=-2), (X,)),
    "trace": (lambda x: np.trace(x, 1), (X,)),
    "reshape": (lambda x: np.reshape(x, (3, 2)), (X,)),
    "reshape F": (lambda x: np.reshape(x, (3, -1), order="F"), (X,)),
    "ravel F": (lambda x: np.ravel(x, order="F"), (X,)),
    "transpose": (lambda x: np.transpose(x, (2, 0, 1)), (C,)),
    "permute_dims": (lambda x: np.permute_dims(x, (2, 0, 1)), (C,)),
    "swapaxes": (lambda x: np.swapaxes(x, 0, 2), (C,)),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1), (C,)),
    "expand_dims": (lambda x: np.expand_dims(x, 1), (X,)),
    "squeeze": (lambda x: np.squeeze(x[:1], 0), (X,)),
    "broadcast_to": (lambda x: np.broadcast_to(x, (4, 3)), (V,)),
    "tile": (lambda x: np.tile(x, (2, 1)), (X,)),
    "repeat": (lambda x: np.repeat(x, 2, axis=0), (X,)),
    "roll": (lambda x: np.roll(x, 1, axis=1), (X,)),
    "pad": (lambda x: np.pad(x, ((1, 0), (0, 2)), "constant"), (X,)),
    "tril": (lambda x: np.tril(x), (X,)),
    "triu": (lambda x: np.triu(x, 1), (X,)),
    "full": (lambda x: np.full((2, 3), x), (V,)),
    "full_like": (lambda x: np.full_like(numpy.ones(2), x[0]), (V,)),
    "linspace": (lambda x: np.linspace(x[0], x[1], 4), (V,)),
    "copy": (lambda x: np.copy(x), (X,)),
    "astype": (lambda x: np.astype(x, float), (X,)),
    "kron": (lambda x, y: np.kron(x, y), (X, V)),
    "cross": (lambda x, y: np.cross(x, y), (X, Y)),
    "cross of two": (lambda x, y: x[0] * y[1] - x[1] * y[0] + np.cross(numpy.ones(3), y[:3]), (V, V[::-1].copy())),
    "outer": (lambda x, y: np.outer(x, y), (V, W)),
    "inner": (lambda x, y: np.inner(x, y), (X, Y)),
    "dot": (lambda x, y: np.dot(x, y), (X, V)),
    "dot of a number": (lambda x, y: np.dot(x[0], y), (V, X)),
    "matmul": (lambda x, y: np.matmul(x, y.T), (X, Y)),
    "tensordot": (lambda x, y: np.tensordot(x, y, [[1], [0]]), (C, X.T)),
    "einsum": (lambda x, y: np.einsum("ij,ijk->k", x, y), (X, C)),
    "sort": (lambda x: np.sort(x), (X,)),
    "partition": (lambda x: np.partition(x, 1), (X,)),
    "diff": (lambda x: np.diff(x, axis=1), (X,)),
    "gradient": (lambda x: np.gradient(x, 2.0)[1], (X,)),
    "gradient axis": (lambda x: np.gradient(x, axis=0), (S,)),
    "where": (lambda x, y: np.where(numpy.asarray(X > 0), x, y), (X, Y)),
    "where by value": (lambda x: np.where(x > 0, x**2, 0.0), (X,)),
    "select": (lambda x: np.select([X > 0.5, X > -0.5], [x, 2 * x], 0.0), (X,)),
    "norm": (lambda x: np.linalg.norm(x), (X,)),
    "norm axis": (lambda x: np.linalg.norm(x, axis=1), (X,)),
    "norm 3": (lambda x: np.linalg.norm(x, 3, 0), (X,)),
    "norm nuc": (lambda x: np.linalg.norm(x, "nuc"), (X,)),
    "norm fro": (lambda x: np.linalg.norm(x, "fro", axis=(0, 1)), (C,)),
    "inv": (lambda x: np.linalg.inv(x), (S,)),
    "pinv": (lambda x: np.linalg.pinv(x), (X,)),
    "det": (lambda x: np.linalg.det(x), (S,)),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], (S,)),
    "solve": (lambda x, y: np.linalg.solve(x, y), (S, V)),
    "cholesky": (lambda x: np.linalg.cholesky(np.dot(x, x.T) + numpy.eye(2)), (X,)),
    "eigh": (lambda x: np.linalg.eigh((x + x.T) / 2)[0], (S,)),
    "svd": (lambda x: np.linalg.svd(x, full_matrices=False)[1], (X,)),
    "svd values": (lambda x: np.linalg.svd(x, compute_uv=False), (X,)),
    "matrix_power": (lambda x: np.linalg.matrix_power(x, 3), (S,)),
    "matrix_power below": (lambda x: np.linalg.matrix_power(x, -2), (S,)),
    "cond": (lambda x: np.linalg.cond(x), (S,)),
    "multi_dot": (lambda x, y: np.linalg.multi_dot([x, y, x]), (X, X.T.copy())),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_arrays_give_what_numpy_gives_and_tensors_the_same_with_a_derivative(name):
    f, xs = CASES[name]
    plain = f(*xs)
    recorded = f(*[ag.tensor(x, requires_grad=True) for x in xs])
    assert isinstance(plain, (numpy.ndarray, numpy.generic))
    assert isinstance(recorded, ag.Tensor)
    np.testing.assert_allclose(recorded.detach().numpy(), plain, rtol=1e-12, atol=1e-12)
    assert ag.gradcheck(f, xs, order=2), name


def test_linspace_and_concatenation_take_containers_of_both_kinds():
    g = ag.grad(lambda x: np.sum(np.linspace(x, [2.0, 3.0], 3) * numpy.arange(6.0).reshape(3, 2)))(numpy.zeros(2))
    np.testing.assert_allclose(g, [0 + 0.5 * 2, 1 + 0.5 * 3])
    assert type(g) is numpy.ndarray


SILENT = """
    all any argmax argmin argpartition argsort argwhere nonzero flatnonzero count_nonzero searchsorted sign
    ndim shape floor ceil round rint around fix trunc floor_divide logical_and logical_or logical_not
    logical_xor isfinite isinf isnan isneginf isposinf allclose isclose array_equal array_equiv greater
    greater_equal less less_equal equal not_equal iscomplexobj iscomplex size isscalar isreal zeros_like
    ones_like result_type
"""


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.parametrize("name", SILENT.split())
def test_what_has_no_derivative_gives_arrays_off_the_tape(name):
    function, t = getattr(np, name), ag.tensor(V, requires_grad=True)
    pairs = "logical_and logical_or logical_xor array_equal array_equiv allclose isclose greater greater_equal less"
    second = {"searchsorted": (0.0,), "floor_divide": (2.0,), "argpartition": (1,)} | dict.fromkeys(
        [*pairs.split(), "less_equal", "equal", "not_equal"], (W[:3],)
    )
    got = function(t, *second.get(name, ()))
    expected = getattr(numpy, name)(V, *second.get(name, ()))
    assert not isinstance(got, ag.Tensor)
    np.testing.assert_equal(got, expected if name != "isscalar" else False)


def test_the_submodules_are_there():
    assert np.random.RandomState is numpy.random.RandomState
    assert np.pi == numpy.pi
    assert np.float64 is numpy.float64
    np.testing.assert_allclose(np.fft.fft(V), numpy.fft.fft(V))
    assert set(numpy.__all__) - {"test"} <= set(np.__all__)


def test_what_has_no_rule_says_so():
    with pytest.raises(UnsupportedError, match=r"autograd\.numpy\.i0 was called on a Tensor on the tape"):
        ag.grad(lambda x: np.i0(x))(1.0)
    with pytest.raises(UnsupportedError, match=r"make_diagonal was given offset=1\. Expected 0"):
        np.make_diagonal(V, 1)
    with pytest.raises(ArgumentError, match="split of 3 elements into 2"):
        ag.grad(lambda x: np.sum(np.split(x, 2)[0]))(V)
    with pytest.raises(ArgumentError, match=r"cross was given vectors of 4 and 4\. Expected 2 or 3"):
        ag.grad(lambda x: np.sum(np.cross(x, x)))(W)
    with pytest.raises(ArgumentError, match="gradient was given 2 spacings and edge_order=1 for 1 axes"):
        ag.grad(lambda x: np.sum(np.gradient(x, 1.0, 2.0)))(W)
    with pytest.raises(ArgumentError, match=r"norm was given axis=\(0, 1, 2\)"):
        ag.grad(lambda x: np.linalg.norm(x, 2, axis=(0, 1, 2)))(C)


def test_constants_go_through_what_has_no_rule():
    assert np.i0(ag.tensor([1.0, 2.0])).tolist() == numpy.i0([1.0, 2.0]).tolist()
