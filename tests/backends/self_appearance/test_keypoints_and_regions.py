"""Keypoints, regions, their first motions, and relative transfer: pure functions with known answers."""

from __future__ import annotations

import math

import pytest
import torch
from tests.backends.self_appearance.miniatures import articulated, first_order, pictures
from torch import Tensor

from retarget_cli.backends.self_appearance.initial_motion import KINDS, Kind, revert_axis_swap, sparse_motions
from retarget_cli.backends.self_appearance.keypoints import (
    Keypoints,
    centres,
    hull_area,
    inverse,
    movement_scale,
    spots,
    transferred,
)
from retarget_cli.backends.self_appearance.regions import (
    BackgroundPredictor,
    Disentangler,
    Regions,
    ellipses,
    likened,
    moved_regions,
    principal_axes,
    spread,
)
from retarget_cli.backends.self_appearance.sampling import coordinates


def drawn(batch: int, count: int = 4, seed: int = 0) -> Keypoints:
    stream = torch.Generator().manual_seed(seed)
    place = 1.2 * torch.rand(batch, count, 2, generator=stream) - 0.6
    return Keypoints(place, torch.eye(2) + 0.3 * torch.randn(batch, count, 2, 2, generator=stream))


def regions(batch: int, count: int = 4, seed: int = 0) -> Regions:
    found = drawn(batch, count, seed)
    assert found.jacobian is not None
    return Regions(found.place, found.jacobian, found.jacobian @ found.jacobian.mT)


def turned(degrees: float) -> Tensor:
    angle = math.radians(degrees)
    return torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@pytest.mark.parametrize("kind", KINDS)
def test_equal_keypoints_move_nothing(kind: Kind) -> None:
    found = sparse_motions(kind, drawn(2), drawn(2), 5, 7)
    assert found.shape == (2, 5, 5, 7, 2)
    torch.testing.assert_close(found, coordinates(5, 7, found).expand_as(found), atol=1e-6, rtol=0)


def test_first_order_motion_by_hand() -> None:
    """s + J_s inv(J_d) (z - d), written with matrices at every place."""
    source, driving = drawn(1), drawn(3, seed=1)
    found = sparse_motions("first-order", source, driving, 6, 4)
    assert source.jacobian is not None
    assert driving.jacobian is not None
    grid = coordinates(6, 4, found)
    for row in range(3):
        for part in range(4):
            matrix = source.jacobian[0, part] @ torch.linalg.inv(driving.jacobian[row, part])
            wanted = source.place[0, part] + (grid - driving.place[row, part]) @ matrix.T
            torch.testing.assert_close(found[row, part + 1], wanted, atol=1e-5, rtol=1e-5)
    assert torch.equal(found[:, 0], grid.expand(3, -1, -1, -1))


def test_displacements_are_first_order_motions_without_jacobians() -> None:
    source, driving = drawn(1), drawn(2, seed=1)
    found = sparse_motions("displacements", source, driving, 6, 4)
    moved = found[:, 1:] - coordinates(6, 4, found)
    wanted = (source.place - driving.place)[:, :, None, None].expand_as(moved)
    torch.testing.assert_close(moved, wanted, atol=1e-6, rtol=0)
    plain = Keypoints(driving.place)
    assert torch.equal(found, sparse_motions("displacements", source, plain, 6, 4))
    with pytest.raises(ValueError, match="need Jacobians"):
        sparse_motions("first-order", source, plain, 6, 4)


def test_signs_of_axes_are_of_no_account() -> None:
    """A region's axes may both point the other way; and what turns by more than a right angle is taken back."""
    source, driving = drawn(1), drawn(1, seed=1)
    assert driving.jacobian is not None
    flipped = Keypoints(driving.place, -driving.jacobian)
    found = sparse_motions("articulated", source, driving, 6, 4)
    torch.testing.assert_close(found, sparse_motions("articulated", source, flipped, 6, 4))
    assert not torch.allclose(found, sparse_motions("first-order", source, flipped, 6, 4))
    torch.testing.assert_close(revert_axis_swap(turned(100)), turned(-80))
    torch.testing.assert_close(revert_axis_swap(turned(80)), turned(80))
    assert torch.equal(revert_axis_swap(torch.tensor([[0.0, 1.0], [-1.0, 0.0]])).abs().sum(), torch.tensor(2.0))


def test_likened_axes_make_a_motion_that_needs_no_reversal() -> None:
    source, driving = regions(2), regions(2, seed=1)
    motion = likened(-source.affine, driving.affine) @ inverse(driving.affine)
    assert bool((motion[..., 0, 0] >= 0).all())
    torch.testing.assert_close(motion, revert_axis_swap(source.affine @ inverse(driving.affine)))


def test_the_background_moves_by_its_homography() -> None:
    shifted = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, -0.25], [0.0, 0.0, 1.0]]])
    found = sparse_motions("articulated", drawn(1), drawn(2, seed=1), 5, 3, shifted)
    assert found.shape == (2, 5, 5, 3, 2)
    moved = found[:, 0] - coordinates(5, 3, found)
    torch.testing.assert_close(moved, torch.tensor([0.5, -0.25]).expand(2, 5, 3, 2))
    far = shifted.clone()
    far[:, 2, 2] = 2
    halved = sparse_motions("articulated", drawn(1), drawn(1), 5, 3, far)[0, 0]
    torch.testing.assert_close(halved, found[0, 0] / 2)


def test_relative_motion_starts_where_the_source_is() -> None:
    source, first = drawn(1), drawn(1, seed=1)
    still = transferred(source, first, first, scale=0.3)
    assert still.jacobian is not None
    torch.testing.assert_close(still.place, source.place)
    torch.testing.assert_close(still.jacobian, source.jacobian, atol=1e-5, rtol=0)
    moved = Keypoints(first.place + 0.1, first.jacobian)
    torch.testing.assert_close(transferred(source, moved, first, 0.5).place, source.place + 0.05)
    assert transferred(Keypoints(source.place), moved, first).jacobian is None


def test_relative_motion_of_regions() -> None:
    source, driving, first = regions(1), regions(3, seed=1), regions(1, seed=2)
    found = moved_regions(source, driving, first, 2.0)
    torch.testing.assert_close(found.place, source.place + 2 * (driving.place - first.place))
    torch.testing.assert_close(found.affine, driving.affine @ torch.linalg.inv(first.affine) @ source.affine)
    torch.testing.assert_close(found.covariance, found.affine @ found.affine.mT)


def test_scale_of_movements_by_hulls() -> None:
    square = Keypoints(torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.5, 0.5], [0.5, 0.0]]]))
    assert hull_area(square.place[0].tolist()) == pytest.approx(1)
    assert movement_scale(Keypoints(square.place * 0.3), square) == pytest.approx(0.3)
    line = Keypoints(torch.tensor([[[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]]))
    assert movement_scale(line, square) == movement_scale(square, line) == 1
    assert hull_area([[0.2, 0.3]] * 4) == hull_area([[0.2, 0.3]]) == 0


def test_centres_and_spread_of_heat() -> None:
    heat = torch.zeros(1, 2, 5, 9)
    heat[0, 0, 4, 0] = 1
    heat[0, 1, 2, 0] = heat[0, 1, 2, 8] = 0.5
    place = centres(heat)
    torch.testing.assert_close(place, torch.tensor([[[-1.0, 1.0], [0.0, 0.0]]]))
    torch.testing.assert_close(spread(heat, place)[0, 1], torch.tensor([[1.0, 0.0], [0.0, 0.0]]))


def test_principal_axes_rebuild_the_covariance_longer_first() -> None:
    wanted = turned(30) @ torch.diag(torch.tensor([0.04, 0.01])) @ turned(30).T
    axes = principal_axes(wanted[None, None])[0, 0]
    torch.testing.assert_close(axes @ axes.T, wanted)
    torch.testing.assert_close(axes.norm(dim=0), torch.tensor([0.2, 0.1]))
    torch.testing.assert_close(axes[:, 0].abs(), 0.2 * turned(30)[:, 0].abs())


def test_round_ellipses_are_spots() -> None:
    found = regions(2)
    round_ones = Regions(found.place, found.affine, 0.01 * torch.eye(2).expand(2, 4, 2, 2))
    torch.testing.assert_close(ellipses(round_ones, 6, 9), spots(found.place, 6, 9), atol=1e-5, rtol=1e-4)
    centred = Regions(torch.zeros(1, 1, 2), found.affine, torch.tensor([[[[0.5, 0.2], [0.2, 0.3]]]]))
    maps = ellipses(centred, 3, 3)[0, 0]
    assert maps[1, 1] == 1
    wanted = math.exp(-0.5 * (0.3 - 2 * 0.2 + 0.5) / (0.5 * 0.3 - 0.2 * 0.2))
    assert float(maps[2, 2]) == pytest.approx(wanted, rel=1e-5)


@torch.inference_mode()
def test_keypoints_lie_in_the_picture_and_jacobians_begin_as_identities() -> None:
    network = first_order(jacobians=1)
    found = network.detector(pictures(2, 40, 64))
    assert found.place.shape == (2, 3, 2)
    assert float(found.place.abs().max()) <= 1
    assert network.detector.jacobian is not None
    torch.nn.init.zeros_(network.detector.jacobian.weight)
    begun = network.detector(pictures(2, 40, 64)).jacobian
    torch.testing.assert_close(begun, torch.eye(2).expand(2, 3, 2, 2))
    assert first_order(jacobians=0).detector(pictures(1)).jacobian is None


@torch.inference_mode()
def test_the_smallest_picture_that_keypoints_are_found_in() -> None:
    detector = first_order().detector
    side = detector.least_side
    assert detector(pictures(1, side, side)).place.shape == (1, 3, 2)
    with pytest.raises(RuntimeError, match="Kernel size"):
        detector(pictures(1, side - 1, side))


@torch.inference_mode()
def test_background_begins_at_rest_for_one_source_and_many_frames() -> None:
    torch.manual_seed(0)
    network = BackgroundPredictor(4, 3).eval()
    torch.testing.assert_close(network(pictures(1), pictures(3, seed=2)), torch.eye(3).expand(3, 3, 3))
    torch.nn.init.normal_(network.affine.weight)
    found = network(pictures(1), pictures(3, seed=2))
    assert torch.equal(found[:, 2], torch.tensor([[0.0, 0.0, 1.0]]).expand(3, 3))
    assert not torch.allclose(found[0], found[1])


@torch.inference_mode()
def test_disentangled_regions_are_whole() -> None:
    torch.manual_seed(0)
    network = Disentangler(4).eval()
    found = network(regions(1), regions(3, seed=1))
    assert found.place.shape == (3, 4, 2)
    torch.testing.assert_close(found.covariance, found.affine @ found.affine.mT)
    assert articulated().avd is not None
    other = network(regions(1, seed=5), regions(3, seed=1))
    assert not torch.allclose(found.place, other.place)
