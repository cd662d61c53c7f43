"""The layers that are timed, and a grid of convolutions of all kinds. Inputs are PyTorch's: channels before pixels."""

from __future__ import annotations

from bench.layers.layer import Layer

GRID = 0.769  # times PyTorch's time that convolutions take, as a geometric mean: 1.3 times as fast
SLOWEST = 1.5  # times PyTorch's time that any of them takes
SAME = 1.0


def conv(shape: tuple[int, ...], outputs: int, kernel: int, **settings: int) -> Layer:
    """A convolution: its name says the kernel, what differs from the plain one, and the sizes."""
    batch, channels, height, width = shape
    groups = settings.get("groups", 1)
    words = [f"stride {settings['stride']}"] if "stride" in settings else []
    words += [f"dilation {settings['dilation']}"] if "dilation" in settings else []
    words += ["depthwise" if groups == channels else f"{groups} groups"] if groups > 1 else []
    kind = " ".join([f"{kernel}x{kernel}", *words])
    name = f"Conv2d {kind}, {batch}x{channels}x{height}x{width} to {outputs}"
    return Layer(name, "Conv2d", (channels, outputs, kernel), shape, settings, fuses=False)


CONVOLUTIONS = [
    conv((32, 64, 28, 28), 64, 1),
    conv((16, 256, 14, 14), 64, 1),
    conv((16, 128, 7, 7), 512, 1),
    conv((8, 64, 56, 56), 128, 1, stride=2),
    conv((64, 1, 28, 28), 32, 3, padding=1),
    conv((32, 3, 32, 32), 32, 3, padding=1),
    conv((64, 16, 14, 14), 32, 3, padding=1),
    conv((32, 32, 32, 32), 32, 3, padding=1),
    conv((8, 128, 28, 28), 128, 3, padding=1),
    conv((4, 64, 56, 56), 64, 3, padding=1),
    conv((16, 256, 7, 7), 256, 3, padding=1),
    conv((32, 32, 32, 32), 64, 3, padding=1, stride=2),
    conv((8, 64, 56, 56), 128, 3, padding=1, stride=2),
    conv((7, 13, 17, 19), 23, 3),
    conv((16, 32, 28, 28), 32, 3, padding=2, dilation=2),
    conv((64, 1, 28, 28), 6, 5, padding=2),
    conv((64, 6, 14, 14), 16, 5),
    conv((16, 32, 28, 28), 64, 5, padding=2),
    conv((16, 16, 32, 32), 32, 5, padding=2, stride=2),
    conv((5, 17, 31, 29), 19, 5),
    conv((4, 3, 112, 112), 64, 7, padding=3, stride=2),
    conv((16, 64, 28, 28), 64, 3, padding=1, groups=4),
    conv((16, 64, 28, 28), 64, 3, padding=1, groups=64),
    conv((16, 128, 14, 14), 128, 3, padding=1, stride=2, groups=128),
    conv((8, 32, 56, 56), 32, 5, padding=2, groups=32),
]
OTHERS = [
    Layer("LSTM 32 to 128, batch 32, 50 steps", "LSTM", (32, 128), (50, 32, 32), most=SAME, batch_axis=1),
    Layer(
        "MultiheadAttention 128, 4 heads, batch 16, 64 positions",
        "MultiheadAttention",
        (128, 4),
        (16, 64, 128),
        {"batch_first": True},
        SAME,
        inputs=3,
        call={"need_weights": False},
    ),
    Layer("LayerNorm 128, batch 16, 64 positions", "LayerNorm", (128,), (16, 64, 128), most=SAME),
    Layer("LayerNorm 512, 4096 rows", "LayerNorm", (512,), (4096, 512), most=SAME),
    Layer("BatchNorm2d 32x64x28x28", "BatchNorm2d", (64,), (32, 64, 28, 28)),
    Layer("MaxPool2d 2x2, 64x32x28x28", "MaxPool2d", (2,), (64, 32, 28, 28)),
    Layer("MaxPool2d 3x3 stride 2, 8x64x56x56", "MaxPool2d", (3, 2, 1), (8, 64, 56, 56)),
    Layer("Embedding 10000 to 128, 32x50", "Embedding", (10_000, 128), (32, 50), numbers=10_000),
]
LAYERS = {layer.name: layer for layer in (*CONVOLUTIONS, *OTHERS)}
CASES = {case.name: case for layer in LAYERS.values() for case in layer.cases()}
