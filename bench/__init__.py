"""Measurements: `python -m bench` lists them; `bench.kernel` and `bench.compare` measure a function of yours."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {"kernel": "bench.instrument", "compare": "bench.comparison", "WrongKernel": "bench.ulp"}


def __getattr__(name: str) -> Any:
    """The functions for users; imported late, as processes that measure another library must not load ours."""
    if name not in _PLACES:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
