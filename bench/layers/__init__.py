"""What the heavy layers take, forward and backward, beside PyTorch, each in a process of its own."""

from bench.layers.measure import ABOUT, run
from bench.layers.result import show

__all__ = ["ABOUT", "run", "show"]
