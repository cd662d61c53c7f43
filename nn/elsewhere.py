"""What to write here for names that modules and packages of other libraries have: said by the error for such a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

NN = {
    "Activation": "nn.ReLU(), nn.Tanh()",
    "AlphaDropout": "regularize.AlphaDropout",
    "BatchNormalization": "nn.BatchNorm1d(num_features)",
    "DataParallel": "nothing: there is one device",
    "Dense": "nn.Linear(in_features, out_features)",
    "Dropout": "regularize.Dropout",
    "Dropout1d": "regularize.Dropout1d",
    "Dropout2d": "regularize.Dropout2d",
    "Dropout3d": "regularize.Dropout3d",
    "EarlyStopping": "regularize.EarlyStopping",
    "FeatureAlphaDropout": "regularize.FeatureAlphaDropout",
    "LayerNormalization": "nn.LayerNorm(normalized_shape)",
    "MaxPooling2D": "nn.MaxPool2d(kernel_size)",
    "Model": "nn.Module",
    "UpsamplingBilinear2d": "nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)",
    "UpsamplingNearest2d": "nn.Upsample(scale_factor=2)",
    "utils": "optim.clip_grad_norm_, nn.parametrizations.weight_norm, nn.pad_sequence",
}
FUNCTIONAL = {"upsample": "nn.functional.interpolate"}
DATA = {
    "Dataset": "a class with __len__ and __getitem__, or the arrays themselves: nn.DataLoader(X, y)",
    "Subset": "nn.DataLoader(X[rows], y[rows])",
    "TensorDataset": "nn.DataLoader(X, y)",
    "WeightedRandomSampler": "nn.data.WeightedSampler",
    "random_split": "nn.data.split",
}


def of_package(package: str, names: dict[str, str], name: str) -> NoReturn:
    """Raise the error for a name that a package has not.

    >>> of_package("nn", NN, "Dense")
    Traceback (most recent call last):
        ...
    AttributeError: module 'nn' has no attribute 'Dense'. Write nn.Linear(in_features, out_features)
    """
    hint = f". Write {names[name]}" if name in names else ""
    raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")


class Elsewhere:
    """A name that a class has not: to ask for it is the error of any missing attribute, and says what to write.

    >>> class Model:
    ...     cuda = Elsewhere("model: there is one device")
    >>> hasattr(Model(), "cuda")
    False
    """

    def __init__(self, hint: str) -> None:
        self.hint = hint

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, kind: type) -> NoReturn:
        raise AttributeError(f"{kind.__name__!r} object has no attribute {self.name!r}. Write {self.hint}")


class Habits:
    """Methods of PyTorch's and Keras's models that a module has not."""

    if not TYPE_CHECKING:  # who writes one of these overrides nothing
        compile = Elsewhere("ag.compile(model), or nn.Trainer(model, loss, optimizer), which compiles its steps")
        cpu = Elsewhere("model: there is one device")
        cuda = Elsewhere("model: there is no GPU")
        evaluate = Elsewhere("nn.Trainer(model, loss, optimizer).evaluate((x, y))")
        fit = Elsewhere("nn.Trainer(model, loss, optimizer).fit((x, y), epochs=10)")
        half = Elsewhere("model.to('float16')")
        predict = Elsewhere("model.eval()(x), or nn.Trainer(model, loss, optimizer).predict(x)")
        save = Elsewhere("nn.save(model, path)")
        share_memory = Elsewhere("nn.save(model, path), and load it in each process")
        trainable_weights = Elsewhere("[w for w in model.parameters() if w.requires_grad]")
        type = Elsewhere("model.to(dtype)")
        weights = Elsewhere("list(model.parameters())")
