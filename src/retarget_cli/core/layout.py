"""The six classes that a person's picture is sorted into."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
"""A layout, (H, W): a `Region` each."""


class Region(IntEnum):
    """What is seen at a pixel.

    `HEAD`: face, neck, hair, and what is worn on them. `TOP` and `BOTTOM`: clothes; of a dress what is above and below
    the hips. `LIMBS`: bare arms and legs, hands, socks, bare feet.
    """

    BACKGROUND = 0
    HEAD = 1
    TOP = 2
    BOTTOM = 3
    SHOES = 4
    LIMBS = 5


def planes(layout: Labels) -> NDArray[np.float32]:
    """(6, H, W): 1 where a layout (H, W) shows each class, else 0."""
    return np.stack([layout == region for region in Region]).astype(np.float32)
