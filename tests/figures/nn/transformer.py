"""Transformers."""

import warnings

from make_nn import case

INF = float("inf")
CAUSAL = [[False, True, True], [False, False, True], [False, False, False]]
NUMBERS = [[0.0, -INF, 0.5], [1.0, 0.0, -INF], [0.0, -1.0, 0.0]]
ACROSS = [[False, True], [False, False], [True, False]]  # of 3 queries to 2 keys of the memory
PADDED = [[False, True, False], [False, False, True]]
SIZES = {"d_model": 4, "nhead": 2, "dim_feedforward": 3, "dropout": 0.0}
X, MEMORY = (3, 2, 4), (2, 2, 4)
KIND = "Transformer"


def layer(kind, **options):
    """A layer as an argument of another module."""
    return {"kind": f"{KIND}{kind}Layer", "options": SIZES | options}


END = {"kind": "LayerNorm", "options": {"normalized_shape": 4}}
COUNTS = {"num_encoder_layers": 1, "num_decoder_layers": 1}
CASES = [
    case(f"{KIND}EncoderLayer", shape=X, **SIZES),
    case(f"{KIND}EncoderLayer", shape=X, call={"src_mask": CAUSAL}, **SIZES, activation="gelu", norm_first=True),
    case(f"{KIND}EncoderLayer", shape=(2, 3, 4), call={"src_key_padding_mask": PADDED}, **SIZES, batch_first=True),
    case(f"{KIND}EncoderLayer", shape=(3, 4), call={"src_mask": NUMBERS}, **SIZES, bias=False, layer_norm_eps=0.1),
    case(f"{KIND}EncoderLayer", shape=X, training=False, **(SIZES | {"dropout": 0.5})),
    case(f"{KIND}DecoderLayer", shape=X, inputs=[MEMORY], **SIZES),
    case(
        f"{KIND}DecoderLayer",
        shape=X,
        inputs=[MEMORY],
        call={"tgt_mask": CAUSAL, "tgt_is_causal": True, "memory_mask": ACROSS, "tgt_key_padding_mask": PADDED},
        **SIZES,
        activation="gelu",
        norm_first=True,
    ),
    case(
        f"{KIND}DecoderLayer",
        shape=(2, 3, 4),
        inputs=[(2, 2, 4)],
        call={"tgt_mask": NUMBERS, "memory_key_padding_mask": [[False, True], [False, False]]},
        **SIZES,
        batch_first=True,
    ),
    case(f"{KIND}DecoderLayer", shape=(3, 4), inputs=[(2, 4)], **SIZES, bias=False, layer_norm_eps=0.1),
    case(f"{KIND}Encoder", shape=X, encoder_layer=layer("Encoder"), num_layers=2, call={"mask": CAUSAL}, order=1),
    case(
        f"{KIND}Encoder",
        shape=X,
        encoder_layer=layer("Encoder", norm_first=True),
        num_layers=1,
        norm=END,
        call={"src_key_padding_mask": PADDED},
    ),
    case(f"{KIND}Decoder", shape=X, inputs=[MEMORY], decoder_layer=layer("Decoder"), num_layers=2, order=1),
    case(
        f"{KIND}Decoder",
        shape=X,
        inputs=[MEMORY],
        decoder_layer=layer("Decoder"),
        num_layers=1,
        norm=END,
        call={"tgt_mask": CAUSAL, "memory_mask": ACROSS},
    ),
    case(KIND, shape=MEMORY, inputs=[X], **COUNTS, **SIZES, call={"tgt_mask": CAUSAL, "memory_mask": ACROSS}, order=1),
    case(
        KIND,
        shape=(2, 3, 4),
        inputs=[(2, 3, 4)],
        **COUNTS,
        **SIZES,
        activation="gelu",
        layer_norm_eps=0.1,
        batch_first=True,
        norm_first=True,
        bias=False,
        call={"src_mask": NUMBERS, "src_key_padding_mask": PADDED, "memory_key_padding_mask": PADDED},
    ),
]


def reference(c):
    """PyTorch's module, its own arguments made first, and its masks given as lists."""
    import torch

    def made(value):
        return getattr(torch.nn, value["kind"])(**value["options"]) if isinstance(value, dict) else value

    def tensor(value):
        mask = torch.tensor(value) if isinstance(value, list) else value
        return mask.double() if isinstance(value, list) and mask.is_floating_point() else mask

    with warnings.catch_warnings(action="ignore", category=UserWarning):  # its advice on nested tensors
        module = getattr(torch.nn, c["kind"])(**{k: made(v) for k, v in c["options"].items()}).double()
    forward, call = module.forward, {k: tensor(v) for k, v in c["call"].items()}
    module.forward = lambda *xs, **_: forward(*xs, **call)
    return module
