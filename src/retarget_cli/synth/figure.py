"""A dressed body at rest: its surface, and where each vertex lies on the person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.limbs import along_arms, along_legs, dense_weights
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.mesh import Faces, Sheet, vertex_normals
from retarget_cli.synth.outfit import Face, Outfit

SPINE = (0, 3, 6, 9, 12)
HANDS, FEET, HEAD, NECK = [20, 21, 22, 23], [7, 8, 10, 11], 15, 12
EYES, EARS, MOUTH, NOSE = (2, 5), (7, 8), (9, 10), 0
# Distance between the eyes of the mean adult, metres: smaller heads have smaller features.
USUAL_EYES = 0.064
# From the pelvis to the neck.
USUAL_TRUNK = 0.54


class Layer(IntEnum):
    """What a triangle is a part of."""

    BODY = 0
    SKIRT = 1
    JACKET = 2
    HAIR = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A person at rest.

    Attributes:
        body: the model.
        shape: the naked body.
        betas: (n,) what `shape` comes from.
        face, outfit: colours, cuts and styles.
        vertices: (V, 3) with clothes and hair, metres; those of the layers behind those of the body.
        normals: (V, 3) unit, at rest.
        faces: (F, 3); a layer's triangles are there twice, for both its sides.
        layer: (F,) a `Layer` each.
        is_inside: (F,) whether a triangle is a layer's inner side.
        weights: (V, 24) shares of the joints.
        fields: (V, 8) what `paint` and `parts` need at each vertex: rest x, y, z; how far down the arm and the
            leg (0 the first joint, 1 the second, 2 the third; negative elsewhere); shares of head, hand, foot.
        skirt: rows of `vertices` that the legs push away, and (2, 3) the legs' radii at hip, knee, ankle.
        hem: height of the top's hem at rest, metres.
    """

    body: Body
    shape: Shape
    betas: FloatArray
    face: Face
    outfit: Outfit
    vertices: FloatArray
    normals: FloatArray
    faces: Faces
    layer: NDArray[np.uint8]
    is_inside: NDArray[np.bool_]
    weights: FloatArray
    fields: FloatArray
    skirt: slice
    leg_radii: FloatArray
    hem: float

    @property
    def size(self) -> float:
        """About 1 for a grown-up, less for children: the trunk's length."""
        return float(self.shape.joints[0, 1] - self.shape.joints[NECK, 1]) / USUAL_TRUNK

    def collar(self, fields: FloatArray) -> FloatArray:
        """(N,) height of the top's collar at rest at points of fields (N, 8): deeper in front."""
        _, height, depth = self.shape.joints[NECK].tolist()
        return np.asarray(height - 0.005 + 0.6 * np.maximum(depth - fields[:, 2] - 0.02, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Skin:
    """The body alone, before it is dressed: a sheet, its normals, joints (24, 3) and landmarks (33, 3)."""

    sheet: Sheet
    normals: FloatArray
    joints: FloatArray
    landmarks: FloatArray

    @property
    def hem(self) -> float:
        """Height of a top's hem at rest, metres (y down)."""
        return float(self.joints[[1, 2], 1].mean() - 0.01)


def before_spine(points: FloatArray, joints: FloatArray) -> FloatArray:
    """(N,): metres by which points (N, 3) at rest lie before the spine, whose curve differs from body to body."""
    line = joints[list(SPINE)]
    order = np.argsort(line[:, 1])
    return np.asarray(np.interp(points[:, 1], line[order, 1], line[order, 2]) - points[:, 2], np.float32)


def bare(body: Body, shape: Shape) -> Skin:
    """What clothes are put on."""
    rest, joints = shape.vertices.numpy().astype(np.float32), shape.joints.numpy()
    weights = dense_weights(body)
    arm, leg = along_arms(rest, joints, weights), along_legs(rest, joints, weights)
    shares = [weights[:, HEAD], weights[:, HANDS].sum(1), weights[:, FEET].sum(1)]
    fields = np.column_stack([rest, arm, leg, *shares]).astype(np.float32)
    faces = body.faces.numpy().astype(np.int32)
    return Skin(Sheet(rest, faces, weights, fields), vertex_normals(rest, faces), joints, shape.landmarks.numpy())


def hair_cover(points: FloatArray, landmarks: FloatArray, face: Face) -> FloatArray:
    """(N,): how deep inside the hairy part of the head points (N, 3) at rest lie, metres; negative on the face."""
    eyes, ears = landmarks[list(EYES)].mean(0), landmarks[list(EARS)].mean(0)
    size = float(landmarks[EYES[0], 0] - landmarks[EYES[1], 0]) / USUAL_EYES
    x, y, z = points.T
    is_long = face.has_nape
    # The hairline is an arch over the forehead that comes down at the temples.
    above = eyes[1] - face.forehead * size - y + 5.5 / size * x**2
    under = np.maximum(y - ears[1], 0)
    edge = ears[2] - 0.008 * size + 0.9 * under if is_long else ears[2] + 0.014 * size + 0.4 * under
    lowest = (0.1 if is_long else 0.035) * size + ears[1] - y
    above = np.minimum(above, ears[1] - 0.004 * size - y)
    return np.asarray(np.maximum(above, np.minimum(z - edge, lowest)), np.float32)
