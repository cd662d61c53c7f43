"""Losses under `ag.vmap`: the values and gradients of each sample by itself, and labels looked at in every one."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd.errors import ArgumentError, DataError, IndexOutOfRange

RNG = np.random.default_rng(0)
SCORES = RNG.uniform(0.1, 0.9, (3, 5, 4))
SIGNS = np.where(RNG.random(SCORES.shape) < 0.5, -1.0, 1.0)
TRUTHS = (SIGNS > 0).astype(float)
SHARES = SCORES / SCORES.sum(-1, keepdims=True)
CLASSES = RNG.integers(0, 4, (3, 5))
POISSON = partial(F.poisson_nll_loss, log_input=False)
LOSSES: dict[str, tuple[Any, Any, Any, Any]] = {
    "hinge_loss": (F.hinge_loss, SCORES, SIGNS, 0.5),
    "squared_hinge_loss": (F.squared_hinge_loss, SCORES, SIGNS, 0.5),
    "soft_margin_loss": (F.soft_margin_loss, SCORES, SIGNS, 0.5),
    "hinge_embedding_loss": (F.hinge_embedding_loss, SCORES, SIGNS, 0.5),
    "binary_cross_entropy": (F.binary_cross_entropy, SCORES, TRUTHS, 1.5),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, SCORES, TRUTHS, 1.5),
    "sigmoid_focal_loss": (F.sigmoid_focal_loss, SCORES, TRUTHS, 0.5),
    "multilabel_soft_margin_loss": (F.multilabel_soft_margin_loss, SCORES, TRUTHS, 1.5),
    "dice_loss": (F.dice_loss, SCORES, TRUTHS, 1.5),
    "poisson_nll_loss": (POISSON, SCORES, TRUTHS, -1.0),
    "kl_div": (F.kl_div, np.log(SHARES), SHARES, -1.0),
    "categorical_cross_entropy": (F.categorical_cross_entropy, SHARES, SHARES, 1.5),
    "cross_entropy": (F.cross_entropy, SCORES, CLASSES, 4),
    "mse_loss": (F.mse_loss, SCORES, TRUTHS, None),
    "huber_loss": (F.huber_loss, SCORES, SIGNS, None),
}


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_each_sample_by_itself(name: str, reduction: str) -> None:
    loss, x, y, _ = LOSSES[name]
    loss = partial(loss, reduction=reduction)
    together = ag.vmap(loss)(ag.tensor(x), ag.tensor(y))
    apart = np.stack([loss(ag.tensor(a), ag.tensor(b)).numpy() for a, b in zip(x, y, strict=True)])
    np.testing.assert_allclose(together.numpy(), apart, rtol=1e-13)
    slope = ag.value_and_grad(lambda a, b: ag.sum(loss(a, b)))
    together = ag.vmap(lambda a, b: slope(a, b)[1])(ag.tensor(x), ag.tensor(y))
    apart = np.stack([slope(ag.tensor(a), ag.tensor(b))[1].numpy() for a, b in zip(x, y, strict=True)])
    np.testing.assert_allclose(together.numpy(), apart, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("name", [name for name, case in LOSSES.items() if case[3] is not None])
def test_a_wrong_label_of_any_sample_is_refused(name: str) -> None:
    loss, x, y, wrong = LOSSES[name]
    for sample in range(3):
        bad = y.copy()
        bad[sample, 2] = wrong
        with pytest.raises((ArgumentError, IndexOutOfRange), match=name):
            ag.vmap(loss)(ag.tensor(x), ag.tensor(bad))


def test_a_mean_over_nothing_is_refused_for_any_sample() -> None:
    labels = CLASSES.copy()
    labels[1] = -100
    with pytest.raises(DataError, match="none of which counts"):
        ag.vmap(F.cross_entropy)(ag.tensor(SCORES), ag.tensor(labels))
