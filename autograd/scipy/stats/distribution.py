"""A distribution of SciPy whose functions are differentiable: what the modules beside this one are made of."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import autograd as ag
from autograd.numpy.wrap import Function, wrapped


def standardised(f: Callable[..., Any], density: str = "") -> Callable[..., Any]:
    """f of (x - loc) / scale and shapes, as a function of x, shapes, loc and scale.

    Parameters:
        f: the function for loc 0 and scale 1.
        density: "log" for the logarithm of a density, "plain" for a density, "" for a probability.
    """
    shapes = getattr(f, "shapes", f.__code__.co_varnames[1 : f.__code__.co_argcount])

    def located(x: Any, *args: Any, **settings: Any) -> Any:
        given = dict(zip((*shapes, "loc", "scale"), args, strict=False)) | settings
        loc, scale = given.pop("loc", 0.0), given.pop("scale", 1.0)
        y = f((x - loc) / scale, *[given[shape] for shape in shapes])
        return y - ag.log(scale) if density == "log" else y / scale if density else y

    return located


def functions(distribution: Any, own: dict[str, Any]) -> MappingProxyType[str, Function]:
    """Each function of a distribution of SciPy that has one of ours for Tensors."""
    return MappingProxyType({name: wrapped(name, getattr(distribution, name), f) for name, f in own.items()})
