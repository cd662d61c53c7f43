"""Compiled kernels on disk: one file for each key, read whole or not at all.

An entry is one line of JSON (the symbol, the outside symbols that it calls, what the key was made of, a checksum) and
the object file. It is written to a temporary file of the same folder and renamed, so a reader never sees half of one
and processes that start at the same time only overwrite each other's equal work.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd.config import config

SUFFIX = ".kernel"
FORMAT = 1
LEFTOVER = 3600.0  # seconds after which a temporary file is what a killed process left behind


class CacheWarning(UserWarning):
    """The folder of compiled kernels cannot be used, or holds an entry that is damaged."""


@dataclass(frozen=True)
class Entry:
    """A compiled kernel: its object file and what a loader has to know about it.

    >>> Entry("f", (), {"name": "f"}, b"code").key == Entry("g", (), {"name": "f"}, b"other").key
    True
    """

    symbol: str
    needs: tuple[str, ...]  # functions of the C library that the code calls
    fields: Mapping[str, Any]  # what the key is the hash of
    code: bytes

    @property
    def key(self) -> str:
        """The hash of everything that the machine code depends on."""
        return digest(self.fields)

    def pack(self) -> bytes:
        """The bytes of the file."""
        header = {"format": FORMAT, "symbol": self.symbol, "needs": self.needs, "fields": dict(self.fields)}
        return _line(header | {"checksum": _checksum(header, self.code)}) + b"\n" + self.code

    @classmethod
    def unpack(cls, data: bytes) -> Entry:
        """The entry in a file's bytes. Raises ValueError if any of them is not as it was written."""
        line, _, code = data.partition(b"\n")
        header = json.loads(line)
        checksum = header.pop("checksum", None) if isinstance(header, dict) else None
        if checksum is None or checksum != _checksum(header, code) or header["format"] != FORMAT:
            raise ValueError("the checksum does not match")
        return cls(header["symbol"], tuple(header["needs"]), header["fields"], code)


def digest(fields: Mapping[str, Any]) -> str:
    """sha256 over fields in a fixed order.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(_line(fields)).hexdigest()


def _line(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _checksum(header: Mapping[str, Any], code: bytes) -> str:
    return hashlib.sha256(_line(header) + b"\n" + code).hexdigest()


def path_of(key: str, folder: Path) -> Path:
    """Where the entry with this key is kept."""
    return folder / f"{key}{SUFFIX}"


def read(key: str) -> Entry | None:
    """The entry with this key, or None if there is none that can be trusted."""
    folder = config.cache
    if folder is None or not _usable(folder):
        return None
    path = path_of(key, folder)
    try:
        entry = Entry.unpack(path.read_bytes())
        if entry.key != key:
            raise ValueError("it is the entry of another kernel")
        return entry
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        damaged(path, error)
        return None


def damaged(path: Path, error: Exception) -> None:
    """Say, once, that an entry cannot be used and is compiled again."""
    _warn(f"The compiled kernel {path} cannot be used ({error}). It is compiled again.")


def write(entry: Entry) -> None:
    """Keep an entry for later processes; a folder that cannot be written to is mentioned once."""
    folder = config.cache
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _usable(folder):
            return
        handle, temporary = tempfile.mkstemp(prefix=".tmp-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(entry.pack())
            os.replace(temporary, path_of(entry.key, folder))
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        _warn(
            f"Compiled kernels cannot be kept in {folder} ({error}); each process compiles its own. "
            "Set WENGERT_CACHE_DIR to a folder that can be written to."
        )


def entries() -> Iterator[tuple[Path, Entry | None]]:
    """Every file of the cache with its entry, None where it is damaged."""
    folder = config.cache
    if folder is None or not _usable(folder):
        return
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            entry = Entry.unpack(path.read_bytes())
            yield path, entry if path_of(entry.key, folder) == path else None
        except (OSError, ValueError, KeyError, TypeError):
            yield path, None


def clear() -> int:
    """Delete every entry, and what killed processes left behind. Returns the number of entries."""
    count = 0
    folder = config.cache
    if folder is None:
        return 0
    for path in folder.glob(f"*{SUFFIX}"):
        path.unlink(missing_ok=True)
        count += 1
    for path in folder.glob(".tmp-*"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > LEFTOVER:
                path.unlink()
    return count


def _usable(folder: Path) -> bool:
    """Machine code is only read from a folder that nobody but its user (or root) can write to."""
    if sys.platform == "win32":
        return True  # the folder is below the user's own profile
    try:
        found = folder.stat()
    except OSError:
        return True  # a missing folder is made, and an unreadable one mentioned, where it is written to
    if found.st_uid in (0, os.getuid()) and not found.st_mode & stat.S_IWOTH:
        return True
    _warn(f"Compiled kernels are not kept in {folder}: others can write to it. Make it yours alone (chmod 700).")
    return False


_warned: list[str] = []


def _warn(message: str) -> None:
    """The first complaint of a process; the rest follow from it or are as harmless."""
    if not _warned:
        _warned.append(message)
        warnings.warn(message, CacheWarning, stacklevel=2)


def summary() -> dict[str, Any]:
    """The folder, the number of its entries and their size in bytes."""
    folder = config.cache
    sizes = [path.stat().st_size for path in folder.glob(f"*{SUFFIX}")] if folder is not None else []
    return {"folder": folder, "entries": len(sizes), "bytes": sum(sizes)}
