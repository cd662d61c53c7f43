"""A function's statements run on symbols: every branch is taken, and what the branches gave is chosen from afterwards.

What is known before any data (constants, settings, loop counters) is computed at once: loops unroll, and a branch on it
is no branch. A point that has returned, or has left a loop, is told from the others by a mask (see `State`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from inspect import signature
from types import FunctionType
from typing import Any

from autograd.errors import UnsupportedError
from autograd.program.branches import State, Unset, choose, is_number, truth
from autograd.program.calls import PLAIN, Scope, own
from autograd.program.expressions import binary, chosen, evaluate
from autograd.program.source import Source, source_of
from autograd.program.steps import LIMIT, Scalar, Steps

DEPTH = 40  # calls within calls
LOOP = "Write `for k in range(n):` with a constant n, and an `if` inside."
REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.While: ("a `while` loop runs as often as the data say", LOOP),
    ast.AsyncFor: ("an asynchronous loop", LOOP),
    ast.Try: ("a `try` catches nothing here, as numbers raise nothing", "Write an `if` that tells the cases apart."),
    ast.Raise: ("an error is raised for data", "Return math.nan from that branch."),
    ast.Assert: ("an `assert` looks at data", "Leave it out, or return math.nan where it fails."),
    ast.FunctionDef: ("a function is made inside", "Write it outside, as a function of its own."),
    ast.Global: ("a global variable is assigned to", "Return the number."),
    ast.Nonlocal: ("a variable of another function is assigned to", "Return the number."),
    ast.Import: ("a module is imported inside", "Import it at the top of the file."),
    ast.ImportFrom: ("a module is imported inside", "Import it at the top of the file."),
    ast.With: ("a `with` block has no form on symbols", "Write arithmetic only."),
    ast.Match: ("a `match` looks at data", "Write `if`, `elif` and `else`."),
    ast.Delete: ("a variable is deleted", "Leave the line out."),
}


def translate(f: FunctionType, steps: Steps, settings: dict[str, Any]) -> Any:
    """The result of f on the inputs of `steps`, with these settings; errors name the line that cannot be translated."""
    result = _Run().call(f, list(steps.inputs), settings, None, None)
    if not isinstance(result, Scalar) and not is_number(result):
        source = source_of(f)
        what = f"a {type(result).__name__} is returned"
        if source is None:
            raise UnsupportedError(f"{f.__name__}: {what}. Expected one number.")
        source.refuse(source.node, what, "Write a function that returns one number; two numbers are two functions.")
    return result


class _Run:
    """One run of a function and of those that it calls."""

    def __init__(self) -> None:
        self.count = 0
        self.depth = 0

    def call(
        self,
        f: FunctionType,
        args: Sequence[Any],
        keywords: dict[str, Any],
        node: ast.AST | None,
        caller: Source | None,
    ) -> Any:
        """The result of a function; `node` is the call, in the source of the caller."""
        source = source_of(f)
        try:
            bound = signature(f).bind(*args, **keywords)
        except TypeError as error:
            assert node is not None
            assert caller is not None
            caller.refuse(node, f"{f.__name__}: {error}", "Write the arguments that it takes.")
        if source is None:
            return f(*args, **keywords)  # as far as symbols go: a branch on data raises
        bound.apply_defaults()
        state = State({n: own(x, source.node, source) for n, x in bound.arguments.items()})
        if self.depth >= DEPTH:
            source.refuse(node or source.node, f"it calls itself {DEPTH} times over", LOOP)
        self.depth += 1
        try:
            return self._body(source, state)
        finally:
            self.depth -= 1

    def _body(self, source: Source, state: State) -> Any:
        node = source.node
        if isinstance(node, ast.Lambda):
            return evaluate(node.body, Scope(source, state.env, self.call))
        self.block(node.body, state, source)
        if state.done is not True:
            source.refuse(node, "some way through it returns nothing", "End it with `return` and a number.")
        if isinstance(state.result, Unset):
            source.refuse(node, "its returns give numbers here and other things there", "Return one number everywhere.")
        return state.result

    # ---- statements

    def block(self, statements: Sequence[ast.stmt], state: State, source: Source) -> None:
        """Statements, one after another, until all points have left."""
        for node in statements:
            if any(left is True for left in (state.done, state.broken, state.continued)):
                break
            self.count += 1
            if self.count > LIMIT:
                source.refuse(node, f"it takes more than {LIMIT} steps", "Write fewer turns of the loops around it.")
            self._here(state, self.statement, node, state, source)

    def _here(self, state: State, action: Callable[..., None], *args: Any) -> None:
        """Do something for those points alone that have not left the present turn of a loop."""
        gone = choose(state.broken, True, state.continued)
        if gone is False:
            action(*args)
            return
        before = state.copy()
        action(*args)
        state.become(gone, before, state.copy())

    def statement(self, node: ast.stmt, state: State, source: Source) -> None:
        """One statement."""
        scope = Scope(source, state.env, self.call)
        match node:
            case ast.Return(value=value):
                self._return(node, None if value is None else evaluate(value, scope), state, source)
            case ast.Assign(targets=targets, value=value):
                result = evaluate(value, scope)
                for target in targets:
                    self._assign(target, result, state, source)
            case ast.AnnAssign(target=target, value=value):
                if value is not None:
                    self._assign(target, evaluate(value, scope), state, source)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                before = evaluate(ast.copy_location(ast.Name(name, ast.Load()), node), scope)
                state.env[name] = binary(op, before, evaluate(value, scope), node, source)
            case ast.AugAssign(target=target):
                self._assign(target, None, state, source)
            case ast.If():
                self._if(node, state, source)
            case ast.For():
                self._for(node, state, source)
            case ast.Break():
                state.broken = True
            case ast.Continue():
                state.continued = True
            case ast.Expr(value=value):
                if not isinstance(value, ast.Constant):
                    evaluate(value, scope)
            case ast.Pass():
                pass
            case _:
                what, instead = REFUSED.get(type(node), (f"{type(node).__name__} has no form on symbols", PLAIN))
                source.refuse(node, what, instead)

    def _return(self, node: ast.AST, value: Any, state: State, source: Source) -> None:
        if value is None:
            source.refuse(node, "nothing is returned", "Return a number.")
        state.result = chosen(state.done, state.result, value, node, source)
        state.done = True

    def _assign(self, target: ast.AST, value: Any, state: State, source: Source) -> None:
        match target:
            case ast.Name(id=name):
                state.env[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                if not isinstance(value, tuple) or len(value) != len(parts):
                    source.refuse(target, f"{len(parts)} names are given something else", "Write as many numbers.")
                for part, x in zip(parts, value, strict=True):
                    self._assign(part, x, state, source)
            case ast.Attribute():
                source.refuse(target, "an attribute is changed", "Assign to a local variable, and return it.")
            case ast.Subscript():
                source.refuse(target, "an element is changed", "Write a variable for each number.")
            case _:
                source.refuse(target, f"{type(target).__name__} is assigned to", "Write plain names.")

    def _if(self, node: ast.If, state: State, source: Source) -> None:
        condition = truth(evaluate(node.test, Scope(source, state.env, self.call)))
        if isinstance(condition, bool):
            self.block(node.body if condition else node.orelse, state, source)
        else:
            self._either(condition, node.body, node.orelse, state, source)

    def _either(
        self, condition: Any, yes: Sequence[ast.stmt], no: Sequence[ast.stmt], state: State, source: Source
    ) -> None:
        """Both branches, each from here."""
        left, right = state.copy(), state.copy()
        self.block(yes, left, source)
        self.block(no, right, source)
        state.become(condition, left, right)

    def _for(self, node: ast.For, state: State, source: Source) -> None:
        values = evaluate(node.iter, Scope(source, state.env, self.call))
        if not isinstance(values, tuple):
            source.refuse(node, "it loops over what is no range or tuple", LOOP)
        outside = state.broken, state.continued
        state.broken = state.continued = False
        for value in values:
            if state.done is True or state.broken is True:
                break
            self._here(state, self._assign, node.target, value, state, source)
            self.block(node.body, state, source)
            state.continued = False
        left = state.broken
        state.broken, state.continued = outside
        if node.orelse and left is not True:
            if left is False:
                self.block(node.orelse, state, source)
            else:
                self._either(left, [], node.orelse, state, source)
