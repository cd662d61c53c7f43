"""Functions of complex numbers in PyTorch: values, gradients and derivatives of gradients, to compare ours with.

`python tests/figures/make_complex.py` writes them to complex.npz. A case is (arrays, ours, theirs): functions of the
module and of its arrays. The loss is the real part of a weighted sum of the result, so that every part of it counts.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("complex.npz")


def drawn(*shape, seed=0, by=1.0):
    rng = np.random.default_rng([seed, *shape])
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * by


Z, W, X = drawn(2, 3), drawn(2, 3, seed=1), drawn(2, 3, seed=2).real
A, B = drawn(2, 3, 3) + 2 * np.eye(3), drawn(2, 3, 2)
POSITIVE = A @ A.conj().mT + np.eye(3)
TALL, WIDE = drawn(4, 3), drawn(2, 3, 4)
SMALL = drawn(2, 3, by=0.3)


def same(name, *arrays, **settings):
    """A function of one name on both sides."""
    return arrays, lambda ag, *xs: getattr(ag, name)(*xs, **settings), lambda t, *xs: getattr(t, name)(*xs, **settings)


def linear(name, *arrays):
    return arrays, lambda ag, *xs: getattr(ag, name)(*xs), lambda t, *xs: getattr(t.linalg, name)(*xs)


def transform(name, *arrays, dims="dim", **settings):
    """A Fourier transform: PyTorch calls the axis dim."""
    theirs = {dims if k in ("axis", "axes") else k: v for k, v in settings.items()}
    return (
        arrays,
        lambda ag, *xs: getattr(ag.fft, name)(*xs, **settings),
        lambda t, *xs: getattr(t.fft, name)(*xs, **theirs),
    )


UNARY = [
    *("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asinh", "reciprocal", "square", "sigmoid"),
    *("expm1", "log1p", "log2", "log10"),
]
CASES = {
    **{name: same(name, Z) for name in (*UNARY, "abs", "angle")},
    **{name: same(name, SMALL) for name in ("asin", "acos", "atan", "acosh", "atanh")},
    "conj": ((Z,), lambda ag, z: ag.conj(z) * z * z, lambda t, z: t.conj(z) * z * z),
    "real": ((Z,), lambda ag, z: ag.real(z) * z, lambda t, z: t.real(z) * z),
    "imag": ((Z,), lambda ag, z: ag.imag(z) ** 2, lambda t, z: t.imag(z) ** 2),
    "sign": ((Z,), lambda ag, z: ag.sign(z), lambda t, z: t.sgn(z)),
    **{f"{name} of complex": same(name, Z, W) for name in ("add", "subtract", "multiply", "divide", "pow")},
    **{f"{name} by real": same(name, Z, X) for name in ("add", "multiply", "divide", "pow")},
    "real by complex": ((X, Z[0]), lambda ag, x, z: x * z / (x + 2j), lambda t, x, z: x * z / (x + 2j)),
    "real to a complex power": ((np.abs(X), Z), lambda ag, x, z: x**z, lambda t, x, z: x**z),
    "whole power": ((Z,), lambda ag, z: z**3, lambda t, z: z**3),
    "where": ((Z, W), lambda ag, z, w: ag.where(X > 0, z * w, z), lambda t, z, w: t.where(t.tensor(X > 0), z * w, z)),
    "sum": ((Z,), lambda ag, z: ag.sum(z * z, axis=1), lambda t, z: t.sum(z * z, 1)),
    "mean": ((Z,), lambda ag, z: ag.mean(z * z), lambda t, z: t.mean(z * z)),
    "prod": ((Z,), lambda ag, z: ag.prod(z, axis=1), lambda t, z: t.prod(z, 1)),
    "cumulative_prod": ((Z,), lambda ag, z: ag.cumulative_prod(z, 1), lambda t, z: t.cumprod(z, 1)),
    "var": ((Z,), lambda ag, z: ag.var(z, 1), lambda t, z: t.var(z, 1, correction=0)),
    "std": ((Z,), lambda ag, z: ag.std(z, 1), lambda t, z: t.std(z, 1, correction=0)),
    "norm": ((Z,), lambda ag, z: ag.norm(z, axis=1), lambda t, z: t.linalg.vector_norm(z, dim=1)),
    "index": ((Z,), lambda ag, z: z[1, ::-1] * z[0, [2, 2, 0]], lambda t, z: z[1].flip(0) * z[0, [2, 2, 0]]),
    "softmax of sizes": ((Z,), lambda ag, z: ag.softmax(ag.abs(z)), lambda t, z: t.softmax(t.abs(z), -1)),
    "matmul": same("matmul", A, B),
    "matmul by real": ((A, X.T), lambda ag, a, x: a @ x, lambda t, a, x: a @ (x + 0j)),
    "einsum": (
        (A, B),
        lambda ag, a, b: ag.einsum("nij,njk->ik", a, ag.conj(b)),
        lambda t, a, b: t.einsum("nij,njk->ik", a, t.conj(b)),
    ),
    "vecdot": linear("vecdot", Z, W),
    "solve": linear("solve", A, B),
    "inv": linear("inv", A),
    "det": linear("det", A),
    "slogdet": ((A,), lambda ag, a: ag.slogdet(a)[0] * ag.slogdet(a)[1], lambda t, a: t.mul(*t.linalg.slogdet(a))),
    "cholesky": ((POSITIVE,), lambda ag, a: ag.cholesky(a), lambda t, a: t.linalg.cholesky((a + a.mH) / 2)),
    "eigvalsh": linear("eigvalsh", POSITIVE),
    "eigh": (
        (POSITIVE,),
        lambda ag, a: ag.abs(ag.eigh(a)[1]) ** 2 * ag.eigh(a)[0][:, None, :],
        lambda t, a: t.abs(t.linalg.eigh(a)[1]) ** 2 * t.linalg.eigh(a)[0][:, None, :],
    ),
    "svdvals": linear("svdvals", TALL),
    **{
        f"svd of {name}": (
            (a,),
            lambda ag, a: (lambda u, s, vh: u * s[..., None, :] ** 2 @ vh)(*ag.svd(a)),
            lambda t, a: (lambda u, s, vh: u * (s[..., None, :] ** 2 + 0j) @ vh)(*t.linalg.svd(a, full_matrices=False)),
        )
        for name, a in (("tall", TALL), ("wide", WIDE), ("square", A))
    },
    "qr": (
        (TALL,),
        lambda ag, a: (lambda q, r: q * 2 + q @ r @ r)(*ag.qr(a)),
        lambda t, a: (lambda q, r: q * 2 + q @ r @ r)(*t.linalg.qr(a)),
    ),
    "pinv": linear("pinv", TALL),
    "matrix_norm": ((TALL,), lambda ag, a: ag.matrix_norm(a, ord="nuc"), lambda t, a: t.linalg.matrix_norm(a, "nuc")),
    "fft": transform("fft", Z, n=4, norm="ortho"),
    "fft of real": transform("fft", X, axis=0),
    "ifft": transform("ifft", Z, n=2),
    "rfft": transform("rfft", X, n=5, norm="forward"),
    "irfft": transform("irfft", Z, n=5, norm="ortho"),
    "irfft even": transform("irfft", Z),
    "fft2": transform("fft2", A, s=(2, 4)),
    "ifft2": transform("ifft2", A, norm="forward"),
    "rfft2": transform("rfft2", A.real),
    "irfft2": transform("irfft2", A, s=(3, 5)),
    "fftn": transform("fftn", A, axes=(0, 2)),
    "ifftn": transform("ifftn", A),
    "rfftn": transform("rfftn", A.real, s=(4, 2), norm="ortho"),
    "irfftn": transform("irfftn", A),
    "hfft": transform("hfft", Z, n=5),
    "ihfft": transform("ihfft", X, n=4),
    "fftshift": ((Z,), lambda ag, z: ag.fft.fftshift(z) * z, lambda t, z: t.fft.fftshift(z) * z),
    "ifftshift": ((Z,), lambda ag, z: ag.fft.ifftshift(z, 1) * z, lambda t, z: t.fft.ifftshift(z, 1) * z),
}


def weights(shape):
    return drawn(*shape, seed=7)


def reference(torch, name):
    """The value, the gradients, and the gradients of the sum of their squared moduli."""
    arrays, _, theirs = CASES[name]
    xs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = theirs(torch, *xs)
    loss = torch.real(y * torch.tensor(weights(tuple(y.shape)))).sum()
    first = torch.autograd.grad(loss, xs, create_graph=True)
    size = sum((torch.abs(g) ** 2).sum() for g in first)
    zeros = [torch.zeros_like(x) for x in xs]
    second = torch.autograd.grad(size, xs, allow_unused=True) if size.requires_grad else zeros
    found = {"value": y}
    for k, (g, h, z) in enumerate(zip(first, second, zeros, strict=True)):
        found |= {f"first {k}": g, f"second {k}": z if h is None else h}
    return {f"{name}: {k}": v.detach().resolve_conj().numpy() for k, v in found.items()}


def main():
    import torch

    figures = {}
    for name in CASES:
        figures |= reference(torch, name)
    np.savez_compressed(FILE, **figures)


if __name__ == "__main__":
    main()
