"""`gradcheck` and `gradgradcheck`: from a function and its inputs to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from autograd.gradcheck.analytic import Chosen, coarse
from autograd.gradcheck.compare import Found, How, full, projected
from autograd.gradcheck.given import listed, named, refuse_wrong
from autograd.gradcheck.locate import culprit
from autograd.gradcheck.numeric import Judge
from autograd.gradcheck.problem import Problem, overlapping, precision
from autograd.gradcheck.reproduce import reproducer
from autograd.gradcheck.result import GradcheckResult, Mismatch, Verdict
from autograd.gradcheck.suggest import suggestion
from autograd.tape import leaf, no_grad
from autograd.tensor import Operand, Tensor
from autograd.transforms import grad

MODES = {"reverse": ("reverse",), "forward": ("forward",), "both": ("reverse", "forward")}
SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class _Asked:
    """The arguments of a check."""

    mode: str
    fast: bool
    eps: float | None
    atol: float
    rtol: float
    max_elements: int | None
    seed: int
    explain: bool = True

    def refuse_wrong(self, f: Any, inputs: Sequence[Any], names: Sequence[str]) -> None:
        """Raise if one of them is none."""
        settings = {name: getattr(self, name) for name in ("eps", "atol", "rtol", "max_elements", "seed")}
        refuse_wrong(f, names, len(inputs), **settings)


def gradcheck(
    f: Callable[..., Any],
    inputs: Operand | Sequence[Any],
    *,
    order: int = 1,
    mode: str = "reverse",
    fast: bool = False,
    eps: float | None = None,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    max_elements: int | None = None,
    seed: int = 0,
    names: Sequence[str] = (),
) -> GradcheckResult:
    """Compare the Jacobian of f, as the tape gives it, with finite differences that know how far they can be trusted.

    They agree where |analytic - numeric| <= atol + rtol |numeric| + the error bar of the numeric derivative. Where one
    difference leaves a doubt, the numeric derivative is that of an imaginary step if f is analytic and takes complex
    arrays, exact but for rounding, else that of more differences (not for `order=2`).

    Parameters:
        f: a function of the inputs that returns a Tensor, or a nested container of them. Random numbers from
            generators of `ag.random` are replayed.
        inputs: one array or several, or containers of them (dicts, lists, tuples, dataclasses), as f takes them.
            Floating ones are raised to float64 and checked, others passed on as they are; of a complex one the real and
            the imaginary part are checked, as two inputs, and so are complex results. A float64 leaf that requires a
            gradient is varied where it is, so that f may read it from elsewhere: pass `model.parameters()` of a model
            in float64 to check the model, or use `nn.gradcheck`.
        order: 2 checks the second derivatives too.
        mode: "reverse", "forward" or "both": how the analytic derivatives are read from the tape.
        fast: compare random projections only, a few evaluations whatever the size; the element at fault is named.
        eps: the first step, relative to the scale of each element; by the dtype for None.
        atol, rtol: the absolute and the relative tolerance.
        max_elements: check only so many elements of each input, chosen at random from `seed`; all for None.
        seed: for everything that is chosen at random.
        names: what to call the inputs in the report; as f calls its parameters where there are none.

    Returns:
        A result that is true if all agree, with a `verdict`, and that prints the worst that do not: input, index,
        analytic and numeric value, their ratio and what it suggests, the operation, and a program to paste.

    Raises:
        ArgumentError: for a setting that is none, and for a result that is no number.

    >>> import autograd as ag
    >>> gradcheck(lambda x: ag.sin(x) * x, ag.tensor([0.5, 2.0]))
    gradcheck passed: 4 derivatives agree
    >>> gradcheck(ag.relu, ag.tensor([1.0, 0.0])).verdict.value
    'KINK'
    """
    if order not in (1, 2):
        raise ArgumentError(f"gradcheck was given order={order!r}. Expected 1 or 2.")
    if mode not in MODES:
        raise ArgumentError(f"gradcheck was given mode={mode!r}. Expected one of {', '.join(MODES)}.")
    asked, values = _Asked(mode, fast, eps, atol, rtol, max_elements, seed), listed(inputs)
    asked.refuse_wrong(f, values, names)
    names = named(f, names, len(values))
    first = _check(f, values, names, asked)
    if order == 1 or not first:
        return first
    second = _second(f, values, names, asked)
    return replace(second, compared=first.compared + second.compared, imaginary=first.imaginary)


def gradgradcheck(
    f: Callable[..., Any],
    inputs: Operand | Sequence[Any],
    *,
    mode: str = "reverse",
    fast: bool = False,
    eps: float | None = None,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    max_elements: int | None = None,
    seed: int = 0,
    names: Sequence[str] = (),
) -> GradcheckResult:
    """Compare the second derivatives of f with finite differences of its first: `gradcheck` of its pull-back.

    The parameters are those of `gradcheck`; the cotangents are random numbers from `seed`.

    >>> import autograd as ag
    >>> bool(gradgradcheck(lambda x: ag.sin(x) * x, ag.tensor([0.5, 2.0])))
    True
    """
    if mode not in MODES:
        raise ArgumentError(f"gradgradcheck was given mode={mode!r}. Expected one of {', '.join(MODES)}.")
    asked, values = _Asked(mode, fast, eps, atol, rtol, max_elements, seed), listed(inputs)
    asked.refuse_wrong(f, values, names)
    return _second(f, values, named(f, names, len(values)), asked)


def _second(f: Callable[..., Any], inputs: list[Any], names: Sequence[str], asked: _Asked) -> GradcheckResult:
    shared = overlapping(inputs, names)
    if shared:
        return GradcheckResult(0, (), shared, Verdict.OVERLAP, seed=asked.seed)
    problem = Problem(f, inputs, names)
    if not problem.checked:
        return _nothing(problem, asked)
    rng = np.random.default_rng(asked.seed)
    with no_grad():
        outputs = problem.run()
        for g, state in problem.states:
            g._bits.state = state
    if not outputs:
        return _check(f, inputs, names, asked)  # which says so
    cotangents = [Tensor(rng.uniform(0.5, 1.5, y.shape), leaf(y.shape, np.dtype(np.float64))) for y in outputs]
    count, checked = len(problem.variables), problem.leaves()

    def pull_back(*args: Any) -> tuple[Tensor, ...]:
        ys = problem.run()
        live = [(y, c) for y, c in zip(ys, args[count:], strict=True) if y.requires_grad]
        if not live:
            return tuple(Tensor(np.zeros(v.shape)) for v in checked)
        found: tuple[Tensor, ...] = grad(
            [y for y, _ in live],
            checked,
            [c.astype(y.dtype) for y, c in live],
            create_graph=True,
            allow_unused=True,
        )
        return found

    titles = [*problem.names, *(f"cotangent {k}" for k in range(len(cotangents)))]
    made = _check(pull_back, [*problem.variables, *cotangents], titles, replace(asked, explain=False), record=True)
    made = replace(made, reason=made.reason.replace(" derivatives ", " second derivatives "))
    if not asked.explain or not (made.mismatches or made.kinks or made.imprecise):
        return made
    return _explained(made, problem, f, inputs, asked, order=2)


def _nothing(problem: Problem, asked: _Asked) -> GradcheckResult:
    dtypes = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in problem.variables) or "none"
    reason = f"no input is a floating array (given: {dtypes}), so nothing was checked. Write 2.0 for 2."
    return GradcheckResult(0, (), reason, Verdict.NOTHING_CHECKED, seed=asked.seed)


def _check(
    f: Callable[..., Any], inputs: list[Any], names: Sequence[str], asked: _Asked, record: bool = False
) -> GradcheckResult:
    shared = "" if record else overlapping(inputs, names)
    if shared:
        return GradcheckResult(0, (), shared, Verdict.OVERLAP, seed=asked.seed)
    problem = Problem(f, inputs, names, record)
    if not problem.checked:
        return _nothing(problem, asked)
    given = [x.value.copy() for x in problem.leaves()]
    outputs = problem.outputs()
    base, again = problem.values(), problem.values()
    eps = precision(outputs)
    if _unlike(base, again, eps):
        return _random(problem, asked, base, again, given)
    problem.count = base.size
    elements = sum(x.value.size for x in problem.leaves()) * base.size
    if not elements:
        empty = [problem.names[k] for k in problem.checked if not problem.variables[k].value.size]
        said = f"{', '.join(empty)} has no elements" if empty else "the result has no floating elements"
        reason = f"{said}, so nothing was checked"
        zero = bool(empty) or bool(outputs)
        return GradcheckResult(0, (), reason, Verdict.NOTHING_CHECKED, seed=asked.seed, vacuous=zero)
    rng = np.random.default_rng(asked.seed)
    how = How(MODES[asked.mode], Judge(asked.atol, asked.rtol, eps), asked.eps)
    if asked.fast:
        found = projected(problem, outputs, base, how, rng)
    else:
        found = full(problem, outputs, base, _chosen(problem, asked.max_elements, rng), how)
    if (found.wrong or found.kinks or found.imprecise) and _unlike(base, problem.values(), eps):
        return _random(problem, asked, base, problem.values(), given)
    low = coarse(problem, outputs, rng) if eps < SINGLE and "reverse" in how.modes and not found.wrong else []
    if low and _cancelled(problem, asked):
        low = []
    return _verdict(problem, f, inputs, asked, found, low, [y.shape for y in outputs])


def _unlike(a: Any, b: Any, eps: float) -> bool:
    """Whether two runs differ by more than the order of a sum can make."""
    if a.shape != b.shape:
        return True
    size = np.max(np.abs(np.nan_to_num(a)), initial=0)
    return not np.allclose(a, b, rtol=1e3 * eps, atol=1e2 * eps * float(size), equal_nan=True)


def _random(problem: Problem, asked: _Asked, a: Any, b: Any, given: Sequence[Any]) -> GradcheckResult:
    pairs = zip(problem.checked, given, strict=True)
    if changed := [k for k, x in pairs if not np.array_equal(problem.variables[k].value, x, equal_nan=True)]:
        reason = f"f writes into {problem.names[changed[0]]}, so that each run has another. Write x = x.copy() there."
        return GradcheckResult(0, (), reason, Verdict.NONDETERMINISTIC, seed=asked.seed)
    with np.errstate(all="ignore"):
        apart = float(np.nanmax(np.abs(a - b))) if a.shape == b.shape else float("nan")
    drawn = "of `ag.random` are replayed" if problem.states else "of `ag.random` would be replayed; none was used"
    reason = (
        f"two runs on equal inputs differ by {apart:.3g}. Generators {drawn}: take the random numbers from one, or "
        "hold fixed what f changes from run to run."
    )
    return GradcheckResult(0, (), reason, Verdict.NONDETERMINISTIC, seed=asked.seed)


def _chosen(problem: Problem, count: int | None, rng: np.random.Generator) -> Chosen:
    chosen = {}
    for k in problem.checked:
        every = list(np.ndindex(problem.variables[k].shape))
        few = count is not None and count < len(every)
        chosen[k] = [every[i] for i in rng.choice(len(every), count, replace=False)] if few else every
    return chosen


def _verdict(
    problem: Problem,
    f: Callable[..., Any],
    inputs: Sequence[Any],
    asked: _Asked,
    found: Found,
    low: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
) -> GradcheckResult:
    wrong, kinks, imprecise = (_worst(ms) for ms in (found.wrong, found.kinks, found.imprecise))
    if wrong:
        verdict, reason = Verdict.WRONG_GRADIENT, f"{len(wrong)} of {found.compared} derivatives differ; the worst:"
        said = suggestion(problem, found, shapes)
        modes = {m.mode for m in wrong}
        if asked.mode == "both" and len(modes) == 1:
            reason = f"{reason.removesuffix('; the worst:')}, in {modes.pop()} mode only; the worst:"
    elif low:
        verdict, said = Verdict.WRONG_GRADIENT, "a cast to float32 or less in the rule, or a float32 array in it"
        reason = f"the gradient by {', '.join(low)} holds float32 numbers, though f computes in float64"
    elif kinks:
        verdict, said = Verdict.KINK, "move the input off that place, or leave it out; a choice of slope is no mistake"
        reason = f"{len(kinks)} of {found.compared} derivatives do not exist:"
    elif imprecise:
        first = next((m for m in imprecise if not isfinite(m.where)), imprecise[0])  # which others may stem from
        verdict, (what, said) = Verdict.PRECISION, _blurred(first)
        reason = f"{len(imprecise)} of {found.compared} numeric derivatives are {what}:"
    else:
        return GradcheckResult(found.compared, (), verdict=Verdict.PASS, seed=asked.seed, imaginary=found.imaginary)
    made = GradcheckResult(found.compared, wrong, reason, verdict, kinks, imprecise, said, seed=asked.seed)
    made = replace(made, imaginary=found.imaginary)
    return _explained(made, problem, f, inputs, asked) if asked.explain else made


def _blurred(worst: Mismatch) -> tuple[str, str]:
    """Why a numeric derivative tells nothing, and what to do."""
    if not isfinite(worst.where):
        return "by inputs that are not finite", f"give {worst.input} finite elements: {worst.where} cannot be moved"
    if not isfinite(worst.value):
        said = f"move {worst.input} to where f is finite, not {worst.value}, or mask that place with where"
        return "of results that are not finite", said
    said = "compute in float64, or rescale: f cancels or is too large for its derivative"
    return "too blurred to judge by", said


def _worst(mismatches: Sequence[Mismatch]) -> tuple[Mismatch, ...]:
    apart = [abs(m.analytic - m.numeric) for m in mismatches]
    order = sorted(range(len(apart)), key=lambda i: -apart[i] if apart[i] == apart[i] else float("-inf"))
    return tuple(mismatches[i] for i in order)


def _passing(asked: _Asked, verdict: Verdict, order: int = 1) -> Callable[..., bool]:
    """Whether an operation by itself has not that verdict."""
    few = _Asked(asked.mode, False, None, asked.atol, asked.rtol, 16, asked.seed, explain=False)

    def passes(g: Callable[..., Any], xs: Sequence[Any]) -> bool:
        arrays = [x.copy() if isinstance(x, np.ndarray) else x for x in xs]
        how = (few, replace(few, fast=True))  # some elements as the whole check does, and all at a glance
        check, names = (_check, _second)[order - 1], named(g, (), len(arrays))
        return all(check(g, arrays, names, one).verdict is not verdict for one in how)

    return passes


def _cancelled(problem: Problem, asked: _Asked) -> bool:
    """Whether digits were lost in a sum: every operation by itself keeps them."""
    if problem.record or not asked.explain:
        return False
    named, _, every = culprit(problem, _passing(asked, Verdict.WRONG_GRADIENT))
    return every and not named


def _explained(
    result: GradcheckResult,
    problem: Problem,
    f: Callable[..., Any],
    inputs: Sequence[Any],
    asked: _Asked,
    order: int = 1,
) -> GradcheckResult:
    """With the operation at fault and a program to paste."""
    at_fault, call, _ = culprit(problem, _passing(asked, result.verdict, order))
    given = "".join(
        f", {name}={value!r}"
        for name, value, usual in (
            ("order", order, 1),
            ("mode", asked.mode, "reverse"),
            ("atol", asked.atol, 1e-6),
            ("rtol", asked.rtol, 1e-4),
            ("seed", asked.seed, 0),
        )
        if value != usual
    )
    return replace(result, culprit=at_fault, reproducer=reproducer(f, inputs, call, given))
