"""Light on a person: one lamp and the sky, in the camera's axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget_cli.core.motion import FloatArray


@dataclass(frozen=True, slots=True)
class Light:
    """The lamp stays with the camera.

    Attributes:
        direction: unit vector towards the lamp.
        ambient, strength: of the sky and of the lamp.
        tint: of the lamp, about 1 each for red, green, blue.
    """

    direction: tuple[float, float, float] = (-0.452, -0.602, -0.658)
    ambient: float = 0.62
    strength: float = 0.42
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def shade(self, normals: FloatArray, lit: FloatArray) -> FloatArray:
        """(N, 3) factors of colour for unit normals (N, 3) that so much (N,) of the lamp reaches."""
        facing = np.clip(normals @ np.asarray(self.direction, np.float32), -0.35, 1)
        # Walls throw some of the lamp's light back into the shadows.
        facing = np.minimum(facing, facing * (0.3 + 0.7 * lit))
        # A little more from above than from below.
        sky = self.ambient * (1 - 0.06 * normals[:, 1])
        lamp = (self.strength * facing)[:, None] * np.asarray(self.tint, np.float32)
        return np.asarray(sky[:, None] + lamp, np.float32)


def draw_light(rng: np.random.Generator) -> Light:
    """Some light, never so weak that the person can't be seen."""
    azimuth, height = rng.uniform(-1.1, 1.1), rng.uniform(0.15, 1.1)
    direction = (-np.sin(azimuth) * np.cos(height), -np.sin(height), -np.cos(azimuth) * np.cos(height))
    warm = rng.uniform(-0.09, 0.09)
    ambient = rng.uniform(0.48, 0.68)
    return Light(
        (float(direction[0]), float(direction[1]), float(direction[2])),
        float(ambient),
        float(rng.uniform(0.92, 1.1) - ambient),
        (float(1 + warm), 1.0, float(1 - warm)),
    )
