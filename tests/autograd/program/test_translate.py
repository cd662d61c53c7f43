"""A table of Python functions of numbers, translated: against the functions themselves, number by number."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

import autograd as ag
from autograd.config import config

RNG = np.random.default_rng(0)
EDGES = [-3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, -1e-30, 1e-30, -700.0, 700.0]
COEFFICIENTS = (0.5, -1.0, 0.25, 2.0)
GAIN = 1.5
NUMPY_GAIN = np.float32(0.75)


# ---- the table


def polynomial(x):
    return 3 * x**3 - 2 * x**2 + x - 7


def quotient(x, y):
    return (x - y) / (1 + y * y)


def huber(error, *, delta=1.0):
    """Quadratic near zero, linear beyond `delta`."""
    if abs(error) <= delta:
        return 0.5 * error * error
    else:
        return delta * (abs(error) - 0.5 * delta)


def softplus(x):
    if x > 30:
        return x
    if x < -30:
        return math.exp(x)
    return math.log1p(math.exp(x))


def smoothstep(x):
    t = min(max(x, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def mandelbrot(a, b):
    x = y = 0.0
    count = 0
    for _ in range(12):
        if x * x + y * y > 4:
            break
        x, y = x * x - y * y + a, 2 * x * y + b
        count += 1
    return count


def escape(a, b):
    x = y = 0.0
    for _ in range(6):
        if x * x + y * y <= 4:
            x, y = x * x - y * y + a, 2 * x * y + b
    return x * x + y * y


def horner(x):
    total = 0.0
    for c in COEFFICIENTS:
        total = total * x + c
    return total


def horner_by_index(x):
    total = 0.0
    for k in range(len(COEFFICIENTS) - 1, -1, -1):
        total = total * x + COEFFICIENTS[k]
    return total


def nested(x, y):
    if x > 0:
        if y > 0:
            z = x * y
        elif y > -1:
            z = x - y
        else:
            z = x
    else:
        z = -x
        if y < x:
            z += y
    return z + 1


def early(x):
    if x < -1:
        return -1.0
    y = x + 1
    if x < 0:
        y = y * y
        if x < -0.5:
            return y
        y = y - 0.1
    for k in range(3):
        y = y / 2 + k
        if y > 2:
            return 2 * y
    return y


def helper(t, scale=2.0):
    if t > 1:
        return t * scale
    return t


def helped(x):
    return helper(x) + helper(x + 1, scale=GAIN) * helper(t=x / 2)


def chained(x):
    return x if -1 < x <= 1 < 2 else 2 * x


def logical(x, y):
    if (x > 0 and not y > 0) or x == y or (x < -1) & (y < -1):
        return x - y
    return x + y


def operands(x, y):
    return (x or 1.0) + (x and y) * 0.5


def ternaries(x):
    return math.sin(x) if x > 1 else math.cos(x) if x > 0 else x


def logarithm(x):
    return math.log(x) if x > 0 else 0.0


def root(x):
    return x * math.sqrt(x) if x > 1e-3 else 0.0


def reciprocal(x):
    if x != 0:
        return 1 / x
    return 0.0


def power(x, y):
    return abs(x) ** (y / 100) if x else 0.0


def entropy(p):
    if 0 < p < 1:
        return -p * math.log(p) - (1 - p) * math.log(1 - p)
    return 0.0


def gelu(x):
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def functions(x):
    t = math.tanh(x) + math.atan(x) - math.erfc(x)
    return t * math.hypot(x, 1) + math.expm1(t / 9) + math.log(2 + t * t, 2) + math.copysign(2.0, x) + math.pow(t, 2)


def rounding(x):
    return math.floor(x) + 2 * math.ceil(x / 2) + x % 3 - x // 2 + math.trunc(x) + round(x) + int(x) + float(x)


def by_numpy(x):
    return np.sin(x) * NUMPY_GAIN + ag.tanh(x) + np.maximum(x, 0.5) + ag.where(x > 0, x, 0.0)


def known_beforehand(x):
    ways = math.factorial(4) // math.comb(4, 2) + math.gcd(6, 4) + divmod(7, 2)[0]
    return x * round(GAIN / 7, ndigits=2) + sum((ways, 1), start=2) + int("12", base=3) * x + math.gamma(5)


def special(x):
    return math.gamma(abs(x) + 1.5) * np.sign(x) + math.lgamma(x * x + 1.5) + ag.sign(x)


def skipping(x):
    total = 0.0
    for k in range(5):
        if (x > k) == (k % 2 == 0):
            continue
        total += k * x
        for j in range(3):
            if total > 10 * j:
                break
            total += j
        else:
            total -= 0.5
    return total


def counted(x, y):
    return (x > 0) + (y > 0) + (x > y) * 0.5 - (-(x > 1))


def defaulted(x, y=0.5):
    return x * y


def fibonacci(n, x):
    return x if n < 2 else fibonacci(n - 1, x) + fibonacci(n - 2, x) * 0.5


def recursive(x):
    return fibonacci(6, x)


def pair(x):
    return x + 1, x - 1


def unpacked(x):
    (a, b), c = pair(x), 2
    best = 0.0
    for k, v in enumerate((a, b, c)):
        best = v * k if v > best else best
    return best + max((a, b)) + sum([a, b, c])


def weak(x):
    sign = 1 if x > 0 else -1
    scale = 0.1 if x > 1 else 0.3
    return sign * scale + x * 0


def constant(x):
    return 2.5


def step(x):
    return 1.0 if x > 0 else 0.0


def unused(x, y):
    return x


def inside(x, y):
    return x * x + y * y < 1 and x > -0.5


def closing_over(rate):
    def decay(x):
        return x * rate if x > 0 else x / rate

    return decay


ANONYMOUS = [lambda x: x * x if x > 0 else -x, lambda x: x + 1, (lambda x, y: x * y)]  # three on one line


@dataclass
class Case:
    """A function, and where its derivative is compared: away from kinks, where its second one is bounded too."""

    f: object
    points: list = field(default_factory=lambda: [-2.3, -1.2, -0.7, -0.3, 0.3, 0.7, 1.3, 2.6])
    ulps: float = 0  # by which it may differ from the function on numbers, in units of 1e-16
    edges: list = field(default_factory=lambda: EDGES)
    kernel: bool = True


CASES = [
    Case(polynomial, ulps=30),
    Case(quotient),
    Case(huber),
    Case(softplus, ulps=8),
    Case(smoothstep),
    Case(mandelbrot),
    Case(escape, points=[-0.9, -0.3, 0.2, 0.6], edges=[x for x in EDGES if abs(x) < 5]),
    Case(horner),
    Case(horner_by_index),
    Case(nested),
    Case(early),
    Case(helped),
    Case(chained),
    Case(logical),
    Case(operands),
    Case(ternaries, ulps=8),
    Case(logarithm, ulps=8),
    Case(root, points=[0.3, 0.9, 2.0], ulps=8),
    Case(reciprocal),
    Case(power, points=[-2.3, -0.7, 0.4, 1.3], ulps=20),
    Case(entropy, points=[-0.5, 0.2, 0.6, 1.5], ulps=20),
    Case(gelu, ulps=20),
    Case(functions, edges=[x for x in EDGES if abs(x) < 5], ulps=40, kernel=False),
    Case(rounding, ulps=8),
    Case(by_numpy, ulps=8),
    Case(known_beforehand, ulps=8),
    Case(special, edges=[x for x in EDGES if abs(x) < 5], ulps=40, kernel=False),
    Case(skipping, points=[-2.3, -0.7, 0.3, 0.7]),
    Case(counted),
    Case(defaulted),
    Case(recursive),
    Case(unpacked, ulps=8),  # Python's own sum of numbers is compensated from 3.12 on
    Case(weak),
    Case(constant),
    Case(step),
    Case(unused),
    Case(closing_over(3.0)),
    Case(ANONYMOUS[0]),
    Case(ANONYMOUS[1]),
    Case(ANONYMOUS[2]),
]
every_case = pytest.mark.parametrize("c", CASES, ids=lambda c: c.f.__name__)


def columns(f, edges, count):
    """Edges in all combinations and random numbers, for each positional parameter of f."""
    n = len(ag.elementwise(f).inputs)
    grid = [axis.ravel() for axis in np.meshgrid(*[np.array(edges)] * n)]
    return [np.concatenate([axis, RNG.uniform(-3, 3, count - len(axis))]) for axis in grid]


def by_numbers(f, xs):
    return np.array([f(*numbers) for numbers in zip(*(x.tolist() for x in xs), strict=True)])


def test_the_table_is_long_enough():
    assert len(CASES) >= 35
    assert len({id(c.f) for c in CASES}) == len(CASES)


@every_case
def test_it_is_the_function_of_numbers(c):
    xs = columns(c.f, c.edges, 400)
    y, expected = ag.elementwise(c.f)(*xs), by_numbers(c.f, xs)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=c.ulps * 1e-16, atol=c.ulps * 1e-16)


@every_case
def test_kernels_give_the_same(c):
    xs = columns(c.f, c.edges, 5000)
    results = []
    for kernels in (True, False):
        op = ag.elementwise(c.f)
        with config.using(kernels=kernels):
            ts = [ag.tensor(x, requires_grad=True) for x in xs]
            y = op(*ts)
            y.backward(np.cos(np.arange(5000)))
            results.append([y.numpy(), *(t.grad.numpy() for t in ts)])
        assert (op.reasons() == []) == c.kernel or not kernels
    for fast, plain in zip(*results, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-12, atol=1e-13)


@every_case
def test_derivatives_match_finite_differences(c):
    op = ag.elementwise(c.f)
    xs = [np.array(c.points) + 0.013 * k for k in range(len(op.inputs))]
    assert ag.gradcheck(op, xs)
    assert ag.gradgradcheck(op, xs, rtol=1e-3, atol=1e-5)


@every_case
def test_float32_stays_float32(c):
    xs = [x.astype(np.float32) for x in columns(c.f, c.edges, 5000)]
    op = ag.elementwise(c.f)
    for size in (10, 5000):
        ts = [ag.tensor(x[:size], requires_grad=True) for x in xs]
        y = op(*ts)
        y.backward(np.ones(size, np.float32))
        assert {y.dtype, *(t.grad.dtype for t in ts)} == {np.dtype("float32")}


@every_case
def test_an_untaken_branch_leaks_nothing_into_the_gradient(c):
    xs = [ag.tensor(x, requires_grad=True) for x in columns(c.f, c.edges, 300)]
    y = ag.elementwise(c.f)(*xs)
    y.backward(np.ones(300))
    assert [np.isnan(x.grad.numpy()).sum() for x in xs] == [0] * len(xs)


@pytest.mark.parametrize(
    "f", [huber, nested, early, chained, logical, escape, weak, skipping], ids=lambda f: f.__name__
)
def test_nan_and_infinity_take_the_branches_that_they_take_in_python(f):
    special = [math.nan, math.inf, -math.inf, 0.5, -0.5]
    xs = columns(f, special, len(special) ** len(ag.elementwise(f).inputs))
    np.testing.assert_array_equal(ag.elementwise(f)(*xs), by_numbers(f, xs))
    long = [np.tile(x, 1000) for x in xs]
    np.testing.assert_array_equal(ag.elementwise(f)(*long), np.tile(by_numbers(f, xs), 1000))
