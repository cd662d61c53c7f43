"""Strict mode: the classic mistakes of training, each with one clear message where it would pass in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError
from nn.activation import Sigmoid
from nn.binary import BCEWithLogitsLoss, binary_cross_entropy_with_logits
from nn.categorical import CrossEntropyLoss, NLLLoss, cross_entropy, nll_loss
from nn.generators import generators_in
from nn.module import Module

_LABELS = (CrossEntropyLoss, NLLLoss, cross_entropy, nll_loss)


class Strict:
    """The checks of strict mode on one model and its optimizer; see `nn.strict`, which uses it.

    Parameters:
        model: a Module; of another callable, only the loss and the generators are checked.
        optimizer: with `step` and `zero_grad`, and `param_groups` to see whose parameters it has.
    """

    def __init__(self, model: Callable[..., Any], optimizer: Any = None) -> None:
        self.model, self.optimizer = model, optimizer
        self.named = dict(model.named_parameters()) if isinstance(model, Module) else {}
        self._active = self._stepped = self._stale = False
        self._squashed: Any = None  # the last output of a Sigmoid

    @contextmanager
    def watching(self, data: Any = None, loss: Any = None) -> Iterator[Strict]:
        """Check whatever happens inside; a second time inside itself it does nothing more."""
        if self._active:
            yield self
            return
        roots = {"model": self.model, "data": data, "loss": loss}
        self._check_owners()
        self._check_seeds(roots)
        with ExitStack() as stack:
            self._active, self._stepped, self._stale = True, False, False
            stack.callback(setattr, self, "_active", False)
            if isinstance(self.model, Module):
                stack.enter_context(self.model.register_forward_pre_hook(self._before_model))
                stack.enter_context(_replaced(self.model, "zero_grad", self._cleared))
                for module in self.model.modules():
                    if isinstance(module, Sigmoid):
                        stack.enter_context(module.register_forward_hook(self._after_sigmoid))
            if isinstance(loss, Module):
                stack.enter_context(loss.register_forward_pre_hook(self._before_loss))
                stack.enter_context(loss.register_forward_hook(self._after_loss))
            if self.optimizer is not None:
                stack.enter_context(_replaced(self.optimizer, "zero_grad", self._cleared))
                stack.enter_context(_replaced(self.optimizer, "step", partial(self._checked_step, roots)))
            yield self

    # ---- before anything runs

    def _check_owners(self) -> None:
        groups = getattr(self.optimizer, "param_groups", None)
        if groups is None:
            return
        owned = {id(w) for group in groups for w in group["params"]}
        lost = [name for name, p in self.named.items() if p.requires_grad and id(p) not in owned]
        if lost:
            raise ArgumentError(
                f"strict: {_names(lost)} of the model belong to no optimizer, and would never change.\n"
                "Make the optimizer of model.parameters(), after the last layer was replaced or cast; or freeze them: "
                "p.requires_grad_(False)."
            )

    def _check_seeds(self, roots: dict[str, Any]) -> None:
        for name, generator in generators_in(default=ag.random.default, **roots).items():
            if not generator.seeded and (generator is not ag.random.default or _drawn(generator)):
                where = "the default stream" if generator is ag.random.default else f"the generator at {name}"
                raise ArgumentError(
                    f"strict: random numbers come from {where}, which has no seed: the run cannot be repeated.\n"
                    "Write ag.random.seed(0) before the model is made, or ag.random.Generator(0)."
                )

    # ---- the model

    def _before_model(self, model: Module, inputs: tuple[Any, ...]) -> None:
        if not ag.is_grad_enabled():
            noisy = [(name, m) for name, m in model.named_modules() if m.training and depends_on_mode(type(m))]
            if noisy:
                name, module = noisy[0]
                raise ArgumentError(
                    f"strict: the model is evaluated in training mode: {name or 'it'} ({type(module).__name__}) is "
                    "another function then.\nWrite model.eval() before and model.train() after; or call model(x) "
                    "outside ag.no_grad() if that is what is meant."
                )
        self._check_dtype("the input of the model", inputs, "x.astype('float32')")

    def _after_sigmoid(self, module: Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._squashed = output

    def _check_dtype(self, what: str, values: Sequence[Any], fix: str) -> None:
        kinds = {p.dtype for p in self.named.values() if p.dtype.kind == "f"}
        if kinds == {np.dtype(np.float32)} and any(getattr(x, "dtype", None) == np.float64 for x in values):
            raise DTypeError(
                f"strict: {what} is float64 and the model float32: all that follows is computed in float64.\n"
                f"Write {fix}, or model.to('float64')."
            )

    # ---- the loss

    def _before_loss(self, loss: Module, inputs: tuple[Any, ...]) -> None:
        self.check_loss(loss, inputs[0], inputs[1:])

    def check_loss(self, loss: Any, prediction: Any, targets: Sequence[Any]) -> None:
        """Look at what a loss is given.

        Raises:
            ArgumentError: probabilities where logits are expected, or numbers that are no log-probabilities.
            ShapeError: (N,) against (N, 1).
            DTypeError: float64 from a float32 model.
        """
        kind = getattr(loss, "func", loss)  # of a partial
        if isinstance(prediction, Tensor):
            _check_scores(kind, prediction, squashed=prediction is self._squashed)
            self._check_dtype("the model's output", [prediction], "Python numbers, not np.float64, in its forward")
        if targets and not _is(kind, _LABELS):
            a, b = np.shape(prediction), np.shape(targets[0])
            if a != b and int(np.prod(a)) == int(np.prod(b)) and len(a) != len(b):
                raise ShapeError(
                    f"strict: the prediction has shape {a} and the target {b}: in a loss of one's own they broadcast "
                    f"to all pairs.\nWrite prediction.reshape({b}), or target.reshape({a})."
                )

    def _after_loss(self, loss: Module, inputs: tuple[Any, ...], output: Any) -> None:
        self.check_value(output, inputs[0], inputs[1:])

    def check_value(self, value: Any, prediction: Any, targets: Sequence[Any]) -> None:
        """Look at what a loss has made of a prediction.

        Raises:
            DTypeError: float64 of float32; but not of targets that are whole numbers, whose loss has no other dtype.
        """
        kinds = [np.dtype(getattr(y, "dtype", float)) for y in targets]
        if getattr(prediction, "dtype", None) == np.float32 and (not kinds or any(k.kind not in "iub" for k in kinds)):
            wide = np.dtype(np.float64) in kinds
            what = "the loss, whose target is float64," if wide else "the loss"
            fix = "y.astype('float32')" if wide else "Python numbers and arrays of float32 in the loss"
            self._check_dtype(what, [value], fix)

    # ---- the optimizer

    def _cleared(self, zero_grad: Callable[..., Any], *args: Any, **settings: Any) -> Any:
        done = zero_grad(*args, **settings)
        full = [name for name, p in self.named.items() if p.grad is not None and bool(ag.any(p.grad != 0))]
        if full and self._stepped:
            raise DifferentiationError(f"strict: zero_grad left the gradient of {_names(full)}. Expected .grad = None.")
        self._stale = False
        return done

    def _checked_step(self, roots: dict[str, Any], step: Callable[..., Any], *args: Any, **settings: Any) -> Any:
        closed = bool(args or settings)  # the closure is what clears the gradients and makes new ones
        if self._stale and not closed and any(p.grad is not None for p in self.named.values()):
            raise DifferentiationError(
                "strict: a second step without zero_grad: its gradients are added to those of the step before.\n"
                "Write optimizer.zero_grad() before loss.backward()."
            )
        if not self._stepped and not closed:
            self._check_gradients()
        done = step(*args, **settings)
        if not self._stepped and closed:
            self._check_gradients()
        self._stale = True
        if not self._stepped:
            self._stepped = True
            self._check_seeds(roots)
        return done

    def _check_gradients(self) -> None:
        empty = [name for name, p in self.named.items() if p.requires_grad and p.grad is None]
        if empty:
            raise DifferentiationError(
                f"strict: {_names(empty)} got no gradient: the loss does not depend on them.\n"
                "Look for a layer that forward does not use, a detach(), .numpy() or no_grad() on the way, a missing "
                "loss.backward(); or freeze them: p.requires_grad_(False)."
            )


@contextmanager
def strict(model: Callable[..., Any], optimizer: Any = None, loss: Any = None) -> Iterator[Strict]:
    """Look for the classic mistakes in a training loop of one's own: an error for each, where it is made.

    They are: no `zero_grad` between two steps; a parameter that gets no gradient, or belongs to no optimizer; softmax
    before a cross-entropy; training mode in evaluation; shapes (N,) against (N, 1); randomness without a seed; float64
    in a float32 model. `nn.Trainer(strict=True)` does the same for its own loop.

    Parameters:
        model: the Module that is trained.
        optimizer: the optimizer of its parameters.
        loss: a Module, of nn or one's own, whose inputs and value are looked at; `nn.Trainer` does so for any function.

    Raises:
        ArgumentError, DifferentiationError, ShapeError, DTypeError: with what to write instead.

    >>> import nn, optim
    >>> ag.random.seed(0)
    >>> model, loss = nn.Linear(1, 1), nn.MSELoss()
    >>> optimizer = optim.SGD(model.parameters())
    >>> x = ag.ones((4, 1), dtype="float32")
    >>> with strict(model, optimizer, loss):
    ...     for _ in range(2):
    ...         loss(model(x), x).backward()
    ...         optimizer.step()
    Traceback (most recent call last):
    autograd.errors.DifferentiationError: strict: a second step without zero_grad: ...
    """
    with Strict(model, optimizer).watching(loss=loss) as checks:
        yield checks


def depends_on_mode(kind: type[Module]) -> bool:
    """Whether the forward of a class of modules, or a method that it calls, reads `training`.

    >>> import nn
    >>> depends_on_mode(nn.BatchNorm1d), depends_on_mode(nn.Linear)
    (True, False)
    """
    codes = {name: getattr(f, "__code__", None) for c in reversed(kind.__mro__) for name, f in vars(c).items()}
    named, waiting = {"forward"}, ["forward"]
    while waiting:  # forward, and the methods that it calls
        code = codes.get(waiting.pop())
        new = set() if code is None else set(code.co_names) - named
        named |= new
        waiting += new
    return "training" in named


def _is(loss: Any, kinds: Sequence[Any]) -> bool:
    classes = tuple(k for k in kinds if isinstance(k, type))
    return loss in kinds if not isinstance(loss, Module) else isinstance(loss, classes)


def _check_scores(loss: Any, prediction: Tensor, squashed: bool) -> None:
    x = prediction.detach()
    if _is(loss, (CrossEntropyLoss, cross_entropy)) and x.ndim and x.shape[min(1, x.ndim - 1)] > 1:
        sums = ag.sum(x, axis=min(1, x.ndim - 1))
        if bool(ag.all(x >= 0)) and bool(ag.all(ag.abs(sums - 1) < 1e-3)):
            raise ArgumentError(
                "strict: cross-entropy was given probabilities: a softmax stands before it, and it takes one itself.\n"
                "Let the model end with its last Linear; take softmax of its output where probabilities are wanted."
            )
    if _is(loss, (NLLLoss, nll_loss)) and bool(ag.any(x > 0)):
        raise ArgumentError(
            "strict: NLLLoss was given positive numbers. Expected log-probabilities: write nn.LogSoftmax."
        )
    if _is(loss, (BCEWithLogitsLoss, binary_cross_entropy_with_logits)) and squashed:
        raise ArgumentError(
            "strict: BCEWithLogitsLoss was given a sigmoid's output, and takes one itself.\n"
            "Let the model end with its last Linear, or use nn.BCELoss."
        )


@contextmanager
def _replaced(owner: Any, name: str, around: Callable[..., Any]) -> Iterator[None]:
    """The method of one object, called through another function for a while."""
    setattr(owner, name, partial(around, getattr(owner, name)))
    try:
        yield
    finally:
        delattr(owner, name)


def _drawn(generator: ag.random.Generator) -> bool:
    """Whether a number was ever taken from a fresh generator."""
    fresh, now = ag.random.Generator(0).get_state(), generator.get_state()
    return any(now[key] != fresh[key] for key in ("counter", "buffer_pos", "has_uint32"))


def _names(names: Sequence[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"parameters {', '.join(names[:3])}{rest}" if len(names) > 1 else f"parameter {names[0]}"
