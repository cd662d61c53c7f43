"""Each function of nn.functional does what the module of the same name does."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F

FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_nn.py"))
FUNCTIONS = {
    "AvgPool2d": F.avg_pool2d,
    "BCELoss": F.binary_cross_entropy,
    "BCEWithLogitsLoss": F.binary_cross_entropy_with_logits,
    "Conv2d": F.conv2d,
    "CrossEntropyLoss": F.cross_entropy,
    "GELU": F.gelu,
    "HingeLoss": F.hinge_loss,
    "HuberLoss": F.huber_loss,
    "KLDivLoss": F.kl_div,
    "L1Loss": F.l1_loss,
    "LeakyReLU": F.leaky_relu,
    "Linear": F.linear,
    "LogSoftmax": F.log_softmax,
    "MSELoss": F.mse_loss,
    "MaxPool2d": F.max_pool2d,
    "NLLLoss": F.nll_loss,
    "ReLU": F.relu,
    "SiLU": F.silu,
    "Sigmoid": F.sigmoid,
    "SmoothL1Loss": F.smooth_l1_loss,
    "Softmax": F.softmax,
    "Softplus": F.softplus,
    "Tanh": F.tanh,
}
OF_THE_MODULE = {"bias", "in_features", "out_features", "in_channels", "out_channels"}


def test_every_function_belongs_to_a_module():
    assert sorted(F.__all__) == sorted(f.__name__ for f in FUNCTIONS.values())


@pytest.mark.parametrize("kind", sorted(FUNCTIONS))
def test_function_and_module_agree_bit_for_bit(kind):
    records = FIGURE["load"](FIGURES / "nn.npz")["records"]
    for c, record in zip(FIGURE["CASES"], records, strict=True):
        if c["kind"] != kind:
            continue
        module = getattr(nn, kind)(*c["args"], **c["options"]).to("float64")
        x = ag.asarray(record["x"])
        inputs = (x, record["target"]) if "target" in record else (x,)
        if kind in ("Linear", "Conv2d"):
            options = {k: v for k, v in c["options"].items() if k not in OF_THE_MODULE | {"kernel_size"}}
            y = FUNCTIONS[kind](x, module.weight, module.bias, **options)
        else:
            y = FUNCTIONS[kind](*inputs, *c["args"], **c["options"])
        np.testing.assert_array_equal(y.detach(), module(*inputs).detach())
