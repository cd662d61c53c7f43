"""Recurrent layers and cells.

An LSTM's initial state is given as one array, whose first axis is the pair (h_0, c_0). Lengths are packed for PyTorch.
"""

from make_nn import case
from make_nn import reference as plain

SIZES = {"input_size": 2, "hidden_size": 3}
BATCH = (3, 2, 2)  # (T, B, input_size)
DEEP = {"num_layers": 2, "bidirectional": True}


def layers(kind, parts, *args, **options):
    """What RNN, LSTM and GRU have in common; `parts` says how a shape of one state becomes that of all."""
    return [
        case(kind, 2, 3, *args, shape=BATCH),
        case(kind, shape=BATCH, inputs=(parts(1, 2, 3),), bias=False, **SIZES),
        case(kind, shape=(2, 3, 2), inputs=(parts(2, 2, 3),), batch_first=True, bidirectional=True, **SIZES),
        case(kind, shape=(2, 2), inputs=(parts(4, 3),), **DEEP, **SIZES),
        case(kind, shape=BATCH, num_layers=3, dropout=0.5, training=False, **SIZES),
        case(kind, shape=BATCH, num_layers=2, dropout=1.0, **SIZES),
        case(kind, shape=(1, 3, 2), inputs=(parts(1, 3, 3),), **SIZES),
        case(kind, 2, 3, shape=(3, 4, 2), inputs=(parts(4, 4, 3),), call={"lengths": [2, 3, 1, 2]}, **DEEP),
        case(kind, 2, 2, shape=(2, 4, 2), call={"lengths": [2, 1]}, batch_first=True, **options),
    ]


def one(*shape):
    return shape


def pair(*shape):
    return (2, *shape)


CASES = [
    *layers("RNN", one),
    case("RNN", shape=BATCH, nonlinearity="relu", **DEEP, **SIZES),
    *layers("LSTM", pair),
    case("LSTM", 2, 4, shape=BATCH, proj_size=2),
    case("LSTM", shape=(2, 3, 2), batch_first=True, proj_size=1, **DEEP, **SIZES),
    case("LSTM", 2, 3, shape=BATCH, call={"lengths": [1, 3]}, bidirectional=True, proj_size=2, bias=False),
    *layers("GRU", one),
    case("RNNCell", 2, 3, shape=(4, 2)),
    case("RNNCell", shape=(4, 2), inputs=((4, 3),), bias=False, nonlinearity="relu", **SIZES),
    case("RNNCell", 2, 3, shape=(2,), inputs=((3,),)),
    case("LSTMCell", 2, 3, shape=(4, 2)),
    case("LSTMCell", shape=(4, 2), inputs=((2, 4, 3),), bias=False, **SIZES),
    case("LSTMCell", 2, 3, shape=(2,), inputs=((2, 3),)),
    case("GRUCell", 2, 3, shape=(4, 2)),
    case("GRUCell", shape=(4, 2), inputs=((4, 3),), bias=False, **SIZES),
    case("GRUCell", 2, 3, shape=(2,), inputs=((3,),)),
]


def reference(c):
    """PyTorch's module, called with a pair of states as one tensor and with lengths."""
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    module = plain(c)
    original = module.forward
    first = c["options"].get("batch_first", False)

    def forward(x, hx=None, lengths=None):
        if c["kind"].startswith("LSTM") and hx is not None:
            hx = (hx[0], hx[1])
        if lengths is None:
            return original(x, hx)
        packed = pack_padded_sequence(x, torch.tensor(lengths), first, enforce_sorted=False)
        y, state = original(packed, hx)
        return pad_packed_sequence(y, first, total_length=x.shape[1 if first else 0])[0], state

    module.forward = forward
    return module
