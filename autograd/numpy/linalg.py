"""`numpy.linalg` with derivatives: `import autograd.numpy as np`, then `np.linalg.solve(a, b)`."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.numpy.wrap import namespace

_OWN: dict[str, Any] = {"pinv": lambda a, rcond=None: ag.pinv(a, rcond), "cholesky": ag.cholesky}

globals().update(namespace(np.linalg, _OWN, {"multi_dot": ag.multi_dot}))


def __getattr__(name: str) -> Any:
    return getattr(np.linalg, name)
