"""Distances from segments: hand cases in the plane and in space, points as segments, gradients."""

from __future__ import annotations

import torch

from retarget_cli.geometry.segments import nearest

POINTS = torch.tensor([[0.0, 1.0], [3.0, 0.0], [1.0, -2.0]])
START, END = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])


def test_beside_beyond_and_below() -> None:
    found = nearest(POINTS, START, END)
    assert found.squared.tolist() == [[1, 1, 4]]
    assert found.share.tolist() == [[0, 1, 0.5]]
    assert found.between(torch.tensor([10.0]), torch.tensor([20.0])).tolist() == [[10, 20, 15]]


def test_in_space_and_in_batches() -> None:
    starts = torch.tensor([[[0.0, 0, 0], [0, 0, 1]], [[0, 0, 5], [9, 9, 9]]])
    found = nearest(torch.tensor([[0.0, 0.0, 3.0]]), starts, starts + torch.tensor([0.0, 0.0, 1.0]))
    assert found.squared[..., 0].tolist() == [[4, 1], [4, 81 + 81 + 36]]


def test_a_point_is_a_segment() -> None:
    found = nearest(POINTS, START, START)
    assert found.squared.tolist() == [[1, 9, 5]]
    assert found.share.isfinite().all()


def test_gradients_are_those_of_the_distance() -> None:
    generator = torch.Generator().manual_seed(1)
    ends = [torch.randn(2, 3, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    points = torch.randn(2, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *given: nearest(*given).squared, (points, *ends))
