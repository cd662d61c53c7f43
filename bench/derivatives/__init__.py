"""What Hessians, Jacobians, products with them and per-sample gradients take, each library in a process of its own."""

from bench.derivatives.measure import ABOUT, run, show

__all__ = ["ABOUT", "run", "show"]
