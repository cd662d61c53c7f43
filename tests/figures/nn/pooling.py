"""Pooling, upsampling, and what exchanges channels and positions."""

import math

import numpy as np
from make_nn import case, spread

SIGNALS, IMAGES, VOLUMES = (2, 3, 8), (2, 2, 6, 5), (1, 2, 4, 5, 3)
CASES = [
    case("MaxPool1d", 2, shape=SIGNALS),
    case("MaxPool1d", 3, shape=(3, 8), stride=2, padding=1, ceil_mode=True),
    case("MaxPool1d", kernel_size=3, shape=SIGNALS, dilation=2, padding=1),
    case("MaxPool2d", 2, shape=(2, 3, 6, 4)),
    case("MaxPool2d", (2, 3), shape=(2, 3, 5, 7)),
    case("MaxPool2d", 3, shape=IMAGES, stride=(2, 1), padding=1),
    case("MaxPool2d", kernel_size=2, shape=IMAGES, stride=2, padding=(0, 1)),
    case("MaxPool2d", 2, shape=IMAGES, stride=3),
    case("MaxPool2d", 2, shape=IMAGES, ceil_mode=True),
    case("MaxPool2d", (2, 3), shape=(2, 6, 5), stride=(3, 2), dilation=(3, 1), padding=1, ceil_mode=True),
    case("MaxPool2d", 3, shape=(1, 2, 4, 4), stride=5, ceil_mode=True),
    case("MaxPool3d", 2, shape=VOLUMES),
    case("MaxPool3d", (2, 3, 2), shape=(2, 4, 5, 3), stride=2, padding=(1, 1, 0), ceil_mode=True),
    case("MaxPool3d", kernel_size=2, shape=VOLUMES, stride=1, dilation=(3, 2, 1)),
    case("MaxPool1d", 2, shape=SIGNALS, return_indices=True),
    case("MaxPool2d", 2, shape=IMAGES, stride=1, padding=1, return_indices=True),
    case("MaxPool3d", 2, shape=VOLUMES, ceil_mode=True, return_indices=True),
    case("AvgPool1d", 2, shape=SIGNALS),
    case("AvgPool1d", 3, shape=(3, 8), stride=2, padding=1, ceil_mode=True),
    case("AvgPool1d", kernel_size=3, shape=SIGNALS, stride=2, padding=1, count_include_pad=False),
    case("AvgPool2d", 2, shape=(2, 3, 6, 4)),
    case("AvgPool2d", (2, 3), shape=(2, 3, 5, 7)),
    case("AvgPool2d", 3, shape=IMAGES, stride=(2, 1), padding=1),
    case("AvgPool2d", kernel_size=2, shape=IMAGES, stride=2, padding=(0, 1)),
    case("AvgPool2d", (3, 2), shape=IMAGES, stride=2, padding=1, ceil_mode=True),
    case("AvgPool2d", (3, 2), shape=IMAGES, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    case("AvgPool2d", 2, shape=(2, 6, 5), stride=3, padding=1, divisor_override=3),
    case("AvgPool2d", 4, shape=(1, 2, 6, 6), stride=3, ceil_mode=True),
    case("AvgPool3d", 2, shape=VOLUMES),
    case("AvgPool3d", (2, 3, 2), shape=(2, 4, 5, 3), stride=2, padding=(1, 1, 0), ceil_mode=True),
    case("AvgPool3d", kernel_size=2, shape=VOLUMES, padding=1, count_include_pad=False),
    case("AvgPool3d", 2, shape=VOLUMES, divisor_override=5),
    case("LPPool1d", 2, 3, shape=SIGNALS),
    case("LPPool1d", norm_type=4.0, kernel_size=3, shape=(3, 8), stride=2, ceil_mode=True),
    case("LPPool2d", 2, (2, 3), shape=IMAGES, stride=(2, 1)),
    case("LPPool2d", norm_type=4, kernel_size=2, shape=(2, 6, 5), ceil_mode=True),
    case("LPPool2d", 1, 2, shape=IMAGES),
    case("LPPool3d", 2, (2, 2, 1), shape=VOLUMES, stride=(1, 2, 1)),
    case("LPPool3d", norm_type=4, kernel_size=2, shape=(2, 4, 5, 3), ceil_mode=True),
    case("MaxUnpool1d", 2, shape=(2, 3, 4)),
    case("MaxUnpool1d", kernel_size=3, stride=2, padding=1, shape=(3, 4), call={"output_size": [8]}),
    case("MaxUnpool2d", (2, 1), shape=(2, 3, 2, 5)),
    case("MaxUnpool2d", kernel_size=3, stride=(2, 1), padding=1, shape=(3, 2, 4)),
    case("MaxUnpool2d", 2, shape=(2, 3, 2, 2), call={"output_size": [2, 3, 5, 4]}),
    case("MaxUnpool3d", 2, shape=(1, 2, 2, 1, 2)),
    case("MaxUnpool3d", kernel_size=3, stride=2, padding=1, shape=(2, 2, 3, 2)),
    *(
        case(kind, 3, shape=shape)
        for kind in ("AdaptiveAvgPool1d", "AdaptiveMaxPool1d")
        for shape in (SIGNALS, (3, 6), (2, 3, 2))
    ),
    case("AdaptiveAvgPool1d", output_size=[4], shape=SIGNALS),
    case("AdaptiveMaxPool1d", output_size=[5], shape=SIGNALS),
    *(
        case(kind, size, shape=IMAGES)
        for kind in ("AdaptiveAvgPool2d", "AdaptiveMaxPool2d")
        for size in (1, (3, 5), (4, 3), (None, 2))
    ),
    case("AdaptiveAvgPool2d", output_size=(2, 7), shape=(2, 6, 5)),
    case("AdaptiveMaxPool2d", output_size=(2, 7), shape=(2, 6, 5)),
    case("AdaptiveAvgPool3d", 1, shape=VOLUMES),
    case("AdaptiveAvgPool3d", output_size=(3, None, 2), shape=(2, 4, 5, 3)),
    case("AdaptiveMaxPool3d", 1, shape=VOLUMES),
    case("AdaptiveMaxPool3d", output_size=(3, None, 2), shape=(2, 4, 5, 3)),
    case("Fold", (4, 5), (2, 3), shape=(2, 12, 9)),
    case("Fold", output_size=(5, 4), kernel_size=2, shape=(8, 6), dilation=2, padding=(1, 0), stride=(2, 1)),
    case("Unfold", (2, 3), shape=IMAGES),
    case("Unfold", kernel_size=2, shape=(2, 6, 5), dilation=2, padding=(1, 0), stride=(2, 1)),
    case("PixelShuffle", 2, shape=(2, 8, 2, 3)),
    case("PixelShuffle", upscale_factor=3, shape=(9, 2, 1)),
    case("PixelUnshuffle", 2, shape=(2, 2, 4, 6)),
    case("PixelUnshuffle", downscale_factor=3, shape=(1, 6, 3)),
    case("ChannelShuffle", 2, shape=(2, 6, 2, 2)),
    case("ChannelShuffle", groups=3, shape=(2, 6, 4)),
]


def arguments(c, rng):
    """For the way back from max pooling the places, too: none twice, and all in the smallest of the outputs."""
    x = spread(c["shape"], rng)
    if not c["kind"].startswith("MaxUnpool"):
        return [x]
    dims = int(c["kind"][-2])
    rows = [rng.permutation(math.prod(x.shape[-dims:])) for _ in range(math.prod(x.shape[:-dims]))]
    return [x, np.reshape(rows, x.shape)]
