"""Everything in `nn` that has no state, as functions: `import nn.functional as F`."""

from typing import TYPE_CHECKING

from autograd import relu, sigmoid, tanh
from nn.activation import gelu, logsigmoid, softplus, softsign
from nn.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from nn.attention import scaled_dot_product_attention
from nn.batch_norm import batch_norm
from nn.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from nn.categorical import cross_entropy, nll_loss
from nn.conv import conv1d, conv2d, conv3d
from nn.ctc import ctc_loss
from nn.distance import cosine_similarity, pairwise_distance, pdist
from nn.divergence import categorical_cross_entropy, kl_div
from nn.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from nn.elsewhere import FUNCTIONAL, of_package
from nn.embedding import embedding, embedding_bag
from nn.focal import sigmoid_focal_loss, softmax_focal_loss
from nn.fold import fold, unfold
from nn.gate import glu, mish, silu
from nn.group_norm import group_norm
from nn.hard import hardsigmoid, hardswish, hardtanh
from nn.instance_norm import instance_norm
from nn.labels import one_hot
from nn.likelihood import gaussian_nll_loss, poisson_nll_loss
from nn.linear import bilinear, linear
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
from nn.padding import pad
from nn.pooling import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from nn.power_pooling import lp_pool1d, lp_pool2d, lp_pool3d
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
from nn.sampling import affine_grid, grid_sample
from nn.shrink import hardshrink, softshrink, tanhshrink
from nn.shuffle import channel_shuffle, pixel_shuffle, pixel_unshuffle
from nn.softmax import gumbel_softmax, log_softmax, softmax, softmin
from nn.transposed import conv_transpose1d, conv_transpose2d, conv_transpose3d
from nn.unpooling import max_unpool1d, max_unpool2d, max_unpool3d
from nn.upsample import interpolate

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "affine_grid",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "categorical_cross_entropy",
    "celu",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dice_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "grid_sample",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_cosh_loss",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mean_absolute_error",
    "mean_squared_error",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
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
    "unfold",
]


if not TYPE_CHECKING:  # a checker would take any name for one of this module's

    def __getattr__(name: str) -> object:
        of_package("nn.functional", FUNCTIONAL, name)
