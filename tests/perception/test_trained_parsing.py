"""Layouts by an imported network, with generated weights."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from retarget_cli.backends.official import BUILT_IN
from retarget_cli.cli.app import app
from retarget_cli.core.layout import Region
from retarget_cli.networks.schp import HumanParser
from retarget_cli.perception import trained_parsing
from retarget_cli.perception.trained_parsing import (
    LABEL_SETS,
    LABELS,
    NAME,
    LabelSet,
    TrainedParser,
    find_trained,
    recognisers,
)
from retarget_cli.weights import places
from retarget_cli.weights.checkpoints import Label, read_label, write_weights
from retarget_cli.weights.importing import recognise
from retarget_cli.workflows import import_weights

CPU = torch.device("cpu")
SMALL = functools.partial(HumanParser, blocks=(1, 1, 1, 1))
SIZE = (60, 90)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "TORCH_HOME", "RETARGET_WEIGHTS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setattr(places, "_checkout", lambda: None)


class Striped(nn.Module):
    """Says label 0 at the left, then 1, and so on, in as many stripes as there are labels; remembers what it saw."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 1, 1)
        self.labels = labels
        self.seen: Tensor | None = None

    def forward(self, pictures: Tensor) -> Tensor:
        self.seen = pictures
        side = pictures.shape[-1] // 4
        stripe = torch.arange(side) * self.labels // side
        scores = 20 * nn.functional.one_hot(stripe, self.labels).T.float()
        return scores[None, :, None].expand(1, -1, side, -1)


def test_merges_name_every_label() -> None:
    atr, lip = (LABEL_SETS[name].merged for name in ("atr", "lip"))
    assert (len(atr), len(lip)) == (18, 20)
    for merged in (atr, lip):
        assert set(merged) == set(Region)
        assert merged[0] is Region.BACKGROUND
    assert [atr[label] for label in (11, 7, 6, 9, 14, 16)] == [
        Region.HEAD, Region.TOP, Region.BOTTOM, Region.SHOES, Region.LIMBS, Region.BACKGROUND,
    ]  # fmt: skip
    assert [lip[label] for label in (13, 6, 9, 19, 15)] == [
        Region.HEAD, Region.TOP, Region.BOTTOM, Region.SHOES, Region.LIMBS,
    ]  # fmt: skip


def test_labels_are_merged_where_the_person_is() -> None:
    labels = LabelSet("six", 64, tuple(Region))
    network = Striped(6)
    mask = np.zeros(SIZE, np.float32)
    mask[5:55, 20:70] = 1
    found = TrainedParser(network, labels, "striped").layout(np.zeros((*SIZE, 3), np.uint8), mask)  # type: ignore[arg-type]
    assert np.array_equal(found > 0, mask > 0.5)
    # The square is 60 a side about the person, 10 a stripe: from 15 to 75.
    assert [int(found[30, column]) for column in (22, 30, 40, 50, 60, 68)] == [1, 1, 2, 3, 4, 5]


def test_the_network_sees_normalized_blue_first() -> None:
    network = Striped(6)
    image = np.zeros((*SIZE, 3), np.uint8)
    image[..., 0] = 255
    mask = np.ones(SIZE, np.float32)
    TrainedParser(network, LabelSet("six", 64, tuple(Region)), "striped").layout(image, mask)  # type: ignore[arg-type]
    assert network.seen is not None
    assert network.seen.shape == (1, 3, 64, 64)
    middle = network.seen[0, :, 32, 32]
    assert torch.allclose(middle, torch.tensor([-0.406 / 0.225, -0.456 / 0.224, (1 - 0.485) / 0.229]), atol=1e-4)
    assert torch.allclose(network.seen[0, 2, 0, 32], torch.tensor(-0.485 / 0.229), atol=1e-4)  # black around it


def test_nobody_costs_no_network() -> None:
    network = Striped(6)
    found = TrainedParser(network, LabelSet("six", 64, tuple(Region)), "striped").layout(  # type: ignore[arg-type]
        np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.float32)
    )
    assert not found.any()
    assert network.seen is None


@pytest.mark.parametrize("name", LABEL_SETS)
def test_checkpoints_are_recognised_by_names_and_shapes(name: str) -> None:
    with torch.device("meta"):
        shapes = HumanParser(len(LABEL_SETS[name].merged)).state_dict()
    state = {key: torch.zeros(1).expand(value.shape) for key, value in shapes.items()}  # takes no memory
    assert recognise(state, recognisers(), "file").name == f"schp-{name}"
    state["fushion.3.weight"] = torch.zeros(7, 256, 1, 1)
    assert not any(form.recognises(state) for form in recognisers())


def test_importing_knows_of_them() -> None:
    assert BUILT_IN[NAME] == f"{recognisers.__module__}:{recognisers.__name__}"


def test_an_imported_checkpoint_is_found_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained_parsing, "HumanParser", SMALL)
    lip = replace(LABEL_SETS["lip"], side=64)
    monkeypatch.setattr(trained_parsing, "LABEL_SETS", {"lip": lip})
    small = recognisers()
    monkeypatch.setattr(import_weights, "recognisers", lambda: small)
    assert find_trained(CPU) is None
    torch.manual_seed(0)
    network = SMALL(20).eval()
    # As SCHP saves it: in data-parallel training, with the epoch beside it.
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    torch.save({"schp": 9, "state_dict": state}, tmp_path / "exp-schp-201908261155-lip.pth")
    result = CliRunner().invoke(app, ["weights", "import", str(tmp_path / "exp-schp-201908261155-lip.pth"), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["backend"], told["design"], told["form"]) == (NAME, {LABELS: "lip"}, "schp-lip")
    assert "--backend" not in told["use"]
    assert read_label(Path(told["path"])).license.startswith("MIT")
    found = find_trained(CPU)
    assert found is not None
    assert found.name == "exp-schp-201908261155-lip"
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    mask = np.zeros(SIZE, np.float32)
    mask[5:55, 20:70] = 1
    expected = TrainedParser(network.requires_grad_(False), lip, "").layout(image, mask)
    assert np.array_equal(found.layout(image, mask), expected)
    assert find_trained(CPU) is found
    os.utime(told["path"], ns=(1, 1))
    assert find_trained(CPU) is not found


def test_weights_of_unknown_labels_are_passed_over() -> None:
    folder = places.own_places()[0].folder
    write_weights(folder / "odd.safetensors", {"weight": torch.zeros(1)}, Label(NAME, {LABELS: "pascal"}))
    assert find_trained(CPU) is None
