"""Complex numbers under NumPy's names: HIPS autograd's convention, the Fourier transforms, and what is refused.

The figures of HIPS autograd itself are compared in `test_programs.py`, the program `complex_numbers`.
"""

from runpy import run_path

import numpy
import pytest

import autograd as ag
import autograd.numpy as np
from autograd import grad, holomorphic_grad, jacobian, make_ggnvp, make_vjp
from autograd.errors import DTypeError, UnsupportedError
from autograd.misc.fixed_points import fixed_point

R = numpy.random.default_rng(4)
Z = R.normal(size=4) + 1j * R.normal(size=4)
A = R.normal(size=(4, 3)) + 1j * R.normal(size=(4, 3))
C = A.T @ A + 3 * numpy.eye(3)

TRANSFORMS = {
    **{f"{n}": (lambda z, n=n: getattr(np.fft, n)(z), Z) for n in ("fft", "ifft", "hfft", "fftshift", "ifftshift")},
    **{
        f"{n}": (lambda z, n=n: getattr(np.fft, n)(z), A)
        for n in ("fft2", "ifft2", "fftn", "ifftn", "irfft2", "irfftn")
    },
    **{f"{n}": (lambda x, n=n: getattr(np.fft, n)(x), A.real.copy()) for n in ("rfft", "rfft2", "rfftn", "ihfft")},
    "fft to a length": (lambda z: np.fft.fft(z, 6, norm="ortho"), Z),
    "ifft along an axis": (lambda z: np.fft.ifft(z, 3, 0), A),
    "irfft to an odd length": (lambda z: np.fft.irfft(z, n=5), Z),
    "fftn over axes": (lambda z: np.fft.fftn(z, axes=(0,), norm="forward"), A),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_are_numpys_with_a_derivative_of_every_order(name):
    f, x = TRANSFORMS[name]
    recorded = f(ag.tensor(x, requires_grad=True))
    assert isinstance(f(x), numpy.ndarray)
    assert isinstance(recorded, ag.Tensor)
    assert recorded.requires_grad
    numpy.testing.assert_allclose(recorded.detach().numpy(), f(x), rtol=1e-13, atol=1e-14)
    assert ag.gradcheck(f, x, order=2, mode="both")
    slope = grad(lambda x: np.sum(np.abs(f(x)) ** 2))(x)
    assert type(slope) is numpy.ndarray
    moved, h = R.normal(size=x.shape).astype(x.dtype), 1e-6
    loss = lambda x: numpy.sum(numpy.abs(f(x)) ** 2)  # noqa: E731  # without a Tensor
    numeric = (loss(x + h * moved) - loss(x - h * moved)) / (2 * h)
    assert numpy.sum(slope * moved).real == pytest.approx(numeric, rel=1e-7)


def test_every_transform_of_numpy_has_a_derivative():
    names = {n.split()[0] for n in TRANSFORMS}
    assert {n for n in numpy.fft.__all__ if n not in ("fftfreq", "rfftfreq")} == names
    assert type(np.fft.fftfreq(4)) is numpy.ndarray


PROGRAM = """
import {module} as np
from autograd import elementwise_grad, grad, holomorphic_grad, imag, real, value_and_grad
z = 1.5 - 0.5j
f = lambda z: imag(z * z)
found = [grad(f)(z), value_and_grad(f)(z)[1], elementwise_grad(f)(z), grad(lambda z: real(grad(f)(z)))(z)]
found = [complex(g) for g in found] + [complex(holomorphic_grad(lambda z: z * z)(z))]
"""


def test_the_module_that_asks_decides_on_the_convention(tmp_path):
    """Of L = 2xy, dL/dx - i dL/dy = 2y - 2xi; of its real part 2y, -2i; of z^2, 2z."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(module="autograd.numpy"))
    assert run_path(str(path))["found"] == [-1 - 3j] * 3 + [-2j, 3 - 1j]
    path.write_text(PROGRAM.format(module="numpy"))
    assert run_path(str(path))["found"] == [-1 + 3j] * 3 + [2j, 3 - 1j]


def test_jacobians_by_complex_numbers_are_of_real_results():
    f = lambda z, x: np.abs(z) ** 2 * x  # noqa: E731
    by_z, by_x = jacobian(f, (0, 1))(Z, Z.real)
    numpy.testing.assert_allclose(by_z, numpy.diag(2 * Z.conj() * Z.real), rtol=1e-14)
    numpy.testing.assert_allclose(by_x, numpy.diag(abs(Z) ** 2), rtol=1e-14)
    with pytest.raises(DTypeError, match=r"jacobian met dtype complex128\. Expected real numbers"):
        jacobian(lambda z: z * z)(Z)


def test_cotangents_have_no_conjugate_in_them():
    pull, y = make_vjp(lambda p: p["a"] * p["b"])({"a": Z, "b": Z[::-1].copy()})
    numpy.testing.assert_allclose(pull(1j * Z)["a"], 1j * Z * Z[::-1], rtol=1e-15)
    numpy.testing.assert_array_equal(y, Z * Z[::-1])
    squares = make_ggnvp(lambda z: np.abs(z) ** 2)(Z)
    v = Z * (1 - 2j)
    numpy.testing.assert_allclose(squares(v), 4 * Z.conj() * (Z.conj() * v).real, rtol=1e-14)


def test_fixed_points_of_complex_maps():
    root = lambda a: fixed_point(lambda a: lambda x: (x + a / x) / 2, a, 1.0 + 0j, lambda x, y: abs(x - y), 1e-13)  # noqa: E731
    numpy.testing.assert_allclose(root(2j), 1 + 1j, rtol=1e-14)
    numpy.testing.assert_allclose(holomorphic_grad(root)(2j), 1 / (2 * (1 + 1j)), rtol=1e-12)


def test_a_holomorphic_derivative_of_real_arguments_warns():
    with pytest.warns(UserWarning, match=r"holomorphic_grad was given real arguments\. Write grad"):
        assert holomorphic_grad(lambda x: x**3)(2.0) == 12.0
    numpy.testing.assert_allclose(holomorphic_grad(np.sin)(Z), numpy.cos(Z), rtol=1e-14)


@pytest.mark.parametrize("name", ["eig", "eigvals"])
def test_eigenvalues_of_any_matrix_have_no_derivative(name):
    with pytest.raises(UnsupportedError, match=rf"autograd\.numpy\.{name} was called on a Tensor on the tape"):
        grad(lambda a: np.sum(np.abs(getattr(np.linalg, name)(a)[0])))(C)
    with pytest.raises(UnsupportedError, match=rf"np\.{name} was called on a Tensor, for which there is no rule"):
        getattr(numpy.linalg, name)(ag.tensor(C, requires_grad=True))
    values = np.linalg.eig(ag.tensor(C))[0]
    numpy.testing.assert_allclose(values, numpy.linalg.eigvals(C), rtol=1e-12)


def test_what_is_returned_beside_a_value_is_an_array_as_it_is():
    gradient, aux = ag.grad(lambda x: (np.sum(x**3), x[0] * 1j), has_aux=True)(np.array([1.0, 2.0]))
    assert (gradient.tolist(), aux) == ([3.0, 12.0], 1j)
    (_, aux), _ = ag.value_and_grad(lambda x: (np.sum(x**3), x[0] * 1j), has_aux=True)(np.array([1.0, 2.0]))
    assert aux == 1j
    matrix, aux = ag.hessian(lambda x: (np.sum(x**3), x + 1), has_aux=True)(np.array([1.0, 2.0]))
    assert (matrix.tolist(), aux.tolist()) == ([[6.0, 0.0], [0.0, 12.0]], [2.0, 3.0])
    assert not isinstance(ag.grad_and_aux(lambda x: (x**2, x + 1))(3.0)[1], ag.Tensor)
