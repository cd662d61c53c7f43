"""Linear algebra: values of NumPy, derivatives of PyTorch, closed forms, singular points, refusals."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(0)
A = RNG.standard_normal((2, 3, 3)) + 2 * np.eye(3)
S = A @ A.mT + np.eye(3)
B = RNG.standard_normal((2, 3, 2))
TALL, WIDE = RNG.standard_normal((2, 4, 3)), RNG.standard_normal((2, 3, 4))

VALUES = {  # ours, NumPy's, arguments
    "solve": (ag.solve, np.linalg.solve, (A, B)),
    "solve a vector": (ag.solve, np.linalg.solve, (A, B[0, :, 0])),
    "solve broadcast": (ag.solve, np.linalg.solve, (A[0], B)),
    "inv": (ag.inv, np.linalg.inv, (A,)),
    "det": (ag.det, np.linalg.det, (A,)),
    "slogdet": (ag.slogdet, np.linalg.slogdet, (-A,)),
    "cholesky": (ag.cholesky, np.linalg.cholesky, (S,)),
    "upper cholesky": (lambda a: ag.cholesky(a, upper=True), lambda a: np.linalg.cholesky(a).mT, (S,)),
    "eigh": (ag.eigh, np.linalg.eigh, (S,)),
    "eigvalsh": (ag.eigvalsh, np.linalg.eigvalsh, (S,)),
    "svd, tall": (ag.svd, lambda a: np.linalg.svd(a, full_matrices=False), (TALL,)),
    "svd, wide": (ag.svd, lambda a: np.linalg.svd(a, full_matrices=False), (WIDE,)),
    "svdvals": (ag.svdvals, np.linalg.svdvals, (WIDE,)),
    "qr, tall": (ag.qr, np.linalg.qr, (TALL,)),
    "qr, wide": (ag.qr, np.linalg.qr, (WIDE,)),
    "pinv": (ag.pinv, np.linalg.pinv, (TALL,)),
    "lstsq": (ag.lstsq, lambda a, b: np.linalg.lstsq(a, b)[0], (TALL[0], TALL[1, :, 0])),
    **{
        f"matrix_norm {ord}": (
            lambda x, ord=ord: ag.matrix_norm(x, ord=ord),
            lambda x, ord=ord: np.linalg.matrix_norm(x, ord=ord),
            (TALL,),
        )
        for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    },
}
every_function = pytest.mark.parametrize(("ours", "numpys", "xs"), VALUES.values(), ids=VALUES)


def several(y):
    return list(y) if isinstance(y, tuple) else [y]


@every_function
def test_values_are_numpys(ours, numpys, xs):
    for y, e in zip(several(ours(*map(ag.tensor, xs))), several(numpys(*xs)), strict=True):
        np.testing.assert_allclose(y.numpy(), e, rtol=1e-12, atol=1e-13)


@every_function
def test_derivatives_to_second_order(ours, numpys, xs):
    f = lambda *xs: tuple(y for y in several(ours(*xs)))  # noqa: E731  # the form that users write
    assert ag.gradcheck(f, xs)
    assert ag.gradgradcheck(f, xs, rtol=1e-3, atol=1e-5)


@every_function
def test_float32_stays_float32(ours, numpys, xs):
    ts = [ag.tensor(x, dtype="float32", requires_grad=True) for x in xs]
    ys = several(ours(*ts))
    assert {y.dtype for y in ys} == {np.dtype("float32")}
    live = [ag.sum(y) for y in ys if y.requires_grad]
    assert {g.dtype for g in ag.grad(live, ts)} == {np.dtype("float32")}


@pytest.mark.parametrize(
    "name", ["cholesky", "det", "eigvalsh", "inv", "pinv", "qr", "slogdet", "solve", "svdvals", "matrix_norm"]
)
def test_numpys_own_functions_are_answered(name):
    x = ag.tensor(S, requires_grad=True)
    extra = (B,) if name == "solve" else ()
    y = several(getattr(np.linalg, name)(x, *extra))[-1]
    np.testing.assert_array_equal(y.numpy(), several(getattr(ag, name)(x, *extra))[-1].numpy())
    assert y.requires_grad


def test_gradients_are_pytorchs():
    try:
        import torch
    except ImportError:  # the finite differences above say the same
        return
    pairs = [
        (ag.solve, torch.linalg.solve, (A, B)),
        (ag.inv, torch.linalg.inv, (A,)),
        (ag.det, torch.linalg.det, (A,)),
        (lambda a: ag.slogdet(a).logabsdet, lambda a: torch.linalg.slogdet(a).logabsdet, (A,)),
        (ag.cholesky, torch.linalg.cholesky, (S,)),
        (ag.eigvalsh, torch.linalg.eigvalsh, (S,)),
        (lambda a: ag.eigh(a)[1] ** 2, lambda a: torch.linalg.eigh(a)[1] ** 2, (S,)),
        (ag.svdvals, torch.linalg.svdvals, (TALL,)),
        (lambda a: ag.svd(a)[0] ** 2, lambda a: torch.linalg.svd(a, full_matrices=False)[0] ** 2, (TALL,)),
        (lambda a: ag.svd(a)[2] ** 2, lambda a: torch.linalg.svd(a, full_matrices=False)[2] ** 2, (WIDE,)),
        (lambda a: ag.qr(a)[0] ** 2, lambda a: torch.linalg.qr(a)[0] ** 2, (TALL,)),
        (lambda a: ag.qr(a)[1] ** 2, lambda a: torch.linalg.qr(a)[1] ** 2, (TALL,)),
        (ag.pinv, torch.linalg.pinv, (TALL,)),
        (ag.matrix_norm, torch.linalg.matrix_norm, (TALL,)),
    ]
    for ours, theirs, xs in pairs:
        ts = [torch.tensor(x, requires_grad=True) for x in xs]
        y = theirs(*ts)
        seed = RNG.standard_normal(y.shape)
        expected = torch.autograd.grad(y, ts, torch.tensor(seed))
        own = [ag.tensor(x, requires_grad=True) for x in xs]
        for g, e in zip(ag.grad(ours(*own), own, seed), expected, strict=True):
            np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-9, atol=1e-10)


def test_closed_forms():
    a = A[0]
    np.testing.assert_allclose(ag.grad(ag.det)(a).numpy(), np.linalg.det(a) * np.linalg.inv(a).T, rtol=1e-12)
    logdet = lambda s: 2 * ag.sum(ag.log(ag.diagonal(ag.cholesky(s))))  # noqa: E731
    np.testing.assert_allclose(ag.grad(logdet)(S[0]).numpy(), np.linalg.inv(S[0]), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        ag.grad(lambda s: ag.sum(ag.eigvalsh(s) ** 2))(S[0]).numpy(), 2 * S[0], rtol=1e-11, atol=1e-12
    )
    u, _, vh = np.linalg.svd(TALL[0], full_matrices=False)
    np.testing.assert_allclose(ag.grad(lambda x: ag.matrix_norm(x, ord="nuc"))(TALL[0]).numpy(), u @ vh, rtol=1e-11)


def test_the_determinant_of_a_singular_matrix_has_its_derivative():
    for rank in (0, 1, 2):
        a = np.linalg.qr(RNG.standard_normal((3, 3)))[0] * ([1.0] * rank + [0.0] * (3 - rank))
        others = np.array(
            [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(3)] for i in range(3)]
        )
        np.testing.assert_allclose(ag.grad(ag.det)(a).numpy(), others, rtol=1e-12, atol=1e-14)


def test_equal_eigenvalues_have_a_derivative_and_their_vectors_do_not():
    np.testing.assert_allclose(ag.grad(lambda a: ag.sum(ag.eigvalsh(a)))(np.eye(3)).numpy(), np.eye(3))
    np.testing.assert_allclose(ag.grad(lambda a: ag.sum(ag.svdvals(a)))(np.eye(3)).numpy(), np.eye(3))
    with np.errstate(all="ignore"):
        assert not np.isfinite(ag.grad(lambda a: ag.eigh(a).eigenvectors[0, 1])(np.eye(2)).numpy()).all()


def test_only_the_symmetric_part_counts():
    skew = np.array([[0.0, 1, 2], [-1, 0, 3], [-2, -3, 0]])
    for f in (ag.cholesky, ag.eigvalsh):
        np.testing.assert_allclose(f(S + skew), f(S), rtol=1e-12)
        g = ag.grad(lambda a: ag.sum(f(a) ** 3))(S[0]).numpy()  # noqa: B023  # called at once
        np.testing.assert_array_equal(g, g.T)


def test_refusals():
    singular = np.ones((2, 2))
    with pytest.raises(ArgumentError, match="inv was given a singular matrix, which has no inverse: write"):
        ag.inv(ag.tensor(singular))
    with pytest.raises(ArgumentError, match="solve was given a singular matrix"):
        ag.solve(singular, np.ones(2))
    with pytest.raises(ArgumentError, match="cholesky was given a matrix that is not positive definite"):
        ag.cholesky(ag.tensor(-np.eye(2), requires_grad=True))
    with pytest.raises(ArgumentError, match="svd was given a matrix that holds NaN or infinity"):
        ag.svd(np.full((2, 2), np.nan))
    with pytest.raises(ArgumentError, match=r"svd was given full_matrices=True, whose further columns are arbitrary"):
        ag.svd(A, full_matrices=True)
    with pytest.raises(ArgumentError, match=r"qr was given mode='complete'\. Expected 'reduced'"):
        ag.qr(A, mode="complete")
    with pytest.raises(ArgumentError, match=r"matrix_norm was given ord=3\. Expected 'fro'"):
        ag.matrix_norm(A, ord=3)
    with pytest.raises(ShapeError, match=r"det was given shape \(2, 4, 3\)\. Expected \(\.\.\., n, n\)"):
        ag.det(TALL)
    with pytest.raises(ShapeError, match=r"svd was given shape \(3,\)\. Expected \(\.\.\., m, n\)"):
        ag.svd(np.ones(3))
    with pytest.raises(ShapeError, match=r"solve was given shapes \(3, 3\) and \(2,\)"):
        ag.solve(A[0], np.ones(2))
    with pytest.raises(ShapeError, match=r"lstsq was given shapes \(4, 3\) and \(3,\)"):
        ag.lstsq(TALL[0], np.ones(3))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_a_batch_of_nothing_has_factors(shape):
    x = np.zeros((0, *shape))
    for factors, theirs in ((ag.svd, lambda a: np.linalg.svd(a, full_matrices=False)), (ag.qr, np.linalg.qr)):
        t = ag.tensor(x, requires_grad=True)
        found = factors(t)
        assert [part.shape for part in found] == [part.shape for part in theirs(x)]
        sum(part.sum() for part in found).backward()
        assert t.grad.shape == x.shape
