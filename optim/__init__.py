"""Update rules, each stated once as a pure function of parameter, gradient and state: `import optim`."""

from typing import TYPE_CHECKING

from optim.adadelta import Adadelta
from optim.adagrad import Adagrad
from optim.adam import Adam, AdamW
from optim.adamax import Adamax
from optim.asgd import ASGD
from optim.average import WeightAverage
from optim.clip import clip_grad_adaptive_, clip_grad_norm_, clip_grad_value_
from optim.compose import ChainedScheduler, SequentialLR
from optim.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR
from optim.cyclic import CyclicLR
from optim.decay import (
    ConstantLR,
    ExponentialLR,
    InverseSquareRootLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from optim.elsewhere import OPTIM
from optim.lamb import LAMB
from optim.lbfgs import LBFGS
from optim.lion import Lion
from optim.lr_find import lr_find
from optim.nadam import NAdam
from optim.optimizer import Optimizer
from optim.plateau import ReduceLROnPlateau
from optim.radam import RAdam
from optim.rmsprop import RMSprop
from optim.rprop import Rprop
from optim.schedule import Schedule
from optim.sgd import SGD
from optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "LAMB",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "InverseSquareRootLR",
    "LambdaLR",
    "LinearLR",
    "Lion",
    "MultiStepLR",
    "MultiplicativeLR",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "PolynomialLR",
    "RAdam",
    "RMSprop",
    "ReduceLROnPlateau",
    "Rprop",
    "Schedule",
    "SequentialLR",
    "SparseAdam",
    "StepLR",
    "WeightAverage",
    "clip_grad_adaptive_",
    "clip_grad_norm_",
    "clip_grad_value_",
    "lr_find",
]


if not TYPE_CHECKING:  # a checker would take any name for one of this module's

    def __getattr__(name: str) -> object:
        hint = f". Write {OPTIM[name]}" if name in OPTIM else ""
        raise AttributeError(f"module 'optim' has no attribute {name!r}{hint}")
