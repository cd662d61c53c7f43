"""Convolution and pooling of images."""

from make_nn import case

IMAGES = (2, 4, 6, 5)
CASES = [
    case("Conv2d", 4, 3, 3, shape=IMAGES),
    case("Conv2d", 4, 3, (3, 2), shape=IMAGES, stride=(2, 1), padding=(1, 0)),
    case("Conv2d", 4, 3, 2, shape=IMAGES, padding=1, dilation=(2, 3), bias=False),
    case("Conv2d", 4, 3, (2, 3), shape=IMAGES, padding="same"),
    case("Conv2d", 4, 3, 3, shape=IMAGES, padding="same", dilation=2),
    case("Conv2d", 4, 3, 2, shape=IMAGES, padding="valid", stride=2),
    case("Conv2d", 4, 6, 3, shape=IMAGES, groups=2, padding=1),
    case("Conv2d", 4, 8, 3, shape=IMAGES, groups=4, stride=2),
    case("Conv2d", 4, 3, 1, shape=IMAGES),
    case("Conv2d", 4, 4, 1, shape=IMAGES, groups=2, padding=1),
    case("Conv2d", in_channels=4, out_channels=3, kernel_size=1, shape=IMAGES, stride=2),
    case("Conv2d", 1, 2, (6, 5), shape=(3, 1, 6, 5)),
    case("MaxPool2d", 2, shape=(2, 3, 6, 4)),
    case("MaxPool2d", (2, 3), shape=(2, 3, 5, 7)),
    case("MaxPool2d", 3, shape=IMAGES, stride=(2, 1), padding=1),
    case("MaxPool2d", kernel_size=2, shape=IMAGES, stride=2, padding=(0, 1)),
    case("MaxPool2d", 2, shape=IMAGES, stride=3),
    case("AvgPool2d", 2, shape=(2, 3, 6, 4)),
    case("AvgPool2d", (2, 3), shape=(2, 3, 5, 7)),
    case("AvgPool2d", 3, shape=IMAGES, stride=(2, 1), padding=1),
    case("AvgPool2d", kernel_size=2, shape=IMAGES, stride=2, padding=(0, 1)),
]
