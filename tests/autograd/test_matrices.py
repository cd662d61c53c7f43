"""What np.linalg has beside decompositions, and its names of other functions: values, derivatives, refusals."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError

R = np.random.default_rng(2)
A, B, C = R.normal(size=(3, 3)), R.normal(size=(2, 3, 3)), R.normal(size=(2, 3, 4))
V = R.normal(size=3)

CALLS = {
    **{f"matrix_power {n}": (lambda x, n=n: np.linalg.matrix_power(x, n), B) for n in (-3, -1, 0, 1, 2, 5)},
    "multi_dot": (lambda x: np.linalg.multi_dot([V, x, A, x]), A),
    **{f"cond {p}": (lambda x, p=p: np.linalg.cond(x, p), A) for p in (None, 2, -2, 1, np.inf, "fro")},
    "vdot": (lambda x: np.vdot(x, 2 * C + x), C),
    "vector_norm": (lambda x: np.linalg.vector_norm(x, axis=1, ord=3), C),
    "vector_norm of all": (lambda x: np.linalg.vector_norm(x), C),
    "matmul": (lambda x: np.linalg.matmul(x, A), B),
    "matrix_transpose": (lambda x: np.linalg.matrix_transpose(x), C),
    "outer": (lambda x: np.linalg.outer(x, x), V),
    "tensordot": (lambda x: np.linalg.tensordot(x, C, axes=([0, 1], [0, 1])), B),
    "vecdot": (lambda x: np.linalg.vecdot(x, V), B),
    "trace": (lambda x: np.linalg.trace(x, offset=1), C),
    "diagonal": (lambda x: np.linalg.diagonal(x, offset=-1), C),
    **{f"norm {p}": (lambda x, p=p: np.linalg.norm(x, p), A) for p in (2, -2, 1, -1, np.inf, "fro", "nuc")},
    "norm of axes": (lambda x: np.linalg.norm(x, 2, axis=(2, 0), keepdims=True), C),
    "norm, all axes kept": (lambda x: np.linalg.norm(x, keepdims=True), C),
    "singular values": (lambda x: np.linalg.svd(x, compute_uv=False), C),
    "square svd": (lambda x: np.linalg.svd(x)[1], A),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys_and_derivatives_those_of_differences(name):
    f, x = CALLS[name]
    found = f(ag.tensor(x, requires_grad=True))
    assert found.requires_grad
    np.testing.assert_allclose(found.detach().numpy(), f(x), rtol=1e-12, atol=1e-14)
    assert ag.gradcheck(f, [x], order=2)


def test_vectors_and_matrices_are_multiplied_in_stacks():
    np.testing.assert_allclose(ag.matvec(B, V), B @ V, rtol=1e-14)
    np.testing.assert_allclose(ag.vecmat(V + 1j, C), (V - 1j) @ C, rtol=1e-14)
    assert ag.gradcheck(lambda a, x: ag.vecmat(ag.matvec(a, x), C), [B, V], order=2)


def test_powers_keep_their_dtype_and_ranks_are_constant():
    assert ag.matrix_power(ag.tensor(A, dtype="float32"), 0).dtype == np.float32
    rank = np.linalg.matrix_rank(ag.tensor(B, requires_grad=True))
    assert (rank.tolist(), rank.requires_grad) == ([3, 3], False)


def test_what_is_no_matrix_is_refused():
    with pytest.raises(ShapeError, match=r"matrix_power was given shape \(2, 3, 4\)"):
        ag.matrix_power(C, 2)
    with pytest.raises(ArgumentError, match=r"matrix_power was given n=0\.5"):
        ag.matrix_power(A, 0.5)
    with pytest.raises(ArgumentError, match="multi_dot was given 1 arrays"):
        ag.multi_dot([A])
    with pytest.raises(ArgumentError, match=r"norm was given axis=\(0, 1, 2\)"):
        np.linalg.norm(ag.tensor(C), 2, axis=(0, 1, 2))
    with pytest.raises(ArgumentError, match="full_matrices=False"):
        np.linalg.svd(ag.tensor(C))
