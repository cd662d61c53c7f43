"""Object files become functions in memory, without numba.

One engine for each object, so that no symbol of one can be mistaken for one of another. Engines are never disposed of:
a thread may still be inside their code when the interpreter ends.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import llvmlite
import llvmlite.binding as ll
import numpy as np
from llvmlite.binding import ffi

from autograd.errors import UnsupportedError
from autograd.kernels.cache import Entry

# What machine code may call: idioms that LLVM makes of loops, and the mathematics library.
_MATHS = (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs floor fma fmax "
    "fmin fmod hypot ldexp lgamma log log10 log1p log2 logb modf nearbyint nextafter pow remainder rint round sin sinh "
    "sqrt tan tanh tgamma trunc"
)
RUNTIME = frozenset(
    ["memcpy", "memmove", "memset", "sincos", "sincosf"] + [name + end for name in _MATHS.split() for end in ("", "f")]
)
_ENVIRONMENT = (  # what numba's optimiser listens to
    "NUMBA_BOUNDSCHECK",
    "NUMBA_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "NUMBA_ENABLE_AVX",
    "NUMBA_LOOP_VECTORIZE",
    "NUMBA_OPT",
    "NUMBA_SLP_VECTORIZE",
)
_engines: list[Any] = []


@functools.cache
def machine_fields() -> dict[str, Any]:
    """What machine code depends on besides its source: versions, processor, and numba's own switches."""
    return {
        "numba": importlib.metadata.version("numba"),
        "llvmlite": llvmlite.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "triple": ll.get_process_triple(),
        "cpu": ll.get_host_cpu_name(),
        "features": ll.get_host_cpu_features().flatten(),
        "environment": {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    }


def target_machine() -> Any:
    """LLVM's code generator for the processor at hand. An engine owns the one that it is given."""
    _initialize()
    fields = machine_fields()
    return ll.Target.from_triple(fields["triple"]).create_target_machine(
        cpu=fields["cpu"], features=fields["features"], opt=3, jit=True
    )


@functools.cache
def _initialize() -> None:
    ll.initialize_native_target()
    ll.initialize_native_asmprinter()
    _resolve_runtime()


def _resolve_runtime() -> None:
    """Tell LLVM where the C library's functions are, where it cannot see them in the process itself."""
    names = {"m": "m", "c": "c"} if sys.platform != "win32" else {"m": "ucrtbase", "c": "vcruntime140"}
    missing = [name for name in sorted(RUNTIME) if ll.address_of_symbol(name) is None]
    paths = [path for name in names.values() if missing and (path := ctypes.util.find_library(name))]
    for path in paths:
        library = ctypes.CDLL(path)
        for name in missing:
            try:
                ll.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
            except AttributeError:
                continue


@contextmanager
def parsed(text: str) -> Iterator[Any]:
    """A module of LLVM's language, in a context of its own: no other thread looks at it.

    Both end here, module first: left to the collector, which ends what refers to each other in any order and in any
    thread, they would take the process with them.
    """
    context = ll.create_context()
    try:
        module = ll.parse_assembly(text, context)
        try:
            module.verify()
            yield module
        finally:
            module.close()
    finally:
        context.close()


def optimize(module: Any) -> None:
    """Run all of LLVM's passes for the processor at hand."""
    options = ll.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_interleaving = options.loop_unrolling = True
    late = ll.create_new_module_pass_manager()
    late.add_always_inliner_pass()  # vector forms of functions, which are called only now
    with closing(ll.create_pass_builder(target_machine(), options)) as passes:
        with closing(passes.getModulePassManager()) as manager:
            _unlocked(ffi.lib.LLVMPY_RunNewModulePassManager)(manager, module, passes)
        late.run(module, passes)


def tidy(module: Any) -> None:
    """Run the passes that take little time: values leave the stack, and what is plain is computed."""
    few = ll.create_new_module_pass_manager()
    few.add_sroa_pass()
    few.add_instruction_combine_pass()
    few.add_simplify_cfg_pass()
    with closing(ll.create_pass_builder(target_machine(), ll.create_pipeline_tuning_options())) as passes:
        few.run(module, passes)


def emit(module: Any) -> bytes:
    """The object file of a module."""
    with ffi.OutputString() as error:
        made = _unlocked(ffi.lib.LLVMPY_TargetMachineEmitToMemory)(target_machine(), module, 1, error)
        if not made:
            raise RuntimeError(str(error))
    try:
        return ctypes.string_at(ffi.lib.LLVMPY_GetBufferStart(made), ffi.lib.LLVMPY_GetBufferSize(made))
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(made)


def _unlocked(function: Any) -> Any:
    """One of llvmlite's functions without its lock, which lets one thread at a time into LLVM.

    LLVM itself asks no more than that threads do not share a context.
    """
    return getattr(function, "_cfn", function)


def load(entry: Entry) -> int:
    """The address of an entry's function.

    Raises UnsupportedError if its code calls a function that this process has not: LLVM would end the process.
    """
    machine = target_machine()
    missing = [name for name in entry.needs if ll.address_of_symbol(name) is None]
    if missing:
        raise UnsupportedError(
            f"The kernel {entry.symbol} calls {', '.join(missing)}, which this process does not have."
        )
    engine = ll.create_mcjit_compiler(ll.parse_assembly(""), machine)
    engine.add_object_file(ll.ObjectFileRef.from_data(entry.code))
    engine.finalize_object()
    address = int(engine.get_function_address(entry.symbol))
    if not address:
        raise ValueError(f"there is no function {entry.symbol} in it")
    _engines.append((engine, entry.code))
    return address
