"""Loops whose rows never meet: each thread runs all turns of its own rows, and nothing else comes out."""

import numpy as np
import pytest

import autograd as ag
from autograd import scanning
from autograd.kernels import panels
from autograd.kernels.panels import height
from autograd.program import byrow
from autograd.program.loop import Loop

T, H = 9, 24


def alone(h, x, w):
    h = ag.tanh(x + h @ w)
    return h, h


def halves(h, x, w):
    """Two halves of each row, put together again."""
    a, b = ag.split(ag.tanh(h @ w), 2, axis=1)
    first, second = ag.split(x, 2, axis=1)
    h = ag.concat([b + first, a * second], 1)
    return h, h


def wide(h, x, w, v):
    """What a turn is given goes through a matrix of its own."""
    h = ag.tanh(x @ v + h @ w)
    return h, ag.softmax(h, axis=1)


def centred(h, x, w):
    h = ag.tanh(x + h @ w)
    h = h - ag.mean(h, axis=0)
    return h, h


def rolled(h, x, w):
    """Each row reads that of its neighbour."""
    h = ag.tanh(x + ag.concat([h[1:], h[:1]], 0) @ w)
    return h, h


def shifted(h, x, w):
    """Rows of a part of something twice as long."""
    both = ag.concat([h @ w, x], 0)
    h = ag.tanh(both[2 : 2 + h.shape[0]])
    return h, h


def mixed(h, x, w, m):
    """A matrix from the left: all rows of the result are made of all rows."""
    h = ag.tanh(x + m @ (h @ w))
    return h, h


def scaled(h, x, w):
    """The first row is that of all."""
    y = ag.tanh(x + h @ w)
    return y * h[:1], y


def two_kinds(h, x, w, low):
    """Products in float64 and in float32, whose tiles may differ in height."""
    h = ag.tanh(x + h @ w) + ag.tanh(h.astype("float32") @ low).astype("float64")
    return h, h


APART = {"alone": alone, "halves": halves, "wide": wide}
TOGETHER = {"centred": centred, "rolled": rolled, "shifted": shifted, "mixed": mixed, "scaled": scaled}


def constants(f, rows, rng):
    shapes = {"w": (H, H), "v": (H, H), "m": (rows, rows), "low": (H, H)}
    return [
        ag.tensor(0.3 * rng.standard_normal(shapes[n]), requires_grad=True)
        for n in f.__code__.co_varnames[2:4]
        if n in shapes
    ]


def outcome(f, rows, threads=None, dtype="float64"):
    """Values and gradients of a scan, and into how many chunks its loops were cut."""
    cut = []
    bind = Loop.bind

    def noted(self, *given):
        bind(self, *given)
        cut.append(self.chunks)

    rng = np.random.default_rng(0)
    h = ag.tensor(0.3 * rng.standard_normal((rows, H)), requires_grad=True)
    xs = ag.tensor(0.3 * rng.standard_normal((T, rows, H)), requires_grad=True)
    given = [t.astype(dtype) for t in (h, xs, *constants(f, rows, rng))]
    if f is two_kinds:
        given[-1] = given[-1].astype("float32")
    before = ag.get_num_threads()
    scanning._bodies.clear()  # what was traced before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "bind", noted)
        try:
            if threads:
                ag.set_num_threads(threads)
            last, ys = ag.scan(f, given[0], given[1], *given[2:])
            loss = ag.sum(last * last) + ag.sum(ys * ys * ys)
            gradients = ag.grad(loss, given)
        finally:
            ag.set_num_threads(before)
    return [x.detach().numpy() for x in (last, ys, *gradients)], cut


def in_python(f, rows, dtype="float64"):
    with ag.config.config.using(kernels=False):
        return outcome(f, rows, dtype=dtype)[0]


@pytest.mark.parametrize("rows", [16, 17, 23, 31, 32, 42])
@pytest.mark.parametrize("name", APART)
def test_rows_that_never_meet_are_cut(name, rows, monkeypatch):
    found, cut = outcome(APART[name], rows)
    assert cut == [rows // height(np.dtype("float64"))] * 2, "forwards and backwards"
    one, _ = outcome(APART[name], rows, threads=1)
    monkeypatch.setattr(Loop, "_part_rows", lambda _: None)
    whole, uncut = outcome(APART[name], rows)
    assert uncut == [0, 0]
    for a, b, c, d in zip(found, one, whole, in_python(APART[name], rows), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
        np.testing.assert_allclose(a, d, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("rows", [16, 37])
@pytest.mark.parametrize("name", TOGETHER)
def test_rows_that_meet_are_not(name, rows):
    found, cut = outcome(TOGETHER[name], rows)
    assert not any(cut)
    for a, b in zip(found, in_python(TOGETHER[name], rows), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("rows", [1, 3, 5, 8, 11])
def test_few_rows_are_not_cut(rows):
    found, cut = outcome(alone, rows)
    assert not any(cut)
    for a, b in zip(found, in_python(alone, rows), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", APART)
def test_float32(name):
    found, cut = outcome(APART[name], 32, dtype="float32")
    assert all(cut)
    for a, b in zip(found, in_python(APART[name], 32, "float32"), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("rows", [16, 37])
def test_tiles_of_two_heights(rows, monkeypatch):
    expected = in_python(two_kinds, rows)
    for tall in (8, 4):  # as on a processor whose tiles for float32 are lower
        monkeypatch.setattr(panels, "height", lambda dtype, tall=tall: tall if dtype == np.float32 else 8)
        found, cut = outcome(two_kinds, rows)
        assert any(cut) == (tall == 8)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-3)


def test_rows_of_views():
    whole = np.empty((8, 6))
    assert byrow.whole_rows(whole[:, 2:4], whole, 8)
    assert byrow.whole_rows(whole, whole, 8)
    assert not byrow.whole_rows(whole[1:], whole, 8)
    assert not byrow.whole_rows(whole[:4], whole, 4)
    assert not byrow.whole_rows(np.empty((16, 6))[4:12], np.empty((16, 6)), 8)
    assert not byrow.whole_rows(whole.T, whole, 6)
    assert not byrow.whole_rows(whole[::-1], whole, 8)
    assert not byrow.whole_rows(np.broadcast_to(whole[0], (8, 6)), whole, 8)
