"""Large arrays on kernels: the values of NumPy, for every function of the table."""

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.primitive import primitives
from autograd.program.eager import FASTER, LEAST


@pytest.mark.parametrize("name", sorted(FASTER))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_arrays_get_the_values_of_small_ones(name, dtype):
    x = np.linspace(0.01, 3.0, LEAST + 7).astype(dtype)
    op = primitives[name]
    fast = op(x)
    with config.using(kernels=False):
        plain = op(x)
    assert fast.dtype == plain.dtype == dtype
    np.testing.assert_array_max_ulp(fast, plain, maxulp=16 if name == "erfc" else 6)  # SciPy's tail is 12 ulp off
    turned = op(x[:LEAST].reshape(256, -1).T)
    np.testing.assert_array_equal(turned, fast[:LEAST].reshape(256, -1).T)
    small = op(x[:10])
    np.testing.assert_array_max_ulp(small, fast[:10], maxulp=16 if name == "erfc" else 6)


def test_they_are_recorded_as_the_same_operations():
    x = ag.tensor(np.linspace(-2.0, 2.0, LEAST), requires_grad=True)
    y = ag.tanh(x)
    assert "tanh" in ag.tape_of(y)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 - np.tanh(x.numpy()) ** 2, rtol=1e-12)
    assert np.isnan(ag.log(np.full(LEAST, -1.0))).all()
