"""Whether stored values fit a model, judged as a whole before any of them is taken over."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

import autograd as ag
from autograd import Tensor
from autograd.errors import CheckpointError, DTypeError


def check_state(
    kind: str, entries: Mapping[str, Tensor], state: Mapping[str, Tensor | ArrayLike], strict: bool
) -> dict[str, Tensor]:
    """The values of `state` that belong to `entries`, as Tensors of their own.

    Raises:
        CheckpointError: listing every missing and unexpected name (if `strict`), and every shape or dtype that differs.

    >>> check_state("Net", {"w": ag.zeros(2)}, {"w": [1.0, 2.0]}, strict=True)
    {'w': tensor([1., 2.])}
    """
    wrong: list[str] = []
    values: dict[str, Tensor] = {}
    if strict:
        wrong += [f"missing: {name} of shape {t.shape}" for name, t in entries.items() if name not in state]
        wrong += [f"unexpected: {name}{_nearest(name, entries)}" for name in state if name not in entries]
    for name, t in entries.items():
        if name not in state:
            continue
        try:
            value = values[name] = ag.tensor(state[name])
        except (DTypeError, ValueError) as error:
            wrong.append(f"no array: {name} ({str(error).splitlines()[0]})")
            continue
        if value.shape != t.shape:
            wrong.append(f"wrong shape: {name} is {value.shape} in the state, {t.shape} in the module")
        elif not np.can_cast(value.dtype, t.dtype, "same_kind"):
            wrong.append(f"wrong dtype: {name} is {value.dtype} in the state, {t.dtype} in the module")
    if wrong:
        lines = "\n  ".join(wrong)
        raise CheckpointError(
            f"the state does not fit this {kind}, and nothing of it was loaded:\n  {lines}\n"
            "Expected an array of the same shape for every name of module.state_dict(). "
            "Write strict=False to leave out names that have no partner."
        )
    return values


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=2)
    return f" (nearest: {', '.join(near)})" if near else ""
