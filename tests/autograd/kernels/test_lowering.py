"""The small language of kernels: what it says means what Python means, and what numba makes of the same source."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.errors import UnsupportedError
from autograd.kernels import compile, emit, through_numba
from autograd.kernels.arithmetic import Unlowered

ROOT = Path(__file__).parents[3]
WORDS = 8
HEAD = "def kernel(lo, hi, args):\n"


def written(body):
    return HEAD + "".join(f"    {line}\n" for line in body.splitlines())


def lowered(source, flags=compile.FLAGS):
    """LLVM's text of a kernel, by the small language or not at all."""
    return emit._lowered(source, "<test>", "kernel", compile.KERNEL, flags)


def run(source, words, lo=0, hi=4):
    lowered(source)  # else numba would take it
    args = np.array(words, np.int64)
    compile.get(source).call(lo, hi, args.ctypes.data)
    return args.tolist()


def python(source, words, lo=0, hi=4):
    scope, args = {"inline": lambda f: f}, list(words)
    exec(source, scope)
    scope["kernel"](lo, hi, args)
    return [int(x) for x in args]


PROGRAMS = {
    "division rounds down": "args[0] = args[2] // args[3]\nargs[1] = args[2] % args[3]",
    "of a known divisor": "for k in range(hi):\n    args[k] = args[k] // -3 + args[k] % 7",
    "a loop with break and continue": """
total = 0
for i in range(10):
    if i == 3:
        continue
    if i > 7:
        break
    for j in range(i):
        if j == 5:
            break
        total += i * j
args[0] = total
""",
    "while": """
n, steps = args[2], 0
while n != 1 and steps < 100:
    n = n // 2 if n % 2 == 0 else 3 * n + 1
    steps += 1
args[0] = steps
""",
    "ranges": """
for i in range(9, 0, -3):
    args[0] += i
for i in range(args[2], 20, args[3]):
    args[1] += i
for i in range(20, args[2], 0 - args[3]):
    args[4] += i
i = 5
for i in range(0):
    args[0] = 100
args[5] = i
""",
    "a loop's name given another value": "for i in range(4):\n    args[i] = i\n    i = 100\n    args[4] += i",
    "tuples": "a, b = args[0], args[1]\na, b = b, a\n(c, d), e = (a, b), 3\nargs[0], args[1] = a, b + c + d + e",
    "choices of tuples": "a, b = (args[0], 1) if args[1] > 2 else (2, args[2])\nargs[3] = a - b",
    "a loop over a tuple": """
for w, k in ((args[0], 1), (args[1], 2)):
    if w < 0:
        continue
    args[3] += w * k
""",
    "bits": "args[0] = (args[2] << 3) ^ (args[3] >> 1) | ~args[4] & 0xFF\nargs[1] = -args[2] >> 2",
    "chains and truth": """
args[0] = 1 if 0 < args[2] < 10 else 0
args[1] = 1 if args[2] and not args[3] or args[4] > 2 else 0
if args[5]:
    args[5] += 1
elif args[4]:
    args[5] = 7
else:
    args[5] = 8
""",
    "min and max": "args[0] = min(args[2], max(args[3], 2))\nargs[1] = max(3, 4) + min(True, 5)",
    "more than 64 bits": "args[0] = args[2] * (1 << 62) * 3",
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("words", [[1, 2, 7, 3, 5, 6, 0, 1], [9, -4, -7, 2, 0, 0, 1, 0], [0, 0, 6, 1, 1, 0, 3, 2]])
def test_whole_numbers_are_pythons(name, words):
    source = written(PROGRAMS[name].strip("\n"))
    expected = [(x + 2**63) % 2**64 - 2**63 for x in python(source, words)]
    assert run(source, words) == expected


FUNCTIONS = """
LIMIT, FAST, NAMES = 3, False, (4, 5)

@inline
def clipped(x, top):
    if x > top:
        return top
    if x < 0:
        return 0
    return x

@inline
def parts(x):
    # two results
    return x // 10, x % 10

@inline
def sums(args, n):
    total = 0
    for k in range(n):
        if k == LIMIT:
            return total
        total += clipped(args[k], 100)
    return total

@inline
def mark(args, k):
    args[k] = 1
    return True

def kernel(lo, hi, args):
    '''Functions that call one another, and constants.'''
    args[0] = sums(args, 5)
    tens, units = parts(args[6])
    if FAST:
        tens = undefined(tens)
    args[1] = tens * NAMES[1] + units
    if args[2] > 0 and mark(args, 3) or mark(args, 4):
        args[5] += 1
    pass
"""


@pytest.mark.parametrize("words", [[1, 2, 7, 30, 5, 6, 77, 1], [900, -4, -7, 2, 0, 0, 13, 0]])
def test_functions_are_written_out(words):
    assert run(FUNCTIONS, words) == python(FUNCTIONS, words)


def test_a_division_by_zero_gives_zero_as_numba_does():
    source = written("args[0] = args[1] // args[2]\nargs[1] = args[1] % args[2]")
    assert run(source, [5, 7, 0])[:2] == [0, 0]


OPERATORS = ("+", "-", "*", "//", "%", "&", "|", "^", "<", "<=", "==", "!=", ">", ">=", "and", "or", "min", "max")
LEAVES = st.sampled_from([f"args[{k}]" for k in range(WORDS)]) | st.integers(-9, 9).map(str)


def joined(parts):
    left, op, right = parts
    if op in ("min", "max"):
        return f"{op}({left}, {right})"
    if op in ("//", "%"):
        return f"(({left}) {op} (({right}) * 2 + 1))"  # never zero
    if op in ("and", "or"):
        return f"(1 if ({left}) {op} ({right}) else 0)"
    return f"(0 + (({left}) {op} ({right})))"


EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(joined)
        | st.tuples(inner, inner, inner).map("(({0[0]}) if ({0[1]}) else ({0[2]}))".format)
        | inner.map("(-({}))".format)
    ),
    max_leaves=12,
)


@given(st.lists(EXPRESSIONS, min_size=1, max_size=3), st.lists(st.integers(-50, 50), min_size=WORDS, max_size=WORDS))
def test_random_expressions_are_pythons(expressions, words):
    body = "\n".join(f"args[{k}] = {text}" for k, text in enumerate(expressions))
    body = f"if args[7] > 0:\n    args[6] = 1\n{body}"
    expected = [(x + 2**63) % 2**64 - 2**63 for x in python(written(body), words)]
    assert run(written(body), words) == expected


# ---- kinds

FLOATING = """
def kernel(lo, hi, args):
    x, y, k, b = pointer_{x}(args, 0), pointer_{y}(args, 1), pointer_i4(args, 2), pointer_b1(args, 3)
    out = pointer_{out}(args, 4)
    for i in range(lo, hi):
        t = x[i] * y[i] - x[i] / y[i]
        u = t if b[i] else -t
        out[i] = u + np.float32(k[i])
"""


@pytest.mark.parametrize(("x", "y"), [("f4", "f4"), ("f4", "f8"), ("f8", "f8")])
@pytest.mark.parametrize("out", ["f4", "f8", "i8", "i4", "b1"])
def test_kinds_meet_as_numpys_do(x, y, out):
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 9, 40).astype(x), rng.uniform(1, 9, 40).astype(y)
    k, c, got = rng.integers(-9, 9, 40).astype("i4"), rng.integers(0, 2, 40).astype(bool), np.zeros(40, out)
    words = np.array([v.ctypes.data for v in (a, b, k, c, got)])
    source = FLOATING.format(x=x, y=y, out=out)
    lowered(source)
    compile.get(source, flags=()).call(0, 40, words.ctypes.data)
    t = a * b - a / b
    expected = (np.where(c, t, -t) + k.astype("f4")).astype(out)
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("code", ["f4", "f8", "i4", "i8", "b1"])
def test_casts(code):
    x, out = np.array([0.0, 1.0, -2.5, 3.9]), np.zeros(4, code)
    words = np.array([x.ctypes.data, out.ctypes.data])
    dtype = np.dtype(code).name + ("_" if code == "b1" else "")
    text = f"""
def kernel(lo, hi, args):
    x, out = pointer_f8(args, 0), pointer_{code}(args, 1)
    for i in range(lo, hi):
        out[i] = np.{dtype}(x[i])
"""
    lowered(text)
    compile.get(text).call(0, 4, words.ctypes.data)
    assert np.array_equal(out, x.astype(code))


def test_a_choice_is_of_the_kind_in_which_both_meet():
    x, out = np.array([1.5, -2.5]), np.zeros(2)
    k = np.array([7, -8], np.int32)
    words = np.array([v.ctypes.data for v in (x, k, out)])
    text = """
def kernel(lo, hi, args):
    x, k, out = pointer_f8(args, 0), pointer_i4(args, 1), pointer_f8(args, 2)
    for i in range(lo, hi):
        out[i] = (x[i] if x[i] > 0 else k[i]) + (i if i else k[i])
"""
    lowered(text)
    compile.get(text).call(0, 2, words.ctypes.data)
    assert out.tolist() == [1.5 + 7, -8 + 1]


def test_a_nan_is_true_and_equal_to_nothing():
    x, out = np.array([np.nan, 0.0, 1.0]), np.zeros((4, 3), np.int64)
    words = np.array([x.ctypes.data, *(row.ctypes.data for row in out)])
    text = """
def kernel(lo, hi, args):
    x, a, b, c, d = pointer_f8(args, 0), pointer_i8(args, 1), pointer_i8(args, 2), pointer_i8(args, 3), word_at(args[4])
    for i in range(lo, hi):
        a[i], b[i], c[i], d[i] = x[i] == x[i], x[i] != x[i], x[i] < 2.0, not x[i]
"""
    lowered(text)
    compile.get(text).call(0, 3, words.ctypes.data)
    assert out.tolist() == [[0, 1, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]]


def test_fast_math_flags_stand_on_operators_alone():
    text = """
def kernel(lo, hi, args):
    x = pointer_f8(args, 0)
    for i in range(lo, hi):
        x[i] = exp_f8(x[i]) * x[i] + x[i]
"""
    plain, fast = lowered(text, ()), lowered(text, ("nsz", "contract"))
    assert "contract" not in plain
    marked = [line for line in fast.splitlines() if "nsz" in line or "contract" in line]
    assert [line.split("=")[1].split()[0] for line in marked] == ["fmul", "fadd"]


# ---- what it does not say

REFUSED = {
    "with open('x') as f:\n    pass": "no With",
    "[args[0]]": "no List",
    "args[0] = np.floor(2.5)": "cannot call",
    "x = 1\nx = 2.0": "values of two kinds",
    "if args[0]:\n    x = 1\nargs[0] = y": "no y",
    "args[0] = x\nx = 1": "x has no value here",
    "for k in range(3):\n    pass\nelse:\n    args[0] = 1": "not over a range",
    "args[0] = args[1] is None": "no such comparison",
    "args[0] = args[1] ** 2": "no such operator",
    "args[0] = max(args[1], args[2], args[3])": "cannot call",
    "args[0] = min(1.5, args[1])": "what becomes of NaN",
    "args[0] = word_at(0)[0] if args + 1 else 2": "pointers have no",
    "args[0] = lo.real": "there is no real",
    "for k in range(0, 4, 0):\n    args[k] = 1": "no whole number, or 0",
    "args[0] = pointer_f8(args)[0]": "takes other arguments",
}


@pytest.mark.parametrize("body", REFUSED)
def test_what_it_does_not_say_is_refused(body):
    with pytest.raises(Unlowered, match=REFUSED[body]):
        lowered(written(body))


def test_numba_takes_what_it_does_not_say(folder):
    source = written("args[0] = int(np.floor(2.5)) + args[1] ** 2")
    args = np.array([0, 3])
    compile.get(source).call(0, 1, args.ctypes.data)
    assert args[0] == 11


def test_a_function_that_calls_itself_is_refused():
    source = "@inline\ndef f(n):\n    return f(n)\n\ndef kernel(lo, hi, args):\n    args[0] = f(lo)\n"
    with pytest.raises(Unlowered, match="f calls itself"):
        lowered(source)


def test_without_numba_its_absence_is_told(monkeypatch, folder):
    monkeypatch.setattr(through_numba.numba.config, "DISABLE_JIT", True)
    with pytest.raises(UnsupportedError, match="NUMBA_DISABLE_JIT is set, and the kernel kernel says what only numba"):
        compile.get(written("args[0] = int(np.floor(3.5))"))


@pytest.mark.parametrize("source", [FUNCTIONS, written("args[0] = int(np.floor(3.5))")])
def test_vectors_on_the_stack_of_a_kernel_straddle_no_cache_lines(source):
    with emit.finished(emit.lowered(source, "kernel", compile.KERNEL, compile.FLAGS)) as module:
        text = str(module)
    assert "alignstack(64)" in text


# ---- against numba, on a whole training

TRAINED = """
import json, sys
import numpy as np
import autograd as ag, nn, optim, regularize
from autograd.kernels import emit
from autograd.kernels.arithmetic import Unlowered
if sys.argv[1] == "numba":
    def refused(*_):
        raise Unlowered("all goes through numba")
    emit._lowered = refused
ag.random.seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 4, 3, padding="same"), nn.GELU(), nn.MaxPool2d(2), nn.Flatten(), regularize.Dropout(0.2),
    nn.Linear(36, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 3)
)
optimizer = optim.Adam(model.parameters(), lr=1e-2)
rng = np.random.default_rng(0)
x, y = ag.tensor(rng.standard_normal((16, 1, 6, 6)).astype(np.float32)), ag.tensor(rng.integers(0, 3, 16))

def step():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss

fast = ag.compile(step)
losses = [float(step()) for _ in range(3)] + [float(fast()) for _ in range(6)]
print(json.dumps({"losses": losses, "reasons": fast.reasons(), "numba": "numba" in sys.modules}))
"""


def test_numba_makes_the_same_of_every_kernel_of_a_training(tmp_path):
    found = {}
    for side in ("own", "numba"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "WENGERT_CACHE_DIR": str(tmp_path / side)}
        done = subprocess.run(
            [sys.executable, "-c", TRAINED, side], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found[side] = json.loads(done.stdout)
        assert found[side]["reasons"] == []
        assert found[side]["numba"] == (side == "numba")
    np.testing.assert_allclose(found["own"]["losses"], found["numba"]["losses"], rtol=1e-5)
