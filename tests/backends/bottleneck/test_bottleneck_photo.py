"""The photo that goes along: what stays is not changed, what moves is read where it was, what was hidden is known."""

from __future__ import annotations

import pytest
import torch

from retarget_cli.backends.bottleneck.design import BottleneckDesign
from retarget_cli.backends.bottleneck.model import Bottleneck
from retarget_cli.backends.bottleneck.photo import CHANNELS, first_photo, moved_photo
from retarget_cli.backends.bottleneck.sampling import lattice, rigid_places, turned
from retarget_cli.backends.stage.posture import Posture

SIDE = 64
CUBE = (8, 8, 8)


def photo() -> torch.Tensor:
    torch.manual_seed(0)
    small = torch.rand(1, 4, 8, 8)
    return torch.nn.functional.interpolate(small, (SIDE, SIDE), mode="bilinear")


def slab(first: int, last: int) -> torch.Tensor:
    """A body that fills some planes of the cube, from near to far."""
    body = torch.zeros(1, 1, *CUBE)
    body[:, :, first:last] = 1
    return body


def test_what_stays_is_the_photo() -> None:
    body = slab(3, 5)
    first = first_photo(photo(), body)
    assert first.shape == (1, CHANNELS, SIDE, SIDE)
    assert float(first[:, 4:].min()) > 0.9
    moved = moved_photo(first, body, body, lattice(CUBE, body)[None])
    torch.testing.assert_close(moved, first, atol=1e-5, rtol=0)


def test_it_is_read_where_the_places_lead() -> None:
    body = slab(3, 5)
    places = lattice(CUBE, body)[None] + torch.tensor([2 * 16 / SIDE, 0, 0])  # 16 pixels to the right
    moved = moved_photo(first_photo(photo(), body), body, body, places)
    torch.testing.assert_close(moved[:, :4, :, :48], photo()[:, :, :, 16:], atol=1e-4, rtol=0)


def test_what_was_behind_was_not_seen() -> None:
    source, target = slab(2, 6), slab(2, 6)
    half = rigid_places(turned(torch.tensor([torch.pi])), CUBE)  # from behind
    moved = moved_photo(first_photo(photo(), source), source, target, half)
    assert float(moved[:, 4].max()) < 0.2
    assert float(moved[:, 5].min()) > 0.9


def test_where_the_body_is_not_nothing_is_there() -> None:
    body = slab(3, 5)
    body[..., :4] = 0
    there = first_photo(photo(), body)[0, 5]
    assert float(there[:, :24].max()) < 0.01
    assert float(there[:, 40:].min()) > 0.99


@pytest.mark.parametrize(
    ("driven_by", "photo", "goes"),
    [("joints", True, True), ("joints", False, False), ("maps", True, False)],
)
def test_it_goes_along_where_the_body_is_known(driven_by: str, photo: bool, goes: bool) -> None:
    torch.manual_seed(0)
    form = BottleneckDesign(64, 4, 4, driven_by=driven_by, background=False, photo=photo)  # type: ignore[arg-type]
    network = Bottleneck(form).eval()
    posture = Posture(torch.zeros(1, 24, 3), torch.eye(4).expand(1, 24, 4, 4))
    with torch.no_grad():
        volumes = network.encode(torch.rand(1, 4, 64, 64), posture)
        made = network.decode(volumes)
    assert (volumes.photo is not None) is goes
    assert made.colour.shape == (1, 3, 64, 64)
