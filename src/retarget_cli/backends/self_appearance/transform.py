"""Random smooth bends of a picture: keypoints must follow them (equivariance)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.backends.self_appearance.keypoints import product
from retarget_cli.backends.self_appearance.sampling import coordinates, warped

# As published: how far affine maps and control points stray, and control points a side.
SIGMA_AFFINE, SIGMA_BEND, POINTS = 0.05, 0.005, 5
# Keeps the logarithm finite on a control point.
_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Transform:
    """An affine map and a thin plate spline of city-block distances r: r^2 log r.

    Attributes:
        affine: (B, 2, 3).
        bends: (B, N * N) weights of control points on a grid over the picture, row by row; each moves x and y alike.
    """

    affine: Tensor
    bends: Tensor

    def moved(self, places: Tensor) -> Tensor:
        """(B, P, 2) from places (B, P, 2) or (1, P, 2)."""
        distance = self._offsets(places).abs().sum(-1)
        bend = (distance.square() * torch.log(distance + _EPSILON) * self.bends[:, None]).sum(-1, keepdim=True)
        return product(places, self.affine[..., :2].mT) + self.affine[:, None, :, 2] + bend

    def jacobian(self, places: Tensor) -> Tensor:
        """(B, P, 2, 2): derivatives of `moved` at places (B, P, 2); rows are of x and y moved, columns by x and y."""
        offsets = self._offsets(places)
        distance = offsets.abs().sum(-1)
        slope = 2 * distance * torch.log(distance + _EPSILON) + distance.square() / (distance + _EPSILON)
        bend = ((slope * self.bends[:, None])[..., None] * offsets.sign()).sum(2)
        return self.affine[:, None, :, :2] + bend[:, :, None]

    def pictures(self, pictures: Tensor, align_corners: bool) -> Tensor:
        """(B, C, H, W): every pixel read where its place is moved to, mirrored at the border.

        Args:
            pictures: (B, C, H, W).
            align_corners: see `sampling`.
        """
        height, width = pictures.shape[-2:]
        grid = coordinates(height, width, pictures).flatten(0, 1)[None]
        flow = self.moved(grid).reshape(-1, height, width, 2)
        return warped(pictures, flow, align_corners, "reflection")

    def _offsets(self, places: Tensor) -> Tensor:
        """(B, P, N * N, 2): from every control point."""
        side = round(self.bends.shape[1] ** 0.5)
        return places[:, :, None] - coordinates(side, side, places).flatten(0, 1)


def random_transform(
    batch: int,
    generator: torch.Generator,
    like: Tensor,
    sigma_affine: float = SIGMA_AFFINE,
    sigma_bend: float = SIGMA_BEND,
) -> Transform:
    """One for each picture of a batch.

    Args:
        batch: B.
        generator: what is drawn from; on the CPU.
        like: has its type and device.
        sigma_affine: standard deviation of the affine map's elements about the identity.
        sigma_bend: of the control points' weights.
    """
    affine = torch.eye(2, 3) + sigma_affine * torch.randn(batch, 2, 3, generator=generator)
    bends = sigma_bend * torch.randn(batch, POINTS**2, generator=generator)
    return Transform(affine.to(like), bends.to(like))
