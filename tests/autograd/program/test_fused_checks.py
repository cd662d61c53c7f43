"""`ag.check` in a fused function: what it looks at comes from the kernels of the result, at every call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd.errors import ArgumentError

N = 5000  # more than the composition takes by itself


def not_above(limit: float) -> Any:
    """A check."""

    def look(top: Any, x: Any) -> None:
        if not (top <= limit).all():
            raise ValueError(f"{np.max(top):g} among {x.shape}")

    return look


@ag.fused
def checked(x: ag.Tensor) -> ag.Tensor:
    ag.check(not_above(1), ag.max(x), x)
    return ag.sum(x * x)


@ag.fused
def per_element(x: ag.Tensor) -> ag.Tensor:
    ag.check(not_above(2), x * 2, x)
    return x * 3


@pytest.mark.parametrize("wanted", [False, True])
def test_every_call_is_looked_at(wanted: bool) -> None:
    x = ag.tensor(np.linspace(0, 1, N), requires_grad=wanted)
    for _ in range(2):
        assert checked(x).numpy() == pytest.approx((x.numpy() ** 2).sum())
        with pytest.raises(ValueError, match=r"2 among \(5000,\)"):
            checked(2 * x)
    assert checked.reasons() == []


def test_the_gradient_is_that_of_the_result() -> None:
    x = ag.tensor(np.linspace(0, 1, N), requires_grad=True)
    (g,) = ag.grad(checked(x), [x], create_graph=True)
    np.testing.assert_allclose(g.numpy(), 2 * x.numpy(), rtol=1e-15)
    (h,) = ag.grad(ag.sum(g), [x])
    np.testing.assert_array_equal(h.numpy(), np.full(N, 2.0))


@pytest.mark.parametrize("laid", ["C", "F"])
def test_an_array_is_seen_as_the_user_sees_it(laid: Any) -> None:
    seen: list[Any] = []

    @ag.fused
    def noted(x: ag.Tensor) -> ag.Tensor:
        ag.check(lambda *found: seen.extend(found), x + 1, x)
        return x * 3

    x = np.asarray(np.arange(6000.0).reshape(60, 100), order=laid)
    for wanted in (False, True):
        seen.clear()
        y = noted(ag.tensor(x, requires_grad=wanted))
        np.testing.assert_array_equal(y.numpy(), 3 * x)
        np.testing.assert_array_equal(seen[0], x + 1)
        np.testing.assert_array_equal(seen[1], x)
    assert noted.reasons() == []


def test_a_gradient_that_is_asked_for_later_reads_what_was_kept_for_it() -> None:
    @ag.fused
    def shares(x: ag.Tensor) -> ag.Tensor:
        ag.check(not_above(2), ag.max(x), x)
        return ag.softmax(x, 1)  # sums of rows are kept for the backward half

    x = ag.tensor(np.linspace(0, 1, 6000).reshape(60, 100), requires_grad=True)
    weights = np.cos(np.arange(6000)).reshape(60, 100)
    (found,) = ag.grad(shares(x), [x], weights)
    (wanted,) = ag.grad(ag.softmax(x, 1), [x], weights)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-12, atol=1e-16)
    assert shares.reasons() == []


def test_what_is_known_when_it_is_traced_is_looked_at_by_each_call_too() -> None:
    seen: list[Any] = []

    @ag.fused
    def outside(x: ag.Tensor) -> ag.Tensor:
        ag.check(lambda y: seen.append(y.tolist()), np.ones(2))
        return x * 3

    for _ in range(3):
        outside(ag.ones(N))
    assert seen == [[1.0, 1.0]] * 3


def test_what_is_no_argument_is_looked_at_by_the_composition() -> None:
    other = np.full(3, 7.0)

    @ag.fused
    def outside(x: ag.Tensor) -> ag.Tensor:
        ag.check(lambda top, y: seen.append((float(top), y is other or y.tolist())), ag.max(x), other)
        return x * 3

    seen: list[Any] = []
    outside(ag.ones(N))
    outside(ag.ones(N))
    assert seen == [(1.0, True), (1.0, True)]
    assert outside.reasons() == ["it checks a value that does not follow from its arguments"]


def test_a_compiled_program_looks_at_each_run() -> None:
    @ag.compile
    def step(x: ag.Tensor) -> ag.Tensor:
        return checked(x) + ag.sum(per_element(x))

    x = ag.tensor(np.linspace(0, 1, N))
    for _ in range(3):
        step(x)
        with pytest.raises(ValueError, match=r"2 among"):
            step(2 * x)
    assert step.reasons() == []


def test_batched() -> None:
    x = ag.tensor(np.linspace(0, 1, 3 * N).reshape(3, N))
    np.testing.assert_allclose(ag.vmap(checked)(x).numpy(), (x.numpy() ** 2).sum(1))
    with pytest.raises(ValueError, match="among"):
        ag.vmap(checked)(2 * x)


LABELS = [
    (F.hinge_loss, -1.0),
    (F.squared_hinge_loss, -1.0),
    (F.soft_margin_loss, -1.0),
    (F.hinge_embedding_loss, -1.0),
    (F.binary_cross_entropy, 0.0),
    (F.binary_cross_entropy_with_logits, 0.0),
    (F.sigmoid_focal_loss, 0.0),
    (F.multilabel_soft_margin_loss, 0.0),
    (F.poisson_nll_loss, 0.0),
    (F.kl_div, 0.0),
    (F.dice_loss, 0.0),
]


@pytest.mark.parametrize(("loss", "low"), LABELS, ids=lambda x: getattr(x, "__name__", ""))
@pytest.mark.parametrize("n", [10, 1000])
@pytest.mark.parametrize("wanted", [False, True])
def test_losses_refuse_a_label_wherever_it_stands(loss: Any, low: float, n: int, wanted: bool) -> None:
    rng = np.random.default_rng(0)
    x = ag.tensor(rng.uniform(0.1, 0.9, (n, 4)), requires_grad=wanted)
    y = np.where(rng.random((n, 4)) < 0.5, low, 1.0)
    assert np.isfinite(loss(x, y).numpy())
    for at in ((0, 0), (n // 2, 2), (n - 1, 3)):
        for wrong in (-0.5, np.nan):
            bad = y.copy()
            bad[at] = wrong
            with pytest.raises(ArgumentError, match=loss.__name__):
                loss(x, bad)
