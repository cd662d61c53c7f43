"""Normalisation."""

from make_nn import case
from make_nn import reference as plain

SEQUENCE, IMAGES, VOLUMES = (3, 4, 5), (2, 4, 3, 2), (2, 2, 2, 3, 2)


def both(kind, *args, **options):
    """The case of a layer in training and in evaluation."""
    return [case(kind, *args, training=training, **options) for training in (True, False)]


CASES = [
    case("LayerNorm", 4, shape=(3, 4)),
    case("LayerNorm", normalized_shape=(3, 4), shape=(2, 3, 4), eps=0.1),
    case("LayerNorm", 5, shape=(2, 3, 5), bias=False),
    case("LayerNorm", 5, shape=(5,), elementwise_affine=False),
    case("RMSNorm", 4, shape=(3, 4)),
    case("RMSNorm", normalized_shape=(3, 4), shape=(2, 3, 4), eps=0.1),
    case("RMSNorm", 5, shape=(2, 3, 5), elementwise_affine=False),
    *both("BatchNorm1d", 4, shape=(3, 4)),
    *both("BatchNorm1d", num_features=4, shape=SEQUENCE, eps=0.1, momentum=0.3),
    *both("BatchNorm1d", 4, shape=(3, 4), momentum=None, affine=False),
    *both("BatchNorm1d", 4, shape=(3, 4), track_running_stats=False),
    *both("BatchNorm2d", num_features=4, shape=IMAGES, eps=0.1, momentum=0.3),
    *both("BatchNorm2d", 4, shape=(1, 4, 3, 2), momentum=None, affine=False),
    *both("BatchNorm2d", 4, shape=IMAGES, track_running_stats=False),
    *both("BatchNorm3d", num_features=2, shape=VOLUMES, eps=0.1, momentum=0.3),
    *both("BatchNorm3d", 2, shape=VOLUMES, momentum=None, affine=False, track_running_stats=False),
    case("GroupNorm", 2, 4, shape=(3, 4)),
    case("GroupNorm", 4, 4, shape=SEQUENCE, affine=False),
    case("GroupNorm", num_groups=1, num_channels=4, shape=IMAGES, eps=0.1),
    case("GroupNorm", 2, 4, shape=IMAGES),
    *both("InstanceNorm1d", num_features=4, shape=SEQUENCE),
    *both("InstanceNorm1d", 4, shape=SEQUENCE, eps=0.1, momentum=0.3, affine=True, track_running_stats=True),
    *both("InstanceNorm1d", 4, shape=(4, 5), affine=True, track_running_stats=True),
    *both("InstanceNorm2d", num_features=4, shape=IMAGES, affine=True),
    *both("InstanceNorm2d", 4, shape=IMAGES, eps=0.1, momentum=0.3, track_running_stats=True),
    *both("InstanceNorm3d", num_features=2, shape=VOLUMES, eps=0.1),
    *both("InstanceNorm3d", 2, shape=VOLUMES, momentum=0.3, affine=True, track_running_stats=True),
    case("LocalResponseNorm", 3, shape=SEQUENCE),
    case("LocalResponseNorm", size=2, shape=IMAGES, alpha=0.5, beta=0.6, k=2.0),
]


def reference(c):
    """PyTorch's module, after it has seen other batches."""
    import torch

    module = plain(c)
    for name, b in module.named_buffers():
        torch.nn.init.uniform_(b, 0.5, 1.5, generator=torch.Generator().manual_seed(0)) if b.ndim else b.fill_(3)
        assert name.startswith(("running_", "num_batches"))
    return module
