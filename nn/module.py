"""Modules: parts of a model, found by walking their attributes. No metaclass, no registration.

What is stored on a module is what it is made of. An attribute is a parameter if it is a `Parameter` or any other leaf
that requires a gradient, state if it is a `Buffer`, and a child if it is a `Module`; lists, tuples and dicts of these
are walked too, their keys joined by dots. An attribute that is a parameter or a buffer is not made something else by
assigning an array to it: that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from inspect import Signature, signature
from reprlib import recursive_repr
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import autograd as ag
from autograd import GradcheckResult, Tensor
from autograd.elsewhere import refuse_settings
from autograd.errors import ArgumentError, DTypeError
from nn.elsewhere import LAYER, Habits
from nn.gradcheck import gradcheck
from nn.hooks import Hook, Hooks, RemovableHandle
from nn.parameter import Buffer as Buffer
from nn.parameter import Parameter as Parameter
from nn.state import check_state, nearest
from nn.summary import Summary, summarize, watcher
from nn.tree import Tree, parts_of


class Unmatched(NamedTuple):
    """The names that `load_state_dict(strict=False)` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


_OF_ARRAYS = ("dtype", "ndim", "shape", "size", "kind")  # what is asked of an input first


def _no_array(module: Module, x: Any) -> DTypeError:
    """What to say of an input that is neither a Tensor nor an array."""
    kind = type(x)
    given = f"the class {x.__name__}" if isinstance(x, type) else f"a {kind.__name__}"
    if kind.__name__ == "Tensor":
        given = f"a Tensor of {kind.__module__}"
    fix = "x = ag.tensor(x)" if isinstance(x, list | float | int) or hasattr(x, "__array__") else None
    fix = "y, state = layer(x) for layers that give both" if isinstance(x, tuple) else fix
    said = f"{type(module).__name__} was given {given} as input. Expected a Tensor or an array"
    return DTypeError(f"{said}: write {fix}." if fix else f"{said}.")


def _begins(kind: type[Module]) -> bool:
    """Whether a class has an `__init__`."""
    return kind.__init__ is not object.__init__


class Module(Tree, Habits):
    """A part of a model: assign parameters, buffers and other modules to attributes, and write `forward`.

    `super().__init__()` need not be called. What is to be frozen should be a `Parameter`: a plain Tensor that no longer
    requires a gradient is a constant, and no longer found.

    Attributes:
        training: True while training, False after `eval()`; what dropout and normalisation look at.

    >>> import autograd as ag
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Parameter(2.0)
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(ag.tensor([1.0, 3.0], dtype="float32"))
    tensor([2., 6.], dtype=float32, made_by='multiply')
    >>> [name for name, _ in line.named_parameters()]
    ['slope']
    """

    training: bool = True

    __signature__: ClassVar[Signature | None]  # else help would show what `__new__` takes

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        cls.__signature__ = None if _begins(cls) else Signature()

    def __new__(cls, *args: Any, **settings: Any) -> Self:
        """Look at what it is made with."""
        cls._look_at(args, settings)
        return super().__new__(cls)

    @classmethod
    def _look_at(cls, args: tuple[Any, ...], settings: dict[str, Any]) -> None:
        """Say what becomes of settings that PyTorch's layers have and ours have not."""
        if not LAYER.keys().isdisjoint(settings):
            taken = signature(cls.__init__).parameters if _begins(cls) else {}
            if not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
                refuse_settings(cls.__name__, settings, LAYER, taken)
        if (args or settings) and not _begins(cls):
            raise TypeError(f"{cls.__name__}() takes no arguments. Write {cls.__name__}()(x) to call it.")

    _module_hooks: Hooks | None = None

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """Compute the output; every module writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward. Write `def forward(self, x): ...` in it.")

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Call `forward` between the hooks; how a module is used."""
        ag.depends_on(self)
        hooks, watch = self._module_hooks, watcher.get()
        run = self.forward if hooks is None else partial(hooks.run, self)
        try:
            return run(*inputs, **settings) if watch is None else watch(self, run, inputs, settings)
        except AttributeError as error:
            for x in inputs:
                if error.name in _OF_ARRAYS and (x is error.obj or getattr(x, "dtype", None) is error.obj):
                    raise _no_array(self, x) from error
            raise

    # ---- hooks

    def _with_hooks(self) -> Hooks:
        if self._module_hooks is None:
            self._module_hooks = Hooks()
        return self._module_hooks

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call hook(module, args) before `forward`; what it returns, if anything, replaces the arguments.

        With `with_kwargs`, hook(module, args, kwargs) returns None or both. `remove()` of the handle takes it away.
        """
        return self._with_hooks().add(self._with_hooks().before, hook, prepend, with_kwargs)

    def register_forward_hook(self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Call hook(module, args, output) after `forward`; what it returns, if anything, replaces the output.

        With `with_kwargs`, hook(module, args, kwargs, output). `remove()` of the handle takes it away.
        """
        return self._with_hooks().add(self._with_hooks().after, hook, prepend, with_kwargs)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_output) when the gradients of all outputs are known; a tuple replaces them."""
        return self._with_hooks().add(self._with_hooks().outputs, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_input, grad_output) when the gradients of all inputs are known.

        Each is a tuple with a Tensor, or None, for each positional argument and each output; `forward` must return a
        Tensor or a tuple. A returned tuple replaces grad_input. If no input requires a gradient, it is called with
        Nones as soon as grad_output is known; if one does, but the sweep has no need of it, it is not called.
        """
        return self._with_hooks().add(self._with_hooks().inputs, hook, prepend)

    # ---- saving and loading

    def _entries(self) -> dict[str, Tensor]:
        """What `state_dict` gives, but the live parameters and buffers: PyTorch's names and order."""
        found: dict[str, Tensor] = {}
        for path, module in self._paths():
            for buffers in (False, True):
                own = module._named_tensors(buffers, path, recurse=False, once=False)
                found |= {name: t for name, t in own if not isinstance(t, Buffer) or t.persistent}
        return found

    def state_dict(self, *, prefix: str = "") -> dict[str, Tensor]:
        """Every parameter and buffer as it is now, detached, by name: PyTorch's keys and order.

        What is shared is under each of its names; buffers that are not persistent are left out. A snapshot that later
        training does not reach, without a copy: arrays of Tensors are never written into. Every name is put behind
        `prefix`.
        """
        return {prefix + name: t.detach() for name, t in self._entries().items()}

    def load_state_dict(self, state: Mapping[str, Tensor | ArrayLike], strict: bool = True) -> Unmatched:
        """Take over the values in `state`, each cast to the dtype of its parameter or buffer.

        Parameters:
            state: arrays or Tensors by name, as `state_dict` gives them.
            strict: whether names missing from `state`, or unknown to the module, are errors. Shapes always are.

        Returns:
            The names without a partner, which are none if `strict`.

        Raises:
            CheckpointError: listing everything that does not fit; the module is then as it was before.

        >>> source, target = Module(), Module()
        >>> source.gain, target.gain = Parameter([1.0]), Parameter([5.0])
        >>> target.load_state_dict(source.state_dict())
        Unmatched(missing_keys=[], unexpected_keys=[])
        >>> target.gain
        tensor([1.], dtype=float32, requires_grad=True)
        """
        entries = self._entries()
        values = check_state(type(self).__name__, entries, state, strict)
        with ag.no_grad():
            for name, value in values.items():
                entries[name].copy_(value)
        return Unmatched([n for n in entries if n not in state], [n for n in state if n not in entries])

    # ---- changing all of it

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and below; returns itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def to(self, dtype: DTypeLike) -> Self:
        """Cast floating parameters and buffers to `dtype`, dropping their gradients; returns itself.

        Raises:
            DTypeError: if `dtype` is not a real floating one.
        """
        try:
            wanted = np.dtype(dtype)
        except TypeError:
            raise DTypeError(
                f"to() was given {dtype!r}. Expected a dtype: 'float32' or 'float64'. There is one device, the "
                "processor: leave out .to(device)."
            ) from None
        if wanted.kind != "f":
            raise DTypeError(f"to() was given dtype {wanted}. Expected a floating one: 'float32' or 'float64'.")
        for t in (*self.parameters(), *self.buffers()):
            if t.dtype.kind == "f" and t.dtype != wanted:
                t.set_(t.detach().astype(wanted).value)
        return self

    def float(self) -> Self:
        """The same as `to("float32")`."""
        return self.to("float32")

    def double(self) -> Self:
        """The same as `to("float64")`."""
        return self.to("float64")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradient of every parameter: `.grad = None`; or make those that are there zeros, if False."""
        for p in self.parameters():
            p.grad = None if set_to_none or p.grad is None else ag.zeros_like(p)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Train every parameter, or freeze it; returns itself."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def freeze(self, *patterns: str) -> Self:
        """Stop training the parameters that a pattern names; all of them without a pattern. Returns itself.

        A pattern is the name of a parameter, or of a module for all that is in it; `*` stands for anything. Running
        statistics are no parameters: they stand still in a module that is in evaluation mode.

        Raises:
            ArgumentError: if a pattern names nothing, or what is to be frozen is no Parameter.

        >>> import nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).freeze("0", "*.bias")
        >>> [name for name, p in model.named_parameters() if p.requires_grad]
        ['2.weight']
        """
        for name, p in self._matching(patterns):
            if not isinstance(p, Parameter):
                raise ArgumentError(
                    f"freeze was given {name}, a plain Tensor, which {type(self).__name__} would no longer find. "
                    f"Write nn.Parameter(...) where it is made."
                )
        return self._train_only(patterns, False)

    def unfreeze(self, *patterns: str) -> Self:
        """Train the parameters that a pattern names again, as in `freeze`; all of them without a pattern.

        Raises:
            ArgumentError: if a pattern names nothing.
        """
        return self._train_only(patterns, True)

    def _train_only(self, patterns: tuple[str, ...], wanted: bool) -> Self:
        for _, p in self._matching(patterns):
            p.requires_grad_(wanted)
        return self

    def _matching(self, patterns: tuple[str, ...]) -> list[tuple[str, Tensor]]:
        """The parameters that the patterns name, or whose module they name."""
        named = list(self.named_parameters(remove_duplicate=False))
        found = [] if patterns else named
        for pattern in patterns:
            own = [(n, p) for n, p in named if fnmatchcase(n, pattern) or fnmatchcase(n, f"{pattern}.*")]
            if not own:
                known = [*(n for n, _ in named), *(n for n, _ in self._paths())]
                raise ArgumentError(
                    f"{type(self).__name__} has no parameter or module {pattern!r}{nearest(pattern, known)}. "
                    "Expected a name of named_parameters() or named_modules(), or a pattern of them, as '*.bias'."
                )
            found += own
        return found

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` once on every module, children before their parents, in order; returns itself."""
        for module in _children_first(self, set()):
            fn(module)
        return self

    # ---- reading

    def extra_repr(self) -> str:
        """What stands between the parentheses of the `repr`, besides the children."""
        return ""

    @recursive_repr("...")
    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({key}): {part!r}" for key, part in parts_of(self) if isinstance(part, Module)]
        if not children:
            return f"{type(self).__name__}({extra})"
        lines = "\n".join([extra, *children] if extra else children).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {lines}\n)"

    def gradcheck(self, *batch: Any, fast: bool = False, **settings: Any) -> GradcheckResult:
        """The derivatives of `self(*batch)` by every parameter against finite differences: `nn.gradcheck`.

        >>> import nn
        >>> nn.Linear(2, 1).gradcheck(ag.tensor([[1.0, 2.0]]))
        gradcheck passed: 5 derivatives agree
        """
        return gradcheck(self, *batch, fast=fast, **settings)

    def summary(self, *inputs: Any) -> Summary:
        """A table of the layers: kind, output shape, parameters, FLOPs, bytes of the output; and what they add up to.

        FLOPs are those of a module's own operations, its parts' being in their rows, in all its calls: 2 m n k for a
        product of matrices, a convolution included, 1 for each element of anything elementwise or summed, 0 for moving
        data (`ag.costs_of`). What is shared is counted once, in the first row that has it.

        Parameters:
            inputs: what `forward` takes, or a tuple of lengths for zeros of that shape, the batch's axis included. Run
                once, in evaluation mode; the module and the default random stream stay as they are. Without them the
                table has names and parameters only.

        Returns:
            The table: `print` it, or read its `rows`, `parameters`, `trainable`, `flops` and `activations`.

        >>> import nn
        >>> nn.Sequential(nn.Linear(3, 4), nn.ReLU()).summary((1, 3))
        layer  kind        output  parameters  FLOPs  activations
        ---------------------------------------------------------
               Sequential  (1, 4)           0      0        16 B
        0      Linear      (1, 4)          16     28        16 B
        1      ReLU        (1, 4)           0      4        16 B
        ---------------------------------------------------------
        parameters: 16, of which trainable: 16; 64 B
        FLOPs: 32; activations: 32 B, shared ones counted once
        """
        return summarize(self, inputs)


def _children_first(module: Module, seen: set[int]) -> Iterator[Module]:
    """A module after all below it, each once."""
    seen.add(id(module))
    for child in module.children():
        if id(child) not in seen:
            yield from _children_first(child, seen)
    yield module
