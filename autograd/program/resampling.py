"""Resampling and windows of images by kernels, outside of fused functions and as a step of programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.config import config
from autograd.primitive import primitives
from autograd.program.launch import kernel_module

LEAST = 1 << 10  # elements of the output from which on a launch is worth it
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def _by_kernel(plain: Callable[..., Any], name: str) -> Callable[..., Any]:
    def forward(x: Any, p: Any, **settings: Any) -> Any:
        whole = isinstance(x, np.ndarray) and isinstance(p, np.ndarray) and x.size and p.size
        smooth = settings["orders"] == (0, 0) or not settings["nearest"]
        if whole and smooth and x.dtype in _FLOATS and p.dtype in _FLOATS and config.kernels:
            size = x.shape[1] * len(x) * p.shape[2] * p.shape[3]
            if size >= LEAST and 0 not in settings.get("shape", ()):
                return getattr(kernel_module("resample"), name)(x, p, **settings)
        return plain(x, p, **settings)

    return forward


for _op, _name in (("resample", "read"), ("resample_transpose", "spread")):
    primitives[_op].forward = _by_kernel(primitives[_op].forward, _name)


def _windows(plain: Callable[..., Any]) -> Callable[..., Any]:
    def forward(x: Any, corners: Any, turned: Any, *, size: tuple[int, int], edge: bool, fill: float) -> Any:
        found = len(x) * x.shape[1] * size[0] * size[1]
        if isinstance(x, np.ndarray) and x.size and found >= LEAST and x.itemsize in (1, 2, 4, 8) and config.kernels:
            return kernel_module("crop").windows(x, corners, turned, size, edge, fill)
        return plain(x, corners, turned, size=size, edge=edge, fill=fill)

    return forward


primitives["crop"].forward = _windows(primitives["crop"].forward)
