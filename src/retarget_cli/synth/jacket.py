"""An open jacket: a copy of the clothed trunk and arms, farther out, cut open in front."""

from __future__ import annotations

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.figure import NECK, Skin, before_spine
from retarget_cli.synth.mesh import Sheet, clip, compact, vertex_normals
from retarget_cli.synth.outfit import Outfit

OFF = 0.009


def jacket_layer(skin: Skin, worn: Sheet, outfit: Outfit) -> Sheet:
    """The jacket's surface, with clean edges at hem, front, neck and wrists."""
    fields = worn.fields
    _, y, _, arm, leg, head, hand, _ = fields.T
    near = (head < 0.5) & (hand < 0.6) & (y > skin.joints[NECK, 1] - 0.06) & ((y < skin.hem + 0.05) | (arm > -0.6))
    near &= (leg < 0) | (y < skin.hem + 0.05)
    faces = worn.faces[near[worn.faces].all(1)]
    sheet = Sheet(_outer(skin, worn, outfit), faces, worn.weights, fields)
    for cut in (_hem, _opening, _neck, _wrist):
        sheet = clip(compact(sheet), cut(compact(sheet).fields, skin, outfit))
    return sheet


def _outer(skin: Skin, worn: Sheet, outfit: Outfit) -> FloatArray:
    """(V, 3): the surface, moved out; more towards the hem, where it hangs free."""
    normals = vertex_normals(worn.vertices, worn.faces)
    _, y, _, arm, _, _, _, _ = worn.fields.T
    down = np.clip((y - skin.joints[NECK, 1]) / (skin.hem - skin.joints[NECK, 1]), 0, 1)
    # A skirt's waistband lies under it.
    hanging = 0.012 if outfit.skirt <= 0 else 0.03
    off = OFF + np.where(arm < 0, hanging * down**2, 0.003)
    # Over bare forearms, a sleeve's own thickness comes on top.
    off = off + np.where((arm >= outfit.sleeve), 0.009, 0)
    return (worn.vertices + normals * off[:, None]).astype(np.float32)


def _hem(fields: FloatArray, skin: Skin, outfit: Outfit) -> FloatArray:
    return np.where(fields[:, 3] > 0, 1.0, skin.hem - 0.004 - fields[:, 1])


def _opening(fields: FloatArray, skin: Skin, outfit: Outfit) -> FloatArray:
    """Open in front, wider towards the hem and at the lapels."""
    x, y = fields[:, :2].T
    half = 0.035 + 0.1 * np.abs(y - float(skin.joints[9, 1]))
    return np.where(before_spine(fields[:, :3], skin.joints) > 0.02, np.abs(x) - half, 1.0)


def _neck(fields: FloatArray, skin: Skin, outfit: Outfit) -> FloatArray:
    _, height, depth = skin.joints[NECK]
    return fields[:, 1] - (height - 0.012 + 0.55 * np.maximum(depth - fields[:, 2] - 0.02, 0))


def _wrist(fields: FloatArray, skin: Skin, outfit: Outfit) -> FloatArray:
    return np.where(fields[:, 3] > 0, outfit.jacket_sleeve - fields[:, 3], 1.0)
