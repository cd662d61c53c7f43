"""Data on its way to a model: batches, the order of rows, and parts of which only one is learnt from."""

from typing import TYPE_CHECKING

from nn.data.loader import DataLoader
from nn.data.sampler import BalancedSampler, Sampler, WeightedSampler
from nn.data.split import Split, folds, preprocess, split

_ELSEWHERE = {  # PyTorch's names
    "Dataset": "class Data: with __len__ and __getitem__; no base class is needed",
    "IterableDataset": "a function that gives a new generator of batches",
    "Subset": "x[rows], y[rows]",
    "TensorDataset": "nn.DataLoader(x, y, batch_size=32): arrays are given as they are",
    "WeightedRandomSampler": "nn.data.WeightedSampler",
    "random_split": "nn.data.split",
}

__all__ = ["BalancedSampler", "DataLoader", "Sampler", "Split", "WeightedSampler", "folds", "preprocess", "split"]


if not TYPE_CHECKING:  # a checker would take any name for one of this module's

    def __getattr__(name: str) -> object:
        hint = f". Write {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""
        raise AttributeError(f"module 'nn.data' has no attribute {name!r}{hint}")
