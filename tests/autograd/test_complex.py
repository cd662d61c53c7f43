"""Complex numbers: PyTorch's derivatives, finite differences, the convention, and what is refused."""

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest

import autograd as ag
from autograd.errors import DifferentiationError, DTypeError
from autograd.primitive import primitives

FIGURES = Path(__file__).parents[1] / "figures"
made = run_path(str(FIGURES / "make_complex.py"))
CASES, weights, reference = made["CASES"], made["weights"], made["reference"]
every_case = pytest.mark.parametrize("name", CASES)
Z = np.array([1 + 2j, -0.5 + 0.3j, 0.2 - 1j])


@pytest.fixture(scope="module")
def figures():
    """PyTorch's, as stored; computed anew where it is installed."""
    with np.load(FIGURES / "complex.npz") as stored:
        found = dict(stored)
    try:
        import torch
    except ImportError:
        return found
    for name in CASES:
        for key, value in reference(torch, name).items():
            np.testing.assert_allclose(value, found[key], rtol=1e-8, atol=1e-9, err_msg=key)
    return found


@every_case
def test_values_and_derivatives_are_pytorchs(figures, name):
    arrays, ours, _ = CASES[name]
    xs = [ag.tensor(a, requires_grad=True) for a in arrays]
    y = ours(ag, *xs)
    loss = ag.sum(ag.real(y * weights(y.shape)))
    first = ag.grad(loss, xs, create_graph=True)
    size = ag.sum(ag.stack([ag.sum(ag.abs(g) ** 2) for g in first]))
    second = ag.grad(size, xs, allow_unused=True) if size.requires_grad else [ag.zeros_like(x) for x in xs]
    found = {"value": y}
    for k, (x, g, h) in enumerate(zip(xs, first, second, strict=True)):
        assert g.dtype == h.dtype == x.dtype
        found |= {f"first {k}": g, f"second {k}": h}
    for key, t in found.items():
        np.testing.assert_allclose(t.numpy(), figures[f"{name}: {key}"], rtol=1e-8, atol=1e-9, err_msg=key)


@every_case
def test_finite_differences_agree_to_second_order_in_both_modes(name):
    arrays, ours, _ = CASES[name]
    f = lambda *xs: ours(ag, *map(ag.asarray, xs))  # noqa: E731  # the form that users write
    result = ag.gradcheck(f, arrays, mode="both")
    assert result, result
    second = ag.gradgradcheck(f, arrays, rtol=1e-3, atol=1e-5)
    assert second, second


@every_case
def test_complex64_stays_complex64(name):
    arrays, ours, _ = CASES[name]
    xs = [ag.tensor(a, "complex64" if a.dtype.kind == "c" else "float32", requires_grad=True) for a in arrays]
    y = ours(ag, *xs)
    assert y.dtype in (np.complex64, np.float32)
    ag.sum(ag.real(y)).backward()
    assert [x.grad.dtype for x in xs] == [x.dtype for x in xs]


# ---- the convention


def test_the_gradient_is_the_direction_of_steepest_ascent():
    z = ag.tensor(Z, requires_grad=True)
    loss = ag.sum(ag.real(z) ** 2 + 3 * ag.imag(z))
    loss.backward()
    np.testing.assert_array_equal(z.grad.numpy(), 2 * Z.real + 3j)
    with ag.no_grad():
        z -= 0.1 * z.grad
    assert float(ag.sum(ag.real(z) ** 2 + 3 * ag.imag(z))) < float(loss)


def test_descent_finds_a_complex_least_squares_solution():
    rng = np.random.default_rng(0)
    a, x = rng.standard_normal((6, 3)) + 1j * rng.standard_normal((6, 3)), Z
    w = ag.tensor(np.zeros(3, complex), requires_grad=True)
    for _ in range(500):
        ag.sum(ag.abs(a @ w - a @ x) ** 2).backward()
        with ag.no_grad():
            w -= 0.02 * w.grad
        w.grad = None
    np.testing.assert_allclose(w.numpy(), x, rtol=1e-8)


def test_hooks_kept_and_accumulated_gradients_are_in_the_same_convention():
    z, seen = ag.tensor(Z, requires_grad=True), []
    y = z * 1j
    y.retain_grad()
    y.register_hook(seen.append)
    z.register_hook(lambda g: 2 * g)
    ag.sum(ag.imag(y)).backward()
    assert seen[0].tolist() == y.grad.tolist() == [1j] * 3
    assert z.grad.tolist() == [2] * 3  # Im(iz) = Re z
    ag.sum(ag.imag(z)).backward()
    assert z.grad.tolist() == [2 + 2j] * 3


def test_a_cotangent_is_in_that_convention_too():
    z = ag.tensor(Z, requires_grad=True)
    (z * z).backward(np.full(3, 1j))
    np.testing.assert_allclose(z.grad.numpy(), 1j * np.conj(2 * Z), rtol=1e-15)
    _, pull = ag.vjp(lambda z: z * z, Z)
    np.testing.assert_allclose(pull(np.full(3, 1j))[0].numpy(), z.grad.numpy(), rtol=1e-15)
    assert pull(np.ones(3))[0].dtype == np.complex128


def test_a_real_input_of_a_complex_result_takes_the_real_part():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    y = ag.sum(ag.abs(ag.exp(x * 1j) * (x + 1j)))
    y.backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.grad.numpy(), x.numpy() / np.hypot(x.numpy(), 1), rtol=1e-14)


@pytest.mark.parametrize("f", [ag.abs, ag.angle, ag.conj, ag.real, ag.imag, ag.sign, lambda z: ag.abs(z * z) * z])
def test_tangents_are_those_of_finite_differences(f):
    t = np.array([1j, 1 - 1j, 0.5])
    _, moved = ag.jvp(f, [ag.tensor(Z)], [ag.tensor(t)])
    numeric = (f(Z + 1e-6 * t) - f(Z - 1e-6 * t)) / 2e-6
    np.testing.assert_allclose(moved.numpy(), numeric, rtol=1e-8, atol=1e-9)
    _, push = ag.linearize(f, ag.tensor(Z))
    np.testing.assert_array_equal(push(t).numpy(), moved.numpy())
    _, pull = ag.vjp(f, Z)
    c = np.arange(1, 4) * (1 if moved.dtype.kind == "f" else 1 - 2j)
    forward = np.sum(np.conj(c) * moved.numpy()).real
    assert np.sum(np.conj(pull(c)[0].numpy()) * t).real == pytest.approx(forward, rel=1e-12)


def test_hessian_products_are_those_of_real_and_imaginary_parts():
    t = np.array([1j, 1 - 1j, 0.5])
    f = lambda z: ag.sum(ag.abs(z) ** 4)  # noqa: E731
    _, (product,) = ag.hvp(f, [ag.tensor(Z)], [ag.tensor(t)])
    step = (ag.grad(f)(Z + 1e-6 * t).numpy() - ag.grad(f)(Z - 1e-6 * t).numpy()) / 2e-6
    np.testing.assert_allclose(product.numpy(), step, rtol=1e-8)
    real = lambda x, y: f(x + 1j * y)  # noqa: E731
    _, (px, py) = ag.hvp(real, [Z.real, Z.imag], [t.real, t.imag])
    np.testing.assert_allclose(product.numpy(), px.numpy() + 1j * py.numpy(), rtol=1e-13)


def test_functions_of_transforms_agree():
    f = lambda z: ag.abs(z) ** 3  # noqa: E731
    plain = ag.grad(lambda z: ag.sum(f(z)))(Z).numpy()
    np.testing.assert_allclose(plain, 3 * np.abs(Z) * Z, rtol=1e-14)
    np.testing.assert_allclose(ag.vmap(ag.grad(f))(Z).numpy(), plain, rtol=1e-14)
    np.testing.assert_allclose(ag.grad(lambda z: ag.sum(ag.checkpoint(f)(z)))(Z).numpy(), plain, rtol=1e-14)
    two = ag.checkpoint(lambda z, x: (ag.abs(z) * x, z * x))
    loss = lambda f: lambda z, x: (lambda a, b: ag.sum(a) + ag.sum(ag.real(b * b)))(*f(z, x))  # noqa: E731
    through = ag.grad(loss(two), argnums=(0, 1))(Z, Z.real)
    straight = ag.grad(loss(lambda z, x: (ag.abs(z) * x, z * x)), argnums=(0, 1))(Z, Z.real)
    for a, b in zip(through, straight, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-14)


@pytest.mark.parametrize("rule", ["vjp", "jvp"])
def test_custom_rules_are_written_without_a_conjugate(rule):
    cube = ag.primitive(lambda x: x**3, **{rule: lambda g, x: 3 * x**2 * g}, example=(Z,))
    plain = ag.grad(lambda z: ag.sum(ag.abs(z**3)))(Z).numpy()
    np.testing.assert_allclose(ag.grad(lambda z: ag.sum(ag.abs(cube(z))))(Z).numpy(), plain, rtol=1e-13)


def test_numeric_rules_are_of_real_numbers():
    cube = ag.primitive(lambda x: x**3, vjp="numeric")
    with pytest.raises(DTypeError, match=r"a numeric derivative of complex numbers was asked for\. Write a vjp"):
        ag.grad(lambda z: ag.sum(ag.abs(cube(z))))(Z)


# ---- holomorphic derivatives


def test_holomorphic_derivatives_to_third_order():
    f = ag.sin
    for expected in (np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z)):
        f = ag.holomorphic_grad(f)
        assert complex(f(0.3 + 0.7j)) == pytest.approx(expected(0.3 + 0.7j), rel=1e-13)
    a, b = ag.holomorphic_grad(lambda a, b: a * b**2, argnums=(0, 1))(1j, 2 + 1j)
    assert complex(a) == (2 + 1j) ** 2
    assert complex(b) == 2j * (2 + 1j)


def test_holomorphic_grad_refuses_what_is_real():
    with pytest.raises(DTypeError, match=r"dtype float64 for the argument to differentiate by. Expected a complex one"):
        ag.holomorphic_grad(lambda x: x * 1j)(2.0)
    with pytest.raises(DTypeError, match="dtype float64 for the result of the function"):
        ag.holomorphic_grad(ag.abs)(1j)


# ---- singular points


@pytest.mark.parametrize(("f", "slope"), [(ag.abs, 0), (ag.angle, 0), (lambda z: ag.real(ag.sign(z)), 0)])
def test_at_zero_the_slope_is_zero(f, slope):
    assert complex(ag.grad(f)(0j)) == slope


def test_the_norm_is_smooth_where_one_element_is_zero():
    f = lambda z: ag.norm(z)  # noqa: E731
    z = np.array([0j, 3 + 4j])
    _, (product,) = ag.hvp(f, [z], [np.array([1j, 0])])
    np.testing.assert_allclose(product.numpy(), [0.2j, 0], atol=1e-15)


# ---- Tensors of complex numbers


def test_making_promotion_and_python_scalars():
    z = ag.tensor([1 + 2j])
    assert z.dtype == np.complex128
    assert repr(z) == "tensor([1.+2.j])"
    assert repr(ag.tensor(1j, "complex64")) == "tensor(0.+1.j, dtype=complex64)"
    assert (ag.ones(2, "float32") * 1j).dtype == (1j + ag.ones(2, "complex64")).dtype == np.complex64
    assert (ag.ones(2) + ag.ones(2, "complex64")).dtype == np.complex128
    assert complex(ag.tensor(1 + 2j)) == 1 + 2j
    assert ag.zeros_like(z).dtype == ag.tensor([1.0]).astype(complex).dtype == np.complex128
    assert (z.real.item(), z.imag.item(), z.conj().item(), z.conjugate().item()) == (1, 2, 1 - 2j, 1 - 2j)
    np.testing.assert_array_equal(ag.tensor([[1j, 2], [3, 4]]).mH.numpy(), [[-1j, 3], [2, 4]])


def test_numpys_own_functions_are_answered():
    z = ag.tensor(Z, requires_grad=True)
    for function in (np.real, np.imag, np.conj, np.angle, np.abs, np.sign, np.exp):
        y = function(z)
        np.testing.assert_allclose(y.numpy(), function(Z), rtol=1e-15)
        assert y.requires_grad
    np.testing.assert_allclose(np.angle(z, deg=True).numpy(), np.angle(Z, deg=True), rtol=1e-14)
    np.testing.assert_allclose(ag.vecdot(Z, 1j * Z).tolist(), np.vecdot(Z, 1j * Z), rtol=1e-15)


def test_of_real_numbers_they_are_what_they_were():
    x = ag.tensor([1.5, -2.0], requires_grad=True)
    assert ag.conj(x) is x
    assert ag.real(x) is x
    assert ag.imag(x).tolist() == [0, 0]
    assert ag.angle(x).tolist() == [0, np.pi]
    for f in (ag.imag, ag.angle, ag.sign):
        assert ag.grad(lambda x, f=f: ag.sum(f(x) * x))(x).tolist() == f(x).tolist()


# ---- what falls back or is refused


def test_fused_functions_run_as_they_are_written_and_say_why():
    z = np.resize(Z, 5000)
    f = lambda z: ag.abs(z * z) + 1.0  # noqa: E731
    fused = ag.fused(f)
    got, expected = (ag.grad(lambda z, g=g: ag.sum(g(z)))(z).numpy() for g in (fused, f))
    np.testing.assert_array_equal(got, expected)
    assert fused.reasons() == ["kernels have no complex128"]
    inner = ag.fused(lambda x: ag.imag(ag.exp(x * 1j)))
    x = np.linspace(0, 1, 5000)
    np.testing.assert_allclose(ag.grad(lambda x: ag.sum(inner(x)))(x).numpy(), np.cos(x), rtol=1e-13)
    assert inner.reasons() == ["kernels have no complex128"]


def test_compiled_functions_of_complex_numbers_have_their_gradients():
    f = lambda z: ag.sum(ag.abs(z) ** 3)  # noqa: E731
    z = ag.tensor(Z, requires_grad=True)
    run = ag.compile(f)
    run(z).backward()
    np.testing.assert_allclose(z.grad.numpy(), 3 * np.abs(Z) * Z, rtol=1e-14)
    assert run.reasons() == ["it reads a Tensor of complex128, and programs take real ones"]
    within = ag.compile(lambda x: ag.sum(ag.abs(ag.fft.rfft(x) * Z) ** 2))
    x = ag.tensor([1.0, -2.0, 0.5, 3.0], requires_grad=True)
    within(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), ag.grad(within.function)(x).numpy(), rtol=1e-14)
    assert within.reasons() == []


def test_foreach_goes_row_by_row_and_says_why():
    rule = ag.foreach(lambda w, g: w - 0.5 * g)
    w = ag.tensor(Z)
    rule.update_([[w]], [[ag.tensor(Z)]])
    np.testing.assert_allclose(w.numpy(), Z / 2, rtol=1e-15)
    assert rule.reasons == {"a Tensor is of complex128, and kernels have float32 and float64"}


def test_complex_results_have_no_gradient_by_themselves():
    z = ag.tensor(1j, requires_grad=True)
    said = r"of a complex number \(complex128\), which has no direction of ascent.\nWrite ag.real\(t\)"
    for call in (lambda: (z * z).backward(), lambda: ag.grad(z * z, z), lambda: ag.grad(lambda z: z * z)(1j)):
        with pytest.raises(DifferentiationError, match=said):
            call()
    with pytest.raises(DTypeError, match="backward of dtype float64 was given a gradient of dtype complex128"):
        ag.abs(z).backward(1j)
    with pytest.raises(DTypeError, match="vjp of a real result was given a cotangent of dtype complex128"):
        ag.vjp(ag.abs, Z)[1](Z)
    with pytest.raises(DTypeError, match="jvp by a real primal was given a tangent of dtype complex128"):
        ag.jvp(ag.exp, [Z.real], [Z])
    with pytest.raises(DTypeError, match="a real primal was given a tangent of dtype complex128"):
        ag.linearize(ag.exp, Z.real)[1](Z)
    assert ag.jvp(lambda z: z, [Z], [Z.real])[1].dtype == np.complex128
    with pytest.raises(DTypeError, match=r"jacobian met dtype complex128\. Expected real numbers"):
        ag.jacobian(lambda z: z * z)(Z)
    with pytest.raises(DTypeError, match=r"astype was asked to make complex128 into float64. Write ag.real"):
        ag.tensor(Z).astype(float)


def test_phases_of_vectors_are_arbitrary():
    a = np.array([[2, 1j], [-1j, 3]])
    with pytest.raises(DifferentiationError, match="eigh: the result depends on the phases of complex vectors"):
        ag.grad(lambda a: ag.sum(ag.imag(ag.eigh(a)[1] * (1 + 2j))))(a)
    with pytest.raises(DifferentiationError, match="svd: the result depends on the phases"):
        ag.grad(lambda a: ag.sum(ag.imag(ag.svd(a)[0] * (1 + 2j))))(a)


@pytest.mark.parametrize("name", ["hypot", "floor", "cbrt", "logaddexp", "softplus", "sign", "norm"])
def test_primitives_without_a_complex_derivative_say_so(name):
    op = primitives[name]
    settings = {"norm": {"axis": (0,), "keepdims": False}}.get(name, {})
    with pytest.raises(DTypeError, match=f"{name} was given"):
        ag.sum(ag.real(op(*[ag.tensor(Z, requires_grad=True)] * len(op.inputs), **settings))).backward()
    with pytest.raises(DTypeError, match="polygamma was given complex numbers"):
        ag.grad(lambda z: ag.abs(ag.digamma(z)))(1 + 1j)


def test_the_checker_finds_a_mistake_in_the_imaginary_part():
    wrong = lambda z: ag.real(z) ** 2 + ag.stop_gradient(ag.imag(z)) ** 2  # noqa: E731
    result = ag.gradcheck(wrong, Z)
    assert result.verdict == "WRONG_GRADIENT"
    assert {m.input for m in result.mismatches} == {"z (imaginary part)"}
    leaf = ag.tensor(Z, requires_grad=True)
    assert ag.gradcheck(lambda _: ag.abs(leaf) ** 2, leaf)  # f reads it from elsewhere
    assert ag.gradcheck(ag.exp, 0.3 + 0.2j, fast=True)
    assert not ag.gradcheck(wrong, Z, fast=True)
