"""How each library does the kinds of work that cases are made of: a function in, a statement to be timed out."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from bench.turns import Statement


class Library(ABC):
    """A library with its threads set, ready to make statements.

    A function that it is given is written in its own terms: for PyTorch and JAX it is made from their module, which a
    process without them never sees.
    """

    needs: str  # the module without which it is absent
    version = ""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.module: Any = importlib.import_module(self.needs)
        self.version = getattr(self.module, "__version__", "")
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Set the number of threads; RuntimeError, with the reason, if it cannot run here."""

    @abstractmethod
    def call(self, f: Any, *arrays: NDArray[Any]) -> Statement:
        """y = f(arrays)."""

    @abstractmethod
    def value_and_gradient(self, f: Any, x: NDArray[Any], *rest: NDArray[Any]) -> Statement:
        """The number f(x, *rest) and its gradient by x."""

    @abstractmethod
    def forward_and_backward(self, f: Any, g: NDArray[Any], *arrays: NDArray[Any]) -> Statement:
        """y = f(arrays), and from its cotangent g the gradients by all arrays."""

    @abstractmethod
    def array(self, y: Any) -> NDArray[Any]:
        """A result as NumPy's array."""

    @abstractmethod
    def forget(self) -> None:
        """Drop what was compiled for a case."""

    def results(self, found: Any) -> list[NDArray[Any]]:
        """What a statement returned, as NumPy's arrays."""
        return [self.array(y) for y in (found if isinstance(found, (tuple, list)) else (found,))]


class Ours(Library):
    """This project."""

    needs = "autograd"

    def prepare(self) -> None:
        ag.set_num_threads(self.threads)

    def array(self, y: Any) -> NDArray[Any]:
        return y.numpy() if isinstance(y, ag.Tensor) else np.asarray(y)

    def forget(self) -> None:
        """Kernels stay: they are few."""

    def call(self, f: Any, *arrays: NDArray[Any]) -> Statement:
        xs = [ag.tensor(a) for a in arrays]
        return lambda: f(*xs)

    def value_and_gradient(self, f: Any, x: NDArray[Any], *rest: NDArray[Any]) -> Statement:
        leaf, others = ag.tensor(x, requires_grad=True), [ag.tensor(a) for a in rest]

        def run() -> Any:
            y = f(leaf, *others)
            return y.detach(), *ag.grad(y, [leaf])

        return run

    def forward_and_backward(self, f: Any, g: NDArray[Any], *arrays: NDArray[Any]) -> Statement:
        leaves = [ag.tensor(a, requires_grad=True) for a in arrays]

        def run() -> Any:
            y = f(*leaves)
            return y.detach(), *ag.grad(y, leaves, g)

        return run


class NumPy(Library):
    """NumPy, with values and gradients written by hand: a function returns all that is asked for."""

    needs = "numpy"

    def prepare(self) -> None:
        """Its threads are set by the environment of the process."""

    def array(self, y: Any) -> NDArray[Any]:
        return np.asarray(y)

    def forget(self) -> None:
        """Nothing is kept."""

    def call(self, f: Any, *arrays: NDArray[Any]) -> Statement:
        return lambda: f(*arrays)

    def value_and_gradient(self, f: Any, x: NDArray[Any], *rest: NDArray[Any]) -> Statement:
        return self.call(f, x, *rest)

    def forward_and_backward(self, f: Any, g: NDArray[Any], *arrays: NDArray[Any]) -> Statement:
        return self.call(f, g, *arrays)


class Torch(Library):
    """PyTorch, in one of its two ways."""

    needs = "torch"

    @abstractmethod
    def function(self, f: Any) -> Callable[..., Any]:
        """The function that is timed."""

    def array(self, y: Any) -> NDArray[Any]:
        return np.asarray(y.detach())

    def call(self, f: Any, *arrays: NDArray[Any]) -> Statement:
        run, xs = self.function(f), [self.module.from_numpy(a.copy()) for a in arrays]
        return lambda: run(*xs)

    def value_and_gradient(self, f: Any, x: NDArray[Any], *rest: NDArray[Any]) -> Statement:
        loss, grad = self.function(f), self.module.autograd.grad
        leaf, *others = (self.module.from_numpy(a.copy()) for a in (x, *rest))
        leaf.requires_grad_()

        def run() -> Any:
            y = loss(leaf, *others)
            return y.detach(), *grad(y, leaf)

        return run

    def forward_and_backward(self, f: Any, g: NDArray[Any], *arrays: NDArray[Any]) -> Statement:
        layer, grad = self.function(f), self.module.autograd.grad
        leaves = [self.module.from_numpy(a.copy()).requires_grad_() for a in arrays]
        cotangent = self.module.from_numpy(g.copy())

        def run() -> Any:
            y = layer(*leaves)
            return y.detach(), *grad(y, leaves, cotangent)

        return run


class Eager(Torch):
    """PyTorch as it comes."""

    def prepare(self) -> None:
        self.module.set_num_threads(self.threads)

    def function(self, f: Any) -> Callable[..., Any]:
        made: Callable[..., Any] = f(self.module)
        return made

    def forget(self) -> None:
        """Nothing is kept."""


class Compiled(Torch):
    """PyTorch with `torch.compile`, which needs a C++ compiler."""

    def prepare(self) -> None:
        self.module.set_num_threads(self.threads)
        try:
            self.function(lambda torch: lambda x: torch.sin(x) + 1)(self.module.ones(8))
        except Exception as error:  # of PyTorch's compiler and whatever it needs here
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise RuntimeError(f"it does not work here: {lines[0] if lines else error!r}") from error

    def function(self, f: Any) -> Callable[..., Any]:
        made: Callable[..., Any] = self.module.compile(f(self.module))
        return made

    def forget(self) -> None:
        self.module.compiler.reset()


class Jax(Library):
    """`jax.jit`; its threads are as many as the process may use cores."""

    needs = "jax"

    def prepare(self) -> None:
        self.module.config.update("jax_platforms", "cpu")

    def waited(self, f: Callable[..., Any], *arguments: Any) -> Statement:
        """Calls return before their results are there: the statement waits."""
        wait = self.module.block_until_ready
        return lambda: wait(f(*arguments))

    def call(self, f: Any, *arrays: NDArray[Any]) -> Statement:
        return self.waited(self.module.jit(f(self.module)), *map(self.module.numpy.asarray, arrays))

    def value_and_gradient(self, f: Any, x: NDArray[Any], *rest: NDArray[Any]) -> Statement:
        jitted = self.module.jit(self.module.value_and_grad(f(self.module)))
        return self.waited(jitted, *map(self.module.numpy.asarray, (x, *rest)))

    def forward_and_backward(self, f: Any, g: NDArray[Any], *arrays: NDArray[Any]) -> Statement:
        layer, vjp = f(self.module), self.module.vjp

        def both(cotangent: Any, *xs: Any) -> Any:
            y, pull = vjp(layer, *xs)
            return y, *pull(cotangent)

        return self.waited(self.module.jit(both), *map(self.module.numpy.asarray, (g, *arrays)))

    def array(self, y: Any) -> NDArray[Any]:
        return np.asarray(y)

    def forget(self) -> None:
        self.module.clear_caches()


LIBRARIES: dict[str, type[Library]] = {
    "ours": Ours,
    "numpy": NumPy,
    "torch": Eager,
    "torch.compile": Compiled,
    "jax": Jax,
}


def missing(library: str) -> str:
    """Why a library is absent, as far as can be seen from here; nothing if it is there."""
    needs = LIBRARIES[library].needs
    return "" if find_spec(needs) is not None else f"{needs} is not installed"
