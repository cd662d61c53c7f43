"""L-BFGS: a quasi-Newton method that remembers a few steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DifferentiationError
from optim.line_search import Point, strong_wolfe
from optim.live import weak
from optim.optimizer import Group, Optimizer, Parameters, evaluated
from optim.together import State

CURVED = 1e-10  # y . s from which on a step is remembered


class LBFGS(Optimizer):
    """Newton's method with an inverse Hessian that is made of the last steps and changes of the gradient.

        s = t d,  y = g - g'                    of the last step; remembered, the last history_size of them, if y.s > 0
        d = -H g                                H of all s and y by the two-loop recursion, from (s.y / y.y) I
        w <- w + t d                            t = lr, or by the line search; lr min(1, 1 / |g|_1) at the first step

    All parameters are one vector. A step needs the loss at several places, so it is given a closure, which it calls:

        def closure():
            optimizer.zero_grad()
            loss = ...
            loss.backward()
            return loss

        optimizer.step(closure)

    `nn.Trainer` does so by itself, as with any optimizer whose `needs_closure` is True.

    Parameters:
        params: Tensors.
        lr: the step along the direction, or the first one that the line search tries.
        max_iter: iterations in one `step`.
        max_eval: evaluations of the closure in one `step`; 5/4 max_iter for None.
        tolerance_grad: stop where no gradient is larger.
        tolerance_change: stop where neither the weights nor the loss change more.
        history_size: how many steps are remembered.
        line_search_fn: "strong_wolfe", or None for a fixed step.

    Raises:
        ArgumentError: a setting out of its range, or more than one group of parameters.

    Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.

    >>> import autograd as ag
    >>> w = ag.tensor([1.0, 1.0], requires_grad=True)
    >>> lbfgs = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     lbfgs.zero_grad()
    ...     loss = (w * w * ag.tensor([1.0, 100.0])).sum()
    ...     loss.backward()
    ...     return loss
    >>> lbfgs.step(closure)
    tensor(101., made_by='sum')
    >>> bool(ag.max(ag.abs(w)) < 1e-6)
    True
    """

    limits: ClassVar = {
        "lr": (0, inf),
        "max_iter": (1, inf),
        "max_eval": (1, inf),
        "tolerance_grad": (0, inf),
        "tolerance_change": (0, inf),
        "history_size": (1, inf),
    }
    numbers: ClassVar = {"func_evals": int, "n_iter": int, "prev_loss": float}
    needs_closure: ClassVar = True

    def __init__(
        self,
        params: Parameters,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) > 1:
            raise ArgumentError(
                f"LBFGS was given {len(self.param_groups)} groups. Expected one: its parameters are one vector."
            )
        self.ahead = ag.foreach(_along)
        if line_search_fn not in (None, "strong_wolfe"):
            raise ArgumentError(f"LBFGS was given line_search_fn={line_search_fn!r}. Expected 'strong_wolfe' or None.")

    def init(self, w: Tensor) -> State:
        """Nothing done yet."""
        return {"func_evals": 0, "n_iter": 0}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: Any = 1e-7,
        tolerance_change: Any = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> tuple[Tensor, State]:
        """One iteration with a fixed step; stopping and searching, which want the loss, are those of `step`."""
        flat = ag.reshape(g, (-1,))
        after = _directed(flat, state, history_size)
        t = _first_length(flat, lr) if after["n_iter"] == 1 else lr
        return w + ag.reshape(t * after["d"], w.shape), after | {"t": t, "prev_flat_grad": flat}

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Up to max_iter iterations; returns the loss before them.

        Raises:
            DifferentiationError: without a closure, or if no parameter has a gradient after it.
        """
        if closure is None:
            raise DifferentiationError(
                "LBFGS.step was given no closure. Expected a function that calls zero_grad and backward and returns\n"
                "the loss: write optimizer.step(closure)."
            )
        with ag.no_grad():
            return _Run(self, closure).run()

    def _goes_on(self, w: Tensor, state: State, settings: Group) -> bool:
        size = sum(p.size for p in self.param_groups[0]["params"])
        vectors = [*state.get("old_dirs", []), *state.get("old_stps", [])]
        vectors += [state[name] for name in ("d", "prev_flat_grad") if name in state]
        first = w is self.param_groups[0]["params"][0]
        return first and {"func_evals", "n_iter"} <= state.keys() and all(v.shape == (size,) for v in vectors)


class _Run:
    """One call of `step`: the parameters as one vector, and what is evaluated along lines through it."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Tensor]) -> None:
        group = optimizer.param_groups[0]
        self.closure, self.params, self.ahead = closure, group["params"], optimizer.ahead
        self.settings = {key: weak(group[key]) for key in optimizer.defaults}
        self.states = optimizer.state
        self.evaluations = 0

    def run(self) -> Tensor:
        s, first = self.settings, self.params[0]
        loss = evaluated(self.closure)
        self.evaluations, f, g = 1, loss.item(), self._flat()
        state = {"func_evals": 0, "n_iter": 0} | self.states.get(first, {})
        state.pop("al", None)  # scratch space that PyTorch stores
        if _largest(g) > s["tolerance_grad"]:
            for k in range(s["max_iter"]):
                f, g, state, on = self._iterate(f, g, state, last=k == s["max_iter"] - 1)
                if not on:
                    break
        self.states[first] = state | {"func_evals": state["func_evals"] + self.evaluations}
        return loss

    def _iterate(self, f: float, g: Tensor, state: State, *, last: bool) -> tuple[float, Tensor, State, bool]:
        """Loss and gradient after one iteration, the new state, and whether to go on."""
        s = self.settings
        state = _directed(g, state, s["history_size"])
        d = state["d"]
        t = float(_first_length(g, s["lr"])) if state["n_iter"] == 1 else s["lr"]
        state |= {"t": t, "prev_flat_grad": g, "prev_loss": f}
        here = Point(0, f, g, _dot(g, d).item())
        if here.slope > -s["tolerance_change"]:
            return f, g, state, False
        if s["line_search_fn"]:
            there = self._searched(here, d, t)
            t = state["t"] = there.t
            self._move(d, t)
        else:
            self._move(d, t)
            if last:  # a loss that nobody would read
                return f, g, state, False
            there = self._here(d, t)
        moved = abs(t) * _largest(d) > s["tolerance_change"] and not abs(there.f - f) < s["tolerance_change"]
        steep = _largest(there.g) > s["tolerance_grad"]
        return there.f, there.g, state, moved and steep and self.evaluations < s["max_eval"]

    def _searched(self, here: Point, d: Tensor, t: float) -> Point:
        s, start = self.settings, [w.detach() for w in self.params]

        def evaluate(t: float) -> Point:
            try:
                self._move(d, t)
                return self._here(d, t)
            finally:
                for w, x in zip(self.params, start, strict=True):
                    w.copy_(x)

        limit = s["max_eval"] - self.evaluations
        return strong_wolfe(evaluate, here, t, length=_largest(d), smallest=s["tolerance_change"], limit=limit)

    def _here(self, d: Tensor, t: float) -> Point:
        f = evaluated(self.closure).item()
        self.evaluations += 1
        g = self._flat()
        return Point(t, f, g, _dot(g, d).item())

    def _flat(self) -> Tensor:
        parts = [w.grad for w in self.params]
        if all(g is None for g in parts):
            raise DifferentiationError(
                "LBFGS.step: none of the parameters has a gradient after the closure. Call loss.backward() in it."
            )
        return ag.concat(
            [
                ag.reshape(ag.zeros_like(w) if g is None else g.detach(), (-1,))
                for w, g in zip(self.params, parts, strict=True)
            ]
        )

    def _move(self, d: Tensor, t: float) -> None:
        ends = [0, *accumulate(w.size for w in self.params)]
        parts = [ag.reshape(d[a:b], w.shape) for w, (a, b) in zip(self.params, pairwise(ends), strict=True)]
        self.ahead.update_([self.params], [parts], t)


def _along(w: Tensor, d: Tensor, t: Any) -> Tensor:
    new: Tensor = w + t * d
    return new


@ag.fused
def _dot(a: Tensor, b: Tensor) -> Tensor:
    return ag.sum(a * b)


@ag.fused
def _size(x: Tensor) -> Tensor:
    """The largest element, whatever its sign."""
    return ag.max(ag.abs(x))


@ag.fused
def _ahead(x: Tensor, t: Any, d: Tensor) -> Tensor:
    new: Tensor = x + t * d
    return new


@ag.fused
def _ahead_along(x: Tensor, t: Any, d: Tensor, onto: Tensor) -> tuple[Tensor, Tensor]:
    """X + t d and its product with another vector, in one pass over all of them."""
    new = x + t * d
    return new, ag.sum(onto * new)


@ag.fused
def _change(g: Tensor, before: Tensor, d: Tensor, t: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Y, s, y.s and y.y of a step."""
    y, s = g - before, d * t
    return y, s, ag.sum(y * s), ag.sum(y * y)


def _largest(x: Tensor) -> float:
    return float(_size(x).item())


def _first_length(g: Tensor, lr: Any) -> Any:
    return ag.minimum(1.0, 1.0 / ag.sum(ag.abs(g))) * lr


def _directed(g: Tensor, state: State, history_size: int) -> State:
    """The state with the last step remembered and the direction d = -H g of the next."""
    new = state | {"n_iter": state["n_iter"] + 1}
    if new["n_iter"] == 1:
        return new | {"d": -g, "old_dirs": [], "old_stps": [], "ro": [], "H_diag": ag.ones((), dtype=g.dtype)}
    y, s, ys, yy = _change(g, state["prev_flat_grad"], state["d"], state["t"])
    if ys > CURVED:
        for name, x in (("old_dirs", y), ("old_stps", s), ("ro", 1.0 / ys)):
            new[name] = [*state[name], x][-history_size:]
        new["H_diag"] = ys / yy
    return new | {"d": _two_loops(-g, new)}


def _two_loops(q: Tensor, state: State) -> Tensor:
    """H q by the products with the remembered steps, backwards and forwards (Nocedal 1980)."""
    ys, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
    if not ys:
        scaled: Tensor = q * state["H_diag"]
        return scaled
    shares: list[Any] = [None] * len(ys)
    product = _dot(steps[-1], q)
    for k in reversed(range(len(ys))):
        shares[k] = product * ro[k]
        q, product = _ahead_along(q, -shares[k], ys[k], steps[k - 1] if k else ys[0])
    r: Tensor = q * state["H_diag"]
    product = product * state["H_diag"]
    for k in range(len(ys) - 1):
        r, product = _ahead_along(r, shares[k] - product * ro[k], steps[k], ys[k + 1])
    r = _ahead(r, shares[-1] - product * ro[-1], steps[-1])
    return r
