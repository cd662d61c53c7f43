"""A program that shows a failure again: what it needs is written out as far as that can be written."""

from __future__ import annotations

import ast
import base64
import inspect
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd.gradcheck.given import is_tree
from autograd.gradcheck.locate import Call
from autograd.primitive import primitives
from autograd.program.compile import Compiled
from autograd.program.fused import Fused
from autograd.program.source import Source, source_of
from autograd.tensor import Tensor

LISTED, PACKED = 64, 512  # elements that are written out, or packed
DECORATED = {Fused: "ag.fused", Compiled: "ag.compile"}


def reproducer(f: Callable[..., Any], inputs: Sequence[Any], call: Call | None, settings: str) -> str:
    """A program to paste: the operation at fault on its inputs if it is known, else f."""
    lines = ["import numpy as np", "import autograd as ag"]
    if call is not None and primitives.get(call[0].name) is call[0]:
        lines.append("from autograd.primitive import primitives")
        kept = "".join(f", {k}={v!r}" for k, v in call[2].items())
        lines.append(f"def f(*xs): return primitives[{call[0].name!r}](*xs{kept})")
        inputs = call[1]
    else:
        lines += _source(f)
    values = ", ".join(written(x) for x in inputs)
    lines = list(dict.fromkeys(lines))  # an import that f needs too is there already
    return "\n".join([*lines, f"print(ag.gradcheck(f, [{values}]{settings}))"])


def _source(f: Any) -> list[str]:
    """Lines that make f: an import where it has a name of its own, else its definition and what that reads."""
    imported = _imported(f, "f")
    if imported:
        return [imported]
    if type(f) in DECORATED:
        return [*_source(f.__wrapped__), f"f = {DECORATED[type(f)]}(f)"]
    source = source_of(f) if isinstance(f, FunctionType) else None
    if source is None:
        return ["# f is", *(f"#   {line}" for line in _shown(f)[:20])]
    lines = [line for name in _free(source.node) if (line := _defined(name, source))]
    if isinstance(source.node, ast.Lambda):
        return [*lines, f"f = {ast.unparse(source.node)}"]
    bare = copy(source.node)
    bare.decorator_list = []
    return [*lines, *ast.unparse(bare).splitlines(), f"f = {f.__name__}"]


def _shown(f: Any) -> list[str]:
    try:
        return inspect.getsource(f).strip().splitlines()
    except (OSError, TypeError):
        return [repr(f)]


def _imported(x: Any, name: str) -> str:
    """The import of a function or a class under a name; nothing if it has no place to be imported from."""
    own = getattr(x, "__qualname__", "")
    module = _home(getattr(inspect.unwrap(x), "__globals__", {"__name__": getattr(x, "__module__", "")}))
    return f"from {module} import {own}" + f" as {name}" * (own != name) if module and own.isidentifier() else ""


def _home(names: Mapping[str, Any]) -> str:
    """The module of these globals: of a program that is run, its file, as another program's `__main__` is another."""
    file = names.get("__file__") or ""
    return Path(file).stem if names.get("__name__") == "__main__" and file else str(names.get("__name__") or "")


def _free(node: ast.AST) -> Iterator[str]:
    """The names that a definition reads and does not make, each once."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    made = {n.id for n in names if not isinstance(n.ctx, ast.Load)} | {
        n.arg for n in ast.walk(node) if isinstance(n, ast.arg)
    }
    yield from dict.fromkeys(n.id for n in names if n.id not in made)


def _defined(name: str, source: Source) -> str:
    """A line that gives a free name of f its meaning; nothing for a name of Python's own."""
    try:
        value = source.lookup(name)
    except KeyError:
        return ""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}" if value.__name__ != name else f"import {name}"
    if getattr(value, "__module__", None) == "builtins":
        return ""
    if value is None or isinstance(value, (Tensor, np.ndarray, np.generic, bool, int, float, str, list, tuple, dict)):
        return f"{name} = {written(value)}"
    if name in source.f.__globals__:
        return f"from {_home(source.f.__globals__)} import {name}"
    return _imported(value, name) or f"# {name} is {repr(value).splitlines()[0]}"


def written(x: Any) -> str:
    """An input as an expression that makes it."""
    if isinstance(x, dict):
        return "{" + ", ".join(f"{k!r}: {written(v)}" for k, v in x.items()) + "}"
    if isinstance(x, (list, tuple)) and is_tree(x):
        parts = ", ".join(map(written, x))
        return f"[{parts}]" if isinstance(x, list) else f"({parts},)"
    if not isinstance(x, (Tensor, np.ndarray, np.generic, float, complex, list)):
        return repr(x)
    a = np.asarray(x.value if isinstance(x, Tensor) else x)
    if a.size <= LISTED:
        return f"np.array({a.tolist()!r}, {a.dtype.name!r})".replace("nan", "np.nan").replace("inf", "np.inf")
    if a.size > PACKED:
        return _alike(a)
    text = base64.b85encode(zlib.compress(np.ascontiguousarray(a).tobytes())).decode()
    packed = f"__import__('zlib').decompress(__import__('base64').b85decode({text!r}))"
    return f"np.frombuffer({packed}, {a.dtype.name!r}).reshape({a.shape})"


def _alike(a: np.ndarray[Any, Any]) -> str:
    """Random numbers of the shape, the dtype and the range of an array that is too long to be written out."""
    rng = "np.random.default_rng(0)"
    if a.dtype.kind not in "fiu" or not np.isfinite(a).all():
        return f"{rng}.standard_normal({a.shape}).astype({a.dtype.name!r})"
    low, high = a.min().item(), a.max().item()
    if a.dtype.kind == "f":
        return f"{rng}.uniform({low!r}, {high!r}, {a.shape}).astype({a.dtype.name!r})"
    return f"{rng}.integers({low}, {high}, {a.shape}, {a.dtype.name!r}, endpoint=True)"
