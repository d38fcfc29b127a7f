"""Texture alignment: equations 12 and 13, directly and in parts."""

from __future__ import annotations

import torch

from retarget_cli.backends.remot.composition import coarse
from retarget_cli.backends.remot.texture import texture_aligned


def directly(source: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Place by place, as printed."""
    found = made.clone()
    first, second = source.flatten(1), made.flatten(1)
    for j in range(second.shape[1]):
        cosines = torch.stack(
            [first[:, i] @ second[:, j] / (first[:, i].norm() * second[:, j].norm()) for i in range(first.shape[1])]
        )
        found.view(len(made), -1)[:, j] += first @ cosines.softmax(0)
    return found


def test_as_printed() -> None:
    torch.manual_seed(0)
    source, made = torch.randn(2, 5, 3, 4), torch.randn(2, 5, 4, 2)
    found = texture_aligned(source, made)
    for row in range(2):
        assert torch.allclose(found[row], directly(source[row], made[row]), atol=1e-5)


def test_in_parts_as_whole() -> None:
    torch.manual_seed(1)
    source, made = torch.randn(2, 8, 6, 5), torch.randn(2, 8, 6, 5)
    whole = texture_aligned(source, made)
    for most in (1, 7 * 60, 11 * 60):
        assert torch.allclose(texture_aligned(source, made, most), whole, atol=1e-6)


def test_what_is_gathered_is_a_mean_of_the_source() -> None:
    """Weights of every place made sum up to 1: a source of one value gives that value everywhere."""
    made = torch.randn(1, 4, 5, 5)
    source = torch.full((1, 4, 3, 3), 2.5)
    assert torch.allclose(texture_aligned(source, made) - made, torch.full_like(made, 2.5), atol=1e-5)


def test_gradients_reach_both() -> None:
    source, made = torch.randn(1, 3, 2, 2, dtype=torch.double), torch.randn(1, 3, 2, 2, dtype=torch.double)
    both = (source.requires_grad_(), made.requires_grad_())
    texture_aligned(*both).square().sum().backward()
    assert float(source.grad.abs().min()) > 0  # type: ignore[union-attr]
    assert float(made.grad.abs().min()) > 0  # type: ignore[union-attr]


def test_light_of_regions_adds_up() -> None:
    parts = torch.full((1, 5, 3, 1, 2), -1.0)
    parts[0, 1, :, 0, 0] = 0.5
    parts[0, 2, :, 0, 1] = parts[0, 3, :, 0, 1] = 0.25
    assert coarse(parts)[0, 0, 0].tolist() == [0.5, 1.0]
    assert float(coarse(torch.full((1, 5, 3, 2, 2), -1.0)).max()) == -1
