"""A file of weights as PyTorch writes it: `python tests/figures/make_pytorch.py` writes pytorch.safetensors."""

from pathlib import Path

PATH = Path(__file__).with_name("pytorch.safetensors")


def model(nn):
    """Layers of several kinds, two of which share a weight."""
    made = nn.Sequential(
        nn.Conv1d(2, 4, 3),
        nn.Linear(6, 6),
        nn.Linear(6, 6),
        nn.Linear(6, 5),
        nn.BatchNorm1d(4),
        nn.Linear(5, 3),
        nn.Sigmoid(),
    )
    made[2].weight = made[1].weight
    return made


def write(path):
    """Weights in three dtypes, the shared one once, with an input and its output."""
    import torch
    from safetensors.torch import save_model

    torch.manual_seed(0)
    found = model(torch.nn)
    found(torch.randn(9, 2, 8))  # running statistics
    for layer, dtype in ((found[3], torch.bfloat16), (found[5], torch.float16)):
        layer.to(dtype).to(torch.float32)  # so that what is stored is what computes
    x = torch.randn(4, 2, 8)
    y = found.eval()(x)
    found[3].to(torch.bfloat16)
    found[5].to(torch.float16)
    found.figures = torch.nn.Module()
    found.figures.register_buffer("x", x)
    found.figures.register_buffer("y", y.detach())
    save_model(found, str(path))


if __name__ == "__main__":
    write(PATH)
