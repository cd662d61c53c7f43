"""Finding the source of a function, and doing without."""

import linecache
import math

import numpy as np
import pytest

import autograd as ag
from autograd.errors import UnsupportedError
from autograd.program.source import source_of


def made(text):
    """A function that Python knows no source of."""
    scope = {"math": math, "ag": ag, "np": np}
    exec(text, scope)
    return scope["f"]


def test_without_source_it_is_run_on_symbols():
    f = made("def f(x, *, k=2):\n    for i in range(k):\n        x = x * x + (x > 0) * i\n    return abs(x) - 1.5")
    assert source_of(f) is None
    x = np.array([-1.0, 0.5, 2.0])
    assert ag.elementwise(f)(x).tolist() == [f(v) for v in x.tolist()]
    assert ag.gradcheck(ag.elementwise(f), [x])
    assert ag.elementwise(made("f = lambda x: ag.exp(x)"))(0.0) == 1.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("f = lambda x: x if x > 0 else -x", "a branch depends on data in a function whose source cannot be read"),
        ("f = lambda x: max(x, 0)", "a branch depends on data in a function whose source cannot be read"),
        ("f = lambda x: math.exp(x)", "(?s)function of Python numbers was called on data.*Write ag.exp for math.exp"),
        ("def f(x):\n    for _ in range(x): pass\n    return x", "a function of Python numbers was called on data"),
        ("f = lambda x: ag.sum(x)", "is not a function of single numbers|has no"),
        ("f = lambda x: [v for v in x]", "a number was unpacked or looped over"),
        ("f = lambda x: x + ag.ones(3)", "add was given a Tensor. Expected a number"),
        ("f = lambda x: (x, x)", "a tuple is returned. Expected one number"),
    ],
)
def test_without_source_a_branch_is_refused(text, words):
    with pytest.raises(UnsupportedError, match=words):
        ag.elementwise(made(text))


def test_a_file_that_changed_is_not_believed(tmp_path):
    path = tmp_path / "changing.py"
    path.write_text("def f(x):\n    return x + 1\n")
    scope = {}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    assert source_of(scope["f"]) is not None
    path.write_text("# a line above\ndef f(x):\n    return x + 2\n")
    linecache.checkcache(str(path))
    assert source_of(scope["f"]) is None
    assert ag.elementwise(scope["f"])(1.0) == 2.0


LAMBDAS = [lambda x: x, lambda x: x if x > 0 else -x, lambda x: 1.0, lambda x: x and 2.0]
NESTED = (lambda k: lambda x: x * k if x > 0 else x - k)(3.0)


def test_the_right_lambda_of_a_line_is_found():
    assert [[ag.elementwise(f)(v) for v in (-2.0, 2.0)] for f in LAMBDAS] == [[f(-2.0), f(2.0)] for f in LAMBDAS]
    assert [ag.elementwise(NESTED)(v) for v in (-2.0, 2.0)] == [-5.0, 6.0]
    split = ag.elementwise(
        lambda x: (
            2 * x
            if x > 1
            else x
        )
    )  # fmt: skip
    assert (split(3.0), split(0.5)) == (6.0, 0.5)


def decorated(f):
    return f


@decorated
@decorated
def under_decorators(x):
    return x if x > 0 else 0.0


def test_a_decorated_function_is_found():
    assert source_of(under_decorators).node.name == "under_decorators"
    assert ag.elementwise(under_decorators)(-1.0) == 0.0
