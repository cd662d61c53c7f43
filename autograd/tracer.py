"""What programs written for HIPS autograd ask of a value that may be on the tape."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor


def isbox(x: Any) -> bool:
    """Whether x is on the tape.

    >>> from autograd import tensor
    >>> isbox(tensor(1.0, requires_grad=True)), isbox(1.0)
    (True, False)
    """
    return isinstance(x, Tensor) and x.node is not None


def getval(x: Any) -> Any:
    """The array of a Tensor; anything else as it is.

    >>> from autograd import tensor
    >>> print(getval(tensor(1.0, requires_grad=True)))
    1.0
    """
    return x.value if isinstance(x, Tensor) else x
