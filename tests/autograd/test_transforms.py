"""grad, value_and_grad, vjp, jvp: both forms, nesting, containers, and what they refuse."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError


def test_gradients_of_a_function():
    f = lambda a, b: ag.sum(a * a * b)  # noqa: E731  # the form that users write
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(ag.grad(f)(a, b).numpy(), 2 * a * b)
    ga, gb = ag.grad(f, argnums=(0, 1))(a, b)
    np.testing.assert_array_equal(gb.numpy(), a * a)
    np.testing.assert_array_equal(ga.numpy(), 2 * a * b)


def test_gradients_of_tensors():
    x, y = ag.tensor(2.0, requires_grad=True), ag.tensor(3.0, requires_grad=True)
    z = x * x * y
    assert [float(g) for g in ag.grad(z, [x, y], retain_graph=True)] == [12.0, 4.0]
    assert [float(g) for g in ag.grad([z, x * y], [x], [1.0, 10.0])] == [12.0 + 30.0]
    assert x.grad is None


def test_gradient_of_an_intermediate_result():
    x = ag.tensor(2.0, requires_grad=True)
    h = x * x
    assert float(ag.grad(h * h, h)[0]) == 8.0


def test_grad_nests_to_order_four():
    d = lambda f: ag.grad(f)  # noqa: E731
    assert float(d(d(d(d(lambda x: x**6))))(1.5)) == pytest.approx(360 * 1.5**2, rel=1e-12)


def test_inner_gradients_do_not_see_outer_paths():
    """d/dx of x * (d/dy of x y at y = x) is 2x: the inner derivative takes x as constant."""
    f = lambda x: x * ag.grad(lambda y: x * y)(x)  # noqa: E731
    assert float(ag.grad(f)(3.0)) == 6.0


def test_a_closed_over_variable_is_still_differentiable():
    w = ag.tensor(3.0, requires_grad=True)
    slope = ag.grad(lambda x: w * x * x)(2.0)  # 2 w x
    slope.backward()
    assert float(slope) == 12.0
    assert float(w.grad) == 4.0


def test_value_and_grad_with_auxiliary_output():
    f = lambda x: (x * x, {"twice": x * 2})  # noqa: E731
    (value, aux), g = ag.value_and_grad(f, has_aux=True)(3.0)
    assert (float(value), float(aux["twice"]), float(g)) == (9.0, 6.0, 6.0)
    g, aux = ag.grad(f, has_aux=True)(3.0)
    assert (float(g), float(aux["twice"])) == (6.0, 6.0)
    assert not value.requires_grad


@dataclass
class Line:
    slope: object
    shift: object


def test_arguments_may_be_nested_containers():
    params = {"w": [np.array([1.0, 2.0]), 3.0], "line": Line(2.0, (1.0,))}
    f = lambda p: ag.sum(p["w"][0]) * p["w"][1] + p["line"].slope * p["line"].shift[0]  # noqa: E731
    g = ag.grad(f)(params)
    assert g["w"][0].tolist() == [3.0, 3.0]
    assert float(g["w"][1]) == 3.0
    assert (float(g["line"].slope), float(g["line"].shift[0])) == (1.0, 2.0)


POINT = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}
TURNED = {"b": np.array([1.0, 1.0]), "a": np.array([0.0, 0.0])}


def test_directions_may_list_the_keys_of_a_dict_in_another_order():
    f = lambda p: {"a": p["a"] * 2, "b": p["b"] * 3}  # noqa: E731
    total = lambda p: ag.sum(p["a"] * p["b"] ** 2)  # noqa: E731
    (pulled,) = ag.vjp(f, POINT)[1](TURNED)
    _, moved = ag.jvp(f, [POINT], [TURNED])
    for found in (pulled, moved, ag.linearize(f, POINT)[1](TURNED)):
        assert {k: v.tolist() for k, v in found.items()} == {"a": [0.0, 0.0], "b": [3.0, 3.0]}
    for _, (product,) in (
        ag.hvp(total, [POINT], [TURNED]),
        ag.gauss_newton_vp(lambda p: {"b": p["b"], "a": p["a"]}, total, [POINT], [TURNED]),
    ):
        assert {k: v.tolist() for k, v in product.items()} == {"a": [6.0, 8.0], "b": [2.0, 4.0]}


def test_none_in_a_container_stays_where_it_is():
    point = {"w": np.array([1.0, 2.0]), "b": None}
    f = lambda p: (p["w"] * 2, p["b"])  # noqa: E731
    assert ag.grad(lambda p: ag.sum(p["w"]))(point)["b"] is None
    assert ag.jvp(f, [point], [point])[1][1] is None
    (y, nothing), pull = ag.vjp(f, point)
    assert nothing is None
    assert pull((y, None))[0]["w"].tolist() == [4.0, 8.0]
    assert ag.hvp(lambda p: ag.sum(p["w"] ** 2), [point], [point])[1][0]["w"].tolist() == [2.0, 4.0]
    objective = ag.scipy_objective(lambda p: ag.sum(p["w"] ** 2), point)
    assert objective.unpack(objective.x0)["b"] is None


@dataclass
class Weights:
    w: Any
    scale: Any = field(init=False, default=2.0)


def test_containers_of_all_kinds_are_rebuilt():
    x = np.array([1.0, 2.0])
    found = ag.grad(lambda p: ag.sum(p["w"] * p["missing"]))(defaultdict(lambda: 3.0, w=x))
    assert found["w"].tolist() == [3.0, 3.0]
    assert found["other"] == 3.0
    found = ag.grad(lambda p: ag.sum(p.w * p.scale))(Weights(x))
    assert (found.w.tolist(), float(found.scale)) == ([2.0, 2.0], 3.0)
    assert ag.grad(lambda x, y: ag.sum(x * y), argnums=np.int64(1))(x, x).tolist() == [1.0, 2.0]


def test_an_unused_argument_has_a_gradient_of_zero():
    assert ag.grad(lambda a, b: a * 1.0, argnums=1)(2.0, np.ones(3)).tolist() == [0.0, 0.0, 0.0]
    assert float(ag.grad(lambda a: 5.0)(2.0)) == 0.0


def test_vjp_and_jvp_are_transposes():
    rng = np.random.default_rng(0)
    f = lambda a, b: [ag.tanh(a @ b), ag.sum(a, axis=0)]  # noqa: E731
    a, b = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    ta, tb = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    out, moved = ag.jvp(f, [a, b], [ta, tb])
    cotangents = [rng.standard_normal(o.shape) for o in out]
    _, pull = ag.vjp(f, a, b)
    ga, gb = pull(cotangents)
    forward = sum(float((m.numpy() * c).sum()) for m, c in zip(moved, cotangents, strict=True))
    assert forward == pytest.approx(float((ga.numpy() * ta).sum() + (gb.numpy() * tb).sum()), rel=1e-12)


def test_jvp_of_grad_is_a_hessian_product():
    x, v = np.array([0.3, -0.7]), np.array([1.0, 2.0])
    f = lambda x: ag.sum(ag.sin(x) * x)  # noqa: E731
    _, hv = ag.jvp(ag.grad(f), [x], [v])
    np.testing.assert_allclose(hv.numpy(), (2 * np.cos(x) - x * np.sin(x)) * v, rtol=1e-12)


def test_grad_of_jvp():
    f = lambda x: ag.jvp(lambda z: z**3, [x], [ag.ones_like(x)])[1]  # noqa: E731
    assert float(ag.grad(f)(2.0)) == pytest.approx(12.0)


def test_stop_gradient_and_detach():
    x = ag.tensor(3.0, requires_grad=True)
    assert float(ag.grad(x * ag.stop_gradient(x), x)[0]) == 3.0
    assert not x.detach().requires_grad
    assert ag.stop_gradient(np.ones(2)).sum() == 2.0


def test_grad_works_inside_no_grad():
    with ag.no_grad():
        assert float(ag.grad(lambda x: x * x)(3.0)) == 6.0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ag.grad(lambda x: x * 2)(np.ones(2)), ShapeError, r"returned shape \(2,\)"),
        (lambda: ag.grad(lambda x: x * 2)(2), DTypeError, r"int64.*write 2\.0 for 2"),
        (lambda: ag.grad(lambda x: x * 2, argnums=1)(2.0), ArgumentError, "argument 1 of a call with 1"),
        (lambda: ag.grad(lambda x: x * 2, argnums=-2)(2.0), ArgumentError, "argument -2 of a call with 1"),
        (lambda: ag.grad(lambda x, y: x * y, argnums=(0, -2))(2.0, 3.0), ArgumentError, r"twice: \(0, -2\)"),
        (lambda: ag.grad(lambda x: x * 2, argnums="x"), ArgumentError, "argnums='x'. Expected the position"),
        (lambda: ag.grad(lambda x: None)(2.0), ArgumentError, "returned None. Expected a single element"),
        (lambda: ag.grad(lambda x: (x, x))(2.0), ArgumentError, r"returned a tuple(.|\n)*has_aux=True"),
        (lambda: ag.grad(lambda x: x, has_aux=True)(2.0), ArgumentError, r"a Tensor. Expected \(value, anything\)"),
        (lambda: ag.jvp(lambda x: x, ag.ones(2), ag.ones(2)), ArgumentError, r"write \[x\]"),
        (lambda: ag.jvp(lambda x: x, [ag.ones(2)], ag.ones(2)), ShapeError, "tangents a Tensor. .* a list of 1"),
        (lambda: ag.vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}), ShapeError, r"cotangent a dict with \['b'\]"),
        (lambda: ag.grad(ag.tensor(1.0, requires_grad=True)), ArgumentError, "no inputs"),
        (
            lambda: ag.grad(ag.tensor(1.0, requires_grad=True) * 2, ag.tensor(1.0)),
            DifferentiationError,
            "input 0.*constant",
        ),
        (
            lambda: ag.grad(ag.tensor(1.0, requires_grad=True) * 2, ag.tensor(1.0, requires_grad=True)),
            DifferentiationError,
            "allow_unused=True",
        ),
        (lambda: ag.jvp(lambda x: x, [np.ones(2)], [np.ones(3)]), ShapeError, r"tangent 0 of shape \(3,\)"),
        (lambda: ag.vjp(lambda x: x * 2, np.ones(2))[1](np.ones(3)), ShapeError, r"cotangent of shape \(3,\)"),
    ],
)
def test_what_cannot_be_differentiated_says_why(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_cast_to_whole_numbers_ends_the_gradient():
    x = ag.tensor([1.7, 2.2], requires_grad=True)
    n = x.astype(int)
    assert not n.requires_grad
    assert ag.grad((n * x).sum(), x)[0].tolist() == [1.0, 2.0]


def test_a_complex_intermediate_gives_a_real_gradient():
    x = ag.tensor([1.0, -2.0], requires_grad=True)
    ag.abs(x * np.array(1j)).sum().backward()
    assert x.grad.tolist() == [1.0, -1.0]


AUX = {
    "value_and_grad": lambda f, x: ag.value_and_grad(lambda x: _summed(f, x), has_aux=True)(x)[0][1],
    "grad": lambda f, x: ag.grad(lambda x: _summed(f, x), has_aux=True)(x)[1],
    "vjp": lambda f, x: ag.vjp(f, x, has_aux=True)[2],
    "jvp": lambda f, x: ag.jvp(f, [x], [x], has_aux=True)[2],
    "linearize": lambda f, x: ag.linearize(f, x, has_aux=True)[2],
    "jacobian": lambda f, x: ag.jacobian(f, has_aux=True)(x)[1],
    "jacobian, forward": lambda f, x: ag.jacobian(f, has_aux=True, mode="forward")(x)[1],
    "hessian": lambda f, x: ag.hessian(lambda x: _summed(f, x), has_aux=True)(x)[1],
}


def _summed(f, x):
    y, aux = f(x)
    return y.sum(), aux


@pytest.mark.parametrize("name", AUX)
def test_what_is_returned_beside_the_result_is_off_the_tape_but_for_the_users_own(name):
    x, w = ag.tensor([1.0, 2.0]), ag.tensor(3.0, requires_grad=True)
    found = AUX[name](lambda x: (x * x, {"seen": x + 1, "by w": x * w, "said": "text", "count": 3}), x)
    assert (found["seen"].tolist(), found["said"], found["count"]) == ([2.0, 3.0], "text", 3)
    assert not found["seen"].requires_grad
    assert ag.grad(found["by w"].sum(), w)[0].item() == 3.0
    with pytest.raises(ArgumentError, match=r"has_aux=True of a function that returned a Tensor\. Expected"):
        AUX[name](lambda x: x * x, x) if name in ("vjp", "jvp", "linearize") else ag.jacobian(ag.sin, has_aux=True)(x)


def test_results_beside_what_is_returned_are_as_without():
    x, f = ag.tensor([1.0, 2.0]), lambda x: ag.sin(x) * x[0]
    both = lambda x: (f(x), x)  # noqa: E731  # beside f
    assert ag.vjp(both, x, has_aux=True)[1](x)[0].tolist() == ag.vjp(f, x)[1](x)[0].tolist()
    assert ag.jvp(both, [x], [x], has_aux=True)[1].tolist() == ag.jvp(f, [x], [x])[1].tolist()
    assert ag.linearize(both, x, has_aux=True)[1](x).tolist() == ag.linearize(f, x)[1](x).tolist()
    assert ag.jacobian(both, has_aux=True)(x)[0].tolist() == ag.jacobian(f)(x).tolist()
    many = ag.vmap(ag.jacobian(both, has_aux=True))(ag.stack([x, 2 * x]))
    assert [t.shape for t in many] == [(2, 2, 2), (2, 2)]
    run = ag.compile(lambda x: ag.jacobian(lambda x: (f(x), (x * 2, "said")), has_aux=True)(x)[0])
    np.testing.assert_allclose(run(x).numpy(), ag.jacobian(f)(x).numpy())
    assert run.reasons() == []


def test_the_first_argument_may_go_by_its_name():
    """As in the gradient penalties that are written for PyTorch."""
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    (slope,) = ag.grad(outputs=(x**3).sum(), inputs=x, create_graph=True, retain_graph=True)
    assert slope.tolist() == [3.0, 12.0]
    assert slope.requires_grad
    assert ag.grad(outputs=lambda x: x * x)(3.0).item() == 6.0
    assert ag.jacobian(f=lambda x: x * x)(x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    with pytest.raises(TypeError, match=r"grad\(\) missing 1 required positional argument: 'outputs'"):
        ag.grad(inputs=x)


def test_a_gradient_that_is_never_kept_is_told():
    """`w = w - lr * w.grad` makes another Tensor, of which no gradient is kept."""
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    assert w.grad is None
    assert ag.ones(2).grad is None
    (w * w).sum().backward()
    v = w - 0.1 * w.grad
    with pytest.warns(UserWarning, match=r"made by 'subtract' is None(.|\n)*retain_grad.*with ag\.no_grad\(\)") as told:
        assert v.grad is None
    assert told[0].filename == __file__
    v.retain_grad()
    (v * v).sum().backward()
    assert v.grad.tolist() == pytest.approx([1.6, 3.2])
