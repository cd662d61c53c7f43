"""Nested containers of Tensors, taken apart and put together again."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from autograd.errors import ShapeError

Build = Callable[[list[Any]], Any]


def flatten(tree: Any, opened: bool = False) -> tuple[list[Any], Build]:
    """The leaves of nested lists, tuples, dicts and dataclasses in order, and what rebuilds the tree from new ones.

    opened: also those of objects that say by a method `__tree__` what they are made of, as modules do.

    >>> leaves, build = flatten({"a": [1, 2], "b": (3,)})
    >>> leaves, build([x * 10 for x in leaves])
    ([1, 2, 3], {'a': [10, 20], 'b': (30,)})
    """
    if isinstance(tree, dict):
        keys, empty = list(tree), copy.copy(tree)  # and not the tree itself, which would hold its leaves
        empty.clear()  # what is left knows more than its kind, such as the factory of a defaultdict
        return _join(list(tree.values()), lambda parts: _entered(empty, keys, parts), opened)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return _join(list(tree), lambda parts: type(tree)(*parts), opened)
    if isinstance(tree, (list, tuple)):
        return _join(list(tree), type(tree), opened)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        fields = dataclasses.fields(tree)
        return _join([getattr(tree, f.name) for f in fields], lambda parts: _replaced(tree, fields, parts), opened)
    if opened and opens(tree):
        return tree.__tree__()  # type: ignore[no-any-return]
    return [tree], lambda leaves: leaves[0]


def standing_for(t: Any, kind: Any) -> Any:
    """A Tensor as one of another kind: the same value at the same place on the tape."""
    made = kind.__new__(kind)
    made.value, made.node = t.value, t.node
    return made


def opens(x: Any) -> bool:
    """Whether an object says what it is made of: `__tree__()` gives leaves, and what makes such an object of others.

    `__tree__(like)` gives those that stand for the leaves of another one of its kind.

    >>> opens([1, 2])
    False
    """
    return hasattr(type(x), "__tree__")


def _entered(empty: dict[Any, Any], keys: Sequence[Any], values: Sequence[Any]) -> dict[Any, Any]:
    made = copy.copy(empty)
    made.update(zip(keys, values, strict=True))
    return made


def _replaced(tree: Any, fields: Sequence[Any], values: Sequence[Any]) -> Any:
    """A dataclass with other values, those that its constructor does not take included."""
    new = dict(zip((f.name for f in fields), values, strict=True))
    made = dataclasses.replace(tree, **{f.name: new[f.name] for f in fields if f.init})
    for f in fields:
        if not f.init:
            object.__setattr__(made, f.name, new[f.name])
    return made


def flatten_present(tree: Any) -> tuple[list[Any], Build]:
    """`flatten` without the leaves that are None, which stay where they are.

    >>> leaves, build = flatten_present([1, None, {"a": 2}])
    >>> leaves, build([10, 20])
    ([1, 2], [10, None, {'a': 20}])
    """
    leaves, build = flatten(tree, opened=True)
    kept = [k for k, x in enumerate(leaves) if x is not None]
    if len(kept) == len(leaves):
        return leaves, build
    count = len(leaves)

    def rebuild(parts: list[Any]) -> Any:
        new: list[Any] = [None] * count
        for k, part in zip(kept, parts, strict=True):
            new[k] = part
        return build(new)

    return [leaves[k] for k in kept], rebuild


def leaves_beside(tree: Any, like: Any, said: str) -> list[Any]:
    """The leaves of `tree` in the order of those of `like`, whose structure it has; `said` is what it was given as.

    Dicts may list their keys in another order, and a list may stand for a tuple.

    >>> leaves_beside({"b": [1], "a": 2}, {"a": 5.0, "b": (6.0,)}, "")
    [2, 1]
    """
    if like is None and tree is None:
        return []
    if isinstance(like, dict):
        fits = isinstance(tree, dict) and tree.keys() == like.keys()
        pairs = [(tree[k], v) for k, v in like.items()] if fits else []
    elif isinstance(like, (list, tuple)):
        fits = isinstance(tree, (list, tuple)) and len(tree) == len(like)
        pairs = list(zip(tree, like, strict=True)) if fits else []
    elif dataclasses.is_dataclass(like) and not isinstance(like, type):
        fits = type(tree) is type(like)
        pairs = [(getattr(tree, f.name), getattr(like, f.name)) for f in dataclasses.fields(like)] if fits else []
    elif opens(like) and type(tree) is type(like):
        return list(tree.__tree__(like)[0])
    elif opens(like):
        fits, pairs = False, []
    else:
        return [tree]
    if not fits:
        raise ShapeError(f"{said} {_described(tree)}. Expected the structure of {_described(like)}.")
    return [leaf for part, other in pairs for leaf in leaves_beside(part, other, said)]


def _described(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"a dict with {list(tree)}"
    if isinstance(tree, (list, tuple)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return f"a {type(tree).__name__}"


def outline(tree: Any) -> Any:
    """What is left of a tree without its leaves, to be compared with that of another one.

    >>> outline({"a": [1, 2], "b": 3}) == outline({"a": [5, 6], "b": 7}), outline({"a": 1}) == outline({"b": 1})
    (True, False)
    """
    if isinstance(tree, dict):
        return dict, tuple(tree), tuple(map(outline, tree.values()))
    if isinstance(tree, (list, tuple)):
        return type(tree), tuple(map(outline, tree))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return type(tree), tuple(outline(getattr(tree, f.name)) for f in dataclasses.fields(tree))
    return None


def _join(children: list[Any], build: Callable[[list[Any]], Any], opened: bool) -> tuple[list[Any], Build]:
    leaves: list[Any] = []
    makers: list[tuple[int, Callable[[list[Any]], Any]]] = []
    for child in children:
        found, make = flatten(child, opened)
        makers.append((len(found), make))
        leaves += found

    def rebuild(leaves: list[Any]) -> Any:
        parts, at = [], 0
        for count, make in makers:
            parts.append(make(leaves[at : at + count]))
            at += count
        return build(parts)

    return leaves, rebuild
