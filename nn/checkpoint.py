"""Weights in a file: the safetensors format, written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import zlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd import Tensor
from autograd.errors import CheckpointError
from nn.module import Module


def save(module_or_state: Module | Mapping[str, Tensor | ArrayLike], path: str | PathLike[str]) -> None:
    """Write the parameters and buffers of a module, or any named arrays, to a safetensors file.

    The file is written beside its place, synced and renamed: a crash leaves the old file or the new one, never a part.
    A checksum of the arrays is kept in the file's metadata.

    Parameters:
        module_or_state: a module, or arrays by name as `module.state_dict()` gives them.
        path: the file; an old one is replaced.

    Raises:
        CheckpointError: a value that is not an array of numbers, or a name that is not a string.
        ImportError: without safetensors: `pip install 'wengert[weights]'`.

    >>> import tempfile, nn
    >>> model = nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/line.safetensors")
    ...     model.load_state_dict(load(f"{folder}/line.safetensors"))
    Unmatched(missing_keys=[], unexpected_keys=[])
    """
    codec = _codec()
    state = module_or_state.state_dict() if isinstance(module_or_state, Module) else module_or_state
    arrays = {name: _array(name, value) for name, value in state.items()}
    data = codec.save(arrays, {"format": "pt", "crc32": _checksum(arrays)})
    target = Path(path)
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def load(path: str | PathLike[str]) -> dict[str, Tensor]:
    """The named arrays of a safetensors file, as constants: `module.load_state_dict(nn.load(path))`.

    Parameters:
        path: the file, ours or any other in this format.

    Raises:
        CheckpointError: a file that is truncated, damaged, or of another format.
        FileNotFoundError: no such file.
        ImportError: without safetensors: `pip install 'wengert[weights]'`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"gain": [1.0, 2.0]}, f"{folder}/gain.safetensors")
    ...     load(f"{folder}/gain.safetensors")
    {'gain': tensor([1., 2.])}
    """
    codec = _codec()
    data = Path(path).read_bytes()
    try:
        arrays: dict[str, NDArray[Any]] = codec.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except Exception as error:  # the library raises its own error, and KeyError for a dtype that NumPy lacks
        raise CheckpointError(
            f"{os.fspath(path)} ({len(data)} bytes) is truncated, damaged or not a safetensors file: {error}.\n"
            "Expected a file that nn.save has written. Save or copy it again."
        ) from None
    expected = header.get("__metadata__", {}).get("crc32")
    if expected is not None and expected != _checksum(arrays):
        raise CheckpointError(
            f"{os.fspath(path)} is damaged: its weights are not those that were saved (their checksum differs).\n"
            "Save or copy it again."
        )
    return {name: Tensor(array) for name, array in arrays.items()}


def _codec() -> ModuleType:
    try:
        from safetensors import numpy as codec
    except ImportError as error:
        raise ImportError("nn.save and nn.load need safetensors. Write pip install 'wengert[weights]'.") from error
    return codec


def _array(name: Any, value: Tensor | ArrayLike) -> NDArray[Any]:
    """A contiguous array in the order in which the format stores it."""
    array = np.array(value.value if isinstance(value, Tensor) else value, order="C")
    if not isinstance(name, str) or array.dtype.kind not in "biuf":
        raise CheckpointError(
            f"save was given {name!r} of dtype {array.dtype}. Expected names with arrays of real numbers or booleans."
        )
    return array


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    crc = 0
    for name in sorted(arrays):
        crc = zlib.crc32(arrays[name].tobytes(), zlib.crc32(name.encode(), crc))
    return f"{crc:08x}"
