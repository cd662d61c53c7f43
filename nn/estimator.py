"""scikit-learn's interface: networks that fit and predict in its pipelines and searches."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.callback import Callback
from nn.categorical import CrossEntropyLoss
from nn.container import Sequential
from nn.data import DataLoader
from nn.linear import Linear
from nn.module import Module
from nn.rectifier import ReLU
from nn.regression import MSELoss
from nn.step import Steps
from nn.trainer import Trainer

Array = NDArray[Any]
Build = Callable[[int, int], Module]


class Estimator(ABC):
    """What classifier and regressor share: parameters, fitting, and what scikit-learn asks of an estimator.

    Parameters:
        module: a function of the number of inputs and of outputs that makes the network; None for one of Linear layers
            and ReLUs of these sizes:
        hidden_layer_sizes: units of each hidden layer; a number for one of them.
        optimizer: makes an optimizer of parameters: `optim.Adam`, or `lambda ps: optim.SGD(ps, lr=0.1)`.
        loss: an nn loss; cross-entropy for a classifier, the mean square for a regressor if None.
        epochs: how often the data is read.
        batch_size: rows in a step; None for all of them.
        shuffle: in a new order each epoch.
        dtype: of parameters and data; that of X if None, which is float64 unless X is float32.
        random_state: the seed of initialisation and order, or NumPy's RandomState to take it from; None for another run
            each time.
        callbacks: as for `nn.Trainer`; for several fits, make new ones.
        warm_start: fit on from the last weights.
        compile: run steps as programs where they can be, as `nn.Trainer` does.
        verbose: show progress.

    Attributes:
        module_: the trained network.
        history_: the figures of each epoch.
        n_features_in_: how many inputs there are.
    """

    def __init__(
        self,
        module: Build | None = None,
        *,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        optimizer: Callable[[Iterable[Tensor]], Steps] | None = None,
        loss: Callable[..., Tensor] | None = None,
        epochs: int = 100,
        batch_size: int | None = 200,
        shuffle: bool = True,
        dtype: str | None = None,
        random_state: Any = None,
        callbacks: Sequence[Callback] = (),
        warm_start: bool = False,
        compile: bool = True,
        verbose: bool = False,
    ) -> None:
        self.module = module
        self.hidden_layer_sizes = hidden_layer_sizes
        self.optimizer = optimizer
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.dtype = dtype
        self.random_state = random_state
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.compile = compile
        self.verbose = verbose

    # ---- what scikit-learn asks

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:
        """Change settings; returns itself.

        Raises:
            ArgumentError: a name that is no setting.
        """
        for name, value in params.items():
            if name not in self._names():
                raise ArgumentError(
                    f"Invalid parameter {name!r} for {self!r}. Expected one of {', '.join(self._names())}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        first = inspect.signature(type(self).__init__).parameters
        changed = [f"{k}={v!r}" for k, v in self.get_params().items() if v is not first[k].default]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return "module_" in vars(self)

    @abstractmethod
    def __sklearn_tags__(self) -> Any:
        """What kind of estimator it is, in scikit-learn's words."""

    # ---- fitting

    def _fit(self, X: Any, y: Array, outputs: int, loss: Callable[..., Tensor], weights: Any, held_out: Any) -> None:
        """Train a network with so many outputs; X has been checked."""
        if self.optimizer is None:
            name = type(self).__name__
            raise ArgumentError(f"{name} was given no optimizer. Write nn.{name}(optimizer=optim.Adam).")
        if not callable(self.optimizer):
            raise ArgumentError(
                f"{type(self).__name__} was given optimizer={self.optimizer!r}. Expected a function of the parameters: "
                "optimizer=optim.Adam, or lambda ps: optim.Adam(ps, lr=0.01)."
            )
        if self.module is not None and not _makes_modules(self.module):
            raise ArgumentError(
                f"{type(self).__name__} was given a {type(self.module).__name__} as module. Expected a function of the "
                "numbers of inputs and outputs that makes a new one for each fit: module=lambda inputs, outputs: "
                "nn.Sequential(...). Sizes alone are hidden_layer_sizes=(100,)."
            )
        generator = _stream(self.random_state, type(self).__name__)
        self.dtype_ = np.dtype(self.dtype or (X.dtype if X.dtype.kind == "f" else np.float64))
        if not (self.warm_start and "module_" in vars(self)):
            self.module_ = self._made(X.shape[1], outputs, generator)
        if self.module is not None:
            self._check_outputs(X, outputs)
        trainer = Trainer(
            self.module_,
            loss,
            self.optimizer(self.module_.parameters()),
            weighted=weights is not None,
            compile=self.compile,
            progress=self.verbose,
        )
        y = y.astype(self.dtype_) if y.dtype.kind == "f" else y
        arrays = [X.astype(self.dtype_), y] + ([] if weights is None else [weights])
        if held_out is not None:
            a, b = held_out
            held_out = (np.asarray(a).astype(self.dtype_), b.astype(self.dtype_) if b.dtype.kind == "f" else b)
            held_out += () if weights is None else (np.ones(len(b)),)
        train = DataLoader(*arrays, batch_size=self.batch_size, shuffle=self.shuffle, generator=generator)
        self.history_ = trainer.fit(train, held_out, epochs=self.epochs, callbacks=list(self.callbacks))
        self.n_iter_ = len(self.history_.epochs)

    def _check_outputs(self, X: Array, outputs: int) -> None:
        found = Trainer(self.module_, MSELoss(), _NoSteps(), progress=False).predict(X[:1].astype(self.dtype_)).shape
        if found != (1, outputs):
            raise ArgumentError(
                f"{type(self).__name__} was given a module whose output for one row has shape {found}. Expected "
                f"{(1, outputs)}: module(inputs, outputs) is to use both numbers."
            )

    def _made(self, inputs: int, outputs: int, generator: ag.random.Generator) -> Module:
        if self.module is not None:
            if self.random_state is not None:
                before = ag.random.default.get_state()
                try:
                    ag.random.default.set_state(generator.get_state())
                    return self.module(inputs, outputs).to(self.dtype_)
                finally:
                    ag.random.default.set_state(before)
            return self.module(inputs, outputs).to(self.dtype_)
        hidden = self.hidden_layer_sizes
        sizes = [inputs, *((hidden,) if isinstance(hidden, (int, np.integer)) else hidden), outputs]
        layers: list[Module] = []
        for a, b in pairwise(sizes):
            layers += [Linear(a, b, generator=generator), ReLU()]
        return Sequential(*layers[:-1]).to(self.dtype_)

    def _outputs(self, X: Any) -> Array:
        """What the network makes of X, which is checked first."""
        tools = _tools(type(self).__name__)
        tools.check_is_fitted(self)
        rows = tools.validate_data(self, X, reset=False, dtype="numeric")
        trainer = Trainer(self.module_, MSELoss(), _NoSteps(), progress=False)
        found: Array = trainer.predict(rows.astype(self.dtype_), self.batch_size).numpy()
        return found


class Classifier(Estimator):
    """A network that tells classes apart, as a scikit-learn classifier.

    Parameters, attributes: those of `Estimator`, and `classes_`.
    class_weight: what each class counts, by label, or "balanced".

    Raises:
        ArgumentError: no optimizer.
        ImportError: without scikit-learn: `pip install 'wengert[data]'`.

    >>> import optim
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = Classifier(hidden_layer_sizes=(20,), optimizer=lambda ps: optim.Adam(ps, lr=0.02), random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        module: Build | None = None,
        *,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        optimizer: Callable[[Iterable[Tensor]], Steps] | None = None,
        loss: Callable[..., Tensor] | None = None,
        epochs: int = 100,
        batch_size: int | None = 200,
        shuffle: bool = True,
        dtype: str | None = None,
        random_state: Any = None,
        callbacks: Sequence[Callback] = (),
        warm_start: bool = False,
        compile: bool = True,
        verbose: bool = False,
        class_weight: Mapping[Any, float] | str | None = None,
    ) -> None:
        super().__init__(
            module,
            hidden_layer_sizes=hidden_layer_sizes,
            optimizer=optimizer,
            loss=loss,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            dtype=dtype,
            random_state=random_state,
            callbacks=callbacks,
            warm_start=warm_start,
            compile=compile,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags

        tags = _tags("classifier")
        tags.classifier_tags = ClassifierTags()
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: tuple[Any, Any] | None = None) -> Self:
        """Train on rows X with labels y.

        Parameters:
            X: of shape (N, features).
            y: N labels: numbers or strings.
            sample_weight: what each row counts.
            validation_data: (X, y), evaluated after each epoch: for early stopping and the history.
        """
        tools = _tools("Classifier")
        X, y = tools.validate_data(self, X, y, dtype="numeric")
        tools.check_classification_targets(y)
        if not (self.warm_start and "classes_" in vars(self)):
            self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ArgumentError(f"Classifier can't train when only one class is present: {self.classes_[0]}.")
        codes = self._codes(y, "y", "the first fit, from which warm_start goes on")
        held_out = None
        if validation_data is not None:
            a, b = _pair(validation_data, "Classifier")
            held_out = (a, self._codes(b, "validation_data", "y"))
        if self.class_weight is not None:
            by_class = tools.compute_sample_weight(self.class_weight, y)
            sample_weight = by_class if sample_weight is None else by_class * np.asarray(sample_weight)
        weights = None if sample_weight is None else tools._check_sample_weight(sample_weight, X)
        self._fit(X, codes, len(self.classes_), self.loss or CrossEntropyLoss(), weights, held_out)
        return self

    def _codes(self, labels: Any, given: str, known: str) -> Array:
        """The place of each label among the classes."""
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ArgumentError(
                f"Classifier was given {given} with labels {unknown.tolist()}, which are not among those of {known}: "
                f"{self.classes_.tolist()}."
            )
        codes: Array = np.searchsorted(self.classes_, np.asarray(labels))
        return codes

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (N, classes)."""
        logits = self._outputs(X).astype(np.float64)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Array = shifted / shifted.sum(axis=1, keepdims=True)
        return probabilities

    def predict(self, X: Any) -> Array:
        """The most probable label of each row."""
        places = self._outputs(X).argmax(axis=1)
        labels: Array = self.classes_[places]
        return labels

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy."""
        return float(_tools("Classifier").accuracy_score(y, self.predict(X), sample_weight=sample_weight))


class Regressor(Estimator):
    """A network that predicts numbers, one or several for a row, as a scikit-learn regressor.

    Parameters and attributes are those of `Estimator`.

    Raises:
        ArgumentError: no optimizer.
        ImportError: without scikit-learn: `pip install 'wengert[data]'`.

    >>> import optim
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = Regressor(optimizer=lambda ps: optim.Adam(ps, lr=0.02), random_state=0)
    >>> bool(model.fit(X, abs(X[:, 0])).score(X, abs(X[:, 0])) > 0.95)
    True
    """

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import RegressorTags

        tags = _tags("regressor")
        tags.regressor_tags = RegressorTags()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: tuple[Any, Any] | None = None) -> Self:
        """Train on rows X with targets y, (N,) or (N, outputs); the rest as for `Classifier.fit`."""
        tools = _tools("Regressor")
        X, y = tools.validate_data(self, X, y, dtype="numeric", multi_output=True, y_numeric=True)
        self.n_outputs_ = 0 if y.ndim == 1 else y.shape[1]
        held_out = None
        if validation_data is not None:
            a, b = (np.asarray(part, np.float64) for part in _pair(validation_data, "Regressor"))
            held_out = (a, b.reshape(len(b), -1))
        weights = None if sample_weight is None else tools._check_sample_weight(sample_weight, X)
        targets = y.astype(np.float64).reshape(len(y), -1)
        self._fit(X, targets, targets.shape[1], self.loss or MSELoss(), weights, held_out)
        return self

    def predict(self, X: Any) -> Array:
        """The predicted numbers, in the shape of the targets."""
        found = self._outputs(X).astype(np.float64)
        return found if self.n_outputs_ else found[:, 0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination R^2."""
        return float(_tools("Regressor").r2_score(y, self.predict(X), sample_weight=sample_weight))


def _stream(random_state: Any, who: str) -> ag.random.Generator:
    """The random numbers of one fit."""
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31 - 1)
    if not (random_state is None or isinstance(random_state, Integral)):
        raise ArgumentError(
            f"{who} was given a {type(random_state).__name__} as random_state. Expected a whole number, NumPy's "
            "RandomState, or None."
        )
    return ag.random.Generator(None if random_state is None else int(random_state))


def _pair(validation_data: Any, who: str) -> tuple[Any, Any]:
    if not (isinstance(validation_data, (tuple, list)) and len(validation_data) == 2):
        raise ArgumentError(
            f"{who} was given a {type(validation_data).__name__} as validation_data. Expected rows and targets: "
            "validation_data=(X, y)."
        )
    return validation_data[0], validation_data[1]


def _makes_modules(module: Any) -> bool:
    """Whether it can be called with two numbers; a Module can, but is one already."""
    try:
        inspect.signature(module).bind(1, 1)
    except (TypeError, ValueError):
        return False
    return not isinstance(module, Module)


class _NoSteps:
    """For a trainer that only predicts."""

    def zero_grad(self) -> None:
        """Nothing."""

    def step(self) -> None:
        """Nothing."""


class _tools:
    """What is used of scikit-learn, imported when it is first needed."""

    def __init__(self, who: str) -> None:
        try:
            from sklearn.metrics import accuracy_score, r2_score
            from sklearn.utils.class_weight import compute_sample_weight
            from sklearn.utils.multiclass import check_classification_targets
            from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
        except ImportError as error:
            raise ImportError(
                f"nn.{who} needs scikit-learn 1.6 or later. Write pip install 'wengert[data]'."
            ) from error
        self.accuracy_score, self.r2_score = accuracy_score, r2_score
        self.compute_sample_weight = compute_sample_weight
        self.check_classification_targets = check_classification_targets
        self._check_sample_weight = _check_sample_weight
        self.check_is_fitted, self.validate_data = check_is_fitted, validate_data


def _tags(kind: str) -> Any:
    from sklearn.utils import InputTags, Tags, TargetTags

    return Tags(
        estimator_type=kind, target_tags=TargetTags(required=True), transformer_tags=None, input_tags=InputTags()
    )
