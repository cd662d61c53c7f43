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
        return _join(list(tree.values()), lambda parts: type(tree)(zip(tree, parts, strict=True)))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return _join(list(tree), lambda parts: type(tree)(*parts))
    if isinstance(tree, (list, tuple)):
        return _join(list(tree), type(tree))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree)]
        values = [getattr(tree, n) for n in names]
        return _join(values, lambda parts: dataclasses.replace(tree, **dict(zip(names, parts, strict=True))))
    return [tree], lambda leaves: leaves[0]


def _join(children: list[Any], build: Callable[[list[Any]], Any]) -> tuple[list[Any], Build]:
    flat = [flatten(child) for child in children]

    def rebuild(leaves: list[Any]) -> Any:
        parts, at = [], 0
        for found, make in flat:
            parts.append(make(leaves[at : at + len(found)]))
            at += len(found)
        return build(parts)

    return [leaf for found, _ in flat for leaf in found], rebuild
