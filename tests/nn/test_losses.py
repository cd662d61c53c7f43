"""Losses at the edges of their domains, and every error on its words."""

import inspect
import math

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DataError, DTypeError, IndexOutOfRange, ShapeError

LOSSES = sorted(
    (c for c in vars(nn).values() if inspect.isclass(c) and issubclass(c, nn.Loss) and c is not nn.Loss),
    key=lambda c: c.__name__,
)
every_loss = pytest.mark.parametrize("kind", LOSSES)
OF_CLASSES = {"CrossEntropyLoss", "NLLLoss"}
PROBABILITIES = {"BCELoss"}


def graded(f, x, dtype="float32"):
    """f(x) and its gradient."""
    t = ag.tensor(x, dtype=dtype, requires_grad=True)
    y = f(t)
    y.sum().backward()
    return y.numpy(), t.grad.numpy()


# ---- every loss


@every_loss
def test_losses_are_finite_and_right_at_logits_of_ten_thousand(kind):
    x = np.array([[1e4, -1e4], [-1e4, 1e4], [0.0, 1e4], [1e4, 1e4 + 1]], "float32")
    target = np.array([[1, 0], [0, 1], [1, 1], [0, 1]], "float32")
    if kind is nn.HingeLoss:
        target = 2 * target - 1
    if kind is nn.BCELoss:
        x = (x > 0).astype("float32")
    for y in (target, target.argmax(1)) if kind is nn.CrossEntropyLoss else (target,):
        y = y.argmax(1) if kind is nn.NLLLoss else y
        loss, slope = graded(lambda t, y=y: kind(reduction="none")(t, y), x)
        wide, wide_slope = graded(lambda t, y=y: kind(reduction="none")(t, y), x, "float64")
        assert loss.dtype == slope.dtype == np.float32
        assert np.isfinite(loss).all()
        assert np.isfinite(slope).all()
        np.testing.assert_allclose(loss, wide, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(slope, wide_slope, rtol=1e-5, atol=1e-6)


@every_loss
def test_mean_and_sum_are_those_of_the_samples(kind):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 0.9, (5, 3))
    target = rng.integers(0, 3, 5) if kind.__name__ in OF_CLASSES else np.ones((5, 3))
    each = kind(reduction="none")(x, target).numpy()
    assert each.shape == ((5,) if kind.__name__ in OF_CLASSES else (5, 3))
    assert kind()(x, target).item() == pytest.approx(each.mean(), rel=1e-14)
    assert kind(reduction="sum")(x, target).item() == pytest.approx(each.sum(), rel=1e-14)


@every_loss
def test_targets_in_another_dtype_do_not_widen(kind):
    x = ag.tensor([[0.5, 0.25]], dtype="float32", requires_grad=True)
    target = np.array([1]) if kind.__name__ in OF_CLASSES else np.array([[1, 1]])
    loss = kind()(x, target)
    assert loss.dtype == np.float32
    if kind.__name__ not in OF_CLASSES:
        assert kind()(x, target.astype("float64")).dtype == np.float32


@every_loss
def test_shapes_must_be_equal_even_if_they_broadcast(kind):
    x = np.full(3, 0.5)
    if kind.__name__ in OF_CLASSES:
        with pytest.raises(ShapeError, match=r"class indices of shape \(3,\).*Write target.reshape\(-1\)"):
            kind()(np.ones((3, 4)), np.zeros((3, 1), int))
        return
    with pytest.raises(
        ShapeError, match=r"shape \(3,\) and a target of shape \(3, 1\)(.|\n)*Write target.reshape\(\(3,\)\)"
    ):
        kind()(x, np.ones((3, 1)))
    with pytest.raises(ShapeError, match="Expected 3 elements in both, not 3 and 4"):
        kind()(x, np.ones(4))


@every_loss
def test_unknown_reductions_and_whole_number_predictions_are_refused(kind):
    with pytest.raises(
        ArgumentError, match=f"{kind.__name__} was given reduction='avg'. Expected one of 'none', 'mean'"
    ):
        kind(reduction="avg")
    with pytest.raises(DTypeError, match=r"an input of dtype int64. Expected predictions: input.astype\('float32'\)"):
        kind()(np.ones((2, 2), int), np.ones(2, int) if kind.__name__ in OF_CLASSES else np.ones((2, 2)))


def test_functions_refuse_unknown_reductions_too():
    for name, f in vars(F).items():
        if "reduction" in (inspect.signature(f).parameters if inspect.isfunction(f) else ()):
            with pytest.raises(ArgumentError, match="was given reduction='avg'"):
                f(
                    np.full((2, 2), 0.5),
                    np.zeros(2, int) if name in ("cross_entropy", "nll_loss") else np.ones((2, 2)),
                    reduction="avg",
                )


# ---- regression


def test_kinks_of_the_regression_losses():
    assert graded(lambda t: F.l1_loss(t, [1.0], reduction="sum"), [1.0])[1].tolist() == [0.0]
    loss, slope = graded(lambda t: F.huber_loss(t, [0.0, 0.0], reduction="none", delta=2.0), [2.0, -3.0])
    assert loss.tolist() == [2.0, 4.0]
    assert slope.tolist() == [2.0, -2.0]


@pytest.mark.parametrize("delta", [0, -1, math.nan])
def test_huber_and_smooth_l1_need_a_positive_width(delta):
    with pytest.raises(ArgumentError, match=r"huber_loss was given delta=.*Expected a positive number"):
        F.huber_loss([1.0], [1.0], delta=delta)
    with pytest.raises(ArgumentError, match="HuberLoss was given delta="):
        nn.HuberLoss(delta=delta)
    with pytest.raises(ArgumentError, match="smooth_l1_loss was given beta="):
        F.smooth_l1_loss([1.0], [1.0], beta=delta)
    with pytest.raises(ArgumentError, match="SmoothL1Loss was given beta="):
        nn.SmoothL1Loss(beta=delta)


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


def test_hinge_takes_signs_only():
    assert graded(lambda t: F.hinge_loss(t, [1, -1, 1], reduction="none"), [1.0, 0.0, 0.5])[1].tolist() == [
        0.0,
        1.0,
        -1.0,
    ]
    with pytest.raises(
        ArgumentError, match=r"hinge_loss was given the label 0. Expected -1 and \+1: write 2 \* target - 1"
    ):
        F.hinge_loss([0.5, 0.5], [1, 0])


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
        ArgumentError, match=r"kl_div was given the probability -0.5. Expected none below 0.*log_target"
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
