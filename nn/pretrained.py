"""Starting from weights that were trained before, with an account of what was taken over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import autograd as ag
from nn.checkpoint import load
from nn.module import Module
from nn.state import check_state, compare


@dataclass(frozen=True)
class Pretrained:
    """What `from_pretrained` took over and what it did not; its `repr` is the report.

    Attributes:
        matched: names that now have the source's values.
        missing: names of the module that the source has not: they keep their starting values.
        unexpected: names of the source that the module has not.
        unfit: names that both have, in another shape or dtype: they keep their starting values too.
        report: the same as text, with shapes and the nearest names.
    """

    matched: list[str]
    missing: list[str]
    unexpected: list[str]
    unfit: list[str]
    report: str

    def __repr__(self) -> str:
        return self.report


def from_pretrained(
    module: Module, source: str | PathLike[str] | Module | Mapping[str, Any], strict: bool = False
) -> Pretrained:
    """Take over every value of `source` that has a partner of its name and shape in the module.

    Parameters:
        module: what is initialised; changed, but for what has no partner.
        source: a safetensors or `.npz` file, another module, or arrays by name.
        strict: whether anything without a partner is an error, and the module left as it was.

    Returns:
        What was matched, missing, unexpected or unfit, by name; printing it gives the report.

    Raises:
        CheckpointError: if strict, listing everything that does not fit; or if nothing at all fits.
        FileNotFoundError: no such file.

    >>> import nn
    >>> old = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 10))
    >>> new = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> found = nn.init.from_pretrained(new, old)
    >>> found
    matched 2 of 4 entries of Sequential, 40 of 67 values
      matched: 0.weight, 0.bias
      wrong shape: 2.weight is (10, 8) in the source, (3, 8) in the module
      wrong shape: 2.bias is (10,) in the source, (3,) in the module
    >>> found.unfit
    ['2.weight', '2.bias']
    """
    state: Mapping[str, Any]
    if isinstance(source, Module):
        state = source.state_dict()
    else:
        state = source if isinstance(source, Mapping) else load(source)
    entries = module._entries()
    kind = type(module).__name__
    if strict:
        check_state(kind, entries, state, strict=True)
    found = compare(entries, state, "source")
    if entries and not found.values:
        check_state(kind, entries, state, strict=True)
    with ag.no_grad():
        for name, value in found.values.items():
            entries[name].copy_(value)
    sizes = [sum(entries[name].size for name in names) for names in (found.values, entries)]
    lines = [f"matched {len(found.values)} of {len(entries)} entries of {kind}, {sizes[0]:,} of {sizes[1]:,} values"]
    lines += [f"matched: {', '.join(found.values)}"] if found.values else []
    lines += [f"missing: {name} {about}" for name, about in found.missing.items()]
    lines += [f"unexpected: {name}{near}" for name, near in found.unexpected.items()]
    lines += found.unfit.values()
    return Pretrained(
        list(found.values), list(found.missing), list(found.unexpected), list(found.unfit), "\n  ".join(lines)
    )
