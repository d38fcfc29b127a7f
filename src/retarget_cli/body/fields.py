"""Where on a person each vertex lies: what is worn there can be told from these numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.limbs import along_arms, along_legs, dense_weights
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.motion import FloatArray

HEAD, HANDS, FEET = 15, [20, 21, 22, 23], [7, 8, 10, 11]
CHEST, NECK, HIPS = 9, 12, [1, 2]
# How far before the neck's joint the collar begins to go down, metres, and how steeply.
_COLLAR_REACH, _COLLAR_SLOPE = 0.02, 0.6


@dataclass(frozen=True, slots=True)
class Fields:
    """Of a body's V vertices at rest.

    Attributes:
        arm: (V,) 0 shoulder, 1 elbow, 2 wrist; negative off the arms.
        leg: (V,) 0 hip, 1 knee, 2 ankle; negative off the legs.
        down: (V,) 0 at the chest's joint, 1 at the hips, by height.
        collar: (V,) metres below the collar; negative above it.
        head, hand, foot: (V,) shares of their joints.
    """

    arm: FloatArray
    leg: FloatArray
    down: FloatArray
    collar: FloatArray
    head: FloatArray
    hand: FloatArray
    foot: FloatArray

    @classmethod
    def of(cls, body: Body, shape: Shape) -> Fields:
        """Measure a body's shape at rest."""
        rest, joints = shape.vertices.numpy(), shape.joints.numpy()
        weights = dense_weights(body)
        chest, hips = joints[CHEST, 1], joints[HIPS, 1].mean()
        _, neck, depth = joints[NECK].tolist()
        below = rest[:, 1] - neck - _COLLAR_SLOPE * np.maximum(depth - rest[:, 2] - _COLLAR_REACH, 0)
        return cls(
            along_arms(rest, joints, weights), along_legs(rest, joints, weights), (rest[:, 1] - chest) / (hips - chest),
            below, weights[:, HEAD], weights[:, HANDS].sum(1), weights[:, FEET].sum(1),
        )  # fmt: skip

    def stacked(self) -> FloatArray:
        """(V, 7), in the order of the attributes."""
        columns = (self.arm, self.leg, self.down, self.collar, self.head, self.hand, self.foot)
        return np.stack(columns, 1).astype(np.float32)

    @classmethod
    def unstacked(cls, values: NDArray[np.float32]) -> Fields:
        """(..., 7) of the same order: of points instead of vertices."""
        return cls(*np.moveaxis(values, -1, 0))
