"""What may be assigned to the name of a parameter or a buffer, and what becomes of it."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import DTypeError


def test_what_is_assigned_to_a_buffer_stays_one():
    m = nn.BatchNorm1d(2)
    m.running_mean = 0.5 * m.running_mean + 1
    m.hidden = nn.Buffer([0.0], persistent=False)
    m.hidden = ag.ones(3)
    assert list(m.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert [n for n, _ in m.named_buffers()][-1] == "hidden"
    assert m.to("float64").running_mean.dtype == np.float64
    with pytest.raises(DTypeError, match=r"BatchNorm1d.running_var is a buffer, and was given a list, which would be"):
        m.running_var = [1.0, 2.0]
    m.running_var = None
    assert "running_var" not in m.state_dict()


class Centred(nn.Module):
    def __init__(self):
        self.mean = nn.Buffer(np.zeros(2))

    def forward(self, x):
        self.mean = 0.5 * self.mean + 0.5 * x.mean(0)
        return x - self.mean


def test_a_buffer_that_forward_assigns_is_one_in_programs_too():
    m = Centred()
    run = ag.compile(m)
    for _ in range(3):
        run(ag.ones((3, 2)))
    assert m.state_dict()["mean"].tolist() == [0.875, 0.875]
    assert "keeps a value in the attribute `mean`" in run.reasons()[0]
    assert ag.vmap(lambda x: Centred()(x))(ag.ones((2, 3, 2))).tolist() == ag.full((2, 3, 2), 0.5).tolist()


@pytest.mark.parametrize("kind", [np.ones, ag.ones, lambda _: 1.0, lambda shape: nn.Parameter(np.ones(shape)) * 2])
def test_a_parameter_is_not_made_a_constant(kind):
    layer = nn.Linear(3, 2)
    with pytest.raises(DTypeError, match=r"Linear.weight is a parameter, .*\nWrite `with ag.no_grad\(\): layer.weight"):
        layer.weight = kind((2, 3))
    assert len(list(layer.parameters())) == 2
    with ag.no_grad():
        layer.weight *= 2.0
    layer.weight = ag.ones((2, 3), requires_grad=True)
    layer.bias = nn.Parameter(np.zeros(2), requires_grad=False)
    assert [n for n, _ in layer.named_parameters()] == ["weight", "bias"]
    layer.bias = None
    assert layer(np.ones(3)).tolist() == [3.0, 3.0]
