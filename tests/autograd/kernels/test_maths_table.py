"""The table of elementary functions: what is in it, when it is made, what it refuses."""

import math

import numpy as np
import pytest
from llvmlite import ir

from autograd.kernels import maths
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


def test_a_condition_on_a_value_is_refused():
    function = ir.Function(ir.Module(), ir.FunctionType(FLOAT64.type, [FLOAT64.type]), "f")
    x = Value(ir.IRBuilder(function.append_basic_block()), function.args[0], FLOAT64, 1)
    with pytest.raises(TypeError, match=r"write select\(mask, a, b\) in place of `if`"):
        bool(x > 0.0)
