"""Data on its way to a model: batches, the order of rows, and parts of which only one is learnt from."""

from typing import TYPE_CHECKING

from nn.data.loader import DataLoader
from nn.data.sampler import BalancedSampler, Sampler, WeightedSampler
from nn.data.split import Split, folds, preprocess, split
from nn.elsewhere import DATA, of_package

__all__ = ["BalancedSampler", "DataLoader", "Sampler", "Split", "WeightedSampler", "folds", "preprocess", "split"]


if not TYPE_CHECKING:  # a checker would take any name for one of this module's

    def __getattr__(name: str) -> object:
        of_package("nn.data", DATA, name)
