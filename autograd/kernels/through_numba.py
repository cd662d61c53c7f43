"""The source of a kernel through numba: for what the small language does not say. The one module that imports numba."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numba
from numba import types
from numba.extending import intrinsic

from autograd.errors import UnsupportedError
from autograd.kernels.language import BOOL, NUMBERS, VOID, Instruction, Kind, Pointer

_TYPES = {"intp": types.intp, "intp*": types.CPointer(types.intp)}  # type: ignore[no-untyped-call]  # numba has none
_MACHINE = {"intp": "i64", "intp*": "ptr"}


def compiled(
    source: str, file: str, scope: dict[str, Any], name: str, signature: Sequence[str], flags: Sequence[str]
) -> tuple[str, str]:
    """LLVM's optimised text of a function and the name that numba gave it."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # made from the environment
        raise UnsupportedError(
            f"NUMBA_DISABLE_JIT is set, and the kernel {name} says what only numba compiles. "
            "Unset it, or set config.kernels = False."
        )
    options: dict[str, Any] = {
        "error_model": "numpy",
        "fastmath": set(flags),
        "nogil": True,
        "no_cpython_wrapper": True,  # nobody calls it from Python: half of the time of compiling
        "no_cfunc_wrapper": True,
    }
    scope |= {"numba": numba, "inline": numba.njit(**options)}
    exec(compile(source, file, "exec"), scope)
    for key, value in list(scope.items()):
        if isinstance(value, Instruction):
            scope[key] = function(key, value) if value.exact else _intrinsic(value)
    arguments = tuple(_TYPES[kind] for kind in signature)
    found: Any = numba.njit(types.void(*arguments), **options)(scope[name])
    return found.inspect_llvm(arguments), found.overloads[arguments].fndesc.llvm_func_name


def wrapped(text: str, inner: str, symbol: str, signature: Sequence[str]) -> str:
    """The module with a plain C function, which calls numba's own."""
    text = re.sub(rf"^(define .*@{re.escape(inner)}\(.*) {{$", r"\1 alignstack(64) {", text, flags=re.MULTILINE)
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


def function(name: str, source: Instruction) -> Any:
    """An instruction as a function for numba's code, always inlined, deaf to the caller's fast-math flags."""
    inner = _intrinsic(source)
    formal = ", ".join(f"x{k}" for k in range(source.arity))
    scope = {"inner": inner}
    exec(f"def outer({formal}):\n    return inner({formal})", scope)
    outer: Any = scope["outer"]
    outer.__name__ = outer.__qualname__ = name
    return numba.njit(outer, forceinline=True, error_model="numpy", nogil=True)


@cache
def _intrinsic(source: Instruction) -> Any:
    """An instruction as one of numba's intrinsics."""

    def typed(*given: Any) -> Any:
        signature, generate = source.typed(*map(_kind, given))

        def append(target: Any, builder: Any, _signature: Any, values: Any) -> Any:
            result = generate(builder, *values)
            return target.get_dummy_value() if signature.result == VOID else result

        return _type(signature.result)(*map(_type, signature.parameters)), append

    formal = "".join(f", x{k}" for k in range(source.arity))  # numba reads the bare signature
    scope = {"typed": typed}
    exec(f"def code(context{formal}):\n    return typed({formal[2:]})", scope)
    return intrinsic(scope["code"])


def _type(kind: Kind) -> Any:
    """A kind as numba names it."""
    if kind == VOID:
        return types.void
    if isinstance(kind, Pointer):
        return types.CPointer(_type(kind.element))  # type: ignore[no-untyped-call]  # as above
    return types.boolean if kind == BOOL else getattr(types, kind.name)  # type: ignore[union-attr]  # a number


def _kind(given: Any) -> Kind:
    """One of numba's types as a kind."""
    if isinstance(given, types.CPointer):
        return Pointer(_kind(given.dtype))  # type: ignore[arg-type]  # of a number
    number: Any = types.unliteral(given)  # type: ignore[no-untyped-call]  # as above
    return NUMBERS["bool" if number == types.boolean else number.name]
