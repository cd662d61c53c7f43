"""Constant results, computed once when a program is made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd.program.capture import Capture
from autograd.program.symbol import Symbol

FOLDED = 1 << 12  # elements up to which a constant result is kept


def fold(symbols: Sequence[Symbol], capture: Capture) -> None:
    """Compute once what depends on constants alone, unless it is large and cheaper made again than read."""
    fixed = dict(capture.constants)
    for s in symbols:
        if s.op is None or not s.inputs or s.weak or s.size > FOLDED:
            continue
        if all(x in fixed for x in s.inputs if isinstance(x, Symbol)) and any(isinstance(x, Symbol) for x in s.inputs):
            with np.errstate(all="ignore"):
                value = np.asarray(s.op.forward(*(fixed.get(x, x) for x in s.inputs), **s.settings))
            fixed[s] = np.array(value, s.dtype, order="C")
            capture.constants.append((s, fixed[s]))
            s.op, s.inputs, s.settings = None, (), {}
