"""`numpy.fft` with derivatives, where `autograd` has a record for them: `np.fft.fft(x)` with `autograd.numpy` as np."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.numpy.wrap import namespace

globals().update(namespace(np.fft, {}))


def __getattr__(name: str) -> Any:
    return getattr(np.fft, name)
