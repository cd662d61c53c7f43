"""Products by a matrix that was laid out for the tile, against NumPy's."""

from array import array

import numpy as np
import pytest

from autograd.kernels import panels, pool

SHAPES = [(4, 1, 16), (5, 7, 33), (14, 3, 64), (15, 20, 40), (32, 128, 512), (64, 100, 17), (301, 9, 50), (113, 64, 32)]


def product(a, b):
    """By the kernel itself, into memory that holds NaN, with room beside each row."""
    wide = np.full((a.shape[0], b.shape[1] + 5), np.nan, a.dtype)
    out = wide[:, 2 : 2 + b.shape[1]]
    address, jobs, given = panels.entry(a, b, out)
    laid = panels.packed(b)
    given[5] = laid.ctypes.data
    words = array("q", given)
    pool.run(address, jobs, words.buffer_info()[0])
    assert np.isnan(wide[:, :2]).all()
    assert np.isnan(wide[:, -3:]).all()
    return out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_are_numpys(shape, dtype):
    m, k, n = shape
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    turned = np.asfortranarray(b)
    apart = np.zeros((m, k + 3), dtype)[:, 1 : k + 1]
    apart[...] = a
    for left, right in ((a, b), (a, turned), (apart, b)):
        np.testing.assert_allclose(product(left, right), a @ b, rtol=tolerance, atol=tolerance * k)
        out = np.empty((m, n), dtype)
        panels.matmul(left, right, out)
        np.testing.assert_allclose(out, a @ b, rtol=tolerance, atol=tolerance * k)


def test_infinities_and_nan_come_through():
    a, b = np.ones((6, 3)), np.ones((3, 20))
    a[2, 1], b[0, 4] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        expected = a @ b
    np.testing.assert_array_equal(product(a, b), expected)
    assert np.isinf(expected[2, 0])
    assert np.isnan(expected[0, 4])


WHOLE = np.ones((8, 4)), np.ones((4, 40)), np.ones((8, 40))
OTHERS = {
    "few rows": (WHOLE[0][:3], WHOLE[1], WHOLE[2][:3]),
    "few columns": (WHOLE[0], WHOLE[1][:, :2], WHOLE[2][:, :2]),
    "deep": (np.ones((8, 2000)), np.ones((2000, 40)), WHOLE[2]),
    "turned": (np.asfortranarray(WHOLE[0]), WHOLE[1], WHOLE[2]),
    "whole numbers": tuple(x.astype(int) for x in WHOLE),
    "mixed": (WHOLE[0].astype("float32"), *WHOLE[1:]),
    "stacked": (WHOLE[0][None], WHOLE[1], WHOLE[2][None]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_left_to_blas(name):
    assert panels.entry(*WHOLE) is not None
    assert panels.entry(*OTHERS[name]) is None
