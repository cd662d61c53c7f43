"""Every layer and loss as a program: outputs, gradients and buffers of steps are those of the same steps without."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn

TABLE = runpy.run_path(str(Path(__file__).with_name("test_layers.py")))
# what looks at values to find how much there is to do, and runs as it stands
BY_VALUES = {"CTCLoss", "MultiLabelMarginLoss", "EmbeddingBag"}


every_case = pytest.mark.parametrize(
    ("topic", "k", "c"), TABLE["CASES"], ids=[f"{t}-{c['kind']}-{k}" for t, k, c in TABLE["CASES"]]
)


def runs_whole(c):
    """Whether there is a program: not for a row-sparse gradient, which none has."""
    return c["kind"] not in BY_VALUES and not c["options"].get("sparse")


def same(plain, fast):
    for a, b in zip(plain, fast, strict=True):
        if a is None or b is None:
            assert a is b
        else:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(b.detach(), a.detach(), rtol=1e-9, atol=1e-9)


def stepped(topic, k, c, compiled):
    """Three steps: the results and gradients of each, the buffers after all; and the function that was called."""
    record = TABLE["figures"]("stored", topic)[k]
    module = TABLE["module_of"](c, record)
    xs = TABLE["arguments"](c, record)
    free = [nn.Parameter(x.detach()) for x in xs if x.requires_grad]
    cotangents = TABLE["named"](record, "cotangent.").values()
    leaves = [*free, *module.parameters()]

    def step(*given):
        for leaf in leaves:
            leaf.grad = None
        own, rest = iter(free), iter(given)
        ys = TABLE["outputs"](c, module, [next(own if x.requires_grad else rest) for x in xs])
        if leaves:
            sum((y * ag.tensor(g)).sum() for y, g in zip(ys, cotangents, strict=True)).backward()
        return [y.detach() for y in ys]

    run = ag.compile(step) if compiled else step
    ag.random.seed(0)
    found = []
    for _ in range(3):
        ys = run(*(x for x in xs if not x.requires_grad))
        found += [*ys, *(leaf.grad for leaf in leaves)]
    return [*found, *module.buffers()], run


def called(topic, k, c, compiled):
    """The results and gradients of the module by itself, differentiated outside; and what was called."""
    record = TABLE["figures"]("stored", topic)[k]
    module, xs = TABLE["module_of"](c, record), TABLE["arguments"](c, record)
    leaves = [*(x for x in xs if x.requires_grad), *module.parameters()]
    call = ag.compile(lambda *xs: TABLE["outputs"](c, module, xs))
    ag.random.seed(0)
    ys = call(*xs) if compiled else call.function(*xs)
    found = [y.detach() for y in ys]
    if leaves:
        cotangents = TABLE["named"](record, "cotangent.").values()
        loss = sum((y * ag.tensor(g)).sum() for y, g in zip(ys, cotangents, strict=True))
        found += ag.grad(loss, leaves, allow_unused=True)
    return [*found, *module.buffers()], call


@every_case
def test_a_model_is_the_same_with_and_without_a_program(topic, k, c):
    plain, _ = called(topic, k, c, compiled=False)
    fast, call = called(topic, k, c, compiled=True)
    same(plain, fast)
    if runs_whole(c):
        assert call.reasons() == []


@every_case
def test_a_step_is_the_same_with_and_without_a_program(topic, k, c):
    plain, _ = stepped(topic, k, c, compiled=False)
    fast, run = stepped(topic, k, c, compiled=True)
    same(plain, fast)
    if runs_whole(c):
        assert run.reasons() == []


def test_what_runs_as_it_stands_says_so():
    """The table above names no more than what does."""
    reasons = {kind: [] for kind in BY_VALUES}
    for topic, k, c in TABLE["CASES"]:
        if c["kind"] in BY_VALUES and runs_whole({"kind": "", "options": c["options"]}):
            reasons[c["kind"]] += stepped(topic, k, c, compiled=True)[1].reasons()
    assert all(reasons.values())
    assert {reason for found in reasons.values() for reason in found} == {"it reads .numpy of a value"}
