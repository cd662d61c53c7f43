"""A learning rate that learns: the gradient of where ten steps of an optimizer end, by the settings of the optimizer.

The update rules of `optim` are pure functions of Tensors. On recorded Tensors ten of their steps are one differentiable
function of the learning rate, so that gradient descent can set it: one more turn of the same sweep.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

import autograd as ag
import optim
from autograd import Tensor

STEPS = 10
RULES = {"sgd": (optim.SGD, {"momentum": 0.5}), "adam": (optim.Adam, {})}
Cost = Callable[[Tensor], Tensor]


def costs() -> tuple[Cost, Cost]:
    """The mean squared error of a linear model on real patients: those it is trained on, and those held out."""
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()

    def mean_squared_error(rows: slice) -> Cost:
        return lambda w: ((x[rows] @ w - y[rows]) ** 2).mean()

    return mean_squared_error(slice(0, 300)), mean_squared_error(slice(300, None))


def after(rule: str, train: Cost, log_lr: Tensor, steps: int = STEPS) -> Tensor:
    """The weights after some steps from zero with the learning rate exp(log_lr), recorded."""
    kind, settings = RULES[rule]
    optimizer = kind([ag.zeros(10).requires_grad_()])  # for its rule; the weights below are values on the tape
    w = ag.zeros(10)
    state = optimizer.init(w)
    slope = ag.grad(train)
    for _ in range(steps):
        w, state = optimizer.update(w, slope(w), state, lr=ag.exp(log_lr), **settings)
    return w


def learn(rule: str, lr: float, rounds: int, *, progress: bool = True) -> list[tuple[float, float]]:
    """The learning rate and the held-out cost after ten steps with it, for each round of learning the learning rate."""
    train, held_out = costs()
    log_lr = ag.tensor(lr).log().requires_grad_()
    outer = optim.Adam([log_lr], lr=0.3)
    found = []
    for k in range(rounds + 1):
        outer.zero_grad()
        cost = held_out(after(rule, train, log_lr))
        found.append((float(ag.exp(log_lr.detach())), cost.item()))
        if progress and k % (rounds // 5 or 1) == 0:
            print(f"round {k:3d}  lr {found[-1][0]:.5f}  held-out cost after {STEPS} steps {found[-1][1]:.4f}")
        cost.backward()
        outer.step()
    return found


def main() -> None:
    """Learn the learning rates of gradient descent with momentum and of Adam, from ones that are far too small."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    for rule, (kind, _) in RULES.items():
        print(f"{kind.__name__}: {kind.formula().splitlines()[-1].strip()}")
        learn(rule, args.lr, args.rounds)
        print()


if __name__ == "__main__":
    main()
