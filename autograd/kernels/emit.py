"""Python source to an object file, through numba. Imported only when a kernel is not in the cache."""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from autograd.errors import UnsupportedError
from autograd.kernels import intrinsics, loader
from autograd.kernels.cache import Entry

_pointer_to: Any = types.CPointer
_TYPES = {"intp": types.intp, "intp*": _pointer_to(types.intp)}
_MACHINE = {"intp": "i64", "intp*": "ptr"}
_DECLARED = re.compile(r'^declare .*?@(?:"([^"]+)"|([\w.$]+))\(', re.MULTILINE)
_DEFINED = re.compile(r"^define (?!internal |private )", re.MULTILINE)
_GLOBAL = re.compile(r"^(@.*? = )(?:common|linkonce_odr|weak|weak_odr)( )", re.MULTILINE)


def emit(source: str, name: str, signature: Sequence[str], flags: Sequence[str], fields: Mapping[str, Any]) -> Entry:
    """Compile the function called `name` in a source text to an object file with one symbol.

    Raises UnsupportedError if the code needs numba or Python at run time: it raises, allocates, or calls back.
    """
    symbol = f"wengert_{name}"
    text = _wrapped(*_compiled(source, name, signature, flags), symbol, signature)
    needs = _needed(text)
    if foreign := [need for need in needs if need not in loader.RUNTIME]:
        raise UnsupportedError(
            f"The kernel {name} needs {', '.join(foreign)} while it runs. "
            "Expected arithmetic on numbers and pointers only: no arrays, no strings, no exceptions, no printing."
        )
    return Entry(symbol, needs, fields, loader.emit(text))


def _compiled(source: str, name: str, signature: Sequence[str], flags: Sequence[str]) -> tuple[str, str]:
    """LLVM's optimised text of a function and the name that numba gave it."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # made from the environment
        raise UnsupportedError(
            "NUMBA_DISABLE_JIT is set, so no kernel can be compiled. Unset it, or set config.kernels = False."
        )
    file = f"<kernel {name} {hash(source):x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    options: dict[str, Any] = {
        "error_model": "numpy",
        "fastmath": set(flags),
        "nogil": True,
        "no_cpython_wrapper": True,  # nobody calls it from Python: half of the time of compiling
        "no_cfunc_wrapper": True,
    }
    scope = dict(namespace()) | {"inline": numba.njit(**options)}
    exec(compile(source, file, "exec"), scope)
    arguments = tuple(_TYPES[kind] for kind in signature)
    compiled = numba.njit(types.void(*arguments), **options)(scope[name])
    return compiled.inspect_llvm(arguments), compiled.overloads[arguments].fndesc.llvm_func_name


def _wrapped(text: str, inner: str, symbol: str, signature: Sequence[str]) -> str:
    """The module with everything internal but one plain C function, which calls numba's own.

    Internal, because two modules may hold different functions under one of numba's names.
    """
    text = _GLOBAL.sub(r"\1internal\2", _DEFINED.sub("define internal ", text))
    text = re.sub(r"^define internal (?:linkonce_odr|weak|weak_odr) ", "define internal ", text, flags=re.MULTILINE)
    text = _aligned(text, inner)
    kinds = [_MACHINE[kind] for kind in signature]
    formal = ", ".join(f"{kind} %a{k}" for k, kind in enumerate(kinds))
    return f"""{text}
define void @{symbol}({formal}) {{
  %result = alloca ptr, align 8
  %error = alloca ptr, align 8
  %status = call i32 @{inner}(ptr %result, ptr %error, {formal})
  ret void
}}
"""


def _aligned(text: str, function: str) -> str:
    """The module with the stack of a function aligned to whole vectors.

    A loop that calls keeps its vectors on the stack; where they straddle cache lines it takes up to 1.8 times as long.
    """
    return re.sub(rf"^(define .*@{re.escape(function)}\(.*) {{$", r"\1 alignstack(64) {", text, flags=re.MULTILINE)


def _needed(text: str) -> tuple[str, ...]:
    """The outside functions that a module calls."""
    names = {quoted or plain for quoted, plain in _DECLARED.findall(text)}
    used = {name for name in names if len(re.findall(rf'@"?{re.escape(name)}"?\(', text)) > 1}
    return tuple(sorted(name for name in used if not name.startswith("llvm.")))


@cache
def namespace() -> Mapping[str, Any]:
    """The names that a kernel's source may use."""
    names = {"np": np, "numba": numba, **_public(intrinsics)}
    if importlib.util.find_spec("autograd.kernels.maths") is not None:
        names |= _public(importlib.import_module("autograd.kernels.maths"))
    return names


def _public(module: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("_") and callable(value)}
