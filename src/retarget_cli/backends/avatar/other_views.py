"""What the primary view does not show is painted from the views that do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.backends.avatar.parts import Part
from retarget_cli.backends.avatar.sheet import Sheet
from retarget_cli.backends.avatar.texture import Page
from retarget_cli.backends.avatar.transforms import compose, invert
from retarget_cli.backends.avatar.viewed import Viewed
from retarget_cli.core.motion import FloatArray
from retarget_cli.perception.regions import BoolArray, grown

# A triangle is taken from a view in which it is turned to the viewer by at least this cosine.
FACING = 0.05
# The two fits differ by a few pixels: so far beyond the part its colours go on, as a share of the height.
SLACK = 0.03


@dataclass(frozen=True, slots=True)
class Borrowed:
    """One part as another view shows it.

    Attributes:
        page: the part's pixels there.
        corners: (F, 3, 2) the sheet's triangles in that view's pixels.
        facing: (F,) cosine between the triangle and the viewer there; -1 where it is not shown.
    """

    page: Page
    corners: FloatArray
    facing: FloatArray


def borrow(sheet: Sheet, part: Part, primary: Viewed, other: Viewed) -> Borrowed | None:
    """Carry a sheet of the primary view into another view; None when that does not show the part."""
    domain = other.domain(part)
    if not domain.any():
        return None
    points = moved(sheet, primary, other)
    corners = points[sheet.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # Faces that are turned to the viewer have normals towards negative z.
    facing = -normal[:, 2] / np.maximum(np.linalg.norm(normal, axis=1), 1e-6)
    slack = max(2, round(SLACK * other.body.height))
    shown = inside(corners.mean(1)[:, :2], grown(domain, slack))
    page = other.pages(part, domain, 2 * slack)[0]
    facing = spread(np.where(shown, facing, -1), sheet)
    return Borrowed(page, corners[..., :2].astype(np.float32), facing)


def spread(values: FloatArray, sheet: Sheet, rounds: int = 3) -> FloatArray:
    """(F,) values of triangles averaged with their neighbours', so that no lone triangle differs."""
    count = np.bincount(sheet.faces.ravel(), minlength=len(sheet.points))
    for _ in range(rounds):
        total = np.bincount(sheet.faces.ravel(), np.repeat(values, 3), minlength=len(sheet.points))
        values = (total / np.maximum(count, 1))[sheet.faces].mean(1)
    return values.astype(np.float32)


def moved(sheet: Sheet, primary: Viewed, other: Viewed) -> FloatArray:
    """(N, 3): the sheet's points in the other view's pose and pixels."""
    scale, tx, ty = primary.view.camera
    metric = (sheet.points - (tx, ty, 0)) / scale
    between = compose(other.transforms, invert(primary.transforms))
    blended = np.einsum("nj,jrc->nrc", sheet.weights, between)
    placed = np.einsum("nrc,nc->nr", blended[..., :3], metric) + blended[..., 3]
    scale, tx, ty = other.view.camera
    return np.asarray(placed * scale + (tx, ty, 0), np.float32)


def inside(points: FloatArray, region: BoolArray) -> BoolArray:
    """(N,): whether pixels x, y (N, 2) lie in the region (H, W)."""
    rows, columns = region.shape
    x, y = np.floor(points[:, 0]).astype(np.int64), np.floor(points[:, 1]).astype(np.int64)
    within = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
    return within & region[np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)]


def best_pages(sheet: Sheet, borrowed: list[Borrowed]) -> NDArray[np.int64]:
    """(F,): the page of each triangle: 0 the primary's front, 1 its back, 2... the borrowed ones.

    The front is always the primary's own: a face that is put together from two photos is nobody's.
    """
    pages = sheet.is_back.astype(np.int64)
    if not borrowed:
        return pages
    facing = np.stack([view.facing for view in borrowed])
    best = facing.argmax(0)
    return np.where(sheet.is_back & (facing.max(0) > FACING), 2 + best, pages)
