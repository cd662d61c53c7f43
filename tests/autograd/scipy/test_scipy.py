"""SciPy's functions on arrays, with a derivative on Tensors; `test_programs` has the figures of HIPS autograd."""

import pickle

import numpy
import pytest
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats

import autograd as ag
import autograd.numpy as np
from autograd.errors import ArgumentError, DifferentiationError, UnsupportedError
from autograd.scipy import integrate, linalg, signal, special, stats
from autograd.scipy.integrate import odeint
from autograd.scipy.stats import families

R = numpy.random.default_rng(5)
X = numpy.array([0.2, 0.5, 0.8])
A, B = R.normal(size=(3, 3)) + 4 * numpy.eye(3), R.normal(size=(3, 2))
S = A @ A.T
P = numpy.array([0.2, 0.5, 0.3])

STATS = {
    "norm": ("pdf logpdf cdf logcdf sf logsf", (X, 0.3, 1.5)),
    "t": ("pdf logpdf", (X, 2.5, 0.1, 1.5)),
    "beta": ("pdf logpdf", (X, 1.5, 2.5, -0.1, 1.2)),
    "gamma": ("pdf logpdf", (X, 1.5, -0.1, 1.2)),
    "chi2": ("pdf logpdf", (X, 3.0)),
    "multivariate_normal": ("pdf logpdf", (X, X[::-1].copy())),
}
OF_ONE = ["j0", "j1", "y0", "y1", "i0", "i1", "rgamma", "psi", "loggamma", "erfcinv"]
OF_ORDER = ["jn", "yn", "jv", "yv", "iv", "kv", "ive"]
MORE_OF_ONE = "ndtri erfcx exp1 expi k0 k1 log_expit softplus exp10"
CASES = {
    **{
        f"{d}.{name}": (
            lambda *xs, d=d, name=name: getattr(getattr(stats, d), name)(*xs),
            tuple(numpy.asarray(x) for x in xs),
        )
        for d, (names, xs) in STATS.items()
        for name in names.split()
    },
    "dirichlet by alpha": (lambda a: stats.dirichlet.logpdf(P, a), (numpy.array([1.5, 2.5, 0.7]),)),
    "dirichlet pdf": (lambda a: stats.dirichlet.pdf(P, a), (numpy.array([1.5, 2.5, 0.7]),)),
    "t.cdf": (lambda x, s: stats.t.cdf(x, 2.5, 0.1, s), (X, numpy.array(1.5))),
    "t.cdf at 0": (lambda x: stats.t.cdf(x, 2.5), (numpy.array([0.0, -1.0]),)),
    "t.logcdf": (lambda x: stats.t.logcdf(x, 2.5), (X,)),
    "beta.cdf": (lambda x: stats.beta.cdf(x, 1.5, 2.5), (X,)),
    "gamma.cdf": (lambda x: stats.gamma.cdf(x, 1.5, scale=2.0), (X,)),
    "chi2.cdf": (lambda x: stats.chi2.cdf(x, 3.0), (X,)),
    "poisson.pmf": (lambda m: stats.poisson.pmf([0, 1, 4, -1], m), (numpy.array(1.5),)),
    "poisson.logpmf": (lambda m: stats.poisson.logpmf([0, 1, 4], m, loc=-1), (numpy.array(1.5),)),
    "poisson.cdf": (lambda m: stats.poisson.cdf([0, 1, 4.5, -1], m), (numpy.array(1.5),)),
    "mvn of cov": (lambda r: stats.multivariate_normal.logpdf(X, None, np.dot(r, r.T)), (A,)),
    "mvn of variance": (lambda v: stats.multivariate_normal.logpdf(X, X * 0.5, v), (numpy.array(0.7),)),
    "mvn of variances": (lambda v: stats.multivariate_normal.pdf(X, X * 0.5, v), (X,)),
    "mvn of rows": (lambda x: stats.multivariate_normal.logpdf(x, P, S), (B.T.copy(),)),
    "mvn singular": (
        lambda x: stats.multivariate_normal.logpdf(x, None, numpy.diag([1.0, 2.0, 0.0]), allow_singular=True),
        (X * numpy.array([1, 1, 0]),),
    ),
    "mvn.entropy": (lambda r: stats.multivariate_normal.entropy(None, np.dot(r, r.T)), (A,)),
    **{n: (lambda x, n=n: getattr(special, n)(x), (X,)) for n in OF_ONE},
    **{n: (lambda x, n=n: getattr(special, n)(2, x), (X,)) for n in OF_ORDER},
    "beta": (lambda a, b: special.beta(a, b), (X, X + 1)),
    "betaln": (lambda a, b: special.betaln(a, b), (X, X + 1)),
    "betainc": (lambda x: special.betainc(0.8, 1.7, x), (X,)),
    "gammainc": (lambda x: special.gammainc(0.8, x), (X,)),
    "gammaincc": (lambda x: special.gammaincc(0.8, x), (X,)),
    "stdtr": (lambda x: special.stdtr(2.5, x), (X,)),
    "multigammaln": (lambda x: special.multigammaln(x, 2), (numpy.array(2.3),)),
    "logsumexp": (lambda x: special.logsumexp(x, axis=0), (B,)),
    "logsumexp b": (lambda x: special.logsumexp(x, axis=1, b=[1.0, 0.0], keepdims=True), (B,)),
    "logsumexp of all": (lambda x: special.logsumexp(x, b=2.0), (B,)),
    "solve_triangular": (lambda a, b: linalg.solve_triangular(a, b), (A, B)),
    "solve_triangular T": (lambda a, b: linalg.solve_triangular(a, b, trans="T", lower=True), (A, B)),
    "solve_triangular 1": (lambda a, b: linalg.solve_triangular(a, b, unit_diagonal=True), (A, B)),
    "solve_banded": (lambda ab, b: linalg.solve_banded((1, 1), ab, b), (A, B)),
    "cholesky": (lambda r: linalg.cholesky(np.dot(r, r.T)), (A,)),
    "cholesky lower": (lambda r: linalg.cholesky(np.dot(r, r.T), lower=True), (A,)),
    "block_diag": (lambda a, b: linalg.block_diag(a, b, 1.0), (A, B)),
    "sqrtm": (lambda s: linalg.sqrtm(s), (S,)),
    "solve_sylvester": (lambda a, b, q: linalg.solve_sylvester(a, b, q), (A, S, B @ B.T)),
    "inv": (lambda a: linalg.inv(a), (A,)),
    "det": (lambda a: linalg.det(a), (A,)),
    "solve": (lambda a, b: linalg.solve(a, b), (A, B)),
    "expm": (lambda a: linalg.expm(a), (A,)),
    "eigh": (lambda r: linalg.eigh(np.dot(r, r.T))[0], (A,)),
    "eigvals_only": (lambda r: linalg.eigh(np.dot(r, r.T), eigvals_only=True), (A,)),
    "eigvalsh": (lambda r: linalg.eigvalsh(np.dot(r, r.T)), (A,)),
    "svd": (lambda b: linalg.svd(b, full_matrices=False)[1], (B,)),
    "svdvals": (lambda b: linalg.svdvals(b), (B,)),
    "qr": (lambda b: linalg.qr(b, mode="economic")[1], (B,)),
    "pinv": (lambda b: linalg.pinv(b), (B,)),
    "norm": (lambda b: linalg.norm(b, "nuc"), (B,)),
    "lstsq": (lambda a, b: linalg.lstsq(b, a)[0], (A, B)),
    "cho_solve": (lambda r, b: linalg.cho_solve(linalg.cho_factor(np.dot(r, r.T)), b), (A, B)),
    "cho_solve lower": (lambda r, b: linalg.cho_solve(linalg.cho_factor(np.dot(r, r.T), lower=True), b), (A, B)),
    "toeplitz": (lambda a, b: linalg.toeplitz(a, b), (X, X + 1)),
    "toeplitz of one": (lambda a: linalg.toeplitz(a), (X,)),
    "circulant": (lambda a: linalg.circulant(a), (X,)),
    "rel_entr": (lambda x, y: special.rel_entr(x, y), (X, X + 1)),
    "kl_div": (lambda x, y: special.kl_div(x, y), (X, X + 1)),
    "binom": (lambda x, y: special.binom(x + 2, y), (X, X / 2)),
    "poch": (lambda x, y: special.poch(x, y), (X, X + 1)),
    "huber": (lambda x: special.huber(0.45, x), (X,)),
    "pseudo_huber": (lambda d, x: special.pseudo_huber(d, x), (X + 1, X)),
    "trapezoid": (lambda x: integrate.trapezoid(x**2, dx=0.5), (X,)),
    "expn": (lambda x: special.expn(3, x), (X,)),
    **{n: (lambda x, n=n: getattr(special, n)(x), (X,)) for n in MORE_OF_ONE.split()},
    "norm.ppf": (lambda q, m, s: stats.norm.ppf(q, m, s), (X, X - 1, X + 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_arrays_give_what_scipy_gives_and_tensors_the_same_with_a_derivative(name):
    f, xs = CASES[name]
    recorded = f(*[ag.tensor(x, requires_grad=True) for x in xs])
    assert isinstance(recorded, ag.Tensor)
    np.testing.assert_allclose(recorded.detach().numpy(), f(*xs), rtol=1e-10, atol=1e-12)
    assert ag.gradcheck(f, xs, order=2), name


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_convolution_is_that_of_scipy(mode):
    a, b = R.normal(size=(5, 4)), R.normal(size=(3, 2))
    expected = scipy.signal.convolve(a, b, mode=mode)
    np.testing.assert_allclose(signal.convolve(a, b, mode=mode), expected, rtol=1e-12)
    np.testing.assert_allclose(signal.convolve(b, a, mode=mode), expected, rtol=1e-12)
    assert ag.gradcheck(lambda a, b: signal.convolve(a, b, mode=mode), [a, b], order=2)
    rows = signal.convolve(a, b, axes=([0], [0]), mode=mode)
    one = np.stack([np.stack([np.convolve(x, y, mode) for y in b.T]) for x in a.T])
    np.testing.assert_allclose(rows, one, rtol=1e-12)


def test_an_equation_is_differentiated_by_all_of_it():
    t = numpy.array([0.0, 0.4, 1.0])

    def misfit(y0, t, k):
        return np.sum(odeint(lambda y, s, k: -k * y * s, y0, t, k, rtol=1e-11, atol=1e-12) ** 2)

    y0, k = numpy.array([1.0, 2.0]), numpy.array(0.8)
    decay = np.exp(-k * (t**2) / 2)
    np.testing.assert_allclose(misfit(y0, t, k), 5 * np.sum(decay**2), rtol=1e-8)
    np.testing.assert_allclose(ag.grad(misfit, 0)(y0, t, k), 2 * y0 * np.sum(decay**2), rtol=1e-7)
    np.testing.assert_allclose(ag.grad(misfit, 2)(y0, t, k), -5 * np.sum(t**2 * decay**2), rtol=1e-7)
    np.testing.assert_allclose(ag.grad(misfit, 1)(y0, t, k)[1:], -10 * k * (t * decay**2)[1:], rtol=1e-7)
    with pytest.raises(UnsupportedError, match="turned into an ndarray"):
        ag.hessian(misfit, 2)(y0, t, k)


def test_names_without_a_derivative_are_scipys():
    assert stats.t.ppf(0.5, 2.0) == scipy.stats.t.ppf(0.5, 2.0)
    assert [getattr(stats, d).rvs is not None for d in stats.__all__] == [True] * 25
    assert special.ellipk(0.5) == scipy.special.ellipk(0.5)
    np.testing.assert_allclose(linalg.logm(S), scipy.linalg.logm(S))
    np.testing.assert_allclose(signal.fftconvolve(X, X), np.convolve(X, X))
    assert integrate.simpson(X) == scipy.integrate.simpson(X)
    with pytest.raises(UnsupportedError, match="turned into an ndarray"):
        ag.grad(lambda x: np.sum(signal.fftconvolve(x, x)))(X)


def test_errors():
    with pytest.raises(DifferentiationError, match=r"the derivative of betainc by its order or shape"):
        ag.grad(lambda a: special.betainc(a, 1.7, 0.3))(0.8)
    with pytest.raises(UnsupportedError, match="return_sign=True"):
        ag.grad(lambda x: special.logsumexp(x, return_sign=True)[0])(X)
    with pytest.raises(ArgumentError, match=r"convolve was given mode='same'\. Expected 'full' or 'valid'"):
        signal.convolve(X, X, mode="same")
    with pytest.raises(ArgumentError, match=r"convolve of lengths \[\(3, 2\), \(2, 3\)\] in mode 'valid'"):
        signal.convolve(B, B.T, mode="valid")


def test_incomplete_functions_have_their_slope_at_the_ends():
    assert ag.grad(lambda x: special.gammainc(1.0, x))(0.0) == 1.0
    assert ag.grad(lambda x: special.gammaincc(1.0, x))(0.0) == -1.0
    assert ag.grad(lambda x: special.betainc(1.0, 2.0, x))(0.0) == pytest.approx(2.0)
    assert ag.grad(lambda x: special.betainc(2.0, 1.0, x))(1.0) == pytest.approx(2.0)


SHAPES = {
    "beta": (1.5, 2.5), "gamma": (1.5,), "chi2": (3.0,), "t": (2.5,), "norm": (), "expon": (), "laplace": (),
    "logistic": (), "cauchy": (), "uniform": (), "halfnorm": (), "gumbel_r": (), "lognorm": (0.8,), "pareto": (1.7,),
    "weibull_min": (1.4,), "invgamma": (1.6,), "gennorm": (1.3,), "vonmises": (0.7,),
}  # fmt: skip
OF_SHAPES = {"lognorm", "pareto", "weibull_min", "gennorm"}  # whose probabilities have derivatives by their shapes
PARTS = ("pdf", "logpdf", "cdf", "sf", "logcdf", "logsf")


@pytest.mark.parametrize("name", SHAPES)
def test_densities_and_probabilities_are_scipys(name):
    ours, theirs, shapes = getattr(stats, name), getattr(scipy.stats, name), SHAPES[name]
    x = numpy.array([0.1, 0.55, 0.9]) + (2 if name == "pareto" else 0)
    wide = numpy.array([-2.0, 0.0, 0.3, 1.0, 2.5, 30.0])
    for part in PARTS:
        if part not in vars(ours):
            continue
        f, of_scipy = getattr(ours, part), getattr(theirs, part)
        np.testing.assert_allclose(f(ag.tensor(x), *shapes, 0.05, 1.2), of_scipy(x, *shapes, 0.05, 1.2), rtol=1e-9)
        assert ag.gradcheck(lambda x, m, s, f=f: f(x, *shapes, m, s), [x, x * 0, x * 0 + 1.2], order=2), part
        if shapes and ("pdf" in part or name in OF_SHAPES):
            assert ag.gradcheck(lambda *a, f=f: f(x, *a), [numpy.array(a) for a in shapes], order=2), part
        if isinstance(ours, families.Distribution):
            with numpy.errstate(all="ignore"):
                np.testing.assert_allclose(f(ag.tensor(wide), *shapes), of_scipy(wide, *shapes), rtol=1e-7)
        np.testing.assert_array_equal(f(wide, *shapes), of_scipy(wide, *shapes))


@pytest.mark.parametrize(
    ("name", "shapes"), [("bernoulli", (0.3,)), ("binom", (5, 0.3)), ("geom", (0.3,)), ("nbinom", (2.5, 0.3))]
)
def test_probabilities_of_whole_numbers_are_scipys(name, shapes):
    k, (*first, p) = numpy.arange(-2, 8), shapes
    for part in ("pmf", "logpmf"):
        f, of_scipy = getattr(getattr(stats, name), part), getattr(getattr(scipy.stats, name), part)
        for loc in (0, 1):
            found = f(k, *first, ag.tensor(p), loc=loc)
            np.testing.assert_allclose(found, of_scipy(k, *shapes, loc=loc), rtol=1e-9, atol=1e-15)
        assert ag.gradcheck(lambda p, f=f: ag.sum(ag.exp(f(k[4:5], *first, p))), [numpy.array(p)], order=2)
    assert pickle.loads(pickle.dumps(getattr(stats, name))) is getattr(stats, name)
    assert getattr(stats, name).mean(*shapes) == getattr(scipy.stats, name).mean(*shapes)


def test_a_qr_without_a_rule_is_refused():
    for settings in ({}, {"mode": "economic", "pivoting": True}):
        with pytest.raises(UnsupportedError, match="mode='economic', without pivoting"):
            ag.grad(lambda b, s=settings: np.sum(linalg.qr(b, **s)[1]))(B)
