"""Against overfitting: penalties on weights, dropout, augmentation, early stopping: `import regularize`."""

from regularize.alpha_dropout import AlphaDropout, FeatureAlphaDropout
from regularize.augment import Augmentation, Compose, PerSample, RandomApply, Transform
from regularize.augment_affine import AffineAugmentation, RandomAffine, Rotation, Shear, Shift, Zoom
from regularize.augment_elastic import ElasticDistortion
from regularize.augment_mix import CutMix, Mixing, Mixup
from regularize.augment_place import Cutout, HorizontalFlip, RandomCrop, VerticalFlip
from regularize.augment_value import Brightness, Contrast, GaussianNoise, Jitter, SaltAndPepper, TimeMask
from regularize.channel_dropout import Dropout1d, Dropout2d, Dropout3d
from regularize.constraint import AfterStep, Constraint, DecoupledDecay, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from regularize.drop_connect import DropConnect, drop_connect
from regularize.dropout import HIDDEN_KEEP, VISIBLE_KEEP, Dropout, Masking
from regularize.early_stopping import EarlyStopping
from regularize.group_lasso import GroupLasso
from regularize.monte_carlo import Prediction, monte_carlo
from regularize.penalty import L1, L2, ElasticNet, Penalty
from regularize.resample import resample
from regularize.stochastic_depth import StochasticDepth

__all__ = [
    "HIDDEN_KEEP",
    "L1",
    "L2",
    "VISIBLE_KEEP",
    "AffineAugmentation",
    "AfterStep",
    "AlphaDropout",
    "Augmentation",
    "Brightness",
    "Compose",
    "Constraint",
    "Contrast",
    "CutMix",
    "Cutout",
    "DecoupledDecay",
    "DropConnect",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "EarlyStopping",
    "ElasticDistortion",
    "ElasticNet",
    "FeatureAlphaDropout",
    "GaussianNoise",
    "GroupLasso",
    "HorizontalFlip",
    "Jitter",
    "Masking",
    "MaxNorm",
    "MinMaxNorm",
    "Mixing",
    "Mixup",
    "NonNeg",
    "Penalty",
    "PerSample",
    "Prediction",
    "RandomAffine",
    "RandomApply",
    "RandomCrop",
    "Rotation",
    "SaltAndPepper",
    "Shear",
    "Shift",
    "StochasticDepth",
    "TimeMask",
    "Transform",
    "UnitNorm",
    "VerticalFlip",
    "Zoom",
    "drop_connect",
    "monte_carlo",
    "resample",
]
