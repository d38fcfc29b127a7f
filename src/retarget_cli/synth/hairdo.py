"""Hair that hangs free: a curtain behind the face, a tail, a bun."""

from __future__ import annotations

import numpy as np

from retarget_cli.synth.figure import EARS, EYES, HEAD, Skin
from retarget_cli.synth.mesh import Numbers, Sheet, grid_faces
from retarget_cli.synth.outfit import Face

SPINE3 = 9
ROWS, COLUMNS = 18, 32


def hair_layer(skin: Skin, face: Face) -> Sheet | None:
    """What hangs off the head, or None where nothing does."""
    if face.style == "bob":
        return _curtain(skin)
    if face.style == "ponytail":
        return _tail(skin)
    if face.style == "bun":
        return _bun(skin)
    return None


def _sheet(grid: Numbers, is_ring: bool, follows_back: Numbers) -> Sheet:
    """A grid (R, C, 3) that follows the head, and the back by shares (R,)."""
    rows, columns, _ = grid.shape
    vertices = grid.reshape(-1, 3).astype(np.float32)
    weights = np.zeros((rows, columns, 24), np.float32)
    weights[..., HEAD] = 1 - follows_back[:, None]
    weights[..., SPINE3] = follows_back[:, None]
    fields = np.full((len(vertices), 8), -1.0, np.float32)
    fields[:, :3], fields[:, 5], fields[:, 6:] = vertices, 1, 0
    return Sheet(vertices, grid_faces(rows, columns, is_ring), weights.reshape(-1, 24), fields)


def _head(skin: Skin) -> tuple[Numbers, Numbers]:
    """The skull's middle (3,) and half widths (3,)."""
    skull = skin.sheet.vertices[skin.sheet.fields[:, 5] > 0.9]
    eyes, ears = skin.landmarks[list(EYES)].mean(0), skin.landmarks[list(EARS)].mean(0)
    top, back = float(skull[:, 1].min()), float(skull[:, 2].max())
    near = skull[np.abs(skull[:, 1] - (eyes[1] - 0.03)) < 0.02]
    middle = np.array([0.0, eyes[1] - 0.01, (near[:, 2].min() + back) / 2])
    half = np.array([np.abs(near[:, 0]).max(), middle[1] - top, back - middle[2]])
    return np.asarray([middle[0], middle[1], max(middle[2], ears[2] - 0.01)]), half


def _curtain(skin: Skin) -> Sheet:
    """From the crown around the back of the head to the shoulders."""
    middle, half = _head(skin)
    chin = float(skin.landmarks[[9, 10], 1].mean()) + 0.045
    end = float(skin.joints[[16, 17], 1].mean()) - 0.005
    down = np.linspace(0, 1, ROWS)
    levels = middle[1] - 0.7 * half[1] + down * (end - middle[1] + 0.7 * half[1])
    # From in front of one ear, behind the head, to in front of the other; 0 is to the viewer's right.
    reach = np.interp(down, [0, 0.35, 1], [8, 30, 14])[:, None]
    angles = np.radians(90 + (90 + reach) * np.linspace(-1, 1, COLUMNS)[None])
    over = np.clip((middle[1] - levels) / half[1], 0, 1)
    shell = np.sqrt(np.maximum(1 - over**2, 0.05))[:, None]
    flare = 0.012 * np.clip((levels - middle[1]) / (chin - middle[1]), 0, 1)[:, None]
    # It comes out from under the hair of the crown, and falls outside the ears.
    out = 0.026 * np.clip(down / 0.3, 0, 1)[:, None]
    wide = (half[0] + 0.002 + out) * shell + flare
    deep = (half[2] + 0.006 + out) * shell + 0.3 * flare
    grid = np.stack(
        [
            middle[0] + wide * np.cos(angles),
            np.broadcast_to(levels[:, None], (ROWS, COLUMNS)),
            middle[2] + deep * np.sin(angles),
        ],
        -1,
    )
    back = np.clip((levels - chin) / (end - chin + 1e-6), 0, 1) * 0.45
    return _sheet(grid, False, back)


def _tail(skin: Skin) -> Sheet:
    """A tapering tail from the back of the head down."""
    middle, half = _head(skin)
    down = np.linspace(0, 1, ROWS)
    angles = np.arange(COLUMNS) / COLUMNS * 2 * np.pi
    length = 0.24 * half[1] / 0.12
    thick = 0.034 * np.sin(np.pi * np.clip(0.12 + 0.86 * down, 0, 1)) ** 0.6
    y = middle[1] - 0.02 + length * down
    z = middle[2] + half[2] + 0.02 + 0.045 * np.sin(np.pi * down**0.6)
    grid = np.stack(
        [
            middle[0] + thick[:, None] * np.cos(angles),
            np.broadcast_to(y[:, None], (ROWS, COLUMNS)),
            z[:, None] + thick[:, None] * np.sin(angles),
        ],
        -1,
    )
    return _sheet(grid, True, 0.3 * down)


def _bun(skin: Skin) -> Sheet:
    """A knot on the back of the head."""
    middle, half = _head(skin)
    down = np.linspace(0.02, np.pi - 0.02, ROWS)
    angles = np.arange(COLUMNS) / COLUMNS * 2 * np.pi
    radius = 0.045 * half[1] / 0.12
    ring = radius * np.sin(down)
    grid = np.stack(
        [
            middle[0] + ring[:, None] * np.cos(angles),
            np.broadcast_to((middle[1] - 0.05 - radius * np.cos(down))[:, None], (ROWS, COLUMNS)),
            middle[2] + half[2] + 0.035 + ring[:, None] * np.sin(angles),
        ],
        -1,
    )
    return _sheet(grid, True, np.zeros(ROWS))
