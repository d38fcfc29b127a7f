"""Solid pieces: everything between a ball, a rounded box and a cylinder, as one formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.mesh import Faces, grid_faces
from retarget_cli.synth.toys.paint import Coat
from retarget_cli.synth.toys.rig import Place

RINGS, SPOKES = 17, 26


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a solid part.

    Attributes:
        half: half of its size: right, down, away.
        coat: its colours.
        middle: where, in the part's axes.
        tilt: (pitch, yaw, roll) in the part.
        square: power of its outline seen from above; 2 is round.
        flat: power of its outline seen from the side; 2 is round. At least `square`.
        gloss: of its paint.
    """

    half: Place
    coat: Coat
    middle: Place = (0.0, 0.0, 0.0)
    tilt: Place = (0.0, 0.0, 0.0)
    square: float = 2.0
    flat: float = 2.0
    gloss: float = 0.35

    def turn(self) -> FloatArray:
        """(3, 3) from the piece's own axes to the part's."""
        (cx, cy, cz), (sx, sy, sz) = np.cos(self.tilt), np.sin(self.tilt)
        pitch = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        roll = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        return np.asarray(roll @ yaw @ pitch, np.float32)

    def vertices(self) -> FloatArray:
        """(RINGS * SPOKES, 3) in the part's axes."""
        up = np.linspace(0, np.pi, RINGS)[:, None]
        round_ = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)[None]
        ways = np.stack(np.broadcast_arrays(np.sin(up) * np.cos(round_), -np.cos(up), np.sin(up) * np.sin(round_)), -1)
        ways = ways.reshape(-1, 3)
        across = np.abs(ways[:, 0]) ** self.square + np.abs(ways[:, 2]) ** self.square
        level = across ** (self.flat / self.square) + np.abs(ways[:, 1]) ** self.flat
        own = ways * level[:, None] ** (-1 / self.flat) * np.asarray(self.half)
        return np.asarray(own @ self.turn().T + np.asarray(self.middle), np.float32)

    def own(self, points: FloatArray) -> FloatArray:
        """Points (N, 3) of the part in the piece's own axes."""
        return np.asarray((points - np.asarray(self.middle, np.float32)) @ self.turn(), np.float32)

    def normals(self, own: FloatArray) -> FloatArray:
        """(N, 3) outward in the part's axes, not of unit length, at points in its own axes."""
        x, y, z = (own / np.asarray(self.half, np.float32)).T
        across = np.abs(x) ** self.square + np.abs(z) ** self.square
        lead = np.maximum(across, 1e-9) ** (self.flat / self.square - 1)
        slopes = (
            lead * np.abs(x) ** (self.square - 1) * np.sign(x) / self.half[0],
            np.abs(y) ** (self.flat - 1) * np.sign(y) / self.half[1],
            lead * np.abs(z) ** (self.square - 1) * np.sign(z) / self.half[2],
        )
        return np.asarray(np.stack(slopes, 1) @ self.turn().T, np.float32)


def block_faces() -> Faces:
    """Triangles of a block's vertices."""
    return grid_faces(RINGS, SPOKES, is_ring=True)
