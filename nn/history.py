"""What a training has noted of each epoch, as arrays, as JSON, and as a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError
from nn.elsewhere import Elsewhere


class History:
    """The figures of each epoch by name: `history["val_loss"]` is an array with one number per epoch.

    A figure that an epoch does not have (no validation, say) is NaN there.

    >>> history = History()
    >>> history.append({"loss": 0.5, "val_loss": 1.0})
    >>> history.append({"loss": 0.25, "val_loss": 0.5})
    >>> history["val_loss"]
    array([1. , 0.5])
    >>> history.to_json()
    '{"epochs": [1, 2], "loss": [0.5, 0.25], "val_loss": [1.0, 0.5]}'
    """

    history = Elsewhere("history['loss']: it is the figures themselves")  # as of Keras

    def __init__(self) -> None:
        self._rows: list[dict[str, float]] = []

    def append(self, logs: Mapping[str, float]) -> None:
        """Note the figures of one more epoch."""
        self._rows.append(dict(logs))

    @property
    def last(self) -> dict[str, float]:
        """The figures of the last epoch as they are kept: what is added to them is noted too."""
        return self._rows[-1]

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The number of each epoch, from 1."""
        return np.arange(1, len(self._rows) + 1)

    def keys(self) -> list[str]:
        """The names, in the order in which they appeared."""
        return list(dict.fromkeys(name for row in self._rows for name in row))

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self:
            raise ArgumentError(f"the history has no {name!r}. It has: {', '.join(self.keys()) or 'no epoch yet'}.")
        return np.array([row.get(name, math.nan) for row in self._rows])

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __repr__(self) -> str:
        return f"History({len(self._rows)} epochs of {', '.join(self.keys()) or 'nothing'})"

    def state_dict(self) -> dict[str, Any]:
        """All figures, for a checkpoint."""
        return {"rows": [dict(row) for row in self._rows]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over all figures."""
        self._rows = [dict(row) for row in state_dict["rows"]]

    def to_json(self) -> str:
        """All figures as JSON, NaN and infinities as null."""
        columns = {name: [float(x) if math.isfinite(x) else None for x in self[name].tolist()] for name in self.keys()}
        return json.dumps({"epochs": self.epochs.tolist(), **columns})

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the curves into a picture file: a panel for each figure, training and validation together.

        Parameters:
            path: the file; its ending says the format (png, svg, pdf).

        Raises:
            ImportError: without matplotlib: `pip install 'wengert[plot]'`.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("History.plot needs matplotlib. Write pip install 'wengert[plot]'.") from error
        panels = list(dict.fromkeys(name.removeprefix("val_") for name in self.keys()))
        if not panels:
            raise ArgumentError("History.plot: there is no epoch yet. Call trainer.fit first.")
        figure = Figure(figsize=(4.5 * len(panels), 3.5), layout="constrained")
        for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            for name, label in ((panel, "training"), (f"val_{panel}", "validation")):
                if name in self:
                    axes.plot(self.epochs, self[name], label=label, marker=".")
            axes.set(xlabel="epoch", ylabel=panel)
            axes.legend()
        figure.savefig(path)
