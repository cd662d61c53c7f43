"""Operations with rules in the manner of HIPS autograd, and what goes with them."""

import numpy
import pytest

import autograd as ag
import autograd.numpy as np
from autograd import builtins
from autograd.errors import ArgumentError, DifferentiationError, UnsupportedError
from autograd.extend import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
    primitive,
)
from autograd.misc import flatten
from autograd.misc.flatten import flatten_func
from autograd.test_util import check_grads, combo_check
from autograd.tracer import getval, isbox

X, Y = numpy.array([0.5, -1.0, 2.0]), numpy.array([1.5, 0.3, -0.7])


def product():
    return primitive(lambda x, y, k=1.0: k * x * y)


def given(kind):
    f = product()
    if kind == "defvjp":
        defvjp(f, lambda z, x, y, k=1.0: lambda g: g * k * y, lambda z, x, y, k=1.0: lambda g: g * k * x)
    elif kind == "argnums of defvjp":
        defvjp(f, lambda z, x, y, k=1.0: lambda g: g * k * x, argnums=[1])
        return f, (1,)
    elif kind == "defvjp_argnum":
        defvjp_argnum(f, lambda i, z, args, kwargs: lambda g: g * kwargs.get("k", 1.0) * args[1 - i])
    elif kind == "defvjp_argnums":
        defvjp_argnums(f, lambda ns, z, args, kwargs: lambda g: [g * kwargs.get("k", 1.0) * args[1 - i] for i in ns])
    elif kind == "defjvp":
        defjvp(f, lambda t, z, x, y, k=1.0: t * k * y, "same")
    elif kind == "defjvp_argnum":
        defjvp_argnum(f, lambda i, t, z, args, kwargs: t * kwargs.get("k", 1.0) * args[1 - i])
    else:
        def_linear(f)
    return f, (0, 1)


KINDS = ["defvjp", "argnums of defvjp", "defvjp_argnum", "defvjp_argnums", "defjvp", "defjvp_argnum", "def_linear"]


@pytest.mark.parametrize("kind", KINDS)
def test_rules_are_those_of_the_composition(kind):
    f, positions = given(kind)
    for k in positions:
        mine = lambda *xs: np.sum(np.sin(f(*xs, k=2.0)))  # noqa: E731  # used at once
        plain = lambda x, y: np.sum(np.sin(2.0 * x * y))  # noqa: E731
        np.testing.assert_allclose(ag.grad(mine, k)(X, Y), ag.grad(plain, k)(X, Y), rtol=1e-14)
        np.testing.assert_allclose(ag.hessian(mine, k)(X, Y), ag.hessian(plain, k)(X, Y), rtol=1e-13, atol=1e-15)
    assert type(f(X, Y)) is numpy.ndarray


def test_an_argument_without_a_derivative_and_one_without_a_rule():
    f = product()
    defvjp(f, None, lambda z, x, y: lambda g: g * x)
    assert ag.grad(lambda x: np.sum(f(x, Y)))(X).tolist() == [0.0] * 3
    bare = product()
    with pytest.raises(DifferentiationError, match=r"has no rule\. Write defvjp"):
        ag.grad(lambda x: np.sum(bare(x, Y)))(X)
    defvjp(bare, lambda z, x, y: lambda g: g * y)
    with pytest.raises(DifferentiationError, match=r"has no rule for argument 1\. Expected one of \[0\]"):
        ag.grad(lambda y: np.sum(bare(X, y)))(Y)


def test_rules_for_tangents_of_complex_numbers_are_read_backwards_without_a_conjugate():
    z = X + 1j * Y
    cube, turn = primitive(lambda x: x**3), primitive(lambda x: x * (1 + 2j))
    defjvp(cube, lambda t, y, x: t * 3 * x**2)
    def_linear(turn)
    found = ag.make_vjp(lambda z: turn(cube(z)))(z)[0](z)
    np.testing.assert_allclose(found, (1 + 2j) * 3 * z**3, rtol=1e-14)


def test_a_rule_of_arrays_alone_is_run_for_one_cotangent_at_a_time():
    f = primitive(lambda x, y: x * y)
    defvjp(f, lambda z, x, y: lambda g: numpy.array(g.tolist()) * y, lambda z, x, y: lambda g: g * x)
    np.testing.assert_array_equal(ag.jacobian(f)(X, Y), numpy.diag(Y))
    x = ag.tensor(X, requires_grad=True)
    z = f(x, Y)
    rows = ag.vmap(lambda c: ag.grad(z, x, c, retain_graph=True)[0])(ag.eye(3))
    np.testing.assert_array_equal(rows.numpy(), numpy.diag(Y))


def test_what_is_no_primitive_and_what_returns_no_array():
    with pytest.raises(ArgumentError, match=r"Expected a function made with autograd\.extend\.primitive"):
        defvjp(np.sin, None)
    pair = primitive(lambda x: (x, x))
    with pytest.raises(ArgumentError, match=r"returned a tuple\. Expected one array"):
        ag.grad(lambda x: pair(x)[0])(1.0)


def test_what_was_given_is_kept_as_it_was():
    f, _ = given("defvjp")
    y = Y.copy()
    x = ag.tensor(X, requires_grad=True)
    z = ag.sum(f(x, y))
    y[:] = 0.0
    np.testing.assert_allclose(ag.grad(z, x)[0].numpy(), Y)


def test_values_off_the_tape():
    t = ag.tensor(X, requires_grad=True)
    assert isbox(t)
    assert not isbox(t.detach())
    assert getval(t) is t.value
    seen = notrace_primitive(lambda x: type(x).__name__)
    assert seen(t) == "ndarray"


def test_a_tensor_passes_for_the_array_in_whose_place_it_is():
    t = ag.tensor(2.0, requires_grad=True)
    assert builtins.isinstance(t, (numpy.ndarray, int))
    assert builtins.isinstance(t, float)
    assert not builtins.isinstance(ag.tensor(X), float)
    assert not builtins.isinstance(t, str)
    assert builtins.type(t) is numpy.ndarray
    assert builtins.type("") is str


def test_flatten_reads_dicts_in_order_of_their_keys_and_is_differentiable():
    tree = {"b": [numpy.ones((2, 2)), 3.0], "a": (X,)}
    vector, unflatten = flatten(tree)
    assert vector.tolist() == [*X, 1, 1, 1, 1, 3]
    assert unflatten(vector)["b"][0].shape == (2, 2)
    assert isinstance(unflatten(vector)["a"], tuple)
    assert flatten([])[0].shape == (0,)
    np.testing.assert_allclose(
        ag.grad(lambda x: np.sum(flatten({"z": x, "y": [x[0]]})[0] ** 2))(X), [4 * X[0], *2 * X[1:]]
    )
    of_vector, _, start = flatten_func(lambda tree: tree["a"][0] * tree["b"][1], tree)
    np.testing.assert_allclose(of_vector(start), 3 * X)


def test_check_grads_raises_with_the_report():
    check_grads(lambda x, y: np.sin(x) * y, [0, 1])(X, Y)
    check_grads(lambda p: p["a"] * p["b"][0], modes=["rev"], order=1)({"a": X, "b": [2]})
    combo_check(np.sum, 0, modes=["fwd"], order=1)([X, Y], axis=[0, None])
    wrong = primitive(np.sin)
    defvjp(wrong, lambda y, x: lambda g: -g * np.cos(x))
    with pytest.raises(AssertionError, match="derivatives differ"):
        check_grads(wrong, modes=["rev"], order=1)(X)
    with pytest.raises(ArgumentError, match=r"check_grads was given modes=\['back'\]\. Expected 'fwd', 'rev'"):
        check_grads(np.sin, modes=["back"])


def test_a_compiled_step_says_that_it_cannot_hold_one():
    f, _ = given("defvjp")
    step = ag.compile(lambda x: ag.sum(f(x, Y)))
    try:
        assert float(step(ag.tensor(X))) == pytest.approx(float(numpy.sum(X * Y)))
    except UnsupportedError as error:
        assert "autograd.extend" in str(error)  # noqa: PT017  # either is an answer
