"""Which pixels of a photo are the person."""

from __future__ import annotations

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.pose import PoseFinding


def person_mask(rgb: Image, finding: PoseFinding, given_alpha: FloatArray | None) -> FloatArray:
    """The person's mask at the picture's own size (first version: the network's soft mask)."""
    if finding.soft_mask is None:
        return np.ones(rgb.shape[:2], dtype=np.float32)
    return finding.soft_mask
