"""Resampling by kernels: the plain composition's values everywhere, whatever the coordinates, layouts and threads."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

import autograd as ag
from autograd.config import config
from autograd.kernels import pool, resample
from autograd.primitive import primitives

RNG = np.random.default_rng(0)
VARIANTS = [
    (orders, nearest, edge)
    for nearest, edge, orders in itertools.product((False, True), (False, True), itertools.product((0, 1), (0, 1)))
    if not nearest or orders == (0, 0)
]
AWKWARD = [-np.inf, np.inf, np.nan, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 5.5, 6.0, 6.5, 7.0, 8.0, 1e30, -1e30]


def coordinates(n, dtype="float64"):
    p = np.stack([RNG.uniform(-3, 10, (n, 40, 50)), RNG.uniform(-3, 12, (n, 40, 50))], 1)
    p[0, 0, 0, : len(AWKWARD)], p[0, 1, 1, : len(AWKWARD)] = AWKWARD, AWKWARD
    p[0, :, 2, :9] = np.arange(9)
    return p.astype(dtype)


@pytest.mark.parametrize(("orders", "nearest", "edge"), VARIANTS)
@pytest.mark.parametrize("n", [1, 3])
def test_kernels_agree_with_the_plain_form(orders, nearest, edge, n):
    x, p = RNG.normal(size=(3, 2, 7, 9)), coordinates(n)
    g = RNG.normal(size=(3, 2, 40, 50))
    for name, args in (("resample", (x, p, {"fill": 2.5})), ("resample_transpose", (g, p, {"shape": (7, 9)}))):
        array, p, own = args
        settings = {"orders": orders, "nearest": nearest, "edge": edge, **own}
        fast = primitives[name](array, p, **settings)
        with config.using(kernels=False):
            plain = primitives[name](array, p, **settings)
        np.testing.assert_allclose(fast, plain, rtol=1e-11, atol=1e-11, err_msg=name)
        assert abs(plain).max() > 1


@pytest.mark.parametrize("order", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill", [1.5, "edge"])
def test_it_is_scipys_interpolation(order, fill):
    x, p = (
        RNG.normal(size=(2, 3, 7, 9)),
        np.stack([RNG.uniform(-3, 10, (2, 40, 50)), RNG.uniform(-3, 12, (2, 40, 50))], 1),
    )
    mode = {"mode": "nearest"} if fill == "edge" else {"mode": "grid-constant", "cval": fill}
    wanted = [
        [map_coordinates(image, p[k], order=int(order == "bilinear"), **mode) for image in images]
        for k, images in enumerate(x)
    ]
    np.testing.assert_allclose(ag.resample(x, p, order=order, fill=fill), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("image", "place"), list(itertools.product(("float32", "float64"), repeat=2)))
def test_dtypes_are_those_of_the_images(image, place):
    x, p = RNG.normal(size=(3, 2, 7, 9)), coordinates(3, place)
    y = ag.resample(x.astype(image), p)
    assert y.dtype == image
    np.testing.assert_allclose(y, ag.resample(x, p.astype("float64")), atol=3e-6 if image == "float32" else 1e-12)
    moved = resample.spread(RNG.normal(size=(3, 2, 40, 50)).astype(image), p, (7, 9), (0, 0), False, False)
    assert moved.dtype == image


def test_other_dtypes_and_layouts_take_their_way():
    x, p = RNG.normal(size=(3, 9, 7, 2)).T.astype("float64"), coordinates(2)[:, :, ::2, ::-1]
    np.testing.assert_array_equal(ag.resample(x, p), ag.resample(x.copy(), p.copy()))
    half = ag.resample(x.astype("float16"), p)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, ag.resample(x, p), atol=1e-2)


def test_bits_do_not_depend_on_threads():
    x, p = RNG.normal(size=(5, 3, 7, 9)).astype("float32"), coordinates(5)
    before = pool.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            pool.set_num_threads(threads)
            y = ag.tensor(x, requires_grad=True)
            ag.resample(y, p).sum().backward()
            found.append((ag.resample(x, p).tobytes(), y.grad.numpy().tobytes()))
    finally:
        pool.set_num_threads(before)
    assert found[0] == found[1]


def test_empty_arrays():
    p = coordinates(1)
    assert ag.resample(np.ones((0, 2, 3, 4)), np.ones((0, 2, 5, 6))).shape == (0, 2, 5, 6)
    assert ag.resample(np.ones((2, 0, 3, 4)), p).shape == (2, 0, 40, 50)
    np.testing.assert_allclose(ag.resample(np.ones((2, 1, 0, 4)), p, fill=3.0), np.full((2, 1, 40, 50), 3.0))


def test_a_compiled_step_gives_the_same():
    p = ag.tensor(coordinates(3)[:, :, 3:], requires_grad=True)
    x = ag.tensor(RNG.normal(size=(3, 2, 7, 9)), requires_grad=True)

    def loss(x, p):
        return (ag.resample(x, p) ** 2).sum()

    compiled = ag.compile(loss)
    for got, wanted in zip(ag.grad(compiled(x, p), [x, p]), ag.grad(loss(x, p), [x, p]), strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-11, atol=1e-11)
