"""Hands: what is beside them in the photo must not stick to them, and a hidden one must not wear what hides it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from retarget_cli.backends.avatar.parts import WRISTS, Part, PartMap, PosedBody
from retarget_cli.backends.avatar.texture import Page, continued
from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.subject import Image, View
from retarget_cli.perception.complexion import Complexion, color_distance
from retarget_cli.perception.regions import BoolArray, grown, nearest_value, opened

ELBOWS = {Part.LEFT_ARM: 18, Part.RIGHT_ARM: 19}
# Shadow between fingers, and the hem of a sleeve, are still the arm's.
SKIN_TOLERANCE = 1.7
SLEEVE_REACH, SLEEVE_LIGHTNESS = 22.0, 0.7
# Less skin than this share of the hand, and the hand is in a pocket or behind the back.
LEAST_SKIN = 0.12
# A gap that shows the background is at most so far from its colour, in Lab.
BACKGROUND_REACH = 16.0


@dataclass(frozen=True, slots=True)
class Hand:
    """One hand in the photo.

    Attributes:
        part: the arm that it belongs to.
        strange: (H, W) pixels that were taken for the arm and are something else.
        background: (H, W) pixels that were taken for the person.
        invented: (H, W) the body's hand, where the photo hides it; empty otherwise.
        skin: (3,) its colour, where it is invented.
    """

    part: Part
    strange: BoolArray
    background: BoolArray
    invented: BoolArray
    skin: Image | None

    @classmethod
    def of(cls, view: View, body: PosedBody, parts: PartMap, part: Part, look: Complexion) -> Hand:
        """Look at the hand of an arm."""
        nothing = np.zeros(view.mask.shape, bool)
        hand = projected(body, list(WRISTS[part]))
        if look.skin is None or not hand.any():
            return cls(part, nothing, nothing, nothing, None)
        image = view.image
        zone = grown(hand, 0.045 * body.height)
        arm = parts.labels == part
        skin = zone & arm & look.is_skin(image, SKIN_TOLERANCE)
        behind = continued(image, view.mask < 0.02)
        background = zone & (parts.labels >= 0) & (color_distance(image, behind) < BACKGROUND_REACH)
        background = opened(background & ~look.is_skin(image), 1.0)
        if skin.sum() < LEAST_SKIN * hand.sum():
            return cls(part, hand & arm, background, hand, look.skin)
        sleeve = forearm_color(image, body, arm, part)
        away = color_distance(image, np.broadcast_to(sleeve, image.shape), SLEEVE_LIGHTNESS)
        known = skin | (away < SLEEVE_REACH)
        return cls(part, opened(zone & arm & ~known, 1.0), background, nothing, None)

    def cleared(self, parts: PartMap) -> PartMap:
        """The part map with each pixel given to what it shows."""
        labels, guess = parts.labels.copy(), parts.guess.copy()
        others = (labels >= 0) & (labels != self.part)
        labels[self.strange] = nearest_value(labels, others)[self.strange]
        labels[self.background] = -1
        guess[self.strange] = -1  # here photo and body do not agree on anything
        return replace(parts, labels=labels, guess=guess)

    def painted(self, page: Page) -> Page:
        """The arm's page with an invented hand in the colour of skin, darker towards its edge."""
        if self.skin is None or not self.invented.any():
            return page
        rows, columns = page.image.shape[:2]
        window = slice(page.y, page.y + rows), slice(page.x, page.x + columns)
        inset = cv2.distanceTransform(self.invented[window].astype(np.uint8), cv2.DIST_L2, 5)
        light = 0.78 + 0.22 * np.clip(inset / max(float(inset.max()), 1.0), 0, 1)
        near = grown(self.invented[window], 2)[..., None]
        return replace(page, image=np.where(near, light[..., None] * self.skin, page.image).astype(np.uint8))


def projected(body: PosedBody, joints: list[int]) -> BoolArray:
    """(H, W): where what moves with these joints would be seen, if nothing were in front of it."""
    share = body.weights[:, joints].sum(1)
    faces = np.ascontiguousarray(body.faces[(share[body.faces] > 0.5).all(1)])
    return np.asarray(rasterize(body.vertices, faces, *body.size).face_index >= 0)


def forearm_color(image: Image, body: PosedBody, arm: BoolArray, part: Part) -> Image:
    """(3,) uint8: the median colour of the forearm, sleeve or skin."""
    forearm = projected(body, [ELBOWS[part]]) & arm
    if not forearm.any():
        forearm = arm if arm.any() else np.ones_like(arm)
    return np.median(image[forearm], axis=0).astype(np.uint8)
