"""Fourier transforms: NumPy's values for every argument, transposes, dtypes, refusals. Derivatives: test_complex."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5))
Z = X + 1j * RNG.standard_normal(X.shape)
OF_REAL = ("rfft", "rfftn", "rfft2", "ihfft")
ALONG_ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
OVER_SEVERAL = ("fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2")
SETTINGS = {
    **{name: [{}, {"n": 3}, {"n": 8}, {"n": 1}, {"axis": 0}, {"n": 7, "axis": -2}] for name in ALONG_ONE},
    **{
        name: [
            {},
            {"s": (2, 7), "axes": (0, 2)},
            {"axes": (2, 0)},
            {"s": (4, 6), "axes": (1, -1)},
            {"s": (-1, 3), "axes": (1, 2)},
        ]
        for name in OVER_SEVERAL
    },
}
TABLE = [(name, s, norm) for name, some in SETTINGS.items() for s in some for norm in (None, "ortho", "forward")]


@pytest.mark.parametrize(("name", "settings", "norm"), TABLE)
def test_values_are_numpys(name, settings, norm):
    x = X if name in OF_REAL else Z
    expected = getattr(np.fft, name)(x, **settings, norm=norm)
    y = getattr(ag.fft, name)(ag.tensor(x), **settings, norm=norm)
    assert y.dtype == expected.dtype
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-13)
    own = getattr(np.fft, name)(ag.tensor(x, requires_grad=True), **settings, norm=norm)
    assert own.requires_grad
    np.testing.assert_array_equal(own.numpy(), y.numpy())


@pytest.mark.parametrize(("name", "settings", "norm"), TABLE)
def test_the_backward_pass_is_the_transpose(name, settings, norm):
    f = lambda x: getattr(ag.fft, name)(x, **settings, norm=norm)  # noqa: E731
    x = X if name in OF_REAL else Z
    y, pull = ag.vjp(f, x)
    c = RNG.standard_normal(y.shape) * (1 + (2j if y.dtype.kind == "c" else 0))
    forward = np.sum(np.conj(c) * y.numpy()).real  # linear: its derivative along x is itself
    assert np.sum(np.conj(pull(c)[0].numpy()) * x).real == pytest.approx(forward, rel=1e-11)
    _, moved = ag.jvp(f, [ag.tensor(x)], [ag.tensor(x)])
    np.testing.assert_allclose(moved.numpy(), y.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", SETTINGS)
def test_single_precision_is_kept(name):
    x = X.astype("float32") if name in OF_REAL else Z.astype("complex64")
    t = ag.tensor(x, requires_grad=True)
    y = getattr(ag.fft, name)(t)
    assert y.dtype == getattr(np.fft, name)(x).dtype in (np.float32, np.complex64)
    ag.sum(ag.abs(y)).backward()
    assert t.grad.dtype == x.dtype


def test_inverses_undo_them():
    for there, back in (("fft", "ifft"), ("fft2", "ifft2"), ("fftn", "ifftn")):
        np.testing.assert_allclose(getattr(ag.fft, back)(getattr(ag.fft, there)(Z)), Z, rtol=1e-12)
    np.testing.assert_allclose(ag.fft.irfft(ag.fft.rfft(X), 5), X, rtol=1e-12)
    np.testing.assert_allclose(ag.fft.irfftn(ag.fft.rfftn(X), X.shape), X, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ag.fft.hfft(ag.fft.ihfft(X), 5), X, rtol=1e-12)


@pytest.mark.parametrize("axes", [None, 0, (1, 2), -1])
def test_shifts(axes):
    for name in ("fftshift", "ifftshift"):
        np.testing.assert_array_equal(getattr(ag.fft, name)(ag.tensor(X), axes), getattr(np.fft, name)(X, axes))
        np.testing.assert_array_equal(getattr(np.fft, name)(ag.tensor(X), axes), getattr(np.fft, name)(X, axes))


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies(n):
    np.testing.assert_array_equal(ag.fft.fftfreq(n, 0.3).numpy(), np.fft.fftfreq(n, 0.3))
    np.testing.assert_array_equal(ag.fft.rfftfreq(n, d=0.3).numpy(), np.fft.rfftfreq(n, 0.3))
    assert ag.fft.fftfreq(n, dtype="float32").dtype == np.float32


def test_a_convolution_by_its_theorem_has_the_derivative_of_the_sum():
    a, b = X[0, 0], X[1, 1]
    by_fft = lambda a, b: ag.sum(ag.sin(ag.fft.irfft(ag.fft.rfft(a, 10) * ag.fft.rfft(b, 10), 10)))  # noqa: E731
    places = np.arange(10)[:, None] - np.arange(5)
    inside = (places >= 0) & (places < 5)
    by_sum = lambda a, b: ag.sum(ag.sin((ag.asarray(a)[places.clip(0, 4)] * inside) @ b))  # noqa: E731
    for order in (by_fft, by_sum), tuple(lambda a, b, f=f: ag.sum(ag.grad(f)(a, b) ** 2) for f in (by_fft, by_sum)):
        for g, e in zip(*(ag.grad(f, argnums=(0, 1))(a, b) for f in order), strict=True):
            np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-11, atol=1e-13)


def test_over_no_axis_nothing_is_done():
    assert ag.fft.fftn(ag.tensor(X), axes=()).dtype == np.complex128
    np.testing.assert_array_equal(ag.fft.ifftn(Z, axes=()), Z)


def test_refusals():
    with pytest.raises(ArgumentError, match=r"fft was given norm='unitary'. Expected 'backward', 'ortho', 'forward'"):
        ag.fft.fft(X, norm="unitary")
    with pytest.raises(ShapeError, match=r"fft was given 0 points along axis 2 of shape \(3, 4, 5\)"):
        ag.fft.fft(X, 0)
    with pytest.raises(ShapeError, match=r"irfft was asked for 0 points along axis 0 of shape \(1,\). Write n="):
        ag.fft.irfft(np.ones(1))
    with pytest.raises(ShapeError, match=r"fftn was given s=\(2,\) and axes=\(0, 1\)"):
        ag.fft.fftn(X, (2,), (0, 1))
    with pytest.raises(ShapeError, match=r"rfftn was given axes=\(\) for shape"):
        ag.fft.rfftn(X, axes=())
    with pytest.raises(ShapeError, match=r"irfftn was given axes=\(\) for shape"):
        ag.fft.irfftn(X, axes=())
    with pytest.raises(DTypeError, match=r"rfft was given dtype complex128\. Expected real numbers: write ag.fft.fft"):
        ag.fft.rfft(Z)
    with pytest.raises(IndexOutOfRange, match="fft was given axis 3"):
        ag.fft.fft(X, axis=3)
