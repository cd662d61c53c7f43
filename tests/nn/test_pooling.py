"""Pooling, and what exchanges channels and positions: edges, and errors that name the layer."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError


def test_padding_never_wins_and_the_first_of_equals_gets_the_gradient():
    x = ag.full((1, 1, 2, 2), -5.0, requires_grad=True)
    y = F.max_pool2d(x, 2, padding=1)
    assert y.tolist() == [[[[-5.0, -5.0], [-5.0, -5.0]]]]
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1.0, 0.0], [0.0, 0.0]]]]


@pytest.mark.parametrize("size", [2, 3])
def test_the_first_of_equals_in_an_adaptive_window_gets_the_gradient(size):
    x = ag.zeros((1, 4, 4), requires_grad=True)
    y = F.adaptive_max_pool2d(x, size)
    y.sum().backward()
    starts = [i * 4 // size for i in range(size)]
    expected = np.zeros((1, 4, 4))
    expected[0, np.repeat(starts, size), np.tile(starts, size)] = 1
    assert x.grad.tolist() == expected.tolist()


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
@pytest.mark.parametrize("shape", [(2, 3, 7, 8), (2, 3, 6, 9)])
def test_windows_side_by_side_are_the_same_as_a_view(pool, shape):
    x = np.random.default_rng(0).standard_normal(shape)
    quick = pool(ag.asarray(x), (2, 3))
    windows = ag.window(x, (2, 3), axes=(2, 3), stride=(2, 3))
    reduce = np.max if pool is F.max_pool2d else np.mean
    np.testing.assert_allclose(quick, reduce(windows, axis=(4, 5)), rtol=1e-14)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("outputs", [1, 2, 3, 5, 7, 9])
def test_adaptive_windows_are_those_of_their_definition(dims, outputs):
    x = np.random.default_rng(0).standard_normal((2, *(7, 6, 5)[:dims]))
    edges = [[(i * n // outputs, -(-(i + 1) * n // outputs)) for i in range(outputs)] for n in x.shape[1:]]
    for name, reduce in (("avg", np.mean), ("max", np.max)):
        y = getattr(F, f"adaptive_{name}_pool{dims}d")(ag.asarray(x), outputs)
        assert y.shape == (2, *(outputs,) * dims)
        for place in np.ndindex(*y.shape[1:]):
            part = x[(slice(None), *(slice(*e[i]) for e, i in zip(edges, place, strict=True)))]
            expected = reduce(part.reshape(2, -1), 1)
            np.testing.assert_allclose(y[(slice(None), *place)], expected, rtol=1e-13, atol=1e-15)


def test_a_last_window_hangs_over_the_end_with_ceil_mode():
    x = ag.asarray([[1.0, 2.0, 3.0, 4.0, 6.0]])
    assert F.max_pool1d(x, 2).tolist() == [[2.0, 4.0]]
    assert F.max_pool1d(x, 2, ceil_mode=True).tolist() == [[2.0, 4.0, 6.0]]
    assert F.avg_pool1d(x, 2, ceil_mode=True).tolist() == [[1.5, 3.5, 6.0]]
    assert F.avg_pool1d(x, 4, 4, ceil_mode=True).tolist() == [[2.5, 6.0]]
    assert F.max_pool1d(x, 6, ceil_mode=True).tolist() == [[6.0]]  # wider than the input, but it starts inside
    assert F.max_pool1d(x[:, :4], 2, ceil_mode=True).tolist() == [[2.0, 4.0]]


def test_power_pooling_at_zero_and_below():
    x = ag.zeros((1, 2, 2), requires_grad=True)
    y = F.lp_pool2d(x, 2, 2)
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist()) == ([[[0.0]]], [[[0.0, 0.0], [0.0, 0.0]]])
    assert F.lp_pool1d(ag.asarray([[-2.0, 0.0]]), 3, 2).tolist() == [[pytest.approx(-2.0)]]


def test_shuffles_are_undone():
    x = np.arange(2 * 12 * 2 * 3).reshape(2, 12, 2, 3)
    y = F.pixel_shuffle(x, 2)
    assert y.shape == (2, 3, 4, 6)
    assert y[1, 2, 3, 5] == x[1, 2 * 4 + 1 * 2 + 1, 1, 2]
    np.testing.assert_array_equal(F.pixel_unshuffle(y, 2), x)
    np.testing.assert_array_equal(F.channel_shuffle(F.channel_shuffle(x, 3), 4), x)
    assert F.channel_shuffle(x, 3)[0, :4, 0, 0].tolist() == x[0, [0, 4, 8, 1], 0, 0].tolist()


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 2), ((3, 1), (1, 2), (1, 2))])
def test_fold_is_the_transpose_of_unfold(stride, padding, dilation):
    rng = np.random.default_rng(0)
    x, options = rng.standard_normal((2, 3, 6, 7)), {"stride": stride, "padding": padding, "dilation": dilation}
    columns = F.unfold(x, (2, 3), **options)
    y = rng.standard_normal(columns.shape)
    np.testing.assert_allclose(np.sum(columns * y), np.sum(x * F.fold(y, (6, 7), (2, 3), **options)), rtol=1e-12)


def test_unfolded_columns_times_a_weight_are_a_convolution():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 7)), rng.standard_normal((4, 3, 2, 3))
    columns = F.unfold(x, (2, 3), padding=1)
    y = (w.reshape(4, -1) @ columns).reshape(2, 4, 7, 7)
    np.testing.assert_allclose(F.conv2d(x, w, padding=1), y, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda x: nn.MaxPool2d(2, padding=2), ArgumentError, "MaxPool2d was given padding=2. Expected at most half"),
        (lambda x: F.max_pool1d(x, 2, padding=3, dilation=4), ArgumentError, "kernel_size=2 with dilation=4"),
        (
            lambda x: nn.AvgPool2d(9)(x),
            ShapeError,
            "AvgPool2d(kernel_size=9, stride=9, padding=0) was given images of 8 x 8",
        ),
        (lambda x: nn.MaxPool2d(12, 2, ceil_mode=True)(x), ShapeError, "windows that reach over 12 x 12"),
        (
            lambda x: nn.MaxPool2d(2)(x[0, 0]),
            ShapeError,
            "MaxPool2d(kernel_size=2, stride=2, padding=0) was given an input of shape (8, 8)",
        ),
        (lambda x: nn.MaxPool1d(2)(x), ShapeError, "Expected (N, C, L) or (C, L)"),
        (lambda x: nn.AvgPool3d(2)(x[0]), ShapeError, "Expected (N, C, D, H, W) or (C, D, H, W)"),
        (lambda x: nn.MaxPool2d(2)(x.astype("int64")), DTypeError, "dtype int64. Write x.astype('float32')"),
        (lambda x: F.avg_pool2d(x, 2, stride=0), ArgumentError, "avg_pool2d was given stride=0"),
        (lambda x: nn.MaxPool2d(2, dilation=0), ArgumentError, "MaxPool2d was given dilation=0"),
        (lambda x: nn.AvgPool2d(2, divisor_override=0), ArgumentError, "AvgPool2d was given divisor_override=0"),
        (lambda x: F.avg_pool2d(x, 2, divisor_override=0), ArgumentError, "avg_pool2d was given divisor_override=0"),
        (lambda x: nn.LPPool2d(0, 2), ArgumentError, "LPPool2d was given norm_type=0. Expected a positive number"),
        (lambda x: F.lp_pool2d(x, float("inf"), 2), ArgumentError, "write max pooling for infinity"),
        (lambda x: nn.LPPool1d(2, 9)(x[0]), ShapeError, "LPPool1d(norm_type=2, kernel_size=9, stride=None"),
        (
            lambda x: nn.AdaptiveAvgPool2d(0),
            ArgumentError,
            "AdaptiveAvgPool2d was given output_size=0. Expected a whole",
        ),
        (
            lambda x: nn.AdaptiveMaxPool2d((1, 2, 3)),
            ArgumentError,
            "output_size=(1, 2, 3). Expected a whole number of at",
        ),
        (lambda x: F.adaptive_avg_pool1d(x[0], [2, 2]), ArgumentError, "output_size=[2, 2]"),
        (
            lambda x: nn.AdaptiveAvgPool1d(2)(x),
            ShapeError,
            "AdaptiveAvgPool1d(output_size=2) was given an input of shape",
        ),
        (lambda x: nn.AdaptiveMaxPool2d(2)(x[:, :, :0]), ShapeError, "(2, 3, 0, 8). Expected at least one element in"),
        (
            lambda x: nn.Unfold(9)(x),
            ShapeError,
            "Unfold(kernel_size=9, dilation=1, padding=0, stride=1) was given images",
        ),
        (lambda x: nn.Unfold(2)(x[0, 0]), ShapeError, "Expected (N, C, H, W) or (C, H, W)"),
        (lambda x: F.unfold(x, 0), ArgumentError, "unfold was given kernel_size=0"),
        (
            lambda x: nn.Fold((4, 4), 2)(x[0]),
            ShapeError,
            "Fold(output_size=(4, 4), kernel_size=2, dilation=1, padding=0, stride=1) was given an input of shape "
            "(3, 8, 8): 8 columns. Expected 9: 3 x 3 windows of an image of 4 x 4.\nWrite the output_size",
        ),
        (lambda x: F.fold(x[0], (4, 4), 3), ShapeError, "Expected (N, C x 9, L) or (C x 9, L)"),
        (lambda x: F.fold(x, (4, 4), 2), ShapeError, "fold was given an input of shape (2, 3, 8, 8)"),
        (lambda x: F.fold(x[0], (1, 4), 2), ShapeError, "images of 1 x 4, 1 x 4 with padding"),
        (lambda x: F.fold(x[0].astype("int64"), (4, 4), 2), DTypeError, "dtype int64"),
        (
            lambda x: nn.PixelShuffle(2)(x),
            ShapeError,
            "PixelShuffle(upscale_factor=2) was given an input of shape (2, 3,",
        ),
        (lambda x: nn.PixelShuffle(2)(x), ShapeError, "Expected (..., C x 4, H, W)"),
        (lambda x: nn.PixelUnshuffle(3)(x), ShapeError, "Expected (..., C, H, W), H and W multiples of 3"),
        (lambda x: nn.ChannelShuffle(2)(x), ShapeError, "C a multiple of 2"),
        (lambda x: F.channel_shuffle(x[0, 0], 2), ShapeError, "channel_shuffle was given an input of shape (8, 8)"),
        (
            lambda x: nn.PixelShuffle(0),
            ArgumentError,
            "PixelShuffle was given 0. Expected a whole number of at least 1",
        ),
    ],
)
def test_errors_name_the_layer_the_shapes_and_the_fix(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run(ag.ones((2, 3, 8, 8), dtype="float32"))


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("settings", [{"stride": None}, {"stride": 1, "padding": 1}, {"stride": 3}])
def test_the_largest_go_back_to_their_places(dims, settings):
    pool, back = getattr(nn, f"MaxPool{dims}d"), getattr(nn, f"MaxUnpool{dims}d")
    for lead in ((3,), (2, 3)):
        x = np.random.default_rng(0).standard_normal((*lead, *(7, 6, 5)[:dims]))
        y, places = pool(2, **settings, return_indices=True)(ag.asarray(x))
        assert np.array_equal(y, pool(2, **settings)(x))
        flat = x.reshape(*lead, -1)
        at = places.numpy().reshape(*lead, -1)
        assert np.array_equal(np.take_along_axis(flat, at, -1), y.numpy().reshape(at.shape))
        expected = np.zeros_like(flat)
        np.put_along_axis(expected, at, np.take_along_axis(flat, at, -1), -1)
        for size in (x.shape, x.shape[-dims:]):
            found = back(2, **settings)(y, places, output_size=size)
            assert np.array_equal(found, expected.reshape(x.shape))


def test_without_a_size_windows_fitted_evenly():
    x = ag.asarray(np.random.default_rng(0).standard_normal((1, 2, 6, 8)), "float32")
    y, places = F.max_pool2d(x, (2, 4), return_indices=True)
    assert F.max_unpool2d(y, places, (2, 4)).shape == x.shape
    y, places = F.max_pool2d(x, 2, 1, padding=1, return_indices=True)
    back = F.max_unpool2d(y, places, 2, 1, padding=1)
    assert (back.shape, back.dtype) == (x.shape, x.dtype)


def test_unpooling_is_differentiated_and_compiled():
    x = ag.asarray(np.random.default_rng(0).standard_normal((2, 3, 4, 6)), "float32")
    w = ag.ones(x.shape, dtype="float32")

    def loss(w):
        y, places = F.max_pool2d(x * w, 2, return_indices=True)
        return ag.sum(ag.square(F.max_unpool2d(y, places, 2)))

    slope = ag.grad(loss)(w)
    y, places = F.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_allclose(slope, 2 * F.max_unpool2d(ag.square(y), places, 2), rtol=1e-6)
    compiled = ag.compile(ag.grad(loss))
    for _ in range(3):
        np.testing.assert_allclose(compiled(w), slope, rtol=1e-6)


def test_places_that_do_not_fit():
    y, places = F.max_pool2d(ag.ones((1, 4, 4)), 2, return_indices=True)
    with pytest.raises(
        IndexOutOfRange, match=r"max_unpool2d was given indices from 0 to 10 .*output_size=x.shape\[-2:\]"
    ):
        F.max_unpool2d(y, places, 2, output_size=(3, 3))
    with pytest.raises(ShapeError, match="indices of shape"):
        F.max_unpool2d(y, places[:, :1], 2)
    with pytest.raises(ArgumentError, match=r"MaxUnpool2d.*Expected 2 lengths"):
        nn.MaxUnpool2d(2)(y, places, output_size=(1, 4, 4, 4))
