"""The adapter for scipy.optimize: its methods, structures, dtypes, and what it refuses."""

import numpy as np
import pytest
from scipy import optimize

import autograd as ag
from autograd.errors import DTypeError, ShapeError


def rosenbrock(p, scale=100.0):
    x = ag.concat([ag.reshape(p["a"], (-1,)), ag.reshape(p["b"][0], (-1,))])
    return ag.sum(scale * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


START = {"a": np.array([[1.3, 0.7], [0.5, 0.3]]), "b": (0.8,)}


@pytest.mark.parametrize(
    "method", ["BFGS", "L-BFGS-B", "Newton-CG", "trust-ncg", "trust-krylov", "trust-exact", "dogleg"]
)
def test_every_kind_of_method_finds_the_minimum(method):
    objective = ag.scipy_objective(rosenbrock, START)
    second = {}
    if method in ("Newton-CG", "trust-ncg", "trust-krylov"):
        second = {"hessp": objective.hessp}
    elif method.startswith("trust"):
        second = {"hess": objective.hess}
    elif method == "dogleg":
        objective = ag.scipy_objective(lambda p: ag.sum(ag.exp(p["a"] - 1) - p["a"]) + (p["b"][0] - 1) ** 2, START)
        second = {"hess": objective.hess}
    found = optimize.minimize(objective, objective.x0, jac=True, method=method, **second)
    p = objective.unpack(found.x)
    np.testing.assert_allclose(p["a"].numpy(), np.ones((2, 2)), atol=2e-3)
    assert float(p["b"][0]) == pytest.approx(1.0, abs=2e-3)
    assert isinstance(p["b"], tuple)


def test_the_functions_are_scipys_own_rosenbrock():
    objective = ag.scipy_objective(rosenbrock, START)
    x, p = objective.x0, np.arange(5.0)
    assert objective.value(x) == pytest.approx(optimize.rosen(x), rel=1e-14)
    np.testing.assert_allclose(objective.gradient(x), optimize.rosen_der(x), rtol=1e-12)
    np.testing.assert_allclose(objective.hess(x), optimize.rosen_hess(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(objective.hessp(x, p), optimize.rosen_hess_prod(x, p), rtol=1e-12)
    assert optimize.check_grad(objective.value, objective.gradient, x) < 1e-3


def test_further_arguments_are_passed_on():
    objective = ag.scipy_objective(rosenbrock, START)
    found = optimize.minimize(objective, objective.x0, args=(1.0,), jac=True, hessp=objective.hessp, method="trust-ncg")
    assert found.fun == pytest.approx(0.0, abs=1e-8)
    np.testing.assert_allclose(found.x, np.ones(5), atol=1e-3)


def test_float32_parameters_stay_so_inside():
    seen = []

    def f(p):
        seen.append(p.dtype)
        return ag.sum((p - 2) ** 2)

    objective = ag.scipy_objective(f, np.zeros(3, np.float32))
    value, gradient = objective(objective.x0)
    assert (value, gradient.dtype, objective.x0.dtype) == (12.0, np.float64, np.float64)
    assert seen == [np.float32]
    np.testing.assert_array_equal(gradient, [-4.0] * 3)


def test_refusals():
    with pytest.raises(DTypeError, match="parameter 1 has dtype int64"):
        ag.scipy_objective(ag.sum, [1.0, 2])
    with pytest.raises(ShapeError, match=r"unpack was given shape \(2,\)\. Expected \(5,\)"):
        ag.scipy_objective(rosenbrock, START).unpack(np.zeros(2))
