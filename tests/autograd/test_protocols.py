"""NumPy's functions and operators on Tensors: recorded, or refused by name."""

import numpy as np
import pytest
import scipy.special

import autograd as ag
from autograd.errors import ArgumentError, UnsupportedError
from autograd.primitive import from_numpy

A = np.array([[0.5, 1.5], [2.5, 0.25]])

CALLS = [
    lambda t: np.exp(t),
    lambda t: np.add(t, A),
    lambda t: np.add(A, t),
    lambda t: A * t,
    lambda t: A @ t,
    lambda t: A - t,
    lambda t: A[0] / t,
    lambda t: np.float64(2.0) ** t,
    lambda t: np.float32(2.0) * t,
    lambda t: np.sum(t),
    lambda t: np.sum(t, 0),
    lambda t: np.sum(t, axis=1, keepdims=True),
    lambda t: np.mean(t, axis=0),
    lambda t: np.var(t, axis=0, ddof=1),
    lambda t: np.std(t),
    lambda t: np.max(t, axis=1),
    lambda t: np.prod(t),
    lambda t: np.concatenate([t, A]),
    lambda t: np.concatenate((A, t), axis=1),
    lambda t: np.stack([A, t]),
    lambda t: np.where(A > 1, t, 0.0),
    lambda t: np.transpose(t),
    lambda t: np.reshape(t, (4,)),
    lambda t: np.matmul(t, A),
    lambda t: np.einsum("ij,kj->ik", t, A),
    lambda t: np.tensordot(t, A, axes=1),
    lambda t: np.clip(t, 0.3, 2.0),
    lambda t: np.linalg.norm(t),
    lambda t: np.cumsum(t),
    lambda t: np.pad(t, 1),
    lambda t: np.sort(t, axis=0),
    lambda t: np.take(t, [0, 1], axis=1),
    lambda t: np.squeeze(np.expand_dims(t, 0)),
    lambda t: np.split(t, 2)[1],
    lambda t: np.flip(t, 0),
    lambda t: np.tril(t),
    lambda t: np.dot(A[0], t),
    lambda t: np.logaddexp(t, 0.0),
    lambda t: np.power(t, 1.5),
    lambda t: np.round(t, 1),
    lambda t: np.trace(t),
    lambda t: np.diagonal(t),
    lambda t: np.swapaxes(t, 0, 1),
    lambda t: np.ravel(t),
    lambda t: np.tile(t, (2, 1)),
    lambda t: np.repeat(t, 2, axis=0),
    lambda t: np.roll(t, 1),
    lambda t: np.diff(t, axis=1),
    lambda t: np.diff(t, prepend=t[0, 0], append=t[:, :1]),
    lambda t: np.diff(A, axis=0, prepend=t),
    lambda t: np.outer(t[0], t[1]),
    lambda t: np.vstack([t, A[0]]),
    lambda t: np.hstack([t[0], 1.0]),
    lambda t: np.hstack((A, t)),
    lambda t: np.dstack([t, A]),
    lambda t: np.column_stack([t[0], A]),
    lambda t: np.append(t, 9.0),
    lambda t: np.append(t, A, axis=1),
    lambda t: np.array_split(t[0], 3)[0],
    lambda t: np.split(t, np.array([1]), axis=1)[1],
    lambda t: np.vsplit(t, 2)[1],
    lambda t: np.hsplit(t, [1])[0],
    lambda t: np.dsplit(t[None], 2)[0],
    lambda t: np.flipud(t),
    lambda t: np.fliplr(t),
    lambda t: np.rot90(t),
    lambda t: np.rot90(t, 2),
    lambda t: np.rot90(t, -1, (1, 0)),
    lambda t: np.diag(t),
    lambda t: np.diag(t[0], -1),
    lambda t: np.kron(t, A[0]),
    lambda t: np.kron(2.0, t),
    lambda t: np.nan_to_num(t),
    lambda t: np.atleast_1d(t[0, 0]),
    lambda t: np.atleast_2d(t[0]),
    lambda t: np.atleast_3d(t[0], t)[0],
    lambda t: np.copy(t),
    lambda t: np.sinc(t - 0.5),
    lambda t: np.deg2rad(np.degrees(t) + 1),
    lambda t: np.fmax(t, 0.7),
    lambda t: np.fmin(np.nan, t),
    lambda t: np.cross([1.0, 2.0, 3.0], np.append(t[0], 1.0)),
    lambda t: np.gradient(t, 2.0, axis=1),
    lambda t: np.ptp(t, axis=1, keepdims=True),
    lambda t: np.median(t),
    lambda t: np.median(t, axis=0, keepdims=True),
    lambda t: np.sort(t, axis=None),
    lambda t: np.sort(t, kind="stable"),
    lambda t: np.take_along_axis(t, np.argsort(t, 0, "stable"), 0),
    lambda t: np.clip(t, a_min=0.3, a_max=2.0),
    lambda t: np.clip(t, None, a_max=2.0),
    lambda t: np.around(t, 1),
    lambda t: np.logaddexp2(t, 1.0),
    lambda t: np.fmod(t - 1, 0.7),
    lambda t: np.fmod(2.0, -t),
    lambda t: np.heaviside(t - 0.5, t),
    lambda t: np.partition(t, 1, axis=0),
    lambda t: np.select([A > 1, A > 0.3], [t, 2 * t], 3.0),
    lambda t: np.ediff1d(t, to_begin=t[0], to_end=9.0),
    lambda t: np.delete(t, 0, axis=1),
    lambda t: np.delete(t, [0, 3]),
    lambda t: np.delete(t, slice(0, 2)),
    lambda t: np.insert(t, 1, t[0], axis=0),
    lambda t: np.insert(t, [0, 2], 7.0, axis=1),
    lambda t: np.insert(t, 1, [5.0, 6.0]),
    lambda t: np.insert(A, 1, t[:, 0], axis=1),
    lambda t: np.compress([False, True], t, axis=0),
    lambda t: np.extract(A > 0.4, t),
    lambda t: np.add.reduce(t),
    lambda t: np.add.reduce(t, None, None, None, True, 2.0, A > 1),
    lambda t: np.multiply.reduce(t, axis=(0, 1)),
    lambda t: np.maximum.reduce(t, 1, initial=1.0),
    lambda t: np.logaddexp.reduce(t, axis=1),
    lambda t: np.logaddexp.reduce(t, initial=0.5),
    lambda t: np.hypot.reduce(t, axis=None, keepdims=True),
    lambda t: np.subtract.reduce(t, axis=1, initial=4.0),
    lambda t: np.subtract.reduce(t, axis=-1, keepdims=True),
    lambda t: np.add.accumulate(t, 1),
    lambda t: np.maximum.accumulate(t, axis=1),
    lambda t: np.divide.accumulate(t),
    lambda t: np.add.reduceat(t, [0, 1, 0]),
    lambda t: np.maximum.reduceat(t, [1, 0], axis=1),
    lambda t: np.subtract.outer(t, t[0]),
    lambda t: np.multiply.outer([2.0, 3.0], t),
    lambda t: np.sum(t, where=A > 1, axis=0),
    lambda t: np.sum(t, 0, None, None, True, 5.0),
    lambda t: np.sum(a=t, initial=5.0),
    lambda t: np.prod(t, initial=2.0, where=A > 1),
    lambda t: np.max(t, 1, None, True),
    lambda t: np.max(t, axis=0, initial=2.0),
    lambda t: np.min(t, axis=0, initial=9.0, where=A > 1),
    lambda t: np.max(t[:0], axis=0, initial=1.0) + t,
    lambda t: np.mean(t, where=[True, False]),
    lambda t: np.mean(t, axis=1, where=A > 0.3, keepdims=True),
    lambda t: np.var(t, axis=0, where=[[True], [True]], ddof=1),
    lambda t: np.std(t, where=A < 2),
    lambda t: np.add(t, 1.0, dtype=np.float32),
    lambda t: np.exp(t, dtype="float32"),
]


@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_numpys_functions_give_recorded_tensors_with_numpys_values(call):
    t = ag.tensor(A, requires_grad=True)
    y = call(t)
    assert type(y) is ag.Tensor
    assert y.requires_grad
    np.testing.assert_allclose(y.numpy(), call(A), rtol=1e-15 if y.dtype == A.dtype else 1e-6)
    assert y.dtype == call(A).dtype
    assert ag.grad(y.sum(), t)[0].shape == A.shape


@pytest.mark.parametrize("x", [[1.0, np.nan, np.inf, -np.inf], [1j * np.inf, complex(np.nan, 1)], [1, 2]])
@pytest.mark.parametrize("settings", [{}, {"nan": 3.0, "posinf": 1.0}, {"neginf": -2.0}])
def test_numbers_in_place_of_nan_are_numpys(x, settings):
    found, expected = np.nan_to_num(ag.tensor(x), **settings), np.nan_to_num(np.array(x), **settings)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize("settings", [{}, {"axis": 0}, {"axis": 1, "keepdims": True}])
@pytest.mark.parametrize("f", [np.nansum, np.nanmean, np.median])
def test_nan_beside_numbers_is_as_in_numpy(f, settings):
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 2.0]])
    t = ag.tensor(x, requires_grad=True)
    y = f(t, **settings)
    np.testing.assert_array_equal(y.detach().numpy(), f(x, **settings))
    if f is not np.median and not settings:
        assert np.isnan(x).tolist() == (ag.grad(y, t)[0].numpy() == 0).tolist()


def test_whole_numbers_truths_and_text_are_said_of_tensors_on_the_tape():
    t = ag.tensor(A, requires_grad=True)
    for f in (np.argwhere, np.flatnonzero, np.isposinf, np.isreal, np.iscomplex, np.nanargmax, np.array_str):
        np.testing.assert_array_equal(f(t), f(A))
    np.testing.assert_array_equal(np.digitize(t, [1.0, 2.0]), np.digitize(A, [1.0, 2.0]))
    np.testing.assert_array_equal(np.isin(t, [0.5]), np.isin(A, [0.5]))
    assert ag.grad(lambda x: x[np.isin(x, [0.5])].sum())(A).tolist() == [[1.0, 0.0], [0.0, 0.0]]
    with pytest.raises(UnsupportedError, match=r"np\.isin .*no rule"):
        ag.vmap(lambda row: np.isin(row, [0.5]))(t.detach())


@pytest.mark.parametrize("f", [np.all, np.any])
@pytest.mark.parametrize("where", [[True, False], [False, False]])
def test_truths_of_what_is_chosen(f, where):
    assert bool(f(ag.tensor([True, False]), where=where)) is bool(f(np.array([True, False]), where=where))
    assert bool(f(ag.tensor([False, True]), where=where)) is bool(f(np.array([False, True]), where=where))


def test_what_is_not_chosen_has_no_derivative_and_what_is_has():
    x, chosen = np.array([[1.0, np.nan, 3.0], [2.5, 7.0, np.inf]]), [[True, False, True], [True, True, False]]
    for f, settings in ((ag.sum, {}), (ag.mean, {}), (ag.prod, {}), (ag.std, {}), (ag.max, {"initial": 0.5})):
        slope = ag.grad(lambda t, f=f, s=settings: f(t, axis=1, where=chosen, **s).sum())(ag.tensor(x)).numpy()
        assert np.isfinite(slope).all()
        assert (slope[~np.array(chosen)] == 0).all()
        assert slope[0, 2] > 0
    ag.gradgradcheck(lambda t: ag.var(t, where=np.eye(2, dtype=bool)), ag.tensor(A))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: np.max(t, where=A > 1), "where= alone. Expected initial="),
        (lambda t: np.subtract.reduce(t, axis=None), "order of the elements"),
        (lambda t: np.subtract.reduce(t[:0]), "at least one element, or initial="),
        (lambda t: np.hypot.reduce(t, where=A > 1), r"ag\.where"),
    ],
)
def test_reductions_that_mean_nothing_are_refused(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(ag.tensor(A, requires_grad=True))


def test_arrays_like_a_tensor_have_its_shape_and_dtype():
    t = ag.tensor(A.astype(np.float32), requires_grad=True)
    for made in (np.zeros_like(t), np.ones_like(t), np.full_like(t, 2), np.empty_like(t)):
        assert (type(made), made.shape, made.dtype) == (ag.Tensor, t.shape, t.dtype)


def test_comparisons_and_orders_give_constants():
    t = ag.tensor(A, requires_grad=True)
    for y in (np.greater(t, 1), t > 1, np.argmax(t), np.isnan(t), np.argsort(t), np.any(t > 1), np.count_nonzero(t)):
        assert type(y) is ag.Tensor
        assert not y.requires_grad


class Series:
    """As one of pandas: an array by `__array__`, with operators and ufuncs of its own."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.shape, self.dtype, self.size, self.ndim = self.values.shape, self.values.dtype, self.values.size, 1

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        return Series(getattr(ufunc, method)(*[getattr(x, "values", x) for x in inputs], **settings))

    def __rmul__(self, other):
        raise AssertionError("asked, though a Tensor stands first")


@pytest.mark.parametrize(
    "f", [lambda t, s: t * s, ag.multiply, lambda t, s: t * s.values, lambda t, s: t * tuple(s.values.tolist())]
)
def test_arrays_of_other_libraries_stand_beside_tensors(f):
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    y = f(w, Series([3.0, 4.0]))
    assert type(y.value) is np.ndarray
    y.sum().backward()
    assert w.grad.tolist() == [3.0, 4.0]
    t = ag.tensor([1.0, 2.0])
    t += Series([3.0, 4.0])
    assert t.tolist() == [4.0, 6.0]


def test_who_wants_no_ufuncs_answers_alone():
    class Alone:
        __array_ufunc__ = None

        def __array__(self, dtype=None, copy=None):
            raise AssertionError

        def __rmul__(self, other):
            return "mine"

    assert ag.ones(2) * Alone() == "mine"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: np.i0(t), r"np\.i0 .*no rule"),
        (lambda t: np.linalg.eig(t), r"np\.eig .*no rule"),
        (lambda t: scipy.special.zeta(t, 2.0), r"zeta .*no rule"),
        (lambda t: np.roots(t[0]), r"np\.roots .*no rule.*\nFor the plain array write np\.roots\(t\.nu"),
        (lambda t: np.polyfit(t[0], t[1], 1, full=True), "full=True"),
        (lambda t: np.copyto(t, 1.0), r"np\.copyto changes .*\nWrite y = t\.copy\(\), then y\[\.\.\.\] = v"),
        (lambda t: np.putmask(t, A > 1, 1.0), r"then y\[mask\] = v"),
        (lambda t: np.linalg.eigvals(t), r"np\.eigvals (.|\n)*nearest function with a derivative is np"),
        (lambda t: np.add.at(t, [0], 1.0), r"np\.add\.at (.|\n)*ag\.index_add"),
        (lambda t: np.exp(t, where=A > 1), r"with \['where'\]"),
        (lambda t: np.nansum(t, initial=1.0), r"np\.nansum .*initial"),
        (lambda t: np.sum(t, out=np.zeros(())), "out="),
        (lambda t: np.asarray(t), r"detach\(\)"),
        (lambda t: np.histogram(t), "no rule"),
        (lambda t: ag.norm(t, 2), r"axis=\(0, 1\)"),
    ],
)
def test_what_would_drop_a_gradient_is_refused_by_name(call, words):
    with pytest.raises(UnsupportedError, match=words):
        call(ag.tensor(A, requires_grad=True))


def test_an_ndarray_cannot_take_in_a_tensor():
    a, t = A.copy(), ag.tensor(A, requires_grad=True)
    with pytest.raises(UnsupportedError, match=r"a = a \+ t instead of a \+= t"):
        a += t
    np.testing.assert_array_equal(a, A)


def _filled(x, dtype=float):
    y = np.zeros(2, dtype)
    y[0] = x[0] ** 2
    return y.sum()


def test_an_element_of_an_ndarray_cannot_take_in_a_tensor():
    for derivative in (ag.grad(_filled), ag.jacobian(_filled), lambda x: _filled(ag.tensor(x, requires_grad=True))):
        with pytest.raises(ValueError, match="array element") as caught:  # what NumPy makes of an error here
            derivative(np.ones(2))
        assert r"Write ag.stack([...])" in str(caught.value.__cause__)
    with pytest.raises(UnsupportedError, match="written into an ndarray"):
        ag.grad(_filled)(np.ones(2), complex)


def test_numbers_of_tensors_may_be_noted_in_ndarrays():
    losses, w = np.zeros(4), ag.tensor(2.0, requires_grad=True)
    loss = w * w
    losses[0] = float(loss)
    loss.backward()
    losses[1], losses[2] = loss, loss.detach()  # what the sweep has freed has no gradient to drop
    with ag.no_grad():
        losses[3] = w * w
    assert losses.tolist() == [4.0] * 4


@pytest.mark.parametrize(
    "name",
    [
        "erf",
        "erfc",
        "expit",
        "gamma",
        "gammaln",
        "digamma",
        "ndtr",
        "log_ndtr",
        "entr",
        "logit",
        "i0e",
        "i1e",
        "erfinv",
    ],
)
def test_functions_of_scipy_are_answered(name):
    x = np.array([0.3, 0.6])
    f = getattr(scipy.special, name)
    y = f(ag.tensor(x, requires_grad=True))
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), f(x), rtol=1e-14)


def test_a_constant_is_an_array_to_everyone():
    t = ag.tensor(A)
    np.testing.assert_array_equal(np.asarray(t), A)
    assert not np.asarray(t).flags.writeable
    np.testing.assert_array_equal(np.from_dlpack(t), A)
    with ag.no_grad():
        np.testing.assert_array_equal(np.asarray(ag.tensor(A, requires_grad=True)), A)
    with pytest.raises(ValueError, match="read-only"):
        t.numpy()[0] = 1.0


def test_functions_without_a_rule_are_numpys_on_constants():
    labels, t = ag.tensor([3, 1, 2, 1]), ag.tensor(A, requires_grad=True)
    assert np.unique(labels).tolist() == [1, 2, 3]
    assert np.bincount(labels).tolist() == [0, 2, 1, 1]
    assert np.add.reduce(labels) == 7
    assert np.heaviside(t.detach(), 0.0).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    np.testing.assert_array_equal(np.linalg.eig(t.detach())[0], np.linalg.eig(A)[0])
    with ag.no_grad():
        assert np.i0(t[0, 0]) == np.i0(A[0, 0])
    with pytest.raises(UnsupportedError, match=r"np\.i0 .*no rule"):
        ag.vmap(lambda row: np.i0(row))(t.detach())
    step = ag.compile(lambda x: x * np.unique(labels).sum())
    assert [step(ag.ones(2)).tolist() for _ in range(2)] == [[6.0, 6.0]] * 2
    labels.copy_(labels + 1)
    assert step(ag.ones(2)).tolist() == [9.0, 9.0]


def test_every_function_of_the_table_is_called_by_its_numpy_name():
    assert len(from_numpy) > 110
    t = ag.tensor(A, requires_grad=True)
    unary = [
        f for f, op in from_numpy.items() if isinstance(f, np.ufunc) and f.nin == f.nout == 1 and f is not np.invert
    ]
    assert len(unary) > 30
    with np.errstate(all="ignore"):
        for f in unary:
            np.testing.assert_array_equal(f(t).numpy(), f(A))


def test_operators_with_strangers_are_pythons_errors():
    t = ag.tensor(A)
    for bad in ("text", None, object()):
        with pytest.raises(TypeError, match="unsupported operand"):
            t + bad
    assert (t == "text") is False


def test_questions_of_shape_and_dtype_are_answered():
    t = ag.tensor(A, dtype="float32", requires_grad=True)
    assert (np.shape(t), np.ndim(t), np.size(t), np.result_type(t, np.float64)) == ((2, 2), 2, 4, np.float64)


def test_arrays_of_other_libraries_are_copied_without_a_warning():
    values = np.arange(3.0)

    class Foreign:
        def __array__(self, dtype=None):  # without `copy`, as PyTorch's
            return values if dtype is None else values.astype(dtype)

    for dtype in (None, "float32"):
        t = ag.tensor(Foreign(), dtype)
        assert (t.tolist(), t.dtype) == ([0.0, 1.0, 2.0], np.dtype(dtype or "float64"))
    values[0] = 9.0
    assert ag.tensor(Foreign())[0] == 9.0
    t = ag.tensor(Foreign())
    values[0] = 0.0
    assert t[0] == 9.0
