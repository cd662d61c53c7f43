"""Upsampling: its definition, and errors that name the layer."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, ShapeError


@pytest.mark.parametrize("n", [1, 3, 7, 10, 49])
@pytest.mark.parametrize("m", [1, 2, 3, 7, 20, 49, 98])
def test_nearest_takes_whole_numbers_exactly(n, m):
    y = F.interpolate(np.arange(float(n)).reshape(1, 1, n), size=m)
    assert y.reshape(-1).tolist() == [i * n // m for i in range(m)]
    y = F.interpolate(np.arange(float(n)).reshape(1, 1, n), size=m, mode="nearest-exact")
    assert y.reshape(-1).tolist() == [(2 * i + 1) * n // (2 * m) for i in range(m)]


def test_lines_stay_lines_between_the_ends():
    x = np.arange(9.0).reshape(1, 1, 9)
    y = F.interpolate(x, size=27, mode="linear")
    np.testing.assert_allclose(y[0, 0], np.clip((np.arange(27) + 0.5) / 3 - 0.5, 0, 8), rtol=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_corners_stay_where_they_are_if_aligned(mode):
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 5))
    y = F.interpolate(x, size=(10, 9), mode=mode, align_corners=True)
    np.testing.assert_allclose(y[:, :, ::3, ::2], x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_a_constant_stays_that_constant(mode):
    y = F.interpolate(np.full((2, 3, 4, 5), 2.5), size=(3, 11), mode=mode)
    np.testing.assert_allclose(y, np.full((2, 3, 3, 11), 2.5), rtol=1e-12)


def test_the_gradient_of_copies_counts_them():
    x = ag.zeros((1, 1, 2, 3), requires_grad=True)
    F.interpolate(x, scale_factor=(2, 4)).sum().backward()
    assert x.grad.tolist() == [[[[8.0] * 3] * 2]]


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (
            lambda x: nn.Upsample(2, mode="cubic"),
            ArgumentError,
            "Upsample was given mode='cubic'. Expected one of: nearest",
        ),
        (lambda x: nn.Upsample(), ArgumentError, "size=None and scale_factor=None. Expected exactly one of them"),
        (lambda x: nn.Upsample(2, 2), ArgumentError, "size=2 and scale_factor=2. Expected exactly one of them"),
        (
            lambda x: nn.Upsample(2, align_corners=True),
            ArgumentError,
            "align_corners=True for mode='nearest': leave it",
        ),
        (
            lambda x: nn.Upsample(2, recompute_scale_factor=True),
            ArgumentError,
            "recompute_scale_factor=True with size=2",
        ),
        (lambda x: nn.Upsample(0), ArgumentError, "Upsample was given size=0. Expected positive numbers"),
        (lambda x: nn.Upsample((2, 2.5)), ArgumentError, "size=(2, 2.5). Expected positive numbers"),
        (lambda x: F.interpolate(x, scale_factor=-1), ArgumentError, "interpolate was given scale_factor=-1"),
        (
            lambda x: nn.Upsample(2, mode="linear")(x),
            ShapeError,
            "Upsample(size=2, mode='linear') was given an input of shape (2, 3, 8, 8) for mode 'linear'. Expected (N",
        ),
        (
            lambda x: F.interpolate(x[0], 2, mode="bilinear"),
            ShapeError,
            "Write x[None] for a batch of one, or 'linear' for",
        ),
        (lambda x: F.interpolate(x[0, 0], 2), ShapeError, "Expected (N, C, L), (N, C, H, W), (N, C, D, H, W)"),
        (lambda x: F.interpolate(x, (2, 2, 2)), ShapeError, "[2, 2, 2] for 2 axes of lengths 8 x 8. Expected one each"),
        (
            lambda x: F.interpolate(x, scale_factor=0.1),
            ShapeError,
            "interpolate was given lengths 8 x 8, for an output of 0 x 0. Expected at least 1 each",
        ),
        (lambda x: F.interpolate(x[:, :, :0], 2), ShapeError, "lengths 0 x 8, for an output of 2 x 2"),
        (lambda x: F.interpolate(x.astype("uint8"), 2), DTypeError, "dtype uint8. Write x.astype('float32')"),
    ],
)
def test_errors_name_the_layer_the_shapes_and_the_fix(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run(ag.ones((2, 3, 8, 8), dtype="float32"))
