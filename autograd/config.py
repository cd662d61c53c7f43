"""The one configuration object: what may be changed about how things run, never about what is computed.

from autograd.config import config

config.cache = "/fast/disk/kernels"  # for the whole process
with config.using(kernels=False):  # for this block, in this thread or task
    ...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from autograd.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Settings:
    """The values that `config` holds.

    kernels: False runs every fused function as its plain composition, operation by operation.
    cache: the folder of compiled kernels; None keeps them in memory only.
    spin: microseconds for which an idle thread of the pool watches for work; read when the pool starts.
    linger: microseconds for which it goes on to watch while it lets any other thread have its core, before it sleeps.
    keep: bytes of free memory that stay with the process for the next large results, those of NumPy too; read at the
        first of them. 0 gives all of it back to the system, and takes fresh pages each time.

    >>> Settings(kernels=True, cache=None, spin=20.0, linger=200.0, keep=0).kernels
    True
    """

    kernels: bool
    cache: Path | None
    spin: float
    linger: float
    keep: int

    def __post_init__(self) -> None:
        if not isinstance(self.kernels, bool):
            raise ArgumentError(f"config.kernels was given {self.kernels!r}. Expected True or False.")
        if self.cache is not None and not isinstance(self.cache, Path):
            object.__setattr__(self, "cache", Path(self.cache))
        for name in ("spin", "linger"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ArgumentError(
                    f"config.{name} was given {getattr(self, name)!r}. Expected microseconds, 0 or more."
                )
        if not isinstance(self.keep, int) or not 0 <= self.keep < 1 << 63:
            raise ArgumentError(f"config.keep was given {self.keep!r}. Expected a number of bytes, as 1 << 28.")


_NAMES = tuple(field.name for field in fields(Settings))


def default_cache() -> Path:
    """WENGERT_CACHE_DIR, or the platform's folder for a user's caches.

    >>> default_cache().is_absolute()
    True
    """
    if chosen := os.environ.get("WENGERT_CACHE_DIR"):
        return Path(chosen).absolute()
    home = Path(os.path.expanduser("~")).absolute()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "wengert"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "wengert" / "cache"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(chosen) if os.path.isabs(chosen) else home / ".cache") / "wengert"


class Config:
    """Settings of the process, and of a block of it.

    Reading an attribute gives the value that holds here; assigning one changes it for the whole process.

    >>> with config.using(kernels=False):
    ...     config.kernels
    False
    >>> config.kernels
    True
    """

    __slots__ = ("_process", "_scope")
    _process: Settings
    _scope: ContextVar[dict[str, Any]]

    def __init__(self) -> None:
        process = Settings(kernels=True, cache=default_cache(), spin=20.0, linger=200.0, keep=1 << 28)
        object.__setattr__(self, "_process", process)
        object.__setattr__(self, "_scope", ContextVar("wengert_config"))

    @property
    def settings(self) -> Settings:
        """All values that hold here."""
        changes = self._scope.get(None)
        return replace(self._process, **changes) if changes else self._process

    @property
    def kernels(self) -> bool:
        """As in `Settings`; asked for in every call of a fused function, so it has a way of its own."""
        changes = self._scope.get(None)
        return self._process.kernels if not changes else changes.get("kernels", self._process.kernels)

    def __getattr__(self, name: str) -> Any:
        changes = self._scope.get(None)
        if changes and name in changes:
            return changes[name]
        if name not in _NAMES:
            _known(name)
        return getattr(self._process, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _known(name)
        object.__setattr__(self, "_process", replace(self._process, **{name: value}))

    @contextmanager
    def using(self, **changes: Any) -> Iterator[None]:
        """Other values within a `with` block, for this thread or task only."""
        for name in changes:
            _known(name)
        replace(self._process, **changes)  # refuses wrong values here, at the caller's line
        token = self._scope.set({**self._scope.get({}), **changes})
        try:
            yield
        finally:
            self._scope.reset(token)

    def __repr__(self) -> str:
        return repr(self.settings).replace("Settings", "Config")


def _known(name: str) -> None:
    if name not in _NAMES:
        raise ArgumentError(f"config has no setting {name!r}. Expected one of {', '.join(_NAMES)}.")


config = Config()
