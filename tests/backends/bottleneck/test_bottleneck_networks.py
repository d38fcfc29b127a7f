"""The networks by themselves: shapes, what the untrained flow does, equation 2, gradients, precision."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.backends.stage.postures import picture, posed, poses, turned_poses
from torch import Tensor, nn

from retarget_cli.backends.bottleneck.background import BackgroundNetwork
from retarget_cli.backends.bottleneck.model import Bottleneck, BottleneckDesign, Made
from retarget_cli.backends.bottleneck.occupancy import mask, occupancy
from retarget_cli.backends.bottleneck.sampling import lattice, rigid_places, turned
from retarget_cli.backends.bottleneck.volumes import Volumes
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.body.skeleton import JOINT
from retarget_cli.core.errors import UsageError

SMALL = BottleneckDesign(resolution=64, width=4, channels=4)
MAPS = replace(SMALL, driven_by="maps")
BARE = replace(SMALL, background=False)


def network(design: BottleneckDesign = SMALL, *, speaks: bool = False) -> Bottleneck:
    """Untrained; or with a flow that says something, as after some steps."""
    torch.manual_seed(0)
    made = Bottleneck(design)
    if speaks:
        for parameter in made.flow.last.parameters():
            nn.init.normal_(parameter, std=0.05)
    return made


def row(posture: Posture, number: int) -> Posture:
    return Posture(posture.joints[number : number + 1], posture.bones[number : number + 1])


def close(found: Volumes, wanted: Volumes, tolerance: float = 1e-5) -> None:
    for ours, theirs in zip(found.levels, wanted.levels, strict=True):
        torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=0)


def apart(found: Volumes, wanted: Volumes) -> float:
    return float((found.levels[0] - wanted.levels[0]).abs().max())


@torch.inference_mode()
@pytest.mark.parametrize(
    ("design", "count"),
    [
        (SMALL, 2),
        (replace(MAPS, resolution=96), 3),
        (replace(SMALL, resolution=128), 1),
        (replace(BARE, resolution=256, width=1, channels=1), 1),
        (replace(SMALL, levels=1), 2),
        (replace(MAPS, levels=2, skips=False), 2),
    ],
)
def test_shapes(design: BottleneckDesign, count: int) -> None:
    ours, side = network(design), design.resolution
    seen, source, target = picture(count, side), poses(count, 1), poses(count, 2)
    volumes = ours.encode(seen, source)
    shapes = [
        (count, design.channels << level, side // 8 >> level, side // 4 >> level, side // 4 >> level)
        for level in range(design.levels)
    ]
    assert [tuple(level.shape) for level in volumes.levels] == shapes
    places = ours.places(seen, source, target)
    assert places.shape == (count, side // 16, side // 8, side // 8, 3)
    moved = ours.moved(volumes, places, target)
    kept = shapes if design.skips else shapes[-1:]
    assert [tuple(level.shape) for level in moved.levels] == kept
    made = ours.decode(moved)
    assert (made.colour.shape, made.confidence.shape) == ((count, 3, side, side), (count, 1, side, side))
    assert made.colour.abs().max() <= 1
    assert 0 <= made.confidence.min() <= made.confidence.max() <= 1
    assert [tuple(each.shape) for each in ours.masks(volumes)] == [(count, 1, *shape[3:]) for shape in shapes]
    assert [tuple(each.shape) for each in ours.masks(moved)] == [(count, 1, *shape[3:]) for shape in kept]
    assert ours.occupancy(moved).shape == (count, 1, *kept[0][2:])
    assert (volumes.body is None) == (design.driven_by == "maps")


@pytest.mark.parametrize(
    "wrong",
    [{"resolution": 100}, {"resolution": 32}, {"levels": 0}, {"levels": 4}, {"width": 0}, {"driven_by": "wires"}],
)
def test_impossible_designs(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        replace(SMALL, **wrong)  # type: ignore[arg-type]  # that is the point


@torch.inference_mode()
def test_untrained_maps_move_nothing() -> None:
    ours = network(MAPS)
    places = ours.places(picture(2, 64), poses(2, 1), poses(2, 2))
    assert torch.equal(places, lattice(MAPS.flow_size, places).expand_as(places))
    volumes = ours.encode(picture(2, 64), poses(2, 1))
    for ours_, theirs in zip(ours.moved(volumes, places).levels, volumes.levels, strict=True):
        assert torch.equal(ours_, theirs)


@torch.inference_mode()
def test_untrained_joints_in_the_same_pose_move_nothing() -> None:
    ours = network()
    seen, posture = picture(2, 64), poses(2, 1)
    places = ours.places(seen, posture, posture)
    torch.testing.assert_close(places, lattice(SMALL.flow_size, places).expand_as(places), atol=1e-6, rtol=0)
    volumes = ours.encode(seen, posture)
    close(ours.moved(volumes, places, posture), volumes, 1e-4)


@torch.inference_mode()
def test_untrained_joints_with_a_turned_root_turn_rigidly() -> None:
    ours = network()
    both = turned_poses([0.3, 1.0])
    places = ours.places(picture(1, 64), row(both, 0), row(both, 1))
    rotation = turned(torch.tensor([0.7]))
    torch.testing.assert_close(places, rigid_places(rotation, SMALL.flow_size), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_untrained_joints_follow_each_limb() -> None:
    """At the target's wrist the flow leads to the source's wrist, and so on."""
    ours = network(replace(BARE, resolution=256, width=1, channels=1))
    theta = np.zeros((1, 24, 3))
    theta[:, [JOINT["left_shoulder"], JOINT["right_hip"]]] = [[0, 0, -0.8], [-0.9, 0, 0.3]]
    source, target = poses(1, strength=0), posed(theta)
    places = ours.places(picture(1, 256), source, target)
    home = lattice(ours.design.flow_size, places)
    for name in ("left_elbow", "left_wrist", "right_knee", "right_ankle"):
        joint = JOINT[name]
        near = (home - target.joints[0, joint]).square().sum(-1).flatten().argmin()
        missed = (places[0].flatten(0, 2)[near] - source.joints[0, joint]).norm()
        assert missed < 0.12, name  # half a voxel's diagonal is 0.08
        assert (target.joints[0, joint] - source.joints[0, joint]).norm() > 0.15


@torch.inference_mode()
def test_turned_there_and_back() -> None:
    """Volumes come back where they stayed inside; the random features here are as rough as can be, so on average."""
    ours = network()
    volumes = ours.encode(picture(1, 64), poses(1, 1))
    half = turned(torch.tensor([math.pi]))
    close(ours.rotated(ours.rotated(volumes, half), half.mT), volumes, 1e-4)
    assert apart(ours.rotated(volumes, half), volumes) > 0.1
    still = ours.rotated(volumes, torch.eye(3)[None])
    close(still, volumes)


@torch.inference_mode()
def test_the_known_body_goes_along_or_is_the_targets() -> None:
    ours = network()
    both = turned_poses([0.0, math.pi / 2])
    source, target = row(both, 0), row(both, 1)
    volumes = ours.encode(picture(1, 64), source)
    turn = turned(torch.tensor([math.pi / 2]))
    told = ours.moved(volumes, rigid_places(turn, SMALL.flow_size), target)
    assert told.body is not None
    assert volumes.body is not None
    wanted = ours.encode(picture(1, 64), target).body
    assert wanted is not None
    assert torch.equal(told.body, wanted)
    carried = ours.rotated(volumes, turn)
    assert carried.body is not None
    assert (carried.body - told.body).abs().mean() < 0.4 * (volumes.body - told.body).abs().mean()


@torch.inference_mode()
@pytest.mark.parametrize("design", [BARE, replace(BARE, driven_by="maps"), replace(BARE, skips=False)])
def test_aggregation(design: BottleneckDesign) -> None:
    """Equation 2: equal views are themselves, others are averaged in any order, and the first one says the pose."""
    ours, still = network(design, speaks=True), network(design)
    seen, postures = picture(3, 64), poses(3, 1)
    views = [(seen[i : i + 1], row(postures, i)) for i in range(3)]
    alone = ours.aggregated(views[:1])
    close(still.aggregated([views[0]] * 3), still.aggregated(views[:1]), 1e-4)
    first, second = ours.aggregated(views), ours.aggregated([views[0], views[2], views[1]])
    close(first, second)
    assert apart(first, alone) > 0.05
    assert apart(first, ours.aggregated([views[1], views[0], views[2]])) > 0.05
    by_hand = [alone.levels[-1]]
    for each, posture in views[1:]:
        places = ours.places(each, posture, views[0][1])
        by_hand.append(ours.moved(ours.encode(each, posture), places, views[0][1]).levels[-1])
    torch.testing.assert_close(first.levels[-1], torch.stack(by_hand).mean(0))
    if alone.body is not None and first.body is not None:
        assert torch.equal(first.body, alone.body)


@torch.inference_mode()
def test_the_picture_depends_on_every_volume_that_is_moved() -> None:
    for design in (BARE, replace(BARE, skips=False)):
        ours = network(design)
        volumes = ours.encode(picture(1, 64), poses(1, 1))
        before = ours.decode(volumes).colour
        for number, level in enumerate(volumes.levels):
            others = list(volumes.levels)
            others[number] = level.flip(3)
            changed = (ours.decode(Volumes(tuple(others), volumes.body, volumes.photo)).colour - before).abs().max()
            assert (changed > 0.01) == (design.skips or number == len(others) - 1), number


@torch.inference_mode()
def test_a_frame_costs_the_same_however_many_references() -> None:
    """Equal calls of equal shapes: nothing of the views is left but one set of volumes."""
    ours = network(BARE)
    seen, postures = picture(4, 64), poses(4, 1)
    views = [(seen[i : i + 1], row(postures, i)) for i in range(4)]

    def work(count: int) -> list[tuple[int, ...]]:
        volumes = ours.aggregated(views[:count])
        seen_shapes: list[tuple[int, ...]] = []
        hooks = [
            module.register_forward_hook(lambda _m, given, _o: seen_shapes.append(tuple(given[0].shape)))
            for module in ours.modules()
            if isinstance(module, nn.Conv2d | nn.Conv3d)
        ]
        target = poses(1, 9)
        ours.decode(ours.moved(volumes, ours.places(*views[0], target), target))
        for hook in hooks:
            hook.remove()
        return seen_shapes

    assert len(work(1)) > 30
    assert work(1) == work(4)


def total(made: Made, *others: Tensor) -> Tensor:
    parts = (made.colour, made.confidence, *others)
    return torch.stack([(part * part.detach().cos()).mean() for part in parts]).sum()


@pytest.mark.parametrize("design", [SMALL, MAPS, replace(SMALL, levels=1), replace(SMALL, skips=False)])
def test_gradients_reach_every_parameter(design: BottleneckDesign) -> None:
    ours = network(design, speaks=True)
    seen, source, target = picture(2, 64), poses(2, 1), poses(2, 2)
    volumes = ours.encode(seen, source)
    made = ours.decode(ours.moved(volumes, ours.places(seen, source, target), target))
    assert ours.background is not None
    total(made, *ours.masks(volumes), ours.background(seen)).backward()
    missed = [name for name, each in ours.named_parameters() if each.grad is None or not each.grad.abs().sum() > 0]
    assert missed == []
    assert all(each.grad is not None and each.grad.isfinite().all() for each in ours.parameters())


def test_the_silent_layer_learns_at_once() -> None:
    ours = network(replace(SMALL, background=False))
    seen, source, target = picture(1, 64), poses(1, 1), poses(1, 2)
    volumes = ours.encode(seen, source)
    total(ours.decode(ours.moved(volumes, ours.places(seen, source, target), target))).backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in ours.flow.last.parameters())


@torch.inference_mode()
def test_confidence_and_masks_begin_undecided() -> None:
    """Neither full nor empty, at every resolution; else they would be slow to learn."""
    ours = network(replace(BARE, resolution=128))
    volumes = ours.encode(picture(1, 128), poses(1, 1))
    for found in (*ours.masks(volumes), ours.decode(volumes).confidence):
        assert 0.15 < found.mean() < 0.85


def test_what_a_ray_meets() -> None:
    density = torch.randn(1, 1, 5, 2, 2, generator=torch.Generator().manual_seed(0))
    missed = (1 - occupancy(density)).prod(2)
    torch.testing.assert_close(mask(density), 1 - missed)


@torch.inference_mode()
@pytest.mark.parametrize("size", [(64, 64), (33, 70), (5, 200)])
def test_background_of_any_size(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours = BackgroundNetwork(4)
    seen = torch.rand(2, 4, *size) * 2 - 1
    seen[:, 3] = 0
    seen[:, 3, :, size[1] // 2 :] = 1
    found = ours(seen)
    assert found.shape == (2, 3, *size)
    half = size[1] // 2
    assert torch.equal(found[..., :half], seen[:, :3, :, :half])
    assert not torch.equal(found[..., half:], seen[:, :3, :, half:])
    hidden = seen.clone()
    hidden[:, :3, :, half:] = 0.3
    torch.testing.assert_close(ours(hidden), found, atol=1e-6, rtol=0)


@torch.inference_mode()
def test_limbs_are_followed_precisely_in_rough_precision() -> None:
    ours = network(BARE)
    given = picture(1, 64), poses(1, 1), poses(1, 2)
    exact = ours.places(*given)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(ours.places(*given), exact, atol=1e-5, rtol=0)


def test_rough_precision() -> None:
    """In bfloat16 all of it works and learns, the flow stays precise, and pictures differ a little."""
    ours = network(BARE, speaks=True)
    seen, source, target = picture(1, 64), poses(1, 1), poses(1, 2)

    def made() -> tuple[Tensor, Made]:
        volumes = ours.encode(seen, source)
        places = ours.places(seen, source, target)
        return places, ours.decode(ours.rotated(ours.moved(volumes, places, target), turned(torch.tensor([0.5]))))

    with torch.no_grad():
        exact_places, exact = made()
    with torch.autocast("cpu", torch.bfloat16):
        places, rough = made()
    assert places.dtype == rough.colour.dtype == rough.confidence.dtype == torch.float32
    assert (places - exact_places).abs().max() < 0.1
    assert (rough.colour - exact.colour).abs().mean() < 0.1
    total(rough).backward()
    assert all(each.grad is None or each.grad.isfinite().all() for each in ours.parameters())
