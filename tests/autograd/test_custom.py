"""Operations of the user's own: their rules, the check at their making, numeric derivatives."""

from functools import partial

import numpy as np
import pytest
import scipy

import autograd as ag
from autograd.errors import ArgumentError, DifferentiationError, ShapeError

X = np.array([0.4, 1.3, 2.2])


@ag.primitive(vjp=lambda g, x: g * 3 * x**2, example=(X,))
def cube(x):
    return np.power(x, 3)


@ag.primitive(jvp=lambda t, y: t * y, example=(X,))
def exponential(x):
    return np.exp(x)


@ag.primitive(vjp=lambda g, a, b: (g @ b.mT, a.mT @ g), example=(np.ones((2, 3)), np.ones((3, 2))))
def product(a, b):
    return a @ b


@ag.primitive(jvp=lambda t, a, b: t[0] @ b + a @ t[1], example=(np.ones((2, 3)), np.ones((3, 2))))
def other_product(a, b):
    return a @ b


@ag.primitive(vjp=lambda g, x, *, power: g * power * x ** (power - 1), example=(X,))
def powered(x, *, power=3):
    return x**power


@pytest.mark.parametrize(("ours", "plain"), [(cube, lambda x: x**3), (exponential, ag.exp), (powered, lambda x: x**3)])
def test_rules_hold_in_every_mode_to_order_three(ours, plain):
    for mode in ("forward", "reverse"):
        f, g = ours, plain
        for _ in range(3):
            f, g = ag.jacobian(f, mode=mode), ag.jacobian(g, mode=mode)
            np.testing.assert_allclose(f(X).numpy(), g(X).numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("ours", [product, other_product])
def test_several_arguments(ours):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3)), rng.standard_normal((3, 2))
    f, plain = lambda a, b: ag.sum(ours(a, b) ** 2), lambda a, b: ag.sum(ag.matmul(a, b) ** 2)
    for g, e in zip(ag.grad(f, argnums=(0, 1))(a, b), ag.grad(plain, argnums=(0, 1))(a, b), strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-12)
    np.testing.assert_allclose(ag.grad(f, argnums=1)(a, b).numpy(), ag.grad(plain, argnums=1)(a, b).numpy(), rtol=1e-12)
    for k in (0, 1):
        np.testing.assert_allclose(
            ag.hessian(f, k)(a, b).numpy(), ag.hessian(plain, k)(a, b).numpy(), rtol=1e-11, atol=1e-11
        )
    _, moved = ag.jvp(f, [a, b], [b.T, a.T])
    assert float(moved) == pytest.approx(float(ag.jvp(plain, [a, b], [b.T, a.T])[1]), rel=1e-12)


def test_settings_names_and_arrays():
    assert float(ag.grad(lambda x: powered(x, power=2))(3.0)) == 6.0
    assert float(ag.grad(lambda x: powered(x=x, power=4))(2.0)) == 32.0
    assert isinstance(cube(X), np.ndarray)
    assert (cube.__name__, product(a=np.ones((1, 1)), b=np.ones((1, 1))).tolist()) == ("cube", [[1.0]])
    x = ag.tensor(X, requires_grad=True)
    assert "v2 = cube(v1)" in ag.tape_of(cube(x))


def test_float32_stays_float32():
    x = ag.tensor(X, dtype="float32", requires_grad=True)
    for f in (cube, exponential):
        y = f(x)
        assert (y.dtype, ag.grad(ag.sum(y), x)[0].dtype) == (np.float32, np.float32)


def test_a_cotangent_of_a_broadcast_argument_is_summed():
    @ag.primitive(vjp=lambda g, a, b: (g * b, g * a), example=(np.ones((2, 3)), X))
    def times(a, b):
        return a * b

    assert ag.grad(lambda b: ag.sum(times(np.ones((2, 3)), b)))(X).tolist() == [2.0, 2.0, 2.0]


def test_an_argument_without_a_derivative():
    @ag.primitive(vjp=lambda g, x, k: (g * k, None), example=(X, np.array([1, 2, 3])))
    def scaled(x, k):
        return x * k

    assert ag.grad(lambda x: ag.sum(scaled(x, np.array([1, 2, 3]))))(X).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("rule", [lambda g, x: g * 2 * x**2, lambda g, x: -g * 3 * x**2])
def test_a_wrong_rule_is_refused_when_it_is_made(rule):
    with pytest.raises(DifferentiationError, match="the rule of cubed is not its derivative on the example"):

        @ag.primitive(vjp=rule, example=(X,))
        def cubed(x):
            return x**3


def test_the_check_may_be_declined():
    @ag.primitive(vjp=lambda g: g, check=False)
    def straight_through(x):
        return np.sign(x)

    assert ag.grad(lambda x: ag.sum(straight_through(x)))(X).tolist() == [1.0] * 3


def test_a_custom_rule_keeps_the_value_and_replaces_the_derivative():
    @ag.custom_rule(vjp=lambda g, x: g * ag.sigmoid(x), example=(X,))
    def log1pexp(x):
        return ag.log(1 + ag.exp(x))

    np.testing.assert_array_equal(log1pexp(X), np.log(1 + np.exp(X)))
    second = ag.grad(ag.grad(log1pexp))(0.3)
    s = 1 / (1 + np.exp(-0.3))
    assert float(second) == pytest.approx(s * (1 - s), rel=1e-12)
    with np.errstate(over="ignore"):
        assert float(ag.grad(log1pexp)(1000.0)) == 1.0
    x = ag.tensor(X, requires_grad=True)
    assert "log1pexp(v1)" in ag.tape_of(log1pexp(x))


@ag.primitive(vjp="numeric")
def opaque(x, w, *, power=2):
    return scipy.special.jv(0, x) * np.sum(w) ** power


def test_a_numeric_derivative_is_near_and_says_what_it_is():
    w = np.array([0.5, 0.7])
    by_x, by_w = ag.jacobian(opaque, (0, 1))(X, w)
    np.testing.assert_allclose(by_x.numpy(), np.diag(-scipy.special.jv(1, X) * 1.44), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(by_w.numpy(), np.outer(scipy.special.jv(0, X), [2.4, 2.4]), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ag.jacobian(opaque, 1, mode="forward")(X, w).numpy(), by_w.numpy(), rtol=1e-12)
    x = ag.tensor(X, requires_grad=True)
    assert "v2 = numeric:opaque(v1, const, power=3)" in ag.tape_of(opaque(x, w, power=3))


def test_a_numeric_derivative_has_no_second():
    f = lambda x: ag.sum(opaque(x, np.ones(1)) ** 2)  # noqa: E731  # the form that users write
    np.testing.assert_allclose(
        ag.grad(f)(X).numpy(), -2 * scipy.special.jv(0, X) * scipy.special.jv(1, X), rtol=1e-7, atol=1e-9
    )
    with pytest.raises(
        DifferentiationError, match="the second derivative of opaque was asked for, whose first is numeric"
    ):
        ag.grad(lambda x: ag.sum(ag.grad(f)(x)))(X)


def test_inside_fused_and_compiled_functions():
    x = ag.tensor(np.linspace(-1, 1, 5000), requires_grad=True)
    f = ag.fused(lambda x: cube(x) * ag.sin(x))
    expected = ag.grad(ag.sum(x**3 * ag.sin(x)), x)[0].numpy()
    np.testing.assert_allclose(ag.grad(ag.sum(f(x)), x)[0].numpy(), expected, rtol=1e-12, atol=1e-14)


def test_refusals():
    with pytest.raises(
        ArgumentError, match=r"given a tuple as its rule\. Expected one function, which returns a tuple"
    ):
        ag.primitive(np.multiply, vjp=(lambda g, b: g * b, lambda g, a: g * a))
    with pytest.raises(ArgumentError, match=r"primitive was given no rule\. Expected vjp or jvp"):
        ag.primitive()(np.sin)
    with pytest.raises(ArgumentError, match="primitive was given two rules"):
        ag.primitive(vjp=lambda g: g, jvp=lambda t: t)
    with pytest.raises(ArgumentError, match=r"sine was given no example to check its rule on\. Write example="):

        @ag.primitive(vjp=lambda g, x: g * ag.cos(x))
        def sine(x):
            return np.sin(x)

    with pytest.raises(ArgumentError, match=r"the rule of named names \['z'\]\. Expected, after the first, some of"):

        @ag.primitive(vjp=lambda g, z: g, check=False)
        def named(x):
            return x

    with pytest.raises(ArgumentError, match=r"many has \* or \*\* arguments"):

        @ag.primitive(vjp=lambda g: g, check=False)
        def many(*xs):
            return xs[0]

    @ag.primitive(vjp=lambda g: (g, g), check=False)
    def two(x):
        return x * 1

    with pytest.raises(ArgumentError, match="the rule of two returned 2 cotangents for 1 arguments"):
        ag.grad(two)(1.0)

    @ag.primitive(vjp=lambda g: ag.ones(2), check=False)
    def shaped(x):
        return x * 1

    with pytest.raises(ShapeError, match=r"the rule of shaped returned shape \(2,\) for an argument of shape \(3,\)"):
        ag.grad(lambda x: ag.sum(shaped(x)))(X)
    with pytest.raises(ArgumentError, match=r"product was called with 1 arrays\. Expected \['a', 'b'\]"):
        product(np.ones((1, 1)))

    @ag.primitive(vjp=lambda g: g, check=False)
    def pair(x):
        return x, x

    with pytest.raises(ArgumentError, match=r"pair returned a tuple\. Expected one array"):
        pair(np.ones(2))


@ag.primitive(
    vjp=lambda g, a, b, *, k: (g * k * ag.cos(a) * b, ag.sum(g * k * ag.sin(a))), example=(X, np.float64(0.4))
)
def wave(a, b, *, k=1.0):
    return k * np.sin(a) * b


@ag.primitive(jvp=lambda t, a, b, *, k: t[0] * k * ag.cos(a) * b + k * ag.sin(a) * t[1], example=(X, np.float64(0.4)))
def other_wave(a, b, *, k=1.0):
    return k * np.sin(a) * b


@ag.primitive(vjp="numeric")
def numeric_wave(a, b, *, k=1.0):
    return k * np.sin(a) * b


@ag.primitive(
    vjp=lambda g, a, b, *, k: (g * k * np.cos(np.asarray(a)) * float(b), np.vdot(g, k * np.sin(a))),
    example=(X, np.float64(0.4)),
)
def wave_of_arrays(a, b, *, k=1.0):
    return k * np.sin(a) * b


ROWS, HEIGHTS = np.random.default_rng(5).standard_normal((4, 3)), np.array([1.0, -0.5, 2.0, 0.3])
OF_ONE = {  # of a wave, at one sample
    "value": lambda f: f,
    "grad": lambda f: ag.grad(f),
    "grad by the second": lambda f: ag.grad(f, argnums=1),
    "jacobian": lambda f: ag.jacobian(lambda x, h: f(x, h) * x),
    "jvp": lambda f: lambda x, h: ag.jvp(f, [x, h], [ag.ones(3), ag.ones(())])[1],
    "hessian": lambda f: ag.hessian(f),
    "hvp": lambda f: lambda x, h: ag.hvp(f, [x, h], [ag.ones(3), ag.ones(())])[1][0],
}
FIRST_ORDER = ("value", "grad", "grad by the second", "jacobian")


@pytest.mark.parametrize("wave", [wave, other_wave, numeric_wave, wave_of_arrays], ids=lambda f: f.__name__)
@pytest.mark.parametrize("of_one", OF_ONE)
def test_under_vmap_they_and_their_derivatives_are_those_of_each_sample(wave, of_one):
    if wave in (numeric_wave, wave_of_arrays) and of_one not in FIRST_ORDER:
        return  # their rules are of first order
    f = OF_ONE[of_one](lambda x, h: ag.sum(ag.tanh(wave(x, h, k=2.0))))
    plain = OF_ONE[of_one](lambda x, h: ag.sum(ag.tanh(2.0 * ag.sin(x) * h)))
    found = ag.vmap(f)(ROWS, HEIGHTS)
    expected = ag.stack([plain(ag.tensor(x), ag.tensor(h)) for x, h in zip(ROWS, HEIGHTS, strict=True)])
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6 if wave is numeric_wave else 1e-12)


@pytest.mark.parametrize("x", [0.5, np.array(0.5), np.float32(0.5)])
def test_a_numeric_derivative_of_one_number(x):
    sine = ag.primitive(lambda x: np.sin(x), vjp="numeric")
    assert float(ag.grad(sine)(x)) == pytest.approx(np.cos(0.5), rel=1e-6)


@pytest.mark.parametrize(
    ("f", "slope"),
    [(np.log, lambda x: 1 / x), (np.sqrt, lambda x: 0.5 / np.sqrt(x)), (np.square, lambda x: 2 * x)],
)
def test_a_numeric_derivative_near_where_a_function_ends(f, slope):
    x = np.array([1e-8, 1e-5, 1e-3, 1.0, 1e8])
    opaque = ag.primitive(lambda x: f(x), vjp="numeric")
    np.testing.assert_allclose(ag.grad(lambda x: ag.sum(opaque(x)))(x).numpy(), slope(x), rtol=1e-5)


def test_an_example_may_be_one_array():
    for example in (np.array([0.5, 2.0]), 2.0, ag.tensor([2.0]), [np.array([0.5])]):
        ag.primitive(lambda x: x * x, vjp=lambda g, x: 2 * x * g, example=example)
        with pytest.raises(DifferentiationError, match="is not its derivative"):
            ag.primitive(lambda x: x * x, vjp=lambda g, x: x * g, example=example)


def test_callables_without_a_name_and_what_is_none():
    power = ag.primitive(partial(pow, exp=3), vjp=lambda g, base: g * 3 * base**2, example=2.0)
    assert float(ag.grad(power)(2.0)) == 12
    for f, rule, words in ((3, "numeric", "given a int. Expected a function"), (abs, "Numeric", "the rule 'Numeric'")):
        with pytest.raises(ArgumentError, match=words):
            ag.primitive(f, vjp=rule)


@pytest.mark.parametrize("rule", ["numeric", lambda g, x, y: (g * 3 * x**2 * y, g * x**3)])
def test_a_forward_that_nobody_checked_writes_into_arrays_of_its_own(rule):
    @ag.primitive(vjp=rule, check=False)
    def cube(x, y):
        square = x * x
        x *= square
        y *= x
        return y

    x, y = ag.tensor([1.0, 2.0], requires_grad=True), np.array([1.0, 10.0])
    z = cube(x, y)
    assert (z.tolist(), x.tolist(), y.tolist()) == ([1.0, 80.0], [1.0, 2.0], [1.0, 10.0])
    np.testing.assert_allclose(ag.grad(z.sum(), x)[0].numpy(), [3.0, 120.0], rtol=1e-7)
