"""How far down its limbs each vertex of a body lies: where sleeves and trousers end is said in these numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from retarget_cli.body.model import Body
from retarget_cli.core.motion import FloatArray

ARMS = ((16, 18, 20), (17, 19, 21))
LEGS = ((1, 4, 7), (2, 5, 8))
# A limb begins where it has this share of a vertex.
ARM_SHARE, LEG_SHARE = 0.45, 0.3


def dense_weights(body: Body) -> FloatArray:
    """(V, 24) shares of the joints."""
    weights = np.zeros((len(body.template), len(body.parents)), np.float32)
    np.add.at(weights, (np.arange(len(weights))[:, None], body.weights_index.numpy()), body.weights.numpy())
    return weights


def along_arms(rest: FloatArray, joints: FloatArray, weights: FloatArray) -> FloatArray:
    """(V,): how far down an arm vertices (V, 3) at rest lie: 0 shoulder, 1 elbow, 2 wrist and hand, negative off it."""
    return _along(rest, joints, weights, ARMS, ARM_SHARE)


def along_legs(rest: FloatArray, joints: FloatArray, weights: FloatArray) -> FloatArray:
    """(V,): how far down a leg: 0 hip, 1 knee, 2 ankle and foot, negative off it."""
    return _along(rest, joints, weights, LEGS, LEG_SHARE)


def _along(
    rest: FloatArray, joints: FloatArray, weights: FloatArray, limbs: tuple[tuple[int, ...], ...], least: float
) -> FloatArray:
    """(V,): how far down a limb, in joints; negative where the limb has less than `least` of the vertex.

    It crosses zero smoothly, so that what begins there has an even edge.
    """
    along = np.full(len(rest), -1.0, np.float32)
    for chain in limbs:
        ends = [11 if joint == 8 else 10 if joint == 7 else joint + 2 for joint in chain[-1:]]
        share_of_limb = weights[:, [*chain, *ends]].sum(1)
        own = np.zeros(len(rest), np.float32)
        for number, (start, end) in enumerate(pairwise(chain)):
            bone = joints[end] - joints[start]
            share = (rest - joints[start]) @ bone / (bone @ bone)
            here = share >= 0
            own[here] = number + np.clip(share[here], 0, 1)
        own = np.minimum(np.maximum(own, 0.02), 6 * (share_of_limb - least))
        along = np.maximum(along, np.clip(own, -1, None))
    return along
