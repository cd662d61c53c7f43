"""What every optimizer shares: parameter groups, the step, and state that can be saved. No update rule here."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import is_not
from typing import Any, ClassVar, TypeAlias
from weakref import WeakMethod

import numpy as np

import autograd as ag
from autograd import RowSparse, Tensor
from autograd.elsewhere import Hinted
from autograd.errors import ArgumentError, CheckpointError, DifferentiationError, DTypeError, WengertError
from optim import rowwise
from optim.elsewhere import OPTIMIZER
from optim.live import Numbers, weak
from optim.together import State, Together, alike, rule_of

Group: TypeAlias = dict[str, Any]
Parameters: TypeAlias = Iterable[Tensor] | Iterable[Mapping[str, Any]]
_OWN = {"eps_mode", "decoupled_weight_decay"}  # settings that stored groups may lack: ours alone, and Adam's of late


class Optimizer(Hinted, ABC):
    """The interface of the update rules: `init` and `update` are pure, `step` runs them over the parameters.

    A subclass states its rule in its docstring and writes it in `autograd` operations, so that the same text is the
    definition, the training step, and a function that can itself be differentiated (by the learning rate, say).

    Parameters:
        params: Tensors that require a gradient, or dicts {"params": Tensors, "lr": ...} with settings of their own.
        defaults: the settings of the groups that do not say otherwise.

    Attributes:
        param_groups: a list of dicts of settings, with the Tensors under "params". Assign to them to change a setting.
        limits: the half-open range [low, high) of each setting that has one.
        numbers: what `update` keeps as a number, equal for all parameters that step together: the step count.
        rowwise: whether a gradient of zero changes nothing in a row, so that `update` may run on the others alone.
        carried: the names of what moves rows on after their gradient; kept for the rows that ever had one.

    Raises:
        ArgumentError: no parameters, one of them twice, an unknown setting, or one out of its range.
        DTypeError: a parameter that is not a Tensor.
        DifferentiationError: a parameter without requires_grad, or one that an operation made.

    >>> from math import inf
    >>> import autograd as ag
    >>> class HeavyBall(Optimizer):
    ...     limits = {"lr": (0.0, inf), "momentum": (0.0, 1.0)}
    ...     def __init__(self, params, lr=0.1, momentum=0.5):
    ...         super().__init__(params, {"lr": lr, "momentum": momentum})
    ...     def init(self, w):
    ...         return {"buffer": ag.zeros_like(w)}
    ...     def update(self, w, g, state, *, lr, momentum):
    ...         direction = momentum * state["buffer"] + g
    ...         return w - lr * direction, {"buffer": direction}
    >>> w = ag.tensor(2.0, requires_grad=True)
    >>> (w * w).backward()
    >>> HeavyBall([w]).step()
    >>> w
    tensor(1.6, requires_grad=True)
    """

    elsewhere = OPTIMIZER
    limits: ClassVar[Mapping[str, tuple[float, float]]]
    numbers: ClassVar[Mapping[str, type[float]]] = {"step": int}
    rowwise: ClassVar[bool] = False
    carried: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, params: Parameters, defaults: Group) -> None:
        self.defaults = defaults
        self._state: dict[Tensor, State] = {}
        self._together: dict[int, tuple[list[Tensor], list[tuple[list[int], Together]]]] = {}  # by group
        self._foreach = self._made_together()
        self._stable: dict[Any, bool] = {}
        self._by_rows: set[Tensor] = set()  # what the last step had row-sparse gradients of
        self.param_groups: list[Group] = []
        name = type(self).__name__
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise DTypeError(
                f"{name} was given a single {type(params).__name__}. Expected an iterable of Tensors.\n"
                f"Write {name}([w]), or {name}(model.parameters())."
            )
        given: list[Any] = list(params)
        if not given:
            raise ArgumentError(
                f"{name} was given no parameters.\nWrite {name}(model.parameters()); an iterator can be read only once."
            )
        groups = given if all(isinstance(g, Mapping) for g in given) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)

    @abstractmethod
    def init(self, w: Tensor) -> State:
        """What the rule remembers about the parameter w before its first step."""

    @abstractmethod
    def update(self, w: Tensor, g: Tensor, state: State, *args: Any, **settings: Any) -> tuple[Tensor, State]:
        """The new value of the parameter w with gradient g, and the new state: pure and differentiable."""

    @classmethod
    def formula(cls) -> str:
        """The update rule, as the class states it.

        >>> import optim
        >>> print(optim.Adam.formula().splitlines()[0])
        m <- beta1 m + (1 - beta1) g
        """
        lines = (inspect.getdoc(cls) or "").splitlines()
        block = "\n".join(line if line.startswith("    ") or not line else "\0" for line in lines)
        return inspect.cleandoc(next(part for part in block.split("\0") if part.strip()).strip("\n"))

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add {"params": Tensors, setting: value, ...}; a setting that is left out has its default."""
        name, position = type(self).__name__, len(self.param_groups)
        unknown = sorted(group.keys() - self.defaults.keys() - {"params"})
        if unknown or "params" not in group:
            given = f"an unknown setting {unknown[0]!r}" if unknown else "no 'params'"
            raise ArgumentError(f"group {position} of {name} has {given}. Expected params, {', '.join(self.defaults)}.")
        tensors = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        if not tensors:
            raise ArgumentError(f"group {position} of {name} has no parameters. Leave the group out.")
        known = {id(w) for other in self.param_groups for w in other["params"]}
        for k, w in enumerate(tensors):
            _check_parameter(w, f"parameter {k} of {name}" + (f" (group {position})" if position else ""), known)
            known.add(id(w))
        settings = {key: weak(group.get(key, default)) for key, default in self.defaults.items()}
        self._check_limits(settings)
        self.param_groups.append({"params": tensors, **settings})

    def _check_limits(self, settings: Mapping[str, Any], error: type[WengertError] = ArgumentError) -> None:
        for key, usual in inspect.signature(type(self)).parameters.items():
            if isinstance(usual.default, tuple) and key in settings:
                given, wanted = settings[key], len(usual.default)
                if not isinstance(given, (tuple, list)) or len(given) != wanted:
                    name = type(self).__name__
                    raise error(f"{name} was given {key}={given}. Expected {wanted} numbers: {key}={usual.default}.")
        for key, (low, high) in self.limits.items():
            numbers = settings[key] if isinstance(settings[key], (tuple, list)) else (settings[key],)
            if not all(isinstance(x, (int, float)) and low <= x < high for x in numbers):
                given, kind = settings[key], "" if all(isinstance(x, (int, float)) for x in numbers) else "a number, "
                raise error(f"{type(self).__name__} was given {key}={given!r}. Expected {kind}{low} <= {key} < {high}.")
        if settings.get("eps_mode", "inside") not in ("inside", "outside"):
            mode = settings["eps_mode"]
            raise error(
                f"{type(self).__name__} was given eps_mode={mode!r}. Expected 'inside' or 'outside' (the root)."
            )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the parameters: `.grad = None`; or make those that are there zeros, if False."""
        for group in self.param_groups:
            for w in group["params"]:
                w.grad = None if set_to_none or w.grad is None else ag.zeros_like(w)

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Update every parameter that has a gradient.

        Parameters:
            closure: if given, called first: it forgets the old gradients, calls backward and returns the loss.

        Returns:
            The loss of the closure.

        Raises:
            DifferentiationError: if none has.
        """
        loss = None if closure is None else evaluated(closure)
        stepped = False
        with ag.no_grad():
            for k, group in enumerate(self.param_groups):
                params, gradients = _with_gradients(group["params"])
                if not params:
                    continue
                stepped = True
                settings = {key: weak(group[key]) for key in self.defaults}
                if type(gradients) is list and RowSparse in set(map(type, gradients)):
                    params, gradients = self._step_rows(params, gradients, settings)
                if params:
                    self._step(k, params, gradients, settings)
        if not stepped:
            raise DifferentiationError(
                f"{type(self).__name__}.step: none of the parameters has a gradient. Call loss.backward() first,\n"
                "and give the optimizer the very Tensors that the loss was made of."
            )
        return loss

    def _step(self, k: int, params: list[Tensor], gradients: Sequence[Any], settings: dict[str, Any]) -> None:
        """Update parameters of group k: those together whose states look alike, if the rule keeps them so."""
        captured = ag.is_captured(gradients[0])
        if captured and any(w not in self._state for w in params):
            ag.not_yet("an optimizer's first step makes its state", lambda: self.sets(k, params))
        for place, (positions, some) in enumerate(self.sets(k, params)):
            own = gradients if len(positions) == len(params) else [gradients[i] for i in positions]
            if some.stable(self.update, settings, self._stable):
                live = Numbers(self, k, place, params, some, settings) if captured else None
                some.step(self._foreach, own, settings, live)
                continue
            ag.not_yet("an optimizer's next step changes what its state is made of")
            for w, g, state in zip(some.columns[0], own, some.settled(), strict=True):
                new, after = self.update(w, g.detach(), state, **settings)
                self._state[w] = {name: x.detach() if isinstance(x, Tensor) else x for name, x in after.items()}
                w.copy_(new)
            self._together.pop(k, None)  # their states look otherwise now

    def _step_rows(
        self, params: list[Tensor], gradients: list[Any], settings: dict[str, Any]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Update the parameters with row-sparse gradients; the others, and theirs."""
        pairs = list(zip(params, gradients, strict=True))
        some = [(w, g) for w, g in pairs if isinstance(g, RowSparse)]
        for _, g in some:
            rowwise.refuse(type(self).__name__, g, self.rowwise, settings)
        for w, g in some:
            if w not in self._by_rows or w not in self._state:
                self.state.setdefault(w, self.init(w))
                self._by_rows.add(w)
            rowwise.step(self.update, w, g, self._state[w], settings, self.carried)
        rest = [(w, g) for w, g in pairs if not isinstance(g, RowSparse)]
        return [w for w, _ in rest], [g for _, g in rest]

    def _made_together(self) -> ag.Foreach:
        return ag.foreach(rule_of(WeakMethod(self.update)), keyed=True)  # weak: no reference cycle

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, in which Tensors are copied, too: copy or pickle it together with the model."""
        return {**vars(self), "_state": self.state, "_together": {}, "_foreach": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._foreach = self._made_together()

    def sets(self, k: int, params: list[Tensor]) -> list[tuple[list[int], Together]]:
        """The parameters of group k that have gradients, in sets that are updated together."""
        known, sets = self._together.get(k, ([], []))
        if not ag.same_tensors(known, params):
            for _, some in sets:
                some.settled()
            for w in params:
                self._state[w] = _whole(self._state[w]) if w in self._state else self.init(w)
            self._by_rows.difference_update(params)
            _, sets = self._together[k] = list(params), alike(params, self._state)
        return sets

    @property
    def state(self) -> dict[Tensor, State]:
        """What `update` keeps for each parameter, from its first step on; each change counts from the next step on."""
        for _, sets in self._together.values():
            for _, some in sets:
                some.settled()
        self._together.clear()
        return self._state

    def state_dict(self) -> dict[str, Any]:
        """Everything that a later `load_state_dict` needs to go on, in PyTorch's layout, with parameters as numbers.

        >>> import autograd as ag, optim
        >>> optim.SGD([ag.tensor(1.0, requires_grad=True)], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
        """
        numbers = {w: k for k, w in enumerate(self._parameters())}
        return {
            "state": {
                numbers[w]: {key: x.detach() if isinstance(x, Tensor) else x for key, x in _whole(state).items()}
                for w, state in self.state.items()
            },
            "param_groups": [{**group, "params": [numbers[w] for w in group["params"]]} for group in self.param_groups],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called, on parameters of the same shapes in the same order.

        Raises:
            CheckpointError: if it does not match this optimizer, which is then left as it was.
        """
        name = type(self).__name__
        if not {"state", "param_groups"} <= state_dict.keys():
            raise CheckpointError(f"{name}.load_state_dict was given {list(state_dict)}. Expected state, param_groups.")
        sizes = [len(group["params"]) for group in state_dict["param_groups"]]
        mine = [len(group["params"]) for group in self.param_groups]
        if sizes != mine:
            raise CheckpointError(
                f"the stored state of {name} has {sizes} parameters in its groups. Expected {mine}: make the optimizer "
                "as it was when the state was saved."
            )
        groups = []
        for group, stored in zip(self.param_groups, state_dict["param_groups"], strict=True):
            missing = sorted(self.defaults.keys() - stored.keys() - _OWN)
            if missing:
                raise CheckpointError(f"the stored group has no {missing}. Was it saved by another class than {name}?")
            self._check_limits(stored, CheckpointError)
            kept = {key: group[key] for key in _OWN & self.defaults.keys()}
            groups.append({**kept, **{key: weak(x) for key, x in stored.items()}, "params": group["params"]})
        self._together.clear()
        self._state, self.param_groups = self._loaded(state_dict, groups), groups

    def _loaded(self, state_dict: Mapping[str, Any], groups: list[Group]) -> dict[Tensor, State]:
        """The stored states by parameter, each tried in an update whose result is thrown away."""
        numbers = [k for group in state_dict["param_groups"] for k in group["params"]]
        owners = [(w, group) for group in groups for w in group["params"]]
        loaded: dict[Tensor, State] = {}
        for number, (w, group) in zip(numbers, owners, strict=True):
            stored = state_dict["state"].get(number)
            if stored is None:
                continue
            state = {key: self._entry(key, x, w) for key, x in stored.items() if x is not None}
            if not self._goes_on(w, state, {key: group[key] for key in self.defaults}):
                raise CheckpointError(
                    f"the stored state of parameter {number} has shapes {_shapes(state)}, from which "
                    f"{type(self).__name__} cannot go on with a parameter of shape {w.shape} and these settings."
                )
            loaded[w] = state
        return loaded

    def _entry(self, key: str, x: Any, w: Tensor) -> Any:
        """A stored value in the form that `update` keeps it in: PyTorch's numbers are Tensors, ours are not."""
        if key in self.numbers:
            return self.numbers[key](x)
        if isinstance(x, list):
            return [part if part is None else self._entry(key, part, w) for part in x]
        return ag.tensor(x if isinstance(x, Tensor) else np.asarray(x), dtype=w.dtype)

    def _goes_on(self, w: Tensor, state: State, settings: Group) -> bool:
        """Whether an update of w can start from this state, to which other settings may add, or which they may drop."""
        try:
            with ag.no_grad(), np.errstate(all="ignore"):
                new, after = self.update(w, ag.zeros_like(w), dict(state), **settings)
                if state.keys() - after.keys():  # those of a setting that has become zero since
                    active = {key: (type(x) is bool or 0.5) if x in (False, 0) else x for key, x in settings.items()}
                    after = self.update(w, ag.zeros_like(w), dict(state), **active)[1] | after
            found, stored = _shapes(after), _shapes(state)
            return new.shape == w.shape and all(found.get(key) == shape for key, shape in stored.items())
        except (WengertError, KeyError):
            return False

    def _parameters(self) -> list[Tensor]:
        return [w for group in self.param_groups for w in group["params"]]

    def __repr__(self) -> str:
        groups = [
            f"{len(group['params'])} parameters: " + ", ".join(f"{key}={group[key]}" for key in self.defaults)
            for group in self.param_groups
        ]
        return f"{type(self).__name__}({'; '.join(groups)})"


def _whole(state: State) -> State:
    """A state whose row-sparse parts are dense."""
    if not any(isinstance(x, RowSparse) for x in state.values()):
        return state
    return {key: x.to_dense() if isinstance(x, RowSparse) else x for key, x in state.items()}


def _with_gradients(params: list[Tensor]) -> tuple[list[Tensor], Sequence[Any]]:
    gradients = ag.gradients_of(params)
    if type(gradients) is not list or all(map(is_not, gradients, repeat(None))):
        return params, gradients
    live = [(w, g) for w, g in zip(params, gradients, strict=True) if g is not None]
    return [w for w, _ in live], [g for _, g in live]


def _check_parameter(w: Any, where: str, known: set[int]) -> None:
    if not isinstance(w, Tensor):
        raise DTypeError(f"{where} is a {type(w).__name__}. Expected a Tensor: write model.parameters().")
    if w.dtype.kind == "c":
        raise DTypeError(
            f"{where} (shape {w.shape}) is of {w.dtype}, and update rules are written for real numbers.\n"
            "Keep its real and imaginary part as two parameters, and compute with x + 1j * y."
        )
    if not w.requires_grad:
        raise DifferentiationError(
            f"{where} (shape {w.shape}) is a constant. Write w.requires_grad_() first; what is frozen on purpose is "
            "left out: (w for w in model.parameters() if w.requires_grad)."
        )
    if not w.is_leaf:
        raise DifferentiationError(
            f"{where} (shape {w.shape}) was made by an operation: a step would not reach what it was made of.\n"
            "Expected a leaf: give the Tensor that it was made of, or write w.detach().requires_grad_()."
        )
    if id(w) in known:
        raise ArgumentError(f"{where} (shape {w.shape}) was given before. Expected each parameter once.")


def active(setting: Any) -> bool:
    """Whether a setting takes part in the rule: any Tensor does, a number unless it is zero."""
    return not isinstance(setting, (int, float)) or setting != 0


def evaluated(closure: Callable[[], Tensor]) -> Tensor:
    """What the closure returns, recorded."""
    with ag.enable_grad():
        return closure()


def _shapes(state: State) -> dict[str, Any]:
    return {
        key: [ag.asarray(part).shape for part in x if part is not None] if isinstance(x, list) else ag.asarray(x).shape
        for key, x in state.items()
    }
