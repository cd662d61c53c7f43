"""Modules under the checker: parameters by their names, float32 raised, buffers and dropout held still."""

import numpy as np
import pytest

import autograd as ag
import nn
import regularize

X = np.random.default_rng(0).standard_normal((5, 3))


class Wrong(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 2)

    def forward(self, x):
        w = self.inner.weight
        return self.inner(x) + (ag.stop_gradient(w) * w).sum()


@pytest.mark.parametrize("settings", [{}, {"fast": True}, {"mode": "both"}, {"order": 2, "max_elements": 4}])
def test_modules_pass(settings):
    model = nn.Sequential(nn.Linear(3, 4), regularize.Dropout(0.5), nn.BatchNorm1d(4), nn.Tanh())
    before = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    result = nn.gradcheck(model, X, **settings)
    assert result, result
    assert result.compared > 1
    for name, t in model.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])


@pytest.mark.parametrize("fast", [False, True])
def test_parameters_have_their_names(fast):
    result = nn.gradcheck(Wrong(), X, fast=fast)
    assert result.verdict == "WRONG_GRADIENT"
    assert {m.input for m in result.mismatches} == {"inner.weight"}


def test_labels_are_passed_on():
    class Cost(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 2)
            self.loss = nn.CrossEntropyLoss()

        def forward(self, x, labels):
            return self.loss(self.inner(x), labels)

    assert nn.gradcheck(Cost(), X, np.array([0, 1, 1, 0, 1])).compared == 6 + 2 + 15


def test_it_is_a_method_and_a_batch_has_the_names_of_forward():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(np.ones(3, "float32"))

        def forward(self, points, *, by=2.0):
            return self.w * ag.stop_gradient(points) * by

    result = Scaled().gradcheck(X, mode="both")
    assert result.verdict == "WRONG_GRADIENT"
    assert {m.input for m in result.mismatches} == {"points"}
    assert nn.Linear(3, 2).gradcheck(X, fast=True)


def test_a_module_that_no_operation_is_at_fault_of_is_checked_again_by_its_method(capsys):
    model = Wrong()
    result = model.gradcheck(X[:2])
    assert result.verdict == "WRONG_GRADIENT"
    assert "# model is Wrong(" in result.reproducer
    exec(result.reproducer, {"model": model})
    assert "WRONG_GRADIENT" in capsys.readouterr().out
