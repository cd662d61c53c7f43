"""Functions with a rare slow path, kept out of the way so that it costs a vector of arguments one test.

A loop that holds a branch does not vectorise well, so a scalar function is called, which carries vector forms of itself
(LLVM's `vector-function-abi-variant`): the loop vectoriser calls those in its place, and they are inlined afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llvmlite import ir

from autograd.kernels.maths.emit import FLOAT64, Kind, Value, cast, fabs

LANES = {"float32": (4, 8, 16), "float64": (2, 4, 8)}
Body = Callable[[Value], Value]
Mend = Callable[[Value, Value], Value]
USED = "llvm.compiler.used"


def guarded(name: str, near: Body, beyond: Body, far: Body, wide: bool = False) -> Body:
    """`near`, but `far` where the mask `beyond` is set.

    wide: `far` takes vectors of both formats; otherwise it is of one float64 number.
    """

    def call(x: Value) -> Value:
        return x.of(x.builder.call(scalar(x.builder.module, x.kind), [x.ir, near(x).ir]))

    def scalar(module: ir.Module, kind: Kind) -> ir.Function:
        """The function of one number, with its vector forms, defined in `module` at its first use there."""
        symbol = f"wengert_{name}_{kind.name}"
        if symbol in module.globals:
            return module.globals[symbol]
        function = define(module, symbol, kind.type)
        mend = whole(far) if wide else one(far)
        build(function, kind, 1, beyond, mend)
        vectors = {n: ir.VectorType(kind.type, n) for n in LANES[kind.name]}
        forms = {n: define(module, f"{symbol}_x{n}", t, "alwaysinline") for n, t in vectors.items()}
        if not wide:
            alone = define(module, f"{symbol}_alone", kind.type)
            build(alone, kind, 1, beyond, mend)
            mend = each(
                alone
            )  # which has no vector forms: calls of `function` side by side would be made one of a form
        for lanes, form in forms.items():
            build(form, kind, lanes, beyond, mend)
        offer(module, function, forms)
        return function

    return call


def outside(limit: Mapping[str, float]) -> Body:
    """|x| > limit."""
    return lambda x: fabs(x) > limit[x.kind.name]


def define(module: ir.Module, symbol: str, t: ir.Type, inline: str = "noinline") -> ir.Function:
    """An empty function of two `t` that gives one."""
    function = ir.Function(module, ir.FunctionType(t, [t, t]), symbol)
    function.linkage = "linkonce_odr"
    for attribute in ("nounwind", inline, "readnone"):
        function.attributes.add(attribute)
    # llvmlite does not know all attributes; its set of them prints what it holds.
    set.add(function.attributes, "willreturn")  # else constants after a call of it stay in the loop, as calls
    return function


def build(function: ir.Function, kind: Kind, lanes: int, beyond: Body, far: Mend) -> None:
    """Return the second argument, or `far` of the first if any lane of it is beyond."""
    entry, near_block, far_block = (function.append_basic_block(s) for s in ("entry", "near", "far"))
    builder = ir.IRBuilder(entry)
    x, y = (Value(builder, argument, kind, lanes) for argument in function.args)
    test = beyond(x).ir
    if lanes > 1:
        mask = ir.IntType(lanes)
        test = builder.icmp_unsigned("!=", builder.bitcast(test, mask), ir.Constant(mask, 0))
    builder.cbranch(test, far_block, near_block).set_weights([1, 1000])
    builder.position_at_end(near_block)
    builder.ret(y.ir)
    builder.position_at_end(far_block)
    builder.ret(far(x, y).ir)


def whole(far: Body) -> Mend:
    """`far` of all lanes at once."""
    return lambda x, _: far(x)


def one(far: Body) -> Mend:
    """`far` of one number of either format."""

    def call(x: Value, _: Value) -> Value:
        return far(x) if x.kind == FLOAT64 else cast(far(cast(x, FLOAT64)), x.kind)

    return call


def each(function: ir.Function) -> Mend:
    """The scalar function, lane by lane."""

    def call(x: Value, near: Value) -> Value:
        b, y = x.builder, near.ir
        for lane in range(x.lanes):
            index = ir.Constant(ir.IntType(32), lane)
            pair = [b.extract_element(v.ir, index) for v in (x, near)]
            y = b.insert_element(y, b.call(function, pair), index)
        return x.of(y)

    return call


def offer(module: ir.Module, function: ir.Function, forms: Mapping[int, ir.Function]) -> None:
    """Tell the loop vectoriser of the vector forms, and keep the linker from dropping them first."""
    names = ",".join(f"_ZGV_LLVM_N{lanes}vv_{function.name}({form.name})" for lanes, form in forms.items())
    set.add(function.attributes, f'"vector-function-abi-variant"="{names}"')
    byte = ir.IntType(8).as_pointer()
    used = [form.bitcast(byte) for form in forms.values()]
    if USED in module.globals:
        keep = module.globals[USED]
        used = [*keep.initializer.constant, *used]
    else:
        keep = ir.GlobalVariable(module, ir.ArrayType(byte, 0), USED)
        keep.linkage, keep.section = "appending", "llvm.metadata"
    keep.value_type = ir.ArrayType(byte, len(used))
    keep.type = keep.value_type.as_pointer()
    keep.initializer = ir.Constant(keep.value_type, used)
