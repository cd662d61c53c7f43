"""Everything in `nn` that has no state, as functions: `import nn.functional as F`."""

from autograd import relu, sigmoid, tanh
from nn.activation import gelu, leaky_relu, log_softmax, silu, softmax, softplus
from nn.binary import binary_cross_entropy, binary_cross_entropy_with_logits, hinge_loss
from nn.categorical import cross_entropy, kl_div, nll_loss
from nn.conv import conv2d
from nn.linear import linear
from nn.pooling import avg_pool2d, max_pool2d
from nn.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "avg_pool2d",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "gelu",
    "hinge_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]
