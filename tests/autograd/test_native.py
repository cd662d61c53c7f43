"""Operations with kernels of their own, against their plain forms: layouts, sizes, NaN, ties, threads."""

from itertools import product

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.errors import IndexOutOfRange, ShapeError

WINDOWS = {
    "side by side": {"size": (2, 2)},
    "overlapping": {"size": (3, 3), "stride": (2, 1), "padding": 1},
    "dilated": {"size": (2, 3), "stride": (3, 2), "dilation": (3, 1), "padding": ((1, 2), (1, 1))},
    "large": {"size": (5, 6), "stride": 1, "padding": ((2, 2), (0, 3))},
    "line": {"size": 3, "stride": 2, "padding": ((0, 2),)},
    "volume": {"size": (2, 3, 2), "stride": 2, "padding": ((1, 1), (1, 1), (0, 1))},
}
every_window = pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
layouts = pytest.mark.parametrize("layout", ["planes", "pixels", "turned"])


def images(layout, dims, dtype="float64", channels=70):
    """More channels than a kernel takes at once; a square of few values has ties."""
    shape = (2, channels, *((9, 8), (9, 8), (9, 8), (5, 6, 4))[dims])
    x = np.random.default_rng(dims).standard_normal(shape).astype(dtype).round(1)
    if layout == "planes":
        return x
    if layout == "pixels":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    return np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)


def dims_of(window):
    return 1 if isinstance(window["size"], int) else len(window["size"])


@every_window
@layouts
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["window_max", "window_argmax", "window_sum"])
def test_windows_are_reduced_as_plainly(name, window, layout, dtype):
    x = images(layout, dims_of(window), dtype)
    found = getattr(ag, name)(x, **window)
    with config.using(kernels=False):
        plain = getattr(ag, name)(x, **window)
    assert found.dtype == plain.dtype
    compare = np.testing.assert_allclose if name == "window_sum" else np.testing.assert_array_equal
    compare(found, plain, **({"rtol": 1e-4, "atol": 1e-4} if name == "window_sum" else {}))


@every_window
@layouts
@pytest.mark.parametrize("name", ["window_max", "window_sum"])
def test_gradients_are_those_of_the_plain_form(name, window, layout):
    x, found = images(layout, dims_of(window)), []
    for kernels in (True, False):
        t = ag.tensor(x, requires_grad=True)
        with config.using(kernels=kernels):
            y = getattr(ag, name)(t, **window)
            g = ag.tensor(np.cos(np.arange(y.size)).reshape(y.shape), requires_grad=True)
            (dx,) = ag.grad(y, [t], g, create_graph=True)
            found.append((dx, *ag.grad((dx * dx).sum(), [g])))
    for kernel, plain in zip(*found, strict=True):
        np.testing.assert_allclose(kernel.detach(), plain.detach(), rtol=1e-12, atol=1e-12)


@layouts
def test_nan_is_the_largest_and_padding_the_smallest(layout):
    x = images(layout, 2)
    x = np.array(x)
    x[0, 3, 4, 4], x[1, :, 0, 0] = np.nan, -np.inf
    y, at = ag.window_max(x, (3, 3), padding=1, stride=1), ag.window_argmax(x, (3, 3), padding=1, stride=1)
    assert np.isnan(y[0, 3, 3:6, 3:6]).all()
    assert np.isnan(y).sum() == 9
    assert (at[0, 3, 3:6, 3:6] == 4 * 8 + 4).all()
    alone = np.full((1, 70, 9, 8), -np.inf)
    assert (ag.window_argmax(alone, (2, 2))[0, 0, 0] == [0, 2, 4, 6]).all()


@layouts
def test_the_first_of_equals_is_chosen(layout):
    x = 0 * images(layout, 2)
    at = ag.window_argmax(x, (3, 3), stride=3)
    assert at[1, 69].tolist() == [[0, 3], [24, 27], [48, 51]]


def test_a_window_that_sees_only_padding_has_no_place():
    x = np.ones((1, 2048))
    y, at = ag.window_max(x, 2, dilation=3, padding=((2050, 0),), stride=1), None
    at = ag.window_argmax(x, 2, dilation=3, padding=((2050, 0),), stride=1)
    assert (y[0, 0], at[0, 0]) == (-np.inf, -1)
    t = ag.tensor(x, requires_grad=True)
    ag.window_max(t, 2, dilation=3, padding=((2050, 0),), stride=1)[0, 0].backward()
    assert not t.grad.numpy().any()


@pytest.mark.parametrize("name", ["window_max", "window_sum"])
def test_results_do_not_depend_on_the_number_of_threads(name):
    before, found = ag.get_num_threads(), []
    for threads, layout in product((1, 2), ("planes", "pixels")):
        ag.set_num_threads(threads)
        x = ag.tensor(images(layout, 2, "float32", channels=130), requires_grad=True)
        y = getattr(ag, name)(x, (3, 3), stride=1)
        y.backward(ag.tensor(np.cos(np.arange(y.size, dtype="float32")).reshape(y.shape)))
        found.append((np.array(y.detach()), np.array(x.grad)))
    ag.set_num_threads(before)
    for some in found[1:]:
        np.testing.assert_array_equal(some[0], found[0][0])
        np.testing.assert_array_equal(some[1], found[0][1])


@pytest.mark.parametrize("dtype", ["int64", "float16"])
def test_other_dtypes_have_the_plain_form(dtype):
    x = np.arange(-4096, 0).reshape(64, 64).astype(dtype)
    y = ag.window_max(x, (2, 2), padding=1)
    assert y.dtype == dtype
    assert y[0, 0] == x[0, 0]


@pytest.mark.parametrize("rows", [[0, 5, 0, -1] * 300, np.arange(7), np.zeros((0,), int), [[1, 2], [6, -7]]])
@pytest.mark.parametrize("width", [1, 3, 700])
def test_rows_are_added_as_plainly(rows, width):
    rng, found = np.random.default_rng(0), []
    g = rng.standard_normal((*np.shape(rows), width))
    for kernels in (True, False):
        with config.using(kernels=kernels):
            t = ag.tensor(np.zeros((7, width)), requires_grad=True)
            (ag.take(t, rows, 0) * g).sum().backward()
            found.append(t.grad)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("window", "match"),
    [
        ({"size": (2, 2, 2)}, "windows of 3 axes"),
        ({"size": (2, 0)}, r"window_max was given size=\(2, 0\)"),
        ({"size": 2, "stride": 0}, "window_max was given stride=0"),
        ({"size": 2, "padding": -1}, "padding=-1 for 1 axes"),
        ({"size": (9, 1)}, r"windows of size \(9, 1\) .* do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(window, match):
    with pytest.raises(ShapeError, match=match):
        ag.window_max(np.ones((4, 4)), **window)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_large_arrays_are_joined_as_small_ones_are(axis):
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((300, 300)).astype(np.float32) for _ in range(3)]
    found = ag.concat([ag.tensor(x) for x in parts], axis=axis)
    np.testing.assert_array_equal(found.numpy(), np.concatenate(parts, axis))
    mixed = ag.concat([ag.tensor(parts[0]), ag.tensor(parts[1].astype(np.float64))], axis=axis)
    np.testing.assert_array_equal(mixed.numpy(), np.concatenate([parts[0], parts[1].astype(np.float64)], axis))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("places", [(70, 40), (0,), (), (3000,), (1, 1, 5)], ids=str)
def test_rows_are_taken_and_added_to_as_plainly(places, dtype):
    rng = np.random.default_rng(0)
    table = rng.standard_normal((500, 3, 5)).astype(dtype)
    at = rng.integers(-500, 500, places).astype(np.int32)
    for x in (table, table[::2], table[:, ::-1], table[:, :0]):
        index = at // 2 if len(x) < 500 else at
        found = ag.getitem(x, (index,))
        np.testing.assert_array_equal(found, x[index])
        assert found.shape == x[index].shape
        assert np.asarray(found).flags.writeable
        (g,) = ag.grad(lambda x, index=index: ag.sum(ag.square(x[index])), argnums=(0,))(ag.tensor(x))
        with config.using(kernels=False):
            (plain,) = ag.grad(lambda x, index=index: ag.sum(ag.square(x[index])), argnums=(0,))(ag.tensor(x))
        np.testing.assert_allclose(g, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("place", [500, -501])
def test_a_row_that_is_not_there_is_refused(place):
    at = np.zeros(5000, int)
    at[4321] = place
    with pytest.raises(IndexOutOfRange, match=f"index {place} is out of bounds for axis 0 with size 500"):
        ag.tensor(np.ones((500, 8)))[at]


def test_a_table_without_rows():
    with pytest.raises(IndexOutOfRange):
        ag.tensor(np.ones((0, 8)))[np.zeros(5000, int)]


def test_a_table_is_made_room_for_only_where_it_is_added_to(monkeypatch):
    made = []
    zeros = np.zeros
    monkeypatch.setattr(np, "zeros", lambda *args, **kwargs: made.append(args[0]) or zeros(*args, **kwargs))
    table = ag.tensor(np.ones((700, 11)), requires_grad=True)
    ag.sum(table[np.arange(400)]).backward()
    assert (700, 11) not in made
    ag.sum(table[3:5] * table[7]).backward()
    assert made.count((700, 11)) == 1


def test_sizes_are_whole_numbers_of_any_kind():
    x = np.arange(12.0).reshape(1, 1, 3, 4)
    found = ag.window_max(x, np.array([2, 2]), stride=np.int32(1), padding=np.int64(1))
    np.testing.assert_array_equal(found, ag.window_max(x, (2, 2), stride=1, padding=1))
    with pytest.raises(ShapeError, match=r"size=\(2\.5, 2\) for 2 axes"):
        ag.window_max(x, (2.5, 2))
