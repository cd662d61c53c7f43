"""What PyTorch has and we have not: every class, argument and method of `torch.nn`, by introspection.

A class or an argument that is left out stands here with its reason; one that is added must go from here.
"""

import importlib.metadata
import importlib.util
import re
import runpy
from pathlib import Path

import pytest

import nn
import regularize

FIGURE = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "make_module.py"))
SOURCES = ["stored"]
if importlib.util.find_spec("torch") and FIGURE["load"]()["origin"] == f"torch {importlib.metadata.version('torch')}":
    SOURCES.append("live")  # another version has other arguments
ABSENT = {  # classes, by reason
    "devices and threads": "DataParallel SyncBatchNorm",
    "bases without a forward": "Container RNNBase RNNCellBase",
    "obsolete names": "CrossMapLRN2d NLLLoss2d UpsamplingBilinear2d UpsamplingNearest2d",
    "too rare": "AdaptiveLogSoftmaxWithLoss FractionalMaxPool.* LinearCrossEntropyLoss",
}
LEFT_OUT = {  # arguments of every class: there is one device, arrays are values, `reduction` has replaced the others
    *("device", "dtype", "inplace", "size_average", "reduce"),
}
OPTIONS = {  # arguments of some classes
    **{f"AdaptiveMaxPool{n}d": ["return_indices"] for n in (1, 2, 3)},
    **{f"{lazy}{kind}Norm{n}d": ["bias"] for lazy in ("", "Lazy") for kind in ("Batch", "Instance") for n in (1, 2, 3)},
    "GroupNorm": ["bias"],
    "Embedding": ["max_norm", "norm_type", "scale_grad_by_freq", "_weight", "_freeze"],
    "EmbeddingBag": ["max_norm", "norm_type", "scale_grad_by_freq", "_weight"],
    "Hardtanh": ["min_value", "max_value"],
    "Transformer": ["custom_encoder", "custom_decoder"],
    "TransformerEncoder": ["enable_nested_tensor", "mask_check"],
}
METHODS = {  # of Module, by reason
    "one device": "cpu cuda ipu mtia xpu share_memory to_empty",
    "dtypes and types without arithmetic here": "bfloat16 half type",
    "inside of PyTorch": "T_destination call_super_init compile dump_patches register_backward_hook",
    "the state is the parameters and buffers": "get_extra_state set_extra_state register_.*state_dict.*_hook",
    "setattr does it": "set_submodule",
}
DEFAULTS = {  # what stands for PyTorch's default
    ("ModuleList", "modules"): "()",
    ("ParameterList", "values"): "()",
    **{
        (name, "dim"): "<class 'inspect._empty'>" for name in ("LogSoftmax", "Softmax", "Softmin")
    },  # None is deprecated
}


def figures(source, what):
    if source == "live":
        import torch

        return FIGURE[what](torch)
    return FIGURE["load"]()[what]


def left_out(name, reasons):
    return [text for text in " ".join(reasons.values()).split() if re.fullmatch(text, name)]


def ours(name):
    return getattr(nn, name, None) or getattr(regularize, name, None)


@pytest.mark.parametrize("source", SOURCES)
def test_every_class_is_here_or_left_out_for_a_reason(source):
    theirs = figures(source, "signatures")
    assert len(theirs) > 140
    assert [name for name in theirs if (ours(name) is None) != bool(left_out(name, ABSENT))] == []


@pytest.mark.parametrize("source", SOURCES)
def test_arguments_have_pytorchs_names_order_and_defaults(source):
    missing, moved, changed = {}, [], []
    for name, arguments in figures(source, "signatures").items():
        if ours(name) in (None, nn.Module):
            continue
        own = {p.name: repr(p.default) for p in FIGURE["arguments_of"](ours(name))}
        wanted = {key: default for key, default in arguments if key not in LEFT_OUT}
        if absent := [key for key in wanted if key not in own]:
            missing[name] = absent
        shared = [key for key in wanted if key in own]
        moved += [name] if shared != [key for key in own if key in wanted] else []
        different = [key for key in shared if own[key] != wanted[key] and not wanted[key].startswith("<function")]
        changed += [(name, key) for key in different if DEFAULTS.get((name, key)) != own[key]]
    assert missing == OPTIONS
    assert moved == []
    assert changed == []


@pytest.mark.parametrize("source", SOURCES)
def test_every_method_of_modules_is_here_or_left_out_for_a_reason(source):
    names = figures(source, "methods")
    assert len(names) > 50
    assert [name for name in names if hasattr(nn.Module, name) == bool(left_out(name, METHODS))] == []
