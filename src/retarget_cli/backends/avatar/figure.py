"""The whole figure: sheets of all parts in one mesh, with one atlas, ready to be posed.

This file is the way from a photo to the figure: posed body -> parts -> domains -> sheets and pages -> figure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from retarget_cli.backends.avatar import texture
from retarget_cli.backends.avatar.complexion import Complexion, complexion
from retarget_cli.backends.avatar.hands import Hand
from retarget_cli.backends.avatar.parts import (
    WRISTS,
    BoolArray,
    Part,
    PartMap,
    PosedBody,
    interpolate,
    map_parts,
    nearest_value,
)
from retarget_cli.backends.avatar.regions import closed, grown, opened, without_holes
from retarget_cli.backends.avatar.sheet import Sheet, build_sheet
from retarget_cli.backends.avatar.texture import Page
from retarget_cli.body.kinematics import bone_transforms, skin
from retarget_cli.body.model import Body, Shape
from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix

# Landmarks of the knees, and the joints of their legs.
KNEES = {25: (1, 4, 7, 10), 26: (2, 5, 8, 11)}
# How far a figure that the picture cuts is continued below it, as a share of the picture's height.
BELOW = 0.2
# Within this share of the picture's height of its border the mask is not to be trusted.
FADE = 0.12
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


def build_figure(view: View, body: Body, shape: Shape, step: float) -> Figure:
    """Cut the person out of a view and stand him up.

    Args:
        view: with mask and fitted body.
        shape: the source's.
        step: distance of the sheets' nodes in pixels.
    """
    transforms = source_transforms(view, body, shape)
    view = continued_below(view)
    posed = posed_body(view, body, shape, transforms)
    solid = view.mask > 0.5
    head = head_pixels(posed, solid)
    look = complexion(view.image, view.pose, head)
    parts = map_parts(view.image, solid, posed)
    parts = free_hair(parts, look.is_hair(view.image), posed.height)
    hands = {part: Hand.of(view, posed, parts, part, look) for part in WRISTS}
    for hand in hands.values():
        parts = hand.cleared(parts)
    solid = parts.labels >= 0
    sheets: list[Sheet] = []
    pages: list[tuple[Page, Page]] = []
    for part in Part:
        domain = part_domain(posed, parts, part, solid)
        if part in hands:
            domain |= hands[part].invented
        sheet = build_sheet(posed, part, domain, step) if domain.any() else None
        if sheet is None:
            continue
        pair = _pages(view, posed, parts, part, domain, step, look, head)
        if part in hands:
            pair = (hands[part].painted(pair[0]),) * 2
        sheets.append(sheet)
        pages.append(pair)
    return _assemble(sheets, pages, view.camera, invert(transforms))


def source_transforms(view: View, body: Body, shape: Shape) -> FloatArray:
    """(24, 3, 4): from rest to the view's pose, metres."""
    rotations = axis_angle_to_matrix(torch.from_numpy(view.theta)[None])
    return bone_transforms(shape.joints[None], body.parents, rotations)[0].numpy()


def posed_body(view: View, body: Body, shape: Shape, transforms: FloatArray) -> PosedBody:
    """The body as it stands in the view, in pixels."""
    moved = skin(shape.vertices[None], body.weights_index, body.weights, torch.from_numpy(transforms)[None])
    scale, tx, ty = (float(v) for v in view.camera)
    vertices = moved[0].numpy() * scale
    vertices[:, :2] += (tx, ty)
    height = float(shape.vertices[:, 1].max() - shape.vertices[:, 1].min()) * scale
    size = (view.mask.shape[0], view.mask.shape[1])
    return PosedBody.of(body, vertices.astype(np.float32), height, size, unseen_joints(view))


def unseen_joints(view: View) -> list[int]:
    """Joints of the legs whose knee lies outside the picture or is not believed."""
    rows = view.mask.shape[0]
    return [
        joint
        for knee, leg in KNEES.items()
        if view.pose[knee, 1] > rows or view.pose[knee, 2] < 0.3
        for joint in leg
    ]


def continued_below(view: View) -> View:
    """A view whose lower border cuts the person, with its last rows repeated below, out of sight.

    When the figure leans or turns, what comes into sight at the border is cloth and not a hole.
    """
    rows = view.mask.shape[0]
    if view.pose[list(KNEES), 1].max() < rows:
        return view
    # Segmentation fades out near the picture's border: the last row that is as wide as those above it goes on.
    start = rows - max(2, round(FADE * rows))
    widths = (view.mask[start:] > 0.5).sum(1)
    if not widths.any():
        return view
    last = start + int(np.flatnonzero(widths > 0.7 * widths.max())[-1])
    more = round(BELOW * rows)
    image = cv2.copyMakeBorder(view.image, 0, more, 0, 0, cv2.BORDER_REFLECT)
    mask = cv2.copyMakeBorder(view.mask[: last + 1], 0, rows - last - 1 + more, 0, 0, cv2.BORDER_REPLICATE)
    return replace(view, image=np.asarray(image, np.uint8), mask=np.asarray(mask, np.float32))


def part_domain(body: PosedBody, parts: PartMap, part: Part, solid: BoolArray) -> BoolArray:
    """(H, W): where the part is, seen or hidden behind another part."""
    visible = parts.visible(part)
    fragments = rasterize(body.vertices, body.faces_of(part), *solid.shape)
    hidden = (fragments.face_index >= 0) & solid & (parts.labels != part) & (parts.guess != part)
    # Slivers between a part and its neighbour's edge would flutter on their own.
    domain = visible | opened(hidden, 0.006 * body.height)
    domain = opened(domain, 1.0)
    joined = (without_holes(closed(domain, 0.003 * body.height), 0.02 * body.height) & solid).astype(np.uint8)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    areas = facts[1:, cv2.CC_STAT_AREA]
    if count <= 1:
        return np.asarray(joined > 0)
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(areas > 0.08 * areas.max())))


def _pages(
    view: View,
    body: PosedBody,
    parts: PartMap,
    part: Part,
    domain: BoolArray,
    step: float,
    look: Complexion,
    head: BoolArray,
) -> tuple[Page, Page]:
    """What is painted on the front and on the back of a part."""
    margin = int(np.ceil(step)) + 2
    shown = texture.shown_core(parts, part, view.mask, max(1.5, 0.004 * body.height))
    front = texture.paint(view.image, shown, domain, margin)
    if part is not Part.TRUNK or look.hair is None:
        return front, front
    # The back of the head: hair wherever the front of the head is not.
    hair = head & shown & look.is_hair(view.image) & ~look.face
    if not hair.any():
        return front, front
    page = np.where(head[..., None], texture.continued(view.image, hair), view.image)
    return front, texture.paint(page, shown | head, domain, margin)


def free_hair(parts: PartMap, hair: BoolArray, height: float) -> PartMap:
    """Hair that falls over an arm stays with the head and the trunk, and does not move with the arm."""
    arms = np.isin(parts.labels, [Part.LEFT_ARM, Part.RIGHT_ARM])
    trunk = (parts.labels == Part.TRUNK) & hair
    soft = opened((arms & hair) | trunk, 1.0)
    count, labels = cv2.connectedComponents(soft.astype(np.uint8), connectivity=8)
    if count <= 1:
        return parts
    hanging = np.isin(labels, np.setdiff1d(labels[trunk & soft], [0])) & arms
    if hanging.sum() < (0.01 * height) ** 2:
        return parts
    hanging = grown(hanging, 0.004 * height) & arms
    moved = np.where(hanging, int(Part.TRUNK), parts.labels).astype(np.int32)
    return replace(parts, labels=moved)


def head_pixels(body: PosedBody, domain: BoolArray) -> BoolArray:
    """(H, W): pixels of the domain whose nearest body surface is the head."""
    faces = body.faces_of(Part.TRUNK)
    fragments = rasterize(body.vertices, faces, *domain.shape)
    head = interpolate(fragments, faces, body.weights[:, [15]])[..., 0]
    hit = fragments.face_index >= 0
    nearest = nearest_value(head, hit)
    return domain & (nearest > 0.5)


def invert(transforms: FloatArray) -> FloatArray:
    """(24, 3, 4) rigid transforms, the other way."""
    turned = transforms[..., :3].transpose(0, 2, 1)
    moved = -(turned @ transforms[..., 3:])
    return np.concatenate([turned, moved], -1).astype(np.float32)


def compose(second: FloatArray, first: FloatArray) -> FloatArray:
    """(..., 3, 4): `first`, then `second`."""
    turned = second[..., :3] @ first[..., :3]
    moved = second[..., :3] @ first[..., 3:] + second[..., 3:]
    return np.concatenate([turned, moved], -1).astype(np.float32)


def _assemble(
    sheets: list[Sheet], pages: list[tuple[Page, Page]], camera: FloatArray, unposed: FloatArray
) -> Figure:
    atlas, places = _pack([page for pair in pages for page in pair])
    points, weights, faces, uv = [], [], [], []
    offset = 0
    for number, (sheet, pair) in enumerate(zip(sheets, pages, strict=True)):
        corners = sheet.points[sheet.faces][..., :2]
        shift = [np.array(places[2 * number + side]) - (pair[side].x, pair[side].y) for side in (0, 1)]
        uv.append(corners + np.where(sheet.is_back[:, None, None], shift[1], shift[0]))
        points.append(sheet.points)
        weights.append(sheet.weights)
        faces.append(sheet.faces + offset)
        offset += len(sheet.points)
    metric = np.concatenate(points)
    metric[:, :2] -= camera[1:]
    joints, shares = strongest(np.concatenate(weights))
    return Figure(
        (metric / camera[0]).astype(np.float32),
        joints,
        shares,
        np.ascontiguousarray(np.concatenate(faces), np.int32),
        np.ascontiguousarray(np.concatenate(uv), np.float32),
        atlas,
        unposed,
    )


def strongest(weights: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
    """(N, 4) joints and shares of the strongest influences, from dense weights (N, 24)."""
    order = np.argsort(-weights, axis=1)[:, :INFLUENCES]
    shares = np.take_along_axis(weights, order, 1)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1e-6)
    return np.ascontiguousarray(order, np.int32), np.ascontiguousarray(shares, np.float32)


def _pack(pages: list[Page]) -> tuple[Image, list[tuple[int, int]]]:
    """Pages side by side in one picture; the same page twice is laid once."""
    width = sum(page.image.shape[1] for page in pages)
    height = max(page.image.shape[0] for page in pages)
    atlas = np.zeros((height, width, 3), np.uint8)
    places: list[tuple[int, int]] = []
    laid: dict[int, tuple[int, int]] = {}
    x = 0
    for page in pages:
        if id(page) not in laid:
            rows, columns = page.image.shape[:2]
            atlas[:rows, x : x + columns] = page.image
            laid[id(page)] = (x, 0)
            x += columns
        places.append(laid[id(page)])
    return np.ascontiguousarray(atlas[:, :x]), places
