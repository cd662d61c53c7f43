"""Neural networks: modules, layers, losses, data and training, composed of `autograd`: `import nn`."""

from nn import functional, init
from nn.activation import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from nn.binary import BCELoss, BCEWithLogitsLoss, HingeLoss
from nn.callback import Callback
from nn.categorical import CrossEntropyLoss, KLDivLoss, NLLLoss
from nn.checkpoint import load, save
from nn.container import ModuleDict, ModuleList, Sequential
from nn.conv import Conv2d
from nn.data import DataLoader
from nn.history import History
from nn.linear import Flatten, Identity, Linear
from nn.losses import Loss
from nn.module import Buffer, Module, Parameter
from nn.pooling import AvgPool2d, MaxPool2d
from nn.regression import HuberLoss, L1Loss, MSELoss, SmoothL1Loss
from nn.trainer import Trainer

__all__ = [
    "GELU",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Buffer",
    "Callback",
    "Conv2d",
    "CrossEntropyLoss",
    "DataLoader",
    "Flatten",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "Trainer",
    "functional",
    "init",
    "load",
    "save",
]
