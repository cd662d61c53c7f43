"""Losses that ask for a margin, and distances, at the edges of their domains; every error on its words."""

import math

import numpy as np
import pytest
from scipy import spatial

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError


def graded(f, x, dtype="float64"):
    """f(x) and its gradient."""
    t = ag.tensor(x, dtype=dtype, requires_grad=True)
    y = f(t)
    y.sum().backward()
    return y.numpy(), t.grad.numpy()


SIGNED = {
    "hinge_loss": lambda y: F.hinge_loss([0.5, 0.5], y),
    "squared_hinge_loss": lambda y: F.squared_hinge_loss([0.5, 0.5], y),
    "soft_margin_loss": lambda y: F.soft_margin_loss([0.5, 0.5], y),
    "hinge_embedding_loss": lambda y: F.hinge_embedding_loss([0.5, 0.5], y),
    "margin_ranking_loss": lambda y: F.margin_ranking_loss([0.5, 0.5], [0.5, 0.5], y),
    "cosine_embedding_loss": lambda y: F.cosine_embedding_loss([[0.5], [0.5]], [[0.5], [0.5]], y),
}


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_labels_are_signs(name):
    with pytest.raises(ArgumentError, match=rf"{name} was given the label 0. Expected -1 and \+1: write 2 \* target"):
        SIGNED[name]([1, 0])
    with pytest.raises(ArgumentError, match=f"{name} was given the label nan"):
        SIGNED[name]([1, math.nan])


def test_slopes_at_the_margin_are_zero():
    x = [1.0, 0.0, 0.5]
    assert graded(lambda t: F.hinge_loss(t, [1, -1, 1], reduction="none"), x)[1].tolist() == [0, 1, -1]
    assert graded(lambda t: F.squared_hinge_loss(t, [1, -1, 1], reduction="none"), x)[1].tolist() == [0, 2, -1]
    assert graded(lambda t: F.margin_ranking_loss(t, [0.0], [1], 1.0), [1.0])[1].tolist() == [0]
    assert graded(lambda t: F.hinge_embedding_loss(t, [-1], 1.0), [1.0])[1].tolist() == [0]
    assert graded(lambda t: F.multi_margin_loss(t, 1), [0.0, 1.0])[1].tolist() == [0, 0]


# ---- many classes


def test_multi_margin_is_its_formula():
    x = np.array([[0.3, -0.2, 0.9], [0.1, 0.4, -0.8]])
    loss = F.multi_margin_loss(x, [2, 1], p=2, weight=[1, 3, 0.5], reduction="none")
    first = 0.5 * ((1 - 0.9 + 0.3) ** 2 + 0) / 3  # 1 - 0.9 - 0.2 < 0
    second = 3 * ((1 - 0.4 + 0.1) ** 2 + 0) / 3
    np.testing.assert_allclose(loss, [first, second])


def test_rows_of_labels_end_at_the_first_minus_one_and_count_repeats():
    x = [[0.1, 0.2, 0.4, 0.8]] * 3
    y = [[3, 0, -1, 1], [-1, 2, 2, 2], [3, 3, -1, 0]]
    one = sum(max(0, 1 - 0.8 + v) for v in (0.1, 0.2, 0.4)) / 4
    loss = F.multilabel_margin_loss(x, y, reduction="none")
    np.testing.assert_allclose(loss, [0.85, 0, 2 * one])
    assert F.multilabel_margin_loss(x[0], y[0]).item() == pytest.approx(0.85)
    assert graded(lambda t: F.multilabel_margin_loss(t, [-1, 0]), [1.0, 2.0])[1].tolist() == [0, 0]


def test_multi_label_soft_margin_is_the_mean_of_binary_cross_entropies():
    x, y = np.array([[0.5, -2.0], [3.0, 0.1]]), np.array([[1.0, 0.0], [0.2, 1.0]])
    expected = F.binary_cross_entropy_with_logits(x, y, reduction="none").numpy().mean(1)
    np.testing.assert_allclose(F.multilabel_soft_margin_loss(x, y, reduction="none"), expected)


def test_errors_of_margins_between_classes():
    with pytest.raises(IndexOutOfRange, match=r"multi_margin_loss was given the label 3 at position \(1,\)"):
        F.multi_margin_loss(np.zeros((2, 3)), [0, 3])
    with pytest.raises(ShapeError, match=r"an input of shape \(2, 3, 4\).*write input.reshape\(-1, C\)"):
        F.multi_margin_loss(np.zeros((2, 3, 4)), [0, 3])
    with pytest.raises(ShapeError, match=r"multi_margin_loss was given a weight of shape \(2,\) for 3 classes"):
        F.multi_margin_loss(np.zeros((2, 3)), [0, 2], weight=[1, 2])
    for make in (nn.MultiMarginLoss, lambda p: F.multi_margin_loss([0.0], 0, p)):
        with pytest.raises(ArgumentError, match=r"was given p=3. Expected 1 or 2"):
            make(3)
    with pytest.raises(IndexOutOfRange, match=r"was given the label 2. Expected 0 to 1, and -1 after the last"):
        F.multilabel_margin_loss([[0.0, 1.0]], [[2, -1]])
    with pytest.raises(DTypeError, match=r"class indices of dtype float64. Write target.astype\('int64'\)"):
        F.multilabel_margin_loss([[0.0, 1.0]], [[1.0, -1.0]])
    with pytest.raises(ShapeError, match=r"a target of shape \(1,\).\nExpected equal shapes: class indices, and -1"):
        F.multilabel_margin_loss([[0.0, 1.0]], [1])
    with pytest.raises(ArgumentError, match=r"multilabel_soft_margin_loss was given targets from -1 to 1"):
        F.multilabel_soft_margin_loss([[0.0, 1.0]], [[-1, 1]])
    with pytest.raises(ShapeError, match=r"multilabel_soft_margin_loss was given an input of shape \(\)"):
        F.multilabel_soft_margin_loss(0.0, 1.0)


# ---- vectors


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distances_are_norms_without_overflow_and_with_finite_slopes(p, dtype):
    x = np.array([[3.0, -4.0, 0.0], [0.0, 0.0, 0.0], [1e4, -1e4, 1e4]])
    size = np.abs(x)
    expected = size.max(-1) if p == math.inf else (size**p).sum(-1) ** (1 / p)
    loss, slope = graded(lambda t: F.pairwise_distance(t, np.zeros(3, dtype), p, 0.0), x, dtype)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert loss.dtype == slope.dtype == np.dtype(dtype)
    assert np.isfinite(slope).all()
    assert slope[1].tolist() == [0, 0, 0]
    np.testing.assert_allclose((slope * x).sum(-1), loss, rtol=1e-6)  # Euler: a norm is homogeneous


def test_high_powers_do_not_overflow():
    loss, slope = graded(lambda t: F.pairwise_distance(t, [0.0, 0.0], p=40.0, eps=0.0), [1e4, 1e4], "float32")
    assert loss == pytest.approx(1e4 * 2 ** (1 / 40), rel=1e-6)
    np.testing.assert_allclose(slope, 2 ** (1 / 40) / 2, rtol=1e-5)


def test_cosines_at_their_edges():
    loss, slope = graded(lambda t: F.cosine_similarity(t, [[0.0, 1.0]]), [[0.0, 0.0], [0.0, -5.0], [1e4, 0.0]])
    np.testing.assert_allclose(loss, [0, -1, 0], atol=1e-15)
    np.testing.assert_allclose(slope, [[0, 1e8], [0, 0], [0, 1e-4]], atol=1e-12)
    assert F.cosine_similarity(np.ones((2, 1, 3)), np.ones((4, 3)), -1).shape == (2, 4)
    loss, slope = graded(lambda t: F.cosine_embedding_loss(t, [[1.0, 0.0]], [1]), [[0.0, 0.0]])
    assert loss == 1
    assert np.isfinite(slope).all()


def test_a_distance_of_choice():
    rng = np.random.default_rng(0)
    a, b, c = rng.standard_normal((3, 4, 2))
    city = nn.PairwiseDistance(p=1.0)
    for swap in (False, True):
        made = nn.TripletMarginWithDistanceLoss(distance_function=city, margin=2.0, swap=swap)(a, b, c)
        assert made.item() == pytest.approx(nn.TripletMarginLoss(2.0, p=1.0, swap=swap)(a, b, c).item(), rel=1e-14)
    near, far, between = (np.abs(x - y).sum(-1) for x, y in ((a, b), (a, c), (b, c)))
    by_hand = np.maximum(0, 2 + near - np.minimum(far, between)).mean()
    assert made.item() == pytest.approx(by_hand, rel=1e-5)  # but for eps


def test_triplets_of_equal_vectors_have_finite_slopes():
    x = np.zeros((2, 3))
    loss, slope = graded(lambda t: F.triplet_margin_loss(t, x, x, eps=0.0), x)
    assert loss == 1
    assert slope.tolist() == x.tolist()


def test_errors_of_losses_between_vectors():
    x = np.zeros((2, 3))
    for who, make in {
        "triplet_margin_loss": lambda margin: F.triplet_margin_loss(x, x, x, margin),
        "triplet_margin_with_distance_loss": lambda m: F.triplet_margin_with_distance_loss(x, x, x, margin=m),
        "TripletMarginLoss": nn.TripletMarginLoss,
        "TripletMarginWithDistanceLoss": lambda margin: nn.TripletMarginWithDistanceLoss(margin=margin),
    }.items():
        with pytest.raises(ArgumentError, match=f"{who} was given margin=0. Expected a positive number"):
            make(0)
    for make in (lambda p: F.pairwise_distance(x, x, p), nn.PairwiseDistance, lambda p: nn.TripletMarginLoss(p=p)):
        with pytest.raises(ArgumentError, match=r"was given p=-1. Expected a positive number"):
            make(-1)
    for make in (lambda eps: F.cosine_similarity(x, x, eps=eps), lambda eps: nn.CosineSimilarity(eps=eps)):
        with pytest.raises(ArgumentError, match=r"was given eps=0. Expected a positive number"):
            make(0)
    with pytest.raises(ShapeError, match=r"triplet_margin_loss was given vectors of shape \(\). Expected \(N, D\)"):
        F.triplet_margin_loss(0.0, 0.0, 0.0)
    with pytest.raises(ShapeError, match=r"an anchor of shape \(2, 3\) and a negative of shape \(1, 3\)"):
        F.triplet_margin_loss(x, x, np.zeros((1, 3)))
    with pytest.raises(
        ShapeError, match=r"vectors of shape \(2, 3\) and a target of shape \(2, 1\).*\n.*target.reshape"
    ):
        F.cosine_embedding_loss(x, x, [[1], [1]])
    for make in (lambda margin: F.cosine_embedding_loss(x, x, [1, 1], margin), nn.CosineEmbeddingLoss):
        with pytest.raises(ArgumentError, match=r"was given margin=2. Expected a cosine, -1 to 1"):
            make(2)


@pytest.mark.parametrize("p", [1, 2, 3.5, np.inf])
@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_distances_of_all_pairs_are_scipys(p, rows):
    x = np.random.default_rng(0).standard_normal((rows, 3))
    expected = spatial.distance.pdist(x, "minkowski", p=p) if rows > 1 and p != np.inf else None
    expected = spatial.distance.pdist(x, "chebyshev") if rows > 1 and p == np.inf else expected
    found = F.pdist(x, p)
    assert found.shape == (rows * (rows - 1) // 2,)
    if expected is not None:
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    twins = ag.ones((2, 3), requires_grad=True)
    F.pdist(twins, p).sum().backward()
    assert np.array_equal(twins.grad, np.zeros((2, 3)))
    with pytest.raises(ShapeError, match=r"pdist was given shape \(3,\)"):
        F.pdist(np.ones(3))
