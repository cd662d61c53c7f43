"""Every function of the table against an independent reference: accuracy over the whole range, limits, vector code."""

import math
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import mpmath
import numba
import numpy as np
import pytest
from hypothesis import settings

from autograd.kernels import compile, emit, maths

WIDE = np.longdouble
INF, NAN = math.inf, math.nan
NAMES = sorted({name for name, _ in maths.table})
UNARY = [name for name in NAMES if name != "pow"]
GUARDED = ("sin", "cos", "tan")
OUT_OF_LINE = (*GUARDED, "log", "log2")  # have a slow path apart
DTYPES = ("float32", "float64")
THOROUGH = settings.get_current_profile_name() == "thorough"
SAMPLES, CHUNK = 10_000_000 if THOROUGH else 3_000_000, 1_000_000
LIMIT = 2.0  # units in the last place
LIMITS = {("ndtr", "float32"): 5.0}  # of which no more is asked
# Where a float64 function of one argument is worth most of the samples; the others are spread over all exponents.
RANGES = {
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh", "sigmoid", "softplus"), (-750.0, 715.0)),
    **dict.fromkeys(("log", "log2", "sqrt", "rsqrt"), (0.0, 4.0)),
    **dict.fromkeys(GUARDED, (-3000.0, 3000.0)),
    "exp2": (-1080.0, 1030.0),
    "log1p": (-1.0, 3.0),
    "tanh": (-20.0, 20.0),
    "erf": (-6.5, 6.5),
    "erfc": (-6.5, 28.0),
    "ndtr": (-39.0, 9.0),
    "atan": (-4.0, 4.0),
}
worst_seen: dict[tuple[str, str], float] = {}


def source_of(name: str, dtype: str) -> str:
    """A loop over the function: the shape of a generated kernel."""
    code = {"float32": "f4", "float64": "f8"}[dtype]
    names = ["x", "y"] if name == "pow" else ["x"]
    source = [f"def kernel(lo, hi, args):\n    out = pointer_{code}(args, {len(names)})"]
    source += [f"    {x} = pointer_{code}(args, {k})" for k, x in enumerate(names)]
    source += ["    for i in range(lo, hi):", f"        out[i] = {name}_{code}({', '.join(f'{x}[i]' for x in names)})"]
    return "\n".join(source)


@cache
def compiled(name: str, dtype: str, fastmath: frozenset[str] = frozenset()):
    return compile.get(source_of(name, dtype), flags=sorted(fastmath)).call


def run(name: str, *xs: np.ndarray, fastmath: frozenset[str] = frozenset()) -> np.ndarray:
    xs, out = tuple(np.ascontiguousarray(x) for x in xs), np.empty_like(xs[0])
    words = np.array([a.ctypes.data for a in (*xs, out)])
    compiled(name, xs[0].dtype.name, fastmath)(0, out.size, words.ctypes.data)
    return out


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@cache
def erf_series() -> np.ndarray:
    """Taylor coefficients of erf at the multiples of 1/64, by the recurrence of the Hermite polynomials."""
    with mpmath.workdps(40):
        rows = []
        for node in range(int(6.6 * 64)):
            x = mpmath.mpf(node) / 64
            d = [2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)]
            for n in range(10):
                d.append(-2 * x * d[n] - (2 * n * d[n - 1] if n else 0))
            row = [mpmath.erf(x), *(v / mpmath.factorial(n + 1) for n, v in enumerate(d))]
            rows.append([WIDE(float(v)) + WIDE(float(v - float(v))) for v in row])
    return np.array(rows)


def taylor(series: np.ndarray, a: np.ndarray) -> np.ndarray:
    """The series about the nearest multiple of 1/64."""
    node = np.where(np.isnan(a), 0, np.rint(a * 64)).astype(np.intp)
    t = a - node / WIDE(64)
    y = series[node, -1]
    for n in range(series.shape[1] - 2, -1, -1):
        y = y * t + series[node, n]
    return y


def erf(x):
    return np.copysign(taylor(erf_series(), np.minimum(np.abs(np.asarray(x, WIDE)), 6.5)), x)


@cache
def erfcx_series() -> np.ndarray:
    """The same of e^(x^2) erfc(x), whose derivatives follow from w' = 2 x w - 2 / sqrt(pi)."""
    with mpmath.workdps(80):
        rows = []
        for node in range(28 * 64 + 1):
            x = mpmath.mpf(node) / 64
            d = [mpmath.exp(x * x) * mpmath.erfc(x)]
            for n in range(11):
                d.append(2 * x * d[n] + (2 * n * d[n - 1] if n else -2 / mpmath.sqrt(mpmath.pi)))
            row = [v / mpmath.factorial(n) for n, v in enumerate(d)]
            rows.append([WIDE(float(v)) + WIDE(float(v - float(v))) for v in row])
    return np.array(rows)


def erfc(x):
    a = np.minimum(np.abs(np.asarray(x, WIDE)), 28)
    short = np.rint(a * 2.0**20) / 2.0**20  # its square is exact
    y = taylor(erfcx_series(), a) * np.exp(-short * short) * np.exp(-(a - short) * (a + short))
    return np.where(x < 0, 2 - y, y)


def ndtr(x):
    a = np.minimum(np.abs(np.asarray(x, WIDE)), 39)
    short = np.rint(a * 2.0**20) / 2.0**20
    y = taylor(erfcx_series(), a / np.sqrt(WIDE(2))) / 2
    y = y * np.exp(-short * short / 2) * np.exp(-(a - short) * (a + short) / 2)
    return np.where(x < 0, y, 1 - y)


REFERENCE: dict[str, Callable] = {
    **{name: getattr(np, name) for name in NAMES if hasattr(np, name)},
    "pow": np.power,
    "atan": np.arctan,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": sigmoid,
    "softplus": softplus,
    "erf": erf,
    "erfc": erfc,
    "ndtr": ndtr,
}
MPMATH: dict[str, Callable] = {
    **{name: getattr(mpmath, name) for name in NAMES if hasattr(mpmath, name)},
    "exp2": lambda x: mpmath.power(2, x),
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "ndtr": mpmath.ncdf,
    "pow": mpmath.power,
}


@numba.njit(error_model="numpy")
def worst_ulp(got, high, low, digits, smallest, largest):
    """(largest error in units in the last place, where, number of wrong NaNs and infinities) against high + low."""
    worst, place, wrong = 0.0, 0, 0
    for i in range(got.size):
        value, exact = np.float64(got[i]), high[i]
        if math.isnan(exact) or math.isnan(value):
            wrong += math.isnan(exact) != math.isnan(value)
        elif abs(exact) > largest or abs(value) > largest:
            # A result within two units of the largest number may round either way.
            near = abs(exact) / largest > 1.0 - 2.0 ** (2 - digits) and abs(value) / largest > 1.0 - 2.0 ** (2 - digits)
            wrong += (exact > 0.0) != (value > 0.0) or not near
        else:
            exponent = math.frexp(exact)[1] if exact != 0.0 else smallest
            error = abs((value - exact) - low[i]) / math.ldexp(1.0, max(exponent - digits, smallest))
            if error > worst:
                worst, place = error, i
    return worst, place, wrong


def measure(name: str, *xs: np.ndarray) -> tuple[float, str]:
    """The worst error over the samples, and where it is."""
    dtype = xs[0].dtype
    info, got = np.finfo(dtype), run(name, *xs)
    wide = WIDE if dtype == np.float64 or name in ("erf", "erfc", "ndtr") else np.float64
    with np.errstate(all="ignore"):
        exact = REFERENCE[name](*(x.astype(wide) for x in xs))
        high = exact.astype(np.float64)
        low = np.where(np.isfinite(high), exact - high, 0).astype(np.float64)
    smallest = info.minexp - info.nmant
    worst, place, wrong = worst_ulp(got, high, low, info.nmant + 1, int(smallest), float(info.max))
    assert wrong == 0, f"{name} {dtype}: {wrong} results are wrongly finite, infinite or NaN"
    return worst, ", ".join(repr(float(x[place])) for x in xs)


def over_all(name: str, dtype: str, chunks: int, sample: Callable[[int], tuple[np.ndarray, ...]]) -> None:
    """Assert the limit over every chunk of samples, two at a time."""
    measure(name, *(x[:1] for x in sample(0)))  # compiles, and makes its table: mpmath's precision is all threads'
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda k: measure(name, *sample(k)), range(chunks)))
    worst, place = max(found)
    worst_seen[name, dtype] = worst
    print(f"{name:9} {dtype}: {worst:.3f} ulp at {place}")
    assert worst <= LIMITS.get((name, dtype), LIMIT), f"{name} {dtype}: {worst:.3f} units in the last place at {place}"


def test_the_table_is_complete():
    asked = (
        "exp expm1 exp2 log log1p log2 tanh sigmoid softplus erf erfc ndtr sin cos tan sinh cosh atan pow sqrt rsqrt"
    )
    assert sorted(maths.table) == sorted((name, dtype) for name in asked.split() for dtype in DTYPES)


@pytest.mark.parametrize("name", UNARY)
def test_float32_over_all_numbers(name):
    patterns = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(np.uint32)
    over_all(name, "float32", 8, lambda k: (patterns[k::8].copy().view(np.float32),))


@pytest.mark.parametrize("name", UNARY)
def test_float64_over_all_exponents(name):
    def sample(k):
        rng = np.random.default_rng([k, *name.encode()])
        return (
            np.concatenate(
                [
                    rng.integers(0, 2**64, CHUNK // 4, dtype=np.uint64).view(np.float64),
                    np.ldexp(rng.uniform(-1, 1, CHUNK // 4), rng.integers(-60, 12, CHUNK // 4)),
                    rng.uniform(*RANGES[name], CHUNK // 2),
                ]
            ),
        )

    over_all(name, "float64", SAMPLES // CHUNK, sample)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pow_over_all_results(dtype):
    span, digits = (104.0, 24) if dtype == "float32" else (746.0, 53)

    def sample(k):
        rng, n = np.random.default_rng(k), CHUNK // 2
        log_x = rng.uniform(-1, 1, n) * (87 if dtype == "float32" else 700)
        x = np.concatenate([np.exp(log_x), 1 + rng.uniform(-1, 1, n) * 2.0 ** -rng.uniform(0, digits, n)]).astype(dtype)
        x = np.maximum(x, np.finfo(dtype).smallest_subnormal)
        with np.errstate(divide="ignore", over="ignore"):
            y = np.clip(rng.uniform(-span, span, 2 * n) / np.log(x.astype(float)), -1e30, 1e30).astype(dtype)
        return x, y

    over_all("pow", dtype, SAMPLES // CHUNK, sample)


def test_the_table_of_errors_is_printed():
    rows = [f"{name:9}" + "".join(f"{worst_seen.get((name, dtype), NAN):9.3f}" for dtype in DTYPES) for name in NAMES]
    print("\nworst error in units in the last place\n" + " " * 14 + "float32  float64\n" + "\n".join(rows))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_against_mpmath(name, dtype):
    rng, info = np.random.default_rng(7), np.finfo(dtype)
    low, high = {
        "log": (0, 30),
        "log2": (0, 30),
        "sqrt": (0, 30),
        "rsqrt": (0, 30),
        "log1p": (-1, 30),
        "pow": (0, 9),
    }.get(name, (-9, 9))
    xs = [rng.uniform(low, high, 1500).astype(dtype)]
    xs += [rng.uniform(-9, 9, 1500).astype(dtype)] if name == "pow" else []
    got = run(name, *xs)
    with mpmath.workdps(50):
        for value, *x in zip(got, *xs, strict=True):
            exact = MPMATH[name](*(mpmath.mpf(float(v)) for v in x))
            unit = mpmath.ldexp(1, max(mpmath.frexp(exact)[1] - info.nmant - 1, int(info.minexp) - info.nmant))
            assert abs(mpmath.mpf(float(value)) - exact) <= LIMITS.get((name, dtype), LIMIT) * unit, (x, value)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", GUARDED)
def test_large_angles(name, dtype):
    rng, info = np.random.default_rng(3), np.finfo(dtype)
    edge = 2.0**15 if dtype == "float32" else 2.0**30
    x = np.concatenate(
        [
            np.ldexp(rng.uniform(0.5, 1, 300), rng.integers(10, info.maxexp, 300)),
            edge * (1 + np.linspace(-1e-3, 1e-3, 101)),
            [float(info.max), 6381956970095103.0 * 2.0 ** (797 if dtype == "float64" else 40), edge, -edge],
            [0.5, -0.25, 1e30, 3.0, -0.0, 2.0],  # one large angle among small ones
        ]
    ).astype(dtype)
    got = run(name, x)
    with mpmath.workprec(1400):
        for value, angle in zip(got, x, strict=True):
            exact = MPMATH[name](mpmath.mpf(float(angle)))
            unit = mpmath.ldexp(1, mpmath.frexp(exact)[1] - info.nmant - 1)
            assert abs(mpmath.mpf(float(value)) - exact) <= LIMIT * unit, angle


def special(dtype: str) -> np.ndarray:
    """Zeros, ones, infinities, NaN, subnormal and extreme numbers, and the limits of overflow and underflow."""
    info = np.finfo(dtype)
    top, tiny, least = float(info.max), float(info.tiny), float(info.smallest_subnormal)
    edge = [math.log(top), math.log(least), math.log(tiny), math.log(top) + math.log(2)]
    powers = [float(info.maxexp), info.maxexp - 0.5, float(info.minexp - info.nmant), float(info.minexp)]
    around = [v for e in (*edge, *powers) for v in (np.nextafter(e, INF), np.nextafter(e, -INF), e + 0.3, e - 0.8)]
    plain = [0.0, 1.0, 0.5, 2.0, 3.0, 1e-3, 7.5, 1e5, INF, top, tiny, tiny / 2, 3 * least, least, 1 - info.epsneg]
    positive = np.array([*plain, 1 + info.eps, info.eps, NAN, *map(abs, around)], dtype)
    return np.concatenate([positive, -positive])


def agree(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Equal in NaN, infinity and signed zero, and within the limit elsewhere."""
    with np.errstate(all="ignore"):
        close = np.abs(got - expected) <= LIMIT * np.maximum(
            np.spacing(np.abs(expected)), np.finfo(got.dtype).smallest_subnormal
        )
        zero = (got == 0) & (expected == 0) & (np.signbit(got) == np.signbit(expected))
        exact = (got == expected) & (expected != 0)
        near = close & (expected != 0) & np.isfinite(expected) & np.isfinite(got)
        return zero | exact | near | (np.isnan(got) & np.isnan(expected))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_limits_are_those_of_numpy(name, dtype):
    x = special(dtype)
    with np.errstate(all="ignore"):
        # NumPy has no sigmoid, softplus, erf, erfc or ndtr, and its float32 exp2 drops the smallest subnormal number.
        mathematical = name in ("sigmoid", "softplus", "erf", "erfc", "ndtr", "exp2")
        reference = REFERENCE[name](x.astype(WIDE) if mathematical else x)
        expected = reference.astype(dtype)
    got = run(name, x)
    good = agree(got, expected)
    assert good.all(), [*zip(x[~good], got[~good], expected[~good], strict=True)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_limits_of_pow_are_those_of_numpy(dtype):
    some = special(dtype)
    more = np.array([-3.0, 4.5, -4.5, 1e10, 2.0**24 + 2, 2.0**53, 2.0**52 + 1, -1e10, 1 / 3], dtype)
    x, y = (a.ravel() for a in np.meshgrid(*[np.concatenate([some, more])] * 2))
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(WIDE), y.astype(WIDE)).astype(dtype)
        numpy = np.power(x, y)
    got = run("pow", x, y)
    good = agree(got, expected)
    assert good.all(), [*zip(x[~good], y[~good], got[~good], expected[~good], strict=True)][:20]
    assert np.array_equal(np.isnan(got), np.isnan(numpy))


def test_exact_results():
    for dtype in DTYPES:
        info = np.finfo(dtype)
        k = np.arange(info.minexp - info.nmant, info.maxexp)
        assert np.array_equal(run("log2", np.ldexp(np.ones(k.size, dtype), k)), k)
        assert np.array_equal(run("exp2", k.astype(dtype)), np.ldexp(np.ones(k.size, dtype), k))
        whole = np.arange(-40, 41).astype(dtype)
        assert np.array_equal(run("pow", whole, np.full_like(whole, 2)), whole * whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_the_loop_is_vector_code(name, dtype):
    with emit.finished(emit.lowered(source_of(name, dtype), "kernel", compile.KERNEL, compile.FLAGS)) as module:
        text = str(module)
    kernel = text[text.index("@wengert_kernel(") :]
    kernel = kernel[: kernel.index("\n}")]
    lane = "float" if dtype == "float32" else "double"
    assert re.search(rf"<(2|4|8|16) x {lane}>", kernel), kernel[:2000]
    called = set(re.findall(r"\bcall [^@\n]*@([\w.]+)\(", text))
    intrinsics = {name for name in called if name.startswith("llvm.")}
    assert not [i for i in intrinsics if i.split(".")[1] in REFERENCE and i.split(".")[1] != "sqrt"], intrinsics
    own = {called for called in called - intrinsics if not called.startswith("_ZN")}
    if name not in OUT_OF_LINE:
        assert own == set()
        return
    assert not re.search(rf"@wengert_{name}_{dtype}_x\d+\(", kernel)  # the vector forms are part of the loop
    assert re.search(rf"@llvm.fma.v(2|4|8|16)f{32 if dtype == 'float32' else 64}\(", kernel)
    assert not [symbol for symbol in own if not symbol.startswith("wengert_")]  # nothing from outside


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_lane_alone_equals_a_lane_of_a_vector(name, dtype):
    x = np.random.default_rng(5).uniform(0.1, 9, 67).astype(dtype)
    x[40] = 1e9 if name in GUARDED else 4
    y = [x[::-1].copy()] if name == "pow" else []
    whole = run(name, x, *y)
    one_by_one = [run(name, *(a[k : k + 1] for a in (x, *y)))[0] for k in range(x.size)]
    assert np.array_equal(whole, one_by_one)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log", "log2"])
@pytest.mark.parametrize("number", [INF, NAN, -1.0, 0.0, -0.0, -INF, "subnormal", "normal", "largest"])
def test_vectors_of_one_limit_alone(name, number, dtype):
    info = np.finfo(dtype)
    named = {"subnormal": info.smallest_subnormal, "normal": info.smallest_normal, "largest": info.max}
    x = np.full(67, named.get(number, number), dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(run(name, x), getattr(np, name)(x), rtol=2 * info.eps)


@pytest.mark.parametrize("name", ["exp", "log1p", "tanh", "sin", "pow", "softplus"])
def test_fast_math_of_the_caller_changes_nothing(name):
    x = np.random.default_rng(6).uniform(0.01, 5, 1000)
    y = [x[::-1].copy()] if name == "pow" else []
    fast = frozenset({"reassoc", "contract", "nsz", "arcp", "afn"})
    assert np.array_equal(run(name, x, *y), run(name, x, *y, fastmath=fast))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["expm1", "ndtr", "sin", "pow"])
def test_code_of_numba_calls_the_same_functions(name, dtype):
    function = maths.table[name, dtype]
    x = np.random.default_rng(2).uniform(0.01, 5, 1000).astype(dtype)
    y = [x[::-1].copy()] if name == "pow" else []

    @numba.njit
    def each(out, x, y):
        for i in range(x.size):
            out[i] = function(x[i], y[i])

    @numba.njit
    def one(out, x):
        for i in range(x.size):
            out[i] = function(x[i])

    out = np.empty_like(x)
    (each if y else one)(out, x, *y)
    assert np.array_equal(out, run(name, x, *y))
