"""What HIPS autograd keeps beside its functions: flattening, optimizers, fixed points."""

from autograd.misc import fixed_points, optimizers
from autograd.misc.flatten import flatten

__all__ = ["fixed_points", "flatten", "optimizers"]
