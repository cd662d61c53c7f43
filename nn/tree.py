"""What a module is made of, found by walking its attributes: parameters, buffers and other modules, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numpy.typing import ArrayLike

from autograd import Compiled, Tensor, is_captured
from autograd.errors import ArgumentError, DTypeError
from autograd.tree import standing_for
from nn.parameter import Buffer, Parameter
from nn.state import nearest

if TYPE_CHECKING:
    from nn.module import Module

T = TypeVar("T")


class Tree:
    """The half of `Module` that finds, names and adds parts.

    >>> tree = Tree()
    >>> tree.layer, tree.rest = Tree(), [Parameter([1.0])]
    >>> [name for name, _ in tree.named_modules()], [name for name, _ in tree.named_parameters()]
    (['', 'layer'], ['rest.0'])
    """

    _registered_buffers: Mapping[str, bool] = MappingProxyType({})  # whether each is persistent

    def __tree__(self, like: Tree | None = None) -> tuple[list[Any], Callable[[list[Any]], Any]]:
        """The parameters that train, each once, and what makes such a module of others, as of derivatives by them.

        like: a module whose parameters say which; those of this one need not train.

        >>> import autograd as ag
        >>> tree = Tree()
        >>> tree.rest = [Parameter([1.0, 2.0])]
        >>> ag.grad(lambda tree: ag.sum(tree.rest[0] ** 2))(tree).rest[0].detach()
        tensor([2., 4.], dtype=float32)
        """
        own = dict(self.named_parameters())
        parts = [own[name] for name, p in (self if like is None else like).named_parameters() if p.requires_grad]

        def build(values: list[Any]) -> Any:
            return _made_of(self, dict(zip(map(id, parts), map(_as_parameter, values), strict=True)))

        return list(parts), build

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep the name of a buffer that of a buffer; refuse for a parameter what would no longer be trained.

        Raises:
            DTypeError: saying what to write.
        """
        held = vars(self).get(name)
        if not isinstance(held, Parameter | Buffer) and name not in self._registered_buffers:
            return super().__setattr__(name, value)
        known = value is None or any(_found(name, value)) or is_captured(value)
        if isinstance(held, Parameter) and not known:
            raise DTypeError(_misplaced(self, name, value, "parameter", "no optimizer would find"))
        if isinstance(held, Buffer) or name in self._registered_buffers:
            if not (known or isinstance(value, Tensor)):
                raise DTypeError(_misplaced(self, name, value, "buffer", "would be neither saved nor cast"))
            if isinstance(held, Buffer) and name not in self._registered_buffers:
                self._registered_buffers = {**self._registered_buffers, name: held.persistent}
        super().__setattr__(name, value)

    def _paths(self, name: str = "", above: tuple[Tree, ...] = ()) -> Iterator[tuple[str, Module]]:
        """Every path to a module, parents first; a module that leads back to itself is not entered again."""
        yield name, cast("Module", self)
        for key, part in parts_of(self):
            if isinstance(part, Tree) and part is not self and not any(part is m for m in above):
                yield from part._paths(f"{name}.{key}" if name else key, (*above, self))

    def _named_tensors(self, buffers: bool, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Tensor]]:
        """Every path to a buffer, or to a parameter; the first one to each if `once`."""
        found = (
            (f"{path}.{key}" if path else key, part)
            for path, module in (self._paths(prefix) if recurse else [(prefix, self)])
            for key, part in parts_of(module)
            if isinstance(part, Tensor) and isinstance(part, Buffer) == buffers
        )
        return _once(found) if once else found

    def named_modules(self, *, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module, named by the prefix, and all below it, parents first; each once, or under each of its names."""
        return _once(self._paths(prefix)) if remove_duplicate else self._paths(prefix)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, parents first, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, each once."""
        return _once((key, part) for key, part in parts_of(self) if not isinstance(part, Tensor))

    def children(self) -> Iterator[Module]:
        """The modules directly below, each once."""
        return (child for _, child in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Each parameter under the first name that leads to it, or under each; this module's own if not recurse."""
        return self._named_tensors(False, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each parameter once; only this module's own without `recurse`."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Each buffer under the first name that leads to it, or under each; this module's own if not recurse."""
        return self._named_tensors(True, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each buffer once; only this module's own without `recurse`."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module of a name, as "encoder.0"; this one for "".

        Raises:
            ArgumentError: if there is none, with the nearest names.
        """
        return _named(self, target, dict(self._paths()), "module")

    def get_parameter(self, target: str) -> Tensor:
        """The parameter of a name, as "encoder.0.weight".

        Raises:
            ArgumentError: if there is none, with the nearest names.
        """
        return _named(self, target, dict(self.named_parameters(remove_duplicate=False)), "parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of a name, as "norm.running_mean".

        Raises:
            ArgumentError: if there is none, with the nearest names.
        """
        return _named(self, target, dict(self.named_buffers(remove_duplicate=False)), "buffer")

    # ---- adding by name: the same as assigning to an attribute

    def _add_attribute(self, name: str, value: Any) -> None:
        if not name or "." in name or hasattr(self, name):
            raise ArgumentError(
                f"{type(self).__name__} was given the name {name!r} for an attribute. "
                "Expected a name without dots that is not yet one of its attributes."
            )
        setattr(self, name, value)

    def register_buffer(self, name: str, tensor: Tensor | ArrayLike | None, persistent: bool = True) -> None:
        """self.name = Buffer(tensor, persistent); None for a buffer that may come later.

        The name stays that of a buffer: a Tensor that is assigned to it later, as in `self.mean = 0.9 * self.mean + m`,
        is one too.

        Raises:
            ArgumentError: if the name has a dot, or is one of the module's attributes.
        """
        self._add_attribute(name, None if tensor is None else Buffer(tensor, persistent))
        self._registered_buffers = {**self._registered_buffers, name: persistent}

    def register_parameter(self, name: str, param: Tensor | None) -> None:
        """self.name = param; None for a parameter that this module does without.

        Raises:
            ArgumentError: if the name has a dot, or is one of the module's attributes, or param is no Parameter.
        """
        if param is not None and not isinstance(param, Parameter):
            raise ArgumentError(
                f"register_parameter was given {type(param).__name__} for {name!r}. Write nn.Parameter(...)."
            )
        self._add_attribute(name, param)

    def register_module(self, name: str, module: Module | None) -> None:
        """self.name = module.

        Raises:
            ArgumentError: if the name has a dot, or is one of the module's attributes, or module is no Module.
        """
        if module is not None and not isinstance(module, Tree):
            raise ArgumentError(f"register_module was given {type(module).__name__} for {name!r}. Expected a Module.")
        self._add_attribute(name, module)

    add_module = register_module


def parts_of(module: Tree) -> Iterator[tuple[str, Tensor | Module]]:
    """The parameters, buffers and modules among a module's attributes, lists, tuples and dicts of them included.

    >>> [name for name, _ in parts_of(Tree())]
    []
    """
    for name, value in vars(module).items():
        if name in module._registered_buffers and isinstance(value, Tensor):
            value = vars(module)[name] = _as_buffer(value, module._registered_buffers[name])
        yield from _found(name, value)


def _misplaced(module: Tree, name: str, value: Any, kind: str, fate: str) -> str:
    given = "Tensor that is none" if isinstance(value, Tensor) else type(value).__name__
    return (
        f"{type(module).__name__}.{name} is a {kind}, and was given a {given}, which {fate}.\n"
        f"Write `with ag.no_grad(): layer.{name}.copy_(value)` to change what it holds, or "
        f"layer.{name} = nn.{kind.capitalize()}(value) for another one."
    )


def _as_buffer(t: Tensor, persistent: bool) -> Tensor:
    """A Tensor that was assigned to the name of a buffer, in its place on the tape."""
    if isinstance(t, Parameter | Buffer):
        return t
    buffer = Buffer(t.detach(), persistent)
    return buffer.copy_(t) if t.requires_grad else buffer


def _found(key: str, value: Any) -> Iterator[tuple[str, Tensor | Module]]:
    if isinstance(value, Tensor):
        if isinstance(value, Parameter | Buffer) or (value.requires_grad and value.is_leaf):
            yield key, value
    elif isinstance(value, Tree):
        yield key, cast("Module", value)
    elif isinstance(value, Compiled):
        yield from _found(key, value.function)
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from _found(f"{key}.{k}", v)
    elif isinstance(value, list | tuple):
        for i, v in enumerate(value):
            yield from _found(f"{key}.{i}", v)


def _as_parameter(value: Any) -> Any:
    """A Tensor that stands for a parameter, at its place on the tape."""
    return standing_for(value, Parameter) if isinstance(value, Tensor) else value


def _made_of(part: Any, made: dict[int, Any]) -> Any:
    """A part of a module with what was made in the place of parts of it, by their identity; all else is shared."""
    if id(part) in made:
        return made[id(part)]
    if isinstance(part, Compiled):
        return _made_of(part.function, made)
    if isinstance(part, Tree):
        new = made[id(part)] = object.__new__(type(part))
        vars(new).update({name: _made_of(value, made) for name, value in vars(part).items()})
        return new
    if type(part) is dict:
        return {key: _made_of(value, made) for key, value in part.items()}
    return type(part)([_made_of(x, made) for x in part]) if type(part) in (list, tuple) else part


def is_module(x: object) -> bool:
    """Whether x is a module, or one that is compiled.

    >>> is_module(Tree()), is_module(Compiled(Tree())), is_module(Compiled(len))
    (True, True, False)
    """
    return isinstance(x.function if isinstance(x, Compiled) else x, Tree)


def _once(named: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Each thing under its first name."""
    seen: set[int] = set()
    for name, thing in named:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield name, thing


def _named(module: Tree, target: str, known: Mapping[str, T], kind: str) -> T:
    if target not in known:
        raise ArgumentError(
            f"{type(module).__name__} has no {kind} {target!r}{nearest(target, known)}. "
            f"It has: {', '.join(filter(None, known)) or 'none'}."
        )
    return known[target]
