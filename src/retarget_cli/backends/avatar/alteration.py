"""A figure that was cut for one body, altered to fit another.

All bodies of a model have the same vertices. So what the other body is longer, wider or thinner by is known at every
point of the skin, and clothes follow the skin that is nearest to them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from retarget_cli.backends.avatar.figure import Figure
from retarget_cli.backends.avatar.transforms import invert
from retarget_cli.body.model import Shape
from retarget_cli.core.motion import FloatArray

# Vertices that say together how a point moves, and the distance over which they are averaged, metres.
NEIGHBOURS = 24
REACH = 0.03
# Below this a point's blended bones have fallen together, as in a sharp elbow: the strongest bone alone counts.
FLAT = 0.2


def altered(figure: Figure, worn: Shape, wearer: Shape) -> Figure:
    """The figure on another body, bound to the rest pose.

    Args:
        figure: cut for the body `worn`.
        wearer: the body that it shall fit; of the same model.
    """
    rest = at_rest(figure)
    tree = cKDTree(worn.vertices.numpy())
    away, nearest = tree.query(rest, k=NEIGHBOURS)
    share = np.exp(-((away - away[:, :1]) / REACH))
    share /= share.sum(1, keepdims=True)
    longer = (wearer.vertices - worn.vertices).numpy()
    points = rest + (share[..., None] * longer[nearest]).sum(1)
    still = np.concatenate([np.eye(3), np.zeros((3, 1))], 1)
    unposed = np.broadcast_to(still, figure.unposed.shape).astype(np.float32)
    return replace(figure, points=points.astype(np.float32), unposed=np.ascontiguousarray(unposed))


def at_rest(figure: Figure) -> FloatArray:
    """(N, 3): the figure's points in the rest pose: from there skinning takes them to where they were."""
    posed = invert(figure.unposed)
    blended = (figure.weights[..., None, None] * posed[figure.joints]).sum(1)
    flat = np.linalg.det(blended[..., :3]) < FLAT
    blended[flat] = posed[figure.joints[flat, 0]]
    turned = np.linalg.inv(blended[..., :3].astype(np.float64))
    return np.asarray((turned @ (figure.points - blended[..., 3])[..., None])[..., 0], np.float32)
