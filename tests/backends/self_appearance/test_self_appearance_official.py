"""Released checkpoints: names one to one, recognised, and put under ours; nothing in a file is run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from tests.backends.self_appearance.miniatures import articulated, first_order
from tests.reference_weights import official_shapes
from torch import Tensor, nn

from retarget_cli.backends.official import recognisers as all_recognisers
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.designs import articulated_design, first_order_design
from retarget_cli.backends.self_appearance.discriminator import Discriminator, DiscriminatorDesign
from retarget_cli.backends.self_appearance.first_order import FirstOrder
from retarget_cli.backends.self_appearance.official import (
    Released,
    articulated_names,
    discriminator_names,
    first_order_names,
    recognisers,
)
from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.importing import Recogniser, recognise
from retarget_cli.weights.nested import flattened

FORMS = {each.name: each for each in recognisers()}
LISTS = {
    "first-order": {"generator": "fomm_generator", "kp_detector": "fomm_kp_detector"},
    "articulated-avd": {
        "generator": "aa_generator",
        "region_predictor": "aa_region_predictor",
        "bg_predictor": "aa_bg_predictor",
        "avd_network": "aa_avd_network",
    },
}
LISTS["articulated"] = {part: keys for part, keys in LISTS["articulated-avd"].items() if part != "avd_network"}
LISTS["articulated-still-avd"] = {
    part: keys for part, keys in LISTS["articulated-avd"].items() if part != "bg_predictor"
}


def checkpoint(form: Recogniser) -> dict[str, dict[str, Tensor]]:
    """As it was saved, all zeros; a file of them is small."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, ours in form.names.items():
        part, _, inside = name.partition(".")
        kind = torch.int64 if inside.endswith("num_batches_tracked") else torch.float32
        parts.setdefault(part, {})[inside] = torch.zeros((), dtype=kind).expand(form.shapes[ours])
    return parts


def beside() -> dict[str, object]:
    """What lies beside the networks in such a file."""
    adam = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 2e-4, "params": [0]}]}
    with torch.device("meta"):
        opponent = Discriminator(DiscriminatorDesign())
    names = discriminator_names(opponent)
    own = opponent.state_dict()
    state = {theirs: torch.zeros(()).expand(own[ours].shape) for theirs, ours in names.items()}
    return {"discriminator": state, "optimizer_generator": adam, "optimizer_kp_detector": adam, "epoch": 99}


def read(path: Path, saved: Mapping[str, object]) -> Mapping[str, Tensor]:
    torch.save(dict(saved), path)
    found = flattened(torch.load(path, weights_only=True))
    assert isinstance(found, Mapping)
    return found


@pytest.mark.parametrize("form", LISTS)
def test_names_and_shapes_are_those_of_the_released_code(form: str) -> None:
    wanted = {
        f"{part}.{name}": shape for part, keys in LISTS[form].items() for name, shape in official_shapes(keys).items()
    }
    found = FORMS[form]
    assert {theirs: found.shapes[ours] for theirs, ours in found.names.items()} == wanted


@pytest.mark.parametrize("form", FORMS)
def test_names_are_one_to_one_and_all_of_ours(form: str) -> None:
    found = FORMS[form]
    assert len(set(found.names.values())) == len(found.names)
    assert set(found.names.values()) == set(found.shapes)


def test_other_designs_have_names_too() -> None:
    for network, names in (
        (first_order(4), first_order_names(first_order(4))),
        (articulated(4), articulated_names(articulated(4))),
    ):
        assert sorted(names.values()) == sorted(network.state_dict())
    opponent = Discriminator(DiscriminatorDesign(width=2, steps=(1, 2, 8)))
    names = discriminator_names(opponent)
    assert sorted(names.values()) == sorted(opponent.state_dict())
    assert {name.split(".")[1] for name in names} == {"1", "0-5", "0-125"}


def test_forms_are_known_and_say_how_to_build_the_network() -> None:
    assert set(FORMS) <= {each.name for each in all_recognisers()}
    assert FORMS["first-order"].design == {
        "keypoints": "10", "jacobian_maps": "10", "align_corners": "yes", "resolution": "256",
    }  # fmt: skip
    assert FORMS["first-order-shared"].design["jacobian_maps"] == "1"
    assert FORMS["articulated-avd"].design == {
        "keypoints": "10", "avd": "yes", "background": "yes", "align_corners": "no", "resolution": "256",
    }  # fmt: skip
    assert FORMS["articulated"].design["avd"] == "no"
    assert FORMS["articulated-still-avd"].design["background"] == "no"
    assert [FORMS[name].license.split()[0] for name in ("first-order", "articulated")] == ["MIT", "none"]


@pytest.mark.parametrize("form", FORMS)
def test_a_checkpoint_is_recognised_among_all(form: str, tmp_path: Path) -> None:
    state = read(tmp_path / "cpk.pth.tar", checkpoint(FORMS[form]) | beside())
    assert not any(name.startswith(("optimizer", "epoch")) for name in state)
    found = recognise(state, all_recognisers(), "cpk.pth.tar")
    assert found.name == form
    made = found.convert(state)
    assert {name: tuple(tensor.shape) for name, tensor in made.items()} == found.shapes


@pytest.mark.parametrize("form", FORMS)
def test_what_is_converted_fits_the_network_of_its_design(form: str) -> None:
    found = FORMS[form]
    with torch.device("meta"):
        network: nn.Module = (
            Articulated(*articulated_design(found.design))
            if found.backend == "articulated"
            else FirstOrder(*first_order_design(found.design))
        )
    state = flattened(checkpoint(FORMS[form]))
    assert isinstance(state, Mapping)
    assert not any(network.load_state_dict(found.convert(state), assign=True))
    assert not any(tensor.is_meta for tensor in network.state_dict().values())


@pytest.mark.parametrize("form", FORMS)
def test_another_count_of_parts_is_the_same_form(form: str, tmp_path: Path) -> None:
    """TED-talks at 384 pixels was released with 20 regions."""
    ten = FORMS[form]
    assert isinstance(ten, Released)
    assert ten.of is not None
    twenty = ten.of(20)
    state = read(tmp_path / "ted-youtube384.pth", checkpoint(twenty))
    found = recognise(state, all_recognisers(), "ted-youtube384.pth")
    assert (found.name, found.design["keypoints"]) == (form, "20")
    assert found.design.get("jacobian_maps", "20") == ("1" if form.endswith("shared") else "20")
    with torch.device("meta"):
        network: nn.Module = (
            Articulated(*articulated_design(found.design))
            if found.backend == "articulated"
            else FirstOrder(*first_order_design(found.design))
        )
    assert not any(network.load_state_dict(found.convert(state), assign=True))


def test_counts_that_disagree_are_told() -> None:
    saved = checkpoint(FORMS["articulated"])
    saved["region_predictor"]["regions.bias"] = torch.zeros(12)
    state = flattened(saved)
    assert isinstance(state, Mapping)
    with pytest.raises(WeightsError, match=r"of another shape \(region_predictor.regions.weight is \(10,"):
        recognise(state, recognisers(), "cpk.pth")
    state = {**state, "region_predictor.regions.bias": torch.zeros(0)}
    with pytest.raises(WeightsError, match=r"regions.bias is \(0,\) instead of \(10,\)"):
        recognise(state, recognisers(), "cpk.pth")


def test_counters_and_the_opponent_may_be_missing(tmp_path: Path) -> None:
    saved = {
        part: {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
        for part, state in checkpoint(FORMS["first-order"]).items()
    }
    state = read(
        tmp_path / "cpk.pth", {part: {f"module.{key}": t for key, t in own.items()} for part, own in saved.items()}
    )
    found = recognise(state, recognisers(), "cpk.pth")
    assert found.name == "first-order"
    assert len(found.convert(state)) == sum(len(own) for own in saved.values())


def test_what_does_not_fit_is_told() -> None:
    saved = checkpoint(FORMS["first-order"])
    saved["kp_detector"]["kp.weight"] = torch.zeros(5, 35, 7, 7)
    state = flattened(saved)
    assert isinstance(state, Mapping)
    with pytest.raises(WeightsError, match=r"beside the first order model: 1 of another shape \(kp_detector.kp.weight"):
        recognise(state, recognisers(), "cpk.pth")
    with pytest.raises(WeightsError, match="missing"):
        recognise(
            {name: tensor for name, tensor in state.items() if name.startswith("kp_detector")}, recognisers(), "cpk.pth"
        )


@pytest.mark.parametrize("broken", [torch.full((10,), float("nan")), torch.zeros(10, dtype=torch.int64)])
def test_values_that_are_no_numbers_are_refused(broken: Tensor) -> None:
    saved = checkpoint(FORMS["first-order"])
    saved["kp_detector"]["kp.bias"] = broken
    state = flattened(saved)
    assert isinstance(state, Mapping)
    with pytest.raises(WeightsError, match=r"kp_detector\.kp\.bias holds values that are not finite"):
        FORMS["first-order"].convert(state)


@pytest.mark.parametrize(
    ("form", "count", "has_optimizer", "size"),
    [
        ("articulated-avd", 10, False, 273_409_176),  # taichi256.pth
        ("articulated-avd", 10, False, 273_409_224),  # ted384.pth
        ("articulated-avd", 10, True, 291_747_542),  # vox256.pth
        ("articulated-avd", 20, True, 292_943_746),  # ted-youtube384.pth
        ("articulated-still-avd", 10, False, 248_256_308),  # mgif256.pth
    ],
)
def test_forms_are_as_large_as_the_files_that_were_released(
    form: str, count: int, has_optimizer: bool, size: int
) -> None:
    """Their repository names the sizes. Two lie with both moments of the optimizer of AVD; names take the rest."""
    ten = FORMS[form]
    assert isinstance(ten, Released)
    assert ten.of is not None
    rows = [(name, math.prod(shape)) for name, shape in ten.of(count).shapes.items()]
    told = sum(numbers * (8 if name.endswith("num_batches_tracked") else 4) for name, numbers in rows)
    learned = sum(numbers for name, numbers in rows if name.startswith("avd.") and "running" not in name)
    assert 50_000 < size - told - has_optimizer * 8 * learned < 100_000
