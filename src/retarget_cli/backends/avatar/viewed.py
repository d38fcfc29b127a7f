"""One picture of the person, understood: where the body is, which pixels are which part, what is hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from retarget_cli.backends.avatar import texture
from retarget_cli.backends.avatar.hands import Hand
from retarget_cli.backends.avatar.parts import OVERLAP, WRISTS, Part, PartMap, PosedBody, map_parts
from retarget_cli.backends.avatar.texture import Page
from retarget_cli.backends.avatar.transforms import pose_transforms
from retarget_cli.body.kinematics import skin
from retarget_cli.body.model import Body, Shape
from retarget_cli.body.raster.numba_zbuffer import interpolate, rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View
from retarget_cli.perception.complexion import Complexion, complexion
from retarget_cli.perception.regions import BoolArray, closed, grown, nearest_value, opened, without_holes

# Landmarks of the knees, and the joints of their legs.
KNEES = {25: (1, 4, 7, 10), 26: (2, 5, 8, 11)}
# How far a figure that the picture cuts is continued below it, as a share of the picture's height.
BELOW = 0.2
# Within this share of the picture's height of its border the mask is not to be trusted.
FADE = 0.12


@dataclass(frozen=True, slots=True)
class Viewed:
    """One view and what it shows.

    Attributes:
        view: continued below its border where that cuts the person.
        transforms: (24, 3, 4) from rest to the view's pose.
        body: the fitted body in its pixels.
        parts: its pixels sorted into parts.
        head: (H, W) pixels of the head.
        look: colours of skin and hair.
        hands: what was found about each hand.
    """

    view: View
    transforms: FloatArray
    body: PosedBody
    parts: PartMap
    head: BoolArray
    look: Complexion
    hands: dict[Part, Hand]

    @classmethod
    def of(cls, view: View, body: Body, shape: Shape) -> Viewed:
        """Understand a view with mask and fitted body."""
        transforms = pose_transforms(view.theta[None], body, shape)[0]
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
        return cls(view, transforms, posed, parts, head, look, hands)

    def domain(self, part: Part) -> BoolArray:
        """(H, W): where the part is, seen, hidden or invented."""
        domain = part_domain(self.body, self.parts, part, self.parts.labels >= 0)
        return domain | self.hands[part].invented if part in self.hands else domain

    def pages(self, part: Part, domain: BoolArray, margin: int) -> tuple[Page, Page]:
        """What is painted on the front and on the back of a part."""
        image = self.view.image
        shown = texture.shown_core(self.parts, part, self.view.mask, max(1.5, 0.004 * self.body.height))
        front = texture.paint(image, shown, domain, margin)
        if part in self.hands:
            front = self.hands[part].painted(front)
        if part is not Part.TRUNK or self.look.skin is None:
            return front, front
        # The back of the head has no face: hair all over, or what is around the face of somebody without.
        around = self.head & shown & ~self.look.face
        scalp = around & (self.look.is_skin(image) if self.look.hair is None else self.look.is_hair(image))
        if not scalp.any():
            return front, front
        page = np.where(self.head[..., None], texture.continued(image, scalp), image)
        return front, texture.paint(page, shown | self.head, domain, margin)


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
    fragments = rasterize(body.vertices, body.faces_of(part, OVERLAP), *solid.shape)
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
    faces = body.faces_of(Part.TRUNK, OVERLAP)
    fragments = rasterize(body.vertices, faces, *domain.shape)
    head = interpolate(fragments, faces, body.weights[:, [15]])[..., 0]
    hit = fragments.face_index >= 0
    nearest = nearest_value(head, hit)
    return domain & (nearest > 0.5)
