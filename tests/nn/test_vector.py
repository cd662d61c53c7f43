"""Parameters as one vector, and back."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DTypeError, ShapeError


def test_there_and_back():
    model, other = (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)) for _ in range(2))
    vector = nn.parameters_to_vector(model.parameters())
    assert (vector.shape, vector.dtype) == ((21,), np.float32)
    assert np.array_equal(vector.detach(), np.concatenate([p.numpy().reshape(-1) for p in model.parameters()]))
    nn.vector_to_parameters(vector, other.parameters())
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert np.array_equal(p.numpy(), q.numpy())
        assert q.is_leaf
        assert q.requires_grad


def test_the_vector_is_differentiable_and_the_way_back_keeps_dtypes():
    w, b = ag.tensor([[1.0, 2.0]], requires_grad=True), ag.tensor(3.0, dtype="float32", requires_grad=True)
    ag.sum(ag.square(nn.parameters_to_vector([w, b]))).backward()
    assert (w.grad.tolist(), b.grad.item()) == ([[2.0, 4.0]], 6.0)
    nn.vector_to_parameters(np.array([5.0, 6.0, 7.0]), [w, b])
    assert (w.tolist(), b.item(), w.dtype, b.dtype) == ([[5.0, 6.0]], 7.0, np.float64, np.float32)
    nn.vector_to_parameters([8.0, 9.0], w)
    assert w.tolist() == [[8.0, 9.0]]


def test_what_does_not_fit():
    w = ag.ones((1, 2), requires_grad=True)
    for vec in ([1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]]):
        with pytest.raises(ShapeError, match=r"for parameters of 2 elements. Expected a vector of shape \(2,\)"):
            nn.vector_to_parameters(vec, [w])
    with pytest.raises(ArgumentError, match="parameters_to_vector was given no parameters"):
        nn.parameters_to_vector(iter(()))
    with pytest.raises(DTypeError, match=r"given a str\. Expected Tensors"):
        nn.parameters_to_vector(["0.weight"])
