"""Articulated animation beside recordings of its authors' code, under the same weights."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from tests.backends.self_appearance.released import close, farthest, fill_network, other_reading, tensors
from tests.reference_weights import record
from torch import Tensor

from retarget_cli.backends.self_appearance.articulated import Articulated, ArticulatedDesign
from retarget_cli.backends.self_appearance.official import (
    avd_names,
    background_names,
    generator_names,
    motion_names,
    region_names,
)
from retarget_cli.backends.self_appearance.regions import Regions
from retarget_cli.backends.self_appearance.sampling import warped

# An SVD and an inverse of nearly singular covariances lie before whatever is loose.
TIGHT, LOOSE = 3e-4, 5e-3
READINGS = {"_ac0": False, "_ac1": True}


@dataclass(frozen=True)
class Recorded:
    arrays: dict[str, Tensor]
    networks: dict[str, Articulated]

    def regions(self, which: str) -> Regions:
        return Regions(*(self.arrays[f"{part}_{which}"] for part in ("shift", "affine", "covar")))


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    arrays, rules = record("aa")
    network = Articulated(ArticulatedDesign(has_avd=True), READINGS["_ac0"])
    assert network.avd is not None
    fill_network(network.regions, region_names(network.regions), "aa_region_predictor", rules, "RegionPredictor")
    fill_network(
        network.background, background_names(network.background), "aa_bg_predictor", rules, "BGMotionPredictor"
    )
    fill_network(network.avd, avd_names(network.avd), "aa_avd_network", rules, "AVDNetwork")
    names = {
        **{f"pixelwise_flow_predictor.{name}": f"motion.{ours}" for name, ours in motion_names(network.motion).items()},
        **{name: f"generator.{ours}" for name, ours in generator_names(network.generator).items()},
    }
    fill_network(network, names, "aa_generator", rules, "Generator")
    with torch.device("meta"):
        other = Articulated(ArticulatedDesign(has_avd=True), READINGS["_ac1"])
    return Recorded(tensors(arrays), {"_ac0": network.eval(), "_ac1": other_reading(network, other)})


@torch.inference_mode()
def test_regions(recorded: Recorded) -> None:
    for picture, which in (("src", "s"), ("drv", "d")):
        found, wanted = recorded.networks["_ac0"].regions(recorded.arrays[picture]), recorded.regions(which)
        close(found.place, wanted.place, TIGHT)
        close(found.covariance, wanted.covariance, TIGHT)
        close(found.affine, wanted.affine, LOOSE)


@torch.inference_mode()
def test_background(recorded: Recorded) -> None:
    """Its last layer was left as it begins, so that this says no more than that it begins at the identity."""
    found = recorded.networks["_ac0"].background(recorded.arrays["src"], recorded.arrays["drv"])
    close(found, recorded.arrays["bg"], 1e-6)


@pytest.mark.parametrize("reading", READINGS)
@torch.inference_mode()
def test_motion_and_picture(recorded: Recorded, reading: str) -> None:
    network, arrays = recorded.networks[reading], recorded.arrays
    source, driving = network.encode(arrays["src"]), network.regions(arrays["drv"])
    found = network(source, driving, network.background(arrays["src"], arrays["drv"]))
    motion = found.motion
    assert motion.occlusion is not None
    close(motion.flow, arrays[f"flow{reading}"], LOOSE)
    close(motion.occlusion, arrays[f"occ{reading}"], LOOSE)
    close(found.pictures, arrays[f"pred{reading}"], LOOSE)
    close(warped(arrays["src"], motion.flow, READINGS[reading]), arrays[f"deformed{reading}"], LOOSE)


def test_the_two_readings_differ_by_more_than_is_tolerated(recorded: Recorded) -> None:
    arrays = recorded.arrays
    assert farthest(arrays["pred_ac0"], arrays["pred_ac1"]) > 5 * LOOSE
    assert farthest(arrays["deformed_ac0"], arrays["deformed_ac1"]) > 5 * LOOSE


@torch.inference_mode()
def test_animation_by_disentanglement(recorded: Recorded) -> None:
    network = recorded.networks["_ac0"].avd
    assert network is not None
    found = network(recorded.regions("s"), recorded.regions("d"))
    close(found.place, recorded.arrays["avd_shift"], TIGHT)
    close(found.affine, recorded.arrays["avd_affine"], TIGHT)
    close(found.covariance, found.affine @ found.affine.mT, 1e-6)
