"""Transforms of compiled and fused functions, one in the other: what they give of the functions themselves."""

import numpy as np
import pytest

import autograd as ag

X = np.array([0.3, -0.2, 0.5])
ROWS = np.stack([X, 2 * X])
EYE = np.eye(3)
MADE = {"compiled": ag.compile, "fused": lambda f: ag.fused(f, smallest=1)}
grad, hessian, jacobian, vjp, vmap = ag.grad, ag.hessian, ag.jacobian, ag.vjp, ag.vmap


def vector(x):
    return ag.tanh(ag.sum(x * x) - 2.0 * x) * x


def number(x):
    return ag.sum(vector(x) * ag.exp(x))


def each(pull, cotangents):
    """Cotangents taken to the input one by one, at once."""
    return vmap(lambda c: pull(c)[0])(cotangents)


def twice(pull, cotangents):
    return vmap(lambda c: vmap(lambda d: pull(c * d)[0])(cotangents))(cotangents + 1)


def squares(x):
    return ag.sum(x**2)


OF_NUMBER = {
    "hessian": lambda s: hessian(s)(X),
    "jacobian of grad": lambda s: jacobian(grad(s))(X),
    "jacobian of hessian": lambda s: jacobian(hessian(s))(X),
    "vmap of hessian": lambda s: vmap(hessian(s))(ROWS),
    "jacobian of vmap of grad": lambda s: jacobian(lambda x: vmap(grad(s))(ag.stack([x, 2 * x])))(X),
    "hessian of vmap": lambda s: hessian(lambda x: ag.sum(vmap(s)(ag.stack([x, 2 * x]))))(X),
    "hessian of a product": lambda s: hessian(lambda x: s(x) * ag.sum(ag.exp(s(x) * x)))(X),
    "jacobian of hvp": lambda s: jacobian(lambda x: ag.hvp(s, [x], [x])[1][0])(X),
    "jacobian of create_graph": lambda s: jacobian(lambda x: grad(s(x), x, create_graph=True)[0])(X),
}
OF_VECTOR = {
    "jacobian of jacobian": lambda f: jacobian(jacobian(f))(X),
    "forward of reverse": lambda f: jacobian(jacobian(f, mode="reverse"), mode="forward")(X),
    "reverse of forward": lambda f: jacobian(jacobian(f, mode="forward"), mode="reverse")(X),
    "three jacobians": lambda f: jacobian(jacobian(jacobian(f)))(X),
    "grad of jacobian": lambda f: grad(lambda x: squares(jacobian(f)(x)))(X),
    "jacobian of vjp": lambda f: jacobian(lambda x: vjp(f, x)[1](x)[0])(X),
    "jacobian of jvp": lambda f: jacobian(lambda x: ag.jvp(f, [x], [x])[1])(X),
    "jacobian of linearize": lambda f: jacobian(lambda x: ag.linearize(f, x)[1](x))(X),
    "jacobian of gauss_newton_vp": lambda f: jacobian(
        lambda x: ag.gauss_newton_vp(f, lambda y: ag.sum(y**3), [x], [x])[1][0]
    )(X),
    "grad of vmap of vjp": lambda f: grad(lambda x: squares(vmap(lambda c: vjp(f, x)[1](c)[0])(EYE)))(X),
    "grad of a vmapped pull": lambda f: grad(lambda x: squares(each(vjp(f, x)[1], EYE)))(X),
    "grad of a pull vmapped twice": lambda f: grad(lambda x: squares(twice(vjp(f, x)[1], ag.tensor(EYE))))(X),
    "grad by the cotangents": lambda f: grad(lambda c: ag.sum(each(vjp(f, X)[1], c) ** 3))(EYE),
}
CASES = [(f, name, of[name]) for f, of in ((number, OF_NUMBER), (vector, OF_VECTOR)) for name in of]


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize(("f", "name", "derived"), CASES, ids=[c[1] for c in CASES])
def test_derivatives_are_those_of_the_function_itself(f, name, derived, made):
    other = MADE[made](f)
    want = derived(f)
    for _ in range(2):  # the call that makes a program, and one that runs it
        found = derived(other)
        np.testing.assert_allclose(np.asarray(found), np.asarray(want), rtol=1e-9, atol=1e-12)
        assert found.node is None
    assert other.reasons() == []
