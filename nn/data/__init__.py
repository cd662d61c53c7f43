"""Data on its way to a model: batches, the order of rows, and parts of which only one is learnt from."""

from nn.data.loader import DataLoader
from nn.data.sampler import BalancedSampler, Sampler, WeightedSampler
from nn.data.split import Split, folds, preprocess, split

__all__ = ["BalancedSampler", "DataLoader", "Sampler", "Split", "WeightedSampler", "folds", "preprocess", "split"]
