"""A batch of one runs by kernels, as any batch does, and so does the arithmetic of single elements between kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd.program.fused import Fused

RNG = np.random.default_rng(0)
PYTHON = {"number", "numbers", "total"}  # kinds of entries that Python computes


def image_model() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding="same"),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(48, 4),
    )


def row_model(out: int) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, out))


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.last = nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        return self.last(ag.mean(self.block(x), axis=1))


LABELS, TRUTHS = np.array([2]), np.ones((1, 1), np.float32)
WORK: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], Any, Any]] = {
    "labels": (row_model(4), (1, 6), LABELS, F.cross_entropy),
    "a number": (row_model(1), (1, 6), TRUTHS, F.mse_loss),
    "a truth": (row_model(1), (1, 6), TRUTHS, F.binary_cross_entropy_with_logits),
    "an image": (image_model, (1, 1, 8, 8), LABELS, F.cross_entropy),
    "a sequence": (Attending, (1, 5, 8), LABELS, F.cross_entropy),
    "a flat number": (row_model(1), (1, 6), TRUTHS[0], lambda y, t: F.huber_loss(ag.reshape(y, (1,)), t)),
}


def trained(name: str, compiled: bool, clipped: float | None = None) -> tuple[list[float], list[Any], set[str]]:
    """The losses of some steps, the parameters after them, and the kinds of entries of their program."""
    make, shape, target, loss_of = WORK[name]
    ag.random.seed(0)
    model = make()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        if clipped is not None:
            optim.clip_grad_norm_(model.parameters(), clipped)
        optimizer.step()
        return loss

    run = ag.compile(step) if compiled else step
    data = np.random.default_rng(1).standard_normal((4, *shape)).astype(np.float32)
    losses = [run(x, target).item() for x in data]
    kinds = {row.kind for row in run.program(data[0], target).rows} if isinstance(run, ag.Compiled) else set()
    return losses, [p.numpy().copy() for p in model.parameters()], kinds


@pytest.mark.parametrize("clipped", [None, 0.1], ids=["as it is", "clipped"])
@pytest.mark.parametrize("name", WORK)
def test_a_model_is_trained_sample_by_sample(name: str, clipped: float | None) -> None:
    losses, parameters, kinds = trained(name, True, clipped)
    plain, others, _ = trained(name, False, clipped)
    np.testing.assert_allclose(losses, plain, rtol=2e-5)
    for p, other in zip(parameters, others, strict=True):
        np.testing.assert_allclose(p, other, rtol=2e-4, atol=2e-6)
    assert kinds.isdisjoint({"numbers", "total"})


X, ROW, LONG = (RNG.standard_normal(shape) for shape in ((7, 5), (1, 5), (1, 9000)))
SHAPED = {  # a first axis of one that is a loop for some and none for others
    "spread over rows": (lambda x, r: ag.sum(ag.exp(x * r)) + ag.sum(ag.tanh(r), axis=1), X, ROW),
    "a row of rows": (lambda x, r: ag.softmax(r, 1) @ ag.softmax(x, 1).T, X, ROW),
    "turned": (lambda x, r: ag.sum(ag.tanh(r).T * ag.exp(x).T, axis=0), X, ROW),
    "kept": (lambda x, r: r - ag.max(r, axis=(0, 1), keepdims=True) + ag.mean(r, axis=0, keepdims=True), X, ROW),
    "flat again": (lambda x, r: ag.reshape(ag.sin(r), (5,)) * ag.sum(x, axis=0) + ag.sum(r, axis=0), X, ROW),
    "one of its own": (lambda x, r: ag.sum(x[:1] * r) / (1 + ag.abs(r[:, :1])), X, ROW),
    "long": (lambda x, r: ag.exp(r - ag.max(r)) / ag.sum(ag.exp(r - ag.max(r))) * ag.sum(x), X, LONG),
    "two in front": (lambda x, r: ag.log_softmax(ag.reshape(r, (1, 1, 5)), 2) + ag.reshape(x, (7, 1, 5)), X, ROW),
}


@pytest.mark.parametrize("name", SHAPED)
def test_axes_of_one_are_loops_where_they_can_be(name: str) -> None:
    f, *values = SHAPED[name]
    args = [ag.tensor(x) for x in values]
    weights = RNG.standard_normal(np.shape(f(*args)))
    for g in (ag.compile(f), ag.fused(f)):
        np.testing.assert_allclose(g(*args).numpy(), f(*args).numpy(), rtol=1e-12, atol=1e-14)
        assert g.reasons() == []
    plain, fused = (ag.grad(lambda x, r, g=g: ag.sum(g(x, r) * weights), (0, 1)) for g in (f, ag.fused(f)))
    whole = ag.compile(plain)
    for a, b, c in zip(plain(*args), fused(*args), whole(*args), strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(c.numpy(), a.numpy(), rtol=1e-10, atol=1e-13)


def test_a_long_row_is_shared_out_along_its_columns() -> None:
    for length, has_rows in ((90, True), (9000, False)):
        shares = Fused(lambda r: ag.exp(r) / ag.sum(ag.exp(r), axis=1, keepdims=True), smallest=0)
        shares(ag.tensor(LONG[:, :length]))
        (plan,) = shares.plans.values()
        assert {stage.loops.has_rows for stage in plan.forward.stages} == {has_rows}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_between_kernels_are_computed_by_a_kernel(dtype: str) -> None:
    def f(x: Any, k: Any) -> Any:
        total, count = ag.sum(x * x), ag.sum(ag.astype(x > 0, "int64"))
        scale = ag.where(total > 1.0, ag.rsqrt(total + 1e-6), ag.exp(-total)) / ag.maximum(ag.astype(count, dtype), 1.0)
        return ag.tanh(x * scale) + ag.sum(ag.sin(x * scale)) * k

    g = ag.compile(f)
    for k in range(3):
        x = ag.tensor((RNG.standard_normal(30) * 10.0 ** (1 - k)).astype(dtype))
        y = ag.tensor(np.asarray(0.5 + k, dtype))
        np.testing.assert_allclose(g(x, y).numpy(), f(x, y).numpy(), rtol=1e-5, atol=1e-7)
    assert PYTHON.isdisjoint(row.kind for row in g.program(x, y).rows)


def test_floats_that_a_call_is_given_stay_with_python() -> None:
    g = ag.compile(lambda x, lr: x - lr / (1.0 + lr) * ag.sum(x))
    x = ag.tensor(RNG.standard_normal(9))
    for lr in (0.1, 0.7):
        np.testing.assert_allclose(g(x, lr).numpy(), x.numpy() - lr / (1 + lr) * x.numpy().sum(), rtol=1e-12)
    assert "numbers" in [row.kind for row in g.program(x, 0.1).rows]
