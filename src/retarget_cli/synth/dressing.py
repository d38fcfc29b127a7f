"""Put clothes, shoes and hair on a body: how far they stand off it, and the extra layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from retarget_cli.body.model import Body
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.figure import EARS, NECK, Figure, Layer, Skin, bare, hair_cover
from retarget_cli.synth.hairdo import hair_layer
from retarget_cli.synth.jacket import jacket_layer
from retarget_cli.synth.mesh import Faces, Sheet, vertex_normals
from retarget_cli.synth.outfit import Face, Outfit
from retarget_cli.synth.skirt import leg_radii, skirt_layer

# A sole, and the leather over the toes.
SHOE = 0.014
# Over how many metres a foot is evened, and among how many vertices.
_EVEN, _NEIGHBOURS = 0.02, 260


def dress(body: Body, betas: FloatArray, outfit: Outfit, face: Face) -> Figure:
    """Put an outfit on a body of a shape (n,)."""
    shape = body.shaped(torch.from_numpy(betas))
    skin = bare(body, shape)
    worn = _worn(skin, outfit, face)
    layers: list[tuple[Layer, Sheet]] = []
    if outfit.skirt > 0:
        layers.append((Layer.SKIRT, skirt_layer(skin, worn, outfit)))
        worn = replace(worn, faces=_not_under(worn, outfit.skirt))
    if outfit.jacket is not None:
        layers.append((Layer.JACKET, jacket_layer(skin, worn, outfit)))
    hair = hair_layer(skin, face)
    if hair is not None:
        layers.append((Layer.HAIR, hair))
    merged, layer, is_inside, normals = _merged(worn, layers)
    first = len(worn.vertices)
    rows = len(layers[0][1].vertices) if outfit.skirt > 0 else 0
    return Figure(
        body, shape, betas, face, outfit, merged.vertices, normals, merged.faces, layer, is_inside, merged.weights,
        merged.fields, slice(first, first + rows), leg_radii(skin, worn), skin.hem,
    )  # fmt: skip


def _worn(skin: Skin, outfit: Outfit, face: Face) -> Sheet:
    """The body's own surface, moved out to that of close clothes, shoes and hair."""
    rest = skin.sheet
    smooth = _shod(rest)
    normals = np.where((rest.fields[:, 7] > 0.5)[:, None], vertex_normals(smooth, rest.faces), skin.normals)
    off = _garments(rest.fields, outfit, skin) + _hair(rest.fields, face, skin.landmarks)
    return Sheet(smooth + normals * off[:, None], rest.faces, rest.weights, rest.fields)


def _not_under(worn: Sheet, skirt: float) -> Faces:
    """The triangles without those of the thighs that a skirt hides, lest a raised knee comes through it."""
    leg = worn.fields[:, 4]
    hidden = (leg > 0.06) & (leg < skirt - 0.2)
    return np.ascontiguousarray(worn.faces[~hidden[worn.faces].all(1)])


def _shod(sheet: Sheet) -> FloatArray:
    """(V, 3): vertices with each foot evened, so that toes become the tip of a shoe."""
    points = sheet.vertices.copy()
    for side in (-1, 1):
        rows = np.flatnonzero((sheet.fields[:, 7] > 0.5) & (points[:, 0] * side > 0))
        # Neighbours in space, not along the surface: they bridge the gaps between toes.
        distance, near = cKDTree(points[rows]).query(points[rows], k=min(_NEIGHBOURS, len(rows)))
        share = np.exp(-((distance / _EVEN) ** 2))
        even = (share[..., None] * points[rows][near]).sum(1) / share.sum(1)[:, None]
        strength = np.clip((sheet.fields[rows, 7] - 0.6) / 0.25, 0, 1)[:, None]
        points[rows] += strength * (even - points[rows])
    return points.astype(np.float32)


def _merged(
    worn: Sheet, layers: Sequence[tuple[Layer, Sheet]]
) -> tuple[Sheet, NDArray[np.uint8], NDArray[np.bool_], FloatArray]:
    """One sheet of all, the layers' triangles with both sides; (F,) layers, (F,) insides, (V, 3) normals."""
    sheets = [worn, *(sheet for _, sheet in layers)]
    faces, layer, inside = [worn.faces], [np.zeros(len(worn.faces), np.uint8)], [np.zeros(len(worn.faces), bool)]
    base = len(worn.vertices)
    for number, sheet in layers:
        own = sheet.faces + base
        faces += [own, own[:, ::-1]]
        layer.append(np.full(2 * len(own), number, np.uint8))
        inside.append(np.arange(2 * len(own)) >= len(own))
        base += len(sheet.vertices)
    merged = Sheet(
        np.concatenate([sheet.vertices for sheet in sheets]).astype(np.float32),
        np.ascontiguousarray(np.concatenate(faces), np.int32),
        np.concatenate([sheet.weights for sheet in sheets]).astype(np.float32),
        np.concatenate([sheet.fields for sheet in sheets]).astype(np.float32),
    )
    normals = np.concatenate([vertex_normals(sheet.vertices, sheet.faces) for sheet in sheets]).astype(np.float32)
    return merged, np.concatenate(layer), np.concatenate(inside), normals


def _garments(fields: FloatArray, outfit: Outfit, skin: Skin) -> FloatArray:
    """(V,): metres that clothes stand off the body; wider at sleeves' and legs' ends."""
    _, y, _, arm, leg, head, hand, foot = fields.T
    off = np.zeros(len(fields), np.float32)
    loose = outfit.looseness
    trunk = (head < 0.3) & (hand < 0.3) & (arm <= 0) & (leg <= 0)
    collar, hem = skin.joints[NECK, 1] - 0.015, skin.hem
    top = trunk & (y > collar) & (y < hem)
    # A top that is tucked into a skirt does not widen downwards.
    widening = 0.016 if outfit.skirt <= 0 else 0.0
    off[top] = 0.012 + loose * widening * np.clip((y[top] - collar) / (hem - collar), 0, 1) ** 2
    off[trunk & (y >= hem)] = 0.008
    off = np.maximum(off, np.where((leg > 0) & (y < hem), 0.01 + widening, 0))
    sleeved = (arm > 0) & (arm < outfit.sleeve) & (hand < 0.5)
    off[sleeved] = 0.012 + loose * 0.014 * np.clip(arm[sleeved] / outfit.sleeve, 0, 1) * (outfit.sleeve < 1)
    covered = (leg > 0) & (leg < outfit.leg) & (foot < 0.6) & (y >= hem)
    off[covered] = 0.008 + loose * 0.016 * np.clip(leg[covered] / outfit.leg, 0, 1)
    off[foot > 0.6] = SHOE
    return off


def _hair(fields: FloatArray, face: Face, landmarks: FloatArray) -> FloatArray:
    """(V,): metres that hair stands off the head."""
    tallest = {"bald": 0.0, "cropped": 0.007, "short": 0.022, "long": 0.02}.get(face.style, 0.014)
    cover = hair_cover(fields[:, :3], landmarks, face)
    # The ears' own normals point all ways: hair lies close there.
    away = np.min([np.linalg.norm(fields[:, :3] - landmarks[ear], axis=1) for ear in EARS], 0)
    beside = np.clip((0.06 - away) / 0.03, 0, 1)
    height = tallest + (min(0.005, tallest) - tallest) * beside
    # Fullest on the crown, thin at the hairline.
    rising = np.sqrt(np.clip(cover / 0.09, 0, 1))
    return np.where(fields[:, 5] > 0.5, height * rising, 0).astype(np.float32)
