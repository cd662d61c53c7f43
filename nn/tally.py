"""What an epoch adds up: the loss over all samples, the penalty, and what the metrics will look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import DataError
from autograd.tree import flatten
from nn.batch import joined

Metric = Callable[[Any, Any], float]


class Tally:
    """The loss over a data set, weighted by samples, and the metrics over all of its predictions.

    >>> tally = Tally({"rows": lambda target, prediction: len(target)})
    >>> tally.add(1.0, 3, [np.zeros(3)], np.zeros(3))
    >>> tally.add(2.0, 1, [np.zeros(1)], np.zeros(1))
    >>> tally.result()
    {'loss': 1.25, 'rows': 4.0}
    """

    def __init__(self, metrics: Mapping[str, Metric], step: int = 0) -> None:
        self.metrics = metrics
        self.total = self.samples = self.penalties = 0.0
        self.step = step
        self.exhausted = False  # no batch is left
        self.targets: list[Any] = []  # arrays, or tuples of them
        self.predictions: list[Any] = []

    def add(self, loss: float, samples: float, targets: Sequence[Any], prediction: Any) -> None:
        """One more batch: its mean loss, and how many samples (or how much weight) it has."""
        self.total += samples * loss
        self.samples += samples
        if self.metrics:
            self.targets.append(_arrays(targets[0] if len(targets) == 1 else tuple(targets)))
            self.predictions.append(_arrays(prediction))

    def result(self) -> dict[str, float]:
        """The figures by name.

        Raises:
            DataError: no samples.
        """
        if not self.samples:
            raise DataError("the data has no samples. Expected at least one batch of at least one sample.")
        logs = {"loss": self.total / self.samples}
        if self.metrics:
            target, prediction = joined(self.targets), joined(self.predictions)
            logs |= {name: _measured(name, metric, target, prediction) for name, metric in self.metrics.items()}
        return logs

    def state_dict(self) -> dict[str, Any]:
        """All that has been added up."""
        seen = {"targets": joined(self.targets), "predictions": joined(self.predictions)} if self.targets else {}
        numbers = {name: getattr(self, name) for name in ("total", "samples", "penalties", "step", "exhausted")}
        return {**numbers, **seen}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.total, self.samples = state_dict["total"], state_dict["samples"]
        self.penalties, self.step = state_dict["penalties"], state_dict["step"]
        self.exhausted = state_dict["exhausted"]
        self.targets = [_arrays(state_dict["targets"])] if "targets" in state_dict else []
        self.predictions = [_arrays(state_dict["predictions"])] if "predictions" in state_dict else []


def _arrays(x: Any) -> Any:
    """Tensors as arrays, on their own or in a tuple, a list or a dict."""
    leaves, build = flatten(x)
    if not any(isinstance(leaf, (Tensor, np.ndarray)) for leaf in leaves):
        return ag.asarray(x).numpy()
    return build([leaf.numpy() if isinstance(leaf, Tensor) else leaf for leaf in leaves])


def _measured(name: str, metric: Metric, target: Any, prediction: Any) -> float:
    try:
        return float(metric(target, prediction))
    except Exception as error:
        error.add_note(
            f"This is the metric {name!r}, called with all targets, of shape {_shapes(target)}, and all outputs of "
            f"the model, of shape {_shapes(prediction)}.\nWhere it wants labels, write "
            f'metrics={{"{name}": lambda target, output: f(target, output.argmax(1))}}.'
        )
        raise


def _shapes(x: Any) -> str:
    leaves, build = flatten(x)
    return str(build([np.shape(leaf) for leaf in leaves]))
