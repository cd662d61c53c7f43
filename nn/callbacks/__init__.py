"""Callbacks: what to do as training goes on. Early stopping is `regularize.EarlyStopping`."""

from nn.callbacks.checkpoint import ModelCheckpoint
from nn.callbacks.logger import CSVLogger, TensorBoard
from nn.callbacks.monitor import DeadUnitMonitor, GradientMonitor
from nn.callbacks.nan import TerminateOnNaN
from nn.callbacks.schedule import LearningRateScheduler

__all__ = [
    "CSVLogger",
    "DeadUnitMonitor",
    "GradientMonitor",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "TensorBoard",
    "TerminateOnNaN",
]
