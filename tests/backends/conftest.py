"""Settings that tests of several methods' networks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from retarget_cli.networks import packed
from retarget_cli.networks.packed import can_pack, can_pack_volumes


@pytest.fixture
def no_gradients() -> Iterator[None]:
    """Nothing learns."""
    with torch.no_grad():
        yield


@pytest.fixture(params=["packed", "plain"])
def convolutions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with weights packed for the processor, once as on machines that can't do that."""
    if request.param == "plain":
        monkeypatch.setattr(packed, "can_pack", lambda: False)
    elif not (can_pack() and can_pack_volumes()):
        pytest.skip("this build of torch has no packed convolutions")
