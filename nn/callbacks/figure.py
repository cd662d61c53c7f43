"""A figure of an epoch by name, or an error that says which there are."""

from __future__ import annotations

from collections.abc import Mapping

from autograd.errors import ArgumentError


def figure_of(logs: Mapping[str, float], name: str, who: str) -> float:
    """The figure.

    Raises:
        ArgumentError: if the epoch has none of that name.

    >>> figure_of({"loss": 0.5}, "loss", "ModelCheckpoint")
    0.5
    """
    if name not in logs:
        hint = " Give fit a validation set." if name.startswith("val_") else ""
        raise ArgumentError(
            f"{who} monitors {name!r}, which is not in the history. There are: {', '.join(logs)}.{hint}"
        )
    return logs[name]
