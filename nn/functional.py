"""Everything in `nn` that has no state, as functions: `import nn.functional as F`."""

from autograd import relu, sigmoid, tanh
from nn.activation import gelu, logsigmoid, softplus, softsign
from nn.attention import scaled_dot_product_attention
from nn.batch_norm import batch_norm
from nn.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from nn.categorical import cross_entropy, nll_loss
from nn.conv import conv2d
from nn.ctc import ctc_loss
from nn.distance import cosine_similarity, pairwise_distance
from nn.divergence import categorical_cross_entropy, kl_div
from nn.dropout import dropout
from nn.focal import sigmoid_focal_loss, softmax_focal_loss
from nn.gate import glu, mish, silu
from nn.group_norm import group_norm
from nn.hard import hardsigmoid, hardswish, hardtanh
from nn.instance_norm import instance_norm
from nn.likelihood import gaussian_nll_loss, poisson_nll_loss
from nn.linear import linear
from nn.margin import hinge_loss, margin_ranking_loss, soft_margin_loss, squared_hinge_loss
from nn.metric import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from nn.multiclass import multi_margin_loss, multilabel_margin_loss, multilabel_soft_margin_loss
from nn.norm import layer_norm, rms_norm
from nn.overlap import dice_loss
from nn.pooling import avg_pool2d, max_pool2d
from nn.rectifier import celu, elu, leaky_relu, prelu, relu6, rrelu, selu, threshold
from nn.regression import (
    huber_loss,
    l1_loss,
    log_cosh_loss,
    mean_absolute_error,
    mean_squared_error,
    mse_loss,
    quantile_loss,
    smooth_l1_loss,
)
from nn.response_norm import local_response_norm, normalize
from nn.shrink import hardshrink, softshrink, tanhshrink
from nn.softmax import log_softmax, softmax, softmin

__all__ = [
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "categorical_cross_entropy",
    "celu",
    "conv2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dice_loss",
    "dropout",
    "elu",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "instance_norm",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_cosh_loss",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "max_pool2d",
    "mean_absolute_error",
    "mean_squared_error",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "pairwise_distance",
    "poisson_nll_loss",
    "prelu",
    "quantile_loss",
    "relu",
    "relu6",
    "rms_norm",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "sigmoid_focal_loss",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmax_focal_loss",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "squared_hinge_loss",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]
