"""Volumes read at places: staying, turning there and back, sides and signs, other resolutions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from retarget_cli.backends.bottleneck.sampling import lattice, resized_places, rigid_places, sampled, turned
from retarget_cli.backends.stage.frame import steps
from retarget_cli.body.viewpoint import turn_about

SIZE = (8, 16, 16)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def blob(size: tuple[int, int, int], at: tuple[float, float, float]) -> Tensor:
    """(1, 1, *size): smooth, brightest at a place of the cube, nothing near its sides."""
    away = (lattice(size, torch.zeros(1)) - torch.tensor(at)).square().sum(-1)
    return torch.exp(-away / 0.02)[None, None]


def centre(volume: Tensor) -> Tensor:
    """(3): the place about which a volume (1, 1, ...) lies."""
    places = lattice((volume.shape[2], volume.shape[3], volume.shape[4]), volume)
    return (places * volume[0, 0, ..., None]).sum((0, 1, 2)) / volume.sum()


def test_staying_is_exact_to_the_last_bit() -> None:
    volume = noise(2, 3, *SIZE)
    assert torch.equal(sampled(volume, lattice(SIZE, volume).expand(2, -1, -1, -1, -1)), volume)


def test_staying_is_exact_at_other_sides() -> None:
    volume = noise(1, 2, 6, 12, 12)
    torch.testing.assert_close(sampled(volume, lattice((6, 12, 12), volume)[None]), volume, atol=2e-6, rtol=0)


def test_voxels_fill_the_cube_as_pixels_fill_a_square() -> None:
    assert steps(4, torch.zeros(1)).tolist() == [-0.75, -0.25, 0.25, 0.75]
    coarse = torch.nn.functional.avg_pool3d(lattice(SIZE, torch.zeros(1)).permute(3, 0, 1, 2), 2)
    torch.testing.assert_close(coarse.permute(1, 2, 3, 0), lattice((4, 8, 8), torch.zeros(1)))


def test_beyond_the_side_it_goes_on_as_there() -> None:
    volume = noise(1, 1, *SIZE)
    found = sampled(volume, lattice(SIZE, volume)[None] + torch.tensor([5.0, 0.0, 0.0]))
    assert torch.equal(found, volume[..., -1:].expand_as(volume))


def test_there_and_back_again() -> None:
    """By +a, then by -a: the same where it stayed inside, but for what reading between voxels blurs."""
    size = (32, 64, 64)
    volume = blob(size, (0.3, -0.2, 0.25)) + 0.5 * blob(size, (-0.4, 0.3, -0.1))
    for angle in (0.4, math.pi / 2, 2.5):
        there = sampled(volume, rigid_places(turned(torch.tensor([angle])), size))
        back = sampled(there, rigid_places(turned(torch.tensor([-angle])), size))
        assert (there - volume).abs().max() > 0.5
        assert (back - volume).abs().max() < 0.1
        assert (back - volume).abs().mean() < 1e-3


def test_half_a_turn_is_exact() -> None:
    volume = noise(1, 2, *SIZE)
    found = sampled(volume, rigid_places(turned(torch.tensor([math.pi])), SIZE))
    torch.testing.assert_close(found, volume.flip(2, 4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("angle", [0.5, -1.2])
def test_contents_turn_as_points_do(angle: float) -> None:
    place = torch.tensor([0.5, 0.1, 0.2])
    rotation = turned(torch.tensor([angle]))
    volume = blob((32, 64, 64), (0.5, 0.1, 0.2))
    moved = centre(sampled(volume, rigid_places(rotation, (32, 64, 64))))
    torch.testing.assert_close(moved, rotation[0] @ place, atol=0.01, rtol=0)


def test_a_positive_turn_shows_the_left_side() -> None:
    """As everywhere else in the project: what is to the viewer's right comes nearer."""
    azimuth = np.array([30.0, -75.0], np.float32)
    wanted = turn_about(azimuth, np.zeros(2, np.float32))
    torch.testing.assert_close(turned(torch.deg2rad(torch.from_numpy(azimuth))), wanted)
    assert (wanted[0] @ torch.tensor([1.0, 0.0, 0.0]))[2] < 0


def test_places_of_other_resolutions() -> None:
    like = torch.zeros(1)
    for size in ((16, 32, 32), (4, 8, 8), (2, 4, 4)):
        assert torch.equal(resized_places(lattice(SIZE, like)[None], size), lattice(size, like)[None])
    rigid = rigid_places(turned(torch.tensor([0.7])), SIZE)
    wanted = rigid_places(turned(torch.tensor([0.7])), (4, 8, 8))
    torch.testing.assert_close(resized_places(rigid, (4, 8, 8)), wanted, atol=1e-5, rtol=0)


def test_places_stay_precise_beside_rough_volumes() -> None:
    volume = noise(1, 2, *SIZE).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        places = rigid_places(turned(torch.tensor([0.7])), SIZE)
        found = sampled(volume, places)
    assert places.dtype == torch.float32
    torch.testing.assert_close(places, rigid_places(turned(torch.tensor([0.7])), SIZE), atol=0, rtol=0)
    assert torch.equal(found, sampled(volume.float(), places).bfloat16())


def test_gradients_reach_volume_and_places() -> None:
    volume = noise(1, 2, 3, 4, 4).requires_grad_()
    places = (lattice((3, 4, 4), volume)[None] * 0.7 + 0.05).requires_grad_()
    sampled(volume, places).square().sum().backward()
    for each in (volume, places):
        assert each.grad is not None
        assert each.grad.abs().sum() > 0
