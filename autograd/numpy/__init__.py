"""NumPy's names with derivatives, for programs written for HIPS autograd: `import autograd.numpy as np`.

Every public name of NumPy is here. A function given arrays is NumPy's own, and gives arrays. Given a Tensor, which is
what a function finds in place of an argument that it is differentiated by, it is the one of `autograd` with NumPy's
arguments, or a composition of those, and records; one that is constant wherever it has a derivative (`floor`,
`argmax`, `isnan`) gives an array off the tape; one without a rule raises `UnsupportedError` rather than drop a
gradient. Lists with Tensors in them are stacked: `np.array([x[0], 2.0 * x[1]])`.

How arrays come back
    `autograd.grad` of a program of Tensors gives a Tensor, that of HIPS autograd an array. The two are told apart by
    the module that asks: if it, or the module that the function is written in, has a global name bound to
    `autograd.numpy`, `autograd.scipy`, `autograd.misc`, `autograd.extend`, `autograd.builtins`, `autograd.test_util`
    or something out of them, then `grad`, `value_and_grad`, `jacobian`, `hessian`, `elementwise_grad` and `checkpoint`
    give arrays, except what an outer derivative still needs, which stays a Tensor. Integers are then taken for
    floating numbers, and `hessian` takes results of several elements. In every other module nothing changes, whoever
    imports this one. `argnum`, by position too, is another name of `argnums` everywhere.

Complex numbers
    Where arrays come back, the gradient of a real L by z = x + iy is dL/dx - i dL/dy, the conjugate of what it is in
    every other module. `jacobian` takes complex arguments there if the results are real, and `holomorphic_grad` real
    ones, with a warning. Cotangents of `make_vjp` and of rules are in the same form, without a conjugate.

What differs from HIPS autograd
    The gradient of `eigh` is Hermitian, where there it is by the lower triangle; `deriv` by a complex number is the
    derivative along 1, not along 1 + i; `eig` has no derivative. Ties of `maximum` and kinks are as everywhere in
    `autograd`. A differentiated list is a list, and an array a Tensor: `isinstance(x, np.ndarray)` is true of one with
    the `isinstance` of `autograd.builtins`.

>>> import autograd
>>> autograd.grad(lambda x: sum(sin(x)))(array([0.0, pi]))
array([ 1., -1.])
"""

from __future__ import annotations

from typing import Any

import numpy as _numpy

from autograd.numpy import fft, linalg, random
from autograd.numpy.arithmetic import OWN as _ARITHMETIC
from autograd.numpy.manipulation import LISTS as _LISTS
from autograd.numpy.manipulation import OWN as _MANIPULATION
from autograd.numpy.wrap import namespace as _namespace

_names = _namespace(_numpy, _ARITHMETIC | _MANIPULATION, _LISTS) | {"fft": fft, "linalg": linalg, "random": random}
globals().update(_names)
__all__ = sorted(_names)


def __getattr__(name: str) -> Any:
    return getattr(_numpy, name)
