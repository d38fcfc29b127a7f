"""Trainings that begin with weights of another form: what they lack of eq. 4 and 5 comes anew, and changes nothing."""

from __future__ import annotations

import pytest
import torch

from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.self_appearance.backend import SelfAppearanceBackend
from retarget_cli.core.errors import UsageError

SMALL = {"weights": "none", "width": "8", "most": "16", "keypoints": "3", "resolution": "64"}


def backend(**settings: str) -> SelfAppearanceBackend:
    torch.manual_seed(len(settings))
    made = make_backend("self-appearance", {**SMALL, **settings}, torch.device("cpu"))
    assert isinstance(made, SelfAppearanceBackend)
    return made


def picture(of: SelfAppearanceBackend) -> torch.Tensor:
    network = of.network.eval()
    torch.manual_seed(0)
    source, driving = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        return network([network.encode(source)], network.detector(driving)).pictures


def test_parts_that_weights_lack_begin_untrained() -> None:
    trunk, whole = backend(evolution="off", appearance="off"), backend(context="yes")
    whole.begin(trunk.generator.state_dict(), trunk.design(), "trunk")
    assert whole.design()["evolution"] == "rk4"
    assert whole.design()["appearance"] == "on"
    torch.testing.assert_close(picture(whole), picture(trunk), atol=1e-5, rtol=0)


def test_parts_that_are_left_out_are_not_taken() -> None:
    whole, bare = backend(context="yes"), backend(evolution="off", appearance="off")
    torch.nn.init.normal_(whole.network.evolution.change.last.weight)
    bare.begin(whole.generator.state_dict(), whole.design(), "whole")
    assert bare.network.appearance is None
    assert bare.network.evolution.change.context is None
    assert torch.equal(bare.network.detector.heat.weight, whole.network.detector.heat.weight)


def test_parts_of_the_same_form_are_taken() -> None:
    whole, other = backend(), backend(references="1")
    torch.nn.init.normal_(whole.network.evolution.change.last.weight)
    other.begin(whole.generator.state_dict(), whole.design(), "whole")
    assert torch.equal(other.network.evolution.change.last.weight, whole.network.evolution.change.last.weight)


def test_all_else_must_be_of_the_same_form() -> None:
    with pytest.raises(UsageError, match="keypoints"):
        backend().begin(backend(keypoints="4").generator.state_dict(), backend(keypoints="4").design(), "four")
