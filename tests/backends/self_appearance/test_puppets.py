"""How another's motion is taken over: relative, absolute, scaled, and by telling pose from identity."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.backends.self_appearance.miniatures import articulated, first_order, pictures
from torch import Tensor

from retarget_cli.backends.base import Window
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.keypoints import movement_scale, transferred
from retarget_cli.backends.self_appearance.performer import (
    ArticulatedPuppet,
    FirstOrderPuppet,
    LedPerformer,
    Puppet,
    laid_in,
)
from retarget_cli.backends.self_appearance.regions import Regions, moved_regions
from retarget_cli.core.errors import BackendError, UsageError
from retarget_cli.core.footage import Footage, unseen

SIDE = 64
CPU = torch.device("cpu")


def shots(count: int, seed: int) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = (pictures(count, SIDE, SIDE, seed) * 255).byte().permute(0, 2, 3, 1).numpy()
    return found


SOURCE, CLIP = shots(1, 3), shots(3, 4)


def seen(shown: NDArray[np.uint8]) -> Tensor:
    return laid_in(shown, SIDE, CPU)


def played(puppet: Puppet, *, reference: NDArray[np.uint8] | None = None, is_scaled: bool = False) -> Tensor:
    """What a performer makes of the clip, its alpha left out."""
    footage = Footage(tuple(Fraction(row, 25) for row in range(len(CLIP))), CLIP, reference, is_scaled)
    windows = [Window(start, unseen(part), part) for start in (0, 2) if (part := footage.rows(start, start + 2))]
    found = torch.cat(list(LedPerformer(puppet, (SIDE, SIDE), SIDE, CPU).perform(iter(windows))))
    assert bool((found[:, 3] == 1).all())
    return found[:, :3]


@torch.inference_mode()
def wanted(network: Articulated, parts: Regions) -> Tensor:
    found: Tensor = network(network.encode(seen(SOURCE)), parts).pictures.clamp(0, 1)
    return found


def close(found: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(found, other, atol=2e-5, rtol=0)


@pytest.fixture(scope="module")
def network() -> Articulated:
    return articulated()


@pytest.fixture(scope="module")
def regions(network: Articulated) -> tuple[Regions, Regions, Regions]:
    """The source's, the clip's, and its first frame's."""
    with torch.inference_mode():
        return network.regions(seen(SOURCE)), network.regions(seen(CLIP)), network.regions(seen(CLIP[:1]))


def test_relative_regions_move_as_the_clip_has(
    network: Articulated, regions: tuple[Regions, Regions, Regions]
) -> None:
    found = played(ArticulatedPuppet(network, seen(SOURCE), "relative"), reference=CLIP[0])
    close(found, wanted(network, moved_regions(*regions)))


def test_scaled_movements_of_regions(network: Articulated, regions: tuple[Regions, Regions, Regions]) -> None:
    own, driving, first = regions
    scale = movement_scale(own.keypoints, first.keypoints)
    assert abs(scale - 1) > 0.01
    puppet = ArticulatedPuppet(network, seen(SOURCE), "relative")
    found = played(puppet, reference=CLIP[0], is_scaled=True)
    close(found, wanted(network, moved_regions(own, driving, first, scale)))


@pytest.mark.parametrize("animation", ["auto", "avd", "relative"])
def test_absolute_regions_are_taken_as_they_are(
    network: Articulated, regions: tuple[Regions, Regions, Regions], animation: str
) -> None:
    close(played(ArticulatedPuppet(network, seen(SOURCE), animation)), wanted(network, regions[1]))


@pytest.mark.parametrize("animation", ["auto", "avd"])
def test_disentangled_regions_need_no_first_frame(
    network: Articulated, regions: tuple[Regions, Regions, Regions], animation: str
) -> None:
    assert network.avd is not None
    puppet = ArticulatedPuppet(network, seen(SOURCE), animation)
    with torch.inference_mode():
        disentangled = network.avd(regions[0], regions[1])
    found = played(puppet, reference=CLIP[0])
    close(found, wanted(network, disentangled))
    assert torch.equal(found, played(puppet, reference=CLIP[2], is_scaled=True))
    assert not torch.allclose(found, wanted(network, moved_regions(*regions)), atol=1e-3)


def test_disentangling_needs_its_network(regions: tuple[Regions, Regions, Regions]) -> None:
    without = articulated(has_avd=False)
    with pytest.raises(UsageError, match="animation=avd: the weights have no network") as caught:
        ArticulatedPuppet(without, seen(SOURCE), "avd")
    assert "avd" in caught.value.hint
    puppet = ArticulatedPuppet(without, seen(SOURCE), "auto")
    moved = puppet.handed_over(regions[1], regions[2], 1.0)
    assert isinstance(moved, Regions)
    assert isinstance(puppet.own, Regions)
    torch.testing.assert_close(moved.place, moved_regions(puppet.own, *regions[1:]).place)


def test_the_background_moves_where_the_camera_does(regions: tuple[Regions, Regions, Regions]) -> None:
    network = articulated()
    with torch.no_grad():
        network.background.affine.weight.normal_(std=0.05)
    found = played(ArticulatedPuppet(network, seen(SOURCE), camera_moves=True))
    with torch.inference_mode():
        background = network.background(seen(SOURCE), seen(CLIP))
        moved = network(network.encode(seen(SOURCE)), regions[1], background).pictures
    close(found, moved.clamp(0, 1))
    assert not torch.allclose(found, played(ArticulatedPuppet(network, seen(SOURCE))), atol=1e-3)
    network.background.moves = False
    with pytest.raises(UsageError, match="camera=moves"):
        ArticulatedPuppet(network, seen(SOURCE), camera_moves=True)


def test_the_frame_most_like_the_source_is_the_source_itself(network: Articulated) -> None:
    clip = np.concatenate([CLIP, SOURCE])
    footage = Footage(tuple(Fraction(row) for row in range(4)), clip)
    for puppet in (ArticulatedPuppet(network, seen(SOURCE)), FirstOrderPuppet(first_order(), seen(SOURCE))):
        apart = LedPerformer(puppet, (SIDE, SIDE), SIDE, CPU).apart(footage)
        assert apart[3] < 1e-8
        assert min(apart[:3]) > 1e-4


def test_relative_keypoints() -> None:
    network = first_order()
    puppet = FirstOrderPuppet(network, seen(SOURCE))
    with torch.inference_mode():
        own, driving, first = (network.detector(seen(shown)) for shown in (SOURCE, CLIP, CLIP[:1]))
        moved = transferred(own, driving, first, movement_scale(own, first))
        other = network(network.encode(seen(SOURCE)), moved).pictures.clamp(0, 1)
    close(played(puppet, reference=CLIP[0], is_scaled=True), other)


def test_without_pictures_nothing_is_led() -> None:
    footage = Footage((Fraction(0),), CLIP[:1])
    performer = LedPerformer(FirstOrderPuppet(first_order(), seen(SOURCE)), (SIDE, SIDE), SIDE, CPU)
    with pytest.raises(BackendError, match="led by pixels"):
        list(performer.perform(iter([Window(0, unseen(footage))])))
