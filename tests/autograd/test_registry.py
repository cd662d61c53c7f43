"""Every primitive, found through the registry: derivatives to second order, both modes, dtypes, and awkward arrays."""

import numpy as np
import pytest

import autograd as ag
from autograd.domain import case
from autograd.primitive import Primitive, primitives

BROADCASTS = {
    1: [((),), ((3,),), ((2, 3),), ((0,),)],
    2: [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0, 2), (2,))],
    3: [((), (), ()), ((2, 3), (3,), ()), ((2, 1), (1, 3), (2, 3)), ((0,), (0,), ())],
}
DIFFERENTIABLE = sorted((op for op in primitives.values() if op.differentiable), key=lambda op: op.name)


def cases_of(op: Primitive):
    return op.cases or tuple(case(*shapes, on=op.domain) for shapes in BROADCASTS[len(op.inputs)])


def apply(op, settings):
    return lambda *xs: op(*xs, **settings)


TABLE = [pytest.param(op, c, id=f"{op.name}-{k}") for op in DIFFERENTIABLE for k, c in enumerate(cases_of(op))]
every_case = pytest.mark.parametrize(("op", "c"), TABLE)


def test_every_differentiable_primitive_has_cases():
    assert len(DIFFERENTIABLE) > 70
    assert [op.name for op in DIFFERENTIABLE if not cases_of(op)] == []


def test_every_primitive_says_what_it_is():
    undocumented = [op.name for op in primitives.values() if op.differentiable and not op.__doc__]
    assert undocumented == []


@every_case
def test_gradient_matches_finite_differences(op, c):
    xs = c.sample(np.random.default_rng(1))
    result = ag.gradcheck(apply(op, c.settings), xs)
    assert result, result


@every_case
def test_second_derivative_matches_finite_differences(op, c):
    xs = c.sample(np.random.default_rng(2))
    result = ag.gradgradcheck(apply(op, c.settings), xs, rtol=1e-3, atol=1e-5)
    assert result, result


@every_case
def test_forward_mode_matches_reverse_mode(op, c):
    rng = np.random.default_rng(3)
    xs = c.sample(rng)
    live = [k for k, x in enumerate(xs) if x.dtype.kind == "f"]

    def f(*moving):
        full = list(xs)
        for k, x in zip(live, moving, strict=True):
            full[k] = x
        return op(*full, **c.settings)

    primals = [xs[k] for k in live]
    tangents = [rng.standard_normal(x.shape) for x in primals]
    out, moved = ag.jvp(f, primals, tangents)
    _, pull = ag.vjp(f, *primals)
    cotangent = rng.standard_normal(out.shape)
    if out.dtype.kind == "c":
        cotangent = cotangent + 1j * rng.standard_normal(out.shape)
    pulled = pull(cotangent)
    forward = float((moved.numpy() * cotangent.conj()).real.sum())
    reverse = sum(float((g.numpy() * t).sum()) for g, t in zip(pulled, tangents, strict=True))
    assert forward == pytest.approx(reverse, rel=1e-9, abs=1e-9)


@every_case
def test_float32_stays_float32(op, c):
    xs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in c.sample(np.random.default_rng(4))]
    settings = {k: np.dtype("float32") if k == "dtype" else v for k, v in c.settings.items()}
    ts = [ag.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    y = op(*ts, **settings)
    assert y.dtype == (np.complex64 if y.dtype.kind == "c" else np.float32)
    ag.real(y).sum().backward()
    assert {t.grad.dtype for t in ts if t.requires_grad and t.grad is not None} == {np.dtype("float32")}


def test_float32_survives_mixing_with_python_scalars():
    x = ag.tensor([0.5, 2.0], dtype="float32", requires_grad=True)
    for y in (
        x + 1,
        2.0 * x,
        x / 3,
        1 - x,
        x**2,
        x**0.5,
        2**x,
        ag.where(x > 1, x, 0.0),
        ag.maximum(x, 0.1),
        ag.clip(x, 0.1, 1.5),
    ):
        assert y.dtype == np.float32
        assert ag.grad(y.sum(), x)[0].dtype == np.float32


@every_case
def test_layout_and_writability_do_not_matter(op, c):
    xs = c.sample(np.random.default_rng(5))
    plain = op(*[ag.tensor(x) for x in xs], **c.settings).numpy()

    def awkward(x):
        wide = np.zeros((*x.shape, 2), x.dtype)
        wide[..., 0] = x
        strided = wide[..., 0].copy(order="F") if x.ndim > 1 else wide[..., 0]
        strided.flags.writeable = False
        return strided

    ts = [ag.asarray(awkward(x)) for x in xs]
    leaves = [t for t in ts if t.dtype.kind == "f"]
    for t in leaves:
        t.requires_grad_()
    y = op(*ts, **c.settings)
    np.testing.assert_allclose(y.numpy(), plain, rtol=1e-14, atol=1e-15)  # sums may run in another order
    cotangent = np.random.default_rng(6).standard_normal(y.shape)
    got = ag.grad(y, leaves, cotangent, allow_unused=True)
    others = [ag.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    expected = ag.grad(op(*others, **c.settings), [t for t in others if t.requires_grad], cotangent, allow_unused=True)
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-12, atol=1e-14)


@every_case
def test_inputs_are_not_written_to(op, c):
    xs = c.sample(np.random.default_rng(7))
    before = [x.copy() for x in xs]
    ts = [ag.asarray(x) for x in xs]
    for t in ts:
        if t.dtype.kind == "f":
            t.requires_grad_()
    ag.real(op(*ts, **c.settings)).sum().backward()
    for x, b in zip(xs, before, strict=True):
        np.testing.assert_array_equal(x, b)


def test_third_derivatives_of_smooth_functions():
    for f, third in [
        (lambda x: (x - 0.7) ** 3 * ag.exp(x), lambda x: 6 * np.exp(x)),  # cotangents on the way are 0 at 0.7
        (lambda x: (1 - ag.exp(0.7 - x)) / (1 + ag.exp(0.7 - x)), lambda x: -0.25),
        (ag.sin, lambda x: -np.cos(x)),
        (ag.exp, np.exp),
        (lambda x: x**5, lambda x: 60 * x**2),
        (lambda x: 1 / x, lambda x: -6 / x**4),
        (ag.log, lambda x: 2 / x**3),
    ]:
        d3 = ag.grad(ag.grad(ag.grad(f)))
        assert float(d3(0.7)) == pytest.approx(third(0.7), rel=1e-12)
