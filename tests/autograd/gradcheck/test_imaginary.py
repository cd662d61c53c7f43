"""Imaginary steps: exact where differences see nothing, and taken of nothing that is not analytic."""

import json

import numpy as np
import pytest

import autograd as ag
from autograd.domain import case
from autograd.gradcheck.imaginary import Imaginary
from autograd.gradcheck.problem import Problem
from autograd.primitive import primitives

X = np.array([0.5, -1.2, 2.0])
FAR = 1e16  # added to a function, it leaves differences no digit of their derivative
SHAPES = {1: ((2, 3),), 2: ((2, 3), (2, 3)), 3: ((2, 3), (2, 3), (2, 3))}
OPS = sorted((op for op in primitives.values() if op.differentiable), key=lambda op: op.name)


def steps_of(f, *inputs):
    problem = Problem(f, inputs, ["x"] * len(inputs))
    return problem, Imaginary(problem, len(problem.values()), float(np.finfo(float).eps))


def test_it_is_exact_to_rounding():
    """On the function that Martins, Sturdza and Alonso (2003) compare it with differences on."""
    _, imaginary = steps_of(lambda x: ag.exp(x) / ag.sqrt(ag.sin(x) ** 3 + ag.cos(x) ** 3), np.array([1.5]))
    found = imaginary.of_element(0, (0,))
    assert found.value[0] == pytest.approx(4.05342789389862, rel=1e-14)
    assert found.error[0] < 1e-13


def test_it_judges_where_the_error_bar_of_differences_is_too_wide():
    result = ag.gradcheck(lambda x: ag.sum(ag.sin(x) * ag.exp(x)) + FAR, X, mode="both")
    assert repr(result) == "gradcheck passed: 6 derivatives agree, 6 by an imaginary step"
    wrong = ag.gradcheck(lambda x: ag.sum(ag.stop_gradient(ag.sin(x)) * ag.exp(x)) + FAR, X)
    assert wrong.verdict == "WRONG_GRADIENT"
    assert "by an imaginary step, ratio" in repr(wrong)
    assert json.loads(wrong.to_json())["imaginary"] == 3
    for m in wrong.mismatches:
        assert m.imaginary
        assert m.numeric == pytest.approx(np.exp(m.where) * (np.sin(m.where) + np.cos(m.where)), rel=1e-14)


own = ag.primitive(lambda x: x * x, vjp=lambda g, x: 2 * g * x, check=False)
NOT_TAKEN = {
    "a modulus": lambda x: ag.abs(x * x),
    "a conjugate": lambda x: ag.conj(x) * x,
    "a real part": lambda x: ag.real(x * x),
    "an order": lambda x: ag.maximum(x, 0.1),
    "the largest": lambda x: ag.max(x),
    "an operation of the user's": own,
    "no complex arrays": lambda x: ag.softplus(x),
    "complex results": lambda x: x * (1 + 1j),
    "half a transform": lambda x: ag.abs(ag.fft.rfft(x)),
    "float32 on the way": lambda x: x.astype("float32").astype("float64"),
    "an imaginary part that NumPy drops": lambda x: primitives["astype"](x, dtype=np.dtype(float)) * 2.0,
    "a gradient within": lambda x: ag.grad(lambda x: ag.sum(x**3))(x),
}


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_it_is_not_taken(name):
    f = NOT_TAKEN[name]
    result = ag.gradcheck(lambda x: f(x) + FAR, X)
    assert result.verdict == "PRECISION", result
    assert result.imaginary == 0
    assert not any(m.imaginary for m in result.imprecise)
    _, imaginary = steps_of(f, X)
    assert imaginary.of_element(0, (1,)) is None


def test_second_derivatives_are_of_differences():
    f = lambda x: ag.sum(ag.sin(x)) * 1e-3 + FAR * ag.sum(x)  # noqa: E731
    assert ag.gradgradcheck(f, X).imaginary == 0


@pytest.mark.parametrize(
    ("f", "verdict"),
    [
        (lambda x: ag.where(x > 0, x, 2.0 * x), "KINK"),
        (lambda x: ag.where(x > 0, x, 0.0), "KINK"),
        (lambda x: ag.asarray(np.abs(x.numpy())), "WRONG_GRADIENT"),
        (lambda x: x + ag.asarray(np.real(x.numpy())), "WRONG_GRADIENT"),
    ],
)
def test_what_the_tape_does_not_show_is_left_to_differences(f, verdict):
    result = ag.gradcheck(f, np.array([0.0, 1.0]))
    assert result.verdict == verdict
    assert result.imaginary == 0


def test_complex_inputs_are_moved_by_part():
    z = X + 1j
    assert ag.gradcheck(lambda z: ag.fft.fft(z) * 1e3, z).imaginary == 0  # a complex result
    problem, imaginary = steps_of(lambda z, x: ag.sum(z * 0.0 + x) * 2.0, X, X)
    assert imaginary.along({0: np.ones(3), 1: X}).value == pytest.approx(2 * X.sum(), rel=1e-15)
    assert imaginary.along({1: X}, row=np.array([3.0])).value.tolist() == pytest.approx([6 * X.sum()])
    assert [x.dtype for x in problem.leaves()] == [np.float64] * 2


def test_a_weighted_sum_is_judged_by_it_too():
    f = lambda x: ag.tanh(x) + FAR  # noqa: E731
    assert ag.gradcheck(f, X, fast=True).verdict == "PASS"
    assert ag.gradcheck(lambda x: ag.tanh(ag.stop_gradient(x)) * x + FAR, X, fast=True).verdict == "WRONG_GRADIENT"


def test_generators_and_leaves_are_as_they_were():
    model = ag.tensor(X, requires_grad=True)
    g, h = ag.random.Generator(5), ag.random.Generator(5)
    f = lambda _: ag.sum(model * model * g.random(3)) + FAR  # noqa: E731  # reads the leaf itself
    node, value = model.node, model.value
    assert ag.gradcheck(f, model).imaginary == 3
    assert model.node is node
    assert model.value is value
    h.random(3)
    assert g.get_state() == h.get_state()


@pytest.mark.parametrize("op", [op for op in OPS if op.analytic], ids=lambda op: op.name)
def test_the_records_say_truly_what_is_analytic(op):
    """An operation that takes complex arrays and is not analytic would make the checker believe a wrong slope."""
    for c in op.cases or (case(*SHAPES[len(op.inputs)], on=op.domain),):
        xs = c.sample(np.random.default_rng(0))
        problem, imaginary = steps_of(lambda *ts, c=c: op(*ts, **c.settings), *xs)
        for k in problem.checked:
            direction = np.random.default_rng(k).standard_normal(xs[k].shape)
            found = imaginary.along({k: direction})
            if found is None:
                continue
            rows = []
            for t in (1e-6, -1e-6):
                with problem.moved({k: t * direction}):
                    rows.append(problem.values())
            np.testing.assert_allclose(found.value, (rows[0] - rows[1]) / 2e-6, rtol=1e-6, atol=1e-7)
