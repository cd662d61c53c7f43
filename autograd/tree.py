"""Nested containers of Tensors, taken apart and put together again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

Build = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Build]:
    """The leaves of nested lists, tuples, dicts and dataclasses in order, and what rebuilds the tree from new ones.

    >>> leaves, build = flatten({"a": [1, 2], "b": (3,)})
    >>> leaves, build([x * 10 for x in leaves])
    ([1, 2, 3], {'a': [10, 20], 'b': (30,)})
    """
    if isinstance(tree, dict):
        kind, keys = type(tree), list(tree)  # and not the tree itself, which would hold its leaves
        return _join(list(tree.values()), lambda parts: kind(zip(keys, parts, strict=True)))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return _join(list(tree), lambda parts: type(tree)(*parts))
    if isinstance(tree, (list, tuple)):
        return _join(list(tree), type(tree))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree)]
        values = [getattr(tree, n) for n in names]
        return _join(values, lambda parts: dataclasses.replace(tree, **dict(zip(names, parts, strict=True))))
    return [tree], lambda leaves: leaves[0]


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


def _join(children: list[Any], build: Callable[[list[Any]], Any]) -> tuple[list[Any], Build]:
    leaves: list[Any] = []
    makers: list[tuple[int, Callable[[list[Any]], Any]]] = []
    for child in children:
        found, make = flatten(child)
        makers.append((len(found), make))
        leaves += found

    def rebuild(leaves: list[Any]) -> Any:
        parts, at = [], 0
        for count, make in makers:
            parts.append(make(leaves[at : at + count]))
            at += count
        return build(parts)

    return leaves, rebuild
