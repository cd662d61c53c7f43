"""Functions with a rare slow path, kept out of line so that it costs a vector of arguments one test.

A loop that holds a conditional call does not vectorise well, so the scalar function is compiled once, not inlined, and
carries vector forms of itself (LLVM's `vector-function-abi-variant`): the loop vectoriser calls those in its place.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from autograd.kernels.maths.emit import FLOAT32, FLOAT64, Kind, Pool, Value, fabs

LANES = {"float32": (4, 8, 16), "float64": (2, 4, 8)}
Body = Callable[[Value], Value]


def guarded(name: str, fast: Body, limit: dict[str, float]) -> Body:
    """`fast` where |x| <= limit and for NaN, the C library's function `name` beyond it."""

    def call(x: Value) -> Value:
        function = scalar(x.builder.module, name, x.kind, fast, limit[x.kind.name])
        return x.of(x.builder.call(function, [x.ir]))

    return call


def scalar(module: ir.Module, name: str, kind: Kind, fast: Body, limit: float) -> ir.Function:
    """The function of one number, with its vector forms, defined in `module` at its first use there."""
    symbol = f"wengert_{name}_{kind.name}"
    if symbol in module.globals:
        return module.globals[symbol]
    function = define(module, symbol, kind.type)
    library = (
        ir.Function(module, ir.FunctionType(FLOAT64.type, [FLOAT64.type]), name)
        if name not in module.globals
        else module.globals[name]
    )
    library.attributes.add("nounwind")
    library.attributes.add("readnone")
    build(function, kind, 1, fast, limit, lambda b, x: slow(b, x, kind, library))
    forms = []
    for lanes in LANES[kind.name]:
        form = define(module, f"{symbol}_x{lanes}", ir.VectorType(kind.type, lanes))
        build(form, kind, lanes, fast, limit, lambda b, x, lanes=lanes: each(b, x, lanes, function))
        forms.append((lanes, form))
    offer(module, function, forms)
    return function


def define(module: ir.Module, symbol: str, t: ir.Type) -> ir.Function:
    """An empty function from `t` to `t`."""
    function = ir.Function(module, ir.FunctionType(t, [t]), symbol)
    function.linkage = "linkonce_odr"
    for attribute in ("nounwind", "noinline", "readnone"):
        function.attributes.add(attribute)
    return function


def build(
    function: ir.Function,
    kind: Kind,
    lanes: int,
    fast: Body,
    limit: float,
    far: Callable[[ir.IRBuilder, ir.Value], ir.Value],
) -> None:
    """Return `fast`, or `far` if any lane is beyond the limit."""
    near_block, far_block = (function.append_basic_block(s) for s in ("near", "far"))
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    function.blocks.insert(0, function.blocks.pop())
    pool = Pool(builder, f"{function.name}_constants") if lanes > 1 else None
    x = Value(builder, function.args[0], kind, lanes, pool)
    beyond = (fabs(x) > limit).ir
    if lanes > 1:
        mask = ir.IntType(lanes)
        beyond = builder.icmp_unsigned("!=", builder.bitcast(beyond, mask), ir.Constant(mask, 0))
    builder.cbranch(beyond, far_block, near_block)
    builder.position_at_end(near_block)
    builder.ret(fast(x).ir)
    builder.position_at_end(far_block)
    builder.ret(far(builder, function.args[0]))


def slow(builder: ir.IRBuilder, x: ir.Value, kind: Kind, library: ir.Function) -> ir.Value:
    """The C library's function, in float64."""
    if kind == FLOAT32:
        return builder.fptrunc(builder.call(library, [builder.fpext(x, FLOAT64.type)]), kind.type)
    return builder.call(library, [x])


def each(builder: ir.IRBuilder, x: ir.Value, lanes: int, function: ir.Function) -> ir.Value:
    """The scalar function, lane by lane."""
    y = ir.Constant(x.type, ir.Undefined)
    for lane in range(lanes):
        index = ir.Constant(ir.IntType(32), lane)
        y = builder.insert_element(y, builder.call(function, [builder.extract_element(x, index)]), index)
    return y


def offer(module: ir.Module, function: ir.Function, forms: list[tuple[int, ir.Function]]) -> None:
    """Tell the loop vectoriser of the vector forms, and keep the linker from dropping them first."""
    names = ",".join(f"_ZGV_LLVM_N{lanes}v_{function.name}({form.name})" for lanes, form in forms)
    # llvmlite knows no string attributes; its set of attributes prints what it holds.
    set.add(function.attributes, f'"vector-function-abi-variant"="{names}"')
    byte = ir.IntType(8).as_pointer()
    used = [form.bitcast(byte) for _, form in forms]
    if "llvm.compiler.used" in module.globals:
        keep = module.globals["llvm.compiler.used"]
        used = [*keep.initializer.constant, *used]
    else:
        keep = ir.GlobalVariable(module, ir.ArrayType(byte, 0), "llvm.compiler.used")
        keep.linkage, keep.section = "appending", "llvm.metadata"
    t = ir.ArrayType(byte, len(used))
    keep.value_type, keep.type = t, t.as_pointer()
    keep.initializer = ir.Constant(t, used)
