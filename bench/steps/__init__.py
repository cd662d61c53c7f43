"""What a whole training step takes, forward, backward and update, beside PyTorch and JAX, each in its own process."""

from bench.steps.measure import ABOUT, run, show

__all__ = ["ABOUT", "run", "show"]
