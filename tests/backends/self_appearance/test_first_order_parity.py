"""The first order model beside recordings of its authors' code, under the same weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tests.backends.self_appearance.released import close, farthest, fill_network, other_reading, tensors
from tests.reference_weights import record
from torch import Tensor

from retarget_cli.backends.self_appearance.blocks import Reduction
from retarget_cli.backends.self_appearance.discriminator import Discriminator, DiscriminatorDesign
from retarget_cli.backends.self_appearance.first_order import FirstOrder, FirstOrderDesign, Made
from retarget_cli.backends.self_appearance.keypoints import Keypoints, movement_scale, spots, transferred
from retarget_cli.backends.self_appearance.official import (
    detector_names,
    discriminator_names,
    generator_names,
    motion_names,
)
from retarget_cli.backends.self_appearance.sampling import warped
from retarget_cli.backends.self_appearance.transform import Transform

# Keypoints, flow, prediction; pictures of white noise, which a warp amplifies.
TIGHT, NOISY = 3e-4, 2e-3
READINGS = {"_ac1": True, "_ac0": False}


@dataclass(frozen=True)
class Recorded:
    arrays: dict[str, Tensor]
    rules: list[dict[str, Any]]
    networks: dict[str, FirstOrder]

    def keypoints(self, which: str) -> Keypoints:
        return Keypoints(self.arrays[f"kp_{which}"], self.arrays[f"jac_{which}"])


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    arrays, rules = record("fomm")
    network = FirstOrder(FirstOrderDesign(), READINGS["_ac1"])
    fill_network(network.detector, detector_names(network.detector), "fomm_kp_detector", rules, "KPDetector")
    inside = {f"dense_motion_network.{name}": f"motion.{ours}" for name, ours in motion_names(network.motion).items()}
    names = inside | {name: f"generator.{ours}" for name, ours in generator_names(network.generator).items()}
    fill_network(network, names, "fomm_generator", rules, "OcclusionAwareGenerator")
    with torch.device("meta"):
        other = FirstOrder(FirstOrderDesign(), READINGS["_ac0"])
    networks = {"_ac1": network.eval(), "_ac0": other_reading(network, other)}
    return Recorded(tensors(arrays), rules, networks)


@torch.inference_mode()
def made(recorded: Recorded, reading: str) -> Made:
    network, arrays = recorded.networks[reading], recorded.arrays
    return network(network.encode(arrays["src"]), network.detector(arrays["drv"]))


@torch.inference_mode()
def test_keypoints_and_jacobians(recorded: Recorded) -> None:
    detector = recorded.networks["_ac1"].detector
    for picture, which in (("src", "s"), ("drv", "d")):
        found, wanted = detector(recorded.arrays[picture]), recorded.keypoints(which)
        close(found.place, wanted.place, TIGHT)
        assert found.jacobian is not None
        assert wanted.jacobian is not None
        close(found.jacobian, wanted.jacobian, TIGHT)
    assert farthest(recorded.keypoints("s").place, recorded.keypoints("d").place) > 0.1


@pytest.mark.parametrize("reading", READINGS)
def test_motion_and_picture(recorded: Recorded, reading: str) -> None:
    found, arrays = made(recorded, reading), recorded.arrays
    motion = found.motion
    assert motion.occlusion is not None
    close(motion.flow, arrays[f"deformation{reading}"], TIGHT)
    close(motion.coefficients, arrays[f"mask{reading}"], TIGHT)
    close(motion.occlusion, arrays[f"occlusion{reading}"], TIGHT)
    close(motion.warped, arrays[f"sparse_deformed{reading}"], NOISY)
    close(found.pictures, arrays[f"prediction{reading}"], TIGHT)
    close(warped(arrays["src"], motion.flow, READINGS[reading]), arrays[f"deformed{reading}"], NOISY)


def test_the_two_readings_differ_by_more_than_is_tolerated(recorded: Recorded) -> None:
    arrays = recorded.arrays
    assert farthest(arrays["prediction_ac0"], arrays["prediction_ac1"]) > 10 * TIGHT
    assert farthest(arrays["deformed_ac0"], arrays["deformed_ac1"]) > 10 * NOISY


@pytest.mark.parametrize(("step", "key"), [(2, "down0.5"), (4, "down025"), (8, "down0.125")])
def test_smooth_reduction(recorded: Recorded, step: int, key: str) -> None:
    reduction = Reduction(3, step)
    close(reduction(recorded.arrays["src"]), recorded.arrays[key], 1e-6)
    if step == 4:
        close(reduction.kernel[0, 0], recorded.arrays["down025_kernel"], 1e-7)


def test_spots(recorded: Recorded) -> None:
    close(spots(recorded.keypoints("s").place, 64, 64), recorded.arrays["kp2gaussian"], 1e-5)


def test_relative_motion_with_its_scale(recorded: Recorded) -> None:
    source, driving, first = (recorded.keypoints(which) for which in "sd0")
    scale = movement_scale(source, first)
    assert 0.5 < scale < 0.95
    found = transferred(source, driving, first, scale)
    assert found.jacobian is not None
    close(found.place, recorded.arrays["kp_norm"], 1e-5)
    close(found.jacobian, recorded.arrays["jac_norm"], 1e-5)


def test_thin_plate_transform(recorded: Recorded) -> None:
    """Recorded by a torch that reads grids with align_corners=False."""
    arrays = recorded.arrays
    transform = Transform(arrays["tps_theta"], arrays["tps_params"][:, 0])
    places = recorded.keypoints("d").place
    close(transform.moved(places), arrays["tps_warp"], 1e-5)
    close(transform.jacobian(places), arrays["tps_jac"], 1e-5)
    close(transform.pictures(arrays["drv"], align_corners=False), arrays["tps_frame"], NOISY)


@pytest.mark.parametrize(
    ("count", "keys", "score"), [(0, "fomm_discriminator", "D_map"), (10, "fomm_discriminator_adv", "DA_map")]
)
@torch.inference_mode()
def test_opponents(recorded: Recorded, count: int, keys: str, score: str) -> None:
    arrays = recorded.arrays
    network = Discriminator(DiscriminatorDesign(keypoints=count, is_spectral=count == 0)).eval()
    fill_network(network, discriminator_names(network), keys, recorded.rules, "MultiScaleDiscriminator")
    (found,) = network(arrays["src"], recorded.keypoints("d").place if count else None)
    close(found.score, arrays[score], TIGHT)
    if not count:
        assert len(found.features) == 4
        for row, features in enumerate(found.features):
            close(features[:, :4], arrays[f"D_f{row}"], TIGHT)
