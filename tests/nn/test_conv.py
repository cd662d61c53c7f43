"""Convolution and its transpose: by definition, in any layout, at edges; errors that name the layer."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn.conv import _correlate
from nn.transposed import _correlate_transposed


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


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (3, 2, 2, 4)])
def test_the_transposed_convolution_is_the_transpose(dims, stride, padding, dilation, groups):
    """<conv(x), y> = <x, transposed(y)>, with the lengths that a stride leaves over made up for."""
    rng = np.random.default_rng(dims)
    x, w = rng.standard_normal((2, 4, *range(7, 7 + dims))), rng.standard_normal((8, 4 // groups, *range(2, 2 + dims)))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    forward, transposed = getattr(F, f"conv{dims}d"), getattr(F, f"conv_transpose{dims}d")
    y = rng.standard_normal(forward(x, w, **options).shape)
    bare = transposed(y, w, **options).shape[2:]
    extra = [n - m for n, m in zip(x.shape[2:], bare, strict=True)]
    back = transposed(y, w, output_padding=extra, **options)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(forward(x, w, **options) * y), np.sum(x * back), rtol=1e-11)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups", "bias"), [(1, 0, 1, 1, True), (2, 1, 1, 2, False), (3, 2, 2, 4, True)]
)
def test_signals_and_images_run_without_windows(dims, stride, padding, dilation, groups, bias, transposed):
    """What runs by kernels is the composition; volumes run as the composition."""
    rng = np.random.default_rng(dims)
    kind = getattr(nn, f"Conv{'Transpose' * transposed}{dims}d")
    layer = kind(4, 8, 2, stride, padding, dilation=dilation, groups=groups, bias=bias, dtype="float64")
    x, found = rng.standard_normal((12, 4, *range(9, 9 + dims))), []
    function = _correlate_transposed if transposed else _correlate
    before = set(function.plans)
    for kernels in (False, True):
        with config.using(kernels=kernels):
            t = ag.tensor(x, requires_grad=True)
            y = layer(t)
            y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
            found.append([y.value, t.grad.value, *(p.grad.value for p in layer.parameters())])
            layer.zero_grad()
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
    plans = [function.plans[key] for key in set(function.plans) - before]
    assert [isinstance(plan, str) for plan in plans] == [dims == 3]


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_an_output_size_stands_for_output_padding(dims):
    kind = getattr(nn, f"ConvTranspose{dims}d")
    x = ag.tensor(np.random.default_rng(0).standard_normal((2, 3, *(4,) * dims)), dtype="float32")
    by_padding = kind(3, 2, 3, stride=2, padding=1, output_padding=1, generator=ag.random.Generator(0))
    by_size = kind(3, 2, 3, stride=2, padding=1, generator=ag.random.Generator(0))
    assert by_size(x).shape == (2, 2, *(7,) * dims)
    np.testing.assert_array_equal(by_size(x, [8] * dims).detach(), by_padding(x).detach())
    np.testing.assert_array_equal(by_size(x[0], [2, 2] + [8] * dims).detach(), by_padding(x)[0].detach())


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_a_padding_mode_is_the_padded_image(mode):
    x = ag.tensor(np.random.default_rng(0).standard_normal((1, 2, 5, 6)), dtype="float32")
    layer = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
    expected = F.conv2d(F.pad(x, (2, 2, 1, 1), mode), layer.weight, layer.bias)
    np.testing.assert_array_equal(layer(x).detach(), expected.detach())


def test_a_batch_of_nothing():
    layer, back = nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(2, 1, 3)
    x = ag.zeros((0, 1, 5, 5), dtype="float32", requires_grad=True)
    y = back(nn.MaxPool2d(2)(layer(x)))
    assert y.shape == (0, 1, 3, 3)
    y.sum().backward()
    assert layer.weight.grad.tolist() == np.zeros((2, 1, 3, 3)).tolist()


def test_starting_values_lie_within_the_root_of_the_fan_in():
    for layer, fan in ((nn.Conv2d(8, 64, 3, groups=2), 36), (nn.ConvTranspose2d(64, 8, 3, groups=2), 36)):
        bound = fan**-0.5
        for p in (layer.weight, layer.bias):
            largest = float(ag.abs(p).max())
            assert bound * (0.99 if p.ndim > 1 else 0.6) < largest <= bound


LAYER = "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))"
UP = "ConvTranspose2d(3, 8, kernel_size=(3, 3), stride=(2, 2))"


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda x: nn.Conv2d(3, 8, 3)(x[:, :2]), ShapeError, f"{LAYER} was given 2 channels"),
        (
            lambda x: nn.Conv2d(3, 8, 3)(x[:, :2]),
            ShapeError,
            "(2, 2, 8, 8). Expected 3 channels.\nWrite Conv2d(2, 8, ...), or x.transpose(0, 3, 1, 2) if",
        ),
        (lambda x: nn.Conv2d(3, 8, 3)(x[0, :2]), ShapeError, "Write Conv2d(2, 8, ...), or x.transpose(2, 0, 1) if the"),
        (lambda x: nn.Conv2d(1, 8, 3)(x[0]), ShapeError, "last axis, or x[:, None] if the axis of channels is missing"),
        (lambda x: nn.Conv2d(3, 8, 3)(x[0, 0]), ShapeError, f"{LAYER} was given an input of shape (8, 8)"),
        (lambda x: nn.Conv1d(3, 8, 3)(x), ShapeError, "(2, 3, 8, 8). Expected (N, C, L) or (C, L)"),
        (lambda x: nn.Conv3d(3, 8, 3)(x[0]), ShapeError, "(3, 8, 8). Expected (N, C, D, H, W) or (C, D, H, W)"),
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
        (
            lambda x: nn.Conv1d(3, 8, 9)(x[:, :, 0]),
            ShapeError,
            "signals of 8, 8 with padding, for windows that reach over 9",
        ),
        (
            lambda x: nn.Conv2d(3, 8, 9, padding=8, padding_mode="reflect")(x),
            ShapeError,
            "padding=(8, 8), padding_mode='reflect') was given padding (8, 8) for a length of 8, shape (2, 3, 8, 8). "
            "Expected at most 7 with mode 'reflect'",
        ),
        (
            lambda x: nn.Conv2d(3, 8, 3, padding=9, padding_mode="circular")(x),
            ShapeError,
            "Expected at most 8 with mode 'circular'.\nWrite less padding, or 'replicate'",
        ),
        (lambda x: F.conv2d(x, ag.ones((8, 2, 3, 3))), ShapeError, "conv2d was given 3 channels"),
        (
            lambda x: F.conv2d(x, ag.ones((8, 3))),
            ShapeError,
            "conv2d was given a weight of shape (8, 3). Expected (O, C / groups, kH, kW)",
        ),
        (
            lambda x: F.conv1d(x, ag.ones((8, 3))),
            ShapeError,
            "conv1d was given a weight of shape (8, 3). Expected (O, C",
        ),
        (lambda x: F.conv2d(x, ag.ones((8, 3, 1, 1)), ag.ones(3)), ShapeError, "a bias of shape (3,) for 8 outputs"),
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
        (
            lambda x: nn.Conv1d(3, 8, (3, 3)),
            ArgumentError,
            "Conv1d was given kernel_size=(3, 3). Expected a whole number",
        ),
        (lambda x: nn.Conv2d(3, 8, 3, padding=-1), ArgumentError, "padding=-1"),
        (
            lambda x: nn.Conv2d(3, 8, 3, padding="full"),
            ArgumentError,
            "padding='full'. Expected a whole number, 'same' or 'valid'",
        ),
        (lambda x: nn.Conv2d(3, 8, 3, stride=2, padding="same"), ArgumentError, "padding='same' with stride=(2, 2)"),
        (
            lambda x: nn.Conv2d(3, 8, 3, padding_mode="wrap"),
            ArgumentError,
            "padding_mode='wrap'. Expected one of: zeros, reflect, replicate, circular",
        ),
        (lambda x: nn.ConvTranspose2d(3, 8, 3, 2)(x[:, :2]), ShapeError, f"{UP} was given 2 channels"),
        (lambda x: nn.ConvTranspose2d(3, 8, 3, 2)(x[:, :2]), ShapeError, "Write ConvTranspose2d(2, 8, ...)"),
        (lambda x: nn.ConvTranspose1d(3, 8, 3)(x), ShapeError, "Expected (N, C, L) or (C, L)"),
        (lambda x: nn.ConvTranspose2d(3, 8, 3)(x.astype("int8")), DTypeError, "dtype int8. Write x.astype('float32')"),
        (
            lambda x: nn.ConvTranspose2d(3, 8, 2, padding=5)(x),
            ShapeError,
            "whose output would be -1 x -1. Expected at least 1 along each axis: write less padding",
        ),
        (
            lambda x: nn.ConvTranspose2d(3, 8, 3, 2)(x, (17, 19)),
            ShapeError,
            f"{UP} was given output_size=(17, 19) for an input of shape (2, 3, 8, 8). Expected 17 x 17 to 18 x 18",
        ),
        (lambda x: nn.ConvTranspose2d(3, 8, 3, 2)(x, (17,)), ShapeError, "was given output_size=(17,) for an input"),
        (
            lambda x: nn.ConvTranspose2d(3, 8, 3, 2, output_padding=2),
            ArgumentError,
            "output_padding=(2, 2) with stride=(2, 2) and dilation=(1, 1). Expected less than one of them",
        ),
        (lambda x: nn.ConvTranspose2d(3, 8, 3, groups=2), ArgumentError, "3 and 8 channels in 2 groups"),
        (
            lambda x: nn.ConvTranspose2d(3, 8, 3, padding_mode="reflect"),
            ArgumentError,
            "ConvTranspose2d was given padding_mode='reflect'. Expected one of: zeros",
        ),
        (
            lambda x: F.conv_transpose2d(x, ag.ones((3, 8, 3))),
            ShapeError,
            "weight of shape (3, 8, 3). Expected (C, O / groups, kH, kW)",
        ),
        (lambda x: F.conv_transpose2d(x, ag.ones((3, 8, 1, 1)), groups=2), ArgumentError, "groups=2 for 3 channels"),
        (lambda x: F.conv_transpose2d(x, ag.ones((4, 8, 1, 1))), ShapeError, "conv_transpose2d was given 3 channels"),
        (
            lambda x: F.conv_transpose2d(x, ag.ones((3, 2, 1, 1)), ag.ones(2), groups=3),
            ShapeError,
            "a bias of shape (2,) for 6 outputs",
        ),
        (
            lambda x: F.conv_transpose2d(x, ag.ones((3, 2, 1, 1)), output_padding=1),
            ArgumentError,
            "output_padding=(1, 1)",
        ),
    ],
)
def test_errors_name_the_layer_the_shapes_and_the_fix(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run(ag.ones((2, 3, 8, 8), dtype="float32"))
