"""`python -m autograd.gradcheck module:function` checks a function of floating arrays.

The exit status is 1 if a derivative fails, 2 if there is nothing to check it by: another name, other inputs, an error.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from pkgutil import resolve_name
from typing import Any, cast

import numpy as np

from autograd.errors import ArgumentError, words_of
from autograd.gradcheck.check import MODES, gradcheck
from autograd.gradcheck.result import Verdict
from autograd.primitive import Primitive


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m autograd.gradcheck", description=__doc__)
    p.add_argument("function", metavar="module:function")
    p.add_argument(
        "inputs", nargs="*", metavar="INPUT", help="a shape (3x4; 'scalar') drawn at random, or values ([0.5, 2])"
    )
    p.add_argument("--order", type=int, choices=(1, 2), default=1)
    p.add_argument("--mode", choices=tuple(MODES), default="reverse")
    p.add_argument("--fast", action="store_true", help="random projections only")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--json", action="store_true", help="print the result as JSON")
    return p


def given(text: str, rng: np.random.Generator) -> Any:
    """An input from the command line.

    >>> given("2x3", np.random.default_rng(0)).shape
    (2, 3)
    """
    if text == "scalar":
        return rng.standard_normal(())
    if all(part.isdigit() for part in text.split("x")):
        return rng.standard_normal(tuple(map(int, text.split("x"))))
    try:
        return np.array(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        raise ArgumentError(f"{text!r} is no input. Expected a shape (3x4), 'scalar' or values ([0.5, 2.0]).") from None


def found(target: str) -> Callable[..., Any]:
    """The function that a target names.

    >>> found("math:sqrt")(4.0)
    2.0
    """
    module, _, name = target.partition(":")
    if not module or not name:
        raise ArgumentError(f"{target!r} names no function. Expected module:function, as in mypackage.losses:huber.")
    sys.path.insert(0, "")  # as `python -m` of the module itself would find it
    f = resolve_name(target)
    if not callable(f):
        raise ArgumentError(f"{target} is a {type(f).__name__}. Expected a function.")
    return cast("Callable[..., Any]", f)


def _needed(f: Any) -> int:
    if isinstance(f, Primitive):
        return len(f.inputs)
    free = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(q.kind in free and q.default is Parameter.empty for q in signature(f).parameters.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the arguments name, and print the report."""
    asked = parser().parse_args(arguments)
    try:
        f = found(asked.function)
        rng = np.random.default_rng(asked.seed)
        inputs = [given(text, rng) for text in asked.inputs or ["2x3"] * _needed(f)]
        result = gradcheck(f, inputs, order=asked.order, mode=asked.mode, fast=asked.fast, seed=asked.seed)
    except Exception as error:  # whatever the function or its module says
        print(f"{asked.function}: {words_of(error)}", file=sys.stderr)
        return 2
    print(result.to_json() if asked.json else result.report())
    if result.verdict is Verdict.NOTHING_CHECKED and not result:
        return 2
    return 0 if result else 1


if __name__ == "__main__":
    sys.exit(main())
