"""Each function of nn.functional does what the module of the same name does."""

import inspect
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange

FIGURES = Path(__file__).parents[1] / "figures"
sys.path.insert(0, str(FIGURES))
FIGURE = runpy.run_path(str(FIGURES / "make_nn.py"))
NAMES = {
    "binary_cross_entropy": "BCELoss",
    "mean_absolute_error": "L1Loss",
    "mean_squared_error": "MSELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "batch_norm": "BatchNorm3d",
    "instance_norm": "InstanceNorm3d",
    "interpolate": "Upsample",
}
ALONE: set[str] = {
    "affine_grid",
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "embedding_bag",
    "feature_alpha_dropout",
    "grid_sample",
    "gumbel_softmax",
    "normalize",
    "one_hot",
    "pad",
    "pdist",
    "scaled_dot_product_attention",
}  # functions that no module stands for; each has tests of its own
ONLY_MODULES = {"padding_mode"}  # a function is given the padded input
CLASSES = {name.lower(): name for name in vars(nn) if name[0].isupper()}


def kind_of(name):
    """The class of a function: cross_entropy, CrossEntropyLoss."""
    plain = name.replace("_", "")
    return NAMES.get(name) or CLASSES.get(plain) or CLASSES.get(plain + "loss")


FUNCTIONS = {name: kind_of(name) for name in F.__all__ if name not in ALONE}


def test_every_function_belongs_to_a_module():
    assert len(FUNCTIONS) > 20
    assert [name for name, kind in FUNCTIONS.items() if kind is None] == []


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_and_module_agree_bit_for_bit(name):
    function, compared = getattr(F, name), 0
    for topic in FIGURE["TOPICS"]:
        for c, record in zip(FIGURE["topic"](topic)["CASES"], FIGURE["load"](topic)["records"], strict=True):
            if c["kind"] != FUNCTIONS[name] or set(c["options"]) & ONLY_MODULES:
                continue
            module = getattr(nn, c["kind"])(*c["args"], **c["options"]).to("float64").train(c["training"])
            xs = [v for key, v in record.items() if key.startswith("in.")]
            rest = list(inspect.signature(function).parameters)[len(xs) :]
            y = function(*xs, **{key: getattr(module, key) for key in rest if hasattr(module, key)}, **c["call"])
            for ours, theirs in zip(FIGURE["flat"](y), FIGURE["flat"](module(*xs, **c["call"])), strict=True):
                np.testing.assert_array_equal(ag.asarray(ours).detach(), ag.asarray(theirs).detach())
            compared += 1
    assert compared


@pytest.mark.parametrize("labels", [[0, 2, 1], [[1, 1], [0, 3]], 2, np.zeros((0, 2), int), np.array([1, 0], "uint8")])
def test_one_hot_rows_are_those_of_the_identity(labels):
    for run in (F.one_hot, ag.compile(F.one_hot)):
        rows = run(ag.tensor(labels), 4)
        np.testing.assert_array_equal(rows, np.eye(4, dtype=int)[np.asarray(labels)])
        assert rows.dtype == np.int64
    assert F.one_hot([0, 2]).shape == (2, 3)


def test_labels_that_are_none_are_refused():
    with pytest.raises(IndexOutOfRange, match=r"one_hot was given the label 3 at position \(1,\). Expected 0 to 2"):
        F.one_hot([0, 3], 3)
    with pytest.raises(DTypeError, match=r"one_hot was given labels of dtype float64. Write labels.astype"):
        F.one_hot([0.0, 1.0])


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gumbel_softmax_draws_classes_with_their_probabilities(dim):
    p = np.array([0.5, 0.3, 0.2])
    shape = [1, 1, 1]
    shape[dim] = 3
    x = ag.tensor(np.broadcast_to(np.log(p).reshape(shape), [3 if n == 3 else 40 for n in shape]), requires_grad=True)
    hard, soft = (F.gumbel_softmax(x, 0.7, hard, dim=dim, generator=ag.random.Generator(0)) for hard in (True, False))
    assert set(hard.detach().numpy().round(12).ravel()) == {0.0, 1.0}
    np.testing.assert_allclose(np.moveaxis(hard.detach().numpy(), dim, 0).reshape(3, -1).mean(1), p, atol=0.05)
    np.testing.assert_allclose(soft.detach().numpy().sum(dim), 1)
    np.testing.assert_array_equal(hard.detach().numpy().argmax(dim), soft.detach().numpy().argmax(dim))
    weights = np.random.default_rng(0).standard_normal(x.shape)
    one, other = (ag.grad((y * weights).sum(), x)[0].numpy() for y in (hard, soft))
    np.testing.assert_allclose(one, other)
    assert np.abs(one).max() > 0


def test_gumbel_softmax_needs_a_temperature_and_floats():
    assert F.gumbel_softmax(ag.ones((2, 3), "float32"), hard=True).dtype == np.float32
    with pytest.raises(ArgumentError, match=r"tau=0. Expected a positive number"):
        F.gumbel_softmax(ag.ones(3), 0)
    with pytest.raises(DTypeError, match=r"gumbel_softmax was given an input of dtype int64"):
        F.gumbel_softmax(ag.tensor([1, 2]))
