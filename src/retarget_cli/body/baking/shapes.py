"""Linear shape directions from samples of a population."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Components:
    """Principal directions about a given mean.

    Attributes:
        scores: (N, S) the samples' betas, of unit mean square in each column.
        kept: share of the weighted variance that S directions hold.
    """

    scores: Tensor
    kept: float

    def directions(self, deviations: Tensor) -> Tensor:
        """Least-squares directions (S, P, 3) of anything sampled together: (N, P, 3) deviations from the
        mean.
        """
        count = len(self.scores)
        flat = torch.matmul(self.scores.T, deviations.flatten(1)) / count
        return flat.reshape(-1, *deviations.shape[1:])


def principal(deviations: Tensor, area: Tensor, count: int) -> Components:
    """PCA by the Gram matrix, each vertex weighed by the skin around it.

    Without the weights the dense mesh of face and fingers would count more than the belly.

    Args:
        deviations: (N, V, 3) samples minus the mean person; the mean need not be the samples' own.
        area: (V,) area around each vertex.
        count: S directions to keep, N >= S.

    Returns:
        Components, strongest first.
    """
    flat = (deviations * area.sqrt()[None, :, None]).flatten(1)
    values, vectors = torch.linalg.eigh((flat @ flat.T).double())
    values, vectors = values.flip(0), vectors.flip(1)
    scores = vectors[:, :count] * len(deviations) ** 0.5
    return Components(scores.to(deviations.dtype), float(values[:count].sum() / values.sum()))


def vertex_area(vertices: Tensor, faces: Tensor) -> Tensor:
    """(V,) a third of the area of the faces around each vertex. `vertices` (V, 3), `faces` (F, 3)."""
    a, b, c = vertices[faces].unbind(1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=-1) / 6
    return vertices.new_zeros(len(vertices)).index_add(0, faces.flatten(), area.repeat_interleave(3))


def oriented(scores: Tensor, heights: Tensor) -> Tensor:
    """Scores with signs such that more of each is taller, for eigenvectors have none of their own."""
    sign = (scores * (heights - heights.mean())[:, None]).sum(0).sign()
    return scores * torch.where(sign == 0, 1.0, sign)
