"""Whether stored values fit a model, judged as a whole before any of them is taken over."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

import autograd as ag
from autograd import Tensor
from autograd.errors import CheckpointError, DTypeError


@dataclass(frozen=True)
class Match:
    """How stored values and a model's entries fit, by name.

    Attributes:
        values: what fits, as Tensors of their own.
        missing: what the model has and the source has not, each with its shape and, as text, the nearest names.
        unexpected: the reverse, each with the nearest names.
        unfit: why a value that both have cannot be taken over: another shape or dtype, or no array at all.

    >>> compare({"w": ag.zeros(2)}, {"w": [1.0, 2.0]}).values
    {'w': tensor([1., 2.])}
    """

    values: dict[str, Tensor]
    missing: dict[str, str]
    unexpected: dict[str, str]
    unfit: dict[str, str]


def compare(entries: Mapping[str, Tensor], state: Mapping[str, Tensor | ArrayLike], where: str = "state") -> Match:
    """Each value of `state` beside the entry of its name.

    >>> compare({"gain": ag.zeros(2)}, {"gian": [1.0, 2.0]}).missing
    {'gain': 'of shape (2,) (nearest: gian)'}
    """
    missing = [name for name in entries if name not in state]
    unexpected = [name for name in state if name not in entries]
    values: dict[str, Tensor] = {}
    unfit: dict[str, str] = {}
    for name, t in entries.items():
        if name not in state:
            continue
        try:
            value = ag.tensor(state[name])
        except (DTypeError, ValueError) as error:
            unfit[name] = f"no array: {name} ({str(error).splitlines()[0]})"
            continue
        if value.shape != t.shape:
            unfit[name] = f"wrong shape: {name} is {value.shape} in the {where}, {t.shape} in the module"
        elif not np.can_cast(value.dtype, t.dtype, "same_kind"):
            unfit[name] = f"wrong dtype: {name} is {value.dtype} in the {where}, {t.dtype} in the module"
        else:
            values[name] = value
    return Match(
        values,
        {name: f"of shape {entries[name].shape}{nearest(name, unexpected)}" for name in missing},
        {name: nearest(name, entries) for name in unexpected},
        unfit,
    )


def check_state(
    kind: str, entries: Mapping[str, Tensor], state: Mapping[str, Tensor | ArrayLike], strict: bool
) -> dict[str, Tensor]:
    """The values of `state` that belong to `entries`, as Tensors of their own.

    Raises:
        CheckpointError: listing every missing and unexpected name (if `strict`), and every shape or dtype that differs.

    >>> check_state("Net", {"w": ag.zeros(2)}, {"w": [1.0, 2.0]}, strict=True)
    {'w': tensor([1., 2.])}
    """
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"load_state_dict was given {type(state).__name__}. Expected arrays by name, as module.state_dict() and "
            "nn.load(path) give them."
        )
    found = compare(entries, state)
    wrong = list(found.unfit.values())
    if strict:
        unexpected = [f"unexpected: {name}{near}" for name, near in found.unexpected.items()]
        wrong = [f"missing: {name} {about}" for name, about in found.missing.items()] + unexpected + wrong
    if wrong:
        lines = "\n  ".join(wrong)
        raise CheckpointError(
            f"the state does not fit this {kind}, and nothing of it was loaded:\n  {lines}\n"
            "Expected an array of the same shape for every name of module.state_dict(). "
            "Write strict=False to leave out names that have no partner."
        )
    return found.values


def nearest(name: str, known: Iterable[str]) -> str:
    """The two names that are most like one, in parentheses; nothing if none is.

    >>> nearest("wieght", ["weight", "bias"])
    ' (nearest: weight)'
    """
    near = difflib.get_close_matches(str(name), list(known), n=2)
    return f" (nearest: {', '.join(near)})" if near else ""
