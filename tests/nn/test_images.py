"""Convolution and pooling: layouts, edges, and errors that name the layer."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError


def direct(x, w, stride, padding, dilation):
    """Convolution by its definition."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    reach = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    high, wide = ((n - r) // stride + 1 for n, r in zip(x.shape[2:], reach, strict=True))
    y = np.zeros((len(x), len(w), high, wide))
    for i in range(high):
        for j in range(wide):
            top, left = i * stride, j * stride
            seen = x[:, :, top : top + reach[0] : dilation, left : left + reach[1] : dilation]
            y[:, :, i, j] = np.einsum("ncij,ocij->no", seen, w)
    return y


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (3, 2, 2)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_convolution_is_its_definition_in_any_layout(stride, padding, dilation, channels_last):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 8, 7)), rng.standard_normal((4, 3, 2, 3))
    given = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if channels_last else x
    y = F.conv2d(ag.asarray(given), ag.asarray(w), stride=stride, padding=padding, dilation=dilation)
    np.testing.assert_allclose(y, direct(x, w, stride, padding, dilation), rtol=1e-12, atol=1e-12)


def test_a_batch_of_nothing():
    layer = nn.Conv2d(1, 2, 3)
    x = ag.zeros((0, 1, 5, 5), dtype="float32", requires_grad=True)
    y = nn.MaxPool2d(2)(layer(x))
    assert y.shape == (0, 2, 1, 1)
    y.sum().backward()
    assert layer.weight.grad.tolist() == np.zeros((2, 1, 3, 3)).tolist()


def test_padding_never_wins_and_ties_share():
    x = ag.full((1, 1, 2, 2), -5.0, requires_grad=True)
    y = F.max_pool2d(x, 2, padding=1)
    assert y.tolist() == [[[[-5.0, -5.0], [-5.0, -5.0]]]]
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[0.25, 0.25], [0.25, 0.25]]]]


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
def test_windows_side_by_side_are_the_same_as_a_view(pool):
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 8))
    quick = pool(ag.asarray(x), (2, 3))
    windows = ag.window(x, (2, 3), axes=(2, 3), stride=(2, 3))
    reduce = np.max if pool is F.max_pool2d else np.mean
    np.testing.assert_allclose(quick, reduce(windows, axis=(4, 5)), rtol=1e-14)


LAYER = "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))"


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda x: nn.Conv2d(3, 8, 3)(x[:, :2]), ShapeError, f"{LAYER} was given 2 channels"),
        (lambda x: nn.Conv2d(3, 8, 3)(x[:, :2]), ShapeError, "Expected 3 channels.\nWrite Conv2d(2, 8, ...)"),
        (lambda x: nn.Conv2d(3, 8, 3)(x[0]), ShapeError, f"{LAYER} was given an input of shape (3, 8, 8)"),
        (lambda x: nn.Conv2d(3, 8, 3)(x[0]), ShapeError, "x[:, None] for grey images"),
        (lambda x: nn.Conv2d(3, 8, 3)(x[0, 0]), ShapeError, "Write x.reshape(n, c, h, w)"),
        (lambda x: nn.Conv2d(3, 8, 3)(x.astype("int64")), DTypeError, "dtype int64. Write x.astype('float32')"),
        (
            lambda x: nn.Conv2d(3, 8, 9)(x),
            ShapeError,
            "images of 8 x 8, 8 x 8 with padding, for windows that reach over 9 x 9",
        ),
        (
            lambda x: nn.Conv2d(3, 8, 3, padding=1, dilation=5)(x),
            ShapeError,
            "10 x 10 with padding, for windows that reach over 11",
        ),
        (lambda x: F.conv2d(x, ag.ones((8, 2, 3, 3))), ShapeError, "conv2d was given 3 channels"),
        (
            lambda x: F.conv2d(x, ag.ones((8, 3))),
            ShapeError,
            "a weight of shape (8, 3). Expected (O, C / groups, kh, kw)",
        ),
        (
            lambda x: F.conv2d(x, ag.ones((8, 1, 3, 3)), groups=3),
            ArgumentError,
            "groups=3 for 8 outputs. Expected a divisor",
        ),
        (lambda x: nn.Conv2d(3, 8, 3, groups=2), ArgumentError, "3 and 8 channels in 2 groups"),
        (lambda x: nn.Conv2d(0, 8, 3), ArgumentError, "0 and 8 channels"),
        (lambda x: nn.Conv2d(3, 8, 0), ArgumentError, "Conv2d was given kernel_size=0"),
        (
            lambda x: nn.Conv2d(3, 8, (3, 3, 3)),
            ArgumentError,
            "kernel_size=(3, 3, 3). Expected a whole number, or one each",
        ),
        (lambda x: nn.Conv2d(3, 8, 3, padding=-1), ArgumentError, "padding=-1"),
        (
            lambda x: nn.Conv2d(3, 8, 3, padding="full"),
            ArgumentError,
            "padding='full'. Expected a whole number, 'same' or 'valid'",
        ),
        (lambda x: nn.Conv2d(3, 8, 3, stride=2, padding="same"), ArgumentError, "padding='same' with stride=(2, 2)"),
        (lambda x: nn.MaxPool2d(2, padding=2), ArgumentError, "MaxPool2d was given padding=2. Expected at most half"),
        (
            lambda x: nn.AvgPool2d(9)(x),
            ShapeError,
            "AvgPool2d(kernel_size=9, stride=9, padding=0) was given images of 8 x 8",
        ),
        (
            lambda x: nn.MaxPool2d(2)(x[0]),
            ShapeError,
            "MaxPool2d(kernel_size=2, stride=2, padding=0) was given an input of",
        ),
        (lambda x: F.avg_pool2d(x, 2, stride=0), ArgumentError, "avg_pool2d was given stride=0"),
        (
            lambda x: nn.Linear(3, 2)(x),
            ShapeError,
            "Linear(in_features=3, out_features=2, bias=True) was given an input of shape",
        ),
        (lambda x: nn.Linear(3, 2)(x), ShapeError, "Expected (..., 3).\nWrite Linear(8, 2), or x.reshape(len(x), -1)"),
        (lambda x: nn.Linear(8, 2)(x.astype("uint8")), DTypeError, "dtype uint8. Write x.astype('float32')"),
        (lambda x: nn.Linear(1, 2)(ag.tensor(1.0)), ShapeError, "was given an input of shape ()"),
        (lambda x: nn.Linear(0, 2), ArgumentError, "Linear was given 0 and 2 features. Expected at least 1 each"),
        (lambda x: nn.Flatten(1, 7)(x), IndexOutOfRange, "axis 7"),
        (lambda x: nn.GELU("erf"), ArgumentError, "GELU was given approximate='erf'. Expected 'none' or 'tanh'"),
        (lambda x: F.gelu(x, "erf"), ArgumentError, "gelu was given approximate='erf'"),
    ],
)
def test_errors_name_the_layer_the_shapes_and_the_fix(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run(ag.ones((2, 3, 8, 8), dtype="float32"))
