"""Padding: the order of its numbers, cutting, and errors that name the layer."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, ShapeError

NUMPY = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("mode", NUMPY)
@pytest.mark.parametrize("pad", [(1, 2), (0, 1, 2, 1), (1, 0, 0, 2, 1, 1)])
def test_pairs_are_given_for_the_last_axis_first(mode, pad):
    x = np.arange(2.0 * 3 * 4 * 3).reshape(2, 3, 4, 3)
    widths = [(0, 0)] * (4 - len(pad) // 2) + [(pad[k], pad[k + 1]) for k in range(len(pad) - 2, -1, -2)]
    np.testing.assert_array_equal(F.pad(ag.asarray(x), pad, mode), np.pad(x, widths, mode=NUMPY[mode]))


def test_a_value_is_what_constant_adds():
    assert F.pad(ag.asarray([1, 2]), (1, 1), value=7).tolist() == [7, 1, 2, 7]
    assert F.pad(ag.asarray([1.0, 2.0]), []).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("mode", NUMPY)
def test_negative_numbers_cut(mode):
    x = ag.asarray(np.arange(10.0).reshape(2, 5))
    np.testing.assert_array_equal(F.pad(x, (-1, -2), mode), x[:, 1:3])
    mixed = F.pad(x, (2, -1), mode)
    np.testing.assert_array_equal(mixed, np.pad(x, ((0, 0), (2, 0)), mode=NUMPY[mode])[:, :-1])


def test_the_gradient_of_repeated_elements_adds_up():
    x = ag.zeros((1, 3), requires_grad=True)
    F.pad(x, (2, 1), "replicate").sum().backward()
    assert x.grad.tolist() == [[3.0, 1.0, 2.0]]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Zero", "Constant", "Reflection", "Replication", "Circular"])
def test_layers_take_one_number_for_all_sides(kind, dims):
    layer = getattr(nn, f"{kind}Pad{dims}d")(*([1, 0.5] if kind == "Constant" else [1]))
    assert layer.padding == (1,) * (2 * dims)
    for batch in ((2,), (1, 2)):
        assert layer(ag.ones((*batch, *(3,) * dims))).shape == (*batch, *(5,) * dims)


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (
            lambda x: F.pad(x, (1, 2, 3)),
            ArgumentError,
            "pad was given pad=(1, 2, 3). Expected (before, after) for each",
        ),
        (lambda x: F.pad(x, (1.0, 2)), ArgumentError, "pad=(1.0, 2)"),
        (
            lambda x: F.pad(x, (1, 2), "edge"),
            ArgumentError,
            "mode='edge'. Expected one of: constant, reflect, replicate",
        ),
        (lambda x: F.pad(x, (1, 2), "reflect", 0.0), ArgumentError, "pad was given value=0.0 for mode='reflect'"),
        (
            lambda x: F.pad(x, (1, 1) * 5),
            ShapeError,
            "padding for 5 axes of shape (2, 3, 4, 4). Expected one pair each",
        ),
        (
            lambda x: F.pad(x, (4, 0), "reflect"),
            ShapeError,
            "padding (4, 0) for a length of 4, shape (2, 3, 4, 4). Expected",
        ),
        (
            lambda x: F.pad(x, (0, 5), "circular"),
            ShapeError,
            "Expected at most 4 with mode 'circular'.\nWrite less padding",
        ),
        (lambda x: F.pad(x[:, :, :0], (0, 0, 1, 0), "replicate"), ShapeError, "at most 0 with mode 'replicate'"),
        (
            lambda x: F.pad(x, (-3, -2)),
            ShapeError,
            "padding (-3, -2) for a length of 4, shape (2, 3, 4, 4). Nothing would",
        ),
        (lambda x: F.pad(x, (-5, 2)), ShapeError, "Nothing would be left: cut less"),
        (lambda x: F.pad(x, (-2, -2), "reflect"), ShapeError, "Nothing would be left: cut less"),
        (
            lambda x: nn.ReflectionPad2d(4)(x),
            ShapeError,
            "ReflectionPad2d((4, 4, 4, 4)) was given padding (4, 4) for a length of 4",
        ),
        (
            lambda x: nn.CircularPad1d((5, 0))(x[0]),
            ShapeError,
            "CircularPad1d((5, 0)) was given padding (5, 0) for a length of 4, shape (3, 4, 4). Expected at most 4",
        ),
        (
            lambda x: nn.ReplicationPad1d(1)(x),
            ShapeError,
            "ReplicationPad1d((1, 1)) was given an input of shape (2, 3, 4, 4)",
        ),
        (lambda x: nn.ReplicationPad1d(1)(x), ShapeError, "Expected (N, C, L) or (C, L)"),
        (lambda x: nn.ZeroPad3d(1)(x[0, 0]), ShapeError, "ZeroPad3d((1, 1, 1, 1, 1, 1)) was given padding for 3 axes"),
        (lambda x: nn.ReflectionPad2d((1, 2)), ArgumentError, "padding=(1, 2). Expected a whole number, or 4: (before"),
        (lambda x: nn.ConstantPad2d(1.5, 0.0), ArgumentError, "ConstantPad2d was given padding=1.5"),
    ],
)
def test_errors_name_the_layer_the_shapes_and_the_fix(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run(ag.ones((2, 3, 4, 4), dtype="float32"))
