"""Functions of one large array run as kernels outside of fused functions too, where that is faster than NumPy.

Of the kernels' functions these are the ones that `python -m bench kernels` shows to win; the others stay with NumPy. As
kernels they are silent where NumPy warns: of overflow, of the logarithm of zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.config import config
from autograd.primitive import Primitive, Traced, primitives
from autograd.program.fused import Fused

LEAST = 1 << 16  # elements from which on a launch is worth it
_F4, _F8 = np.dtype(np.float32), np.dtype(np.float64)
FASTER = {
    "exp": (_F4, _F8),
    "exp2": (_F4, _F8),
    "expm1": (_F4, _F8),
    "log": (_F4, _F8),
    "log1p": (_F4, _F8),
    "tanh": (_F4, _F8),
    "sigmoid": (_F4, _F8),
    "softplus": (_F4, _F8),
    "erf": (_F4, _F8),
    "erfc": (_F4, _F8),
    "ndtr": (_F4,),
    "sin": (_F4, _F8),
    "cos": (_F4, _F8),
    "sinh": (_F4, _F8),
    "cosh": (_F4, _F8),
    "atan": (_F8,),
    "rsqrt": (_F4, _F8),
}


def _by_kernel(op: Primitive, dtypes: tuple[np.dtype[Any], ...]) -> Callable[[Any], Any]:
    plain = op.forward
    kernel = Fused(lambda x: op(x) if isinstance(x, Traced) else plain(x), smallest=1)

    def forward(x: Any) -> Any:
        if isinstance(x, np.ndarray) and x.size >= LEAST and x.dtype in dtypes and config.kernels:
            return kernel(x)
        return plain(x)

    return forward


for _name, _dtypes in FASTER.items():
    primitives[_name].forward = _by_kernel(primitives[_name], _dtypes)
