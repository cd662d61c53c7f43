"""Windows of images by a kernel: the plain form's bits everywhere, whatever the places, dtypes, layouts and threads."""

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.kernels import pool

RNG = np.random.default_rng(0)
CORNERS, TURNED = RNG.integers(-12, 13, (60, 2)), RNG.random((60, 2)) < 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int64", "complex128"])
@pytest.mark.parametrize("fill", [2.0, "edge"])
def test_the_kernel_gives_the_bits_of_the_plain_form(dtype, fill):
    x = (100 * RNG.random((60, 2, 9, 7))).astype(dtype)
    y = ag.crop(x, CORNERS, (8, 10), turned=TURNED, fill=fill)
    with config.using(kernels=False):
        plain = ag.crop(x, CORNERS, (8, 10), turned=TURNED, fill=fill)
    assert (y.dtype, y.tobytes()) == (dtype, plain.tobytes())
    padded = np.pad(x, ((0, 0), (0, 0), (30, 30), (30, 30)), "edge") if fill == "edge" else None
    padded = np.pad(x, ((0, 0), (0, 0), (30, 30), (30, 30)), constant_values=2) if padded is None else padded
    for k in range(60):
        top, left = CORNERS[k] + 30
        window = padded[k, :, top : top + 8, left : left + 10]
        np.testing.assert_array_equal(y[k], np.flip(window, 1 + np.flatnonzero(TURNED[k])))


def test_layouts_and_threads_do_not_matter():
    x = RNG.random((60, 7, 9, 3)).astype("float32").transpose(0, 3, 2, 1)
    before, found = pool.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            pool.set_num_threads(threads)
            found.append(ag.crop(x, CORNERS, (20, 21), turned=TURNED).tobytes())
    finally:
        pool.set_num_threads(before)
    assert found[0] == found[1] == found[2] == ag.crop(x.copy(), CORNERS, (20, 21), turned=TURNED).tobytes()


def test_a_compiled_step_follows_new_places():
    compiled = ag.compile(lambda x, corners: (ag.crop(x, corners, (8, 10)) ** 2).sum())
    for k in range(3):
        x, corners = ag.tensor(RNG.random((60, 2, 9, 7)), requires_grad=True), CORNERS + k
        (got,) = ag.grad(compiled(x, corners), [x])
        (wanted,) = ag.grad((ag.crop(x, corners, (8, 10)) ** 2).sum(), [x])
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-12)


def test_empty_images():
    assert ag.crop(np.ones((0, 2, 3, 4)), np.ones((0, 2), int), (5, 6)).shape == (0, 2, 5, 6)
    np.testing.assert_array_equal(
        ag.crop(np.ones((2, 1, 0, 4)), np.zeros((2, 2), int), (40, 50), fill=3.0), np.full((2, 1, 40, 50), 3.0)
    )


X, NONE = np.ones((2, 1, 3, 4)), np.zeros((2, 2), int)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ag.crop(X, NONE, (2, 2), fill="wrap"), ArgumentError, "fill='wrap'. Expected a number, or 'edge'"),
        (lambda: ag.crop(X, NONE[:1], (2, 2)), ShapeError, r"corners of shape \(1, 2\)"),
        (lambda: ag.crop(X[:, :, :0], NONE, (2, 2), fill="edge"), ShapeError, r"images of shape \(2, 1, 0, 4\)"),
        (lambda: ag.crop(X, NONE + 0.5, (2, 2)), DTypeError, "corners of dtype float64"),
    ],
)
def test_words(call, error, words):
    with pytest.raises(error, match=words):
        call()
