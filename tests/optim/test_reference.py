"""What PyTorch does not have, against NumPy: Lion, LAMB, and the epsilon on the other side of the root."""

import inspect
from itertools import product

import numpy as np
import pytest

import autograd as ag
import optim

STEPS = 100
START = {"w": np.array([[1.0, -2.0, 0.5], [3.0, -0.75, 1.5]]), "b": np.array([0.0, 0.0])}
RNG = np.random.default_rng(5)
PUSHES = [{"w": RNG.normal(size=(2, 3)), "b": RNG.normal(size=2)} for _ in range(STEPS)]


def gradient(w, push):
    """Of a bowl whose middle moves: some turn, some stay."""
    return 0.3 * w + push


def lion(w, pushes, lr, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
    m = 0 * w
    for push in pushes:
        g = gradient(w, push) * (-1 if maximize else 1)
        w = w - lr * (np.sign(betas[0] * m + (1 - betas[0]) * g) + weight_decay * w)
        m = betas[1] * m + (1 - betas[1]) * g
    return w


def lamb(w, pushes, lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, maximize=False, eps_mode="outside"):
    m = v = 0 * w
    for t, push in enumerate(pushes, 1):
        g = gradient(w, push) * (-1 if maximize else 1)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        u = m_hat / (np.sqrt(v_hat + eps) if eps_mode == "inside" else np.sqrt(v_hat) + eps) + weight_decay * w
        sizes = np.linalg.norm(w), np.linalg.norm(u)
        w = w - lr * (sizes[0] / sizes[1] if all(sizes) else 1) * u
    return w


def adagrad_inside(w, pushes, lr, eps):
    a = 0 * w
    for push in pushes:
        g = gradient(w, push)
        a = a + g**2
        w = w - lr * g / np.sqrt(a + eps)
    return w


def rmsprop_inside(w, pushes, lr, eps, centered=False, alpha=0.99):
    v = m = 0 * w
    for push in pushes:
        g = gradient(w, push)
        v, m = alpha * v + (1 - alpha) * g**2, alpha * m + (1 - alpha) * g
        w = w - lr * g / np.sqrt(v - centered * m**2 + eps)
    return w


def adam_inside(w, pushes, lr, eps, weight_decay=0.0, amsgrad=False):
    m = v = top = 0 * w
    for t, push in enumerate(pushes, 1):
        g = gradient(w, push)
        w = w * (1 - lr * weight_decay)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        top = np.maximum(top, v) if amsgrad else v
        w = w - lr * m / (1 - 0.9**t) / np.sqrt(top / (1 - 0.999**t) + eps)
    return w


def sparse_adam(w, pushes, lr, betas=(0.9, 0.999), eps=1e-8, maximize=False, eps_mode="outside"):
    m = v = 0 * w
    for t, push in enumerate(pushes, 1):
        g = gradient(w, push) * (-1 if maximize else 1)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
        root = np.sqrt(v + eps) if eps_mode == "inside" else np.sqrt(v) + eps
        w = w - lr * np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t) * m / root
    return w


def adadelta_outside(w, pushes, lr, eps):
    u = v = 0 * w
    for push in pushes:
        g = gradient(w, push)
        v = 0.9 * v + 0.1 * g**2
        d = (np.sqrt(u) + eps) / (np.sqrt(v) + eps) * g
        u = 0.9 * u + 0.1 * d**2
        w = w - lr * d
    return w


def adamax_outside(w, pushes, lr, eps):
    m = u = 0 * w
    for t, push in enumerate(pushes, 1):
        g = gradient(w, push)
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, abs(g))
        w = w - lr / (1 - 0.9**t) * m / (u + eps)
    return w


def nadam_inside(w, pushes, lr, eps):
    m, v, p = 0 * w, 0 * w, 1.0
    for t, push in enumerate(pushes, 1):
        g = gradient(w, push)
        mu, ahead = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
        p, m, v = p * mu, 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        root = np.sqrt(v / (1 - 0.999**t) + eps)
        w = w - lr * (1 - mu) / (1 - p) * g / root - lr * ahead / (1 - p * ahead) * m / root
    return w


def radam_inside(w, pushes, lr, eps):
    m, v, limit = 0 * w, 0 * w, 2 / 0.001 - 1
    for t, push in enumerate(pushes, 1):
        g = gradient(w, push)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        r = limit - 2 * t * 0.999**t / (1 - 0.999**t)
        scale = 1.0
        if r > 5:
            c = np.sqrt((r - 4) * (r - 2) * limit / ((limit - 4) * (limit - 2) * r))
            scale = c * np.sqrt(1 - 0.999**t) / np.sqrt(v + eps)
        w = w - lr * m / (1 - 0.9**t) * scale
    return w


def variants(**options):
    return [dict(zip(options, values, strict=True)) for values in product(*options.values())]


INSIDE = {"lr": 0.1, "eps": 0.01, "eps_mode": "inside"}
OUTSIDE = {"lr": 0.1, "eps": 0.01, "eps_mode": "outside"}
DECAY, UP = {"weight_decay": [0, 0.1]}, {"maximize": [False, True]}
TABLE = [
    *((optim.Lion, lion, {"lr": 0.05, **v}) for v in variants(betas=[(0.9, 0.99), (0.5, 0.7)], **DECAY, **UP)),
    *(
        (optim.LAMB, lamb, {"lr": 0.05, **v})
        for v in variants(
            betas=[(0.9, 0.999), (0.5, 0.7)], eps=[1e-6, 0.1], **DECAY, **UP, eps_mode=["outside", "inside"]
        )
    ),
    *(
        (optim.SparseAdam, sparse_adam, {"lr": 0.05, **v})
        for v in variants(betas=[(0.9, 0.999), (0.5, 0.7)], eps=[1e-8, 0.1], **UP, eps_mode=["outside", "inside"])
    ),
    (optim.Adagrad, adagrad_inside, INSIDE),
    (optim.RMSprop, rmsprop_inside, INSIDE),
    (optim.RMSprop, rmsprop_inside, {**INSIDE, "centered": True}),
    (optim.Adam, adam_inside, INSIDE),
    (optim.Adam, adam_inside, {**INSIDE, "amsgrad": True}),
    (optim.AdamW, adam_inside, {**INSIDE, "weight_decay": 0.1}),
    (optim.Adadelta, adadelta_outside, OUTSIDE),
    (optim.Adamax, adamax_outside, OUTSIDE),
    (optim.NAdam, nadam_inside, INSIDE),
    (optim.RAdam, radam_inside, INSIDE),
]
IDS = [f"{kind.__name__}-{k}" for k, (kind, _, _) in enumerate(TABLE)]


@pytest.mark.parametrize(("kind", "reference", "options"), TABLE, ids=IDS)
def test_matches_the_reference(kind, reference, options):
    ws = {key: ag.tensor(x, requires_grad=True) for key, x in START.items()}
    optimizer = kind(ws.values(), **options)
    for pushes in PUSHES:
        for key, w in ws.items():
            w.grad = gradient(w.detach(), pushes[key])
        optimizer.step()
    given = {key: x for key, x in options.items() if key in inspect.signature(reference).parameters}
    for key, w in ws.items():
        wanted = reference(START[key], [push[key] for push in PUSHES], **given)
        np.testing.assert_allclose(w.numpy(), wanted, rtol=1e-12, atol=1e-12)
        assert abs(wanted - START[key]).max() > 0.02


def test_each_place_of_each_epsilon_is_in_a_table():
    other = {
        kind
        for kind, _, options in TABLE
        if options.get("eps_mode") not in (None, kind([ag.ones(1).requires_grad_()]).defaults.get("eps_mode"))
    }
    assert other == {
        kind
        for kind in vars(optim).values()
        if inspect.isclass(kind) and "eps_mode" in inspect.signature(kind.__init__).parameters
    }
