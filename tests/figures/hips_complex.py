"""Programs of complex numbers, as they are written for HIPS autograd; like those of `hips_programs.py`."""

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import (
    checkpoint,
    elementwise_grad,
    grad,
    holomorphic_grad,
    jacobian,
    make_hvp,
    make_jvp,
    make_vjp,
    tensor_jacobian_product,
    value_and_grad,
)
from autograd.extend import defvjp, primitive


def spectrum():
    """The energy of a signal above a frequency through its transform, and derivatives of complex functions."""
    rng = npr.RandomState(7)
    x, z = rng.randn(16), np.array([0.5 + 1.0j, -0.3 + 0.2j])
    high = lambda x: np.sum(np.abs(np.fft.fft(x)[5:12]) ** 2)  # noqa: E731
    low = lambda x: np.sum(np.real(np.fft.ifft(np.fft.fft(x) * (np.arange(16) < 4))) ** 3)  # noqa: E731
    return {
        "high": grad(high)(x),
        "low": grad(low)(x),
        "real transform": grad(lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 3))(x),
        "shifted": grad(lambda x: np.sum(np.real(np.fft.fftshift(np.fft.fft(x))) * np.arange(16)))(x),
        "holomorphic": np.array([holomorphic_grad(lambda z: np.sin(z) * np.exp(z))(w) for w in z]),
    }


def complex_numbers():
    """Gradients by complex numbers, of which it takes the conjugate, through every kind of rule and of gradient."""
    rng = npr.RandomState(8)
    z, w = np.array([1.0 + 2.0j, -0.5 + 0.3j, 0.2 - 1.0j]), 1.5 - 0.5j
    x, a = rng.randn(6), rng.randn(3, 3) + 1j * rng.randn(3, 3)
    size, several = lambda z: np.abs(z) ** 3, lambda z: np.abs(z) ** 2 * np.array([1.0, 2.0, 3.0])
    pull, value = make_vjp(lambda z: z**2 * 1j)(w)
    product, gradient = make_hvp(lambda z: np.sum(size(z)))(z)
    moved, tangent = make_jvp(lambda z: np.conj(z) * z**2)(w)(1.0 + 2.0j)
    cube = primitive(lambda z: z**3)
    defvjp(cube, lambda y, z: lambda g: g * 3 * z**2)
    twice = lambda part: grad(lambda z: part(grad(size)(z)))(w)  # noqa: E731
    found = {
        name: grad(lambda z, f=f: np.sum(f(np.fft, z)))(z)
        for name, f in {
            "fft": lambda t, z: np.abs(t.fft(z)) ** 3,
            "fft longer": lambda t, z: np.imag(t.fft(z, 5)) ** 2,
            "ifft": lambda t, z: np.real(t.ifft(z * (1 + 1j))) ** 3,
            "irfft": lambda t, z: t.irfft(z, 4) ** 3,
            "fftshift": lambda t, z: np.real(t.fftshift(z) * np.arange(3)),
            "ifftshift": lambda t, z: np.imag(t.ifftshift(z) * np.arange(3)),
        }.items()
    } | {
        name: grad(f)(a)
        for name, f in {
            "inv": lambda a: np.sum(np.abs(np.linalg.inv(a))),
            "det": lambda a: np.abs(np.linalg.det(a)),
            "solve": lambda a: np.sum(np.abs(np.linalg.solve(a, z))),
            "svd": lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[1] ** 3),
            "norm": lambda a: np.linalg.norm(a),
            "product": lambda a: np.real(np.dot(np.conj(np.dot(a, z)), z)),
            "einsum": lambda a: np.imag(np.einsum("ij,j,i", a, z, z)),
            "fft2": lambda a: np.sum(np.abs(np.fft.fft2(a, (4, 2))) ** 3),
            "ifftn": lambda a: np.sum(np.imag(np.fft.ifftn(a, axes=(0,))) ** 2),
        }.items()
    }
    return found | {
        "rfft": grad(lambda x: np.sum(np.imag(np.fft.rfft(x)) ** 3))(x),
        "rfft2": grad(lambda x: np.sum(np.abs(np.fft.rfft2(np.reshape(x, (3, 2)))) ** 3))(x),
        "real": grad(lambda z: np.real(z**2))(w),
        "imaginary": grad(lambda z: np.imag(z**2))(w),
        "angle": grad(lambda z: np.angle(z))(w),
        "of a real number": grad(lambda x: np.abs(np.exp(1j * x) * (x + 1j)))(0.7),
        "value and gradient": value_and_grad(lambda z: np.sum(size(z)))(z)[1],
        "elementwise": elementwise_grad(size)(z),
        "jacobian": jacobian(several)(z),
        "tensor times jacobian": tensor_jacobian_product(several)(z, x[:3]),
        "pulled": pull(1.0 + 2.0j),
        "value": value,
        "hessian product": product(z * 1j),
        "gradient": gradient,
        "tangent": tangent,
        "moved": moved,
        "second, real": twice(np.real),
        "second, imaginary": twice(np.imag),
        "checkpoint": grad(lambda z: np.abs(checkpoint(lambda w: w**3 * 1j)(z)))(w),
        "rule": grad(lambda z: np.abs(cube(z)))(w),
        "container": grad(lambda p: np.real(p["a"] * p["b"]))({"a": w, "b": 2.0})["a"],
        "by both": grad(lambda a, b: np.real(a * b**2), (0, 1))(w, 2.0j)[1],
        "holomorphic": holomorphic_grad(lambda z: np.sum(z**3))(z),
        "holomorphic of what is not": holomorphic_grad(lambda z: np.abs(z))(w),
    }


PROGRAMS = {f.__name__: f for f in (spectrum, complex_numbers)}
