"""The table of elementary functions: what is in it, when it is made, what it refuses."""

import math
import re

import numpy as np
import pytest
from llvmlite import ir

from autograd.kernels import emit, maths
from autograd.kernels.maths.emit import FLOAT64, Value


def test_called_from_python():
    assert maths.table["exp", "float64"](1.0) == pytest.approx(math.e, rel=1e-15)
    assert maths.table["pow", "float64"](2.0, 0.5) == pytest.approx(math.sqrt(2), rel=1e-15)
    assert maths.table["sigmoid", "float32"](np.float32(-100)) == np.float32(math.exp(-100))


def test_a_function_is_made_when_it_is_asked_for():
    table = maths.Table(maths.instructions.make)
    exp = table["exp", "float32"]
    assert list(table.made) == [("exp", "float32")]
    assert table["exp", "float32"] is exp
    assert len(table) == len(list(table)) == 42
    with pytest.raises(KeyError, match="exp10"):
        table["exp10", "float32"]


def test_sources_are_the_texts_of_the_package():
    texts = maths.sources()
    for line in ("def exp(x: Value)", "def wide_log(", "class Value", "def guarded(", "def erf(", "def assemble("):
        assert sum(line in text for text in texts) == 1, line


@pytest.mark.parametrize("name", [name for name, dtype in maths.instructions if dtype == "float32"])
def test_loops_that_call_several_functions_run_in_vectors(name):
    """Also those with rare slow paths, which are calls until after the loop is vectorised."""
    arguments = "x, x" if name in ("pow", "atan2") else "x"
    source = f"""from autograd.kernels.maths import instructions
f, sin, log = (instructions[name, "float32"] for name in ("{name}", "sin", "log"))

def kernel(lo, hi, args):
    a, y = pointer_f4(args, 0), pointer_f4(args, 1)
    for k in range(lo, hi):
        x = a[k]
        y[k] = log(x) + f({arguments}) + sin(x)
"""
    with emit.finished(emit.lowered(source, "kernel", ("intp", "intp", "intp*"), ("contract", "nsz"))) as module:
        text = str(module)
    assert "vector.body" in text
    assert not re.search(r"call \w* ?float @wengert_", text.partition("vector.body")[2].partition("br i1")[0])


def test_a_condition_on_a_value_is_refused():
    function = ir.Function(ir.Module(), ir.FunctionType(FLOAT64.type, [FLOAT64.type]), "f")
    x = Value(ir.IRBuilder(function.append_basic_block()), function.args[0], FLOAT64, 1)
    with pytest.raises(TypeError, match=r"write select\(mask, a, b\) in place of `if`"):
        bool(x > 0.0)
