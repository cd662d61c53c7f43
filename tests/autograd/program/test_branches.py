"""Random programs of branches, loops, `break`, `continue` and `return`, translated, against Python."""

import linecache

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import autograd as ag

# on whole numbers, so that every step is exact, whoever takes it
EXPRESSIONS = [
    "{a} + {b}",
    "{a} - {b}",
    "min({a}, {b})",
    "max({a}, 3 - {b})",
    "abs({a}) - {b}",
    "-{a}",
    "{a} * 2",
    "x * y",
]
CONDITIONS = ["{a} > {b}", "{a} <= 1", "-2 < {a} < {b}", "{a} > 0 and not {b} > 1", "{a} == {b} or {b} > 2", "x"]
NAMES = ["x", "y", "p", "q", "r"]
name = st.sampled_from(NAMES)


@st.composite
def expressions(draw, depth=2):
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.one_of(name, st.integers(-3, 3).map(str)))
    if draw(st.integers(0, 4)) == 0:
        a, b, c = draw(expressions(depth - 1)), draw(conditions()), draw(expressions(depth - 1))
        return f"({a} if {b} else {c})"
    form = draw(st.sampled_from(EXPRESSIONS))
    return "(" + form.format(a=draw(expressions(depth - 1)), b=draw(expressions(depth - 1))) + ")"


@st.composite
def conditions(draw):
    return draw(st.sampled_from(CONDITIONS)).format(a=draw(name), b=draw(name))


@st.composite
def blocks(draw, depth=3, loop=False):
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from("aaaaicrb" if depth else "a"))
        if kind == "a":
            sign = draw(st.sampled_from(["=", "+=", "-="]))
            lines.append(f"{draw(name)} {sign} {draw(expressions())}")
        elif kind == "i":
            lines += [f"if {draw(conditions())}:", *indented(draw(blocks(depth - 1, loop)))]
            if draw(st.booleans()):
                lines += ["else:", *indented(draw(blocks(depth - 1, loop)))]
        elif kind == "c":
            lines += [f"for k in range({draw(st.integers(0, 3))}):", *indented(draw(blocks(depth - 1, True)))]
            if draw(st.integers(0, 3)) == 0:
                lines += ["else:", f"    {draw(name)} = {draw(expressions())}"]
        elif kind == "r":
            lines += [f"if {draw(conditions())}:", f"    return {draw(expressions())}"]
        elif loop:
            lines += [f"if {draw(conditions())}:", f"    {draw(st.sampled_from(['break', 'continue']))}"]
    return lines or ["pass"]


def indented(lines):
    return ["    " + line for line in lines]


def clamped(lines):
    """The same with every assignment kept within 20, so that no product outgrows the whole numbers of a float."""
    out = []
    for line in lines:
        out.append(line)
        words = line.split()
        if len(words) > 2 and words[1] in ("=", "+=", "-="):
            space = line[: len(line) - len(line.lstrip())]
            out.append(f"{space}{words[0]} = max(-20, min(20, {words[0]}))")
    return out


def compiled(lines):
    text = "\n".join(
        ["def f(x, y):", "    p, q, r = 1, x, -y", *indented(clamped(lines)), "    return p + 2 * q - r", ""]
    )
    file = f"<program {hash(text):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope = {}
    exec(compile(text, file, "exec"), scope)
    return scope["f"]


GRID = [axis.ravel().astype(float) for axis in np.meshgrid(np.arange(-4, 5), np.arange(-4, 5))]


@settings(max_examples=150, deadline=None)
@given(blocks())
def test_random_programs_are_python(lines):
    f = compiled(lines)
    np.testing.assert_array_equal(ag.elementwise(f)(*GRID), by_numbers(f, GRID))


@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])  # shrinking would compile for minutes
@given(blocks(depth=2))
def test_random_programs_run_as_kernels(lines):
    f = compiled(lines)
    op = ag.elementwise(f)
    xs = [np.tile(axis, 60) for axis in GRID]
    np.testing.assert_array_equal(op(*xs), np.tile(by_numbers(f, GRID), 60))
    assert [r for r in op.reasons() if "steps" not in r] == []


def by_numbers(f, xs):
    return np.array([f(*numbers) for numbers in zip(*(x.tolist() for x in xs), strict=True)])
