"""The whole state of a training in one file: arrays in safetensors, the rest in JSON beside them. No pickle."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from os import PathLike
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import CheckpointError
from nn.checkpoint import load, notes, save
from nn.data import DataLoader
from nn.generators import generators_in, objects_in

_NOTE = "wengert_state"
_MARKS = ("$array", "$items", "$tuple", "$float")


@runtime_checkable
class Stateful(Protocol):
    """Anything whose state can be stored: models, optimizers, schedules, callbacks."""

    def state_dict(self) -> dict[str, Any]:
        """The state."""

    def load_state_dict(self, state: Any, /) -> Any:
        """Go on from there."""


def write_state(state: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """Store nested dicts and lists of arrays, numbers and strings in one file, whole or not at all.

    Raises:
        CheckpointError: something else in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_state({"w": np.ones(2), 0: (1.5, [None, float("inf")])}, f"{folder}/state")
    ...     read_state(f"{folder}/state")
    {'w': tensor([1., 1.]), 0: (1.5, [None, inf])}
    """
    arrays: dict[str, NDArray[Any]] = {}
    text = json.dumps(_encoded(state, "", arrays), allow_nan=False)
    save(arrays, path, notes={_NOTE: text, f"{_NOTE}_crc32": f"{zlib.crc32(text.encode()):08x}"})


def read_state(path: str | PathLike[str]) -> Any:
    """What `write_state` has stored, arrays as Tensors.

    Raises:
        CheckpointError: a file that is damaged or holds no such state.
    """
    arrays, found = load(path), notes(path)
    text = found.get(_NOTE)
    if text is None:
        raise CheckpointError(
            f"{path} holds weights only, not the state of a training. Write model.load_state_dict(nn.load(path)) for "
            "weights; Trainer.save and nn.ModelCheckpoint store all that a training needs."
        )
    if found.get(f"{_NOTE}_crc32") != f"{zlib.crc32(text.encode()):08x}":
        raise CheckpointError(f"{path} is damaged: its JSON part is not what was saved. Save or copy it again.")
    return _decoded(json.loads(text), arrays)


def _encoded(x: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(x, (Tensor, np.ndarray)):
        name = path if path not in arrays else f"{path}#{len(arrays)}"
        arrays[name] = x.numpy() if isinstance(x, Tensor) else x
        return {"$array": name}
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, Mapping):
        items = [(k, _encoded(v, f"{path}.{k}" if path else str(k), arrays)) for k, v in x.items()]
        if all(isinstance(k, str) and k not in _MARKS for k in x):
            return dict(items)
        return {"$items": [[_encoded(k, path, arrays), v] for k, v in items]}
    if isinstance(x, (list, tuple)):
        found = [_encoded(v, f"{path}.{k}" if path else str(k), arrays) for k, v in enumerate(x)]
        return {"$tuple": found} if isinstance(x, tuple) else found
    if isinstance(x, float) and not math.isfinite(x):
        return {"$float": repr(x)}
    if x is None or isinstance(x, (bool, int, float, str)):
        return x
    raise CheckpointError(
        f"the state at {path or 'its root'} is a {type(x).__name__}. Expected Tensors, numbers, strings, "
        "lists and dicts."
    )


def _decoded(x: Any, arrays: Mapping[str, Tensor]) -> Any:
    if isinstance(x, list):
        return [_decoded(v, arrays) for v in x]
    if not isinstance(x, dict):
        return x
    if "$array" in x:
        return arrays[x["$array"]]
    if "$float" in x:
        return float(x["$float"])
    if "$tuple" in x:
        return tuple(_decoded(x["$tuple"], arrays))
    if "$items" in x:
        return {_decoded(k, arrays): _decoded(v, arrays) for k, v in x["$items"]}
    return {k: _decoded(v, arrays) for k, v in x.items()}


def surroundings(**roots: Any) -> dict[str, Any]:
    """Where the loaders in reach and all generators stand.

    >>> list(surroundings(train=DataLoader([1.0]))["loaders"])
    ['train']
    """
    return {
        "loaders": {name: loader.state_dict() for name, loader in objects_in(DataLoader, **roots).items()},
        "generators": {name: g.get_state() for name, g in _streams(roots).items()},
    }


def restore_surroundings(state: Mapping[str, Any], **roots: Any) -> None:
    """Set them to where they stood.

    Raises:
        CheckpointError: generators or loaders that were elsewhere when the state was stored.
    """
    for kind, present in (("generators", _streams(roots)), ("loaders", objects_in(DataLoader, **roots))):
        stored = state[kind]
        if stored.keys() != present.keys():
            raise CheckpointError(
                f"the checkpoint has {kind} at {sorted(stored)}, and this training at {sorted(present)}.\n"
                "Expected a model, data and callbacks that are made as they were when it was stored."
            )
        for name, x in present.items():
            x.set_state(stored[name]) if isinstance(x, ag.random.Generator) else x.load_state_dict(stored[name])


def _streams(roots: Mapping[str, Any]) -> dict[str, ag.random.Generator]:
    return generators_in(default=ag.random.default, **roots)
