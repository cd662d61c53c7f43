"""The source of a kernel to an object file. Imported only when a kernel is not in the cache.

The small language of `lowering` says all that this project's own kernels need. A kernel of somebody else's may say
more: it goes through numba, which knows most of Python.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from autograd.errors import UnsupportedError
from autograd.kernels import intrinsics, loader, lowering, maths
from autograd.kernels.arithmetic import Unlowered
from autograd.kernels.cache import Entry
from autograd.kernels.language import Instruction

_DECLARED = re.compile(r'^declare .*?@(?:"([^"]+)"|([\w.$]+))\(', re.MULTILINE)
_DEFINED = re.compile(r"^define (?!internal |private )", re.MULTILINE)
_GLOBAL = re.compile(r"^(@.*? = )(?:common|linkonce_odr|weak|weak_odr)( )", re.MULTILINE)


class Lowered(NamedTuple):
    """A kernel in LLVM's language. passes: those that are still to run."""

    text: str
    passes: Callable[[Any], None] | None


def emit(lowered: Lowered, name: str, fields: Mapping[str, Any]) -> Entry:
    """The object file of a kernel, with one symbol.

    Raises UnsupportedError if the code needs numba or Python at run time: it raises, allocates, or calls back.
    """
    with finished(lowered) as module:
        needs = _needed(str(module))
        if foreign := [need for need in needs if need not in loader.RUNTIME]:
            raise UnsupportedError(
                f"The kernel {name} needs {', '.join(foreign)} while it runs. "
                "Expected arithmetic on numbers and pointers only: no arrays, no strings, no exceptions, no printing."
            )
        return Entry(f"wengert_{name}", needs, fields, loader.emit(module))


@contextmanager
def finished(lowered: Lowered) -> Iterator[Any]:
    """LLVM's module of a kernel, all passes done."""
    with loader.parsed(lowered.text) as module:
        if lowered.passes is not None:
            lowered.passes(module)
        yield module


def lowered(source: str, name: str, signature: Sequence[str], flags: Sequence[str], hot: bool = True) -> Lowered:
    """The function called `name` of a source text in LLVM's language."""
    file = f"<kernel {name} {hash(source):x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        text = internal(_lowered(source, file, name, signature, flags), f"wengert_{name}")
    except Unlowered:
        return Lowered(_through_numba(source, file, name, signature, flags), None)
    return Lowered(text, loader.optimize if hot else loader.tidy)


def _lowered(source: str, file: str, name: str, signature: Sequence[str], flags: Sequence[str]) -> str:
    scope = dict(namespace()) | {"inline": lambda function: function}
    return str(lowering.lower(source, file, scope, name, signature, flags))


def _through_numba(source: str, file: str, name: str, signature: Sequence[str], flags: Sequence[str]) -> str:
    from autograd.kernels import through_numba  # late: importing numba takes longer than compiling most kernels

    text, inner = through_numba.compiled(source, file, dict(namespace()), name, signature, flags)
    return through_numba.wrapped(internal(text), inner, f"wengert_{name}", signature)


def internal(text: str, symbol: str = "") -> str:
    """A module whose functions and variables, but for one symbol, nobody else sees.

    Two modules may hold different functions under one name.
    """
    text = _GLOBAL.sub(r"\1internal\2", _DEFINED.sub("define internal ", text))
    text = re.sub(r"^define internal (?:linkonce_odr|weak|weak_odr) ", "define internal ", text, flags=re.MULTILINE)
    return re.sub(rf'^define internal (.*@"?{symbol}"?\()', r"define \1", text, flags=re.MULTILINE) if symbol else text


def _needed(text: str) -> tuple[str, ...]:
    """The outside functions that a module calls."""
    names = {quoted or plain for quoted, plain in _DECLARED.findall(text)}
    used = {name for name in names if len(re.findall(rf'@"?{re.escape(name)}"?\(', text)) > 1}
    return tuple(sorted(name for name in used if not name.startswith("llvm.")))


@cache
def namespace() -> Mapping[str, Any]:
    """The names that a kernel's source may use."""
    named = vars(intrinsics) | {f"{name}_f{int(dtype[-2:]) // 8}": f for (name, dtype), f in maths.instructions.items()}
    return {"np": np, **{name: value for name, value in named.items() if isinstance(value, Instruction)}}
