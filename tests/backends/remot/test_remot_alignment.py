"""Global alignment: persons of another size, in another place."""

from __future__ import annotations

import pytest
import torch
from tests.backends.remot.miniature import network, painted, puppet

from retarget_cli.backends.remot.alignment import Extent, aligned
from retarget_cli.networks.composite_generator import EMPTY


def shade(x: float, y: float, scale: float, size: tuple[int, int] = (80, 60)) -> torch.Tensor:
    """(1, 1, H, W): a round cloud with a soft edge, of radius 16 `scale`, whose middle is at x, y."""
    rows, columns = (torch.arange(side) + 0.5 for side in size)
    away = torch.hypot(columns[None] - x, rows[:, None] - y) / scale
    return ((18 - away) / 4).clamp(0, 1)[None, None]


@pytest.mark.parametrize(("x", "y", "scale"), [(30.0, 40.0, 1.0), (22.0, 50.0, 0.5), (33.5, 41.5, 1.5), (25, 33, 1.25)])
def test_the_source_lands_on_the_target(x: float, y: float, scale: float) -> None:
    source, target = shade(28.0, 38.0, 1.0), shade(x, y, scale)
    here, there = Extent.of(source), Extent.of(target)
    moved = aligned(source, here, there)
    assert float((moved - target).abs().mean()) < 0.02
    landed = Extent.of(moved)
    assert torch.allclose(landed.centre, there.centre, atol=0.75)
    assert torch.allclose(landed.height, there.height, atol=1.5)


def test_the_box_about_a_person() -> None:
    mask = torch.zeros(2, 1, 20, 12)
    mask[0, 0, 4:14, 3:9] = 1
    found = Extent.of(mask)
    assert found.height.tolist() == [10, 0]
    assert found.centre[0].tolist() == [6, 9]


def test_what_is_there_already_stays() -> None:
    picture = torch.rand(1, 4, 64, 48)
    here = Extent.of(1 - puppet(24.0)[None, :1])
    assert torch.allclose(aligned(picture, here, here), picture, atol=1e-5)


def test_where_nobody_is_nothing_moves() -> None:
    somebody, nobody = Extent.of(1 - puppet(24.0)[None, :1]), Extent.of(torch.zeros(1, 1, 64, 48))
    picture = torch.rand(1, 3, 64, 48)
    for pair in ((somebody, nobody), (nobody, somebody), (nobody, nobody)):
        assert torch.allclose(aligned(picture, *pair), picture, atol=1e-5)


def test_each_of_a_batch_goes_its_own_way() -> None:
    source = torch.cat([shade(28, 38, 1), shade(20, 30, 0.8)])
    target = torch.cat([shade(30, 44, 0.7), shade(34, 40, 1.2)])
    together = aligned(source, Extent.of(source), Extent.of(target))
    for row in range(2):
        one, wanted = source[row : row + 1], target[row : row + 1]
        assert torch.allclose(together[row], aligned(one, Extent.of(one), Extent.of(wanted))[0], atol=1e-6)


def test_nothing_is_learned_through_it() -> None:
    source = shade(28, 38, 1).requires_grad_()
    aligned(torch.ones(1, 1, 80, 60), Extent.of(source), Extent.of(shade(30, 40, 1)))
    assert source.grad is None


@pytest.mark.parametrize("has_alignment", [True, False])
def test_the_network_aligns_unless_told_not_to(has_alignment: bool) -> None:
    small, large = puppet(14.0, 20, 24), puppet(28.0)
    made = network(has_alignment=has_alignment)
    source = made.source(painted(small)[None], small[None])
    person, layout = made.there(source, large[None])
    if not has_alignment:
        assert torch.equal(person, source.person)
        assert torch.equal(layout, source.layout)
        return
    assert Extent.of(1 - layout[:, :1]).height.item() == pytest.approx(48, abs=2)
    assert float((layout[0, 1:] - large[1:]).abs().mean()) < 0.03
    assert torch.allclose(layout.sum(1), torch.ones(1, 64, 48), atol=1e-5)
    assert float(person[0, :, :4].max()) == EMPTY  # black around, not grey
