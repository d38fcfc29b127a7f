"""Files of several networks with optimizers beside them, in both of torch's formats; nothing in them is run."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.nested import flattened
from retarget_cli.weights.state import read_state


def saved(path: Path, *, is_old: bool = True, **more: object) -> Path:
    """As the first order model's training writes it: networks, their optimizers after a step, the epoch."""
    torch.manual_seed(0)
    networks = {"generator": nn.Linear(3, 2), "kp_detector": nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))}
    kept: dict[str, object] = {name: network.state_dict() for name, network in networks.items()}
    for name, network in networks.items():
        optimizer = torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999))
        for weights in network.parameters():
            weights.grad = torch.ones_like(weights)
        optimizer.step()
        kept[f"optimizer_{name}"] = optimizer.state_dict()
    torch.save({**kept, "epoch": 99, **more}, path, _use_new_zipfile_serialization=not is_old)
    return path


@pytest.mark.parametrize("is_old", [True, False])
def test_networks_become_one_and_optimizers_are_left(tmp_path: Path, is_old: bool) -> None:
    found = read_state(saved(tmp_path / "vox-cpk.pth.tar", is_old=is_old))
    assert sorted(found) == [
        "generator.bias", "generator.weight", "kp_detector.0.bias", "kp_detector.0.weight", "kp_detector.1.bias",
        "kp_detector.1.num_batches_tracked", "kp_detector.1.running_mean", "kp_detector.1.running_var",
        "kp_detector.1.weight",
    ]  # fmt: skip
    assert found["kp_detector.0.weight"].shape == (2, 1, 3, 3)


def test_a_wrapper_before_all_names_of_a_network_is_taken_off(tmp_path: Path) -> None:
    wrapped = OrderedDict((f"module.{name}", torch.zeros(1)) for name in ("a", "b"))
    found = read_state(saved(tmp_path / "a.pth", bg_predictor=wrapped))
    assert {name for name in found if name.startswith("bg")} == {"bg_predictor.a", "bg_predictor.b"}


class Armed:
    """Makes a folder when it is unpickled by a reader that runs what it reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("is_old", [True, False])
def test_nothing_beside_the_networks_is_run(tmp_path: Path, is_old: bool) -> None:
    path = saved(tmp_path / "a.pth.tar", is_old=is_old, optimizer_extra=Armed(tmp_path / "ran"))
    with pytest.raises(WeightsError, match=r"asks for code .*mkdir.*, and nothing in it is run"):
        read_state(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("is_old", [True, False])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.98])
def test_a_file_cut_short_gives_one_line(tmp_path: Path, is_old: bool, share: float) -> None:
    path = saved(tmp_path / "a.pth.tar", is_old=is_old)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(WeightsError, match="cut short") as caught:
        read_state(path)
    assert "\n" not in caught.value.message


def test_what_holds_no_network_is_told(tmp_path: Path) -> None:
    adam = torch.optim.Adam(nn.Linear(1, 1).parameters()).state_dict()
    torch.save({"optimizer_generator": adam, "epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="holds more than tensors: optimizer_generator, epoch"):
        read_state(tmp_path / "a.pth")
    torch.save({"net.weight": torch.zeros(1), "net": {"bias": torch.zeros(1)}}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"holds more than tensors: net$"):
        read_state(tmp_path / "a.pth")


def test_only_nested_state_dicts_are_flattened() -> None:
    plain = {"a.weight": torch.zeros(1), "epoch": 3}
    for same in (plain, {"state": {}, "param_groups": []}, {"epoch": 3}, [1, 2], {}):
        assert flattened(same) is same
    assert flattened({"a": {"w": torch.zeros(1)}, "b": {"w": 1}, "c": {0: torch.zeros(1)}}) == {"a.w": torch.zeros(1)}
