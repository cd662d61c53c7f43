"""Functions by name, `module:function` or `file.py:function`, so that another process finds them too.

Nothing is imported here but the standard library: the time that a target's own imports take is measured around it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

HOW = "Expected module:function or path/to/file.py:function, as in mypackage.kernels:saxpy."


def resolve(target: str) -> Any:
    """The function that a target names.

    >>> resolve("math:sqrt")(4.0), resolve("pathlib:Path.cwd").__name__
    (2.0, 'cwd')
    """
    where, _, name = target.rpartition(":")
    if not where or not name:
        raise ValueError(f"{target!r} names no function. {HOW}")
    found: Any = loaded(where)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ValueError(f"{where} has no {name}. {HOW}") from None
    if not callable(found):
        raise ValueError(f"{target} is a {type(found).__name__}, not a function. {HOW}")
    return found


def loaded(where: str) -> ModuleType:
    """A module by its name, or from its file, with the file's folder on the path as Python has it for a script."""
    if not where.endswith(".py"):
        return importlib.import_module(where)
    path = Path(where).resolve()
    name = f"bench_target_{path.stem}"
    if name in sys.modules and sys.modules[name].__file__ == str(path):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.exists():
        raise ValueError(f"there is no file {where}. {HOW}")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def target_of(f: Any) -> str:
    """The target that names a function; nothing if another process would not find it, as with a lambda.

    >>> target_of(resolve), target_of(lambda x: x)
    ('bench.target:resolve', '')
    """
    module = sys.modules.get(str(getattr(f, "__module__", "")))
    name = getattr(f, "__qualname__", getattr(f, "__name__", ""))
    found: Any = module
    for part in name.split(".") if name else ():
        found = getattr(found, part, None)
    if module is None or found is not f:
        return ""
    if module.__name__ == "__main__" or module.__name__.startswith("bench_target_"):
        file = getattr(module, "__file__", None)
        return f"{Path(file).resolve()}:{name}" if file else ""
    return f"{module.__name__}:{name}"


def search_path() -> str:
    """PYTHONPATH for processes that must find what this one finds."""
    return os.pathsep.join(dict.fromkeys([p or os.getcwd() for p in sys.path if not p or Path(p).is_dir()]))


def kind_of(f: Any) -> str:
    """What compiles a function: nobody's is a plain function.

    >>> kind_of(len)
    'function'
    """
    kinds = {
        ("autograd.program.fused", "Fused"): "fused",
        ("autograd.program.scalar", "Elementwise"): "elementwise",
        ("autograd.program.compile", "Compiled"): "compiled",
        ("numba.np.ufunc.dufunc", "DUFunc"): "numba ufunc",
        ("numba.np.ufunc.gufunc", "GUFunc"): "numba ufunc",
    }
    for kind in type(f).__mro__:
        if (found := kinds.get((kind.__module__, kind.__name__))) is not None:
            return found
        if kind.__module__ == "numba.core.dispatcher" or kind.__module__ == "numba.core.registry":
            return "numba"
    return "function"
