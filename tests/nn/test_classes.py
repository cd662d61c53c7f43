"""Losses between two classes and many at the edges of their domains, and every error on its words."""

import math

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.config import config
from autograd.errors import ArgumentError, DataError, DTypeError, IndexOutOfRange, ShapeError


def graded(f, x, dtype="float32"):
    """f(x) and its gradient."""
    t = ag.tensor(x, dtype=dtype, requires_grad=True)
    y = f(t)
    y.sum().backward()
    return y.numpy(), t.grad.numpy()


# ---- two classes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_of_zero_and_one_have_clamped_losses_and_finite_gradients(dtype):
    p = [0.0, 1.0, 0.0, 1.0, 1e-45, 1e-38]
    y = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    loss, slope = graded(lambda t: F.binary_cross_entropy(t, y, reduction="none"), p, dtype)
    assert loss[:5].tolist() == [100.0, 100.0, 0.0, 0.0, 100.0]
    assert loss[5] == pytest.approx(100.0 if dtype == "float32" else -math.log(1e-38), rel=1e-6)
    assert np.isfinite(slope).all()


def test_binary_cross_entropy_is_exact_for_small_probabilities():
    loss, slope = graded(lambda t: F.binary_cross_entropy(t, [0.0, 0.0], reduction="none"), [1e-12, 0.5])
    np.testing.assert_allclose(loss, [1e-12, math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(slope, [1.0, 2.0], rtol=1e-6)


def test_logits_far_on_the_right_side_still_have_a_slope():
    loss, slope = graded(lambda t: F.binary_cross_entropy_with_logits(t, [1.0, 0.0], reduction="none"), [30.0, -30.0])
    np.testing.assert_allclose(loss, [math.exp(-30)] * 2, rtol=1e-6)
    np.testing.assert_allclose(slope, [-math.exp(-30), math.exp(-30)], rtol=1e-6)


@pytest.mark.parametrize("wrong", [[-0.1, 0.5], [0.5, 1.5], [math.nan, 0.5]])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(
        ArgumentError, match=r"was given probabilities from .*Expected 0 to 1.\nGive logits to binary_cross"
    ):
        F.binary_cross_entropy(wrong, [0.0, 1.0])
    for loss in (F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        with pytest.raises(ArgumentError, match=r"was given targets from .*\nWrite \(target \+ 1\) / 2"):
            loss([0.5, 0.5], wrong)


def test_focal_losses_are_their_formula_and_cross_entropy_for_gamma_zero():
    x, y = np.array([[1.5, -0.5, 0.2]]), np.array([[1.0, 0.0, 1.0]])
    p = np.where(y == 1, 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(x)))
    by_hand = -np.where(y == 1, 0.3, 0.7) * (1 - p) ** 1.5 * np.log(p)
    np.testing.assert_allclose(F.sigmoid_focal_loss(x, y, 0.3, 1.5, reduction="none"), by_hand)
    plain = F.binary_cross_entropy_with_logits(x, y)
    assert F.sigmoid_focal_loss(x, y, -1, 0).item() == pytest.approx(plain.item())
    weight = [1.0, 2.0, 0.5]
    q = np.exp(x[0]) / np.exp(x[0]).sum()
    assert F.softmax_focal_loss(x, [1], weight, 0.5).item() == pytest.approx(-((1 - q[1]) ** 0.5) * np.log(q[1]))
    x, labels = np.random.default_rng(0).standard_normal((6, 3)), [0, 1, 2, 2, -100, 1]
    expected = F.cross_entropy(x, labels, weight).item()
    assert F.softmax_focal_loss(x, labels, weight, gamma=0).item() == pytest.approx(expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_losses_have_finite_slopes_of_second_order_where_all_is_certain(gamma):
    for f in (
        lambda x: F.sigmoid_focal_loss(x, [1.0, 0.0], gamma=gamma, reduction="sum"),
        lambda x: F.softmax_focal_loss(x, 0, gamma=gamma),
    ):
        x = ag.tensor([1e4, -1e4], requires_grad=True)
        (slope,) = ag.grad(f(x), [x], create_graph=True)
        slope.sum().backward()
        assert slope.tolist() == [0.0, 0.0]
        assert x.grad.tolist() == [0.0, 0.0]


def test_settings_and_labels_of_focal_losses():
    with pytest.raises(ArgumentError, match=r"was given the label 2. Expected 0 and 1: write \(target \+ 1\) / 2"):
        F.sigmoid_focal_loss([0.5], [2])
    for make in (nn.SigmoidFocalLoss, lambda **s: F.sigmoid_focal_loss([0.0], [1], **s)):
        with pytest.raises(ArgumentError, match=r"was given alpha=1.5. Expected 0 to 1, or -1"):
            make(alpha=1.5)
    for make in (nn.SigmoidFocalLoss, nn.SoftmaxFocalLoss, lambda **s: F.softmax_focal_loss([[0.0, 1.0]], [1], **s)):
        with pytest.raises(ArgumentError, match=r"was given gamma=-1. Expected 0 or more"):
            make(gamma=-1)


def test_dice_compares_regions_sample_by_sample():
    p = [[[0.5, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]
    y = [[[1, 1], [0, 1]], [[0, 0], [0, 0]]]
    assert F.dice_loss(p, y, 0.5, reduction="none").tolist() == pytest.approx([1 - 3.5 / 5, 0])
    with pytest.raises(ShapeError, match=r"dice_loss was given shape \(3,\). Expected a batch.*write input\[None\]"):
        F.dice_loss(np.zeros(3), np.zeros(3))
    with pytest.raises(ArgumentError, match=r"given probabilities from -3 to 2.*\nWrite ag.sigmoid\(input\)"):
        F.dice_loss([[-3.0, 2.0]], [[0, 1]])
    with pytest.raises(ArgumentError, match=r"DiceLoss was given smooth=0. Expected a positive number"):
        nn.DiceLoss(0)


# ---- many classes


def test_labels_out_of_range_are_named_with_their_place():
    x = np.zeros((2, 3, 2))
    with pytest.raises(
        IndexOutOfRange, match=r"cross_entropy was given the label 3 at position \(1, 0\). Expected 0 to 2"
    ):
        F.cross_entropy(x, [[0, 2], [3, 4]])
    with pytest.raises(IndexOutOfRange, match=r"nll_loss was given the label -1 at position \(0,\)"):
        F.nll_loss(np.zeros((1, 3)), [-1])
    assert F.cross_entropy(np.zeros((2, 3)), [-1, 0], ignore_index=-1).item() == pytest.approx(math.log(3))


def test_class_indices_are_whole_numbers_of_the_right_shape():
    with pytest.raises(DTypeError, match=r"class indices of dtype float64. Write target.astype\('int64'\)"):
        F.cross_entropy(np.zeros((2, 3)), [0.0, 1.0])
    with pytest.raises(ShapeError, match=r"target.argmax\(1\) for one-hot rows"):
        F.cross_entropy(np.zeros((2, 3)), [[0, 1, 0], [1, 0, 0]])
    with pytest.raises(ShapeError, match=r"an input of shape \(2, 0\). Expected \(N, C\)"):
        F.cross_entropy(np.zeros((2, 0)), [0, 0])
    with pytest.raises(ShapeError, match=r"a weight of shape \(2,\) for 3 classes"):
        F.cross_entropy(np.zeros((2, 3)), [0, 1], [1.0, 2.0])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_kernels_of_weights_smoothing_and_ignored_labels_agree_with_the_composition(smoothing, weighted):
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((600, 8)), rng.integers(0, 8, 600)
    settings = {"ignore_index": 3, "label_smoothing": smoothing, "weight": np.arange(1.0, 9) if weighted else None}
    kernels = graded(lambda t: F.cross_entropy(t, labels, **settings), x, "float64")
    with config.using(kernels=False):
        plain = graded(lambda t: F.cross_entropy(t, labels, **settings), x, "float64")
    np.testing.assert_allclose(kernels[0], plain[0], rtol=1e-13)
    np.testing.assert_allclose(kernels[1], plain[1], rtol=1e-11, atol=1e-15)
    assert not kernels[1][labels == 3].any()


def test_settings_of_cross_entropy():
    for make in (nn.CrossEntropyLoss, lambda **s: F.cross_entropy(np.zeros((1, 2)), [0], **s)):
        with pytest.raises(ArgumentError, match=r"was given label_smoothing=1.5. Expected 0 to 1"):
            make(label_smoothing=1.5)
    with pytest.raises(ArgumentError, match="ignore_index=0 with distributions, which have no labels"):
        F.cross_entropy(np.zeros((1, 2)), [[0.5, 0.5]], ignore_index=0)


def test_a_mean_over_nothing_is_an_error_and_a_sum_over_nothing_is_zero():
    x = np.zeros((2, 3))
    with pytest.raises(DataError, match="losses none of which counts"):
        F.cross_entropy(x, [-100, -100])
    with pytest.raises(DataError, match="or of weight 0"):
        F.cross_entropy(x, [1, 1], [1.0, 0.0, 1.0])
    assert F.cross_entropy(x, [-100, -100], reduction="sum").item() == 0.0


def test_an_ignored_sample_may_hold_anything():
    x = [[0.0, 0.0], [math.inf, 1.0]]
    with np.errstate(invalid="ignore"):
        loss, slope = graded(lambda t: F.cross_entropy(t, [0, -100]), x)
    assert loss == pytest.approx(math.log(2))
    assert slope[0].tolist() == [-0.5, 0.5]


def test_impossible_classes_count_for_nothing_where_the_target_has_none():
    x, q = [[0.0, -math.inf, 0.0]], [[0.5, 0.0, 0.5]]
    loss, slope = graded(lambda t: F.cross_entropy(t, q), x)
    assert loss == pytest.approx(math.log(2))
    assert slope.tolist() == [[0.0, 0.0, 0.0]]


def test_categorical_cross_entropy_takes_probabilities():
    p, onehot = [[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]], [[0, 1, 0], [0, 1, 0]]
    for target in (onehot, [1, 1]):
        loss, slope = graded(lambda t, y=target: F.categorical_cross_entropy(t, y, reduction="none"), p)
        np.testing.assert_allclose(loss, [-math.log(0.3), 100], rtol=1e-6)
        np.testing.assert_allclose(slope, [[0, -1 / 0.3, 0], [0, 0, 0]], rtol=1e-6)
    with pytest.raises(ArgumentError, match=r"probabilities from -1 to 2.*\nGive logits to cross_entropy"):
        F.categorical_cross_entropy([[-1.0, 2.0]], [0])
    with pytest.raises(ArgumentError, match=r"probabilities with sum 0.9. Expected 1 over the classes.\nGive logits"):
        F.categorical_cross_entropy([[0.5, 0.5], [0.4, 0.5]], [0, 1])
    with pytest.raises(ArgumentError, match=r"targets from 0 to 3.*\nWrite target / target.sum\(1, keepdims=True\)"):
        F.categorical_cross_entropy([[0.5, 0.5]], [[0, 3]])
    with pytest.raises(
        IndexOutOfRange, match=r"label 2 at position \(0,\). Expected 0 to 1.\nWrite target - 1 if .* 1.$"
    ):
        F.categorical_cross_entropy([[0.5, 0.5]], [2])


def test_kl_divergence_of_certain_distributions():
    log_q = np.log([[0.25, 0.75], [0.5, 0.5]])
    p = [[0.0, 1.0], [0.5, 0.5]]
    loss, slope = graded(lambda t: F.kl_div(t, p, reduction="none"), log_q, "float64")
    np.testing.assert_allclose(loss, [[0, -math.log(0.75)], [0, 0]], atol=1e-15)
    np.testing.assert_array_equal(slope, -np.array(p))
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    again, slope = graded(lambda t: F.kl_div(t, log_p, reduction="none", log_target=True), log_q, "float64")
    np.testing.assert_allclose(again, loss, atol=1e-15)
    np.testing.assert_allclose(slope, -np.array(p), atol=1e-15)
    impossible, _ = graded(lambda t: F.kl_div(t, [1.0, 0.0], reduction="none"), [0.0, -math.inf])
    assert impossible.tolist() == [0.0, 0.0]


def test_kl_divergence_refuses_negative_probabilities_and_batches_of_nothing():
    with pytest.raises(
        ArgumentError, match=r"kl_div was given the probability -0\.5\. Expected none below 0\.\nWrite .*log_target"
    ):
        F.kl_div([[-1.0]], [[-0.5]])
    with pytest.raises(ShapeError, match=r"kl_div was given shape \(\) and reduction='batchmean'"):
        F.kl_div(-1.0, 1.0, reduction="batchmean")


def test_weights_are_saved_and_cast_with_the_loss():
    loss = nn.CrossEntropyLoss([1.0, 2.0]).to("float64")
    assert list(loss.state_dict()) == ["weight"]
    assert list(loss.parameters()) == []
    assert loss.weight.dtype == np.float64
    assert list(nn.BCEWithLogitsLoss([1.0], pos_weight=[2.0]).state_dict()) == ["weight", "pos_weight"]
