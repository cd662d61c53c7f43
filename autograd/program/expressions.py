"""Expressions of a scalar function: what is known before any data is computed, the rest is noted as steps."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from autograd.ops import compare
from autograd.ops import elementwise as ops
from autograd.program.branches import Unset, both, choose, is_number, known, opposite, truth
from autograd.program.calls import PLAIN, Scope, called, computed, own
from autograd.program.source import Source
from autograd.program.steps import Scalar

Pair = tuple[Callable[..., Any], Callable[..., Any]]  # on numbers, and on symbols
ARITHMETIC: dict[type[ast.AST], Pair] = {
    ast.Add: (operator.add, ops.add),
    ast.Sub: (operator.sub, ops.subtract),
    ast.Mult: (operator.mul, ops.multiply),
    ast.Div: (operator.truediv, ops.divide),
    ast.FloorDiv: (operator.floordiv, ops.floor_divide),
    ast.Mod: (operator.mod, ops.remainder),
    ast.Pow: (operator.pow, ops.pow),
}
LOGIC: dict[type[ast.AST], Pair] = {
    ast.BitAnd: (operator.and_, compare.logical_and),
    ast.BitOr: (operator.or_, compare.logical_or),
    ast.BitXor: (operator.xor, compare.logical_xor),
}
COMPARISONS: dict[type[ast.AST], Pair] = {
    ast.Eq: (operator.eq, compare.equal),
    ast.NotEq: (operator.ne, compare.not_equal),
    ast.Lt: (operator.lt, compare.less),
    ast.LtE: (operator.le, compare.less_equal),
    ast.Gt: (operator.gt, compare.greater),
    ast.GtE: (operator.ge, compare.greater_equal),
}
OF_OBJECTS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lambda: ("a function is made inside", "Write it outside, as a function of its own."),
    ast.NamedExpr: ("a value is assigned inside an expression", "Write the assignment on a line of its own."),
    ast.JoinedStr: ("a string is made", "Write numbers only."),
    ast.ListComp: ("a list is made", "Write a `for` loop over range(n) that adds up what is wanted."),
    ast.GeneratorExp: ("a generator is made", "Write a `for` loop over range(n) that adds up what is wanted."),
    ast.Yield: ("values are yielded", "Write `return` with one number."),
    ast.Await: ("it awaits something", "Write a plain function."),
}


def evaluate(node: ast.AST, scope: Scope) -> Any:
    """The value of an expression: a Python value, a symbol, or a tuple of such."""
    match node:
        case ast.Constant(value=value):
            return own(value, node, scope.source)
        case ast.Name(id=name):
            return _name(name, node, scope)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(evaluate(part, scope) for part in parts)
        case ast.BinOp(left=left, op=op, right=right):
            return binary(op, evaluate(left, scope), evaluate(right, scope), node, scope.source)
        case ast.UnaryOp(op=op, operand=operand):
            return _unary(op, evaluate(operand, scope), node, scope.source)
        case ast.BoolOp():
            return _logical(node, scope)
        case ast.Compare():
            return _compared(node, scope)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            condition = truth(evaluate(test, scope))
            if isinstance(condition, bool):
                return evaluate(body if condition else orelse, scope)
            return chosen(condition, evaluate(body, scope), evaluate(orelse, scope), node, scope.source)
        case ast.Call():
            return _call(node, scope)
        case ast.Attribute(value=base, attr=name):
            return _attribute(evaluate(base, scope), name, node, scope.source)
        case ast.Subscript(value=base, slice=index):
            return _element(evaluate(base, scope), evaluate(index, scope), node, scope.source)
    what, instead = REFUSED.get(type(node), (f"{type(node).__name__} has no form on symbols", PLAIN))
    scope.source.refuse(node, what, instead)


def _name(name: str, node: ast.AST, scope: Scope) -> Any:
    if name in scope.env:
        value = scope.env[name]
        if isinstance(value, Unset):
            scope.source.refuse(node, f"{name} {value.reason}", f"Give {name} a value before the `if`.")
        return value
    try:
        return own(scope.source.lookup(name), node, scope.source)
    except KeyError:
        scope.source.refuse(node, f"{name} is not defined", f"Define {name} above the function.")


def chosen(condition: Any, a: Any, b: Any, node: ast.AST, source: Source) -> Any:
    """`choose`, for values that must be alike."""
    value = choose(condition, a, b)
    if isinstance(value, Unset):
        source.refuse(
            node, "the two sides of an `if` are not both numbers", "Write a number, or as many, on each side."
        )
    return value


def binary(op: ast.operator, a: Any, b: Any, node: ast.AST, source: Source) -> Any:
    """An arithmetic operator, or & | ^ between conditions."""
    on_numbers, on_symbols = (ARITHMETIC | LOGIC).get(type(op), (None, None))
    if on_numbers and known(a) and known(b):
        return computed(on_numbers, (a, b), node, source)
    if not all(is_number(x) or isinstance(x, Scalar) for x in (a, b)):
        source.refuse(node, "an operator is applied to what is no number", "Write numbers only.")
    if on_symbols and (type(op) in ARITHMETIC or (truth(a) is a and truth(b) is b)):
        return on_symbols(a, b)
    source.refuse(node, "an operator on bits or matrices is applied to numbers", "Write `and` and `or` for conditions.")


def _unary(op: ast.unaryop, x: Any, node: ast.AST, source: Source) -> Any:
    if isinstance(op, ast.Not):
        return opposite(truth(x))
    if isinstance(op, ast.Invert):
        source.refuse(node, "~ is applied to a number", "Write `not` for conditions.")
    if known(x):
        return computed(operator.neg if isinstance(op, ast.USub) else operator.pos, (x,), node, source)
    if not isinstance(x, Scalar):
        source.refuse(node, "an operator is applied to what is no number", "Write numbers only.")
    return ops.negative(x) if isinstance(op, ast.USub) else x.steps.number(x)


def _logical(node: ast.BoolOp, scope: Scope) -> Any:
    """`and`, `or`: as in Python, one of the operands."""
    meet = isinstance(node.op, ast.And)
    left = evaluate(node.values[0], scope)
    for part in node.values[1:]:
        if known(left):
            if bool(left) is not meet:
                return left
            left = evaluate(part, scope)
            continue
        condition, right = truth(left), evaluate(part, scope)
        pair = (right, left) if meet else (left, right)
        left = chosen(condition, *pair, node, scope.source)
    return left


def _compared(node: ast.Compare, scope: Scope) -> Any:
    """A chain of comparisons: each holds."""
    result: Any = True
    left = evaluate(node.left, scope)
    for op, part in zip(node.ops, node.comparators, strict=True):
        right = evaluate(part, scope)
        if known(left) and known(right):
            python = OF_OBJECTS[type(op)] if type(op) in OF_OBJECTS else COMPARISONS[type(op)][0]
            holds = computed(python, (left, right), node, scope.source)
        elif type(op) in COMPARISONS and all(is_number(x) or isinstance(x, Scalar) for x in (left, right)):
            holds = COMPARISONS[type(op)][1](left, right)
        else:
            scope.source.refuse(node, "data is compared with what is no number", "Write ==, !=, <, <=, > or >=.")
        result = both(result, holds)
        if result is False:
            break
        left = right
    return result


def _attribute(base: Any, name: str, node: ast.AST, source: Source) -> Any:
    if not known(base) or is_number(base) or isinstance(base, (str, tuple)):
        source.refuse(node, f".{name} of a number is read", PLAIN)
    try:
        return own(getattr(base, name), node, source)
    except AttributeError as error:
        source.refuse(node, str(error), PLAIN)


def _element(base: Any, index: Any, node: ast.AST, source: Source) -> Any:
    if isinstance(base, tuple) and known(index):
        try:
            return base[index]
        except (IndexError, TypeError) as error:
            source.refuse(node, str(error), "Write an index within the tuple.")
    what = "an index depends on data" if isinstance(base, tuple) else "an element is taken of what is no tuple"
    source.refuse(node, what, "Pass each number as an argument of its own.")


def _call(node: ast.Call, scope: Scope) -> Any:
    if any(isinstance(x, ast.Starred) for x in node.args) or any(k.arg is None for k in node.keywords):
        scope.source.refuse(node, "arguments are unpacked", "Write each argument.")
    f = evaluate(node.func, scope)
    args = [evaluate(x, scope) for x in node.args]
    keywords = {k.arg: evaluate(k.value, scope) for k in node.keywords if k.arg is not None}
    return called(f, args, keywords, node, scope)
