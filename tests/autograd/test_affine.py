"""Affine maps: a product and a sum in one operation, of all shapes and dtypes, one by one and batched."""

import numpy as np
import pytest

import autograd as ag


@pytest.mark.parametrize("dtypes", [("f4", "f4", "f4"), ("f4", "f8", "f4"), ("f4", "f4", "f8")], ids=" ".join)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (5, 2, 3), (0, 3)], ids=str)
def test_an_affine_map_is_a_product_and_a_sum(shape, dtypes):
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(s).astype(d) for s, d in zip((shape, (4, 3), (4,)), dtypes, strict=True))
    arguments = [ag.tensor(a) for a in (x, w, b)]
    found, plain = (f(*arguments) for f in (ag.affine, lambda x, w, b: ag.inner(x, w) + b))
    assert found.dtype == plain.dtype
    np.testing.assert_array_equal(found, plain)
    gradients = [
        ag.grad(lambda *a, f=f: ag.sum(ag.square(f(*a))), argnums=(0, 1, 2))(*arguments)
        for f in (ag.affine, lambda x, w, b: ag.inner(x, w) + b)
    ]
    for g, other in zip(*gradients, strict=True):
        assert g.dtype == other.dtype
        np.testing.assert_allclose(g, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axes", [(0, None, None), (None, 0, None), (None, None, 0), (0, 0, 0)], ids=str)
def test_affine_maps_of_many_samples(axes):
    rng = np.random.default_rng(1)
    shapes = [((6, *s) if axis == 0 else s) for s, axis in zip(((2, 3), (4, 3), (4,)), axes, strict=True)]
    arguments = [rng.standard_normal(s) for s in shapes]
    found = ag.vmap(ag.affine, in_axes=axes)(*arguments)
    for k in range(6):
        x, w, b = (a if axis is None else a[k] for a, axis in zip(arguments, axes, strict=True))
        np.testing.assert_allclose(np.asarray(found)[k], x @ w.T + b, rtol=1e-12)
