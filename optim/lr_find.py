"""Where to put the learning rate: the range test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError
from autograd.random import generators
from optim.optimizer import Optimizer

Batches = Iterable[Any] | Callable[[], Iterable[Any]]


class LRFound(NamedTuple):
    """What `lr_find` has found: the number, and the curve that it was read from."""

    lr: float
    lrs: NDArray[np.float64]
    losses: NDArray[np.float64]


def lr_find(
    model: Callable[..., Any],
    loss: Callable[..., Tensor],
    optimizer: Optimizer,
    batches: Batches,
    *,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 100,
    beta: float = 0.9,
    diverged: float = 4.0,
) -> LRFound:
    """Train for a few steps with a rate that grows from `low` to `high`, and see where the loss falls fastest.

        lr_t = low (high / low)^(t / (steps - 1))

    The loss is smoothed (an exponential mean with `beta`, its bias corrected). The number is the rate at the steepest
    fall of the smoothed loss over log lr. Afterwards parameters, buffers, gradients, the optimizer and all generators
    of `ag.random` are as before.

    Parameters:
        model, loss: as for `nn.Trainer`.
        batches: of (inputs, targets), read again and again: a DataLoader, a list, or a function that gives them.
        low, high: the first and the last learning rate; groups keep their proportions.
        steps: how many rates are tried.
        diverged: the end, once the smoothed loss is this many times the best.

    Returns:
        (lr, lrs, losses): the number, the rates tried, the smoothed loss after each.

    Raises:
        ArgumentError: a range that is none, fewer than 4 steps, arrays for batches, an optimizer with a closure.
        DataError: no batches, or a loss that is never finite.

    Smith, "Cyclical learning rates for training neural networks", 2017, section 3.3.

    >>> import autograd as ag, optim
    >>> w = ag.tensor(4.0, requires_grad=True)
    >>> found = lr_find(lambda x: w * x, lambda p: (p * p).mean(), optim.SGD([w]), [(ag.ones(1),)], low=1e-3)
    >>> 0.01 < found.lr < 1, w.item()
    (True, 4.0)
    """
    _check(optimizer, batches)
    if not 0 < low < high < math.inf or steps < 4:
        raise ArgumentError(
            f"lr_find was given low={low}, high={high}, steps={steps}. Expected 0 < low < high, 4 or more."
        )
    lrs = np.geomspace(low, high, steps)
    losses: list[float] = []
    first = [float(group["lr"]) for group in optimizer.param_groups]
    shares = [lr / first[0] if first[0] else 1.0 for lr in first]
    mean, best = 0.0, math.inf
    with _as_before(model, optimizer):
        for k, (lr, batch) in enumerate(zip(lrs.tolist(), _again_and_again(batches), strict=False), 1):
            for group, share in zip(optimizer.param_groups, shares, strict=True):
                group["lr"] = lr * share
            value = _step(model, loss, optimizer, batch)
            mean = beta * mean + (1 - beta) * value
            smooth = mean / (1 - beta**k)
            if not math.isfinite(smooth) or (k > 3 and smooth > diverged * best):
                break
            best = min(best, smooth)
            losses.append(smooth)
    if len(losses) < 3:
        raise DataError(f"lr_find: the loss is not finite from lr={lrs[len(losses)]:g} on. Try a smaller low.")
    curve = np.array(losses)
    return LRFound(float(lrs[_steepest(curve, steps)]), lrs[: len(curve)], curve)


def _check(optimizer: Optimizer, batches: Any) -> None:
    if getattr(optimizer, "needs_closure", False):
        raise ArgumentError(
            f"lr_find was given a {type(optimizer).__name__}, which looks for the length of its steps by itself. "
            "Expected an optimizer whose step needs no closure."
        )
    if isinstance(batches, tuple) and not any(isinstance(batch, (tuple, list)) for batch in batches):
        raise ArgumentError(
            "lr_find was given a tuple of arrays. Expected batches: write nn.DataLoader(x, y, batch_size=32, "
            "shuffle=True)."
        )


def _steepest(curve: NDArray[np.float64], steps: int) -> int:
    """Where the loss falls fastest, over a twelfth of the curve to either side: single batches differ by chance."""
    width = max(1, len(curve) // 12)
    falls = curve[: -2 * width] - curve[2 * width :]
    settled = min(steps // 10, len(falls) - 1)  # the first means are of a few batches only
    return settled + int(np.argmax(falls[settled:])) + width


def _step(model: Callable[..., Any], loss: Callable[..., Tensor], optimizer: Optimizer, batch: Any) -> float:
    x, *targets = batch if isinstance(batch, (tuple, list)) else (batch,)
    optimizer.zero_grad()
    with np.errstate(over="ignore", invalid="ignore"):  # the test goes on until the loss explodes
        cost = loss(model(*x) if isinstance(x, tuple) else model(x), *targets)
        cost.backward()
        optimizer.step()
    return float(cost.item())


def _again_and_again(batches: Batches) -> Iterator[Any]:
    while True:
        batch = None
        for batch in batches if isinstance(batches, Iterable) else batches():
            yield batch
        if batch is None:
            raise DataError(
                "lr_find found no batch. Expected an iterable that can be read again: a DataLoader, a list, a function "
                "that gives a new generator."
            )


@contextmanager
def _as_before(model: Any, optimizer: Optimizer) -> Iterator[None]:
    """Whatever training changes, put back afterwards. Arrays of Tensors are never written into: no copies."""
    params = [w for group in optimizer.param_groups for w in group["params"]]
    module = model.function if isinstance(model, ag.Compiled) else model
    tensors = [*params, *(module.buffers() if hasattr(module, "buffers") else ())]
    values = [(t, t.detach()) for t in tensors]
    gradients = [(w, w.grad) for w in params]
    before = [(g, g.get_state()) for g in list(generators)]
    state = optimizer.state_dict()
    settings = [dict(group) for group in optimizer.param_groups]
    try:
        yield
    finally:
        with ag.no_grad():
            for t, value in values:
                t.copy_(value)
        for w, g in gradients:
            w.grad = g
        for generator, numbers in before:
            if generator.get_state() != numbers:
                generator.set_state(numbers)
        optimizer.load_state_dict(state)
        for group, own in zip(optimizer.param_groups, settings, strict=True):
            group.clear()
            group.update(own)
