"""The whole figure: sheets of all parts in one mesh, with one atlas, ready to be posed.

This file is the way from photos to the figure: viewed photo -> domains -> sheets and pages -> figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.backends.avatar.atlas import pack
from retarget_cli.backends.avatar.other_views import best_pages, borrow
from retarget_cli.backends.avatar.parts import Part
from retarget_cli.backends.avatar.sheet import Sheet, build_sheet
from retarget_cli.backends.avatar.texture import Page
from retarget_cli.backends.avatar.transforms import invert
from retarget_cli.backends.avatar.viewed import Viewed
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View

# How many joints move a point.
INFLUENCES = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A textured mesh bound to the source's pose.

    Attributes:
        points: (N, 3) metres, as they stand in the source's picture; hips at the origin.
        joints, weights: (N, 4) the joints that move each point, and their shares.
        faces: (F, 3) int32.
        uv: (F, 3, 2) pixels of the atlas.
        atlas: (A, B, 3) uint8.
        unposed: (24, 3, 4) takes the source's pose back to rest.
    """

    points: FloatArray
    joints: NDArray[np.int32]
    weights: FloatArray
    faces: NDArray[np.int32]
    uv: FloatArray
    atlas: Image
    unposed: FloatArray


@dataclass(frozen=True, slots=True)
class Dressed:
    """A sheet and what is painted on it.

    Attributes:
        sheet: the mesh.
        pages: pictures that its triangles take their colours from.
        page: (F,) which of them.
        corners: (F, 3, 2) where in the photo that the page is a part of, pixels.
    """

    sheet: Sheet
    pages: tuple[Page, ...]
    page: NDArray[np.int64]
    corners: FloatArray


def build_figure(views: Sequence[View], body: Body, shape: Shape, step: float) -> Figure:
    """Cut the person out of the views and stand him up.

    Args:
        views: with mask and fitted body; the first gives the form and the front.
        shape: the source's.
        step: distance of the sheets' nodes in pixels.

    Raises:
        InputError: nothing of the person is left to draw.
    """
    viewed = [Viewed.of(view, body, shape) for view in views]
    return assemble(list(dressed_parts(viewed, step).values()), viewed[0])


def dressed_parts(viewed: Sequence[Viewed], step: float) -> dict[Part, Dressed]:
    """The sheets of all parts that there are, with their pages.

    Args:
        viewed: the first gives the form and the front.
        step: distance of the sheets' nodes in pixels.

    Raises:
        InputError: nothing of the person is left to draw.
    """
    primary, *others = viewed
    found = {part: _dress(part, primary, others, step) for part in Part}
    dressed = {part: piece for part, piece in found.items() if piece is not None}
    if not dressed:
        raise InputError(
            "the source shows too little of a person to be moved", "use a larger or sharper photo"
        )
    return dressed


def _dress(part: Part, primary: Viewed, others: Sequence[Viewed], step: float) -> Dressed | None:
    domain = primary.domain(part)
    sheet = build_sheet(primary.body, part, domain, step) if domain.any() else None
    if sheet is None:
        return None
    margin = int(np.ceil(step)) + 2
    lent = [piece for other in others if (piece := borrow(sheet, part, primary, other)) is not None]
    page = best_pages(sheet, lent)
    own = sheet.points[sheet.faces][..., :2]
    corners = np.stack([own, own, *(piece.corners for piece in lent)])[page, np.arange(len(page))]
    return Dressed(
        sheet, (*primary.pages(part, domain, margin), *(piece.page for piece in lent)), page, corners
    )


def assemble(dressed: Sequence[Dressed], primary: Viewed) -> Figure:
    """One mesh of several sheets that were cut from the `primary` view."""
    camera = primary.view.camera
    atlas, places = pack([page for piece in dressed for page in piece.pages])
    remaining = iter(places)
    uv = []
    for piece in dressed:
        shift = np.array([np.subtract(next(remaining), (page.x, page.y)) for page in piece.pages])
        uv.append(piece.corners + shift[piece.page][:, None])
    sizes = np.cumsum([0, *(len(piece.sheet.points) for piece in dressed)])
    faces = [piece.sheet.faces + start for piece, start in zip(dressed, sizes, strict=False)]
    metric = np.concatenate([piece.sheet.points for piece in dressed])
    metric[:, :2] -= camera[1:]
    joints, shares = strongest(np.concatenate([piece.sheet.weights for piece in dressed]))
    return Figure(
        (metric / camera[0]).astype(np.float32),
        joints,
        shares,
        np.ascontiguousarray(np.concatenate(faces), np.int32),
        np.ascontiguousarray(np.concatenate(uv), np.float32),
        atlas,
        invert(primary.transforms),
    )


def strongest(weights: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
    """(N, 4) joints and shares of the strongest influences, from dense weights (N, 24)."""
    order = np.argsort(-weights, axis=1)[:, :INFLUENCES]
    shares = np.take_along_axis(weights, order, 1)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1e-6)
    return np.ascontiguousarray(order, np.int32), np.ascontiguousarray(shares, np.float32)
