"""PyTorch's learning rates over 30 steps: `python tests/figures/make_schedule.py` writes schedule.json."""

import json
from pathlib import Path

STEPS = 30
RATES = [0.4, 0.03]  # of two groups
FIGURES = [5, 4, 3, 3, 3, 2.9999, 2, 2, 2, 2.5, 1, 1, 1.5, 1, 1, 1, 1, 0.9, 0.9, 0.9, 0.9, 0.9, 1, 1, 1, 1, 1, 1, 1, 1]
CASES = [
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 7}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.6, "total_iters": 11}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [4, 9, 9, 21]}),
    ("MultiStepLR", {"milestones": [20, 5], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.8}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 20, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 25, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": [0.5, 0.05], "total_steps": 31}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 10, "steps_per_epoch": 4, "pct_start": 0.45, "anneal_strategy": "linear"}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.5,
            "total_steps": 35,
            "three_phase": True,
            "cycle_momentum": False,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 31, "base_momentum": 0.7, "max_momentum": 0.8}),
    ("ReduceLROnPlateau", {"patience": 1, "factor": 0.5}),
    ("ReduceLROnPlateau", {"patience": 0, "cooldown": 3, "min_lr": [0.1, 0.01], "threshold": 0.3}),
    ("ReduceLROnPlateau", {"patience": 2, "mode": "max", "threshold_mode": "abs", "threshold": 0.1, "eps": 0.01}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 4}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": [0.5, 0.3], "step_size_up": 3, "step_size_down": 5}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 2, "step_size_down": 7, "mode": "triangular2"}),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": 0.5,
            "step_size_up": 6,
            "mode": "exp_range",
            "gamma": 0.9,
            "base_momentum": 0.5,
            "max_momentum": 0.7,
        },
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 4, "cycle_momentum": False}),
    ("MultiplicativeLR", {"lr_lambda": [3, 5]}),
    ("LambdaLR", {"lr_lambda": [3, 5]}),  # 1 / (1 + t / n), which JSON cannot hold
    (
        "ChainedScheduler",
        {"parts": [["ConstantLR", {"factor": 0.1, "total_iters": 4}], ["ExponentialLR", {"gamma": 0.9}]]},
    ),
    (
        "SequentialLR",
        {
            "parts": [
                ["LinearLR", {"start_factor": 0.1, "total_iters": 5}],
                ["CosineAnnealingLR", {"T_max": 12}],
                ["StepLR", {"step_size": 4}],
            ],
            "milestones": [5, 18],
        },
    ),
]


def build(space, optimizer, name, options):
    """The schedule of a case, out of our namespace or PyTorch's."""
    options = dict(options)
    if "lr_lambda" in options:
        options["lr_lambda"] = [lambda t, n=n: 1 / (1 + t / n) for n in options["lr_lambda"]]
    parts = [build(space, optimizer, *part) for part in options.pop("parts", ())]
    kind = getattr(space, name)
    if name == "ChainedScheduler":
        return kind(parts)
    return kind(optimizer, parts, **options) if parts else kind(optimizer, **options)


def run(space, optimizer, name, options):
    """The learning rates and momenta of both groups before each of 30 steps, and after the last."""
    schedule = build(space, optimizer, name, options)
    found = []
    for figure in [*FIGURES, None]:
        found.append(
            [[float(g["lr"]) for g in optimizer.param_groups], [g["momentum"] for g in optimizer.param_groups]]
        )
        if figure is not None:
            optimizer.step()
            schedule.step(*[figure] if name == "ReduceLROnPlateau" else [])
    return found


def records():
    import torch

    found = []
    for name, options in CASES:
        weights = [torch.ones(1, requires_grad=True) for _ in RATES]
        groups = [{"params": [w], "lr": lr} for w, lr in zip(weights, RATES, strict=True)]
        optimizer = torch.optim.SGD(groups, momentum=0.9)
        found.append(run(torch.optim.lr_scheduler, optimizer, name, options))
    return {"origin": f"torch {torch.__version__}", "records": found}


if __name__ == "__main__":
    path = Path(__file__).with_name("schedule.json")
    path.write_text(json.dumps(records(), separators=(",", ":")) + "\n")
