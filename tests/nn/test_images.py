"""What convolution and pooling ask of their input and their sizes."""

import re

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn.images import expect_fit, expect_images, on_batch, pair, sizes


def test_one_number_stands_for_every_axis():
    assert sizes(2, 3, "stride", 1, "pool") == (2, 2, 2)
    assert sizes([2, 3], 2, "stride", 1, "pool") == (2, 3)
    assert pair(4, "stride", 1, "pool") == (4, 4)
    assert sizes(np.int64(2), 2, "stride", 1, "pool") == (2, 2)


def test_a_single_image_comes_out_alone():
    seen = []
    y = on_batch(lambda x: seen.append(x.shape) or 2 * x, ag.ones((3, 4, 5)), 2)
    assert (seen, y.shape, float(y.sum())) == ([(1, 3, 4, 5)], (3, 4, 5), 120.0)
    assert on_batch(lambda x: seen.append(x.shape) or x, ag.ones((2, 3, 4)), 1).shape == (2, 3, 4)
    assert seen[1] == (2, 3, 4)


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda: sizes(0, 1, "stride", 1, "f"), ArgumentError, "stride=0. Expected a whole number, not below 1"),
        (lambda: sizes((1, 2, 3), 2, "stride", 1, "f"), ArgumentError, "or one each for height and width, not below 1"),
        (lambda: sizes(1.5, 3, "stride", 1, "f"), ArgumentError, "one each for depth, height and width, not below 1"),
        (lambda: pair((1, -1), "padding", 0, "f"), ArgumentError, "f was given padding=(1, -1)"),
        (lambda: expect_images(ag.ones((3, 4)), 2, "f"), ShapeError, "f was given an input of shape (3, 4)"),
        (lambda: expect_images(ag.ones((3, 4)), 2, "f"), ShapeError, "Write x[:, None] if the axis of channels is"),
        (
            lambda: expect_images(ag.ones(3), 2, "f"),
            ShapeError,
            "Expected (N, C, H, W) or (C, H, W).\nWrite x.reshape(n, c",
        ),
        (lambda: expect_images(ag.ones((1,) * 4), 1, "f"), ShapeError, "Expected (N, C, L) or (C, L)"),
        (lambda: expect_images(ag.ones((1,) * 3), 3, "f"), ShapeError, "Expected (N, C, D, H, W) or (C, D, H, W)"),
        (lambda: expect_images(ag.arange(4).reshape(1, 2, 2), 2, "f"), DTypeError, "Write x.astype('float32')"),
        (
            lambda: expect_fit((3, 4), ((1, 0), (0, 0)), (4, 5), "f"),
            ShapeError,
            "images of 3 x 4, 4 x 4 with padding, for windows that reach over 4 x 5.\nWrite a smaller kernel_size",
        ),
        (lambda: expect_fit((3,), ((0, 0),), (4,), "f"), ShapeError, "signals of 3, 3 with padding"),
        (lambda: expect_fit((3, 3, 3), ((0, 0),) * 3, (4, 1, 1), "f"), ShapeError, "volumes of 3 x 3 x 3"),
    ],
)
def test_errors_say_what_was_expected(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run()
