"""Random smooth bends: repeatable, the identity without noise, with derivatives that are theirs."""

from __future__ import annotations

import torch
from tests.backends.self_appearance.miniatures import pictures

from retarget_cli.backends.self_appearance.sampling import coordinates
from retarget_cli.backends.self_appearance.transform import Transform, random_transform


def drawn(seed: int, sigma_affine: float = 0.05, sigma_bend: float = 0.005) -> Transform:
    return random_transform(2, torch.Generator().manual_seed(seed), torch.zeros(1), sigma_affine, sigma_bend)


def test_draws_repeat_with_their_seed() -> None:
    first, again, other = drawn(3), drawn(3), drawn(4)
    assert torch.equal(first.affine, again.affine)
    assert torch.equal(first.bends, again.bends)
    assert not torch.equal(first.affine, other.affine)
    assert not torch.equal(first.bends[0], first.bends[1])


def test_without_noise_nothing_moves() -> None:
    rest, shown = drawn(0, 0.0, 0.0), pictures(2, 20, 28)
    torch.testing.assert_close(rest.pictures(shown, align_corners=True), shown, atol=1e-5, rtol=0)
    places = torch.rand(2, 5, 2) * 2 - 1
    torch.testing.assert_close(rest.moved(places), places)
    torch.testing.assert_close(rest.jacobian(places), torch.eye(2).expand(2, 5, 2, 2))


def test_jacobians_are_the_derivatives() -> None:
    transform = drawn(1, sigma_bend=0.05)
    places = (torch.rand(2, 6, 2, generator=torch.Generator().manual_seed(2)) * 1.6 - 0.8).requires_grad_()
    moved = transform.moved(places)
    rows = [torch.autograd.grad(moved[..., axis].sum(), places, retain_graph=True)[0] for axis in (0, 1)]
    torch.testing.assert_close(transform.jacobian(places), torch.stack(rows, -2), atol=1e-5, rtol=1e-5)


def test_pictures_are_read_where_places_are_moved() -> None:
    """A ramp holds its own place: read at another place it says which; where that is outside it is mirrored."""
    transform = drawn(5)
    ramp = coordinates(33, 41, torch.zeros(1)).permute(2, 0, 1)[None].repeat(2, 1, 1, 1)
    grid = coordinates(33, 41, ramp).flatten(0, 1)[None]
    wanted = transform.moved(grid)
    mirrored = torch.where(wanted.abs() > 1, wanted.sign() * 2 - wanted, wanted)
    found = transform.pictures(ramp, align_corners=True).flatten(2).mT
    torch.testing.assert_close(found, mirrored, atol=1e-4, rtol=0)
    assert bool((wanted.abs() > 1).any())
