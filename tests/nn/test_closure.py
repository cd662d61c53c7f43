"""Optimizers that look at the loss in several places of a step, through the trainer: L-BFGS."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import autograd as ag
import nn
import optim
import regularize
from autograd.errors import DataError, DifferentiationError

ALPHA = 1e-2


def data():
    found = load_breast_cancer()
    return StandardScaler().fit_transform(found.data), found.target.astype(float)[:, None]


def logistic(optimizer=None, **settings):
    model = nn.Linear(30, 1, generator=ag.random.Generator(0)).to("float64")
    optimizer = optimizer or optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe", max_iter=100)
    penalty = regularize.L2(ALPHA, model, exclude=("bias",))
    return nn.Trainer(model, nn.BCEWithLogitsLoss(), optimizer, penalty=penalty, progress=False, **settings)


def test_lbfgs_finds_scikit_learns_minimum():
    x, y = data()
    trainer = logistic(strict=True)
    trainer.fit(nn.DataLoader(x, y, batch_size=None), epochs=3)
    expected = LogisticRegression(C=1 / (ALPHA * len(x)), tol=1e-10, max_iter=1000).fit(x, y[:, 0])
    np.testing.assert_allclose(trainer.model.weight.numpy(), expected.coef_, atol=1e-4)
    np.testing.assert_allclose(trainer.model.bias.numpy(), expected.intercept_, atol=1e-4)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_it_is_the_loop_that_one_would_write(search, accumulate):
    x, y = data()
    trainer = logistic()
    trainer.optimizer = optimizer = optim.LBFGS(trainer.model.parameters(), max_iter=4, line_search_fn=search)
    trainer = nn.Trainer(
        trainer.model, trainer.loss, optimizer, penalty=trainer.penalty, progress=False, accumulate=accumulate
    )
    trainer.fit(nn.DataLoader(x, y, batch_size=-(-len(x) // accumulate)), epochs=2)
    other = logistic()
    opt = optim.LBFGS(other.model.parameters(), max_iter=4, line_search_fn=search)
    losses = []

    def closure():
        opt.zero_grad()
        loss = other.loss(other.model(ag.asarray(x)), ag.asarray(y))
        total = loss + other.penalty()
        total.backward()
        losses.append(loss.item())
        return total

    starts = []
    for _ in range(2):
        starts.append(len(losses))
        opt.step(closure)
    np.testing.assert_allclose(trainer.model.weight.numpy(), other.model.weight.numpy(), rtol=1e-9)
    np.testing.assert_allclose(trainer.history["loss"], [losses[k] for k in starts], rtol=1e-10)
    assert len(losses) > 4


def test_it_goes_on_bitwise_from_a_checkpoint(tmp_path):
    x, y = data()

    def short(trainer):
        return optim.LBFGS(trainer.model.parameters(), max_iter=2)

    whole, path = [], tmp_path / "state"
    for epochs, resume in ((6, None), (3, path), (6, path)):
        trainer = logistic()
        trainer = nn.Trainer(trainer.model, trainer.loss, short(trainer), progress=False)
        callbacks = [nn.ModelCheckpoint(path)] if resume else []
        trainer.fit([(x, y)], epochs=epochs, callbacks=callbacks, resume=resume)
        whole.append(trainer.model.weight.numpy())
    assert not np.array_equal(whole[0], whole[1])
    np.testing.assert_array_equal(whole[0], whole[2])


def test_callbacks_hear_of_one_step_and_of_each_gradient():
    heard = []

    class Listen(nn.Callback):
        def on_batch_start(self, trainer, step):
            heard.append("start")

        def on_gradients(self, trainer, step):
            heard.append(step)

        def on_batch_end(self, trainer, step, loss):
            heard.append("end")

    x, y = data()
    trainer = logistic()
    trainer = nn.Trainer(
        trainer.model, trainer.loss, optim.LBFGS(trainer.model.parameters(), max_iter=3), progress=False
    )
    trainer.fit([(x, y)], epochs=2, callbacks=[Listen()])
    assert heard == 2 * ["start", 1, 1, 1, "end"]


def test_a_line_search_comes_back_from_where_the_loss_is_not_finite():
    w = ag.tensor([3.0], requires_grad=True)

    def barrier(prediction):  # NaN below 0, where the first place lies
        return (prediction - 0.9) ** 2 - 1e-3 * ag.log(prediction)

    optimizer = optim.LBFGS([w], lr=100, line_search_fn="strong_wolfe")
    trainer = nn.Trainer(lambda x: w.sum(), barrier, optimizer, progress=False)
    with np.errstate(all="ignore"):
        trainer.fit([1.0], epochs=3)
    assert w.item() == pytest.approx(0.9005552, abs=1e-5)
    assert np.isfinite(trainer.history["loss"]).all()


def test_a_loss_that_is_not_finite_at_the_start_of_a_step_ends_the_training():
    w = ag.tensor([-1.0], requires_grad=True)
    trainer = nn.Trainer(lambda x: w.sum(), ag.log, optim.LBFGS([w]), progress=False)
    with np.errstate(all="ignore"), pytest.raises(DataError, match="the loss became nan in epoch 1, step 1"):
        trainer.fit([1.0])


def test_strict_sees_a_parameter_without_a_gradient():
    model = nn.Linear(2, 1, generator=ag.random.Generator(0))
    model.forward = lambda x: x.sum() * model.bias
    optimizer = optim.LBFGS(model.parameters())
    trainer = nn.Trainer(model, lambda p, y: (p - y.mean()).sum(), optimizer, strict=True, progress=False)
    with pytest.raises(DifferentiationError, match="strict: parameter weight got no gradient"):
        trainer.fit([(ag.ones((2, 2), "float32"), ag.ones((2, 1), "float32"))])
