"""Random numbers from an explicit, counter-based generator, under NumPy's method names.

Every function takes its numbers from a `Generator` (Philox: Salmon et al. 2011, "Parallel random numbers: as easy as
1, 2, 3"). The functions of the module use a default one, which `seed` sets; NumPy's global state is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autograd.batching.level import Batching
from autograd.errors import ArgumentError
from autograd.ops.draw import SEEDS
from autograd.primitive import capture, capturing, training
from autograd.tensor import Operand, Tensor

Shape = int | Sequence[int] | None
generators: WeakSet[Generator] = WeakSet()  # all that are alive


class Generator:
    """A stream of random numbers, the same for the same seed on every machine.

    >>> Generator(0).integers(0, 10, 3).shape
    (3,)
    """

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Generator:
        """Known from its making on, also by a copy: `ag.gradcheck` sets generators back for each run."""
        made = super().__new__(cls)
        generators.add(made)
        return made

    def __init__(self, seed: int | None = None) -> None:
        _once("makes a generator of random numbers")
        self._bits = np.random.Philox(seed)
        self._stream = np.random.Generator(self._bits)
        self._seeded = seed is not None

    @property
    def seeded(self) -> bool:
        """Whether its numbers can be had again: a seed was given, or a state set."""
        return self._seeded

    def _drawn(self, draw: Callable[[np.random.Generator], Tensor]) -> Tensor:
        """Random numbers: under `ag.vmap` for each sample its own, in a program anew in each run."""
        noting = capture() if capturing else None
        if isinstance(noting, Batching):
            return noting.number(lambda: self._drawn(draw))  # type: ignore[no-any-return]
        if noting:
            like = draw(np.random.Generator(np.random.Philox(0))).value  # the stream stays where it is
            return noting.draws(lambda: draw(self._stream).value, like)  # type: ignore[no-any-return]
        return draw(self._stream)

    def random(self, size: Shape = None, dtype: DTypeLike = np.float64) -> Tensor:
        """Uniform in [0, 1)."""
        return self._drawn(lambda n: Tensor(n.random(size, np.dtype(dtype))))  # type: ignore[arg-type]

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Shape = None, dtype: DTypeLike = np.float64) -> Tensor:
        """Uniform in [low, high)."""
        return self._drawn(lambda n: Tensor(n.uniform(low, high, size))).astype(dtype)

    def normal(self, loc: float = 0.0, scale: float = 1.0, size: Shape = None, dtype: DTypeLike = np.float64) -> Tensor:
        """Gaussian with mean `loc` and standard deviation `scale`."""
        return self._drawn(lambda n: Tensor(np.float64(n.normal(loc, scale, size)))).astype(dtype)

    def integers(self, low: int, high: int | None = None, size: Shape = None, dtype: DTypeLike = np.int64) -> Tensor:
        """Whole numbers in [low, high), in [0, low) if only one bound is given."""
        return self._drawn(lambda n: Tensor(np.asarray(n.integers(low, high, size, dtype))))

    def permutation(self, x: int | Operand) -> Tensor:
        """The numbers below x, or the rows of x, in random order."""
        rows = x.numpy() if isinstance(x, Tensor) else x  # which a program takes for granted
        return self._drawn(lambda n: Tensor(n.permutation(rows)))

    def choice(self, a: int | Operand, size: Shape = None, replace: bool = True, p: Any = None) -> Tensor:
        """Elements drawn from `a` (from range(a) for a whole number), with probabilities p, one for each of them.

        >>> import autograd as ag
        >>> Generator(0).choice(3, p=ag.softmax(ag.tensor([0.0, 50.0, 0.0])))
        tensor(1)

        Raises:
            ArgumentError: probabilities that are none, or of another number than the elements.
        """
        elements, shares = [x.numpy() if isinstance(x, Tensor) else x for x in (a, p)]  # a program takes them as given
        return self._drawn(lambda n: Tensor(np.asarray(_chosen(n, elements, size, replace, shares))))

    def bernoulli(self, p: float, size: Shape = None) -> Tensor:
        """True with probability p."""
        if not 0 <= p <= 1:
            raise ArgumentError(f"bernoulli was given p={p}. Expected a probability, 0 to 1.")
        return self._drawn(lambda n: Tensor(np.asarray(n.random(size, np.float32) < np.float32(p))))

    def seed(self) -> int:
        """A seed for `ag.uniform_like`, which draws for each element when it is needed, and again when it is again."""
        if capturing and (noting := capture()):
            return noting.number(self.seed)  # type: ignore[no-any-return]  # drawn anew each time
        return int(self._stream.integers(SEEDS))

    def get_state(self) -> dict[str, Any]:
        """Where the stream stands, as plain numbers that JSON can hold."""
        state: Any = self._bits.state
        return {
            "counter": [int(n) for n in state["state"]["counter"]],
            "key": [int(n) for n in state["state"]["key"]],
            "buffer": [int(n) for n in state["buffer"]],
            "buffer_pos": int(state["buffer_pos"]),
            "has_uint32": int(state["has_uint32"]),
            "uinteger": int(state["uinteger"]),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from where `get_state` was called."""
        _once("seeds a generator, or sets its state")
        self._seeded = True

        def words(name: str) -> NDArray[np.uint64]:
            return np.array(state[name], np.uint64)

        self._bits.state = {
            "bit_generator": "Philox",
            "state": {"counter": words("counter"), "key": words("key")},
            "buffer": words("buffer"),
            "buffer_pos": state["buffer_pos"],
            "has_uint32": state["has_uint32"],
            "uinteger": state["uinteger"],
        }


def _once(what: str) -> None:
    """Refuse what a program would not do again: it goes on with the streams that there are."""
    if capturing and training() is not None:
        capture().refuse(f"it {what}, which its program would not: do that outside of it")


def _chosen(stream: np.random.Generator, a: Any, size: Shape, replace: bool, p: Any) -> Any:
    """NumPy's `choice`, whose errors do not say what to write."""
    try:
        return stream.choice(a, size, replace, p)
    except ValueError as error:
        said = f"choice: {str(error).partition('. ')[0]}."
        if p is None:
            raise ArgumentError(said) from None
        shape = np.shape(p)
        raise ArgumentError(
            f"{said} It was given p of shape {shape}. Expected a probability for each element, with a sum of 1.\n"
            + (
                "For a draw in each row write ag.argmax(ag.cumsum(p, axis=1) > ag.random.random((len(p), 1)), axis=1)."
                if len(shape) == 2
                else "Write p / p.sum(), or ag.softmax(p) if these are logits."
            )
        ) from None


default = Generator()
random = default.random
uniform = default.uniform
normal = default.normal
integers = default.integers
permutation = default.permutation
choice = default.choice
bernoulli = default.bernoulli


def seed(n: int) -> None:
    """Start the default stream anew.

    >>> seed(0)
    >>> first = uniform(size=3)
    >>> seed(0)
    >>> bool((uniform(size=3) == first).all())
    True
    """
    default.set_state(Generator(n).get_state())
