"""The driving frame whose pose is most like the source's, as first-order-model's --find_best_frame."""

from __future__ import annotations

import numpy as np
import torch

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.geometry.rotations import axis_angle_to_matrix, geodesic_angle


def best_frame(motion: Motion, theta: FloatArray) -> int:
    """Row of a fitted motion with the smallest mean angle to the pose `theta` (24, 3).

    Raises:
        InputError: nobody is seen in any frame.
    """
    if motion.theta is None or not motion.present.any():
        raise InputError(
            "no person is seen in any frame of the driving clip", "use a clip that shows one person"
        )
    poses = axis_angle_to_matrix(torch.from_numpy(motion.theta))
    apart = geodesic_angle(poses, axis_angle_to_matrix(torch.from_numpy(theta))[None]).mean(1).numpy()
    return int(np.argmin(np.where(motion.present, apart, np.inf)))
