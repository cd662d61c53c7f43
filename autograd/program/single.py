"""Kernels that move single elements: into the numbers that another kernel reads, or into an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.program.launch import kernel_module

_SOURCE = """
def load(lo, hi, args):
    out = pointer_f8(args, 0)
    for k in range(lo, hi):
        place, kind, at = args[3 * k + 1], args[3 * k + 2], 3 * k + 3
        if kind == 0:
            out[place] = pointer_f4(args, at)[0]
        elif kind == 1:
            out[place] = pointer_f8(args, at)[0]
        elif kind == 2:
            out[place] = pointer_i8(args, at)[0]
        else:
            out[place] = pointer_i4(args, at)[0]

def copy(lo, hi, args):
    for k in range(args[2]):
        pointer_u1(args, 1)[k] = pointer_u1(args, 0)[k]
"""
LOADED = {np.dtype(name): kind for kind, name in enumerate(("float32", "float64", "int64", "int32"))}


def single(name: str) -> Any:
    """The kernel `load` or `copy`."""
    return kernel_module("compile").begin(_SOURCE, name, flags=(), hot=False)
