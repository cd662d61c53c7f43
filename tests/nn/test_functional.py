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
    "dropout",
    "embedding_bag",
    "grid_sample",
    "normalize",
    "pad",
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
