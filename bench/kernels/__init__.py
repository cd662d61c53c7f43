"""What the kernels take, beside NumPy, PyTorch, `torch.compile` and `jax.jit`, each in a process of its own."""

from bench.kernels.measure import ABOUT, run
from bench.kernels.result import show

__all__ = ["ABOUT", "run", "show"]
