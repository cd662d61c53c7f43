"""Operations with rules in the manner of HIPS autograd, and what goes with them."""

import numpy
import pytest

import autograd as ag
import autograd.numpy as np
from autograd import builtins
from autograd.errors import ArgumentError, DifferentiationError, UnsupportedError
from autograd.extend import (
    Box,
    JVPNode,
    SparseObject,
    VJPNode,
    VSpace,
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
    primitive,
    register_notrace,
    vspace,
)
from autograd.misc import flatten
from autograd.misc.flatten import flatten_func
from autograd.test_util import check_equivalent, check_grads, check_jvp, check_vjp, combo_check
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


ROWS, HEIGHTS = numpy.random.default_rng(5).standard_normal((4, 3)), numpy.array([1.0, -0.5, 2.0, 0.3])
OF_ONE = {  # at one sample
    "value": lambda f: f,
    "grad": lambda f: ag.grad(f),
    "grad by the second": lambda f: ag.grad(f, argnums=1),
    "jacobian": lambda f: ag.jacobian(lambda x, h: f(x, h) * x),
    "hessian": lambda f: ag.hessian(f),
    "jvp": lambda f: lambda x, h: ag.jvp(f, [x, h], [ag.ones(3), ag.ones(())])[1],
}


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "argnums of defvjp"])
@pytest.mark.parametrize("of_one", OF_ONE)
def test_under_vmap_primitives_and_their_derivatives_are_those_of_each_sample(kind, of_one):
    g, _ = given(kind)
    f = OF_ONE[of_one](lambda x, h: np.sum(np.sin(g(x, h * X, k=2.0))))
    plain = OF_ONE[of_one](lambda x, h: np.sum(np.sin(2.0 * x * h * X)))
    found = numpy.asarray(ag.vmap(f)(ROWS, HEIGHTS))
    expected = numpy.stack([numpy.asarray(plain(x, h)) for x, h in zip(ROWS, HEIGHTS, strict=True)])
    numpy.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_vmap_of_a_primitive_sees_arrays_shared_and_its_own_and_is_differentiated_from_outside():
    seen = []

    @primitive
    def scaled(x, y):
        seen.append((type(x), numpy.shape(x)))
        return x * y

    defvjp(scaled, lambda z, x, y: lambda g: g * y, None)  # y is different in each sample, and no variable
    rows = ag.vmap(lambda x, y: ag.grad(lambda t: np.sum(scaled(t, y) ** 2))(x))(ROWS, HEIGHTS)
    numpy.testing.assert_allclose(numpy.asarray(rows), 2 * ROWS * HEIGHTS[:, None] ** 2, rtol=1e-12)
    assert seen == [(numpy.ndarray, (3,))] * 4
    total = ag.grad(lambda x: np.sum(ag.vmap(lambda row: scaled(row, 3.0))(x) ** 2))(ROWS)
    numpy.testing.assert_allclose(numpy.asarray(total), 18 * ROWS, rtol=1e-12)
    once = ag.vmap(lambda row: row + scaled(X, 2.0))(ROWS)
    numpy.testing.assert_allclose(numpy.asarray(once), ROWS + 2 * X, rtol=1e-12)
    twice = ag.vmap(ag.vmap(lambda a: scaled(a, 2.0)))(ROWS)
    numpy.testing.assert_array_equal(numpy.asarray(twice), 2 * ROWS)


def test_what_no_vmap_can_stack():
    ragged = primitive(lambda x: x[: int(x[0])])
    with pytest.raises(UnsupportedError, match=r"gives shapes that differ from sample to sample .* \(1,\) and others"):
        ag.vmap(ragged)(numpy.array([[1.0, 0.0], [2.0, 0.0]]))
    with pytest.raises(ArgumentError, match=r"returned a tuple under ag\.vmap\. Expected one array"):
        ag.vmap(primitive(lambda x: (x, x)))(ROWS)
    with pytest.raises(UnsupportedError, match="a batch of no samples leaves it nothing to run on"):
        ag.vmap(primitive(lambda x: x))(ROWS[:0])


def test_a_function_without_a_trace_is_given_arrays_under_vmap_too():
    rounded = notrace_primitive(numpy.round)
    numpy.testing.assert_array_equal(numpy.asarray(ag.vmap(rounded)(ROWS)), numpy.round(ROWS))
    numpy.testing.assert_array_equal(numpy.asarray(ag.vmap(lambda x: x + rounded(X))(ROWS)), ROWS + numpy.round(X))


def test_sparse_cotangents():
    """As programs for HIPS autograd write taking and its transpose, to second order."""

    @primitive
    def take(x, at):
        return x[at]

    @primitive
    def untake(g, at, space):
        def mut_add(total):
            numpy.add.at(total, at, g)
            return total

        return SparseObject(space, mut_add)

    defvjp(take, lambda y, x, at: lambda g: untake(g, at, vspace(x)), None)
    defvjp(untake, lambda y, g, at, space: lambda h: take(h, at), None, None)
    at = numpy.array([2, 0, 2])
    f = lambda x: np.sum(take(x, at) ** 3)  # noqa: E731
    expected = numpy.array([3 * X[0] ** 2, 0, 6 * X[2] ** 2])
    numpy.testing.assert_allclose(numpy.asarray(ag.grad(f)(X)), expected, rtol=1e-12)
    second = numpy.asarray(ag.grad(lambda x: np.sum(ag.grad(f)(x) * Y))(X))
    numpy.testing.assert_allclose(second, [6 * X[0] * Y[0], 0, 12 * X[2] * Y[2]], rtol=1e-12)
    plain = primitive(lambda x: x[at])
    defvjp(plain, lambda y, x: lambda g: SparseObject(vspace(x), lambda total: numpy.add(total, [0.0, 7.0, 0.0])))
    numpy.testing.assert_array_equal(numpy.asarray(ag.grad(lambda x: np.sum(plain(x)))(X)), [0, 7, 0])


@pytest.mark.parametrize("kind", [VJPNode, JVPNode])
def test_a_primitive_that_is_not_traced(kind):
    steps = primitive(lambda x: numpy.floor(x))
    f = lambda x: np.sum(x * steps(x))  # noqa: E731
    with pytest.raises(DifferentiationError, match="no rule"):
        ag.grad(f)(X)
    register_notrace(kind, steps)
    numpy.testing.assert_array_equal(numpy.asarray(ag.grad(f)(X)), numpy.floor(X))
    rows = numpy.stack([X, Y])
    numpy.testing.assert_array_equal(numpy.asarray(ag.vmap(ag.grad(f))(rows)), numpy.floor(rows))
    with pytest.raises(ArgumentError, match="Expected VJPNode or JVPNode"):
        register_notrace(steps, kind)


def test_rules_for_the_tangents_of_several_arguments():
    f = product()
    defjvp_argnums(f, lambda ns, ts, z, args, kw: sum(t * args[1 - n] for n, t in zip(ns, ts, strict=True)))
    _, moved = ag.jvp(lambda x, y: f(x, y), [X, Y], [Y, X])
    numpy.testing.assert_allclose(moved.numpy(), Y * Y + X * X)


def test_spaces_of_values():
    z = numpy.array([1.0 + 2.0j, 3.0])
    space, of_complex = vspace({"a": X, "b": (2, Y)}), vspace(z)
    assert (space.size, space.iscomplex) == (7, False)
    assert (of_complex.size, of_complex.iscomplex, of_complex.shape, of_complex.ndim) == (4, True, (2,), 1)
    assert space == vspace({"a": Y, "b": (3.0, X)})
    assert space != of_complex
    numpy.testing.assert_array_equal(numpy.stack(list(vspace(X).standard_basis())), numpy.eye(3))
    assert [b.tolist() for b in vspace(z[:1]).standard_basis()] == [[1], [1j]]
    assert len(list(space.standard_basis())) == 7
    x, y = space.ones(), space.scalar_mul(space.ones(), 3.0)
    assert float(space.inner_prod(space.add(x, y), space.mut_add(None, y))) == 7 * 4 * 3
    assert float(of_complex.inner_prod(z, z)) == 14.0
    numpy.testing.assert_array_equal(of_complex.covector(z), z.conj())
    assert space.randn()["b"][1].shape == (3,)
    assert of_complex.randn().imag.all()
    assert repr(vspace(X)) == "VSpace((3,) float64)"
    assert isinstance(ag.tensor(X), Box)
    with pytest.raises(UnsupportedError, match=r"VSpace\.register was given object\. Write it as a dataclass"):
        VSpace.register(object)


@pytest.mark.parametrize("check", [check_vjp, check_jvp])
def test_products_with_the_jacobian_are_checked(check):
    check(lambda d: d["a"] * np.ones(3), {"a": np.arange(3.0)})
    wrong = ag.primitive(lambda x: x**2, vjp=lambda g, x: g * x, check=False)
    with pytest.raises(AssertionError, match="WRONG_GRADIENT"):
        check(wrong, np.ones(2))


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1.0, 2.0], [1.0, 2.1], "differ by up to 0.1"),
        (np.ones(2), np.ones(3), r"x is of VSpace\(\(2,\)"),
        ({"a": 1.0}, {"b": 1.0}, r"x holds \[\"\['a'\]\"\]"),
        (1 + 0j, 1.0, "complex128"),
        (np.array([np.nan]), np.ones(1), "nan"),
    ],
)
def test_what_is_not_equivalent_is_said(x, y, words):
    check_equivalent(y, y)
    with pytest.raises(AssertionError, match=words):
        check_equivalent(x, y)
