"""Appearance transfer: a subject's photos with the clothes of somebody else in them, layer over layer.

From below: what stands behind, the own neck, what is worn below the waist, what is worn above it, the own head with its
hair. A garment that is kept is the photo's own; it goes on where the one that covered it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from retarget_cli.backends.avatar.hands import projected
from retarget_cli.backends.avatar.parts import PART_OF_JOINT
from retarget_cli.backends.avatar.texture import continued
from retarget_cli.backends.avatar.viewed import Viewed
from retarget_cli.backends.dressing.clothing import ARMS, NECK, Clothing, large
from retarget_cli.backends.dressing.wardrobe import Hung, Wardrobe
from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Image, Subject, View
from retarget_cli.perception.complexion import color_distance
from retarget_cli.perception.regions import BoolArray, closed, grown, opened, without_holes

HEAD, COLLARS, HIPS, CHEST = [15], [13, 14], [0], [6, 9, 13, 14]
# The outermost pixels of a region show what is beside it too, and its shadow: colours are carried from farther in than
# this share of the height.
RIM = 0.008
# A garment's colours are at most so far from each other at its waist, in Lab.
SAME = 16.0


def dressed(subject: Subject, garment: Subject, parts: Parts = Parts.ALL) -> Subject:
    """The subject in the garment wearer's clothes: every view of it is painted anew.

    Raises:
        InputError: the two are of different canvas sizes or bodies, or one shows too little of a person.
    """
    if subject.size != garment.size or subject.body != garment.body:
        raise InputError(
            f"garment of {garment.size[1]}x{garment.size[0]}, source of {subject.size[1]}x{subject.size[0]}",
            "prepare both at the same size",
        )
    body = load_body(subject.body)
    own, worn = (body.shaped(torch.from_numpy(person.betas)) for person in (subject, garment))
    skin = Viewed.of(subject.primary, body, own).look.skin if parts.keeps_skin else None
    wardrobe = Wardrobe.of(garment.views, body, worn, own, skin)
    views = tuple(_dressed_view(view, subject.plate, body, own, wardrobe, parts) for view in subject.views)
    return replace(subject, views=views)


@dataclass
class Canvas:
    """Layers laid over each other.

    Attributes:
        color: (H, W, 3) in [0, 255].
        cover: (H, W) in [0, 1]: how much of the pixel the person covers.
    """

    color: FloatArray
    cover: FloatArray

    def lay(self, color: FloatArray | Image, share: FloatArray) -> None:
        """Put a layer on top: (H, W, 3) in [0, 255], and how much it covers, (H, W)."""
        over = share[..., None].astype(np.float32)
        self.color = np.asarray(self.color * (1 - over) + color * over, np.float32)
        self.cover = self.cover + share * (1 - self.cover)


def _dressed_view(view: View, plate: Image, body: Body, own: Shape, wardrobe: Wardrobe, parts: Parts) -> View:
    rows = view.image.shape[0]
    viewed = Viewed.of(view, body, own)
    # What continues below a photo that cuts the person is of no use here: the new view is continued itself.
    clothing = Clothing.of(viewed).cropped(rows)
    places = Places.of(viewed, clothing, rows)
    canvas = Canvas(plate.astype(np.float32), np.zeros(view.mask.shape, np.float32))
    if parts.has_upper:
        canvas.lay(*_neck(view, viewed, clothing, places))
    canvas.lay(*_lower(view, clothing, places, wardrobe.hung(view, arms=False), parts))
    if parts.has_upper:
        canvas.lay(*_own_skin(view, clothing, parts))
        hung = wardrobe.hung(view, arms=True)
        canvas.lay(*_upper(places, hung, parts))
        if parts.keeps_skin:
            canvas.lay(*_hands(view, clothing, places, hung))
    else:
        canvas.lay(view.image, soft(clothing.upper) * view.mask)
    canvas.lay(view.image, soft(clothing.head) * view.mask)
    _mended(canvas, places)
    image = canvas.color.round().clip(0, 255).astype(np.uint8)
    return replace(view, image=image, mask=canvas.cover.astype(np.float32))


@dataclass(frozen=True, slots=True)
class Places:
    """Where parts of the own body are seen, or would be, if nothing were in front of them; all masks (H, W).

    Attributes:
        neck: neck and head, and the shoulders but for their rim.
        hips: what moves with the hips alone, from the waist to where the legs begin.
        core: trunk, neck and legs, without arms.
        loins: the core without what is above the waist.
        bare: skin that the own photo shows of trunk and arms.
        rim: so near to its edge a region also shows what is beside it, pixels.
    """

    neck: BoolArray
    hips: BoolArray
    core: BoolArray
    loins: BoolArray
    bare: BoolArray
    rim: float

    @classmethod
    def of(cls, viewed: Viewed, clothing: Clothing, rows: int) -> Places:
        """Project the body; only the first `rows` of the view count."""
        neck, hips = (projected(viewed.body, bones)[:rows] for bones in (NECK + HEAD, HIPS))
        trunk = [bone for bone in range(len(PART_OF_JOINT)) if PART_OF_JOINT[bone] not in ARMS]
        core = projected(viewed.body, trunk)[:rows]
        loins = projected(viewed.body, [bone for bone in trunk if bone not in CHEST + NECK + HEAD])[:rows]
        rim = max(2.0, RIM * viewed.body.height)
        neck |= inner(projected(viewed.body, NECK + HEAD + COLLARS)[:rows], 2 * rim)
        return cls(neck, hips, core, loins, clothing.skin & clothing.upper, rim)


def _neck(view: View, viewed: Viewed, clothing: Clothing, places: Places) -> tuple[FloatArray, FloatArray]:
    """The own neck, carried on where a collar hid it."""
    rows = view.image.shape[0]
    face = viewed.look.face[:rows] & viewed.look.is_skin(viewed.view.image)[:rows]
    bare = inner(places.bare & grown(places.neck, places.rim), 2.0)
    known = bare if bare.sum() > 0.1 * places.neck.sum() else face
    if not known.any():
        return view.image.astype(np.float32), np.zeros(view.mask.shape, np.float32)
    return continued(view.image, known).astype(np.float32), soft(places.neck & ~clothing.head)


def _own_skin(view: View, clothing: Clothing, parts: Parts) -> tuple[Image, FloatArray]:
    """Skin that the photo shows, under the new clothes: nothing is as true as that."""
    bare = clothing.skin & clothing.upper & parts.keeps_skin
    return view.image, soft(bare) * view.mask


def _lower(
    view: View, clothing: Clothing, places: Places, hung: Hung, parts: Parts
) -> tuple[FloatArray, FloatArray]:
    """What is worn below, and its continuation up under what is worn above."""
    if parts.has_lower:
        color, share = hung.color * 255, solid(hung.cover * hung.lower, places.rim)
        # Where the own clothes reached higher than the other's, nothing may show through.
        under = (places.hips & (hung.cover > 0.5)) | (clothing.lower & places.core & ~clothing.skin & _above(places))
        worn = share > 0.9
    else:
        color, share = view.image.astype(np.float32), soft(clothing.lower) * view.mask
        under = places.hips | (clothing.upper & places.loins)
        worn = clothing.lower
    plain = inner(worn, 2.0)
    if not plain.any():
        return color, share
    filled = carried(color, plain)
    above = _above(places)
    waist = alike(color, inner(worn, places.rim), 8 * places.rim)
    if waist.any():
        filled = np.where(above[..., None], carried(color, waist), filled)
    gap = under & (share < 0.5)
    # The rim of what is there shows the shadow of what hung over it.
    new = (gap | (grown(gap, places.rim) & above & ~waist))[..., None]
    return np.where(new, filled, color).astype(np.float32), np.maximum(share, soft(gap))


def carried(color: FloatArray, known: BoolArray) -> FloatArray:
    """(H, W, 3): known colours carried on."""
    return continued(color.round().clip(0, 255).astype(np.uint8), known).astype(np.float32)


def alike(color: FloatArray, region: BoolArray, depth: float) -> BoolArray:
    """(H, W): of a garment's region what has the colour of its upper end, as deep as `depth` pixels.

    A shadow of the hem above it must not be carried on for a whole hand's breadth.
    """
    rows = np.flatnonzero(region.any(1))
    if not len(rows):
        return region
    band = region & (np.arange(len(region))[:, None] < rows[0] + depth)
    middle = np.median(color[band], axis=0).clip(0, 255).astype(np.uint8)
    kept = region & (color_distance(color.clip(0, 255).astype(np.uint8), np.broadcast_to(middle, color.shape)) < SAME)
    return kept if kept.any() else region


def _above(places: Places) -> BoolArray:
    """(H, W): rows in which the hips are, and those above them."""
    rows = np.flatnonzero(places.hips.any(1))
    last = rows[-1] if len(rows) else -1
    return np.broadcast_to((np.arange(len(places.hips)) <= last)[:, None], places.hips.shape)


def _upper(places: Places, hung: Hung, parts: Parts) -> tuple[FloatArray, FloatArray]:
    """What is worn above; with what is worn below, where that is new too, since arms may hang before either."""
    upper = hung.upper
    if parts.keeps_skin:  # the own skin is better than the other's in the same colour
        upper = upper * (1 - hung.skin * soft(places.bare))
    share = hung.cover * (upper + (hung.lower if parts.has_lower else 0)).clip(0, 1)
    return hung.color * 255, solid(share, places.rim)


def _hands(view: View, clothing: Clothing, places: Places, hung: Hung) -> tuple[Image, FloatArray]:
    """The own hands, as far as the photo shows them, and a wrist where a bare arm does not quite reach them."""
    hands = clothing.hands & (view.mask > 0.5)
    if not hands.any():
        return view.image, np.zeros(view.mask.shape, np.float32)
    arm = hung.cover * hung.upper * hung.skin > 0.5
    wrist = closed(hands | arm, 3 * places.rim) & grown(hands, 4 * places.rim) & ~hands & ~arm
    core = inner(hands, 2.0)
    color = np.where(hands[..., None], view.image, continued(view.image, core if core.any() else hands))
    return color.astype(np.uint8), np.maximum(soft(hands) * view.mask, soft(wrist))


def _mended(canvas: Canvas, places: Places) -> None:
    """No hole goes through a body."""
    whole = without_holes(closed(canvas.cover > 0.5, places.rim / 2), 8 * places.rim)
    holes = whole & places.core & (canvas.cover < 0.9)
    known = canvas.cover > 0.95
    if holes.any() and known.any():
        filled = continued(canvas.color.round().clip(0, 255).astype(np.uint8), known)
        canvas.lay(filled.astype(np.float32), soft(holes))


def solid(share: FloatArray, rim: float) -> FloatArray:
    """(H, W): without threads, which are seams between what is worn and what is not, and without lone specks."""
    radius = max(1.0, rim / 4)
    kept = large(opened(share > 0.5, radius), 4 * rim)
    return share * soft(grown(kept, radius))


def inner(region: BoolArray, depth: float) -> BoolArray:
    """(H, W): what is farther than `depth` pixels inside."""
    return np.asarray(cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5) > depth)


def soft(region: BoolArray) -> FloatArray:
    """(H, W) in [0, 1]: the region with an edge two pixels wide."""
    return np.asarray(cv2.GaussianBlur(region.astype(np.float32), (0, 0), 1.0), np.float32)
