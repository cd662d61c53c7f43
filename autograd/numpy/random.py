"""`numpy.random` as it is: what is drawn has no derivative, and arrays are what programs of arrays draw."""

from __future__ import annotations

from typing import Any

import numpy as np

globals().update({name: getattr(np.random, name) for name in np.random.__all__})


def __getattr__(name: str) -> Any:
    return getattr(np.random, name)
