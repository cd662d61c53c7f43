"""Row-sparse gradients: how they come about, add up, and pass for the dense arrays that they are."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import DTypeError, IndexOutOfRange, ShapeError

TABLE = np.arange(10.0).reshape(5, 2)


def table(dtype="float64"):
    return ag.tensor(TABLE, dtype=dtype, requires_grad=True)


def dense(f):
    w = table()
    f(w, lambda w, i: ag.take(w, i, 0)).backward()
    return np.array(w.grad)


USES = {
    "once": lambda w, take: take(w, [[1, 1], [4, 0]]).sum(),
    "from the end": lambda w, take: (take(w, [-1, 3]) ** 2).sum(),
    "twice": lambda w, take: (take(w, [2]) * take(w, [2, 3, 2])).sum(),
    "none": lambda w, take: take(w, np.zeros(0, int)).sum(),
    "a number": lambda w, take: take(w, 3).sum(),
}
MIXED = {
    "after": lambda w, take: (w * w).sum() + take(w, [1, 1]).sum(),
    "before": lambda w, take: take(w, [1, 1]).sum() + (w * w).sum(),
    "between": lambda w, take: (w * 2).sum() + take(w, [1, 1]).sum() + (w * w).sum() + w[1].sum() + take(w, [0]).sum(),
    "of what was made": lambda w, take: take(w * w, [1, 1]).sum(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_lookup_gives_rows(use):
    w = table()
    use(w, ag.take_rows).backward()
    np.testing.assert_array_equal(w.grad, dense(use))
    if use is not USES["none"]:
        assert isinstance(w.grad, ag.RowSparse)
        assert w.grad.nbytes < w.grad.size * 8 + 100
    use(w, ag.take_rows).backward()
    np.testing.assert_array_equal(w.grad, 2 * dense(use))


@pytest.mark.parametrize("use", MIXED.values(), ids=MIXED)
def test_with_other_uses_the_gradient_is_dense(use):
    w = table()
    use(w, ag.take_rows).backward()
    assert isinstance(w.grad, ag.Tensor)
    np.testing.assert_array_equal(w.grad, dense(use))


@pytest.mark.parametrize("first", [True, False])
def test_backward_calls_of_both_kinds_add_up(first):
    w = table()
    for sparse in (first, not first):
        (ag.take_rows(w, [1, 3]) if sparse else ag.take(w, [1, 3], 0)).sum().backward()
    assert isinstance(w.grad, ag.Tensor)
    assert w.grad.tolist() == [[0, 0], [2, 2], [0, 0], [2, 2], [0, 0]]


def test_functions_of_gradients_get_the_dense_array():
    def f(w):
        return (ag.take_rows(w, [1, 1, 3]) ** 2).sum()

    assert type(ag.grad(f)(table())) is ag.Tensor
    w = table()
    assert ag.grad(f(w), [w])[0].tolist() == [[0, 0], [8, 12], [0, 0], [12, 14], [0, 0]]
    assert ag.gradcheck(f, [w])
    assert ag.gradgradcheck(f, [w])
    f(w).backward(create_graph=True)
    assert type(w.grad) is ag.Tensor
    w.grad = None
    assert ag.hvp(f, [w], [ag.ones_like(w)])[1][0].tolist() == [[0, 0], [4, 4], [0, 0], [2, 2], [0, 0]]


def test_hooks_see_it_and_may_replace_it():
    w, seen = table(), []
    w.register_hook(lambda g: seen.append(g) or g * 2.0)
    ag.take_rows(w, [1]).sum().backward()
    assert [type(g) for g in seen] == [ag.RowSparse]
    assert w.grad.coalesce().values.tolist() == [[2.0, 2.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_stay(dtype):
    w = table(dtype)
    ag.take_rows(w, [1, 1]).sum().backward()
    g = w.grad
    for x in (g, g.coalesce(), g + g, g * 0.5, -g, g / 2, g.to_dense(), g.rows([1])):
        assert x.dtype == dtype


# ---- arithmetic


def sparse():
    return ag.RowSparse([3, 0, 3], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (5, 2))


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: 2 * a - b / 4,
        lambda a, b: -a,
        lambda a, b: a.coalesce() + b,
        lambda a, b: np.float64(2) * a,
    ],
)
def test_linear_maps_stay_rows(f):
    a, b = sparse(), ag.RowSparse([1, 3], [[1.0, 1.0], [2.0, 2.0]], (5, 2))
    y = f(a, b)
    assert isinstance(y, ag.RowSparse)
    np.testing.assert_array_equal(y, f(Dense(a.numpy()), b.numpy()))


class Dense(np.ndarray):
    """An array with the one method that is asked for above."""

    def __new__(cls, a):
        return a.view(cls)

    def coalesce(self):
        return self


@pytest.mark.parametrize(
    "f",
    [
        lambda g: g + TABLE,
        lambda g: TABLE + g,
        lambda g: TABLE - g,
        lambda g: g - TABLE,
        lambda g: g * TABLE,
        lambda g: g + 1,
        lambda g: g != 0,
        lambda g: np.exp(g),
        lambda g: np.add.reduce(g, 0),
        lambda g: np.linalg.norm(g),
        lambda g: np.asarray(g, "float32"),
    ],
)
def test_anything_else_is_the_dense_array(f):
    y = f(sparse())
    assert isinstance(y, (np.ndarray, np.generic))
    np.testing.assert_array_equal(y, f(sparse().numpy()))


def test_with_tensors_it_is_a_tensor():
    t = ag.tensor(TABLE)
    for y in (sparse() + t, t + sparse()):
        assert isinstance(y, ag.Tensor)
        np.testing.assert_array_equal(y, TABLE + sparse().numpy())


def test_adding_in_place_writes_into_the_dense_array():
    a = np.array(TABLE)
    b = a
    b += sparse()
    assert b is a
    np.testing.assert_array_equal(a, TABLE + sparse().numpy())


def test_rows_are_found_and_counted_once():
    g = sparse()
    assert (len(g), g.ndim, g.size, g.shape, g.is_coalesced) == (5, 2, 10, (5, 2), False)
    c = g.coalesce()
    assert (c.indices.tolist(), c.values.tolist()) == ([0, 3], [[3.0, 4.0], [6.0, 8.0]])
    assert c.coalesce() is c
    assert g.rows([3, 1, 0]).tolist() == [[6.0, 8.0], [0.0, 0.0], [3.0, 4.0]]
    assert ag.RowSparse.from_dense(g.to_dense()).indices.tolist() == [0, 3]
    assert g.union(ag.RowSparse([4], [[1.0, 1.0]], (5, 2))).tolist() == [0, 3, 4]
    assert g.map(ag.square).values.tolist() == [[9.0, 16.0], [36.0, 64.0]]


def test_large_sums_do_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(0)
    rows, values = rng.integers(0, 300, 4000), rng.standard_normal((4000, 17)).astype("float32")
    before, found = ag.get_num_threads(), []
    for threads in (1, 2):
        ag.set_num_threads(threads)
        found.append(ag.RowSparse(rows, values, (300, 17)).numpy())
    ag.set_num_threads(before)
    expected = np.zeros((300, 17))
    np.add.at(expected, rows, values)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-4)


# ---- rows in place


def test_put_rows_writes_in_place_only_what_nobody_else_holds():
    t = ag.tensor(TABLE)
    held = t.numpy()
    ag.put_rows_(t, [1], [[7.0, 7.0]])
    assert held[1].tolist() == [2.0, 3.0]
    assert t[1].tolist() == [7.0, 7.0]
    place = id(t.value)
    ag.put_rows_(t, [2], [[8.0, 8.0]])
    assert (id(t.value), t[2].tolist()) == (place, [8.0, 8.0])


def test_put_rows_into_what_the_tape_saved_keeps_the_tape_right():
    w = table()
    y = (w * w).sum()
    with ag.no_grad():
        ag.put_rows_(w, [0], [[5.0, 5.0]])
    with pytest.raises(ag.errors.ClobberedError, match="'multiply' saved its input"):
        y.backward()


@pytest.mark.parametrize(
    ("error", "given", "match"),
    [
        (ShapeError, ([1], [[1.0]], (5, 2)), r"indices of shape \(1,\) and values of shape \(1, 1\)"),
        (ShapeError, (1, [1.0], (5,)), r"indices of shape \(\)"),
        (DTypeError, ([1.0], [[1.0]], (5, 1)), "indices of float64"),
        (DTypeError, ([1], [[1]], (5, 1)), "values of int64"),
        (IndexOutOfRange, ([5], [[1.0]], (5, 1)), "from 5 to 5 for 5 rows"),
        (IndexOutOfRange, ([-1], [[1.0]], (5, 1)), "from -1 to -1 for 5 rows"),
    ],
)
def test_errors(error, given, match):
    with pytest.raises(error, match=match):
        ag.RowSparse(*given)
