"""Every differentiable primitive with complex inputs: right to second order in both modes, or refused by name."""

import numpy as np
import pytest

import autograd as ag
from autograd.domain import case
from autograd.errors import DTypeError
from autograd.primitive import primitives

SHAPES = {1: [((),), ((2, 3),)], 2: [((3,), (3,)), ((2, 3), (3,))], 3: [((2, 3), (3,), ())]}
OPS = sorted((op for op in primitives.values() if op.differentiable), key=lambda op: op.name)
REFUSED = {
    *("astype", "atan2", "cbrt", "ceil", "copysign", "entr", "erfinv", "floor", "floor_divide", "gammaln", "hypot"),
    *("i0e", "i1e", "logaddexp", "logit", "norm", "digamma", "polygamma", "remainder", "resample"),
    *("resample_transpose", "rfft", "sign", "softplus", "trunc"),
}
FIRST_ONLY = {"gamma"}  # digamma has no derivative, as polygamma has no value
OF_PHASES = {  # what of their result does not depend on arbitrary phases
    "eigh": lambda y: (ag.abs(y[..., :-1]), ag.real(y[..., -1])),
    "svd": lambda y: (ag.abs(y),),
}


def complex_cases(op):
    """The cases of an operation with imaginary parts, small so as to stay off branch cuts."""
    for k, c in enumerate(op.cases or [case(*shapes, on=op.domain) for shapes in SHAPES[len(op.inputs)]]):
        rng = np.random.default_rng([k, 1])
        xs = [x + 0.1j * rng.standard_normal(x.shape) if x.dtype.kind == "f" else x for x in c.sample(rng)]
        if any(x.dtype.kind == "c" for x in xs):
            yield pytest.param(op, xs, c.settings, id=f"{op.name}-{k}")


TABLE = [p for op in OPS if op.name not in REFUSED for p in complex_cases(op)]
REFUSALS = [p for op in OPS if op.name in REFUSED for p in complex_cases(op)]


@pytest.mark.parametrize(("op", "xs", "settings"), TABLE)
def test_finite_differences_agree(op, xs, settings):
    part = OF_PHASES.get(op.name, lambda y: (y,))
    f = lambda *xs: part(op(*xs, **settings))  # noqa: E731
    result = ag.gradcheck(f, xs, mode="both")
    assert result, result
    if op.name not in FIRST_ONLY:
        second = ag.gradgradcheck(f, xs, rtol=1e-3, atol=1e-5)
        assert second, second


@pytest.mark.parametrize(("op", "xs", "settings"), REFUSALS)
def test_what_has_no_rule_is_refused_by_name(op, xs, settings):
    call = (lambda x: ag.astype(x, "float64")) if op.name == "astype" else lambda *xs: op(*xs, **settings)
    ts = [ag.tensor(x, requires_grad=x.dtype.kind == "c") for x in xs]
    with pytest.raises(DTypeError, match=f"({op.name}|polygamma) was (given|asked)"):
        ag.sum(ag.abs(call(*ts))).backward()


def test_the_table_is_whole():
    assert len({p.values[0].name for p in TABLE}) > 75
    assert {p.values[0].name for p in (*TABLE, *REFUSALS)} == {op.name for op in OPS}
    assert set(primitives) >= REFUSED
    for name in FIRST_ONLY:
        with pytest.raises(DTypeError, match="polygamma was given complex numbers"):
            ag.grad(lambda x, op=primitives[name]: ag.abs(ag.holomorphic_grad(op)(x)))(1.5 + 0.1j)
