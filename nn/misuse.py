"""What a trainer was given: misunderstandings are named before anything runs."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping, Sequence
from functools import reduce
from numbers import Integral, Number
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import ArgumentError
from nn.callback import Callback
from nn.callbacks.schedule import Scheduled

_KERAS = {"begin": "start", "train_batch": "batch", "train_epoch": "epoch", "train": "fit"}  # its words for ours
_ORDER = (
    "Expected a model, a loss and an optimizer:\nwrite nn.Trainer(model, nn.MSELoss(), optim.Adam(model.parameters()))."
)


def _what(x: Any) -> str:
    return f"{x!r}" if isinstance(x, (str, Number)) or x is None else f"an object of class {type(x).__name__}"


def check_parts(model: Any, loss: Any, optimizer: Any, metrics: Any) -> None:
    """Refuse classes where objects are expected, and metrics without names.

    Raises:
        ArgumentError: saying what to write.

    >>> import autograd as ag, optim
    >>> check_parts(abs, abs, optim.SGD([ag.ones(2, requires_grad=True)]), {})
    """
    for name, x in (("model", model), ("loss", loss), ("optimizer", optimizer)):
        if isinstance(x, type):
            example = "optim.Adam(model.parameters())" if name == "optimizer" else f"{x.__name__}(...)"
            raise ArgumentError(f"Trainer was given the class {x.__name__} as {name}. Write {name}={example}.")
    if not callable(model):
        raise ArgumentError(f"Trainer was given {_what(model)} as model. {_ORDER}")
    if not callable(loss) or (hasattr(loss, "zero_grad") and hasattr(loss, "param_groups")):
        raise ArgumentError(f"Trainer was given {_what(loss)} as loss. {_ORDER}")
    if metrics is not None and not isinstance(metrics, Mapping):
        raise ArgumentError(
            f"Trainer was given metrics as a {type(metrics).__name__}. Expected functions by name: "
            'metrics={"accuracy": lambda target, output: accuracy_score(target, output.argmax(1))}.'
        )


def check_settings(penalty: Any, clip: Any, accumulate: Any, class_weight: Any) -> None:
    """Refuse settings of a trainer that could not be used in a step.

    Raises:
        ArgumentError: saying what to write.

    >>> check_settings(None, None, 1, {0: 1.0, 1: 2.0})
    """
    for name, x, example in (
        ("penalty", penalty, "penalty=regularize.L2(0.01, model)"),
        ("clip", clip, "clip=lambda ps: optim.clip_grad_norm_(ps, 1.0)"),
    ):
        if x is not None and (isinstance(x, type) or not callable(x)):
            given = f"the class {x.__name__}" if isinstance(x, type) else _what(x)
            raise ArgumentError(f"Trainer was given {given} as {name}. Expected a function: write {example}.")
    if not isinstance(accumulate, Integral) or accumulate < 1:
        raise ArgumentError(f"Trainer was given accumulate={accumulate}. Expected 1 batch or more in a step.")
    if isinstance(class_weight, str) and class_weight != "balanced":
        raise ArgumentError(
            f"Trainer was given class_weight={class_weight!r}. Expected 'balanced', or weights by label."
        )
    if not isinstance(class_weight, Mapping | Sequence | np.ndarray | Tensor | None):
        raise ArgumentError(
            f"Trainer was given a {type(class_weight).__name__} as class_weight. Expected weights by "
            "label, or in the order of labels from 0: write class_weight=dict(...) or list(...)."
        )
    if isinstance(class_weight, Mapping) and not all(isinstance(label, Number) for label in class_weight):
        raise ArgumentError(
            f"Trainer was given class_weight for the labels {list(class_weight)}. Expected numbers, as those of the "
            "targets: class_weight={0: 0.6, 1: 2.0}."
        )


def check_callbacks(callbacks: Any) -> None:
    """Refuse what is no list of callbacks.

    Raises:
        ArgumentError: saying what to write.

    >>> check_callbacks([Callback()])
    """
    if isinstance(callbacks, Callback):
        name = type(callbacks).__name__
        raise ArgumentError(f"fit was given a single {name} as callbacks. Expected a list: callbacks=[{name}(...)].")
    for x in callbacks:
        if not isinstance(x, Callback):
            name = x.__name__ if isinstance(x, type) else type(x).__name__
            made = "Expected objects of subclasses of nn.Callback, made by calling the class."
            wrap = f"Write nn.LearningRateScheduler({name}(...))."
            raise ArgumentError(
                f"fit was given {name} among its callbacks. "
                + (wrap if isinstance(x, Scheduled) and not isinstance(x, type) else made)
            )
        for written in dir(type(x)):
            if written.startswith("on_") and not hasattr(Callback, written):
                ours = reduce(lambda name, pair: name.replace(*pair), _KERAS.items(), written)
                near = difflib.get_close_matches(ours, [n for n in dir(Callback) if n.startswith("on_")], 1, 0.0)[0]
                warnings.warn(
                    f"{type(x).__name__}.{written} is a name that the trainer never calls. Is {near} meant?",
                    stacklevel=3,
                )
