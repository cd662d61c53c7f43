"""SciPy's BLAS as a file, where its wheels carry one."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import NamedTuple

import scipy


class Library(NamedTuple):
    """A BLAS of OpenBLAS's.

    before, after: what its names begin and end with. openmp: whether its threads are OpenMP's.
    """

    names: ctypes.CDLL
    before: str
    after: str
    openmp: bool
    architecture: str

    def address(self, name: str) -> int:
        """Where a function is; 0 if it has none of this name."""
        return address(self.names, f"{self.before}{name}{self.after}")


def carried_library() -> Library | None:
    """The one that a wheel of SciPy carries."""
    home = Path(scipy.__file__).parent
    found = [path for folder in (home.with_name("scipy.libs"), home / ".dylibs") for path in folder.glob("*openblas*")]
    if len(found) != 1:
        return None
    try:
        names = ctypes.CDLL(str(found[0]))
    except OSError:
        return None
    for before in ("scipy_", ""):
        library = Library(names, before, "", False, "")
        threads, core = library.address("openblas_get_parallel"), library.address("openblas_get_corename")
        if threads and core and library.address("sgemm_") and library.address("dgemm_"):
            openmp = ctypes.CFUNCTYPE(ctypes.c_int)(threads)() == 2
            name = ctypes.CFUNCTYPE(ctypes.c_char_p)(core)() or b""
            return library._replace(openmp=openmp, architecture=name.decode())
    return None


def address(library: ctypes.CDLL, name: str) -> int:
    """Where a function of a library is; 0 if it has none of this name."""
    try:
        return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
    except AttributeError:
        return 0
