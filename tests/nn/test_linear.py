"""Linear maps and changes of shape: errors that name the layer."""

import re

import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError

TWO = "Bilinear(in1_features=8, in2_features=3, out_features=2, bias=True)"


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (
            lambda x: nn.Linear(3, 2)(x),
            ShapeError,
            "Linear(in_features=3, out_features=2, bias=True) was given an input of shape",
        ),
        (lambda x: nn.Linear(3, 2)(x), ShapeError, "Expected (..., 3).\nWrite Linear(8, 2), or x.reshape(len(x), -1)"),
        (lambda x: nn.Linear(8, 2)(x.astype("uint8")), DTypeError, "dtype uint8. Write x.astype('float32')"),
        (lambda x: nn.Linear(1, 2)(ag.tensor(1.0)), ShapeError, "was given an input of shape ()"),
        (lambda x: nn.Linear(0, 2), ArgumentError, "Linear was given 0 and 2 features. Expected at least 1 each"),
        (lambda x: nn.Bilinear(8, 0, 2), ArgumentError, "Bilinear was given (8, 0, 2) features. Expected at least 1"),
        (
            lambda x: nn.Bilinear(8, 3, 2)(x, x),
            ShapeError,
            f"{TWO} was given inputs of shapes (2, 3, 8, 8) and (2, 3, 8, 8). Expected (..., 8) and (..., 3)",
        ),
        (
            lambda x: nn.Bilinear(8, 3, 2)(x, x[0, :, :, :3]),
            ShapeError,
            "alike before the last axis.\nWrite ag.broadcast",
        ),
        (lambda x: nn.Bilinear(8, 8, 2)(x, x.astype("int32")), DTypeError, "dtype int32. Write x.astype('float32')"),
        (
            lambda x: F.bilinear(x, x, ag.ones((8, 8))),
            ShapeError,
            "bilinear was given a weight of shape (8, 8). Expected",
        ),
        (lambda x: nn.Flatten(1, 7)(x), IndexOutOfRange, "axis 7"),
        (
            lambda x: nn.Unflatten(4, (2, 4))(x),
            IndexOutOfRange,
            "was given an input of shape (2, 3, 8, 8), which has no",
        ),
        (lambda x: nn.Unflatten(2, (2, 3))(x), ShapeError, "Unflatten(dim=2, unflattened_size=(2, 3)) was given"),
        (lambda x: nn.Unflatten(2, (2, 3))(x), ShapeError, "8 along axis 2. Expected 6"),
        (lambda x: nn.Unflatten(-1, (-1, 3))(x), ShapeError, "8 along axis 3. Expected a multiple of 3"),
        (lambda x: nn.Unflatten(1, (-1, -1)), ArgumentError, "unflattened_size=(-1, -1). Expected positive lengths"),
        (lambda x: nn.Unflatten(1, ()), ArgumentError, "unflattened_size=(). Expected positive lengths"),
    ],
)
def test_errors_name_the_layer_the_shapes_and_the_fix(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run(ag.ones((2, 3, 8, 8), dtype="float32"))
