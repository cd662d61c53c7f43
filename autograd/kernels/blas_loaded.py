"""SciPy's BLAS as its linear algebra has loaded it: looked for when no file of it was found."""

from __future__ import annotations

import ctypes
import itertools

import threadpoolctl
from scipy.linalg import cython_blas

from autograd.kernels.blas_library import Library


def loaded_library() -> Library | None:
    """The one that SciPy's linear algebra has loaded, if it is OpenBLAS and can be told from NumPy's."""
    found = [c for c in threadpoolctl.ThreadpoolController().lib_controllers if c.internal_api == "openblas"]
    theirs = [c for c in found if "scipy.libs" in c.filepath or "/scipy/" in c.filepath.replace("\\", "/")] or found
    if len(theirs) != 1:
        return None  # another BLAS (MKL, BLIS, Accelerate), or two that cannot be told apart
    names, openmp = ctypes.CDLL(theirs[0].filepath), theirs[0].threading_layer == "openmp"
    for before, after in itertools.product(("", "scipy_"), ("", "64_", "_64")):
        library = Library(names, before, after, openmp, getattr(theirs[0], "architecture", ""))
        if library.address("openblas_set_num_threads"):
            return library
    return None


def exported(name: str) -> int:
    """The address of a function that SciPy exports for Cython."""
    capsule = cython_blas.__pyx_capi__[name]
    name_of, pointer_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer_of(capsule, name_of(capsule)))
