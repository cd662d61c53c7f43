"""Weights in a file: the safetensors format, written whole or not at all; `.npz` files are read too."""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
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

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BOOL": "?",
    **{f"{kind}{8 * n}": f"<{kind.lower()}{n}" for kind in "IU" for n in (8, 4, 2, 1)},
}


def save(
    module_or_state: Module | Mapping[str, Tensor | ArrayLike],
    path: str | PathLike[str],
    *,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write the parameters and buffers of a module, or any named arrays, to a safetensors file.

    The file is written beside its place, synced and renamed: a crash leaves the old file or the new one, never a part.
    A checksum of the arrays is kept in the file's metadata.

    Parameters:
        module_or_state: a module, or arrays by name as `module.state_dict()` gives them.
        path: the file; an old one is replaced.
        notes: texts to keep beside the arrays, which `nn.checkpoint.notes` reads.

    Raises:
        CheckpointError: neither of both, a value that is not an array of numbers, or a name that is not a string.
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
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"save was given {type(state).__name__}. Expected a module, or arrays by name: write nn.save(model, path)."
        )
    arrays = {name: _array(name, value) for name, value in state.items()}
    data = codec.numpy.save(arrays, {**(notes or {}), "format": "pt", "crc32": _checksum(arrays)})
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
    """The named arrays of a safetensors or `.npz` file, as constants: `module.load_state_dict(nn.load(path))`.

    The content decides which format it is. Half precision stays float16, and bfloat16, which NumPy lacks, becomes
    float32, exactly; `load_state_dict` casts each to its parameter's dtype. Tensors that PyTorch's `save_model` stored
    once because they are shared are given under each of their names.

    Parameters:
        path: the file: ours, PyTorch's, or any other in one of these formats.

    Raises:
        CheckpointError: a file that is truncated, damaged, of another format or dtype, or holds Python objects.
        FileNotFoundError: no such file.
        ImportError: without safetensors: `pip install 'wengert[weights]'`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"gain": [1.0, 2.0]}, f"{folder}/gain.safetensors")
    ...     load(f"{folder}/gain.safetensors")
    {'gain': tensor([1., 2.])}
    """
    data, name = Path(path).read_bytes(), os.fspath(path)
    arrays = _from_zip(data, name) if data.startswith((b"PK\x03\x04", b"PK\x05\x06")) else _from_safetensors(data, name)
    return {name: Tensor(array) for name, array in arrays.items()}


def notes(path: str | PathLike[str]) -> dict[str, str]:
    """The texts that stand beside the arrays in a safetensors file.

    Raises:
        CheckpointError: a file that is not one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"gain": [1.0]}, f"{folder}/gain.safetensors", notes={"author": "me"})
    ...     notes(f"{folder}/gain.safetensors")["author"]
    'me'
    """
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        data = file.read(min(size, 100_000_000))  # what the format allows
    try:
        return dict(json.loads(data).get("__metadata__") or {})
    except ValueError:
        raise CheckpointError(f"{os.fspath(path)} is truncated, damaged or not a safetensors file.") from None


def _from_zip(data: bytes, path: str) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            others = [entry for entry in archive.namelist() if not entry.endswith(".npy")]
        if not others:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, zlib.error) as error:
        raise CheckpointError(
            f"{path} ({len(data)} bytes) is truncated, damaged or not an .npz file of numbers: {error}.\n"
            "Expected a file that np.savez has written. Save or copy it again."
        ) from None
    if not others:
        return {name: _array(name, array, f"{path} has") for name, array in arrays.items()}
    raise CheckpointError(
        f"{path} is an archive that holds {others[0]}, no .npz file. torch.save writes such: it runs code when read.\n"
        "Expected .npz or safetensors. Write safetensors.torch.save_file(model.state_dict(), path) in PyTorch."
    )


def _from_safetensors(data: bytes, path: str) -> dict[str, NDArray[Any]]:
    codec = _codec()
    try:
        found = codec.deserialize(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except Exception as error:  # the library raises its own error, of no class that is common to its versions
        raise CheckpointError(
            f"{path} ({len(data)} bytes) is truncated, damaged or not a safetensors file: {error}.\n"
            "Expected a file that nn.save has written. Save or copy it again."
        ) from None
    arrays = {name: _decoded(name, entry, path) for name, entry in found}
    notes = header.get("__metadata__") or {}
    if notes.get("crc32") not in (None, _checksum(arrays)):
        raise CheckpointError(
            f"{path} is damaged: its weights are not those that were saved (their checksum differs).\n"
            "Save or copy it again."
        )
    return arrays | {name: arrays[kept] for name, kept in notes.items() if kept in arrays and name not in arrays}


def _decoded(name: str, entry: Mapping[str, Any], path: str) -> NDArray[Any]:
    """The array of one entry: its bytes, little-endian."""
    kind, shape, raw = entry["dtype"], entry["shape"], entry["data"]
    if kind == "BF16":  # the upper half of a float32
        wide = np.frombuffer(raw, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    if kind not in _DTYPES:
        raise CheckpointError(
            f"{path} has {name} of dtype {kind}, which NumPy lacks. Expected one of: BF16, {', '.join(_DTYPES)}.\n"
            "Convert it to float32 where it was written."
        )
    stored = np.dtype(_DTYPES[kind])
    one = np.frombuffer(raw, stored).astype(stored.type)  # a dtype of its own, `newbyteorder`, would fit no kernel
    return one.reshape(shape)


def _codec() -> ModuleType:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError as error:
        raise ImportError("nn.save and nn.load need safetensors. Write pip install 'wengert[weights]'.") from error
    return safetensors


def _array(name: Any, value: Tensor | ArrayLike, says: str = "save was given") -> NDArray[Any]:
    """A contiguous array in the orders, of elements and of bytes, in which the format stores it."""
    array = np.array(value.value if isinstance(value, Tensor) else value, order="C")
    if not isinstance(name, str) or array.dtype.kind not in "biuf":
        raise CheckpointError(
            f"{says} {name!r} of dtype {array.dtype}. Expected names with arrays of real numbers or booleans."
        )
    return array.astype(array.dtype.type, copy=False)


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    crc = 0
    for name in sorted(arrays):
        crc = zlib.crc32(arrays[name].tobytes(), zlib.crc32(name.encode(), crc))
    return f"{crc:08x}"
