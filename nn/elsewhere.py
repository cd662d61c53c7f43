"""What to write here for names and settings of other libraries: said by the error for such a one."""

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
    "utils": "optim.clip_grad_norm_, nn.parametrizations.weight_norm, nn.pad_sequence, nn.parameters_to_vector",
}
FUNCTIONAL = {"upsample": "nn.functional.interpolate"}
DATA = {
    "Dataset": "a class with __len__ and __getitem__, or the arrays themselves: nn.DataLoader(X, y)",
    "Subset": "nn.DataLoader(X[rows], y[rows])",
    "TensorDataset": "nn.DataLoader(X, y)",
    "WeightedRandomSampler": "nn.data.WeightedSampler",
    "random_split": "nn.data.split",
}
LOADER = {
    "batch_sampler": "write batch_size= and sampler=, or give the batches themselves to the trainer: any iterable",
    "collate_fn": "write transform=, which is called with the parts of a batch; samples are stacked",
    "dataset": "the data comes first, without a name: DataLoader(X, y)",
    "in_order": "batches come in order. Leave it out",
    "multiprocessing_context": "write prefetch=2, which uses a thread",
    "num_workers": "write prefetch=2, for a thread that makes batches ahead; arrays need none",
    "persistent_workers": "write prefetch=2, which uses a thread",
    "pin_memory": "there is no GPU. Leave it out",
    "pin_memory_device": "there is no GPU. Leave it out",
    "prefetch_factor": "write prefetch=2",
    "seed": "write generator=ag.random.Generator(seed)",
    "timeout": "batches are made in this process. Leave it out",
    "worker_init_fn": "batches are made in this process. Leave it out",
}
LAYER = {
    "activation": "write the activation behind it: nn.Sequential(nn.Linear(2, 3), nn.ReLU())",
    "filters": "write out_channels",
    "inplace": "operations make new arrays. Leave it out",
    "device": "there is one device. Leave it out",
    "enable_nested_tensor": "arrays are dense. Leave it out",
    "input_dim": "write in_features, or num_embeddings",
    "input_shape": "write in_features or in_channels, or a lazy layer, as nn.LazyLinear",
    "kernel_initializer": "write nn.init.xavier_uniform_(layer.weight) afterwards",
    "kernel_regularizer": "write regularize.L2(0.01, model) as the trainer's penalty",
    "mask_check": "masks are taken as they are. Leave it out",
    "max_norm": "write regularize.MaxNorm(max).apply_(layer.weight) after each step",
    "reduce": "write reduction='mean', 'sum' or 'none'",
    "norm_type": "write regularize.MaxNorm(max).apply_(layer.weight) after each step",
    "return_indices": "nn.MaxPool2d has it, and ag.window_argmax says where the largest elements of windows are",
    "scale_grad_by_freq": "divide the rows of weight.grad by np.bincount(ids) before each step",
    "size_average": "write reduction='mean' or 'sum'",
    "strides": "write stride",
    "units": "write out_features, after in_features",
    "use_bias": "write bias",
}
FIT = {
    "callback": "write callbacks=[...]",
    "class_weight": "write nn.Trainer(model, loss, optimizer, class_weight=...)",
    "initial_epoch": "write trainer.load(path): the history says how far it was",
    "max_epochs": "write epochs",
    "sample_weight": "write nn.Trainer(..., weighted=True), and the weights as the last array: fit((x, y, weights))",
    "shuffle": "arrays are shuffled; for another order write nn.DataLoader(x, y, shuffle=False)",
    "steps_per_epoch": "give fit an iterable of as many batches",
    "val_data": "write validation=(x, y)",
    "validation_batch_size": "write validation=nn.DataLoader(x, y, batch_size=...)",
    "validation_data": "write validation=(x, y)",
    "validation_split": "write nn.data.split, and validation=(x, y)",
    "verbose": "write nn.Trainer(..., progress=False) for silence",
    "workers": "write nn.DataLoader(..., prefetch=2)",
    "x": "write fit((x, y))",
    "y": "write fit((x, y))",
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
