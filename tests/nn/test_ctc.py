"""Connectionist temporal classification: against a sum over all paths, at its edges, and every error on its words."""

import itertools
import math

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError


def log_probs(shape, seed=0):
    x = np.random.default_rng(seed).standard_normal(shape)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def read(path, blank):
    """What a path says: repeats dropped, then blanks."""
    return [k for k, _ in itertools.groupby(path) if k != blank]


def by_enumeration(x, label, blank=0):
    """-log of the sum over every path, and the posterior of each class at each step."""
    total, posterior = 0.0, np.zeros_like(x)
    for path in itertools.product(range(x.shape[1]), repeat=len(x)):
        if read(path, blank) == list(label):
            p = np.exp(sum(x[t, k] for t, k in enumerate(path)))
            total += p
            posterior[np.arange(len(x)), path] += p
    return -np.log(total) if total else math.inf, posterior / total if total else posterior


TRANSCRIPTS = [[1], [1, 2], [1, 1], [2, 1, 2], [], [2, 2, 1], [1, 1, 1]]


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("label", TRANSCRIPTS, ids=str)
def test_it_sums_over_all_paths_and_its_gradient_is_the_posterior(label, blank):
    label = [k - 1 if blank == 2 else k for k in label]
    x = log_probs((5, 3))
    t = ag.tensor(x, requires_grad=True)
    loss = F.ctc_loss(t, np.array(label, int), 5, len(label), blank, reduction="sum")
    loss.backward()
    expected, posterior = by_enumeration(x, label, blank)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(t.grad, -posterior, atol=1e-12)


def test_through_log_softmax_the_gradient_is_probability_minus_posterior():
    x = np.random.default_rng(1).standard_normal((4, 3))
    t = ag.tensor(x, requires_grad=True)
    F.ctc_loss(ag.log_softmax(t, -1), [1, 2], 4, 2, reduction="sum").backward()
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    np.testing.assert_allclose(t.grad, p - by_enumeration(np.log(p), [1, 2])[1], atol=1e-12)


def test_samples_of_a_batch_do_not_touch_and_padding_counts_for_nothing():
    x = log_probs((6, 3, 3))
    x[4:, 1], x[5:, 2] = math.nan, -math.inf
    labels, lengths, sizes = [[1, 2, 1], [2, -7, 99], [1, 1, 0]], [6, 4, 5], [3, 1, 2]
    t = ag.tensor(x, requires_grad=True)
    losses = F.ctc_loss(t, labels, lengths, sizes, reduction="none")
    losses.sum().backward()
    for n in range(3):
        expected, posterior = by_enumeration(x[: lengths[n], n], labels[n][: sizes[n]])
        assert losses[n].item() == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(t.grad[: lengths[n], n], -posterior, atol=1e-12)
        assert not t.grad[lengths[n] :, n].numpy().any()
    end_to_end = F.ctc_loss(x, [1, 2, 1, 2, 1, 1], lengths, sizes, reduction="none")
    assert end_to_end.tolist() == losses.tolist()


def test_the_mean_is_over_the_lengths_of_the_transcripts():
    x = log_probs((5, 3, 3))
    each = F.ctc_loss(x, [[1, 2], [1, 0], [0, 0]], [5, 5, 5], [2, 1, 0], reduction="none").numpy()
    mean = nn.CTCLoss()(x, [[1, 2], [1, 0], [0, 0]], [5, 5, 5], [2, 1, 0])
    assert mean.item() == pytest.approx((each / [2, 1, 1]).mean(), rel=1e-14)


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("label", [[1, 2, 1, 2], [1, 1, 2]])
def test_a_transcript_too_long_for_its_steps(label, zero_infinity):
    t = ag.tensor(log_probs((3, 3)), requires_grad=True)
    loss = F.ctc_loss(t, label, 3, len(label), zero_infinity=zero_infinity, reduction="sum")
    loss.backward()
    assert loss.item() == (0 if zero_infinity else math.inf)
    assert not t.grad.numpy().any()


def test_one_impossible_sample_leaves_the_gradients_of_others():
    x = log_probs((3, 2, 3))
    t = ag.tensor(x, requires_grad=True)
    F.ctc_loss(t, [[1, 1, 1], [1, 0, 0]], [3, 3], [3, 1], zero_infinity=True, reduction="sum").backward()
    np.testing.assert_allclose(t.grad[:, 1], -by_enumeration(x[:, 1], [1])[1], atol=1e-12)
    assert not t.grad[:, 0].numpy().any()


def test_classes_of_probability_zero():
    with np.errstate(divide="ignore"):
        x = np.log([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    t = ag.tensor(x, requires_grad=True)
    loss = F.ctc_loss(t, [1], 3, 1, reduction="sum")
    loss.backward()
    assert loss.item() == 0
    np.testing.assert_allclose(t.grad, [[0, -1, 0], [-0.5, -0.5, 0], [-1, 0, 0]])
    t = ag.tensor(x, requires_grad=True)
    loss = F.ctc_loss(t, [2], 3, 1, reduction="sum")
    loss.backward()
    assert loss.item() == math.inf
    assert not t.grad.numpy().any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_sequences_of_extreme_scores_stay_finite(dtype):
    x = np.random.default_rng(2).choice([-1e4, 0.0, 1e4], (200, 2, 5))
    t = ag.tensor(x, dtype=dtype, requires_grad=True)
    labels = np.random.default_rng(3).integers(1, 5, (2, 30))
    loss = F.ctc_loss(ag.log_softmax(t, -1), labels, [200, 150], [30, 20])
    loss.backward()
    assert loss.dtype == t.grad.dtype == np.dtype(dtype)
    assert np.isfinite(loss.item())
    assert np.isfinite(t.grad.numpy()).all()


ERRORS = [
    (ShapeError, r"log_probs of shape \(3,\). Expected \(T, N, C\)", {"log_probs": np.zeros(3)}),
    (ShapeError, r"log_probs of shape \(0, 2, 3\)", {"log_probs": np.zeros((0, 2, 3))}),
    (IndexOutOfRange, "blank=3 with 3 classes. Expected 0 to 2", {"blank": 3}),
    (IndexOutOfRange, r"0 steps for sample 1 in input_lengths. Expected 1 to 4", {"input_lengths": [4, 0]}),
    (IndexOutOfRange, r"5 steps for sample 0(.|\n)*log_probs.swapaxes\(0, 1\)", {"input_lengths": [5, 4]}),
    (IndexOutOfRange, "the length -1 in target_lengths. Expected none below 0", {"target_lengths": [2, -1]}),
    (ShapeError, r"input_lengths of shape \(1,\) for 2 samples", {"input_lengths": [4]}),
    (ShapeError, r"target_lengths of shape \(2, 1\) for 2 samples", {"target_lengths": [[2], [1]]}),
    (DTypeError, r"input_lengths of dtype float64. Write input_lengths.astype", {"input_lengths": [4.0, 4.0]}),
    (DTypeError, r"targets of dtype float64. Write targets.astype", {"targets": [[1.0, 2.0], [1.0, 2.0]]}),
    (ShapeError, r"targets of shape \(2, 2\)(.|\n)*rows of shape \(2, 3\) or wider", {"target_lengths": [3, 1]}),
    (ShapeError, r"targets of shape \(4,\)(.|\n)*or 3 labels one after the other", {"targets": [1, 2, 1, 1]}),
    (IndexOutOfRange, r"the label 3 at position \(0, 1\). Expected 0 to 2, but", {"targets": [[1, 3], [1, 9]]}),
    (IndexOutOfRange, r"the label -1 at position \(1, 0\)", {"targets": [[1, 2], [-1, -1]]}),
    (
        ArgumentError,
        "the blank, 0, as label 1 of sample 0. Expected transcripts without",
        {"targets": [[1, 0], [1, 0]]},
    ),
]


@pytest.mark.parametrize(("error", "words", "changed"), ERRORS, ids=range(len(ERRORS)))
def test_errors_say_what_to_write(error, words, changed):
    right = {"targets": [[1, 2], [1, 0]], "input_lengths": [4, 4], "target_lengths": [2, 1]}
    good = {"log_probs": log_probs((4, 2, 3)), **right}
    assert np.isfinite(F.ctc_loss(**good).item())
    with pytest.raises(error, match=f"ctc_loss was given {words}"):
        F.ctc_loss(**good | changed)
