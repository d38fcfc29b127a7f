"""`retarget weights import` of checkpoints of several networks: from a released file to a backend's pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.backends.self_appearance.miniatures import pictures
from tests.backends.self_appearance.released import OWN, tensors
from tests.reference_weights import fill, official_shapes, record, rule_of
from torch import Tensor, nn
from typer.testing import CliRunner

from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.self_appearance.articulated import Articulated, ArticulatedDesign
from retarget_cli.backends.self_appearance.backend import ArticulatedBackend, FirstOrderBackend
from retarget_cli.backends.self_appearance.designs import articulated_design, first_order_design
from retarget_cli.backends.self_appearance.first_order import FirstOrder, FirstOrderDesign
from retarget_cli.backends.self_appearance.official import (
    Released,
    articulated_names,
    first_order_names,
    recognisers,
)
from retarget_cli.cli.app import app
from retarget_cli.media.images import over_white, read_picture, write_png
from retarget_cli.weights import places
from retarget_cli.weights.importing import Recogniser
from retarget_cli.workflows import import_weights

CPU = torch.device("cpu")
SIDE = 64
SMALL = {"keypoints": "3", "width": "8", "most": "32", "resolution": "64"}
FIRST_ORDER = {**SMALL, "jacobian_maps": "3", "align_corners": "yes"}
ARTICULATED = {**SMALL, "avd": "yes", "background": "yes", "align_corners": "no"}
FORMS = {each.name: each for each in recognisers()}


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "TORCH_HOME", "RETARGET_WEIGHTS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setattr(places, "_checkout", lambda: None)


def network_of(words: Mapping[str, str]) -> tuple[nn.Module, dict[str, str]]:
    """A network, and its names in a released file -> ours."""
    torch.manual_seed(0)
    if "avd" in words:
        made = Articulated(*articulated_design(words)).eval()
        return made, articulated_names(made)
    other = FirstOrder(*first_order_design(words)).eval()
    torch.nn.init.normal_(other.detector.jacobian.weight, std=0.02)  # type: ignore[union-attr]
    return other, first_order_names(other)


@pytest.fixture
def is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms are of small networks."""
    small = []
    for form, words in (("first-order", FIRST_ORDER), ("articulated-avd", ARTICULATED)):
        network, names = network_of(words)
        shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        released = FORMS[form]
        assert isinstance(released, Released)
        small.append(replace(released, names=names, shapes=shapes, design=words, of=None))
    monkeypatch.setattr(import_weights, "recognisers", lambda: tuple(small))


def nested(state: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Any]:
    """A state of ours as a released file has it, an optimizer, an opponent and the epoch beside it."""
    parts: dict[str, Any] = {}
    for theirs, ours in names.items():
        part, _, inside = theirs.partition(".")
        parts.setdefault(part, {})[inside] = state[ours]
    adam = {"state": {0: {"step": 3, "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 2e-4, "params": [0]}]}
    opponent = {"discs.1.down_blocks.0.conv.weight": torch.ones(64, 13, 4, 4)}
    return {
        **parts,
        "discriminator": opponent,
        "optimizer_generator": adam,
        "optimizer_discriminator": adam,
        "epoch": 9,
    }


def saved(path: Path, words: Mapping[str, str], **more: Any) -> Path:
    network, names = network_of(words)
    torch.save({**nested(network.state_dict(), names), **more}, path, _use_new_zipfile_serialization=False)
    return path


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def imported(path: Path, *words: object) -> dict[str, Any]:
    result = run("weights", "import", path, *words, "--json")
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def refused(code: int, *words: object) -> str:
    """Message and hint of a command that must fail so; one line each, no traceback."""
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    told = json.loads(result.stdout)
    assert result.stderr.endswith(f"error: {told['error']}\n" + (f"hint: {told['hint']}\n" if told["hint"] else ""))
    return f"{told['error']} | {told['hint']}"


@pytest.mark.usefixtures("is_small")
@torch.inference_mode()
def test_the_whole_way_of_the_first_order_model(tmp_path: Path) -> None:
    told = imported(saved(tmp_path / "vox-adv-cpk.pth.tar", FIRST_ORDER))
    assert told["use"] == "--backend first-order --set weights=vox-adv-cpk"
    assert (told["form"], told["design"]) == ("first-order", FIRST_ORDER)
    assert told["tensors"] == len(network_of(FIRST_ORDER)[1])
    backend = make_backend("first-order", {"weights": "vox-adv-cpk"}, CPU)
    assert isinstance(backend, FirstOrderBackend)
    assert (backend.resolution, backend.network.motion.align_corners) == (SIDE, True)
    network, _ = network_of(FIRST_ORDER)
    assert isinstance(network, FirstOrder)
    source, driving = pictures(1, SIDE, SIDE), pictures(2, SIDE, SIDE, seed=2)
    found = backend.network(backend.network.encode(source), backend.network.detector(driving))
    wanted = network(network.encode(source), network.detector(driving))
    assert torch.equal(found.pictures, wanted.pictures)
    assert list(backend.network.state_dict()) == list(network.state_dict())  # no opponent, no optimizer


@pytest.mark.usefixtures("is_small")
@torch.inference_mode()
def test_the_whole_way_of_articulated_animation(tmp_path: Path) -> None:
    told = imported(saved(tmp_path / "taichi64.pth", ARTICULATED))
    assert (told["form"], told["notes"]) == ("articulated-avd", ["imported: articulated animation, with AVD"])
    backend = make_backend("articulated", {"weights": "taichi64"}, CPU)
    assert isinstance(backend, ArticulatedBackend)
    network, _ = network_of(ARTICULATED)
    assert isinstance(network, Articulated)
    assert network.avd is not None
    assert backend.network.avd is not None
    assert not backend.network.motion.align_corners
    source, driving = network.regions(pictures(1, SIDE, SIDE)), network.regions(pictures(2, SIDE, SIDE, seed=2))
    assert torch.equal(backend.network.avd(source, driving).affine, network.avd(source, driving).affine)
    refusal = refused(
        4, "animate", "--backend", "first-order", "--set", "weights=taichi64", "-s", still(tmp_path),
        "-d", still(tmp_path), "-o", tmp_path / "a.mp4",
    )  # fmt: skip
    assert "taichi64.safetensors has weights of articulated, not of first-order | --backend articulated" in refusal


def still(folder: Path) -> Path:
    path = folder / "still.png"
    write_png(path, (pictures(1, SIDE, SIDE)[0] * 255).byte().permute(1, 2, 0).numpy())
    return path


@pytest.mark.usefixtures("is_small")
def test_animation_by_disentanglement_needs_weights_with_it(tmp_path: Path) -> None:
    path = still(tmp_path)
    words = ("animate", "--backend", "articulated", "-s", path, "-d", path, "-o", tmp_path / "made" / "%02d.png")
    small = ("--set", "weights=none", "--set", "width=8", "--set", "most=32", "--set", "resolution=64")
    refusal = refused(2, *words, *small, "--set", "animation=avd")
    assert "animation=avd: the weights have no network that tells pose from identity" in refusal
    imported(saved(tmp_path / "taichi64.pth", ARTICULATED))
    result = run(
        *words, "--set", "weights=taichi64", "--set", "animation=avd", "--adapt_scale", "--find_best_frame", "--json"
    )
    assert result.exit_code == 0, result.output
    (made,) = (tmp_path / "made").iterdir()
    assert over_white(read_picture(made)).shape == (SIDE, SIDE, 3)


@pytest.mark.usefixtures("is_small")
def test_the_resolution_of_training(tmp_path: Path) -> None:
    path = saved(tmp_path / "ted384.pth", ARTICULATED)
    told = imported(path)
    assert told["design"]["resolution"] == "384"
    assert told["notes"][1:] == ["its name tells of 384 pixels a side; no more is known"]
    assert "note: its name tells of 384 pixels" in run("weights", "import", path, "--name", "again").stdout
    assert make_backend("articulated", {"weights": "ted384"}, CPU).resolution == 384  # type: ignore[attr-defined]
    said = imported(path, "--resolution", 512, "--name", "said")
    assert (said["design"]["resolution"], len(said["notes"])) == ("512", 1)
    plain = imported(path.rename(tmp_path / "run-12x3072.pth"), "--name", "plain")
    assert plain["design"]["resolution"] == "64"
    assert "--resolution 16: out of bounds" in refused(
        2, "weights", "import", tmp_path / "run-12x3072.pth", "--resolution", 16
    )


def test_a_resolution_means_nothing_to_other_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = Recogniser("sum", "the sum", "warper", {"a": "b"}, {"b": (1,)}, {"way": "sum"}, "MIT", "https://a.test/")
    monkeypatch.setattr(import_weights, "recognisers", lambda: (form,))
    path = tmp_path / "sum384.pth"
    torch.save({"a": torch.zeros(1)}, path)
    assert "the sum is kept without one" in refused(2, "weights", "import", path, "--resolution", 384)
    assert imported(path)["design"] == {"way": "sum"}


def zeros(form: str, **over: Any) -> dict[str, Any]:
    """A released file of full size, all zeros, which take no room."""
    found = FORMS[form]
    none = {ours: torch.zeros(()).expand(shape) for ours, shape in found.shapes.items()}
    counters = {ours: torch.zeros((), dtype=torch.int64) for ours in none if ours.endswith("num_batches_tracked")}
    return nested({**none, **counters}, found.names) | over


def test_checkpoints_of_other_forms_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "taichi256.pth"
    torch.save(zeros("articulated"), path)
    refusal = refused(4, "weights", "import", path, "--as", "first-order")
    assert "beside the first order model: " in refusal
    assert "missing (kp_detector." in refusal
    assert "unexpected (region_predictor." in refusal
    parts = zeros("first-order")
    del parts["kp_detector"]
    torch.save(parts, path)
    assert "missing (kp_detector." in refused(4, "weights", "import", path)
    parts = zeros("first-order")
    parts["generator"]["final.weight"] = torch.zeros(1, 64, 7, 7)
    torch.save(parts, path)
    assert "1 of another shape (generator.final.weight is (1, 64, 7, 7) instead of (3, 64, 7, 7))" in refused(
        4, "weights", "import", path
    )
    assert not (tmp_path / "retarget_weights").exists()


PARTS = {
    "first-order": {
        "generator": ("fomm_generator", "OcclusionAwareGenerator"),
        "kp_detector": ("fomm_kp_detector", "KPDetector"),
    },
    "articulated-avd": {
        "generator": ("aa_generator", "Generator"),
        "region_predictor": ("aa_region_predictor", "RegionPredictor"),
        "bg_predictor": ("aa_bg_predictor", "BGMotionPredictor"),
        "avd_network": ("aa_avd_network", "AVDNetwork"),
    },
}


def official(form: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A checkpoint of full size with the weights of the records, and what the released code made with them."""
    arrays, rules = record("fomm" if form == "first-order" else "aa")
    found = FORMS[form]
    network = FirstOrder(FirstOrderDesign()) if form == "first-order" else Articulated(ArticulatedDesign(has_avd=True))
    state = network.state_dict()
    for part, (keys, cls) in PARTS[form].items():
        drawn = fill(official_shapes(keys), **rule_of(rules, cls))
        state |= {found.names[f"{part}.{name}"]: value for name, value in drawn.items() if not name.endswith(OWN)}
    return nested(state, found.names), tensors(arrays)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "tolerance"), [("first-order", 3e-4), ("articulated-avd", 5e-3)])
@torch.inference_mode()
def test_official_sizes_give_the_recorded_pictures_and_animate(form: str, tolerance: float, tmp_path: Path) -> None:
    saved_parts, arrays = official(form)
    torch.save(saved_parts, tmp_path / "official256.pth.tar", _use_new_zipfile_serialization=False)
    told = imported(tmp_path / "official256.pth.tar")
    assert (told["form"], told["design"]["resolution"]) == (form, "256")
    backend = make_backend(told["backend"], {"weights": "official256"}, CPU)
    source, driving = arrays["src"], arrays["drv"]
    if isinstance(backend, FirstOrderBackend):
        made = backend.network(backend.network.encode(source), backend.network.detector(driving))
        wanted = arrays["prediction_ac1"]
    else:
        assert isinstance(backend, ArticulatedBackend)
        behind = backend.network.background(source, driving)
        made = backend.network(backend.network.encode(source), backend.network.regions(driving), behind)
        wanted = arrays["pred_ac0"]
    torch.testing.assert_close(made.pictures, wanted, atol=tolerance, rtol=0)
    frames = animated(tmp_path, told["backend"], source, driving)
    assert len(frames) == 2
    # Source and frames have eight bits, and the recorded ones are white noise, of which a warp makes much.
    apart = (frames[1] - wanted[0].permute(1, 2, 0)).abs()
    assert float(apart.median()) < 2 / 255


def animated(folder: Path, backend: str, source: Tensor, driving: Tensor) -> list[Tensor]:
    """The source led by a clip of both pictures, in absolute motion."""
    (folder / "clip").mkdir()
    for number, picture in enumerate((source, driving)):
        shown = (picture[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        write_png(folder / "clip" / f"{number}.png", shown)
    result = run(
        "animate", "--backend", backend, "--set", "weights=official256", "--motion", "absolute",
        "-s", folder / "clip" / "0.png", "-d", folder / "clip", "-o", folder / "made" / "%02d.png", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    made = [read_picture(path) for path in sorted((folder / "made").glob("*.png"))]
    return [torch.from_numpy(over_white(each)).float() / 255 for each in made]
