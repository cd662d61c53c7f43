"""Parameters with row-sparse gradients: their rule, run on the rows that have a gradient and on no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any

import autograd as ag
from autograd import RowSparse, Tensor
from autograd.errors import UnsupportedError
from optim.together import State

Rule = Callable[..., tuple[Tensor, State]]


def refuse(name: str, g: RowSparse, rowwise: bool, settings: Mapping[str, Any]) -> None:
    """Say which rules do not leave rows without a gradient alone.

    Raises:
        UnsupportedError: if this one does not.
    """
    given = f"{name}.step was given a row-sparse gradient of shape {g.shape}"
    if not rowwise:
        raise UnsupportedError(
            f"{given}, but its rule moves rows without a gradient too.\n"
            "Write optim.SparseAdam, optim.Adagrad or optim.SGD for such parameters, or sparse=False where their rows "
            "are looked up."
        )
    if settings.get("weight_decay", 0) != 0:
        raise UnsupportedError(
            f"{given} and weight_decay={settings['weight_decay']}, which moves rows without a gradient too.\n"
            "Write weight_decay=0 for the group of this parameter, or sparse=False where its rows are looked up."
        )


def step(update: Rule, w: Tensor, g: RowSparse, state: State, settings: Mapping[str, Any], carried: Set[str]) -> None:
    """Update the rows of w, and of its state, that g holds.

    carried: the names of what moves rows on after their gradient; it is kept row-sparse, and its rows are updated too.
    """
    for name in carried & state.keys():
        if isinstance(state[name], Tensor):  # from a dense gradient, or a file
            state[name] = RowSparse.from_dense(state[name])
    g = g.coalesce()
    rows = g.indices
    for name in carried & state.keys():
        rows = g.union(state[name])
    before = dict(state)
    part = {name: _rows(x, rows) for name, x in before.items()}
    new, after = update(ag.take(w.detach(), rows, 0), g.rows(rows), part, **settings)
    for name, x in after.items():
        if not isinstance(x, Tensor):
            state[name] = x
        elif name in carried:
            state[name] = RowSparse(rows, x.detach(), w.shape)
        else:
            if name not in state:  # what it starts from is what a gradient of zero leaves
                state[name] = update(w.detach(), ag.zeros_like(w), before, **settings)[1][name].detach()
            ag.put_rows_(state[name], rows, x)
    ag.put_rows_(w, rows, new)


def _rows(x: Any, rows: Tensor) -> Any:
    """These rows of a part of the state, if it has any."""
    if isinstance(x, RowSparse):
        return x.rows(rows)
    return ag.take(x, rows, 0) if isinstance(x, Tensor) else x
