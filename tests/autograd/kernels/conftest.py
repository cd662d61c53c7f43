"""What the tests of kernels share."""

import pytest

from autograd.config import config
from autograd.kernels import cache, compile


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache for a process that has compiled and complained about nothing yet."""
    monkeypatch.setattr(compile, "_memory", {})
    monkeypatch.setattr(cache, "_warned", [])
    with config.using(cache=tmp_path / "kernels"):
        yield tmp_path / "kernels"
