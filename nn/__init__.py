"""Neural networks: modules, layers, losses, data and training, composed of `autograd`: `import nn`."""

from typing import TYPE_CHECKING

from nn import data, functional, init, parametrizations, parametrize
from nn.activation import GELU, LogSigmoid, Sigmoid, Softplus, Softsign, Tanh
from nn.adaptive_pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
)
from nn.attention import MultiheadAttention
from nn.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from nn.binary import BCELoss, BCEWithLogitsLoss
from nn.callback import Callback
from nn.callbacks import (
    CSVLogger,
    DeadUnitMonitor,
    GradientMonitor,
    LearningRateScheduler,
    ModelCheckpoint,
    TensorBoard,
    TerminateOnNaN,
)
from nn.categorical import CrossEntropyLoss, NLLLoss
from nn.cell import GRUCell, LSTMCell, RNNCell
from nn.checkpoint import load, save
from nn.container import ModuleDict, ModuleList, Sequential
from nn.conv import Conv1d, Conv2d, Conv3d
from nn.ctc import CTCLoss
from nn.data import DataLoader
from nn.distance import CosineSimilarity, PairwiseDistance
from nn.divergence import CategoricalCrossEntropyLoss, KLDivLoss
from nn.elsewhere import NN, of_package
from nn.embedding import Embedding, EmbeddingBag
from nn.estimator import Classifier, Regressor
from nn.focal import SigmoidFocalLoss, SoftmaxFocalLoss
from nn.fold import Fold, Unfold
from nn.gate import GLU, Mish, SiLU
from nn.gradcheck import gradcheck
from nn.group_norm import GroupNorm
from nn.hard import Hardsigmoid, Hardswish, Hardtanh
from nn.history import History
from nn.instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from nn.lazy import (
    LazyBatchNorm1d,
    LazyBatchNorm2d,
    LazyBatchNorm3d,
    LazyConv1d,
    LazyConv2d,
    LazyConv3d,
    LazyConvTranspose1d,
    LazyConvTranspose2d,
    LazyConvTranspose3d,
    LazyInstanceNorm1d,
    LazyInstanceNorm2d,
    LazyInstanceNorm3d,
    LazyLinear,
)
from nn.likelihood import GaussianNLLLoss, PoissonNLLLoss
from nn.linear import Bilinear, Flatten, Identity, Linear, Unflatten
from nn.losses import Loss
from nn.margin import HingeLoss, MarginRankingLoss, SoftMarginLoss, SquaredHingeLoss
from nn.metric import CosineEmbeddingLoss, HingeEmbeddingLoss, TripletMarginLoss, TripletMarginWithDistanceLoss
from nn.module import Buffer, Module, Parameter
from nn.multiclass import MultiLabelMarginLoss, MultiLabelSoftMarginLoss, MultiMarginLoss
from nn.norm import LayerNorm, RMSNorm
from nn.overlap import DiceLoss
from nn.padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from nn.parameter_container import ParameterDict, ParameterList
from nn.pooling import AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d
from nn.position import LearnedPositionalEncoding, PositionalEncoding, RotaryEmbedding
from nn.power_pooling import LPPool1d, LPPool2d, LPPool3d
from nn.rectifier import CELU, ELU, SELU, LeakyReLU, PReLU, ReLU, ReLU6, RReLU, Threshold
from nn.recurrent import GRU, LSTM, RNN
from nn.regression import HuberLoss, L1Loss, LogCoshLoss, MSELoss, QuantileLoss, SmoothL1Loss
from nn.response_norm import LocalResponseNorm
from nn.sequence import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)
from nn.shrink import Hardshrink, Softshrink, Tanhshrink
from nn.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle
from nn.softmax import LogSoftmax, Softmax, Softmax2d, Softmin
from nn.stateless import functional_call
from nn.strict import strict
from nn.trainer import Trainer
from nn.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)
from nn.transposed import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from nn.unpooling import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d
from nn.upsample import Upsample
from nn.vector import parameters_to_vector, vector_to_parameters

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "CSVLogger",
    "CTCLoss",
    "Callback",
    "CategoricalCrossEntropyLoss",
    "ChannelShuffle",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "Classifier",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "DataLoader",
    "DeadUnitMonitor",
    "DiceLoss",
    "Embedding",
    "EmbeddingBag",
    "Flatten",
    "Fold",
    "GRUCell",
    "GaussianNLLLoss",
    "GradientMonitor",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "KLDivLoss",
    "L1Loss",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "LSTMCell",
    "LayerNorm",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "LeakyReLU",
    "LearnedPositionalEncoding",
    "LearningRateScheduler",
    "Linear",
    "LocalResponseNorm",
    "LogCoshLoss",
    "LogSigmoid",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Mish",
    "ModelCheckpoint",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "PackedSequence",
    "PairwiseDistance",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "PoissonNLLLoss",
    "PositionalEncoding",
    "QuantileLoss",
    "RMSNorm",
    "RNNCell",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "Regressor",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "RotaryEmbedding",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SigmoidFocalLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmax2d",
    "SoftmaxFocalLoss",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SquaredHingeLoss",
    "Tanh",
    "Tanhshrink",
    "TensorBoard",
    "TerminateOnNaN",
    "Threshold",
    "Trainer",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "Unflatten",
    "Unfold",
    "Upsample",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    "data",
    "functional",
    "functional_call",
    "gradcheck",
    "init",
    "load",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "save",
    "strict",
    "unpack_sequence",
    "unpad_sequence",
    "vector_to_parameters",
]


if not TYPE_CHECKING:  # a checker would take any name for one of this module's

    def __getattr__(name: str) -> object:
        of_package("nn", NN, name)
