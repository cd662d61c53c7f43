"""Arrays come back to modules with a name of `autograd.numpy`; to all others, Tensors as ever."""

import subprocess
import sys
from functools import partial
from runpy import run_path

import numpy
import pytest

import autograd as ag
from autograd.errors import ArgumentError, DTypeError

ASKS = "from autograd import grad, value_and_grad, jacobian, hessian, elementwise_grad, checkpoint\n"
FOUND = """
f = lambda x: (x**3).sum()
x = numpy.array([1.0, 2.0])
kinds = {g.__name__ + str(k): type(y).__name__ for k, (g, y) in enumerate([
    (grad, grad(f)(x)), (value_and_grad, value_and_grad(f)(x)[0]), (value_and_grad, value_and_grad(f)(x)[1]),
    (jacobian, jacobian(f)(x)), (hessian, hessian(f)(x)), (elementwise_grad, elementwise_grad(f)(x)),
    (checkpoint, checkpoint(f)(ones)), (grad, grad(grad(lambda x: x**3))(2.0)),
])}
"""
HEADS = {
    "import autograd.numpy as np": True,
    "from autograd.numpy import exp": True,
    "import autograd.numpy.random as npr": True,
    "from autograd.scipy.stats import norm": True,
    "from autograd.misc.optimizers import adam": True,
    "from autograd.builtins import isinstance": True,
    "import numpy as np": False,
    "import autograd as ag": False,
}


@pytest.mark.parametrize("head", HEADS)
def test_the_module_that_asks_decides(head, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(f"{head}\nimport numpy\nfrom autograd import ones\nones = ones(2)\n{ASKS}{FOUND}")
    kinds = set(run_path(str(path))["kinds"].values())
    assert kinds == ({"ndarray", "float64"} if HEADS[head] else {"Tensor"})


def test_the_function_decides_too_and_through_wrappers():
    import_line = "import autograd.numpy as np\ndef f(x, k=1.0): return np.sum(k * x**2)\n"
    names: dict = {}
    exec(import_line, names)
    f = names["f"]
    assert type(ag.grad(f)(numpy.ones(2))) is numpy.ndarray
    assert type(ag.grad(partial(f, k=2.0))(numpy.ones(2))) is numpy.ndarray
    assert type(ag.grad(ag.grad(names["f"]))(2.0)) is numpy.float64
    assert isinstance(ag.grad(lambda x: f(x))(numpy.ones(2)), ag.Tensor)


def test_arrays_are_to_write_into_and_outer_derivatives_keep_their_tape():
    names: dict = {}
    exec("import autograd.numpy as np\ndef f(x, y): return np.sum(x * y)\n", names)
    x, y = numpy.ones(3), numpy.arange(3.0)
    g = ag.grad(names["f"])(x, y)
    g += 1.0
    assert y.tolist() == [0.0, 1.0, 2.0]
    outer = ag.grad(lambda y: ag.sum(ag.grad(names["f"])(x, y) ** 2))(ag.tensor(y))
    assert outer.tolist() == [0.0, 2.0, 4.0]


def test_integers_are_numbers_in_such_a_program_only():
    names: dict = {}
    exec("import autograd.numpy as np\nf = lambda x: x * x\n", names)
    assert ag.grad(names["f"])(3) == 6.0
    with pytest.raises(DTypeError, match=r"write 2\.0 for 2"):
        ag.grad(lambda x: x * x)(3)


def test_argnum_is_another_name_of_argnums():
    f = lambda a, b: a * b * b  # noqa: E731
    for g in (ag.grad(f, 1), ag.grad(f, argnum=1), ag.grad(f, argnums=1)):
        assert float(g(2.0, 3.0)) == 12.0
    assert [float(g) for g in ag.grad(f, [0, 1])(2.0, 3.0)] == [9.0, 12.0]
    with pytest.raises(ArgumentError, match=r"grad of a function was given \('x',\)\. Expected argnums"):
        ag.grad(f, "x")


def test_importing_autograd_imports_none_of_it():
    code = "import sys, autograd; print([m for m in sys.modules if m.startswith(('autograd.numpy', 'autograd.scipy', "
    code += "'autograd.misc', 'autograd.extend', 'autograd.builtins', 'autograd.test_util'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
