"""Upsampling."""

from make_nn import case

SIGNALS, IMAGES, VOLUMES = (2, 2, 5), (1, 2, 3, 4), (1, 1, 2, 3, 2)
CASES = [
    *(case("Upsample", size=7, shape=SIGNALS, mode=mode) for mode in ("nearest", "nearest-exact", "linear", "area")),
    *(case("Upsample", size=(2, 9), shape=IMAGES, mode=mode) for mode in ("nearest", "nearest-exact", "area")),
    *(case("Upsample", scale_factor=3, shape=IMAGES, mode=mode) for mode in ("nearest", "nearest-exact")),
    *(case("Upsample", scale_factor=(1.7, 0.6), shape=IMAGES, mode=mode) for mode in ("nearest", "nearest-exact")),
    case("Upsample", scale_factor=2, shape=VOLUMES),
    case("Upsample", scale_factor=2.5, shape=SIGNALS, mode="linear"),
    case("Upsample", scale_factor=2.5, shape=SIGNALS, mode="linear", align_corners=True),
    case("Upsample", scale_factor=1.3, shape=SIGNALS, mode="linear", recompute_scale_factor=True),
    case("Upsample", scale_factor=1.3, shape=SIGNALS, mode="linear", align_corners=False),
    case("Upsample", scale_factor=1.15, shape=SIGNALS, mode="linear"),
    case("Upsample", size=1, shape=SIGNALS, mode="linear", align_corners=True),
    case("Upsample", scale_factor=2, shape=IMAGES, mode="bilinear"),
    case("Upsample", size=(2, 7), shape=IMAGES, mode="bilinear", align_corners=True),
    case("Upsample", scale_factor=(1.7, 0.6), shape=IMAGES, mode="bilinear"),
    case("Upsample", scale_factor=2, shape=IMAGES, mode="bicubic"),
    case("Upsample", size=(5, 2), shape=IMAGES, mode="bicubic", align_corners=True),
    case("Upsample", size=(3, 4, 2), shape=VOLUMES, mode="trilinear"),
]
