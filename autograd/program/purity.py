"""Whether a replay of a function equals a call: its source is read for what it uses, changes and calls.

Little is let through. A function may compute with its arguments, with what it makes itself, with constants, and with
Tensors that it closes over; it may call functions of `autograd`, NumPy and `math` that are known to compute and do
nothing else, and functions of the user's own of which the same can be said. What it makes of arrays, the capture sees.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import linecache
from functools import lru_cache, partial, reduce
from operator import or_
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

from autograd.program.fused import Fused
from autograd.program.premises import ABSENT, Premises
from autograd.program.rebinding import held_elsewhere
from autograd.program.scoping import COMPREHENSIONS, bound, counted, counters
from autograd.program.source import Definition, is_empty, source_of
from autograd.program.trusted import (
    ATTRIBUTES,
    REDUCTIONS,
    SCOPES,
    TOLD,
    gives_new,
    is_library,
    is_plain,
    is_trusted,
    refusal,
)
from autograd.tensor import Tensor

LOCAL: Any = object()  # the value of an expression that is made of arguments
_FUTURE = reduce(or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
_DEEP = 40  # functions that call one another
_REFUSED: dict[type[ast.AST], str] = {
    ast.Global: "rebinds a global name",
    ast.Nonlocal: "rebinds a name of the function around it",
    ast.Yield: "is a generator",
    ast.YieldFrom: "is a generator",
    ast.Await: "is asynchronous",
    ast.AsyncFunctionDef: "is asynchronous",
    ast.Try: "catches exceptions, which a capture may raise for reasons of its own",
    ast.Import: "imports",
    ast.ImportFrom: "imports",
    ast.ClassDef: "defines a class",
    ast.Set: "makes a set, which has no order",
    ast.SetComp: "makes a set, which has no order",
}
_LET = (
    *(ast.arguments, ast.arg, ast.Return, ast.For, ast.While, ast.If, ast.Expr, ast.Pass, ast.Break, ast.Continue),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict, ast.Call, ast.Starred, ast.List, ast.Tuple, ast.Slice),
    *(ast.Subscript, ast.Assign, ast.AugAssign, ast.Assert, ast.Raise, ast.Delete, ast.keyword),
    *(ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.expr_context),
)


class Impure(Exception):
    """A function is not known to do the same each time; the message is the reason."""


def premises_of(f: Any) -> Premises:
    """What the program of f takes for granted.

    Raises Impure if a replay of f cannot be shown to equal a call.

    >>> rate = 0.5
    >>> premises_of(lambda x: x * 0.5).broken() is None
    True
    >>> premises_of(lambda x: print(x))
    Traceback (most recent call last):
    autograd.program.purity.Impure: <lambda> calls `print`, of which it is not known that it ... (line 1)
    """
    reader = Reader(Premises())
    reader.admit(f, getattr(f, "__name__", type(f).__name__), None)
    return reader.premises


class Reader:
    """Reads functions, each once."""

    def __init__(self, premises: Premises) -> None:
        self.premises = premises
        self.seen: set[int] = set()
        self.inside: list[tuple[FunctionType, int]] = []

    def refuse(self, what: str, node: ast.AST | None) -> NoReturn:
        """Say why not, and where."""
        if not self.inside:
            raise Impure(f"it {what}")
        f, line = self.inside[-1]
        raise Impure(f"{f.__name__} {what} (line {getattr(node, 'lineno', line)})")

    def admit(self, x: Any, name: str, node: ast.AST | None) -> None:
        """Let a value pass that the function comes to by a name, or refuse."""
        if is_plain(x) or isinstance(x, ModuleType) or is_trusted(x):
            return
        if isinstance(x, Tensor):
            if type(x) is not Tensor and not is_library(type(x).__module__):
                self.refuse(f"reads `{name}`, a {type(x).__name__}, whose operations may be its own", node)
            if x.node is not None:
                self.refuse(f"reads `{name}`, which requires a gradient: the result is recorded for it", node)
            if x.dtype.kind in "iub" and not x.ndim:
                self.refuse(f"reads `{name}`, a whole number in a Tensor: write int({name}) before", node)
            self.premises.tensor(x, name)
        elif isinstance(x, partial) and type(x) is partial:
            for part in (x.func, *x.args, *x.keywords.values()):
                self.admit(part, name, node)
            self.premises.name(x.keywords, "", ABSENT)
            for key, part in x.keywords.items():
                self.premises.name(x.keywords, key, part)
        elif isinstance(x, Fused):
            self.admit(x.composition, name, node)
        elif isinstance(x, FunctionType):
            self._function(x, name, node)
        elif isinstance(x, MethodType):
            kind = type(x.__self__)
            drawing = "random" in kind.__module__
            why = "which draws random numbers" if drawing else f"a method of {kind.__name__}, which may change unseen"
            self.refuse(f"calls `{name}`, {why}", node)
        else:
            self.refuse(refusal(x, name), node)

    def _function(self, f: FunctionType, name: str, node: ast.AST | None) -> None:
        if id(f) in self.seen:
            return
        self.seen.add(id(f))
        scope = f.__globals__
        if is_library(str(scope.get("__name__"))) and scope.get("__file__") == f.__code__.co_filename:
            if not hasattr(f, "__wrapped__"):
                self.refuse(refusal(f, name), node)
            self.admit(f.__wrapped__, name, node)  # of `ag.grad`, say, which does nothing besides
            return
        definition = definition_of(f)
        if definition is None or len(self.inside) > _DEEP:
            self.refuse(
                f"calls `{name}`, whose source is not at hand" if self.inside else "has no source at hand", node
            )
        self.premises.function(f)
        self.inside.append((f, f.__code__.co_firstlineno))
        for k, default in enumerate((*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values())):
            self.admit(default, f"default {k}", definition)
        Body(self, f).function(definition)
        self.inside.pop()


class Body:
    """Reads one function with those that are defined in it."""

    def __init__(self, reader: Reader, f: FunctionType) -> None:
        self.reader, self.f = reader, f
        self.refuse = reader.refuse
        self.scopes: list[set[str]] = []
        self.counting: list[set[str]] = []  # names of whole numbers and constants of a loop
        self.cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))

    def function(self, node: Definition) -> None:
        """Read a definition: not its defaults, which its maker reads."""
        a = node.args
        names = {x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if x is not None}
        body: list[Any] = node.body if isinstance(node.body, list) else [node.body]
        self.scopes.append(names | set(bound(body)))
        self.counting.append(counted(body) - names)
        change = held_elsewhere(body, names, self._is_new)
        if change is not None:
            self.refuse(f"changes `{ast.unparse(change.target)}` in place, which something else may hold", change)
        for part in body:
            self.read(part)
        self.scopes.pop()
        self.counting.pop()

    def read(self, node: ast.AST | None) -> Any:
        """Read a statement or an expression; give what an expression is known to stand for, or LOCAL."""
        if node is None:
            return LOCAL
        kind = type(node)
        own = getattr(self, f"_{kind.__name__.lower()}", None)
        if own is not None:
            return own(node)
        if kind in _REFUSED:
            self.refuse(_REFUSED[kind], node)
        if isinstance(node, COMPREHENSIONS):
            self._comprehension(node)
        elif isinstance(node, _LET):
            for part in ast.iter_child_nodes(node):
                self.read(part)
        else:
            self.refuse(f"has a `{kind.__name__}`, which is not looked into", node)
        return LOCAL

    # ---- names and what they stand for

    def _name(self, node: ast.Name) -> Any:
        if isinstance(node.ctx, ast.Store) or any(node.id in scope for scope in self.scopes):
            return LOCAL
        return self._admitted(self._lookup(node), node.id, node)

    def _lookup(self, node: ast.Name) -> Any:
        name, premises, scope = node.id, self.reader.premises, self.f.__globals__
        if name in self.cells:
            if is_empty(self.cells[name]):
                self.refuse(f"reads `{name}`, which has no value yet", node)
            x = self.cells[name].cell_contents
            premises.cell(self.cells[name], name, x)
        elif name in scope:
            x = scope[name]
            premises.name(scope, name, x)
        elif name in vars(builtins):
            x = vars(builtins)[name]
            premises.name(scope, name, ABSENT)
            premises.name(vars(builtins), name, x)
        else:
            self.refuse(f"reads `{name}`, which has no value yet", node)
        return x

    def _attribute(self, node: ast.Attribute) -> Any:
        if not isinstance(node.ctx, ast.Load):
            self.refuse(f"assigns to `{ast.unparse(node)}`", node)
        owner, text = self._owner(node.value), ast.unparse(node)
        if isinstance(owner, ModuleType):
            if node.attr not in vars(owner):
                self.refuse(f"reads `{text}`, which its module makes when it is asked for", node)
            x = vars(owner)[node.attr]
            self.reader.premises.name(vars(owner), node.attr, x)
            return self._admitted(x, text, node)
        if owner is LOCAL or isinstance(owner, Tensor) or is_plain(owner):
            if node.attr not in ATTRIBUTES:
                self.refuse(f"reads `{text}`, of which it is not known that it computes and does nothing else", node)
            return LOCAL
        if owner is not None and is_trusted(owner):
            self.refuse(f"reads `{text}`, an attribute of a function or class", node)
        self.refuse(f"reads `{text}`, an attribute of a {type(owner).__name__}, which may change unseen", node)

    def _owner(self, node: ast.expr) -> Any:
        """What an attribute is read of: for a name that would be refused by itself, the reason is in the attribute."""
        if isinstance(node, ast.Name) and not any(node.id in scope for scope in self.scopes):
            x = self._lookup(node)
            if isinstance(x, (FunctionType, MethodType)) or refusal_of_owner(x):
                return x
            return self._admitted(x, node.id, node)
        return self.read(node)

    def _admitted(self, x: Any, name: str, node: ast.AST) -> Any:
        self.reader.admit(x, name, node)
        return x

    def _is_new(self, node: ast.Call) -> bool:
        """Whether a call gives an object that is not among its arguments."""
        f = self.read(node.func)
        if f is LOCAL:
            return isinstance(node.func, ast.Attribute) and node.func.attr in REDUCTIONS
        return gives_new(f) or (f is sum and len(node.args) == 1 and not node.keywords)

    # ---- what needs a closer look

    def _functiondef(self, node: ast.FunctionDef) -> Any:
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            self.read(part)
        self.function(node)
        return LOCAL

    def _lambda(self, node: ast.Lambda) -> Any:
        for part in (*node.args.defaults, *node.args.kw_defaults):
            self.read(part)
        self.function(node)
        return LOCAL

    def _comprehension(self, node: Any) -> None:
        targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        self.read(node.generators[0].iter)
        self.scopes.append(targets)
        self.counting.append({name for g in node.generators for name in counters(g.target, g.iter)})
        for k, g in enumerate(node.generators):
            if g.is_async:
                self.refuse("is asynchronous", node)
            for part in (g.target, *([g.iter] if k else ()), *g.ifs):
                self.read(part)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.read(part)
        self.scopes.pop()
        self.counting.pop()

    def _annassign(self, node: ast.AnnAssign) -> Any:
        self.read(node.target)
        return self.read(node.value)

    def _with(self, node: ast.With) -> Any:
        for item in node.items:
            call = item.context_expr
            scope = self.read(call.func) if isinstance(call, ast.Call) and not call.args and not call.keywords else None
            if scope not in SCOPES:
                self.refuse(f"enters `{ast.unparse(call)}`", node)
            self.read(item.optional_vars)
        for part in node.body:
            self.read(part)
        return LOCAL

    def _call(self, node: ast.Call) -> Any:
        f = self.read(node.func)
        for part in (*node.args, *node.keywords):
            self.read(part)
        if any(k.arg == "out" for k in node.keywords):
            self.refuse("writes into an array (out=)", node)
        if f is isinstance:
            kinds = node.args[1] if len(node.args) == 2 else None
            parts = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
            if not all(isinstance(p, ast.Name) and self.read(p) in TOLD for p in parts):
                self.refuse(f"asks `{ast.unparse(node)}`, which a capture answers otherwise", node)
        return LOCAL

    def _binop(self, node: ast.BinOp) -> Any:
        left = self.read(node.left)
        self.read(node.right)
        if isinstance(node.op, ast.Mod) and isinstance(left, (str, bytes)):
            self.refuse("fills in a text with %, which may show a value", node)
        return LOCAL

    def _compare(self, node: ast.Compare) -> Any:
        sides = [node.left, *node.comparators]
        for part in sides:
            self.read(part)
        for op, a, b in zip(node.ops, sides, sides[1:], strict=False):
            if isinstance(op, (ast.Is, ast.IsNot)) and not (_single(a) or _single(b)):
                self.refuse(f"asks `{ast.unparse(node)}`, which a capture answers otherwise", node)
            shown = isinstance(b, (ast.Tuple, ast.List)) and all(isinstance(x, ast.Constant) for x in b.elts)
            if isinstance(op, (ast.In, ast.NotIn)) and not (_text(a) or shown):
                self.refuse(f"asks `{ast.unparse(node)}`, which may be a question about values", node)
        return LOCAL

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _expr(self, node: ast.Expr) -> Any:
        return LOCAL if isinstance(node.value, ast.Constant) else self.read(node.value)

    def _raise(self, node: ast.Raise) -> Any:
        return LOCAL  # a capture ends there; what it says is said by a call

    def _assert(self, node: ast.Assert) -> Any:
        return self.read(node.test)

    def _joinedstr(self, node: ast.JoinedStr) -> Any:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = part.value
                counts = isinstance(value, ast.Name) and any(value.id in names for names in self.counting)
                if not counts and not is_plain(self.read(value)):
                    self.refuse(f"makes a text of `{ast.unparse(value)}`, which may be a value", node)
                self.read(part.format_spec)
        return LOCAL


def refusal_of_owner(x: Any) -> bool:
    """Whether x would not pass as a value, so that its attribute is what to speak of."""
    return not (is_plain(x) or isinstance(x, (Tensor, ModuleType)) or is_trusted(x))


def _single(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, True, False, ...)


def _text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


# ---- the source


def definition_of(f: FunctionType) -> Definition | None:
    """The definition of f, if the file still says what f was compiled from."""
    found = source_of(f)
    if found is None:
        return None
    text = "".join(linecache.getlines(f.__code__.co_filename, f.__globals__))
    return found.node if f.__code__ in _codes(text, f.__code__.co_flags & _FUTURE) else None


@lru_cache(maxsize=16)
def _codes(text: str, flags: int) -> tuple[CodeType, ...]:
    """The code of every function in the text of a file."""
    found = [compile(text, "", "exec", flags, dont_inherit=True)]
    for code in found:
        found += [part for part in code.co_consts if isinstance(part, CodeType)]
    return tuple(found)
